"""500 feeds on 50 host names of one real server, fetched for real: all of it once, and politely."""

import asyncio
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

from blotter.config import FetchSettings
from blotter.ingest.poll import Part, PolledFeed, divide_feeds, plan_feeds, poll_feeds
from blotter.model import Arrival
from blotter.sources import Feed, Source
from blotter.store.feeds import FeedMemory
from blotter.store.state import open_state

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
N_HOSTS, N_FEEDS, N_ENTRIES = 50, 500, 2
SPACING_S = 0.01


class Outlets:
    """What the server was asked, by host, and how many at once."""

    def __init__(self) -> None:
        self.port = 0
        self.paths: Counter[str] = Counter()
        self.n_open: Counter[str] = Counter()
        self.most_open: Counter[str] = Counter()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                path = request.split(" ")[1]
                host = request.lower().partition("host: ")[2].partition("\r\n")[0]
                self.paths[host + path] += 1
                self.n_open[host] += 1
                self.most_open[host] = max(self.most_open[host], self.n_open[host])
                await asyncio.sleep(0.002)
                body = self.write(host, path)
                self.n_open[host] -= 1
                status = "404 Not Found" if body is None else "200 OK"
                head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body or b'')}\r\n\r\n"
                writer.write(head.encode() + (body or b""))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def write(self, host: str, path: str) -> bytes | None:
        if path == "/robots.txt":
            return None
        if path.startswith("/feed"):
            number = path.removeprefix("/feed")
            items = "".join(
                f"<item><title>Story {number}-{n}</title><link>http://{host}/story{number}-{n}</link></item>"
                for n in range(N_ENTRIES)
            )
            return f"<rss version='2.0'><channel><title>x</title>{items}</channel></rss>".encode()
        return f"<html><body><p>{path} of {host}</p></body></html>".encode()


@contextmanager
def serve_outlets() -> Iterator[Outlets]:
    outlets, loop, started = Outlets(), asyncio.new_event_loop(), threading.Event()

    async def serve() -> None:
        server = await asyncio.start_server(outlets.answer, "127.0.0.1", 0, backlog=500)
        outlets.port = server.sockets[0].getsockname()[1]
        started.set()
        async with server:
            await asyncio.Event().wait()

    serving = loop.create_task(serve())

    def run() -> None:
        try:
            loop.run_until_complete(serving)
        except asyncio.CancelledError:
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    started.wait(10)
    try:
        yield outlets
    finally:
        loop.call_soon_threadsafe(serving.cancel)
        thread.join()
        loop.close()


def make_sources() -> dict[str, Source]:
    feeds = [[f"http://h{host}.example/feed{n}" for n in range(N_FEEDS // N_HOSTS)] for host in range(N_HOSTS)]
    return {
        f"s{n}": Source(id=f"s{n}", name=f"s{n}", feeds=tuple(Feed(url=url) for url in urls))
        for n, urls in enumerate(feeds)
    }


def test_five_hundred_feeds_are_fetched_whole_once_and_politely(tmp_path: Path) -> None:
    memory, sources = FeedMemory(open_state(str(tmp_path / "state.db"))), make_sources()
    with serve_outlets() as outlets:
        settings = FetchSettings(
            resolve=(f"*.example=127.0.0.1:{outlets.port}",), host_spacing_s=SPACING_S, concurrency=32
        )
        parts = divide_feeds(plan_feeds(sources, {}, now=NOW), feeds_per_task=200)
        assert len(parts) == 3
        locations: list[str] = []
        began: dict[str, list[datetime]] = defaultdict(list)
        started = time.monotonic()
        # As mapped tasks do it: parts at the same time, over one state.
        for polled in run_together(parts, sources, memory, settings):
            locations += [one.document.location for one in polled.arrivals if isinstance(one, Arrival)]
            for row in polled.fetch_rows:
                began[urlsplit(row["url"]).netloc].append(row["requested_at"])
        elapsed_s = time.monotonic() - started
    expected = {
        f"http://h{h}.example/story{f}-{n}" for h in range(N_HOSTS) for f in range(10) for n in range(N_ENTRIES)
    }
    assert len(locations) == len(expected) and set(locations) == expected
    assert max(outlets.paths.values()) == 1, "nothing is asked for twice"
    assert sum(outlets.paths.values()) == N_HOSTS + N_FEEDS * (1 + N_ENTRIES)
    assert max(outlets.most_open.values()) <= settings.host_concurrency
    # By the fetcher's clock: the server here shares its processor with it, and reads requests in heaps.
    gaps = [later - earlier for times in began.values() for earlier, later in pairwise(sorted(times))]
    assert len(gaps) == N_FEEDS * (1 + N_ENTRIES) - N_HOSTS
    assert min(gaps).total_seconds() > SPACING_S * 0.99
    assert elapsed_s < 100
    assert plan_feeds(sources, memory.load_cursors(sources), now=NOW) == []
    later = plan_feeds(sources, memory.load_cursors(sources), now=NOW + timedelta(hours=1))
    assert len(later) == N_FEEDS, "all are due again"


def run_together(
    parts: list[Part], sources: dict[str, Source], memory: FeedMemory, settings: FetchSettings
) -> list[PolledFeed]:
    brought: list[PolledFeed] = []

    def poll(part: Part) -> None:
        for polled in poll_feeds(sources, memory=memory, settings=settings, now=NOW, part=part):
            brought.append(polled)
            polled.commit()

    threads = [threading.Thread(target=poll, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return brought
