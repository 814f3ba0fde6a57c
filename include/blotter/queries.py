"""Questions to the tables: DuckDB over the warehouse, with the views and macros of `include/sql/`.

Belongs here: opening them, and the few questions that the command line and the alerts ask. Does not belong here:
writing anything, and what the columns mean (docs/data-dictionary.md). An edge: it reads files.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.compute as pc
import pyarrow.dataset as ds

from blotter.errors import SettingsError
from blotter.schemas import TABLES
from blotter.store.places import is_object_store
from blotter.store.warehouse import Warehouse

SQL_FOLDER = Path(__file__).parents[1] / "sql"

_DAY_OF_NO_ROWS = date(1970, 1, 1)  # its part has no rows, and shows an empty table's columns

Row = dict[str, Any]


def connect(warehouse_root: str) -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB whose views and macros read the warehouse; close it when done.

    Times come back as aware UTC datetimes. Tables in an object store are those that stand now: DuckDB itself reads
    there only with an extension that has to be downloaded, so it gets them from pyarrow. Raises SettingsError where
    there is no warehouse.
    """
    root = warehouse_root.removeprefix("file://")
    if is_object_store(root):
        return _connect_datasets(Warehouse(root).open_datasets())
    connection = _connect_empty()
    try:
        connection.execute("SET VARIABLE warehouse = ?", [root])
        _run_scripts(connection, "tables.sql", "views.sql", "macros.sql")
    except duckdb.IOException as missing:
        connection.close()
        raise SettingsError("warehouse", "a warehouse with all tables (`blotter init` makes one)", root) from missing
    return connection


@contextmanager
def connect_bounded(warehouse_root: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open as `connect` does, for questions to all of history: in half a gigabyte, the rest in a scratch folder."""
    with tempfile.TemporaryDirectory(prefix="blotter-questions-") as scratch:
        connection = connect(warehouse_root)
        try:
            connection.execute("SET memory_limit = '512MB'")
            connection.execute("SET threads = 2")  # each holds buffers of its own
            connection.execute("SET preserve_insertion_order = false")
            connection.execute("SET temp_directory = ?", [scratch])
            yield connection
        finally:
            connection.close()


def _connect_datasets(datasets: Mapping[str, ds.Dataset]) -> duckdb.DuckDBPyConnection:
    connection = _connect_empty()
    connection.execute("SET TimeZone = 'UTC'")
    for name, dataset in datasets.items():
        connection.register(name, dataset)
    _run_scripts(connection, "views.sql", "macros.sql")
    return connection


def _connect_empty() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET autoinstall_known_extensions = false")
    return connection


def open_days(
    connection: duckdb.DuckDBPyConnection, warehouse_root: str, days: Mapping[str, Iterable[date]]
) -> duckdb.DuckDBPyConnection:
    """Open a session on a connection of `connect` whose views see the named days of the named tables and no more.

    `days` gives the days by table; a table that is not named reads as empty. What is asked of few days costs the same
    however many there are beside them. Close the session when done; it sees the files that lie there now.
    """
    if is_object_store(warehouse_root):
        datasets = Warehouse(warehouse_root).open_datasets()
        return _connect_datasets(
            {name: dataset.filter(pc.field("dt").isin(list(days.get(name, ())))) for name, dataset in datasets.items()}
        )
    root = Path(warehouse_root.removeprefix("file://"))
    session = connection.cursor()
    session.execute("SET TimeZone = 'UTC'")  # a setting of each session
    for table in TABLES:
        folders = [root / table / f"dt={day.isoformat()}" for day in sorted({_DAY_OF_NO_ROWS, *days.get(table, ())})]
        files = [str(part) for folder in folders for part in sorted(folder.glob("*.parquet"))]
        session.execute(f"SET VARIABLE files_{table} = ?", [files])
    return session


def _run_scripts(connection: duckdb.DuckDBPyConnection, *names: str) -> None:
    for name in names:
        connection.execute((SQL_FOLDER / name).read_text(encoding="utf-8"))


def list_incidents(connection: duckdb.DuckDBPyConnection, *, as_of: datetime, limit: int = 20) -> list[Row]:
    """List incidents as they were known at `as_of`, the most recently changed first; merged ones are left out.

    One row an incident, with the columns of `incidents`.
    """
    return fetch_rows(
        connection, "FROM incidents_as_of(?) ORDER BY known_at DESC, incident_id LIMIT ?", [_require_zone(as_of), limit]
    )


def read_incident(connection: duckdb.DuckDBPyConnection, incident_id: str, *, as_of: datetime) -> Row | None:
    """Read one incident as it was known at `as_of`, merged or not; None where nothing was known of it."""
    found = fetch_rows(
        connection,
        "FROM incidents WHERE incident_id = ? AND known_at <= ? ORDER BY version DESC LIMIT 1",
        [incident_id, _require_zone(as_of)],
    )
    return found[0] if found else None


def read_timeline(connection: duckdb.DuckDBPyConnection, incident_id: str) -> list[Row]:
    """Read everything that became known of one incident, in order: field, before, after, quote, source, cause.

    One row a change; empty where the incident is not known.
    """
    return fetch_rows(connection, "FROM incident_timeline(?)", [incident_id])


def read_changes(connection: duckdb.DuckDBPyConnection, *, since: datetime, until: datetime) -> list[Row]:
    """Read the changes that became known from `since` up to, and without, `until`, with the incident's headline."""
    return fetch_rows(connection, "FROM changes_between(?, ?)", [_require_zone(since), _require_zone(until)])


def list_unsure_links(connection: duckdb.DuckDBPyConnection, *, limit: int = 50) -> list[Row]:
    """List the links that wait for a person, the likeliest first: may this article be of that incident?

    One row a question: the article (`article_id, source_id, url, title, published_at`), the incident it may be
    (`incident_id, headline, occurred_date, city, state`, merges followed), where the article is now (`placed_in`,
    `placed_headline`; null where nowhere), `score`, `reasons`, `judged_at`. A question is gone once a person answered
    it, or placed the article, or the article came to the incident another way, or was read again and found clear.
    """
    sql = "FROM unsure_links ORDER BY score DESC, article_id, incident_id LIMIT ?"
    return fetch_rows(connection, sql, [limit])


def read_usual_volumes(connection: duckdb.DuckDBPyConnection, *, since: datetime) -> dict[str, float]:
    """Read how many articles each source usually brings in a batch: the median over the batches recorded since then.

    Sources that usually bring fewer than five are left out, and so are all where there were fewer than seven batches:
    so little says nothing. For `quality.check_batch`.
    """
    usual = """
        WITH recent AS (
            SELECT source_id, batch_id FROM articles WHERE dt >= (?::TIMESTAMPTZ AT TIME ZONE 'UTC')::DATE
        ),
        counted AS (
            SELECT source.source_id, batch.batch_id, count(recent.batch_id) AS n_articles
            FROM (SELECT DISTINCT batch_id FROM recent) AS batch
            CROSS JOIN (SELECT DISTINCT source_id FROM recent) AS source
            LEFT JOIN recent USING (source_id, batch_id)
            GROUP BY ALL
        )
        SELECT source_id, median(n_articles) AS n_usual FROM counted
        GROUP BY source_id HAVING count(*) >= 7 AND n_usual >= 5 ORDER BY source_id
    """
    return {row["source_id"]: row["n_usual"] for row in fetch_rows(connection, usual, [_require_zone(since)])}


def fetch_rows(connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[object] | None = None) -> list[Row]:
    """Run one query and give its rows as dicts, in its order."""
    cursor = connection.execute(sql, parameters or [])
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _require_zone(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return at
