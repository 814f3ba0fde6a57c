"""What a rule would have sent: the same matching, folding and wording, over changes that are published already.

Belongs here: reading published changes back as records. Does not belong here: sending; a rehearsal reaches nobody.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from itertools import groupby
from typing import Any

import duckdb

from blotter.alert.match import match_changes
from blotter.alert.render import RenderedMessage, render_message
from blotter.alert.rules import AlertBook
from blotter.errors import SettingsError
from blotter.ids import make_id
from blotter.model import (
    FIELDS,
    Article,
    Basis,
    CaseStatus,
    Change,
    ChangeCause,
    ChangeKind,
    Claim,
    ClaimState,
    Condition,
    Conflict,
    Incident,
    LegalStatus,
    Participant,
    Precision,
    Role,
    Value,
)
from blotter.queries import Row, fetch_rows
from blotter.store.outbox import Alert, Message, fold_alerts


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """One message that a rule would have sent to its channels."""

    due_at: datetime
    channels: tuple[str, ...]
    message: RenderedMessage


def rehearse_rule(
    book: AlertBook, rule: str, connection: duckdb.DuckDBPyConnection, *, since: datetime, until: datetime
) -> list[Rehearsed]:
    """Give the messages that one rule, enabled or not, would have sent of what became known from `since` up to `until`.

    `connection` comes from `blotter.queries.connect`. Messages are in the order in which they would have gone out.
    Raises SettingsError where there is no such rule.
    """
    if rule not in book.rules:
        raise SettingsError("rule", f"a name under `rules`: {', '.join(book.rules)}", rule)
    wanted = book.rules[rule]
    one = wanted.model_copy(update={"channels": wanted.channels[:1], "enabled": True})
    rows = fetch_rows(connection, "FROM changes WHERE known_at >= ? AND known_at < ?", [since, until])
    alerts = match_changes(
        book.model_copy(update={"rules": {rule: one}}),
        changes=map(_read_change, rows),
        incidents=_read_incidents(connection, since, until),
        articles=_read_articles(connection, {row["article_id"] for row in rows}),
        claims=_read_claims(connection, {row["claim_id"] for row in rows}),
    )
    alerts.sort(key=lambda alert: (alert.due_at, alert.alert_id))
    return [
        Rehearsed(due_at=due_at, channels=wanted.channels, message=_render(rule, due_at, folded))
        for due_at, due in groupby(alerts, key=lambda alert: alert.due_at)
        for folded in fold_alerts(list(due))
    ]


def _render(rule: str, due_at: datetime, alerts: tuple[Alert, ...]) -> RenderedMessage:
    message_id = alerts[0].alert_id if len(alerts) == 1 else make_id("dig", [alert.alert_id for alert in alerts])
    return render_message(
        Message(message_id=message_id, rule=rule, channel=alerts[0].channel, alerts=alerts, attempt=1, folded_at=due_at)
    )


def _read_change(row: Row) -> Change:
    given = _pick(row, Change)
    given["kind"], given["cause"] = ChangeKind(given["kind"]), ChangeCause(given["cause"])
    for side in ("before", "after"):
        state = given[f"{side}_state"]
        given[f"{side}_state"] = ClaimState(state) if state else None
        given[side] = _read_value(given["field"], given[side])
    return Change(**given)


def _read_value(field: str, text: str | None) -> Value:
    """Undo the canonical JSON of a value: days become dates again, lists tuples."""
    value = None if text is None else json.loads(text)
    if isinstance(value, list):
        return tuple(str(part) for part in value)
    if isinstance(value, str) and field in FIELDS and FIELDS[field].type is date:
        return date.fromisoformat(value)
    return value


def _read_incidents(connection: duckdb.DuckDBPyConnection, since: datetime, until: datetime) -> Iterable[Incident]:
    for row in fetch_rows(connection, "FROM incidents WHERE known_at >= ? AND known_at < ?", [since, until]):
        given = _pick(row, Incident)
        given["conflicts"] = tuple(_read_conflict(conflict) for conflict in given["conflicts"])
        given["incident_types"] = tuple(given["incident_types"])
        given["occurred_precision"] = Precision(given["occurred_precision"])
        given["status"] = CaseStatus(given["status"]) if given["status"] else None
        given["participants"] = tuple(_read_participant(participant) for participant in given["participants"])
        yield Incident(**given)


def _read_conflict(row: Row) -> Conflict:
    return Conflict(**{**row, "values": tuple(row["values"]), "source_ids": tuple(row["source_ids"])})


def _read_participant(row: Row) -> Participant:
    given = _pick(row, Participant)
    given["role"] = Role(given["role"])
    given["charges"] = tuple(given["charges"] or ())
    for name, kind in (("name_state", ClaimState), ("condition", Condition), ("legal_status", LegalStatus)):
        given[name] = kind(given[name]) if given[name] else None
    return Participant(**given)


def _read_articles(connection: duckdb.DuckDBPyConnection, article_ids: set[str | None]) -> Iterable[Article]:
    newest = """
        FROM articles WHERE list_contains(?, article_id)
        QUALIFY row_number() OVER (PARTITION BY article_id ORDER BY revision DESC) = 1
    """
    for row in fetch_rows(connection, newest, [sorted(filter(None, article_ids))]):
        yield Article(**_pick(row, Article))


def _read_claims(connection: duckdb.DuckDBPyConnection, claim_ids: set[str | None]) -> Iterable[Claim]:
    wanted = "FROM claims WHERE list_contains(?, claim_id)"
    for row in fetch_rows(connection, wanted, [sorted(filter(None, claim_ids))]):
        given = _pick(row, Claim)
        given["role"] = Role(given["role"]) if given["role"] else None
        given["state"], given["basis"] = ClaimState(given["state"]), Basis(given["basis"])
        given["value"] = _read_text(given["field"], given["value"])
        yield Claim(**given)


def _read_text(field: str, text: str | None) -> Value:
    """Undo the plain text of a claim's value, which is of its field's type."""
    kind = FIELDS[field].type
    if text is None or kind is str:
        return text
    return date.fromisoformat(text) if kind is date else kind(text)


def _pick(row: Row, record: type) -> dict[str, Any]:
    return {f.name: row[f.name] for f in fields(record) if f.name in row}
