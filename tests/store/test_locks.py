import os
import signal
import threading
import time
from pathlib import Path

import pytest

from blotter.errors import LockHeld, SettingsError
from blotter.store.locks import hold_database_lock, hold_lock
from blotter.store.state import open_state
from store.crashes import start_writer


def hold_for_ever(path: Path, ready: Path) -> None:
    with hold_lock(path, "a holder that dies", timeout_s=0):
        ready.touch()
        time.sleep(600)


def test_the_lock_dies_with_its_holder(tmp_path: Path) -> None:
    lock, ready = tmp_path / "lock", tmp_path / "ready"
    holder = start_writer(hold_for_ever, lock, ready)
    while not ready.exists():
        assert holder.is_alive()
        time.sleep(0.01)
    told = rf"held by a holder that dies \(process {holder.pid} on "
    with pytest.raises(LockHeld, match=told), hold_lock(lock, "another", timeout_s=0):
        pass
    assert holder.pid is not None
    os.kill(holder.pid, signal.SIGKILL)
    with hold_lock(lock, "another", timeout_s=10):
        pass
    holder.join()


def test_whoever_waits_gets_it_when_it_is_free(tmp_path: Path) -> None:
    order: list[str] = []
    with hold_lock(tmp_path / "lock", "first", timeout_s=0):

        def wait_for_lock() -> None:
            with hold_lock(tmp_path / "lock", "second", timeout_s=30):
                order.append("second")

        waiting = threading.Thread(target=wait_for_lock)
        waiting.start()
        time.sleep(0.2)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"holder": 1}'])
def test_a_lock_file_of_any_content_is_a_lock(tmp_path: Path, content: bytes) -> None:
    lock = tmp_path / "lock"
    lock.write_bytes(content)
    with hold_lock(lock, "first", timeout_s=0):
        lock.write_bytes(content)  # as it looks before the holder has said who it is
        with pytest.raises(LockHeld, match="has not said who it is"), hold_lock(lock, "second", timeout_s=0):
            pass


def hold_database_for_ever(url: str, ready: Path) -> None:
    with hold_database_lock(open_state(url), "a warehouse", "a holder that dies", timeout_s=0):
        ready.touch()
        time.sleep(600)


def test_the_lock_of_a_database_dies_with_its_holder_too(postgresql_url: str, tmp_path: Path) -> None:
    holder = start_writer(hold_database_for_ever, postgresql_url, tmp_path / "ready")
    while not (tmp_path / "ready").exists():
        assert holder.is_alive()
        time.sleep(0.01)
    engine = open_state(postgresql_url)
    told = r"a warehouse is held by a holder that dies \(connection \d+\); waited 0\.3 s"
    with pytest.raises(LockHeld, match=told), hold_database_lock(engine, "a warehouse", "another", timeout_s=0.3):
        pass
    with hold_database_lock(engine, "another warehouse", "another", timeout_s=0):
        pass
    holder.kill()
    with hold_database_lock(engine, "a warehouse", "another", timeout_s=20):
        pass
    with hold_database_lock(engine, "a warehouse", "and again", timeout_s=0):
        pass
    holder.join()


def test_only_postgresql_has_such_a_lock(tmp_path: Path) -> None:
    engine = open_state(str(tmp_path / "state.db"))
    with pytest.raises(SettingsError, match="postgresql"), hold_database_lock(engine, "a warehouse", "one", 0):
        pass
