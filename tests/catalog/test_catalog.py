"""The catalog says what the tables say, however the batches came to it, and is made again where it is gone."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.pages.newsroom import SECOND_FIRE, fill_newsroom, publish_day

from blotter import queries
from blotter.catalog import Catalog, CatalogKeeper, Search
from blotter.catalog.health import N_DAYS, read_health
from blotter.catalog.index import cut_words, find_incidents, list_quarantine, list_unsure_links, place_incident
from blotter.catalog.story import find_merged_into, read_story
from blotter.config import Settings
from blotter.errors import LockHeld, SettingsError
from blotter.judging import make_judgement, publish_judgement
from blotter.sources import load_sources
from blotter.store.locks import hold_lock

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The newsroom after three days; to be looked at, not changed."""
    return fill_newsroom(tmp_path_factory.mktemp("newsroom"))


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    """A newsroom of one test."""
    return fill_newsroom(tmp_path / "own")


@pytest.fixture
def tables(filled: Settings) -> Iterator[Any]:
    connection = queries.connect(filled.warehouse)
    yield connection
    connection.close()


def learn(settings: Settings, path: Path) -> Catalog:
    catalog = Catalog(path)
    CatalogKeeper(catalog, settings.warehouse).learn()
    return catalog


def list_all(catalog: Catalog, **asked: Any) -> list[Any]:
    with catalog.reading() as connection:
        return [summary for _, summary in find_incidents(connection, Search(**asked)).rows]


def dump(catalog: Catalog) -> list[Any]:
    """Everything that the catalog says, but for the numbers it gave."""
    with catalog.reading() as connection:
        summaries = find_incidents(connection, Search()).rows
        return [
            [summary for _, summary in summaries],
            [place_incident(connection, summary.incident_id) for _, summary in summaries],
            [{**row, "seq": None} for row in list_unsure_links(connection).rows],
            [{**row, "seq": None} for row in list_quarantine(connection, is_open=False).rows],
            connection.execute("SELECT * FROM articles ORDER BY article_id").fetchall(),
        ]


def test_it_lists_what_stands_the_newest_change_first(filled: Settings, tables: Any, tmp_path: Path) -> None:
    listed = list_all(learn(filled, tmp_path / "catalog.db"))
    current = queries.list_incidents(tables, as_of=FOREVER)
    assert sorted(one.incident_id for one in listed) == sorted(row["incident_id"] for row in current)
    assert [one.known_at for one in listed] == sorted((row["known_at"] for row in current), reverse=True)
    by_id = {row["incident_id"]: row for row in current}
    for one in listed:
        for column in ("headline", "version", "city", "n_killed", "occurred_date", "incident_types", "n_articles"):
            assert one[column] == by_id[one.incident_id][column]
        assert [person.name for person in one.participants] == [
            p["name"] for p in by_id[one.incident_id]["participants"]
        ]


def test_batches_learnt_one_by_one_are_learnt_as_all_at_once(tmp_path: Path) -> None:
    home = tmp_path / "steps"
    stepwise = Catalog(tmp_path / "stepwise.db")
    for day in (2, 3, 4):
        settings = publish_day(
            home, day, story=(SECOND_FIRE[0], SECOND_FIRE[1].replace("A man was", f"{day} men were"))
        )
        CatalogKeeper(stepwise, settings.warehouse).learn()
    assert dump(stepwise) == dump(learn(settings, tmp_path / "at-once.db"))
    assert CatalogKeeper(stepwise, settings.warehouse).learn() == 0


def test_the_macro_finds_what_a_search_finds(filled: Settings, tables: Any, tmp_path: Path) -> None:
    catalog = learn(filled, tmp_path / "catalog.db")
    for words in ("alder street", "whitlock", "iowa", "nowhere"):
        told = {row["incident_id"] for row in queries.fetch_rows(tables, "FROM find_incidents(?)", [words])}
        assert {one.incident_id for one in list_all(catalog, words=words)} == told


def test_everybody_is_found_though_a_list_shows_the_first_few(tmp_path: Path) -> None:
    text = (
        "OSTRAND, Iowa, March 2, 2026 - Eight people were killed on Monday in a bus crash on Route 9 in Ostrand, Iowa, "
        "police said. The victims were identified as Dana Whitlock, 34, Peter Nowak, 44, Maria Lopez, 19, Samuel "
        "Brandt, 52, Grace Okafor, 27, Lucy Pemberton, 23, Henry Castell, 61, and Ruth Zimmer, 70."
    )
    settings = publish_day(tmp_path / "own", 2, crash=("Eight killed in bus crash near Ostrand", text))
    catalog = learn(settings, tmp_path / "catalog.db")
    [summary] = list_all(catalog)
    shown = {person.name for person in summary.participants}
    with closing(queries.connect(settings.warehouse)) as connection:
        rows = queries.fetch_rows(connection, "SELECT DISTINCT name FROM participants WHERE name IS NOT NULL")
    unshown = {row["name"] for row in rows} - shown
    assert unshown, "more people than a list shows"
    for name in unshown:
        assert [one.incident_id for one in list_all(catalog, words=name)] == [summary.incident_id]


def test_lists_go_on_where_they_stopped(filled: Settings, tmp_path: Path) -> None:
    catalog = learn(filled, tmp_path / "catalog.db")
    for asked in ({}, {"words": "street"}):
        whole, gathered, before = list_all(catalog, **asked), [], None
        with catalog.reading() as connection:
            while True:
                found = find_incidents(connection, Search(**asked, limit=1, before=before))
                gathered += [summary for _, summary in found.rows]
                assert found.n_found == len(whole)
                if (before := found.next_before) is None:
                    break
        assert gathered == whole


def test_words_are_cut_alike_for_texts_and_questions() -> None:
    assert cut_words("O’Brien's Café, 1200-block; ÅNGSTRÖM_x") == [
        "o",
        "brien",
        "s",
        "cafe",
        "1200",
        "block",
        "angstrom",
        "x",
    ]


@pytest.mark.parametrize(
    "words", ['"', "*", "a AND OR NOT (", "t_fire", "words:x", "\x00", "né* ∀", "x" * 5000, "( ) ^ -"]
)
def test_no_question_is_taken_for_syntax(filled: Settings, tmp_path: Path, words: str) -> None:
    catalog = learn(filled, tmp_path / "catalog.db")
    assert len(list_all(catalog, words=words, place=words)) <= 4


def test_a_catalog_that_is_gone_or_of_another_form_is_made_again(filled: Settings, tmp_path: Path) -> None:
    catalog = learn(filled, tmp_path / "catalog.db")
    told = dump(catalog)
    keeper = CatalogKeeper(catalog, filled.warehouse)
    assert keeper.keep_up(wait_s=60)
    catalog.path.unlink()
    assert keeper.keep_up(wait_s=60)
    assert dump(catalog) == told
    with closing(sqlite3.connect(catalog.path)) as connection:
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    keeper.learn()
    assert dump(catalog) == told


def test_one_process_learns_at_a_time_and_nobody_waits(filled: Settings, tmp_path: Path) -> None:
    keeper = CatalogKeeper(Catalog(tmp_path / "catalog.db"), filled.warehouse)
    with hold_lock(tmp_path / "catalog.lock", "another", 0):
        with pytest.raises(LockHeld):
            keeper.learn()
        assert not keeper.keep_up(wait_s=1)
    assert keeper.keep_up(wait_s=60)


def test_without_tables_it_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="blotter init"):
        CatalogKeeper(Catalog(tmp_path / "catalog.db"), str(tmp_path / "none")).learn()


def test_unsure_links_are_those_that_the_view_tells_until_a_person_answers(own: Settings, tmp_path: Path) -> None:
    catalog = learn(own, tmp_path / "catalog.db")

    def list_both() -> tuple[list[tuple[str, str, str | None]], list[tuple[str, str, str | None]]]:
        CatalogKeeper(catalog, own.warehouse).learn()
        with catalog.reading() as connection:
            mine = [(r["article_id"], r["incident_id"], r["placed_in"]) for r in list_unsure_links(connection).rows]
        with closing(queries.connect(own.warehouse)) as connection:
            rows = queries.list_unsure_links(connection)
        return mine, [(r["article_id"], r["incident_id"], r["placed_in"]) for r in rows]

    mine, told = list_both()
    assert mine == told
    ((_, incident_id, placed_in),) = mine
    merge = make_judgement(
        "merge",
        actor="ana",
        reason="one fire",
        judged_at=datetime(2026, 3, 4, 23, 59, 59, tzinfo=UTC),
        incident_id=incident_id,
        other_incident_id=placed_in,
    )
    publish_judgement(own, merge, run_id="judged")
    assert list_both() == ([], [])
    assert placed_in not in {one.incident_id for one in list_all(catalog)}
    with catalog.reading() as connection:
        assert find_merged_into(connection, placed_in) == incident_id
        assert find_merged_into(connection, incident_id) is None
        with closing(queries.connect(own.warehouse)) as warehouse:
            story = read_story(warehouse, own.warehouse, connection, incident_id, as_of=FOREVER)
            merged = read_story(warehouse, own.warehouse, connection, placed_in, as_of=FOREVER)
    assert story is not None
    assert story.merged_from == [placed_in]
    assert len([report for report in story.reports if report.link["verdict"] == "positive"]) == 2
    assert merged is not None
    assert merged.record["merged_into"] == incident_id


def test_a_story_is_what_the_whole_tables_say(filled: Settings, tables: Any, tmp_path: Path) -> None:
    catalog = learn(filled, tmp_path / "catalog.db")
    with catalog.reading() as connection:
        for one in list_all(catalog):
            for as_of in (FOREVER, datetime(2026, 3, 3, 12, tzinfo=UTC)):
                story = read_story(tables, filled.warehouse, connection, one.incident_id, as_of=as_of)
                assert story is not None
                at = story.as_of
                facts = queries.fetch_rows(tables, "FROM incident_facts(?, ?)", [one.incident_id, at])
                assert story.facts == facts
                whole = queries.read_incident(tables, one.incident_id, as_of=at)
                assert story.record == whole
                timeline = queries.read_timeline(tables, one.incident_id)
                assert story.changes == [change for change in timeline if change["known_at"] <= at]
                for report in story.reports:
                    for claim in report.claims:
                        assert report.article["text"][claim["quote_start"] : claim["quote_end"]] == claim["quote"]
        assert read_story(tables, filled.warehouse, connection, "inc_none", as_of=FOREVER) is None


def test_a_session_of_days_reads_no_other_day(filled: Settings, tables: Any) -> None:
    days = {"incidents": [date(2026, 3, 3)], "changes": [date(1999, 1, 1)]}
    with closing(queries.open_days(tables, filled.warehouse, days)) as session:
        versions = queries.fetch_rows(session, "SELECT DISTINCT dt FROM incidents")
        assert versions == [{"dt": date(2026, 3, 3)}]
        assert queries.fetch_rows(session, "FROM changes") == []
        assert queries.fetch_rows(session, "FROM articles") == []
    assert len(queries.fetch_rows(tables, "SELECT DISTINCT dt FROM incidents")) == 3


def test_a_source_tells_what_it_brought_day_by_day(filled: Settings, tables: Any) -> None:
    now = datetime(2026, 3, 5, tzinfo=UTC)
    (halford,) = read_health(tables, filled.warehouse, sources=load_sources(filled.sources), cursors=[], now=now)
    assert (halford.source_id, halford.counts["n_inputs"], halford.counts["n_quarantined"]) == ("halford", 6, 1)
    assert len(halford.days) == N_DAYS
    assert halford.days[-3:] == [(date(2026, 3, 2), 3, 0), (date(2026, 3, 3), 1, 0), (date(2026, 3, 4), 2, 1)]


def test_what_is_copied_with_its_tables_is_up_to_date(filled: Settings, tmp_path: Path) -> None:
    catalog = learn(filled, tmp_path / "catalog.db")
    shutil.copytree(filled.warehouse, tmp_path / "moved")
    assert CatalogKeeper(catalog, str(tmp_path / "moved")).learn() == 0
