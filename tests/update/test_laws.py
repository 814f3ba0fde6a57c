"""What must hold of every story, whatever outlets say in whatever order (design.md section 6)."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from blotter.link.memory import build_value
from blotter.model import Article, ClaimState, Judgement, Reading, ReadingKind, Role, Verdict
from blotter.track import apply_changes
from blotter.update import Update, sort_batch
from stories import DAY_1, MemoryDesk, comparable, latest_versions, play
from story_scripts import Step, scripts, tell_script

EVERYTHING = ("report", "edit", "correction", "retraction", "late", "follow_up", "roundup")
LAW = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
HEAVY_LAW = settings(LAW, max_examples=8000)

Stream = Sequence[tuple[Article, Reading]]


def play_single(stream: Stream) -> tuple[MemoryDesk, list[Update]]:
    """Play a stream one article a batch, the clock an hour after each came in."""
    desk = MemoryDesk()
    updates, now = [], DAY_1
    for article, reading in stream:
        now = max(now, article.published_at) + timedelta(hours=1)
        updates += play(desk, [(article, reading)], now=now)
    return desk, updates


def standing_of(desk: MemoryDesk, incident_id: str) -> dict[tuple[str | None, str], tuple[ClaimState, object]]:
    dossier = desk.dossiers.get(incident_id)
    return {
        (one.participant_id, one.field): (one.state, build_value(one.field, one.value))
        for one in (dossier.standing if dossier else ())
    }


def check_changes_lead_from_version_to_version(stream: Stream) -> None:
    desk, now = MemoryDesk(), DAY_1
    for pair in stream:
        now = max(now, pair[0].published_at) + timedelta(hours=1)
        before = {one: standing_of(desk, one) for one in desk.dossiers}
        (update,) = play(desk, [pair], now=now)
        assert {change.incident_id for change in update.changes} <= {one.incident_id for one in update.incidents}
        for incident_id in desk.dossiers:
            changes = [change for change in update.changes if change.incident_id == incident_id]
            assert apply_changes(before.get(incident_id, {}), changes) == standing_of(desk, incident_id)


def check_rules(stream: Stream) -> None:
    """Nothing invented, no id used twice, versions in order, and the final record follows from what is stored."""
    claim_ids = {claim.claim_id for _, reading in stream for claim in reading.claims}
    _, updates = play_single(stream)
    change_ids = [change.change_id for update in updates for change in update.changes]
    link_ids = [link.link_id for update in updates for link in update.links]
    assert len(set(change_ids)) == len(change_ids)
    assert len(set(link_ids)) == len(link_ids)
    versions: dict[str, int] = {}
    for update in updates:
        for incident in update.incidents:
            assert incident.version == versions.get(incident.incident_id, 0) + 1
            versions[incident.incident_id] = incident.version
            for fact in incident.facts:
                assert fact.claim_ids and set(fact.claim_ids) <= claim_ids
                assert (fact.value is None) == (fact.state not in (ClaimState.KNOWN, ClaimState.DISPUTED))
        for change in update.changes:
            assert change.claim_id is None or change.claim_id in claim_ids
            assert (
                change.before_state != change.after_state
                or change.kind.startswith("conflict")
                or (change.before != change.after)
            )


@LAW
@given(scripts(*EVERYTHING))
def test_changes_lead_from_each_version_to_the_next(script: list[Step]) -> None:
    check_changes_lead_from_version_to_version(tell_script(script))


@LAW
@given(scripts(*EVERYTHING))
def test_nothing_is_invented_and_no_id_is_used_twice(script: list[Step]) -> None:
    check_rules(tell_script(script))


@LAW
@given(scripts(*EVERYTHING), st.randoms(use_true_random=False))
def test_shuffled_input_gives_the_same_update(script: list[Step], random) -> None:  # type: ignore[no-untyped-def]
    stream = tell_script(script)
    shuffled = list(stream)
    random.shuffle(shuffled)
    now = max(article.published_at for article, _ in stream) + timedelta(hours=1)
    assert play(MemoryDesk(), stream, now=now) == play(MemoryDesk(), shuffled, now=now)


@LAW
@given(scripts("report", "follow_up"), st.sets(st.integers(1, 8)))
def test_how_the_stream_is_cut_makes_no_difference(script: list[Step], cuts: set[int]) -> None:
    stream = sorted(tell_script(script), key=lambda pair: (pair[0].published_at, pair[0].text_sha256))
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    batches = [stream[a:b] for a, b in pairwise(edges)]
    whole, cut = play(MemoryDesk(), stream), play(MemoryDesk(), *batches)

    def linked(updates: list[Update]) -> set[tuple[str, str, Verdict, float]]:
        return {(x.link_id, x.incident_id, x.verdict, x.score) for update in updates for x in update.links}

    assert linked(whole) == linked(cut)
    final = {one.incident_id: comparable(one) for one in latest_versions(whole).values()}
    parts = {one.incident_id: comparable(one) for one in latest_versions(cut).values()}
    # Who else says so is outside the diff: a version tells those of its own time.
    outside = {"n_articles", "n_reports", "last_published_at", "first_published_at", "headline"}
    outside |= {"participants", "conflicts"}
    for incident_id, one in final.items():
        other = parts[incident_id]
        for name in one.__dataclass_fields__:
            if name not in outside:
                assert getattr(one, name) == getattr(other, name), name
        assert [(c.field, c.values) for c in one.conflicts] == [(c.field, c.values) for c in other.conflicts]
        assert [(p.participant_id, p.name, p.age, p.condition) for p in one.participants] == [
            (p.participant_id, p.name, p.age, p.condition) for p in other.participants
        ]


def known_values(desk: MemoryDesk) -> dict[str, dict[tuple[str | None, str], object]]:
    """What is asserted of each incident. That something was taken back is known only where it stood before."""
    return {
        incident_id: {key: value for key, (_, value) in standing_of(desk, incident_id).items() if value is not None}
        for incident_id in desk.dossiers
    }


@LAW
@given(scripts(*EVERYTHING), st.sets(st.integers(1, 20), max_size=20))
def test_edits_may_come_with_what_they_edit_or_later(script: list[Step], cuts: set[int]) -> None:
    """Corrections, retractions and edits too: the same links and values, whether in one batch or in twenty."""
    stream = sort_batch(tell_script(script))
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    now = max(article.fetched_at for article, _ in stream) + timedelta(hours=1)
    whole, cut = MemoryDesk(), MemoryDesk()
    linked = [
        {(link.link_id, link.verdict, link.score) for update in updates for link in update.links}
        for updates in (
            play(whole, stream, now=now),
            play(cut, *(stream[a:b] for a, b in pairwise(edges)), now=now),
        )
    ]
    assert linked[0] == linked[1]
    assert known_values(whole) == known_values(cut)


def decide(desk: MemoryDesk, action: str, number: int, **given: str) -> None:
    """Let a person decide something, `number` hours after a time when all is told."""
    at = DAY_1 + timedelta(days=90, hours=number)
    judgement = Judgement(
        judgement_id=f"jdg_{action}_{number}", action=action, actor="ana", reason="to see", judged_at=at, **given
    )
    (update,) = play(desk, [], now=at, judgements=[judgement])
    assert update.refused == ()


def check_merge_then_split_restores(stream: Stream, kept: int, merged: int, judged: str | None = None) -> None:
    """Merge two incidents and split them again; `judged` is what a person said of the one that is merged away."""
    desk, _ = play_single(stream)
    live = sorted(desk.dossiers)
    if len(live) < 2:
        return
    kept_id, merged_id = live[kept % len(live)], live[merged % len(live)]
    if kept_id == merged_id:
        return
    if judged is not None:
        decide(desk, "set", 0, incident_id=merged_id, field="n_injured", value=judged)
        for victim in sorted({one.participant_id for one in desk.dossiers[merged_id].standing} - {None}):
            decide(desk, "set", 1, incident_id=merged_id, participant_id=victim, field="relationship", value=victim)
    before = {one: (standing_of(desk, one), tell_members(desk, one)) for one in (kept_id, merged_id)}
    judgements = {one: desk.dossiers[one].judgements for one in (kept_id, merged_id)}
    for number, action in enumerate(("merge", "split"), 2):
        decide(desk, action, number, incident_id=kept_id, other_incident_id=merged_id)
        for incident_id in (kept_id, merged_id):
            assert desk.dossiers[incident_id].incident_id == incident_id  # readable for ever
        if judged is not None and action == "merge":
            assert standing_of(desk, kept_id)[None, "n_injured"] == (ClaimState.KNOWN, int(judged))
    assert {one: desk.dossiers[one].judgements for one in (kept_id, merged_id)} == judgements
    after = {one: (standing_of(desk, one), tell_members(desk, one)) for one in (kept_id, merged_id)}
    for one, (standing, members) in before.items():
        assert after[one][1] == members
        stands = {key: told for key, told in standing.items() if told[1] is not None}
        assert {key: told for key, told in after[one][0].items() if told[1] is not None} == stands


def tell_members(desk: MemoryDesk, incident_id: str) -> set[tuple[str, int, str]]:
    members = {(one.article_id, one.incident_ref, one.reading_id) for one in desk.dossiers[incident_id].members}
    assert {(article_id, ref) for article_id, ref, _ in members} == {
        account.part for account in desk.profiles[incident_id].accounts
    }
    return members


def report(town: int = 0, age: int | None = None, condition: str | None = None, kind: str = "report") -> Step:
    return Step(town, 0, 1, False, False, age, None, condition, is_short=False, kind=kind)


@LAW
@given(scripts(*EVERYTHING), st.integers(0, 9), st.integers(0, 9))
# Whom the seventh report means is clear only with hindsight, which a merge must not bring in.
@example(
    [report(), report(), report(condition="critical"), report(2), report(), report(age=31), report(0, 45, "critical")],
    0,
    1,
)
# One article gives both incidents their only account.
@example([report(kind="roundup")], 0, 1)
def test_merge_then_split_restores_both(script: list[Step], kept: int, merged: int) -> None:
    check_merge_then_split_restores(tell_script(script), kept, merged)


@LAW
@given(scripts(*EVERYTHING), st.integers(0, 9), st.integers(0, 9))
@example([report(kind="roundup")], 0, 1)
def test_what_a_person_set_goes_with_a_merge_and_comes_back(script: list[Step], kept: int, merged: int) -> None:
    check_merge_then_split_restores(tell_script(script), kept, merged, judged="7")


@LAW
@given(scripts("report", "late", "follow_up"))
def test_reports_never_erase_what_is_known(script: list[Step]) -> None:
    named: set[str] = set()
    _, updates = play_single(tell_script(script))
    for update in updates:
        for incident in update.incidents:
            people = {p.participant_id: p for p in incident.participants if p.role is Role.VICTIM}
            for participant_id in named & people.keys():
                assert people[participant_id].name is not None
            named |= {pid for pid, person in people.items() if person.name is not None}


@LAW
@given(scripts(*EVERYTHING))
def test_the_same_stream_again_changes_nothing(script: list[Step]) -> None:
    stream = tell_script(script)
    latest = list({article.article_id: (article, reading) for article, reading in stream}.values())
    desk, _ = play_single(stream)
    (again,) = play(desk, latest, now=DAY_1 + timedelta(days=60))
    assert again.changes == () and again.incidents == ()


def test_a_follow_up_without_facts_founds_nothing() -> None:
    (pair,) = tell_script([Step(0, 0, 1, False, False, None, None, None, is_short=False, kind="follow_up")])
    article, reading = pair
    bare = Reading(
        kind=ReadingKind.FOLLOW_UP,
        notice=reading.notice,
        claims=tuple(claim for claim in reading.claims if claim.field == "role"),
        extractor_version="test-1",
        reading_id=reading.reading_id,
        article_id=reading.article_id,
        revision_id=reading.revision_id,
    )
    (update,) = play(MemoryDesk(), [(article, bare)])
    assert update.incidents == () and update.links == () and len(update.articles) == 1


@pytest.mark.heavy
@pytest.mark.timeout(3600)
@HEAVY_LAW
@given(scripts(*EVERYTHING, max_size=14))
def test_many_stories_keep_the_rules(script: list[Step]) -> None:
    stream = tell_script(script)
    check_rules(stream)
    check_changes_lead_from_version_to_version(stream)
    check_merge_then_split_restores(stream, 0, 1)
    check_merge_then_split_restores(stream, 1, 0, judged="7")
