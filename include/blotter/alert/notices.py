"""Notices to who is on call: what failed or is late, with what, and what to do next.

Belongs here: a notice, and making the outbox's alerts of it. Does not belong here: when there is cause for one (the
DAGs'), and sending. A notice goes the way of every alert: kept until a channel took it, tried again, and many that are
due at once are folded into one message.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from blotter.alert.rules import OPERATORS, AlertBook
from blotter.alert.wording import shorten
from blotter.ids import make_id
from blotter.store.outbox import Alert

STORM = 5  # more notices than this at once are one message
MAX_LINE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What an operator is told. `key` says what it is about: the same key is told once; `lines` are label and text."""

    key: Sequence[object]
    subject: str
    lines: Sequence[tuple[str, str]]
    happened_at: datetime
    url: str | None = None


def make_notice_alerts(book: AlertBook, notice: Notice) -> list[Alert]:
    """Give the alerts that tell a notice, one for each channel under `operators`; due at once."""
    return [
        Alert(
            alert_id=make_id("ntc", channel, *notice.key),
            rule=OPERATORS,
            description="",
            channel=channel,
            incident_id="",
            change_ids=(),
            due_at=notice.happened_at,
            is_digest=False,
            storm=STORM,
            content={
                "subject": shorten(" ".join(notice.subject.split())),
                "lines": [[label, shorten(text.strip(), MAX_LINE)] for label, text in notice.lines if text.strip()],
                "happened_at": notice.happened_at.isoformat(),
                "url": notice.url,
            },
        )
        for channel in book.operators
    ]
