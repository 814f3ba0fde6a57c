"""### Tell who asked to be told

Takes the alerts that `build_incidents` put into the outbox by the rules of `include/alerts.yaml` and delivers each to
its channel: what changed, before and after, the sentence that says it, and who said it. Each attempt is a row of
`alerts`.

* **Runs** whenever `changes` is updated, and every quarter of an hour for digests and what is to be tried again.
* **Form**: *dry run* shows in the log what is due and sends nothing.
* **When it fails** the rules cannot be read or a secret is missing: the log names it; what is due waits.
* **When a channel fails** the others are served all the same; the failed alert stays in the outbox and is tried again
  later, with growing pauses. An alert is delivered at least once and carries a stable id.
"""

from airflow.sdk import Param, dag, task
from airflow.timetables.assets import AssetOrTimeSchedule
from airflow.timetables.trigger import CronTriggerTimetable

from blotter_airflow.wiring import CHANGES, DEFAULT_ARGS, TELLING, expect_within, explain, failing_for_good


@dag(
    # Changes are told as soon as they are published; digests, retries and the end of quiet hours come with time.
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("*/15 * * * *", timezone="UTC"), assets=[CHANGES]),
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "priority_weight": TELLING},
    deadline=expect_within("alert", next_step="see in the log of deliver_alerts which channel does not answer"),
    tags=["blotter", "alert"],
    doc_md=__doc__,
    params={
        "dry_run": Param(False, type="boolean", title="Dry run", description="Show what is due; send nothing."),
    },
)
def send_alerts() -> None:
    """Wire the one task."""

    @task(
        doc_md=explain(
            "Deliver what is due in the outbox; returns counts. A channel that is down is tried again later.",
            if_it_fails="nothing is lost and nothing is sent twice: mend what the error names (the file of rules, a "
            "secret that is not set) and clear the task.",
        )
    )
    def deliver_alerts(run_id: str, dag_id: str, params: dict) -> dict[str, int]:
        from blotter import steps
        from blotter.config import load_settings
        from blotter_airflow.secrets import ChannelSecrets

        with failing_for_good():
            return steps.send_alerts(
                load_settings(),
                run_id=run_id,
                dag_id=dag_id,
                is_dry_run=params["dry_run"],
                secrets=ChannelSecrets(),
            )

    deliver_alerts(dag_id="{{ dag.dag_id }}")


send_alerts()
