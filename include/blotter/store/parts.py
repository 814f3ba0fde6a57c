"""The tables on a file system: a folder a table, a folder a day in it, numbered Parquet parts in that.

Belongs here: where a table's rows lie, how a batch joins them in one step, and how they are read. Does not belong here:
when that may be done (`warehouse`), and which columns there are (`blotter.schemas`).

Of a day's parts the last is open: a batch joins it by one atomic replace, unless the part has grown over `part_rows`;
then it is sealed as it is and the batch starts the next. So a batch never spans parts, and whether it is there is read
from one part. Nothing in a part's bytes depends on when or where it was written.
"""

import io
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from blotter.errors import PublishingError, SettingsError, StoreDamaged
from blotter.schemas import TABLES, Table
from blotter.store.files import replace_file

# A day before any news, which never gets rows: its one part makes an empty table readable and shows every reader the
# schema first.
_DAY_OF_NO_ROWS = date(1970, 1, 1)
_PARTITION = ds.partitioning(pa.schema([("dt", pa.date32())]), flavor="hive")

Filters = pc.Expression | list[Any] | None


class TableParts:
    """All tables under one root. Whoever adds holds the writer's lock; reading needs none."""

    def __init__(self, root: Path, *, part_rows: int, temps: Path) -> None:
        self._root, self._part_rows, self._temps = root, part_rows, temps

    def is_created(self) -> bool:
        """Say whether every table is there."""
        return all(self._empty_part(name).exists() for name in TABLES)

    def create(self) -> None:
        """Give each missing table its zero-row part; tables that are there stay as they are. Raises OSError."""
        for name, table in TABLES.items():
            if not self._empty_part(name).exists():
                replace_file(self._empty_part(name), encode_part(table.schema.empty_table()), temps=self._temps)

    def sweep(self) -> None:
        """Remove temporary files that a crash left. The caller holds the lock, so that nobody is writing one."""
        for temporary in self._temps.iterdir():
            temporary.unlink()

    def check_schema(self, table: Table) -> None:
        """Raise PublishingError where the table on the disk has other columns than the code declares."""
        standing = self.standing_schema(table.name)
        if not standing.equals(table.schema):
            raise PublishingError(
                f"{self._root / table.name} has other columns ({_tell_difference(standing, table.schema)}) than this "
                "version of blotter writes: run `blotter migrate`"
            )

    def standing_schema(self, name: str) -> pa.Schema:
        """Read the schema that all parts of a table share; raises SettingsError where the table was never created."""
        try:
            return pq.read_schema(self._empty_part(name))
        except FileNotFoundError:
            raise SettingsError(str(self._root), f"a warehouse with the table {name} (run `blotter init`)") from None

    def add_batch(self, name: str, day: date, batch_id: str, rows: pa.Table) -> None:
        """Add a batch's rows to a table's day in one step; where they are there already, change nothing.

        Raises PublishingError where the rows have other columns than the table, OSError where the disk refuses.
        """
        if not self.standing_schema(name).equals(rows.schema):
            raise PublishingError(f"batch {batch_id} was frozen with other columns than {self._root / name} has")
        folder = self._day_folder(name, day)
        parts = _list_parts(folder)
        if not parts:
            replace_file(folder / _part_name(0), encode_part(rows), temps=self._temps)
            return
        standing = _read_part(parts[-1])
        if holds_batch(standing, batch_id):
            return
        if standing.num_rows >= self._part_rows:
            replace_file(folder / _part_name(len(parts)), encode_part(rows), temps=self._temps)
        else:
            joined = pa.concat_tables([standing.cast(rows.schema), rows])
            replace_file(parts[-1], encode_part(joined), temps=self._temps)

    def read(self, name: str, columns: Sequence[str] | None = None, filters: Filters = None) -> pa.Table:
        """Read a table: its declared columns and `dt` (a date), rows by day, then in the order of publishing.

        `filters` is an Arrow expression or pyarrow's list of (column, operator, value). Raises KeyError where there is
        no such table or column, SettingsError where it was never created.
        """
        schema = TABLES[name].schema.append(pa.field("dt", pa.date32()))
        if unknown := set(columns or ()) - set(schema.names):
            raise KeyError(f"{name} has no column {', '.join(sorted(unknown))}")
        self.standing_schema(name)
        dataset = ds.dataset(self._root / name, format="parquet", schema=schema, partitioning=_PARTITION)
        if filters is not None and not isinstance(filters, pc.Expression):
            filters = pq.filters_to_expression(filters)
        return dataset.to_table(columns=list(columns) if columns is not None else None, filter=filters)

    def days(self, name: str) -> list[date]:
        """List the days on which a table got rows, in order."""
        folders = (self._root / name).glob("dt=*")
        return sorted({date.fromisoformat(folder.name[3:]) for folder in folders} - {_DAY_OF_NO_ROWS})

    def newest_recorded_at(self) -> datetime | None:
        """Find when the newest row of any table was recorded, from the last part of each; None where there is none."""
        last_days = {name: days[-1] for name in TABLES if (days := self.days(name))}
        newest_day = max(last_days.values(), default=None)
        candidates = [
            moment
            for name, day in last_days.items()
            if day == newest_day
            for part in _list_parts(self._day_folder(name, day))[-1:]
            if (moment := pc.max(_read_part(part, ["recorded_at"])["recorded_at"]).as_py()) is not None
        ]
        return max(candidates, default=None)

    def has_batch(self, name: str, day: date, batch_id: str) -> bool:
        """Say whether a table's day holds rows of a batch."""
        parts = reversed(_list_parts(self._day_folder(name, day)))
        return any(holds_batch(_read_part(part, ["batch_id"]), batch_id) for part in parts)

    def _empty_part(self, name: str) -> Path:
        return self._day_folder(name, _DAY_OF_NO_ROWS) / _part_name(0)

    def _day_folder(self, name: str, day: date) -> Path:
        return self._root / name / f"dt={day.isoformat()}"


def encode_part(rows: pa.Table) -> bytes:
    """Write rows as the bytes of a Parquet file: zstd, one schema, nothing volatile; equal rows give equal bytes."""
    sink = io.BytesIO()
    pq.write_table(rows.combine_chunks(), sink, compression="zstd", version="2.6", store_schema=True)
    return sink.getvalue()


def holds_batch(rows: pa.Table, batch_id: str) -> bool:
    """Say whether any row is of the batch."""
    return bool(pc.any(pc.equal(rows["batch_id"], pa.scalar(batch_id))).as_py())


def _part_name(number: int) -> str:
    return f"part-{number:05d}.parquet"


def _list_parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))


def _read_part(path: Path, columns: list[str] | None = None) -> pa.Table:
    try:
        with pq.ParquetFile(path) as part:  # the file alone: read_table would add `dt` from the path
            return part.read(columns)
    except (pa.ArrowInvalid, OSError) as broken:
        raise StoreDamaged(f"{path} cannot be read: {broken}") from broken


def _tell_difference(standing: pa.Schema, declared: pa.Schema) -> str:
    names = [field.name for field in declared if field not in list(standing)]
    names += [field.name for field in standing if field.name not in declared.names]
    return ", ".join(dict.fromkeys(names)) or "in another order"
