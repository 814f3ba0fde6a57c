"""The services of `docker-compose.yaml` as processes of this machine: the same commands and the same environment.

Belongs here: reading the compose file, PostgreSQL and Redis of our own, starting, waiting and ending. Does not belong
here: what is played on it (`run_cluster`). What differs from the containers is written in `make_places` and
`_of_one_machine`, and nowhere else: addresses, folders, and ports that two workers cannot share.
"""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml
from cryptography.fernet import Fernet
from environment import REPOSITORY

COMPOSE = REPOSITORY / "docker-compose.yaml"
STARTUP_LIMIT_S = 240
_VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::\?[^}]*)?\}")


@dataclass(frozen=True)
class Cluster:
    """A running topology: where its API is, who may use it, and the folder that stands for its volumes."""

    url: str
    password: str
    data: Path
    processes: Mapping[str, "subprocess.Popen[bytes]"]

    def memory_mb(self) -> int:
        """Sum the memory that all processes have for themselves, in MB (shared pages divided among their sharers)."""
        total_kb = 0
        for process in self.processes.values():
            for pid in _group_members(process.pid):
                with suppress(OSError):
                    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
                    total_kb += int(re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[1])  # type: ignore[index]
        return total_kb // 1024


@contextmanager
def run_cluster(home: Path, extra: Mapping[str, str], *, n_workers: int = 2, concurrency: int = 2) -> Iterator[Cluster]:
    """Run every service of the compose file in `home`, with `n_workers` workers; yields once all are healthy.

    `extra` are variables beside those of the compose file. Exits with a message where PostgreSQL or Redis is not
    installed.
    """
    require_programs("initdb", "postgres", "redis-server")
    shutil.rmtree(home, ignore_errors=True)
    for name in ("data", "logs", "airflow"):
        (home / name).mkdir(parents=True)
    ports = dict(zip(("postgres", "redis", "api", "health"), _free_ports(4), strict=True))
    password = secrets.token_urlsafe(12)
    (home / "passwords.json").write_text(json.dumps({"admin": password}))
    secret = {
        "POSTGRES_PASSWORD": secrets.token_hex(12),
        "AIRFLOW_FERNET_KEY": Fernet.generate_key().decode(),
        "AIRFLOW_JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW_SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW_ADMIN_PASSWORDS": str(home / "passwords.json"),
    }
    services = read_services(secret)
    places = make_places(home, ports)
    started: dict[str, subprocess.Popen[bytes]] = {}
    with ExitStack() as running:
        running.enter_context(_run_postgres(home, ports["postgres"], secret["POSTGRES_PASSWORD"], started))
        running.enter_context(_run_redis(home, ports["redis"], started))
        environment = {
            **_keep_of_ours(),
            **_place(services["scheduler"]["environment"], places),
            **_of_one_machine(home, ports),
            **extra,
        }
        _run_once(_command(services["init"], places), environment, home / "init.log")
        for name in ("api-server", "scheduler", "dag-processor", "triggerer"):
            running.enter_context(_run_service(name, _command(services[name], places), environment, home, started))
        for number in range(1, n_workers + 1):
            command = _command(services["worker"], places)
            command[command.index("--concurrency") + 1] = str(concurrency)
            own = {
                **environment,
                **_place(services["worker"]["environment"], places),
                **_of_one_machine(home, ports),
                "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(_free_ports(1)[0]),
                **extra,
            }
            command += ["--celery-hostname", f"worker{number}@%h"]
            running.enter_context(_run_service(f"worker{number}", command, own, home, started))
        cluster = Cluster(f"http://127.0.0.1:{ports['api']}", password, home / "data", started)
        _wait_until_healthy(cluster, n_workers, environment)
        yield cluster


def read_services(secret: Mapping[str, str]) -> dict[str, Any]:
    """Read the compose file's services, with its variables set; raises KeyError naming one that has no value."""
    text = _VARIABLE.sub(lambda found: secret[found[1]], COMPOSE.read_text(encoding="utf-8"))
    services: dict[str, Any] = yaml.safe_load(text.replace("$$", "$"))["services"]
    return services


def make_places(home: Path, ports: Mapping[str, int]) -> dict[str, str]:
    """Say what stands on this machine for the addresses and folders of the containers."""
    return {
        "@postgres/": f"@127.0.0.1:{ports['postgres']}/",
        "//redis:6379/": f"//127.0.0.1:{ports['redis']}/",
        "http://api-server:8080/": f"http://127.0.0.1:{ports['api']}/",
        "/run/secrets/airflow_passwords": str(home / "passwords.json"),
        "/opt/blotter": str(REPOSITORY),
        "/data/": f"{home}/data/",
    }


def require_programs(*names: str) -> None:
    """Exit with what to install where a program is missing."""
    if missing := [name for name in names if shutil.which(name) is None]:
        sys.exit(
            f"not installed: {', '.join(missing)}. On Debian and Ubuntu: apt-get install postgresql redis-server, and "
            "put PostgreSQL's programs (/usr/lib/postgresql/*/bin) on the PATH."
        )


def _of_one_machine(home: Path, ports: Mapping[str, int]) -> dict[str, str]:
    """Give the variables that containers do not need: each has ports and a home of its own."""
    return {
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(ports["api"]),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(ports["health"]),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }


def _keep_of_ours() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "BLOTTER_", "AWS_"))}


def _place(variables: Mapping[str, object], places: Mapping[str, str]) -> dict[str, str]:
    placed = {}
    for name, value in variables.items():
        text = str(value)
        for there, here in places.items():
            text = text.replace(there, here)
        placed[name] = text
    return placed


def _command(service: Mapping[str, Any], places: Mapping[str, str]) -> list[str]:
    return list(_place(dict(enumerate(service["command"])), places).values())  # type: ignore[arg-type]


@contextmanager
def _run_postgres(
    home: Path, port: int, password: str, started: dict[str, "subprocess.Popen[bytes]"]
) -> Iterator[None]:
    """Run a PostgreSQL with the compose file's user and database; root hands it to an ordinary user, as it demands."""
    folder = Path(tempfile.mkdtemp(prefix="blotter-pg-"))  # where that user may come
    user = "nobody" if os.geteuid() == 0 else None
    (folder / "password").write_text(password)
    if user:
        shutil.chown(folder, user)
        shutil.chown(folder / "password", user)
    make = ["initdb", "--pgdata", folder / "data", "--username", "airflow", "--auth", "scram-sha-256"]
    try:
        made = subprocess.run(
            [*make, "--pwfile", folder / "password", "--no-sync"],
            user=user,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            sys.exit(f"initdb failed:\n{made.stderr}")
        run = ["postgres", "-D", folder / "data", "-k", folder, "-h", "127.0.0.1", "-p", str(port)]
        with (home / "postgres.log").open("wb") as log:
            server = subprocess.Popen(run, user=user, cwd=folder, stdout=log, stderr=log, start_new_session=True)
        started["postgres"] = server
        try:
            _wait_for_port(port, server, home / "postgres.log")
            _create_database(port, password)
            yield
        finally:
            server.send_signal(signal.SIGINT)  # fast shutdown
            with suppress(subprocess.TimeoutExpired):
                server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _create_database(port: int, password: str) -> None:
    import psycopg2

    connection = psycopg2.connect(host="127.0.0.1", port=port, user="airflow", password=password, dbname="postgres")
    try:
        connection.autocommit = True
        connection.cursor().execute("CREATE DATABASE airflow")
    finally:
        connection.close()


@contextmanager
def _run_redis(home: Path, port: int, started: dict[str, "subprocess.Popen[bytes]"]) -> Iterator[None]:
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(home)]
    with (home / "redis.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    started["redis"] = server
    try:
        _wait_for_port(port, server, home / "redis.log")
        yield
    finally:
        server.terminate()
        server.wait(10)


def _run_once(command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
    with log.open("wb") as told:
        done = subprocess.run(command, env=environment, stdout=told, stderr=told, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed: see {log}")


@contextmanager
def _run_service(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    home: Path,
    started: dict[str, "subprocess.Popen[bytes]"],
) -> Iterator[None]:
    with (home / f"{name}.log").open("wb") as log:
        service = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    started[name] = service
    try:
        yield
    finally:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(service.pid, sign)
            with suppress(subprocess.TimeoutExpired):
                service.wait(timeout=15)


def _wait_until_healthy(cluster: Cluster, n_workers: int, environment: Mapping[str, str]) -> None:
    parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
    give_up_at = time.monotonic() + STARTUP_LIMIT_S
    while time.monotonic() < give_up_at:
        for name, process in cluster.processes.items():
            if process.poll() is not None:
                sys.exit(f"{name} ended at its start: see {cluster.data.parent / f'{name}.log'}")
        with suppress(requests.RequestException, ValueError, KeyError):
            health = requests.get(f"{cluster.url}/api/v2/monitor/health", timeout=5).json()
            if all(health[part]["status"] == "healthy" for part in parts):
                break
        time.sleep(1)
    else:
        sys.exit(f"the cluster was not healthy within {STARTUP_LIMIT_S} s: see the logs in {cluster.data.parent}")
    _wait_for_workers(n_workers, environment)


def _wait_for_workers(n_workers: int, environment: Mapping[str, str]) -> None:
    ping = ["celery", "--app", "airflow.providers.celery.executors.celery_executor.app", "inspect", "ping"]
    for _ in range(30):
        done = subprocess.run(ping, env=environment, capture_output=True, text=True, check=False)
        if done.stdout.count("pong") >= n_workers:
            return
        time.sleep(1)
    sys.exit(f"{n_workers} Celery workers did not answer")


def _wait_for_port(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(300):
        if server.poll() is not None:
            sys.exit(f"a server ended at its start: see {log}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit(f"a server did not come up: see {log}")


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def _group_members(leader: int) -> list[int]:
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if os.getpgid(int(entry.name)) == leader:
                    members.append(int(entry.name))
    return members
