"""The day and hour that a sentence means, against the day of publication."""

from datetime import date

import pytest
from tests.extract.builders import known, make_article

from blotter.extract import Reader

_STORY = "FRESNO, Calif. — A man was shot {when} on Palm Avenue in Fresno, police said."


@pytest.mark.parametrize(
    ("when", "day"),
    [
        ("Monday", date(2026, 3, 2)),
        ("on Wednesday morning", date(2026, 3, 4)),
        ("last Wednesday", date(2026, 2, 25)),
        ("Thursday", date(2026, 2, 26)),
        ("on Feb. 27", date(2026, 2, 27)),
        ("on Dec. 30", date(2025, 12, 30)),
        ("on 28 February 2026", date(2026, 2, 28)),
        ("yesterday", date(2026, 3, 3)),
        ("early today", date(2026, 3, 4)),
    ],
)
def test_day(reader: Reader, when: str, day: date) -> None:
    assert (
        known(reader.read(make_article(text=_STORY.format(when=when), published="2026-03-04")), "occurred_date") == day
    )


@pytest.mark.parametrize(
    ("when", "clock"),
    [
        ("at 4:43 p.m. Monday", "16:43"),
        ("at about 12:05 a.m. Monday", "00:05"),
        ("Monday at noon", "12:00"),
        ("shortly after midnight Monday", "00:00"),
        ("at 22:40 on Monday", "22:40"),
        ("early Monday", "early_morning"),
        ("Monday night", "night"),
    ],
)
def test_clock(reader: Reader, when: str, clock: str) -> None:
    assert known(reader.read(make_article(text=_STORY.format(when=when))), "occurred_time") == clock


def test_day_of_publication_is_that_of_the_place(reader: Reader) -> None:
    """At 03:30 UTC on Thursday it is still Wednesday in California."""
    text = _STORY.format(when="today")
    assert known(reader.read(make_article(text=text, published="2026-03-05T03:30:00+00:00")), "occurred_date") == date(
        2026, 3, 4
    )
    assert known(reader.read(make_article(text=text, published="2026-03-05")), "occurred_date") == date(2026, 3, 5), (
        "a bare day is not shifted"
    )


def test_day_of_an_arrest_is_not_that_of_the_crime(reader: Reader) -> None:
    text = "FRESNO, Calif. — Fresno police said Wednesday that a man arrested Tuesday shot a clerk on Saturday night."
    assert known(reader.read(make_article(text=text, published="2026-03-04")), "occurred_date") == date(2026, 2, 28)
