"""Records as rows: one function a table, and the stamp that every row carries.

Belongs here: which attribute of a record goes into which column. Does not belong here: the columns' types and meanings
(`blotter.schemas`) and any decision (an `Incident` comes resolved, a `Change` comes decided).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields, replace
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from blotter.ids import canonical_json, canonical_text
from blotter.model import (
    FIELDS,
    Alignment,
    Article,
    Basis,
    Change,
    Claim,
    ClaimState,
    Conflict,
    Disposition,
    Document,
    Incident,
    Judgement,
    Link,
    Notice,
    Participant,
    Reading,
    ReadingKind,
    Rejection,
    Role,
    Value,
)
from blotter.schemas import TABLES, build_table

Row = dict[str, Any]

ERASED = "[erased]"  # stands where a column may not be null
# What a row of a ledger table says of a document that was erased.
ERASED_COLUMNS: Mapping[str, Row] = {
    "inputs": {"location": ERASED},
    "fetches": {"url": ERASED, "final_url": None},
    "quarantine": {"message": ERASED, "location": ERASED, "origin": None, "retryable": False},
}


def _attributes(record: Any) -> Row:
    return {f.name: getattr(record, f.name) for f in fields(record)}


def input_row(
    arrived: Document | Rejection, disposition: Disposition, *, article_id: str | None = None, reason: str | None = None
) -> Row:
    """The row of `inputs` for one input and what became of it."""
    return {
        "input_id": arrived.input_id,
        "kind": arrived.kind,
        "source_id": arrived.source_id,
        "location": arrived.location,
        "payload_sha256": arrived.payload_sha256,
        "disposition": disposition,
        "article_id": article_id,
        "reason": reason,
        "replay_of": arrived.replay_of,
    }


def blank_document(document: Document) -> Document:
    """Leave nothing of an erased document that says what it was: its ids and its address in the archive stay."""
    return replace(document, location=ERASED, url=None, title=None, author=None)


def quarantine_row(rejection: Rejection, document: Document | None = None) -> Row:
    """The row of `quarantine` for one rejected input: of the `document` that it became, or of a delivery in which none
    could be seen.
    """
    told = {
        name: getattr(rejection, name)
        for name in ("input_id", "stage", "reason", "message", "location", "payload_sha256", "retryable")
    }
    return {**told, "origin": _tell_origin(rejection, document)}


def _tell_origin(rejection: Rejection, document: Document | None) -> str | None:
    if document is not None:
        said = {name: value for name, value in _attributes(document).items() if value is not None}
        return canonical_json({"document": said})
    if rejection.arrival is None:
        return None
    delivery = {name: getattr(rejection, name) for name in ("arrival", "received_at", "modified_at")}
    return canonical_json({"delivery": delivery})


def article_row(article: Article) -> Row:
    """The row of `articles` for one revision."""
    return _attributes(article)


def reading_row(reading: Reading) -> Row:
    """The row of `readings` for one reading."""
    return {name: value for name, value in _attributes(reading).items() if name != "claims"}


def claim_rows(article: Article, reading: Reading) -> Iterator[Row]:
    """The rows of `claims` for one reading, in the order of the text."""
    for claim in reading.claims:
        yield {
            **_attributes(claim),
            "value": canonical_text(claim.value),
            "reading_id": reading.reading_id,
            "article_id": article.article_id,
            "revision_id": article.revision_id,
            "published_at": article.published_at,
        }


def link_row(link: Link) -> Row:
    """The row of `links` for one judgement of the linker."""
    return _attributes(link)


def alignment_row(alignment: Alignment) -> Row:
    """The row of `alignments` for one placed participant."""
    return _attributes(alignment)


def judgement_row(judgement: Judgement) -> Row:
    """The row of `judgements` for one decision of a person."""
    return _attributes(judgement)


def incident_row(incident: Incident) -> Row:
    """The row of `incidents` for one version, participants and conflicts inside it as structs."""
    return {
        **{name: value for name, value in _attributes(incident).items() if name != "facts"},
        "participants": [_struct(participant) for participant in incident.participants],
        "conflicts": [_struct(conflict) for conflict in incident.conflicts],
    }


def participant_rows(incident: Incident) -> Iterator[Row]:
    """The rows of `participants` for one version."""
    for participant in incident.participants:
        yield {**_version_of(incident), **_attributes(participant)}


def fact_rows(incident: Incident) -> Iterator[Row]:
    """The rows of `facts` for one version: the facts that came to stand with it, `incident.facts`."""
    for fact in incident.facts:
        yield {
            **_version_of(incident),
            **_attributes(fact),
            "value": canonical_text(fact.value),
            "rivals": [{**asdict(rival), "value": canonical_text(rival.value)} for rival in fact.rivals],
        }


def change_row(change: Change) -> Row:
    """The row of `changes` for one change; values before and after as canonical JSON, null where there is none."""
    return {
        **_attributes(change),
        "before": None if change.before is None else canonical_json(change.before),
        "after": None if change.after is None else canonical_json(change.after),
    }


def read_article(row: Mapping[str, Any]) -> Article:
    """Make the article revision of a row of `articles`."""
    return Article(**{f.name: row[f.name] for f in fields(Article)})


def read_reading(row: Mapping[str, Any], claims: Iterable[Mapping[str, Any]]) -> Reading:
    """Make the reading of a row of `readings` and its rows of `claims`, in whatever order they come."""
    return Reading(
        kind=ReadingKind(row["kind"]),
        notice=Notice(row["notice"]),
        claims=tuple(_read_claim(claim) for claim in claims),
        **{name: row[name] for name in ("extractor_version", "reading_id", "article_id", "revision_id")},
    )


def _read_claim(row: Mapping[str, Any]) -> Claim:
    told = {f.name: row[f.name] for f in fields(Claim)}
    told["value"] = read_value(row["field"], row["value"])
    told["role"] = None if row["role"] is None else Role(row["role"])
    return Claim(**{**told, "state": ClaimState(row["state"]), "basis": Basis(row["basis"])})


def read_value(field: str, text: str | None) -> Value:
    """Give the plain text of a claim's value the type of its field; text of a field that is not known stays text."""
    spec = FIELDS.get(field)
    if text is None or spec is None:
        return text
    if spec.type is date:
        return date.fromisoformat(text)
    value: Value = spec.type(text)
    return value


def read_judgement(row: Mapping[str, Any]) -> Judgement:
    """Make the judgement of a row of `judgements`, as `judgement_row` wrote it or as a table has it."""
    told: dict[str, Any] = {f.name: row.get(f.name) for f in fields(Judgement)}
    state = told.pop("state")
    return Judgement(**told, state=None if state is None else ClaimState(state))


def build_tables(
    rows: Mapping[str, Iterable[Row]], *, recorded_at: datetime, run_id: str, batch_id: str
) -> dict[str, pa.Table]:
    """Stamp every row and build the Arrow tables of a bundle, in the order of TABLES; empty ones left out."""
    stamp = {"recorded_at": recorded_at, "run_id": run_id, "batch_id": batch_id}
    stamped = {name: [{**row, **stamp} for row in rows.get(name, ())] for name in TABLES}
    return {name: build_table(name, listed) for name, listed in stamped.items() if listed}


def _version_of(incident: Incident) -> Row:
    return {"incident_id": incident.incident_id, "version": incident.version, "known_at": incident.known_at}


def _struct(record: Participant | Conflict) -> Row:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in _attributes(record).items()}
