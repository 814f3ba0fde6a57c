"""The tables: a folder a table, a folder a day in it, numbered Parquet parts in that.

Belongs here: where a table's rows lie, how a batch joins them in one step, and how they are read. Does not belong here:
when that may be done (`warehouse`), and which columns there are (`blotter.schemas`).

Of a day's parts the last is open: a batch joins it by one atomic replace, unless the part has grown over `part_rows` or
`_PART_BYTES`; then it is sealed as it is and the batch starts the next. So a batch never spans parts, and whether it is
there is read from one part. Nothing in a part's bytes depends on when or where it was written.

In an object store nothing is overwritten, since who reads an object while it is replaced gets some of each: there a
batch is an object of its own in each table, `part-NNNNN-BATCH.parquet`, put only where there is none.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from blotter.errors import PublishingError, SettingsError, StoreDamaged
from blotter.schemas import TABLES, Table
from blotter.store.encoding import encode_part, extend_part
from blotter.store.places import Place

# A day before any news, which never gets rows: its one part makes an empty table readable and shows every reader the
# schema first.
_DAY_OF_NO_ROWS = date(1970, 1, 1)
_PART_BYTES = 8_000_000  # each batch copies the open part: this bounds what that costs where rows are long texts
_PARTITION = ds.partitioning(pa.schema([("dt", pa.date32())]), flavor="hive")

Filters = pc.Expression | list[Any] | None


class TableParts:
    """All tables in one place. Whoever adds holds the writer's lock; reading needs none."""

    def __init__(self, place: Place, *, part_rows: int) -> None:
        self._place, self._part_rows = place, part_rows

    def is_created(self) -> bool:
        """Say whether every table is there."""
        return all(self._place.has(_empty_part(name)) for name in TABLES)

    def create(self) -> None:
        """Give each missing table its zero-row part; tables that are there stay as they are. Raises OSError."""
        for name, table in TABLES.items():
            if not self._place.has(_empty_part(name)):
                self._place.write(_empty_part(name), encode_part(table.schema.empty_table()))

    def check_schema(self, table: Table) -> None:
        """Raise PublishingError where the table on the disk has other columns than the code declares."""
        standing = self.standing_schema(table.name)
        if not standing.equals(table.schema):
            raise PublishingError(
                f"{self._place}/{table.name} has other columns ({_tell_difference(standing, table.schema)}) than this "
                "version of blotter writes: run `blotter migrate`"
            )

    def standing_schema(self, name: str) -> pa.Schema:
        """Read the schema that all parts of a table share; raises SettingsError where the table was never created."""
        try:
            with self._open_part(_empty_part(name)) as part:
                return part.schema_arrow
        except FileNotFoundError:
            raise SettingsError(str(self._place), f"a warehouse with the table {name} (run `blotter init`)") from None

    def add_batch(self, name: str, day: date, batch_id: str, rows: pa.Table) -> None:
        """Add a batch's rows to a table's day in one step; where they are there already, change nothing.

        Raises PublishingError where the rows have other columns than the table, OSError where the disk refuses.
        """
        parts = self._list_parts(name, day)
        if self._place.keeps_readers:
            self._join_open_part(name, day, parts, batch_id, rows)
        elif not any(_batch_of(part) == batch_id for part in parts):
            self._require_columns(rows.schema, self.standing_schema(name), name, batch_id)
            # That the object is there already is no error: another writer that finishes the same bundle was quicker.
            self._place.write_new(f"{_day_folder(name, day)}/{_part_name(len(parts), batch_id)}", encode_part(rows))

    def _join_open_part(self, name: str, day: date, parts: list[str], batch_id: str, rows: pa.Table) -> None:
        last = (parts or [_empty_part(name)])[-1]
        part = self._place.read(last)
        with self._open_part(last, part) as standing:
            self._require_columns(rows.schema, standing.schema_arrow, name, batch_id)
            last_group = standing.read_row_group(standing.num_row_groups - 1, ["batch_id"])
            if _holds_batch(last_group, batch_id):  # it was the last to come, so it is nowhere before
                return
            is_sealed = standing.metadata.num_rows >= self._part_rows or len(part) >= _PART_BYTES
        if parts and not is_sealed:
            self._place.write(last, extend_part(part, rows))
        else:
            self._place.write(f"{_day_folder(name, day)}/{_part_name(len(parts))}", encode_part(rows))

    def _require_columns(self, given: pa.Schema, standing: pa.Schema, name: str, batch_id: str) -> None:
        if not standing.equals(given):
            raise PublishingError(f"batch {batch_id} was frozen with other columns than {self._place}/{name} has")

    def rewrite(self, name: str, change: Callable[[pa.Table], pa.Table]) -> int:
        """Replace each part of a table that `change` makes other than it is, one by one; returns how many.

        The zero-row part comes last. It is the first that a reader opens, and readers take the columns from there and
        leave out what others have more; so a column is there for a plain reader once it is in every part, and not
        before. What a crash leaves undone is done by doing it again. Raises OSError, StoreDamaged.
        """
        days = [*self.days(name), _DAY_OF_NO_ROWS]
        n_replaced = 0
        for path in [path for day in days for path in self._list_parts(name, day)]:
            with self._open_part(path) as part:
                standing = part.read()
            changed = change(standing)
            if changed.num_rows != standing.num_rows:
                raise PublishingError(f"{path}: a part of {standing.num_rows} rows cannot become {changed.num_rows}")
            if not changed.equals(standing):
                self._place.write(path, encode_part(changed))
                n_replaced += 1
        return n_replaced

    def read(self, name: str, columns: Sequence[str] | None = None, filters: Filters = None) -> pa.Table:
        """Read a table: its declared columns and `dt` (a date), rows by day, then in the order of publishing.

        `filters` is an Arrow expression or pyarrow's list of (column, operator, value). Raises KeyError where there is
        no such table or column, SettingsError where it was never created.
        """
        return self._scan(name, columns, filters).to_table()

    def read_batches(self, name: str, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Read a table as `read` does, piece by piece, for what may be larger than memory."""
        yield from self._scan(name, columns, None).to_batches()

    def _scan(self, name: str, columns: Sequence[str] | None, filters: Filters) -> ds.Scanner:
        schema = TABLES[name].schema.append(pa.field("dt", pa.date32()))
        if unknown := set(columns or ()) - set(schema.names):
            raise KeyError(f"{name} has no column {', '.join(sorted(unknown))}")
        self.standing_schema(name)
        dataset = self.open_dataset(name, schema)
        if filters is not None and not isinstance(filters, pc.Expression):
            filters = pq.filters_to_expression(filters)
        return dataset.scanner(columns=list(columns) if columns is not None else None, filter=filters)

    def days(self, name: str) -> list[date]:
        """List the days on which a table got rows, in order."""
        folders = self._place.list_folders(name)
        return sorted(
            {date.fromisoformat(folder[3:]) for folder in folders if folder.startswith("dt=")} - {_DAY_OF_NO_ROWS}
        )

    def newest_recorded_at(self, name: str) -> datetime | None:
        """Find when a table's newest row was recorded; None where it has no row."""
        for day in reversed(self.days(name)):
            for part in reversed(self._list_parts(name, day)):
                with self._open_part(part) as standing:
                    moment: datetime | None = pc.max(standing.read(["recorded_at"])["recorded_at"]).as_py()
                    return moment
        return None

    def has_batch(self, name: str, day: date, batch_id: str) -> bool:
        """Say whether a table's day holds rows of a batch."""
        for part in reversed(self._list_parts(name, day)):
            with self._open_part(part) as standing:
                if _holds_batch(standing.read(["batch_id"]), batch_id):
                    return True
        return False

    def open_dataset(self, name: str, schema: pa.Schema | None = None) -> ds.Dataset:
        """Open a table for pyarrow, or for DuckDB where that cannot read the place itself: as it stands now."""
        schema = schema or TABLES[name].schema.append(pa.field("dt", pa.date32()))
        path, filesystem = self._place.open_arrow(name)
        return ds.dataset(path, filesystem=filesystem, format="parquet", schema=schema, partitioning=_PARTITION)

    def _list_parts(self, name: str, day: date) -> list[str]:
        folder = _day_folder(name, day)
        listed = (kept.name for kept in self._place.list_files(folder))
        return [f"{folder}/{part}" for part in listed if part.startswith("part-") and part.endswith(".parquet")]

    @contextmanager
    def _open_part(self, path: str, content: bytes | None = None) -> Iterator[pq.ParquetFile]:
        # As a file of its own: pyarrow's read_table would add `dt` from the path.
        content = self._place.read(path) if content is None else content
        try:
            with pq.ParquetFile(pa.BufferReader(content)) as part:
                yield part
        except (pa.ArrowInvalid, OSError) as broken:
            if isinstance(broken, OSError) and broken.errno is not None:
                raise  # the system's own error: the file is away, or the disk fails
            raise StoreDamaged(f"{self._place}/{path} cannot be read: {broken}") from broken


def _holds_batch(rows: pa.Table, batch_id: str) -> bool:
    return bool(pc.any(pc.equal(rows["batch_id"], pa.scalar(batch_id))).as_py())


def _part_name(number: int, batch_id: str = "") -> str:
    return f"part-{number:05d}{'-' if batch_id else ''}{batch_id}.parquet"


def _batch_of(part: str) -> str:
    return part.rpartition("/")[2].removesuffix(".parquet").split("-", 2)[2]


def _day_folder(name: str, day: date) -> str:
    return f"{name}/dt={day.isoformat()}"


def _empty_part(name: str) -> str:
    return f"{_day_folder(name, _DAY_OF_NO_ROWS)}/{_part_name(0)}"


def add_columns(standing: pa.Table, schema: pa.Schema) -> pa.Table:
    """Bring rows to a newer schema, in which they have null for what they did not have.

    Raises PublishingError where the schema lacks a column that the rows have, or where a new one may not be null.
    """
    lost = [name for name in standing.column_names if name not in schema.names]
    if lost:
        raise PublishingError(f"columns cannot be taken away: {', '.join(lost)}")
    columns = []
    for field in schema:
        if field.name in standing.column_names:
            columns.append(standing[field.name].cast(field.type))
        elif field.nullable:
            columns.append(pa.nulls(standing.num_rows, field.type))
        else:
            raise PublishingError(f"a column that may not be null cannot be added: {field.name}")
    return pa.Table.from_arrays(columns, schema=schema)


def _tell_difference(standing: pa.Schema, declared: pa.Schema) -> str:
    names = [field.name for field in declared if field not in list(standing)]
    names += [field.name for field in standing if field.name not in declared.names]
    return ", ".join(dict.fromkeys(names)) or "in another order"
