"""Building the state again from the tables: the ledger of inputs, the judgements, the open incidents.

Belongs here: which columns of which tables tell what the state knew. Does not belong here: what batches do to the open
incidents (`blotter.update.recall` plays them again), and what no table tells: inputs that are pending and rows that
wait to be published stay where the state still has them, are gone where it has not, and are dropped where the tables
have them already.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from blotter import rows
from blotter.errors import StoreDamaged
from blotter.link.memory import PlainValue, plain_value
from blotter.model import FIELDS, Article, ClaimState, Disposition, Reading, Verdict
from blotter.resolve.record import FactKey
from blotter.schemas import TABLES
from blotter.store.desk import SqlDesk
from blotter.store.inputs import (
    InputLedger,
    KnownPayload,
    LatestRevision,
    SettledInput,
    derive_payload_key,
    make_row_key,
)
from blotter.store.judgements import JudgementMemory
from blotter.store.state import open_state
from blotter.store.warehouse import Warehouse
from blotter.update import LinkRules, sort_batch
from blotter.update.recall import RecordedBatch, RecordedFact, RecordedVersion, recall_batch

_Row = Mapping[str, Any]

_ROWS_AT_ONCE = 2000  # as plain Python, texts among them


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
            erased=[row["payload_sha256"] for row in batch if row["location"] == rows.ERASED and row["payload_sha256"]],
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


def _read_rows(warehouse: Warehouse, table: str, columns: Sequence[str] | None) -> Iterator[list[dict[str, Any]]]:
    for batch in warehouse.read_batches(table, columns):
        for start in range(0, batch.num_rows, _ROWS_AT_ONCE):
            yield batch.slice(start, _ROWS_AT_ONCE).to_pylist()


def rebuild_judgements(warehouse: Warehouse, judgements: JudgementMemory, connection: Connection) -> None:
    """Learn again which judgements were followed, in the caller's transaction; which were refused, no table tells."""
    judgements.clear(connection)
    for batch in _read_rows(warehouse, "judgements", ["judgement_id"]):
        judgements.restore(connection, [row["judgement_id"] for row in batch])


def rebuild_desk(warehouse: Warehouse, desk: SqlDesk, connection: Connection, *, rules: LinkRules) -> None:
    """Make the open incidents and their index what the tables say, in the caller's transaction.

    The batches are played again, one after the other, as they were recorded; nothing is decided anew. The caller holds
    the warehouse's lock and has rolled forward what was frozen. Holds one batch in memory; what is rebuilt lies in a
    scratch file until it is whole. Labels of links that a replay was given are in no table: they are forgotten.
    Raises StoreDamaged where the tables have rows of a batch that `runs` does not tell of.
    """
    with tempfile.TemporaryDirectory(prefix="blotter-rebuild-") as folder:
        engine = open_state(str(Path(folder) / "state.db"))
        again = SqlDesk(engine)
        for recorded in _read_recorded(warehouse):
            memory = recall_batch(recorded, again, settings=rules)
            with engine.begin() as scratch:
                again.apply(scratch, memory)
        desk.clear(connection)
        desk.copy_from(again, connection)
        engine.dispose()


_NEWS = ("articles", "readings", "claims", "links", "alignments", "judgements", "incidents", "facts", "changes")


def _read_recorded(warehouse: Warehouse) -> Iterator[RecordedBatch]:
    """Read the batches in the order in which they were published."""
    streams = {name: _BatchStream(_read_rows(warehouse, name, None), name) for name in _NEWS}
    runs = (row for batch in _read_rows(warehouse, "runs", ["batch_id", "recorded_at"]) for row in batch)
    for batch_id, listed in groupby(runs, key=itemgetter("batch_id")):
        rows_of = {name: stream.take(batch_id) for name, stream in streams.items()}
        if any(rows_of.values()):
            yield _build_recorded(warehouse, rows_of, next(listed)["recorded_at"])
    for stream in streams.values():
        stream.require_end()


class _BatchStream:
    """The rows of a table, batch by batch, in the order of publishing."""

    def __init__(self, batches: Iterator[list[dict[str, Any]]], name: str) -> None:
        self._rows = (row for batch in batches for row in batch)
        self._name = name
        self._next = next(self._rows, None)

    def take(self, batch_id: str) -> list[_Row]:
        """Give the rows of a batch, where it is the next that the table has rows of."""
        taken: list[_Row] = []
        while self._next is not None and self._next["batch_id"] == batch_id:
            taken.append(self._next)
            self._next = next(self._rows, None)
        return taken

    def require_end(self) -> None:
        if self._next is not None:
            raise StoreDamaged(
                f"{self._name} has rows of batch {self._next['batch_id']}, which `runs` does not tell of"
            )


def _build_recorded(
    warehouse: Warehouse, rows_of: Mapping[str, Sequence[_Row]], recorded_at: datetime
) -> RecordedBatch:
    placements = {
        (row["reading_id"], row["incident_ref"]): row["incident_id"]
        for row in rows_of["links"]
        if row["seq"] == 1 and row["verdict"] == Verdict.POSITIVE  # later ones are what judgements moved
    }
    alignments: dict[tuple[str, int, str], dict[int, str]] = {}
    for row in rows_of["alignments"]:
        key = (row["reading_id"], row["incident_ref"], row["incident_id"])
        alignments.setdefault(key, {})[row["participant_ref"]] = row["participant_id"]
    return RecordedBatch(
        recorded_at=recorded_at,
        read=sort_batch(_pair_readings(warehouse, rows_of)),
        judgements=[rows.read_judgement(row) for row in rows_of["judgements"]],
        placements=placements,
        alignments=alignments,
        versions=_gather_versions(rows_of),
    )


def _pair_readings(warehouse: Warehouse, rows_of: Mapping[str, Sequence[_Row]]) -> list[tuple[Article, Reading]]:
    """Give each reading its article, which was published earlier where only the reading is new."""
    articles = {row["revision_id"]: rows.read_article(row) for row in rows_of["articles"]}
    if missing := sorted({row["revision_id"] for row in rows_of["readings"]} - articles.keys()):
        earlier = warehouse.read("articles", filters=[("revision_id", "in", missing)]).to_pylist()
        articles |= {row["revision_id"]: rows.read_article(row) for row in earlier}
    claims: dict[str, list[_Row]] = {}
    for row in rows_of["claims"]:
        claims.setdefault(row["reading_id"], []).append(row)
    return [
        (articles[row["revision_id"]], rows.read_reading(row, claims.get(row["reading_id"], ())))
        for row in rows_of["readings"]
    ]


def _gather_versions(rows_of: Mapping[str, Sequence[_Row]]) -> dict[str, RecordedVersion]:
    facts: dict[str, dict[FactKey, RecordedFact]] = {}
    for row in rows_of["facts"]:
        facts.setdefault(row["incident_id"], {})[row["participant_id"], row["field"]] = RecordedFact(
            value=_read_standing(row["field"], row["value"]),
            state=ClaimState(row["state"]),
            claim_ids=tuple(row["claim_ids"]),
            is_human=row["judgement_id"] is not None,
        )
    gone: dict[str, set[FactKey]] = {}
    for row in rows_of["changes"]:
        if row["after_state"] is None and row["field"] in FIELDS:
            gone.setdefault(row["incident_id"], set()).add((row["participant_id"], row["field"]))
    return {
        row["incident_id"]: RecordedVersion(
            version=row["version"],
            facts=facts.get(row["incident_id"], {}),
            conflicts=frozenset((one["participant_id"], one["field"]) for one in row["conflicts"]),
            gone=frozenset(gone.get(row["incident_id"], ())),
        )
        for row in rows_of["incidents"]
    }


def _read_standing(field: str, text: str | None) -> PlainValue:
    if text is not None and field in FIELDS and FIELDS[field].many:
        values: list[str] = json.loads(text)
        return values
    return plain_value(rows.read_value(field, text))
