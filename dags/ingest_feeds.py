"""### Poll the feeds that are due

Asks every feed whose interval has passed for its entries, fetches the pages of those not seen before, and puts both
into the raw archive, where they wait, pending, for the next build. Feeds and pages are asked politely: conditional
requests, robots.txt, few at once to a host and a pause between them. Every request is a row of the table `fetches`.

The due feeds are divided into mapped tasks, a site whole in one of them, and in each the hosts take turns. No task
sleeps for a host that wants long pauses: what has no turn before the deadline stays due, and is counted as `n_left`.

* **Runs** every five minutes; how often a feed is really asked is its own interval (`include/sources/*.yaml`).
* **Form**: name sources to poll them now, whether due or not.
* **Credentials** of a source are an Airflow Connection of the name that its file gives, else an environment variable.
* **When it fails** the feeds that were not finished stay due, and the next run asks them again; the others' documents
  are announced all the same. A feed or page that cannot be had is a row with its outcome, never a failed run.
* **Next**: `build_incidents`, through the asset `documents`.
"""

from datetime import timedelta

from airflow.sdk import Param, dag, task

from blotter_airflow.wiring import (
    DEFAULT_ARGS,
    DOCUMENTS,
    INGESTING,
    expect_within,
    explain,
    failing_for_good,
    report_failed_part,
)


@dag(
    schedule=timedelta(minutes=5),
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "priority_weight": INGESTING},
    deadline=expect_within(
        "ingest", next_step="see which parts of poll_feeds have not ended, and what their logs name"
    ),
    tags=["blotter", "ingest"],
    doc_md=__doc__,
    params={
        "sources": Param(
            [],
            type="array",
            items={"type": "string", "pattern": "^[a-z0-9][a-z0-9_.-]*$"},
            title="Sources to poll now",
            description="Ids of sources, one a line: file names in include/sources. Empty: all that are due.",
        )
    },
)
def ingest_feeds() -> None:
    """Wire the tasks."""

    @task(
        doc_md=explain(
            "Divide the due feeds into parts, a site whole in one of them; returns the parts.",
            if_it_fails="nothing was asked and every feed stays due. Mend what the error names (a file in "
            "include/sources, the state) and clear the task.",
        )
    )
    def plan_polls(params: dict) -> list[dict[str, int]]:
        from blotter import steps
        from blotter.config import load_settings

        with failing_for_good():
            return steps.plan_polls(load_settings(), source_ids=params["sources"])

    @task(
        map_index_template="part {{ part.number + 1 }} of {{ part.of }}",
        doc_md=explain(
            "Ask one part's feeds, fetch the pages of new entries, register them as pending; returns counts.",
            if_it_fails="the feeds that were not finished stay due and are asked by the next run. An error that "
            "names a feed is a defect of ours: set `enabled: false` in its source's file until it is mended.",
        ),
    )
    def poll_feeds(part: dict[str, int], run_id: str, params: dict) -> dict[str, int]:
        from blotter import steps
        from blotter.config import load_settings
        from blotter_airflow.credentials import find_connection

        with failing_for_good():
            return steps.ingest_feeds(
                load_settings(), run_id=run_id, source_ids=params["sources"], part=part, find_secret=find_connection
            )

    @task(
        trigger_rule="all_done",  # a part that failed holds up no other
        outlets=[DOCUMENTS],
        doc_md=explain(
            "Tell the build that documents wait, with the counts of all parts.",
            if_it_fails="what came in waits: clear the task, or let the next run announce it.",
        ),
    )
    def announce_documents(polled: list[dict[str, int]], run_id: str, outlet_events: dict) -> dict[str, int]:
        from airflow.sdk.exceptions import AirflowSkipException

        from blotter import steps
        from blotter.config import load_settings

        counts = steps.sum_counts(polled) | {"n_waiting": steps.count_waiting(load_settings())}
        if not any(counts.get(name) for name in ("n_documents", "n_rejected", "n_waiting")):
            raise AirflowSkipException(f"nothing new in {counts.get('n_feeds', 0)} feeds")
        outlet_events[DOCUMENTS].extra = {"run": run_id, "from": "feeds", **counts}
        return counts

    polled = poll_feeds.expand(part=plan_polls())
    announce_documents(polled)
    polled >> report_failed_part("its feeds stay due, and the next run asks them")


ingest_feeds()
