"""A backfill takes what was published on its day, from whatever lies in its folder, and nothing twice."""

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from blotter import steps
from blotter.backfilling import backfill_day, list_days
from blotter.cli import app
from blotter.config import Settings
from blotter.errors import SettingsError
from blotter.stores import Stores

PAGE = """<html><head><title>Fire on Elm Street</title>
<meta property="article:published_time" content="2026-03-03T09:30:00Z"></head>
<body><article><h1>Fire on Elm Street</h1><p>A fire on Elm Street in Springfield injured two people on Tuesday, the
fire department said. Nobody else was in the house when it began in the kitchen, neighbors said.</p></article></body>
</html>"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    places = {name: str(tmp_path / name) for name in ("warehouse", "archive", "staging", "inbox", "backfill")}
    return Settings(state=str(tmp_path / "state.db"), clock="2026-03-10T12:00:00+00:00", **places)


def write_lines(settings: Settings, *published: str | None, name: str = "gazette/old.jsonl") -> Path:
    path = Path(settings.backfill) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {"url": f"https://gazette.example/{n}", "title": f"Story {n}", "published": day, "text": f"Story {n}. " * 20}
        for n, day in enumerate(published)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def pending_urls(settings: Settings) -> list[str | None]:
    with Stores(settings) as stores:
        return [document.url for document in stores.ledger.pending()]


def test_each_day_takes_its_own_documents_and_the_files_stay(settings: Settings) -> None:
    path = write_lines(settings, "2026-03-02", "2026-03-03T23:59:00Z", "2026-03-03", "2026-03-04")
    counts = backfill_day(settings, date(2026, 3, 3))
    assert counts == {"n_files": 1, "n_documents": 2, "n_duplicate": 0, "n_rejected": 0, "n_waiting": 2}
    assert pending_urls(settings) == ["https://gazette.example/1", "https://gazette.example/2"]
    assert path.exists()
    assert list_days(settings) == {date(2026, 3, 2): 1, date(2026, 3, 3): 2, date(2026, 3, 4): 1}


def test_again_for_the_same_day_takes_nothing_twice(settings: Settings) -> None:
    write_lines(settings, "2026-03-03")
    backfill_day(settings, date(2026, 3, 3))
    assert backfill_day(settings, date(2026, 3, 3))["n_documents"] == 0
    assert len(pending_urls(settings)) == 1


def test_a_page_is_taken_on_the_day_that_it_says_itself(settings: Settings) -> None:
    folder = Path(settings.backfill) / "gazette"
    folder.mkdir(parents=True)
    (folder / "elm.html").write_text(PAGE, "utf-8")
    assert backfill_day(settings, date(2026, 3, 2))["n_documents"] == 0
    assert backfill_day(settings, date(2026, 3, 3))["n_documents"] == 1


def test_what_says_no_date_or_cannot_be_read_is_named_and_left_out(settings: Settings, caplog) -> None:
    write_lines(settings, None, "2026-03-03")
    (Path(settings.backfill) / "gazette" / "broken.warc.gz").write_bytes(b"\x1f\x8bnothing")
    assert backfill_day(settings, date(2026, 3, 3))["n_documents"] == 1
    assert "says nowhere when" in caplog.text and "broken.warc.gz" in caplog.text


def test_sources_can_be_chosen_and_links_and_hidden_files_are_not_followed(settings: Settings, tmp_path: Path) -> None:
    write_lines(settings, "2026-03-03")
    write_lines(settings, "2026-03-03", name="herald/old.jsonl")
    write_lines(settings, "2026-03-03", name=".hidden/old.jsonl")
    outside = tmp_path / "outside.jsonl"
    outside.write_text('{"title": "x", "text": "y", "published": "2026-03-03"}\n')
    (Path(settings.backfill) / "herald" / "link.jsonl").symlink_to(outside)
    assert backfill_day(settings, date(2026, 3, 3), source_ids=("herald",))["n_documents"] == 1
    assert backfill_day(settings, date(2026, 3, 3))["n_documents"] == 1, "the gazette's, and the herald's no more"


def test_days_are_noted_once_and_noted_anew_for_a_file_that_changed(settings: Settings, monkeypatch) -> None:
    path = write_lines(settings, "2026-03-03")
    opened: list[Path] = []
    from blotter import backfilling

    genuine = backfilling.open_documents
    monkeypatch.setattr(
        backfilling, "open_documents", lambda path, **given: opened.append(path) or genuine(path, **given)
    )
    for day in (1, 2, 4, 5):
        backfill_day(settings, date(2026, 3, day))
    assert opened == [path], "opened once for its days, and never for others"
    write_lines(settings, "2026-03-03", "2026-03-05")
    os.utime(path, (1, 1))
    assert backfill_day(settings, date(2026, 3, 5))["n_documents"] == 1


def test_without_a_folder_there_is_nothing_to_take(settings: Settings) -> None:
    assert not any(backfill_day(settings, date(2026, 3, 3)).values())


def test_what_was_published_before_changes_nothing_and_the_gap_is_filled(settings: Settings) -> None:
    """Known at the time of the backfill, published when it was."""
    write_lines(settings, "2026-03-03", name="../inbox/gazette/known.jsonl")
    steps.ingest_drops(
        settings.model_copy(update={"drops": settings.drops.model_copy(update={"settle_s": 0})}), run_id="a"
    )
    build(settings, "a")
    write_lines(settings, "2026-03-03", "2026-03-03")
    counts = backfill_day(settings, date(2026, 3, 3))
    assert (counts["n_documents"], counts["n_duplicate"]) == (1, 1)
    build(settings, "b")
    with Stores(settings) as stores:
        articles = stores.warehouse.read("articles").to_pylist()
        inputs = stores.warehouse.read("inputs").to_pylist()
    assert sorted(article["url"] for article in articles) == [f"https://gazette.example/{n}" for n in (0, 1)]
    assert {article["published_at"] for article in articles} == {datetime(2026, 3, 3, tzinfo=UTC)}
    assert len({row["input_id"] for row in inputs}) == len(inputs) == 3


def build(settings: Settings, run_id: str) -> None:
    for slice_id in steps.plan_slices(settings):
        steps.read_slice(settings, slice_id)
    steps.publish_batch(settings, run_id=run_id)


def test_the_command_shows_the_days_and_takes_them(settings: Settings, tmp_path: Path) -> None:
    write_lines(settings, "2026-03-02", "2026-03-03", "2026-03-03")
    config = tmp_path / "blotter.toml"
    config.write_text(
        "\n".join(
            f"{name} = {getattr(settings, name)!r}" for name in ("warehouse", "archive", "staging", "backfill", "state")
        )
    )
    shown = CliRunner().invoke(app, ["backfill", "--config", str(config)])
    assert shown.output.split() == ["2026-03-02", "1", "2026-03-03", "2"]
    taken = CliRunner().invoke(app, ["backfill", "--from", "2026-03-02", "--to", "2026-03-03", "--config", str(config)])
    assert taken.exit_code == 0 and len(pending_urls(settings)) == 3
    wrong = CliRunner().invoke(app, ["backfill", "--from", "Monday", "--config", str(config)])
    assert isinstance(wrong.exception, SettingsError)
