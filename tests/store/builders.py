"""Builders for the tests of this room: rows that fit any table, batches that can be counted, documents and readings."""

import datetime as dt
from collections.abc import Mapping

import pyarrow as pa

from blotter.errors import Reason
from blotter.ids import make_id, sha256_hex
from blotter.model import (
    Article,
    Basis,
    Claim,
    ClaimState,
    Document,
    Notice,
    Reading,
    ReadingKind,
    Rejection,
    Role,
    Value,
)
from blotter.schemas import TABLES, Column, build_table

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def make_value(column: Column, seed: str) -> object:
    """Make a value that fits a column, other for another seed."""
    if column.values:
        return list(column.values[:1]) if pa.types.is_list(column.type) else column.values[0]
    if pa.types.is_string(column.type):
        return f"{column.name} of {seed}"
    if pa.types.is_boolean(column.type):
        return True
    if pa.types.is_integer(column.type):
        return 1
    if pa.types.is_floating(column.type):
        return 0.5
    if pa.types.is_timestamp(column.type):
        return NOON if column.type.tz else NOON.replace(tzinfo=None)
    if pa.types.is_date(column.type):
        return NOON.date()
    return []


def make_rows(table: str, *, batch: str, n_rows: int = 3, **given: object) -> pa.Table:
    """Make rows of a table that say of which batch they are; columns that may be null are null in every second row."""
    rows = []
    for number in range(n_rows):
        rows.append(
            {
                column.name: None if column.nullable and number % 2 else make_value(column, f"{batch}/{number}")
                for column in TABLES[table].columns
            }
            | given
        )
    return build_table(table, rows)


def make_tables(*, batch: str, n_rows: int = 3, names: tuple[str, ...] = tuple(TABLES)) -> Mapping[str, pa.Table]:
    """Make a batch: the same number of rows for each table."""
    return {name: make_rows(name, batch=batch, n_rows=n_rows) for name in names}


def make_document(
    *, name: str = "a", source_id: str = "gazette", payload: bytes | None = None, **given: object
) -> Document:
    content = {
        "input_id": make_id("inp", source_id, name),
        "kind": "file",
        "source_id": source_id,
        "location": f"inbox/{source_id}/{name}.html",
        "payload_sha256": sha256_hex(name.encode() if payload is None else payload),
        "media": "html",
        "received_at": NOON,
    }
    return Document(**(content | given))


def make_article(*, name: str = "a", text: str = "Fire\nA house burned on Elm Street.", **given: object) -> Article:
    content = {
        "article_id": make_id("art", name),
        "source_id": "gazette",
        "title": "Fire",
        "text": text,
        "text_sha256": sha256_hex(text),
        "raw_sha256": sha256_hex(name),
        "published_at": NOON,
        "published_precision": "minute",
        "published_basis": "page",
        "fetched_at": NOON,
        "language": "en",
    }
    return Article(**(content | given))


def make_claim(*, field: str = "street", value: Value = "Elm Street", **given: object) -> Claim:
    content = {
        "incident_ref": 1,
        "participant_ref": None,
        "role": None,
        "field": field,
        "value": value,
        "value_raw": "Elm Street",
        "state": ClaimState.KNOWN,
        "basis": Basis.STATED,
        "quote": "A house burned on Elm Street.",
        "quote_start": 5,
        "quote_end": 34,
        "attributed_to": None,
        "confidence": 0.9,
    }
    return Claim(**(content | given))


def make_reading(*claims: Claim, **given: object) -> Reading:
    content = {
        "kind": ReadingKind.INCIDENT,
        "notice": Notice.NONE,
        "claims": claims
        or (make_claim(), make_claim(field="name", value="Ann Lee", participant_ref=1, role=Role.VICTIM)),
        "extractor_version": "1",
    }
    return Reading(**(content | given))


def make_rejection(*, name: str = "a", **given: object) -> Rejection:
    content = {
        "input_id": make_id("inp", "gazette", name),
        "kind": "file",
        "source_id": "gazette",
        "location": f"inbox/gazette/{name}.html",
        "stage": "ingest",
        "reason": Reason.EMPTY,
        "message": "the file is empty",
        "received_at": NOON,
    }
    return Rejection(**(content | given))
