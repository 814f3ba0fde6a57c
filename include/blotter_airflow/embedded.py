"""Running DAGs inside this process, for the demo, benchmarks and tests: `dag.test()`, one DAG after the other.

Belongs here: what such runs need and the scheduler's do not. Does not belong here: any DAG.
"""

from pathlib import Path
from typing import Any


def load_dags(folder: str | Path) -> dict[str, Any]:
    """Parse a DAG folder over a migrated database; raises ValueError with the errors of the files that do not parse.

    Deadlines are taken off: Airflow 3.3's `dag.test()` cannot hold them, and nobody would be there to see one missed.
    """
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(folder))
    if bag.import_errors:
        raise ValueError(f"DAGs that do not parse: {bag.import_errors}")
    for dag in bag.dags.values():
        dag.deadline = None
    return dict(bag.dags)
