"""### Watch the feeds: say when one stopped

A run ends as soon as every feed is well. While one is in trouble by its own habit (it fails, lists nothing, brings
nothing for much longer than usual; `blotter sources health` shows all), the run waits for it, without holding a worker.
If it is still in trouble when the run's deadline passes, who is on call is told of the feed by name, **once an
outage**; of another feed that falls ill meanwhile, too.

* **Runs** every hour; a run that waits is the only one.
* **When it alerts**: `blotter sources check SOURCE` tries the feed and says what it answers. Mend its address in
  `include/sources/SOURCE.yaml`, or `blotter sources resume SOURCE` where it was paused; then fill the gap with
  `backfill`.
* **When it fails** a feed has been in trouble for a week: mend or disable its source.
"""

from datetime import timedelta

from airflow.sdk import dag, task

from blotter.config import load_settings
from blotter_airflow.wiring import DEFAULT_ARGS, INGESTING, expect_within, explain

NEXT_STEP = (
    "`blotter sources check SOURCE` says what it answers; mend include/sources/SOURCE.yaml (or `blotter sources resume "
    "SOURCE`), then put what was missed into the folder backfill/SOURCE and run the DAG backfill over those days"
)


@dag(
    schedule=timedelta(hours=1),
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "priority_weight": INGESTING},
    deadline=expect_within("feeds", next_step=NEXT_STEP),
    tags=["blotter", "ingest", "watch"],
    doc_md=__doc__,
)
def watch_feeds() -> None:
    """Wire the one task."""

    @task.sensor(
        mode="reschedule",
        poke_interval=min(300, load_settings().deadlines.feeds_s / 4),
        timeout=timedelta(days=7).total_seconds(),
        doc_md=explain(
            "Wait until no feed is in trouble; says in the log which ones are.",
            if_it_fails="a feed has been in trouble for a week: mend its source, or set `enabled: false` in its file.",
        ),
    )
    def wait_for_feeds(dag_run: object) -> bool:
        import logging
        from datetime import UTC, datetime

        from blotter.oncall import find_troubled_feeds
        from blotter_airflow.oncall import tell_of_feeds

        settings = load_settings()
        troubled = find_troubled_feeds(settings)
        for feed in troubled:
            logging.getLogger(__name__).warning("%s %s: %s", feed.source_id, feed.url or "", feed.fault)
        waited = datetime.now(UTC) - (dag_run.start_date or datetime.now(UTC))  # type: ignore[attr-defined]
        if troubled and waited.total_seconds() > settings.deadlines.feeds_s:
            tell_of_feeds(NEXT_STEP)  # the deadline told of those that were ill then; once an outage each
        return not troubled

    wait_for_feeds()


watch_feeds()
