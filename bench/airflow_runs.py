"""What Airflow adds: 1,000 articles through the DAGs beside the same through `blotter run`, from HTML to tables.

Both are commands of their own, from a cold start: imports count. The DAGs run inside one process (`dag.test`), as the
demo runs them, each after the other as their assets would trigger them; Airflow's database is migrated before. CPU
seconds of both, children included, since a shared machine's clock says little; goal: at most 1.3 times the command's,
and 60 s of Airflow's own.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "demo"))

from environment import make_environment

from pages import write_pages

ALLOWED_RATIO, ALLOWED_S = 1.3, 60
RUN_DAGS = """
import os
from blotter_airflow.embedded import load_dags
dags = load_dags(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
for dag_id in ("ingest_drops", "build_incidents", "send_alerts"):
    run = dags[dag_id].test()
    assert run.state == "success", (dag_id, run.state)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=1_000)
    n_pages = parser.parse_args().pages
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        home = folder / "airflow-home"
        airflow = str(Path(sys.executable).with_name("airflow"))
        run(make_environment(home, seeds_port=9), [airflow, "db", "migrate"])
        blotter = str(Path(sys.executable).with_name("blotter"))
        alone = run(prepare(folder / "alone", home, n_pages), [blotter, "run", "--no-feeds"])
        through = run(prepare(folder / "through", home, n_pages), [sys.executable, "-c", RUN_DAGS])
    allowed = ALLOWED_RATIO * alone[0] + ALLOWED_S
    print(
        f"through Airflow: {through[0]:.1f} s of CPU, `blotter run` {alone[0]:.1f}, for {n_pages} pages: "
        f"{through[0] / alone[0]:.2f} times, {through[0] - alone[0]:+.1f} s; goal at most {allowed:.1f} s "
        f"(by the clock {through[1]:.0f} and {alone[1]:.0f} s)"
    )
    return int(through[0] > allowed)


def prepare(folder: Path, home: Path, n_pages: int) -> dict[str, str]:
    """Drop the pages into an inbox of its own; gives the environment that has all of blotter's folders in `folder`."""
    places = {name: str(folder / name) for name in ("warehouse", "archive", "staging", "inbox", "backfill", "sources")}
    (folder / "sources").mkdir(parents=True)
    write_pages(folder / "inbox" / "bench", n_pages)
    settings = {**places, "state": str(folder / "state.db"), "alerts_log": str(folder / "alerts.jsonl")}
    return {
        **make_environment(home, seeds_port=9),
        **{f"BLOTTER_{name.upper()}": value for name, value in settings.items()},
    }


def run(environment: dict[str, str], command: list[str]) -> tuple[float, float]:
    """Run a command to its end; gives its seconds of CPU, children included, and by the clock."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)[:80]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu_s, time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
