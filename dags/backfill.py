"""### Fill a gap: take what was published on a day from the backfill folder

Put what is to be taken into `data/backfill/SOURCE/` (setting `backfill`): pages, JSON lines, feed files, web archives,
whatever a drop folder takes. A run takes the documents that were **published** on its logical date (UTC); the files
stay where they are, for the other days. What is known already is counted as a duplicate or as unchanged, so that it is
safe to take more than the gap: an article that was published before changes nothing and alerts nobody again.

* **Runs** for each day that a backfill names, one after the other:
  `airflow backfill create --dag-id backfill --from-date 2026-03-02 --to-date 2026-03-05`, or *Trigger > Backfill*.
  Once a day it runs by itself for the day before, and finds nothing where nothing was put.
* **Form**: *day* takes one day without a backfill; *sources* only these.
* **When it fails** nothing is lost: clear it, the same documents are taken under the same ids. A file that cannot be
  read, or a document without a date of its own, is named in the log and left out: drop it into the inbox to have it.
* **Next**: `build_incidents`, through the asset `documents`. `known_at` is now: a record never claims that something
  was known earlier than it was.
"""

from airflow.sdk import CronDataIntervalTimetable, Param, dag, task

from blotter_airflow.wiring import DEFAULT_ARGS, DOCUMENTS, UPKEEP, expect_within, explain, failing_for_good


@dag(
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "priority_weight": UPKEEP},
    deadline=expect_within("upkeep", next_step="see in the log of take_day which file it is at"),
    tags=["blotter", "upkeep"],
    doc_md=__doc__,
    params={
        "day": Param(None, type=["null", "string"], format="date", title="Day", description="Empty: the logical date."),
        "sources": Param(
            [],
            type="array",
            items={"type": "string", "pattern": "^[a-z0-9][a-z0-9_.-]*$"},
            title="Sources",
            description="Ids of sources, one a line: folders of the backfill folder. Empty: all.",
        ),
    },
)
def backfill() -> None:
    """Wire the one task."""

    @task(
        outlets=[DOCUMENTS],
        doc_md=explain(
            "Register as pending what the backfill folder holds of one day of publication; returns counts.",
            if_it_fails="mend what the error names (a folder that cannot be read) and clear the task: the same "
            "documents are taken under the same ids.",
        ),
    )
    def take_day(run_id: str, params: dict, outlet_events: dict, logical_date: object | None = None) -> dict[str, int]:
        from datetime import date

        from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

        from blotter.backfilling import backfill_day
        from blotter.config import load_settings

        if not params["day"] and logical_date is None:
            raise AirflowFailException("the run has no logical date: trigger it anew with a day in the form")
        day = date.fromisoformat(params["day"]) if params["day"] else logical_date.date()  # type: ignore[union-attr]
        with failing_for_good():
            counts = backfill_day(load_settings(), day, source_ids=tuple(params["sources"]))
        if not (counts["n_documents"] or counts["n_duplicate"] or counts["n_waiting"]):
            raise AirflowSkipException(f"nothing in the backfill folder was published on {day}")
        outlet_events[DOCUMENTS].extra = {"run": run_id, "from": f"backfill of {day}", **counts}
        return counts

    take_day()


backfill()
