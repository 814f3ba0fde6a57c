"""The environment in which the demo and `make up` run Airflow and blotter: everything inside one folder of this
repository.

Belongs here: variables and folders. Does not belong here: playing or serving anything.
"""

import os
import shutil
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
SEEDS = REPOSITORY / "seeds"


def make_environment(home: Path, *, seeds_port: int) -> dict[str, str]:
    """Give the variables for Airflow on SQLite in `home`, with the sample outlets resolved to a loopback port."""
    data = home / "data"
    return {
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",  # each slot is a forked worker; the default of 32 costs gigabytes
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "GX_ANALYTICS_ENABLED": "false",
        "NO_COLOR": os.environ.get("NO_COLOR", ""),
        "BLOTTER_WAREHOUSE": str(data / "warehouse"),
        "BLOTTER_ARCHIVE": str(data / "archive"),
        "BLOTTER_STAGING": str(data / "staging"),
        "BLOTTER_STATE": str(data / "state.db"),
        "BLOTTER_INBOX": str(data / "inbox"),
        "BLOTTER_ALERTS_LOG": str(data / "alerts.jsonl"),
        "BLOTTER_SOURCES": str(SEEDS / "sources"),
        "BLOTTER_FETCH__RESOLVE": f"*.example=127.0.0.1:{seeds_port}",
        "BLOTTER_FETCH__HOST_SPACING_S": "0",
        "BLOTTER_DROPS__SETTLE_S": "0",
    }


def drop_files(day: str, inbox: Path) -> int:
    """Copy what is dropped on a day of the seeds into the inbox; returns the number of files."""
    folder = SEEDS / "days" / day / "drops"
    if not folder.is_dir():
        return 0
    shutil.copytree(folder, inbox, dirs_exist_ok=True)
    return sum(path.is_file() for path in folder.rglob("*"))
