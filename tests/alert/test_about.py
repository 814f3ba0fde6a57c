"""Of whom a sentence speaks: by names, ages and roles, and by the part of it that is about them."""

from dataclasses import replace
from typing import Any

import pytest
from tests.good_batch import make_change, make_incident, make_participant

from blotter.alert.about import cut_to, is_age_of, is_in_role, speaks_of, tells_other_age
from blotter.alert.evidence import is_borne_out
from blotter.model import ClaimState, Condition, Participant, Role

KNOWN = ClaimState.KNOWN
NAMED = make_participant(name="Dana Whitlock", name_state=KNOWN, age=34)
OTHER = make_participant(participant_id="par_2", name="Ray Tolan", name_state=KNOWN, age=51, role=Role.SUSPECT)
KIN = make_participant(participant_id="par_3", name="Rosa Whitlock", name_state=KNOWN, age=60)
INCIDENT = make_incident(version=2, participants=(NAMED, OTHER, KIN))


def make_unnamed(**given: Any) -> Participant:
    return make_participant(**{"participant_id": "par_4", "name": None, **given})


@pytest.mark.parametrize(
    "quote",
    [
        "Dana Whitlock, 34, died at a hospital.",
        "The woman killed on Sunday was identified as Dana Whitlock.",
        "Dana Whitlock, 34",
        "A vigil for Dana Whitlock was held on Tuesday.",
        "He killed his wife, Dana Whitlock.",
        "Her friends held signs after the shooting death of his mother, Dana Whitlock.",
        "Dana Whitlock, a 34-year-old mother of two, was shot.",
        "They killed Rosa Whitlock and her daughter, Dana Whitlock.",
    ],
)
def test_a_sentence_that_names_a_victim(quote: str) -> None:
    assert is_in_role(NAMED, "Dana Whitlock", INCIDENT, quote)


@pytest.mark.parametrize(
    "quote",
    [
        "His mother is the teacher Dana Whitlock.",
        "The victim's mother, Dana Whitlock, 34, asked for witnesses.",
        "Dana Whitlock, 34, the mother, heard a gunshot.",
        "Roy Sparrow and Dana Whitlock — testified that shots came from a car.",
        "Dana Whitlock said a man was shot.",
        "A lawyer of the suspected gunman's family identified her as Dana Whitlock.",
        "Dana Whitlock opened a shop.",
        "A man was taken to Dana Whitlock Hospital, where he died.",
    ],
)
def test_a_sentence_that_names_somebody_else_than_a_victim(quote: str) -> None:
    assert not is_in_role(NAMED, "Dana Whitlock", INCIDENT, quote)


@pytest.mark.parametrize(
    ("quote", "is_suspected"),
    [
        ("Police arrested Ray Tolan, 51.", True),
        ("Ray Tolan fired at a car.", True),
        ("Ray Tolan was visiting the home when shots were fired.", False),
        ("Dana Whitlock was arrested, and Ray Tolan told the sheriff why.", False),
    ],
)
def test_a_suspect_is_named_by_what_he_did_or_is_held_for(quote: str, is_suspected: bool) -> None:
    assert is_in_role(OTHER, "Ray Tolan", INCIDENT, quote) is is_suspected


def test_who_sent_it_is_no_part_of_a_name() -> None:
    assert not is_in_role(OTHER, "AP Ray Tolan", INCIDENT, "Police via AP Ray Tolan, 51, who was arrested.")


@pytest.mark.parametrize(
    ("quote", "told"),
    [
        ("Tolan was charged with arson while Whitlock was released.", "Tolan was charged with arson while "),
        ("Whitlock is charged with theft; Tolan is charged with arson.", " Tolan is charged with arson."),
        ("Police arrested Whitlock and charged Tolan with arson.", "charged Tolan with arson."),
        ("Whitlock and Tolan were charged with arson.", "Whitlock and Tolan were charged with arson."),
        ("Police said Tolan was charged.", "Police said Tolan was charged."),
        ("He lives in the house where the first person was slain.", "He lives in the house"),
        ("He was taken to a hospital, where he died.", "He was taken to a hospital, where he died."),
    ],
)
def test_what_is_said_of_one_of_two(quote: str, told: str) -> None:
    assert cut_to(OTHER, INCIDENT, quote) == told


def test_a_family_name_alone_may_be_that_of_another() -> None:
    assert speaks_of(NAMED, INCIDENT, "Dana Whitlock was pronounced dead.")
    assert not speaks_of(NAMED, INCIDENT, "Whitlock was pronounced dead.")
    assert speaks_of(NAMED, make_incident(participants=(NAMED, OTHER)), "Whitlock was pronounced dead.")


def test_a_place_is_not_who_it_is_named_after() -> None:
    assert not speaks_of(NAMED, INCIDENT, "A man was taken to Dana Whitlock Hospital, where he died.")


def test_the_boy_is_no_grown_man_and_the_suspect_no_victim() -> None:
    assert not speaks_of(NAMED, INCIDENT, "The child was killed.")
    assert not speaks_of(NAMED, INCIDENT, "The suspect was killed.")
    assert speaks_of(OTHER, INCIDENT, "The suspect was arrested.")
    assert speaks_of(make_unnamed(age=None), INCIDENT, "The child was killed.")


@pytest.mark.parametrize(
    ("quote", "is_hers"),
    [
        ("Dana Whitlock, 34, died.", True),
        ("Whitlock, 34, died.", True),
        ("The 34-year-old Dana Whitlock died.", True),
        ("The 34-year-old died.", True),
        ("They took the girls, Dana, 34, and Ann, 5.", False),
        ("Ray Tolan, 34, died.", False),
        ("Dana Whitlock and a 34-year-old, identified as Ann, were killed.", False),
        ("A 34-year-old, named Ann Lee, died.", False),
    ],
)
def test_an_age_is_of_whose_name_it_stands_beside(quote: str, is_hers: bool) -> None:
    assert is_age_of(NAMED, 34, quote) is is_hers


def test_one_who_is_34_in_another_sentence_is_not_9() -> None:
    assert tells_other_age(NAMED, 9, "They are Dana Whitlock, 34, and her son.")
    assert tells_other_age(NAMED, 9, "The 34-year-old Dana Whitlock died.")
    assert not tells_other_age(NAMED, 34, "They are Dana Whitlock, 34, and her son.")
    assert not tells_other_age(NAMED, 9, "They are Whitlock, 34, and her son.")


def test_the_officer_who_is_charged_is_of_another_case_but_where_police_used_force() -> None:
    quote = "The officer has been charged with murder."
    suspect = make_unnamed(role=Role.SUSPECT)
    assert not speaks_of(suspect, INCIDENT, quote)
    assert speaks_of(suspect, replace(INCIDENT, incident_types=("police_use_of_force",)), quote)


def test_a_judge_is_not_charged() -> None:
    change = make_change(field="legal_status", participant_id="par_2", after="charged")
    quote = "A man, 38, appeared before the judge, Ray Tolan, to face one count."
    assert not is_borne_out(replace(change, quote=quote), INCIDENT, None)


def test_nobody_is_arrested_dead_but_by_name() -> None:
    dead = make_participant(name="Ray Tolan", name_state=KNOWN, role=Role.SUSPECT, condition=Condition.KILLED)
    incident = make_incident(version=2, participants=(dead,))
    change = make_change(field="legal_status", participant_id=dead.participant_id, after="arrested")
    assert not is_borne_out(replace(change, quote="He was arrested."), incident, None)
    assert is_borne_out(replace(change, quote="Tolan was arrested and later died."), incident, None)
