"""`make demo`: a week of sample news, played day by day through the real DAGs, and what became known when.

Serves the sample outlets on loopback, sets up Airflow on SQLite in `.demo/`, and for each day moves the outlets and
the clock, fills the drop folders and runs `ingest_feeds`, `ingest_drops`, `build_incidents` and `send_alerts` through
Airflow itself. Then it reads the tables as an analyst would. Starts from an empty warehouse each time.
"""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from environment import REPOSITORY, SEEDS, drop_files, make_environment
from play_story import play_story, show_story
from rich.console import Console
from rich.text import Text

sys.path.insert(0, str(SEEDS))

from server import serve_seeds

HOME = REPOSITORY / ".demo"
STORY = ("ingest_feeds", "ingest_drops", "build_incidents", "send_alerts")
# A descriptor of its own: Airflow's log is kept away from the terminal by redirecting the standard ones.
console = Console(file=os.fdopen(os.dup(1), "w"), width=None if sys.stdout.isatty() else 160)


def main() -> int:
    """Play the week; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=7, help="how many days to play (default: all seven)")
    days = sorted(folder.name for folder in (SEEDS / "days").iterdir() if folder.is_dir())
    days = days[: parser.parse_args().days]
    shutil.rmtree(HOME / "data", ignore_errors=True)
    started = time.monotonic()
    with serve_seeds(SEEDS, days[0]) as outlets:
        os.environ.update(make_environment(HOME, seeds_port=outlets.port))
        dags = load_dags()
        for day in days:
            outlets.day = day
            play_day(dags, day)
            show_day(day)
    show_second_story()
    show_end(days[-1], time.monotonic() - started)
    return 0


def load_dags() -> dict[str, Any]:
    """Migrate Airflow's database where it is new, and parse the DAG folder."""
    with console.status("Setting up Airflow on SQLite in .demo/ (the first time takes half a minute) ..."):
        from airflow.utils.db import initdb

        from blotter_airflow.embedded import load_dags as parse_dags

        with quiet():
            initdb()
            return parse_dags(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])


def play_day(dags: dict[str, Any], day: str) -> None:
    """Run the four DAGs in the order in which their assets trigger each other, with the clock at the end of the day."""
    os.environ["BLOTTER_CLOCK"] = f"{day}T23:59:59+00:00"
    drop_files(day, Path(os.environ["BLOTTER_INBOX"]))
    with console.status(f"{day} ...") as status:
        for dag_id in STORY:
            status.update(f"{day}: {dag_id}")
            with quiet():
                run = dags[dag_id].test()
            if run.state != "success":
                sys.exit(f"{dag_id} ended {run.state} on {day}: run `make demo` with DEMO_LOGS=1 to see its log")


def show_day(day: str) -> None:
    """Print what became known on one day: new incidents as they stand, and what changed of older ones."""
    from blotter import queries
    from blotter.show import show_changes, show_incidents, tell_person

    console.rule(Text(f"{date.fromisoformat(day):%A %d %B %Y}"))
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    connection = queries.connect(os.environ["BLOTTER_WAREHOUSE"])
    try:
        changes = queries.read_changes(connection, since=start, until=start + timedelta(days=1))
        known = queries.list_incidents(connection, as_of=start + timedelta(days=1), limit=1000)
    finally:
        connection.close()
    for record in known:
        mine = [change for change in changes if change["incident_id"] == record["incident_id"]]
        if mine and mine[0]["version"] == 1:
            console.print(Text("new", style="bold green"), end="      ")
            show_incidents(console, [record])
        elif mine:
            console.print(Text("changed", style="bold yellow"), end="  ")
            console.print(Text(" ".join(record["headline"].split()), style="bold"), soft_wrap=True)
            names = {person["participant_id"]: tell_person(person) for person in record["participants"]}
            show_changes(console, mine, names)
    if not changes:
        console.print("Nothing changed.")


def show_second_story() -> None:
    """Play the second story of the samples and print its timeline, which has every kind and cause of change."""
    console.rule("A second story: one record that changes in every way")
    shutil.rmtree(HOME / "story", ignore_errors=True)
    with console.status("a week of one incident ..."), quiet():
        settings = play_story(HOME / "story")
    show_story(settings, console)


def show_end(last_day: str, elapsed_s: float) -> None:
    """Print all incidents as they stand, and how to go on."""
    from blotter import queries
    from blotter.show import reading_lines, show_incidents

    console.rule(f"What is known at the end of {last_day}")
    root = Path(os.environ["BLOTTER_WAREHOUSE"]).relative_to(REPOSITORY)
    connection = queries.connect(str(REPOSITORY / root))
    try:
        rows = queries.list_incidents(connection, as_of=datetime.max.replace(tzinfo=UTC), limit=1000)
        counts = queries.fetch_rows(
            connection, "SELECT disposition, count(*) AS n FROM inputs GROUP BY 1 ORDER BY n DESC, disposition"
        )
    finally:
        connection.close()
    show_incidents(console, rows)
    told = ", ".join(f"{row['n']} {row['disposition'].replace('_', ' ')}" for row in counts)
    console.print(f"\nWhat became of the inputs: {told}.", highlight=False)
    if rows:
        console.print("\nOne incident, traced to its sentences:", highlight=False)
        console.print(Text(f"  .venv/bin/blotter timeline {rows[0]['incident_id']} -w {root}"))
    console.print("\nThe tables, with pandas and with DuckDB:")
    for line in reading_lines(str(root)):
        console.print(Text(f"  {line}"))
    console.print(f"\nPlayed through Airflow in {elapsed_s:.0f} s. Its UI, with everything running: make up")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Airflow's log of in-process runs in `.demo/airflow.log`, unless DEMO_LOGS is set."""
    if os.environ.get("DEMO_LOGS"):
        yield
        return
    HOME.mkdir(exist_ok=True)
    sys.stdout.flush()
    kept = os.dup(1), os.dup(2)
    with (HOME / "airflow.log").open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield
        finally:
            sys.stdout.flush()
            os.dup2(kept[0], 1)
            os.dup2(kept[1], 2)
            for descriptor in kept:
                os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())
