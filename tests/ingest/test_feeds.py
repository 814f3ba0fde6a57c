"""Feeds as strangers write them: entries, or a reason why there are none."""

import json
from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from blotter.clean.dates import Moment
from blotter.errors import Reason
from blotter.ingest.feeds import FeedEntry, identify_entries, parse_feed, stamp_entry

AT = Moment(datetime(2024, 3, 9, 8, 30, tzinfo=UTC), "minute")


def make_entry(**given: object) -> FeedEntry:
    values: dict[str, object] = {
        "guid": "g1", "url": "https://courier.example/fire", "title": "Fire", "author": None, "published": AT,
        "updated": None, "content": None, "summary": "A fire.", "media": "text",
    }  # fmt: skip
    return FeedEntry(**{**values, **given})  # type: ignore[arg-type]


def make_rss(*items: str, head: str = "") -> bytes:
    listed = "".join(f"<item>{item}</item>" for item in items)
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Courier</title>{head}{listed}'
        "</channel></rss>"
    ).encode()


ITEM = (
    "<title>Warehouse &amp;amp; pier burn</title><link>https://courier.example/fire</link><guid>g1</guid>"
    "<dc:creator>Ines Okafor</dc:creator><pubDate>Sat, 09 Mar 2024 08:30:00 GMT</pubDate>"
    "<description>Short.</description>"
    "<content:encoded><![CDATA[<p>Long.</p>]]></content:encoded>"
)
ATOM = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Courier</title><entry>
<title type="html">Warehouse &amp;amp; pier &lt;b&gt;burn&lt;/b&gt;</title><id>g1</id><link href="fire"/>
<published>2024-03-09T08:30:00Z</published><updated>2024-03-09T10:00:00Z</updated>
<author><name>Ines Okafor</name></author>
<content type="html">&lt;p&gt;Long.&lt;/p&gt;</content></entry></feed>"""
RDF = b"""<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x">
<title>C</title></channel><item rdf:about="https://courier.example/fire"><title>Warehouse &amp; pier burn</title>
<link>https://courier.example/fire</link><dc:date>2024-03-09T08:30:00Z</dc:date><description>Short.</description></item></rdf:RDF>"""
JSON_FEED = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1", "title": "Courier",
        "items": [
            {"id": 7, "url": "/fire", "title": "Warehouse & pier burn", "content_html": "<p>Long.</p>",
             "date_published": "2024-03-09T08:30:00Z", "authors": [{"name": "Ines Okafor"}]},
            "no object", {"id": "8", "content_text": "Text only."},
        ],
    }
).encode()  # fmt: skip


@pytest.mark.parametrize("payload", [make_rss(ITEM), ATOM, RDF, JSON_FEED])
def test_kinds_of_feeds(payload: bytes) -> None:
    parsed = parse_feed(payload, "https://courier.example/feed")
    assert parsed.reason is None
    entry = parsed.entries[0]
    assert entry.url == "https://courier.example/fire"
    assert entry.title == "Warehouse & pier burn"
    assert entry.published == AT
    if payload is not RDF:
        assert (entry.author, entry.content, entry.media) == ("Ines Okafor", "<p>Long.</p>", "html")


def test_an_empty_feed_is_no_failure() -> None:
    parsed = parse_feed(make_rss(head="<ttl>60</ttl>"))
    assert (parsed.entries, parsed.reason, parsed.ttl_s) == ((), None, 3600.0)


BILLION_LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><rss version="2.0"><channel><item><title>&c;</title></item></channel></rss>"""
EXTERNAL = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/passwd">]>
<rss version="2.0"><channel><item><title>&file;</title></item></channel></rss>"""


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.EMPTY),
        (b" \n\t", Reason.EMPTY),
        (b"<!DOCTYPE html><html><body>no feed</body></html>", Reason.MALFORMED),
        (b"just words", Reason.MALFORMED),
        (b"\x00\x01\x02\xff" * 100, Reason.MALFORMED),
        (b"\x1f\x8b\x08\x00 a packed feed that nobody unpacked", Reason.MALFORMED),
        (b'{"items": 5}', Reason.MALFORMED),
        (b'{"broken', Reason.MALFORMED),
        (b"[" * 100_000, Reason.MALFORMED),
        (b'{"a":' * 100_000, Reason.MALFORMED),
        (b"<?xml version='1.0'?><note><to>you</to></note>", Reason.MALFORMED),
        (BILLION_LAUGHS, Reason.MALFORMED),
        (EXTERNAL, Reason.MALFORMED),
        (b"<rss", Reason.MALFORMED),
    ],
)
def test_what_is_no_feed_has_a_reason(payload: bytes, reason: Reason) -> None:
    parsed = parse_feed(payload)
    assert (parsed.entries, parsed.reason) == ((), reason)
    assert parsed.message


ILL_FORMED = {
    "unclosed title": make_rss("<title>Fire<link>https://courier.example/1</link>"),
    "unclosed item": b"<rss version='2.0'><channel><item><title>Fire</title><link>https://courier.example/1</link>",
    "bare ampersand": make_rss("<title>Fire & smoke</title><link>https://courier.example/1?a=1&b=2</link>"),
    "html entity": make_rss("<title>Caf&eacute; &nbsp; fire</title><link>https://courier.example/1</link>"),
    "junk before": b"\n\n  Warning: mysql_connect()\n" + make_rss("<title>Fire</title><link>https://courier.example/1</link>"),
    "junk after": make_rss("<title>Fire</title><link>https://courier.example/1</link>") + b"<script>track()</script>",
    "control characters": make_rss("<title>Fi\x08re\x0b</title><link>https://courier.example/1</link>"),
    "undeclared prefix": make_rss("<title>Fire</title><media:x/><link>https://courier.example/1</link>"),
    "wrong encoding": make_rss("<title>Caf\xe9 fire</title><link>https://courier.example/1</link>")
    .decode().encode("latin-1"),
    "doubled root": make_rss("<title>Fire</title><link>https://courier.example/1</link>") * 2,
    "attributes without quotes": b"<rss version=2.0><channel><item><title>Fire</title><link>https://courier.example/1</link></item></channel></rss>",
    "cdata left open": make_rss("<link>https://courier.example/1</link><title>Fire</title><description><![CDATA[open</description>"),
    "upper case": make_rss("<TITLE>Fire</TITLE><LINK>https://courier.example/1</LINK>"),
}  # fmt: skip


@pytest.mark.parametrize("payload", ILL_FORMED.values(), ids=ILL_FORMED.keys())
def test_ill_formed_feeds_keep_their_entries_or_say_why(payload: bytes) -> None:
    parsed = parse_feed(payload, "https://courier.example/feed")
    assert parsed.entries or parsed.reason is not None
    assert [entry.url for entry in parsed.entries[:1]] == ["https://courier.example/1"] or b"?a=1" in payload


def test_ten_thousand_entries() -> None:
    feed = make_rss(*(f"<title>Story {n}</title><link>https://courier.example/{n}</link>" for n in range(10_000)))
    parsed = parse_feed(feed)
    assert len(parsed.entries) == 10_000
    assert len({key for keys in identify_entries(parsed.entries) for key in keys}) == 10_000


_MARKUP = st.sampled_from(
    [
        "<rss version='2.0'>",
        "<channel>",
        "<item>",
        "</item>",
        "<title>",
        "</title>",
        "<link>",
        "</link>",
        "<guid>",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<?xml version='1.0' encoding='utf-16'?>",
        "&amp;",
        "&#0;",
        "&#xD800;",
        "&x;",
        "<entry>",
        "</entry>",
        "<feed xmlns='http://www.w3.org/2005/Atom'>",
        "<content type='xhtml'>",
        "<pubDate>",
        "é",
        "99 Foo 2099",
        "\x00",
        "http://",
        "<a:b xmlns:a='",
        "<updated>",
        "</updated>",
        "2024-03-09",
        "<georss:point>",
        "<content type='base64'>",
        "<enclosure url='",
        ">",
        "<:>",
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(b"<:><item><_ :=''>&#xD800;")
@example(b"<:><item><:>!")
@given(
    st.one_of(
        st.binary(max_size=400),
        st.lists(_MARKUP, max_size=30).map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass")),
        st.lists(_MARKUP, max_size=12).map(lambda parts: make_rss("".join(parts))),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=10),
            lambda inner: (
                st.dictionaries(st.sampled_from(["items", "id", "url", "title", "authors"]), inner)
                | st.lists(inner, max_size=3)
            ),
        ).map(lambda value: json.dumps({"items": value}).encode()),
    )
)
def test_any_bytes_give_entries_or_a_reason(payload: bytes) -> None:
    parsed = parse_feed(payload, "https://courier.example/feed", "text/html; charset=nonsense")
    assert parsed.reason is None or (not parsed.entries and parsed.message)
    assert len(identify_entries(parsed.entries)) == len(parsed.entries)
    for entry in parsed.entries:
        json.dumps([entry.title, entry.url, entry.guid]).encode()
        stamp_entry(entry)


_TITLES = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs", "Cc", "Cn", "Zs", "Zl"]), min_size=1, max_size=40)  # fmt: skip  # noqa: E501


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(_TITLES, st.integers(0, 10**9)), max_size=8, unique_by=lambda pair: pair[1]))
def test_well_formed_feeds_are_read_whole(stories: list[tuple[str, int]]) -> None:
    items = [f"<title>{escape(escape(title))}</title><link>https://courier.example/{n}</link>" for title, n in stories]
    parsed = parse_feed(make_rss(*items))
    assert [entry.url for entry in parsed.entries] == [f"https://courier.example/{n}" for _, n in stories]


def share_keys(*entries: FeedEntry) -> bool:
    """Whether entries that came in feeds of their own, one after the other, are the same entry."""
    first, second = (set(identify_entries([entry])[0]) for entry in entries)
    return bool(first & second)


@pytest.mark.parametrize(
    "changed",
    [
        {"title": "Fire, updated"},
        {"guid": "g2"},
        {"guid": None},
        {"url": "https://courier.example/fire?utm_source=rss", "guid": "g2"},
        {"url": "https://courier.example/fire-in-warehouse"},
        {"url": "https://courier.example/fire-in-warehouse", "title": "Fire in a warehouse"},
        {"published": Moment(datetime(2024, 3, 9, 9, tzinfo=UTC), "minute")},
        {"summary": "Another summary."},
    ],
)
def test_an_entry_stays_what_it_was(changed: dict[str, object]) -> None:
    assert share_keys(make_entry(), make_entry(**changed))


@pytest.mark.parametrize(
    "other",
    [
        {"url": "https://courier.example/storm", "guid": "g2", "title": "Storm"},
        # A guid that is used again, for another story at another time.
        {"url": "https://courier.example/storm", "title": "Storm", "published": AT._replace(at=AT.at.replace(day=10))},
        {"url": None, "guid": None, "title": "Storm"},
    ],
)  # fmt: skip
def test_another_entry_is_another(other: dict[str, object]) -> None:
    assert not share_keys(make_entry(), make_entry(**other))


def test_signals_that_a_feed_repeats_are_not_trusted() -> None:
    entries = [make_entry(guid="same", url="https://courier.example/", title=f"Story {n}") for n in range(5)]
    assert len({keys[0] for keys in identify_entries(entries)}) == 5


def test_the_stamp_moves_with_the_entry() -> None:
    entry = make_entry()
    assert stamp_entry(entry) == stamp_entry(make_entry())
    for change in ({"title": "X"}, {"summary": "X"}, {"updated": AT._replace(at=datetime(2024, 3, 10, tzinfo=UTC))}):
        assert stamp_entry(entry) != stamp_entry(make_entry(**change))
