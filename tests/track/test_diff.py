"""The diff of a record with itself is empty, and what is gone leaves a trace."""

from blotter.link.memory import Member
from blotter.model import ChangeKind, ClaimState, Role
from blotter.resolve.members import make_member
from blotter.resolve.record import resolve_members
from blotter.track import Difference, Trigger, diff_versions
from stories import DAY_1, make_story, say

TEXT = "Ada Lind, 40, was hurt in Quillby."


def make_account(*fields: tuple[str, object]) -> Member:
    article, reading = make_story(
        say(TEXT, "city", "Quillby"),
        *(say(TEXT, field, value, of=1, role=Role.VICTIM) for field, value in fields),
    )
    return make_member(article, reading, 1, home_id="inc_x", placed={1: "par_x"} if fields else {})


def diff(before: Difference | None, *members: Member) -> Difference:
    return diff_versions(
        before.standing if before else (),
        resolve_members(members),
        members,
        Trigger(),
        incident_id="inc_x",
        version=2,
        known_at=DAY_1,
    )


def test_the_diff_of_a_record_with_itself_is_empty() -> None:
    account = make_account(("role", "victim"), ("name", "Ada Lind"), ("age", 40))
    first = diff(None, account)
    assert {change.kind for change in first.changes} == {ChangeKind.ADDED}
    again = diff(first, account)
    assert (again.changes, again.facts, again.standing) == ((), (), first.standing)


def test_a_field_nobody_tells_any_more_is_retracted_with_the_claims_that_told_it() -> None:
    full = diff(None, make_account(("role", "victim"), ("age", 40)))
    less = diff(full, make_account(("role", "victim")))
    (change,) = less.changes
    assert (change.field, change.kind, change.after_state) == ("age", ChangeKind.RETRACTED, ClaimState.RETRACTED)
    (fact,) = less.facts
    assert fact.claim_ids and fact.value is None
    assert diff(less, make_account(("role", "victim"))).changes == ()


def test_a_participant_nobody_tells_of_goes_whole() -> None:
    full = diff(None, make_account(("role", "victim"), ("age", 40)))
    less = diff(full, make_account())
    assert {(change.field, change.after_state) for change in less.changes} == {("age", None), ("role", None)}
    assert {one.field for one in less.standing} == {"city"}
