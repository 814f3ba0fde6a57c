"""Feed files: bytes to entries.

Belongs here: RSS 0.9 to 2.0, Atom and JSON Feed as written by strangers, and what makes two entries the same. Does not
belong here: getting feeds (`fetch`) and remembering entries (`blotter.store.feeds`).
"""

import calendar
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin
from xml.sax import SAXException

import feedparser
from lxml import etree
from lxml.html import fromstring

from blotter.clean.charset import decode_text, tidy_text
from blotter.clean.dates import Moment, parse_moment
from blotter.clean.urls import canonicalize_url, is_home_page
from blotter.errors import Reason
from blotter.ids import make_id, sha256_hex

MAX_ENTRIES = 20_000
MAX_FIELD_CHARS = 2_000
_DOCTYPE_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)
_HTML = re.compile(rb"<(?:!doctype\s+html|html[\s>])", re.IGNORECASE)
_TAG = re.compile(r"<[a-zA-Z/!]|&(?:#\d+|[a-z]+);")
_ENTRY_TAG = re.compile(rb"<(?:\w+:)?(?:item|entry)[\s>]", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
# feedparser raises these on markup that it does not expect (TypeError on one in seven feeds with an unclosed title).
_PARSER_FAILURES = (TypeError, ValueError, AttributeError, LookupError, RecursionError, AssertionError, SAXException)
_HARMLESS = (feedparser.CharacterEncodingOverride, feedparser.NonXMLContentType)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEntry:
    """One entry as the feed tells it. `content` is the full text where the feed has it, `summary` what else it has."""

    guid: str | None
    url: str | None
    title: str | None
    author: str | None
    published: Moment | None
    updated: Moment | None
    content: str | None
    summary: str | None
    media: str  # of content and summary: html or text


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFeed:
    """What a feed holds: its entries in their order, or the reason why it has none that could be read."""

    entries: tuple[FeedEntry, ...]
    title: str | None = None
    ttl_s: float | None = None
    reason: Reason | None = None
    message: str = ""


def parse_feed(payload: bytes, url: str | None = None, content_type: str | None = None) -> ParsedFeed:
    """Parse a feed of any kind; whatever the bytes are, the answer has entries, or none and a reason why.

    `url` resolves relative links; `content_type` is the transport's. An empty but valid feed has neither entries nor
    reason. Nothing is fetched, no entity is expanded.
    """
    if not payload.strip():
        return _refuse(Reason.EMPTY, "nothing in it")
    if _DOCTYPE_ENTITY.search(payload[:100_000]):
        return _refuse(Reason.MALFORMED, "it declares entities, which are refused")
    start = payload[:2_000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] == b"{":
        return _parse_json_feed(payload, url)
    return _parse_xml_feed(payload, url, content_type)


def identify_entries(entries: Sequence[FeedEntry]) -> list[tuple[str, ...]]:
    """Give what each entry of a feed is known by: it was seen if any of its keys was.

    No signal is trusted alone. The canonical address is a key unless the feed gives one address to several entries. A
    guid is one only together with title or time of publication (software uses guids again), and not at all where
    several entries share it. So an edited headline, a changed guid, a new address under the old guid, and tracking
    parameters keep an entry what it was; an entry that shares none of these is another. The first key is the strongest.
    """
    addresses = [canonicalize_url(entry.url) if entry.url else None for entry in entries]
    n_of_address, n_of_guid = Counter(addresses), Counter(entry.guid for entry in entries)
    identified = []
    for entry, address in zip(entries, addresses, strict=True):
        keys = []
        if address is not None and n_of_address[address] == 1 and not is_home_page(address):
            keys.append(make_id("ent", "url", address))
        if entry.guid and n_of_guid[entry.guid] == 1:
            if entry.published is not None and entry.published.precision == "minute":
                keys.append(make_id("ent", "guid+time", entry.guid, entry.published.at))
            if entry.title:
                keys.append(make_id("ent", "guid+title", entry.guid, entry.title))
            if not keys:
                keys.append(make_id("ent", "guid", entry.guid))
        identified.append(tuple(keys) or (make_id("ent", "all", address, entry.guid, entry.title, entry.published),))
    return identified


def stamp_entry(entry: FeedEntry) -> str:
    """Give a mark that changes when the feed says that the entry changed: by its date, its title or its content."""
    content = entry.content or entry.summary or ""
    return make_id("stamp", entry.updated or entry.published, entry.title, sha256_hex(content))


def _parse_xml_feed(payload: bytes, url: str | None, content_type: str | None) -> ParsedFeed:
    headers = {"content-type": content_type or "application/xml"}
    if url:
        headers["content-location"] = url
    failure: object
    try:
        parsed = feedparser.parse(payload, sanitize_html=False, resolve_relative_uris=False, response_headers=headers)
        failure = parsed.get("bozo_exception")
    except _PARSER_FAILURES as defect:
        parsed, failure = {}, defect
    is_atom = str(parsed.get("version") or "").startswith("atom")
    listed = parsed.get("entries", ())[:MAX_ENTRIES]
    entries = [entry for entry in (_read_entry(entry, url, is_atom) for entry in listed) if _says_something(entry)]
    feed = parsed.get("feed", {})
    if not entries and _ENTRY_TAG.search(payload):
        entries = [entry for entry in _recover_entries(payload, url) if _says_something(entry)]
    if entries or (parsed.get("version") and not (failure and not isinstance(failure, _HARMLESS))):
        return ParsedFeed(entries=tuple(entries), title=_text(feed.get("title")), ttl_s=_read_ttl(feed))
    what = "an HTML page" if _HTML.search(payload[:2_000]) else "no feed that can be read"
    explained = f"{type(failure).__name__}: {failure}"[:200] if failure else "no known root element"
    return _refuse(Reason.MALFORMED, f"{what} ({explained})")


def _recover_entries(payload: bytes, base: str | None) -> Iterator[FeedEntry]:
    """Read what can be read of a feed that feedparser fails on, by the names of its elements alone."""
    text = _DECLARATION.sub("", decode_text(payload), count=1)
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, encoding="utf-8")
    try:
        tree = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return
    if tree is None:
        return
    for element in tree.xpath("//*[local-name()='item' or local-name()='entry']")[:MAX_ENTRIES]:
        said: dict[str, str] = {}
        for part in element.iterdescendants(etree.Element):
            try:
                name = re.split("[}:]", part.tag)[-1].lower()
                text = (part.get("href") if name == "link" else None) or part.text or ""
            except UnicodeDecodeError:  # a reference to half a character, which the parser lets through
                continue
            if text.strip():
                said.setdefault(name, text.strip())
        content = said.get("encoded") or said.get("content")
        summary = said.get("description") or said.get("summary")
        yield FeedEntry(
            guid=_text(said.get("guid") or said.get("id")),
            url=_resolve(_text(said.get("link")), base),
            title=_plain(said.get("title")),
            author=_text(said.get("creator") or said.get("author") or said.get("name")),
            published=_moment_of(said.get("pubdate") or said.get("published") or said.get("date")),
            updated=_moment_of(said.get("updated")),
            content=content,
            summary=summary,
            media="html" if _TAG.search(content or summary or "") else "text",
        )


def _says_something(entry: FeedEntry) -> bool:
    return bool(entry.url or entry.title or entry.content or entry.summary)


def _read_entry(entry: Mapping[str, Any], base: str | None, is_atom: bool) -> FeedEntry:
    contents = [part for part in entry.get("content", ()) if isinstance(part, Mapping) and part.get("value")]
    content = max((part["value"] for part in contents), key=len, default=None)
    summary = entry.get("summary") or None
    if content == summary:
        summary = None
    link = _text(entry.get("feedburner_origlink")) or _text(entry.get("link"))
    published, updated = _read_moment(entry, "published"), _read_moment(entry, "updated")
    return FeedEntry(
        guid=_text(entry.get("id")),
        url=_resolve(link, base),
        title=_plain(entry.get("title")),
        author=_text(entry.get("author")),
        # Outside Atom there is one date, whatever its element is called.
        published=published or _read_moment(entry, "created") or (None if is_atom else updated),
        updated=updated,
        content=content,
        summary=summary,
        media="html" if _TAG.search(content or summary or "") else "text",
    )


def _read_moment(entry: Mapping[str, Any], name: str) -> Moment | None:
    if name not in entry:  # asked for directly, feedparser gives one date for another
        return None
    # Our own reader first: it keeps a date alone a date.
    if entry.get(name) and (moment := parse_moment(str(entry[name]))):
        return moment
    parsed = entry.get(f"{name}_parsed") if f"{name}_parsed" in entry else None
    try:
        return Moment(datetime.fromtimestamp(calendar.timegm(parsed), UTC), "minute") if parsed else None
    except (ValueError, OverflowError, OSError, TypeError):
        return None


def _read_ttl(feed: Mapping[str, Any]) -> float | None:
    try:
        minutes = float(feed.get("ttl") or 0)
    except (TypeError, ValueError):
        return None
    return minutes * 60 if 0 < minutes < 100_000 else None


def _parse_json_feed(payload: bytes, url: str | None) -> ParsedFeed:
    try:
        feed = json.loads(decode_text(payload))
    except (ValueError, RecursionError) as broken:
        return _refuse(Reason.MALFORMED, f"no JSON: {broken}"[:300])
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list):
        return _refuse(Reason.MALFORMED, "JSON, but no JSON Feed: it has no list of items")
    entries = [_read_json_entry(item, url) for item in items[:MAX_ENTRIES] if isinstance(item, dict)]
    return ParsedFeed(entries=tuple(entries), title=_text(feed.get("title")))


def _read_json_entry(item: Mapping[str, Any], base: str | None) -> FeedEntry:
    html, text, summary = (
        item.get(key) if isinstance(item.get(key), str) else None for key in ("content_html", "content_text", "summary")
    )
    return FeedEntry(
        guid=_text(item.get("id")),
        url=_resolve(_text(item.get("url")) or _text(item.get("external_url")), base),
        title=_plain(item.get("title")),
        author="; ".join(_json_authors(item)) or None,
        published=_moment_of(item.get("date_published")),
        updated=_moment_of(item.get("date_modified")),
        content=html or text or None,
        summary=summary or None,
        media="html" if html else "text",
    )


def _json_authors(item: Mapping[str, Any]) -> Iterator[str]:
    authors = item.get("authors") if isinstance(item.get("authors"), list) else [item.get("author")]
    for author in authors or ():
        if isinstance(author, dict) and (name := _text(author.get("name"))):
            yield name


def _moment_of(value: object) -> Moment | None:
    return parse_moment(value) if isinstance(value, str) else None


def _resolve(link: str | None, base: str | None) -> str | None:
    if not link:
        return None
    try:
        resolved = urljoin(base or "", link)
    except ValueError:
        return None
    return resolved if resolved.lower().startswith(("http://", "https://")) else None


def _plain(value: object) -> str | None:
    """A title as plain text: feeds put markup and entities into it, once or twice escaped."""
    text = _text(value)
    if text and _TAG.search(text):
        try:
            text = fromstring(f"<p>{text}</p>").text_content()
        except (ValueError, TypeError):
            return text
        text = _text(text)
    return text


def _text(value: object) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    return " ".join(tidy_text(value).split())[:MAX_FIELD_CHARS] or None


def _refuse(reason: Reason, message: str) -> ParsedFeed:
    return ParsedFeed(entries=(), reason=reason, message=message)
