"""The sample week, played through the stages: what is known at the end of each day, and what holds whatever is read."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from .expectations import compare_day, list_expected_days, load_expected
from .play import play_week

# Differences from what must be known, when last counted: the reader is not perfect, and may only get better. When a
# change lowers a day's count, lower it here; `python tests/seeds/play.py FOLDER` prints them.
MOST_DIFFERENCES = {
    "2026-03-02": 4,
    "2026-03-03": 10,
    "2026-03-04": 9,
    "2026-03-05": 9,
    "2026-03-06": 15,
    "2026-03-07": 10,
    "2026-03-08": 10,
}


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse of the whole week."""
    home = tmp_path_factory.mktemp("week")
    for _ in play_week(home):
        pass
    return home / "warehouse"


@pytest.fixture
def tables(week: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A view of each table."""
    with duckdb.connect() as connection:
        for table in week.iterdir():
            if table.is_dir() and not table.name.startswith((".", "_")):
                connection.execute(
                    f"CREATE VIEW {table.name} AS FROM read_parquet('{table}/**/*.parquet', hive_partitioning=true)"
                )
        yield connection


@pytest.mark.parametrize("day", list_expected_days())
def test_no_more_differs_from_what_must_be_known_than_last_time(week: Path, day: str) -> None:
    differences = compare_day(week, day, load_expected(day))
    assert len(differences) <= MOST_DIFFERENCES[day], "\n".join(differences)


def test_every_quote_is_the_span_of_the_stored_text(tables: duckdb.DuckDBPyConnection) -> None:
    n_claims, n_wrong = tables.execute(
        """
        SELECT count(*), count_if(substring(text, quote_start + 1, quote_end - quote_start) <> quote)
        FROM claims JOIN articles USING (article_id, revision_id)
        """
    ).fetchall()[0]
    assert n_claims > 500
    assert n_wrong == 0


def test_every_change_of_a_value_is_quoted_or_says_why_not(tables: duckdb.DuckDBPyConnection) -> None:
    unquoted = tables.execute(
        """
        SELECT field, kind, cause FROM changes
        WHERE quote IS NULL AND after IS NOT NULL AND cause NOT IN ('human', 'link_change', 'extractor_change')
        """
    ).fetchall()
    assert unquoted == []


def test_every_input_has_one_disposition_and_the_runs_count_the_same(tables: duckdb.DuckDBPyConnection) -> None:
    assert tables.execute("SELECT count(*) - count(DISTINCT input_id) FROM inputs").fetchall() == [(0,)]
    by_disposition = dict(tables.execute("SELECT disposition, count(*) FROM inputs GROUP BY ALL").fetchall())
    assert {"published", "not_incident", "duplicate", "refused", "quarantined"} <= set(by_disposition)
    names = ("published", "unchanged", "not_incident", "duplicate", "refused", "quarantined")
    # Each stage counts what ended there.
    sums = tables.execute(f"SELECT {', '.join(f'sum(n_{name})' for name in names)} FROM runs").fetchall()[0]
    assert dict(zip(names, sums, strict=True)) == {name: by_disposition.get(name, 0) for name in names}


def test_names_are_never_placeholders(tables: duckdb.DuckDBPyConnection) -> None:
    named = tables.execute("SELECT DISTINCT name FROM participants WHERE name_state = 'withheld' AND name IS NOT NULL")
    assert named.fetchall() == []


def test_the_week_brings_every_kind_of_input_to_its_table(tables: duckdb.DuckDBPyConnection) -> None:
    kinds = {kind for (kind,) in tables.execute("SELECT DISTINCT kind FROM inputs").fetchall()}
    assert {"entry", "file", "line", "mail"} <= kinds
    outcomes = {outcome for (outcome,) in tables.execute("SELECT DISTINCT outcome FROM fetches").fetchall()}
    assert {"ok", "robots"} <= outcomes
