"""Real receivers on loopback for alerts that leave the house: a mail server and a webhook's, that can be down, refuse,
or call back while they are being spoken to.

Belongs here: taking messages and keeping them as they came. Does not belong here: any judgement about them.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from aiosmtpd.controller import Controller


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Receiver:
    """What came in, in order; `when_spoken_to` is called in the middle of each message, before it is answered."""

    taken: list[Any] = field(default_factory=list)
    is_refusing: bool = False
    when_spoken_to: Callable[[], None] = lambda: None
    port: int = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  (aiosmtpd's name)
        self.when_spoken_to()
        if self.is_refusing:
            return "451 come back later"
        self.taken.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"


@contextmanager
def serve_mail(receiver: Receiver) -> Iterator[Receiver]:
    """Serve SMTP on the receiver's port, or on a free one."""
    receiver.port = receiver.port or find_free_port()
    controller = Controller(receiver, hostname="127.0.0.1", port=receiver.port)
    controller.start()
    try:
        yield receiver
    finally:
        controller.stop()


@contextmanager
def serve_hook(receiver: Receiver) -> Iterator[Receiver]:
    """Serve a webhook; `taken` are pairs of headers and body."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.when_spoken_to()
            if not receiver.is_refusing:
                receiver.taken.append((dict(self.headers), body))
            try:
                self.send_response(503 if receiver.is_refusing else 204)
                self.end_headers()
            except OSError:  # who spoke is dead by now
                pass

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", receiver.port), Handler)
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
