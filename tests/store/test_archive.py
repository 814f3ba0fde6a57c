import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blotter.errors import StoreDamaged
from blotter.ids import sha256_hex
from blotter.store.archive import RawArchive


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> RawArchive:
    return RawArchive(tmp_path_factory.mktemp("archive"))


@given(payload=st.binary())
@settings(max_examples=50, deadline=None)
def test_bytes_come_back_under_their_sha256(archive: RawArchive, payload: bytes) -> None:
    address = archive.put(payload)
    assert address == sha256_hex(payload)
    assert archive.has(address)
    assert archive.get(address) == payload


def test_what_is_there_is_never_written_again(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    address = archive.put(b"page")
    path = tmp_path / address[:2] / address[2:4] / f"{address}.zst"
    before = path.stat()
    archive.put(b"page")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_address_without_bytes_is_a_key_error(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    assert not archive.has("0" * 64)
    for address in ("0" * 64, "../../etc/passwd", ""):
        with pytest.raises(KeyError):
            archive.get(address)


def test_damage_is_told_and_never_returned(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    address, other = archive.put(b"page" * 100), archive.put(b"other")
    path = tmp_path / address[:2] / address[2:4] / f"{address}.zst"
    for broken in (path.read_bytes()[:-3], b"", (tmp_path / other[:2] / other[2:4] / f"{other}.zst").read_bytes()):
        path.write_bytes(broken)
        with pytest.raises(StoreDamaged, match=address):
            archive.get(address)


def test_many_may_put_the_same_at_once(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    payloads = [b"page %d" % number for number in range(20)]
    failures: list[Exception] = []

    def put_all() -> None:
        try:
            for payload in payloads:
                archive.put(payload)
        except Exception as failed:  # noqa: BLE001 - told by the assertion below
            failures.append(failed)

    threads = [threading.Thread(target=put_all) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [archive.get(sha256_hex(payload)) for payload in payloads] == payloads
    assert list((tmp_path / "_temps").iterdir()) == []


def test_what_was_erased_is_gone_and_does_not_come_back(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    address, other = archive.put(b"page"), archive.put(b"other")
    archive.erase(address)
    archive.erase(address)
    assert archive.is_erased(address)
    assert archive.put(b"page") == address
    assert not archive.has(address)
    with pytest.raises(KeyError):
        archive.get(address)
    assert archive.get(other) == b"other"
    assert [path.suffix for path in tmp_path.rglob(f"{address}*")] == [".erased"]


def test_bytes_can_be_erased_before_they_come(tmp_path: Path) -> None:
    archive = RawArchive(tmp_path)
    archive.erase(sha256_hex(b"page"))
    assert not archive.has(archive.put(b"page"))
