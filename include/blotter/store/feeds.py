"""What is remembered of feeds: where we stand with each, which entries were seen, what hosts asked for.

Belongs here: the tables and their transactions. Does not belong here: any decision (`blotter.ingest.schedule`), and
what became of an input (`inputs`). Nothing here is a table of analysts; lost, it costs one full round of polls.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Float,
    Integer,
    String,
    Table,
    Text,
    TypeDecorator,
    case,
    delete,
    select,
    update,
)

from blotter.store.sql import chunk, insert_new, insert_or_replace, look_up
from blotter.store.state import metadata


class _Utc(TypeDecorator[datetime]):
    """An aware UTC datetime on databases that keep none: SQLite gives back what has no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedCursor:
    """Where we stand with one feed. `url` is as its source has it, `moved_to` where permanent redirects lead."""

    url: str
    source_id: str
    interval_s: float
    next_due_at: datetime | None = None
    etag: str | None = None
    last_modified: str | None = None
    last_full_at: datetime | None = None  # when it was last asked for without conditions, and answered
    last_ok_at: datetime | None = None
    last_new_at: datetime | None = None
    last_outcome: str | None = None
    n_polls: int = 0
    n_failures: int = 0  # in a row
    n_moves: int = 0  # in a row
    moved_to: str | None = None
    paused_reason: str | None = None
    gap_s: float | None = None  # learnt: the usual time between polls that bring something
    n_entries: int | None = None  # in the last answer that held the feed


@dataclass(slots=True, kw_only=True)
class HostState:
    """What a host asked for, by `host:port`. `robots` is its robots.txt: empty allows all, None is not known."""

    host: str
    paused_until: datetime | None = None
    robots: str | None = None
    robots_at: datetime | None = None
    is_robots_unreachable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenEntry:
    """One key of an entry. `stamp` changes when the feed changes the entry; `n_visits` counts fetches of its page.

    An entry that could not be had yet is not `is_done`: it is tried again, and `n_tries` counts.
    """

    source_id: str
    entry_key: str
    stamp: str
    seen_at: datetime
    n_visits: int = 1
    n_tries: int = 0
    is_done: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedPage:
    """A page that is asked for again, because what it says may change: when, and how often it was."""

    url: str
    source_id: str
    first_seen_at: datetime
    next_due_at: datetime
    n_visits: int
    body_sha256: str | None = None


_cursors = Table(
    "feed_cursors",
    metadata,
    Column("url", String, primary_key=True),
    Column("source_id", String, nullable=False, index=True),
    Column("interval_s", Float, nullable=False),
    Column("next_due_at", _Utc, index=True),
    Column("etag", String),
    Column("last_modified", String),
    Column("last_full_at", _Utc),
    Column("last_ok_at", _Utc),
    Column("last_new_at", _Utc),
    Column("last_outcome", String),
    Column("n_polls", Integer, nullable=False),
    Column("n_failures", Integer, nullable=False),
    Column("n_moves", Integer, nullable=False),
    Column("moved_to", String),
    Column("paused_reason", String),
    Column("gap_s", Float),
    Column("n_entries", Integer),
)
_entries = Table(
    "seen_entries",
    metadata,
    Column("source_id", String, primary_key=True),
    Column("entry_key", String, primary_key=True),
    Column("stamp", String, nullable=False),
    Column("seen_at", _Utc, nullable=False, index=True),
    Column("n_visits", Integer, nullable=False),
    Column("n_tries", Integer, nullable=False),
    Column("is_done", Boolean, nullable=False),
)
_hosts = Table(
    "feed_hosts",
    metadata,
    Column("host", String, primary_key=True),
    Column("paused_until", _Utc),
    Column("robots", Text),
    Column("robots_at", _Utc),
    Column("is_robots_unreachable", Boolean, nullable=False),
)
_turns = Table(
    "feed_turns",
    metadata,
    Column("host", String, primary_key=True),
    Column("free_at", Float, nullable=False),  # seconds since 1970, from when on the host may be asked
)
_pages = Table(
    "followed_pages",
    metadata,
    Column("url", String, primary_key=True),
    Column("source_id", String, nullable=False),
    Column("first_seen_at", _Utc, nullable=False),
    Column("next_due_at", _Utc, nullable=False, index=True),
    Column("n_visits", Integer, nullable=False),
    Column("body_sha256", String),
)

_Row = TypeVar("_Row", FeedCursor, HostState, SeenEntry, FollowedPage)


class FeedMemory:
    """The memory of the poller. Each method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        metadata.create_all(engine, tables=[_cursors, _entries, _hosts, _turns, _pages])

    def load_cursors(self, source_ids: Iterable[str] | None = None) -> dict[str, FeedCursor]:
        """Load where we stand with the feeds of sources (or with all), by the feed's own URL."""
        with self._engine.connect() as connection:
            if source_ids is None:
                found = connection.execute(select(_cursors)).all()
            else:
                found = look_up(connection, _cursors.c.source_id, source_ids)
        return {row.url: _read(FeedCursor, row) for row in found}

    def load_host(self, host: str) -> HostState | None:
        """Load what a host (`host:port`) asked for."""
        with self._engine.connect() as connection:
            row = connection.execute(select(_hosts).where(_hosts.c.host == host)).first()
        return _read(HostState, row) if row is not None else None

    def take_turn(self, host: str, now: datetime, spacing_s: float) -> float:
        """Take the next free moment to ask a host, among all processes that do; gives the seconds until then."""
        asked = now.timestamp()
        free_at = case((_turns.c.free_at > asked, _turns.c.free_at), else_=asked) + spacing_s
        with self._engine.begin() as connection:
            insert_new(connection, _turns, [{"host": host, "free_at": asked}])
            taken = update(_turns).where(_turns.c.host == host).values(free_at=free_at).returning(_turns.c.free_at)
            return float(connection.execute(taken).scalar_one()) - spacing_s - asked

    def find_entries(self, source_id: str, entry_keys: Iterable[str]) -> dict[str, SeenEntry]:
        """Look up which of the keys of a source's entries were seen, by key."""
        with self._engine.connect() as connection:
            found = look_up(connection, _entries.c.entry_key, entry_keys, None, _entries.c.source_id == source_id)
        return {row.entry_key: _read(SeenEntry, row) for row in found}

    def commit_poll(
        self,
        *,
        entries: Sequence[SeenEntry] = (),
        cursor: FeedCursor | None = None,
        hosts: Sequence[HostState] = (),
        pages: Sequence[FollowedPage] = (),
    ) -> None:
        """Remember what came of a poll, all or nothing; call it when its arrivals are registered, never before."""
        with self._engine.begin() as connection:
            insert_or_replace(connection, _entries, [asdict(entry) for entry in entries])
            insert_or_replace(connection, _cursors, [asdict(cursor)] if cursor else [])
            insert_or_replace(connection, _hosts, [asdict(host) for host in hosts])
            insert_or_replace(connection, _pages, [asdict(page) for page in pages])

    def follow_pages(self, pages: Sequence[FollowedPage]) -> None:
        """Ask for pages again later; one that is followed already stays as it is."""
        with self._engine.begin() as connection:
            self.apply(connection, self.encode_pages(pages))

    @staticmethod
    def encode_pages(pages: Sequence[FollowedPage]) -> bytes:
        """Write pages to follow as the bytes that a bundle carries."""
        return msgspec.msgpack.encode(pages)

    def apply(self, connection: Connection, memory: bytes) -> None:
        """Follow what `encode_pages` froze, in the caller's transaction; doing it again changes nothing."""
        pages = msgspec.msgpack.decode(memory, type=list[FollowedPage])
        insert_new(connection, _pages, [asdict(page) for page in pages])

    def due_pages(self, now: datetime, *, limit: int = 1000) -> list[FollowedPage]:
        """List the followed pages that are due, longest due first."""
        query = select(_pages).where(_pages.c.next_due_at <= now).order_by(_pages.c.next_due_at, _pages.c.url)
        with self._engine.connect() as connection:
            return [_read(FollowedPage, row) for row in connection.execute(query.limit(limit)).all()]

    def unfollow_pages(self, urls: Iterable[str]) -> None:
        """Ask for pages no more."""
        with self._engine.begin() as connection:
            for part in chunk(list(urls)):
                connection.execute(delete(_pages).where(_pages.c.url.in_(part)))

    def resume_feed(self, url: str) -> bool:
        """Ask a paused feed again from now on; False where there is no such feed."""
        resumed = {"paused_reason": None, "n_failures": 0, "next_due_at": None, "moved_to": None, "n_moves": 0}
        with self._engine.begin() as connection:
            return bool(connection.execute(update(_cursors).where(_cursors.c.url == url).values(resumed)).rowcount)

    def forget_entries(self, before: datetime) -> int:
        """Forget entries seen before a moment; returns how many keys. Feeds that still list them bring them anew."""
        with self._engine.begin() as connection:
            return int(connection.execute(delete(_entries).where(_entries.c.seen_at < before)).rowcount)


def _read(kind: type[_Row], row: Any) -> _Row:
    return kind(**{f.name: getattr(row, f.name) for f in fields(kind)})
