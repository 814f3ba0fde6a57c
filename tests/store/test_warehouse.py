"""What holds of the warehouse on a file system beyond the contract: its files, its lock, its errors."""

import datetime as dt
import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from blotter.errors import LockHeld, PublishingError, SettingsError, StoreDamaged
from blotter.schemas import TABLES
from blotter.store.encoding import encode_part
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
    folder = Path(warehouse.root) / name
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
    day = Path(warehouse.root) / "claims" / "dt=2026-03-02"
    assert {path.name: len(pd.read_parquet(path)) for path in day.iterdir()} == {
        "part-00000.parquet": 6,
        "part-00001.parquet": 6,
        "part-00002.parquet": 3,
    }


def test_a_part_of_long_texts_is_sealed_by_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blotter.store.parts._PART_BYTES", 12_000)
    warehouse = Warehouse(tmp_path / "warehouse")
    warehouse.init()
    for number in range(12):
        publish(warehouse, f"b{number}")
    sizes = [path.stat().st_size for path in sorted((Path(warehouse.root) / "runs" / "dt=2026-03-02").iterdir())]
    assert len(sizes) > 1
    assert all(size >= 12_000 for size in sizes[:-1])
    assert warehouse.read("runs").num_rows == 36


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


def test_two_replays_give_the_same_bytes(tmp_path: Path) -> None:
    def replay(root: Path) -> dict[str, bytes]:
        warehouse = Warehouse(root, part_rows=5)
        warehouse.init()
        for number in range(8):
            publish(warehouse, f"b{number}", recorded_at=NOON + dt.timedelta(hours=3 * number), n_rows=number % 4 + 1)
        return {str(path.relative_to(root)): path.read_bytes() for path in root.glob("*/dt=*/*")}

    first, second = replay(tmp_path / "first"), replay(tmp_path / "second")
    assert len(first) == 5 * len(TABLES)
    assert first == second


def test_nothing_but_parts_lies_in_the_tables(warehouse: Warehouse) -> None:
    publish(warehouse, "b1")
    assert {path.name for path in Path(warehouse.root).iterdir()} == {*TABLES, "_writer"}
    assert list_parts(Path(warehouse.root)) == sorted(
        f"{name}/dt={day}/part-00000.parquet" for name in TABLES for day in ("1970-01-01", "2026-03-02")
    )


def test_what_a_crash_left_is_swept_by_the_next_writer(warehouse: Warehouse) -> None:
    own = Path(warehouse.root) / "_writer"
    (own / "temps" / "part-00000.parquet.1.abcd.tmp").write_bytes(b"half")
    (own / "bundles" / "b9").mkdir()
    (own / "bundles" / "b9" / "content.bin").write_bytes(b"never frozen")
    publish(warehouse, "b1")
    assert [path.name for path in own.rglob("*") if path.is_file()] == ["lock"]


def test_a_forked_child_is_not_the_writer(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with warehouse.lock("a parent", timeout_s=5):
        monkeypatch.setattr("os.getpid", lambda: -1)
        with pytest.raises(PublishingError, match="holder of the lock"):
            warehouse.roll_forward(lambda manifest, memory: None)


def test_a_part_that_was_damaged_is_named_and_left(warehouse: Warehouse) -> None:
    publish(warehouse, "b1")
    part = Path(warehouse.root) / "claims" / "dt=2026-03-02" / "part-00000.parquet"
    part.write_bytes(part.read_bytes()[:-4])
    with warehouse.lock("a test", timeout_s=5):
        warehouse.freeze("b2", NOON, "run", make_tables(batch="b2"))
        with pytest.raises(StoreDamaged, match=r"claims/dt=2026-03-02/part-00000\.parquet"):
            warehouse.roll_forward(lambda manifest, memory: None)
    assert warehouse.has_batch("b2")  # still frozen: it is finished once the part is mended


def test_a_bundle_that_was_damaged_is_named_and_not_published(warehouse: Warehouse) -> None:
    with warehouse.lock("a test", timeout_s=5):
        warehouse.freeze("b1", NOON, "run", make_tables(batch="b1"))
        content = Path(warehouse.root) / "_writer" / "bundles" / "b1" / "content.bin"
        whole = content.read_bytes()
        content.write_bytes(whole[:-1] + b"\x00\x00")
        with pytest.raises(StoreDamaged, match=r"bundles/b1: the content"):
            warehouse.roll_forward(lambda manifest, memory: None)
        content.write_bytes(whole)
        manifest = content.with_name("manifest.json")
        told = manifest.read_bytes()
        for broken in (b"", b"{}", b"[]", told.replace(b'"format":1', b'"format":2')):
            manifest.write_bytes(broken)
            with pytest.raises(StoreDamaged, match=r"manifest\.json is no manifest"):
                warehouse.roll_forward(lambda manifest, memory: None)
        manifest.write_bytes(told)
        warehouse.roll_forward(lambda manifest, memory: None)
    assert warehouse.read("runs").num_rows == 3


def test_tables_of_an_older_schema_are_read_and_not_written(warehouse: Warehouse) -> None:
    """Rows of a table that has not been migrated yet read with nulls in the new column; writing says what to do."""
    publish(warehouse, "b1")
    for path in (Path(warehouse.root) / "claims").rglob("*.parquet"):
        with pq.ParquetFile(path) as part:
            older = part.read().drop_columns(["attributed_to"])
        path.write_bytes(encode_part(older))
    assert warehouse.read("claims", ["attributed_to"]).to_pydict() == {"attributed_to": [None] * 3}
    with (
        warehouse.lock("a test", timeout_s=5),
        pytest.raises(PublishingError, match=r"claims has other columns \(attributed_to\).*blotter migrate"),
    ):
        warehouse.freeze("b2", NOON, "run", make_tables(batch="b2"))


def count_columns(folder: Path) -> int:
    """Count the columns that plain readers see, and check that they see every row; both must agree."""
    frame = pd.read_parquet(folder)
    relation = duckdb.sql(f"from read_parquet('{folder}/**/*.parquet', hive_partitioning=true)")
    assert relation.columns == list(frame.columns)
    assert sorted(row[0] for row in relation.fetchall()) == sorted(frame.iloc[:, 0])
    assert len(frame) == 12
    return len(frame.columns)


def test_a_new_column_is_there_for_plain_readers_once_it_is_in_every_part(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        publish(warehouse, f"b{number}", recorded_at=NOON + dt.timedelta(hours=8 * number))
    folder, n_declared = Path(warehouse.root) / "claims", len(TABLES["claims"].schema) + 1
    whole = warehouse.read("claims")
    for path in folder.rglob("*.parquet"):
        with pq.ParquetFile(path) as part:
            path.write_bytes(encode_part(part.read().drop_columns(["attributed_to"])))
    n_parts = len(list(folder.rglob("*.parquet")))
    assert n_parts == 3
    replace, seen = Path.replace, [count_columns(folder)]

    def replace_and_die(self: Path, target: Path) -> Path:
        replace(self, target)
        seen.append(count_columns(folder))
        raise OSError(errno.EIO, "the disk failed", str(target))

    with warehouse.lock("a test", timeout_s=5):
        for _ in range(n_parts):
            with monkeypatch.context() as failing, pytest.raises(PublishingError, match="the disk failed"):
                failing.setattr(Path, "replace", replace_and_die)
                warehouse.migrate()
        warehouse.migrate()
        assert warehouse.migrate() == ()
    assert seen == [n_declared - 1] * n_parts + [n_declared]
    attributed = TABLES["claims"].schema.get_field_index("attributed_to")
    expected = whole.set_column(attributed, whole.schema.field(attributed), pa.nulls(12, pa.string()))
    assert warehouse.read("claims").equals(expected)
    publish(warehouse, "b4", recorded_at=NOON + dt.timedelta(days=2))


@pytest.mark.parametrize(
    ("standing", "message"),
    [
        (lambda table: table.append_column("colour", pa.nulls(table.num_rows, pa.string())), "taken away: colour"),
        (lambda table: table.drop_columns(["field", "quote"]), "not be null cannot be added: field"),
    ],
)
def test_what_no_migration_can_do_is_refused(
    warehouse: Warehouse, standing: Callable[[pa.Table], pa.Table], message: str
) -> None:
    path = Path(warehouse.root) / "claims" / "dt=1970-01-01" / "part-00000.parquet"
    older = encode_part(standing(TABLES["claims"].schema.empty_table()))
    path.write_bytes(older)
    with warehouse.lock("a test", timeout_s=5), pytest.raises(PublishingError, match=message):
        warehouse.migrate()
    assert path.read_bytes() == older


def test_an_erasure_takes_values_and_leaves_ids(warehouse: Warehouse) -> None:
    for number in range(4):
        publish(warehouse, f"b{number}")
    before = warehouse.read("articles")
    gone = "article_id of b1/1"

    def erase(rows: pa.Table) -> pa.Table:
        texts = [
            "[erased]" if article_id == gone else text
            for article_id, text in zip(rows["article_id"].to_pylist(), rows["text"].to_pylist(), strict=True)
        ]
        text = rows.schema.get_field_index("text")
        return rows.set_column(text, rows.schema.field(text), pa.array(texts, pa.string()))

    with warehouse.lock("a test", timeout_s=5):
        assert warehouse.rewrite("articles", erase) == 1
        assert warehouse.rewrite("articles", erase) == 0
        for wrong in (
            lambda rows: rows.slice(1),
            lambda rows: rows.drop_columns(["text"]),
            lambda rows: rows.set_column(0, rows.schema.field(0), pa.array(["other"] * rows.num_rows, pa.string())),
        ):
            with pytest.raises(PublishingError, match="keeps columns, keys, ids"):
                warehouse.rewrite("articles", wrong)
    after = warehouse.read("articles")
    assert after.drop_columns(["text"]).equals(before.drop_columns(["text"]))
    changed = [i for i, (old, new) in enumerate(zip(before["text"], after["text"], strict=True)) if old != new]
    assert [after["article_id"][i].as_py() for i in changed] == [gone]


def test_a_bundle_frozen_for_an_older_schema_does_not_mix(warehouse: Warehouse) -> None:
    with warehouse.lock("a test", timeout_s=5):
        warehouse.freeze("b1", NOON, "run", make_tables(batch="b1"))
        part = Path(warehouse.root) / "claims" / "dt=1970-01-01" / "part-00000.parquet"
        newer = TABLES["claims"].schema.append(pa.field("colour", pa.string()))
        part.write_bytes(encode_part(newer.empty_table()))
        with pytest.raises(PublishingError, match="frozen with other columns"):
            warehouse.roll_forward(lambda manifest, memory: None)


def test_an_object_store_needs_a_lock_that_is_brought() -> None:
    warehouse = Warehouse("s3://bucket/warehouse")
    with pytest.raises(SettingsError, match="a state that can hold the writer's lock"), warehouse.lock("a test", 0):
        pass


def test_a_bundle_whose_removal_failed_halfway_does_not_come_back(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise OSError(errno.EIO, "Input/output error", str(path))

    with warehouse.lock("a test", timeout_s=5):
        warehouse.freeze("b1", NOON, "run", make_tables(batch="b1"))
        with monkeypatch.context() as broken, pytest.raises(PublishingError, match="Input/output error"):
            broken.setattr(shutil, "rmtree", refuse)
            warehouse.roll_forward(lambda manifest, memory: None)
        assert warehouse.roll_forward(lambda manifest, memory: None) == []
    publish(warehouse, "b2")
    assert set(warehouse.read("runs")["batch_id"].to_pylist()) == {"b1", "b2"}
