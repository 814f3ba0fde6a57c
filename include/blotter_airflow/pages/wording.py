"""How the pages say things: records as the words and short lists that templates lay out.

Belongs here: words, and which facts stand where. Does not belong here: markup, and any question to the tables. What is
not known is said as plainly as what is: no article says, not released, nobody knows, disputed, not sure.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from blotter.catalog import Summary
from blotter.catalog.story import Report, Story
from blotter.model import FIELDS, ChangeKind
from blotter.show import STATE_WORDS, tell_field, tell_person, tell_plain, tell_value

Row = Mapping[str, Any]

LOW_CONFIDENCE = 0.6  # below: the reader may well have misread; told beside the value

_ROLE_WORDS = {"officer_involved": "officer involved", "other": "person involved"}
_CAUSES = {
    "new_report": "a new report",
    "source_edit": "a source edited its article",
    "correction": "a source corrected itself",
    "retraction": "a source withdrew its report",
    "extractor_change": "the articles were read anew by a newer reader",
    "link_change": "an article was found to be about this, or not to be",
    "human": "a person decided so",
}
_KINDS = {
    "added": "new",
    "refined": "more exact",
    "revised": "revised",
    "retracted": "taken back",
    "conflict_opened": "reports differ",
    "conflict_settled": "reports agree again",
    "merged": "found to be the same incident",
    "split": "found to be another incident",
}
_VERDICTS = {"positive": "about this incident", "negative": "not about this incident", "unsure": "perhaps about this"}
_BASES = {"inferred": "worked out from the sentence", "counted": "counted from a list", "gazetteer": "from a gazetteer"}
_PRECISIONS = {
    "minute": "to the minute",
    "hour": "to the hour",
    "part_of_day": "to the part of day",
    "day": "the day only",
    "unknown": "not known",
}
# What a reader asks of every incident and of every person: where there is no fact, the page says so.
_ASKED = {
    None: ("incident_type", "occurred_date", "occurred_time", "street", "city", "n_killed", "n_injured", "status"),
    "victim": ("name", "age", "condition"),
    "suspect": ("name", "age", "legal_status"),
    "witness": (),
    "officer_involved": ("name", "condition"),
    "other": ("name",),
}
_HIDDEN = frozenset({"latitude", "longitude", "time_zone", "role"})  # told by the map, the clock, the heading
_ORDER = (
    *("incident_type", "status", "n_killed", "n_injured", "occurred_date", "occurred_time", "street", "landmark"),
    *("neighborhood", "city", "county", "state", "country", "weapon", "agency", "hospital"),
    *("name", "age", "gender", "occupation", "employer", "condition", "legal_status", "charges", "relationship"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A value with who says it: `anchor` leads to the sentence in its article, where the page shows it."""

    value: str
    state: str
    n_reports: int
    quote: str | None = None
    source: str | None = None
    published_at: datetime | None = None
    attributed_to: str | None = None
    basis: str | None = None
    is_low: bool = False
    anchor: str | None = None
    decided_by_person: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FactLine:
    """One field of the record: what stands, and what else was said."""

    label: str
    standing: Said | None  # None: no article says
    rivals: Sequence[Said] = ()
    is_disputed: bool = False  # reports differ; without, the rivals were overtaken


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A participant with the facts of theirs."""

    participant_id: str
    title: str
    role: str
    lines: Sequence[FactLine]
    n_reports: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldChange:
    """One change in words."""

    whose: str
    label: str
    before: str | None
    after: str
    kind: str
    kind_word: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldSentence:
    """The changes that one sentence of one source carries."""

    changes: Sequence[ToldChange]
    quote: str | None
    source: str | None
    published: str | None
    delay: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldVersion:
    """What became known at one moment."""

    version: int
    known_at: datetime
    causes: str
    sentences: Sequence[ToldSentence]
    n_changes: int


def tell_record(story: Story) -> list[FactLine]:
    """Tell the incident's own fields, those asked of every incident even where nothing is known."""
    mine = [fact for fact in story.facts if fact["participant_id"] is None]
    return _tell_lines(mine, _ASKED[None], story)


def tell_people(story: Story) -> list[Person]:
    """Tell the participants: victims first, then suspects, then others."""
    roles = list(_ASKED)
    people = sorted(story.record["participants"] or (), key=lambda one: roles.index(one["role"]))
    told = []
    for person in people:
        mine = [fact for fact in story.facts if fact["participant_id"] == person["participant_id"]]
        told.append(
            Person(
                participant_id=person["participant_id"],
                title=tell_person(person),
                role=tell_role(person["role"]),
                lines=_tell_lines(mine, _ASKED[person["role"]], story),
                n_reports=person["n_reports"],
            )
        )
    return told


def _tell_lines(facts: Iterable[Row], asked: Sequence[str], story: Story) -> list[FactLine]:
    lines = {fact["field"]: _tell_fact(fact, story) for fact in facts if fact["field"] not in _HIDDEN}
    for field in asked:
        lines.setdefault(field, FactLine(label=tell_field(field), standing=None))
    return [lines[field] for field in sorted(lines, key=_place)]


def _tell_fact(fact: Row, story: Story) -> FactLine:
    standing = _tell_said(fact["field"], fact["value"], fact["state"], fact["n_reports"], fact["claim_ids"], story)
    if fact["judgement_id"]:
        standing = Said(
            value=standing.value, state=standing.state, n_reports=standing.n_reports, decided_by_person=True
        )
    rivals = [
        _tell_said(fact["field"], rival["value"], rival["state"], rival["n_reports"], rival["claim_ids"], story)
        for rival in fact["rivals"] or ()
    ]
    conflicts = {(one["participant_id"], one["field"]) for one in story.record["conflicts"] or ()}
    return FactLine(
        label=tell_field(fact["field"]),
        standing=standing,
        rivals=rivals,
        is_disputed=(fact["participant_id"], fact["field"]) in conflicts,
    )


def _tell_said(
    field: str, value: str | None, state: str, n_reports: int, claim_ids: Sequence[str], story: Story
) -> Said:
    claims = [story.claims[claim_id] for claim_id in claim_ids if claim_id in story.claims]
    # The sentence that the reader is surest of; where a page shows it, the line leads there.
    shown = {claim["claim_id"] for report in story.reports for claim in report.claims if report.article["text"]}
    best = max(claims, key=lambda claim: (claim["claim_id"] in shown, claim["confidence"]), default=None)
    sources = {report.article["article_id"]: report.article["source_id"] for report in story.reports}
    return Said(
        value=_tell_standing(value, state, field),
        state=state,
        n_reports=n_reports,
        quote=best["quote"] if best else None,
        source=sources.get(best["article_id"]) if best else None,
        published_at=best["published_at"] if best else None,
        attributed_to=best["attributed_to"] if best else None,
        basis=_BASES.get(best["basis"]) if best else None,
        is_low=bool(claims) and max(claim["confidence"] for claim in claims) < LOW_CONFIDENCE,
        anchor=name_sentence(best["article_id"], best["quote_start"]) if best and best["claim_id"] in shown else None,
    )


def _tell_standing(value: str | None, state: str, field: str) -> str:
    """Word a value as the tables have it; of a field that may have many, a single value in plain text is told too."""
    if value is not None and field in FIELDS and FIELDS[field].many:
        try:
            json.loads(value)
        except ValueError:
            return tell_plain(value, state)
    return tell_value(value, state, field)


def name_sentence(article_id: str, start: int) -> str:
    """Name the place of a sentence on the page."""
    return f"s-{article_id}-{start}"


def tell_timeline(story: Story) -> list[ToldVersion]:
    """Tell what became known when, the newest first."""
    names = {person["participant_id"]: tell_person(person) for person in story.record["participants"] or ()}
    told = []
    for (version, known_at), of_version in groupby(story.changes, key=lambda one: (one["version"], one["known_at"])):
        changes = list(of_version)
        by_sentence: dict[tuple[Any, ...], list[Row]] = {}
        for change in changes:
            if change["field"] not in _HIDDEN or change["field"] == "role":
                by_sentence.setdefault((change["quote"], change["source_id"], change["url"]), []).append(change)
        told.append(
            ToldVersion(
                version=version,
                known_at=known_at,
                causes=", ".join(dict.fromkeys(_CAUSES.get(one["cause"]) or str(one["cause"]) for one in changes)),
                sentences=[_tell_sentence(carried, names) for carried in by_sentence.values()],
                n_changes=len(changes),
            )
        )
    return told[::-1]


def _tell_sentence(carried: Sequence[Row], names: Mapping[str, str]) -> ToldSentence:
    first = carried[0]
    return ToldSentence(
        changes=[tell_change(change, names) for change in carried],
        quote=first["quote"],
        source=first["source_id"],
        published=tell_published(first["published_at"]) if first["published_at"] else None,
        delay=tell_delay(first["published_at"], first["known_at"]),
    )


def tell_change(change: Row, names: Mapping[str, str]) -> ToldChange:
    """Word one change: whose, what, before, after, how it moved and why."""
    kind, before = change["kind"], None
    if change["before_state"] is not None:
        before = _tell_standing(change["before"], change["before_state"], change["field"])
    after = "nothing"
    if change["after_state"] is not None:
        after = _tell_standing(change["after"], change["after_state"], change["field"])
    is_same = before == after and kind in (ChangeKind.CONFLICT_OPENED, ChangeKind.CONFLICT_SETTLED)
    whose = names.get(change["participant_id"], "a participant") if change["participant_id"] else ""
    return ToldChange(
        whose=whose,
        label=tell_field(change["field"]),
        before=None if is_same else before,
        after=f"stays {after}" if is_same else after,
        kind=kind,
        kind_word=_KINDS.get(kind) or str(kind),
        cause=_CAUSES.get(change["cause"]) or str(change["cause"]),
    )


def tell_summary_changes(summary: Summary) -> list[ToldChange]:
    """Word the changes that made an incident's newest version, as many as the catalog keeps."""
    names = {person.participant_id: tell_person(person.to_row()) for person in summary.participants}
    return [tell_change(change.to_row(), names) for change in summary.changes]


def tell_doubts(row: Any) -> list[tuple[str, str]]:
    """Tell in a few words what is not known or not sure of an incident: (kind, words)."""
    doubts = []
    conflicts = row["conflicts"] or ()
    fields = dict.fromkeys(one if isinstance(one, str) else one["field"] for one in conflicts)
    if fields:
        doubts.append(("conflict", f"reports differ on {', '.join(tell_field(field) for field in fields)}"))
    for person in row["participants"] or ():
        if person["role"] in ("victim", "suspect") and not person["name"]:
            why = STATE_WORDS.get(person["name_state"] or "", "not given by any article")
            doubts.append(("unnamed", f"{tell_person(person)}: name {why}"))
    if row["n_reports"] <= 1:
        doubts.append(("one", "one independent report only"))
    if row["occurred_date"] is None:
        doubts.append(("unknown", "the day is not known"))
    if row["city"] is None and row["county"] is None and row["state"] is None:
        doubts.append(("unknown", "the place is not known"))
    return list(dict.fromkeys(doubts))


def list_claims(claims: Sequence[Row]) -> list[Row]:
    """Choose the claims of a sentence that are told beside it, in the order of the record; the map tells some."""
    told = [claim for claim in claims if claim["field"] not in _HIDDEN]
    return sorted(told, key=lambda claim: (claim["participant_ref"] or 0, _place(claim["field"])))


def _place(field: str) -> tuple[int, str]:
    return _ORDER.index(field) if field in _ORDER else len(_ORDER), field


def tell_claim(claim: Row) -> str:
    """Word what was read from a sentence."""
    of = f"person {claim['participant_ref']}, " if claim["participant_ref"] else ""
    return f"{of}{tell_field(claim['field'])}: {_tell_standing(claim['value'], claim['state'], claim['field'])}"


def tell_verdict(report: Report) -> str:
    """Word a link's judgement, and who judged."""
    link = report.link
    who = link["actor"].removeprefix("human:")
    judged = f"judged by {who}" if link["actor"].startswith("human:") else f"{link['score']:.0%} sure"
    return f"{_VERDICTS[link['verdict']]} ({judged})"


def tell_role(role: str) -> str:
    """Word a role."""
    return _ROLE_WORDS.get(role, role.replace("_", " "))


def tell_types(kinds: Sequence[str] | None) -> str:
    """Word what happened."""
    return ", ".join(kind.replace("_", " ") for kind in kinds or ()) or "kind not known"


def tell_precision(precision: str) -> str:
    """Word how exactly a time is known."""
    return _PRECISIONS.get(precision, precision)


def tell_published(at: datetime) -> str:
    """Word when something was published; midnight stands for a day without a time, and is told as the day."""
    return f"{at:%a %-d %b %Y}" if _is_day(at) else f"{at:%a %-d %b %Y, %H:%M} UTC"


def tell_delay(published_at: datetime | None, known_at: datetime) -> str | None:
    """Word how long after its publication something became known here; None where no time of that day is known."""
    if published_at is None or known_at < published_at or _is_day(published_at):
        return None
    return f"{tell_span(known_at - published_at)} later"


def _is_day(at: datetime) -> bool:
    return (at.hour, at.minute, at.second, at.microsecond) == (0, 0, 0, 0)


def tell_span(span: timedelta) -> str:
    """Word a length of time, to one unit."""
    seconds = max(0, int(span.total_seconds()))
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            n = round(seconds / size)
            return f"{n} {unit}{'s' if n > 1 else ''}"
    return "less than a minute"


def tell_count(n: int, one: str, many: str | None = None) -> str:
    """Word a number of things."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
