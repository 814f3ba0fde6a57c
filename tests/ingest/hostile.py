"""A server on loopback that does what strangers' servers do; each path is one kind of misbehaviour.

Belongs here: answering badly. What must come of it stands in `test_hostile.py` and in docs/fetching.md.
"""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import brotli

Answer = Callable[[asyncio.StreamWriter, dict[str, str]], Awaitable[None]]

FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Courier</title><item><title>One</title>
<link>http://courier.example/one</link><guid>1</guid></item></channel></rss>"""
BIG = b"0123456789abcdef" * 65_536  # a megabyte


def head(status: str = "200 OK", length: int | None = None, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Connection: close"]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def plain(body: bytes, status: str = "200 OK", **headers: str) -> Answer:
    async def answer(writer: asyncio.StreamWriter, asked: dict[str, str]) -> None:
        writer.write(head(status, len(body), **headers) + body)

    return answer


def redirect(target: str, status: str = "302 Found") -> Answer:
    return plain(b"", status, Location=target)


async def drip(writer: asyncio.StreamWriter, asked: dict[str, str]) -> None:
    """One byte in a while, for ever: each read is in time, the whole never ends."""
    writer.write(head(length=10_000_000))
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def stall(writer: asyncio.StreamWriter, asked: dict[str, str]) -> None:
    writer.write(head(length=100) + b"begin")
    await writer.drain()
    await asyncio.sleep(30)


async def silence(writer: asyncio.StreamWriter, asked: dict[str, str]) -> None:
    await asyncio.sleep(30)


async def endless(writer: asyncio.StreamWriter, asked: dict[str, str]) -> None:
    writer.write(head())
    while True:
        writer.write(BIG)
        await writer.drain()


async def endless_headers(writer: asyncio.StreamWriter, asked: dict[str, str]) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-Filler: " + b"x" * 4000 + b"\r\n")
        await writer.drain()


async def cut(writer: asyncio.StreamWriter, asked: dict[str, str]) -> None:
    writer.write(head(length=5000) + b"not five thousand bytes")


async def cut_gzip(writer: asyncio.StreamWriter, asked: dict[str, str]) -> None:
    body = gzip.compress(FEED)[:-20]
    writer.write(head(length=len(body), Content_Encoding="gzip") + body)


async def bare_chunk(writer: asyncio.StreamWriter, asked: dict[str, str]) -> None:
    writer.write(head(Transfer_Encoding="chunked") + b"zzz\r\nnot a chunk\r\n")


async def noise(writer: asyncio.StreamWriter, asked: dict[str, str]) -> None:
    writer.write(b"\x16\x03\x01 I am no web server\r\n\r\n")


async def nothing(writer: asyncio.StreamWriter, asked: dict[str, str]) -> None:
    """The connection is closed without a word."""


async def unchanged(writer: asyncio.StreamWriter, asked: dict[str, str]) -> None:
    """304 for ever, to whoever asks with conditions."""
    if "if-none-match" in asked or "if-modified-since" in asked:
        writer.write(head("304 Not Modified", ETag='"for-ever"'))
    else:
        writer.write(head(length=len(FEED), ETag='"for-ever"') + FEED)


def _packed(body: bytes, coding: str) -> Answer:
    return plain(body, Content_Encoding=coding)


_deflate_raw = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)

ANSWERS: dict[str, Answer] = {
    "/feed": plain(
        FEED, Content_Type="application/rss+xml", ETag='"v1"', Last_Modified="Sat, 09 Mar 2024 08:00:00 GMT"
    ),
    "/gzip": _packed(gzip.compress(FEED), "gzip"),
    "/gzip-members": _packed(gzip.compress(FEED[:50]) + gzip.compress(FEED[50:]), "gzip"),
    "/deflate": _packed(zlib.compress(FEED), "deflate"),
    "/deflate-raw": _packed(_deflate_raw.compress(FEED) + _deflate_raw.flush(), "deflate"),
    "/brotli": _packed(brotli.compress(FEED), "br"),
    "/twice-packed": _packed(gzip.compress(brotli.compress(FEED)), "br, gzip"),
    "/gzip-bomb": _packed(gzip.compress(b"\0" * 200_000_000, 9), "gzip"),
    "/brotli-bomb": _packed(brotli.compress(b"\0" * 200_000_000, quality=5), "br"),
    "/bomb-in-bomb": _packed(gzip.compress(gzip.compress(b"\0" * 200_000_000, 9), 9), "gzip, gzip"),
    "/not-gzip": _packed(b"this is not packed at all", "gzip"),
    "/unknown-coding": _packed(b"whatever", "zippy"),
    "/many-codings": _packed(b"whatever", ", ".join(["gzip"] * 50)),
    "/cut-gzip": cut_gzip,
    "/cut": cut,
    "/bare-chunk": bare_chunk,
    "/drip": drip,
    "/stall": stall,
    "/silence": silence,
    "/endless": endless,
    "/endless-headers": endless_headers,
    "/noise": noise,
    "/nothing": nothing,
    "/unchanged": unchanged,
    "/404": plain(b"no", "404 Not Found"),
    "/410": plain(b"no more", "410 Gone"),
    "/403": plain(b"no", "403 Forbidden"),
    "/418": plain(b"", "418 I'm a teapot"),
    "/500": plain(b"oops", "500 Internal Server Error"),
    "/429": plain(b"", "429 Too Many Requests", Retry_After="7"),
    "/503-date": plain(b"", "503 Service Unavailable", Retry_After="Sun, 10 Mar 2024 12:02:00 GMT"),
    "/429-silly": plain(b"", "429 Too Many Requests", Retry_After="99999999999999"),
    "/loop": redirect("/loop"),
    "/loop-a": redirect("/loop-b"),
    "/loop-b": redirect("/loop-a"),
    "/moved": redirect("/feed", "301 Moved Permanently"),
    "/moved-for-now": redirect("/feed", "307 Temporary Redirect"),
    "/to-nowhere": redirect("", "301 Moved Permanently"),
    "/to-file": redirect("file:///etc/passwd"),
    "/to-script": redirect("javascript:alert(1)"),
    "/to-loopback": redirect("http://127.0.0.1:1/"),
    "/to-loopback-v6": redirect("http://[::1]:1/"),
    "/to-mapped": redirect("http://[::ffff:127.0.0.1]:1/"),
    "/to-metadata": redirect("http://169.254.169.254/latest/meta-data/"),
    "/to-decimal": redirect("http://2130706433:1/"),
    "/to-private": redirect("http://10.0.0.8/"),
    **{f"/hop-{n}": redirect(f"/hop-{n + 1}") for n in range(10)},
    "/robots.txt": plain(b"User-agent: *\nDisallow: /forbidden\n"),
    "/forbidden": plain(FEED),
}


@asynccontextmanager
async def serve_hostile(answers: dict[str, Answer] | None = None, **options: object) -> AsyncIterator["Hostile"]:
    """Serve the answers on a free port of loopback; paths without one get 404."""
    hostile = Hostile(ANSWERS if answers is None else answers)
    server = await asyncio.start_server(hostile.answer, "127.0.0.1", 0, **options)  # type: ignore[arg-type]
    hostile.port = server.sockets[0].getsockname()[1]
    try:
        yield hostile
    finally:
        server.close()
        for task in hostile.tasks:
            task.cancel()
        await asyncio.gather(*hostile.tasks, return_exceptions=True)


class Hostile:
    """The running server: what it was asked, in order, and how many at once."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers, self.port = answers, 0
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.times: list[float] = []
        self.n_open = self.most_open = 0
        self.tasks: set[asyncio.Task[None]] = set()

    def paths(self) -> list[str]:
        """The paths asked for, but robots.txt."""
        return [path for path, _ in self.asked if path != "/robots.txt"]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError, asyncio.LimitOverrunError):
            request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            path = request[0].split(" ")[1]
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in request[1:] if line)}
            self.asked.append((path, headers))
            self.times.append(asyncio.get_running_loop().time())
            self.n_open += 1
            self.most_open = max(self.most_open, self.n_open)
            try:
                await self.answers.get(path, ANSWERS["/404"])(writer, headers)
                await writer.drain()
            finally:
                self.n_open -= 1
        with suppress(OSError):
            writer.close()
