"""### Turn documents into incident records

1. **plan_slices** cuts the pending documents into slices of a few hundred.
2. **read_slice**, one task a slice, cleans and reads its documents: text, metadata, claims with their sentences.
3. **publish_batch** takes every slice that was read so far and, alone under the warehouse's lock, links the readings
   to incidents, resolves the records, finds what changed, checks all of it with Great Expectations and publishes: all
   tables or none.

* **Runs** whenever `documents` is updated; updates that come while it runs are taken together by the next run.
* **When it fails** on a check, nothing of the batch was published: the log names the expectation and shows
  the rows, `check_results` keeps them, and the inputs stay pending. Mend the cause and clear the run, or trigger the
  DAG: it is read again. By itself it is tried again when more came in, or after a day; who is on call is told once, and
  again when other rows or another expectation do not hold, or after a day.
* **When it fails** to read a slice, the others are published all the same, and the run fails to say so.
* **When it fails** otherwise, clear the task, or wait for the next run: what is staged stays staged, a frozen batch is
  finished before a new one is begun, and no input is read or published twice.
* **Next**: `send_alerts`, through the asset `changes`.
"""

from airflow.sdk import Param, dag, task

from blotter_airflow.wiring import (
    BUILDING,
    CHANGES,
    DEFAULT_ARGS,
    DOCUMENTS,
    INCIDENTS,
    WRITER_POOL,
    expect_within,
    explain,
    failing_for_good,
    report_failed_part,
    tell_news,
)


@dag(
    schedule=[DOCUMENTS],
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "priority_weight": BUILDING},
    deadline=expect_within("build", next_step="see which task of the run waits: a slice that is read, or the writer"),
    tags=["blotter", "build"],
    doc_md=__doc__,
    params={
        "slice_size": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            maximum=5000,
            title="Documents in a slice",
            description="Each slice is one task. Empty: the setting read.slice_size.",
        )
    },
)
def build_incidents() -> None:
    """Wire the tasks."""

    @task(
        doc_md=explain(
            "Cut the pending documents into slices; returns their ids.",
            if_it_fails="what is pending stays so; mend what the error names (a setting, the state's database) and "
            "clear the task.",
        )
    )
    def plan_slices(params: dict) -> list[str]:
        from blotter import steps
        from blotter.config import load_settings

        with failing_for_good():
            return steps.plan_slices(load_settings(), slice_size=params["slice_size"])

    @task(
        map_index_template="{{ task.op_kwargs['slice_id'] }}",
        doc_md=explain(
            "Clean and read the documents of one slice; returns counts. A document that cannot be read is quarantined.",
            if_it_fails="the slice stays pending and the others are published; mend what the error names and clear the "
            "task, or let the next run read it.",
        ),
    )
    def read_slice(slice_id: str) -> dict[str, int]:
        from blotter import steps
        from blotter.config import load_settings

        with failing_for_good():
            return steps.read_slice(load_settings(), slice_id)

    @task(
        pool=WRITER_POOL,
        outlets=[INCIDENTS, CHANGES],
        trigger_rule="all_done",  # a slice that cannot be read holds up no other
        on_failure_callback=tell_news,
        doc_md=explain(
            "Link, resolve, track, check and publish every slice read so far; returns counts.",
            if_it_fails="after a failed check nothing of the batch was published: the log shows the rows, "
            "`check_results` keeps them; mend the cause (a source, a rule, the reader) and clear the run. After "
            "anything else clear this task: a frozen batch is finished first, nothing is published twice.",
        ),
    )
    def publish_batch(run_id: str, dag_id: str, outlet_events: dict) -> dict[str, int]:
        from airflow.sdk.exceptions import AirflowSkipException

        from blotter import steps
        from blotter.config import load_settings
        from blotter.summaries import summarize_run

        settings = load_settings()
        with failing_for_good():
            counts = steps.publish_batch(settings, run_id=run_id, dag_id=dag_id)
        if not any(counts.values()):
            raise AirflowSkipException("nothing was staged")
        told = summarize_run(settings, run_id)
        outlet_events[INCIDENTS].extra = {"run": run_id, **told["incidents"], "inputs": counts}
        outlet_events[CHANGES].extra = {"run": run_id, **told["changes"], "alerts": counts.get("n_alerts", 0)}
        return counts

    read = read_slice.expand(slice_id=plan_slices())
    read >> publish_batch(dag_id="{{ dag.dag_id }}")
    read >> report_failed_part("its slice stays pending, and the next run reads it")


build_incidents()
