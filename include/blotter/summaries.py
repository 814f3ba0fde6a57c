"""What a run published, in a few lines that a person can read: for the asset view and the like.

Belongs here: a small picture of one run's rows. Does not belong here: alerts, which have rules and readers.
"""

import json
from collections import Counter
from datetime import UTC, timedelta
from typing import Any

from blotter import queries
from blotter.alert.wording import shorten, word_side
from blotter.config import Settings
from blotter.ids import canonical_text
from blotter.model import ClaimState
from blotter.stores import read_clock

SHOWN = 10  # headlines and changes that are told in full
_LOOK_BACK = timedelta(days=1)  # a run that began before midnight published on the day before


def summarize_run(settings: Settings, run_id: str) -> dict[str, dict[str, Any]]:
    """Tell what a run published of `incidents` and `changes`: counts, and the first few in words."""
    today = read_clock(settings).astimezone(UTC).date()
    days = dict.fromkeys(("incidents", "changes"), (today - _LOOK_BACK, today))
    connection = queries.connect(settings.warehouse)
    try:
        session = queries.open_days(connection, settings.warehouse, days)
        incidents = queries.fetch_rows(
            session,
            "SELECT incident_id, version, headline, city, state FROM incidents WHERE run_id = ? "
            "ORDER BY version > 1, incident_id",
            [run_id],
        )
        changes = queries.fetch_rows(
            session,
            "SELECT incident_id, field, kind, cause, before_state, before, after_state, after FROM changes "
            "WHERE run_id = ? AND version > 1 ORDER BY incident_id, field, change_id",
            [run_id],
        )
        session.close()
    finally:
        connection.close()
    return {"incidents": _summarize_incidents(incidents), "changes": _summarize_changes(changes, incidents)}


def _summarize_incidents(incidents: list[queries.Row]) -> dict[str, Any]:
    new = [row for row in incidents if row["version"] == 1]
    return {
        "new incidents": len(new),
        "new versions of known ones": len(incidents) - len(new),
        "headlines": [shorten(" ".join(row["headline"].split())) for row in incidents[:SHOWN]],
    }


def _summarize_changes(changes: list[queries.Row], incidents: list[queries.Row]) -> dict[str, Any]:
    places = {row["incident_id"]: ", ".join(filter(None, (row["city"], row["state"]))) for row in incidents}
    return {
        "changes of known incidents": len(changes),
        "by cause": dict(Counter(row["cause"] for row in changes).most_common()),
        "by field": dict(Counter(row["field"] for row in changes).most_common(SHOWN)),
        "first": [f"{places.get(row['incident_id'], '')}: {_tell(row)}".strip(": ") for row in changes[:SHOWN]],
    }


def _tell(row: queries.Row) -> str:
    before, after = (_word(row, side) for side in ("before", "after"))
    return shorten(f"{row['field'].replace('_', ' ')}: {before or 'nothing'} -> {after or 'nothing'} ({row['kind']})")


def _word(row: queries.Row, side: str) -> str | None:
    value, state = row[side], row[f"{side}_state"]
    plain = canonical_text(json.loads(value)) if value is not None else None
    return word_side(row["field"], plain, ClaimState(state) if state else None)
