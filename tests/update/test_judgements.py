"""What a person decides outranks what is computed, now and when an article is read again; and it can be undone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest

from blotter.model import (
    Article,
    ChangeCause,
    ChangeKind,
    ClaimState,
    Judgement,
    Reading,
    Role,
    Verdict,
    identify_reading,
)
from blotter.update import Update
from stories import DAY_1, MemoryDesk, comparable, latest_versions, make_story, officer_story, play, say


def make_judgement(action: str, **given: Any) -> Judgement:
    at = given.pop("judged_at", DAY_1 + timedelta(days=9))
    return Judgement(
        judgement_id=f"jdg_{action}_{given}", action=action, actor="ana", reason="read both", judged_at=at, **given
    )


def judge(desk: MemoryDesk, *judgements: Judgement) -> Update:
    (update,) = play(desk, [], now=DAY_1 + timedelta(days=10), judgements=judgements)
    return update


@pytest.fixture
def told() -> tuple[MemoryDesk, dict[str, Any]]:
    desk = MemoryDesk()
    return desk, latest_versions(play(desk, officer_story()))


def find(incidents: dict[str, Any], city: str) -> Any:
    return next(one for one in incidents.values() if one.city == city)


def test_set_outranks_what_articles_say_and_keeps_it_as_a_rival(told: tuple[MemoryDesk, dict[str, Any]]) -> None:
    desk, incidents = told
    halford = find(incidents, "Halford")
    update = judge(desk, make_judgement("set", incident_id=halford.incident_id, field="n_killed", value="2"))
    (change,) = update.changes
    assert (change.before, change.after, change.cause, change.claim_id) == (1, 2, ChangeCause.HUMAN, None)
    (fact,) = update.incidents[0].facts
    assert fact.judgement_id is not None and fact.rivals[0].value == 1


def test_a_merge_can_be_split_again_and_both_ids_stay_readable(told: tuple[MemoryDesk, dict[str, Any]]) -> None:
    desk, incidents = told
    kept, merged = find(incidents, "Halford"), find(incidents, "Ostrand")
    both = {"incident_id": kept.incident_id, "other_incident_id": merged.incident_id}

    update = judge(desk, make_judgement("merge", **both))
    after = {one.incident_id: one for one in update.incidents}
    assert after[merged.incident_id].merged_into == kept.incident_id
    assert after[merged.incident_id].city == "Ostrand"
    assert after[kept.incident_id].n_articles == 3
    assert ChangeKind.MERGED in {change.kind for change in update.changes}

    update = judge(desk, make_judgement("split", **both))
    after = {one.incident_id: one for one in update.incidents}
    assert comparable(after[merged.incident_id]) == comparable(merged)
    assert comparable(after[kept.incident_id]) == comparable(kept)
    assert ChangeKind.SPLIT in {change.kind for change in update.changes}


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("is_inner_first", [True, False])
def test_a_chain_of_merges_comes_apart_in_any_order(order: Sequence[int], is_inner_first: bool) -> None:
    stabbed = "A woman was stabbed to death in Wexley on Friday, 7 March."
    elsewhere = make_story(
        say(stabbed, "incident_type", "stabbing"),
        say(stabbed, "occurred_date", date(2025, 3, 7)),
        say(stabbed, "city", "Wexley"),
        source="post",
        at=DAY_1 + timedelta(days=2),
    )
    desk = MemoryDesk()
    before = latest_versions(play(desk, [*officer_story(), elsewhere]))
    one, two, three = (sorted(before)[place] for place in order)
    judge(desk, make_judgement("merge", incident_id=two, other_incident_id=one))
    judge(desk, make_judgement("merge", incident_id=three, other_incident_id=two))

    pairs = [(three, one), (three, two)] if is_inner_first else [(three, two), (two, one)]
    updates = [
        judge(desk, make_judgement("split", incident_id=kept, other_incident_id=merged)) for kept, merged in pairs
    ]
    assert [update.refused for update in updates] == [(), ()]
    after = latest_versions(updates)
    assert {name: comparable(incident) for name, incident in after.items()} == {
        name: comparable(incident) for name, incident in before.items()
    }


def tell_both() -> tuple[Article, Reading]:
    """One article that gives two incidents their only account."""
    shot = "A police officer was shot dead in Ostrand early on Thursday, 6 March, at Quarry Road."
    stabbed = "A woman was stabbed to death on Alder Street in Wexley on Friday, 7 March."
    return make_story(
        say(shot, "incident_type", "shooting"),
        say(shot, "occurred_date", date(2025, 3, 6)),
        say(shot, "city", "Ostrand"),
        say(shot, "role", "victim", of=1, role=Role.VICTIM),
        say(stabbed, "incident_type", "stabbing", ref=2),
        say(stabbed, "occurred_date", date(2025, 3, 7), ref=2),
        say(stabbed, "city", "Wexley", ref=2),
        say(stabbed, "role", "victim", of=2, role=Role.VICTIM, ref=2),
        title="Two killed in two days",
        at=DAY_1 + timedelta(days=3),
    )


@pytest.mark.parametrize("city", ["Ostrand", "Wexley"])
def test_an_article_in_both_incidents_is_in_both_again_after_a_split(city: str) -> None:
    desk = MemoryDesk()
    before = latest_versions(play(desk, [tell_both()]))
    kept = find(before, city).incident_id
    (merged,) = before.keys() - {kept}
    both = {"incident_id": kept, "other_incident_id": merged}
    update = judge(desk, make_judgement("merge", **both))
    assert sorted(member.incident_ref for member in desk.dossiers[kept].members) == [1, 2]
    assert latest_versions([update])[kept].n_articles == 1
    after = latest_versions([judge(desk, make_judgement("split", **both))])
    assert {name: comparable(one) for name, one in after.items()} == {
        name: comparable(one) for name, one in before.items()
    }


def test_an_unlinked_article_leaves_with_all_its_accounts() -> None:
    article, reading = tell_both()
    desk = MemoryDesk()
    kept, merged = sorted(latest_versions(play(desk, [(article, reading)])))
    judge(desk, make_judgement("merge", incident_id=kept, other_incident_id=merged))
    update = judge(desk, make_judgement("unlink", article_id=article.article_id, incident_id=kept))
    assert update.refused == ()
    assert desk.dossiers[kept].members == ()
    assert {link.incident_ref: link.verdict for link in update.links if link.incident_id == kept} == {
        1: Verdict.NEGATIVE,
        2: Verdict.NEGATIVE,
    }


def test_a_merge_outlives_reading_again_and_so_does_what_a_split_gives_back() -> None:
    article, reading = tell_both()
    desk = MemoryDesk()
    before = latest_versions(play(desk, [(article, reading)]))
    kept, merged = sorted(before)
    both = {"incident_id": kept, "other_incident_id": merged}
    judge(desk, make_judgement("merge", **both))
    again = identify_reading(replace(reading, extractor_version="test-2"), article)
    (update,) = play(desk, [(article, again)], now=DAY_1 + timedelta(days=11))
    assert {link.incident_id for link in update.links if link.verdict is Verdict.POSITIVE} == {kept}
    after = latest_versions([judge(desk, make_judgement("split", **both))])
    assert {name: one.city for name, one in after.items()} == {name: one.city for name, one in before.items()}
    assert {one.extractor_version for one in after.values()} == {"test-2"}


def test_a_value_that_a_person_set_goes_with_a_merge_and_comes_back(told: tuple[MemoryDesk, dict[str, Any]]) -> None:
    desk, incidents = told
    kept, merged = find(incidents, "Halford"), find(incidents, "Ostrand")
    (victim,) = merged.participants
    of_merged = {"action": "set", "incident_id": merged.incident_id}
    set_toll = make_judgement(**of_merged, field="n_killed", value="4")
    set_name = make_judgement(**of_merged, participant_id=victim.participant_id, field="name", value="Ingrid Solberg")
    before = latest_versions([judge(desk, set_toll, set_name)])[merged.incident_id]

    both = {"incident_id": kept.incident_id, "other_incident_id": merged.incident_id}
    update = judge(desk, make_judgement("merge", **both))
    after = latest_versions([update])[kept.incident_id]
    assert after.n_killed == 4
    assert {fact.judgement_id for fact in after.facts} >= {set_toll.judgement_id, set_name.judgement_id}
    assert "Ingrid Solberg" in {one.name for one in after.participants}
    assert {c.cause for c in update.changes if c.after in (4, "Ingrid Solberg")} == {ChangeCause.HUMAN}

    after_split = latest_versions([judge(desk, make_judgement("split", **both))])
    assert comparable(after_split[merged.incident_id]) == comparable(before)
    assert comparable(after_split[kept.incident_id]) == comparable(kept)


def test_of_two_values_that_persons_set_before_a_merge_the_later_stands(
    told: tuple[MemoryDesk, dict[str, Any]],
) -> None:
    desk, incidents = told
    kept, merged = find(incidents, "Halford").incident_id, find(incidents, "Ostrand").incident_id
    for hours, (incident_id, value) in enumerate([(merged, "4"), (kept, "5")]):
        at = DAY_1 + timedelta(days=9, hours=hours)
        judge(desk, make_judgement("set", incident_id=incident_id, field="n_killed", value=value, judged_at=at))
    merge = make_judgement("merge", incident_id=kept, other_incident_id=merged)
    judge(desk, merge)
    assert {one.field: one.value for one in desk.dossiers[kept].standing if one.is_human} == {"n_killed": 5}


def test_what_was_set_of_somebody_during_a_merge_goes_with_them(told: tuple[MemoryDesk, dict[str, Any]]) -> None:
    desk, incidents = told
    kept, merged = find(incidents, "Halford").incident_id, find(incidents, "Ostrand").incident_id
    both = {"incident_id": kept, "other_incident_id": merged}
    after = latest_versions([judge(desk, make_judgement("merge", **both))])[kept]
    ((theirs,),) = [member.placed.values() for member in desk.dossiers[kept].members if member.home_id == merged]
    assert theirs in {one.participant_id for one in after.participants}
    of_theirs = {"incident_id": kept, "participant_id": theirs, "field": "occupation", "value": "sergeant"}
    judge(desk, make_judgement("set", **of_theirs))
    split = latest_versions([judge(desk, make_judgement("split", **both))])
    assert [one.occupation for one in split[merged].participants] == ["sergeant"]
    assert {fact.judgement_id for fact in split[kept].facts} == {None}


def test_moving_an_article_writes_a_negative_and_a_positive(told: tuple[MemoryDesk, dict[str, Any]]) -> None:
    desk, incidents = told
    second = officer_story()[1][0]
    halford, ostrand = find(incidents, "Halford"), find(incidents, "Ostrand")
    update = judge(desk, make_judgement("link", article_id=second.article_id, incident_id=ostrand.incident_id))
    links = {(link.incident_id, link.verdict, link.seq, link.actor) for link in update.links}
    assert links == {
        (halford.incident_id, Verdict.NEGATIVE, 2, "human:ana"),
        (ostrand.incident_id, Verdict.POSITIVE, 3, "human:ana"),
    }
    left = latest_versions([update])[halford.incident_id]
    officer = next(p for p in left.participants if p.role is Role.VICTIM)
    assert officer.name is None and officer.name_state is ClaimState.WITHHELD
    assert {change.cause for change in update.changes} == {ChangeCause.HUMAN}


def test_a_judgement_survives_reading_the_article_again(told: tuple[MemoryDesk, dict[str, Any]]) -> None:
    desk, incidents = told
    article, reading = officer_story()[1]
    halford = find(incidents, "Halford")
    judge(desk, make_judgement("unlink", article_id=article.article_id, incident_id=halford.incident_id))
    again = identify_reading(replace(reading, extractor_version="test-2"), article)
    (update,) = play(desk, [(article, again)], now=DAY_1 + timedelta(days=11))
    positive = {link.incident_id for link in update.links if link.verdict is Verdict.POSITIVE}
    assert positive and halford.incident_id not in positive
    assert {change.cause for change in update.changes} <= {ChangeCause.EXTRACTOR_CHANGE}


def test_two_participants_can_be_taken_for_one() -> None:
    first = "A man was shot in Halford on Monday and a man of 40 was shot on Birch Street."
    desk = MemoryDesk()
    story = make_story(
        say(first, "city", "Halford"),
        say(first, "role", "victim", of=1, role=Role.VICTIM),
        say(first, "role", "victim", of=2, role=Role.VICTIM),
        say(first, "age", 40, of=2, role=Role.VICTIM),
    )
    (incident,) = latest_versions(play(desk, [story])).values()
    one, two = (p.participant_id for p in incident.participants)
    update = judge(
        desk,
        make_judgement("merge", incident_id=incident.incident_id, participant_id=one, other_participant_id=two),
    )
    (after,) = update.incidents
    assert [(p.participant_id, p.age) for p in after.participants] == [(one, 40)]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"action": "link", "article_id": "art_none", "incident_id": "inc_none"}, "no article"),
        ({"action": "merge", "incident_id": "inc_none", "other_incident_id": "inc_none"}, "no incident"),
        ({"action": "set", "incident_id": "inc_none", "field": "age"}, "no incident"),
        ({"action": "explode"}, "no action"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_a_reason(
    told: tuple[MemoryDesk, dict[str, Any]], given: dict[str, Any], reason: str
) -> None:
    update = judge(told[0], make_judgement(**given))
    assert len(update.refused) == 1 and reason in update.refused[0][1]
    assert update.changes == ()


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [("n_killed", "many", "no value"), ("age", "30", "field of the participant"), ("status", "solved", "no value")],
)
def test_a_value_that_cannot_be_is_refused(
    told: tuple[MemoryDesk, dict[str, Any]], field: str, value: str, reason: str
) -> None:
    desk, incidents = told
    halford = find(incidents, "Halford")
    update = judge(desk, make_judgement("set", incident_id=halford.incident_id, field=field, value=value))
    assert reason in update.refused[0][1]
