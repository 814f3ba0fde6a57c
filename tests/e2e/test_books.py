"""The books: runs as a person wants them, what is pending, and every way in which they may not balance is seen."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from blotter import rows, steps
from blotter.accounting import find_imbalances, list_pending, list_runs
from blotter.cli import app
from blotter.config import Settings
from blotter.errors import GateClosed, PublishingError
from blotter.maintenance import expire_documents, rebuild_state, sweep_leftovers, write_checks_site
from blotter.model import Document
from blotter.store.inputs import InputLedger
from blotter.stores import Stores
from pipeline import run_steps
from warehouses import read_news, read_rows

Make = Callable[..., Settings]
Drop = Callable[[Settings], None]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline that has published the stories, to be copied by each test."""
    return tmp_path_factory.mktemp("published")


@pytest.fixture
def settings(published: Path, tmp_path: Path, make_settings: Make, drop_stories: Drop) -> Settings:
    if not (published / "warehouse").exists():
        made = make_settings(published)
        drop_stories(made)
        run_steps(made, "one")
    shutil.copytree(published, tmp_path, dirs_exist_ok=True)
    return make_settings(tmp_path)


def test_a_run_is_told_with_what_became_of_what_came_in(settings: Settings) -> None:
    [run] = list_runs(settings)
    assert run.run_id == "one" and not run.is_blocked
    assert run.n_in == sum(run.became.values()) == len(read_rows(Path(settings.warehouse), "inputs"))
    assert run.n_changes == len(read_rows(Path(settings.warehouse), "changes")) > 0
    assert find_imbalances(settings) == []
    assert list_pending(settings).n_pending == 0


def test_what_is_pending_is_told_by_how_far_it_is(settings: Settings, drop_stories: Drop) -> None:
    for number in range(5):
        (Path(settings.inbox) / f"{number}.txt").write_text(f"Fire {number}\n\nA house burned in Springfield.", "utf-8")
    steps.ingest_drops(settings, run_id="two")
    assert list_pending(settings).n_waiting == 5
    first, _ = steps.plan_slices(settings)
    steps.read_slice(settings, first)
    waiting = list_pending(settings)
    assert (waiting.n_waiting, waiting.n_planned, waiting.n_read) == (0, 2, 3)
    assert [document.kind for document in waiting.shown] == ["file"] * 5


def test_what_waits_is_counted_without_being_loaded(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million may be pending: of documents, no more are read than are shown, or than one slice has."""
    n_held, n_read = 0, 0
    decode = msgspec.msgpack.decode

    def count_documents(content: bytes, **options: Any) -> Any:
        nonlocal n_held, n_read
        decoded = decode(content, **options)
        n_here = len(decoded) if options.get("type") == list[Document] else options.get("type") is Document
        n_held, n_read = max(n_held, n_here), n_read + n_here
        return decoded

    lines = [json.dumps({"title": f"Fire {number}", "text": f"House {number} burned."}) for number in range(700)]
    (Path(settings.inbox) / "many.jsonl").write_text("\n".join(lines), "utf-8")
    steps.ingest_drops(settings, run_id="two")
    steps.plan_slices(settings)
    monkeypatch.setattr(msgspec.msgpack, "decode", count_documents)
    waiting = list_pending(settings, limit=5)
    assert (waiting.n_planned, waiting.n_waiting, len(waiting.shown)) == (300, 400, 5)
    assert (n_held, n_read) == (3, 300 + 5), "slices have three documents here, and a build has a hundred slices"


def test_an_input_that_is_pending_and_settled_is_seen(settings: Settings) -> None:
    (Path(settings.inbox) / "late.txt").write_text("Fire\n\nA house burned in Springfield.", "utf-8")
    steps.ingest_drops(settings, run_id="two")
    with Stores(settings) as stores, stores.engine.begin() as connection:
        statement = "INSERT INTO settled_inputs SELECT input_id, 'published', NULL, NULL FROM pending_inputs"
        connection.execute(text(statement))
    assert any("1 inputs are pending and settled, inp_" in one for one in find_imbalances(settings))


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("DELETE FROM settled_inputs WHERE disposition = 'published'", "by the ledger"),
        ("UPDATE settled_inputs SET disposition = 'refused' WHERE disposition = 'published'", "refused"),
    ],
)
def test_a_ledger_that_says_otherwise_is_seen_and_rebuilt(settings: Settings, statement: str, told: str) -> None:
    with Stores(settings) as stores, stores.engine.begin() as connection:
        connection.execute(text(statement))
    assert any(told in one for one in find_imbalances(settings))
    rebuild_state(settings, run_id="mend")
    assert find_imbalances(settings) == []


def change_rows(settings: Settings, table: str, **values: Any) -> None:
    """Write other values into the first row of a table, behind the pipeline's back."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = max((Path(settings.warehouse) / table).rglob("*.parquet"), key=lambda path: path.parent.name)
    with pq.ParquetFile(path) as part:
        standing = part.read()
    for name, value in values.items():
        column = standing[name].to_pylist()
        column[0] = value
        index = standing.schema.get_field_index(name)
        standing = standing.set_column(
            index, standing.schema.field(index), pa.array(column, standing.schema.types[index])
        )
    pq.write_table(standing, path)


@pytest.mark.parametrize(
    ("table", "values", "told"),
    [
        ("inputs", {"disposition": "quarantined"}, "without a row that says why"),
        ("inputs", {"article_id": "art_none", "disposition": "published"}, "articles that no table has"),
        ("inputs", {"replay_of": "inp_none"}, "replays of inputs that never came"),
        ("inputs", {"batch_id": "bat_none"}, "not those that the run counts"),
        ("runs", {"n_in": 1_000}, "the stage before them"),
    ],
)
def test_tables_that_do_not_agree_are_seen(settings: Settings, table: str, values: Any, told: str) -> None:
    change_rows(settings, table, **values)
    assert any(told in one for one in find_imbalances(settings))


def test_a_run_whose_counts_do_not_reconcile_fails(
    tmp_path: Path, make_settings: Make, drop_stories: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(tmp_path)
    drop_stories(settings)
    settle = InputLedger.settle
    monkeypatch.setattr(InputLedger, "settle", lambda self, connection, settled: settle(self, connection, settled[1:]))
    with pytest.raises(PublishingError, match="do not reconcile on 1 inputs"):
        run_steps(settings, "one")


def test_an_article_that_is_set_aside_takes_its_twin_along(
    tmp_path: Path, make_settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(tmp_path)
    for name in ("a", "b"):  # two pages of one address, with one text
        page = f"<html><!-- {name} --><article><h1>Fire</h1><p>Ann Smith, 31, was hurt in Springfield.</p></article>"
        (tmp_path / "inbox" / "gazette").mkdir(parents=True, exist_ok=True)
        (tmp_path / "inbox" / "gazette" / f"{name}.html").write_text(page, "utf-8")
        (tmp_path / "inbox" / "gazette" / f"{name}.meta.json").write_text(
            '{"url": "http://gazette.example/a"}', "utf-8"
        )
    write_row = rows.article_row
    monkeypatch.setattr(rows, "article_row", lambda article: {**write_row(article), "text_sha256": "0" * 64})
    counts = run_steps(settings, "one")
    assert (counts["n_quarantined"], counts["n_unchanged"]) == (2, 0)
    assert find_imbalances(settings) == []


def test_a_blocked_batch_is_told_shown_and_goes_through_by_one_command(
    tmp_path: Path, make_settings: Make, drop_stories: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(tmp_path)
    drop_stories(settings)
    write_row = rows.incident_row
    with monkeypatch.context() as patch:
        patch.setattr(rows, "incident_row", lambda incident: {**write_row(incident), "n_killed": -1})
        with pytest.raises(GateClosed, match="n_killed"):
            run_steps(settings, "blocked")
    [run] = list_runs(settings)
    assert run.is_blocked and any("block: incidents" in failed for failed in run.failed)
    assert list_pending(settings).n_pending > 0
    assert find_imbalances(settings) == []
    assert "-1" in "".join(
        page.read_text("utf-8") for page in Path(settings.checks_site, "validations", "incidents").rglob("*.html")
    )
    for name in ("warehouse", "archive", "staging", "state", "inbox", "clock", "sources", "alerts_log"):
        monkeypatch.setenv(f"BLOTTER_{name.upper()}", str(getattr(settings, name)))
    told = CliRunner().invoke(app, ["runs"])
    assert told.exit_code == 0 and "HELD BACK" in told.output and "pending since" in told.output
    done = CliRunner().invoke(app, ["run", "--no-feeds"])
    assert done.exit_code == 0, done.output
    assert list_pending(settings).n_pending == 0
    assert max(run.became["published"] for run in list_runs(settings)) > 0
    told = CliRunner().invoke(app, ["runs", "--json"])
    assert json.loads(told.output.splitlines()[0])["n_pending"] == 0


def test_the_site_of_the_newest_batch_can_be_written_at_any_time(settings: Settings) -> None:
    page = write_checks_site(settings)
    assert page is not None and "expectations/claims.html" in page.read_text("utf-8")


def test_retention_removes_old_bytes_after_a_dry_run_and_nothing_that_is_needed(
    settings: Settings, make_settings: Make, tmp_path: Path
) -> None:
    (Path(settings.inbox) / "late.txt").write_text("Fire\n\nA house burned in Springfield.", "utf-8")
    (Path(settings.inbox) / "empty.html").write_text("<html></html>", "utf-8")
    steps.ingest_drops(settings, run_id="two")
    files = set((tmp_path / "archive").rglob("*.zst"))
    assert expire_documents(settings) == {"n_documents": 0, "n_bytes": 0}
    later = make_settings(tmp_path, day="2026-06-30")
    later = later.model_copy(update={"keep": later.keep.model_copy(update={"raw_days": 30})})
    counts = expire_documents(later, is_dry_run=True)
    assert counts["n_documents"] == len(files) - 2 and set((tmp_path / "archive").rglob("*.zst")) == files
    assert expire_documents(later) == counts
    before = read_news(tmp_path / "warehouse")
    assert run_steps(later, "two")["n_in"] == 2
    assert {name: before[name] for name in ("changes",)} == {"changes": read_news(tmp_path / "warehouse")["changes"]}


def test_leftovers_of_crashes_are_swept(settings: Settings, tmp_path: Path) -> None:
    import os

    temps = tmp_path / "archive" / "_temps"
    temps.mkdir(exist_ok=True)
    for name, age_s in (("old.tmp", 10**6), ("new.tmp", 0)):
        (temps / name).write_bytes(b"x")
        os.utime(temps / name, ((temps / name).stat().st_mtime - age_s,) * 2)
    assert sweep_leftovers(settings) == {"n_files": 1, "n_bytes": 1}
    assert [file.name for file in temps.iterdir()] == ["new.tmp"]


def test_a_state_that_was_lost_is_rebuilt_and_nothing_doubles(
    settings: Settings, drop_stories: Drop, tmp_path: Path
) -> None:
    before = read_news(tmp_path / "warehouse")
    for file in tmp_path.glob("state.db*"):
        file.unlink()
    assert rebuild_state(settings, run_id="mend")["n_settled"] > 0
    drop_stories(settings)
    counts = run_steps(settings, "again")
    assert counts["n_published"] == counts["n_not_incident"] == 0
    assert read_news(tmp_path / "warehouse") == before
