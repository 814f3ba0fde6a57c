"""Building the ledger of inputs again from the tables, for a state that was lost or is in doubt.

Belongs here: which columns of which tables tell what the ledger knew. Does not belong here: the other memories of the
state (each has a way of its own), and what no table tells: inputs that are pending and rows that wait to be published
stay where the state still has them, are gone where it has not, and are dropped where the tables have them already.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from blotter.model import Disposition
from blotter.schemas import TABLES
from blotter.store.inputs import (
    InputLedger,
    KnownPayload,
    LatestRevision,
    SettledInput,
    derive_payload_key,
    make_row_key,
)
from blotter.store.warehouse import Warehouse

_Row = Mapping[str, Any]


def rebuild_ledger(warehouse: Warehouse, ledger: InputLedger, connection: Connection) -> None:
    """Make the ledger what the tables say, in the caller's transaction.

    The caller holds the warehouse's lock and has rolled forward what was frozen, so that the tables are whole. Holds
    one row of each article in memory, and of each input nothing.
    """
    ledger.clear(connection)
    for batch in _read_rows(warehouse, "runs", ["batch_id"]):
        ledger.restore(connection, batch_ids=[row["batch_id"] for row in batch])
    revisions, urls = _gather_revisions(warehouse)
    ledger.restore(connection, revisions=list(revisions.values()))
    columns = ["input_id", "source_id", "location", "payload_sha256", "disposition", "article_id", "reason"]
    for batch in _read_rows(warehouse, "inputs", columns):
        ledger.restore(
            connection,
            settled=[_settled_input(row) for row in batch],
            payloads=_gather_payloads(batch, urls),
        )
    _drop_published_rows(warehouse, ledger, connection)


def _drop_published_rows(warehouse: Warehouse, ledger: InputLedger, connection: Connection) -> None:
    """Drop waiting rows that the tables have: the state was older than they."""
    waiting: dict[str, dict[str, int]] = {}
    for row in ledger.list_staged(connection):
        waiting.setdefault(row.table, {})[make_row_key(row.table, row.row)] = row.seq
    for table, seqs in waiting.items():
        for batch in _read_rows(warehouse, table, TABLES[table].key):
            keys = [make_row_key(table, row) for row in batch]
            ledger.drop_rows(connection, [seqs[key] for key in keys if key in seqs])


def _gather_revisions(warehouse: Warehouse) -> tuple[dict[str, LatestRevision], dict[tuple[str, str], str]]:
    """Gather the latest revision of each article, and the address under which each article's bytes came."""
    articles: dict[str, _Row] = {}
    urls: dict[tuple[str, str], str] = {}
    columns = ["article_id", "revision_id", "revision", "text_sha256", "raw_sha256", "url"]
    for batch in _read_rows(warehouse, "articles", columns):
        for row in batch:
            known = articles.get(row["article_id"])
            if known is None or row["revision"] >= known["revision"]:
                articles[row["article_id"]] = row
            if row["url"] is not None:
                urls[row["article_id"], row["raw_sha256"]] = row["url"]
    latest = {row["revision_id"]: row for row in articles.values()}
    readings: dict[str, _Row] = {}
    for batch in _read_rows(warehouse, "readings", ["revision_id", "reading_id", "extractor_version"]):
        readings |= {row["revision_id"]: row for row in batch if row["revision_id"] in latest}
    revisions = {
        article_id: LatestRevision(
            article_id=article_id,
            revision=row["revision"],
            revision_id=row["revision_id"],
            text_sha256=row["text_sha256"],
            raw_sha256=row["raw_sha256"],
            reading_id=readings.get(row["revision_id"], {}).get("reading_id"),
            extractor_version=readings.get(row["revision_id"], {}).get("extractor_version"),
        )
        for article_id, row in articles.items()
    }
    return revisions, urls


def _gather_payloads(rows: Sequence[_Row], urls: Mapping[tuple[str, str], str]) -> dict[str, KnownPayload]:
    """Gather who first brought which bytes from where.

    No table tells the URL of an input that never became an article, nor a second address of the same page: bytes that
    come again from there are then read again, and settled as before (as unchanged, or for the same reason).
    """
    payloads: dict[str, KnownPayload] = {}
    for row in rows:
        if row["disposition"] == Disposition.DUPLICATE or row["payload_sha256"] is None:
            continue
        address = urls.get((row["article_id"], row["payload_sha256"]), row["location"])
        key = derive_payload_key(row["source_id"], address, row["payload_sha256"])
        payloads.setdefault(key, KnownPayload(input_id=row["input_id"], article_id=row["article_id"]))
    return payloads


def _settled_input(row: _Row) -> SettledInput:
    return SettledInput(
        input_id=row["input_id"],
        disposition=Disposition(row["disposition"]),
        article_id=row["article_id"],
        reason=row["reason"],
    )


def _read_rows(warehouse: Warehouse, table: str, columns: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    for batch in warehouse.read_batches(table, columns):
        yield batch.to_pylist()
