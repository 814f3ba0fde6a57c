"""Erasure removes what an article said, everywhere, and not what others said; it is written down and for good."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from blotter import steps
from blotter.accounting import find_imbalances
from blotter.catalog import Catalog, CatalogKeeper
from blotter.commands.archive import app
from blotter.config import Settings
from blotter.erasing import erase_articles
from blotter.errors import LockHeld, SettingsError
from blotter.maintenance import rebuild_state
from blotter.schemas import TABLES
from blotter.store.locks import hold_lock
from blotter.store.warehouse import Warehouse
from blotter.stores import Stores
from pipeline import run_steps

Make = Callable[..., Settings]
NAME, AUTHOR, WORDS = "Marcus Ellery", "Nora Quill", "was answering a call"
LINES = [
    {
        "url": "http://gazette.example/officer",
        "title": "Officer shot and killed on Toledo's east side",
        "published": "2026-03-02T14:00:00Z",
        "text": "TOLEDO, Ohio - A Toledo police officer was shot and killed Monday morning in the 900 block of Starr "
        "Avenue, police said. The officer, whose name has not been released, was pronounced dead at Mercy Hospital.",
    },
    {
        "url": "http://herald.example/officer-marcus-ellery",
        "title": f"Slain Toledo officer identified as {NAME}",
        "author": AUTHOR,
        "published": "2026-03-03T16:30:00Z",
        "text": f"TOLEDO, Ohio - The Toledo police officer who was shot and killed Monday morning in the 900 block of "
        f"Starr Avenue has been identified as {NAME}, 34.\n\nEllery {WORDS} when he was shot, police said.",
    },
]


def drop(settings: Settings, name: str, lines: list[dict[str, str]] = LINES) -> None:
    folder = Path(settings.inbox)
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join(json.dumps(line) for line in lines), "utf-8")


def find_traces(home: Path, words: bytes) -> Iterator[str]:
    """Where words are still to be found: in table rows, and in the bytes of every file beside the drops."""
    for name in TABLES:
        for row in Warehouse(home / "warehouse").read(name).to_pylist():
            if words.decode() in str(row):
                yield f"{name}: {row}"
    for file in home.rglob("*"):
        if file.is_file() and "inbox" not in file.parts and words in file.read_bytes():
            yield str(file)


@pytest.mark.parametrize("is_late", [False, True])
def test_what_an_article_said_is_gone_everywhere_and_what_others_said_stays(
    tmp_path: Path, make_settings: Make, is_late: bool
) -> None:
    settings = make_settings(tmp_path)
    for number, line in enumerate(LINES):
        drop(settings, f"{number}.jsonl", [line])
        run_steps(settings, f"run {number}")
    articles = Warehouse(tmp_path / "warehouse").read("articles").to_pylist()
    [article_id] = [row["article_id"] for row in articles if NAME in row["title"]]
    assert list(find_traces(tmp_path, NAME.encode()))
    before = {name: Warehouse(tmp_path / "warehouse").read(name).num_rows for name in TABLES}

    counted = erase_articles(settings, [article_id], actor="a clerk", reason="order 7", run_id="x", is_dry_run=True)
    assert counted.n_rows["claims"] > 3 and counted.n_documents == 1
    assert {name: Warehouse(tmp_path / "warehouse").read(name).num_rows for name in TABLES} == before
    assert list(find_traces(tmp_path, NAME.encode()))

    if is_late:  # the same lines wait, pending, when it is decided
        drop(settings, "again.jsonl")
        steps.ingest_drops(settings, run_id="two")
    erased = erase_articles(settings, [article_id], actor="a clerk", reason="order 7", run_id="x")
    assert erased.n_rows == counted.n_rows
    assert erased.files == ["1.jsonl#1"] or is_late
    for words in (NAME, AUTHOR, WORDS, "marcus-ellery"):
        assert list(find_traces(tmp_path, words.encode())) == []

    told = Warehouse(tmp_path / "warehouse")
    [decided] = told.read("judgements").to_pylist()
    assert (decided["action"], decided["actor"], decided["reason"]) == ("erase", "a clerk", "order 7")
    assert {row["article_id"] for row in told.read("articles").to_pylist()} == {row["article_id"] for row in articles}
    [latest] = told.read("incidents").sort_by("version").to_pylist()[-1:]
    assert (latest["city"], latest["state"], latest["n_killed"]) == ("Toledo", "Ohio", 1)
    assert "withheld" in {row["state"] for row in told.read("facts").to_pylist() if row["field"] == "name"}
    assert find_imbalances(settings) == []

    drop(settings, "later.jsonl")
    run_steps(settings, "three")
    assert list(find_traces(tmp_path, NAME.encode())) == []
    rebuild_state(settings, run_id="four")
    assert find_imbalances(settings) == []
    with Stores(settings) as stores:
        assert stores.ledger.counts().n_pending == 0


def test_an_article_that_is_not_known_is_said(tmp_path: Path, make_settings: Make) -> None:
    settings = make_settings(tmp_path)
    steps.create_stores(settings)
    with pytest.raises(SettingsError, match="art_none"):
        erase_articles(settings, ["art_none"], actor="a clerk", reason="order 7", run_id="x")


def test_it_waits_for_whoever_learns_the_pages_index(
    tmp_path: Path, make_settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written into the index just now was read before the erasure: it goes with the index, or none of it is."""
    settings = make_settings(tmp_path)
    drop(settings, "lines.jsonl")
    run_steps(settings, "one")
    path = Path(f"{settings.warehouse}.catalog.db")
    CatalogKeeper(Catalog(path), settings.warehouse).learn()
    articles = Warehouse(settings.warehouse).read("articles").to_pylist()
    [article_id] = [row["article_id"] for row in articles if NAME in row["title"]]
    monkeypatch.setattr("blotter.erasing.LOCK_TIMEOUT_S", 0)
    with hold_lock(path.with_suffix(".lock"), "catalog", 0), pytest.raises(LockHeld, match="catalog"):
        erase_articles(settings, [article_id], actor="a clerk", reason="order 7", run_id="x")
    assert path.exists()
    erase_articles(settings, [article_id], actor="a clerk", reason="order 7", run_id="y")
    assert not path.exists()
    CatalogKeeper(Catalog(path), settings.warehouse).learn()
    assert list(find_traces(tmp_path, NAME.encode())) == []


def test_the_command_names_files_that_read_as_markup(
    tmp_path: Path, make_settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(tmp_path)
    folder = Path(settings.inbox) / "gazette" / "x["
    folder.mkdir(parents=True)
    (folder / "b].jsonl").write_text(json.dumps(LINES[1]), "utf-8")
    run_steps(settings, "one")
    [article] = Warehouse(settings.warehouse).read("articles").to_pylist()
    for name in ("warehouse", "archive", "staging", "state", "inbox"):
        monkeypatch.setenv(f"BLOTTER_{name.upper()}", getattr(settings, name))
    told = CliRunner().invoke(app, ["erase", article["article_id"], "--by", "a clerk", "--reason", "order 7", "--yes"])
    assert told.exit_code == 0
    assert "x[/b].jsonl#1 was dropped" in told.output.replace("\n", "")
