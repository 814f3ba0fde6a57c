"""The warehouse in an object store: a real server, writers that race, writers that die, readers that loop."""

import datetime as dt
import itertools
import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import obstore
import pandas as pd
import pytest

from blotter.errors import PublishingError
from blotter.schemas import TABLES
from blotter.store.bundles import Manifest
from blotter.store.inputs import InputLedger, LedgerChanges, encode_changes
from blotter.store.locks import hold_lock
from blotter.store.places import ObjectPlace
from blotter.store.state import open_state
from blotter.store.turns import ObjectShelf
from blotter.store.warehouse import Warehouse
from store.builders import NOON, make_tables
from store.crashes import start_writer

N_ROWS = 4
NAMES = ("articles", "claims", "runs")
_CALLS = ("put", "delete")  # everything by which the writer changes the store


def open_objects(url: str, folder: Path, *, is_locked: bool = True) -> Warehouse:
    lock = partial(hold_lock, folder / "lock") if is_locked else lambda holder, timeout_s: nullcontext()
    return Warehouse(f"{url}/warehouse", bundles=f"{url}/bundles", hold_lock=lock)


def publish_batches(url: str, folder: Path, batches: int, *, prefix: str = "b", is_locked: bool = True) -> None:
    """Publish one batch after the other; where another writer took over, begin that batch again."""
    warehouse = open_objects(url, folder, is_locked=is_locked)
    engine = open_state(str(folder / "state.db"))
    ledger = InputLedger(engine)

    def apply_memory(manifest: Manifest, memory: Mapping[str, bytes]) -> None:
        with engine.begin() as connection:
            ledger.apply(connection, memory["inputs"])

    number = 0
    for _ in range(50 * batches):
        if number == batches:
            break
        batch_id = f"{prefix}{number}"
        try:
            with warehouse.lock("a writer", timeout_s=60):
                warehouse.roll_forward(apply_memory)
                if not ledger.has_batch(batch_id):
                    at = max(NOON + dt.timedelta(hours=5 * number), warehouse.newest_recorded_at() or NOON)
                    memory = {"inputs": encode_changes(LedgerChanges(batch_id=batch_id))}
                    tables = make_tables(batch=batch_id, n_rows=N_ROWS, names=NAMES)
                    warehouse.freeze(batch_id, at, "run", tables, memory)
                    warehouse.roll_forward(apply_memory)
            number += 1
        except PublishingError:
            if is_locked:
                raise
    else:
        raise RuntimeError("the batches never got through")
    engine.dispose()


def publish_and_die(url: str, folder: Path, batches: int, die_at: int, steps_file: Path | None = None) -> None:
    """Publish, and be killed before the request numbered `die_at` that changes the store."""
    count = itertools.count(1)

    def wrap(call: Callable[..., Any]) -> Callable[..., Any]:
        def request(*args: Any, **given: Any) -> Any:
            number = next(count)
            if number == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **given)

        return request

    for name in _CALLS:
        setattr(obstore, name, wrap(getattr(obstore, name)))
    publish_batches(url, folder, batches)
    if steps_file:
        steps_file.write_text(str(next(count) - 1))


def count_rows(url: str, name: str) -> dict[str, int]:
    """Count a table's rows by batch as a plain reader sees them."""
    path, filesystem = ObjectPlace(url).open_arrow(f"warehouse/{name}")
    return pd.read_parquet(path, filesystem=filesystem)["batch_id"].value_counts().to_dict()


def check_whole_batches_in_order(url: str) -> None:
    before: dict[str, int] | None = None
    for name in NAMES:
        counts = count_rows(url, name)
        assert set(counts.values()) <= {N_ROWS}
        assert set(counts) == {f"b{number}" for number in range(len(counts))}
        assert before is None or len(before) - len(counts) in (0, 1)
        before = counts


def check_finished(url: str, batches: set[str]) -> None:
    for name in NAMES:
        assert count_rows(url, name) == dict.fromkeys(batches, N_ROWS)
    assert ObjectPlace(f"{url}/bundles").list_files("content") == []


@pytest.fixture
def url(object_store: str, tmp_path: Path) -> str:
    return f"{object_store}{tmp_path}"


@pytest.fixture
def created(url: str, tmp_path: Path) -> str:
    """A bucket's prefix with the empty tables."""
    open_objects(url, tmp_path).init()
    return url


@pytest.mark.timeout(1_800)
def test_a_writer_that_dies_at_any_request_loses_and_doubles_nothing(url: str, tmp_path: Path, is_heavy: bool) -> None:
    folder = tmp_path / "whole"
    folder.mkdir()
    open_objects(f"{url}/whole", folder).init()
    process = start_writer(publish_and_die, f"{url}/whole", folder, 3, 0, tmp_path / "steps")
    process.join(120)
    assert process.exitcode == 0
    n_steps = int((tmp_path / "steps").read_text())
    assert n_steps >= 3 * (len(NAMES) + 4)
    for die_at in range(1, n_steps + 1, 1 if is_heavy else 5):
        folder, place = tmp_path / f"died-at-{die_at}", f"{url}/died-at-{die_at}"
        folder.mkdir()
        open_objects(place, folder).init()
        process = start_writer(publish_and_die, place, folder, 3, die_at)
        process.join(120)
        assert process.exitcode == -signal.SIGKILL, die_at
        check_whole_batches_in_order(place)
        publish_batches(place, folder, 3)
        check_finished(place, {"b0", "b1", "b2"})


@pytest.mark.timeout(1_800)
def test_writers_killed_at_random_moments_lose_and_double_nothing(created: str, tmp_path: Path, is_heavy: bool) -> None:
    rng, batches = random.Random(1), 400 if is_heavy else 40
    n_killed, goal = 0, 50 if is_heavy else 5
    while True:
        process = start_writer(publish_batches, created, tmp_path, batches)
        process.join(rng.uniform(0.1, 1.5) if n_killed < goal else 600)
        if not process.is_alive():
            break
        process.kill()
        process.join()
        n_killed += 1
        check_whole_batches_in_order(created)
    assert process.exitcode == 0
    assert n_killed >= 2
    check_finished(created, {f"b{number}" for number in range(batches)})


@pytest.mark.parametrize("is_locked", [True, False], ids=["with their lock", "whose lock fails"])
def test_two_writers_that_race_lose_and_double_nothing(created: str, tmp_path: Path, is_locked: bool) -> None:
    """Turns alone keep them apart where the lock does not, as when one of them is taken for dead and is not."""
    writers = [
        start_writer(publish_batches, created, tmp_path, 12, prefix=prefix, is_locked=is_locked) for prefix in "xy"
    ]
    for writer in writers:
        writer.join(240)
    assert [writer.exitcode for writer in writers] == [0, 0]
    check_finished(created, {f"{prefix}{number}" for prefix in "xy" for number in range(12)})


def test_readers_beside_a_writer_are_never_wrong(created: str, tmp_path: Path, is_heavy: bool) -> None:
    writer = start_writer(publish_batches, created, tmp_path, 100_000)
    newest, until = dict.fromkeys(NAMES, 0), time.monotonic() + (120 if is_heavy else 6)
    try:
        while time.monotonic() < until:
            for name in NAMES:
                counts = count_rows(created, name)
                assert set(counts.values()) <= {N_ROWS}, "a batch is there in part, or twice"
                assert set(counts) == {f"b{batch}" for batch in range(len(counts))}, "a batch is missing"
                assert len(counts) >= newest[name], "a batch that was there is gone"
                newest[name] = len(counts)
            assert writer.is_alive()
    finally:
        writer.kill()
        writer.join()
    assert newest["runs"] > 5


def test_a_writer_that_was_overtaken_freezes_nothing(created: str, tmp_path: Path) -> None:
    sleeper, successor = (open_objects(created, tmp_path, is_locked=False) for _ in range(2))
    tables = make_tables(batch="b1", n_rows=N_ROWS, names=NAMES)
    with sleeper.lock("one that is taken for dead", 0):
        with successor.lock("its successor", 0):
            successor.freeze("b2", NOON, "run", make_tables(batch="b2", n_rows=N_ROWS, names=NAMES))
            successor.roll_forward(lambda manifest, memory: None)
        with pytest.raises(PublishingError, match="another writer has taken over"):
            sleeper.freeze("b1", NOON, "run", tables)
    with successor.lock("its successor", 0):
        successor.roll_forward(lambda manifest, memory: None)
    check_finished(created, {"b2"})


def test_old_turns_are_forgotten_and_unfinished_ones_are_not(
    object_store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blotter.store.turns._KEPT_TURNS", 5)
    place = ObjectPlace(f"{object_store}{tmp_path}")
    for _ in range(12):
        ObjectShelf(place).take_over()
    assert [int(kept.name) for kept in place.list_files("turns")] == [8, 9, 10, 11, 12]


def test_a_batch_is_an_object_of_its_own_in_each_table(created: str, tmp_path: Path) -> None:
    publish_batches(created, tmp_path, 2)
    place = ObjectPlace(f"{created}/warehouse")
    names = [kept.name for kept in place.list_files("claims/dt=2026-03-02")]
    assert names == ["part-00000-b0.parquet", "part-00001-b1.parquet"]
    assert set(place.list_folders("")) == set(TABLES)
