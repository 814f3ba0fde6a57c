"""What was known when: after a whole replay, a question as of a day is answered as it was on that day."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from blotter import queries
from blotter.config import load_settings
from blotter.replay import replay_documents, settings_for_replay

SEEDS = Path(__file__).parents[2] / "seeds" / "days"
DAYS = ("2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05")


def ask(warehouse: str, day: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]:
    """All incidents as of the end of a day, the values that stood, and each timeline up to then."""
    connection = queries.connect(warehouse)
    end = f"TIMESTAMPTZ '{day} 23:59:59.999999Z'"
    try:
        incidents = queries.fetch_rows(connection, f"FROM incidents_as_of({end}) ORDER BY incident_id")
        facts = queries.fetch_rows(
            connection,
            f"FROM facts WHERE known_at <= {end} QUALIFY row_number() OVER (PARTITION BY incident_id, participant_id, "
            "field ORDER BY version DESC) = 1 ORDER BY incident_id, participant_id, field",
        )
        timelines = {
            one["incident_id"]: [
                change
                for change in queries.read_timeline(connection, one["incident_id"])
                if change["known_at"].date().isoformat() <= day
            ]
            for one in incidents
        }
    finally:
        connection.close()
    for change in (change for changes in timelines.values() for change in changes):
        change.pop("title"), change.pop("url")  # of the article's newest text
    return incidents, facts, timelines


def test_every_day_is_remembered_as_it_was(tmp_path: Path) -> None:
    settings = settings_for_replay(load_settings(environ={}), tmp_path / "W")
    then: dict[str, Any] = {}

    @contextmanager
    def look_after_each_day(what: str, _: int | None) -> Iterator[Callable[..., None]]:
        def look(_: int = 1) -> None:
            if what == "playing days":
                newest = max(pd.read_parquet(Path(settings.warehouse) / "runs").recorded_at)
                then[f"{newest:%Y-%m-%d}"] = ask(settings.warehouse, f"{newest:%Y-%m-%d}")

        yield look

    replay_documents(settings, [SEEDS / day for day in DAYS], is_checked=False, progress=look_after_each_day)
    known = [len(then[day][0]) for day in sorted(then)]
    assert len(known) >= len(DAYS) and known[0] < known[-1]
    for day, told in then.items():
        assert ask(settings.warehouse, day) == told, day
