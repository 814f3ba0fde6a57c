"""Sending what is due: each message over its channel, one attempt at a time, each attempt remembered.

Belongs here: what a channel is, and the loop over messages. Does not belong here: when a message is due and what became
of earlier attempts (`blotter.store.outbox`), the channels themselves (`blotter.alert.channels`).
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from blotter.alert.render import RenderedMessage, render_message
from blotter.config import Settings
from blotter.errors import BlotterError
from blotter.store.outbox import Message, Outbox

log = logging.getLogger(__name__)

Row = dict[str, Any]
_MAX_ERROR = 500  # characters


class DeliveryFailed(BlotterError):
    """A channel did not take a message; `is_down` says that it takes none at all for now."""

    def __init__(self, reason: str, *, is_down: bool = False) -> None:
        self.is_down = is_down
        super().__init__(reason)


class Channel(Protocol):
    """Something that takes messages."""

    def send(self, message: RenderedMessage) -> None:
        """Hand one message over; returns once it is taken, raises DeliveryFailed where it is not."""


def deliver_due(
    outbox: Outbox,
    channels: Mapping[str, Channel],
    *,
    now: datetime,
    is_dry_run: bool = False,
    rule: str | None = None,
    stage_attempt: Callable[[Row], None] = lambda row: None,
) -> list[Row]:
    """Send every message that is due, or those of one rule; gives the attempts as rows of `alerts`, in order.

    Each row goes to `stage_attempt` before its outcome is remembered, so that no finished attempt is missing from the
    table. A channel that is down is not asked again in this call; the others are served. A dry run logs what is due.
    """
    attempts: list[Row] = []
    down: set[str] = set()
    for message in outbox.list_due(now) if is_dry_run else outbox.take_due(now):
        if rule not in (None, message.rule):
            continue
        if is_dry_run:
            rendered = render_message(message)
            log.info("due for %s, not sent in a dry run: %s\n%s", message.channel, rendered.subject, rendered.text)
        elif message.channel not in down and outbox.claim(message, now):
            failure = _attempt(message, channels.get(message.channel))
            if failure is not None and failure.is_down:
                down.add(message.channel)
            row = _build_row(message, now, failure)
            stage_attempt(row)
            outbox.record_attempt(message, now=now, error=row["error"])
            attempts.append(row)
    return attempts


def make_channels(settings: Settings, secrets: Mapping[str, str] | None = None) -> dict[str, Channel]:
    """Make every channel that a rule of the file `settings.alerts` uses; raises SettingsError where one cannot work.

    `secrets` gives the values of the environment variables that channels name; without it, the environment does.
    """
    from blotter.alert import channels
    from blotter.alert.rules import load_rules

    return channels.make_channels(load_rules(settings.alerts), settings, secrets)


def _attempt(message: Message, channel: Channel | None) -> DeliveryFailed | None:
    if channel is None:
        return DeliveryFailed(f"there is no channel {message.channel} any more", is_down=True)
    try:
        channel.send(render_message(message))
    except DeliveryFailed as failure:
        log.warning("alert %s was not taken by %s: %s", message.message_id, message.channel, failure)
        return failure
    except Exception as crash:
        log.exception("alert %s crashed the channel %s", message.message_id, message.channel)
        return DeliveryFailed(f"{type(crash).__name__}: {crash}")
    return None


def _build_row(message: Message, now: datetime, failure: DeliveryFailed | None) -> Row:
    return {
        "alert_id": message.message_id,
        "change_ids": list(message.change_ids),
        "rule": message.rule,
        "channel": message.channel,
        "status": "sent" if failure is None else "failed",
        "attempt": message.attempt,
        "sent_at": now,
        "error": None if failure is None else str(failure)[:_MAX_ERROR],
    }
