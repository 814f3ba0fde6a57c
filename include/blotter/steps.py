"""The stages, composed: what a DAG task calls and what the command line calls, one function each.

Belongs here: opening the stores, calling the rooms in order, and returning counts small enough for an XCom. Does not
belong here: any rule of a room. Each step may be run again after a crash, or twice at once, without loss and without
doubling: what it has done is in the stores, and what it finds there it does not do again.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial

from blotter import queries, rows
from blotter.alert.delivery import deliver_due, make_channels
from blotter.alert.rules import load_rules
from blotter.config import Settings
from blotter.confined import read_documents
from blotter.errors import GateClosed, InputRejected, Reason, StoreDamaged
from blotter.ingest.credentials import FindSecret
from blotter.ingest.drops import take_drops
from blotter.ingest.health import find_faults
from blotter.ingest.poll import WHOLE, Part, divide_feeds, plan_feeds, poll_feeds
from blotter.model import Arrival, Disposition, Document, Rejection
from blotter.publishing import publish_results
from blotter.reading import reject_document
from blotter.sources import choose_sources, load_sources
from blotter.store.inputs import StagedRow
from blotter.store.staging import SliceResult
from blotter.stores import Stores

log = logging.getLogger(__name__)

Counts = dict[str, int]

# Slices that one build reads at most: it publishes them as one batch, which is in memory. The rest stays pending for
# the next build.
MAX_SLICES = 100
_USUAL_FOR = timedelta(days=28)  # long enough for a habit, and for every weekday


def create_stores(settings: Settings) -> None:
    """Create the warehouse with all its tables, empty, and the state; does nothing where they are there."""
    with Stores(settings) as stores:
        stores.warehouse.init()
        stores.ledger.counts()


def ingest_drops(settings: Settings, *, run_id: str) -> Counts:
    """Take every settled file of the drop folders: archive its documents, register them as pending, file it away."""
    counts = {"n_files": 0, "n_documents": 0, "n_duplicate": 0, "n_rejected": 0}
    with Stores(settings) as stores:
        for claimed in take_drops(settings.inbox, settings=settings.drops, now=stores.now()):
            counts["n_files"] += 1
            _add(counts, register_arrivals(stores, claimed.arrivals()))
            claimed.finish()
        counts["n_waiting"] = _count_waiting(stores)
    log.info("%s: took %s", run_id, counts)
    return counts


def plan_polls(settings: Settings, *, source_ids: Sequence[str] = ()) -> list[dict[str, int]]:
    """Divide the feeds that are due (or those of `source_ids`) into parts, for `ingest_feeds`: small, for an XCom."""
    chosen = choose_sources(load_sources(settings.sources), source_ids)
    with Stores(settings) as stores:
        planned = plan_feeds(chosen, stores.feeds.load_cursors(chosen), now=stores.now(), is_forced=bool(source_ids))
        pages = [page for page in stores.feeds.due_pages(stores.now()) if page.source_id in chosen]
    parts = divide_feeds(planned, pages, feeds_per_task=settings.fetch.feeds_per_task)
    return [{"number": part.number, "of": part.of} for part in parts]


def ingest_feeds(
    settings: Settings,
    *,
    run_id: str,
    source_ids: Sequence[str] = (),
    part: Mapping[str, int] | None = None,
    find_secret: FindSecret | None = None,
) -> Counts:
    """Poll the feeds that are due (or those of `source_ids`, due or not) and register what is new as pending.

    `part` is one of `plan_polls`; without, all are polled. What the deadline leaves due is counted as `n_left`.
    """
    chosen = choose_sources(load_sources(settings.sources), source_ids)
    sites = Part(**part) if part else WHOLE
    counts = {"n_feeds": 0, "n_left": 0, "n_documents": 0, "n_duplicate": 0, "n_rejected": 0, "n_fetches": 0}
    with Stores(settings) as stores:
        now = stores.now()
        polled = poll_feeds(
            chosen,
            memory=stores.feeds,
            settings=settings.fetch,
            now=now,
            is_forced=bool(source_ids),
            part=sites,
            faults=find_faults(stores.habits.load(chosen)),
            find_secret=find_secret,
        )
        for feed in polled:
            counts["n_feeds"] += feed.is_last
            if feed.warning:
                log.warning("%s: %s: %s", feed.source_id, feed.url, feed.warning)
            counts["n_fetches"] += len(feed.fetch_rows)
            stores.ledger.stage_rows("fetches", feed.fetch_rows)
            _add(counts, register_arrivals(stores, feed.arrivals))
            feed.commit()
        counts["n_left"] = len(plan_feeds(chosen, stores.feeds.load_cursors(chosen), now=now, part=sites))
        counts["n_waiting"] = _count_waiting(stores)
    if counts["n_left"]:
        log.warning("%d feeds are left due: their turn did not come before the deadline", counts["n_left"])
    log.info("%s: polled %s", run_id, counts)
    return counts


def sum_counts(counted: Iterable[Mapping[str, int]]) -> Counts:
    """Add up what mapped tasks counted."""
    total: Counter[str] = Counter()
    for counts in counted:
        total.update(counts)
    return dict(total)


def count_waiting(settings: Settings) -> int:
    """Count what waits for a build, one slice's worth at most: enough to know that one is needed."""
    with Stores(settings) as stores:
        return _count_waiting(stores)


def plan_slices(settings: Settings, *, slice_size: int | None = None) -> list[str]:
    """Cut what is pending into slices; returns the ids of those that are still to be read, in order."""
    with Stores(settings) as stores:
        size = slice_size or settings.read.slice_size
        taken = stores.plans.planned_inputs()
        room = max(
            0, MAX_SLICES * size - len(taken)
        )  # a million may be pending: no more than one build takes is loaded
        planned = stores.plans.plan(stores.ledger.pending(room, skip=taken), size=size)
        staged = set(stores.staging.slices())
        return [slice_id for slice_id in planned if slice_id not in staged][:MAX_SLICES]


def read_slice(settings: Settings, slice_id: str) -> Counts:
    """Clean and read the documents of one slice and stage the results; does nothing where they are staged."""
    with Stores(settings) as stores:
        if slice_id in stores.staging.slices():
            return {"n_in": 0, "n_read": 0, "n_rejected": 0}
        try:
            documents = stores.plans.documents(slice_id)
        except KeyError:  # a task tried again after its slice was published
            log.info("slice %s is published already", slice_id)
            return {"n_in": 0, "n_read": 0, "n_rejected": 0}
        results = read_documents(
            ((document, partial(_load_payload, stores, document)) for document in documents),
            settings=settings.read,
        )
        stores.staging.write(slice_id, results)
    n_rejected = sum(result.rejection is not None for result in results)
    return {"n_in": len(results), "n_read": len(results) - n_rejected, "n_rejected": n_rejected}


def _load_payload(stores: Stores, document: Document) -> bytes:
    """Get a document's bytes; raises InputRejected where they are gone, StoreDamaged where the whole archive is."""
    archive, address = stores.archive, document.payload_sha256
    try:
        return archive.get(address)
    except KeyError:
        if archive.is_erased(address):
            raise InputRejected(Reason.ERASED, "its bytes were erased for legal reasons") from None
        if archive.is_empty():
            raise StoreDamaged(
                f"{stores.settings.archive} holds nothing: is its disk mounted, is the setting `archive` right?"
            ) from None
        what = f"{address} is not in the raw archive any more: restore it from a backup and replay, or bring it again"
    except StoreDamaged as damaged:
        what = f"{damaged}: restore it from a backup and replay, or remove it and bring the document again"
    log.error("%s: %s", document.location, what)
    raise InputRejected(Reason.LOST, what)


def publish_batch(settings: Settings, *, run_id: str, dag_id: str | None = None) -> Counts:
    """Publish every staged slice and waiting ledger row as one batch, alone under the warehouse's lock.

    Finishes a bundle that a crash left first, and counts it. Counts are zero where nothing waits. Raises GateClosed
    where a check blocks, LockHeld where another writer does not end.
    """
    alert_book = load_rules(settings.alerts)
    with Stores(settings) as stores, stores.writing(run_id) as finished:
        slice_ids, staged_results = _read_staged(stores)
        settled = stores.ledger.settled(result.document.input_id for result in staged_results)
        # Overlapping slices, or one whose batch was published just before a crash: each input counts once.
        results = {
            result.document.input_id: result for result in staged_results if result.document.input_id not in settled
        }
        staged_rows = stores.ledger.staged_rows()
        results, staged_rows = _blank_erased(stores, results, staged_rows)
        counts: Counts = {"n_in": 0, "n_finished_batches": len(finished)}
        if results or staged_rows:
            try:
                counts |= publish_results(
                    stores,
                    list(results.values()),
                    staged_rows,
                    run_id=run_id,
                    dag_id=dag_id,
                    clock=stores.now,
                    alert_book=alert_book,
                    usual_volumes=_read_usual_volumes(stores),
                )
            except GateClosed as closed:
                # The cause may lie in cleaning or reading: the next build does both again.
                stores.staging.drop(slice_ids)
                newest = stores.ledger.newest_pending()
                closed.is_news = stores.gate.close(closed.blocking, newest_pending=newest, now=stores.now())
                raise
            stores.gate.open()
        stores.staging.drop(slice_ids)
        stores.plans.drop(slice_ids)
    log.info("%s: published %s", run_id, counts)
    return counts


def _read_staged(stores: Stores) -> tuple[list[str], list[SliceResult]]:
    """Read every staged slice; one that cannot be read is dropped: its documents are pending, and are read again."""
    slice_ids, results = [], []
    for slice_id in stores.staging.slices():
        try:
            results += stores.staging.read(slice_id)
        except StoreDamaged as damaged:
            log.error("%s; it is read again", damaged)
            stores.staging.drop([slice_id])
        else:
            slice_ids.append(slice_id)
    return slice_ids, results


def _blank_erased(
    stores: Stores, results: Mapping[str, SliceResult], staged_rows: Sequence[StagedRow]
) -> tuple[dict[str, SliceResult], list[StagedRow]]:
    """Leave no word of a document that was erased after it was read, or that came once more: it is refused."""
    brought = {result.document.payload_sha256 for result in results.values()}
    brought |= {address for row in staged_rows if (address := _brought_by(row)) is not None}
    erased = stores.ledger.find_erased(brought)
    refused = {
        input_id: _refuse_erased(result.document) if result.document.payload_sha256 in erased else result
        for input_id, result in results.items()
    }
    blanked = [
        replace(row, row={**row.row, **rows.ERASED_COLUMNS[row.table]}) if _brought_by(row) in erased else row
        for row in staged_rows
    ]
    return refused, blanked


def _brought_by(row: StagedRow) -> str | None:
    if row.table not in rows.ERASED_COLUMNS:
        return None
    return row.row.get("body_sha256" if row.table == "fetches" else "payload_sha256")


def _refuse_erased(document: Document) -> SliceResult:
    blank = rows.blank_document(document)
    rejection = reject_document(blank, "clean", Reason.ERASED, "its bytes were erased for legal reasons")
    return SliceResult(document=blank, rejection=rejection)


def _read_usual_volumes(stores: Stores) -> dict[str, float]:
    """Read what each source usually brings in a batch, by the batches of the last weeks."""
    with closing(queries.connect(stores.settings.warehouse)) as connection:
        return queries.read_usual_volumes(connection, since=stores.now() - _USUAL_FOR)


def send_alerts(
    settings: Settings,
    *,
    run_id: str,
    dag_id: str | None = None,
    is_dry_run: bool = False,
    secrets: Mapping[str, str] | None = None,
) -> Counts:
    """Deliver the alerts that are due; every attempt becomes a row of `alerts` with the next batch.

    `secrets` gives the values of the environment variables that channels name; without it, the environment does.
    """
    with Stores(settings) as stores:
        attempts = deliver_due(
            stores.outbox,
            make_channels(settings, secrets),
            now=stores.now(),
            is_dry_run=is_dry_run,
            stage_attempt=lambda row: stores.ledger.stage_rows("alerts", [row]),
        )
    n_sent = sum(attempt["status"] == "sent" for attempt in attempts)
    return {"n_sent": n_sent, "n_failed": len(attempts) - n_sent}


def register_arrivals(stores: Stores, arrivals: Iterable[Arrival | Rejection]) -> Counts:
    """Put arrivals into the raw archive and the ledger, in batches; rejections and duplicates become waiting rows.

    Bytes first, then the ledger: what is registered can always be read. Doing it again for the same delivery changes
    nothing, so a crash in the middle is mended by taking the delivery again.
    """
    counts = {"n_documents": 0, "n_duplicate": 0, "n_rejected": 0}
    documents: list[Document] = []
    for arrived in arrivals:
        if isinstance(arrived, Rejection):
            counts["n_rejected"] += 1
            stage_rejection(stores, arrived)
            continue
        stores.archive.put(arrived.payload)
        documents.append(arrived.document)
        if len(documents) >= stores.settings.read.slice_size:
            _add(counts, register_documents(stores, documents))
            documents = []
    _add(counts, register_documents(stores, documents))
    return counts


def register_documents(stores: Stores, documents: Sequence[Document]) -> Counts:
    """Register archived documents as pending; what repeats an earlier input becomes a waiting row instead."""
    registered = stores.ledger.register(documents)
    repeated = [
        rows.input_row(
            document,
            Disposition.DUPLICATE,
            article_id=registered.duplicates[document.input_id].article_id,
            reason=registered.duplicates[document.input_id].input_id,
        )
        for document in documents
        if document.input_id in registered.duplicates
    ]
    stores.ledger.stage_rows("inputs", repeated)
    return {"n_documents": len(registered.new), "n_duplicate": len(repeated)}


def stage_rejection(stores: Stores, rejection: Rejection) -> None:
    """Keep what was rejected on arrival: its bytes, and the rows that say why, which wait for the next batch."""
    if rejection.payload is not None:
        stores.archive.put(rejection.payload)
    disposition = Disposition.REFUSED if rejection.is_refused else Disposition.QUARANTINED
    if not rejection.is_refused:
        stores.ledger.stage_rows("quarantine", [rows.quarantine_row(rejection)])
    stores.ledger.stage_rows("inputs", [rows.input_row(rejection, disposition, reason=rejection.reason)])


def _count_waiting(stores: Stores) -> int:
    """Count what waits for a build; 0 while the gate holds that back, until more comes, a day is over or it opens."""
    if stores.gate.is_waiting(newest_pending=stores.ledger.newest_pending(), now=stores.now()):
        return 0
    return len(stores.ledger.pending(limit=stores.settings.read.slice_size))


def _add(counts: Counts, more: Counts) -> None:
    for name, number in more.items():
        counts[name] += number
