"""The outbox: alerts from the moment a bundle is published until their channel has taken them.

Belongs here: keeping alerts, folding what is due into messages, and remembering attempts. Does not belong here: which
alerts there are, their wording and their sending (`blotter.alert`).

Nothing is lost and nothing is doubled on our side: alerts ride in the bundle and are enqueued by id when it is applied;
what goes into a message is fixed before its first attempt; an attempt is numbered and claimed before it is made. A
sender that is killed in the middle leaves its claim to run out, after which another tries again under the same message
id: a channel may see a message twice, and can tell by the id.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    delete,
    select,
    update,
)

from blotter.ids import make_id
from blotter.store.sql import chunk, insert_new
from blotter.store.state import metadata

CLAIM_S = 300  # how long an attempt may take before another sender may try
FIRST_PAUSE_S, LONGEST_PAUSE_S = 60, 6 * 3600
GIVE_UP_AFTER_S = 7 * 86_400

_alerts = Table(
    "outbox_alerts",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("alert_id", String, nullable=False, unique=True),
    Column("rule", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("due_at", String, nullable=False, index=True),
    Column("message_id", String, index=True),  # null until it is folded into a message
    Column("alert", LargeBinary, nullable=False),
)
_messages = Table(
    "outbox_messages",
    metadata,
    Column("message_id", String, primary_key=True),
    Column("rule", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("folded_at", String, nullable=False),
    Column("attempt", Integer, nullable=False),  # number of the last one, finished or not
    Column("next_at", String, nullable=False, index=True),
    Column("is_open", Boolean, nullable=False, index=True),
    Column("status", String),  # of the last finished attempt: sent, failed
    Column("error", String),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What one rule's readers are told over one channel of one incident version."""

    alert_id: str
    rule: str
    description: str  # the rule's
    channel: str
    incident_id: str
    change_ids: tuple[str, ...]
    due_at: datetime
    is_digest: bool
    storm: int  # more than this that are due at once become one message
    content: Mapping[str, Any]  # what is told, in JSON's types


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing to send: one alert, or a digest of several; `attempt` is the number of the attempt to be made."""

    message_id: str
    rule: str
    channel: str
    alerts: tuple[Alert, ...]
    attempt: int
    folded_at: datetime

    @property
    def change_ids(self) -> tuple[str, ...]:
        """The changes that it tells, each once."""
        return tuple(sorted({change_id for alert in self.alerts for change_id in alert.change_ids}))


class Outbox:
    """The alerts that wait, on the operational state's database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @staticmethod
    def encode(alerts: Iterable[Alert]) -> bytes:
        """Write alerts as bytes, to ride in the bundle whose changes they tell."""
        return msgspec.msgpack.encode([asdict(alert) for alert in alerts])

    def forget(self, connection: Connection, is_sought: Callable[[Alert], bool]) -> int:
        """Drop the alerts that are sought, sent or not, for a legal erasure, in the caller's transaction.

        A message that has none left is dropped with them: there is nothing to send.
        """
        kept = connection.execute(select(_alerts.c.seq, _alerts.c.message_id, _alerts.c.alert)).all()
        found = [row for row in kept if is_sought(msgspec.msgpack.decode(row.alert, type=Alert))]
        for part in chunk([row.seq for row in found]):
            connection.execute(delete(_alerts).where(_alerts.c.seq.in_(part)))
        told = select(_alerts.c.message_id).where(_alerts.c.message_id == _messages.c.message_id)
        for part in chunk(sorted({row.message_id for row in found if row.message_id is not None})):
            emptied = _messages.c.message_id.in_(part) & _messages.c.is_open & ~told.exists()
            connection.execute(delete(_messages).where(emptied))
        return len(found)

    def apply(self, connection: Connection, memory: bytes) -> None:
        """Enqueue the alerts of a published bundle; those that were enqueued before are left as they are."""
        self.enqueue(connection, msgspec.msgpack.decode(memory, type=list[Alert]))

    def enqueue(self, connection: Connection, alerts: Sequence[Alert]) -> None:
        """Keep alerts until they are sent, within the caller's transaction; known ids are left as they are."""
        rows = [
            {
                "alert_id": alert.alert_id,
                "rule": alert.rule,
                "channel": alert.channel,
                "due_at": _write_time(alert.due_at),
                "alert": msgspec.msgpack.encode(asdict(alert)),
            }
            for alert in alerts
        ]
        insert_new(connection, _alerts, rows)

    def take_due(self, now: datetime) -> list[Message]:
        """Fold what is due into messages and list those whose next attempt is due, the oldest first."""
        with self._engine.begin() as connection:
            _fold_due(connection, now)
            return _read_due(connection, now)

    def list_due(self, now: datetime) -> list[Message]:
        """List the messages that `take_due` would give, and change nothing."""
        with self._engine.connect() as connection:
            transaction = connection.begin()
            try:
                _fold_due(connection, now)
                return _read_due(connection, now)
            finally:
                transaction.rollback()

    def claim(self, message: Message, now: datetime) -> bool:
        """Claim the message's attempt, so that no other sender makes it; False where one has it or it is done."""
        with self._engine.begin() as connection:
            claimed = connection.execute(
                update(_messages)
                .where(
                    _messages.c.message_id == message.message_id,
                    _messages.c.is_open,
                    _messages.c.attempt == message.attempt - 1,
                )
                .values(attempt=message.attempt, next_at=_write_time(now + timedelta(seconds=CLAIM_S)))
            )
            return claimed.rowcount == 1

    def record_attempt(self, message: Message, *, now: datetime, error: str | None) -> None:
        """Remember how a claimed attempt went: done where there is no error, else due again after a growing pause.

        After a week without success the message is given up; `counts` tells of it.
        """
        age_s = (now - message.folded_at).total_seconds()
        pause_s = min(FIRST_PAUSE_S * 2 ** min(message.attempt - 1, 20), LONGEST_PAUSE_S)
        with self._engine.begin() as connection:
            connection.execute(
                update(_messages)
                .where(_messages.c.message_id == message.message_id, _messages.c.attempt == message.attempt)
                .values(
                    is_open=error is not None and age_s < GIVE_UP_AFTER_S,
                    status="sent" if error is None else "failed",
                    error=error,
                    next_at=_write_time(now + timedelta(seconds=pause_s)),
                )
            )

    def counts(self) -> dict[str, int]:
        """Count alerts that wait to be folded, and messages that are open, sent, or given up."""
        with self._engine.connect() as connection:
            waiting = connection.execute(select(_alerts.c.alert_id).where(_alerts.c.message_id.is_(None))).all()
            rows = connection.execute(select(_messages.c.is_open, _messages.c.status)).all()
        return {
            "n_waiting": len(waiting),
            "n_open": sum(row.is_open for row in rows),
            "n_sent": sum(not row.is_open and row.status == "sent" for row in rows),
            "n_given_up": sum(not row.is_open and row.status == "failed" for row in rows),
        }

    def count_folded(self, rule: str, since: datetime) -> int:
        """Count the messages of a rule that were folded from a time on, sent or not."""
        with self._engine.connect() as connection:
            recent = select(_messages.c.message_id).where(
                _messages.c.rule == rule, _messages.c.folded_at >= _write_time(since)
            )
            return len(connection.execute(recent).all())

    def forget_sent(self, before: datetime) -> int:
        """Drop what was sent and folded before a time, for maintenance; the table `alerts` keeps the record."""
        with self._engine.begin() as connection:
            old = select(_messages.c.message_id).where(
                _messages.c.is_open.is_(False), _messages.c.folded_at < _write_time(before)
            )
            connection.execute(delete(_alerts).where(_alerts.c.message_id.in_(old)))
            return connection.execute(delete(_messages).where(_messages.c.message_id.in_(old))).rowcount


def fold_alerts(alerts: Sequence[Alert]) -> list[tuple[Alert, ...]]:
    """Fold alerts that are due at once, of one rule and channel, into messages.

    Digests become one message. Others go one by one, unless there are more than the rule's `storm`: then they become
    one message too.
    """
    digests = tuple(alert for alert in alerts if alert.is_digest)
    single = tuple(alert for alert in alerts if not alert.is_digest)
    is_storm = bool(single) and len(single) > min(alert.storm for alert in single)
    return [
        *([digests] if digests else []),
        *([single] if is_storm else [(alert,) for alert in single]),
    ]


def _fold_due(connection: Connection, now: datetime) -> None:
    due = connection.execute(
        select(_alerts.c.alert)
        .where(_alerts.c.message_id.is_(None), _alerts.c.due_at <= _write_time(now))
        .order_by(_alerts.c.rule, _alerts.c.channel, _alerts.c.seq)
        .with_for_update()  # on PostgreSQL, a second sender waits and then finds them folded; SQLite queues anyway
    ).all()
    alerts = [msgspec.msgpack.decode(row.alert, type=Alert) for row in due]
    for (rule, channel), group in groupby(alerts, key=lambda alert: (alert.rule, alert.channel)):
        for folded in fold_alerts(list(group)):
            ids = [alert.alert_id for alert in folded]
            message_id = ids[0] if len(ids) == 1 else make_id("dig", rule, channel, sorted(ids))
            insert_new(
                connection,
                _messages,
                [
                    {
                        "message_id": message_id,
                        "rule": rule,
                        "channel": channel,
                        "folded_at": _write_time(now),
                        "attempt": 0,
                        "next_at": _write_time(now),
                        "is_open": True,
                    }
                ],
            )
            for start in range(0, len(ids), 500):
                chunk = ids[start : start + 500]
                connection.execute(update(_alerts).where(_alerts.c.alert_id.in_(chunk)).values(message_id=message_id))


def _read_due(connection: Connection, now: datetime) -> list[Message]:
    due = connection.execute(
        select(_messages)
        .where(_messages.c.is_open, _messages.c.next_at <= _write_time(now))
        .order_by(_messages.c.next_at, _messages.c.message_id)
    ).all()
    return [_read_message(connection, row) for row in due]


def _read_message(connection: Connection, row: Row[Any]) -> Message:
    alerts = connection.execute(
        select(_alerts.c.alert).where(_alerts.c.message_id == row.message_id).order_by(_alerts.c.seq)
    ).all()
    return Message(
        message_id=row.message_id,
        rule=row.rule,
        channel=row.channel,
        alerts=tuple(msgspec.msgpack.decode(one.alert, type=Alert) for one in alerts),
        attempt=row.attempt + 1,
        folded_at=datetime.fromisoformat(row.folded_at),
    )


def _write_time(at: datetime) -> str:
    """Write a time so that text sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
