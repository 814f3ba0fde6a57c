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
        ("on Wednesday, Feb. 11, 2026,", date(2026, 2, 11)),  # the day of the month outranks the weekday
        ("Monday (2/23)", date(2026, 2, 23)),
        ("on Saturday 21 February", date(2026, 2, 21)),
        ("last Tuesday", date(2026, 2, 24)),  # of the day before, nobody says "last"
        ("three days ago", date(2026, 3, 1)),
        ("on Christmas Eve", date(2025, 12, 24)),
        ("the day after Christmas", date(2025, 12, 26)),
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
        ("at 4:43 p.m. Monday. The fire was under control at 6 p.m., and", "16:43"),
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


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("A boy who was shot Sunday was in critical condition Monday, Fresno police said.", date(2026, 3, 1)),
        ("A man was charged with murder Tuesday in connection with a fatal shooting on Saturday.", date(2026, 2, 28)),
        ("Two men were arrested Tuesday in Monday’s fatal shooting of a clerk in Fresno.", date(2026, 3, 2)),
        ("He pleaded not guilty Tuesday in the Jan. 9 shooting of a clerk at a Fresno store.", date(2026, 1, 9)),
        ("A man shot two brothers in Fresno, police said. Chief Dana Whitlock said Tuesday the men were at lunch Sunday when he shot them.", date(2026, 3, 1)),
        ("A woman was shot at a Christmas party in Fresno late Monday, police said.", date(2026, 3, 2)),
        ("Posted: Wednesday, March 4, 2026 1:06 AM\n\nA man was shot around 9 p.m. Monday in Fresno.", date(2026, 3, 2)),
        ("A fire gutted a house in Fresno around 4 a.m., and crews were still there. The owner said he had just cleaned the stove a week ago.", date(2026, 3, 4)),
        ("A boy who went missing while swimming in a Fresno lake was found dead Tuesday. Friends had called 911 on Monday to report that he had disappeared under the water.", date(2026, 3, 2)),
        ("A man who was shot Thursday outside a Fresno bar died Saturday, police said.", date(2026, 2, 26)),
    ],
)  # fmt: skip
def test_what_a_day_is_the_day_of(reader: Reader, text: str, day: date) -> None:
    assert known(reader.read(make_article(text=text, published="2026-03-04")), "occurred_date") == day
