"""Telling who is on call, and finding what they are to be told of.

Belongs here: a notice's way through the outbox to the channels under `operators`, and the feeds that are in trouble.
Does not belong here: wording a notice about a task or a run (`blotter_airflow.oncall`), which knows Airflow.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

from blotter.alert.channels import make_channels
from blotter.alert.delivery import Channel, DeliveryFailed, deliver_due
from blotter.alert.notices import STORM, Notice, make_notice_alerts
from blotter.alert.render import render_message
from blotter.alert.rules import OPERATORS, load_rules
from blotter.config import Settings
from blotter.ingest.health import HealthRow
from blotter.sourcing import read_sources_health
from blotter.store.outbox import Alert, Message
from blotter.stores import Stores

_REMEMBERED = timedelta(days=90)
_ONE_STORM = timedelta(minutes=15)  # what fails within it is told together, but for the first few

log = logging.getLogger(__name__)


def tell_operators(settings: Settings, notice: Notice, secrets: Mapping[str, str] | None = None) -> int:
    """Tell a notice over every channel under `operators`; returns how many took it now. The others are tried again.

    The first few are told at once; where many things fail together, the rest waits for `send_alerts`, which folds it
    into one message a channel.

    It is written into the log in any case. Where the outbox itself cannot be had, the channels are asked directly: the
    state may be what is broken. Raises nothing of a channel's; SettingsError where the file of rules cannot work.
    """
    log.error("%s\n%s", notice.subject, "\n".join(f"{label}: {text}" for label, text in notice.lines))
    book = load_rules(settings.alerts)
    alerts = make_notice_alerts(book, notice)
    if not alerts:
        return 0
    try:
        with Stores(settings) as stores:
            with stores.engine.begin() as connection:
                stores.outbox.enqueue(connection, alerts)
            now = stores.now()
            if stores.outbox.count_folded(OPERATORS, now - _ONE_STORM) >= STORM * len(book.operators):
                return 0
            attempts = deliver_due(
                stores.outbox,
                make_channels(book, settings, secrets),
                now=now,
                rule=OPERATORS,
                stage_attempt=lambda row: stores.ledger.stage_rows("alerts", [row]),
            )
    except Exception:  # whatever keeps the outbox from us must not keep the notice from its reader
        log.exception("the outbox cannot be had: the channels are asked directly")
        return _send_directly(make_channels(book, settings, secrets), alerts)
    return sum(attempt["status"] == "sent" for attempt in attempts)


def find_troubled_feeds(settings: Settings, source_ids: Sequence[str] = ()) -> list[HealthRow]:
    """Find the feeds, of all or of some sources, of which something is wrong by their own habit."""
    rows = read_sources_health(settings)
    return [row for row in rows if row.fault is not None and (not source_ids or row.source_id in source_ids)]


def forget_sent_alerts(settings: Settings) -> int:
    """Drop what was sent, or given up, three months ago and before from the outbox; returns how many messages.

    The table `alerts` keeps the record. An outage that was told before may be told again after that.
    """
    with Stores(settings) as stores:
        return stores.outbox.forget_sent(stores.now() - _REMEMBERED)


def _send_directly(channels: Mapping[str, Channel], alerts: Sequence[Alert]) -> int:
    n_taken = 0
    for alert in alerts:
        message = Message(
            message_id=alert.alert_id,
            rule=OPERATORS,
            channel=alert.channel,
            alerts=(alert,),
            attempt=1,
            folded_at=alert.due_at,
        )
        try:
            channels[alert.channel].send(render_message(message))
            n_taken += 1
        except DeliveryFailed as failure:
            log.warning("notice %s was not taken by %s: %s", alert.alert_id, alert.channel, failure)
    return n_taken
