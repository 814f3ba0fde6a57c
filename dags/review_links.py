"""### Ask a person about links that are unsure

Where the linker could not say whether an article is about a known incident, it left the link to a person. Each run asks
about the likeliest ones: one task a question, in *Required Actions*, with both headlines, reasons and score. The answer
becomes a judgement with the name of who gave it, and the next build follows it; it outranks what is computed and
can be undone (`blotter judge`).

* **Runs** every morning; a question that nobody answers within three days is asked again by a later run.
* **Form**: how many questions to ask.
* **When it fails** an answer could not be followed, because the article or the incident is elsewhere by now: the log
  says why; a later run asks anew where it still is a question.
* **Next**: an answer updates `documents`, so that `build_incidents` runs.
"""

from datetime import timedelta

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import CronTriggerTimetable, Param, dag, task

from blotter_airflow.wiring import DEFAULT_ARGS, DOCUMENTS, UPKEEP, explain, failing_for_good

SAME, OTHER, UNSURE = "The same incident", "Another incident", "I cannot tell"


@dag(
    schedule=CronTriggerTimetable("0 6 * * *", timezone="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULT_ARGS, "priority_weight": UPKEEP},
    tags=["blotter", "review"],
    doc_md=__doc__,
    params={
        "questions": Param(
            10, type="integer", minimum=1, maximum=100, title="Questions", description="How many to ask at most."
        )
    },
)
def review_links() -> None:
    """Wire the tasks."""

    @task(
        doc_md=explain(
            "List the likeliest links that wait for a person, as questions.",
            if_it_fails="mend what the error names (the warehouse's folder) and clear the task.",
        )
    )
    def list_questions(params: dict) -> list[dict[str, str]]:
        from airflow.sdk.exceptions import AirflowSkipException

        from blotter.config import load_settings
        from blotter_airflow.review import ask_about_links

        with failing_for_good():
            questions = ask_about_links(load_settings(), limit=params["questions"])
        if not questions:
            raise AirflowSkipException("no link waits for a person")
        return questions

    questions = list_questions()
    answers = HITLOperator.partial(
        task_id="ask_a_person",
        options=[SAME, OTHER, UNSURE],
        defaults=[UNSURE],
        response_timeout=timedelta(days=3),
        execution_timeout=None,  # a person's time is response_timeout's
        params={"reason": Param("", type="string", maxLength=500, title="Why", description="Kept with your answer.")},
        map_index_template="{{ task.subject }}",
        doc_md=explain(
            "Ask whether an article is about an incident; the answer is given under *Required Actions*.",
            if_it_fails="clear it: the question is asked again.",
        ),
    ).expand_kwargs(questions)

    @task(
        outlets=[DOCUMENTS],
        trigger_rule="all_done_min_one_success",  # each answer counts by itself
        doc_md=explain(
            "Hand in the answers as judgements; the next build follows them. Returns counts.",
            if_it_fails="the log says which answer cannot be followed and why; the others are handed in.",
        ),
    )
    def hand_in_answers(questions: list[dict], run_id: str, ti: object, outlet_events: dict) -> dict[str, int]:
        from airflow.sdk.exceptions import AirflowSkipException

        from blotter.config import load_settings
        from blotter_airflow.review import hand_in

        # By map index: a question that failed has no answer, and the others keep theirs.
        answers = ti.xcom_pull(task_ids="ask_a_person", map_indexes=range(len(questions)))  # type: ignore[attr-defined]
        counts = hand_in(load_settings(), questions, answers, same=SAME, other=OTHER)
        if not counts["n_handed_in"]:
            raise AirflowSkipException("no answer settles a link")
        outlet_events[DOCUMENTS].extra = {"run": run_id, "from": "people's judgements", **counts}
        return counts

    answers >> hand_in_answers(questions)


review_links()
