"""What who is on call is told of a task that failed, a run that is late, a feed that is in trouble.

Belongs here: turning Airflow's contexts into notices that name the input and the next step. Does not belong here: the
notices' way to their readers (`blotter.oncall`). Imported while DAGs are parsed: nothing heavy at the top.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

IF_IT_FAILS = "**If it fails** "
_OURS = ("dag_id", "run_id", "outlet_events", "params")  # arguments that say nothing about the input


def tell_failure(context: Mapping[str, Any]) -> None:
    """Tell that a task failed for good: a task's callback, run where the task ran."""
    from blotter.alert.notices import Notice
    from blotter.config import load_settings
    from blotter.oncall import tell_operators
    from blotter_airflow.secrets import ChannelSecrets

    ti, task = context["ti"], context["task"]
    name = f"{ti.dag_id}.{ti.task_id}"
    error = context.get("exception")
    settings = load_settings()
    notice = Notice(
        key=("failure", ti.dag_id, ti.run_id, ti.task_id, ti.map_index, ti.try_number),
        subject=f"blotter: {name} failed",
        lines=(
            ("Task", f"{name}, run {ti.run_id}"),
            ("Input", describe_input(context)),
            ("Error", f"{type(error).__name__}: {error}" if error is not None else "see the log"),
            ("Next", find_next_step(task.doc_md)),
        ),
        happened_at=_read_now(settings),
        url=getattr(ti, "log_url", None),
    )
    tell_operators(settings, notice, ChannelSecrets())


async def tell_missed_deadline(next_step: str, context: Mapping[str, Any] | None = None) -> None:
    """Tell that a run has not ended in time: a deadline's callback, run by the triggerer."""
    await asyncio.to_thread(_tell_late_run, next_step, (context or {}).get("dag_run") or {})


async def tell_troubled_feeds(next_step: str, context: Mapping[str, Any] | None = None) -> None:
    """Tell of every feed that is still in trouble when a run that waits for them is late; of the run if none is."""
    dag_run = (context or {}).get("dag_run") or {}
    if not await asyncio.to_thread(tell_of_feeds, next_step):
        await asyncio.to_thread(_tell_late_run, next_step, dag_run)


def tell_of_feeds(next_step: str) -> list[str]:
    """Tell of each feed that is in trouble, once an outage; returns their names."""
    from blotter.alert.notices import Notice
    from blotter.config import load_settings
    from blotter.oncall import find_troubled_feeds, tell_operators
    from blotter_airflow.secrets import ChannelSecrets

    settings = load_settings()
    now = _read_now(settings)
    told = []
    for feed in find_troubled_feeds(settings):
        seen = feed.last_ok_at if feed.status == "failing" else feed.last_new_at
        since = f"{seen:%Y-%m-%d %H:%M} UTC" if seen else "never"
        name = feed.url or feed.source_id
        notice = Notice(
            key=("feed", name, feed.status, since),
            subject=f"blotter: {feed.name} is {feed.status}: {name}",
            lines=(
                ("Source", f"{feed.source_id} ({feed.name})"),
                ("Feed", feed.url or "none, it is dropped"),
                ("Trouble", feed.fault or ""),
                ("Last heard of", since),
                ("Next", next_step.replace("SOURCE", feed.source_id)),
            ),
            happened_at=now,
        )
        tell_operators(settings, notice, ChannelSecrets())
        told.append(name)
    return told


def find_next_step(doc: str | None) -> str:
    """Find what a task's page says is to be done when it failed."""
    return " ".join((doc or "").partition(IF_IT_FAILS)[2].split()) or "read the task's log and the DAG's page"


def describe_input(context: Mapping[str, Any]) -> str:
    """Say what a task was given: its arguments, the form, the day."""
    task, ti = context["task"], context["ti"]
    told = {name: value for name, value in (getattr(task, "op_kwargs", None) or {}).items() if name not in _OURS}
    told |= {name: value for name, value in (context.get("params") or {}).items() if value not in (None, [], "", False)}
    if context.get("partition_key"):
        told["partition"] = context["partition_key"]
    if ti.map_index >= 0:
        told.setdefault("part", ti.map_index)
    listed = ", ".join(f"{name} {value}" for name, value in told.items())
    day = context.get("logical_date")
    return listed or (f"what waited at {day:%Y-%m-%d %H:%M} UTC" if day else "what waited when the run began")


def _tell_late_run(next_step: str, dag_run: Mapping[str, Any]) -> None:
    from blotter.alert.notices import Notice
    from blotter.config import load_settings
    from blotter.oncall import tell_operators
    from blotter_airflow.secrets import ChannelSecrets

    dag_id, run_id = dag_run.get("dag_id", "a DAG"), dag_run.get("dag_run_id", "a run")
    settings = load_settings()
    notice = Notice(
        key=("late", dag_id, run_id),
        subject=f"blotter: {dag_id} is late",
        lines=(
            (
                "Run",
                f"{run_id}, {dag_run.get('state', 'running')}, queued at {dag_run.get('queued_at', 'no known time')}",
            ),
            ("Input", str(dag_run.get("conf") or "what waited when the run began")),
            ("Next", next_step),
        ),
        happened_at=_read_now(settings),
    )
    tell_operators(settings, notice, ChannelSecrets())


def _read_now(settings: Any) -> datetime:
    return datetime.fromisoformat(settings.clock).astimezone(UTC) if settings.clock else datetime.now(UTC)
