"""What is kept of an incident between batches.

Belongs here: the records that the desk stores and gives back, and their bytes. Does not belong here: how they are
filled (`blotter.update`) and where they lie (`blotter.store.desk`).

Everything is plain: a day is an ISO string in a statement and an ordinal in an account, so that bytes and records are
the same thing in either direction.
"""

from datetime import date, datetime

import msgspec
import zstandard

from blotter.link.syndication import Fingerprint
from blotter.model import FIELDS, Basis, ClaimState, Judgement, Notice, ReadingKind, Value

PlainValue = str | int | float | list[str] | None


Part = tuple[str, int]  # an article and which of its incidents


class Statement(msgspec.Struct, frozen=True, array_like=True):
    """A claim as resolving needs it."""

    claim_id: str
    participant_ref: int | None
    field: str
    value: PlainValue
    value_raw: str
    state: ClaimState
    basis: Basis
    quote: str
    attributed_to: str | None
    confidence: float


class Member(msgspec.Struct, frozen=True):
    """One reading's account of one incident: the article, its statements, and who of it is who of the incident."""

    article_id: str
    revision_id: str
    reading_id: str
    incident_ref: int
    extractor_version: str
    kind: ReadingKind
    notice: Notice
    source_id: str
    syndication_id: str
    published_at: datetime
    told_at: datetime  # when the page came to say this: its publication or, of an edited page, its edit
    text_sha256: str
    headline: str
    statements: tuple[Statement, ...]
    placed: dict[int, str]  # participant_ref to participant_id
    home_id: str  # the incident it was linked to before any merge

    @property
    def part(self) -> "Part":
        """What it is an account in: an article that tells of several incidents gives one of each."""
        return self.article_id, self.incident_ref

    @property
    def order(self) -> tuple[datetime, str, int]:
        """The order of publication."""
        return (self.published_at, self.text_sha256, self.incident_ref)


class Standing(msgspec.Struct, frozen=True, array_like=True):
    """A fact as it stood when the last version was made."""

    participant_id: str | None
    field: str
    value: PlainValue
    state: ClaimState
    claim_ids: tuple[str, ...]
    is_contested: bool
    is_human: bool


class Dossier(msgspec.Struct, frozen=True):
    """Everything from which an incident's record follows, and the version that stands."""

    incident_id: str
    members: tuple[Member, ...] = ()
    version: int = 0
    standing: tuple[Standing, ...] = ()
    judgements: tuple[Judgement, ...] = ()  # what persons set, or merged among participants
    merged_into: str | None = None


class PersonTraits(msgspec.Struct, frozen=True, array_like=True):
    """A participant as an account describes them: name in folded words, without initials and suffixes."""

    role: str
    name: tuple[str, ...]
    age: int | None
    gender: str | None
    condition: str | None


class Account(msgspec.Struct, frozen=True):
    """One article's description of one incident, as the linker compares it."""

    article_id: str
    syndication_id: str
    published_day: int
    n_texts: int  # how many texts had been seen: what is rare is known the better for it
    terms: dict[str, float]
    days: tuple[int, ...] = ()
    places: dict[str, tuple[str, ...]] = {}  # field to folded values
    people: tuple[PersonTraits, ...] = ()
    n_killed: int | None = None
    n_injured: int | None = None
    types: tuple[str, ...] = ()
    incident_ref: int = 1  # by default, for what was frozen before it was told

    @property
    def part(self) -> Part:
        """What it describes: one of an article's incidents."""
        return self.article_id, self.incident_ref


class Profile(msgspec.Struct, frozen=True):
    """An incident as the linker sees it: its first accounts and its latest."""

    incident_id: str
    accounts: tuple[Account, ...] = ()
    merged_into: str | None = None


class Placement(msgspec.Struct, frozen=True):
    """Where one reference of an article's latest reading was placed; `seq` is the last number of its links."""

    incident_ref: int
    incident_id: str
    seq: int


class Loose(msgspec.Struct, frozen=True, array_like=True):
    """An account that was placed nowhere: kept so that a person can still link it."""

    member: Member
    account: Account


class ArticleMemory(msgspec.Struct, frozen=True):
    """What is remembered of an article: its latest reading and where it was placed."""

    article_id: str
    revision: int
    revision_id: str
    reading_id: str
    syndication_id: str
    placements: tuple[Placement, ...] = ()
    loose: tuple[Loose, ...] = ()
    pinned_to: tuple[str, ...] = ()  # incidents that a person linked it to
    kept_from: tuple[str, ...] = ()  # incidents that a person took it out of
    judged_by: str = ""  # the person who said so last


class TextMemory(msgspec.Struct, frozen=True):
    """A text's fingerprint and its syndication group."""

    revision_id: str
    syndication_id: str
    published_day: int
    fingerprint: Fingerprint


class IndexEntry(msgspec.Struct, frozen=True, array_like=True):
    """A key under which an incident (or, with an integer key, a text) is found around a day."""

    key: str
    day: int
    target_id: str


class DeskChanges(msgspec.Struct, frozen=True):
    """What the desk must learn once a batch is published; `seq` counts batches, so that each is learnt once.

    All values are absolute: learning them again changes nothing.
    """

    seq: int
    today: int  # ordinal of the clock's day, for forgetting
    window_days: int
    dossiers: tuple[Dossier, ...] = ()
    profiles: tuple[Profile, ...] = ()
    articles: tuple[ArticleMemory, ...] = ()
    texts: tuple[TextMemory, ...] = ()
    entries: tuple[IndexEntry, ...] = ()
    labels: dict[str, str] = {}  # label of a given link to incident
    term_counts: dict[str, int] = {}
    n_texts: int = 0


def encode_changes(changes: DeskChanges) -> bytes:
    """Write the desk's changes as the bytes that a bundle carries."""
    return zstandard.ZstdCompressor(level=3, write_checksum=True).compress(msgspec.msgpack.encode(changes))


def decode_changes(memory: bytes) -> DeskChanges:
    """Read the desk's changes back; raises one of zstandard's or msgspec's errors where they are none."""
    return msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(memory), type=DeskChanges)


def plain_value(value: Value) -> PlainValue:
    """Write a value plainly: a day as its ISO string, several as a list."""
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def build_value(field: str, plain: PlainValue) -> Value:
    """Give a plain value the type of its field."""
    if isinstance(plain, list):
        return tuple(plain)
    if isinstance(plain, str) and field in FIELDS and FIELDS[field].type is date:
        return date.fromisoformat(plain)
    return plain
