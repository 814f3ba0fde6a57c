"""The operational state: what the pipeline must remember between runs that is no table of analysts.

Belongs here: the database itself (SQLite by default, PostgreSQL for many machines) and how it is opened. Each kind of
memory declares its SQLAlchemy tables on `metadata` in a module of its own: `inputs` (what is pending), `feeds`
(cursors), `desk` (open incidents and their index), `outbox` (alerts). All of it can be rebuilt from the tables.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, MetaData, create_engine, event

metadata = MetaData()


def open_state(location: str) -> Engine:
    """Open the state at a path (SQLite) or SQLAlchemy URL, creating file and tables where they are missing.

    SQLite runs in WAL mode with a busy timeout, so that readers never wait for the writer; a commit is on the disk when
    it returns, since files are moved on the strength of it; transactions start IMMEDIATE, so that two writers queue.
    """
    if "://" not in location:
        Path(location).parent.mkdir(parents=True, exist_ok=True)
        location = f"sqlite:///{location}"
    engine = create_engine(location)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    metadata.create_all(engine)
    return engine


def drop_old_pages(engine: Engine) -> None:
    """See to it that SQLite's log holds nothing that was deleted; does nothing elsewhere, nor while others read."""
    if engine.dialect.name == "sqlite":
        raw = engine.raw_connection()
        try:
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            raw.close()


def _configure_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
