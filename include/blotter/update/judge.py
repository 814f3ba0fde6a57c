"""What a person decided: link, unlink, merge, split, set. It outranks whatever is computed, now and in later batches.

Belongs here: what each decision does to dossiers, profiles and links. Does not belong here: whether it was right, and
how it changes a record (`blotter.resolve`).
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

import msgspec

from blotter.ids import make_id
from blotter.link.memory import Account, ArticleMemory, Dossier, Member, Placement, Profile
from blotter.model import (
    FIELDS,
    INCIDENT_TYPES,
    CaseStatus,
    ChangeCause,
    ClaimState,
    Condition,
    FieldSpec,
    Judgement,
    LegalStatus,
    Role,
    Verdict,
)
from blotter.update.bench import Workbench, tells_incident

_CLOSED_LISTS: Mapping[str, frozenset[str]] = {
    "incident_type": frozenset(INCIDENT_TYPES),
    "status": frozenset(CaseStatus),
    "role": frozenset(Role),
    "condition": frozenset(Condition),
    "legal_status": frozenset(LegalStatus),
    "gender": frozenset(("male", "female")),
}
_BOUNDS: Mapping[str, tuple[float, float]] = {
    "latitude": (-90, 90),
    "longitude": (-180, 180),
    "age": (0, 120),
    "n_killed": (0, math.inf),
    "n_injured": (0, math.inf),
}
_CLOCK = re.compile(r"([01]\d|2[0-3])(:[0-5]\d)?|early_morning|morning|afternoon|evening|night")
# A field that says who somebody is, or where they are placed by, has no state but known.
_ALWAYS_KNOWN = frozenset(("role", "incident_type"))


def follow_judgement(bench: Workbench, judgement: Judgement) -> str | None:
    """Do what a judgement says; returns why it cannot be done, None where it was."""
    actions: Mapping[str, Callable[[Workbench, Judgement], str | None]] = {
        "link": _link,
        "unlink": _unlink,
        "merge": _merge,
        "split": _split,
        "set": _set,
    }
    action = actions.get(judgement.action)
    return action(bench, judgement) if action else f"no action {judgement.action}: {', '.join(actions)}"


def _link(bench: Workbench, judgement: Judgement) -> str | None:
    memory, refusal = _find_article(bench, judgement)
    target, refused_target = _find_incident(bench, judgement.incident_id)
    if memory is None or target is None:
        return refusal or refused_target
    if all(placement.incident_id != target for placement in memory.placements):
        moved = _take_out(bench, memory, None, judgement)
        if moved is None:
            return f"article {memory.article_id} tells of no incident"
        memory, member, account, seq = moved
        memory = _put_in(bench, memory, member, account, target, seq, judgement)
    else:
        placement = next(one for one in memory.placements if one.incident_id == target)
        memory = _confirm(bench, memory, placement, judgement)
    bench.desk.put_article(
        msgspec.structs.replace(
            memory,
            pinned_to=tuple(dict.fromkeys([*memory.pinned_to, target])),
            kept_from=tuple(one for one in memory.kept_from if bench.follow_merges(one) != target),
            judged_by=judgement.actor,
        )
    )
    return None


def _unlink(bench: Workbench, judgement: Judgement) -> str | None:
    memory, refusal = _find_article(bench, judgement)
    source, refused_source = _find_incident(bench, judgement.incident_id)
    if memory is None or source is None:
        return refusal or refused_source
    moved = _take_out(bench, memory, source, judgement)
    if moved is None:
        return _keep_apart(bench, memory, source, judgement)
    while moved is not None:  # it has several accounts there where a person merged incidents that it tells of
        memory, member, account, seq = moved
        known = {statement.field for statement in member.statements if statement.state is ClaimState.KNOWN}
        if tells_incident(member.kind, known):
            target = _name_new_incident(bench, member, judgement)
            memory = _put_in(bench, memory, member, account, target, seq, judgement)
        moved = _take_out(bench, memory, source, judgement)
    bench.desk.put_article(
        msgspec.structs.replace(
            memory,
            kept_from=tuple(dict.fromkeys([*memory.kept_from, source])),
            pinned_to=tuple(one for one in memory.pinned_to if bench.follow_merges(one) != source),
            judged_by=judgement.actor,
        )
    )
    return None


def _keep_apart(bench: Workbench, memory: ArticleMemory, source: str, judgement: Judgement) -> str | None:
    """Answer an unsure link with no: the article stays where it is, and is never taken for that incident."""
    if source in memory.kept_from:
        return f"article {memory.article_id} is kept apart from {source} already"
    if not memory.placements and not memory.loose:
        return f"article {memory.article_id} tells of no incident"
    for placement in memory.placements:
        dossier = bench.desk.dossier(bench.follow_merges(placement.incident_id))
        for member in dossier.members if dossier else ():
            if member.part == (memory.article_id, placement.incident_ref):
                _write_link(bench, member, source, Verdict.NEGATIVE, placement.seq + 1, judgement)
    for loose in memory.loose:
        _write_link(bench, loose.member, source, Verdict.NEGATIVE, 2, judgement)
    told = tuple(msgspec.structs.replace(one, seq=one.seq + 1) for one in memory.placements)
    kept_from = (*memory.kept_from, source)
    bench.desk.put_article(
        msgspec.structs.replace(memory, placements=told, kept_from=kept_from, judged_by=judgement.actor)
    )
    return None


def _merge(bench: Workbench, judgement: Judgement) -> str | None:
    if judgement.other_participant_id is not None or judgement.participant_id is not None:
        return _judge_participants(bench, judgement)
    kept_id, refusal = _find_incident(bench, judgement.incident_id)
    merged_id, refused_other = _find_incident(bench, judgement.other_incident_id)
    if kept_id is None or merged_id is None:
        return refusal or refused_other
    if kept_id == merged_id:
        return f"{judgement.other_incident_id} is {kept_id} already"
    merged, profile = bench.desk.dossier(merged_id), bench.desk.profiles([merged_id]).get(merged_id)
    accounts = {account.part: account for account in profile.accounts} if profile else {}
    if merged is None:
        return f"no incident {merged_id}"
    # Its own accounts stay with it, so that it can be read, and split off again, for ever.
    bench.desk.put_dossier(msgspec.structs.replace(merged, merged_into=kept_id))
    bench.desk.put_profile(Profile(merged_id, (), merged_into=kept_id))
    bench.touch(merged_id).merged_into = kept_id
    bench.touch(kept_id).judged.append(judgement)
    for member in sorted(merged.members, key=lambda one: (one.order, one.reading_id)):
        _move(bench, member, accounts.get(member.part), merged_id, kept_id, judgement)
    _share_judgements(bench, merged, kept_id)
    return None


def _split(bench: Workbench, judgement: Judgement) -> str | None:
    if judgement.article_id is not None:
        return _unlink(bench, judgement)
    if judgement.other_participant_id is not None:
        return _judge_participants(bench, judgement)
    kept_id, refusal = _find_incident(bench, judgement.incident_id)
    if kept_id is None:
        return refusal
    restored_id = judgement.other_incident_id
    restored = bench.desk.dossier(restored_id) if restored_id else None
    if restored_id is None or restored is None or bench.follow_merges(restored_id) != kept_id or restored_id == kept_id:
        return (
            f"{restored_id} is not merged into {kept_id}" if restored_id else "neither an article nor what was merged"
        )
    profile = bench.desk.profiles([kept_id]).get(kept_id)
    accounts = {account.part: account for account in profile.accounts} if profile else {}
    kept = bench.desk.dossier(kept_id) or Dossier(kept_id)
    bench.desk.put_dossier(msgspec.structs.replace(restored, merged_into=None))
    bench.desk.put_profile(Profile(restored_id))
    bench.touch(restored_id).restored_from = kept_id
    bench.touch(restored_id).judged.append(judgement)
    bench.touch(kept_id).judged.append(judgement)
    # With what was merged into it before: that stays merged, and goes where it goes.
    returning = [one for one in kept.members if bench.follow_merges(one.home_id) == restored_id]
    gone = {member.part for member in restored.members} - {member.part for member in returning}
    for part in sorted(gone):  # taken out while it was merged
        bench.leave(part, restored_id, ChangeCause.HUMAN)
    for member in sorted(returning, key=lambda one: (one.order, one.reading_id)):
        bench.leave(member.part, kept_id, ChangeCause.HUMAN)
        _move(bench, member, accounts.get(member.part), kept_id, restored_id, judgement)
    _part_judgements(bench, kept, restored_id)
    return None


def _set(bench: Workbench, judgement: Judgement) -> str | None:
    incident_id, refusal = _find_incident(bench, judgement.incident_id)
    if incident_id is None:
        return refusal
    refusal = _check_value(judgement)
    if refusal is not None:
        return refusal
    if judgement.participant_id is not None and not _has_participant(bench, incident_id, judgement.participant_id):
        return f"{incident_id} has no participant {judgement.participant_id}"
    _remember(bench, incident_id, judgement)
    return None


def _judge_participants(bench: Workbench, judgement: Judgement) -> str | None:
    """Take two participants of an incident for one person, or no longer."""
    incident_id, refusal = _find_incident(bench, judgement.incident_id)
    if incident_id is None:
        return refusal
    for pid in (judgement.participant_id, judgement.other_participant_id):
        if pid is None or not _has_participant(bench, incident_id, pid):
            return f"{incident_id} has no participant {pid}"
    _remember(bench, incident_id, judgement)
    return None


def _remember(bench: Workbench, incident_id: str, judgement: Judgement) -> None:
    dossier = bench.desk.dossier(incident_id) or Dossier(incident_id)
    if all(one.judgement_id != judgement.judgement_id for one in dossier.judgements):
        bench.desk.put_dossier(msgspec.structs.replace(dossier, judgements=(*dossier.judgements, judgement)))
        bench.touch(incident_id).judged.append(judgement)


def _share_judgements(bench: Workbench, merged: Dossier, kept_id: str) -> None:
    """Let what a person decided about an incident stand for the one that it became part of.

    Participants are called there as their accounts are placed there. Of two values for one field the later stands.
    """
    kept = bench.desk.dossier(kept_id) or Dossier(kept_id)
    names = _match_participants(merged, kept)
    shared = tuple(_rename_participants(one, names) for one in merged.judgements)
    bench.desk.put_dossier(msgspec.structs.replace(kept, judgements=(*kept.judgements, *shared)))


def _part_judgements(bench: Workbench, before: Dossier, restored_id: str) -> None:
    """Part what was decided about an incident from what was about the one that is split off.

    What was decided about it before the merge goes back with it, and what was since about participants of whom only
    its own accounts tell. `before` is the incident before the split.
    """
    kept = bench.desk.dossier(before.incident_id) or before
    restored = bench.desk.dossier(restored_id) or Dossier(restored_id)
    its_own = {one.judgement_id for one in restored.judgements}
    told_of = {participant_id for member in kept.members for participant_id in member.placed.values()}
    names = _match_participants(before, restored)
    since = [
        one
        for one in kept.judgements
        if one.judgement_id not in its_own and one.participant_id in names and one.participant_id not in told_of
    ]
    known = {one.judgement_id for one in kept.judgements}
    going = its_own | {one.judgement_id for one in since}
    bench.desk.put_dossier(
        msgspec.structs.replace(kept, judgements=tuple(one for one in kept.judgements if one.judgement_id not in going))
    )
    standing = tuple(one for one in restored.judgements if one.judgement_id in known)  # the rest was split off since
    renamed = tuple(_rename_participants(one, names) for one in since)
    bench.desk.put_dossier(msgspec.structs.replace(restored, judgements=(*standing, *renamed)))


def _match_participants(source: Dossier, target: Dossier) -> dict[str, str]:
    """Give what each participant of an incident is called in another that has the same accounts."""
    placed = {member.part: member.placed for member in target.members}
    votes: dict[str, Counter[str]] = {}
    for member in source.members:
        for ref, participant_id in member.placed.items():
            if ref in placed.get(member.part, {}):
                votes.setdefault(participant_id, Counter())[placed[member.part][ref]] += 1
    return {one: min(counts, key=lambda name: (-counts[name], name)) for one, counts in votes.items()}


def _rename_participants(judgement: Judgement, names: Mapping[str, str]) -> Judgement:
    """Give a judgement's participants the names that they have elsewhere; the row in `judgements` stays as it is."""
    one, other = judgement.participant_id, judgement.other_participant_id
    return replace(
        judgement,
        participant_id=names.get(one, one) if one else None,
        other_participant_id=names.get(other, other) if other else None,
    )


def _check_value(judgement: Judgement) -> str | None:
    spec = FIELDS.get(judgement.field or "")
    if spec is None:
        return f"no field {judgement.field}: {', '.join(FIELDS)}"
    if (spec.of == "participant") != (judgement.participant_id is not None):
        return f"{spec.name} is a field of the {spec.of}"
    asserts = judgement.state in (None, ClaimState.KNOWN, ClaimState.DISPUTED)
    if judgement.value is None:
        if asserts:
            return "no value is given, and no state that has none: withheld, unknown, denied, retracted"
        return f"{spec.name} cannot be {judgement.state}" if spec.name in _ALWAYS_KNOWN else None
    if not asserts:
        return f"what is {judgement.state} has no value"
    if all(_is_value(spec, part) for part in _cut_values(spec, judgement.value)):
        return None
    return f"{judgement.value!r} is no value of {spec.name}: {spec.meaning}"


def _cut_values(spec: FieldSpec, text: str) -> list[str]:
    """Cut the text of a judgement into values: several are separated by semicolons where a field may have several."""
    return [part.strip() for part in text.split(";")] if spec.many else [text.strip()]


def _is_value(spec: FieldSpec, text: str) -> bool:
    if spec.name in _CLOSED_LISTS:
        return text in _CLOSED_LISTS[spec.name]
    if spec.name == "occurred_time":
        return _CLOCK.fullmatch(text) is not None
    try:
        if spec.type in (int, float):
            low, high = _BOUNDS[spec.name]
            return low <= spec.type(text) <= high and math.isfinite(spec.type(text))
        if spec.type is date:
            date.fromisoformat(text)
    except ValueError:
        return False
    return bool(text)


def _has_participant(bench: Workbench, incident_id: str, participant_id: str) -> bool:
    dossier = bench.desk.dossier(incident_id)
    return dossier is not None and any(participant_id in member.placed.values() for member in dossier.members)


def _find_article(bench: Workbench, judgement: Judgement) -> tuple[ArticleMemory | None, str | None]:
    memory = bench.desk.article(judgement.article_id) if judgement.article_id else None
    return memory, None if memory else f"no article {judgement.article_id}"


def _find_incident(bench: Workbench, incident_id: str | None) -> tuple[str | None, str | None]:
    """Look an incident up, following merges; with why it was not found."""
    if incident_id is None or bench.desk.dossier(incident_id) is None:
        return None, f"no incident {incident_id}"
    return bench.follow_merges(incident_id), None


def _take_out(
    bench: Workbench, memory: ArticleMemory, source: str | None, judgement: Judgement
) -> tuple[ArticleMemory, Member, Account | None, int] | None:
    """Take an article's account out of an incident (None: out of its first, or from where it lay loose)."""
    for placement in memory.placements:
        placed_in = bench.follow_merges(placement.incident_id)
        if source is not None and placed_in != source:
            continue
        profile = bench.desk.profiles([placed_in]).get(placed_in)
        part = (memory.article_id, placement.incident_ref)
        account = next((a for a in (profile.accounts if profile else ()) if a.part == part), None)
        gone = bench.leave(part, placed_in, ChangeCause.HUMAN)
        if gone is None:
            continue
        bench.touch(placed_in).judged.append(judgement)
        _write_link(bench, gone, placed_in, Verdict.NEGATIVE, placement.seq + 1, judgement)
        kept = tuple(one for one in memory.placements if one != placement)
        return msgspec.structs.replace(memory, placements=kept), gone, account, placement.seq + 1
    if source is None and memory.loose:
        loose = memory.loose[0]
        return msgspec.structs.replace(memory, loose=memory.loose[1:]), loose.member, loose.account, 0
    return None


def _put_in(
    bench: Workbench,
    memory: ArticleMemory,
    member: Member,
    account: Account | None,
    target: str,
    seq: int,
    judgement: Judgement,
) -> ArticleMemory:
    dossier = bench.desk.dossier(target) or Dossier(target)
    bench.add_member(dossier, msgspec.structs.replace(member, home_id=target, placed={}), ChangeCause.HUMAN)
    bench.touch(target).judged.append(judgement)
    if account is not None:
        bench.add_account(target, account)
    _write_link(bench, member, target, Verdict.POSITIVE, seq + 1, judgement)
    placement = Placement(member.incident_ref, target, seq + 1)
    placements = sorted((*memory.placements, placement), key=lambda one: one.incident_ref)
    return msgspec.structs.replace(memory, placements=tuple(placements))


def _move(
    bench: Workbench, member: Member, account: Account | None, source: str, target: str, judgement: Judgement
) -> None:
    """Move an account between two incidents that are merged or split: its home stays what it was."""
    memory = bench.desk.article(member.article_id)
    seq = (
        max((one.seq for one in memory.placements if one.incident_ref == member.incident_ref), default=0)
        if memory
        else 0
    )
    _write_link(bench, member, source, Verdict.NEGATIVE, seq + 1, judgement)
    _write_link(bench, member, target, Verdict.POSITIVE, seq + 1, judgement)
    dossier = bench.desk.dossier(target) or Dossier(target)
    # What an incident kept through a merge comes back as it was: to align it anew, with hindsight, would not undo.
    if all((one.reading_id, one.incident_ref) != (member.reading_id, member.incident_ref) for one in dossier.members):
        bench.add_member(dossier, msgspec.structs.replace(member, placed={}), ChangeCause.HUMAN)
    if account is not None:
        bench.add_account(target, account)
    if memory is not None:
        moved = tuple(
            Placement(one.incident_ref, target, seq + 1) if one.incident_ref == member.incident_ref else one
            for one in memory.placements
        )
        bench.desk.put_article(msgspec.structs.replace(memory, placements=moved))


def _confirm(bench: Workbench, memory: ArticleMemory, placement: Placement, judgement: Judgement) -> ArticleMemory:
    """Write down that a person agrees with a link."""
    dossier = bench.desk.dossier(placement.incident_id)
    for member in dossier.members if dossier else ():
        if member.part == (memory.article_id, placement.incident_ref):
            _write_link(bench, member, placement.incident_id, Verdict.POSITIVE, placement.seq + 1, judgement)
    told = tuple(
        Placement(one.incident_ref, one.incident_id, one.seq + 1) if one == placement else one
        for one in memory.placements
    )
    return msgspec.structs.replace(memory, placements=told)


def _name_new_incident(bench: Workbench, member: Member, judgement: Judgement) -> str:
    incident_id = make_id("inc", member.article_id, member.incident_ref)
    return incident_id if bench.desk.dossier(incident_id) is None else make_id("inc", judgement.judgement_id)


def _write_link(
    bench: Workbench, member: Member, incident_id: str, verdict: Verdict, seq: int, judgement: Judgement
) -> None:
    bench.write_link(
        member.article_id,
        member.reading_id,
        member.incident_ref,
        incident_id,
        verdict,
        1.0 if verdict is Verdict.POSITIVE else 0.0,
        (f"{judgement.action}: {judgement.reason}",),
        f"human:{judgement.actor}",
        seq,
    )
