"""Which rules a batch's changes meet: from changes and incidents to alerts, decided without I/O.

Belongs here: comparing, and gathering what an alert tells into its JSON form. Does not belong here: when and how it is
sent. One alert tells one rule's readers, over one channel, all that they asked for of one version of one incident.
"""

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

from blotter.alert.evidence import is_backed
from blotter.alert.rules import AlertBook, Circle, Condition, Delivery, Place, Rule, find_due_time
from blotter.alert.wording import find_roles, tell_incident
from blotter.ids import canonical_text, make_id
from blotter.model import Article, Change, ChangeKind, Claim, Incident
from blotter.store.outbox import Alert

_EARTH_RADIUS_KM = 6_371


def match_changes(
    book: AlertBook,
    *,
    changes: Iterable[Change],
    incidents: Iterable[Incident],
    articles: Iterable[Article] = (),
    claims: Iterable[Claim] = (),
) -> list[Alert]:
    """Give the alerts that a batch's changes call for, in the order of rules, incidents and channels.

    `incidents` are the versions that the changes belong to; `articles` give the changes' links and titles, `claims`
    what their sentences were read as, where they are at hand. The ids follow from rule, channel and changes: the same
    changes give the same alerts.
    """
    versions = {(incident.incident_id, incident.version): incident for incident in incidents}
    known_articles = {article.article_id: article for article in articles}
    known_claims = {claim.claim_id: claim for claim in claims}
    by_version = [
        (versions[key], list(group))
        for key, group in groupby(sorted(changes, key=_version_key), key=_version_key)
        if key in versions
    ]
    alerts: list[Alert] = []
    for name, rule in book.rules.items():
        if not rule.enabled:
            continue
        for incident, moved in by_version:
            newcomers = _find_newcomers(incident, moved)
            matched = select_changes(rule.when, incident, moved, known_claims)
            if matched := _leave_out_strangers(matched, incident, newcomers):
                content = tell_incident(incident, matched, known_articles, book.record_url, newcomers)
                alerts += [_make_alert(name, rule, channel, incident, matched, content) for channel in rule.channels]
    return alerts


def select_changes(
    condition: Condition,
    incident: Incident,
    changes: Sequence[Change],
    claims: Mapping[str, Claim] = MappingProxyType({}),
) -> list[Change]:
    """Select the changes of one incident version that a rule asks for; all or none hang on the incident itself."""
    if not _fits_incident(condition, incident):
        return []
    settled = find_roles(incident)
    named = {participant.participant_id: participant.role for participant in incident.participants}
    says = _word_finder(condition.words)
    return [
        change
        for change in changes
        if _is_in(change.field, condition.fields)
        and _is_in(change.kind, condition.kinds)
        and _is_in(change.cause, condition.causes)
        and _is_in(change.source_id, condition.sources)
        and _is_in(change.after_state, condition.states)
        and (
            not condition.roles
            or (named if change.field == "name" else settled).get(change.participant_id or "") in condition.roles
        )
        and (says is None or any(says(text) for text in _texts_of(change, incident)))
        and (condition.evidence == "any" or is_backed(change, incident, changes, claims))
    ]


def _find_newcomers(incident: Incident, moved: Iterable[Change]) -> frozenset[str]:
    """Find who came in with a later version: their role was added."""
    if incident.version == 1:
        return frozenset()
    added = (change.participant_id for change in moved if change.field == "role" and change.kind is ChangeKind.ADDED)
    return frozenset(filter(None, added))


def _leave_out_strangers(matched: Sequence[Change], incident: Incident, newcomers: Collection[str]) -> list[Change]:
    """Leave out the age of somebody new of whom neither name nor fate is told: it tells nobody who that is."""
    told = {change.participant_id for change in matched if change.field not in ("age", "gender", "role")}
    named = {person.participant_id for person in incident.participants if person.name}
    strangers = set(newcomers) - told - named
    return [change for change in matched if change.participant_id not in strangers]


def _version_key(change: Change) -> tuple[str, int]:
    return (change.incident_id, change.version)


def _make_alert(
    name: str, rule: Rule, channel: str, incident: Incident, matched: Sequence[Change], content: Mapping[str, object]
) -> Alert:
    change_ids = tuple(sorted(change.change_id for change in matched))
    return Alert(
        alert_id=make_id("alr", name, channel, change_ids),
        rule=name,
        description=rule.description,
        channel=channel,
        incident_id=incident.incident_id,
        change_ids=change_ids,
        due_at=find_due_time(rule, incident.known_at),
        is_digest=rule.deliver is not Delivery.IMMEDIATE,
        storm=rule.storm,
        content=content,
    )


def _fits_incident(condition: Condition, incident: Incident) -> bool:
    return (
        (condition.versions == "any" or (condition.versions == "new") == (incident.version == 1))
        and (not condition.types or not set(condition.types).isdisjoint(incident.incident_types))
        and (not condition.places or any(_is_at(place, incident) for place in condition.places))
        and (condition.near is None or _is_near(condition.near, incident))
        and _reaches(incident.n_killed, condition.min_killed)
        and _reaches(incident.n_injured, condition.min_injured)
        and _reaches(incident.n_reports, condition.min_reports)
    )


def _is_in(value: str | None, wanted: Sequence[str]) -> bool:
    return not wanted or value in wanted


def _reaches(value: int | None, least: int | None) -> bool:
    return least is None or (value is not None and value >= least)


def _is_at(place: Place, incident: Incident) -> bool:
    named = place.model_dump(exclude_none=True)
    return all((getattr(incident, key) or "").casefold() == name.casefold() for key, name in named.items())


def _is_near(circle: Circle, incident: Incident) -> bool:
    if incident.latitude is None or incident.longitude is None:
        return False
    return measure_km(circle.latitude, circle.longitude, incident.latitude, incident.longitude) <= circle.radius_km


def measure_km(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Measure the distance of two points on the globe in kilometres (haversine, on a sphere)."""
    north, other_north = math.radians(latitude), math.radians(other_latitude)
    east = math.radians(other_longitude - longitude)
    chord = math.sin((other_north - north) / 2) ** 2 + math.cos(north) * math.cos(other_north) * math.sin(east / 2) ** 2
    return 2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))


def _word_finder(words: Sequence[str]) -> Callable[[str], bool] | None:
    if not words:
        return None
    phrases = "|".join(r"\s+".join(re.escape(part) for part in phrase.split()) for phrase in words)
    pattern = re.compile(rf"(?<!\w)(?:{phrases})(?!\w)", re.IGNORECASE)
    return lambda text: pattern.search(text) is not None


def _texts_of(change: Change, incident: Incident) -> Iterator[str]:
    for text in (incident.headline, change.quote, canonical_text(change.before), canonical_text(change.after)):
        if text:
            yield text
