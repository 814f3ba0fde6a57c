"""Playing the sample week through the stages, without Airflow: real fetches on loopback, real drops, one run a day.

Belongs here: what a test or a person needs to have the week in a warehouse. Does not belong here: comparing it
(`expectations`).

    python tests/seeds/play.py FOLDER     # plays into FOLDER, prints the differences of each day
"""

import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from blotter import steps
from blotter.config import Settings, load_settings

if __package__:
    from .expectations import SEEDS, compare_day, list_expected_days, load_expected
else:
    from expectations import SEEDS, compare_day, list_expected_days, load_expected

sys.path.insert(0, str(SEEDS))

from server import serve_seeds  # a file of the samples, not a package


def play_week(home: Path, days: list[str] | None = None, **given: str) -> Iterator[tuple[str, Settings]]:
    """Play days of the week in `home`, each with the clock at its last second, and yield each once it is published.

    `given` are settings that stand in place of the week's own.
    """
    days = days or list_expected_days()
    with serve_seeds(SEEDS, days[0]) as outlets:
        for day in days:
            outlets.day = day
            settings = _settings_of(home, day, outlets.port, given)
            dropped = SEEDS / "days" / day / "drops"
            if dropped.is_dir():
                shutil.copytree(dropped, settings.inbox, dirs_exist_ok=True)
            run_id = f"day-{day}"
            steps.ingest_feeds(settings, run_id=run_id)
            steps.ingest_drops(settings, run_id=run_id)
            for slice_id in steps.plan_slices(settings):
                steps.read_slice(settings, slice_id)
            steps.publish_batch(settings, run_id=run_id)
            yield day, settings


def _settings_of(home: Path, day: str, port: int, given: Mapping[str, str]) -> Settings:
    places = {name: str(home / name) for name in ("warehouse", "archive", "staging", "inbox")}
    variables = places | {
        "state": str(home / "state.db"),
        "alerts_log": str(home / "alerts.jsonl"),
        "sources": str(SEEDS / "sources"),
        "clock": f"{day}T23:59:59+00:00",
        "fetch__resolve": f"*.example=127.0.0.1:{port}",
        "fetch__host_spacing_s": "0",
        "drops__settle_s": "0",
        **given,
    }
    return load_settings(environ={f"BLOTTER_{name.upper()}": value for name, value in variables.items()})


def main() -> None:
    """Play the week and print what differs."""
    home = Path(sys.argv[1])
    for day, settings in play_week(home):
        differences = compare_day(settings.warehouse, day, load_expected(day))
        print(f"{day}: {len(differences)} differences", *differences, sep="\n  ")  # noqa: T201


if __name__ == "__main__":
    main()
