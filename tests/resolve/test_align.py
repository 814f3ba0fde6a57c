"""Who of a reading is who of an incident."""

from typing import Any

from blotter.link.memory import Statement
from blotter.model import Role
from blotter.resolve.align import Person, align_participants
from blotter.resolve.members import make_member
from stories import make_story, say


def describe(*people: dict[str, Any]) -> tuple[Statement, ...]:
    """Statements about persons, each given as field to value, role first."""
    says = [
        say(f"Sentence about person {ref}.", field, value, of=ref, role=Role(fields["role"]))
        for ref, fields in enumerate(people, 1)
        for field, value in fields.items()
    ]
    article, reading = make_story(*says)
    return make_member(article, reading, 1, home_id="inc_x").statements


def know(*people: dict[str, Any]) -> dict[str, Person]:
    """Participants p1, p2, ... of an incident, as earlier accounts described them."""
    known: dict[str, Person] = {}
    for statement in describe(*people):
        known.setdefault(f"p{statement.participant_ref}", Person()).learn(statement)
    return known


def place(told: tuple[Statement, ...], known: dict[str, Person]) -> dict[int, str]:
    placed = align_participants(told, known, incident_id="inc_x", reading_id="rdg_x")
    return {one.participant_ref: one.participant_id if one.participant_id in known else "new" for one in placed}


def test_the_officer_of_day_one_is_the_one_named_on_day_two() -> None:
    known = know({"role": "victim", "occupation": "officer", "condition": "killed"}, {"role": "suspect", "age": 18})
    named = describe({"role": "victim", "name": "Tomas Reyes", "age": 32, "condition": "killed"})
    assert place(named, known) == {1: "p1"}


def test_two_victims_of_one_age_stay_two() -> None:
    twins = ({"role": "victim", "age": 32}, {"role": "victim", "age": 32})
    assert place(describe(*twins), know(*twins)) == {1: "p1", 2: "p2"}
    assert sorted(place(describe(*twins), know(twins[0])).values()) == ["new", "p1"]


def test_other_names_are_other_people_whatever_else_agrees() -> None:
    known = know({"role": "victim", "name": "Ada Lind", "age": 40, "condition": "killed"})
    assert place(describe({"role": "victim", "name": "Eva Storm", "age": 40, "condition": "killed"}), known) == {
        1: "new"
    }


def test_a_surname_or_a_misprint_is_the_same_person() -> None:
    known = know({"role": "victim", "name": "Tomas Reyes Villar"}, {"role": "victim", "name": "Ingrid Solberg"})
    assert place(describe({"role": "victim", "name": "Solberg"}), known) == {1: "p2"}
    assert place(describe({"role": "victim", "name": "Ingrid Solbergh"}), known) == {1: "p2"}


def test_who_could_be_either_of_two_is_placed_nowhere() -> None:
    known = know({"role": "suspect", "name": "Ada Lind"}, {"role": "suspect", "name": "Eva Storm"})
    assert place(describe({"role": "suspect", "legal_status": "charged"}), known) == {}


def test_of_two_without_names_the_one_who_fared_so_is_told() -> None:
    known = know({"role": "victim", "condition": "killed"}, {"role": "victim", "condition": "injured"})
    told = describe(
        {"role": "victim", "name": "Ada Lind", "condition": "injured"},
        {"role": "victim", "name": "Eva Storm", "condition": "killed"},
    )
    assert place(told, known) == {1: "p2", 2: "p1"}


def test_a_suspect_is_not_the_victim() -> None:
    known = know({"role": "victim", "age": 30})
    assert place(describe({"role": "suspect", "age": 30}), known) == {1: "new"}
