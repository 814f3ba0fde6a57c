"""From Arrow tables to the frames that Great Expectations looks at: the columns it needs, and those worked out for it.

Belongs here: comparing a row with its declaration, its article, its version and its references, in columns whose names
start with an underscore: a complaint in words that is null where there is none, or a number with a natural bound. Does
not belong here: the bounds and what a failure means (`blotter.quality.suites`).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from blotter.ids import sha256_hex
from blotter.model import FIELDS
from blotter.quality.suites import References
from blotter.schemas import TABLES

Complaints = list[str | None]

# Rows of these appear together with what they refer to, so a batch that holds them must hold it too.
_SAME_BATCH = {
    "claims.reading_id": "readings.reading_id",
    "participants.incident_id": "incidents.incident_id",
    "facts.incident_id": "incidents.incident_id",
    "changes.incident_id": "incidents.incident_id",
}
_PLACEHOLDERS = frozenset(
    (
        *("unknown", "unnamed", "unidentified", "anonymous", "withheld", "undisclosed", "unspecified", "none", "null"),
        *("nan", "n/a", "na", "tbd", "tba", "?", "not released", "not known", "not available", "not identified"),
        *("john doe", "jane doe"),
    )
)
_MOVES = frozenset({"added", "refined", "revised", "retracted"})
_MIN_INCIDENTS = 20  # below this, a share says nothing
_SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Batch:
    """What the frames are made from: the tables of one batch, the clock, and what was published earlier."""

    tables: Mapping[str, pa.Table]
    now: datetime
    references: References
    usual_volumes: Mapping[str, float]

    def column(self, table: str, column: str) -> list[Any]:
        """Give one column's values; none where the batch has no such table."""
        return give_values(self.tables[table], column) if table in self.tables else []

    def texts(self) -> dict[str, str]:
        """Give the text of each revision in the batch."""
        return dict(zip(self.column("articles", "revision_id"), self.column("articles", "text"), strict=True))


def give_values(table: pa.Table, column: str) -> list[Any]:
    """Give one column as plain Python values."""
    values: list[Any] = table.column(column).to_pylist()
    return values


def find_structural_defect(name: str, table: pa.Table) -> str | None:
    """Compare a table's columns and types with the declaration; None where they agree."""
    if name not in TABLES:
        return f"{name} is no table of schemas.py"
    declared = TABLES[name].schema
    missing = [column for column in declared.names if column not in table.column_names]
    unknown = [column for column in table.column_names if column not in declared.names]
    if missing or unknown:
        return "; ".join(
            f"{what} {', '.join(columns)}" for what, columns in (("without", missing), ("with", unknown)) if columns
        )
    wrong = [
        f"{column.name} is {table.schema.field(column.name).type}, not {column.type}"
        for column in TABLES[name].columns
        if table.schema.field(column.name).type != column.type
    ]
    return "; ".join(wrong) or None


def build_frame(name: str, batch: Batch) -> pd.DataFrame:
    """Build the frame of one table (or of `batch`): its plain columns without texts, and its worked-out ones."""
    if name == "batch":
        return _build_volumes(batch)
    table = batch.tables[name]
    plain = [f.name for f in table.schema if not pa.types.is_nested(f.type) and f.name != "text"]
    frame = table.select(plain).to_pandas()
    worked_out: dict[str, Any] = {"_undeclared": _find_undeclared(name, table)}
    if any(column.references for column in TABLES[name].columns):
        worked_out["_missing_reference"] = _find_missing_references(name, table, batch)
    if name in _WORKED_OUT:
        worked_out |= _WORKED_OUT[name](table, batch)
    return frame.assign(**{column: _as_series(values) for column, values in worked_out.items()})


def _as_series(values: list[Any]) -> "pd.Series[Any]":
    """Keep words as words and numbers as floats also where all are missing, as Great Expectations needs it."""
    is_text = any(isinstance(value, str) for value in values)
    return pd.Series(values, dtype="object" if is_text or all(value is None for value in values) else "float64")


def _find_undeclared(name: str, table: pa.Table) -> Complaints:
    complaints: dict[int, list[str]] = {}
    for column in TABLES[name].columns:
        array = table.column(column.name)
        values = give_values(table, column.name) if column.values or array.null_count else []
        for row, value in enumerate(values):
            if value is None and not column.nullable:
                complaints.setdefault(row, []).append(f"{column.name} is null")
            elif value is not None and column.values:
                told = value if isinstance(value, list) else [value]
                wrong = [part for part in told if part not in column.values]
                if wrong:
                    complaints.setdefault(row, []).append(f"{column.name} is {', '.join(map(repr, wrong))}")
    return [", ".join(complaints[row]) if row in complaints else None for row in range(table.num_rows)]


def _find_missing_references(name: str, table: pa.Table, batch: Batch) -> Complaints:
    complaints: Complaints = [None] * table.num_rows
    for column in TABLES[name].columns:
        target = column.references
        if target is None:
            continue
        earlier = batch.references.get(target)
        if earlier is None and _SAME_BATCH.get(f"{name}.{column.name}") != target:
            continue  # nobody said what was published earlier
        here = set(batch.column(*target.split(".")))
        for row, value in enumerate(table.column(column.name).to_pylist()):
            if value is not None and value not in here and (earlier is None or value not in earlier):
                complaints[row] = f"{column.name} {value} is no {target}"
    return complaints


def _work_out_articles(table: pa.Table, batch: Batch) -> dict[str, list[Any]]:
    texts, titles = give_values(table, "text"), give_values(table, "title")
    published, fetched = give_values(table, "published_at"), give_values(table, "fetched_at")
    return {
        "_text_sha256": [sha256_hex(text) for text in texts],
        "_text_start": [text[: len(title)] for text, title in zip(texts, titles, strict=True)],
        "_text_length": [len(text.strip()) for text in texts],
        "_published_ahead_days": [_days(p, f) for p, f in zip(published, fetched, strict=True)],
    }


def _work_out_claims(table: pa.Table, batch: Batch) -> dict[str, list[Any]]:
    texts = batch.texts()
    worked_out: dict[str, list[Any]] = {
        name: []
        for name in (
            *("_quoted", "_misplaced_value", "_misplaced_field", "_placeholder"),
            *("_age", "_count", "_happened_ahead_days"),
        )
    }
    names = ("revision_id", "quote", "quote_start", "quote_end", "field", "value", "state", "participant_ref")
    columns = [give_values(table, name) for name in (*names, "published_at")]
    for revision_id, quote, start, end, field, value, state, person, published_at in zip(*columns, strict=True):
        text = texts.get(revision_id)  # a reading of a revision that was published earlier is checked there
        worked_out["_quoted"].append(quote if text is None else text[start:end] if 0 <= start < end else "")
        may_be_known = state in ("known", "disputed")
        misplaced = (value is None) == (state == "known") or (value is not None and not may_be_known)
        worked_out["_misplaced_value"].append(f"{state} with value {value!r}" if misplaced else None)
        worked_out["_misplaced_field"].append(_find_misplaced_field(field, person))
        worked_out["_placeholder"].append(value if value and value.strip().lower() in _PLACEHOLDERS else None)
        worked_out["_age"].append(_number(value) if field == "age" else None)
        worked_out["_count"].append(_number(value) if field in ("n_killed", "n_injured") else None)
        happened = _day(value) if field == "occurred_date" else None
        worked_out["_happened_ahead_days"].append((happened - published_at.date()).days if happened else None)
    return worked_out


def _find_misplaced_field(field: str, participant_ref: int | None) -> str | None:
    spec = FIELDS.get(field)
    if spec is None:
        return f"{field!r} is no field"
    if (spec.of == "participant") != (participant_ref is not None):
        return f"{field} is a field of the {spec.of}, and participant_ref is {participant_ref}"
    return None


def _work_out_incidents(table: pa.Table, batch: Batch) -> dict[str, list[Any]]:
    places = ("street", "neighborhood", "city", "county", "state", "country")
    others = ("known_at", "occurred_date", "last_published_at", "participants", "n_killed", "n_injured")
    rows = table.select([*places, *others]).to_pylist()
    is_worth_a_share = len(rows) >= _MIN_INCIDENTS
    return {
        "_known_ahead_s": [(row["known_at"] - batch.now).total_seconds() for row in rows],
        "_happened_ahead_days": [
            (row["occurred_date"] - row["last_published_at"].date()).days
            if row["occurred_date"] and row["last_published_at"]
            else None
            for row in rows
        ],
        "_least_count": [
            min((n for n in (row["n_killed"], row["n_injured"]) if n is not None), default=None) for row in rows
        ],
        "_uncounted_dead": [
            None if row["n_killed"] is None else _count_dead(row["participants"]) - row["n_killed"] for row in rows
        ],
        "_has_place": [float(not is_worth_a_share or any(row[name] for name in places)) for row in rows],
    }


def _count_dead(participants: list[dict[str, Any]]) -> int:
    return sum(participant["condition"] == "killed" for participant in participants)


def _work_out_participants(table: pa.Table, batch: Batch) -> dict[str, list[Any]]:
    pairs = zip(give_values(table, "name"), give_values(table, "name_state"), strict=True)
    return {
        "_misplaced_value": [
            f"name is {name!r} and its state {state}"
            if (name is None) == (state == "known") or (name is not None and state not in ("known", "disputed"))
            else None
            for name, state in pairs
        ],
        "_disagrees": _find_disagreements(table, batch),
    }


def _work_out_facts(table: pa.Table, batch: Batch) -> dict[str, list[Any]]:
    evidence = zip(give_values(table, "claim_ids"), give_values(table, "judgement_id"), strict=True)
    return {
        "_n_evidence": [len(claim_ids) + (judgement_id is not None) for claim_ids, judgement_id in evidence],
        "_disagrees": _find_disagreements(table, batch),
    }


def _work_out_changes(table: pa.Table, batch: Batch) -> dict[str, list[Any]]:
    texts: dict[str, list[str]] = {}
    for article_id, text in zip(batch.column("articles", "article_id"), batch.column("articles", "text"), strict=True):
        texts.setdefault(article_id, []).append(text)
    rows = table.select(["kind", "before_state", "before", "after_state", "after", "article_id", "quote"]).to_pylist()
    return {
        "_unchanged": [_find_unchanged(row) for row in rows],
        # An article that was published earlier is not in the batch: its quotes were checked as claims.
        "_misquoted": [
            row["quote"]
            if row["quote"]
            and row["article_id"] in texts
            and not any(row["quote"] in text for text in texts[row["article_id"]])
            else None
            for row in rows
        ],
        "_disagrees": _find_disagreements(table, batch),
    }


def _find_unchanged(row: dict[str, Any]) -> str | None:
    for side in ("before", "after"):
        try:
            json.loads(row[side] or "null")
        except ValueError:
            return f"{side} is no JSON: {row[side]}"
    is_same = (row["before_state"], row["before"]) == (row["after_state"], row["after"])
    return f"{row['after_state']} {row['after']} stands before and after" if is_same and row["kind"] in _MOVES else None


def _find_disagreements(table: pa.Table, batch: Batch) -> Complaints:
    keys = zip(batch.column("incidents", "incident_id"), batch.column("incidents", "version"), strict=True)
    known_at = dict(zip(keys, batch.column("incidents", "known_at"), strict=True))
    columns = (give_values(table, name) for name in ("incident_id", "version", "known_at"))
    complaints: Complaints = []
    for incident_id, version, at in zip(*columns, strict=True):
        expected = known_at.get((incident_id, version))
        if expected is None:
            complaints.append(f"version {version} of {incident_id} is not in the batch")
        else:
            complaints.append(None if expected == at else f"known_at is {at}, that of the version is {expected}")
    return complaints


def _build_volumes(batch: Batch) -> pd.DataFrame:
    sources = batch.column("articles", "source_id")
    counts = pd.Series(sources, dtype="object").value_counts()
    listed = [
        {"source_id": source, "n_articles": int(counts.get(source, 0)), "n_usual": usual}
        for source, usual in sorted(batch.usual_volumes.items())
        if usual > 0
    ]
    frame = pd.DataFrame(listed, columns=["source_id", "n_articles", "n_usual"])
    return frame.assign(_volume_ratio=frame.n_articles.astype("float64") / frame.n_usual.astype("float64"))


def _days(later: datetime, earlier: datetime) -> float:
    return (later - earlier).total_seconds() / _SECONDS_A_DAY


def _number(value: str | None) -> float | None:
    if value is None:
        return None
    try:
        return float(value)
    except ValueError:
        return float("inf")  # no number at all: outside every bound


def _day(value: str | None) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        return date.max


_WORKED_OUT: Mapping[str, Callable[[pa.Table, Batch], dict[str, list[Any]]]] = {
    "articles": _work_out_articles,
    "claims": _work_out_claims,
    "incidents": _work_out_incidents,
    "participants": _work_out_participants,
    "facts": _work_out_facts,
    "changes": _work_out_changes,
}
