"""### Take what was dropped

Looks into the drop folders (`inbox/SOURCE/...`) and takes every file that has settled or has a `.done` file beside it:
pages, texts, feed files, JSON lines, web archives, mails, and archives of these. Each document goes into the raw
archive and waits, pending, for the next build; the file itself moves to `processed/` or, where it cannot be read at
all, to `failed/`, and is never deleted.

* **Runs** every five minutes. A run without new documents ends skipped and starts no build.
* **When it fails** nothing is lost: claimed files are taken again by the next run, and nothing is taken twice.
* **Next**: `build_incidents`, through the asset `documents`.
"""

from datetime import timedelta

from airflow.sdk import dag, task

from blotter_airflow.wiring import DEFAULT_ARGS, DOCUMENTS, INGESTING, expect_within, explain, failing_for_good


@dag(
    schedule=timedelta(minutes=5),
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "priority_weight": INGESTING},
    deadline=expect_within("ingest", next_step="see how far the log of take_drops is: a large archive takes its time"),
    tags=["blotter", "ingest"],
    doc_md=__doc__,
)
def ingest_drops() -> None:
    """Wire the one task."""

    @task(
        outlets=[DOCUMENTS],
        doc_md=explain(
            "Claim every settled file, archive its documents and register them as pending.",
            if_it_fails="nothing is lost: what was claimed is taken again by the next run. Mend what the error names "
            "(a folder that cannot be written, a full disk) and clear the task.",
        ),
    )
    def take_drops(run_id: str, outlet_events: dict) -> dict[str, int]:
        from airflow.sdk.exceptions import AirflowSkipException

        from blotter import steps
        from blotter.config import load_settings

        with failing_for_good():
            counts = steps.ingest_drops(load_settings(), run_id=run_id)
        if not any(counts.values()):
            raise AirflowSkipException("nothing was dropped")
        outlet_events[DOCUMENTS].extra = {"run": run_id, "from": "drop folders", **counts}
        return counts

    take_drops()


ingest_drops()
