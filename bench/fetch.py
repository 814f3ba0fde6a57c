"""Fetching measured beside bare client calls on loopback, and archives beside bare warcio.

500 pages on 50 host names of one real server, the same number at once: bare `aiohttp` against `Fetcher`, which besides
resolves, judges addresses, asks for robots.txt, keeps slots, and bounds and decodes bodies. Ratios of wall time.
"""

import argparse
import asyncio
import gzip
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from statistics import median

import aiohttp
from warcio.archiveiterator import ArchiveIterator

from blotter.config import DropSettings, FetchSettings
from blotter.ingest.documents import open_documents
from blotter.ingest.fetch import Fetcher, Outcome
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


async def fetch_bare(urls: list[str], port: int) -> None:
    slots = asyncio.Semaphore(CONCURRENCY)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONCURRENCY)) as session:

        async def fetch(url: str) -> None:
            host, _, path = url.removeprefix("http://").partition("/")
            async with slots, session.get(f"http://127.0.0.1:{port}/{path}", headers={"Host": host}) as response:
                assert len(await response.read()) == len(PAGE)

        await asyncio.gather(*map(fetch, urls))


async def fetch_politely(urls: list[str], port: int) -> None:
    settings = FetchSettings(
        resolve=(f"*.example=127.0.0.1:{port}",), host_spacing_s=0, host_concurrency=8, concurrency=CONCURRENCY
    )
    async with Fetcher(settings, now=NOW) as fetcher:
        fetched = await asyncio.gather(*map(fetcher.fetch_page, urls))
    assert all(one.outcome is Outcome.OK and one.body == PAGE for one in fetched)


async def time_s(work: Callable[[], Awaitable[None]]) -> float:
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


async def measure_fetching(n_pages: int) -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=500)
    port = server.sockets[0].getsockname()[1]
    urls = [f"http://h{n % 50}.example/{n}" for n in range(n_pages)]
    ratios = []
    for _ in range(5):
        bare_s = await time_s(lambda: fetch_bare(urls, port))
        ours_s = await time_s(lambda: fetch_politely(urls, port))
        ratios.append(bare_s / ours_s)
    print(f"fetching {n_pages} pages on 50 hosts, {CONCURRENCY} at once: {n_pages / ours_s:.0f} pages a second")
    print(
        f"  ratio: {median(ratios):.2f} of bare aiohttp (median of 5: {min(ratios):.2f} to {max(ratios):.2f}); goal 0.7"
    )
    server.close()


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
    asyncio.run(measure_fetching(arguments.pages))
    measure_archive(arguments.megabytes * 1_000_000)


if __name__ == "__main__":
    main()
