"""The steps as a DAG calls them: counts reconcile, a gate holds back, and a second run finds nothing to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from blotter import rows, steps
from blotter.config import Settings
from blotter.errors import GateClosed, SettingsError, StoreDamaged
from blotter.stores import Stores
from pipeline import run_steps
from warehouses import LEDGER, count_rows, read_news

Make = Callable[..., Settings]
Drop = Callable[[Settings], None]


def test_a_drop_is_published_and_every_input_accounted_for(
    tmp_path: Path, make_settings: Make, drop_stories: Drop
) -> None:
    settings = make_settings(tmp_path)
    drop_stories(settings)
    counts = run_steps(settings, "one")
    inputs = pd.read_parquet(tmp_path / "warehouse" / "inputs")
    assert counts["n_in"] == len(inputs) == inputs.input_id.nunique()
    assert counts["n_published"] == (inputs.disposition == "published").sum() > 0
    with Stores(settings) as stores:
        assert stores.ledger.counts().n_pending == 0
        assert stores.staging.slices() == []
    left = [path for path in (tmp_path / "inbox").rglob("*") if path.is_file()]
    assert left, "nothing is ever deleted"
    assert {path.relative_to(tmp_path / "inbox").parts[0] for path in left} <= {"processed", "failed"}


def test_a_second_run_finds_nothing_and_writes_nothing(tmp_path: Path, make_settings: Make, drop_stories: Drop) -> None:
    settings = make_settings(tmp_path)
    drop_stories(settings)
    run_steps(settings, "one")
    before = count_rows(tmp_path / "warehouse")
    assert run_steps(settings, "two") == {"n_in": 0, "n_finished_batches": 0}
    assert count_rows(tmp_path / "warehouse") == before


def test_the_same_files_dropped_again_are_duplicates(tmp_path: Path, make_settings: Make, drop_stories: Drop) -> None:
    settings = make_settings(tmp_path)
    drop_stories(settings)
    first = run_steps(settings, "one")
    before = count_rows(tmp_path / "warehouse")
    drop_stories(settings)
    again = run_steps(settings, "two")
    after = count_rows(tmp_path / "warehouse")
    assert again["n_in"] == first["n_in"]
    assert again["n_published"] == again["n_not_incident"] == 0
    assert {name for name in after if after[name] != before[name]} <= set(LEDGER)


def test_a_closed_gate_publishes_nothing_and_lets_the_batch_through_once_mended(
    tmp_path: Path, make_settings: Make, drop_stories: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(tmp_path)
    drop_stories(settings)
    write_row = rows.incident_row

    def write_wrong_row(incident: Any) -> dict[str, Any]:
        return {**write_row(incident), "n_killed": -1}  # a defect of ours, such as no article could cause

    with monkeypatch.context() as patch:
        patch.setattr(rows, "incident_row", write_wrong_row)
        with pytest.raises(GateClosed, match="n_killed"):
            run_steps(settings, "blocked")
    counted = count_rows(tmp_path / "warehouse")
    assert {name for name, n in counted.items() if n} <= {"check_results", "runs", "inputs", "quarantine"}
    assert counted["check_results"] and counted["runs"]
    with Stores(settings) as stores:
        assert stores.ledger.counts().n_pending > 0

    assert run_steps(settings, "mended")["n_published"] > 0
    undisturbed = make_settings(tmp_path / "undisturbed")
    drop_stories(undisturbed)
    run_steps(undisturbed, "mended")
    assert read_news(tmp_path / "warehouse") == read_news(tmp_path / "undisturbed" / "warehouse")


def test_a_gate_that_stays_closed_is_news_once_and_is_tried_again_when_something_is_new(
    tmp_path: Path, make_settings: Make, drop_stories: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, tomorrow = make_settings(tmp_path), make_settings(tmp_path, day="2026-03-05")
    drop_stories(settings)
    write_row = rows.incident_row

    def drop_fire(number: int) -> None:
        text = f"Fire on Dock Street\n\nA house burned down at {number} Dock Street in Springfield on Tuesday."
        (Path(settings.inbox) / f"{number}.txt").write_text(text, "utf-8")

    def try_again(settings: Settings, *, wrong: str = "n_killed", value: object = -1) -> bool:
        """Build as the DAG does; says whether who is on call is told."""
        with monkeypatch.context() as patch, pytest.raises(GateClosed) as closed:
            patch.setattr(rows, "incident_row", lambda incident: {**write_row(incident), wrong: value})
            run_steps(settings, "blocked")
        return closed.value.is_news

    assert try_again(settings)
    assert steps.count_waiting(settings) == 0, "nothing but a person can open it"
    assert steps.ingest_drops(settings, run_id="idle")["n_waiting"] == 0
    drop_fire(1)
    assert steps.ingest_drops(settings, run_id="more")["n_documents"] == 1
    assert steps.count_waiting(settings) > 0, "what is new may be another story"
    assert try_again(settings), "another record does not hold"
    assert not try_again(settings)
    assert try_again(settings, wrong="status", value="unheard of"), "another expectation does not hold"
    assert not try_again(settings, wrong="status", value="unheard of")
    assert steps.count_waiting(settings) == 0 < steps.count_waiting(tomorrow), "once a day it is tried again"
    assert try_again(tomorrow, wrong="status", value="unheard of"), "and told"
    assert run_steps(tomorrow, "mended")["n_published"] > 0, "a person may try at any time"
    drop_fire(2)
    assert try_again(tomorrow, wrong="status", value="unheard of"), "it was open in between"


def test_a_fault_of_our_disk_quarantines_nothing(tmp_path: Path, make_settings: Make, drop_stories: Drop) -> None:
    settings = make_settings(tmp_path)
    drop_stories(settings)
    steps.ingest_drops(settings, run_id="one")
    slices = steps.plan_slices(settings)
    (tmp_path / "archive").rename(tmp_path / "away")
    with pytest.raises(StoreDamaged, match="mounted"):
        steps.read_slice(settings, slices[0])
    (tmp_path / "away").rename(tmp_path / "archive")
    assert steps.plan_slices(settings) == slices
    for slice_id in slices:
        steps.read_slice(settings, slice_id)
    assert steps.publish_batch(settings, run_id="one")["n_published"] > 0


def test_tables_that_are_gone_are_told_and_not_taken_for_duplicates(
    tmp_path: Path, make_settings: Make, drop_stories: Drop
) -> None:
    settings = make_settings(tmp_path)
    drop_stories(settings)
    run_steps(settings, "one")
    (tmp_path / "warehouse").rename(tmp_path / "moved")
    drop_stories(settings)
    with pytest.raises(SettingsError, match="belong together"):
        run_steps(settings, "two")


def test_a_quarantined_input_is_tried_again_when_it_is_dropped_again(tmp_path: Path, make_settings: Make) -> None:
    settings = make_settings(tmp_path)
    for run_id in ("one", "two"):
        (tmp_path / "inbox").mkdir(exist_ok=True)
        (tmp_path / "inbox" / "page.html").write_text("<html><body></body></html>", encoding="utf-8")
        assert run_steps(settings, run_id)["n_quarantined"] == 1
