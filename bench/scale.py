"""How many pages a day one writer publishes, and how long a page waits: a day simulated with costs measured here.

Measures, in CPU time on one core: taking a document in, cleaning and reading it, and publishing a batch (linking,
resolving, tracking, checks and tables) as a fixed cost and one for each page. Then plays a day of 100,000 to 10,000,000
pages: pages come as news does, twice as many at noon as at night; workers read slices of 300; one writer takes all that
is read, one batch after the other. Writes a picture to `docs/images/scale.svg` with `--picture`.
"""

import argparse
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from news import write_news

from blotter import steps
from blotter.config import Settings, load_settings

DAY_S = 86_400
SLICE = 300
TASK_S = 3.5  # what Airflow adds to a task on Celery, imports included (docs/scaling.md)
GROWTH = 2.0  # what an article costs more with a million stored incidents than with a thousand (bench/link.py: 1.9)
RATES = (100_000, 300_000, 1_000_000, 2_000_000, 3_000_000, 5_000_000, 10_000_000)
PICTURE = Path(__file__).parents[1] / "docs" / "images" / "scale.svg"


@dataclass(frozen=True)
class Costs:
    """CPU seconds: for a page, and for a batch."""

    take_page_s: float
    read_page_s: float
    publish_page_s: float
    publish_batch_s: float


@dataclass(frozen=True)
class Played:
    """What a day came to."""

    pages: int
    workers: int
    busy: float  # share of the day in which the writer works
    median_s: float  # from a page's coming to its publishing
    worst_s: float  # the same, of 99 in 100 pages at most
    backlog: int  # pages that wait at midnight


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", action="store_true", help="write docs/images/scale.svg")
    parser.add_argument("--pages", type=int, default=2_000, help="size of the large batch that is measured")
    options = parser.parse_args()
    costs = measure_costs(options.pages)
    print(
        f"a page: {1000 * costs.take_page_s:.1f} ms to take in, {1000 * costs.read_page_s:.1f} ms to read, "
        f"{1000 * costs.publish_page_s:.1f} ms to publish; a batch: {costs.publish_batch_s:.2f} s"
    )
    days = [play_day(rate, costs) for rate in RATES]
    print("pages a day   workers   writer busy   median wait   99 % wait   left at midnight")
    for day in days:
        print(
            f"{day.pages:>11,}   {day.workers:>7}   {day.busy:>11.0%}   {day.median_s:>9.0f} s   {day.worst_s:>7.0f} s"
            f"   {day.backlog:>16,}"
        )
    if options.picture:
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(draw(days), encoding="utf-8")


def measure_costs(n_large: int) -> Costs:
    """Run batches through the steps, each on stores of its own.

    What a batch costs however small it is, is taken from one of 20 pages; what a page costs, from what is left.
    """
    with tempfile.TemporaryDirectory() as scratch:
        run_batch(Path(scratch) / "warm", 20)
        small = run_batch(Path(scratch) / "small", 20)
        large = run_batch(Path(scratch) / "large", n_large)
    return Costs(
        take_page_s=large[0] / n_large,
        read_page_s=large[1] / n_large,
        publish_page_s=(large[2] - small[2]) / n_large * GROWTH,
        publish_batch_s=small[2],
    )


def run_batch(folder: Path, n_pages: int) -> tuple[float, float, float]:
    """Take in, read and publish invented news; returns the CPU seconds of each."""
    settings = _settings_in(folder)
    write_news(folder / "inbox" / "bench" / "news.jsonl", n_pages)

    def read() -> None:
        for slice_id in steps.plan_slices(settings):
            steps.read_slice(settings, slice_id)

    return (
        cpu_s(lambda: steps.ingest_drops(settings, run_id="bench")),
        cpu_s(read),
        cpu_s(lambda: steps.publish_batch(settings, run_id="bench")),
    )


def _settings_in(folder: Path) -> Settings:
    places = {name: str(folder / name) for name in ("warehouse", "archive", "staging", "inbox")}
    given = {
        **places,
        "state": str(folder / "state.db"),
        "drops__settle_s": "0",
        "read__slice_size": str(SLICE),
        "read__confine": "false",  # in this process, so that its time is counted
        "alerts": str(Path(__file__).parents[1] / "include" / "alerts.yaml"),
        "alerts_log": str(folder / "alerts.jsonl"),
        "sources": str(Path(__file__).parents[1] / "include" / "sources"),
    }
    return load_settings(environ={f"BLOTTER_{name.upper()}": value for name, value in given.items()})


def cpu_s(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def play_day(pages: int, costs: Costs) -> Played:
    """Play one day, slice by slice: when each was full, read and published."""
    peak = pages / DAY_S * (1 + _SWING)
    slice_s = SLICE * (costs.take_page_s + costs.read_page_s) + TASK_S
    workers = max(1, math.ceil(peak / SLICE * slice_s / 0.8))
    full = _times_of_slices(pages)
    read = _read_slices(full, workers, slice_s)
    waits, published_at, busy_s, number = [], 0.0, 0.0, 0
    while number < len(read):
        start = max(published_at, read[number])
        taken = number
        while taken < len(read) and read[taken] <= start:
            taken += 1
        duration = TASK_S + costs.publish_batch_s + (taken - number) * SLICE * costs.publish_page_s
        published_at = start + duration
        busy_s += min(duration, max(0.0, DAY_S - start))
        waits += [published_at - full[one] for one in range(number, taken)]
        number = taken
    left = sum(SLICE for at, wait in zip(full, waits, strict=True) if at + wait > DAY_S)
    waits.sort()
    return Played(
        pages=pages,
        workers=workers,
        busy=busy_s / DAY_S,
        median_s=waits[len(waits) // 2],
        worst_s=waits[int(len(waits) * 0.99)],
        backlog=left,
    )


_SWING = 1 / 3  # above and below the mean: twice as many at noon as at midnight


def _times_of_slices(pages: int) -> list[float]:
    """When each slice of a day is full, in seconds: the rate swings about its mean over the day."""
    times: list[float] = []
    arrived, second = 0.0, 0
    while second < DAY_S:
        arrived += pages / DAY_S * 10 * (1 - _SWING * math.cos(2 * math.pi * second / DAY_S))
        second += 10
        while arrived >= SLICE * (len(times) + 1):
            times.append(float(second))
    return times


def _read_slices(full: Sequence[float], workers: int, slice_s: float) -> list[float]:
    """When each slice is read: the first worker that is free takes the next slice."""
    free = [0.0] * workers
    done = []
    for at in full:
        worker = min(range(workers), key=free.__getitem__)
        free[worker] = max(free[worker], at) + slice_s
        done.append(free[worker])
    return sorted(done)


def draw(days: Sequence[Played]) -> str:
    """Draw the writer's load, and how long pages wait, over the pages of a day."""
    width, height, left, bottom = 760, 350, 70, 60
    shown = [day for day in days if day.busy < 0.995]

    def x(pages: int) -> float:
        low, high = math.log10(days[0].pages), math.log10(days[-1].pages)
        return left + (math.log10(pages) - low) / (high - low) * (width - left - 80)

    def y(share: float) -> float:
        return height - bottom - share * (height - bottom - 48)

    def y_wait(seconds: float) -> float:
        return y(min(1.0, math.log10(max(1.0, seconds)) / 4))

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="12"><rect width="{width}" height="{height}" fill="white"/>'
    ]
    for share in (0, 0.25, 0.5, 0.75, 1):
        parts.append(f'<line x1="{left}" x2="{width - 80}" y1="{y(share)}" y2="{y(share)}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 8}" y="{y(share) + 4}" text-anchor="end" fill="#1f5fa8">{share:.0%}</text>')
        parts.append(f'<text x="{width - 72}" y="{y(share) + 4}" fill="#b03a2e">{10 ** (4 * share):,.0f} s</text>')
    for day in days:
        told = f"{day.pages // 1000}k" if day.pages < 1_000_000 else f"{day.pages / 1e6:g}M"
        parts.append(f'<text x="{x(day.pages)}" y="{height - bottom + 20}" text-anchor="middle">{told}</text>')
        parts.append(f'<circle cx="{x(day.pages)}" cy="{y(day.busy)}" r="4" fill="#1f5fa8"/>')
    for values, colour, dash in (
        ([(x(day.pages), y(day.busy)) for day in days], "#1f5fa8", ""),
        ([(x(day.pages), y_wait(day.median_s)) for day in shown], "#b03a2e", ""),
        ([(x(day.pages), y_wait(day.worst_s)) for day in shown], "#b03a2e", "5 4"),
    ):
        points = " ".join(f"{one:.1f},{other:.1f}" for one, other in values)
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        )
    parts.append(f'<text x="{left}" y="18" fill="#1f5fa8">share of the day in which the writer works</text>')
    parts.append(
        f'<text x="{width - 80}" y="34" text-anchor="end" fill="#b03a2e">seconds from coming to published: median, and '
        "of 99 in 100 pages (dashed)</text>"
    )
    parts.append(f'<text x="{width / 2}" y="{height - 12}" text-anchor="middle">pages a day, one writer</text></svg>')
    return "\n".join(parts)


if __name__ == "__main__":
    main()
