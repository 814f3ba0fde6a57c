"""Erasure removes what an article said, everywhere, and not what others said; it is written down and for good."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from blotter import erasing, rows, steps
from blotter.accounting import find_imbalances
from blotter.catalog import Catalog, CatalogKeeper, Search
from blotter.catalog.index import find_incidents
from blotter.commands.archive import app
from blotter.config import Settings
from blotter.erasing import erase_articles
from blotter.errors import GateClosed, LockHeld, SettingsError
from blotter.maintenance import rebuild_state
from blotter.schemas import TABLES
from blotter.store.locks import hold_lock
from blotter.store.outbox import Alert
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
    path = Path(settings.inbox, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(line) for line in lines), "utf-8")


def find_articles(settings: Settings) -> list[str]:
    found = Warehouse(settings.warehouse).read("articles").to_pylist()
    return [row["article_id"] for row in found if NAME in row["title"]]


def make_alert(alert_id: str, content: dict[str, object], at: datetime) -> Alert:
    return Alert(
        alert_id=alert_id,
        rule="r",
        description="",
        channel="c",
        incident_id="inc_1",
        change_ids=(f"chg_{alert_id}",),
        due_at=at,
        is_digest=False,
        storm=10,
        content=content,
    )


def find_traces(home: Path, words: bytes) -> Iterator[str]:
    """Where words are still to be found: in table rows, and in the bytes of every file beside the drops."""
    for name in TABLES:
        for row in Warehouse(home / "warehouse").read(name).to_pylist():
            if words.decode() in str(row):
                yield f"{name}: {row}"
    yield from find_files(home, words)


def find_files(home: Path, words: bytes) -> Iterator[str]:
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
    [article_id] = find_articles(settings)
    monkeypatch.setattr("blotter.erasing.LOCK_TIMEOUT_S", 0)
    with hold_lock(path.with_suffix(".lock"), "catalog", 0), pytest.raises(LockHeld, match="catalog"):
        erase_articles(settings, [article_id], actor="a clerk", reason="order 7", run_id="x")
    assert path.exists()
    erase_articles(settings, [article_id], actor="a clerk", reason="order 7", run_id="y")
    assert not path.exists()
    CatalogKeeper(Catalog(path), settings.warehouse).learn()
    assert list(find_traces(tmp_path, NAME.encode())) == []


def test_the_index_of_another_machine_drops_the_words_once_the_erasure_is_whole(
    tmp_path: Path, make_settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(tmp_path)
    drop(settings, "lines.jsonl")
    run_steps(settings, "one")
    [article_id] = find_articles(settings)
    elsewhere = tmp_path / "elsewhere" / "catalog.db"
    keeper = CatalogKeeper(Catalog(elsewhere), settings.warehouse)

    def is_found() -> bool:
        with keeper.catalog.reading() as connection:
            return bool(find_incidents(connection, Search(words=NAME)).rows)

    keeper.learn()
    assert is_found()
    with monkeypatch.context() as patch:  # it looks while the erasure is at work, and learns what was decided
        patch.setattr(erasing, "_drop_checks_site", lambda folder: keeper.learn())
        erase_articles(settings, [article_id], actor="a clerk", reason="order 7", run_id="x")
    assert is_found()
    assert keeper.keep_up(wait_s=60)
    assert not is_found()
    assert list(find_traces(tmp_path, b"ellery")) == []
    made = elsewhere.stat().st_ino
    drop(settings, "more.jsonl", [LINES[0] | {"url": "http://gazette.example/more", "title": "Another title"}])
    run_steps(settings, "two")
    assert keeper.keep_up(wait_s=60) and elsewhere.stat().st_ino == made, "an erasure is obeyed once"


def test_nothing_that_waits_or_shows_the_checks_keeps_a_word(
    tmp_path: Path, make_settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(tmp_path)
    drop(settings, "lines.jsonl")
    write = rows.incident_row
    with monkeypatch.context() as patch, pytest.raises(GateClosed, match=NAME):  # which shows the rows of the batch
        patch.setattr(rows, "incident_row", lambda incident: {**write(incident), "status": NAME})
        run_steps(settings, "blocked")
    assert NAME.encode() in b"".join(file.read_bytes() for file in Path(settings.checks_site).rglob("*.html"))
    run_steps(settings, "one")
    [article_id] = find_articles(settings)
    drop(settings, "again.jsonl", [LINES[1]])  # a duplicate: its row waits for the next batch
    steps.ingest_drops(settings, run_id="two")
    with Stores(settings) as stores, stores.engine.begin() as connection:
        told = {"headline": "An officer was killed", "changes": [{"title": f" {LINES[1]['title']}\n"}]}
        other = {"headline": "Fire on Dock Street"}
        stores.outbox.enqueue(connection, [make_alert("1", told, stores.now()), make_alert("2", other, stores.now())])
    erase_articles(settings, [article_id], actor="a clerk", reason="order 7", run_id="x")
    assert list(find_traces(tmp_path, NAME.encode())) == []
    with Stores(settings) as stores:
        assert [alert.alert_id for message in stores.outbox.take_due(stores.now()) for alert in message.alerts] == ["2"]
        assert {row.row["location"] for row in stores.ledger.staged_rows()} == {rows.ERASED}
    run_steps(settings, "three")
    located = Warehouse(settings.warehouse).read("inputs").to_pylist()
    assert [row["location"] for row in located if row["disposition"] == "duplicate"] == [rows.ERASED]
    assert find_imbalances(settings) == []


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
