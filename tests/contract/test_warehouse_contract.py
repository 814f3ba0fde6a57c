"""What every warehouse must do, wherever its tables lie. A new kind joins `KINDS`; nothing here knows about files."""

import datetime as dt
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blotter.errors import LockHeld, PublishingError, SettingsError
from blotter.schemas import TABLES
from blotter.store.bundles import Manifest
from blotter.store.locks import hold_lock
from blotter.store.warehouse import Warehouse
from objects import BUCKET
from store.builders import NOON, make_rows, make_tables

Open = Callable[..., Warehouse]


def open_objects(root: Path) -> Open:
    # The lock is a file here; with a PostgreSQL state it is one of the database's (tests/store/test_locks.py).
    lock = partial(hold_lock, root / "lock")
    return lambda **options: Warehouse(
        f"s3://{BUCKET}{root}/warehouse", bundles=f"s3://{BUCKET}{root}/bundles", hold_lock=lock, **options
    )


KINDS: Mapping[str, Callable[[Path], Open]] = {
    "folder": lambda root: lambda **options: Warehouse(root / "warehouse", **options),
    "folder with bundles elsewhere": lambda root: (
        lambda **options: Warehouse(root / "warehouse", bundles=root / "bundles", **options)
    ),
    "object store": open_objects,
}


@pytest.fixture(params=KINDS)
def open_warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Open the same warehouse again and again, as other processes would."""
    if request.param == "object store":
        request.getfixturevalue("object_store")
    return KINDS[request.param](tmp_path)


@pytest.fixture
def warehouse(open_warehouse: Open) -> Warehouse:
    warehouse = open_warehouse()
    warehouse.init()
    return warehouse


def forget(manifest: Manifest, memory: Mapping[str, bytes]) -> None:
    """Be a state that remembers nothing."""


def publish(warehouse: Warehouse, batch: str, *, recorded_at: dt.datetime = NOON, **given: object) -> None:
    with warehouse.lock("a test", timeout_s=5):
        warehouse.freeze(batch, recorded_at, f"run of {batch}", make_tables(batch=batch, **given))
        warehouse.roll_forward(forget)


def list_batches(warehouse: Warehouse, table: str) -> list[str]:
    return list(dict.fromkeys(warehouse.read(table, ["batch_id"])["batch_id"].to_pylist()))


def test_a_new_warehouse_is_empty_and_says_what_columns_there_are(warehouse: Warehouse) -> None:
    for name, table in TABLES.items():
        read = warehouse.read(name)
        assert read.num_rows == 0
        assert read.schema.equals(table.schema.append(pa.field("dt", pa.date32())))
    assert warehouse.newest_recorded_at() is None
    assert not warehouse.has_batch("b1")


def test_init_leaves_what_is_there(warehouse: Warehouse, open_warehouse: Open) -> None:
    publish(warehouse, "b1")
    open_warehouse().init()
    assert list_batches(warehouse, "claims") == ["b1"]


def test_a_warehouse_that_was_never_created_says_so(open_warehouse: Open) -> None:
    with pytest.raises(SettingsError, match="blotter init"):
        open_warehouse().read("claims")
    with pytest.raises(SettingsError, match="blotter init"):
        publish(open_warehouse(), "b1")


@pytest.mark.parametrize("name", TABLES)
def test_rows_come_back_as_they_were_frozen(warehouse: Warehouse, name: str) -> None:
    tables = {"runs": make_rows("runs", batch="b1"), name: make_rows(name, batch="b1", n_rows=7)}
    with warehouse.lock("a test", timeout_s=5):
        warehouse.freeze("b1", NOON, "run 1", tables)
        warehouse.roll_forward(forget)
    read = warehouse.read(name)
    assert read.num_rows == 7
    assert set(
        zip(*(read[stamp].to_pylist() for stamp in ("recorded_at", "run_id", "batch_id", "dt")), strict=True)
    ) == {(NOON, "run 1", "b1", NOON.date())}
    stamps = ["recorded_at", "run_id", "batch_id"]
    assert read.drop_columns([*stamps, "dt"]).equals(tables[name].drop_columns(stamps))


def test_rows_are_sorted_by_key_within_a_batch_and_batches_by_time(warehouse: Warehouse) -> None:
    backwards = make_rows("changes", batch="b", n_rows=9).take(list(range(8, -1, -1)))
    for number, day in enumerate((NOON, NOON, NOON + dt.timedelta(days=1))):
        with warehouse.lock("a test", timeout_s=5):
            warehouse.freeze(f"b{number}", day, "run", {"changes": backwards, "runs": make_rows("runs", batch="b")})
            warehouse.roll_forward(forget)
    rows = warehouse.read("changes", ["dt", "batch_id", "change_id"]).to_pylist()
    assert rows == sorted(rows, key=lambda row: (row["dt"], row["batch_id"], row["change_id"]))
    assert len(rows) == 27


def test_read_takes_columns_and_filters(warehouse: Warehouse) -> None:
    publish(warehouse, "b1")
    publish(warehouse, "b2", recorded_at=NOON + dt.timedelta(days=1))
    assert warehouse.read("claims", ["claim_id", "dt"], [("batch_id", "=", "b2")]).to_pylist() == [
        {"claim_id": f"claim_id of b2/{number}", "dt": dt.date(2026, 3, 3)} for number in range(3)
    ]
    assert warehouse.read("claims", [], [("dt", "<", dt.date(2026, 3, 3))]).num_rows == 3
    with pytest.raises(KeyError, match="colour"):
        warehouse.read("claims", ["colour"])
    with pytest.raises(KeyError):
        warehouse.read("colours")


def test_a_frozen_bundle_is_no_part_of_the_tables_until_it_is_rolled_forward(
    warehouse: Warehouse, open_warehouse: Open
) -> None:
    with warehouse.lock("a writer that dies", timeout_s=5):
        warehouse.freeze("b1", NOON, "run", make_tables(batch="b1"), {"inputs": b"\x00told"})
    assert list_batches(warehouse, "claims") == []
    assert warehouse.has_batch("b1")
    assert warehouse.newest_recorded_at() == NOON
    told: list[tuple[Manifest, Mapping[str, bytes]]] = []
    successor = open_warehouse()
    with successor.lock("its successor", timeout_s=5):
        finished = successor.roll_forward(lambda manifest, memory: told.append((manifest, memory)))
        assert successor.roll_forward(forget) == []
    assert [(m.batch_id, m.recorded_at, m.run_id, m.n_rows["claims"]) for m in finished] == [("b1", NOON, "run", 3)]
    assert told == [(finished[0], {"inputs": b"\x00told"})]
    assert {name: list_batches(warehouse, name) for name in TABLES} == {name: ["b1"] for name in TABLES}


def test_the_state_is_told_after_the_rows_stand_and_again_if_it_failed(warehouse: Warehouse) -> None:
    seen: list[list[str]] = []

    def fail_once(manifest: Manifest, memory: Mapping[str, bytes]) -> None:
        seen.append(list_batches(warehouse, "runs"))
        if len(seen) == 1:
            raise RuntimeError("the state is away")

    with warehouse.lock("a test", timeout_s=5):
        warehouse.freeze("b1", NOON, "run", make_tables(batch="b1"))
        with pytest.raises(RuntimeError):
            warehouse.roll_forward(fail_once)
        warehouse.roll_forward(fail_once)
    assert seen == [["b1"], ["b1"]]
    assert warehouse.read("claims").num_rows == 3


def test_time_never_goes_back(warehouse: Warehouse) -> None:
    publish(warehouse, "b1", recorded_at=NOON)
    with warehouse.lock("a test", timeout_s=5):
        with pytest.raises(PublishingError, match="Check the clock"):
            warehouse.freeze("b2", NOON - dt.timedelta(microseconds=1), "run", make_tables(batch="b2"))
        assert warehouse.roll_forward(forget) == []
    publish(warehouse, "b3", recorded_at=NOON)
    assert list_batches(warehouse, "runs") == ["b1", "b3"]
    assert warehouse.newest_recorded_at() == NOON


def test_a_moment_of_another_zone_lands_on_its_utc_day(warehouse: Warehouse) -> None:
    late = dt.datetime(2026, 3, 2, 22, tzinfo=dt.timezone(dt.timedelta(hours=-6)))
    publish(warehouse, "b1", recorded_at=late)
    assert warehouse.read("runs", ["dt", "recorded_at"]).to_pylist()[0] == {
        "dt": dt.date(2026, 3, 3),
        "recorded_at": late,
    }


def make_bad_batches() -> Mapping[str, tuple[str, dict[str, object]]]:
    tables = dict(make_tables(batch="b2"))
    claims = tables["claims"]
    nulls = pa.nulls(claims.num_rows, pa.string())
    return {
        "an unknown table": ("colours", {"tables": tables | {"colours": claims}}),
        "a batch without its run": ("no row for `runs`", {"tables": {"claims": claims}}),
        "a missing column": ("claims: columns quote", {"tables": tables | {"claims": claims.drop_columns(["quote"])}}),
        "a column too many": ("colour", {"tables": tables | {"claims": claims.append_column("colour", nulls)}}),
        "a null where none may be": (
            "claims.quote is null in 3 of 3 rows",
            {"tables": tables | {"claims": claims.set_column(claims.schema.get_field_index("quote"), "quote", nulls)}},
        ),
        "a type that does not fit": (
            "claims.confidence",
            {
                "tables": tables
                | {
                    "claims": claims.set_column(
                        claims.schema.get_field_index("confidence"), "confidence", pa.array(["high"] * claims.num_rows)
                    )
                }
            },
        ),
        "a batch that is there": ("b1 is published already", {"batch_id": "b1"}),
        "no batch name": ("cannot name a batch", {"batch_id": ""}),
        "a name that leaves the folder": ("cannot name a batch", {"batch_id": "../b2"}),
        "a time without a zone": ("no time zone", {"recorded_at": NOON.replace(tzinfo=None)}),
    }


@pytest.mark.parametrize("wrong", make_bad_batches())
def test_a_batch_that_cannot_be_right_is_refused_and_changes_nothing(warehouse: Warehouse, wrong: str) -> None:
    publish(warehouse, "b1")
    message, given = make_bad_batches()[wrong]
    arguments = {"batch_id": "b2", "recorded_at": NOON, "run_id": "run", "tables": make_tables(batch="b2")} | given
    with warehouse.lock("a test", timeout_s=5):
        with pytest.raises(PublishingError, match=message):
            warehouse.freeze(**arguments)
        assert warehouse.roll_forward(forget) == []
    assert {name: list_batches(warehouse, name) for name in TABLES} == {name: ["b1"] for name in TABLES}


def test_nothing_is_frozen_over_an_unfinished_bundle(warehouse: Warehouse) -> None:
    with warehouse.lock("a test", timeout_s=5):
        warehouse.freeze("b1", NOON, "run", make_tables(batch="b1"))
        with pytest.raises(PublishingError, match="b1 is frozen and unfinished"):
            warehouse.freeze("b2", NOON, "run", make_tables(batch="b2"))


def test_there_is_one_writer(warehouse: Warehouse, open_warehouse: Open) -> None:
    with (
        warehouse.lock("the nightly build", timeout_s=5),
        pytest.raises(LockHeld, match="the nightly build"),
        open_warehouse().lock("another", timeout_s=0.1),
    ):
        pass
    with pytest.raises(PublishingError, match="holder of the lock"):
        warehouse.freeze("b1", NOON, "run", make_tables(batch="b1"))
    with pytest.raises(PublishingError, match="holder of the lock"):
        warehouse.roll_forward(forget)
    with open_warehouse().lock("another", timeout_s=0):
        pass


batches = st.lists(
    st.tuples(
        st.integers(0, 30),  # hours since the batch before
        st.lists(st.sampled_from(["articles", "claims", "incidents"]), unique=True),
        st.integers(1, 5),  # rows
        st.sampled_from(["published", "frozen", "state failed"]),
    ),
    max_size=12,
)


@pytest.mark.parametrize("kind", KINDS)
@given(batches=batches, part_rows=st.integers(1, 12))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_published_however_is_there_once_and_in_order(
    kind: str,
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[tuple[int, list[str], int, str]],
    part_rows: int,
) -> None:
    open_warehouse = KINDS[kind](tmp_path_factory.mktemp("property"))
    open_warehouse().init()
    now, expected = NOON, {name: [] for name in TABLES}

    def fail(manifest: Manifest, memory: Mapping[str, bytes]) -> None:
        raise RuntimeError("the state is away")

    for number, (hours, names, n_rows, end) in enumerate(batches):
        now += dt.timedelta(hours=hours)
        warehouse = open_warehouse(part_rows=part_rows)
        tables = make_tables(batch=f"b{number}", n_rows=n_rows, names=(*names, "runs"))
        with warehouse.lock("a test", timeout_s=5):
            warehouse.roll_forward(forget)
            warehouse.freeze(f"b{number}", now, "run", tables)
            if end == "published":
                warehouse.roll_forward(forget)
            elif end == "state failed":
                with pytest.raises(RuntimeError):
                    warehouse.roll_forward(fail)
        for name in tables:
            expected[name] += [f"b{number}"] * n_rows
        assert warehouse.newest_recorded_at() == now
    warehouse = open_warehouse()
    with warehouse.lock("a test", timeout_s=5):
        warehouse.roll_forward(forget)
    assert {name: warehouse.read(name, ["batch_id"])["batch_id"].to_pylist() for name in TABLES} == expected
    assert all(warehouse.has_batch(f"b{number}") for number in range(len(batches)))
