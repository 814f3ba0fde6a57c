"""What makes two accounts the same incident, and the reasons that a link gives."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blotter.link.compare import LinkRules, compare_account, match_names
from blotter.link.describe import count_text_terms, describe_incident, fold_name, fold_street
from blotter.link.memory import Account, Profile
from blotter.model import ReadingKind, Verdict
from stories import DAY_1, MemoryDesk, make_story, play, say


def account(text: str, **given: Any) -> Account:
    at = given.pop("at", DAY_1)
    article, reading = make_story(
        *(say(text, field, value, of=1 if field in ("name", "age") else None) for field, value in given.items()), at=at
    )
    return describe_incident(article, 1, reading.claims, count_text_terms(article, article.text), {}, 500)


def score(one: Account, other: Account) -> float:
    return compare_account(one, Profile("inc_x", (other,))).score


FIRE = "A fire destroyed the tannery on Harness Street in Quillby, and Mateo Brandt was hurt."


def test_the_same_story_in_other_words_is_one_incident() -> None:
    one = account(FIRE, city="Quillby", street="Harness Street", name="Mateo Brandt", occurred_date=date(2025, 3, 5))
    other = account(
        "Mateo Brandt escaped the burning tannery in Quillby with burns to his hands.",
        city="Quillby", name="Brandt", occurred_date=date(2025, 3, 5), at=DAY_1 + timedelta(days=2),
    )  # fmt: skip
    found = compare_account(other, Profile("inc_x", (one,)))
    assert LinkRules().judge(found.score) is Verdict.POSITIVE
    assert any(reason.startswith("same name brandt") for reason in found.reasons)


def test_day_and_town_alone_are_a_question_for_a_person() -> None:
    one = account("A barn burned.", city="Quillby", occurred_date=date(2025, 3, 5))
    other = account("Somebody shot a dog.", city="Quillby", occurred_date=date(2025, 3, 5))
    assert LinkRules().judge(score(one, other)) is not Verdict.POSITIVE


def test_another_street_and_other_ages_speak_against() -> None:
    told = {"city": "Quillby", "occurred_date": date(2025, 3, 5)}
    one = account(FIRE, street="Harness Street", age=40, **told)
    same = account(FIRE, street="Harness Street", age=40, at=DAY_1 + timedelta(hours=1), **told)
    other = account(FIRE, street="Quarry Road", age=22, at=DAY_1 + timedelta(hours=1), **told)
    assert score(one, other) < score(one, same)


@pytest.mark.parametrize(
    ("one", "other", "is_match"),
    [
        ("Tomas Reyes Villar", "Tomas Reyes", True),
        ("Reyes", "Tomas Reyes", True),
        ("Andres Vasquez-Lasso", "Andres Vasquez Lasso", True),
        ("José García", "Jose Garcia", True),
        ("Christopher Rhode", "Chris Rhode", True),
        ("Roderick Holder", "Rodderick Holder Jr.", True),
        ("Ada Lind", "Eva Lind", False),
        ("Ada Lind", "Ada Storm", False),
        ("", "Ada Storm", False),
    ],
)
def test_names_that_can_be_one_person(one: str, other: str, is_match: bool) -> None:
    assert match_names(fold_name(one), fold_name(other)) is is_match
    assert match_names(fold_name(other), fold_name(one)) is is_match


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_can_be_names_or_streets(one: str, other: str) -> None:
    match_names(fold_name(one), fold_name(other))
    assert fold_street(one) == fold_street(one.upper().lower()) or one != one.lower()


def test_a_roundup_line_needs_more_and_founds_little() -> None:
    line = "In Quillby a man was hurt."
    roundup = make_story(say(line, "city", "Quillby"), kind=ReadingKind.ROUNDUP)
    (update,) = play(MemoryDesk(), [roundup])
    assert update.incidents == () and update.links == ()
