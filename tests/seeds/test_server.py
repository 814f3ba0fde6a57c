"""The sample outlets answer as real ones do."""

import http.client
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
sys.path.insert(0, str(SEEDS))

from server import SeedServer, find_file, list_days, serve_seeds  # noqa: E402  (a file of the samples, not a package)

HARBOR = "www.harborcourier.example"


@pytest.fixture
def outlets() -> Iterator[SeedServer]:
    with serve_seeds(SEEDS, "2026-03-02") as server:
        yield server


def ask(server: SeedServer, path: str, host: str = HARBOR, method: str = "GET", **headers: str):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        connection.request(method, path, headers={"Host": host, **{k.replace("_", "-"): v for k, v in headers.items()}})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def test_a_page_edited_in_place_changes_when_the_day_moves(outlets: SeedServer) -> None:
    path = "/2026/03/02/three-dead-barclay-rowhouse-fire"
    _, before, first = ask(outlets, path)
    outlets.day = "2026-03-03"
    status, after, second = ask(outlets, path, If_None_Match=before["ETag"])
    assert b"Woman and two children die" in first
    assert status == 200
    assert b"Correction:" in second
    assert before["ETag"] != after["ETag"]


def test_what_the_client_has_is_not_sent_again(outlets: SeedServer) -> None:
    _, headers, _ = ask(outlets, "/feed.xml")
    assert ask(outlets, "/feed.xml", If_None_Match=headers["ETag"])[0] == 304
    assert ask(outlets, "/feed.xml", If_Modified_Since=headers["Last-Modified"])[0] == 304
    assert ask(outlets, "/feed.xml", If_None_Match='"another"', If_Modified_Since=headers["Last-Modified"])[0] == 200


def test_hosts_are_virtual_and_their_port_is_ignored(outlets: SeedServer) -> None:
    assert b"Harbor Courier" in ask(outlets, "/feed.xml", host=f"{HARBOR}:{outlets.port}")[2]
    status, headers, body = ask(outlets, "/feed.atom", host="www.continentalpress.example")
    assert (status, headers["Content-Type"]) == (200, "application/atom+xml; charset=utf-8")
    assert b"Continental Press" in body
    assert ask(outlets, "/feed.xml", host="elsewhere.example")[0] == 404


def test_a_head_has_no_body_and_a_wrong_address_is_404(outlets: SeedServer) -> None:
    status, headers, body = ask(outlets, "/robots.txt", method="HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 0
    assert ask(outlets, "/2026/03/02/no-such-story")[0] == 404


@pytest.mark.parametrize("path", ["/../../../server.py", "/%2e%2e/%2e%2e/%2e%2e/server.py", "/..\\server.py", "/a%00b"])
def test_no_address_leaves_the_outlet(outlets: SeedServer, path: str) -> None:
    assert ask(outlets, path)[0] == 404


def test_later_days_are_not_served_before_they_come() -> None:
    path = "/2026/03/03/officer-danielle-kowalczyk-identified/"
    assert find_file(SEEDS, "2026-03-02", "www.ledgerpost.example", path) is None
    assert find_file(SEEDS, "2026-03-03", "www.ledgerpost.example", path) is not None


def test_a_day_that_the_samples_do_not_have_is_refused(outlets: SeedServer) -> None:
    with pytest.raises(ValueError, match=r"2026-03-02.*got '2025-01-01'"):
        outlets.day = "2025-01-01"
    outlets.day = "all"
    assert outlets.day == list_days(SEEDS)[-1]
