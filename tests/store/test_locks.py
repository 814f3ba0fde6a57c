import os
import signal
import threading
import time
from pathlib import Path

import pytest

from blotter.errors import LockHeld
from blotter.store.locks import hold_lock
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
