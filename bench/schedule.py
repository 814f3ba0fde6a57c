"""A simulated day of polling: many feeds on many hosts, the real planner and schedule, no real clock or network.

Every ten minutes what is due is planned (`plan_feeds`), asked for (a simulated answer: news since the last poll or not)
and scheduled anew (`advance_cursor`). Feeds publish at rates between four an hour and one a month. Compared with asking
every feed each half hour. Writes a picture of the requests to `.bench/schedule.svg`.
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

from blotter.ingest.fetch import Fetched, Outcome
from blotter.ingest.poll import plan_feeds
from blotter.ingest.schedule import advance_cursor
from blotter.sources import Feed, Source
from blotter.store.feeds import FeedCursor

START = datetime(2026, 3, 10, tzinfo=UTC)
ROUND = timedelta(minutes=10)
FIXED_S = 1800.0
SPACING_S = 1.0  # between two requests to a host


class Day:
    """The simulated feeds and what has been asked of them."""

    def __init__(self, n_feeds: int, n_hosts: int) -> None:
        rng = random.Random(7)
        urls = [f"https://h{n % n_hosts}.example/{n}" for n in range(n_feeds)]
        self.gaps_s = {url: 900.0 * 2880 ** rng.random() for url in urls}  # from 15 minutes to 30 days
        self.next_story = {url: START + timedelta(seconds=rng.random() * gap) for url, gap in self.gaps_s.items()}
        self.sources = {
            f"s{host}": Source(
                id=f"s{host}", name=f"s{host}", feeds=tuple(Feed(url=url) for url in urls[host::n_hosts])
            )
            for host in range(n_hosts)
        }
        self.cursors: dict[str, FeedCursor] = {}
        self.delays_s: list[float] = []
        self.late_s: list[float] = []
        self.n_requests: list[int] = []
        self.plan_s: list[float] = []
        self.busiest_host_s = 0.0

    def play_round(self, now: datetime) -> None:
        started = time.perf_counter()
        planned = plan_feeds(self.sources, self.cursors, now=now)
        self.plan_s.append(time.perf_counter() - started)
        self.n_requests.append(len(planned))
        on_host = Counter(urlsplit(cursor.url).netloc for _, cursor in planned)
        self.busiest_host_s = max(self.busiest_host_s, max(on_host.values(), default=0) * SPACING_S)
        for _, cursor in planned:
            if cursor.next_due_at is not None:
                self.late_s.append((now - cursor.next_due_at).total_seconds())
            self.cursors[cursor.url] = self.ask(cursor, now)

    def ask(self, cursor: FeedCursor, now: datetime) -> FeedCursor:
        n_new, gap = 0, timedelta(seconds=self.gaps_s[cursor.url])
        while self.next_story[cursor.url] <= now:
            self.delays_s.append((now - self.next_story[cursor.url]).total_seconds())
            self.next_story[cursor.url] += gap
            n_new += 1
        outcome = Outcome.OK if n_new or cursor.last_full_at is None else Outcome.NOT_MODIFIED
        return advance_cursor(cursor, Fetched(url=cursor.url, outcome=outcome, requested_at=now), now=now, n_new=n_new)


def write_picture(path: Path, hourly: list[int], fixed: float) -> None:
    """Draw requests an hour as bars, and what a fixed interval would take as a line."""
    width, height, top = 720, 320, max(fixed, *hourly) * 1.1
    step = (width - 90) / len(hourly)
    bars = "".join(
        f'<rect x="{70 + n * step:.1f}" y="{height - 40 - (height - 80) * count / top:.1f}" width="{step * 0.8:.1f}" '
        f'height="{(height - 80) * count / top:.1f}" fill="#4477aa"/>'
        f'<text x="{70 + (n + 0.4) * step:.1f}" y="{height - 24}" font-size="10" text-anchor="middle">{n}</text>'
        for n, count in enumerate(hourly)
    )
    line = height - 40 - (height - 80) * fixed / top
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">'
        f'<rect width="100%" height="100%" fill="white"/><text x="70" y="20" font-size="13">Requests an hour: blotter '
        f"(bars), every half hour (line)</text>{bars}"
        f'<line x1="70" x2="{width - 20}" y1="{line:.1f}" y2="{line:.1f}" stroke="#cc3311" stroke-width="2"/>'
        f'<text x="64" y="{line + 4:.1f}" font-size="11" text-anchor="end">{fixed:,.0f}</text>'
        f'<text x="64" y="{height - 40}" font-size="11" text-anchor="end">0</text>'
        f'<text x="{width / 2}" y="{height - 8}" font-size="11" text-anchor="middle">hour of the day</text></svg>'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, default=20_000, help="100000 on 5000 hosts takes some minutes")
    parser.add_argument("--hosts", type=int, default=1_000)
    parser.add_argument("--hours", type=int, default=24)
    arguments = parser.parse_args()
    day = Day(arguments.feeds, arguments.hosts)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rounds_an_hour = int(timedelta(hours=1) / ROUND)
    for number in range(arguments.hours * rounds_an_hour):
        day.play_round(START + number * ROUND)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    fixed = arguments.feeds * 3600 / FIXED_S
    hourly = [sum(day.n_requests[n : n + rounds_an_hour]) for n in range(0, len(day.n_requests), rounds_an_hour)]
    picture = Path(__file__).parents[1] / ".bench" / "schedule.svg"
    write_picture(picture, hourly, fixed)
    last = sum(hourly[-6:]) / 6
    print(f"a simulated day of {arguments.feeds:,} feeds on {arguments.hosts:,} hosts, a round in ten minutes")
    print(f"  requests: {sum(hourly):,}; {1 - last / fixed:.0%} fewer than every half hour, in the last six hours")
    print(f"  news seen {median(day.delays_s) / 60:.0f} min after it came (median of {len(day.delays_s):,} stories)")
    print(f"  due feeds were planned at most {max(day.late_s) / 60:.0f} min late: rounds are ten minutes apart")
    print(f"  the busiest host needed {day.busiest_host_s:.0f} s of a round's 600, one request a second")
    print(f"  planning took {median(day.plan_s):.2f} s, at most {max(day.plan_s):.2f} s; memory grew by {grown:.0f} MB")


if __name__ == "__main__":
    main()
