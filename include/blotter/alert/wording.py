"""How a change is told, in words that a person would use.

Belongs here: the JSON form of what an alert tells, with every value worded once, so that text, HTML and feeds say the
same. Does not belong here: layout (`templates/`), and which changes are told.
"""

from collections.abc import Container, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from blotter.alert.evidence import split_said
from blotter.ids import canonical_text
from blotter.model import Article, Change, ChangeCause, ChangeKind, ClaimState, Condition, Incident, Role, Value

Content = dict[str, Any]

MAX_SUBJECT = 160

_FIELDS = {
    "incident_type": "kind of incident",
    "occurred_date": "date",
    "occurred_time": "time",
    "occurred_at": "time",
    "n_killed": "dead",
    "n_injured": "injured",
    "status": "state of the case",
    "agency": "leading agency",
    "time_zone": "time zone",
    "legal_status": "legal status",
    "merged_into": "incident",
}
_MINOR = frozenset({"role", "latitude", "longitude", "time_zone", "country"})  # told in the JSON form only
_ROLES = {Role.OFFICER_INVOLVED: "officer involved", Role.OTHER: "person involved"}
_STATES = {
    ClaimState.WITHHELD: "not released",
    ClaimState.UNKNOWN: "not known",
    ClaimState.DENIED: "denied",
    ClaimState.RETRACTED: "retracted",
    ClaimState.DISPUTED: "disputed",
}
_CAUSES = {
    ChangeCause.NEW_REPORT: "a new report",
    ChangeCause.SOURCE_EDIT: "the source edited its article",
    ChangeCause.CORRECTION: "the source corrected itself",
    ChangeCause.RETRACTION: "the source withdrew its report",
    ChangeCause.EXTRACTOR_CHANGE: "the articles were read anew by a newer version of the reader",
    ChangeCause.LINK_CHANGE: "an article was found to be about this incident, or not to be",
    ChangeCause.HUMAN: "a person decided so",
}
_KINDS = {
    ChangeKind.CONFLICT_SETTLED: "reports agree again",
    ChangeKind.RETRACTED: "no longer stands",
    ChangeKind.MERGED: "found to be the same incident as another one",
    ChangeKind.SPLIT: "found to be two incidents",
}
_TOLD_FIRST = (
    *("name", "condition", "n_killed", "n_injured", "legal_status", "charges", "age", "incident_type", "status"),
)


def tell_incident(
    incident: Incident,
    changes: Sequence[Change],
    articles: Mapping[str, Article],
    record_url: str | None,
    newcomers: Container[str] = (),
) -> Content:
    """Gather what an alert tells of one incident version: the record in short, its changes, the weightiest first.

    `newcomers` are participants that a later version brought in: of them, "a victim" is said. Whether it is another
    one, or one of whom less was known, the sentence does not say.
    """
    ordered = sorted(changes, key=_weigh)
    told = [tell_change(change, incident, articles, newcomers) for change in ordered]
    return {
        "subject": _word_subject(incident, ordered, told),
        "incident_id": incident.incident_id,
        "version": incident.version,
        "is_new": incident.version == 1,
        "known_at": incident.known_at.isoformat(),
        "headline": _one_line(incident.headline),
        "types": [kind.replace("_", " ") for kind in incident.incident_types],
        "place": word_place(incident),
        "date": word_value("occurred_date", incident.occurred_date),
        "record_url": record_url.replace("{incident_id}", incident.incident_id) if record_url else None,
        "changes": told,
    }


def tell_change(
    change: Change, incident: Incident, articles: Mapping[str, Article], newcomers: Container[str] = ()
) -> Content:
    """Tell one change: what moved, before and after in words, the sentence that says it, who says it, why it moved.

    `before` and `after` are None where nothing was, or is, said, and `before` also where it is what it was;
    `before_value` and `after_value` are the values as plain text. Of several values, `after` words those that the
    sentence says, or that stood before, and counts the others.
    """
    article = articles.get(change.article_id or "")
    who = _word_person(change, incident, newcomers)
    label = _FIELDS.get(change.field, change.field.replace("_", " "))
    before = word_side(change.field, change.before, change.before_state)
    said, n_unsaid = split_said(change, incident) if isinstance(change.after, tuple) else (change.after, 0)
    after = word_side(change.field, said, change.after_state)
    if n_unsaid:
        after = f"{after} (and {n_unsaid} more)"
    return {
        "change_id": change.change_id,
        "field": change.field,
        "kind": change.kind.value,
        "cause": change.cause.value,
        "participant_id": change.participant_id,
        "who": who,
        "what": label if who is None else f"{label} of {_point_at(who)}",
        "is_minor": change.field in _MINOR,
        "before": before if before != after else None,
        "after": after,
        "before_value": _clean(canonical_text(change.before)),
        "after_value": _clean(canonical_text(change.after)),
        "note": _word_note(change, incident),
        "why": _CAUSES[change.cause],
        "quote": _clean(change.quote),
        "source_id": _clean(change.source_id),
        "published_at": change.published_at.isoformat() if change.published_at else None,
        "published": _word_published(change, article),
        "url": _clean(article.url) if article else None,
        "title": _clean(article.title) if article else None,
    }


def word_side(field: str, value: Value, state: ClaimState | None) -> str | None:
    """Word one side of a change; None where nothing was said."""
    if state is None and value is None:
        return None
    worded = word_value(field, value)
    if state in (None, ClaimState.KNOWN):
        return worded
    return _STATES[state] if worded is None else f"{worded} ({_STATES[state]})"


def word_value(field: str, value: Value) -> str | None:
    """Word one value: dates in full, lists with commas, codes without underscores."""
    if value is None:
        return None
    if isinstance(value, tuple | list):
        return ", ".join(filter(None, (word_value(field, part) for part in value))) or None
    if isinstance(value, datetime):
        return f"{word_value(field, value.date())} {value:%H:%M}"
    if isinstance(value, date):
        return f"{value.day} {value:%B %Y}"
    if isinstance(value, str) and field in ("incident_type", "occurred_time", "condition", "legal_status", "status"):
        return value.replace("_", " ")
    return _one_line(str(canonical_text(value)))


def shorten(text: str, most: int = MAX_SUBJECT) -> str:
    """Cut a line at a word so that it has at most so many characters."""
    return text if len(text) <= most else text[: most - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"


def word_moment(at: datetime) -> str:
    """Word a moment in UTC."""
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def word_place(incident: Incident) -> str | None:
    """Word where it happened, from the most exact name to the state; the country where there is nothing else."""
    named = [incident.street, incident.neighborhood, incident.city, incident.state]
    if incident.city is None:
        named.insert(2, incident.county)
    return ", ".join(_one_line(name) for name in named if name) or incident.country


def _weigh(change: Change) -> tuple[int, str, str, str]:
    rank = _TOLD_FIRST.index(change.field) if change.field in _TOLD_FIRST else len(_TOLD_FIRST)
    return (rank, change.participant_id or "", change.field, change.change_id)


def _word_subject(incident: Incident, changes: Sequence[Change], told: Sequence[Content]) -> str:
    place = ", ".join(_one_line(name) for name in (incident.city or incident.county, incident.state) if name)
    start = f"{place}: " if place else ""
    if incident.version == 1:
        kind = incident.incident_types[0].replace("_", " ") if incident.incident_types else "incident"
        return shorten(f"{start}new {kind}: {_one_line(incident.headline)}")
    first = _word_briefly(changes[0], told[0])
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    return shorten(f"{start}{first}", MAX_SUBJECT - len(more)) + more


def _word_briefly(change: Change, told: Content) -> str:
    if change.kind in (ChangeKind.MERGED, ChangeKind.SPLIT):
        return str(told["note"])
    if change.kind is ChangeKind.CONFLICT_OPENED:
        return f"{told['what']}: {told['note']}"
    who = told["who"]
    if change.field == "name" and change.after_state is ClaimState.KNOWN and change.after is not None:
        return f"{who} named as {told['after']}"
    if change.field == "condition" and change.after == Condition.KILLED:
        return f"{who} {'has died' if change.before is not None else 'was killed'}"
    if change.field in ("legal_status", "condition") and told["after"] is not None:
        return f"{who} {told['after']}"
    if told["after"] is None:
        return f"{told['what']} {told['note'] or 'no longer stands'}"
    before = f", before {told['before']}" if told["before"] is not None else ""
    return f"{told['what']}: {told['after']}{before}"


def _word_published(change: Change, article: Article | None) -> str | None:
    """Word when the source said it; only the day where no more is known."""
    if change.published_at is None:
        return None
    is_day = article is not None and article.published_precision == "day"
    return word_value("", change.published_at.date()) if is_day else word_moment(change.published_at)


def _word_note(change: Change, incident: Incident) -> str | None:
    if change.kind is not ChangeKind.CONFLICT_OPENED:
        return _KINDS.get(change.kind)
    place = (change.participant_id, change.field)
    values = next((c.values for c in incident.conflicts if (c.participant_id, c.field) == place), ())
    return " ".join(
        ("reports disagree:" if values else "reports disagree", " or ".join(map(_one_line, values)))
    ).strip()


def _point_at(who: str) -> str:
    """Put the article before a role: "the victim", but "a victim" and "Dana Whitlock"."""
    return who if who.startswith(("a ", "an ")) or not who[0].islower() else f"the {who}"


def find_roles(incident: Incident) -> dict[str, Role]:
    """Find who is what; without those whom reports call now a victim and now a suspect.

    A name is told all the same: its own sentence shows what its bearer is.
    """
    unsettled = {conflict.participant_id for conflict in incident.conflicts if conflict.field == "role"}
    return {p.participant_id: p.role for p in incident.participants if p.participant_id not in unsettled}


def _word_person(change: Change, incident: Incident, newcomers: Container[str]) -> str | None:
    """Word whose field moved: the role, with the name where it is known and not what is told."""
    if change.participant_id is None:
        return None
    person = next((p for p in incident.participants if p.participant_id == change.participant_id), None)
    if person is None:
        return "person"
    known = person.role if change.field == "name" else find_roles(incident).get(person.participant_id)
    if known is None:
        return _one_line(person.name) if person.name else _ROLES[Role.OTHER]
    role = _ROLES.get(known, known.value)
    if person.name and change.field != "name":
        return f"{role} {_one_line(person.name)}"
    if change.participant_id not in newcomers:
        return role
    return f"an {role}" if role.startswith("o") else f"a {role}"


def _clean(text: str | None) -> str | None:
    return _one_line(text) if text else None


def _one_line(text: str) -> str:
    """Fold white space and drop what is not to be seen: controls, direction marks, lone surrogates."""
    return " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())
