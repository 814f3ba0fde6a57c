"""Finding and trying feeds, for `blotter sources`: the feeds that a site names, lists of feeds, and what each answers.

Belongs here: what an operator does before a source is in the registry. Does not belong here: polling (`poll`).
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin

from defusedxml import DefusedXmlException, ElementTree

from blotter.clean.charset import decode_text
from blotter.clean.page import parse_page
from blotter.config import FetchSettings
from blotter.errors import InputRejected, Reason, SettingsError
from blotter.ingest.credentials import Credential, find_credential
from blotter.ingest.feeds import parse_feed
from blotter.ingest.fetch import Fetcher, Outcome
from blotter.sources import Source

_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")
# Where sites keep their feed when their pages do not say.
_USUAL_PATHS = ("/feed", "/feed.xml", "/rss", "/rss.xml", "/atom.xml", "/index.xml", "/feed.json", "/?feed=rss2")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFeed:
    """A feed as it answered: `outcome` as in the table `fetches`, or `unreadable`."""

    source_id: str
    url: str
    outcome: str
    message: str = ""
    title: str | None = None
    n_entries: int = 0
    newest_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFeed:
    """A feed as a list of feeds names it; any of title and homepage may be empty."""

    title: str
    url: str
    homepage: str = ""


def check_sources(sources: Mapping[str, Source], *, settings: FetchSettings, now: datetime) -> list[FoundFeed]:
    """Ask every feed of every source once, as politely as a poll would, and say what it answers; nothing is kept."""
    return asyncio.run(_try_sources(sources.values(), settings, now))


def find_feeds(url: str, *, settings: FetchSettings, now: datetime) -> list[FoundFeed]:
    """Find the feeds of a site: `url` itself, those that its page names, else those at the usual places."""
    return asyncio.run(_find_feeds(url, settings, now))


def read_opml(payload: bytes) -> list[ListedFeed]:
    """Read a list of feeds in OPML, as other readers export it: each address once, in its order.

    Raises InputRejected where it is none.
    """
    try:
        tree = ElementTree.fromstring(payload)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError) as broken:
        raise InputRejected(Reason.MALFORMED, f"no OPML: {broken}"[:300]) from broken
    found: dict[str, ListedFeed] = {}
    for outline in tree.iter("outline"):
        url = (outline.get("xmlUrl") or outline.get("xmlurl") or "").strip()
        if url.startswith(("http://", "https://")):
            title = " ".join((outline.get("title") or outline.get("text") or "").split())
            homepage = (outline.get("htmlUrl") or "").strip()
            found.setdefault(url, ListedFeed(title=title, url=url, homepage=homepage))
    return list(found.values())


def named_feeds(payload: bytes, url: str, charset: str | None = None) -> list[str]:
    """Give the addresses of the feeds that a page names in its head."""
    try:
        tree = parse_page(decode_text(payload, charset))
    except InputRejected:
        return []
    links = [
        urljoin(url, link.get("href"))
        for link in tree.iter("link")
        if link.get("href") and (link.get("type") or "").lower() in _FEED_TYPES
    ]
    return list(dict.fromkeys(link for link in links if link.startswith(("http://", "https://"))))


async def _find_feeds(url: str, settings: FetchSettings, now: datetime) -> list[FoundFeed]:
    async with Fetcher(settings, now=now) as fetcher:
        itself = await _try_feed(fetcher, "", url)
        if itself.outcome == Outcome.OK:
            return [itself]
        page = await fetcher.fetch_page(url)
        named = named_feeds(page.body, page.final_url or url, page.charset) if page.body else []
        for candidates in (named, [urljoin(url, path) for path in _USUAL_PATHS]):
            tried = await asyncio.gather(*(_try_feed(fetcher, "", candidate) for candidate in candidates))
            if found := [feed for feed in tried if feed.outcome == Outcome.OK]:
                return found
    return [itself]


async def _try_sources(sources: Iterable[Source], settings: FetchSettings, now: datetime) -> list[FoundFeed]:
    async with Fetcher(settings, now=now) as fetcher:
        tried = await asyncio.gather(*(_try_source(fetcher, source) for source in sources))
    return [feed for feeds in tried for feed in feeds]


async def _try_source(fetcher: Fetcher, source: Source) -> list[FoundFeed]:
    try:
        credential = find_credential(source)
    except SettingsError as missing:
        outcome, message = Outcome.NO_CREDENTIALS, str(missing)
        return [FoundFeed(source_id=source.id, url=feed.url, outcome=outcome, message=message) for feed in source.feeds]
    return await asyncio.gather(*(_try_feed(fetcher, source.id, feed.url, credential) for feed in source.feeds))


async def _try_feed(fetcher: Fetcher, source_id: str, url: str, credential: Credential | None = None) -> FoundFeed:
    fetched = await fetcher.fetch_feed(url, credential=credential)
    if fetched.outcome is not Outcome.OK or fetched.body is None:
        return FoundFeed(source_id=source_id, url=url, outcome=fetched.outcome, message=fetched.message)
    parsed = await asyncio.to_thread(parse_feed, fetched.body, fetched.final_url, fetched.content_type)
    if parsed.reason is not None:
        return FoundFeed(source_id=source_id, url=url, outcome="unreadable", message=parsed.message)
    moments = [moment.at for entry in parsed.entries if (moment := entry.published or entry.updated)]
    return FoundFeed(
        source_id=source_id,
        url=url,
        outcome=fetched.outcome,
        message=f"moved to {fetched.moved_to}" if fetched.moved_to else "",
        title=parsed.title,
        n_entries=len(parsed.entries),
        newest_at=max(moments, default=None),
    )
