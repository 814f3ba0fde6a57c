"""Fetching measured beside bare client calls on loopback, and archives beside bare warcio.

500 pages on 50 host names of one real server, the same number at once: bare `aiohttp` against `Fetcher`, which besides
judges addresses, asks for robots.txt, keeps slots, and bounds and decodes bodies.
"""

import argparse
import asyncio
import gzip
import resource
import socket
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from itertools import pairwise
from multiprocessing import Process, Queue
from pathlib import Path
from statistics import median

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from warcio.archiveiterator import ArchiveIterator

from blotter.config import DropSettings, FetchSettings
from blotter.ingest.documents import open_documents
from blotter.ingest.fetch import Fetcher, Outcome, run_fetching
from blotter.store.feeds import HostState
from clean import make_pages

NOW = datetime(2026, 3, 10, tzinfo=UTC)
PAGE = (
    "<html><body>" + "<p>A warehouse on Dock Street burned through the night.</p>" * 900 + "</body></html>"
).encode()
PACKED = gzip.compress(PAGE)
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n"
ANSWER = HEAD.format(len(PACKED)).encode() + PACKED
ABSENT = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
CONCURRENCY = 32


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.005)  # a server that is somewhere else
            writer.write(ABSENT if b" /robots.txt " in request else ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


class Loopback(AbstractResolver):
    """Leads every name to the server, as `fetch.resolve` does for ours."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host="127.0.0.1", port=self._port, family=socket.AF_INET, proto=0, flags=0)
        ]

    async def close(self) -> None:
        """Nothing is held."""


async def fetch_bare(urls: list[str], port: int) -> None:
    slots = asyncio.Semaphore(CONCURRENCY)
    connector = aiohttp.TCPConnector(limit=CONCURRENCY, resolver=Loopback(port))
    async with aiohttp.ClientSession(connector=connector) as session:

        async def fetch(url: str) -> None:
            async with slots, session.get(url) as response:
                assert len(await response.read()) == len(PAGE)

        await asyncio.gather(*map(fetch, urls))


async def fetch_politely(urls: list[str], port: int, *, is_known: bool = False) -> None:
    settings = FetchSettings(
        resolve=(f"*.example=127.0.0.1:{port}",), host_spacing_s=0, host_concurrency=8, concurrency=CONCURRENCY
    )
    robots = "" if is_known else None
    known_at = NOW if is_known else None

    def load_host(host: str) -> HostState:
        return HostState(host=host, robots=robots, robots_at=known_at)

    async with Fetcher(settings, now=NOW, load_host=load_host) as fetcher:

        async def fetch(url: str) -> None:  # lets go of each body, as the bare client does
            fetched = await fetcher.fetch_page(url)
            assert fetched.outcome is Outcome.OK and fetched.body == PAGE

        await asyncio.gather(*map(fetch, urls))


def serve(port: Queue) -> None:  # type: ignore[type-arg]
    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=500)
        port.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def measure_fetching(n_pages: int, port: int) -> None:
    urls = [f"http://h{n % 50}.example/{n}" for n in range(n_pages)]
    # Ours as a poll runs it: `run_fetching` chooses the event loop.
    works = (
        (asyncio.run, fetch_bare),
        (run_fetching, fetch_politely),
        (run_fetching, partial(fetch_politely, is_known=True)),
    )
    walls, cpus = [], []
    for _ in range(15):
        marks = [(time.perf_counter(), time.process_time())]
        for run, work in works:
            run(work(urls, port))
            marks.append((time.perf_counter(), time.process_time()))
        wall_s, cpu_s = ([later - earlier for earlier, later in pairwise(clock)] for clock in zip(*marks, strict=True))
        walls.append(wall_s)
        cpus.append(cpu_s)
    best_s, best_cpu_s = ([min(times) for times in zip(*rounds, strict=True)] for rounds in (walls, cpus))
    print(
        f"fetching {n_pages} pages on 50 hosts, {CONCURRENCY} at once: {n_pages / best_s[2]:.0f} pages a second at best"
    )
    for name, n in (("robots.txt known, as in all rounds of a day but the first", 2), ("with 50 robots.txt before", 1)):
        ratio = median(round_[0] / round_[n] for round_ in walls)
        print(
            f"  ratio: {ratio:.2f} of bare aiohttp, {name} (median of {len(walls)} pairs; best against best "
            f"{best_s[0] / best_s[n]:.2f}, in CPU time {best_cpu_s[0] / best_cpu_s[n]:.2f}); goal 0.7"
        )


def write_warc(path: Path, n_bytes: int) -> int:
    """Write an archive of made pages until it has so many bytes unpacked; returns the number of records."""
    pages = [page.html for page in make_pages(30)]
    n_records = n_written = 0
    with path.open("wb") as stream:
        while n_written < n_bytes:
            page = pages[n_records % len(pages)] + f"<!-- {n_records} -->".encode()
            block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page
            head = (
                f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{n_records:032x}>\r\n"
                f"WARC-Target-URI: http://h.example/{n_records}\r\nWARC-Date: 2026-03-09T10:00:00Z\r\n"
                f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n"
            )
            stream.write(gzip.compress(head.encode() + block + b"\r\n\r\n", 6))
            n_records += 1
            n_written += len(block)
    return n_records


def read_bare(path: Path, *, is_hashed: bool) -> int:
    n_bytes = 0
    with path.open("rb") as stream:
        for record in ArchiveIterator(stream):
            content = record.content_stream().read()
            n_bytes += len(content)
            if is_hashed:
                sha256(content).hexdigest()
    return n_bytes


def read_ours(path: Path) -> int:
    limits = DropSettings(max_ratio=10_000)
    opened = open_documents(path, source_id="s", arrival="a", received_at=NOW, limits=limits)
    return sum(len(arrival.payload) for arrival in opened)  # type: ignore[union-attr]


def measure_archive(n_bytes: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "a.warc.gz"
        n_records = write_warc(path, n_bytes)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        bare, hashed = [], []
        for _ in range(5):
            marks = [time.process_time()]
            for read in (partial(read_bare, is_hashed=False), partial(read_bare, is_hashed=True), read_ours):
                n_read = read(path)
                marks.append(time.process_time())
            assert n_read > n_bytes
            bare_s, hashed_s, ours_s = (later - earlier for earlier, later in pairwise(marks))
            bare.append(bare_s / ours_s)
            hashed.append(hashed_s / ours_s)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"reading a web archive of {n_records} pages, {n_bytes / 1e6:.0f} MB: memory grew by {grown:.0f} MB")
        print(f"  ratio: {median(bare):.2f} of bare warcio, goal 0.8; {median(hashed):.2f} of warcio and a sha256 each")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--megabytes", type=int, default=200, help="size of the web archive, unpacked")
    arguments = parser.parse_args()
    port: Queue = Queue()  # type: ignore[type-arg]
    server = Process(target=serve, args=(port,), daemon=True)  # of its own: what it costs is not the client's
    server.start()
    measure_fetching(arguments.pages, port.get())
    server.terminate()
    measure_archive(arguments.megabytes * 1_000_000)


if __name__ == "__main__":
    main()
