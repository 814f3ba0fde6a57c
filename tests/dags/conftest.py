"""One Airflow database and one parsed DAG folder for all DAG tests of a session."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

DAGS = Path(__file__).parents[2] / "dags"


@pytest.fixture(scope="session")
def dag_bag() -> Iterator[Any]:
    """The DAG folder, parsed by Airflow itself, over a migrated SQLite database; without errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Airflow's own, of its dependencies
        from airflow.utils.db import initdb

        from blotter_airflow.embedded import load_dags

        initdb()
        yield SimpleNamespace(dags=load_dags(DAGS))
