"""When a feed is asked again, and when an operator is told of it: decisions over a simulated clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blotter.ingest.fetch import Fetched, Outcome
from blotter.ingest.schedule import (
    JITTER,
    MAX_INTERVAL_S,
    MIN_INTERVAL_S,
    PAGE_DELAYS,
    advance_cursor,
    choose_address,
    follow_page,
    is_conditional,
    is_due,
    judge_feed,
    plan_visit,
)
from blotter.store.feeds import FeedCursor

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
URL = "https://courier.example/feed"


def make_cursor(**given_: object) -> FeedCursor:
    return replace(FeedCursor(url=URL, source_id="courier", interval_s=1800), **given_)  # type: ignore[arg-type]


def make_answer(outcome: Outcome = Outcome.OK, **given_: object) -> Fetched:
    return replace(Fetched(url=URL, outcome=outcome, requested_at=NOW, etag='"1"'), **given_)  # type: ignore[arg-type]


def wait_s(cursor: FeedCursor) -> float:
    assert cursor.next_due_at is not None
    return (cursor.next_due_at - NOW).total_seconds()


def test_news_shortens_the_interval_and_silence_lengthens_it() -> None:
    assert advance_cursor(make_cursor(), make_answer(), now=NOW, n_new=3).interval_s == 1080
    assert advance_cursor(make_cursor(), make_answer(Outcome.NOT_MODIFIED), now=NOW, n_new=0).interval_s == 2250


@given(
    st.lists(st.tuples(st.sampled_from(list(Outcome)), st.integers(0, 3)), max_size=60),
    st.one_of(st.none(), st.floats(0, 1e7)),
    st.one_of(st.none(), st.floats(0, 1e9)),
)
def test_whatever_happens_a_feed_stays_due_within_bounds(
    polls: list[tuple[Outcome, int]], ttl_s: float | None, max_age_s: float | None
) -> None:
    cursor = make_cursor()
    for outcome, n_new in polls:
        fetched = make_answer(outcome, max_age_s=max_age_s)
        cursor = advance_cursor(cursor, fetched, now=NOW, n_new=n_new, ttl_s=ttl_s)
        assert MIN_INTERVAL_S <= cursor.interval_s <= MAX_INTERVAL_S
        if cursor.paused_reason is None:
            assert MIN_INTERVAL_S * (1 - JITTER) <= wait_s(cursor) <= MAX_INTERVAL_S * (1 + JITTER)
        assert cursor.paused_reason is None or outcome is Outcome.GONE or Outcome.GONE in [one for one, _ in polls]


def test_an_interval_converges_to_a_feeds_own_pace() -> None:
    for gap_s in (3600.0, 6 * 3600.0):
        cursor, at, next_story = make_cursor(interval_s=86_400), NOW, NOW
        for _ in range(400):
            n_new = int((at - next_story).total_seconds() // gap_s) + 1 if at >= next_story else 0
            next_story += timedelta(seconds=gap_s * n_new)
            cursor = advance_cursor(cursor, make_answer(), now=at, n_new=n_new)
            assert cursor.next_due_at is not None
            at = cursor.next_due_at
        assert gap_s / 8 < cursor.interval_s < gap_s


def test_failures_double_the_wait_and_an_answer_ends_that() -> None:
    cursor, waits = make_cursor(), []
    for _ in range(12):
        cursor = advance_cursor(cursor, make_answer(Outcome.SERVER_ERROR), now=NOW, n_new=0)
        waits.append(wait_s(cursor))
    assert waits[0] < waits[1] < waits[2]
    assert max(waits) <= MAX_INTERVAL_S * (1 + JITTER)
    recovered = advance_cursor(cursor, make_answer(), now=NOW, n_new=1)
    assert (recovered.n_failures, recovered.last_ok_at) == (0, NOW)


def test_the_feeds_own_wish_is_kept() -> None:
    assert wait_s(advance_cursor(make_cursor(), make_answer(), now=NOW, n_new=5, ttl_s=7200)) >= 7200 * (1 - JITTER)
    assert wait_s(advance_cursor(make_cursor(), make_answer(max_age_s=3000.0), now=NOW, n_new=5)) >= 3000 * (1 - JITTER)


def test_validators_are_kept_only_if_everything_was_taken() -> None:
    assert advance_cursor(make_cursor(), make_answer(), now=NOW, n_new=1).etag == '"1"'
    left = advance_cursor(make_cursor(etag='"0"'), make_answer(), now=NOW, n_new=1, is_whole=False)
    assert left.etag is None
    assert wait_s(left) == MIN_INTERVAL_S


def test_once_a_day_a_feed_is_asked_without_conditions() -> None:
    cursor = advance_cursor(make_cursor(), make_answer(), now=NOW, n_new=0)
    assert not is_conditional(make_cursor(), NOW)
    assert is_conditional(cursor, NOW + timedelta(hours=23))
    later = advance_cursor(cursor, make_answer(Outcome.NOT_MODIFIED), now=NOW + timedelta(hours=23), n_new=0)
    assert not is_conditional(later, NOW + timedelta(hours=25))


def test_a_move_is_adopted_after_three_in_a_row_and_given_up_after_failures() -> None:
    cursor = make_cursor()
    for n in range(3):
        assert choose_address(cursor) == URL, n
        cursor = advance_cursor(cursor, make_answer(moved_to="https://new.example/feed"), now=NOW, n_new=0)
    assert choose_address(cursor) == "https://new.example/feed"
    for _ in range(3):
        failed = make_answer(Outcome.CONNECT_FAILED, url="https://new.example/feed")
        cursor = advance_cursor(cursor, failed, now=NOW, n_new=0)
    assert choose_address(cursor) == URL


def test_moves_in_turns_are_adopted_by_none() -> None:
    cursor = make_cursor()
    for n in range(9):
        cursor = advance_cursor(cursor, make_answer(moved_to=f"https://new{n % 2}.example/"), now=NOW, n_new=0)
    assert choose_address(cursor) == URL


def test_gone_pauses() -> None:
    cursor = advance_cursor(make_cursor(), make_answer(Outcome.GONE), now=NOW, n_new=0)
    assert not is_due(cursor, NOW + timedelta(days=365))
    assert (judge_feed(cursor, NOW) or "").startswith("paused")


def test_feeds_do_not_march_in_step() -> None:
    waits = {wait_s(advance_cursor(make_cursor(url=f"{URL}{n}"), make_answer(), now=NOW, n_new=0)) for n in range(50)}
    assert len(waits) == 50


def test_followed_pages_are_visited_less_and_less() -> None:
    page = follow_page(URL, "courier", first_seen_at=NOW)
    due_at: datetime | None = page.next_due_at
    visits = []
    while due_at is not None:
        visits.append(due_at - NOW)
        due_at = plan_visit(page, due_at)
    assert visits == list(PAGE_DELAYS)


def test_a_missed_visit_is_not_made_up_for() -> None:
    page = follow_page(URL, "courier", first_seen_at=NOW)
    assert plan_visit(page, NOW + timedelta(days=2)) == NOW + timedelta(days=3)
    assert plan_visit(page, NOW + timedelta(days=8)) is None


@pytest.mark.parametrize(
    ("given_", "word"),
    [
        ({}, None),
        ({"n_failures": 2, "last_outcome": "server_error"}, None),
        ({"n_failures": 3, "last_outcome": "server_error"}, "failing"),
        ({"n_entries": 0, "last_new_at": NOW - timedelta(hours=1)}, "empty"),
        ({"n_entries": 0}, None),
        ({"last_new_at": NOW - timedelta(days=3), "gap_s": 3600.0, "n_entries": 9}, "silent"),
        ({"last_new_at": NOW - timedelta(days=1), "gap_s": 3600.0, "n_entries": 9}, None),
        ({"last_new_at": NOW - timedelta(days=9), "gap_s": 2 * 86_400.0, "n_entries": 9}, None),
    ],
)
def test_a_feed_that_stopped_working_is_told(given_: dict[str, object], word: str | None) -> None:
    told = judge_feed(make_cursor(**given_), NOW)
    assert (told or "").partition(":")[0] == (word or "")
