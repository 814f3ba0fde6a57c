"""The invented outlets of the sample week, served on loopback.

Belongs here: answering HTTP requests, by their Host header, from `days/DAY/www/HOST/`. What is served on a day is the
overlay of that day and all before it: a later file at the same path takes the place of an earlier one. Does not belong
here: dropping files, and anything that reads the news.

    python seeds/server.py --day 2026-03-04 --port 8014
    curl -H "Host: www.harborcourier.example" http://127.0.0.1:8014/feed.xml
"""

import argparse
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

LAST_DAY = "all"
CONTENT_TYPES = {
    ".html": "text/html",  # without a charset: each page states its own
    ".xml": "application/rss+xml; charset=utf-8",
    ".atom": "application/atom+xml; charset=utf-8",
    ".json": "application/feed+json",
    ".txt": "text/plain; charset=utf-8",
}


class ServedFile(NamedTuple):
    """One file of the overlay, with the day that brought it."""

    path: Path
    day: str


def list_days(folder: Path) -> list[str]:
    """Give the days of the samples, oldest first."""
    return sorted(day.name for day in (folder / "days").iterdir() if day.is_dir())


def find_file(folder: Path, day: str, host: str, path: str) -> ServedFile | None:
    """Find what a host serves under a path on a day; None where it serves nothing there.

    An address without an ending is a page: `/news/storm` is the file `news/storm.html`, `/news/storm/` is
    `news/storm/index.html`.
    """
    parts = [part for part in path.split("/") if part]
    if not host or any(part in (".", "..") or "\\" in part or "\0" in part for part in [host, *parts]):
        return None
    relative = "/".join([host, *parts])
    names = [f"{relative}/index.html"] if path.endswith("/") else [relative, f"{relative}.html"]
    for known in reversed([name for name in list_days(folder) if name <= day]):
        for name in names:
            candidate = folder / "days" / known / "www" / name
            if candidate.is_file():
                return ServedFile(candidate, known)
    return None


class SeedServer(ThreadingHTTPServer):
    """A loopback server of one day of the samples; set `day` to move it to another."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, folder: Path, day: str, port: int = 0) -> None:
        self.folder = folder
        self.day = day
        super().__init__(("127.0.0.1", port), SeedRequest)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server_address[1])

    @property
    def day(self) -> str:
        """The day whose overlay is served."""
        return self._day

    @day.setter
    def day(self, day: str) -> None:
        days = list_days(self.folder)
        if day != LAST_DAY and day not in days:
            raise ValueError(f"day: expected {LAST_DAY} or one of {', '.join(days)}, got {day!r}")
        self._day = days[-1] if day == LAST_DAY else day


class SeedRequest(BaseHTTPRequestHandler):
    """One request: GET and HEAD of a virtual host, with ETag and Last-Modified."""

    protocol_version = "HTTP/1.1"
    server: SeedServer

    def do_GET(self) -> None:
        """Answer with the file, with 304 where the client has it, or with 404."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer as to GET, without the body."""
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        host = (self.headers.get("Host") or "").rsplit(":", 1)[0].lower()
        found = find_file(self.server.folder, self.server.day, host, unquote(urlsplit(self.path).path) or "/")
        if found is None:
            self._send(HTTPStatus.NOT_FOUND, {"Content-Type": "text/plain; charset=utf-8"}, b"Not Found\n", with_body)
            return
        body = found.path.read_bytes()
        # A file changes once a day at most: the last hour of the day that brought it is when it was last modified.
        modified_at = datetime.fromisoformat(found.day).replace(hour=23, tzinfo=UTC)
        headers = {
            "Content-Type": CONTENT_TYPES.get(found.path.suffix, "application/octet-stream"),
            "ETag": f'"{hashlib.sha256(body).hexdigest()[:16]}"',
            "Last-Modified": format_datetime(modified_at, usegmt=True),
        }
        if self._is_known(headers["ETag"], modified_at):
            self._send(HTTPStatus.NOT_MODIFIED, headers, b"", with_body)
        else:
            self._send(HTTPStatus.OK, headers, body, with_body)

    def _is_known(self, etag: str, modified_at: datetime) -> bool:
        if (stated := self.headers.get("If-None-Match")) is not None:
            return stated.strip() == "*" or etag in (part.strip().removeprefix("W/") for part in stated.split(","))
        since = self.headers.get("If-Modified-Since")
        with suppress(TypeError, ValueError):
            return since is not None and parsedate_to_datetime(since) >= modified_at
        return False

    def _send(self, status: HTTPStatus, headers: dict[str, str], body: bytes, with_body: bool) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: the tests and the demo have better things to print."""


@contextmanager
def serve_seeds(folder: Path, day: str = LAST_DAY, port: int = 0) -> Iterator[SeedServer]:
    """Serve the samples in `folder` on a loopback port while the block runs; `port` 0 takes a free one.

    Raises ValueError for a day that the samples do not have, OSError where the port is taken.
    """
    with SeedServer(Path(folder), day, port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--day", default=LAST_DAY, help="which day's overlay to serve (default: all)")
    parser.add_argument("--port", type=int, default=8014, help="loopback port (default: 8014)")
    options = parser.parse_args()
    folder = Path(__file__).resolve().parent
    with serve_seeds(folder, options.day, options.port) as server, suppress(KeyboardInterrupt):
        hosts = sorted({path.name for path in (folder / "days").glob("*/www/*")})
        print(f"{server.day} on http://127.0.0.1:{server.port} for {', '.join(hosts)}. Ctrl-C ends it.")  # noqa: T201
        threading.Event().wait()


if __name__ == "__main__":
    main()
