"""What the quality gate costs: a batch of 10 and of 1,000 articles through all suites, over the same batch's rows made
ready for it without Great Expectations. The import of Great Expectations is told apart: a process pays it once.
"""

import json
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.good_batch import TUESDAY, make_rows, make_tables

from blotter.quality import check_batch, checks_of
from blotter.quality.frames import Batch, build_frame
from blotter.quality.gate import open_context

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
NOW = TUESDAY + timedelta(hours=2)
_IDS = ("_id", "claim_ids")


def make_batch(n_articles: int) -> dict[str, pa.Table]:
    """The consistent two-article story of the tests, repeated under other ids until there are so many articles."""
    story = make_rows()
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in story}
    for copy in range(n_articles // 2):
        for name, listed in story.items():
            rows[name] += [{column: rename(column, value, copy) for column, value in row.items()} for row in listed]
    return make_tables(rows, batch_id="bench")


def rename(column: str, value: object, copy: int) -> object:
    if column.endswith(_IDS) and column not in ("source_id", "run_id", "batch_id"):
        if isinstance(value, list | tuple):
            return [f"{part}-{copy}" for part in value]
        return None if value is None else f"{value}-{copy}"
    return value


def median_ms(run: object, times: int) -> float:
    elapsed = []
    for _ in range(times):
        start = time.process_time()
        run()  # type: ignore[operator]
        elapsed.append(time.process_time() - start)
    return statistics.median(elapsed) * 1000


def write_articles(path: Path, n_articles: int) -> None:
    """Write short news of shootings and fires in other towns and on other days, as JSON lines."""
    towns = ("Peoria", "Toledo", "Dayton", "Duluth", "Boise", "Fresno", "Tulsa", "Mobile", "Salem", "Reno")
    names = ("Ann", "Dana", "Luis", "Omar", "Ruth", "Paul", "Nina", "Carl", "Vera", "Hugo")
    with path.open("w", encoding="utf-8") as lines:
        for number in range(n_articles):
            town, day = towns[number % 10], MARCH + timedelta(days=number // 40 % 28)
            what = "shot and wounded" if number % 3 else "hurt in a fire"
            name = f"{names[number // 10 % 10]} {names[number // 100 % 10]}son"
            told = (
                f"{town.upper()} - A {20 + number % 60}-year-old man was {what} on {day - timedelta(days=1):%A} in the "
                f"{number % 97 + 1}00 block of Dock Street in {town}, police said.\n\nThe victim, {name}, was taken to "
                f"Mercy Hospital and is in stable condition. A suspect, whose name was not released, was arrested.\n\n"
                f"Police ask anyone who saw what happened to call. The street was closed for {number % 7 + 1} hours. "
                f"Neighbors said that they heard nothing until sirens came. The case is under investigation."
            )
            line = {"url": f"http://h{number % 20}.example/{number}", "title": f"Man {what} in {town}", "text": told}
            lines.write(json.dumps(line | {"published": f"{day:%Y-%m-%d}"}) + "\n")


def measure_share(n_articles: int) -> None:
    """Print the gate's share of the processor time of a run from drop to tables, imports and starts apart."""
    from blotter import publishing, steps
    from blotter.config import Settings
    from blotter.reading import load_reader

    load_reader(None)
    spent = 0.0
    check = publishing.check_batch

    def check_and_measure(*given: object, **named: object) -> object:
        nonlocal spent
        start = time.process_time()
        report = check(*given, **named)  # type: ignore[arg-type]
        spent += time.process_time() - start
        return report

    publishing.check_batch = check_and_measure  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as scratch:
        names = ("warehouse", "archive", "staging", "state", "inbox")
        settings = Settings(**{name: f"{scratch}/{name}" for name in names}, clock=f"{MARCH:%Y}-04-02T12:00:00+00:00")
        settings = settings.model_copy(
            update={
                "drops": settings.drops.model_copy(update={"settle_s": 0}),
                "read": settings.read.model_copy(update={"confine": False}),  # so that all of it is this process' time
            }
        )
        Path(settings.inbox).mkdir()
        write_articles(Path(settings.inbox) / "a.jsonl", n_articles)
        start = time.process_time()
        steps.ingest_drops(settings, run_id="bench")
        for slice_id in steps.plan_slices(settings):
            steps.read_slice(settings, slice_id)
        counts = steps.publish_batch(settings, run_id="bench")
        whole = time.process_time() - start
    assert counts["n_published"] > 0.9 * n_articles, counts
    print(
        f"a run of {n_articles} articles of 90 words ({counts['n_published']} published): {whole:.1f} s, of it the "
        f"gate {spent:.2f} s: {spent / whole:.1%} (goal under 10 %)"
    )


def main() -> None:
    start = time.process_time()
    open_context()
    print(f"import of Great Expectations: {time.process_time() - start:.1f} s, once a process")
    for n_articles in (10, 1_000):
        tables = make_batch(n_articles)
        batch = Batch(tables, NOW, {}, {})
        report = check_batch(tables, batch_id="bench", now=NOW, references={})
        assert not report.is_blocked, report.message
        frames = median_ms(lambda b=batch: [build_frame(name, b) for name in b.tables], 5)
        whole = median_ms(lambda t=tables: check_batch(t, batch_id="bench", now=NOW, references={}), 5)
        screened = median_ms(
            lambda t=tables: check_batch(t, batch_id="bench", now=NOW, references={}, is_screened=True), 5
        )
        n_rows = sum(table.num_rows for table in tables.values())
        n_checks = sum(len(checks_of(name)) for name in tables)
        print(f"{n_articles} articles ({n_rows} rows, {len(tables)} tables), {n_checks} expectations:")
        print(f"  {whole:.0f} ms ({whole / n_articles:.2f} an article), of it {frames:.0f} to work out columns")
        print(f"  {screened:.0f} ms where a plain look comes first, as in a replay")
    measure_share(1_000)


if __name__ == "__main__":
    main()
