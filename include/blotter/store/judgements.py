"""What became of each judgement: followed with some batch, or refused, and why.

Belongs here: that memory, by which a judgement that is handed in twice counts once. Does not belong here: judgements
that wait for a batch (rows that the ledger keeps, like all others), and following them (`blotter.update`).
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Column, Connection, Engine, String, Table, delete

from blotter.store.sql import insert_new, insert_or_replace, look_up
from blotter.store.state import metadata

_followed = Table(
    "followed_judgements",
    metadata,
    Column("judgement_id", String, primary_key=True),
    Column("refusal", String),  # null: it was followed
)


class JudgementMemory:
    """The outcomes in the state at `engine`; creates its table where it is missing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        metadata.create_all(engine, tables=[_followed])

    def outcomes(self, judgement_ids: Iterable[str]) -> dict[str, str | None]:
        """Say why judgements were refused, None where they were followed; those not heard of are left out."""
        with self._engine.connect() as connection:
            rows = look_up(connection, _followed.c.judgement_id, list(judgement_ids), list(_followed.c))
        return {row.judgement_id: row.refusal for row in rows}

    def encode(self, outcomes: Mapping[str, str | None]) -> bytes:
        """Write outcomes as the bytes that a bundle carries."""
        return msgspec.msgpack.encode(dict(outcomes))

    def apply(self, connection: Connection, memory: bytes) -> None:
        """Learn what `encode` froze, in the caller's transaction; again is the same as once."""
        outcomes = msgspec.msgpack.decode(memory, type=dict[str, str | None])
        insert_or_replace(
            connection, _followed, [{"judgement_id": one, "refusal": refusal} for one, refusal in outcomes.items()]
        )

    def clear(self, connection: Connection) -> None:
        """Forget everything, in the caller's transaction."""
        connection.execute(delete(_followed))

    def restore(self, connection: Connection, judgement_ids: Sequence[str]) -> None:
        """Learn again what the table `judgements` has: all of them were followed."""
        insert_new(connection, _followed, [{"judgement_id": one, "refusal": None} for one in judgement_ids])
