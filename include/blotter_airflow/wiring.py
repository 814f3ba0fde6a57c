"""What the DAGs share: the assets between them, the pool, priorities, deadlines and the defaults of every task.

Belongs here: names and numbers that two DAG files must agree on. Does not belong here: any step (`blotter` has those),
and what is told to who is on call (`blotter_airflow.oncall`).
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Literal

from airflow.sdk import Asset, AsyncCallback, DeadlineAlert, DeadlineReference, task

from blotter.config import load_settings
from blotter_airflow.oncall import IF_IT_FAILS, tell_failure

log = logging.getLogger(__name__)

# What updates an asset writes into the event what there is to see of it: the asset view shows it.
DOCUMENTS = Asset(
    name="documents",
    uri="blotter://documents",
    group="blotter",
    extra={"holds": "documents in the raw archive that wait to be read", "table": "inputs, once they are published"},
)
INCIDENTS = Asset(
    name="incidents",
    uri="blotter://incidents",
    group="blotter",
    extra={"holds": "versions of incident records", "table": "incidents", "see": "blotter incidents"},
)
CHANGES = Asset(
    name="changes",
    uri="blotter://changes",
    group="blotter",
    extra={"holds": "what changed, with before, after, cause and quote", "table": "changes", "see": "blotter timeline"},
)

# One slot: the warehouse has one writer. Its own lock would make a second wait; the pool keeps it from taking a worker.
WRITER_POOL = "blotter_writer"

# Where workers are few: telling comes before publishing, that before taking more in, and upkeep last.
TELLING, BUILDING, INGESTING, UPKEEP = 100, 50, 20, 1

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "blotter",
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=15),
    "execution_timeout": timedelta(hours=2),
    "on_failure_callback": tell_failure,
    "weight_rule": "absolute",
}


def tell_news(context: Mapping[str, Any]) -> None:
    """Tell that a task failed for good, but for a gate that is closed by what was told already: a task's callback."""
    from blotter.errors import GateClosed

    closed = getattr(context.get("exception"), "__cause__", None)
    if isinstance(closed, GateClosed) and not closed.is_news:
        log.warning("the gate is closed by what was told already: it is told once more after a day")
        return
    tell_failure(context)


def report_failed_part(what_follows: str) -> Any:
    """Make the task that fails a run of mapped tasks in which one failed, without a notice: that one has told already.

    `what_follows` says what becomes of what the failed task had.
    """

    @task(
        task_id="report_unread",
        trigger_rule="one_failed",
        retries=0,
        on_failure_callback=None,
        doc_md=explain(
            f"Fail the run where a part of it failed: {what_follows}.",
            if_it_fails="nothing is to be done here: see the part that failed.",
        ),
    )
    def report_unread() -> None:
        from airflow.sdk.exceptions import AirflowFailException

        raise AirflowFailException(f"a task before this one failed, see its log: {what_follows}")

    return report_unread()


Kind = Literal["ingest", "build", "alert", "feeds", "upkeep"]


def explain(what: str, *, if_it_fails: str) -> str:
    """Write a task's page: what it does, and what who is on call does when it failed (the notice says the same)."""
    return f"{what}\n\n{IF_IT_FAILS}{if_it_fails}"


def expect_within(kind: Kind, *, next_step: str) -> DeadlineAlert:
    """Make the deadline of a DAG's runs, from the setting `deadlines`: who is on call is told when it is missed."""
    limit_s = getattr(load_settings().deadlines, f"{kind}_s")
    callback = "tell_troubled_feeds" if kind == "feeds" else "tell_missed_deadline"
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(seconds=limit_s),
        callback=AsyncCallback(f"blotter_airflow.oncall.{callback}", kwargs={"next_step": next_step}),
        name=f"{kind} within {limit_s:g} s",
    )


@contextmanager
def failing_for_good() -> Iterator[None]:
    """Fail a task at once, without retries, where trying again cannot help until a person has mended something."""
    from airflow.sdk.exceptions import AirflowFailException

    from blotter.errors import GateClosed, SettingsError

    try:
        yield
    except (GateClosed, SettingsError) as error:
        raise AirflowFailException(str(error)) from error
