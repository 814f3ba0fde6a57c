"""Two runs at once, as of two schedulers: nothing is corrupted or doubled, and the second says that it waits."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest

from blotter import steps, stores
from blotter.accounting import find_imbalances
from blotter.config import Settings
from blotter.errors import LockHeld
from blotter.stores import Stores
from pipeline import run_steps
from warehouses import read_news, read_rows

Make = Callable[..., Settings]
Drop = Callable[[Settings], None]
LIMIT_S = 280


def test_two_runs_at_once_publish_what_one_would(tmp_path: Path, make_settings: Make, drop_stories: Drop) -> None:
    settings, alone = make_settings(tmp_path / "together"), make_settings(tmp_path / "alone")
    drop_stories(settings)
    drop_stories(alone)
    steps.create_stores(settings)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=run_steps, args=(settings, name)) for name in ("one", "two")]
    for process in processes:
        process.start()
    run_steps(alone, "alone")
    for process in processes:
        process.join(LIMIT_S)
    assert [process.exitcode for process in processes] == [0, 0]
    run_steps(settings, "rest")  # what one of them took while the other published
    assert find_imbalances(settings) == []
    together = {row[4:6] for row in read_rows(tmp_path / "together" / "warehouse", "inputs")}
    assert together == {row[4:6] for row in read_rows(tmp_path / "alone" / "warehouse", "inputs")}
    told = read_news(tmp_path / "together" / "warehouse")
    expected = read_news(tmp_path / "alone" / "warehouse")
    for name in ("articles", "readings", "claims"):
        assert told[name] == expected[name], name
    assert {row[0] for row in told["incidents"]} == {row[0] for row in expected["incidents"]}


def test_a_second_writer_waits_says_for_whom_and_gives_up_with_its_name(
    tmp_path: Path,
    make_settings: Make,
    drop_stories: Drop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = make_settings(tmp_path)
    drop_stories(settings)
    steps.ingest_drops(settings, run_id="one")
    monkeypatch.setattr(stores, "LOCK_TIMEOUT_S", 0.3)
    with Stores(settings) as first, first.writing("the first run"), pytest.raises(LockHeld, match="the first run"):
        steps.publish_batch(settings, run_id="second")
    assert "which the first run" in caplog.text
    with Stores(settings) as after:
        assert after.ledger.counts().n_pending > 0
