"""### Poll the feeds that are due

Asks every feed whose interval has passed for its entries, fetches the pages of those not seen before, and puts both
into the raw archive, where they wait, pending, for the next build. Feeds and pages are asked politely: conditional
requests, robots.txt, few at once to a host. Every request is a row of the table `fetches`.

* **Runs** every ten minutes; how often a feed is really asked is its own interval (`include/sources/*.yaml`).
* **Form**: name sources to poll them now, whether due or not.
* **When it fails** the feeds that were not finished stay due, and the next run asks them again. A feed or page that
  cannot be had is a row with its outcome, never a failed run.
* **Next**: `build_incidents`, through the asset `documents`.
"""

from datetime import timedelta

from airflow.sdk import Param, dag, task

from blotter_airflow.wiring import DEFAULT_ARGS, DOCUMENTS, failing_for_good


@dag(
    schedule=timedelta(minutes=10),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["blotter", "ingest"],
    doc_md=__doc__,
    params={
        "sources": Param(
            [],
            type="array",
            items={"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
            title="Sources to poll now",
            description="Ids of sources, one a line: file names in include/sources. Empty: all that are due.",
        )
    },
)
def ingest_feeds() -> None:
    """Wire the one task."""

    @task(outlets=[DOCUMENTS], doc_md="Ask the due feeds, fetch the pages of new entries, register them as pending.")
    def poll_feeds(run_id: str, params: dict, outlet_events: dict) -> dict[str, int]:
        from airflow.sdk.exceptions import AirflowSkipException

        from blotter import steps
        from blotter.config import load_settings

        with failing_for_good():
            counts = steps.ingest_feeds(load_settings(), run_id=run_id, source_ids=params["sources"])
        if not (counts["n_documents"] or counts["n_rejected"] or counts["n_waiting"]):
            raise AirflowSkipException(f"nothing new in {counts['n_feeds']} feeds")
        outlet_events[DOCUMENTS].extra = counts
        return counts

    poll_feeds()


ingest_feeds()
