"""Who of a reading is who of an incident.

Belongs here: comparing the persons of one reading with the participants of an incident, one to one. Does not belong
here: which incident it is (`blotter.link`), and what is believed of a participant (`values`).

The rules (docs/resolution.md): a name or an age decides; without them a person is told by being the only one of the
role, or the only one of the role who fared so; who could be either of two is placed nowhere.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from blotter.ids import make_id
from blotter.link.compare import match_names
from blotter.link.describe import fold_name
from blotter.link.memory import Member, Statement
from blotter.link.terms import fold
from blotter.model import ClaimState, Role

_ENOUGH = 2.0
_TELLING = 0.5  # how much better than the next the best must be, where neither name nor age decides


@dataclass(slots=True)
class Person:
    """What is said of one person, by one reading or by all of an incident."""

    roles: Counter[str] = field(default_factory=Counter)
    names: list[tuple[str, ...]] = field(default_factory=list)
    ages: set[int] = field(default_factory=set)
    genders: set[str] = field(default_factory=set)
    conditions: set[str] = field(default_factory=set)
    occupations: set[str] = field(default_factory=set)

    @property
    def role(self) -> str:
        """The role told most often."""
        return min(self.roles, key=lambda role: (-self.roles[role], role), default=Role.OTHER.value)

    @property
    def is_individual(self) -> bool:
        """Whether a name or an age is known."""
        return bool(self.names or self.ages)

    def learn(self, statement: Statement) -> None:
        """Take in one statement."""
        value = statement.value
        if statement.state is not ClaimState.KNOWN or value is None:
            return
        if statement.field == "role":
            self.roles[str(value)] += 1
        elif statement.field == "name" and (name := fold_name(str(value))):
            self.names.append(name)
        elif statement.field == "age" and isinstance(value, int):
            self.ages.add(value)
        elif statement.field == "gender":
            self.genders.add(str(value))
        elif statement.field == "condition":
            self.conditions.add(str(value))
        elif statement.field == "occupation":
            self.occupations.add(fold(str(value)))


@dataclass(frozen=True, slots=True)
class Placed:
    """A person of a reading placed in an incident; the score is how sure that is, 0 to 1."""

    participant_ref: int
    participant_id: str
    score: float
    reasons: tuple[str, ...]


def gather_people(members: Iterable[Member]) -> dict[str, Person]:
    """Gather what an incident's accounts say of each of its participants, by participant id."""
    people: dict[str, Person] = {}
    for member in members:
        for statement in member.statements:
            ref = statement.participant_ref
            if ref is not None and ref in member.placed:
                people.setdefault(member.placed[ref], Person()).learn(statement)
    return people


def align_participants(
    statements: Sequence[Statement], people: Mapping[str, Person], *, incident_id: str, reading_id: str
) -> list[Placed]:
    """Place the persons of one reading among the `people` of an incident; those not found there are new.

    One each, in the order of their refs; a person who could be either of two is left out.
    """
    mine: dict[int, Person] = {}
    for statement in statements:
        if statement.participant_ref is not None:
            mine.setdefault(statement.participant_ref, Person()).learn(statement)
    pairs = _score_pairs(mine, people)
    placed: dict[int, Placed] = {}
    taken: set[str] = set()
    for points, ref, participant_id, reasons in pairs:
        if ref in placed or participant_id in taken or points < _ENOUGH:
            continue
        if not _is_decided(points, ref, participant_id, pairs, taken, mine[ref], people[participant_id]):
            continue
        placed[ref] = Placed(ref, participant_id, _turn_to_score(points), reasons)
        taken.add(participant_id)
    for ref in sorted(mine.keys() - placed.keys()):
        if _may_be_known(mine[ref], people, taken):
            continue
        new_id = make_id("par", incident_id, reading_id, ref)
        placed[ref] = Placed(ref, new_id, 1.0, ("first mention",))
    return [placed[ref] for ref in sorted(placed)]


_Pair = tuple[float, int, str, tuple[str, ...]]


def _score_pairs(mine: Mapping[int, Person], people: Mapping[str, Person]) -> list[_Pair]:
    my_roles = Counter(person.role for person in mine.values())
    their_roles = Counter(person.role for person in people.values())
    my_fates = Counter((p.role, fate) for p in mine.values() for fate in p.conditions)
    their_fates = Counter((p.role, fate) for p in people.values() for fate in p.conditions)
    pairs: list[_Pair] = []
    for ref, person in mine.items():
        for participant_id, known in people.items():
            compared = _compare(person, known)
            if compared is None:
                continue
            points, reasons = compared
            role = person.role
            if role == known.role:
                if my_roles[role] == 1 and their_roles[role] == 1:
                    points, reasons = points + 2.0, [*reasons, f"the only {role} on both sides"]
                elif any(
                    my_fates[role, fate] == their_fates[role, fate] == 1
                    for fate in person.conditions & known.conditions
                ):
                    points, reasons = points + 1.5, [*reasons, f"the only {role} who fared so"]
                elif (my_roles[role] == 1 and not person.is_individual) or (
                    their_roles[role] == 1 and not known.is_individual
                ):
                    points, reasons = points + 1.2, [*reasons, f"the only {role} on one side"]
            pairs.append((points, ref, participant_id, tuple(reasons)))
    order = {participant_id: at for at, participant_id in enumerate(people)}
    return sorted(pairs, key=lambda pair: (-pair[0], pair[1], order[pair[2]]))


def _compare(person: Person, known: Person) -> tuple[float, list[str]] | None:
    """Weigh what speaks for two being one person; None where something rules it out."""
    points, reasons = 0.0, []
    has_name = False
    if person.names and known.names:
        has_name = any(match_names(a, b) for a in person.names for b in known.names)
        if not has_name:
            return None
        points, reasons = 6.0, ["same name"]
    if person.ages and known.ages:
        apart = min(abs(a - b) for a in person.ages for b in known.ages)
        if apart > 1 and not has_name:
            return None
        points += 2.5 if apart == 0 else 0.3
        reasons += ["same age"] if apart == 0 else []
    if person.genders and known.genders and not person.genders & known.genders:
        if not has_name:
            return None
        points -= 1.0
    elif person.genders & known.genders:
        points += 0.5
    points += _compare_roles(person.role, known.role, reasons)
    if person.conditions & known.conditions:
        points, reasons = points + 0.8, [*reasons, "same condition"]
    elif _rule_each_other_out(person.conditions, known.conditions):
        points -= 2.0
    if person.occupations & known.occupations:
        points, reasons = points + 1.5, [*reasons, "same occupation"]
    return points, reasons


def _compare_roles(mine: str, theirs: str, reasons: list[str]) -> float:
    if mine == theirs:
        reasons.append(f"same role {mine}")
        return 1.0
    if {mine, theirs} == {Role.VICTIM.value, Role.SUSPECT.value}:
        return -3.5
    return -0.7


def _rule_each_other_out(mine: set[str], theirs: set[str]) -> bool:
    return bool(mine and theirs) and ("unharmed" in mine) != ("unharmed" in theirs)


def _is_decided(
    points: float, ref: int, participant_id: str, pairs: Sequence[_Pair], taken: set[str], person: Person, known: Person
) -> bool:
    """Say whether a pair stands out: by name or age, or by being clearly better than the person's next."""
    if (person.names and known.names) or (person.ages & known.ages):
        return True
    rivals = (p for p, r, other, _ in pairs if r == ref and other != participant_id and other not in taken)
    return points - max(rivals, default=-math.inf) >= _TELLING


def _may_be_known(person: Person, people: Mapping[str, Person], taken: set[str]) -> bool:
    """Say whether someone without name and age may be one of those of the role that are left."""
    if person.is_individual:
        return False
    return any(known.role == person.role and pid not in taken for pid, known in people.items())


def _turn_to_score(points: float) -> float:
    return round(1 / (1 + math.exp(_ENOUGH - 0.5 - points)), 4)
