"""Batches played again as they were recorded leave a desk that is the one that was lost, whatever the story."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blotter.link.memory import plain_value
from blotter.model import FIELDS, Article, Judgement, Reading, Verdict
from blotter.update import Update, sort_batch
from blotter.update.recall import RecordedBatch, RecordedFact, RecordedVersion, recall_batch
from stories import DAY_1, RULES, MemoryDesk, play
from story_scripts import Step, scripts, tell_script

Stream = Sequence[tuple[Article, Reading]]


def record(update: Update, read: Stream, judgements: Sequence[Judgement], *, at: object) -> RecordedBatch:
    """An update as the tables would have it."""
    groups = {article.revision_id: article for article in update.articles}
    alignments: dict[tuple[str, int, str], dict[int, str]] = {}
    for one in update.alignments:
        key = (one.reading_id, one.incident_ref, one.incident_id)
        alignments.setdefault(key, {})[one.participant_ref] = one.participant_id
    return RecordedBatch(
        recorded_at=at,  # type: ignore[arg-type]
        read=sort_batch([(groups[article.revision_id], reading) for article, reading in read]),
        judgements=judgements,
        placements={
            (link.reading_id, link.incident_ref): link.incident_id
            for link in update.links
            if link.seq == 1 and link.verdict is Verdict.POSITIVE
        },
        alignments=alignments,
        versions={
            incident.incident_id: RecordedVersion(
                version=incident.version,
                facts={
                    (fact.participant_id, fact.field): RecordedFact(
                        plain_value(fact.value), fact.state, fact.claim_ids, fact.judgement_id is not None
                    )
                    for fact in incident.facts
                },
                conflicts=frozenset((one.participant_id, one.field) for one in incident.conflicts),
                gone=frozenset(
                    (change.participant_id, change.field)
                    for change in update.changes
                    if change.incident_id == incident.incident_id
                    and change.after_state is None
                    and change.field in FIELDS
                ),
            )
            for incident in update.incidents
        },
    )


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    scripts("report", "edit", "correction", "retraction", "late", "follow_up", "roundup"),
    st.lists(st.tuples(st.sampled_from(("merge", "split", "unlink", "set")), st.integers(0, 9), st.integers(0, 9))),
)
def test_a_desk_played_again_is_the_one_that_was_lost(script: list[Step], decided: list[tuple[str, int, int]]) -> None:
    stream = tell_script(script)
    living, again = MemoryDesk(), MemoryDesk()
    now = DAY_1

    def play_both(read: Stream, judgements: Sequence[Judgement]) -> None:
        (update,) = play(living, read, now=now, judgements=judgements)
        refused = {one.judgement_id for one, _ in update.refused}
        followed = [one for one in judgements if one.judgement_id not in refused]
        again.learn(recall_batch(record(update, read, followed, at=now), again, settings=RULES))

    for start in range(0, len(stream), 3):
        part = stream[start : start + 3]
        now = max([now, *(article.published_at for article, _ in part)]) + timedelta(hours=1)
        play_both(part, ())
    for number, (action, one, other) in enumerate(decided if living.dossiers else ()):
        known, articles = sorted(living.dossiers), sorted(living.articles)
        now += timedelta(hours=1)
        given = {"incident_id": known[one % len(known)]}
        if action == "unlink":
            given["article_id"] = articles[other % len(articles)]
        elif action == "set":
            given |= {"field": "n_killed", "value": str(other)}
        else:
            given["other_incident_id"] = known[other % len(known)]
        play_both(
            (), [Judgement(judgement_id=f"j{number}", action=action, actor="ana", reason="", judged_at=now, **given)]
        )

    assert again.dossiers == living.dossiers
    assert again.profiles == living.profiles
    assert again.articles == living.articles
    assert (again.texts, again.terms, again.texts_seen) == (living.texts, living.terms, living.texts_seen)
    assert again.index == living.index
