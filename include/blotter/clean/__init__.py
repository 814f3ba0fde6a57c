"""Cleaning: a document's bytes become an article revision.

Belongs here: what of the feed's, the sidecar's and the page's own words is believed, and the article that results.
Does not belong here: getting bytes (`blotter.ingest`), reading claims (`blotter.extract`), any I/O or clock.
"""

from datetime import datetime

import py3langid

from blotter.clean.charset import decode_text, is_binary, tidy_text
from blotter.clean.dates import Moment, is_possible, latest_possible
from blotter.clean.page import PageHead, extract_body, flatten_fragment, is_fragment, parse_page, read_head, search_date
from blotter.clean.urls import canonicalize_url, choose_canonical
from blotter.clean.walls import count_links, find_refusal
from blotter.errors import InputRejected, Reason
from blotter.ids import make_id, sha256_hex
from blotter.model import Article, Document

__all__ = ["canonicalize_url", "clean_document", "compose_text"]

MAX_TEXT_CHARS = 1_000_000
_WEAK_BASES = ("file", "received")  # a page that says when it was published outranks these
_NO_HEAD = PageHead(None, None, None, None, None, None, frozenset(), None)
_LANGUAGE_CHARS = 1_000
_MIN_LANGUAGE_CHARS = 40


def clean_document(document: Document, payload: bytes) -> Article:
    """Turn a document into an article revision without its number and syndication group, which publishing gives.

    Raises InputRejected: a wall, a list or a page that is gone (refused), or no text, too large, a date that cannot be
    (quarantined). What came beside the bytes (sidecar, line, feed) outranks what the page says, but for a date that is
    only that of a file or of receipt.
    """
    fetched_at = document.fetched_at or document.received_at
    markup = decode_text(payload, document.charset)
    if is_binary(payload, markup):
        raise InputRejected(Reason.UNDECODABLE, "the bytes are no text in any encoding")
    if document.media == "text":
        head, body = _NO_HEAD, tidy_text(markup)
    else:
        head, body = _read_page(document, markup, by=latest_possible(fetched_at))
    if len(body) > MAX_TEXT_CHARS:
        raise InputRejected(Reason.TOO_LARGE, f"the text has {len(body):,} characters; the limit is {MAX_TEXT_CHARS:,}")
    # An entry points to its page, and the page knows better; a sidecar, line or mail describes what lies beside it.
    page_first = document.kind == "entry"
    title = _choose(document.title, head.title, page_first) or ""
    published, basis = _choose_published(document, head)
    canonical_url = choose_canonical(document.url, head.canonical)
    text = compose_text(title, body)
    if not body.strip():
        raise InputRejected(Reason.NO_TEXT, "nothing but a title" if title else "nothing in it")
    return Article(
        article_id=make_id("art", document.source_id, canonical_url or document.payload_sha256),
        source_id=document.source_id,
        title=title,
        text=text,
        text_sha256=sha256_hex(text),
        raw_sha256=document.payload_sha256,
        published_at=published.at,
        published_precision=published.precision,
        published_basis=basis,
        modified_at=head.modified_at if head.modified_at and head.modified_at > published.at else None,
        fetched_at=fetched_at,
        language=_find_language(body, head.language),
        url=document.url,
        canonical_url=canonical_url,
        author=_choose(document.author, head.author, page_first),
    )


def compose_text(title: str, body: str) -> str:
    """Give the text that claims' offsets count in: title, a blank line, body, the title only once."""
    if not title:
        return body
    first, _, rest = body.partition("\n")
    if _one_line(first.removeprefix("# ")) == title:
        body = rest.strip()
    return f"{title}\n\n{body}" if body else title


def _read_page(document: Document, markup: str, *, by: datetime) -> tuple[PageHead, str]:
    tree = parse_page(markup)
    if is_fragment(markup):
        body = flatten_fragment(tree)
        if not body:
            raise InputRejected(Reason.NO_TEXT, "the markup holds no text")
        return _NO_HEAD, body
    head = read_head(tree, by=by)
    if head.published is None and document.published_basis in (None, *_WEAK_BASES):
        found = search_date(tree, url=document.url or head.canonical, by=by, language=head.language)
        head = _with_published(head, found)
    n_links = count_links(tree)
    body = extract_body(tree)
    if refusal := find_refusal(head, body, document.url, n_links=n_links):
        raise InputRejected(*refusal)
    if not body:
        raise InputRejected(Reason.NO_TEXT, "no article text could be found on the page")
    return head, body


def _with_published(head: PageHead, published: Moment | None) -> PageHead:
    return PageHead(
        head.title, head.author, published, head.modified_at, head.canonical, head.language, head.types, head.is_free
    )


def _choose_published(document: Document, head: PageHead) -> tuple[Moment, str]:
    had_at = document.fetched_at or document.received_at
    by = latest_possible(had_at)
    stated = document.published_at
    if stated is not None and document.published_basis not in _WEAK_BASES:
        if not is_possible(stated, by=by):
            raise InputRejected(
                Reason.IMPOSSIBLE_DATE, f"published {stated:%Y-%m-%d}, but it came in {had_at:%Y-%m-%d}"
            )
        return Moment(stated, document.published_precision or "minute"), document.published_basis or "sidecar"
    if head.published is not None:
        return head.published, "page"
    if stated is not None and document.published_basis == "file" and is_possible(stated, by=by):
        return Moment(stated, document.published_precision or "minute"), "file"
    return Moment(had_at, "minute"), "received"


def _find_language(body: str, stated: str | None) -> str | None:
    """Classify the text; what a page states counts only where there is too little of it (templates are copied)."""
    sample = body[:_LANGUAGE_CHARS]
    if len(sample) < _MIN_LANGUAGE_CHARS:
        return stated
    language: str = py3langid.classify(sample)[0]
    return language


def _choose(beside: str | None, page: str | None, page_first: bool) -> str | None:
    beside = _one_line(beside) or None
    return page or beside if page_first else beside or page


def _one_line(text: str | None) -> str:
    return " ".join(tidy_text(text).split()) if text else ""
