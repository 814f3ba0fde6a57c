"""`make up`: Airflow with everything running on this machine, fed by the sample outlets, until Ctrl-C.

Starts the sample outlets on loopback, migrates Airflow's SQLite database in `.up/`, runs `airflow standalone`, creates
the writer's pool and prints one URL with its login. Ends everything it started.
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
from pathlib import Path

from environment import REPOSITORY, SEEDS, drop_files, make_environment
from rich.console import Console

sys.path.insert(0, str(SEEDS))

from server import serve_seeds

HOME = REPOSITORY / ".up"
STARTUP_LIMIT_S = 180
console = Console()


def main() -> int:
    """Run until interrupted; returns the exit code."""
    port = choose_port(int(os.environ.get("PORT", "8080")))
    days = sorted(folder.name for folder in (SEEDS / "days").iterdir() if folder.is_dir())
    with serve_seeds(SEEDS, days[-1]) as outlets:
        environment = {**os.environ, **make_environment(HOME, seeds_port=outlets.port), **make_ui_settings(port)}
        # `airflow standalone` starts its parts as `airflow`, so that must be found first on the path.
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
        airflow = str(Path(sys.executable).with_name("airflow"))
        console.print("Preparing Airflow's database in .up/ ...")
        subprocess.run([airflow, "db", "migrate"], env=environment, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(
            [airflow, "pools", "set", "blotter_writer", "1", "the warehouse has one writer"],
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        for day in days:
            drop_files(day, Path(environment["BLOTTER_INBOX"]))
        with (HOME / "airflow.log").open("wb") as log:
            server = subprocess.Popen(
                [airflow, "standalone"], env=environment, stdout=log, stderr=log, start_new_session=True
            )
            try:
                return watch(server, port, environment)
            finally:
                end_process_group(server)


def choose_port(wanted: int) -> int:
    """Give the wanted port if it is free, else any free one."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", wanted)):
            return wanted
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_ui_settings(port: int) -> dict[str, str]:
    """Give the variables of the UI: loopback only, one admin whose password is made once and kept in `.up/`."""
    passwords = HOME / "passwords.json"
    if not passwords.exists():
        HOME.mkdir(exist_ok=True)
        passwords.touch(mode=0o600)
        passwords.write_text(json.dumps({"admin": secrets.token_urlsafe(12)}))
    return {
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://localhost:{port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
    }


def watch(server: subprocess.Popen[bytes], port: int, environment: dict[str, str]) -> int:
    """Wait until Airflow is healthy, say where it is, and stay until it ends or the user interrupts."""
    deadline = time.monotonic() + STARTUP_LIMIT_S
    with console.status("Starting Airflow ..."):
        while not is_healthy(port):
            if server.poll() is not None or time.monotonic() > deadline:
                console.print(f"[red]Airflow did not start[/]: see {HOME / 'airflow.log'}")
                return 1
            time.sleep(1)
    password = json.loads(Path(environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"]).read_text())["admin"]
    console.print(f"\n[bold]http://localhost:{port}[/]   login [bold]admin[/]   password [bold]{password}[/]\n")
    console.print("The sample outlets are polled within ten minutes, drops within five; trigger a DAG to have it now.")
    console.print(f"Tables: {environment['BLOTTER_WAREHOUSE']}   Log: {HOME / 'airflow.log'}   Stop: Ctrl-C")
    with contextlib.suppress(KeyboardInterrupt):
        server.wait()
    return 0


def is_healthy(port: int) -> bool:
    """Ask the API server whether the metadata database and the scheduler are healthy."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/monitor/health", timeout=2) as answer:
            health = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return False
    return all(health[part]["status"] == "healthy" for part in ("metadatabase", "scheduler"))


def end_process_group(server: subprocess.Popen[bytes]) -> None:
    """End Airflow and all its children: TERM, ten seconds of grace, KILL."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=10)
            time.sleep(1)  # children outlive the parent's TERM by moments


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.exit(main())
