"""The lock that makes one writer of many: an flock, which the kernel drops when its holder dies, or an advisory lock of
PostgreSQL, which goes with its holder's connection.

Belongs here: holding it, waiting for it, and saying who has it. Does not belong here: what is done under it. The file
itself means nothing: it is never removed and its age is never looked at. A holder that forks a process which outlives
it leaves the lock with that process; programs started with exec do not inherit it.
"""

import errno
import fcntl
import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from sqlalchemy import Connection, Engine, text

from blotter.errors import LockHeld, SettingsError

log = logging.getLogger(__name__)

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
    is_told = False
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
            if not is_told:
                log.warning("waiting for %s, which %s holds", path, _read_holder(descriptor))
                is_told = True
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


@contextmanager
def hold_database_lock(engine: Engine, name: str, holder: str, timeout_s: float) -> Iterator[None]:
    """Hold the lock `name` of a PostgreSQL database as `holder`, waiting up to `timeout_s` seconds.

    It is held by a connection of its own and ends with it. Raises LockHeld, which names who has it, and SettingsError
    where the database is no PostgreSQL.
    """
    if engine.dialect.name != "postgresql":
        raise SettingsError("state", "a path (SQLite) or a postgresql URL", engine.dialect.name)
    key = crc32(name.encode())
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SELECT set_config('application_name', :name, false)"), {"name": holder[:63]})
        try:
            _wait_for_database_lock(connection, key, name, timeout_s)
            yield
        finally:
            connection.invalidate()  # closes it, and the lock with it, whatever state it is in


def _wait_for_database_lock(connection: Connection, key: int, name: str, timeout_s: float) -> None:
    give_up_at = time.monotonic() + timeout_s
    while not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar_one():
        left_s = give_up_at - time.monotonic()
        if left_s <= 0:
            raise LockHeld(f"{name} is held by {_read_database_holder(connection, key)}; waited {timeout_s:g} s")
        time.sleep(min(_POLL_S * 4, left_s))


def _read_database_holder(connection: Connection, key: int) -> str:
    holder = text(
        "SELECT application_name || ' (connection ' || pid || coalesce(' from ' || client_addr, '') || ')'"
        " FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE locktype = 'advisory' AND objid::bigint = :key AND granted LIMIT 1"
    )
    told = connection.execute(holder, {"key": key}).scalar()
    return str(told) if told else "a writer that has just ended"
