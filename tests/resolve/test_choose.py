"""Whom blotter believes (docs/resolution.md), rule by rule."""

from datetime import timedelta
from typing import Any

import pytest

from blotter.model import Basis, ClaimState, Notice, Role
from blotter.resolve.choose import Choice, Voice, choose_value
from blotter.resolve.members import make_member
from stories import DAY_1, make_story, say

SOURCES = ("gazette", "herald", "courier", "beacon", "ledger")


def hear(field: str, *told: Any, of: int | None = None) -> Choice:
    """Choose among what one outlet after another says, each `(value, hours after the first, what else)`."""
    voices = []
    for number, one in enumerate(told):
        value, hours, given = one if isinstance(one, tuple) else (one, 0, {})
        given = dict(given)
        sentence = given.pop("sentence", f"Report {number} says {value}.")
        source = given.pop("source", SOURCES[number % len(SOURCES)])
        notice = given.pop("notice", Notice.NONE)
        article, reading = make_story(
            say(sentence, field, value, of=of, **given),
            source=source,
            at=DAY_1 + timedelta(hours=hours),
            notice=notice,
            title=f"{source} {number}",
        )
        article = type(article)(
            **{**{n: getattr(article, n) for n in article.__dataclass_fields__}, "syndication_id": f"s{number}"}
        )
        member = make_member(article, reading, 1, home_id="inc_x")
        voices += [Voice(statement, member) for statement in member.statements]
    chosen = choose_value(field, voices)
    assert chosen is not None
    return chosen


def test_more_independent_reports_outweigh_fewer_and_the_other_is_a_rival_in_conflict() -> None:
    chosen = hear("age", 31, 32, 32)
    assert (chosen.value, [rival.value for rival in chosen.rivals]) == (32, [31])
    assert [rival.value for rival in chosen.contested_by] == [31]


def test_a_conflict_ends_with_three_times_as_many_reports() -> None:
    assert hear("age", 31, 32, 32, 32).contested_by == ()


@pytest.mark.parametrize(
    ("field", "less", "more"),
    [
        ("name", "Reyes", "Tomas Reyes Villar"),
        ("name", "Tomas Reyes", "Tomas Reyes Villar"),
        ("street", "Tamarack Avenue", "5200 block of South Tamarack Avenue"),
        ("occurred_time", "afternoon", "16:43"),
        ("occurred_time", "16", "16:43"),
        ("agency", "Halford Police", "Halford Police Department"),
    ],
)
@pytest.mark.parametrize("is_later", [False, True])
def test_the_value_that_says_most_stands_whoever_speaks_last(field: str, less: str, more: str, is_later: bool) -> None:
    told = [(more, 0, {}), (less, 30, {})] if is_later else [(less, 0, {}), (more, 30, {})]
    chosen = hear(field, *told)
    assert (chosen.value, chosen.rivals) == (more, ())
    assert len(chosen.voices) == 2


def test_an_approximate_time_does_not_contradict_an_exact_one() -> None:
    about = ("16:45", 20, {"raw": "4:45 p.m.", "sentence": "Shots rang out at around 4:45 p.m. on Wednesday."})
    chosen = hear("occurred_time", ("16:43", 0, {"raw": "4:43 p.m.", "sentence": "At 4:43 p.m. a call came."}), about)
    assert (chosen.value, chosen.rivals) == ("16:43", ())
    assert hear("occurred_time", about, ("16:43", 30, {})).value == "16:43"


@pytest.mark.parametrize("state", [ClaimState.WITHHELD, ClaimState.UNKNOWN])
def test_silence_never_takes_back_what_is_known(state: ClaimState) -> None:
    chosen = hear("name", ("Tomas Reyes", 0, {}), (None, 40, {"state": state}), of=1)
    assert (chosen.value, chosen.state) == ("Tomas Reyes", ClaimState.KNOWN)


def test_withheld_is_not_unknown() -> None:
    chosen = hear("name", (None, 0, {"state": ClaimState.WITHHELD}), (None, 1, {"state": ClaimState.WITHHELD}), of=1)
    assert (chosen.value, chosen.state) == (None, ClaimState.WITHHELD)


@pytest.mark.parametrize(
    ("told", "stands"),
    [
        ([(3, 0, {}), (4, 24, {})], 4),
        ([(4, 24, {}), (3, 0, {})], 4),
        ([(5, 0, {}), (4, 24, {}), (4, 25, {})], 4),
        ([(5, 0, {}), (4, 24, {})], 5),
        ([(5, 0, {}), (4, 24, {"sentence": "The toll was lowered to 4."})], 4),
        ([(5, 0, {}), (5, 1, {}), (5, 2, {}), (4, 4, {})], 5),
        ([(5, 0, {}), (5, 1, {}), (5, 2, {}), (4, 4, {"notice": Notice.CORRECTION})], 4),
    ],
)
def test_tolls_rise_freely_and_fall_with_weight_or_by_correction(told: list[Any], stands: int) -> None:
    assert hear("n_killed", *told).value == stands


def test_what_was_corrected_does_not_come_back_by_repetition() -> None:
    corrected = [(3, 0, {}), (2, 20, {"notice": Notice.CORRECTION}), (3, 40, {})]
    assert hear("n_killed", *corrected).value == 2


@pytest.mark.parametrize(
    ("field", "told", "stands"),
    [
        ("legal_status", ["charged", "arrested", "arrested", "arrested", "arrested", "arrested"], "charged"),
        ("condition", [("critical", 0, {}), ("injured", 30, {})], "critical"),
        ("condition", [("critical", 0, {"source": "herald"}), ("injured", 30, {"source": "herald"})], "critical"),
        (
            "condition",
            [("critical", 0, {}), ("injured", 30, {"sentence": "He is now in stable condition.", "raw": "stable"})],
            "injured",
        ),
        ("condition", [("killed", 0, {}), ("injured", 30, {}), ("injured", 40, {})], "killed"),
        ("condition", [("missing", 0, {}), ("found", 30, {})], "found"),
    ],
)
def test_stages_are_not_taken_back_by_reports_that_say_less(field: str, told: list[Any], stands: str) -> None:
    assert hear(field, *told, of=1).value == stands


def test_a_retracted_statement_takes_back_what_was_said_before_it() -> None:
    chosen = hear("name", ("Tomas Reyes", 0, {}), (None, 9, {"state": ClaimState.RETRACTED}), of=1)
    assert (chosen.value, chosen.state) == (None, ClaimState.RETRACTED)


def test_said_again_after_a_retraction_it_stands_again() -> None:
    retracted = (None, 9, {"state": ClaimState.RETRACTED})
    assert hear("name", ("Tomas Reyes", 0, {}), retracted, ("Tomas Reyes", 20, {}), of=1).value == "Tomas Reyes"


def test_a_denial_of_equal_weight_makes_it_disputed() -> None:
    chosen = hear("weapon", ("knife", 0, {}), (None, 9, {"state": ClaimState.DENIED}))
    assert (chosen.value, chosen.state) == ("knife", ClaimState.DISPUTED)


def test_types_stand_side_by_side_and_a_slip_is_left_out() -> None:
    chosen = hear("incident_type", "homicide", "shooting", ("fire", 0, {"confidence": 0.2}))
    assert chosen.value == ["shooting", "homicide"]
    assert [rival.value for rival in chosen.rivals] == ["fire"]


def test_a_source_that_names_one_charge_later_takes_no_other_back() -> None:
    earlier = [(charge, 0, {"source": "gazette"}) for charge in ("arson", "theft")]
    later = ("murder", 72, {"source": "gazette"})
    assert set(hear("charges", *earlier, later, of=1).value) == {"arson", "murder", "theft"}


def test_a_derived_value_weighs_less_than_a_stated_one() -> None:
    derived = ("Kentucky", 9, {"basis": Basis.GAZETTEER})
    assert hear("state", ("Ohio", 0, {}), derived).value == "Ohio"


def test_roles_are_of_participants() -> None:
    assert hear("role", ("victim", 0, {"role": Role.VICTIM}), of=1).value == "victim"


def test_nothing_happens_after_it_was_first_told() -> None:
    """The day that a later report names may be a court's; that of the first report cannot be later than itself."""
    day, later = "2025-03-05", "2025-03-25"
    told = [(day, 0, {"confidence": 0.5}), (later, 600, {"confidence": 0.9}), (later, 620, {"confidence": 0.9})]
    chosen = hear("occurred_date", *told)
    assert (chosen.value, [rival.value for rival in chosen.rivals], chosen.contested_by) == (day, [later], ())


def test_a_part_of_the_day_does_not_replace_an_approximate_hour() -> None:
    about = ("07:15", 0, {"raw": "7:15 a.m.", "sentence": "It happened at about 7:15 a.m. on Tuesday."})
    part = ("morning", 30, {"sentence": "She was killed Tuesday morning."})
    assert hear("occurred_time", about, part).value == "07:15"
