"""Whether sources do what they used to: what is usual is learnt, and what stopped is told.

Belongs here: learning a source's habit from a published batch, judging it, and the rows of `blotter sources health`.
Does not belong here: a feed's own state (`schedule.judge_feed`), remembering (`blotter.store.habits`), any clock.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from blotter.ingest.schedule import MIN_SILENCE_S, SILENCE_GAPS, judge_feed, start_cursor
from blotter.sources import Source
from blotter.store.feeds import FeedCursor
from blotter.store.habits import Measure, SourceHabit

USUAL_SHARE = 1 / 1000  # of the newest article in what is usual
LATELY_SHARE = 1 / 20  # and in what is lately; claims vary much more than lengths, so more articles count
LATELY_CLAIMS_SHARE = 1 / 100
MIN_ARTICLES = 40  # before which nothing is called usual
FALL_RATIO = 0.5  # lately under this share of what is usual is a fall,
FALL_ERRORS = 3.5  # if it is also so many standard errors below: what varies much is not told for varying
_MEMORY_DAYS = 30.0  # after which what arrived weighs a third
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One input of a source as a batch settled it: an article's length and number of claims, or None, None."""

    source_id: str
    n_chars: int | None = None
    n_claims: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRow:
    """One feed, or one source without feeds (`url` is None): `fault` says what is wrong; None where nothing is.

    `status` is the fault's first word: paused, failing, empty, silent, shorter, poorer, walled; or ok, off, new.
    """

    source_id: str
    name: str
    url: str | None
    status: str
    fault: str | None
    last_outcome: str | None = None
    last_ok_at: datetime | None = None
    last_new_at: datetime | None = None
    next_due_at: datetime | None = None
    interval_s: float | None = None
    usual_gap_s: float | None = None  # between polls that bring something
    n_entries: int | None = None
    n_failures: int = 0
    n_articles: int = 0  # of the source
    articles_per_day: float | None = None
    usual_chars: float | None = None  # of a text: geometric means
    chars_lately: float | None = None
    usual_claims: float | None = None  # of an article
    claims_lately: float | None = None
    usable_ratio: float | None = None  # inputs that were articles, lately


def learn_habits(known: Mapping[str, SourceHabit], taken: Iterable[Taken], *, now: datetime) -> list[SourceHabit]:
    """Learn from what a batch published at `now` took in, in its order; gives the habits that changed, by source id."""
    by_source: dict[str, list[Taken]] = {}
    for one in taken:
        by_source.setdefault(one.source_id, []).append(one)
    return [_learn_habit(known.get(source_id), by_source[source_id], now) for source_id in sorted(by_source)]


def judge_habit(habit: SourceHabit) -> str | None:
    """Say what fell at a source, for an operator; None where its articles are what they used to be."""
    if _has_fallen(habit.usable):
        return (
            f"walled: {habit.usable.lately:.0%} of what it brings can be used, where it used to be "
            f"{habit.usable.usual:.0%}"
        )
    if _has_fallen(habit.log_chars, is_log=True):
        return (
            f"shorter: texts have {math.exp(habit.log_chars.lately):,.0f} characters, where it used to be "
            f"{math.exp(habit.log_chars.usual):,.0f}"
        )
    if _has_fallen(habit.claims, LATELY_CLAIMS_SHARE):
        return f"poorer: {habit.claims.lately:.1f} claims an article, where it used to be {habit.claims.usual:.1f}"
    return None


def find_faults(habits: Mapping[str, SourceHabit]) -> dict[str, str]:
    """Judge many habits; gives what fell, by source id."""
    return {source_id: fault for source_id, habit in habits.items() if (fault := judge_habit(habit)) is not None}


def judge_silence(habit: SourceHabit, now: datetime) -> str | None:
    """Say that a source without feeds brings nothing any more, measured against its own rate; None where it does."""
    per_day = tell_rate(habit)
    if habit.n_articles < 2 or not per_day:
        return None
    silent_days = (now - habit.last_at).total_seconds() / _DAY_S
    if silent_days > max(SILENCE_GAPS / per_day, MIN_SILENCE_S / _DAY_S):
        return f"silent: nothing for {silent_days:.1f} days, where it used to be {per_day:.2g} articles a day"
    return None


def tell_rate(habit: SourceHabit) -> float | None:
    """Give a source's articles a day, as they were until its last batch; None before a day was watched."""
    return habit.arrived / habit.watched_days if habit.watched_days >= 1 else None


def read_health(
    sources: Mapping[str, Source],
    *,
    cursors: Mapping[str, FeedCursor],
    habits: Mapping[str, SourceHabit],
    now: datetime,
) -> list[HealthRow]:
    """Tell how every feed of every source does, and every source without feeds: what is wrong first, then by source."""
    rows = [row for source in sources.values() for row in _read_source(source, cursors, habits.get(source.id), now)]
    return sorted(rows, key=lambda row: (row.fault is None, row.source_id, row.url or ""))


def _read_source(
    source: Source, cursors: Mapping[str, FeedCursor], habit: SourceHabit | None, now: datetime
) -> Iterator[HealthRow]:
    about = _tell_habit(habit)
    fallen = judge_habit(habit) if habit is not None else None
    if not source.feeds:
        fault = fallen or (judge_silence(habit, now) if habit is not None else None)
        status, fault = _tell_status(fault, source.enabled, habit)
        yield replace(about, source_id=source.id, name=source.name, status=status, fault=fault)
    for feed in source.feeds:
        cursor = cursors.get(feed.url) or start_cursor(source.id, feed)
        status, fault = _tell_status(
            judge_feed(cursor, now) or fallen, source.enabled and feed.enabled, cursor.last_outcome
        )
        yield replace(
            about,
            source_id=source.id,
            name=source.name,
            url=feed.url,
            status=status,
            fault=fault,
            last_outcome=cursor.last_outcome,
            last_ok_at=cursor.last_ok_at,
            last_new_at=cursor.last_new_at,
            next_due_at=cursor.next_due_at,
            interval_s=cursor.interval_s,
            usual_gap_s=cursor.gap_s,
            n_entries=cursor.n_entries,
            n_failures=cursor.n_failures,
        )


def _tell_status(fault: str | None, is_enabled: bool, known: object) -> tuple[str, str | None]:
    if not is_enabled:
        return "off", None
    if fault is not None:
        return fault.partition(":")[0], fault
    return ("ok" if known else "new"), None


def _tell_habit(habit: SourceHabit | None) -> HealthRow:
    empty = HealthRow(source_id="", name="", url=None, status="", fault=None)
    if habit is None:
        return empty
    return replace(
        empty,
        n_articles=habit.n_articles,
        articles_per_day=tell_rate(habit),
        last_new_at=habit.last_at if habit.n_articles else None,
        usual_chars=math.exp(habit.log_chars.usual) if habit.log_chars.n else None,
        chars_lately=math.exp(habit.log_chars.lately) if habit.log_chars.n else None,
        usual_claims=habit.claims.usual if habit.claims.n else None,
        claims_lately=habit.claims.lately if habit.claims.n else None,
        usable_ratio=habit.usable.lately if habit.usable.n else None,
    )


def _learn_habit(habit: SourceHabit | None, taken: Sequence[Taken], now: datetime) -> SourceHabit:
    if habit is None:
        # The first batch is a backlog of no known length: it says nothing about the rate.
        learnt = SourceHabit(source_id=taken[0].source_id, first_at=now, last_at=now, watched_at=now)
    else:
        learnt = _watch(habit, now)
        learnt = replace(learnt, arrived=learnt.arrived + sum(one.n_chars is not None for one in taken))
    for one in taken:
        learnt = replace(learnt, usable=_learn(learnt.usable, float(one.n_chars is not None)))
        if one.n_chars is None:
            continue
        learnt = replace(
            learnt,
            last_at=max(now, learnt.last_at),
            n_articles=learnt.n_articles + 1,
            log_chars=_learn(learnt.log_chars, math.log(max(1, one.n_chars))),
            claims=_learn(learnt.claims, float(one.n_claims or 0), LATELY_CLAIMS_SHARE),
        )
    return learnt


def _watch(habit: SourceHabit, now: datetime) -> SourceHabit:
    """Let the days since the last batch go by, and what came before them weigh less."""
    days = max(0.0, (now - habit.watched_at).total_seconds() / _DAY_S)
    kept = math.exp(-days / _MEMORY_DAYS)
    return replace(
        habit,
        watched_at=max(now, habit.watched_at),
        watched_days=habit.watched_days * kept + days,
        arrived=habit.arrived * kept,
    )


def _learn(measure: Measure, value: float, lately_share: float = LATELY_SHARE) -> Measure:
    n = measure.n + 1
    usual_share = max(1 / n, USUAL_SHARE)
    off = value - measure.usual
    return Measure(
        n=n,
        usual=measure.usual + usual_share * off,
        variance=(1 - usual_share) * (measure.variance + usual_share * off * off),
        lately=measure.lately + max(1 / n, lately_share) * (value - measure.lately),
    )


def _has_fallen(measure: Measure, lately_share: float = LATELY_SHARE, *, is_log: bool = False) -> bool:
    fall = measure.usual - measure.lately
    is_large = fall > -math.log(FALL_RATIO) if is_log else measure.lately < FALL_RATIO * measure.usual
    error = math.sqrt(measure.variance * lately_share / (2 - lately_share))  # of a running mean
    return measure.n >= MIN_ARTICLES and is_large and fall > FALL_ERRORS * error
