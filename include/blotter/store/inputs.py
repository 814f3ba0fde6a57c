"""The ledger of inputs: what is pending, what became of everything else, and what is known of earlier articles.

Belongs here: operational memory about inputs and articles, looked up by primary key, so that a batch costs the same
whether ten or ten million came before. Does not belong here: the decision what an input is; feeds' cursors (`feeds`);
open incidents (`desk`). It can be rebuilt from the tables (`rebuild`), but for what is pending.

An input is registered once and stays pending until the batch that settles it is published: what a batch settles rides
in its bundle as `LedgerChanges`, and `apply` writes it once the tables have the rows.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    select,
    update,
)

from blotter.ids import canonical_json, make_id
from blotter.model import Disposition, Document
from blotter.rows import blank_document
from blotter.schemas import TABLES
from blotter.store.sql import chunk, insert_new, insert_or_replace, look_up
from blotter.store.state import metadata

_READ_AHEAD = 500  # rows fetched at a time
_T = TypeVar("_T")

_pending = Table(
    "pending_inputs",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("input_id", String, nullable=False, unique=True),
    Column("payload_key", String, nullable=False),
    Column("document", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
_settled = Table(
    "settled_inputs",
    metadata,
    Column("input_id", String, primary_key=True),
    Column("disposition", String, nullable=False),
    Column("article_id", String),
    Column("reason", String),
)
_payloads = Table(
    "known_payloads",
    metadata,
    Column("payload_key", String, primary_key=True),
    Column("input_id", String, nullable=False),
    Column("article_id", String),
)
_revisions = Table(
    "latest_revisions",
    metadata,
    Column("article_id", String, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("revision_id", String, nullable=False),
    Column("text_sha256", String, nullable=False),
    Column("raw_sha256", String, nullable=False),
    Column("reading_id", String),
    Column("extractor_version", String),
)
_staged_rows = Table(
    "staged_rows",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("table_name", String, nullable=False),
    Column("row_key", String, nullable=False),
    Column("row", LargeBinary, nullable=False),
    UniqueConstraint("table_name", "row_key"),
    sqlite_autoincrement=True,  # a number that was used is never used again
)
_erased = Table("erased_payloads", metadata, Column("sha256", String, primary_key=True))
_batches = Table("published_batches", metadata, Column("batch_id", String, primary_key=True))

_LEDGER = (_pending, _settled, _payloads, _revisions, _staged_rows, _erased, _batches)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPayload:
    """The first input that brought a payload, and the article it is, once that is known."""

    input_id: str
    article_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What `register` found: ids that are new and now pending, and duplicates by id with what they repeat."""

    new: tuple[str, ...]
    duplicates: Mapping[str, KnownPayload]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledInput:
    """What became of an input."""

    input_id: str
    disposition: Disposition
    article_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestRevision:
    """The latest text of an article, and the latest reading of that text."""

    article_id: str
    revision: int
    revision_id: str
    text_sha256: str
    raw_sha256: str
    reading_id: str | None
    extractor_version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedRow:
    """A row that waits for the next batch: column to value, without `recorded_at`, `run_id` and `batch_id`."""

    seq: int
    table: str
    row: Mapping[str, Any]


ChangeRow = Callable[[StagedRow], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerChanges:
    """What the ledger is told once a batch is published; `staged_rows` are the `seq` of rows that went with it."""

    batch_id: str
    settled: tuple[SettledInput, ...] = ()
    revisions: tuple[LatestRevision, ...] = ()
    staged_rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCounts:
    """How many inputs are pending and settled; what has a disposition and is not published yet is in neither."""

    n_pending: int
    n_staged_rows: int
    n_settled: Mapping[Disposition, int]


class InputLedger:
    """The ledger in the state at `engine`; creates its tables where they are missing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        metadata.create_all(engine, tables=_LEDGER)

    def register(self, documents: Iterable[Document]) -> Registered:
        """Make new documents pending, in their order; one that is pending or settled already is left as it is.

        A document that repeats source, address (else location) and bytes of another input is a duplicate and does not
        become pending, unless that input is quarantined or replayed by it, or it is a page that was fetched anew and
        has gone back to an earlier text since: its row is the caller's to stage. All or nothing.
        """
        listed = list({document.input_id: document for document in documents}.values())
        keys = {document.input_id: make_payload_key(document) for document in listed}
        with self._engine.begin() as connection:
            seen = {row.input_id for row in look_up(connection, _pending.c.input_id, list(keys), [_pending.c.input_id])}
            seen |= {
                row.input_id for row in look_up(connection, _settled.c.input_id, list(keys), [_settled.c.input_id])
            }
            known = {
                row.payload_key: KnownPayload(input_id=row.input_id, article_id=row.article_id)
                for row in look_up(connection, _payloads.c.payload_key, list(keys.values()), list(_payloads.c))
            }
            known = _without_quarantined(connection, known)
            latest = _find_latest_bytes(connection, known.values())
            fresh, duplicates = [], {}
            for document in listed:
                mine = KnownPayload(input_id=document.input_id, article_id=None)
                first = known.setdefault(keys[document.input_id], mine)
                is_reverted = document.kind == "entry" and latest.get(first.article_id) not in (
                    None,
                    document.payload_sha256,
                )
                if first.input_id != document.input_id and document.replay_of != first.input_id and not is_reverted:
                    duplicates[document.input_id] = first
                elif document.input_id not in seen:
                    fresh.append(document)
            insert_new(
                connection,
                _pending,
                [
                    {
                        "input_id": document.input_id,
                        "payload_key": keys[document.input_id],
                        "document": msgspec.msgpack.encode(document),
                    }
                    for document in fresh
                ],
            )
            insert_or_replace(
                connection,
                _payloads,
                [
                    {"payload_key": keys[document.input_id], "input_id": document.input_id, "article_id": None}
                    for document in fresh
                ],
            )
        return Registered(new=tuple(document.input_id for document in fresh), duplicates=duplicates)

    def pending(self, limit: int | None = None, *, skip: Collection[str] = ()) -> list[Document]:
        """List pending documents in the order in which they came, at most `limit`, without the ids in `skip`."""
        return list(islice(self.iterate_pending(skip=skip), limit))

    def iterate_pending(self, *, skip: Collection[str] = ()) -> Iterator[Document]:
        """Read pending documents in the order in which they came, a few hundred at a time."""
        for row in self._iterate(_pending):
            if row.input_id not in skip:
                yield msgspec.msgpack.decode(row.document, type=Document)

    def newest_pending(self) -> int:
        """Give the number of the input that became pending last; 0 where none is pending."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.max(_pending.c.seq))).scalar_one() or 0

    def count_pending_of(self, input_ids: Iterable[str]) -> int:
        """Count those of the inputs that are pending."""
        with self._engine.connect() as connection:
            return len(look_up(connection, _pending.c.input_id, input_ids, [_pending.c.input_id]))

    def find_pending_settled(self) -> tuple[int, str | None]:
        """Count the inputs that are pending and settled, which none may be, and name the first by its id."""
        both = select(func.count(), func.min(_pending.c.input_id)).join_from(
            _pending, _settled, _pending.c.input_id == _settled.c.input_id
        )
        with self._engine.connect() as connection:
            number, first = connection.execute(both).one()
        return number, first

    def pending_replays(self) -> set[str]:
        """Give the ids of the inputs whose replay has come in and is not published yet."""
        replayed = {document.replay_of for document in self.iterate_pending()}
        replayed |= {row.row.get("replay_of") for row in self.iterate_staged() if row.table == "inputs"}
        return {input_id for input_id in replayed if input_id is not None}

    def settled(self, input_ids: Iterable[str]) -> dict[str, SettledInput]:
        """Look up what became of inputs; those that are pending or unheard of are left out."""
        with self._engine.connect() as connection:
            rows = look_up(connection, _settled.c.input_id, list(input_ids), list(_settled.c))
        return {
            row.input_id: SettledInput(
                input_id=row.input_id,
                disposition=Disposition(row.disposition),
                article_id=row.article_id,
                reason=row.reason,
            )
            for row in rows
        }

    def latest_revisions(self, article_ids: Iterable[str]) -> dict[str, LatestRevision]:
        """Look up the latest revision of articles; those never published are left out."""
        with self._engine.connect() as connection:
            rows = look_up(connection, _revisions.c.article_id, list(article_ids), list(_revisions.c))
        return {row.article_id: LatestRevision(**row._mapping) for row in rows}

    def stage_rows(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Keep rows for the next batch; a row whose key is staged, or whose input is settled, is left as it is."""
        key = TABLES[table].key
        listed = list(rows)
        with self._engine.begin() as connection:
            if key == ("input_id",):
                ids = [row["input_id"] for row in listed]
                gone = {row.input_id for row in look_up(connection, _settled.c.input_id, ids, [_settled.c.input_id])}
                listed = [row for row in listed if row["input_id"] not in gone]
            insert_new(
                connection,
                _staged_rows,
                [
                    {
                        "table_name": table,
                        "row_key": make_row_key(table, row),
                        "row": msgspec.msgpack.encode(row),
                    }
                    for row in listed
                ],
            )

    def staged_rows(self) -> list[StagedRow]:
        """List the rows that wait for the next batch, in the order in which they were staged."""
        with self._engine.connect() as connection:
            return self.list_staged(connection)

    def list_staged(self, connection: Connection) -> list[StagedRow]:
        """List them in the caller's transaction."""
        rows = connection.execute(select(_staged_rows).order_by(_staged_rows.c.seq)).all()
        return [_read_staged(row) for row in rows]

    def iterate_staged(self) -> Iterator[StagedRow]:
        """Read the rows that wait for the next batch, a few hundred at a time."""
        for row in self._iterate(_staged_rows):
            yield _read_staged(row)

    def _iterate(self, table: Table, connection: Connection | None = None) -> Iterator[Row[Any]]:
        """Read a table in the order of its `seq`, a few hundred rows at a time, without a transaction of its own."""
        last_seq = 0
        while True:
            query = select(table).where(table.c.seq > last_seq).order_by(table.c.seq).limit(_READ_AHEAD)
            with self._engine.connect() if connection is None else nullcontext(connection) as opened:
                rows = opened.execute(query).all()
            yield from rows
            if len(rows) < _READ_AHEAD:
                return
            last_seq = rows[-1].seq

    def erase(self, connection: Connection, addresses: Collection[str], change: ChangeRow) -> None:
        """Remember that payloads were erased, and blank what waits, in the caller's transaction.

        Pending documents that brought them are blanked; staged rows become what `change` makes of them.
        """
        insert_new(connection, _erased, [{"sha256": address} for address in addresses])
        for row in self._iterate(_pending, connection):
            document = msgspec.msgpack.decode(row.document, type=Document)
            if document.payload_sha256 in addresses:
                blank = msgspec.msgpack.encode(blank_document(document))
                connection.execute(update(_pending).where(_pending.c.seq == row.seq).values(document=blank))
        for row in self._iterate(_staged_rows, connection):
            standing = _read_staged(row)
            if (changed := change(standing)) != standing.row:
                blank = msgspec.msgpack.encode(changed)
                connection.execute(update(_staged_rows).where(_staged_rows.c.seq == row.seq).values(row=blank))

    def find_erased(self, addresses: Iterable[str]) -> set[str]:
        """Find those of the payloads that were erased."""
        with self._engine.connect() as connection:
            return {row.sha256 for row in look_up(connection, _erased.c.sha256, addresses)}

    def has_published(self) -> bool:
        """Say whether any batch was ever published."""
        with self._engine.connect() as connection:
            return connection.execute(select(_batches.c.batch_id).limit(1)).first() is not None

    def has_batch(self, batch_id: str) -> bool:
        """Say whether a batch is published and the ledger knows it."""
        with self._engine.connect() as connection:
            return _has_batch(connection, batch_id)

    def counts(self) -> LedgerCounts:
        """Count inputs by what became of them, to reconcile with the tables. Looks at every settled input."""
        with self._engine.connect() as connection:
            by_disposition = connection.execute(
                select(_settled.c.disposition, func.count()).group_by(_settled.c.disposition)
            ).all()
            return LedgerCounts(
                n_pending=connection.execute(select(func.count()).select_from(_pending)).scalar_one(),
                n_staged_rows=connection.execute(select(func.count()).select_from(_staged_rows)).scalar_one(),
                n_settled={Disposition(disposition): n for disposition, n in by_disposition},
            )

    def apply(self, connection: Connection, memory: bytes) -> None:
        """Write what `encode_changes` froze, in the caller's transaction; a batch that is written already is left."""
        changes = msgspec.msgpack.decode(memory, type=LedgerChanges)
        if _has_batch(connection, changes.batch_id):
            return
        self.settle(connection, changes.settled)
        self._put_revisions(connection, changes.revisions)
        self.drop_rows(connection, changes.staged_rows)
        insert_new(connection, _batches, [{"batch_id": changes.batch_id}])

    def drop_rows(self, connection: Connection, seqs: Sequence[int]) -> None:
        """Forget rows that are published, in the caller's transaction."""
        for part in chunk(seqs):
            connection.execute(delete(_staged_rows).where(_staged_rows.c.seq.in_(part)))

    def clear(self, connection: Connection) -> None:
        """Forget everything but what is pending and what waits to be published, in the caller's transaction."""
        for table in (_settled, _revisions, _batches):
            connection.execute(delete(table))
        still_pending = select(_pending.c.input_id)
        connection.execute(delete(_payloads).where(_payloads.c.input_id.not_in(still_pending)))

    def restore(
        self,
        connection: Connection,
        *,
        settled: Sequence[SettledInput] = (),
        payloads: Mapping[str, KnownPayload] | None = None,
        revisions: Sequence[LatestRevision] = (),
        batch_ids: Sequence[str] = (),
        erased: Iterable[str] = (),
    ) -> None:
        """Learn again what the tables tell, in the order of publishing: the first holder of a payload key keeps it."""
        self.settle(connection, settled)
        held = [
            {"payload_key": key, "input_id": known.input_id, "article_id": known.article_id}
            for key, known in (payloads or {}).items()
        ]
        insert_new(connection, _payloads, held)
        self._put_revisions(connection, revisions)
        insert_new(connection, _batches, [{"batch_id": batch_id} for batch_id in batch_ids])
        insert_new(connection, _erased, [{"sha256": address} for address in erased])

    def settle(self, connection: Connection, settled: Sequence[SettledInput]) -> None:
        """Write what became of inputs, which are then no longer pending; again is the same as once."""
        articles = {one.input_id: one.article_id for one in settled}
        pending = look_up(
            connection, _pending.c.input_id, list(articles), [_pending.c.input_id, _pending.c.payload_key]
        )
        learned = [
            {"of_key": row.payload_key, "of_input": row.input_id, "article_id": articles[row.input_id]}
            for row in pending
            if articles[row.input_id] is not None
        ]
        holder = (_payloads.c.payload_key == bindparam("of_key")) & (_payloads.c.input_id == bindparam("of_input"))
        for part in chunk(learned):
            connection.execute(update(_payloads).where(holder), part)
        for input_ids in chunk(list(articles)):
            connection.execute(delete(_pending).where(_pending.c.input_id.in_(input_ids)))
        insert_or_replace(
            connection,
            _settled,
            [
                {
                    "input_id": one.input_id,
                    "disposition": one.disposition.value,
                    "article_id": one.article_id,
                    "reason": one.reason,
                }
                for one in settled
            ],
        )

    def _put_revisions(self, connection: Connection, revisions: Sequence[LatestRevision]) -> None:
        insert_or_replace(connection, _revisions, [asdict(revision) for revision in revisions])


def _read_staged(row: Row[Any]) -> StagedRow:
    return StagedRow(seq=row.seq, table=row.table_name, row=msgspec.msgpack.decode(row.row))


def make_row_key(table: str, row: Mapping[str, Any]) -> str:
    """Write the values of a row's key columns as one text."""
    return canonical_json([row.get(column) for column in TABLES[table].key])


def make_payload_key(document: Document) -> str:
    """Derive what two inputs share that bring the same bytes from the same place: the second is a duplicate."""
    return derive_payload_key(document.source_id, document.url or document.location, document.payload_sha256)


def derive_payload_key(source_id: str, address: str, payload_sha256: str) -> str:
    """Derive the same key from its parts: `address` is the URL where there is one, else the location."""
    return make_id("pay", source_id, address, payload_sha256)


def _without_quarantined(connection: Connection, known: Mapping[str, KnownPayload]) -> dict[str, KnownPayload]:
    """Leave out what could not be processed: brought once more, it is tried once more."""
    ids = [payload.input_id for payload in known.values()]
    settled = look_up(connection, _settled.c.input_id, ids, [_settled.c.input_id, _settled.c.disposition])
    quarantined = {row.input_id for row in settled if row.disposition == Disposition.QUARANTINED}
    return {key: payload for key, payload in known.items() if payload.input_id not in quarantined}


def _find_latest_bytes(connection: Connection, payloads: Iterable[KnownPayload]) -> dict[str | None, str]:
    """Look up the bytes that each article's latest revision was read from."""
    articles = [payload.article_id for payload in payloads if payload.article_id is not None]
    columns = [_revisions.c.article_id, _revisions.c.raw_sha256]
    return {row.article_id: row.raw_sha256 for row in look_up(connection, _revisions.c.article_id, articles, columns)}


def encode_changes(changes: LedgerChanges) -> bytes:
    """Write the ledger's changes as the bytes that a bundle carries."""
    return msgspec.msgpack.encode(changes)


def _has_batch(connection: Connection, batch_id: str) -> bool:
    return connection.execute(select(_batches).where(_batches.c.batch_id == batch_id)).first() is not None
