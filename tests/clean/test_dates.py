"""Dates as publishers write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blotter.clean.dates import Moment, parse_moment

NOON = datetime(2024, 3, 9, 12, 0, tzinfo=UTC)
DAY = Moment(NOON.replace(hour=0), "day")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-03-09", DAY),
        ("20240309", DAY),
        (" 2024-03-09 ", DAY),
        ("2024-03-09T00:00:00", DAY),
        ("March 9, 2024", DAY),
        ("9 March 2024", DAY),
        ("Saturday, March 9, 2024", DAY),
        ("2024-03-09T12:00:00Z", Moment(NOON, "minute")),
        ("2024-03-09T12:00:00", Moment(NOON, "minute")),
        ("2024-03-09 12:00", Moment(NOON, "minute")),
        ("2024-03-09T07:00:00-05:00", Moment(NOON, "minute")),
        ("2024-03-09T07:00:00.123-0500", Moment(NOON.replace(microsecond=123000), "minute")),
        ("Sat, 09 Mar 2024 12:00:00 GMT", Moment(NOON, "minute")),
        ("Sat, 9 Mar 2024 07:00:00 EST", Moment(NOON, "minute")),
        ("March 9, 2024 at 7:00 a.m. EST", Moment(NOON, "minute")),
        ("1709985600", Moment(NOON, "minute")),
        ("1709985600000", Moment(NOON, "minute")),
        ("March 9", None),
        ("2024", None),
        ("March 2024", None),
        ("yesterday", None),
        ("12:00", None),
        ("2024-13-40", None),
        ("", None),
        ("9" * 5000, None),
    ],
)
def test_parse_moment(text: str, moment: Moment | None) -> None:
    assert parse_moment(text) == moment


@given(st.one_of(st.text(max_size=120), st.text("0123456789-:/ TZ+.,amp", max_size=40)))
def test_any_text_is_a_moment_or_none(text: str) -> None:
    moment = parse_moment(text)
    if moment is not None:
        assert moment.at.utcoffset() is not None
        assert moment.precision == "minute" or (moment.at.hour, moment.at.minute) == (0, 0)


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_what_isoformat_writes_is_read(at: datetime) -> None:
    assert parse_moment(at.isoformat()) == Moment(at, "minute")
