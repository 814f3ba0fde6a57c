"""What a value says: when two are the same, when one only says more, and when they contradict.

Belongs here: comparing values of one field. Does not belong here: whom to believe (`choose`).
"""

import re
from collections.abc import Sequence

from blotter.link.compare import match_names
from blotter.link.describe import fold_name, fold_street
from blotter.link.memory import PlainValue, Statement
from blotter.link.terms import cut_words, fold
from blotter.model import CaseStatus, Condition, LegalStatus

# How far a matter has gone: a later stage does not contradict an earlier one.
STAGES = {
    "legal_status": tuple(stage.value for stage in LegalStatus),
    "status": tuple(stage.value for stage in CaseStatus),
    "condition": (
        Condition.UNHARMED.value,
        Condition.MISSING.value,
        Condition.FOUND.value,
        Condition.INJURED.value,
        Condition.CRITICAL.value,
        Condition.KILLED.value,
    ),
}
COUNTS = frozenset(("n_killed", "n_injured"))
# Fields whose truth moves on: the newest word counts most.
MOVING = COUNTS | {"condition", "legal_status", "status"}

_PARTS = {
    "early_morning": range(7 * 60),
    "morning": range(12 * 60),
    "afternoon": range(12 * 60, 18 * 60),
    "evening": range(17 * 60, 24 * 60),
    "night": (*range(19 * 60, 24 * 60), *range(6 * 60)),
}
_ABOUT = re.compile(
    r"\b(?:about|around|approximately|approx|roughly|nearly|almost|just|shortly|before|after|past)\W*$", re.I
)
_ABOUT_MINUTES = 30


def is_approximate(statement: Statement) -> bool:
    """Say whether a statement gives its value as about so: "around 4:45 p.m."."""
    at = statement.quote.find(statement.value_raw)
    before = statement.quote[max(0, at - 24) : at] if at > 0 else ""
    return bool(
        _ABOUT.search(before) or re.match(r"(?:about|around|approximately|shortly|just)\b", statement.value_raw, re.I)
    )


def says_all(field: str, one: PlainValue, other: PlainValue, *, is_other_about: bool = False) -> bool:
    """Say whether `one` says all that `other` says: the same or more exact, and no contradiction.

    `is_other_about`: the other value was given as an approximate one.
    """
    if one == other:
        return True
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    if field == "name":
        return _is_fuller_name(one, other)
    if field == "occurred_time":
        return _is_exacter_time(one, other, is_other_about)
    if field == "street":
        return _is_exacter_street(one, other)
    mine, theirs = fold(one), fold(other)
    if mine == theirs:
        return True
    if field in ("landmark", "agency", "hospital", "neighborhood", "occupation", "employer", "relationship", "weapon"):
        return set(cut_words(other)) <= set(cut_words(one))
    if field == "city":
        return _strip_city(one) == _strip_city(other)
    return False


def measure_detail(field: str, value: PlainValue) -> int:
    """Give how much a value says, to choose among values that do not contradict each other."""
    if not isinstance(value, str):
        return 0
    if field == "occurred_time":
        return {5: 3, 2: 2}.get(len(value) if value[:1].isdigit() else 0, 1)
    if field == "street":
        return 10 * any(word.isdigit() for word in cut_words(value)) + len(cut_words(value))
    return len(cut_words(value))


def rank_stage(field: str, value: PlainValue) -> int:
    """Give how far along a stage is; -1 for what is no stage of the field."""
    stages = STAGES[field]
    return stages.index(value) if isinstance(value, str) and value in stages else -1


def _is_fuller_name(one: str, other: str) -> bool:
    mine, theirs = fold_name(one), fold_name(other)
    return match_names(mine, theirs) and len(mine) >= len(theirs)


def _is_exacter_street(one: str, other: str) -> bool:
    mine, theirs = fold_street(one), fold_street(other)
    if not mine or not theirs or not set(theirs) <= set(mine):
        return False
    my_numbers, their_numbers = _numbers(one), _numbers(other)
    return not their_numbers or my_numbers == their_numbers


def _numbers(street: str) -> set[str]:
    return {word for word in cut_words(street) if word.isdigit()}


def _is_exacter_time(one: str, other: str, is_other_about: bool) -> bool:
    mine, theirs = _read_minutes(one), _read_minutes(other)
    if not mine or not theirs:
        return False
    if is_other_about and len(theirs) <= 60:
        return (
            len(mine) <= len(theirs)
            and min(abs(a - b) for a in (mine[0], mine[-1]) for b in (theirs[0], theirs[-1])) <= _ABOUT_MINUTES
        )
    return len(mine) < len(theirs) and set(mine) <= set(theirs)


def _read_minutes(time: str) -> Sequence[int]:
    if time in _PARTS:
        return _PARTS[time]
    hour, _, minute = time.partition(":")
    if not hour.isdigit() or (minute and not minute.isdigit()):
        return ()
    start = int(hour) * 60 + int(minute or 0)
    return range(start, start + 1) if minute else range(start, start + 60)


def _strip_city(city: str) -> str:
    words = cut_words(city)
    short = {"st": "saint", "ft": "fort", "mt": "mount"}
    return " ".join(
        short.get(word, word) for word in words if word not in ("city", "township", "village", "town", "of")
    )
