"""A small news site on loopback whose feeds and pages a test changes as it goes.

Belongs here: serving what the test says, by host and path, and remembering what was asked. Misbehaviour is `hostile`.
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STORY = "A warehouse on {street} burned through the night, the fire department said. Nobody was hurt, the chief said."


@dataclass
class Site:
    """What is served: `pages[host + path]` is a body, or a status; and what was asked for."""

    pages: dict[str, bytes | int] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers_asked: list[dict[str, str]] = field(default_factory=list)  # of each of `asked`
    lies: set[str] = field(default_factory=set)  # addresses that answer 304 whatever has changed
    port: int = 0

    def put_story(self, host: str, path: str, title: str, *, text: str = "") -> None:
        paragraph = f"<p>{STORY.format(street=title)} {text}</p>"
        page = f"<!doctype html><html><head><title>{title}</title></head><body><article><h1>{title}</h1>{paragraph * 2}"
        self.pages[host + path] = f"{page}</article></body></html>".encode()

    def put_feed(self, host: str, path: str, entries: list[dict[str, str]]) -> None:
        items = "".join(
            "<item>" + "".join(f"<{name}>{value}</{name}>" for name, value in entry.items()) + "</item>"
            for entry in entries
        )
        feed = f'<?xml version="1.0"?><rss version="2.0"><channel><title>{host}</title>{items}</channel></rss>'
        self.pages[host + path] = feed.encode()

    def count(self, address: str) -> int:
        return Counter(self.asked)[address]


@contextmanager
def serve_site() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address = self.headers["Host"].partition(":")[0] + self.path
            if not address.endswith("/robots.txt"):
                site.asked.append(address)
                site.headers_asked.append(dict(self.headers))
            page = site.pages.get(address, 404)
            status, body = (page, b"") if isinstance(page, int) else (200, page)
            etag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'
            asked_before = self.headers.get("If-None-Match")
            if status == 200 and (asked_before == etag or (asked_before and address in site.lies)):
                status, body = 304, b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for name, value in {"ETag": etag, **site.headers.get(address, {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
