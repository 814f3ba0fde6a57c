"""Keeping the catalog up with the tables: what each published batch adds to it.

Belongs here: which columns of which tables the catalog learns, batch by batch, and who does it when. Does not belong
here: how the file is laid out (`index`).

A batch is learnt once its rows in `runs` stand, since then all of it stands. A day is learnt in one transaction. The
cost of keeping up follows from what is new; only the first time, and after the file was removed, is all history read.
"""

import logging
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, nullcontext, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from blotter import queries
from blotter.catalog.index import (
    Catalog,
    ChangeSummary,
    PersonSummary,
    Summary,
    add_incident_day,
    place_articles,
    put_article,
    put_incident,
    put_link,
    put_merge,
    put_quarantined,
    put_replay,
    read_mark,
    write_mark,
)
from blotter.errors import BlotterError, LockHeld
from blotter.store.locks import hold_lock

_log = logging.getLogger(__name__)
_KEPT_CHANGES = 6
_KEPT_PEOPLE = 6
_TABLES = ("inputs", "articles", "readings", "links", "alignments", "incidents", "changes", "quarantine")

_INCIDENTS = f"""
    SELECT
        incident_id, version, known_at, headline, incident_types, occurred_date, occurred_at, occurred_precision,
        street, neighborhood, city, county, state, country, n_killed, n_injured, status, n_articles, n_reports,
        list_distinct([conflict.field FOR conflict IN conflicts]) AS conflicts,
        participants[1:{_KEPT_PEOPLE}] AS participants, len(participants) AS n_participants, merged_into,
        [{{'role': person.role, 'name': person.name}} FOR person IN participants] AS everybody
    FROM incidents WHERE list_contains(?, batch_id)
    QUALIFY row_number() OVER (PARTITION BY incident_id ORDER BY version DESC) = 1
    ORDER BY known_at, incident_id
"""  # noqa: S608 (own numbers)
# What a reader wants to know first of a version: who died, who it was, who did it. A map tells coordinates.
_CHANGES = f"""
    SELECT
        incident_id, version, participant_id, field, kind, cause, before_state,
        json_extract_string(before, '$') AS before, after_state, json_extract_string(after, '$') AS after,
        count(*) OVER (PARTITION BY incident_id, version) AS n_changes
    FROM changes
    WHERE list_contains(?, batch_id) AND field NOT IN ('latitude', 'longitude', 'time_zone', 'role')
    QUALIFY row_number() OVER (PARTITION BY incident_id, version ORDER BY CASE
        WHEN field IN ('n_killed', 'name', 'condition') THEN 0
        WHEN field IN ('n_injured', 'legal_status', 'status', 'incident_type') THEN 1
        WHEN field IN ('charges', 'age', 'occupation', 'city', 'occurred_date') THEN 2
        ELSE 3 END, participant_id, field, change_id) <= {_KEPT_CHANGES}
    ORDER BY ALL
"""  # noqa: S608
_LINKS = """
    SELECT link.*, (
        SELECT any_value(other.incident_id) FROM links AS other
        WHERE other.reading_id = link.reading_id AND other.incident_ref = link.incident_ref
            AND other.verdict = 'positive' AND list_contains(?, other.batch_id)
    ) AS placed_in
    FROM links AS link WHERE list_contains(?, link.batch_id)
    ORDER BY link.recorded_at, starts_with(link.actor, 'human:'), link.verdict <> 'unsure', link.seq, link.link_id
"""


class CatalogKeeper:
    """Keeps the catalog of one warehouse up with its tables, in this process or in whichever other does it first."""

    def __init__(self, catalog: Catalog, warehouse_root: str) -> None:
        self.catalog = catalog
        self._root = warehouse_root.removeprefix("file://")
        self._runs = Path(self._root) / "runs"
        self._learning = threading.Lock()
        self._seen: object = None

    def keep_up(self, *, wait_s: float = 0.5) -> bool:
        """See to it that the catalog knows what is published; returns whether it does after `wait_s` seconds.

        Costs a look at one folder where nothing is new. What takes longer goes on beside the caller, so that a page
        never waits for it: it is right, and says that it is not up to date.
        """
        signature = self._sign()
        if signature is None or (signature == self._seen and self.catalog.path.exists()):
            return True
        if self._learning.acquire(blocking=False):
            thread = threading.Thread(target=self._learn_aside, args=[signature], name="blotter-catalog", daemon=True)
            thread.start()
            thread.join(wait_s)
        return signature == self._seen

    def _learn_aside(self, signature: object) -> None:
        try:
            self.learn()
            self._seen = signature
        except LockHeld:
            pass  # another process learns: the next page looks again
        except (BlotterError, duckdb.Error, sqlite3.Error, OSError):
            _log.exception("the catalog %s could not be brought up to date", self.catalog.path)
        finally:
            self._learning.release()

    def learn(self, *, timeout_s: float = 0.0) -> int:
        """Learn every batch that is published and not yet known; returns how many.

        Raises LockHeld where another process is at it and does not end within `timeout_s` seconds, SettingsError where
        there is no warehouse.
        """
        self.catalog.path.parent.mkdir(parents=True, exist_ok=True)
        with hold_lock(self.catalog.path.with_suffix(".lock"), "catalog", timeout_s):
            connection = queries.connect(self._root)
            try:
                connection.execute("SET threads = 1")
                connection.execute("SET memory_limit = '512MB'")
                self._forget_erased(connection)
                n_learnt = 0
                for day in self._list_days():
                    n_learnt += self._learn_day(connection, day)
                return n_learnt
            finally:
                connection.close()

    def _sign(self) -> object:
        """Tell one state of `runs` from another by its newest parts; None where there are no tables."""
        with suppress(OSError):
            newest = max(folder.name for folder in self._runs.iterdir())
            stats = [(part.name, part.stat()) for part in (self._runs / newest).iterdir()]
            return newest, sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
        return None

    def _forget_erased(self, warehouse: duckdb.DuckDBPyConnection) -> None:
        """Start anew where an erasure is whole that the catalog was made before, on whichever machine it was done.

        Until it is whole, the tables still have some of the words; its end is a batch of its own: then we look again.
        """
        with self.catalog.reading() as connection:
            is_new = read_mark(connection, "learnt_to") is None
            obeyed = set((read_mark(connection, "erasures") or "").split())
        whole = self._find_erasures(warehouse)
        if whole <= obeyed:
            return
        if not is_new:
            self.catalog.remove()
            whole |= obeyed
        with self.catalog.writing() as connection:
            write_mark(connection, "erasures", " ".join(sorted(whole)))

    def _find_erasures(self, warehouse: duckdb.DuckDBPyConnection) -> set[str]:
        """Find the erasures of the days that are not learnt yet whose articles have no text left."""
        with self.catalog.reading() as connection:
            session = queries.open_days(warehouse, self._root, {"judgements": self._list_days("judgements")})
            try:
                decided = queries.fetch_rows(session, "FROM judgements WHERE action = 'erase'")
            finally:
                session.close()
            days = place_articles(connection, {row["article_id"] for row in decided})
        # What the catalog has not learnt yet may lie on any day.
        opened = closing(queries.open_days(warehouse, self._root, {"articles": days})) if days else None
        left = "SELECT article_id FROM articles WHERE article_id = ? AND recorded_at <= ? AND text <> '' LIMIT 1"
        with opened or nullcontext(warehouse) as session:
            return {
                row["judgement_id"]
                for row in decided
                if not queries.fetch_rows(session, left, [row["article_id"], row["recorded_at"]])
            }

    def _list_days(self, table: str = "runs") -> Iterator[date]:
        """List the days of a table from the one on to which the catalog has learnt."""
        with self.catalog.reading() as connection:
            learnt_to = read_mark(connection, "learnt_to")
        for day in sorted(folder.name.removeprefix("dt=") for folder in (self._runs.parent / table).glob("dt=*")):
            if day > "1970-01-01" and (learnt_to is None or day >= learnt_to):
                yield date.fromisoformat(day)

    def _learn_day(self, warehouse: duckdb.DuckDBPyConnection, day: date) -> int:
        published = {
            str(batch_id)
            for part in sorted((self._runs / f"dt={day.isoformat()}").glob("*.parquet"))
            for batch_id in pq.ParquetFile(part).read(["batch_id"])["batch_id"].to_pylist()
        }
        session = queries.open_days(warehouse, self._root, {table: [day] for table in _TABLES})
        try:
            with self.catalog.writing() as connection:
                known = {row[0] for row in connection.execute("SELECT batch_id FROM batches")}
                new = sorted(published - known)
                if new:
                    _Lesson(session, warehouse, self._root, connection, day, new).learn()
                connection.executemany(
                    "INSERT INTO batches VALUES (?, ?)", [(batch_id, day.isoformat()) for batch_id in new]
                )
                connection.execute("DELETE FROM batches WHERE dt < ?", [day.isoformat()])
                write_mark(connection, "learnt_to", day.isoformat())
                return len(new)
        finally:
            session.close()


class _Lesson:
    """What some batches of one day add, in one transaction of the catalog."""

    def __init__(
        self,
        session: duckdb.DuckDBPyConnection,
        warehouse: duckdb.DuckDBPyConnection,
        root: str,
        connection: sqlite3.Connection,
        day: date,
        batch_ids: Sequence[str],
    ) -> None:
        self._session, self._warehouse, self._root, self._connection = session, warehouse, root, connection
        self._day, self._batch_ids = day, list(batch_ids)

    def learn(self) -> None:
        """Learn incidents, articles, links and quarantine, in this order."""
        self._learn_incidents()
        self._learn_articles()
        self._learn_links()
        self._learn_quarantine()

    def _ask(self, sql: str, n_times: int = 1) -> list[dict[str, Any]]:
        return queries.fetch_rows(self._session, sql, [self._batch_ids] * n_times)

    def _learn_incidents(self) -> None:
        changes: dict[tuple[str, int], list[dict[str, Any]]] = {}
        for change in self._ask(_CHANGES):
            changes.setdefault((change["incident_id"], change["version"]), []).append(change)
        next_seq = int(read_mark(self._connection, "next_seq") or 1)
        n_incidents = int(read_mark(self._connection, "n_incidents") or 0)
        newest: datetime | None = None
        for row in self._ask(_INCIDENTS):
            mine = changes.get((row["incident_id"], row["version"]), [])
            people = [PersonSummary(**_choose(one, PersonSummary)) for one in row.pop("participants")]
            everybody = row.pop("everybody")
            moved = [ChangeSummary(**_choose(one, ChangeSummary)) for one in mine]
            summary = Summary(**row, participants=people, changes=moved, n_changes=_count(mine))
            was_listed = put_incident(self._connection, summary, everybody, self._day, next_seq)
            next_seq += 1
            n_incidents += (summary.merged_into is None) - was_listed
            newest = row["known_at"] if newest is None else max(newest, row["known_at"])
        write_mark(self._connection, "next_seq", next_seq)
        write_mark(self._connection, "n_incidents", n_incidents)
        if newest is not None:
            write_mark(self._connection, "newest_known_at", newest.astimezone(UTC).isoformat())

    def _learn_articles(self) -> None:
        for row in self._ask("SELECT DISTINCT article_id FROM articles WHERE list_contains(?, batch_id)"):
            put_article(self._connection, row["article_id"], self._day, None)
        readings = "SELECT article_id, reading_id FROM readings WHERE list_contains(?, batch_id) ORDER BY recorded_at"
        for row in self._ask(readings):
            put_article(self._connection, row["article_id"], self._day, row["reading_id"])

    def _learn_links(self) -> None:
        links = self._ask(_LINKS, 2)
        unsure = {link["article_id"] for link in links if link["verdict"] == "unsure"}
        articles = self._read_articles(unsure) if unsure else {}
        for link in links:
            put_link(self._connection, link, articles.get(link["article_id"], {}))
        merged = "SELECT incident_id, merged_into FROM incidents WHERE list_contains(?, batch_id)"
        for row in self._ask(f"{merged} AND merged_into IS NOT NULL ORDER BY known_at, version"):
            put_merge(self._connection, row["incident_id"], row["merged_into"])
        placed = self._ask("SELECT DISTINCT incident_id FROM alignments WHERE list_contains(?, batch_id)")
        for incident_id in {row["incident_id"] for row in (*links, *placed)}:
            add_incident_day(self._connection, incident_id, self._day)

    def _read_articles(self, article_ids: set[str]) -> dict[str, dict[str, Any]]:
        days = place_articles(self._connection, article_ids) | {self._day}
        session = queries.open_days(self._warehouse, self._root, {"articles": days})
        try:
            sql = (
                "SELECT article_id, title, source_id, published_at FROM articles WHERE list_contains(?, article_id) "
                "QUALIFY row_number() OVER (PARTITION BY article_id ORDER BY revision DESC) = 1"
            )
            rows = queries.fetch_rows(session, sql, [sorted(article_ids)])
        finally:
            session.close()
        return {row["article_id"]: row for row in rows}

    def _learn_quarantine(self) -> None:
        sql = """
            SELECT quarantine.*, input.source_id, input.kind FROM quarantine
            LEFT JOIN inputs AS input USING (input_id)
            WHERE list_contains(?, quarantine.batch_id) ORDER BY quarantine.recorded_at, input_id
        """
        for row in self._ask(sql):
            put_quarantined(self._connection, row)
        replays = (
            "SELECT input_id, replay_of, disposition FROM inputs "
            "WHERE replay_of IS NOT NULL AND list_contains(?, batch_id) ORDER BY recorded_at, input_id"
        )
        for row in self._ask(replays):
            put_replay(self._connection, row["replay_of"], row["input_id"], row["disposition"])


def _choose(row: dict[str, Any], kind: type[PersonSummary] | type[ChangeSummary]) -> dict[str, Any]:
    return {name: row[name] for name in kind.__struct_fields__}


def _count(changes: Sequence[dict[str, Any]]) -> int:
    return int(changes[0]["n_changes"]) if changes else 0
