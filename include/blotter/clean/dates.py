"""Dates as publishers write them: ISO 8601, the date of a mail header, a few spelled forms.

Belongs here: turning one such text into a moment with its precision. Does not belong here: which of several dates is
the one of publication (`page`), and days named inside the story (`blotter.extract`).
"""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from dateutil import parser as dateutil_parser
from dateutil.parser import ParserError

MAX_DATE_CHARS = 100
_MAX_SEARCHED_CHARS = 300
FIRST_YEAR = 1800  # before it there was no daily press whose pages could arrive here
_LAST = datetime(2100, 1, 1, tzinfo=UTC)
_SLACK = timedelta(days=1)  # the most that a local date can run ahead of UTC, rounded up

_DAY_ONLY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
_DOTTED = re.compile(r"\d{1,2}\.\s?\d{1,2}\.\s?\d{4}")  # so written, the day comes first
_EPOCH = re.compile(r"\d{10}(?:\d{3})?")
_ZONES = {
    name: hours * 3600
    for name, hours in (
        ("EST", -5), ("EDT", -4), ("CST", -6), ("CDT", -5), ("MST", -7), ("MDT", -6), ("PST", -8), ("PDT", -7),
        ("AKST", -9), ("AKDT", -8), ("HST", -10), ("BST", 1), ("CET", 1), ("CEST", 2), ("EET", 2), ("EEST", 3),
        ("MSK", 3), ("JST", 9), ("AEST", 10), ("AEDT", 11), ("NZST", 12), ("NZDT", 13), ("ET", -5), ("CT", -6),
        ("MT", -7), ("PT", -8),
    )
}  # fmt: skip


# Months as newspapers write them, in full or by their first letters, without accents.
_MONTHS = {
    name: number
    for names in (
        "january february march april may june july august september october november december",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro",
        "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
        "januar februar marz april mai juni juli august september oktober november dezember",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "januari februari maart april mei juni juli augustus september oktober november december",
    )
    for number, name in enumerate(names.split(), start=1)
} | {"maerz": 3, "janner": 1, "setiembre": 9}
_MONTHS |= {
    abbreviated: number
    for number, names in enumerate(
        ("jan ene gen janv", "feb fev fevr febr", "mar mrt", "apr abr avr", "mai mag", "jun giu", "jul lug juil",
         "aug ago aou", "sep sept set", "oct okt ott out", "nov", "dec dez dic"),
        start=1,
    )
    for abbreviated in names.split()
}  # fmt: skip
_WORDS_OF_DAY = re.compile(
    r"(?<!\d)(?P<day>\d{1,2})(?:st|nd|rd|th|er|º|\.)?[\s-]+(?:de\s+|of\s+)?(?P<month>[^\W\d_]{3,10})\.?,?[\s-]+"
    r"(?:del?\s+)?(?P<year>\d{4})(?!\d)"
    r"|(?P<month_first>[^\W\d_]{3,10})\.?\s+(?P<second>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<last>\d{4})(?!\d)",
    re.IGNORECASE,
)


class Moment(NamedTuple):
    """An aware UTC datetime and how exact it is: "minute", or "day" (then it is midnight)."""

    at: datetime
    precision: str


def parse_moment(text: str) -> Moment | None:
    """Read a date or a time; None where it is neither.

    A date alone is midnight UTC with precision day and is never shifted through a zone; so is a midnight without a
    zone, which is how software writes a date alone. A time without a zone is taken for UTC.
    """
    text = text.strip()
    if not text or len(text) > MAX_DATE_CHARS:
        return None
    if day := _DAY_ONLY.fullmatch(text):
        return _day(*map(int, day.groups()))
    if _EPOCH.fullmatch(text):
        return Moment(datetime.fromtimestamp(int(text[:10]), UTC), "minute")
    for read in (datetime.fromisoformat, parsedate_to_datetime, _read_spelled):
        try:
            found = read(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        if found is not None:
            return _to_moment(found)
    return find_day(text)


def find_day(text: str) -> Moment | None:
    """Find the first day that is spelled out in a text, with its month's name in one of seven languages."""
    for found in _WORDS_OF_DAY.finditer(text[:_MAX_SEARCHED_CHARS]):
        name = _strip_accents(found["month"] or found["month_first"])
        if (month := _MONTHS.get(name)) is not None:
            return _day(int(found["year"] or found["last"]), month, int(found["day"] or found["second"]))
    return None


def latest_possible(had_at: datetime) -> datetime:
    """Give the latest moment at which something that was had at `had_at` can have been published.

    A `had_at` before there was a press stands for a clock that is not set (`blotter.replay`) and bounds nothing.
    """
    return _LAST if had_at.year < FIRST_YEAR else min(_LAST, had_at + _SLACK)


def is_possible(moment: datetime, *, by: datetime) -> bool:
    """Tell whether something whose latest possible moment is `by` can have been published at `moment`."""
    return moment.year >= FIRST_YEAR and moment <= by


def _strip_accents(word: str) -> str:
    letters = unicodedata.normalize("NFKD", word.lower())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _read_spelled(text: str) -> datetime | None:
    """Read "March 2, 2023 at 1:15 p.m. EST" and its like; None unless year, month and day are all there."""
    if not re.search(r"\d{4}", text):
        return None
    cleaned = re.sub(r"\b([ap])\.m\.?", r"\1m", text, flags=re.IGNORECASE)
    try:
        # Two readings over different defaults: what differs was not in the text.
        first, second = (
            dateutil_parser.parse(cleaned, default=default, tzinfos=_ZONES, dayfirst=_DOTTED.match(cleaned) is not None)
            for default in (datetime(2001, 1, 1), datetime(2002, 2, 2))  # noqa: DTZ001
        )
    except (ParserError, OverflowError):
        return None
    return first if first.date() == second.date() else None


def _to_moment(found: datetime) -> Moment | None:
    if found.tzinfo is None:
        if (found.hour, found.minute, found.second) == (0, 0, 0):
            return _day(found.year, found.month, found.day)
        return Moment(found.replace(tzinfo=UTC), "minute")
    try:
        return Moment(found.astimezone(UTC), "minute")
    except OverflowError:
        return None


def _day(year: int, month: int, day: int) -> Moment | None:
    try:
        on = date(year, month, day)
    except ValueError:
        return None
    return Moment(datetime(on.year, on.month, on.day, tzinfo=UTC), "day")
