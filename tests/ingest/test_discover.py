"""An operator finds and tries feeds before they are in the registry."""

from datetime import UTC, datetime

import pytest

from blotter.config import FetchSettings
from blotter.errors import InputRejected
from blotter.ingest.discover import check_sources, find_feeds, read_opml
from blotter.sources import Feed, Source
from ingest.site import serve_site

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
HOST = "courier.example"
ENTRY = {"title": "Fire", "link": f"http://{HOST}/fire", "pubDate": "Sat, 09 Mar 2024 08:30:00 GMT"}


def settings(port: int) -> FetchSettings:
    return FetchSettings(resolve=(f"*.example=127.0.0.1:{port}",), host_spacing_s=0)


def test_sources_are_tried_and_told() -> None:
    with serve_site() as site:
        site.put_feed(HOST, "/good", [ENTRY])
        site.pages[f"{HOST}/page"] = b"<html><body>no feed</body></html>"
        feeds = tuple(Feed(url=f"http://{HOST}/{path}") for path in ("good", "page", "none"))
        sources = {"courier": Source(id="courier", name="Courier", feeds=feeds)}
        good, page, none = check_sources(sources, settings=settings(site.port), now=NOW)
    assert (good.outcome, good.n_entries, good.title) == ("ok", 1, HOST)
    assert good.newest_at == datetime(2024, 3, 9, 8, 30, tzinfo=UTC)
    assert (page.outcome, none.outcome) == ("unreadable", "not_found")


@pytest.mark.parametrize(
    ("page", "path"),
    [
        (b'<html><head><link rel="alternate" type="application/rss+xml" href="/news/feed">', "/news/feed"),
        (b"<html><head><title>A site that names no feed</title>", "/feed.xml"),
    ],
)
def test_the_feed_of_a_site_is_found(page: bytes, path: str) -> None:
    with serve_site() as site:
        site.pages[f"{HOST}/"] = page
        site.put_feed(HOST, path, [ENTRY])
        (found,) = find_feeds(f"http://{HOST}/", settings=settings(site.port), now=NOW)
    assert (found.url, found.outcome, found.n_entries) == (f"http://{HOST}{path}", "ok", 1)


def test_a_site_without_a_feed_is_told() -> None:
    with serve_site() as site:
        site.pages[f"{HOST}/"] = b"<html><body>Nothing.</body></html>"
        (found,) = find_feeds(f"http://{HOST}/", settings=settings(site.port), now=NOW)
    assert found.outcome == "unreadable"


def test_opml_is_read_in_its_order() -> None:
    opml = b"""<?xml version="1.0"?><opml version="2.0"><body><outline text="News">
    <outline type="rss" text="Courier" xmlUrl="https://courier.example/feed"/>
    <outline type="rss" title="Post" xmlUrl="https://post.example/feed"/>
    <outline type="rss" title="Again" xmlUrl="https://courier.example/feed"/><outline xmlUrl="javascript:x"/></outline>
    </body></opml>"""
    assert [(feed.title, feed.url) for feed in read_opml(opml)] == [
        ("Courier", "https://courier.example/feed"),
        ("Post", "https://post.example/feed"),
    ]


@pytest.mark.parametrize("payload", [b"", b"words", b"<opml>", b'<!DOCTYPE x [<!ENTITY a "b">]><opml>&a;</opml>'])
def test_what_is_no_opml_is_said(payload: bytes) -> None:
    with pytest.raises(InputRejected):
        read_opml(payload)
