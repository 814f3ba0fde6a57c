"""What holds of the warehouse on a file system beyond the contract: its files, its lock, its errors."""

import datetime as dt
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from blotter.errors import LockHeld, PublishingError
from blotter.schemas import TABLES
from blotter.store.warehouse import Warehouse
from store.builders import NOON, make_tables


def publish(warehouse: Warehouse, batch: str, *, recorded_at: dt.datetime = NOON, n_rows: int = 3) -> None:
    with warehouse.lock("a test", timeout_s=5):
        warehouse.freeze(batch, recorded_at, "run", make_tables(batch=batch, n_rows=n_rows))
        warehouse.roll_forward(lambda manifest, memory: None)


def list_parts(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.glob("*/dt=*/*"))


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    warehouse = Warehouse(tmp_path / "warehouse", part_rows=5)
    warehouse.init()
    return warehouse


@pytest.mark.parametrize("name", TABLES)
def test_plain_readers_see_the_declared_columns_and_dt(warehouse: Warehouse, name: str) -> None:
    expected = [*TABLES[name].schema.names, "dt"]
    folder = warehouse.root / name
    query = f"from read_parquet('{folder}/**/*.parquet', hive_partitioning=true)"
    for n_rows in (0, 3):
        if n_rows:
            publish(warehouse, "b1")
        frame = pd.read_parquet(folder)
        assert list(frame.columns) == expected
        assert len(frame) == n_rows
        relation = duckdb.sql(query)
        assert relation.columns == expected
        assert str(relation.types[-1]) == "DATE"
        assert len(relation.fetchall()) == n_rows


def test_a_batch_joins_the_open_part_until_it_is_sealed(warehouse: Warehouse) -> None:
    for number in range(5):
        publish(warehouse, f"b{number}")
    day = warehouse.root / "claims" / "dt=2026-03-02"
    assert {path.name: len(pd.read_parquet(path)) for path in day.iterdir()} == {
        "part-00000.parquet": 6,
        "part-00001.parquet": 6,
        "part-00002.parquet": 3,
    }


def test_a_second_writer_is_told_who_holds_the_lock(warehouse: Warehouse) -> None:
    told = r"held by the nightly build \(process \d+ on .+\); waited 0.1 s"
    another = Warehouse(warehouse.root)
    with (
        warehouse.lock("the nightly build", timeout_s=1),
        pytest.raises(LockHeld, match=told),
        another.lock("another", timeout_s=0.1),
    ):
        pass
    with Warehouse(warehouse.root).lock("another", timeout_s=0):
        pass


def test_writing_needs_the_lock(warehouse: Warehouse) -> None:
    with pytest.raises(PublishingError, match="holder of the lock"):
        warehouse.freeze("b1", NOON, "run", make_tables(batch="b1"))
    with pytest.raises(PublishingError, match="holder of the lock"):
        warehouse.roll_forward(lambda manifest, memory: None)
