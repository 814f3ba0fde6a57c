"""What is usual for a source: how much it brings, how long its texts are, how much is read in them.

Belongs here: the records, their table and its transactions. Does not belong here: learning and judging
(`blotter.ingest.health`). One row a source, however many articles came: it rides in a batch's bundle as it is after the
batch, so that applying it again changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import msgspec
from sqlalchemy import Column, Connection, Engine, LargeBinary, String, Table, select

from blotter.errors import StoreDamaged
from blotter.store.sql import insert_or_replace, look_up
from blotter.store.state import metadata

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One quantity of a source's articles: its usual mean and variance, and its mean lately."""

    n: int = 0
    usual: float = 0.0
    variance: float = 0.0
    lately: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHabit:
    """What is usual for one source. `arrived` articles in `watched_days`, both forgotten slowly, give its rate."""

    source_id: str
    first_at: datetime
    last_at: datetime  # of the last batch that brought an article
    watched_at: datetime  # until when `watched_days` counts
    watched_days: float = 0.0
    arrived: float = 0.0
    n_articles: int = 0
    log_chars: Measure = field(default_factory=Measure)  # natural logarithm of a text's length
    claims: Measure = field(default_factory=Measure)  # claims read in an article, none where it reports no incident
    usable: Measure = field(default_factory=Measure)  # 1 for an input that was an article, 0 for one that was not


_habits = Table(
    "source_habits",
    metadata,
    Column("source_id", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)


class HabitMemory:
    """The habits in the state at `engine`; creates its table where it is missing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        metadata.create_all(engine, tables=[_habits])

    def load(self, source_ids: Iterable[str] | None = None) -> dict[str, SourceHabit]:
        """Load the habits of sources, or of all, by source; those that brought nothing yet are left out."""
        with self._engine.connect() as connection:
            if source_ids is None:
                rows = connection.execute(select(_habits)).all()
            else:
                rows = look_up(connection, _habits.c.source_id, source_ids)
        return {row.source_id: _decode(row.body, SourceHabit) for row in rows}

    @staticmethod
    def encode(habits: Sequence[SourceHabit]) -> bytes:
        """Write habits as the bytes that a bundle carries."""
        return msgspec.msgpack.encode(habits)

    def apply(self, connection: Connection, memory: bytes) -> None:
        """Learn what `encode` froze, in the caller's transaction; again is the same as once."""
        told = _decode(memory, list[SourceHabit])
        insert_or_replace(
            connection, _habits, [{"source_id": one.source_id, "body": msgspec.msgpack.encode(one)} for one in told]
        )


def _decode(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except msgspec.MsgspecError as broken:
        raise StoreDamaged(f"what was learnt of sources cannot be read: {broken}") from broken
