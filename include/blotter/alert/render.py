"""How a message looks: subject, text, HTML and JSON of one alert, of a digest, or of notices to who is on call.

Belongs here: layout. Does not belong here: the words for values (`blotter.alert.wording`) and sending. HTML is escaped
by the template engine, since everything in it came from outside.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import jinja2

from blotter.alert.rules import OPERATORS
from blotter.alert.wording import word_moment
from blotter.store.outbox import Message

MAX_TOLD = 50  # incidents that a digest tells in full; the JSON form has them all


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMessage:
    """One message in all its forms; `message_id` is the same in every attempt."""

    message_id: str
    rule: str
    channel: str
    subject: str
    created_at: datetime
    text: str
    html: str
    payload: Mapping[str, Any]

    @property
    def json(self) -> str:
        """The JSON form on one line."""
        return json.dumps(self.payload, ensure_ascii=False, sort_keys=True)


def render_message(message: Message) -> RenderedMessage:
    """Render a message in all forms; the rule and its description come last: they say why one is told."""
    contents = [alert.content for alert in message.alerts]
    if message.rule == OPERATORS:
        return _render_notices(message, contents)
    subject = contents[0]["subject"] if len(contents) == 1 else _word_digest(contents)
    told: dict[str, Any] = {
        "subject": subject,
        "incidents": [{**content, "told": _group_by_quote(content["changes"])} for content in contents[:MAX_TOLD]],
        "n_untold": max(0, len(contents) - MAX_TOLD),
        "rule": message.rule,
        "description": message.alerts[-1].description,
        "alert_id": message.message_id,
    }
    payload = {"alert_id": message.message_id, "rule": message.rule, "subject": subject, "incidents": contents}
    return _fill_templates(message, "message", told, payload)


def _render_notices(message: Message, notices: Sequence[Mapping[str, Any]]) -> RenderedMessage:
    subject = notices[0]["subject"] if len(notices) == 1 else f"blotter: {len(notices)} things to see to"
    told: dict[str, Any] = {
        "subject": subject,
        "notices": notices[:MAX_TOLD],
        "n_untold": max(0, len(notices) - MAX_TOLD),
        "alert_id": message.message_id,
    }
    payload: dict[str, Any] = {
        "alert_id": message.message_id,
        "rule": message.rule,
        "subject": subject,
        "incidents": [],
    }
    return _fill_templates(message, "notice", told, {**payload, "notices": list(notices)})


def _fill_templates(
    message: Message, template: str, told: Mapping[str, Any], payload: Mapping[str, Any]
) -> RenderedMessage:
    return RenderedMessage(
        message_id=message.message_id,
        rule=message.rule,
        channel=message.channel,
        subject=told["subject"],
        created_at=message.folded_at,
        text=_templates().get_template(f"{template}.txt").render(told),
        html=_templates().get_template(f"{template}.html").render(told),
        payload=payload,
    )


def _group_by_quote(changes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Put changes that one sentence carries together, so that it is quoted once; minor ones are left out."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for change in [change for change in changes if not change["is_minor"]] or changes:
        key = tuple(change[name] for name in ("quote", "source_id", "published", "url", "why"))
        groups.setdefault(key, []).append(change)
    return [{**listed[0], "changes": _merge_lines(listed)} for listed in groups.values()]


def _merge_lines(changes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Tell a field once that both moved and opened or settled a conflict."""
    lines: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for change in changes:
        key = (change["participant_id"], change["field"], change["after"])
        known = lines.get(key, change)
        lines[key] = {**known, "before": known["before"] or change["before"], "note": known["note"] or change["note"]}
    return list(lines.values())


def _word_digest(contents: list[Mapping[str, Any]]) -> str:
    n_incidents = len({content["incident_id"] for content in contents})
    n_changes = sum(len(content["changes"]) for content in contents)
    n_new = sum(content["is_new"] for content in contents)
    told = f"{_count(n_changes, 'change')} in {_count(n_incidents, 'incident')}"
    return f"{told}, {n_new} of them new" if n_new else told


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("blotter.alert"),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["moment"] = lambda iso: word_moment(datetime.fromisoformat(iso))
    return environment
