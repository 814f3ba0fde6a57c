"""A whole Airflow of one's own for a test: scheduler, triggerer, DAG processor and API on SQLite, and a client for it.

Belongs here: starting, asking, ending. Does not belong here: any story.
"""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
STARTUP_LIMIT_S, RUN_LIMIT_S = 300, 400


class Airflow:
    """A running Airflow, as an operator's tools see it."""

    def __init__(self, port: int, environment: Mapping[str, str], password: str) -> None:
        self._url, self._environment, self._password = f"http://127.0.0.1:{port}", environment, password
        self._token = ""

    def run_command(self, *arguments: str) -> str:
        """Run `airflow ARGUMENTS`; returns what it prints."""
        done = subprocess.run(
            [str(Path(sys.executable).with_name("airflow")), *arguments],
            env=self._environment, capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask the REST API, as the one admin."""
        if not self._token and path != "/auth/token":
            self._token = self.ask("POST", "/auth/token", {"username": "admin", "password": self._password})[
                "access_token"
            ]
        request = urllib.request.Request(
            self._url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"{method} {path}: {refused.code} {refused.read()[:500]!r}") from refused

    def is_healthy(self) -> bool:
        """Whether every part that a run needs is there."""
        try:
            health = self.ask_openly("/api/v2/monitor/health")
        except (OSError, ValueError):
            return False
        parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return all(health[part]["status"] == "healthy" for part in parts)

    def ask_openly(self, path: str) -> Any:
        """Ask without a token."""
        with urllib.request.urlopen(self._url + path, timeout=5) as answer:
            return json.load(answer)

    def unpause(self, *dag_ids: str) -> None:
        """Let DAGs run, once they are known."""
        self.wait_until(
            lambda: set(dag_ids) <= {dag["dag_id"] for dag in self.ask("GET", "/api/v2/dags?limit=100")["dags"]},
            f"known: {dag_ids}",
        )
        for dag_id in dag_ids:
            self.ask("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": False})

    def trigger(self, dag_id: str, **conf: object) -> str:
        """Trigger a DAG with its form; returns the run's id."""
        run = self.ask("POST", f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
        return str(run["dag_run_id"])

    def run(self, dag_id: str, **conf: object) -> str:
        """Trigger a DAG and wait for its end; returns the run's state."""
        run_id = self.trigger(dag_id, **conf)
        return self.wait_for_run(dag_id, run_id)

    def wait_for_run(self, dag_id: str, run_id: str) -> str:
        """Wait for the end of a run; returns its state."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"
        self.wait_until(lambda: self.ask("GET", path)["state"] in ("success", "failed"), f"{dag_id} {run_id} ended")
        return str(self.ask("GET", path)["state"])

    def list_runs(self, dag_id: str, **wanted: str) -> list[dict[str, Any]]:
        """List the runs of a DAG (`~`: of all), those with the wanted values."""
        runs = self.ask("GET", f"/api/v2/dags/{dag_id}/dagRuns?limit=100")["dag_runs"]
        return [run for run in runs if all(run[name] == value for name, value in wanted.items())]

    def wait_until_idle(self) -> None:
        """Wait until nothing runs or waits to, for some seconds on end: assets have triggered what they trigger."""
        calm_since = [time.monotonic()]

        def is_calm() -> bool:
            busy = [run for run in self.list_runs("~") if run["state"] in ("running", "queued")]
            busy = [run for run in busy if run["dag_id"] not in ("watch_feeds", "review_links")]
            if busy:
                calm_since[0] = time.monotonic()
            return time.monotonic() - calm_since[0] > 8

        self.wait_until(is_calm, "nothing runs")

    def wait_until(self, is_so: Callable[[], object], what: str) -> None:
        """Wait for something to become so."""
        deadline = time.monotonic() + RUN_LIMIT_S
        while not is_so():
            assert time.monotonic() < deadline, f"not within {RUN_LIMIT_S} s: {what}"
            time.sleep(0.5)


@contextmanager
def run_airflow(home: Path, given: Mapping[str, str]) -> Iterator[Airflow]:
    """Run `airflow standalone` in `home`, with blotter's settings in the environment, and end it whole."""
    port, password = find_free_port(), secrets.token_urlsafe(9)
    home.mkdir(parents=True)
    (home / "passwords.json").write_text(json.dumps({"admin": password}))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW_", "BLOTTER_"))},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "no-plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",  # until everything is there
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://localhost:{port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "60",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "GX_ANALYTICS_ENABLED": "false",
        **given,
    }
    airflow = Airflow(port, environment, password)
    airflow.run_command("db", "migrate")
    airflow.run_command("pools", "set", "blotter_writer", "1", "the warehouse has one writer")
    with (home / "airflow.log").open("wb") as log:
        server = subprocess.Popen(
            [str(Path(sys.executable).with_name("airflow")), "standalone"],
            env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + STARTUP_LIMIT_S
            while not airflow.is_healthy():
                assert server.poll() is None and time.monotonic() < deadline, "Airflow did not start"
                time.sleep(1)
            yield airflow
        finally:
            end_process_group(server)


def end_process_group(server: subprocess.Popen[bytes]) -> None:
    """End Airflow and all its children: TERM, some grace, KILL."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=15)
            time.sleep(1)  # children outlive the parent's TERM by moments


def find_free_port() -> int:
    """Find a port on loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
