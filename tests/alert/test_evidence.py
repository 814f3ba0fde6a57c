"""An alert is true to the sentence that it quotes: a second look, apart from the reader's."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.good_batch import (
    SECOND_TEXT,
    TUESDAY,
    make_article,
    make_change,
    make_claim,
    make_incident,
    make_participant,
)

from blotter.alert.evidence import is_backed, is_borne_out, split_said, states_value
from blotter.model import Basis, ChangeKind, ClaimState, Role

KNOWN = ClaimState.KNOWN
NAMED = make_participant(name="Dana Whitlock", name_state=KNOWN, age=34)
OTHER = make_participant(participant_id="par_2", name="Ray Tolan", name_state=KNOWN, age=51, role=Role.SUSPECT)
INCIDENT = make_incident(version=2, participants=(NAMED, OTHER))


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("n_killed", 3, "Three people were killed and two others were wounded, the sheriff said."),
        ("n_injured", 2, "Three people were killed and two others were wounded, the sheriff said."),
        ("n_killed", 5, "A fifth victim died on Friday, bringing the death toll to 5."),
        ("n_killed", 1200, "The earthquake killed 1,200 people."),
        ("n_killed", 1, "A 40-year-old man was killed when the wall fell."),
        ("n_killed", 0, "No one died in the fire."),
        ("name", "Dana Whitlock", "Police identified her as Dana Marie Whitlock."),
        ("age", 34, "Whitlock, 34, of Springfield, died on Tuesday."),
        ("age", 4, "The four-year-old boy is safe."),
        ("condition", "killed", "She was pronounced dead at the scene."),
        ("condition", "injured", "He was shot in the left leg."),
        ("condition", "injured", "She was taken by helicopter to Mercy Hospital."),
        ("legal_status", "charged", "Tolan faces two counts of arson."),
        ("legal_status", "arrested", "Tolan turned himself in on Monday."),
        ("charges", "aggravated assault", "Tolan was booked on three counts of aggravated assault."),
        ("weapon", "handgun", "Words for a weapon are the reader's to know."),
    ],
)
def test_a_sentence_that_says_it(field: str, value: object, quote: str) -> None:
    assert states_value(field, value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("n_killed", 2, "A man who had been critically hurt has died, police said."),
        ("n_killed", 6, "Gunfire outside the hall left one dead, wounding six."),
        ("n_killed", 6, "He is accused of killing one and injuring six."),
        ("n_injured", 45, "She was shot with a .45-caliber pistol and was hurt."),
        ("n_injured", 70, "They are among 70 people wounded in shootings over the holiday weekend."),
        ("n_injured", 1, "His stepson had been shot with a rifle."),
        ("name", "Rosa Lund", "Smoke rises over the plant. (Photo: Rosa Lund, The Herald)"),
        ("name", "Rosa Lund", "(Rosa Lund/Herald)"),
        ("name", "Dana Whitlock", "Her name was not released."),
        ("age", 16, "He was looking at the gun with a 16-year-old friend."),
        ("age", 34, "Whitlock, 43, of Springfield, died on Tuesday."),
        ("condition", "injured", "Officers shot him to death in the library."),
        ("condition", "injured", "The nurse was riding home from a shift at the General Hospital when she was struck."),
        ("condition", "killed", "The doctor said she may have died."),
        ("legal_status", "charged", "He could be arraigned as early as Sunday."),
        ("legal_status", "charged", "Tolan was previously charged with theft."),
        ("legal_status", "charged", "Charges against the man were pending on Monday night."),
        ("legal_status", "arrested", "A vigil was held at the park."),
        ("legal_status", "arrested", "She held on to a fence and screamed."),
        ("charges", "theft", "Tolan, who had been previously arrested for theft, is expected in court."),
        ("legal_status", "at_large", "She sought a divorce in January."),
        ("legal_status", "at_large", "Investigators are examining whether there was a second gunman at large."),
        ("status", "arrest_made", "No suspects have been arrested."),
        ("charges", "arson", "He will be charged with arson when he recovers."),
        ("charges", "murder", "Tolan was booked on three counts of aggravated assault."),
        ("charges", "second-degree assault", "Tolan was booked on three counts of aggravated assault."),
        ("legal_status", "at_large", "He helped to catch a fugitive wanted in a shooting."),
        ("n_killed", 3, "Tolan killed three people and himself, police said."),
        ("status", "investigating", "The car hit a wall, said an investigator of the coroner."),
        ("n_injured", 0, "Children were at home, but no other injuries were reported."),
        ("n_killed", 2, "The murders of two girls are connected, police said."),
        ("n_injured", 4, "One dead, 4 hurt in pair of shootings"),
        ("legal_status", "charged", "Tolan has a pending drug case, and a past trespassing charge."),
        ("age", 14, "The boy was playing with the 14-year-old when the gun was fired."),
    ],
)
def test_a_sentence_that_does_not(field: str, value: object, quote: str) -> None:
    assert not states_value(field, value, quote)


@pytest.mark.parametrize(
    "quote",
    [
        "Two of the men were taken to a hospital with wounds to their legs.",
        "Two of those wounded remain in critical condition.",
        "He wounded his daughter and two other bystanders.",
        "Parents were hurt and two children injured.",
    ],
)
def test_a_part_of_the_hurt_contradicts_no_report_of_all(quote: str) -> None:
    assert states_value("n_injured", 2, quote)
    assert not states_value("n_injured", 2, quote, is_rival=True)
    assert states_value("n_injured", 2, "Only two people were wounded, police said.", is_rival=True)


def make_toll(quote: str, **given: object):
    change = {
        "field": "n_killed",
        "participant_id": None,
        "before_state": KNOWN,
        "before": 1,
        "after": 2,
        "quote": quote,
    }
    return make_change(**{**change, "kind": ChangeKind.REVISED, **given})


def make_toll_claim(value: int, **given: object):
    article = make_article(text=SECOND_TEXT, published_at=TUESDAY)
    return make_claim(article, "n_killed", value, "died", **given)


def test_what_was_counted_or_follows_from_another_field_is_not_said_by_the_sentence() -> None:
    change = make_toll("Two people have died.")
    assert is_borne_out(change, INCIDENT, make_toll_claim(2))
    assert not is_borne_out(change, INCIDENT, make_toll_claim(2, basis=Basis.COUNTED))
    assert not is_borne_out(change, INCIDENT, replace(make_toll_claim(2), field="condition"))
    assert not is_borne_out(change, INCIDENT, make_toll_claim(3)), "the sentence was read as another number"


def test_a_text_without_sentences_bears_nothing_out() -> None:
    """Nobody could check it at a glance, and looking through it would take the writer's time."""
    age = {"participant_id": NAMED.participant_id, "field": "age", "after": 34}
    said = "after Dana Whitlock, 34, was shot and killed in Chicago on Monday, police said."
    assert is_borne_out(make_change(**age, quote=said), INCIDENT, None)
    log = make_change(**age, quote="ENGINE TRUCK MEDIC UNIT RESPONDING " * 1_500 + said)
    assert not is_backed(log, INCIDENT, [log])


def test_a_conflict_is_borne_out_by_the_value_of_the_report_that_opened_it() -> None:
    change = make_toll("Three people have died.", kind=ChangeKind.CONFLICT_OPENED, before=None, after=2)
    assert is_borne_out(change, INCIDENT, make_toll_claim(3))
    assert not is_borne_out(change, INCIDENT, make_toll_claim(2)), "it says what stands"
    assert not is_borne_out(replace(change, before=3, after=3), INCIDENT, make_toll_claim(3))


def test_a_name_with_more_of_it_is_no_contradiction() -> None:
    article = make_article(text=SECOND_TEXT, published_at=TUESDAY)
    change = make_change(kind=ChangeKind.CONFLICT_OPENED, after="Dana May Whitlock", quote="Dana Whitlock, 34, died.")
    assert not is_borne_out(change, INCIDENT, make_claim(article, "name", "Dana Whitlock", "Dana Whitlock"))
    change = replace(change, after="Diana Whitlock")
    assert is_borne_out(change, INCIDENT, make_claim(article, "name", "Dana Whitlock", "Dana Whitlock"))


@pytest.mark.parametrize(
    ("quote", "is_true"),
    [
        ("Dana Whitlock died at a hospital.", True),
        ("She died at a hospital.", True),
        ("A woman died at a hospital.", False),
        ("The victim died at a hospital.", True),
        ("The suspected gunman shot a guard, killing him.", False),
        ("Ray Tolan died at a hospital.", False),
        ("The 34-year-old died at a hospital.", True),
        ("A 15-year-old boy died at a hospital.", False),
    ],
)
def test_what_is_said_of_somebody_else_is_not_said_of_this_person(quote: str, is_true: bool) -> None:
    change = make_change(field="condition", before_state=None, before=None, after="killed", quote=quote)
    assert is_borne_out(change, INCIDENT, None) is is_true


def test_a_suspect_is_not_who_was_harmed() -> None:
    change = make_change(participant_id="par_2", field="name", after="Ray Tolan")
    assert is_borne_out(replace(change, quote="Police arrested Ray Tolan, 51."), INCIDENT, None)
    assert not is_borne_out(replace(change, quote="He then shot to death Ray Tolan, 51."), INCIDENT, None)
    assert not is_borne_out(replace(change, quote="She ran to her neighbor Ray Tolan, 51."), INCIDENT, None)
    assert not is_borne_out(replace(change, quote="The dead man was identified as Ray Tolan, 51."), INCIDENT, None)
    assert not is_borne_out(replace(change, quote="He is accused of following actor Ray Tolan, 51."), INCIDENT, None)


def test_a_conviction_for_something_else_is_another_case_s() -> None:
    change = make_change(participant_id="par_2", field="legal_status", after="convicted")
    assert is_borne_out(replace(change, quote="Ray Tolan was convicted of murder."), INCIDENT, None)
    assert not is_borne_out(replace(change, quote="Ray Tolan was convicted of bank fraud."), INCIDENT, None)


def test_a_dateline_is_no_name() -> None:
    change = make_change(
        participant_id="par_2", field="name", after="CDT SPRINGFIELD", quote="CDT SPRINGFIELD: A suspect"
    )
    assert not is_borne_out(change, INCIDENT, None)


def test_one_of_several_charges_is_borne_out_by_its_own_sentence() -> None:
    article = make_article(text="Arrest\n\nRay Tolan was charged with arson.", published_at=TUESDAY)
    claim = make_claim(article, "charges", "arson", "arson")
    change = make_change(participant_id="par_2", field="charges", after=("arson", "murder"), quote=claim.quote)
    assert is_borne_out(change, INCIDENT, claim)
    assert not is_borne_out(replace(change, after=("murder",)), INCIDENT, claim)
    assert not is_borne_out(replace(change, before=("arson",)), INCIDENT, claim), "it was known already"


def test_of_several_charges_those_are_told_that_the_sentence_says() -> None:
    quote = "Ray Tolan was charged with arson and 2nd-degree murder."
    change = make_change(participant_id="par_2", field="charges", before=("theft",), quote=quote)
    after = ("arson", "robbery", "second-degree murder", "theft")
    assert split_said(replace(change, after=after), INCIDENT) == (("arson", "second-degree murder", "theft"), 1)
    assert split_said(replace(change, before=None, after=("robbery",)), INCIDENT) == (("robbery",), 0)
    assert split_said(replace(change, quote=None, after=after), INCIDENT) == (after, 0)


def test_a_contradiction_needs_two_sentences_that_say_so() -> None:
    claims = {"clm_3": make_toll_claim(3)}
    kind = ChangeKind.CONFLICT_OPENED
    conflict = make_toll("Three people have died.", kind=kind, before=None, after=2, claim_id="clm_3")
    standing = make_toll("Two people have died.", change_id="chg_2", kind=ChangeKind.ADDED, before=None)
    far = replace(conflict, after=11)
    assert not is_backed(far, INCIDENT, [far], claims), "11 and 3 do not count the same people"
    misread = replace(standing, quote="One person was killed and two were hurt.")
    assert is_backed(conflict, INCIDENT, [conflict, standing], claims)
    assert not is_backed(conflict, INCIDENT, [conflict, misread], claims)


def test_nobody_is_told_at_an_age_that_another_sentence_gives_otherwise() -> None:
    age = make_change(field="age", after=9, quote="The boy was identified as Dana Whitlock, 9.")
    name = make_change(change_id="chg_2", field="name", after="Dana Whitlock", quote="Police named Dana Whitlock, 9.")
    father = replace(name, quote="The father was identified as Dana Whitlock, 36.")
    assert is_backed(age, INCIDENT, [age, name])
    assert not is_backed(age, INCIDENT, [age, father])
    cited = replace(name, quote="Dana Whitlock, 34, was cited.")
    assert not is_backed(replace(age, after=34, quote=cited.quote), INCIDENT, [cited]), "it tells of no victim"


def test_silence_judgements_and_dates_have_no_words_to_look_for() -> None:
    assert is_borne_out(make_change(quote=None), INCIDENT, None)
    withheld = make_change(after_state=ClaimState.WITHHELD, after=None, quote="The name was not released.")
    assert is_borne_out(withheld, INCIDENT, None)
    day = make_change(field="occurred_date", participant_id=None, after=date(2025, 3, 2), quote="It was on Sunday.")
    assert is_borne_out(day, INCIDENT, None)


@given(quote=st.text(max_size=200), value=st.integers(0, 10**6), name=st.text(max_size=40))
def test_any_sentence_gets_an_answer(quote: str, value: int, name: str) -> None:
    for field in ("n_killed", "n_injured", "age"):
        assert states_value(field, value, quote) in (True, False)
    assert states_value("name", name, quote) in (True, False)
    assert states_value("charges", name or "x", quote) in (True, False)
