"""Random stories: incidents about which outlets report, edit, correct, retract and contradict each other.

A script is a list of steps; `tell_script` turns it into articles with readings, in the order in which they come in.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from hypothesis import strategies as st

from blotter.model import Article, ClaimState, Notice, Reading, ReadingKind, Role
from stories import DAY_1, Say, make_story, say

TOWNS = (
    ("Halford", "Tamarack Avenue", "Tomas Reyes Villar", "orchard gate beside the tannery lane"),
    ("Ostrand", "Quarry Road", "Ingrid Solberg", "ferry landing under the old grain tower"),
    ("Quillby", "Harness Street", "Mateo Brandt", "roller rink behind the bottling works"),
)
OUTLETS = ("gazette", "herald", "courier", "beacon")


@dataclass(frozen=True, slots=True)
class Step:
    """One article: of which incident, by whom, how many hours after the last, and what it says."""

    town: int
    outlet: int
    hours: int
    knows_name: bool
    withholds: bool
    age: int | None
    n_killed: int | None
    condition: str | None
    is_short: bool
    kind: str  # report, edit, correction, retraction, late, follow_up, roundup (tells of the next town's too)


def steps(*kinds: str) -> st.SearchStrategy[Step]:
    """Steps of these kinds."""
    return st.builds(
        Step,
        town=st.integers(0, len(TOWNS) - 1),
        outlet=st.integers(0, len(OUTLETS) - 1),
        hours=st.integers(1, 40),
        knows_name=st.booleans(),
        withholds=st.booleans(),
        age=st.sampled_from([None, 31, 32, 45]),
        n_killed=st.sampled_from([None, 1, 2, 3]),
        condition=st.sampled_from([None, "injured", "critical", "killed"]),
        is_short=st.booleans(),
        kind=st.sampled_from(kinds),
    )


def scripts(*kinds: str, max_size: int = 9) -> st.SearchStrategy[list[Step]]:
    """Scripts whose steps are of these kinds."""
    return st.lists(steps(*kinds), min_size=1, max_size=max_size)


def tell_script(script: list[Step]) -> list[tuple[Article, Reading]]:
    """Turn a script into articles in the order in which they come in."""
    told: list[tuple[Article, Reading]] = []
    revisions: dict[tuple[int, int], tuple[str, int]] = {}
    at = DAY_1
    for number, step in enumerate(script):
        at += timedelta(hours=step.hours)
        page = (step.town, step.outlet)
        is_edit = step.kind in ("edit", "correction", "retraction") and page in revisions
        url, revision = revisions[page] if is_edit else (f"https://{OUTLETS[step.outlet]}.example/{number}", 0)
        revisions[page] = (url, revision + 1)
        says = _say_step(step, number)
        if step.kind == "roundup":
            beside = replace(step, town=(step.town + 1) % len(TOWNS))
            says += [replace(one, ref=2, of=one.of and one.of + 1) for one in _say_step(beside, number)]
        told.append(
            make_story(
                *says,
                source=OUTLETS[step.outlet],
                at=at - timedelta(days=3) if step.kind == "late" else at,
                title=f"{TOWNS[step.town][0]}: what is known ({number})",
                url=url,
                revision=revision + 1,
                kind=ReadingKind.FOLLOW_UP if step.kind == "follow_up" else ReadingKind.INCIDENT,
                notice={"correction": Notice.CORRECTION, "retraction": Notice.RETRACTION}.get(step.kind, Notice.NONE),
            )
        )
    return told


def _say_step(step: Step, number: int) -> list[Say]:
    town, street, name, scene = TOWNS[step.town]
    where = f"It happened at the {scene} on {street} in {town} on 5 March, report {number} says."
    person = name if step.knows_name else "a man"
    who = f"The victim of {town} in report {number} is {person}, {step.age}, {step.condition}."
    says = [say(where, "city", town), say(where, "street", street), say(where, "occurred_date", date(2025, 3, 5))]
    if step.is_short:
        return says
    says.append(say(who, "role", "victim", of=1, role=Role.VICTIM))
    if step.knows_name:
        state = ClaimState.RETRACTED if step.kind == "retraction" else ClaimState.KNOWN
        value = None if step.kind == "retraction" else name
        says.append(say(who, "name", value, of=1, role=Role.VICTIM, state=state))
    elif step.withholds:
        says.append(say(who, "name", of=1, role=Role.VICTIM, state=ClaimState.WITHHELD))
    if step.age is not None:
        says.append(say(who, "age", step.age, of=1, role=Role.VICTIM))
    if step.condition is not None:
        says.append(say(who, "condition", step.condition, of=1, role=Role.VICTIM))
    if step.n_killed is not None:
        says.append(say(where, "n_killed", step.n_killed))
    return says
