"""The books: what each run did, what is pending, and whether every input has exactly one disposition everywhere.

Belongs here: reading and comparing what the stages wrote. Does not belong here: giving a disposition
(`blotter.publishing`), and mending (`blotter.maintenance.rebuild_state`).
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from blotter import queries
from blotter.config import Settings
from blotter.model import Disposition, Document
from blotter.stores import Stores

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One batch of one run: what came in and what became of it; `failed` are the checks that did not hold."""

    run_id: str
    batch_id: str
    dag_id: str | None
    started_at: datetime
    finished_at: datetime
    n_in: int
    became: Mapping[str, int]  # disposition: how many
    n_incident_versions: int
    n_changes: int
    is_blocked: bool  # the gate held it back: what is not rejected is pending
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingInputs:
    """What has no disposition yet, by how far it is."""

    n_waiting: int  # registered
    n_planned: int  # in a slice that is not read yet
    n_read: int  # read, and not published yet
    oldest_at: datetime | None
    shown: tuple[Document, ...]

    @property
    def n_pending(self) -> int:
        """All of them."""
        return self.n_waiting + self.n_planned + self.n_read


_RUNS = """
    WITH listed AS (
        SELECT
            run_id, batch_id, any_value(dag_id) AS dag_id, min(started_at) AS started_at,
            max(finished_at) AS finished_at, max(n_in) AS n_in, bool_and(stage = 'check') AS is_blocked,
            sum(n_published)::INT AS published, sum(n_unchanged)::INT AS unchanged,
            sum(n_not_incident)::INT AS not_incident, sum(n_duplicate)::INT AS duplicate,
            sum(n_refused)::INT AS refused, sum(n_quarantined)::INT AS quarantined, max(recorded_at) AS recorded_at
        FROM runs GROUP BY run_id, batch_id ORDER BY recorded_at DESC, batch_id LIMIT ?
    ),
    version AS (SELECT batch_id, count(*) AS n FROM incidents SEMI JOIN listed USING (batch_id) GROUP BY 1),
    change AS (SELECT batch_id, count(*) AS n FROM changes SEMI JOIN listed USING (batch_id) GROUP BY 1),
    failure AS (
        SELECT batch_id, list(severity || ': ' || suite || ': ' || expectation ORDER BY severity, suite) AS failed
        FROM check_results SEMI JOIN listed USING (batch_id) WHERE NOT success GROUP BY 1
    )
    SELECT listed.*, coalesce(version.n, 0) AS n_versions, coalesce(change.n, 0) AS n_changes,
        coalesce(failed, []) AS failed
    FROM listed LEFT JOIN version USING (batch_id) LEFT JOIN change USING (batch_id) LEFT JOIN failure USING (batch_id)
    ORDER BY recorded_at DESC, batch_id
"""

# Each finds what must not be; told with the first that it finds.
_IMBALANCES = {
    "inputs with more than one disposition": """
        SELECT input_id FROM inputs GROUP BY 1 HAVING count(*) > 1
    """,
    "quarantined inputs without a row that says why, or rows without an input": """
        SELECT coalesce(input.input_id, why.input_id)
        FROM (FROM inputs WHERE disposition = 'quarantined') AS input
        FULL JOIN quarantine AS why USING (input_id) WHERE input.input_id IS NULL OR why.input_id IS NULL
    """,
    "inputs of articles that no table has": """
        SELECT input_id FROM inputs ANTI JOIN articles USING (article_id)
        WHERE article_id IS NOT NULL AND disposition IN ('published', 'unchanged', 'not_incident')
    """,
    "replays of inputs that never came": """
        SELECT replay.input_id FROM inputs AS replay ANTI JOIN inputs AS first ON first.input_id = replay.replay_of
        WHERE replay.replay_of IS NOT NULL
    """,
    "batches whose inputs are not those that the run counts": """
        WITH told AS (
            SELECT batch_id, max(n_in) AS n_in, sum(
                n_published + n_unchanged + n_not_incident + n_duplicate + n_refused + n_quarantined
            ) AS n_settled
            FROM runs GROUP BY 1 HAVING bool_or(stage = 'publish')
        ),
        came AS (SELECT batch_id, count(*) AS n FROM inputs GROUP BY 1)
        SELECT batch_id FROM told LEFT JOIN came USING (batch_id)
        WHERE n_in <> n_settled OR n_in <> coalesce(came.n, 0)
    """,
    "stages that did not get what the stage before them left": """
        WITH ordered AS (
            SELECT batch_id, n_in, n_in - n_published - n_unchanged - n_not_incident - n_duplicate - n_refused
                - n_quarantined AS n_left,
                list_position(['ingest', 'read', 'link', 'check', 'publish'], stage) AS position
            FROM runs WHERE stage IN ('ingest', 'read', 'link', 'check', 'publish')
        )
        SELECT batch_id FROM ordered
        QUALIFY n_in <> lag(n_left) OVER (PARTITION BY batch_id ORDER BY position)
    """,
}


def list_runs(settings: Settings, *, limit: int = 20) -> list[RunSummary]:
    """List the last batches, the newest first, with what became of what came in."""
    with closing(queries.connect(settings.warehouse)) as connection:
        rows = queries.fetch_rows(connection, _RUNS, [limit])
    return [
        RunSummary(
            run_id=row["run_id"],
            batch_id=row["batch_id"],
            dag_id=row["dag_id"],
            started_at=row["started_at"],
            finished_at=row["finished_at"],
            n_in=row["n_in"],
            became={disposition.value: row[disposition.value] for disposition in Disposition},
            n_incident_versions=row["n_versions"],
            n_changes=row["n_changes"],
            is_blocked=row["is_blocked"],
            failed=tuple(row["failed"]),
        )
        for row in rows
    ]


def list_pending(settings: Settings, *, limit: int = 20) -> PendingInputs:
    """Say what has no disposition yet: how far it is, and what came first of it, which is never loaded whole."""
    with Stores(settings) as stores:
        n_pending = stores.ledger.counts().n_pending
        staged = set(stores.staging.slices())
        n_read = n_planned = 0
        for slice_id, input_ids in stores.plans.iterate_slices():
            n_here = stores.ledger.count_pending_of(input_ids)
            n_read, n_planned = (n_read + n_here, n_planned) if slice_id in staged else (n_read, n_planned + n_here)
        first = stores.ledger.pending(max(limit, 1))
    return PendingInputs(
        n_waiting=n_pending - n_read - n_planned,
        n_planned=n_planned,
        n_read=n_read,
        oldest_at=first[0].received_at if first else None,
        shown=tuple(first[:limit]),
    )


def find_imbalances(settings: Settings) -> list[str]:
    """Compare the tables with each other and with the ledger; one sentence for each thing that does not agree.

    Reads all of history, in bounded memory: what does not fit goes to a scratch folder.
    """
    with queries.connect_bounded(settings.warehouse) as connection:
        found = []
        for what, sql in _IMBALANCES.items():
            counted_wrong = f"SELECT count(*) AS n, min(one) AS first FROM ({sql}) AS found(one)"  # noqa: S608 (own)
            [wrong] = queries.fetch_rows(connection, counted_wrong)
            if wrong["n"]:
                found.append(f"{wrong['n']} {what}, {wrong['first']} first")
        counted = queries.fetch_rows(connection, "SELECT disposition, count(*) AS n FROM inputs GROUP BY 1")
    in_tables = {row["disposition"]: row["n"] for row in counted}
    return [*found, *_compare_ledger(settings, in_tables)]


def _compare_ledger(settings: Settings, in_tables: Mapping[str, int]) -> Iterator[str]:
    with Stores(settings) as stores:
        in_ledger = stores.ledger.counts().n_settled
        n_both, first = stores.ledger.find_pending_settled()
    for disposition in Disposition:
        told, known = in_tables.get(disposition.value, 0), in_ledger.get(disposition, 0)
        if told != known:
            yield f"{told} inputs are {disposition} by the tables, {known} by the ledger"
    if n_both:
        yield f"{n_both} inputs are pending and settled, {first} first"
