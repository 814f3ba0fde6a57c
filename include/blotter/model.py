"""The frozen records of the vocabulary: what the stages hand to each other.

Belongs here: one class for each word of the vocabulary (docs/vocabulary.md), the closed lists of values that fields may
take, and `FIELDS`, the list of what can be claimed. Does not belong here: how any of it is found, decided or stored.

Conventions: `_at` is an aware UTC datetime, `_date` a date, `n_` a count. A value is plain Python (`Value`); how it is
written as text is `blotter.ids`' to say. Ids are "" until `identify_reading` gives them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from blotter.errors import Reason
from blotter.ids import canonical_text, make_id

Value = str | int | float | date | datetime | tuple[str, ...] | None


class ClaimState(StrEnum):
    """What an article says of a value. "Not mentioned" is the absence of a claim."""

    KNOWN = "known"
    WITHHELD = "withheld"  # the article says that it is not released
    UNKNOWN = "unknown"  # the article says that nobody knows
    DISPUTED = "disputed"
    DENIED = "denied"
    RETRACTED = "retracted"


class Basis(StrEnum):
    """Where a claim's value comes from; a derived value quotes what it was derived from."""

    STATED = "stated"
    INFERRED = "inferred"  # a weekday turned into a date
    COUNTED = "counted"  # from a list of victims
    GAZETTEER = "gazetteer"  # the state of a named city


class Role(StrEnum):
    """What a participant is in an incident. An official who only speaks is no participant."""

    VICTIM = "victim"
    SUSPECT = "suspect"
    WITNESS = "witness"
    OFFICER_INVOLVED = "officer_involved"
    OTHER = "other"


class Condition(StrEnum):
    """How a participant fared, as last reported."""

    KILLED = "killed"
    CRITICAL = "critical"
    INJURED = "injured"
    UNHARMED = "unharmed"
    MISSING = "missing"
    FOUND = "found"


class LegalStatus(StrEnum):
    """Where a participant stands before the law, in the order in which a case goes."""

    AT_LARGE = "at_large"
    ARRESTED = "arrested"
    CHARGED = "charged"
    CONVICTED = "convicted"
    RELEASED = "released"


class CaseStatus(StrEnum):
    """Where the case stands."""

    INVESTIGATING = "investigating"
    SUSPECT_SOUGHT = "suspect_sought"
    ARREST_MADE = "arrest_made"
    CHARGED = "charged"
    CONVICTED = "convicted"
    CLOSED = "closed"


class Precision(StrEnum):
    """How exactly `occurred_at` is known."""

    MINUTE = "minute"
    HOUR = "hour"
    PART_OF_DAY = "part_of_day"
    DAY = "day"
    UNKNOWN = "unknown"


class ReadingKind(StrEnum):
    """What an article is about."""

    INCIDENT = "incident"
    FOLLOW_UP = "follow_up"  # court, funeral, anniversary: an incident that is known already
    ROUNDUP = "roundup"  # several incidents, none told in full
    NOT_INCIDENT = "not_incident"


class Notice(StrEnum):
    """Whether the article says of itself that it corrects or withdraws something."""

    NONE = "none"
    CORRECTION = "correction"
    RETRACTION = "retraction"


class Verdict(StrEnum):
    """A link's judgement."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    UNSURE = "unsure"


class ChangeKind(StrEnum):
    """How a field moved between two versions."""

    ADDED = "added"
    REFINED = "refined"  # more specific, not contradictory
    REVISED = "revised"  # contradicts what stood
    RETRACTED = "retracted"
    CONFLICT_OPENED = "conflict_opened"
    CONFLICT_SETTLED = "conflict_settled"
    MERGED = "merged"
    SPLIT = "split"


class ChangeCause(StrEnum):
    """Why a field moved."""

    NEW_REPORT = "new_report"
    SOURCE_EDIT = "source_edit"
    CORRECTION = "correction"
    RETRACTION = "retraction"
    EXTRACTOR_CHANGE = "extractor_change"
    LINK_CHANGE = "link_change"
    HUMAN = "human"


class Disposition(StrEnum):
    """What became of an input: exactly one each. Deferred inputs are pending in the state and have none yet."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    NOT_INCIDENT = "not_incident"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    QUARANTINED = "quarantined"


INCIDENT_TYPES: Mapping[str, str] = {
    "shooting": "someone was shot, or shot at",
    "stabbing": "someone was wounded with a blade",
    "assault": "someone was attacked by other means, or means not told",
    "homicide": "someone was killed by another, whatever the means",
    "robbery": "something was taken from someone by force or threat",
    "burglary": "a building was broken into",
    "kidnapping": "someone was taken or held",
    "sexual_assault": "someone was sexually attacked",
    "fire": "something burned that should not",
    "explosion": "something exploded",
    "traffic_crash": "a road vehicle crashed or struck someone",
    "rail": "a train or tram was in an accident",
    "aviation": "an aircraft was in an accident",
    "maritime": "a vessel was in an accident",
    "industrial": "an accident at work: collapse, machine, gas, chemical",
    "drowning": "someone drowned or nearly did",
    "missing_person": "someone is or was missing",
    "police_use_of_force": "an officer used deadly or disputed force",
    "weather": "storm, flood, lightning, heat or cold harmed people",
    "disaster": "earthquake, landslide, avalanche, wildfire",
    "animal": "an animal harmed someone",
    "overdose": "someone was harmed by a drug or poison",
    "suicide": "someone took their own life, or tried",
    "threat": "a threat, hoax or standoff without known harm",
    "other": "an incident of no listed type",
}


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field that can be claimed: its Python type, whose it is, and what it means."""

    name: str
    type: type
    of: str  # "incident" or "participant"
    meaning: str
    many: bool = False  # several values may stand side by side (types, charges)


FIELDS: Mapping[str, FieldSpec] = {
    spec.name: spec
    for spec in (
        FieldSpec("incident_type", str, "incident", "a key of INCIDENT_TYPES", many=True),
        FieldSpec("occurred_date", date, "incident", "local calendar day on which it happened"),
        FieldSpec(
            "occurred_time",
            str,
            "incident",
            "local clock: `HH:MM`, `HH`, or a part of day: early_morning, morning, afternoon, evening, night",
        ),
        FieldSpec("street", str, "incident", "block, address or intersection, as written"),
        FieldSpec("landmark", str, "incident", "named place: a school, park, shop, road or bridge"),
        FieldSpec("neighborhood", str, "incident", "named part of a city"),
        FieldSpec("city", str, "incident", "city, town or village, without its state"),
        FieldSpec("county", str, "incident", "county or district, with the word County where its name has it"),
        FieldSpec("state", str, "incident", "state, province or first-level region, full name in English"),
        FieldSpec("country", str, "incident", "country, full name in English"),
        FieldSpec("latitude", float, "incident", "degrees north, of the most exact place known"),
        FieldSpec("longitude", float, "incident", "degrees east, of the most exact place known"),
        FieldSpec("time_zone", str, "incident", "IANA name of the place's time zone"),
        FieldSpec("n_killed", int, "incident", "people dead, suspects included"),
        FieldSpec("n_injured", int, "incident", "people hurt and alive, suspects included"),
        FieldSpec("weapon", str, "incident", "what did the harm: handgun, rifle, knife, vehicle, ..."),
        FieldSpec("agency", str, "incident", "the agency that leads the response or investigation"),
        FieldSpec("hospital", str, "incident", "where the hurt were taken", many=True),
        FieldSpec("status", str, "incident", "a CaseStatus"),
        FieldSpec("role", str, "participant", "a Role; every participant has one claim of it at least"),
        FieldSpec("name", str, "participant", "full name as written, without title"),
        FieldSpec("age", int, "participant", "years"),
        FieldSpec("gender", str, "participant", "male or female, where the text shows it"),
        FieldSpec("occupation", str, "participant", "what they do: officer, teacher, ..."),
        FieldSpec("employer", str, "participant", "for whom"),
        FieldSpec("condition", str, "participant", "a Condition"),
        FieldSpec("legal_status", str, "participant", "a LegalStatus"),
        FieldSpec("charges", str, "participant", "one charge", many=True),
        FieldSpec("relationship", str, "participant", "to another participant, as written"),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One input as it waits to be cleaned: its bytes lie in the raw archive under `payload_sha256`.

    `kind` is what came in: entry (of a feed), file, line (of JSON lines), record (of a WARC), mail. `media` is how to
    read the payload: html or text. What the feed, sidecar or line said beside the bytes rides along.
    """

    input_id: str
    kind: str
    source_id: str
    location: str
    payload_sha256: str
    media: str
    received_at: datetime
    url: str | None = None
    title: str | None = None
    author: str | None = None
    published_at: datetime | None = None
    published_precision: str | None = None  # minute, day
    published_basis: str | None = None  # feed, page, sidecar, file, received
    charset: str | None = None  # as the transport declared it
    fetched_at: datetime | None = None
    is_partial: bool = False  # the feed's own content, where the page could not be had
    replay_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A document together with its bytes, before they are in the raw archive."""

    document: Document
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """An input that was refused or quarantined at `stage`: what its rows in `inputs` and `quarantine` say."""

    input_id: str
    kind: str
    source_id: str
    location: str
    stage: str
    reason: Reason
    message: str
    received_at: datetime
    payload: bytes | None = None  # kept in the raw archive where there is any
    payload_sha256: str | None = None
    is_refused: bool = False  # a decision of the other side (robots, wall, gone), not a defect
    retryable: bool = True
    replay_of: str | None = None
    arrival: str | None = None  # the delivery it came with and when its file was changed: what opening it again needs
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One text of one page: an article revision. `text` starts with the title. Until publishing, `revision` is 0."""

    article_id: str
    source_id: str
    title: str
    text: str
    text_sha256: str
    raw_sha256: str
    published_at: datetime  # midnight UTC where the precision is a day
    published_precision: str
    published_basis: str
    fetched_at: datetime
    language: str | None
    url: str | None = None
    canonical_url: str | None = None
    author: str | None = None
    modified_at: datetime | None = None
    syndication_id: str = ""
    revision_id: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One value that a reading states about an incident or a participant, with the span that says so.

    `quote` is `article.text[quote_start:quote_end]`: the whole sentence. `value_raw` is the text the value was read
    from. `value` is None unless `state` is known or disputed. `participant_ref` is None for fields of the incident.
    """

    incident_ref: int
    participant_ref: int | None
    role: Role | None
    field: str
    value: Value
    value_raw: str
    state: ClaimState
    basis: Basis
    quote: str
    quote_start: int
    quote_end: int
    attributed_to: str | None
    confidence: float
    claim_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one version of the extractor found in one revision: claims in the order of the text."""

    kind: ReadingKind
    notice: Notice
    claims: tuple[Claim, ...]
    extractor_version: str
    reading_id: str = ""
    article_id: str = ""
    revision_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The judgement that a reading's incident is, is not, or may be a known incident."""

    link_id: str
    seq: int
    article_id: str
    reading_id: str
    incident_ref: int
    incident_id: str
    verdict: Verdict
    score: float
    reasons: tuple[str, ...]
    actor: str  # "linker" with its version, or "human:NAME"
    judged_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """A participant of a reading, placed in an incident."""

    reading_id: str
    incident_ref: int
    participant_ref: int
    incident_id: str
    participant_id: str
    score: float
    reasons: tuple[str, ...]
    judged_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a person decided: it outranks whatever is computed."""

    judgement_id: str
    action: str  # link, unlink, merge, split, set; erase: what an article said is gone for good
    actor: str
    reason: str
    judged_at: datetime
    article_id: str | None = None
    incident_id: str | None = None
    other_incident_id: str | None = None
    participant_id: str | None = None
    other_participant_id: str | None = None
    field: str | None = None
    value: str | None = None
    state: ClaimState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """A value that was claimed and does not stand."""

    value: Value
    state: ClaimState
    claim_ids: tuple[str, ...]
    n_reports: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """The resolved value of one field, with the claims (or the human judgement) that carry it and its rivals."""

    participant_id: str | None
    field: str
    value: Value
    state: ClaimState
    n_reports: int
    claim_ids: tuple[str, ...]
    judgement_id: str | None = None
    rivals: tuple[Rival, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A person in one version of an incident."""

    participant_id: str
    role: Role
    name: str | None = None
    name_state: ClaimState | None = None
    age: int | None = None
    gender: str | None = None
    occupation: str | None = None
    employer: str | None = None
    condition: Condition | None = None
    legal_status: LegalStatus | None = None
    charges: tuple[str, ...] = ()
    relationship: str | None = None
    n_reports: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A field on which reports disagree: every value with its sources, the standing one first."""

    participant_id: str | None
    field: str
    values: tuple[str, ...]
    source_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One state of an incident record. `facts` say where each value comes from."""

    incident_id: str
    version: int
    known_at: datetime
    headline: str
    incident_types: tuple[str, ...] = ()
    occurred_date: date | None = None
    occurred_at: datetime | None = None  # naive local wall time at the place
    occurred_precision: Precision = Precision.UNKNOWN
    time_zone: str | None = None
    street: str | None = None
    neighborhood: str | None = None
    city: str | None = None
    county: str | None = None
    state: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    n_killed: int | None = None
    n_injured: int | None = None
    weapon: str | None = None
    agency: str | None = None
    status: CaseStatus | None = None
    participants: tuple[Participant, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    n_articles: int = 0
    n_reports: int = 0
    first_published_at: datetime | None = None
    last_published_at: datetime | None = None
    merged_into: str | None = None
    extractor_version: str = ""
    facts: tuple[Fact, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field of one incident that moved between two versions."""

    change_id: str
    incident_id: str
    version: int
    known_at: datetime
    participant_id: str | None
    field: str
    kind: ChangeKind
    cause: ChangeCause
    before_state: ClaimState | None
    before: Value
    after_state: ClaimState | None
    after: Value
    article_id: str | None
    claim_id: str | None
    quote: str | None
    source_id: str | None
    published_at: datetime | None


def make_input_id(arrival: str, source_id: str, location: str, payload_sha256: str | None) -> str:
    """Derive an input's id; `arrival` names the delivery (a claimed file, a poll, a replayed day), so that a crash in
    the middle of a delivery registers nothing twice while a second delivery of the same bytes is a new input.
    """
    return make_id("inp", arrival, source_id, location, payload_sha256)


def identify_revision(article: Article, revision: int) -> Article:
    """Give a cleaned article its revision number and the id that follows from it."""
    revision_id = make_id("rev", article.article_id, revision, article.text_sha256)
    return replace(article, revision=revision, revision_id=revision_id)


def identify_reading(reading: Reading, article: Article) -> Reading:
    """Give a reading and its claims their ids, which follow from the revision, the extractor and what is claimed."""
    reading_id = make_id("rdg", article.revision_id, reading.extractor_version)
    claims = tuple(
        replace(
            claim,
            claim_id=make_id(
                "clm",
                reading_id,
                claim.incident_ref,
                claim.participant_ref,
                claim.field,
                claim.state,
                canonical_text(claim.value),
                claim.quote_start,
            ),
        )
        for claim in reading.claims
    )
    return replace(
        reading, reading_id=reading_id, article_id=article.article_id, revision_id=article.revision_id, claims=claims
    )
