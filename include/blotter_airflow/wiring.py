"""What the DAGs share: the assets between them, the writer's pool and the defaults of every task.

Belongs here: names that two DAG files must agree on. Does not belong here: any step; those are `blotter.steps`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from airflow.sdk import Asset

# A run of ingest_* that brought something new updates DOCUMENTS; a build that published updates the other two.
DOCUMENTS = Asset(name="documents", uri="blotter://documents", group="blotter")
INCIDENTS = Asset(name="incidents", uri="blotter://incidents", group="blotter")
CHANGES = Asset(name="changes", uri="blotter://changes", group="blotter")

# One slot: the warehouse has one writer. Its own lock would make a second wait; the pool keeps it from taking a worker.
WRITER_POOL = "blotter_writer"

DEFAULT_ARGS = {
    "owner": "blotter",
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=15),
    "execution_timeout": timedelta(hours=2),
}


@contextmanager
def failing_for_good() -> Iterator[None]:
    """Fail a task at once, without retries, where trying again cannot help until a person has mended something."""
    from airflow.sdk.exceptions import AirflowFailException

    from blotter.errors import GateClosed, SettingsError

    try:
        yield
    except (GateClosed, SettingsError) as error:
        raise AirflowFailException(str(error)) from error
