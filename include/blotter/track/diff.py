"""The changes from what stood to what stands.

Belongs here: which field moved, of what kind the move is, which article and claim moved it. Does not belong here: what
stands and why (`blotter.resolve`), when a version is made (`blotter.update`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from blotter.ids import make_id
from blotter.link.memory import Member, PlainValue, Standing, build_value
from blotter.model import FIELDS, Change, ChangeCause, ChangeKind, ClaimState, Fact, Judgement
from blotter.resolve.choose import Choice, Voice
from blotter.resolve.record import FactKey, Resolution, build_facts
from blotter.resolve.values import says_all


@dataclass(frozen=True, slots=True)
class Trigger:
    """What happened to an incident's articles since the last version.

    `arrived`: cause by reading; `departed`: accounts that are gone, with the cause and the account that took their
    place, if any; `judged`: what persons decided.
    """

    arrived: Mapping[str, ChangeCause] = field(default_factory=dict)
    departed: Sequence[tuple[Member, ChangeCause, Member | None]] = ()
    judged: Sequence[Judgement] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """What moved: the changes, the facts that came to stand, and everything that stands now."""

    changes: tuple[Change, ...]
    facts: tuple[Fact, ...]
    standing: tuple[Standing, ...]


def diff_versions(
    before: Sequence[Standing],
    after: Resolution,
    members: Sequence[Member],
    trigger: Trigger,
    *,
    incident_id: str,
    version: int,
    known_at: datetime,
) -> Difference:
    """Compare what stood with what stands; of equal sides nothing moved.

    `members` are the accounts that `after` was resolved from; `version` is the number that a new version would have.
    """
    stood = {(one.participant_id, one.field): one for one in before}
    facts = build_facts(after)
    maker = _ChangeMaker(incident_id, version, known_at, trigger, members)
    changes: list[Change] = []
    moved: list[Fact] = []
    standing: list[Standing] = []
    for key, fact in facts.items():
        choice, old = after.choices[key], stood.pop(key, None)
        kinds = _kinds_of_change(key[1], old, choice)
        changes += [maker.make(key, kind, old, choice) for kind in kinds]
        if kinds:
            moved.append(fact)
        standing.append(_stand(key, choice))
    for key, old in stood.items():
        gone, change = maker.take_away(key, old, is_person_gone=key[0] is not None and key[0] not in after.people)
        if change is not None:
            changes.append(change)
        if gone is not None:
            standing.append(gone)
            if change is not None:
                moved.append(_tombstone(key, old))
    standing.sort(key=lambda one: (one.participant_id or "", one.field))
    return Difference(tuple(changes), tuple(moved), tuple(standing))


def apply_changes(
    before: Mapping[FactKey, tuple[ClaimState, PlainValue | object]], changes: Iterable[Change]
) -> dict[FactKey, tuple[ClaimState, object]]:
    """Apply the changes of one version to what stood before it: state and value by participant and field."""
    standing = dict(before)
    for change in changes:
        key = (change.participant_id, change.field)
        if change.field not in FIELDS:
            continue
        if change.after_state is None:
            standing.pop(key, None)
        else:
            standing[key] = (change.after_state, change.after)
    return standing


def _kinds_of_change(field: str, old: Standing | None, choice: Choice) -> list[ChangeKind]:
    """Say how a field moved: one change, which tells of a conflict before it tells of the value's move.

    Of a field that is new and in conflict at once there are two: nothing was said before, and reports disagree.
    """
    is_contested = bool(choice.contested_by)
    if old is None:
        return [ChangeKind.ADDED, ChangeKind.CONFLICT_OPENED] if is_contested else [ChangeKind.ADDED]
    if is_contested and not old.is_contested:
        return [ChangeKind.CONFLICT_OPENED]
    has_moved = (old.state, old.value) != (choice.state, choice.value)
    if old.is_contested and not is_contested and choice.state is not ClaimState.RETRACTED:
        return [ChangeKind.CONFLICT_SETTLED]
    return [_kind_of_move(field, old, choice)] if has_moved else []


def _kind_of_move(field: str, old: Standing, choice: Choice) -> ChangeKind:
    if choice.state is ClaimState.RETRACTED:
        return ChangeKind.RETRACTED
    if old.value == choice.value and old.value is not None:
        return ChangeKind.CONFLICT_SETTLED if choice.state is ClaimState.KNOWN else ChangeKind.CONFLICT_OPENED
    if old.value is None:
        is_silence = old.state in (ClaimState.WITHHELD, ClaimState.UNKNOWN)
        return ChangeKind.REFINED if is_silence and choice.value is not None else ChangeKind.REVISED
    return ChangeKind.REFINED if _is_refined(field, old.value, choice.value) else ChangeKind.REVISED


def _is_refined(field: str, old: PlainValue, new: PlainValue) -> bool:
    if isinstance(old, list) and isinstance(new, list):
        return all(any(says_all(field, more, less) for more in new) for less in old)
    return says_all(field, new, old)


def _stand(key: FactKey, choice: Choice) -> Standing:
    return Standing(
        participant_id=key[0],
        field=key[1],
        value=choice.value,
        state=choice.state,
        claim_ids=tuple(dict.fromkeys(voice.statement.claim_id for voice in choice.voices)),
        is_contested=bool(choice.contested_by),
        is_human=choice.judgement is not None,
    )


def _tombstone(key: FactKey, old: Standing) -> Fact:
    """The fact that nothing stands any more where something stood; the claims are those that carried it."""
    return Fact(
        participant_id=key[0],
        field=key[1],
        value=None,
        state=ClaimState.RETRACTED,
        n_reports=0,
        claim_ids=old.claim_ids,
    )


@dataclass(frozen=True, slots=True)
class _ChangeMaker:
    incident_id: str
    version: int
    known_at: datetime
    trigger: Trigger
    members: Sequence[Member]

    def make(self, key: FactKey, kind: ChangeKind, old: Standing | None, choice: Choice) -> Change:
        """Make the change by which a choice came to stand."""
        voices = choice.voices
        if kind is ChangeKind.CONFLICT_OPENED and choice.contested_by:
            voices = tuple(voice for rival in choice.contested_by for voice in rival.voices) + voices
        voice = self._find_carrier(voices, old)
        cause, trigger = self._find_cause(choice, voice, old)
        return self._fill(
            key,
            kind,
            cause,
            before=(old.state, old.value) if old else (None, None),
            after=(choice.state, choice.value),
            voice=None if choice.judgement else voice,
            member=voice.member if voice and not choice.judgement else trigger,
        )

    def take_away(self, key: FactKey, old: Standing, *, is_person_gone: bool) -> tuple[Standing | None, Change | None]:
        """Make the change by which something that stood is gone; and what is left in its place.

        A participant nobody tells of is gone whole; of others it stays known that something was taken back.
        """
        if old.state is ClaimState.RETRACTED and not is_person_gone:
            return old, None
        cause, trigger = self._find_departure(old)
        change = self._fill(
            key,
            ChangeKind.RETRACTED,
            cause,
            before=(old.state, old.value),
            after=(None, None) if is_person_gone else (ClaimState.RETRACTED, None),
            voice=None,
            member=trigger,
        )
        if is_person_gone:
            return None, change
        gone = Standing(key[0], key[1], None, ClaimState.RETRACTED, old.claim_ids, False, False)
        return gone, change

    def _find_carrier(self, voices: Sequence[Voice], old: Standing | None) -> Voice | None:
        """Find the voice that brought a value: the first that is new, of the value itself if there is one."""
        known = set(old.claim_ids) if old else set()
        new = [v for v in voices if v.member.reading_id in self.trigger.arrived and v.statement.claim_id not in known]
        return new[0] if new else next(iter(voices), None)

    def _find_cause(
        self, choice: Choice, voice: Voice | None, old: Standing | None
    ) -> tuple[ChangeCause, Member | None]:
        if choice.judgement is not None:
            return ChangeCause.HUMAN, None
        if voice is not None and voice.member.reading_id in self.trigger.arrived:
            cause = self.trigger.arrived[voice.member.reading_id]
            if choice.state is ClaimState.RETRACTED and cause is ChangeCause.NEW_REPORT:
                cause = ChangeCause.RETRACTION
            return cause, voice.member
        return self._find_departure(old)

    def _find_departure(self, old: Standing | None) -> tuple[ChangeCause, Member | None]:
        """Find why what stood does so no longer: the account that carried it went, or a newcomer spoke against it."""
        if old is not None and old.is_human and self.trigger.judged:
            return ChangeCause.HUMAN, None
        carried = set(old.claim_ids) if old else set()
        for member, cause, successor in self.trigger.departed:
            if carried & {statement.claim_id for statement in member.statements}:
                return cause, successor or member
        arrivals = [member for member in self.members if member.reading_id in self.trigger.arrived]
        if arrivals:
            newest = max(arrivals, key=lambda member: member.order)
            return self.trigger.arrived[newest.reading_id], newest
        for member, cause, successor in self.trigger.departed:
            return cause, successor or member
        return ChangeCause.HUMAN if self.trigger.judged else ChangeCause.LINK_CHANGE, None

    def _fill(
        self,
        key: FactKey,
        kind: ChangeKind,
        cause: ChangeCause,
        *,
        before: tuple[ClaimState | None, PlainValue],
        after: tuple[ClaimState | None, PlainValue],
        voice: Voice | None,
        member: Member | None,
    ) -> Change:
        pid, field = key
        return Change(
            change_id=make_id("chg", self.incident_id, self.version, pid, field, kind),
            incident_id=self.incident_id,
            version=self.version,
            known_at=self.known_at,
            participant_id=pid,
            field=field,
            kind=kind,
            cause=cause,
            before_state=before[0],
            before=build_value(field, before[1]),
            after_state=after[0],
            after=build_value(field, after[1]),
            article_id=member.article_id if member else None,
            claim_id=voice.statement.claim_id if voice else None,
            quote=voice.statement.quote if voice else None,
            source_id=member.source_id if member else None,
            published_at=member.published_at if member else None,
        )
