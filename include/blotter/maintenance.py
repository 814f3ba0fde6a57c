"""Keeping house: bringing tables to newer columns, the state to the tables, and clearing what nobody needs any more.

Belongs here: what a person or a weekly DAG does beside the stages; each may be cut off and done again. Does not belong
here: erasure for legal reasons (`blotter.erasing`), which is a person's decision, and the books (`blotter.accounting`).
"""

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from blotter import queries
from blotter.config import Settings
from blotter.schemas import TABLES
from blotter.store.places import is_object_store, join_location
from blotter.store.rebuild import rebuild_desk, rebuild_judgements, rebuild_ledger
from blotter.stores import LOCK_TIMEOUT_S, Stores

log = logging.getLogger(__name__)

Counts = dict[str, int]

_ADDRESSES_AT_ONCE = 10_000
_LEFT_S = 24 * 3600  # a file that nobody finished in a day was left by a crash


def migrate_tables(settings: Settings, *, run_id: str) -> tuple[str, ...]:
    """Give every table the columns that it lacks; returns the names of the tables that got some.

    Readers are right throughout. Raises LockHeld where another writer does not end, PublishingError where more than
    columns that may be null differ.
    """
    with Stores(settings) as stores, stores.writing(run_id):
        return stores.warehouse.migrate()


def rebuild_state(settings: Settings, *, run_id: str) -> Counts:
    """Make the state what the tables say, where it was lost or is in doubt; returns what it knows then.

    Pending inputs and rows that wait stay where the state still has them; feeds are asked anew where it has not.
    """
    with Stores(settings) as stores, stores.warehouse.lock(run_id, LOCK_TIMEOUT_S):
        stores.warehouse.roll_forward(stores.apply_memory)
        ledger, judgements, desk = stores.ledger, stores.judgements, stores.desk  # opened before the transaction
        with stores.engine.begin() as connection:
            rebuild_ledger(stores.warehouse, ledger, connection)
            rebuild_judgements(stores.warehouse, judgements, connection)
            rebuild_desk(stores.warehouse, desk, connection, rules=stores.link_rules)
        known = ledger.counts()
    return {"n_settled": sum(known.n_settled.values()), "n_pending": known.n_pending}


def sweep_leftovers(settings: Settings) -> Counts:
    """Remove the unfinished files that crashes left beside archive and slices, a day after they were last written to.

    An object store has none. The writer's own are swept by the next writer.
    """
    folders = [join_location(settings.archive, "_temps"), join_location(settings.staging, "slices/_temps")]
    n_files = n_bytes = 0
    for folder in folders:
        if is_object_store(folder) or not Path(folder).is_dir():
            continue
        for file in Path(folder).iterdir():
            status = file.stat()
            if status.st_mtime < time.time() - _LEFT_S:
                file.unlink(missing_ok=True)
                n_files, n_bytes = n_files + 1, n_bytes + status.st_size
    return {"n_files": n_files, "n_bytes": n_bytes}


def expire_documents(settings: Settings, *, is_dry_run: bool = False) -> Counts:
    """Remove the bytes of documents that are older than `keep.raw_days`; does nothing where that is not set.

    A document is as old as the newest input or request that brought it. What is pending or open in quarantine stays.
    Tables stay as they are, and a document that comes again is kept again; one that is gone can no longer be read anew.
    Not while documents are taken in: one that comes again just then might lose its bytes before it is registered.
    """
    if settings.keep.raw_days is None:
        return {"n_documents": 0, "n_bytes": 0}
    with Stores(settings) as stores:
        before = stores.now() - timedelta(days=settings.keep.raw_days)
        waiting: set[str | None] = {document.payload_sha256 for document in stores.ledger.iterate_pending()}
        for row in stores.ledger.iterate_staged():
            waiting |= {row.row.get("payload_sha256"), row.row.get("body_sha256")}
        n_documents = n_bytes = 0
        for addresses in _find_expired(settings.warehouse, before):
            sizes = stores.archive.measure(set(addresses) - waiting)
            n_documents, n_bytes = n_documents + len(sizes), n_bytes + sum(sizes.values())
            if not is_dry_run:
                for address in sizes:
                    stores.archive.remove(address)
    log.info("%s %s documents, %s bytes", "would remove" if is_dry_run else "removed", n_documents, n_bytes)
    return {"n_documents": n_documents, "n_bytes": n_bytes}


# Sorted, so that the documents of one folder of the archive come together.
_EXPIRED = """
    WITH brought AS (
        SELECT payload_sha256 AS address, recorded_at FROM inputs
        UNION ALL SELECT body_sha256, recorded_at FROM fetches
    ),
    old AS (SELECT address FROM brought WHERE address IS NOT NULL GROUP BY 1 HAVING max(recorded_at) < ?),
    lying AS (
        SELECT payload_sha256 AS address FROM quarantine
        ANTI JOIN (SELECT replay_of AS input_id FROM inputs WHERE replay_of IS NOT NULL) AS replay USING (input_id)
    )
    SELECT address FROM old ANTI JOIN lying USING (address) ORDER BY 1
"""


def _find_expired(warehouse: str, before: datetime) -> Iterator[list[str]]:
    """Find the documents that nothing brought since `before` and that do not lie in quarantine, some at a time."""
    with queries.connect_bounded(warehouse) as connection:
        found = connection.execute(_EXPIRED, [before])
        while rows := found.fetchmany(_ADDRESSES_AT_ONCE):
            yield [address for (address,) in rows]


def write_checks_site(settings: Settings, *, batch_id: str | None = None) -> Path | None:
    """Write the outcome of the checks on a batch, by default the newest, as a site; returns its first page.

    None where nothing was published. Of a batch that the gate held back, the build itself wrote the site.
    """
    from blotter.quality.data_docs import write_data_docs

    # Under the writer's lock: an erasure that ends between reading and writing would leave its words in the site.
    with Stores(settings) as stores, stores.warehouse.lock("checks", LOCK_TIMEOUT_S):
        runs = stores.warehouse.read("runs", ["batch_id"], [("stage", "=", "publish")])
        if not runs.num_rows:
            return None
        wanted = batch_id or runs["batch_id"][-1].as_py()
        tables = {
            name: stores.warehouse.read(name, TABLES[name].schema.names, [("batch_id", "=", wanted)])
            for name in TABLES
            if name not in ("inputs", "fetches", "quarantine", "check_results", "alerts", "runs")
        }
        found = {name: table for name, table in tables.items() if table.num_rows}
        return write_data_docs(found, Path(settings.checks_site), now=stores.now(), references={})
