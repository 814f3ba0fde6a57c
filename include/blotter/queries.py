"""Questions to the tables: DuckDB over the warehouse, with the views and macros of `include/sql/`.

Belongs here: opening them, and the few questions that the command line and the alerts ask. Does not belong here:
writing anything, and what the columns mean (docs/data-dictionary.md). An edge: it reads files.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from blotter.errors import SettingsError

SQL_FOLDER = Path(__file__).parents[1] / "sql"
_SCRIPTS = ("tables.sql", "views.sql", "macros.sql")

Row = dict[str, Any]


def connect(warehouse_root: str) -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB whose views and macros read the warehouse at a local path; close it when done.

    Times come back as aware UTC datetimes. Raises SettingsError where there is no warehouse, or one that is no folder
    of this machine: DuckDB reads object stores only with an extension that has to be downloaded.
    """
    root = warehouse_root.removeprefix("file://")
    if "://" in root:
        raise SettingsError("warehouse", "a folder of this machine, to be read with DuckDB", warehouse_root)
    connection = duckdb.connect()
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET VARIABLE warehouse = ?", [root])
    try:
        for script in _SCRIPTS:
            connection.execute((SQL_FOLDER / script).read_text(encoding="utf-8"))
    except duckdb.IOException as missing:
        connection.close()
        raise SettingsError("warehouse", "a warehouse with all tables (`blotter init` makes one)", root) from missing
    return connection


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
