"""What the quality gate costs: a batch of 10 and of 1,000 articles through all suites, over the same batch's rows made
ready for it without Great Expectations. The import of Great Expectations is told apart: a process pays it once.
"""

import statistics
import sys
import time
from datetime import timedelta
from pathlib import Path

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.good_batch import TUESDAY, make_rows, make_tables

from blotter.quality import check_batch, checks_of
from blotter.quality.frames import Batch, build_frame
from blotter.quality.gate import open_context

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


if __name__ == "__main__":
    main()
