"""The DAG files themselves: they parse, quickly, import nothing heavy, and an operator can read them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DAGS = Path(__file__).parents[2] / "dags"
STORY = {
    "ingest_drops": ["take_drops"],
    "ingest_feeds": ["poll_feeds"],
    "build_incidents": ["plan_slices", "read_slice", "publish_batch", "report_unread"],
    "send_alerts": ["deliver_alerts"],
}
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


def test_all_dags_parse_without_errors(dag_bag: Any) -> None:
    assert dag_bag.import_errors == {}
    assert {dag_id: sorted(dag.task_ids) for dag_id, dag in dag_bag.dags.items()} == {
        dag_id: sorted(tasks) for dag_id, tasks in STORY.items()
    }


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
def test_a_dag_explains_itself_and_retries_with_growing_pauses(dag_bag: Any, dag_id: str) -> None:
    dag = dag_bag.dags[dag_id]
    assert "**" in dag.doc_md and "When" in dag.doc_md, "the page in the UI says when it runs and what to do"
    assert dag.tags and dag.max_active_runs == 1 and not dag.catchup
    for task in dag.tasks:
        assert task.doc_md, f"{task.task_id} has no doc"
        assert task.task_id == "report_unread" or (task.retries >= 1 and task.retry_exponential_backoff)
        assert task.execution_timeout is not None


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
    ],
)
def test_a_form_refuses_what_cannot_be(dag_bag: Any, dag_id: str, given: dict[str, Any]) -> None:
    params = dag_bag.dags[dag_id].params
    for name, value in given.items():
        with pytest.raises(Exception, match=r"[Ii]nvalid"):
            params[name] = value
