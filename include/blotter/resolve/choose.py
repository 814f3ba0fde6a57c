"""Whom to believe: one value of one field out of everything that articles say of it.

Belongs here: the rules by which a value stands, what contradicts it, and when that is a conflict (docs/resolution.md).
Does not belong here: what values mean (`values`), and putting a record together (`record`).

A value's weight is the sum over independent reports (syndication groups) of the best voice in each: how sure the reader
was, whether somebody is named for it, how it was come by, and, where the truth moves on, how new it is. The order of
arrival plays no part: only publication does.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from blotter.link.memory import Member, PlainValue, Statement
from blotter.link.terms import fold
from blotter.model import FIELDS, Basis, ClaimState, Condition, Judgement, Notice, ReadingKind
from blotter.resolve.values import COUNTS, MOVING, STAGES, is_approximate, measure_detail, rank_stage, says_all

_BASIS_WEIGHT = {Basis.STATED: 1.0, Basis.INFERRED: 0.9, Basis.COUNTED: 0.8, Basis.GAZETTEER: 0.6}
_ATTRIBUTED = 1.2
_ROUNDUP = 0.6
_OUTDATED_BY_OWN_SOURCE = 0.4
_CORRECTED = 0.1
_REPEATED = 0.3  # what was corrected does not come back by being said again
_CORRECTING = 2.0
_IMPLAUSIBLE = 0.05
_SURE_PART = 0.6  # a neighborhood that an article calls so, and not one that is only guessed
_HALF_LIFE_DAYS = 1.0
_CLEAR_SHARE = 0.5  # of the weight of the clearest voice: less is taken for a slip of the reader
_RIVAL_SHARE = 0.25  # of the standing value's weight: less is kept as a rival but opens no conflict
_SETTLED_REPORTS, _SETTLED_RATIO = 3, 3

# What an article that withdraws a report may go on to say: where and when it had been said to happen.
_WHERE_AND_WHEN_TEXT = """
occurred_date occurred_time street landmark neighborhood city county state country latitude longitude time_zone
incident_type agency role
"""
_WHERE_AND_WHEN = frozenset(_WHERE_AND_WHEN_TEXT.split())

# From what tells most to what tells least: the order of an incident's types.
_TYPE_ORDER_TEXT = """
police_use_of_force kidnapping sexual_assault robbery burglary explosion fire aviation rail maritime industrial
traffic_crash drowning disaster weather animal overdose suicide missing_person stabbing shooting homicide
assault threat other
"""
_TYPE_ORDER = tuple(_TYPE_ORDER_TEXT.split())
_BETTER = re.compile(r"\b(?:stable|improv\w+|recover\w*|upgraded|better|released|discharged|out of danger)\b", re.I)
_LOWERING = re.compile(
    r"\b(?:lower\w+|revis\w+|correct\w+|down from|earlier|initially|at first|first said|not)\b", re.I
)
_ALIVE = (Condition.CRITICAL.value, Condition.UNHARMED.value, Condition.FOUND.value)
_UNLISTED = "other"  # of no listed type: says nothing beside one that is listed
_ASSERTING = (ClaimState.KNOWN, ClaimState.DISPUTED)
# Derived with the place: disagreement of these is disagreement on the place.
_DERIVED = frozenset(("latitude", "longitude", "time_zone", "country"))


@dataclass(frozen=True, slots=True)
class Voice:
    """One article saying one thing of one field."""

    statement: Statement
    member: Member
    weight: float = 0.0
    aged_weight: float = 0.0  # less for every day that the newest word on the field is newer

    @property
    def told_at(self) -> datetime:
        """When it was said."""
        return self.member.told_at


@dataclass(frozen=True, slots=True)
class Rivalry:
    """A value that was claimed and does not stand."""

    value: PlainValue
    state: ClaimState
    voices: tuple[Voice, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """What stands for one field, the voices that carry it, and its rivals."""

    value: PlainValue
    state: ClaimState
    voices: tuple[Voice, ...]
    rivals: tuple[Rivalry, ...] = ()
    contested_by: tuple[Rivalry, ...] = ()
    judgement: Judgement | None = None


@dataclass(slots=True)
class _Camp:
    """Voices that do not contradict each other, and the value that says most among them."""

    value: PlainValue
    voices: list[Voice]

    def weigh(self, weigh: Callable[[Voice], float]) -> float:
        best: dict[str, float] = {}
        for voice in self.voices:
            group = voice.member.syndication_id
            best[group] = max(best.get(group, 0.0), weigh(voice))
        return sum(best.values())

    @property
    def weight(self) -> float:
        return self.weigh(lambda voice: voice.weight)

    @property
    def clarity(self) -> float:
        return max(voice.weight for voice in self.voices)

    @property
    def aged_weight(self) -> float:
        return self.weigh(lambda voice: voice.aged_weight)

    @property
    def first_at(self) -> datetime:
        return min(voice.told_at for voice in self.voices)

    @property
    def last_at(self) -> datetime:
        return max(voice.told_at for voice in self.voices)


def count_reports(voices: Iterable[Voice]) -> int:
    """Count the independent reports among voices."""
    return len({voice.member.syndication_id for voice in voices})


def choose_value(field: str, voices: Sequence[Voice], judgement: Judgement | None = None) -> Choice | None:
    """Choose what stands for a field of which `voices` speak, in the order of publication; None where nobody does.

    A judgement outranks all voices, which become its rivals.
    """
    chosen = _choose_among(field, voices)
    if judgement is None:
        return chosen
    value = _read_judged(field, judgement)
    rivals = () if chosen is None else tuple(_others(chosen, value))
    return Choice(value, judgement.state or ClaimState.KNOWN, (), rivals, (), judgement)


def _choose_among(field: str, voices: Sequence[Voice]) -> Choice | None:
    heard = _weigh_voices(field, _drop_withdrawn(voices))
    asserting = [voice for voice in heard if voice.statement.state in _ASSERTING and voice.statement.value is not None]
    if not asserting:
        return _choose_silence(heard)
    if FIELDS[field].many:
        return _choose_several(field, asserting)
    camps = _form_camps(field, _pick_one_a_member(asserting))
    standing = _pick_standing(field, camps)
    rivals = [camp for camp in camps if camp is not standing]
    told = {id(camp): Rivalry(camp.value, ClaimState.KNOWN, tuple(camp.voices)) for camp in rivals}
    return Choice(
        value=standing.value,
        state=_judge_state(standing, heard),
        voices=_carriers_first(standing),
        rivals=tuple(told[id(camp)] for camp in sorted(rivals, key=lambda camp: (-camp.weight, str(camp.value)))),
        contested_by=tuple(told[id(camp)] for camp in rivals if _is_contesting(field, camp, standing)),
    )


def _drop_withdrawn(voices: Sequence[Voice]) -> list[Voice]:
    """Leave out what was taken back since.

    A retracted statement takes back what anybody said before it; an article that withdraws itself, what its source
    said before.
    """
    voices = [_read_retraction(voice) for voice in voices]
    retracted_at = [voice.told_at for voice in voices if voice.statement.state is ClaimState.RETRACTED]
    withdrawn_at: dict[str, datetime] = {}
    for voice in voices:
        if voice.member.notice is Notice.RETRACTION:
            source = voice.member.source_id
            withdrawn_at[source] = max(withdrawn_at.get(source, voice.told_at), voice.told_at)
    return [
        voice
        for voice in voices
        if voice.statement.state not in _ASSERTING
        or not (
            any(voice.told_at < at for at in retracted_at)
            or voice.told_at < withdrawn_at.get(voice.member.source_id, voice.told_at)
        )
    ]


def _read_retraction(voice: Voice) -> Voice:
    """Take what an article that withdraws a report repeats of it for taken back; that nobody was hurt, it asserts."""
    statement = voice.statement
    if (
        voice.member.notice is not Notice.RETRACTION
        or statement.state not in _ASSERTING
        or statement.field in _WHERE_AND_WHEN
        or statement.value == 0
    ):
        return voice
    return replace(voice, statement=msgspec.structs.replace(statement, state=ClaimState.RETRACTED, value=None))


def _weigh_voices(field: str, voices: Sequence[Voice]) -> list[Voice]:
    if not voices:
        return []
    newest_at = max(voice.told_at for voice in voices)
    corrected_at = max(
        (v.told_at for v in voices if v.member.notice is Notice.CORRECTION and v.statement.state in _ASSERTING),
        default=None,
    )
    last_word: dict[str, Voice] = {}
    for voice in voices:
        if voice.statement.state in _ASSERTING:
            source = voice.member.source_id
            if source not in last_word or voice.told_at >= last_word[source].told_at:
                last_word[source] = voice
    implausible = _find_implausible(field, voices)
    weighed = []
    for voice in voices:
        weight = _weigh_statement(voice) * (_IMPLAUSIBLE if voice in implausible else 1.0)
        if voice.member.notice is Notice.CORRECTION:
            weight *= _CORRECTING
        elif corrected_at is not None and voice.told_at < corrected_at:
            weight *= _CORRECTED
        elif _repeats_corrected(field, voice, voices, corrected_at):
            weight *= _REPEATED
        last = last_word.get(voice.member.source_id)
        is_outdated = last is not None and last.told_at > voice.told_at and not _agree(field, last, voice)
        if (
            is_outdated and field not in STAGES and not FIELDS[field].many
        ):  # a stage, or one of many, takes nothing back
            weight *= _OUTDATED_BY_OWN_SOURCE
        behind_days = (newest_at - voice.told_at).total_seconds() / 86400
        aged = weight * 0.5 ** (behind_days / _HALF_LIFE_DAYS) if field in MOVING else weight
        weighed.append(replace(voice, weight=round(weight, 9), aged_weight=round(aged, 9)))
    return weighed


def _find_implausible(field: str, voices: Sequence[Voice]) -> list[Voice]:
    """Find the voices that other articles of the incident show to be slips of the reader.

    What was told of had happened by then, so a day after the first report is a court's or an arrest's; and a city of
    which another article says that it is a neighborhood is none.
    """
    if field == "occurred_date":
        first = min(voice.member.published_at for voice in voices).date()
        latest = (first + timedelta(days=1)).isoformat()  # the place may lie east of Greenwich
        return [voice for voice in voices if str(voice.statement.value or "") > latest]
    if field == "city":
        parts = {
            fold(statement.value)
            for voice in voices
            for statement in voice.member.statements
            if statement.field == "neighborhood" and isinstance(statement.value, str)
            if statement.confidence >= _SURE_PART and fold(statement.value) != fold(str(voice.statement.value))
        }
        named = [voice for voice in voices if isinstance(voice.statement.value, str)]
        of_parts = [voice for voice in named if fold(str(voice.statement.value)) in parts]
        return of_parts if len(of_parts) < len(named) else []
    return []


def _repeats_corrected(field: str, voice: Voice, voices: Sequence[Voice], corrected_at: datetime | None) -> bool:
    """Say whether a voice repeats what was said before a correction and is not what the correction says."""
    if corrected_at is None or voice.statement.state not in _ASSERTING or FIELDS[field].many:
        return False
    asserting = [other for other in voices if other.statement.state in _ASSERTING]
    corrections = [other for other in asserting if other.member.notice is Notice.CORRECTION]
    if any(_agree(field, voice, other) for other in corrections):
        return False
    return any(other.told_at < corrected_at and _agree(field, voice, other) for other in asserting)


def _weigh_statement(voice: Voice) -> float:
    statement = voice.statement
    weight = max(statement.confidence, 0.01) * _BASIS_WEIGHT[statement.basis]
    if statement.attributed_to:
        weight *= _ATTRIBUTED
    return weight * _ROUNDUP if voice.member.kind is ReadingKind.ROUNDUP else weight


def _agree(field: str, one: Voice, other: Voice) -> bool:
    return says_all(field, one.statement.value, other.statement.value) or says_all(
        field, other.statement.value, one.statement.value
    )


def _pick_one_a_member(voices: Sequence[Voice]) -> list[Voice]:
    """Keep what each article says best: an article speaks once."""
    best: dict[tuple[str, int], Voice] = {}
    for voice in voices:
        key = (voice.member.reading_id, voice.member.incident_ref)
        if key not in best or _by_clarity(voice) > _by_clarity(best[key]):
            best[key] = voice
    return list(best.values())


def _by_clarity(voice: Voice) -> tuple[bool, float, int]:
    statement = voice.statement
    return (statement.state is ClaimState.KNOWN, voice.weight, measure_detail(statement.field, statement.value))


def _form_camps(field: str, voices: Sequence[Voice]) -> list[_Camp]:
    """Gather voices by value; a value that only says less joins the weightiest of those that say more."""
    by_value: dict[PlainValue, _Camp] = {}
    for voice in voices:
        by_value.setdefault(_key(voice), _Camp(voice.statement.value, [])).voices.append(voice)
    own = sorted(
        by_value.values(), key=lambda c: (-measure_detail(field, c.value), -c.weight, c.first_at, str(c.value))
    )
    is_about = {id(camp): all(is_approximate(voice.statement) for voice in camp.voices) for camp in own}
    leading: list[_Camp] = []
    joining: list[tuple[_Camp, list[_Camp]]] = []
    for camp in own:
        fuller = [
            leader
            for leader in leading
            if says_all(field, leader.value, camp.value, is_other_about=is_about[id(camp)])
            or (is_about[id(leader)] and says_all(field, camp.value, leader.value, is_other_about=True))
        ]
        if fuller:
            joining.append((camp, fuller))
        else:
            leading.append(camp)
    weights = {id(camp): camp.aged_weight for camp in leading}
    for camp, fuller in joining:
        leader = max(fuller, key=lambda one: weights[id(one)])
        is_exacter = measure_detail(field, camp.value) >= measure_detail(field, leader.value)
        if (is_about[id(leader)] and not is_about[id(camp)] and is_exacter) or _is_respelt(field, leader, camp):
            leader.value = camp.value
            is_about[id(leader)] = False
        leader.voices.extend(camp.voices)
    return leading


def _is_respelt(field: str, leader: _Camp, camp: _Camp) -> bool:
    """Say whether two values say the same in other letters, and more reports write it the joining way."""
    return (
        measure_detail(field, leader.value) == measure_detail(field, camp.value)
        and says_all(field, camp.value, leader.value)
        and count_reports(camp.voices) > count_reports(leader.voices)
    )


def _key(voice: Voice) -> PlainValue:
    value = voice.statement.value
    return fold(value) if isinstance(value, str) else value


def _pick_standing(field: str, camps: Sequence[_Camp]) -> _Camp:
    if field in STAGES:
        return _pick_stage(field, camps)
    if field in COUNTS:
        return _pick_count(camps)
    return max(camps, key=_by_weight(field))


def _by_weight(field: str) -> Callable[[_Camp], tuple[float, datetime, int, str]]:
    return lambda camp: (camp.aged_weight, camp.last_at, measure_detail(field, camp.value), str(camp.value))


def _pick_stage(field: str, camps: Sequence[_Camp]) -> _Camp:
    """Pick the latest stage that somebody told clearly: reports that only tell of an earlier one contradict nothing.

    Of those in critical condition it may be told since that they are better; that one is dead, only many can deny.
    """
    clearest = max(camp.clarity for camp in camps)
    clear = [camp for camp in camps if camp.clarity >= _CLEAR_SHARE * clearest]
    furthest = max(clear, key=lambda camp: (rank_stage(field, camp.value), camp.weight))
    if field != "condition":
        return furthest
    if furthest.value == Condition.KILLED:
        alive = [camp for camp in clear if camp.value in _ALIVE and camp.last_at > furthest.first_at]
        since = max(alive, key=lambda camp: camp.weight, default=None)
        if since is not None and count_reports(since.voices) >= _SETTLED_RATIO * count_reports(furthest.voices):
            return since
    if furthest.value == Condition.CRITICAL:
        return next((camp for camp in clear if _is_recovery(camp, furthest)), furthest)
    return furthest


def _is_recovery(camp: _Camp, critical: _Camp) -> bool:
    """Say whether somebody told since that one in critical condition is better; "was hurt" says no more than before."""
    return camp.value == Condition.INJURED and any(
        voice.told_at > critical.last_at and _BETTER.search(voice.statement.quote) for voice in camp.voices
    )


def _pick_count(camps: Sequence[_Camp]) -> _Camp:
    """Pick a toll: one that was lower before does not contradict, one that is lower since has to outweigh."""
    falling = sorted(
        camps, key=lambda camp: float(camp.value) if isinstance(camp.value, int | float) else 0, reverse=True
    )
    standing = falling[0]
    for camp in falling[1:]:
        since = _Camp(camp.value, [voice for voice in camp.voices if voice.told_at >= standing.first_at])
        if not since.voices or not _may_lower(since):
            continue
        if (since.aged_weight, since.last_at) > (standing.aged_weight, standing.last_at):
            standing = camp
    return standing


def _may_lower(since: _Camp) -> bool:
    """Say whether a lower toll is more than a report that tells of fewer: corrected, so worded, or told by two."""
    return count_reports(since.voices) > 1 or any(
        voice.member.notice is Notice.CORRECTION or _LOWERING.search(voice.statement.quote) for voice in since.voices
    )


def _is_contesting(field: str, rival: _Camp, standing: _Camp) -> bool:
    if field in _DERIVED or (field in STAGES and field != "condition"):
        return False
    if field in MOVING and (rival.last_at < standing.first_at or _is_passed(field, rival, standing)):
        return False
    if rival.weight < _RIVAL_SHARE * standing.weight:
        return False
    n_standing, n_rival = count_reports(standing.voices), count_reports(rival.voices)
    return not (n_standing >= _SETTLED_REPORTS and n_standing >= _SETTLED_RATIO * n_rival)


def _is_passed(field: str, rival: _Camp, standing: _Camp) -> bool:
    """Say whether a rival is a stage on the way to the standing one."""
    return field in STAGES and rank_stage(field, rival.value) <= rank_stage(field, standing.value)


def _judge_state(standing: _Camp, heard: Sequence[Voice]) -> ClaimState:
    doubting = [v for v in heard if v.statement.state is ClaimState.DENIED]
    doubting += [v for v in standing.voices if v.statement.state is ClaimState.DISPUTED]
    sure = [v for v in standing.voices if v.statement.state is ClaimState.KNOWN]
    if sum(v.aged_weight for v in doubting) >= sum(v.aged_weight for v in sure):
        return ClaimState.DISPUTED
    return ClaimState.KNOWN


def _carriers_first(camp: _Camp) -> tuple[Voice, ...]:
    """Order voices: those that say the value itself, then those that say less; each in the order of publication."""
    key = fold(camp.value) if isinstance(camp.value, str) else camp.value
    return tuple(sorted(camp.voices, key=lambda v: (_key(v) != key, v.member.order, v.statement.claim_id)))


def _choose_silence(heard: Sequence[Voice]) -> Choice | None:
    """Choose what stands where nobody asserts a value: withheld, unknown, denied, or taken back."""
    by_state: dict[ClaimState, list[Voice]] = {}
    for voice in heard:
        if voice.statement.state not in _ASSERTING:
            by_state.setdefault(voice.statement.state, []).append(voice)
    if not by_state:
        return None
    if ClaimState.RETRACTED in by_state:
        return Choice(None, ClaimState.RETRACTED, tuple(by_state[ClaimState.RETRACTED]))
    state = max(by_state, key=lambda s: (_Camp(None, by_state[s]).weight, max(v.told_at for v in by_state[s]), s))
    return Choice(None, state, tuple(sorted(by_state[state], key=lambda v: (v.member.order, v.statement.claim_id))))


def _choose_several(field: str, asserting: Sequence[Voice]) -> Choice:
    """Choose the values of a field that has several: all that are more than a slip."""
    camps = _form_camps(field, asserting)
    clearest = max(camp.clarity for camp in camps)
    kept = [camp for camp in camps if camp.clarity >= _CLEAR_SHARE * clearest]
    if field == "incident_type" and len(kept) > 1:
        kept = [camp for camp in kept if camp.value != _UNLISTED]
    kept.sort(key=lambda camp: (_rank_type(field, camp.value), camp.first_at, str(camp.value)))
    dropped = [camp for camp in camps if camp not in kept]
    return Choice(
        value=[str(camp.value) for camp in kept],
        state=ClaimState.KNOWN,
        voices=tuple(voice for camp in kept for voice in _carriers_first(camp)),
        rivals=tuple(Rivalry(camp.value, ClaimState.KNOWN, tuple(camp.voices)) for camp in dropped),
    )


def _rank_type(field: str, value: PlainValue) -> int:
    return _TYPE_ORDER.index(str(value)) if field == "incident_type" and value in _TYPE_ORDER else len(_TYPE_ORDER)


def _read_judged(field: str, judgement: Judgement) -> PlainValue:
    if judgement.value is None:
        return None
    spec = FIELDS[field]
    if spec.many:
        return [part.strip() for part in judgement.value.split(";") if part.strip()]
    if spec.type in (int, float):
        number: int | float = spec.type(judgement.value)
        return number
    return judgement.value


def _others(chosen: Choice, value: PlainValue) -> Iterable[Rivalry]:
    if chosen.value is not None and chosen.value != value:
        yield Rivalry(chosen.value, chosen.state, chosen.voices)
    yield from (rival for rival in chosen.rivals if rival.value != value)
