"""One incident with everything behind it, as it was known at a moment: record, changes, facts, articles, claims.

Belongs here: which rows of which days make that up. Does not belong here: any wording. The catalog says on which days
the rows lie, so that the cost follows from the incident and not from the history around it.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from blotter import queries
from blotter.catalog.index import place_articles, place_incident, read_summaries

Row = dict[str, Any]
_MAX_TEXTS = 30  # articles whose text is read for one page; of further ones there is the title

_ARTICLES = """
    SELECT articles.* EXCLUDE (text), CASE WHEN list_contains(?, article_id) THEN text END AS text FROM articles
    WHERE list_contains(?, article_id) AND recorded_at <= ?
    QUALIFY row_number() OVER (PARTITION BY article_id ORDER BY revision DESC) = 1
    ORDER BY published_at, article_id
"""
_READINGS = """
    FROM readings WHERE list_contains(?, article_id) AND recorded_at <= ?
    QUALIFY row_number() OVER (PARTITION BY article_id ORDER BY recorded_at DESC) = 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An article that was judged to report an incident, or that may: its newest text by then, and what it claims.

    `claims` are those about this incident, in the order of the text; `text` is None where there were too many articles.
    """

    link: Row
    article: Row
    reading: Row | None
    claims: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An incident as it was known at `as_of`. `versions` has all there are, `changes` those known by then."""

    record: Row
    versions: Sequence[Row]
    as_of: datetime
    changes: Sequence[Row]
    facts: Sequence[Row]
    reports: Sequence[Report]
    claims: Mapping[str, Row]  # by id: every claim of the articles by then, also of earlier texts
    merged_from: Sequence[str]

    @property
    def is_newest(self) -> bool:
        """Whether nothing of the record changed after `as_of`."""
        return bool(self.record["version"] == self.versions[-1]["version"])


def read_story(
    warehouse: duckdb.DuckDBPyConnection,
    warehouse_root: str,
    catalog: sqlite3.Connection,
    incident_id: str,
    *,
    as_of: datetime,
    version: int | None = None,
) -> Story | None:
    """Read an incident as it was known at `as_of`; where that is before anything was known, as it was known first.

    With a `version`, as it was known when that came to stand, or the last one before it. None where the catalog does
    not know the incident.
    """
    placed = place_incident(catalog, incident_id)
    if placed is None:
        return None
    names = ("incidents", "participants", "facts", "changes", "links", "alignments")
    session = queries.open_days(warehouse, warehouse_root, dict.fromkeys(names, placed.days))
    try:
        versions = queries.fetch_rows(session, "FROM incidents WHERE incident_id = ? ORDER BY version", [incident_id])
        if not versions:
            return None
        if version is not None:
            as_of = min(as_of, *(row["known_at"] for row in versions if row["version"] == _choose(versions, version)))
        as_of = max(as_of, versions[0]["known_at"])
        record = [row for row in versions if row["known_at"] <= as_of][-1]
        facts = queries.fetch_rows(session, "FROM incident_facts(?, ?)", [incident_id, as_of])
        links = queries.fetch_rows(session, "FROM incident_links(?, ?)", [incident_id, as_of])
        merged_from = [
            row["other"]
            for row in queries.fetch_rows(
                session,
                "SELECT incident_id AS other FROM incidents WHERE merged_into = ? AND known_at <= ?",
                [incident_id, as_of],
            )
        ]
    finally:
        session.close()
    article_ids = list(dict.fromkeys(link["article_id"] for link in links))
    days = sorted(place_articles(catalog, article_ids))
    tables = {**dict.fromkeys(("articles", "readings", "claims"), days), **dict.fromkeys(names, placed.days)}
    session = queries.open_days(warehouse, warehouse_root, tables)
    try:
        changes = queries.fetch_rows(
            session, "SELECT * FROM incident_timeline(?) WHERE known_at <= ?", [incident_id, as_of]
        )
        with_text = [link["article_id"] for link in links if link["verdict"] != "negative"]
        articles = queries.fetch_rows(session, _ARTICLES, [with_text[-_MAX_TEXTS:], article_ids, as_of])
        readings = queries.fetch_rows(session, _READINGS, [article_ids, as_of])
        claims = queries.fetch_rows(
            session,
            "FROM claims WHERE list_contains(?, article_id) AND recorded_at <= ? ORDER BY quote_start, claim_id",
            [article_ids, as_of],
        )
    finally:
        session.close()
    return Story(
        record=record,
        versions=versions,
        as_of=as_of,
        changes=changes,
        facts=facts,
        reports=_gather_reports(links, articles, readings, claims),
        claims={claim["claim_id"]: claim for claim in claims},
        merged_from=merged_from,
    )


def _choose(versions: Sequence[Row], wanted: int) -> int:
    return int(max((row["version"] for row in versions if row["version"] <= wanted), default=versions[0]["version"]))


def find_merged_into(catalog: sqlite3.Connection, incident_id: str) -> str | None:
    """Say which incident this one is part of now, following merges; None where it stands by itself."""
    seen = {incident_id}
    while (found := read_summaries(catalog, [incident_id]).get(incident_id)) is not None:
        if found.merged_into is None or found.merged_into in seen:
            break
        incident_id = found.merged_into
        seen.add(incident_id)
    return incident_id if len(seen) > 1 else None


def _gather_reports(
    links: Sequence[Row], articles: Sequence[Row], readings: Sequence[Row], claims: Sequence[Row]
) -> list[Report]:
    """Put each link to its article's newest text and reading; of an earlier reading it tells no longer."""
    by_article = {article["article_id"]: article for article in articles}
    newest = {reading["article_id"]: reading for reading in readings}
    reports = []
    for link in links:
        article, reading = by_article.get(link["article_id"]), newest.get(link["article_id"])
        if article is None or (reading is not None and reading["reading_id"] != link["reading_id"]):
            continue
        mine = [
            claim
            for claim in claims
            if claim["reading_id"] == link["reading_id"] and claim["incident_ref"] == link["incident_ref"]
        ]
        reports.append(Report(link=link, article=article, reading=reading, claims=mine))
    return sorted(reports, key=lambda one: (one.article["published_at"], one.article["article_id"]))
