"""A simulated day of polling: many feeds on many hosts, the real planner and schedule, no real clock or network.

Every five minutes what is due is planned (`plan_feeds`), divided into tasks (`divide_feeds`), asked for, and scheduled
anew (`advance_cursor`). Each task keeps one host's requests a second apart, and begins none after its deadline: the
rest stays due. Hosts are as unequal as real ones (a few platforms carry hundreds of feeds), feeds publish between four
times an hour and once a month, twice as often by day as at night, and one in fifty requests fails. Writes a picture.
"""

import argparse
import random
import resource
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from blotter.config import FetchSettings
from blotter.ingest.fetch import Fetched, Outcome
from blotter.ingest.poll import Part, divide_feeds, plan_feeds
from blotter.ingest.schedule import advance_cursor
from blotter.sources import Feed, Source
from blotter.store.feeds import FeedCursor

START = datetime(2026, 3, 10, tzinfo=UTC)
ROUND = timedelta(minutes=5)  # the schedule of ingest_feeds
FIXED_S = 1800.0
SPACING_S = FetchSettings().host_spacing_s
DEADLINE_S = FetchSettings().deadline_s
FEEDS_PER_TASK = FetchSettings().feeds_per_task
BLUE, RED, GREY = "#4477aa", "#cc3311", "#555"


class Day:
    """The simulated feeds and what has been asked of them."""

    def __init__(self, n_feeds: int, n_hosts: int) -> None:
        self.rng = random.Random(7)
        weights = [1 / (rank + 40) for rank in range(n_hosts)]  # the largest carries about 1 feed in 200
        hosts = [*range(n_hosts), *self.rng.choices(range(n_hosts), weights, k=n_feeds - n_hosts)]
        urls = [f"https://www.h{host}.example/{n}" for n, host in enumerate(hosts)]
        self.gaps_s = {url: 900.0 * 2880 ** self.rng.random() for url in urls}  # from 15 minutes to 30 days
        self.next_story = {url: START + timedelta(seconds=self.rng.random() * gap) for url, gap in self.gaps_s.items()}
        by_host: dict[int, list[str]] = {}
        for url, host in zip(urls, hosts, strict=True):
            by_host.setdefault(host, []).append(url)
        self.largest = max(map(len, by_host.values()))
        self.sources = {
            f"s{host}": Source(id=f"s{host}", name=f"s{host}", feeds=tuple(Feed(url=url) for url in of_host))
            for host, of_host in by_host.items()
        }
        self.cursors: dict[str, FeedCursor] = {}
        self.asked_at: dict[str, datetime] = {}  # of each host, the last request
        self.n_impolite = self.n_left = self.n_failed = 0
        self.delays_s: list[float] = []
        self.n_late = self.n_due = 0
        self.latest_s = 0.0
        self.n_requests: list[int] = []
        self.n_tasks: list[int] = []
        self.plan_s: list[float] = []

    def play_round(self, now: datetime) -> None:
        started = time.process_time()
        planned = plan_feeds(self.sources, self.cursors, now=now)
        parts = divide_feeds(planned, feeds_per_task=FEEDS_PER_TASK)
        self.plan_s.append(time.process_time() - started)
        self.n_tasks.append(len(parts))
        self.check_division(planned, parts)
        turns: Counter[str] = Counter()
        n_asked = 0
        for _, cursor in planned:
            host = urlsplit(cursor.url).netloc
            turn_s = turns[host] * SPACING_S
            turns[host] += 1
            if turn_s > DEADLINE_S:
                self.n_left += 1
                continue
            n_asked += 1
            if cursor.next_due_at is not None:
                self.n_due += 1
                self.n_late += (now - cursor.next_due_at).total_seconds() > cursor.interval_s
            self.ask(host, cursor, now + timedelta(seconds=turn_s))
        self.n_requests.append(n_asked)

    def check_division(self, planned: list[tuple[Source, FeedCursor]], parts: list[Part]) -> None:
        """A host asked by two tasks of one round would be asked by both at once: that is impolite too."""
        for host in {urlsplit(cursor.url).netloc for _, cursor in self.rng.sample(planned, min(100, len(planned)))}:
            self.n_impolite += sum(part.holds(f"https://{host}/") for part in parts) != 1

    def ask(self, host: str, cursor: FeedCursor, at: datetime) -> None:
        last = self.asked_at.get(host)
        self.n_impolite += last is not None and (at - last).total_seconds() < SPACING_S - 1e-6
        self.asked_at[host] = at
        if cursor.next_due_at is not None:
            waited_s = (at - cursor.next_due_at).total_seconds()
            self.latest_s = max(self.latest_s, waited_s)
        if self.rng.random() < 0.02:
            self.n_failed += 1
            failed = Fetched(url=cursor.url, outcome=Outcome.READ_TIMEOUT, requested_at=at)
            self.cursors[cursor.url] = advance_cursor(cursor, failed, now=at, n_new=0)
            return
        n_new = 0
        while (published := self.next_story[cursor.url]) <= at:
            self.delays_s.append((at - published).total_seconds())
            by_night = 4 / 3 if published.hour < 12 else 2 / 3
            self.next_story[cursor.url] += timedelta(seconds=self.gaps_s[cursor.url] * by_night)
            n_new += 1
        outcome = Outcome.OK if n_new or cursor.last_full_at is None else Outcome.NOT_MODIFIED
        answer = Fetched(url=cursor.url, outcome=outcome, requested_at=at)
        self.cursors[cursor.url] = advance_cursor(cursor, answer, now=at, n_new=n_new)


def write_picture(path: Path, hourly: list[int], fixed: float, what: str) -> None:
    """Draw requests an hour as bars, and what a fixed interval would take as a line."""
    left, right, top, bottom = 84, 700, 64, 300
    most = max(fixed, *hourly) * 1.08
    step = (right - left) / len(hourly)

    def height_of(count: float) -> float:
        return bottom - (bottom - top) * count / most

    def write(x: float, y: float, text: str, *, anchor: str = "middle", size: int = 11, colour: str = GREY) -> str:
        return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">{text}</text>'

    pace = next(unit for unit in (10.0**n * share for n in range(9) for share in (1, 2, 5)) if most / unit <= 6)
    ticks = [pace * n for n in range(int(most / pace) + 1) if abs(pace * n - fixed) > pace / 4]
    drawn = [
        write(left - 60, 24, "Feed requests an hour through a simulated day", anchor="start", size=15, colour="#222"),
        write(left - 60, 44, what, anchor="start", size=12),
        *(
            f'<line x1="{left}" x2="{right}" y1="{height_of(tick):.1f}" y2="{height_of(tick):.1f}" stroke="#ddd"/>'
            + write(left - 8, height_of(tick) + 4, f"{tick:,.0f}", anchor="end")
            for tick in ticks
        ),
        *(
            f'<rect x="{left + (n + 0.1) * step:.1f}" y="{height_of(count):.1f}" width="{step * 0.8:.1f}" '
            f'height="{bottom - height_of(count):.1f}" fill="{BLUE}"/>'
            + (write(left + (n + 0.5) * step, bottom + 16, f"{n}") if n % 3 == 0 else "")
            for n, count in enumerate(hourly)
        ),
        f'<line x1="{left}" x2="{right}" y1="{height_of(fixed):.1f}" y2="{height_of(fixed):.1f}" stroke="{RED}" '
        f'stroke-width="2"/>',
        write(right, height_of(fixed) - 6, f"every feed each half hour: {fixed:,.0f}", anchor="end", colour=RED),
        write((left + right) / 2, bottom + 36, "hour of the day"),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 348" width="720" height="348" '
        f'font-family="sans-serif"><rect width="100%" height="100%" fill="white"/>{"".join(drawn)}</svg>\n',
        encoding="utf-8",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, default=20_000, help="100000 on 5000 hosts takes some minutes")
    parser.add_argument("--hosts", type=int, default=1_000)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--picture", type=Path, default=Path(__file__).parents[1] / ".bench" / "schedule.svg")
    arguments = parser.parse_args()
    day = Day(arguments.feeds, arguments.hosts)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rounds_an_hour = int(timedelta(hours=1) / ROUND)
    for number in range(arguments.hours * rounds_an_hour):
        day.play_round(START + number * ROUND)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    fixed = arguments.feeds * 3600 / FIXED_S
    hourly = [sum(day.n_requests[n : n + rounds_an_hour]) for n in range(0, len(day.n_requests), rounds_an_hour)]
    what = f"{arguments.feeds:,} feeds on {arguments.hosts:,} hosts, whose pace is not known at first"
    write_picture(arguments.picture, hourly, fixed, what)
    last = sum(hourly[-6:]) / 6
    delays = sorted(day.delays_s)
    print(f"a simulated day of {arguments.feeds:,} feeds on {arguments.hosts:,} hosts, a round in five minutes")
    print(f"  requests: {sum(hourly):,}, {1 - sum(hourly) / (fixed * len(hourly)):.0%} fewer than every half hour;")
    print(f"    {1 - last / fixed:.0%} fewer in the last six hours, when the feeds' pace is learnt")
    print(f"  {day.n_impolite} requests broke politeness; the largest host carries {day.largest} feeds")
    print(f"  due feeds were planned within their interval: {day.n_due - day.n_late:,} of {day.n_due:,} times;")
    print(
        f"    the longest wait until asked was {day.latest_s / 60:.1f} min, {day.n_left:,} were left to the next round"
    )
    print(
        f"  news seen {median(delays) / 60:.0f} min after it came (median of {len(delays):,}; nine in ten within "
        f"{delays[int(0.9 * len(delays))] / 60:.0f} min)"
    )
    same = arguments.feeds * arguments.hours * 3600 / (2 * median(delays))
    print(f"    asking all so often that news is seen as soon would take {same:,.0f} requests")
    print(
        f"  planning took {median(day.plan_s):.2f} CPU-s a round, at most {max(day.plan_s):.2f} s, for at most "
        f"{max(day.n_tasks)} tasks; memory grew by {grown:.0f} MB"
    )


if __name__ == "__main__":
    main()
