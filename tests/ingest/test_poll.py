"""A poll brings every new entry once, whatever feeds do between polls and wherever it is killed."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from blotter.clean import clean_document
from blotter.config import FetchSettings
from blotter.errors import Reason
from blotter.ingest.feeds import ParsedFeed, parse_feed
from blotter.ingest.poll import MAX_NEW_ENTRIES, PART_ENTRIES, PolledFeed, divide_feeds, plan_feeds, poll_feeds
from blotter.ingest.schedule import follow_page
from blotter.model import Arrival, Rejection
from blotter.sources import Feed, Source
from blotter.store.feeds import FeedMemory
from blotter.store.inputs import InputLedger
from blotter.store.state import open_state
from ingest.site import Site, serve_site
from ingest.test_feeds import ILL_FORMED

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
HOST = "courier.example"


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as serving:
        yield serving


@pytest.fixture
def memory(tmp_path: Path) -> FeedMemory:
    return FeedMemory(open_state(str(tmp_path / "state.db")))


def make_sources(*urls: str, **given: object) -> dict[str, Source]:
    feeds = tuple(Feed(url=url) for url in urls or (f"http://{HOST}/feed",))
    return {"courier": Source.model_validate({"id": "courier", "name": "Courier", "feeds": feeds, **given})}


def make_settings(site: Site) -> FetchSettings:
    return FetchSettings(resolve=(f"*.example=127.0.0.1:{site.port}",), host_spacing_s=0, read_timeout_s=5)


def poll(
    site: Site,
    memory: FeedMemory,
    *,
    now: datetime = NOW,
    sources: Mapping[str, Source] | None = None,
    forced: bool = True,
) -> list[PolledFeed]:
    parts = []
    for part in poll_feeds(
        sources or make_sources(), memory=memory, settings=make_settings(site), now=now, is_forced=forced
    ):
        part.commit()
        parts.append(part)
    return parts


def arrivals(parts: list[PolledFeed]) -> list[Arrival | Rejection]:
    return [arrived for part in parts for arrived in part.arrivals]


def titles(parts: list[PolledFeed]) -> list[str]:
    found = [one for one in arrivals(parts) if isinstance(one, Arrival)]
    return [clean_document(one.document, one.payload).title for one in found]


def make_entry(name: str, **given: str) -> dict[str, str]:
    return {"title": f"{name} Street", "link": f"http://{HOST}/{name}", "guid": name, **given}


def put_stories(site: Site, *names: str, host: str = HOST) -> None:
    for name in names:
        site.put_story(host, f"/{name}", f"{name} Street")
    site.put_feed(host, "/feed", [make_entry(name) for name in reversed(names)])


def test_new_entries_arrive_once_with_their_pages(site: Site, memory: FeedMemory) -> None:
    put_stories(site, "Dock", "Mill")
    first = poll(site, memory)
    assert titles(first) == ["Dock Street", "Mill Street"]
    document = arrivals(first)[0].document  # type: ignore[union-attr]
    assert (document.kind, document.source_id, document.location) == ("entry", "courier", f"http://{HOST}/Dock")
    assert not document.is_partial
    assert [row["outcome"] for part in first for row in part.fetch_rows] == ["ok"] * 3
    put_stories(site, "Dock", "Mill", "Pine")
    assert titles(poll(site, memory)) == ["Pine Street"]
    assert site.count(f"{HOST}/Dock") == 1


def test_an_unchanged_feed_costs_one_request(site: Site, memory: FeedMemory) -> None:
    put_stories(site, "Dock")
    poll(site, memory)
    (part,) = poll(site, memory, now=NOW + timedelta(hours=1))
    assert (part.outcome, part.arrivals, part.is_last) == ("not_modified", (), True)


def test_edited_headlines_guids_and_tracking_bring_nothing(site: Site, memory: FeedMemory) -> None:
    put_stories(site, "Dock")
    poll(site, memory)
    for change in (
        {"guid": "other"},
        {"link": f"http://{HOST}/Dock?utm_source=rss"},
        {"link": f"http://{HOST}/Dock-moved", "guid": "Dock"},
    ):
        site.put_feed(HOST, "/feed", [make_entry("Dock", **change)])
        assert arrivals(poll(site, memory)) == []


def test_an_entry_that_the_feed_changes_is_fetched_again_but_not_for_ever(site: Site, memory: FeedMemory) -> None:
    put_stories(site, "Dock")
    ids = {arrivals(poll(site, memory))[0].document.input_id}  # type: ignore[union-attr]
    for n in range(8):
        site.put_story(HOST, "/Dock", "Dock Street", text=f"Update {n}.")
        site.put_feed(HOST, "/feed", [make_entry("Dock", description=f"Update {n}.")])
        ids |= {arrived.document.input_id for arrived in arrivals(poll(site, memory))}  # type: ignore[union-attr]
    assert len(ids) == site.count(f"{HOST}/Dock") == 5


@pytest.mark.parametrize(
    ("status", "reason", "is_refused", "n_polls"),
    [(404, Reason.GONE, True, 1), (403, Reason.BOT_CHALLENGE, True, 1), (500, Reason.FETCH_FAILED, False, 3)],
)
def test_a_page_that_cannot_be_had(
    site: Site, memory: FeedMemory, status: int, reason: Reason, is_refused: bool, n_polls: int
) -> None:
    put_stories(site, "Dock")
    site.pages[f"{HOST}/Dock"] = status
    found = [arrivals(poll(site, memory)) for _ in range(4)]
    assert [len(one) for one in found] == [int(n + 1 == n_polls) for n in range(4)]
    (rejection,) = found[n_polls - 1]
    assert isinstance(rejection, Rejection)
    assert (rejection.reason, rejection.is_refused) == (reason, is_refused)


def test_a_page_that_comes_back_is_not_lost_to_a_304(site: Site, memory: FeedMemory) -> None:
    put_stories(site, "Dock")
    page = site.pages[f"{HOST}/Dock"]
    site.pages[f"{HOST}/Dock"] = 503
    assert arrivals(poll(site, memory)) == []
    site.pages[f"{HOST}/Dock"] = page
    assert titles(poll(site, memory, now=NOW + timedelta(hours=1))) == ["Dock Street"]


def test_the_feeds_own_content_stands_in_and_says_so(site: Site, memory: FeedMemory) -> None:
    site.put_feed(HOST, "/feed", [make_entry("Dock", description="It burned. &lt;b&gt;All of it.&lt;/b&gt;")])
    (arrived,) = arrivals(poll(site, memory))
    assert isinstance(arrived, Arrival)
    assert arrived.document.is_partial
    assert clean_document(arrived.document, arrived.payload).text == "Dock Street\n\nIt burned. All of it."


def test_sources_whose_pages_are_not_asked_for(site: Site, memory: FeedMemory) -> None:
    put_stories(site, "Dock")
    site.put_feed(HOST, "/feed", [make_entry("Dock", description="It burned.")])
    poll(site, memory, sources=make_sources(fetch_pages=False))
    assert site.asked == [f"{HOST}/feed"]


def test_a_feed_that_is_no_feed_backs_off_and_says_so(site: Site, memory: FeedMemory) -> None:
    site.pages[f"{HOST}/feed"] = b"<!doctype html><html><body>We have moved.</body></html>"
    (part,) = poll(site, memory)
    assert part.fetch_rows[0]["outcome"] == "unreadable_malformed"
    assert part.warning is not None
    assert memory.load_cursors()[f"http://{HOST}/feed"].n_failures == 1


def test_gone_pauses_a_feed_until_it_is_resumed(site: Site, memory: FeedMemory) -> None:
    site.pages[f"{HOST}/feed"] = 410
    (part,) = poll(site, memory)
    assert part.warning is not None
    assert poll(site, memory, now=NOW + timedelta(days=30)) == []
    assert memory.resume_feed(f"http://{HOST}/feed")
    assert len(poll(site, memory, now=NOW + timedelta(days=30), forced=False)) == 1


def test_a_move_for_good_is_adopted_after_repeats(site: Site, memory: FeedMemory) -> None:
    put_stories(site, "Dock")
    site.pages[f"{HOST}/new"] = site.pages[f"{HOST}/feed"]
    site.pages[f"{HOST}/feed"] = 301
    site.headers[f"{HOST}/feed"] = {"Location": "/new"}
    for _ in range(5):
        poll(site, memory)
    assert (site.count(f"{HOST}/feed"), site.count(f"{HOST}/new")) == (3, 5)


def test_retry_after_outlives_the_run(site: Site, memory: FeedMemory) -> None:
    put_stories(site, "Dock")
    site.pages[f"{HOST}/feed"] = 429
    site.headers[f"{HOST}/feed"] = {"Retry-After": "3600"}
    poll(site, memory)
    put_stories(site, "Dock")
    (part,) = poll(site, memory, now=NOW + timedelta(minutes=30))
    assert part.outcome == "host_paused"
    assert site.asked == [f"{HOST}/feed"]
    assert titles(poll(site, memory, now=NOW + timedelta(minutes=61))) == ["Dock Street"]


def test_feeds_are_asked_when_due(site: Site, memory: FeedMemory) -> None:
    put_stories(site, "Dock")
    assert poll(site, memory, forced=False)
    assert poll(site, memory, now=NOW + timedelta(minutes=1), forced=False) == []
    assert poll(site, memory, now=NOW + timedelta(hours=1), forced=False)


def test_a_followed_page_arrives_again_only_if_it_changed(site: Site, memory: FeedMemory) -> None:
    put_stories(site, "Dock")
    poll(site, memory)
    memory.follow_pages([follow_page(f"http://{HOST}/Dock", "courier", first_seen_at=NOW)])
    later = NOW + timedelta(hours=2)
    first = arrivals(poll(site, memory, now=later))
    site.put_story(HOST, "/Dock", "Dock Street", text="One man was hurt after all.")
    changed = arrivals(poll(site, memory, now=later + timedelta(hours=6)))
    same = arrivals(poll(site, memory, now=later + timedelta(hours=20)))
    assert [len(one) for one in (first, changed, same)] == [1, 1, 0]
    assert first[0].document.input_id != changed[0].document.input_id  # type: ignore[union-attr]
    for days in (2, 4, 8, 30, 60):
        poll(site, memory, now=NOW + timedelta(days=days))
    assert memory.due_pages(NOW + timedelta(days=365)) == []


def test_a_followed_page_that_its_feed_leads_to_again_is_asked_for_once(site: Site, memory: FeedMemory) -> None:
    put_stories(site, "Dock")
    poll(site, memory)
    memory.follow_pages([follow_page(f"http://{HOST}/Dock", "courier", first_seen_at=NOW)])
    site.put_feed(HOST, "/feed", [make_entry("Dock", description="One man was hurt after all.")])
    arrived = arrivals(poll(site, memory, now=NOW + timedelta(hours=2)))
    assert [len(arrived), site.count(f"{HOST}/Dock")] == [1, 2]
    [page] = memory.due_pages(NOW + timedelta(days=365))
    assert (page.n_visits, page.next_due_at) == (2, NOW + timedelta(hours=4))


def test_hosts_take_turns(memory: FeedMemory) -> None:
    sources = make_sources(*(f"http://{host}.example/{n}" for host in ("a", "b", "c") for n in range(3)))
    planned = [cursor.url.split("/")[2] for _, cursor in plan_feeds(sources, {}, now=NOW)]
    assert planned == ["a.example", "b.example", "c.example"] * 3


def test_the_deadline_leaves_the_rest_due(site: Site, memory: FeedMemory) -> None:
    put_stories(site, *(f"N{n}" for n in range(PART_ENTRIES * 3)))
    settings = make_settings(site).model_copy(update={"deadline_s": 0})
    polled = poll_feeds(make_sources(), memory=memory, settings=settings, now=NOW)
    assert list(polled) == []
    assert titles(poll(site, memory)) == [f"N{n} Street" for n in range(PART_ENTRIES * 3)]


def test_a_caller_that_stops_leaves_the_rest(site: Site, memory: FeedMemory) -> None:
    put_stories(site, *(f"N{n}" for n in range(PART_ENTRIES * 3)))
    polled = poll_feeds(make_sources(), memory=memory, settings=make_settings(site), now=NOW)
    first = next(polled)
    first.commit()
    polled.close()  # type: ignore[attr-defined]
    assert len(titles(poll(site, memory))) == PART_ENTRIES * 2


def test_a_defect_on_one_feed_lets_the_others_go_on(
    site: Site, memory: FeedMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_stories(site, "Dock")
    site.pages[f"{HOST}/cursed"] = b"<rss>cursed</rss>"

    def parse(payload: bytes, *given: str | None) -> ParsedFeed:
        if b"cursed" in payload:
            raise ZeroDivisionError("a defect of ours")
        return parse_feed(payload, *given)

    monkeypatch.setattr("blotter.ingest.poll.parse_feed", parse)
    sources = make_sources(f"http://{HOST}/cursed", f"http://{HOST}/feed")
    parts: list[PolledFeed] = []
    with pytest.raises(ExceptionGroup) as raised:
        parts.extend(poll_feeds(sources, memory=memory, settings=make_settings(site), now=NOW))
    assert titles(parts) == ["Dock Street"]
    assert f"http://{HOST}/cursed" in raised.value.exceptions[0].__notes__[0]


KILLED = """
import os, sys
from datetime import UTC, datetime
from ingest.test_poll import NOW, make_sources
from blotter.config import FetchSettings
from blotter.ingest.feeds import ParsedFeed, parse_feed
from blotter.ingest.poll import poll_feeds
from blotter.model import Arrival
from blotter.store.feeds import FeedMemory
from blotter.store.inputs import InputLedger
from blotter.store.state import open_state

state, port, left = sys.argv[1], sys.argv[2], int(sys.argv[3])
engine = open_state(state)
settings = FetchSettings(resolve=(f"*.example=127.0.0.1:{port}",), host_spacing_s=0)

def step():
    global left
    left -= 1
    if left == 0:
        os._exit(9)

step()
for part in poll_feeds(make_sources(), memory=FeedMemory(engine), settings=settings, now=NOW, is_forced=True):
    step()
    InputLedger(engine).register([one.document for one in part.arrivals if isinstance(one, Arrival)])
    step()
    part.commit()
    step()
"""


def test_killed_anywhere_no_entry_is_lost_and_none_is_doubled(site: Site, tmp_path: Path, is_heavy: bool) -> None:
    names = [f"N{n}" for n in range(PART_ENTRIES * 2 + 3)]
    put_stories(site, *names)
    state = str(tmp_path / "state.db")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}
    for left in range(2, 11) if is_heavy else (4, 6):
        # Every page reads differently each time it is asked for: the same input all the same.
        for name in names:
            site.put_story(HOST, f"/{name}", f"{name} Street", text=f"Asked for the {left}. time.")
        command = [sys.executable, "-c", KILLED, state, str(site.port), str(left)]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode in (0, 9), ended.stderr
    subprocess.run([sys.executable, "-c", KILLED, state, str(site.port), "0"], env=environment, check=True, timeout=60)
    pending = [document.location for document in InputLedger(open_state(state)).pending()]
    assert sorted(pending) == sorted(f"http://{HOST}/{name}" for name in names)


def outcomes(parts: list[PolledFeed]) -> list[str]:
    return [row["outcome"] for part in parts for row in part.fetch_rows if row["url"].endswith("/feed")]


@pytest.mark.parametrize("name", ILL_FORMED)
def test_ill_formed_xml_has_its_outcome_and_its_entry(name: str, site: Site, memory: FeedMemory) -> None:
    site.pages[f"{HOST}/feed"] = ILL_FORMED[name]
    site.put_story("post.example", "/Dock", "Dock Street")
    site.put_feed("post.example", "/feed", [{"title": "Dock", "link": "http://post.example/Dock"}])
    settings = make_sources(f"http://{HOST}/feed", "http://post.example/feed", fetch_pages=True)
    parts = poll(site, memory, sources=settings)
    assert sorted(outcomes(parts)) == ["ok", "ok"]
    assert "Dock Street" in titles([part for part in parts if part.url.startswith("http://post")])


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"", "unreadable_empty"),
        (b"<!doctype html><title>We moved</title>", "unreadable_malformed"),
        (b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><rss><channel><item><title>&a;", "unreadable_malformed"),
        (b"{]", "unreadable_malformed"),
        (b"\x1f\x8b\x08 packed, and nobody said so", "unreadable_malformed"),
        (b"<rss version='2.0'><channel></channel></rss>", "ok"),
    ],
)
def test_what_is_no_feed_has_its_outcome(body: bytes, outcome: str, site: Site, memory: FeedMemory) -> None:
    site.pages[f"{HOST}/feed"] = body
    (part,) = poll(site, memory)
    assert outcomes([part]) == [outcome]
    assert (part.fetch_rows[0]["warning"] is None) is (outcome == "ok")


def test_the_wrong_charset_is_seen_through(site: Site, memory: FeedMemory) -> None:
    site.put_feed(HOST, "/feed", [make_entry("Caf\u00e9", description="Verg\u00fctung")])
    site.pages[f"{HOST}/feed"] = site.pages[f"{HOST}/feed"].decode().encode("cp1252")  # type: ignore[union-attr]
    site.headers[f"{HOST}/feed"] = {"Content-Type": "application/rss+xml; charset=utf-8"}
    (arrived,) = arrivals(poll(site, memory))
    assert isinstance(arrived, Arrival)
    assert arrived.document.title == "Caf\u00e9 Street"


def test_ten_thousand_entries_come_in_parts_over_several_polls(site: Site, memory: FeedMemory) -> None:
    entries = [make_entry(f"N{n}", description="It burned.") for n in range(10_000)]
    site.put_feed(HOST, "/feed", entries)
    sources = make_sources(fetch_pages=False)
    first = poll(site, memory, sources=sources)
    assert len(arrivals(first)) == MAX_NEW_ENTRIES
    assert "9000 entries are left" in (first[-1].warning or "")
    assert max(len(part.arrivals) for part in first) <= PART_ENTRIES
    second = poll(site, memory, sources=sources, now=NOW + timedelta(minutes=6), forced=False)
    ids = [one.document.input_id for one in arrivals(first + second) if isinstance(one, Arrival)]
    assert len(set(ids)) == len(ids) == 2 * MAX_NEW_ENTRIES


def test_a_feed_that_answers_304_for_ever_is_seen_through_within_a_day(site: Site, memory: FeedMemory) -> None:
    put_stories(site, "Dock")
    poll(site, memory)
    put_stories(site, "Dock", "Mill")
    site.lies.add(f"{HOST}/feed")
    found: list[str] = []
    told: list[str] = []
    for hour in range(1, 30):
        parts = poll(site, memory, now=NOW + timedelta(hours=hour))
        found += titles(parts)
        told += outcomes(parts)
    assert found == ["Mill Street"]
    assert set(told) == {"not_modified", "ok"} and told.count("ok") <= 2


def test_waiting_for_one_host_is_bounded_and_what_has_no_turn_stays_due(
    site: Site, memory: FeedMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that wants a minute between requests costs the others nothing, and the slot no sleep."""
    monkeypatch.setattr("blotter.ingest.fetch.MAX_IDLE_S", 0.5)
    site.pages["slow.example/robots.txt"] = b"User-agent: *\nCrawl-delay: 50\n"
    put_stories(site, "Dock")
    site.put_feed("slow.example", "/feed", [])
    sources = make_sources("http://slow.example/feed", f"http://{HOST}/feed")
    started = time.monotonic()
    parts = poll(site, memory, sources=sources)
    assert time.monotonic() - started < 10
    assert titles(parts) == ["Dock Street"]
    assert {part.url for part in parts} == {f"http://{HOST}/feed"}, "the other was not asked and stays as it was"
    due = [cursor.url for _, cursor in plan_feeds(sources, memory.load_cursors(sources), now=NOW)]
    assert due == ["http://slow.example/feed"]


def test_parts_divide_no_site_and_leave_out_nothing() -> None:
    urls = [
        f"http://{sub}.outlet{n}.example/{feed}" for n in range(40) for sub in ("www", "feeds") for feed in range(3)
    ]
    planned = plan_feeds(make_sources(*urls), {}, now=NOW)
    parts = divide_feeds(planned, feeds_per_task=30)
    held = [[cursor.url for _, cursor in planned if part.holds(cursor.url)] for part in parts]
    assert sorted(url for urls_ in held for url in urls_) == sorted(urls)
    sites = [{url.split("/")[2].partition(".")[2] for url in urls_} for urls_ in held]
    assert sum(map(len, sites)) == len(set().union(*sites)) == 40
    assert 4 <= len(parts) <= 8 and all(held)
    assert divide_feeds([], feeds_per_task=30) == []


def test_turns_are_taken_among_all_processes(memory: FeedMemory) -> None:
    waits = [memory.take_turn("courier.example:80", NOW, 2.0) for _ in range(3)]
    assert waits == [0.0, 2.0, 4.0]
    assert memory.take_turn("other.example:80", NOW, 2.0) == 0.0
    assert memory.take_turn("courier.example:80", NOW + timedelta(seconds=60), 2.0) == 0.0


def test_a_pause_costs_an_entry_no_try(site: Site, memory: FeedMemory) -> None:
    put_stories(site, "Dock")
    page = site.pages["other.example/Dock"] = site.pages[f"{HOST}/Dock"]
    site.put_feed(HOST, "/feed", [make_entry("Dock", link="http://other.example/Dock")])
    site.pages["other.example/Dock"] = 429
    site.headers["other.example/Dock"] = {"Retry-After": "7200"}
    for minutes in range(0, 120, 10):
        assert arrivals(poll(site, memory, now=NOW + timedelta(minutes=minutes))) == []
    site.pages["other.example/Dock"], site.headers["other.example/Dock"] = page, {}
    assert titles(poll(site, memory, now=NOW + timedelta(minutes=121))) == ["Dock Street"]
    assert site.count("other.example/Dock") == 2


def test_a_piece_never_replaces_a_page_that_was_had(site: Site, memory: FeedMemory) -> None:
    put_stories(site, "Dock")
    assert titles(poll(site, memory)) == ["Dock Street"]
    site.put_feed(HOST, "/feed", [make_entry("Dock", description="It burned. Subscribe to read on.")])
    site.pages[f"{HOST}/Dock"] = 403
    (refused,) = arrivals(poll(site, memory))
    assert isinstance(refused, Rejection) and refused.reason is Reason.BOT_CHALLENGE
