"""Whatever moment a writer dies at, readers see whole batches in order, and trying again leaves each row once."""

import random
import shutil
import signal
import time
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from blotter.schemas import TABLES
from blotter.store.inputs import InputLedger
from blotter.store.state import open_state
from store.crashes import publish_and_die, publish_batches, start_writer

N_ROWS = 4
FEW_TABLES = ("articles", "claims", "runs")
ALL_TABLES = tuple(TABLES)


def count_rows(root: Path, name: str) -> dict[str, int]:
    """Count a table's rows by batch as a plain reader sees them; pandas and DuckDB must agree."""
    folder = root / "warehouse" / name
    if not (folder / "dt=1970-01-01" / "part-00000.parquet").exists():
        return {}
    by_pandas = pd.read_parquet(folder)["batch_id"].value_counts().to_dict()
    query = f"select batch_id, count(*) from read_parquet('{folder}/**/*.parquet', hive_partitioning=true) group by all"
    assert dict(duckdb.sql(query).fetchall()) == by_pandas
    return by_pandas


def check_whole_batches_in_order(root: Path, names: tuple[str, ...]) -> None:
    """Check what holds at every moment: a table holds whole batches, and no table is ahead of one it refers to."""
    before: dict[str, int] | None = None
    for name in names:
        counts = count_rows(root, name)
        assert set(counts.values()) <= {N_ROWS}
        assert set(counts) == {f"b{number}" for number in range(len(counts))}
        assert before is None or len(before) - len(counts) in (0, 1)
        before = counts


def check_finished(root: Path, batches: int, names: tuple[str, ...]) -> None:
    """Check what holds once a run has ended: every row once, the state knows, and nothing is left over."""
    for name in names:
        assert count_rows(root, name) == {f"b{number}": N_ROWS for number in range(batches)}
    engine = open_state(str(root / "state.db"))
    ledger = InputLedger(engine)
    assert all(ledger.has_batch(f"b{number}") for number in range(batches))
    engine.dispose()
    assert [path.name for path in (root / "warehouse" / "_writer").rglob("*") if path.is_file()] == ["lock"]


def check_all_deaths(root: Path, names: tuple[str, ...], *, every: int) -> None:
    """Let a writer die at every `every`-th of its steps, each time with a fresh warehouse, and try again after each."""
    options = {"n_rows": N_ROWS, "names": names, "part_rows": 6}  # the third batch of a day starts a part
    process = start_writer(publish_and_die, root / "whole", 4, 0, root / "steps", **options)
    process.join(60)
    assert process.exitcode == 0
    n_steps = int((root / "steps").read_text())
    assert n_steps > 20 * len(names)
    for die_at in range(1, n_steps + 1, every):
        folder = root / f"died-at-{die_at}"
        process = start_writer(publish_and_die, folder, 4, die_at, **options)
        process.join(60)
        assert process.exitcode == -signal.SIGKILL, die_at
        check_whole_batches_in_order(folder, names)
        publish_batches(folder, 4, **options)
        check_finished(folder, 4, names)
        shutil.rmtree(folder)


def test_a_writer_that_dies_at_any_step_loses_and_doubles_nothing(tmp_path: Path) -> None:
    check_all_deaths(tmp_path, FEW_TABLES, every=11)


@pytest.mark.heavy
@pytest.mark.timeout(1_800)
def test_the_same_at_every_single_step(tmp_path: Path) -> None:
    check_all_deaths(tmp_path, FEW_TABLES, every=1)


@pytest.mark.heavy
@pytest.mark.timeout(1_800)
def test_the_same_with_all_tables(tmp_path: Path) -> None:
    check_all_deaths(tmp_path, ALL_TABLES, every=5)


@pytest.mark.timeout(1_800)
def test_a_writer_killed_at_random_moments_and_retried_loses_and_doubles_nothing(
    tmp_path: Path, is_heavy: bool
) -> None:
    """Kills fall anywhere in the time that the writer needs without being killed; what it did so far stands."""
    rng = random.Random(1)
    batches, options = 8, {"n_rows": N_ROWS, "names": ALL_TABLES, "part_rows": 6}
    started = time.monotonic()
    process = start_writer(publish_batches, tmp_path / "whole", batches, **options)
    process.join(120)
    assert process.exitcode == 0
    whole_s = time.monotonic() - started
    n_killed, goal = 0, 50 if is_heavy else 6
    while n_killed < goal:
        folder = tmp_path / f"killed-{n_killed}"
        while True:
            process = start_writer(publish_batches, folder, batches, **options)
            process.join(rng.uniform(0, whole_s))
            if not process.is_alive():
                break
            process.kill()
            process.join()
            n_killed += 1
            check_whole_batches_in_order(folder, ALL_TABLES)
        assert process.exitcode == 0
        check_finished(folder, batches, ALL_TABLES)
        shutil.rmtree(folder)


def test_two_writers_at_once_take_turns(tmp_path: Path) -> None:
    options = {"n_rows": N_ROWS, "names": FEW_TABLES, "part_rows": 30, "spacing_h": 0}
    writers = [start_writer(publish_batches, tmp_path, 20, prefix=prefix, **options) for prefix in "xy"]
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0, 0]
    for name in FEW_TABLES:
        assert count_rows(tmp_path, name) == {f"{prefix}{number}": N_ROWS for prefix in "xy" for number in range(20)}
    assert sum(1 for _ in (tmp_path / "warehouse" / "claims" / "dt=2026-03-02").iterdir()) == 5
