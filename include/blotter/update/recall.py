"""A batch played once more as it was recorded: what the desk must know again when the state was lost.

Belongs here: taking links, alignments, versions and values from the tables where a batch in progress would work them
out. Does not belong here: reading the tables (`blotter.store.rebuild`), and any decision: what was decided by older
code stays as it was decided.

Everything else (descriptions, the words of texts, what is remembered of articles, what judgements do) is made by the
same code as in a batch in progress, so a desk that is played again is the desk that was lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from blotter.link.compare import LinkRules
from blotter.link.memory import Account, ArticleMemory, Dossier, Member, Placement, PlainValue, Standing
from blotter.link.syndication import Fingerprint
from blotter.model import Article, Change, ClaimState, Incident, Judgement, Reading
from blotter.resolve.align import Placed
from blotter.resolve.record import FactKey, resolve_members
from blotter.track import Trigger, diff_versions
from blotter.update.bench import Found, Touched, Workbench
from blotter.update.desk import Desk
from blotter.update.judge import follow_judgement


@dataclass(frozen=True, slots=True)
class RecordedFact:
    """A value that came to stand with a version, as `facts` has it."""

    value: PlainValue
    state: ClaimState
    claim_ids: tuple[str, ...]
    is_human: bool


@dataclass(frozen=True, slots=True)
class RecordedVersion:
    """A version as the tables have it: what came to stand, which fields are in conflict, and what is gone."""

    version: int
    facts: Mapping[FactKey, RecordedFact]
    conflicts: frozenset[FactKey]
    gone: frozenset[FactKey]


@dataclass(frozen=True, slots=True)
class RecordedBatch:
    """One batch as the tables have it; articles with their readings in the order in which they were taken.

    `placements` are the incidents of readings by reading and reference, `alignments` the participants by reading,
    reference, incident and participant of the reading.
    """

    recorded_at: datetime
    read: Sequence[tuple[Article, Reading]]
    judgements: Sequence[Judgement]
    placements: Mapping[tuple[str, int], str]
    alignments: Mapping[tuple[str, int, str], Mapping[int, str]]
    versions: Mapping[str, RecordedVersion]


def recall_batch(recorded: RecordedBatch, desk: Desk, *, settings: LinkRules) -> bytes:
    """Give what the desk must learn of a recorded batch, as the bytes that its bundle carried."""
    bench = _RecallBench(recorded, desk, settings)
    for judgement in sorted(recorded.judgements, key=lambda one: (one.judged_at, one.judgement_id)):
        follow_judgement(bench, judgement)
    for article, reading in recorded.read:
        bench.take(article, reading)
    return bench.conclude().memory()


class _RecallBench(Workbench):
    """A workbench that decides nothing."""

    def __init__(self, recorded: RecordedBatch, desk: Desk, rules: LinkRules) -> None:
        super().__init__(desk, now=recorded.recorded_at, rules=rules, given_links={})
        self._recorded = recorded

    def _choose_group(
        self, article: Article, known: ArticleMemory | None, fingerprint: Fingerprint, keys: Sequence[str]
    ) -> str:
        return article.syndication_id

    def _find_placement(
        self,
        account: Account,
        reading: Reading,
        ref: int,
        known: ArticleMemory | None,
        pins: list[str],
        taken: set[str],
    ) -> Found:
        return Found(self._recorded.placements.get((reading.reading_id, ref)), None)

    def _place(
        self, article: Article, reading: Reading, ref: int, account: Account, found: Found, known: ArticleMemory | None
    ) -> Placement | None:
        if found.incident_id is None:
            return None
        return super()._place(article, reading, ref, account, found, known)

    def _align(self, dossier: Dossier, member: Member) -> Sequence[Placed]:
        key = (member.reading_id, member.incident_ref, dossier.incident_id)
        placed = self._recorded.alignments.get(key, {})
        return [Placed(ref, participant_id, 1.0, ()) for ref, participant_id in sorted(placed.items())]

    def _make_version(self, incident_id: str, touched: Touched) -> tuple[Incident | None, tuple[Change, ...]]:
        dossier = self.desk.dossier(incident_id)
        if dossier is None or (dossier.merged_into is not None and touched.merged_into is None):
            return None, ()
        recorded = self._recorded.versions.get(incident_id)
        if touched.merged_into is None:
            standing = self._recall_standing(dossier, touched, recorded)
            dossier = msgspec.structs.replace(dossier, standing=standing)
        version = dossier.version if recorded is None else recorded.version
        self.desk.put_dossier(msgspec.structs.replace(dossier, version=version))
        return None, ()

    def _recall_standing(
        self, dossier: Dossier, touched: Touched, recorded: RecordedVersion | None
    ) -> tuple[Standing, ...]:
        """What stood after the batch: as recorded where something moved, else as before, carried by who says so now."""
        members = sorted(dossier.members, key=lambda member: (member.order, member.reading_id))
        difference = diff_versions(
            dossier.standing,
            resolve_members(members, dossier.judgements),
            members,
            Trigger(touched.arrived, touched.departed, touched.judged),
            incident_id=dossier.incident_id,
            version=dossier.version + 1,
            known_at=self.now,
        )
        fresh = {(one.participant_id, one.field): one for one in difference.standing}
        standing = {(one.participant_id, one.field): one for one in dossier.standing}
        for key, old in list(standing.items()):
            now = fresh.get(key)
            if now is not None and (now.state, now.value) == (old.state, old.value):
                standing[key] = now
        for key, fact in (recorded.facts if recorded else {}).items():
            is_contested = recorded is not None and key in recorded.conflicts
            standing[key] = Standing(*key, fact.value, fact.state, fact.claim_ids, is_contested, fact.is_human)
        gone = recorded.gone if recorded else frozenset()
        kept = [one for key, one in standing.items() if key not in gone]
        return tuple(sorted(kept, key=lambda one: (one.participant_id or "", one.field)))
