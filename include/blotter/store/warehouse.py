"""The warehouse: all tables, right under any plain reader at every moment, whatever crashes or is tried again.

Belongs here: the order of publishing. One writer, under a lock, freezes a bundle (`bundles`), then rolls it forward
into the tables (`parts`), then into the state, then removes it. Whoever next holds the lock finishes a frozen bundle
first, unchanged. Does not belong here: what the rows say, and whether they are good enough to be published (`quality`).

Files lie as `ROOT/TABLE/dt=YYYY-MM-DD/part-NNNNN.parquet`; `ROOT/_writer/` is the writer's own and no table. In an
object store (`s3://bucket/prefix`) bundles are frozen in turns (`turns`), and the lock is one that the caller brings.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from blotter.errors import PublishingError, SettingsError
from blotter.schemas import TABLES
from blotter.store.bundles import Bundle, BundleShelf, FolderShelf, Manifest
from blotter.store.files import make_folder
from blotter.store.locks import hold_lock
from blotter.store.parts import Filters, TableParts, add_columns
from blotter.store.places import FolderPlace, Location, ObjectPlace, is_object_store, join_location
from blotter.store.turns import ObjectShelf

ApplyMemory = Callable[[Manifest, Mapping[str, bytes]], None]
HoldLock = Callable[[str, float], AbstractContextManager[None]]  # holder, seconds to wait; raises LockHeld

_BATCH_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,150}")
_INIT_TIMEOUT_S = 60
_KEPT = ("_id", "recorded_at", "known_at")  # endings of the columns that an erasure leaves


class Warehouse:
    """The tables under `root`. `bundles` is where bundles lie until they are published, by default within it.

    `part_rows` is the number of rows of a table's day after which its open part is sealed. `hold_lock` is a lock that
    the writer holds besides that of a folder; in an object store, which has none, whoever writes must bring one.
    """

    def __init__(
        self,
        root: Location,
        *,
        part_rows: int = 20_000,
        bundles: Location | None = None,
        hold_lock: HoldLock | None = None,
    ) -> None:
        self.root = str(root)
        self._own = join_location(self.root, "_writer")
        self._brought_lock = hold_lock
        shelf = bundles or join_location(self._own, "bundles")
        self._shelf: BundleShelf
        if is_object_store(root):
            place, self._temps = ObjectPlace(self.root), None
            self._shelf = ObjectShelf(ObjectPlace(str(shelf)))
            self._parts = TableParts(place, part_rows=part_rows)
        else:
            self._temps = Path(self._own) / "temps"
            self._shelf = FolderShelf(Path(shelf))
            self._parts = TableParts(FolderPlace(Path(root), temps=self._temps), part_rows=part_rows)
        self._writer_pid: int | None = None

    def init(self) -> None:
        """Create what is missing, with a zero-row part for each table, so that empty tables read; else do nothing.

        Raises PublishingError where the folder cannot be written, LockHeld where another writer holds it for a minute.
        """
        if self._parts.is_created():
            return
        with self.lock("init", _INIT_TIMEOUT_S), _telling(self.root):
            self._parts.create()

    @contextmanager
    def lock(self, holder: str, timeout_s: float) -> Iterator[None]:
        """Be the one writer for the length of a `with`; `holder` is what a second run is told who waits in vain.

        The lock dies with the process. Raises LockHeld after `timeout_s` seconds, naming who holds it.
        """
        with ExitStack() as held:
            if self._brought_lock is not None:
                held.enter_context(self._brought_lock(holder, timeout_s))
            elif self._temps is None:
                raise SettingsError(self.root, "a state that can hold the writer's lock: an object store has none")
            with _telling(self.root):
                if self._temps is not None:
                    make_folder(self._temps)
                    held.enter_context(hold_lock(self._temps.parent / "lock", holder, timeout_s))
                    for temporary in self._temps.iterdir():
                        temporary.unlink()
                self._shelf.take_over()
            self._writer_pid = os.getpid()
            try:
                yield
            finally:
                self._writer_pid = None

    def freeze(
        self,
        batch_id: str,
        recorded_at: datetime,
        run_id: str,
        tables: Mapping[str, pa.Table],
        memory: Mapping[str, bytes] | None = None,
    ) -> Manifest:
        """Freeze a batch: once this returns it will be published as it is, by us or by whoever next holds the lock.

        `tables` have the declared columns of `blotter.schemas`; rows are sorted by key, and `recorded_at`, `run_id`
        and `batch_id` are set on each of them. `runs` has a row at least: it is what says that the batch is there.
        `memory` names what the state is told once the tables have the rows. Needs the lock. Raises PublishingError,
        and then nothing has changed: an earlier bundle is unfinished, the batch is there already, `recorded_at` is
        older than the newest row (equal is not), a table is unknown or has other columns, or the disk refuses.
        """
        self._require_lock()
        if not _BATCH_ID.fullmatch(batch_id):
            raise PublishingError(f"{batch_id!r} cannot name a batch: letters, digits and _.:+- only, 151 at most")
        if recorded_at.tzinfo is None:
            raise PublishingError(f"batch {batch_id}: recorded_at has no time zone")
        recorded_at = recorded_at.astimezone(UTC)
        self._require_no_bundle()
        self._refuse_older(batch_id, recorded_at)
        self._check_tables(batch_id, tables)
        stamped = {
            name: stamp_rows(name, tables[name], batch_id, recorded_at, run_id)
            for name in TABLES
            if name in tables and tables[name].num_rows
        }
        manifest = Manifest(
            batch_id=batch_id,
            recorded_at=recorded_at,
            run_id=run_id,
            n_rows={name: rows.num_rows for name, rows in stamped.items()},
            memories=tuple(sorted(memory or {})),
        )
        with _telling(self.root):
            self._shelf.freeze(Bundle(manifest=manifest, tables=stamped, memory=memory or {}))
        return manifest

    def roll_forward(self, apply_memory: ApplyMemory) -> list[Manifest]:
        """Finish every frozen bundle unchanged, the oldest first, and say which: tables in their order, then the state.

        `apply_memory` is called once a bundle's rows stand, perhaps again after a crash, so it must be idempotent; the
        bundle is removed when it returns. Needs the lock. Raises PublishingError, and then what was done stands and
        the rest is done the next time.
        """
        self._require_lock()
        finished = self._shelf.frozen()
        for manifest in finished:
            bundle = self._shelf.load(manifest.batch_id)
            day = manifest.recorded_at.date()
            with _telling(self.root):
                for name in sorted(bundle.tables, key=list(TABLES).index):
                    self._parts.add_batch(name, day, manifest.batch_id, bundle.tables[name])
            apply_memory(manifest, bundle.memory)
            with _telling(self.root):
                self._shelf.remove(manifest.batch_id)
        return finished

    def migrate(self) -> tuple[str, ...]:
        """Give every table the columns that it lacks of those the code declares, null in rows that stand; says which.

        Plain readers are right throughout: they see a new column once every part has it. Needs the lock. Raises
        PublishingError where a bundle is unfinished, or where more than nullable columns differ: then nothing changed.
        """
        self._require_lock()
        self._require_no_bundle()
        behind = {}
        for name, table in TABLES.items():
            standing = self._parts.standing_schema(name)
            if not standing.equals(table.schema):
                add_columns(standing.empty_table(), table.schema)  # raises before any table is touched
                behind[name] = table.schema
        with _telling(self.root):
            for name, schema in behind.items():
                self._parts.rewrite(name, partial(add_columns, schema=schema))
        return tuple(behind)

    def rewrite(self, table: str, change: Callable[[pa.Table], pa.Table]) -> int:
        """Change rows that stand, for legal erasure and nothing else; returns how many parts became other.

        `change` gets a part's rows and gives as many, with the same columns, ids and stamps. Each part is replaced in
        one step. What a crash leaves undone is done by doing it again. Needs the lock. Raises PublishingError.
        """
        self._require_lock()
        self._require_no_bundle()

        def change_values(standing: pa.Table) -> pa.Table:
            changed = change(standing)
            kept = [name for name in standing.column_names if name in TABLES[table].key or name.endswith(_KEPT)]
            if not changed.schema.equals(standing.schema) or not changed.select(kept).equals(standing.select(kept)):
                raise PublishingError(
                    f"{table}: an erasure keeps columns, keys, ids and times of recording as they are"
                )
            return changed

        with _telling(self.root):
            return self._parts.rewrite(table, change_values)

    def read(self, table: str, columns: Sequence[str] | None = None, filters: Filters = None) -> pa.Table:
        """Read a table: its declared columns and `dt` (a date), rows by day, then in the order of publishing.

        `filters` is an Arrow expression or pyarrow's list of (column, operator, value). Needs no lock. Raises KeyError
        where there is no such table or column, SettingsError where the warehouse was never created.
        """
        return self._parts.read(table, columns, filters)

    def read_batches(self, table: str, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Read a table as `read` does, piece by piece, for what may be larger than memory."""
        return self._parts.read_batches(table, columns)

    def open_datasets(self) -> dict[str, ds.Dataset]:
        """Open every table as it stands now, by name. Raises SettingsError where the warehouse was never created."""
        if not self._parts.is_created():
            raise SettingsError(self.root, "a warehouse (run `blotter init`)")
        return {name: self._parts.open_dataset(name) for name in TABLES}

    def has_batch(self, batch_id: str) -> bool:
        """Say whether a batch is published or frozen. Looks at the newest day first; a batch that is not there costs
        a look at every day, so ask the state (`InputLedger.has_batch`) where that matters.
        """
        if any(manifest.batch_id == batch_id for manifest in self._shelf.frozen()):
            return True
        return any(self._parts.has_batch("runs", day, batch_id) for day in reversed(self._parts.days("runs")))

    def newest_recorded_at(self) -> datetime | None:
        """Say when the newest row was recorded, frozen bundles among them; None where there is none."""
        frozen = [manifest.recorded_at for manifest in self._shelf.frozen()]
        published = self._parts.newest_recorded_at("runs")
        return max([*frozen, published] if published else frozen, default=None)

    def _require_lock(self) -> None:
        if self._writer_pid != os.getpid():  # a forked child is not the writer, though it has our memory
            raise PublishingError("only the holder of the lock may write: use `with warehouse.lock(...)`")

    def _require_no_bundle(self) -> None:
        if unfinished := self._shelf.frozen():
            raise PublishingError(f"batch {unfinished[0].batch_id} is frozen and unfinished: roll it forward first")

    def _refuse_older(self, batch_id: str, recorded_at: datetime) -> None:
        newest = self._parts.newest_recorded_at("runs")  # no bundle is unfinished: no other table has a newer row
        if newest is None:
            return
        if recorded_at < newest:
            raise PublishingError(
                f"batch {batch_id} was recorded at {recorded_at.isoformat()}, before the newest row "
                f"({newest.isoformat()}): what was known when would no longer be true. Check the clock."
            )
        if self._parts.has_batch("runs", newest.date(), batch_id):
            raise PublishingError(f"batch {batch_id} is published already")

    def _check_tables(self, batch_id: str, tables: Mapping[str, pa.Table]) -> None:
        if unknown := sorted(set(tables) - set(TABLES)):
            raise PublishingError(f"batch {batch_id} has rows for tables that do not exist: {', '.join(unknown)}")
        if "runs" not in tables or not tables["runs"].num_rows:
            raise PublishingError(f"batch {batch_id} has no row for `runs`, which says that all of it is there")
        for name in tables:
            self._parts.check_schema(TABLES[name])


def stamp_rows(name: str, rows: pa.Table, batch_id: str, recorded_at: datetime, run_id: str) -> pa.Table:
    """Bring a batch's rows into the form in which they are published: declared columns, stamped, sorted by key.

    Raises PublishingError naming the column that is missing, not declared, null, or of a type that does not fit.
    """
    schema = TABLES[name].schema
    stamps = {"recorded_at": recorded_at, "run_id": run_id, "batch_id": batch_id}
    if wrong := (set(rows.column_names) ^ set(schema.names)) - set(stamps):
        raise PublishingError(f"{name}: columns {', '.join(sorted(wrong))} are missing or not declared")
    columns = [
        pa.repeat(pa.scalar(stamps[field.name], field.type), rows.num_rows)
        if field.name in stamps
        else _fit_column(name, field, rows[field.name])
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema).sort_by([(key, "ascending") for key in TABLES[name].key])


def _fit_column(name: str, field: "pa.Field[Any]", column: "pa.ChunkedArray[Any]") -> "pa.ChunkedArray[Any]":
    try:
        fitting = column.cast(field.type)
    except pa.ArrowInvalid as misfit:
        raise PublishingError(f"{name}.{field.name}: {misfit}") from misfit
    if fitting.null_count and not field.nullable:
        raise PublishingError(f"{name}.{field.name} is null in {fitting.null_count} of {len(fitting)} rows")
    return fitting


@contextmanager
def _telling(root: str) -> Iterator[None]:
    """Tell an operator what a disk that refuses means: the batch is whole or not there, and can be tried again."""
    try:
        yield
    except OSError as refused:
        where = refused.filename or root
        raise PublishingError(f"{where}: {refused.strerror or refused}; the tables are right, try again") from refused
