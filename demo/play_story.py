"""Play the second story of the samples: one incident whose timeline has every kind and every cause of change.

Five days of three outlets' pages (`seeds/story`), then an editor's evening and a better reader, through the steps that
the DAGs call. On the second day the reader is one that sees no weapon; on the last that day is read again.

    python demo/play_story.py FOLDER     # plays into FOLDER, prints the timeline
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from blotter import confined, judging, queries, reprocessing, steps
from blotter.config import Settings, load_settings
from blotter.extract import Reader
from blotter.model import Article, Reading

STORY = Path(__file__).parents[1] / "seeds" / "story"
EDITED_ON, REREAD_ON = "2026-03-14", "2026-03-15"


def play_story(home: Path) -> Settings:
    """Play the story in `home`; returns the settings whose warehouse has it."""
    days = sorted(folder.name for folder in STORY.iterdir() if folder.is_dir())
    for day in days:
        settings = make_settings(home, day)
        with read_as_before() if day == days[1] else _nothing():
            _play_day(settings, day)
    settle_by_hand(make_settings(home, EDITED_ON))
    settings = make_settings(home, REREAD_ON)
    read_again(settings, date.fromisoformat(days[1]))
    return settings


def make_settings(home: Path, day: str) -> Settings:
    """Settings of a pipeline in a folder of its own, with the clock at the end of a day."""
    places = {name: str(home / name) for name in ("warehouse", "archive", "staging", "inbox")}
    variables = places | {
        "state": str(home / "state.db"),
        "alerts_log": str(home / "alerts.jsonl"),
        "clock": f"{day}T23:59:59+00:00",
        "drops__settle_s": "0",
        "read__confine": "false",  # the earlier reader is one of this process
    }
    return load_settings(environ={f"BLOTTER_{name.upper()}": value for name, value in variables.items()})


def find_main(settings: Settings) -> str:
    """Give the incident that the story is about: the one on Cedar Street."""
    connection = queries.connect(settings.warehouse)
    try:
        (row,) = queries.fetch_rows(
            connection, "SELECT DISTINCT incident_id FROM incidents WHERE street = 'Cedar Street' AND version = 1"
        )
        return str(row["incident_id"])
    finally:
        connection.close()


def settle_by_hand(settings: Settings) -> None:
    """Let an editor take the two incidents for one, undo that, and set a number that she asked for."""
    main = find_main(settings)
    connection = queries.connect(settings.warehouse)
    (crash,) = queries.fetch_rows(connection, "FROM current_incidents WHERE incident_id <> ?", [main])
    connection.close()
    both = {"incident_id": crash["incident_id"], "other_incident_id": main}
    decided = (
        ("merge", "Maki is in both", both),
        ("split", "she was never at Cedar Street", both),
        ("set", "asked the hospital", {"incident_id": main, "field": "n_injured", "value": "2"}),
    )
    for minute, (action, why, about) in enumerate(decided):
        at = datetime.fromisoformat(f"{EDITED_ON}T20:{minute:02d}:00+00:00")
        judgement = judging.make_judgement(action, actor="r.salo", reason=why, judged_at=at, **about)
        judging.publish_judgement(settings, judgement, run_id=f"judged-{minute}")


def read_again(settings: Settings, day: date) -> reprocessing.Preview:
    """Read a day's pages with the present reader, and publish what that changes."""
    plan = reprocessing.plan_reprocess(settings, since=day, until=day)
    for slice_id in plan.slice_ids:
        reprocessing.reread_slice(settings, plan.plan_id, slice_id)
    preview = reprocessing.preview_reprocess(settings, plan.plan_id)
    reprocessing.publish_reprocess(settings, plan.plan_id, run_id="reprocess")
    return preview


class _EarlierReader(Reader):
    """The reader of an earlier version: it does not see weapons."""

    def read(self, article: Article) -> Reading:
        found = super().read(article)
        claims = tuple(claim for claim in found.claims if claim.field != "weapon")
        return replace(found, claims=claims, extractor_version="rules-0")


@contextmanager
def read_as_before() -> Iterator[None]:
    """Let the earlier reader read."""
    load_reader = confined.load_reader
    earlier = _EarlierReader()
    confined.load_reader = lambda _: earlier  # type: ignore[assignment]
    try:
        yield
    finally:
        confined.load_reader = load_reader


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _play_day(settings: Settings, day: str) -> None:
    shutil.copytree(STORY / day, settings.inbox, dirs_exist_ok=True)
    steps.ingest_drops(settings, run_id=f"drops-{day}")
    for slice_id in steps.plan_slices(settings):
        steps.read_slice(settings, slice_id)
    steps.publish_batch(settings, run_id=f"build-{day}")


def show_story(settings: Settings, console: object | None = None) -> None:
    """Print the timeline of the incident that the story is about."""
    from rich.console import Console

    from blotter.show import show_timeline

    printer = console if isinstance(console, Console) else Console(width=None if sys.stdout.isatty() else 160)
    main = find_main(settings)
    connection = queries.connect(settings.warehouse)
    try:
        record = queries.read_incident(connection, main, as_of=datetime.fromisoformat("9999-12-31T00:00:00+00:00"))
        changes = queries.read_timeline(connection, main)
    finally:
        connection.close()
    if record is not None:
        show_timeline(printer, record, changes)


if __name__ == "__main__":
    show_story(play_story(Path(sys.argv[1])))
