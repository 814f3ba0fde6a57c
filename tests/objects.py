"""A real server that speaks S3, on loopback, in a process of its own.

Belongs here: starting it and saying how it is reached. Does not belong here: what is kept in it.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests

BUCKET = "blotter-test"


@contextmanager
def serve_objects() -> Iterator[Mapping[str, str]]:
    """Serve an S3 with one empty bucket; yields the environment by which it is reached."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
    )
    try:
        _wait_until_up(url, server)
        requests.put(f"{url}/{BUCKET}", timeout=60).raise_for_status()
        yield {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": url,
            "AWS_ALLOW_HTTP": "true",
        }
    finally:
        server.terminate()
        server.wait(30)


def _wait_until_up(url: str, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        try:
            requests.get(url, timeout=5)
            return
        except requests.RequestException:
            if server.poll() is not None:
                raise RuntimeError("the S3 server ended before it was up") from None
            time.sleep(0.1)
    raise RuntimeError("the S3 server did not come up")
