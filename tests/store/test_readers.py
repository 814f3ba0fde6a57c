"""Plain readers beside a writer that publishes as fast as it can: each read is right by itself."""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from blotter.schemas import TABLES
from blotter.store.warehouse import Warehouse
from store.crashes import publish_batches, start_writer

N_ROWS, PART_ROWS = 40, 300
NAMES = ("articles", "claims", "incidents", "runs")
Counts = dict[str, int]


def count_with_pandas(folder: Path) -> Counts:
    frame = pd.read_parquet(folder)
    assert list(frame.columns) == [*TABLES[folder.name].schema.names, "dt"]
    return frame["batch_id"].value_counts().to_dict()


def count_with_one_column(folder: Path) -> Counts:
    return pd.read_parquet(folder, columns=["batch_id"])["batch_id"].value_counts().to_dict()


def count_with_a_new_duckdb(folder: Path) -> Counts:
    with duckdb.connect() as connection:
        return count_in(connection, folder)


def count_in(connection: duckdb.DuckDBPyConnection, folder: Path) -> Counts:
    every_column = " + ".join(f"count({name})" for name in TABLES[folder.name].schema.names)
    query = (
        f"select batch_id, count(*), {every_column} from read_parquet('{folder}/**/*.parquet', hive_partitioning=true)"
    )
    return {batch_id: n_rows for batch_id, n_rows, _ in connection.execute(f"{query} group by all").fetchall()}


def read_while_writing(root: Path, n_reads: int) -> int:
    """Read `n_reads` times, each way and each table in turn, and say how many batches came to stand meanwhile."""
    warehouse = Warehouse(root / "warehouse", part_rows=PART_ROWS)
    warehouse.init()
    options = {"n_rows": N_ROWS, "names": NAMES, "part_rows": PART_ROWS, "spacing_h": 0.5}
    writer = start_writer(publish_batches, root, 1_000_000, **options)
    one_duckdb = duckdb.connect()
    ways: list[Callable[[Path], Counts]] = [
        count_with_pandas,
        count_with_a_new_duckdb,
        count_with_one_column,
        lambda folder: count_in(one_duckdb, folder),
    ]
    newest = dict.fromkeys(NAMES, 0)
    try:
        for number in range(n_reads):
            name, count = NAMES[number % len(NAMES)], ways[number // len(NAMES) % len(ways)]
            counts = count(root / "warehouse" / name)
            assert set(counts.values()) <= {N_ROWS}, "a batch is there in part, or twice"
            assert set(counts) == {f"b{batch}" for batch in range(len(counts))}, "a batch is missing between others"
            assert len(counts) >= newest[name], "a batch that was there is gone"
            newest[name] = len(counts)
            assert writer.is_alive()
    finally:
        writer.kill()
        writer.join()
        one_duckdb.close()
    return newest["runs"]


def test_reads_during_publishing_are_right(tmp_path: Path) -> None:
    assert read_while_writing(tmp_path, 200) > 10


@pytest.mark.heavy
@pytest.mark.timeout(3_000)
def test_five_thousand_reads_during_publishing_are_right(tmp_path: Path) -> None:
    for part in range(25):  # a new warehouse each, for a read of a large one takes seconds in which little is replaced
        assert read_while_writing(tmp_path / str(part), 200) > 10
        shutil.rmtree(tmp_path / str(part))
