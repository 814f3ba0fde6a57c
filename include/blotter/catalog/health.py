"""How each source is doing: what it brought of late, what its feeds answered, and what is wrong with it.

Belongs here: putting the tables' last days, the feeds' cursors and the registry side by side. Does not belong here: any
judgement of a feed (`blotter.ingest.schedule`), and any wording of a page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from blotter import queries
from blotter.ingest.schedule import judge_feed
from blotter.sources import Source
from blotter.store.feeds import FeedCursor

N_DAYS = 14

_BY_DAY = """
    SELECT
        source_id, dt, count(*) AS n_inputs,
        count(*) FILTER (disposition IN ('refused', 'quarantined')) AS n_rejected
    FROM inputs GROUP BY ALL ORDER BY dt
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHealth:
    """One feed: where it stands, and what is wrong with it, if anything."""

    cursor: FeedCursor
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """One source: `counts` of its inputs and requests of the last days (columns of the macro `source_health`)."""

    source_id: str
    source: Source | None  # None: it is not in the registry
    counts: Mapping[str, Any]
    days: Sequence[tuple[date, int, int]] = ()  # day, inputs, of them refused or quarantined
    feeds: Sequence[FeedHealth] = field(default=())

    @property
    def problems(self) -> list[str]:
        """What is wrong with its feeds, in words."""
        return [feed.problem for feed in self.feeds if feed.problem is not None]


def read_health(
    warehouse: duckdb.DuckDBPyConnection,
    warehouse_root: str,
    *,
    sources: Mapping[str, Source],
    cursors: Sequence[FeedCursor],
    now: datetime,
) -> list[SourceHealth]:
    """Say how each source did over the last `N_DAYS` days, those with something wrong first.

    The days are counted back from `now`, or from the newest day with anything where that is longer ago.
    """
    days = _list_days(Path(warehouse_root), now.date())
    session = queries.open_days(warehouse, warehouse_root, {"inputs": days, "fetches": days})
    try:
        counts = {row["source_id"]: row for row in queries.fetch_rows(session, f"FROM source_health({N_DAYS})")}
        by_day: dict[str, dict[date, tuple[int, int]]] = {}
        for row in queries.fetch_rows(session, _BY_DAY):
            by_day.setdefault(row["source_id"], {})[row["dt"]] = (row["n_inputs"], row["n_rejected"])
    finally:
        session.close()
    last = max(days, default=now.date())
    span = [last - timedelta(days=back) for back in reversed(range(N_DAYS))]
    found = [
        SourceHealth(
            source_id=source_id,
            source=sources.get(source_id),
            counts=counts.get(source_id, {}),
            days=[(day, *by_day.get(source_id, {}).get(day, (0, 0))) for day in span],
            feeds=[
                FeedHealth(cursor=cursor, problem=judge_feed(cursor, now))
                for cursor in sorted(cursors, key=lambda one: one.url)
                if cursor.source_id == source_id
            ],
        )
        for source_id in {*sources, *counts, *(cursor.source_id for cursor in cursors)}
    ]
    return sorted(found, key=lambda one: (not one.problems, one.source_id))


def _list_days(root: Path, today: date) -> list[date]:
    """List the newest days on which anything came in or was asked for."""
    names = {folder.name for table in ("inputs", "fetches") for folder in (root / table).glob("dt=*")}
    days = sorted(date.fromisoformat(name[3:]) for name in names if name > "dt=1970-01-01")
    first = min(days[-1], today) - timedelta(days=N_DAYS - 1) if days else today
    return [day for day in days if day >= first]
