"""The pages over a long history: how long each takes in Airflow's own API server, and whether its memory stays flat.

Writes a warehouse of synthetic incidents (`history.py`) and its catalog into `.bench/`, starts `airflow api-server` on
one core, and asks for pages as a browser does, with a login. Times are told twice: as a caller waits, and as processor
time of the server, which a busy machine does not lengthen.
"""

import argparse
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from history import write_history

from blotter.catalog import Catalog, CatalogKeeper

REPOSITORY = Path(__file__).parents[1]
HOME = REPOSITORY / ".bench" / "browse"
MEDIAN_MS, WORST_MS = 300, 1000
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--incidents", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--warehouse", type=Path, help="an existing warehouse instead of a synthetic one")
    given = parser.parse_args()
    root = given.warehouse or write_history(HOME / f"history-{given.incidents}", n_incidents=given.incidents)
    catalog = Catalog(Path(f"{root}.catalog.db"))
    started = time.process_time()
    n_batches = CatalogKeeper(catalog, str(root)).learn()
    print(f"catalog: {n_batches} batches learnt in {time.process_time() - started:.0f} s of CPU, "
          f"{catalog.path.stat().st_size / 1e6:,.0f} MB")  # fmt: skip
    with serve(root) as (session, base, server):
        pages = list_pages(session, base)
        for address in {kind: address for address, kind in pages.items()}.values():  # what is opened once
            session.get(base + address)
        return measure(session, base, server, pages, given.requests)


def measure(
    session: requests.Session, base: str, server: subprocess.Popen[bytes], pages: dict[str, str], n_requests: int
) -> int:
    """Ask for pages in turn, in an order drawn by number; returns 1 where a goal is missed."""
    drawn = random.Random(8)
    addresses = list(pages)
    waited: dict[str, list[float]] = {}
    worked: dict[str, list[float]] = {}
    memory = [read_memory_mb(server.pid)]
    kinds = sorted(set(pages.values()))
    for number in range(n_requests):  # as many of each kind
        kind = kinds[number % len(kinds)]
        address = drawn.choice([one for one in addresses if pages[one] == kind])
        before, started = read_cpu_s(server.pid), time.perf_counter()
        answer = session.get(base + address)
        waited.setdefault(pages[address], []).append((time.perf_counter() - started) * 1000)
        worked.setdefault(pages[address], []).append((read_cpu_s(server.pid) - before) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{address}: {answer.status_code}")
        if (number + 1) % (n_requests // 10 or 1) == 0:
            memory.append(read_memory_mb(server.pid))
    missed = False
    print(f"{'page':<14}{'n':>5}{'median ms':>11}{'p99 ms':>9}{'CPU median':>12}{'CPU p99':>9}")
    for kind, times in waited.items():
        figures = [
            quantile(times, 0.5),
            quantile(times, 0.99),
            quantile(worked[kind], 0.5),
            quantile(worked[kind], 0.99),
        ]
        print(f"{kind:<14}{len(times):>5}{figures[0]:>11.0f}{figures[1]:>9.0f}{figures[2]:>12.0f}{figures[3]:>9.0f}")
        missed |= figures[2] > MEDIAN_MS or figures[3] > WORST_MS
    print(f"memory of the server: {', '.join(f'{one:.0f}' for one in memory)} MB, each after a tenth of the requests")
    grown = memory[-1] - memory[len(memory) // 2]
    print(f"grown over the second half: {grown:+.0f} MB")
    return int(missed or grown > 0.05 * memory[0])


def list_pages(session: requests.Session, base: str) -> dict[str, str]:
    """Addresses by what they show: the lists, searches frequent and rare, and many incidents old and new."""
    pages = {"/": "incidents", "/sources": "sources", "/quarantine": "quarantine", "/review": "review"}
    pages["/?words=zzz+shooting"] = "search"
    drawn = random.Random(9)
    for words in ("shooting", "identified fire", "one dead", "aaron*", "Fenham", "robbery chicago", "dead identified"):
        pages[f"/?words={words.replace(' ', '+')}"] = "search"
    for asked in ("type=fire", "place=houston&type=shooting", "only=conflict", "place=texas", "only=unnamed&type=fire"):
        pages[f"/?{asked}"] = "search"
    found: list[str] = []
    for _ in range(10):
        day = f"{drawn.choice((2024, 2025))}-{drawn.randint(1, 5):02}-{drawn.randint(1, 28):02}"
        pages[f"/?happened={day}"] = "search"
        found += re.findall(r'href="/blotter(/incidents/inc_[0-9a-f]+)"', session.get(f"{base}/?happened={day}").text)[
            :8
        ]
    for incident in found:
        pages[incident] = "incident"
        pages[f"{incident}?version=1"] = "incident then"
        pages[f"{incident}.json"] = "incident JSON"
    quarantined = re.findall(r'href="/blotter(/quarantine/inp_[0-9a-f]+)"', session.get(f"{base}/quarantine").text)
    return pages | dict.fromkeys(quarantined, "quarantined")


@contextmanager
def serve(root: Path) -> Iterator[tuple[requests.Session, str, "subprocess.Popen[bytes]"]]:
    """Run Airflow's API server on one core over the warehouse; gives a session that is logged in."""
    home = HOME / "airflow"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / "passwords.json").write_text(json.dumps({"vera": "v-pass"}), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "vera:viewer",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__API_AUTH__JWT_SECRET": "0123456789abcdef" * 5,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "BLOTTER_WAREHOUSE": str(root),
        "BLOTTER_SOURCES": str(REPOSITORY / "include" / "sources"),
        "BLOTTER_STATE": str(home / "state.db"),
        "BLOTTER_ARCHIVE": str(home / "archive"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    airflow = str(Path(sys.executable).with_name("airflow"))
    subprocess.run([airflow, "db", "migrate"], env=environment, check=True, capture_output=True)
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen([airflow, "api-server"], env=environment, stdout=log, stderr=log)
        try:
            yield log_in(server, port), f"http://127.0.0.1:{port}/blotter", server
        finally:
            server.terminate()
            server.wait(30)


def log_in(server: "subprocess.Popen[bytes]", port: int) -> requests.Session:
    """Wait for the server, put it on one core, and log in."""
    session, give_up_at = requests.Session(), time.monotonic() + 180
    while True:
        try:
            session.get(f"http://127.0.0.1:{port}/api/v2/version", timeout=5)
            break
        except requests.RequestException:
            if time.monotonic() > give_up_at or server.poll() is not None:
                raise SystemExit("Airflow's API server did not start") from None
            time.sleep(0.5)
    core = {min(os.sched_getaffinity(0))}
    for task in Path(f"/proc/{server.pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), core)
    user = {"username": "vera", "password": "v-pass"}
    token = session.post(f"http://127.0.0.1:{port}/auth/token", json=user, timeout=30).json()["access_token"]
    session.headers.update({"Authorization": f"Bearer {token}", "Accept": "text/html"})
    return session


def read_cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def read_memory_mb(pid: int) -> float:
    told = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return int(told.group(1)) / 1000 if told else 0.0


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


if __name__ == "__main__":
    sys.exit(main())
