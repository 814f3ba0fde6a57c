"""The DAG files themselves: they parse, quickly, import nothing heavy, and an operator can read them."""

import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from blotter_airflow.oncall import find_next_step, tell_failure
from blotter_airflow.wiring import tell_news

DAGS = Path(__file__).parents[2] / "dags"
STORY = {  # task names read as the story of a run
    "ingest_drops": ["take_drops"],
    "ingest_feeds": None,
    "build_incidents": ["plan_slices", "read_slice", "publish_batch", "report_unread"],
    "send_alerts": ["deliver_alerts"],
    "watch_feeds": ["wait_for_feeds"],
    "review_links": ["list_questions", "ask_a_person", "hand_in_answers"],
    "backfill": ["take_day"],
    "maintain": [
        "check_ledger",
        "check_feeds",
        "sweep_leftovers",
        "expire_documents",
        "forget_alerts",
        "write_checks_site",
    ],
    "reprocess": [
        "choose_articles",
        "read_again",
        "show_difference",
        "choose_path",
        "end_dry_run",
        "approve_difference",
        "publish_difference",
    ],
}
ASKING = ("ask_a_person", "approve_difference")  # a person's time is not the task's
URGENT = ("send_alerts", "build_incidents", "ingest_drops", "ingest_feeds")
HEAVY = (
    "spacy",
    "pandas",
    "pyarrow",
    "duckdb",
    "great_expectations",
    "trafilatura",
    "blotter.steps",
    "blotter.extract",
)

PARSE_IN_FRESH_PROCESS = """
import json, sys, time
import airflow.sdk
from airflow.dag_processing.dagbag import DagBag
before = set(sys.modules)
started = time.perf_counter()
bag = DagBag({folder!r})
elapsed_s = time.perf_counter() - started
print(json.dumps({{"elapsed_s": elapsed_s, "errors": bag.import_errors, "new": sorted(set(sys.modules) - before)}}))
"""


def test_the_folder_holds_these_dags_and_no_others(dag_bag: Any) -> None:
    assert set(dag_bag.dags) == set(STORY)
    for dag_id, tasks in STORY.items():
        assert tasks is None or sorted(dag_bag.dags[dag_id].task_ids) == sorted(tasks)


def test_parsing_takes_under_a_second_and_imports_nothing_heavy(dag_bag: Any) -> None:
    told = subprocess.run(
        [sys.executable, "-c", PARSE_IN_FRESH_PROCESS.format(folder=str(DAGS))],
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    parsed = json.loads(told.stdout.splitlines()[-1])
    assert parsed["errors"] == {}
    assert parsed["elapsed_s"] < 1
    assert [name for name in parsed["new"] if name.startswith(HEAVY)] == []


@pytest.mark.parametrize("dag_id", STORY)
def test_a_dag_explains_itself(dag_bag: Any, dag_id: str) -> None:
    dag = dag_bag.dags[dag_id]
    for promised in ("* **Runs**", "* **When it fails**"):
        assert promised in dag.doc_md, "the page in the UI says when it runs and what to do"
    assert {"blotter"} < set(dag.tags) and dag.owner == "blotter"
    assert dag.max_active_runs == 1 and not dag.catchup
    for param in dag.params.values():
        assert not isinstance(param, str)
    for name in dag.params:
        assert dag.params.get_param(name).schema.get("title"), f"the form does not name {name}"


@pytest.mark.parametrize("dag_id", STORY)
def test_every_task_says_what_it_does_who_owns_it_and_what_to_do_when_it_fails(dag_bag: Any, dag_id: str) -> None:
    for task in dag_bag.dags[dag_id].tasks:
        assert find_next_step(task.doc_md).endswith("."), f"{task.task_id} does not say what to do"
        assert "log and the DAG's page" not in find_next_step(task.doc_md), f"{task.task_id} does not say what to do"
        assert len(task.doc_md.partition("**If it fails**")[0]) > 20, f"{task.task_id} has no doc"
        assert task.owner == "blotter"
        if task.task_id.startswith("report_"):  # tells of others' failures, which have told already
            continue
        assert task.retries >= 1 and task.retry_exponential_backoff
        assert {tell_failure, tell_news} & set(as_list(task.on_failure_callback))
        assert task.execution_timeout is not None or task.task_id in ASKING
        assert task.priority_weight > 1 or dag_id not in URGENT


def as_list(given: Any) -> list[Any]:
    return list(given) if isinstance(given, list | tuple) else [given]


def test_what_is_urgent_goes_first_where_workers_are_few(dag_bag: Any) -> None:
    weight = {dag_id: dag.tasks[0].priority_weight for dag_id, dag in dag_bag.dags.items()}
    assert weight["send_alerts"] > weight["build_incidents"] > weight["ingest_drops"] > weight["backfill"]
    rules = {str(task.weight_rule) for dag in dag_bag.dags.values() for task in dag.tasks}
    assert rules == {"absolute"}, "a task's weight is not what hangs on it"


def test_every_dag_that_runs_by_itself_has_a_deadline_but_the_one_that_waits_for_people() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from airflow.dag_processing.dagbag import DagBag

        dags = DagBag(str(DAGS)).dags
    without = {dag_id for dag_id, dag in dags.items() if not dag.deadline}
    assert without == {"review_links"}
    for dag_id in set(dags) - without:
        [deadline] = dags[dag_id].deadline
        assert deadline.callback.path.startswith("blotter_airflow.oncall.") and deadline.callback.kwargs["next_step"]


def test_publishing_is_alone_in_its_pool_and_runs_after_every_slice(dag_bag: Any) -> None:
    publish = dag_bag.dags["build_incidents"].get_task("publish_batch")
    assert publish.pool == "blotter_writer"
    assert publish.trigger_rule == "all_done", "a slice that cannot be read holds up no other"
    assert publish.upstream_task_ids == {"read_slice"}


@pytest.mark.parametrize(
    ("dag_id", "given"),
    [
        ("ingest_feeds", {"sources": ["../etc"]}),
        ("build_incidents", {"slice_size": 0}),
        ("send_alerts", {"dry_run": "x"}),
        ("backfill", {"day": "last week"}),
        ("backfill", {"sources": ["../etc"]}),
        ("review_links", {"questions": 0}),
        ("reprocess", {"first_day": "Monday"}),
    ],
)
def test_a_form_refuses_what_cannot_be(dag_bag: Any, dag_id: str, given: dict[str, Any]) -> None:
    params = dag_bag.dags[dag_id].params
    for name, value in given.items():
        with pytest.raises(Exception, match=r"[Ii]nvalid"):
            params[name] = value
