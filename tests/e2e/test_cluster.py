"""Two Celery workers, PostgreSQL and Redis: one worker is killed while it reads, and the run ends right."""

import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from blotter import steps
from blotter.config import load_settings

REPOSITORY = Path(__file__).parents[2]
sys.path += [str(REPOSITORY / "demo"), str(REPOSITORY / "bench")]

CLOCK = "2026-03-04T23:59:59+00:00"
N_ARTICLES, SLICE = 1_200, 50


@pytest.mark.heavy
@pytest.mark.timeout(1_800)
@pytest.mark.skipif(
    not all(map(shutil.which, ("initdb", "postgres", "redis-server"))), reason="PostgreSQL or Redis is not installed"
)
def test_one_of_two_workers_killed_in_the_middle_costs_nothing(tmp_path: Path) -> None:
    from news import write_news
    from run_cluster import Api, compare_warehouses
    from topology import run_cluster

    config = tmp_path / "blotter.toml"
    config.write_text(f'clock = "{CLOCK}"\n')
    extra = {
        "BLOTTER_CONFIG": str(config),
        "BLOTTER_DROPS__SETTLE_S": "0",
        "BLOTTER_READ__SLICE_SIZE": str(SLICE),
        # Airflow takes a task for dead whose worker has not been heard of for so long; five minutes by default.
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    }
    with run_cluster(tmp_path / "services", extra, n_workers=2, concurrency=1) as cluster:
        api = Api(cluster)
        write_news(cluster.data / "inbox" / "bench" / "news.jsonl", N_ARTICLES)
        api.run("ingest_drops")
        run_id = api.start("build_incidents")
        states: list[str | None] = []
        for _ in range(300):
            tasks = api.list_tasks("build_incidents", run_id)
            states = [task["state"] for task in tasks if task["task_id"] == "read_slice"]
            if states.count("success") >= 2 and states.count("running") == 2:
                break
            time.sleep(0.5)
        assert states.count("running") == 2, states
        os.killpg(cluster.processes["worker1"].pid, signal.SIGKILL)
        api.wait("build_incidents", run_id)
        tries = [task["try_number"] for task in api.list_tasks("build_incidents", run_id)]
        assert max(tries) > 1, "the killed worker read nothing"
    alone = tmp_path / "alone"
    settings = load_settings(config, environ=_settings_in(alone))
    write_news(alone / "inbox" / "bench" / "news.jsonl", N_ARTICLES)
    steps.ingest_drops(settings, run_id="alone")
    for slice_id in steps.plan_slices(settings):
        steps.read_slice(settings, slice_id)
    steps.publish_batch(settings, run_id="alone", dag_id="build_incidents")
    assert compare_warehouses(tmp_path / "services" / "data" / "warehouse", alone / "warehouse") == []


def _settings_in(folder: Path) -> dict[str, str]:
    places = {name: str(folder / name) for name in ("warehouse", "archive", "staging", "inbox")}
    given = places | {"state": str(folder / "state.db"), "drops__settle_s": "0", "read__slice_size": str(SLICE)}
    given |= {"alerts": str(REPOSITORY / "include" / "alerts.yaml"), "alerts_log": str(folder / "alerts.jsonl")}
    return {f"BLOTTER_{name.upper()}": value for name, value in given.items()}
