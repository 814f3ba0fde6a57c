"""Whatever a server does, a request ends in time, in bounds, and under a name: the table of docs/fetching.md."""

import asyncio
import re
import resource
import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp.resolver import ThreadedResolver

from blotter.config import FetchSettings
from blotter.ingest.addresses import is_public
from blotter.ingest.fetch import Fetched, Fetcher, Outcome, follow_redirect
from blotter.store.feeds import HostState
from ingest.hostile import ANSWERS, FEED, Answer, Hostile, plain, serve_hostile

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
REPOSITORY = Path(__file__).parents[2]


def make_settings(port: int, **given: object) -> FetchSettings:
    values: dict[str, object] = {
        "resolve": (f"*.example=127.0.0.1:{port}",),
        "host_spacing_s": 0,
        "connect_timeout_s": 2,
        "read_timeout_s": 0.5,
        "total_timeout_s": 1.5,
        "max_wire_bytes": 3_000_000,
        "max_decoded_bytes": 25_000_000,
    }
    return FetchSettings.model_validate({**values, **given})


def fetch_hostile(*paths: str, host: str = "courier.example", **given: object) -> list[Fetched]:
    async def fetch() -> list[Fetched]:
        async with serve_hostile() as hostile, Fetcher(make_settings(hostile.port, **given), now=NOW) as fetcher:
            return [await fetcher.fetch_page(f"http://{host}{path}") for path in paths]

    return asyncio.run(fetch())


# The table of docs/fetching.md; `test_the_page_is_this_table` holds them together.
TABLE = {
    "/feed": Outcome.OK,
    "/gzip": Outcome.OK,
    "/gzip-members": Outcome.OK,
    "/deflate": Outcome.OK,
    "/deflate-raw": Outcome.OK,
    "/brotli": Outcome.OK,
    "/twice-packed": Outcome.OK,
    "/moved": Outcome.OK,
    "/moved-for-now": Outcome.OK,
    "/gzip-bomb": Outcome.BOMB,
    "/brotli-bomb": Outcome.BOMB,
    "/bomb-in-bomb": Outcome.BOMB,
    "/not-gzip": Outcome.BAD_ENCODING,
    "/unknown-coding": Outcome.BAD_ENCODING,
    "/many-codings": Outcome.BAD_ENCODING,
    "/cut-gzip": Outcome.TRUNCATED,
    "/cut": Outcome.TRUNCATED,
    "/drip": Outcome.TOTAL_TIMEOUT,
    "/stall": Outcome.READ_TIMEOUT,
    "/silence": Outcome.READ_TIMEOUT,
    "/endless": Outcome.TOO_LARGE,
    "/endless-headers": Outcome.BAD_RESPONSE,
    "/bare-chunk": Outcome.BAD_RESPONSE,
    "/noise": Outcome.BAD_RESPONSE,
    "/nothing": Outcome.BAD_RESPONSE,
    "/404": Outcome.NOT_FOUND,
    "/410": Outcome.GONE,
    "/403": Outcome.FORBIDDEN,
    "/418": Outcome.CLIENT_ERROR,
    "/500": Outcome.SERVER_ERROR,
    "/429": Outcome.RATE_LIMITED,
    "/503-date": Outcome.SERVER_ERROR,
    "/loop": Outcome.REDIRECT_LOOP,
    "/loop-a": Outcome.REDIRECT_LOOP,
    "/hop-0": Outcome.TOO_MANY_REDIRECTS,
    "/to-nowhere": Outcome.BAD_REDIRECT,
    "/to-file": Outcome.BAD_REDIRECT,
    "/to-script": Outcome.BAD_REDIRECT,
    "/to-loopback": Outcome.PRIVATE_ADDRESS,
    "/to-loopback-v6": Outcome.PRIVATE_ADDRESS,
    "/to-mapped": Outcome.PRIVATE_ADDRESS,
    "/to-metadata": Outcome.PRIVATE_ADDRESS,
    "/to-private": Outcome.PRIVATE_ADDRESS,
    "/forbidden": Outcome.ROBOTS,
}


@pytest.mark.parametrize(("path", "outcome"), TABLE.items())
def test_every_misbehaviour_has_its_outcome(path: str, outcome: Outcome) -> None:
    started = time.monotonic()
    (fetched,) = fetch_hostile(path)
    assert fetched.outcome is outcome, fetched.message
    assert (fetched.body == FEED) is (outcome is Outcome.OK)
    assert time.monotonic() - started < 5
    assert fetched.elapsed_s is None or fetched.elapsed_s < 3


def test_an_address_in_disguise_is_not_connected_to() -> None:
    # Whether the system reads 2130706433 as 127.0.0.1 or as no name: never a connection.
    (fetched,) = fetch_hostile("/to-decimal")
    assert fetched.outcome in (Outcome.PRIVATE_ADDRESS, Outcome.DNS_FAILED, Outcome.CONNECT_FAILED, Outcome.BAD_URL)
    assert fetched.body is None


def test_the_others_go_on_in_bounded_time_and_memory() -> None:
    async def fetch_together() -> tuple[list[Fetched], float]:
        async with serve_hostile() as hostile:
            settings = make_settings(hostile.port, host_concurrency=16, concurrency=64)
            async with Fetcher(settings, now=NOW) as fetcher:
                started = time.monotonic()
                bad = [fetcher.fetch_page(f"http://bad{n}.example{path}") for n, path in enumerate(TABLE)]
                good = [fetcher.fetch_page(f"http://good{n}.example/feed") for n in range(40)]
                return await asyncio.gather(*bad, *good), time.monotonic() - started

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fetched, elapsed_s = asyncio.run(fetch_together())
    grown_bytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert [one.outcome for one in fetched] == [*TABLE.values(), *[Outcome.OK] * 40]
    assert elapsed_s < 20
    assert grown_bytes < 300_000_000


def test_a_name_that_turns_private_when_connected_to_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that tells a check one thing and the connection another gets nowhere: only the latter is judged."""
    answers = iter(["93.184.216.34", "127.0.0.1"])

    async def resolve(self: object, host: str, port: int = 0, family: int = 0) -> list[dict[str, object]]:
        address = next(answers)
        return [{"hostname": host, "host": address, "port": port, "family": socket.AF_INET, "proto": 6, "flags": 0}]

    monkeypatch.setattr(ThreadedResolver, "resolve", resolve)

    async def fetch() -> Fetched:
        async with serve_hostile() as hostile:
            settings = make_settings(hostile.port, resolve=())
            known = HostState(host=f"rebind.test:{hostile.port}", robots="", robots_at=NOW)
            async with Fetcher(settings, now=NOW, load_host={known.host: known}.get) as fetcher:
                next(answers)  # what a check before the connection would have been told
                fetched = await fetcher.fetch_page(f"http://rebind.test:{hostile.port}/feed")
                assert hostile.asked == []
                return fetched

    assert asyncio.run(fetch()).outcome is Outcome.PRIVATE_ADDRESS


def test_open_hosts_open_a_host_and_no_other() -> None:
    async def fetch() -> list[Outcome]:
        async with serve_hostile() as hostile:
            settings = make_settings(hostile.port, resolve=(), open_hosts=(f"127.0.0.1:{hostile.port}",))
            async with Fetcher(settings, now=NOW) as fetcher:
                urls = [f"http://127.0.0.1:{hostile.port}/feed", f"http://localhost:{hostile.port}/feed"]
                return [(await fetcher.fetch_page(url)).outcome for url in urls]

    assert asyncio.run(fetch()) == [Outcome.OK, Outcome.PRIVATE_ADDRESS]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("198.18.0.1", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("fd00:ec2::254", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True),
        ("2002:7f00:1::", False),
        ("not an address", False),
    ],
)
def test_public_addresses(address: str, expected: bool) -> None:
    assert is_public(address) is expected


def test_the_page_is_this_table() -> None:
    page = (REPOSITORY / "docs" / "fetching.md").read_text()
    for path, outcome in TABLE.items():
        assert re.search(rf"^\|.*`{re.escape(path)}`.*\| `{outcome}` \|", page, re.MULTILINE), path


def test_nothing_but_http_is_asked() -> None:
    async def fetch() -> set[Outcome]:
        async with Fetcher(make_settings(1), now=NOW) as fetcher:
            urls = (
                "file:///etc/passwd",
                "ftp://a.example/",
                "//a.example",
                "",
                "http://",
                "http://[::1",
                "http://a b/",
            )
            return {(await fetcher.fetch_page(url)).outcome for url in urls}

    assert asyncio.run(fetch()) == {Outcome.BAD_URL}


def test_dns_and_connection_failures() -> None:
    async def fetch() -> list[Outcome]:
        settings = make_settings(1, resolve=("shut.example=127.0.0.1:1",))
        robots = {
            f"{name}:80": HostState(host=f"{name}:80", robots="", robots_at=NOW)
            for name in ("shut.example", "no.invalid")
        }
        async with Fetcher(settings, now=NOW, load_host=robots.get) as fetcher:
            return [(await fetcher.fetch_page(f"http://{name}/")).outcome for name in ("shut.example", "no.invalid")]

    assert asyncio.run(fetch()) == [Outcome.CONNECT_FAILED, Outcome.DNS_FAILED]


def test_tls_is_verified_and_never_left(tmp_path: Path, make_certificate: Callable[[], tuple[Path, Path]]) -> None:
    certificate, key = make_certificate()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def fetch() -> tuple[Fetched, list[tuple[str, dict[str, str]]]]:
        async with serve_hostile(ssl=context) as hostile:
            state = HostState(host="courier.example:443", robots="", robots_at=NOW)
            async with Fetcher(make_settings(hostile.port), now=NOW, load_host={state.host: state}.get) as fetcher:
                return await fetcher.fetch_page("https://courier.example/feed"), hostile.asked

    fetched, asked = asyncio.run(fetch())
    assert fetched.outcome is Outcome.TLS_FAILED
    assert asked == []


def test_https_is_never_left_for_http() -> None:
    assert (
        follow_redirect("https://a.example/x", "http://a.example/y", ["https://a.example/x"], 5)[1]
        is Outcome.REDIRECT_DOWNGRADE
    )
    assert follow_redirect("http://a.example/x", "https://a.example/y", ["http://a.example/x"], 5)[1] is None


def test_a_permanent_move_is_told_and_a_passing_one_is_not() -> None:
    moved, for_now = fetch_hostile("/moved", "/moved-for-now")
    assert (moved.moved_to, moved.final_url) == ("http://courier.example/feed",) * 2
    assert (for_now.moved_to, for_now.final_url) == (None, "http://courier.example/feed")


def test_conditions_are_sent_and_304_is_an_answer() -> None:
    async def fetch() -> tuple[list[Fetched], dict[str, str]]:
        async with serve_hostile() as hostile, Fetcher(make_settings(hostile.port), now=NOW) as fetcher:
            first = await fetcher.fetch_feed("http://courier.example/unchanged")
            again = await fetcher.fetch_feed("http://courier.example/unchanged", etag=first.etag, last_modified="then")
            return [first, again], hostile.asked[-1][1]

    (first, again), headers = asyncio.run(fetch())
    assert (first.outcome, again.outcome, again.status) == (Outcome.OK, Outcome.NOT_MODIFIED, 304)
    assert (headers["if-none-match"], headers["if-modified-since"]) == ('"for-ever"', "then")
    assert headers["user-agent"].startswith("blotter/")
    assert "cookie" not in headers


@pytest.mark.parametrize(("path", "pause_s"), [("/429", 7.0), ("/503-date", 120.0), ("/429-silly", 86_400.0)])
def test_retry_after_pauses_the_host_and_no_other(path: str, pause_s: float) -> None:
    answers = {**ANSWERS, "/429-silly": plain(b"", "429 Too Many Requests", Retry_After="999999999")}

    async def fetch() -> tuple[list[Fetched], list[str], dict[str, HostState]]:
        async with serve_hostile(answers) as hostile, Fetcher(make_settings(hostile.port), now=NOW) as fetcher:
            urls = (f"http://busy.example{path}", "http://busy.example/feed", "http://other.example/feed")
            fetched = [await fetcher.fetch_page(url) for url in urls]
            return fetched, hostile.paths(), {state.host: state for state in fetcher.take_changed_hosts()}

    (first, second, other), paths, hosts = asyncio.run(fetch())
    assert first.retry_after_s == pytest.approx(pause_s, abs=5)
    assert (second.outcome, other.outcome) == (Outcome.HOST_PAUSED, Outcome.OK)
    assert paths == [path, "/feed"]
    until = hosts["busy.example:80"].paused_until
    assert until is not None
    assert until - NOW == pytest.approx(timedelta(seconds=pause_s), abs=timedelta(seconds=5))


@pytest.mark.parametrize(
    ("robots", "outcome"),
    [
        (plain(b"User-agent: blotter\nDisallow: /"), Outcome.ROBOTS),
        (plain(b"User-agent: *\nDisallow: /f*d$"), Outcome.ROBOTS),
        (plain(b"User-agent: other\nDisallow: /"), Outcome.OK),
        (plain(b"\xff\xfe garbage \x00"), Outcome.OK),
        (plain(b"", "404 Not Found"), Outcome.OK),
        (plain(b"", "403 Forbidden"), Outcome.OK),
        (plain(b"", "500 Internal Server Error"), Outcome.ROBOTS_UNREACHABLE),
        (ANSWERS["/stall"], Outcome.ROBOTS_UNREACHABLE),
        (ANSWERS["/nothing"], Outcome.ROBOTS_UNREACHABLE),
        (plain(b"User-agent: *\nDisallow: /", Content_Encoding="gzip"), Outcome.ROBOTS_UNREACHABLE),
    ],
)
def test_robots(robots: Answer, outcome: Outcome) -> None:
    async def fetch() -> tuple[list[Outcome], int]:
        answers: dict[str, Answer] = {**ANSWERS, "/robots.txt": robots}
        async with serve_hostile(answers) as hostile, Fetcher(make_settings(hostile.port), now=NOW) as fetcher:
            fetched = await asyncio.gather(*(fetcher.fetch_page("http://courier.example/feed") for _ in range(3)))
            return [one.outcome for one in fetched], len(hostile.asked) - len(hostile.paths())

    outcomes, n_asked = asyncio.run(fetch())
    assert outcomes == [outcome] * 3
    assert n_asked <= 2  # the client repeats a request once whose connection was closed without a word


def test_slots_and_spacing_of_a_host() -> None:
    async def slow(writer: asyncio.StreamWriter, asked: dict[str, str]) -> None:
        await asyncio.sleep(0.1)
        await plain(FEED)(writer, asked)

    async def fetch() -> Hostile:
        async with serve_hostile({**ANSWERS, "/slow": slow}) as hostile:
            settings = make_settings(hostile.port, host_spacing_s=0.05, host_concurrency=2)
            async with Fetcher(settings, now=NOW) as fetcher:
                await asyncio.gather(*(fetcher.fetch_page("http://courier.example/slow") for _ in range(8)))
            return hostile

    hostile = asyncio.run(fetch())
    assert hostile.most_open <= 2
    gaps = [later - earlier for earlier, later in pairwise(hostile.times)]
    assert min(gaps) > 0.03


def test_crawl_delay_is_kept() -> None:
    robots = plain(b"User-agent: *\nCrawl-delay: 0.2\n")

    async def fetch() -> list[float]:
        async with serve_hostile({**ANSWERS, "/robots.txt": robots}) as hostile:
            async with Fetcher(make_settings(hostile.port), now=NOW) as fetcher:
                await asyncio.gather(*(fetcher.fetch_page("http://courier.example/feed") for _ in range(4)))
            return hostile.times[1:]

    times = asyncio.run(fetch())
    assert min(later - earlier for earlier, later in pairwise(times[1:])) > 0.15
