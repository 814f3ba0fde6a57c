"""The closed gate: since when a batch is held back, by what, and when who is on call was last told.

Belongs here: one row of the state, so that the same trouble is told once and tried again when something has changed.
Does not belong here: closing the gate (`blotter.publishing`), and telling (`blotter_airflow.wiring`). Lost, it costs
one notice more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, Engine, Integer, String, Table, delete, select

from blotter.ids import canonical_json
from blotter.store.sql import insert_or_replace
from blotter.store.state import metadata

REMIND_AFTER = timedelta(days=1)

_gate = Table(
    "closed_gate",
    metadata,
    Column("gate_id", Integer, primary_key=True),  # there is one
    Column("blocking", String, nullable=False),
    Column("told_at", String, nullable=False),
    Column("tried_at", String, nullable=False),
    Column("newest_pending", Integer, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClosedGate:
    blocking: str
    told_at: datetime
    tried_at: datetime
    newest_pending: int


class GateMemory:
    """What is remembered of the gate in the state at `engine`; creates its table where it is missing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        metadata.create_all(engine, tables=[_gate])

    def close(self, blocking: Sequence[str], *, newest_pending: int, now: datetime) -> bool:
        """Remember that the gate was found closed; says whether that is news: another cause, or a day after it was.

        `newest_pending` is the number of the youngest input that waits.
        """
        cause = canonical_json(sorted(blocking))
        with self._engine.begin() as connection:
            known = _load(connection)
            is_news = known is None or known.blocking != cause or now - known.told_at >= REMIND_AFTER
            row = {
                "gate_id": 1,
                "blocking": cause,
                "told_at": (now if known is None or is_news else known.told_at).isoformat(),
                "tried_at": now.isoformat(),
                "newest_pending": newest_pending,
            }
            insert_or_replace(connection, _gate, [row])
        return is_news

    def open(self) -> None:
        """Remember that a batch went through."""
        with self._engine.begin() as connection:
            connection.execute(delete(_gate))

    def is_waiting(self, *, newest_pending: int, now: datetime) -> bool:
        """Say whether to try again by itself is of no use: it is closed, nothing came since, and that within a day."""
        with self._engine.connect() as connection:
            known = _load(connection)
        return known is not None and newest_pending <= known.newest_pending and now - known.tried_at < REMIND_AFTER


def _load(connection: Connection) -> _ClosedGate | None:
    row = connection.execute(select(_gate)).first()
    if row is None:
        return None
    return _ClosedGate(
        blocking=row.blocking,
        told_at=datetime.fromisoformat(row.told_at),
        tried_at=datetime.fromisoformat(row.tried_at),
        newest_pending=row.newest_pending,
    )
