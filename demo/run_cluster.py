"""`make cluster`: the services of docker-compose.yaml as processes of this machine, and the sample week through them.

Starts PostgreSQL, Redis, Airflow's API server, scheduler, DAG processor and triggerer and two Celery workers with the
compose file's own commands and environment, plays the week day by day through the DAGs by the REST API, then plays the
same days embedded in one process, and compares the tables of the two. Needs PostgreSQL and Redis on the PATH.
"""

import argparse
import multiprocessing as mp
import os
import sys
import time
from pathlib import Path
from typing import Any

import requests
from environment import REPOSITORY, SEEDS, drop_files, make_environment
from rich.console import Console
from topology import Cluster, run_cluster

sys.path.insert(0, str(SEEDS))

from server import serve_seeds

HOME = REPOSITORY / ".cluster"
SERVICES = HOME / "services"
RUN_LIMIT_S = 900
# They name one delivery and one request, by the file's inode and by the moment: two runs cannot have them in common.
DELIVERY_IDS = ("input_id", "fetch_id", "replay_of")
_SAME_INPUT = "regexp_replace(reason, '^inp_[0-9a-f]+$', 'inp_') AS reason"  # a duplicate's names the first delivery
console = Console()


def main() -> int:
    """Play the days on both; returns 1 where their tables differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=7, help="how many days to play (default: all seven)")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    days = sorted(folder.name for folder in (SEEDS / "days").iterdir() if folder.is_dir())[: options.days]
    started = time.monotonic()
    with serve_seeds(SEEDS, days[0]) as outlets:
        config = HOME / "blotter.toml"
        extra = {**_of_the_samples(outlets.port), "BLOTTER_CONFIG": str(config)}
        HOME.mkdir(exist_ok=True)
        set_clock(config, days[0])
        console.print("Starting PostgreSQL, Redis, Airflow and the workers ...")
        with run_cluster(SERVICES, extra, n_workers=options.workers) as run:
            console.print(f"Healthy after {time.monotonic() - started:.0f} s: {', '.join(run.processes)}")
            played_from, peak_mb = time.monotonic(), 0
            api = Api(run)
            for day in days:
                outlets.day = day
                set_clock(config, day)
                drop_files(day, run.data / "inbox")
                for dag_id in ("ingest_feeds", "ingest_drops", "build_incidents", "send_alerts"):
                    api.run(dag_id)
                peak_mb = max(peak_mb, run.memory_mb())
                console.print(f"{day}: played")
            console.print(f"{len(days)} days in {time.monotonic() - played_from:.0f} s, at most {peak_mb} MB in all.")
    console.print("The same days, embedded in one process ...")
    play_embedded(days)
    different = compare_warehouses(SERVICES / "data" / "warehouse", HOME / "embedded" / "data" / "warehouse")
    for line in different:
        console.print(f"[red]{line}[/]", highlight=False)
    if not different:
        console.print("[bold green]The tables of the two are equal.[/]")
    return bool(different)


def _of_the_samples(port: int) -> dict[str, str]:
    """Give what the sample outlets need: their sources, their names resolved to loopback, no spacing of requests."""
    samples = make_environment(HOME, seeds_port=port)
    wanted = ("BLOTTER_SOURCES", "BLOTTER_FETCH__RESOLVE", "BLOTTER_FETCH__HOST_SPACING_S", "BLOTTER_DROPS__SETTLE_S")
    return {name: samples[name] for name in wanted}


def set_clock(config: Path, day: str) -> None:
    """Set all clocks of blotter, in every process: each task reads the settings anew."""
    temporary = config.with_suffix(".new")
    temporary.write_text(f'clock = "{day}T23:59:59+00:00"\n')
    temporary.replace(config)


class Api:
    """Airflow's REST API, as far as a day needs it."""

    def __init__(self, cluster: Cluster) -> None:
        self._url = f"{cluster.url}/api/v2"
        login = {"username": "admin", "password": cluster.password}
        answer = requests.post(f"{cluster.url}/auth/token", json=login, timeout=30)
        answer.raise_for_status()
        self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def run(self, dag_id: str) -> str:
        """Let a DAG run to its end, alone, and give the run's id: days follow one another as they do embedded."""
        run_id = self.start(dag_id)
        self.wait(dag_id, run_id)
        return run_id

    def start(self, dag_id: str) -> str:
        """Start a run of a DAG and give its id."""
        self._wait_until_parsed(dag_id)
        run_id = self._ask("POST", f"dags/{dag_id}/dagRuns", {"logical_date": None})["dag_run_id"]
        self._ask("PATCH", f"dags/{dag_id}", {"is_paused": False})
        return str(run_id)

    def wait(self, dag_id: str, run_id: str) -> None:
        """Wait until every run of a DAG has ended well, then pause it; exits where one failed or none ends."""
        give_up_at = time.monotonic() + RUN_LIMIT_S
        while time.monotonic() < give_up_at:
            runs = self._ask("GET", f"dags/{dag_id}/dagRuns?limit=50")["dag_runs"]
            if failed := [run["dag_run_id"] for run in runs if run["state"] == "failed"]:
                sys.exit(f"{dag_id} failed ({failed[0]}): see {SERVICES / 'logs'}")
            if all(run["state"] == "success" for run in runs):
                self._ask("PATCH", f"dags/{dag_id}", {"is_paused": True})
                return
            time.sleep(0.5)
        sys.exit(f"{dag_id} did not end within {RUN_LIMIT_S} s (run {run_id}): see {SERVICES / 'logs'}")

    def list_tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """List the task instances of a run as the API tells of them."""
        tasks: list[dict[str, Any]] = self._ask("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=1000")[
            "task_instances"
        ]
        return tasks

    def _wait_until_parsed(self, dag_id: str) -> None:
        for _ in range(120):
            if requests.get(f"{self._url}/dags/{dag_id}", headers=self._headers, timeout=30).ok:
                return
            time.sleep(1)
        sys.exit(f"{dag_id} was not parsed: see {SERVICES / 'dag-processor.log'}")

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        answer = requests.request(method, f"{self._url}/{path}", json=body, headers=self._headers, timeout=60)
        if not answer.ok:
            sys.exit(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()


def play_embedded(days: list[str]) -> None:
    """Play the same days in a process of their own, as `make demo` does."""
    player = mp.get_context("spawn").Process(target=_play_embedded, args=(days,))
    player.start()
    player.join()
    if player.exitcode:
        sys.exit("the embedded run failed: see .cluster/embedded/airflow.log")


def _play_embedded(days: list[str]) -> None:
    import play_week

    play_week.HOME = HOME / "embedded"
    with serve_seeds(SEEDS, days[0]) as outlets:
        os.environ.update(make_environment(play_week.HOME, seeds_port=outlets.port))
        dags = play_week.load_dags()
        for day in days:
            outlets.day = day
            play_week.play_day(dags, day)


def compare_warehouses(one: Path, other: Path) -> list[str]:
    """Compare every table, row by row, in the columns that equal runs share; returns a line for each that differs."""
    import duckdb

    from blotter.schemas import TABLES

    different = []
    for name, table in TABLES.items():
        columns = ", ".join(
            _SAME_INPUT if (name, column) == ("inputs", "reason") else f'"{column}"'
            for column in table.stable_columns
            if column not in DELIVERY_IDS
        )
        query = "SELECT {columns} FROM read_parquet('{root}/{name}/*/*.parquet', hive_partitioning = true)"
        ours, theirs = (query.format(columns=columns, root=root, name=name) for root in (one, other))
        for told, left, right in (("only the cluster", ours, theirs), ("only the embedded run", theirs, ours)):
            rows = duckdb.sql(f"{left} EXCEPT ALL {right}").fetchall()
            if rows:
                different.append(f"{name}: {told} has {len(rows)} rows, such as {str(rows[0])[:400]}")
    return different


if __name__ == "__main__":
    sys.exit(main())
