"""An HTML page, parsed once: what its head says of it, and its body as text.

Belongs here: reading title, author, dates, addresses and text out of markup. Does not belong here: whether the page is
an article (`walls`), and which of several sources of a value is believed (`clean_document`).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from htmldate import find_date
from lxml import etree
from lxml.html import HtmlElement, document_fromstring
from trafilatura import bare_extraction
from trafilatura.metadata import extract_author, extract_title
from trafilatura.settings import Extractor

from blotter.clean.charset import tidy_text
from blotter.clean.dates import Moment, find_day, is_possible, parse_moment
from blotter.errors import InputRejected, Reason

MAX_PAGE_CHARS = 8_000_000
MAX_ELEMENTS = 20_000  # trafilatura took 6.7 s for 50,000 paragraphs
MAX_ATTRIBUTES = 2_000  # of one tag: the parser compares each with all before it
_LONG_TAG_CHARS = 5_000
MAX_ATTRIBUTE_CHARS = 300  # class and id are matched against long expressions, the others searched for dates
MAX_HARD_SEARCH_CHARS = 150_000  # the extensive date search is the cause of pages of two seconds
MAX_META_CHARS = 1_000
_MAX_JSON_CHARS = 1_000_000
_MAX_JSON_NODES = 5_000

_ARTICLE_TYPES = frozenset(
    {
        "newsarticle", "article", "reportagenewsarticle", "blogposting", "liveblogposting", "analysisnewsarticle",
        "backgroundnewsarticle", "opinionnewsarticle", "reviewnewsarticle", "askpublicnewsarticle", "report",
        "socialmediaposting", "advertisercontentarticle", "satiricalarticle", "scholarlyarticle", "techarticle",
    }
)  # fmt: skip
_PUBLISHED_META = (
    "article:published_time", "og:article:published_time", "og:published_time", "datepublished", "parsely-pub-date",
    "sailthru.date", "dc.date.issued", "dcterms.created", "dc.date.created", "dc.date", "dcterms.date", "pubdate",
    "publishdate", "publish-date", "publish_date", "publication_date", "citation_publication_date", "article.published",
    "rnews:datepublished", "cxenseparse:recs:publishtime", "displaydate", "originalpublicationdate", "date",
)  # fmt: skip
_MODIFIED_META = (
    "article:modified_time", "og:updated_time", "og:modified_time", "datemodified", "last-modified", "dcterms.modified",
    "dc.date.modified", "lastmod", "article.updated",
)  # fmt: skip
_TITLE_META = ("og:title", "twitter:title", "dc.title", "parsely-title", "sailthru.title", "headline")
_AUTHOR_META = (
    "author",
    "article:author",
    "parsely-author",
    "sailthru.author",
    "dc.creator",
    "byl",
    "article:author_name",
)
_BLOCKS = frozenset(
    {
        "p", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "section", "article", "header",
        "footer", "table", "tr", "td", "th", "pre", "figure", "figcaption", "dd", "dt", "hr", "br",
    }
)  # fmt: skip
_SILENT = ("script", "style", "noscript", "template", "svg", "iframe", "object", "head", "nav", "form", "button")
# Elements that never hold a story's text.
_NO_BODY = (
    "aside", "footer", "nav", "menu", "svg", "style", "template", "fencedframe", "noscript", "iframe", "object",
    "embed", "applet", "audio", "video", "canvas", "map", "picture", "source", "track", "button", "select", "datalist",
    "dialog", "input", "textarea", "label", "progress", "link",
)  # fmt: skip
_TAGS = re.compile(r"""<[a-zA-Z](?:[^>"']++|"[^"]*+"|'[^']*+')*+""")
_ATTRIBUTE_STARTS = re.compile(r"""[\s/"'][^\s"'=<>/]""")
_FRAGMENT = re.compile(r"<(?:html|head|body|!doctype)\b", re.IGNORECASE)
_SITE_SEPARATOR = re.compile(r"\s+[|–—·•»:-]+\s+")
_BYLINES = etree.XPath(
    "//*[@rel='author' or @itemprop='author' or contains(@class, 'byline') or contains(@class, 'author')"
    " or contains(@class, 'Byline') or contains(@class, 'Author')][not(self::body or self::html or self::article)]"
)
_STORY_HEADINGS = etree.XPath("//article//h1 | //main//h1")
_CUT_SHORT = re.compile(r"\s*(?:…|\.\.\.)$")
_MIN_START_CHARS = 12  # a shorter start could be that of another headline
# Where templates put the day of publication, when they mark it for nobody but the style sheet.
_DATELINES = etree.XPath(
    "//*[self::time or contains(@class, 'date') or contains(@class, 'Date') or contains(@class, 'publish')"
    " or contains(@class, 'posted') or contains(@class, 'timestamp') or contains(@class, 'fecha')"
    " or contains(@class, 'datum') or @class='data' or @itemprop='datePublished']"
    "[ancestor::article or ancestor::main][not(ancestor::aside or ancestor::footer or ancestor::nav)]"
)
_SAYS_PUBLISHED = re.compile(r"\b(?:published|posted|publicad[oa]|publié|veröffentlicht|pubblicato)\b", re.IGNORECASE)
_MAX_DATELINES, _MAX_DATELINE_CHARS = 40, 160
_OF_UPDATE = re.compile(
    r"\b(?:(?:last )?(?:updated|modified)|actualizad[oa]|atualizad[oa]|mis à jour|aktualisiert|aggiornat[oa])\b"
    r".*?(?:\d{4}|$)",
    re.IGNORECASE,
)
_WITH_LONG_ATTRIBUTES = etree.XPath(f"//*[@*[string-length() > {MAX_ATTRIBUTE_CHARS}]]")
_NAME_SEPARATOR = re.compile(r"\s*(?:,|;|&|\band\b|\||/|•)\s*")
_NAME = re.compile(
    r"[^\W\d_a-z][\w.'’-]*"
    r"(?: (?:[^\W\d_a-z][\w.'’-]*|de|da|di|del|der|den|van|von|la|le|al|bin|ten|ter|dos|du)){1,4}"
)
_BYLINE = re.compile(r"^(?:by|from|von|por|par)\s+", re.IGNORECASE)
_ROLE = re.compile(
    r"\b(?:staff|writer|reporter|editor|correspondent|contributor|columnist|producer|journalist|news|press)\b",
    re.IGNORECASE,
)
_FAST = Extractor(fast=True, comments=False, tables=True, with_metadata=False, output_format="python")


@dataclass(frozen=True, slots=True)
class PageHead:
    """What a page says of itself; anything may be missing."""

    title: str | None
    author: str | None
    published: Moment | None
    modified_at: datetime | None
    canonical: str | None  # as stated: may be relative, or of another site
    language: str | None
    types: frozenset[str]  # schema.org and og types, in lower case
    is_free: bool | None


def parse_page(html: str) -> HtmlElement:
    """Parse markup into a tree; raises InputRejected where it is too large, or no markup at all."""
    if len(html) > MAX_PAGE_CHARS:
        raise InputRejected(Reason.TOO_LARGE, f"the page has {len(html):,} characters; the limit is {MAX_PAGE_CHARS:,}")
    for tag in _TAGS.finditer(html):
        if tag.end() - tag.start() > _LONG_TAG_CHARS and len(_ATTRIBUTE_STARTS.findall(tag[0])) > MAX_ATTRIBUTES:
            raise InputRejected(Reason.TOO_LARGE, f"a tag has more than {MAX_ATTRIBUTES:,} attributes")
    # Bytes, not a string: a lone surrogate or an XML declaration in a string breaks the parser.
    try:
        tree: HtmlElement = document_fromstring(html.encode("utf-8", "replace"), parser=_make_parser())
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as broken:
        raise InputRejected(Reason.NO_TEXT, f"the page holds no markup ({broken})") from broken
    n_elements = int(tree.xpath("count(//*)"))
    if n_elements > MAX_ELEMENTS:
        raise InputRejected(Reason.TOO_LARGE, f"the page has {n_elements:,} elements; the limit is {MAX_ELEMENTS:,}")
    for element in _WITH_LONG_ATTRIBUTES(tree):
        for name, value in element.attrib.items():
            if len(value) > MAX_ATTRIBUTE_CHARS and name not in ("content", "href"):
                element.set(name, value[:MAX_ATTRIBUTE_CHARS])
    return tree


def _make_parser() -> etree.HTMLParser:
    parser = etree.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False, default_doctype=False
    )
    # lxml.html looks up the class of every element in Python, for the sake of forms; one class for all is faster.
    parser.set_element_class_lookup(etree.ElementDefaultClassLookup(element=HtmlElement))
    return parser


def is_fragment(html: str) -> bool:
    """Tell whether markup is a piece (a feed's content) and no whole page."""
    return _FRAGMENT.search(html[:5_000]) is None


def read_head(tree: HtmlElement, *, by: datetime) -> PageHead:
    """Read what a page says of itself: JSON-LD first, then Open Graph and other meta elements, then headings.

    Dates after `by` (when the page was had) or before there was a press are taken for mistakes and passed over.
    """
    meta = _read_meta(tree)
    about = _find_article(tree)
    published = _first_moment([about.get("datePublished"), *map(meta.get, _PUBLISHED_META), *_marked_times(tree)], by)
    modified = _first_moment([about.get("dateModified"), *map(meta.get, _MODIFIED_META)], by)
    return PageHead(
        title=_choose_title(tree, about, meta),
        author=_choose_author(tree, about, meta),
        published=published,
        modified_at=modified.at if modified else None,
        canonical=_link(tree, "canonical") or meta.get("og:url"),
        language=_language(tree, about, meta),
        types=frozenset(_types(about)) | frozenset({meta.get("og:type", "").lower()} - {""}),
        is_free=_is_free(about),
    )


def search_date(tree: HtmlElement, *, url: str | None, by: datetime, language: str | None = None) -> Moment | None:
    """Look for the day of publication in address and text, the hard way only where the easy one finds nothing.

    A line that says that it is the day of publication goes first; on pages that are not in English, whose months the
    search does not know, so does any line that is marked as a date's.
    """
    is_english = language in (None, "en")
    if (day := _read_dateline(tree, by, is_said=is_english)) is not None:
        return day
    size = len(tree.text_content())
    for hard in (False, True):
        if hard and (day := _read_dateline(tree, by, is_said=False)) is not None:
            return day
        if hard and size > MAX_HARD_SEARCH_CHARS:
            break
        try:
            found = find_date(
                tree,
                extensive_search=hard,
                original_date=True,
                url=url,
                min_date="1990-01-01",
                max_date=f"{by:%Y-%m-%d}",
            )
        except (ValueError, TypeError, AttributeError, etree.LxmlError, RecursionError):
            continue  # a defect of the search on odd markup: the page has no date then
        if found and (moment := parse_moment(found)):
            return moment
    return None


def _read_dateline(tree: HtmlElement, by: datetime, *, is_said: bool) -> Moment | None:
    """Read the first line of the story that is marked as a date's, or says so; what it tells of updates is left out."""
    for element in _DATELINES(tree)[:_MAX_DATELINES]:
        line = " ".join(element.text_content()[: 2 * _MAX_DATELINE_CHARS].split())
        if 8 <= len(line) <= _MAX_DATELINE_CHARS and (not is_said or _SAYS_PUBLISHED.search(line)):
            day = find_day(_OF_UPDATE.sub(" ", line))
            if day is not None and is_possible(day.at, by=by):
                return day
    return None


def extract_body(tree: HtmlElement) -> str:
    """Extract the article's text, one line a paragraph; empty where there is none. May change the tree."""
    # trafilatura drops these too, but walks and copies them several times before it does.
    _drop_scripts(tree)
    etree.strip_elements(tree, *_NO_BODY, with_tail=False)
    try:
        extracted = bare_extraction(tree, options=_FAST)
    except (RecursionError, etree.LxmlError):
        return ""
    return tidy_text(getattr(extracted, "text", None) or "")


def _drop_scripts(tree: HtmlElement) -> None:
    for script in tree.xpath("//script[not(contains(@type, 'ld+json'))]"):  # those may hold the article's text
        script.drop_tree()


def flatten_fragment(tree: HtmlElement) -> str:
    """Give all the text of a piece of markup, one line a block. May change the tree."""
    etree.strip_elements(tree, *_SILENT, with_tail=False)
    lines: list[list[str]] = [[]]
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        is_block = element.tag in _BLOCKS
        if is_block:
            lines.append([])
        text = element.text if event == "start" else element.tail
        if text:
            lines[-1].append(text)
    joined = (" ".join("".join(line).split()) for line in lines)
    return tidy_text("\n".join(line for line in joined if line))


def _read_meta(tree: HtmlElement) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in tree.iter("meta"):
        name = element.get("property") or element.get("name") or element.get("itemprop") or element.get("http-equiv")
        content = element.get("content")
        if name and content and len(content) <= MAX_META_CHARS and (text := " ".join(content.split())):
            found.setdefault(name.strip().lower(), text)
    return found


def _find_article(tree: HtmlElement) -> Mapping[str, Any]:
    """The JSON-LD object of the article, its authors looked up where it only refers to them; empty where none is."""
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower() or not script.text:
            continue
        nodes = list(_json_nodes(script.text))
        for node in nodes:
            if _ARTICLE_TYPES.intersection(_types(node)):
                return {**node, "author": _look_up(node.get("author") or node.get("creator"), nodes)}
    return {}


def _look_up(stated: Any, nodes: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Give the objects that are meant by references (`{"@id": ...}`) to others of the same script."""
    listed = stated if isinstance(stated, list) else [stated]
    by_id = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str) and "name" in node}
    return [
        by_id.get(one["@id"], one) if isinstance(one, dict) and isinstance(one.get("@id"), str) else one
        for one in listed
    ]


def _json_nodes(text: str) -> Iterator[Mapping[str, Any]]:
    text = (
        text.strip().removeprefix("<!--").removesuffix("-->").removeprefix("//<![CDATA[").removesuffix("//]]>").strip()
    )
    if len(text) > _MAX_JSON_CHARS:
        return
    try:
        loaded = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        try:
            loaded = json.loads(text.rstrip("; \n"), strict=False)
        except (ValueError, RecursionError):
            return
    waiting, seen = [loaded], 0
    while waiting and seen < _MAX_JSON_NODES:
        node, seen = waiting.pop(0), seen + 1
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            yield node
            waiting.extend(node[key] for key in ("@graph", "mainEntity", "mainEntityOfPage", "item") if key in node)


def _types(node: Mapping[str, Any]) -> Iterator[str]:
    stated = node.get("@type")
    for name in stated if isinstance(stated, list) else [stated]:
        if isinstance(name, str):
            yield name.rsplit("/", 1)[-1].lower()


def _first_moment(texts: list[Any], by: datetime) -> Moment | None:
    for text in texts:
        moment = parse_moment(text) if isinstance(text, str) else None
        if moment is not None and is_possible(moment.at, by=by):
            return moment
    return None


def _marked_times(tree: HtmlElement) -> Iterator[str]:
    for element in tree.iter("time"):
        marks = f"{element.get('itemprop', '')} {element.get('class', '')} {element.get('pubdate', '')}".lower()
        if element.get("datetime") and ("publish" in marks or "pubdate" in marks or element.get("pubdate") is not None):
            yield element.get("datetime")


def _choose_title(tree: HtmlElement, about: Mapping[str, Any], meta: Mapping[str, str]) -> str | None:
    site = _name_site(tree, meta)
    stated = [about.get("headline"), *map(meta.get, _TITLE_META)]
    headings = _read_headings(tree)
    if len(headings) == 1:
        stated.append(headings[0])
    for text in stated:
        if isinstance(text, str) and (title := _trim_title(text, site)):
            return _complete_title(title, [*stated, *headings], site)
    try:
        return _trim_title(extract_title(tree) or "", site) or None
    except (AttributeError, TypeError, ValueError):
        return None


def _read_headings(tree: HtmlElement) -> list[str]:
    """Read the page's main headings; where some stand in the story and some above it, those in the story."""
    for headings in (_STORY_HEADINGS(tree), tree.iter("h1")):
        if found := [heading for h1 in headings if (heading := " ".join(h1.text_content().split()))]:
            return found
    return []


def _complete_title(title: str, others: Sequence[Any], site: str | None) -> str:
    """Give the whole of a title that was cut short, where the page has it."""
    start = _CUT_SHORT.sub("", title)
    if start != title and len(start) >= _MIN_START_CHARS:
        for other in others:
            whole = _trim_title(other, site) if isinstance(other, str) else ""
            if whole.startswith(start) and not _CUT_SHORT.search(whole):
                return whole
    return title


def _name_site(tree: HtmlElement, meta: Mapping[str, str]) -> str | None:
    """The site's name: as stated, else what stands behind the bar in the title of the window."""
    parts = re.split(r"\s+\|\s+", " ".join((tree.findtext(".//title") or "").split()))
    return meta.get("og:site_name") or (parts[-1] if len(parts) > 1 else None)


def _trim_title(text: str, site: str | None) -> str:
    """Take markup, white space and the site's own name off a title."""
    if "<" in text or "&" in text:
        fragment = document_fromstring(f"<p>{text}</p>".encode("utf-8", "replace"), parser=_make_parser())
        etree.strip_elements(fragment, *_SILENT, with_tail=False)
        text = fragment.text_content()
    title = " ".join(tidy_text(text).split())
    if site:
        parts = _SITE_SEPARATOR.split(title)
        if len(parts) > 1 and parts[-1].casefold() == " ".join(site.split()).casefold():
            title = title[: len(title) - len(parts[-1])].rstrip(" |–—·•»:-")
    return title[:MAX_META_CHARS]


def _choose_author(tree: HtmlElement, about: Mapping[str, Any], meta: Mapping[str, str]) -> str | None:
    site = _name_site(tree, meta)
    stated = list(_list_authors(about.get("author")))
    names = list(dict.fromkeys(name for author in stated for name in _author_names(author)))
    if not names or all(_is_organization(author) for author in stated):
        # An outlet that names itself for its author says less than its byline.
        names = _read_byline(tree, site) if names else _name_authors(tree, meta, site)
        names = names or list(dict.fromkeys(name for author in stated for name in _author_names(author)))
    joined = "; ".join(_trim_name(name) for name in names)
    return joined[:MAX_META_CHARS] or None


def _name_authors(tree: HtmlElement, meta: Mapping[str, str], site: str | None) -> list[str]:
    byline = next((meta[name] for name in _AUTHOR_META if _is_name(meta.get(name))), None)
    return [byline] if byline else _read_byline(tree, site) or [_guess_author(tree) or ""]


def _trim_name(text: str) -> str:
    """Take off "By", and what stands behind a name: an address, a role."""
    name = _BYLINE.sub("", " ".join(tidy_text(text).split()))
    first, *behind = re.split(r"\s*[,|•]\s*", name)
    is_about = behind and all("@" in part or _ROLE.search(part) for part in behind)
    return first if is_about and _NAME.fullmatch(first) else name


def _list_authors(stated: Any) -> Iterator[Any]:
    yield from stated if isinstance(stated, list) else [stated]


def _is_organization(author: Any) -> bool:
    return isinstance(author, dict) and any("organization" in kind for kind in _types(author))


def _read_byline(tree: HtmlElement, site: str | None) -> list[str]:
    """Read the names off the first byline that is nothing but names."""
    for element in _BYLINES(tree)[:20]:
        lines = [line for line in element.itertext() if _is_said(line)]
        for text in (" ".join(lines), *lines[:1]):
            pieces = _NAME_SEPARATOR.split(_BYLINE.sub("", " ".join(text.split())))
            names = list(takewhile(_NAME.fullmatch, (piece for piece in pieces if piece != site)))
            if names:
                return names
    return []


def _is_said(line: str) -> bool:
    return bool(line.strip()) and line.strip().lower().rstrip(":") not in ("by", "written by", "author", "reporter")


def _guess_author(tree: HtmlElement) -> str | None:
    try:
        guess: str | None = extract_author(tree)
    except (AttributeError, TypeError, ValueError):
        return None
    return guess


def _author_names(author: Any) -> Iterator[str]:
    name = author.get("name") if isinstance(author, dict) else author
    for one in name if isinstance(name, list) else [name]:
        if isinstance(one, str) and _is_name(one):
            yield one.strip()


def _is_name(text: str | None) -> bool:
    return (
        bool(text)
        and len(text or "") <= 200
        and "://" not in (text or "")
        and not (text or "").startswith(("@", "www."))
    )


def _link(tree: HtmlElement, relation: str) -> str | None:
    for element in tree.iter("link"):
        if relation in (element.get("rel") or "").lower().split() and element.get("href"):
            return str(element.get("href"))
    return None


def _language(tree: HtmlElement, about: Mapping[str, Any], meta: Mapping[str, str]) -> str | None:
    for stated in (tree.get("lang"), about.get("inLanguage"), meta.get("og:locale"), meta.get("content-language")):
        if isinstance(stated, str) and re.match(r"[A-Za-z]{2}(?:[-_]|$)", stated):
            return stated[:2].lower()
    return None


def _is_free(about: Mapping[str, Any]) -> bool | None:
    stated = about.get("isAccessibleForFree")
    if isinstance(stated, str):
        return {"true": True, "false": False}.get(stated.lower())
    return stated if isinstance(stated, bool) else None
