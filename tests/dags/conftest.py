"""One Airflow database for all DAG tests of a session, the DAG folder parsed for each."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

DAGS = Path(__file__).parents[2] / "dags"


@pytest.fixture(scope="session")
def parse_dags() -> Iterator[Callable[[], Any]]:
    """Parses the DAG folder, as Airflow itself does and without errors, over a migrated SQLite database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Airflow's own, of its dependencies
        from airflow.utils.db import initdb

        from blotter_airflow.embedded import load_dags

        initdb()
        yield lambda: SimpleNamespace(dags=load_dags(DAGS))


@pytest.fixture
def dag_bag(parse_dags: Callable[[], Any]) -> Any:
    """The DAG folder, parsed for each test: `dag.test(run_conf=...)` leaves what it was given in the DAG's params."""
    return parse_dags()
