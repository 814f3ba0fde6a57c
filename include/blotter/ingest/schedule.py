"""When a feed or page is asked for again: decisions only, no clock and no network.

Belongs here: intervals, backoff, adoption of moved addresses, pausing. Does not belong here: asking (`fetch`) and
remembering (`blotter.store.feeds`).
"""

from dataclasses import replace
from datetime import datetime, timedelta

from blotter.ids import sha256_hex
from blotter.ingest.fetch import Fetched, Outcome
from blotter.sources import Feed
from blotter.store.feeds import FeedCursor, FollowedPage

MIN_INTERVAL_S = 300.0
MAX_INTERVAL_S = 86_400.0
FASTER, SLOWER = 0.6, 1.25  # at a factor of each, a feed settles where about one poll in three brings something
JITTER = 0.1
MOVES_TO_ADOPT = 3  # a permanent redirect counts once it was seen so often in a row
FULL_EVERY = timedelta(days=1)  # some feeds answer 304 for ever: so often they are asked for without conditions
FAILURES_TO_TELL = 3
SILENCE_GAPS, MIN_SILENCE_S, GAP_SHARE = 6, 2 * 86_400.0, 0.2
PAGE_DELAYS = tuple(timedelta(hours=hours) for hours in (1, 4, 12, 24, 72, 168))


def start_cursor(source_id: str, feed: Feed) -> FeedCursor:
    """Stand at the start with a feed that was never asked: it is due."""
    return FeedCursor(url=feed.url, source_id=source_id, interval_s=feed.interval_s)


def choose_address(cursor: FeedCursor) -> str:
    """Choose the address to ask: the one that a permanent redirect was adopted to, else the feed's own."""
    return cursor.moved_to if cursor.moved_to and cursor.n_moves >= MOVES_TO_ADOPT else cursor.url


def is_due(cursor: FeedCursor, now: datetime) -> bool:
    """Tell whether a feed is to be asked now."""
    return cursor.paused_reason is None and (cursor.next_due_at is None or cursor.next_due_at <= now)


def is_conditional(cursor: FeedCursor, now: datetime) -> bool:
    """Tell whether to ask for changes only."""
    return cursor.last_full_at is not None and timedelta() <= now - cursor.last_full_at < FULL_EVERY


def advance_cursor(
    cursor: FeedCursor,
    fetched: Fetched,
    *,
    now: datetime,
    n_new: int,
    n_entries: int | None = None,
    is_whole: bool = True,
    is_urgent: bool = True,
    ttl_s: float | None = None,
) -> FeedCursor:
    """Say where we stand with a feed after a poll.

    `is_whole`: every new entry was dealt with; where not, the answer's validators are not kept, so that the next poll
    sees the feed again, and soon if that `is_urgent` (time ran out; else a page failed, and is given time).
    `ttl_s` is the least interval that the feed itself asks for.
    """
    polled = replace(cursor, n_polls=cursor.n_polls + 1, last_outcome=fetched.outcome.value)
    if fetched.outcome is Outcome.GONE:
        return replace(polled, paused_reason="gone: the server says that this feed is no more (410)")
    if fetched.outcome is Outcome.HOST_PAUSED:
        return replace(polled, next_due_at=now + timedelta(seconds=cursor.interval_s))
    if not fetched.outcome.is_answer:
        return _back_off(polled, fetched, now)
    polled = _note_move(replace(polled, n_failures=0, last_ok_at=now), fetched)
    if fetched.outcome is Outcome.OK:
        polled = replace(
            polled,
            etag=fetched.etag if is_whole else None,
            last_modified=fetched.last_modified if is_whole else None,
            last_full_at=now,
        )
    floor = max(MIN_INTERVAL_S, min(ttl_s or 0.0, MAX_INTERVAL_S), min(fetched.max_age_s or 0.0, 3600.0))
    interval_s = cursor.interval_s * (FASTER if n_new else SLOWER)
    interval_s = min(max(interval_s, floor), MAX_INTERVAL_S)
    wait_s = MIN_INTERVAL_S if is_urgent and not is_whole else _jittered(interval_s, cursor)
    return replace(
        polled,
        interval_s=interval_s,
        next_due_at=now + timedelta(seconds=wait_s),
        last_new_at=now if n_new else cursor.last_new_at,
        gap_s=_learn_gap(cursor, now) if n_new else cursor.gap_s,
        n_entries=n_entries if n_entries is not None else cursor.n_entries,
    )


def judge_feed(cursor: FeedCursor, now: datetime) -> str | None:
    """Say what is wrong with a feed, for an operator; None where it does what it used to.

    Silence is measured against the feed's own habit: six times its usual gap, and two days at least.
    """
    if cursor.paused_reason is not None:
        return f"paused: {cursor.paused_reason}"
    if cursor.n_failures >= FAILURES_TO_TELL:
        since = f" since {cursor.last_ok_at:%Y-%m-%d %H:%M} UTC" if cursor.last_ok_at else ", and never answered"
        return f"failing: {cursor.last_outcome} {cursor.n_failures} times{since}"
    if cursor.n_entries == 0 and cursor.last_new_at is not None:
        return f"empty: it lists nothing, and brought something last {cursor.last_new_at:%Y-%m-%d %H:%M} UTC"
    if cursor.last_new_at is not None and cursor.gap_s is not None:
        silent_s = (now - cursor.last_new_at).total_seconds()
        if silent_s > max(SILENCE_GAPS * cursor.gap_s, MIN_SILENCE_S):
            return (
                f"silent: nothing new for {silent_s / 86_400:.1f} days, where it used to be {cursor.gap_s / 3600:.1f} h"
            )
    return None


def _learn_gap(cursor: FeedCursor, now: datetime) -> float | None:
    if cursor.last_new_at is None:
        return None
    gap_s = (now - cursor.last_new_at).total_seconds()
    return gap_s if cursor.gap_s is None else (1 - GAP_SHARE) * cursor.gap_s + GAP_SHARE * gap_s


def follow_page(url: str, source_id: str, *, first_seen_at: datetime, body_sha256: str | None = None) -> FollowedPage:
    """Follow a page that was had once: it is asked for again on a decaying schedule, so that edits are seen."""
    return FollowedPage(
        url=url,
        source_id=source_id,
        first_seen_at=first_seen_at,
        next_due_at=first_seen_at + PAGE_DELAYS[0],
        n_visits=1,
        body_sha256=body_sha256,
    )


def plan_visit(page: FollowedPage, now: datetime) -> datetime | None:
    """Say when a followed page that is visited `now` is asked for again; None: no more.

    A visit that was missed is not made up for: whoever comes late would ask for one page many times in a row.
    """
    return next((due_at for delay in PAGE_DELAYS if (due_at := page.first_seen_at + delay) > now), None)


def _back_off(polled: FeedCursor, fetched: Fetched, now: datetime) -> FeedCursor:
    n_failures = polled.n_failures + 1
    wait_s = min(polled.interval_s * 2 ** min(n_failures, 16), MAX_INTERVAL_S)
    wait_s = max(_jittered(wait_s, polled), fetched.retry_after_s or 0.0)
    # A move that ends in failures is none: the feed's own address is asked again.
    is_adopted = polled.n_moves >= MOVES_TO_ADOPT and n_failures < MOVES_TO_ADOPT
    return replace(
        polled,
        n_failures=n_failures,
        n_moves=polled.n_moves if is_adopted else 0,
        next_due_at=now + timedelta(seconds=wait_s),
    )


def _note_move(polled: FeedCursor, fetched: Fetched) -> FeedCursor:
    if polled.n_moves >= MOVES_TO_ADOPT and fetched.url == polled.moved_to:
        return replace(polled, moved_to=fetched.moved_to or polled.moved_to)
    if fetched.moved_to is None:
        return replace(polled, n_moves=0, moved_to=None)
    return replace(
        polled, moved_to=fetched.moved_to, n_moves=polled.n_moves + 1 if fetched.moved_to == polled.moved_to else 1
    )


def _jittered(seconds: float, cursor: FeedCursor) -> float:
    """Spread feeds apart, each by a share that is its own and changes from poll to poll, the same on every machine."""
    share = int(sha256_hex(f"{cursor.url} {cursor.n_polls}")[:8], 16) / 0xFFFF_FFFF
    return seconds * (1 - JITTER + 2 * JITTER * share)
