"""### Read archived articles again, with the reader of today

After a better reader: choose the articles by day of publication and source, read those again that an older reader read
last, and see **what would change before it is published**. Nothing is fetched or cleaned anew, so quotes and offsets
stay true. Every change has the cause `extractor_change` and alerts nobody, but by rules that name it.

1. **choose_articles** finds them and cuts them into slices.
2. **read_again**, one task a slice, reads them.
3. **show_difference** tells in its log, and returns, which fields would move, how, and of how many incidents.
4. A dry run (the form's default) ends here. Else **approve_difference** asks a person under *Required Actions*, with
   the difference before them, unless the form says to publish without asking.
5. **publish_difference** publishes a few thousand articles a batch, through the quality gate.

* **Runs** when it is triggered, with the form.
* **Form**: first and last day of publication, sources, dry run, publish without asking.
* **When it fails** clear the task: what was read is read, what was published is published, nothing is done twice. After
  a failed check the log names the expectation; the batches before it stand.
* **When there is more** than one run takes (500 slices), choose_articles says so: trigger it again afterwards.
"""

from datetime import timedelta

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param, dag, task

from blotter_airflow.wiring import (
    CHANGES,
    DEFAULT_ARGS,
    INCIDENTS,
    UPKEEP,
    WRITER_POOL,
    expect_within,
    explain,
    failing_for_good,
)

MAX_SLICES = 500  # mapped tasks of one run


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "priority_weight": UPKEEP},
    deadline=expect_within("upkeep", next_step="answer approve_difference, or see which slice is still being read"),
    tags=["blotter", "upkeep"],
    doc_md=__doc__,
    params={
        "first_day": Param("2000-01-01", type="string", format="date", title="First day of publication"),
        "last_day": Param("2100-01-01", type="string", format="date", title="Last day of publication"),
        "sources": Param(
            [],
            type="array",
            items={"type": "string", "pattern": "^[a-z0-9][a-z0-9_.-]*$"},
            title="Sources",
            description="Ids of sources, one a line. Empty: all.",
        ),
        "dry_run": Param(True, type="boolean", title="Dry run", description="Show the difference; publish nothing."),
        "without_asking": Param(
            False, type="boolean", title="Publish without asking", description="Do not wait for a person's approval."
        ),
    },
)
def reprocess() -> None:
    """Wire the tasks."""

    @task(
        doc_md=explain(
            "Choose the articles that an older reader read last; returns the slices in which they lie.",
            if_it_fails="nothing was changed: mend what the error names (the form's days) and clear the task.",
        ),
    )
    def choose_articles(params: dict) -> list[dict[str, str]]:
        import logging
        from datetime import date

        from airflow.sdk.exceptions import AirflowSkipException

        from blotter.config import load_settings
        from blotter.reprocessing import plan_reprocess

        with failing_for_good():
            plan = plan_reprocess(
                load_settings(),
                since=date.fromisoformat(params["first_day"]),
                until=date.fromisoformat(params["last_day"]),
                source_ids=params["sources"],
                max_slices=MAX_SLICES,
            )
        if not plan.n_articles:
            raise AirflowSkipException("the present reader has read all of them")
        if not plan.is_whole:
            logging.getLogger(__name__).warning("more than %d slices: trigger it again afterwards", MAX_SLICES)
        return [{"plan_id": plan.plan_id, "slice_id": slice_id} for slice_id in plan.slice_ids]

    @task(
        map_index_template="{{ task.op_kwargs['slice_id'] }}",
        doc_md=explain(
            "Read the articles of one slice again; returns counts. What cannot be read stays as it is.",
            if_it_fails="nothing was changed: clear the task, and the slice is read again.",
        ),
    )
    def read_again(plan_id: str, slice_id: str) -> dict[str, int]:
        from blotter.config import load_settings
        from blotter.reprocessing import reread_slice

        with failing_for_good():
            return reread_slice(load_settings(), plan_id, slice_id)

    @task(
        doc_md=explain(
            "Tell what publishing would change, by field; returns it in words. Nothing is written.",
            if_it_fails="nothing was changed: clear the task.",
        )
    )
    def show_difference(slices: list[dict]) -> str:
        import logging

        from blotter.config import load_settings
        from blotter.reprocessing import preview_reprocess
        from blotter_airflow.review import word_difference

        told = word_difference(preview_reprocess(load_settings(), slices[0]["plan_id"]))
        logging.getLogger(__name__).info("%s", told)
        return told

    @task.branch(
        doc_md=explain(
            "Go on as the form says: end a dry run, ask a person, or publish.",
            if_it_fails="nothing was changed: clear the task.",
        )
    )
    def choose_path(params: dict) -> str:
        if params["dry_run"]:
            return "end_dry_run"
        return "publish_difference" if params["without_asking"] else "approve_difference"

    @task(
        doc_md=explain(
            "Forget what a dry run read; trigger the DAG again without *dry run* to publish it.",
            if_it_fails="nothing was changed: clear the task.",
        )
    )
    def end_dry_run(slices: list[dict]) -> None:
        from blotter.config import load_settings
        from blotter.reprocessing import drop_plan

        drop_plan(load_settings(), slices[0]["plan_id"])

    @task(
        pool=WRITER_POOL,
        outlets=[INCIDENTS, CHANGES],
        trigger_rule="none_failed_min_one_success",
        doc_md=explain(
            "Publish the new readings, each batch alone under the warehouse's lock; returns counts.",
            if_it_fails="after a failed check the log names the expectation and the batches before it stand: mend the "
            "reader and trigger the DAG anew. After anything else clear the task: it goes on where it was.",
        ),
    )
    def publish_difference(slices: list[dict], run_id: str, dag_id: str, outlet_events: dict) -> dict[str, int]:
        from blotter.config import load_settings
        from blotter.reprocessing import publish_reprocess
        from blotter.summaries import summarize_run

        settings = load_settings()
        with failing_for_good():
            counts = publish_reprocess(settings, slices[0]["plan_id"], run_id=run_id, dag_id=dag_id)
        told = summarize_run(settings, run_id)
        outlet_events[INCIDENTS].extra = {"run": run_id, "from": "reprocess", **told["incidents"], **counts}
        outlet_events[CHANGES].extra = {"run": run_id, "from": "reprocess", **told["changes"]}
        return counts

    slices = choose_articles()
    path = choose_path()
    approve_difference = ApprovalOperator(
        task_id="approve_difference",
        subject="Publish what reading again would change?",
        body="{{ ti.xcom_pull(task_ids='show_difference') }}",
        response_timeout=timedelta(days=7),
        execution_timeout=None,  # a person's time is response_timeout's
        doc_md=explain(
            "Ask a person whether to publish the difference; a rejection publishes nothing.",
            if_it_fails="nobody answered within a week: clear the task to ask again, or trigger the DAG anew.",
        ),
    )
    published = publish_difference(slices, dag_id="{{ dag.dag_id }}")
    read_again.expand_kwargs(slices) >> show_difference(slices) >> path
    path >> [end_dry_run(slices), approve_difference, published]
    approve_difference >> published


reprocess()
