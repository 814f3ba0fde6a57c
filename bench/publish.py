"""What publishing costs beside a bare write: freezing and rolling forward a day of batches, over writing the same rows
with pyarrow, one file a table, each forced to the disk. Both in this run, taking turns. Goal: at most 3.
"""

import datetime as dt
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from blotter.ids import make_id
from blotter.schemas import TABLES, Column, build_table
from blotter.store.warehouse import Warehouse

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
# Rows of each table for every 100 articles: about what the sample stories give.
ROWS_PER_100 = {
    "inputs": 110, "fetches": 130, "articles": 100, "readings": 100, "claims": 1_500, "links": 70, "alignments": 120,
    "incidents": 50, "participants": 90, "facts": 500, "changes": 250, "quarantine": 5, "check_results": 40, "runs": 5,
}  # fmt: skip


def make_value(column: Column, rng: random.Random, words: list[str]) -> object:
    if column.values:
        return [column.values[0]] if pa.types.is_list(column.type) else rng.choice(column.values)
    if pa.types.is_list(column.type):
        return []
    if pa.types.is_string(column.type):
        if column.name == "text":
            return " ".join(rng.choices(words, k=450))
        if column.name in ("quote", "title", "headline"):
            return " ".join(rng.choices(words, k=18))
        return make_id(column.name[:3], rng.random()) if column.name.endswith(("_id", "sha256")) else rng.choice(words)
    if pa.types.is_boolean(column.type):
        return rng.random() < 0.5
    if pa.types.is_integer(column.type):
        return rng.randrange(1_000)
    if pa.types.is_floating(column.type):
        return rng.random()
    if pa.types.is_timestamp(column.type):
        moment = NOON - dt.timedelta(seconds=rng.randrange(10**6))
        return moment if column.type.tz else moment.replace(tzinfo=None)
    return NOON.date()


def make_batch(seed: int, n_articles: int) -> Mapping[str, pa.Table]:
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdefghiklmnoprstuvw", k=rng.randrange(2, 11))) for _ in range(8_000)]
    return {
        name: build_table(
            name,
            [
                {column.name: make_value(column, rng, words) for column in TABLES[name].columns}
                for _ in range(max(1, per_100 * n_articles // 100))
            ],
        )
        for name, per_100 in ROWS_PER_100.items()
    }


def write_bare(folder: Path, tables: Mapping[str, pa.Table]) -> None:
    folder.mkdir()
    for name, rows in tables.items():
        path = folder / f"{name}.parquet"
        pq.write_table(rows, path, compression="zstd")
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def time_day(n_batches: int, n_articles: int, part_rows: int) -> Iterator[tuple[float, float]]:
    with tempfile.TemporaryDirectory() as scratch:
        warehouse = Warehouse(Path(scratch) / "warehouse", part_rows=part_rows)
        warehouse.init()
        for number in range(n_batches):
            tables = make_batch(number, n_articles)
            started = time.perf_counter()
            write_bare(Path(scratch) / f"bare-{number}", tables)
            bare_s = time.perf_counter() - started
            started = time.perf_counter()
            with warehouse.lock("bench", timeout_s=0):
                warehouse.freeze(f"b{number}", NOON, "bench", tables)
                warehouse.roll_forward(lambda manifest, memory: None)
            yield time.perf_counter() - started, bare_s


def main() -> None:
    for n_batches, n_articles in ((24, 20), (24, 100), (12, 300), (6, 1_000)):
        times = list(time_day(n_batches, n_articles, part_rows=20_000))
        published_s, bare_s = (sorted(each) for each in zip(*times, strict=True))
        print(
            f"publish / bare write with fsync: {sum(published_s) / sum(bare_s):.2f} (goal at most 3) for {n_batches} "
            f"batches of {n_articles} articles in a day; medians {statistics.median(published_s) * 1e3:.0f} and "
            f"{statistics.median(bare_s) * 1e3:.0f} ms"
        )


if __name__ == "__main__":
    main()
