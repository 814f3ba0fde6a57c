"""One record of one incident out of the accounts of all its articles.

Belongs here: resolving every field, counting who was killed and hurt, and filling in `model.Incident`. Does not belong
here: whom to believe (`choose`), who is who (`align`), versions (`blotter.track`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from blotter.ids import canonical_text
from blotter.link.memory import Member, build_value
from blotter.model import (
    FIELDS,
    Basis,
    CaseStatus,
    ClaimState,
    Condition,
    Conflict,
    Fact,
    Incident,
    Judgement,
    LegalStatus,
    Participant,
    Precision,
    ReadingKind,
    Rival,
    Role,
)
from blotter.resolve.choose import Choice, Rivalry, Voice, choose_value, count_reports
from blotter.resolve.values import rank_stage, says_all

_OF_CITY = frozenset(("county", "state", "country", "latitude", "longitude", "time_zone"))
_PRECISIONS = {5: Precision.MINUTE, 2: Precision.HOUR}
_HURT = (Condition.INJURED.value, Condition.CRITICAL.value)

_PLAIN_FIELDS_TEXT = """
time_zone street neighborhood city county state country latitude longitude n_killed n_injured weapon agency
"""
_PLAIN_FIELDS = tuple(_PLAIN_FIELDS_TEXT.split())

# Where a case stands at least when a suspect stands there.
_STATUS_OF = {
    LegalStatus.ARRESTED.value: CaseStatus.ARREST_MADE.value,
    LegalStatus.CHARGED.value: CaseStatus.CHARGED.value,
    LegalStatus.CONVICTED.value: CaseStatus.CONVICTED.value,
}

FactKey = tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class Resolution:
    """Every field of one incident as it stands: choices by participant (None: the incident's) and field.

    `people` are the participants in the order in which they were first told of, with the independent reports of each.
    """

    choices: Mapping[FactKey, Choice]
    people: Mapping[str, int]


def resolve_members(members: Sequence[Member], judgements: Sequence[Judgement] = ()) -> Resolution:
    """Resolve what the accounts of an incident say, and what persons decided about it; the order does not matter."""
    ordered = sorted(members, key=lambda member: (member.order, member.reading_id))
    aliases = _merged_participants(judgements)
    decided = _latest_judgements(judgements, aliases)
    told_of = _count_people(ordered, aliases)
    voices = _gather_voices(ordered, aliases)
    choices: dict[FactKey, Choice] = {}
    # What was decided about somebody whom no account tells of any more waits until one does.
    decided = {key: one for key, one in decided.items() if key[0] is None or key[0] in told_of}
    keys = sorted(voices.keys() | decided.keys(), key=lambda key: (key[1] in _OF_CITY, key[0] or "", key[1]))
    for key in keys:
        heard = voices.get(key, [])
        if key[1] in _OF_CITY and key[0] is None:
            heard = _keep_of_city(heard, choices.get((None, "city")))
        choice = choose_value(key[1], heard, decided.get(key))
        if choice is not None:
            choices[key] = choice
    _pair_coordinates(choices, voices)
    people = {pid: n for pid, n in told_of.items() if any(key[0] == pid for key in choices)}
    _count_fates(choices, people)
    _advance_status(choices, people)
    _end_search_for_dead(choices, people)
    return Resolution(choices, people)


def build_facts(resolution: Resolution) -> dict[FactKey, Fact]:
    """Turn choices into facts, in the order of incident first, then participants, fields by name."""
    return {
        key: _build_fact(key, resolution.choices[key])
        for key in sorted(resolution.choices, key=lambda key: (key[0] or "", key[1]))
    }


def build_incident(
    resolution: Resolution, members: Sequence[Member], *, incident_id: str, version: int, known_at: datetime
) -> Incident:
    """Fill in an incident's record; `facts` are all that stand."""
    facts = build_facts(resolution)
    of_incident = {field: fact for (pid, field), fact in facts.items() if pid is None}

    def value(field: str) -> Any:
        fact = of_incident.get(field)
        return fact.value if fact is not None else None

    occurred_at, precision = _read_occurred(value("occurred_date"), value("occurred_time"))
    published = [member.published_at for member in members]
    return Incident(
        incident_id=incident_id,
        version=version,
        known_at=known_at,
        headline=_pick_headline(members),
        incident_types=value("incident_type") or (),
        occurred_date=value("occurred_date"),
        occurred_at=occurred_at,
        occurred_precision=precision,
        **{name: value(name) for name in _PLAIN_FIELDS},
        status=_member_of(CaseStatus, value("status")),
        participants=tuple(_build_participant(pid, n, facts) for pid, n in resolution.people.items()),
        conflicts=tuple(
            _build_conflict(key, resolution.choices[key]) for key in facts if resolution.choices[key].contested_by
        ),
        n_articles=len({member.article_id for member in members}),
        n_reports=len({member.syndication_id for member in members}),
        first_published_at=min(published, default=None),
        last_published_at=max(published, default=None),
        extractor_version=max((member.extractor_version for member in members), default=""),
        facts=tuple(facts.values()),
    )


def _latest_judgements(judgements: Iterable[Judgement], aliases: Mapping[str, str]) -> dict[FactKey, Judgement]:
    settled: dict[FactKey, Judgement] = {}
    for judgement in sorted(judgements, key=lambda one: (one.judged_at, one.judgement_id)):
        if judgement.action == "set" and judgement.field is not None:
            pid = judgement.participant_id
            settled[aliases.get(pid, pid) if pid else None, judgement.field] = judgement
    return settled


def _merged_participants(judgements: Iterable[Judgement]) -> dict[str, str]:
    """Give which participant another one is, by what persons merged; chains are followed."""
    aliases: dict[str, str] = {}
    for judgement in sorted(judgements, key=lambda one: (one.judged_at, one.judgement_id)):
        kept, merged = judgement.participant_id, judgement.other_participant_id
        if judgement.action == "merge" and kept and merged and kept != merged:
            kept = aliases.get(kept, kept)
            aliases = {one: kept if other == merged else other for one, other in aliases.items()} | {merged: kept}
        elif judgement.action == "split" and merged:
            aliases.pop(merged, None)
    return aliases


def _gather_voices(members: Iterable[Member], aliases: Mapping[str, str]) -> dict[FactKey, list[Voice]]:
    voices: dict[FactKey, list[Voice]] = {}
    for member in members:
        for statement in member.statements:
            if statement.field not in FIELDS:
                continue  # of an extractor that knows more fields than this code
            if statement.participant_ref is None:
                voices.setdefault((None, statement.field), []).append(Voice(statement, member))
            elif statement.participant_ref in member.placed:
                pid = member.placed[statement.participant_ref]
                voices.setdefault((aliases.get(pid, pid), statement.field), []).append(Voice(statement, member))
    return voices


def _count_people(members: Sequence[Member], aliases: Mapping[str, str]) -> dict[str, int]:
    groups: dict[str, set[str]] = {}
    for member in members:
        spoken_of = {s.participant_ref for s in member.statements}
        for ref, pid in sorted(member.placed.items()):
            if ref in spoken_of:
                groups.setdefault(aliases.get(pid, pid), set()).add(member.syndication_id)
    return {pid: len(found) for pid, found in groups.items()}


def _keep_of_city(voices: Sequence[Voice], city: Choice | None) -> list[Voice]:
    """Leave out what articles derived from another city than the one that stands."""
    if city is None or city.value is None:
        return list(voices)
    return [
        voice for voice in voices if voice.statement.basis is not Basis.GAZETTEER or _names_city(voice.member, city)
    ]


def _names_city(member: Member, city: Choice) -> bool:
    named = [s.value for s in member.statements if s.field == "city" and s.value is not None]
    return not named or any(says_all("city", city.value, value) for value in named)


def _pair_coordinates(choices: dict[FactKey, Choice], voices: Mapping[FactKey, Sequence[Voice]]) -> None:
    """Take latitude and longitude from one article: a pair of two halves is nowhere."""
    chosen = choices.get((None, "latitude"))
    if chosen is None or chosen.judgement is not None:
        return
    carriers = {voice.member.reading_id for voice in chosen.voices}
    halves = [v for v in voices.get((None, "longitude"), ()) if v.member.reading_id in carriers]
    paired = choose_value("longitude", halves)
    if paired is None:
        choices.pop((None, "latitude"), None)
        choices.pop((None, "longitude"), None)
        return
    choices[None, "longitude"] = paired


def _count_fates(choices: dict[FactKey, Choice], people: Mapping[str, int]) -> None:
    """Let the participants' conditions count where no article tells a number.

    A number that an article tells stands against them: the same person is often told of twice, and another case's dead
    stand on the same page, so that what participants add up to is right less than half as often as what is told.
    """
    for field, fates in (("n_killed", (Condition.KILLED.value,)), ("n_injured", _HURT)):
        counted = [choices[pid, "condition"] for pid in people if _has_fate(choices, pid, fates)]
        if not counted:
            continue
        if (None, field) not in choices:
            carriers = tuple(voice for choice in counted for voice in choice.voices)
            choices[None, field] = Choice(len(counted), ClaimState.KNOWN, carriers)
    _take_dead_from_hurt(choices, people)


def _take_dead_from_hurt(choices: dict[FactKey, Choice], people: Mapping[str, int]) -> None:
    """Take those who died since the hurt were last counted out of their number."""
    stated = choices.get((None, "n_injured"))
    if stated is None or stated.judgement is not None or not isinstance(stated.value, int) or not stated.voices:
        return
    last_stated = max(voice.told_at for voice in stated.voices)
    died = [choices[pid, "condition"] for pid in people if _has_fate(choices, pid, (Condition.KILLED.value,))]
    since = [
        choice
        for choice in died
        if min((voice.told_at for voice in choice.voices), default=last_stated) > last_stated
        and any(rival.value in _HURT for rival in choice.rivals)
    ]
    if since and stated.value >= len(since):
        carriers = tuple(voice for choice in since for voice in choice.voices) + stated.voices
        rival = Rivalry(stated.value, stated.state, stated.voices)
        choices[None, "n_injured"] = Choice(stated.value - len(since), ClaimState.KNOWN, carriers, (rival,))


def _advance_status(choices: dict[FactKey, Choice], people: Mapping[str, int]) -> None:
    """Let the case stand where a suspect stands, where that is further than anybody said of the case."""
    stated = choices.get((None, "status"))
    if stated is not None and stated.judgement is not None:
        return
    standings = [
        choice
        for pid in people
        if (role := choices.get((pid, "role"))) is not None
        and role.value == Role.SUSPECT
        and (choice := choices.get((pid, "legal_status"))) is not None
        and choice.value in _STATUS_OF
    ]
    if not standings:
        return
    furthest = max(standings, key=lambda choice: rank_stage("status", _STATUS_OF[str(choice.value)]))
    status = _STATUS_OF[str(furthest.value)]
    if stated is None or rank_stage("status", status) > rank_stage("status", stated.value):
        rivals = () if stated is None else (Rivalry(stated.value, stated.state, stated.voices),)
        choices[None, "status"] = Choice(status, ClaimState.KNOWN, furthest.voices, rivals)


def _end_search_for_dead(choices: dict[FactKey, Choice], people: Mapping[str, int]) -> None:
    """Take back that someone is at large who is known to be dead."""
    for pid in people:
        standing = choices.get((pid, "legal_status"))
        if (
            standing is not None
            and standing.judgement is None
            and standing.value == LegalStatus.AT_LARGE
            and _has_fate(choices, pid, (Condition.KILLED.value,))
        ):
            del choices[pid, "legal_status"]


def _has_fate(choices: Mapping[FactKey, Choice], pid: str, fates: Sequence[str]) -> bool:
    choice = choices.get((pid, "condition"))
    return choice is not None and choice.state is ClaimState.KNOWN and choice.value in fates


def _build_fact(key: FactKey, choice: Choice) -> Fact:
    pid, field = key
    return Fact(
        participant_id=pid,
        field=field,
        value=build_value(field, choice.value),
        state=choice.state,
        n_reports=count_reports(choice.voices),
        claim_ids=tuple(dict.fromkeys(voice.statement.claim_id for voice in choice.voices)),
        judgement_id=choice.judgement.judgement_id if choice.judgement else None,
        rivals=tuple(
            Rival(
                value=build_value(field, rival.value),
                state=rival.state,
                claim_ids=tuple(dict.fromkeys(voice.statement.claim_id for voice in rival.voices)),
                n_reports=count_reports(rival.voices),
            )
            for rival in choice.rivals
        ),
    )


def _build_conflict(key: FactKey, choice: Choice) -> Conflict:
    pid, field = key
    sides = [(choice.value, choice.voices), *((rival.value, rival.voices) for rival in choice.contested_by)]
    return Conflict(
        participant_id=pid,
        field=field,
        values=tuple(canonical_text(value) or "" for value, _ in sides),
        source_ids=tuple(dict.fromkeys(voice.member.source_id for _, voices in sides for voice in voices)),
    )


def _build_participant(pid: str, n_reports: int, facts: Mapping[FactKey, Fact]) -> Participant:
    def value(field: str) -> Any:
        fact = facts.get((pid, field))
        return fact.value if fact is not None else None

    name = facts.get((pid, "name"))
    return Participant(
        participant_id=pid,
        role=_member_of(Role, value("role")) or Role.OTHER,
        name=value("name"),
        name_state=name.state if name is not None else None,
        age=value("age"),
        gender=value("gender"),
        occupation=value("occupation"),
        employer=value("employer"),
        condition=_member_of(Condition, value("condition")),
        legal_status=_member_of(LegalStatus, value("legal_status")),
        charges=value("charges") or (),
        relationship=value("relationship"),
        n_reports=n_reports,
    )


def _member_of(kind: Any, value: object) -> Any:
    return kind(value) if value in {member.value for member in kind} else None


def _read_occurred(day: date | None, clock: str | None) -> tuple[datetime | None, Precision]:
    """Give the local wall time (naive) where day and clock are known, and how exactly the time is known."""
    if day is None:
        return None, Precision.UNKNOWN
    if clock is None:
        return None, Precision.DAY
    precision = _PRECISIONS.get(len(clock), Precision.PART_OF_DAY) if clock[:1].isdigit() else Precision.PART_OF_DAY
    if precision is Precision.PART_OF_DAY:
        return None, precision
    hour, _, minute = clock.partition(":")
    try:
        return datetime.combine(day, time(int(hour), int(minute or 0))), precision
    except ValueError:
        return None, Precision.DAY


def _pick_headline(members: Sequence[Member]) -> str:
    """Pick the headline of the article that tells most; of a roundup only where there is nothing else."""
    if not members:
        return ""
    best = min(
        members,
        key=lambda m: (not m.headline, m.kind is ReadingKind.ROUNDUP, -len(m.statements), m.order),
    )
    return best.headline
