"""What is usual for a source is learnt from its batches, and what stopped is told, once it is no accident."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from blotter.ingest.health import MIN_ARTICLES, Taken, judge_habit, judge_silence, learn_habits, read_health, tell_rate
from blotter.ingest.schedule import start_cursor
from blotter.sources import Feed, Source
from blotter.store.habits import HabitMemory, SourceHabit
from blotter.store.state import open_state

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
URL = "https://courier.example/feed"


def make_taken(n: int, *, seed: int = 1, shrunk: float = 1.0, claims: float = 1.0, walled: float = 0.0) -> list[Taken]:
    """Articles as a real outlet's: lengths over an order of magnitude, a third with claims, a few walls."""
    rng = random.Random(seed)
    taken = []
    for _ in range(n):
        n_chars = int(rng.lognormvariate(8, 0.7) * shrunk)
        n_claims = int(rng.randint(4, 20) * claims) if rng.random() < 0.35 else 0
        is_walled = rng.random() < max(0.05, walled)
        taken.append(
            Taken(source_id="courier") if is_walled else Taken(source_id="courier", n_chars=n_chars, n_claims=n_claims)
        )
    return taken


def learn(*batches: list[Taken], habit: SourceHabit | None = None, hours: float = 6) -> SourceHabit:
    at = habit.watched_at if habit else NOW
    for taken in batches:
        at += timedelta(hours=hours)
        (habit,) = learn_habits({habit.source_id: habit} if habit else {}, taken, now=at)
    assert habit is not None
    return habit


@pytest.mark.parametrize("seed", range(20))
def test_a_source_that_does_what_it_used_to_is_left_alone(seed: int) -> None:
    habit = None
    for day in range(60):
        habit = learn(make_taken(15, seed=1000 * seed + day), habit=habit, hours=24)
        assert judge_habit(habit) is None


@pytest.mark.parametrize(
    ("change", "status", "n_articles"),
    [({"shrunk": 0.1}, "shorter", 60), ({"claims": 0.0}, "poorer", 120), ({"walled": 0.95}, "walled", 60)],
)
def test_a_fall_is_told_within_so_many_articles(change: dict[str, float], status: str, n_articles: int) -> None:
    habit = learn(*(make_taken(20, seed=seed) for seed in range(20)))
    fallen = learn(*(make_taken(20, seed=99 + seed, **change) for seed in range(n_articles // 20)), habit=habit)
    assert (judge_habit(fallen) or "").startswith(f"{status}: ")
    assert "used to be" in (judge_habit(fallen) or "")


def test_nothing_is_usual_before_there_was_enough_of_it() -> None:
    few = learn(make_taken(MIN_ARTICLES // 2), make_taken(MIN_ARTICLES // 2 - 5, shrunk=0.01))
    assert judge_habit(few) is None


def test_the_rate_is_learnt_and_a_backlog_is_no_rate() -> None:
    backlog = make_taken(500, walled=0)
    daily = [[one for one in make_taken(12, seed=n) if one.n_chars][:8] for n in range(60)]
    habit = learn(backlog, *daily, hours=24)
    assert tell_rate(habit) == pytest.approx(8, rel=0.1)
    assert judge_silence(habit, habit.last_at + timedelta(days=1)) is None
    assert "used to be 8 articles a day" in (judge_silence(habit, habit.last_at + timedelta(days=3)) or "")


def test_a_source_that_publishes_once_a_week_may_be_silent_for_a_month() -> None:
    habit = learn(*([Taken(source_id="courier", n_chars=900, n_claims=3)] for _ in range(20)), hours=24 * 7)
    assert judge_silence(habit, habit.last_at + timedelta(days=30)) is None
    assert judge_silence(habit, habit.last_at + timedelta(days=60)) is not None


def test_what_was_learnt_is_one_row_a_source_and_learnt_once(tmp_path: Path) -> None:
    engine = open_state(str(tmp_path / "state.db"))
    memory = HabitMemory(engine)
    habit = learn(make_taken(300))
    for _ in range(2):  # a bundle that is rolled forward again
        with engine.begin() as connection:
            memory.apply(connection, memory.encode([habit, replace(habit, source_id="post")]))
    assert memory.load() == {"courier": habit, "post": replace(habit, source_id="post")}
    assert memory.load(["post", "none"]) == {"post": replace(habit, source_id="post")}
    assert len(memory.encode([habit])) < 600


def test_rows_tell_what_is_wrong_first() -> None:
    fallen = learn(*(make_taken(40, seed=seed) for seed in range(10)), make_taken(60, shrunk=0.05))
    sources = {
        "courier": Source(id="courier", name="Courier", feeds=(Feed(url=URL), Feed(url=f"{URL}/off", enabled=False))),
        "desk": Source(id="desk", name="Police desk"),
        "mail": Source(id="mail", name="Mail"),
    }
    mail = replace(learn(*(make_taken(9, seed=n) for n in range(20)), hours=24), source_id="mail")
    later = mail.last_at + timedelta(days=9)
    cursor = replace(start_cursor("courier", Feed(url=URL)), last_outcome="ok", n_entries=20)
    rows = read_health(sources, cursors={URL: cursor}, habits={"courier": fallen, "mail": mail}, now=later)
    assert [(row.source_id, row.url, row.status) for row in rows] == [
        ("courier", URL, "shorter"),
        ("mail", None, "silent"),
        ("courier", f"{URL}/off", "off"),
        ("desk", None, "new"),
    ]
    assert rows[0].chars_lately is not None and rows[0].usual_chars is not None
    assert rows[0].chars_lately < rows[0].usual_chars / 2
    assert rows[1].articles_per_day == pytest.approx(8.5, rel=0.2)
