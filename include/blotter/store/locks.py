"""The lock that makes one writer of many: an flock, which the kernel drops when its holder dies.

Belongs here: holding it, waiting for it, and saying who has it. Does not belong here: what is done under it. The file
itself means nothing: it is never removed and its age is never looked at. A holder that forks a process which outlives
it leaves the lock with that process; programs started with exec do not inherit it.
"""

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blotter.errors import LockHeld

_POLL_S = 0.05


@contextmanager
def hold_lock(path: Path, holder: str, timeout_s: float) -> Iterator[None]:
    """Hold the lock at `path` as `holder`, waiting up to `timeout_s` seconds.

    Raises LockHeld, which names who has it, and OSError where the file cannot be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        _wait_for_lock(descriptor, path, timeout_s)
        _write_holder(descriptor, holder)
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _wait_for_lock(descriptor: int, path: Path, timeout_s: float) -> None:
    give_up_at = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as taken:
            if taken.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            left_s = give_up_at - time.monotonic()
            if left_s <= 0:
                raise LockHeld(f"{path} is held by {_read_holder(descriptor)}; waited {timeout_s:g} s") from None
            time.sleep(min(_POLL_S, left_s))


def _write_holder(descriptor: int, holder: str) -> None:
    text = json.dumps({"holder": holder, "pid": os.getpid(), "host": socket.gethostname()})
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)


def _read_holder(descriptor: int) -> str:
    try:
        told = json.loads(os.pread(descriptor, 4096, 0))
        return f"{told['holder']} (process {told['pid']} on {told['host']})"
    except (ValueError, KeyError, TypeError):  # caught between taking the lock and writing the name
        return "a writer that has not said who it is"
