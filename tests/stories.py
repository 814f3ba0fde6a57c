"""Hand-built articles and readings for linking, resolving and tracking, and a desk in memory.

A reading is built from `say(...)`s: each is a claim whose quote is a sentence of the article's text. The text is made
of the sentences, so that spans are true.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from blotter.ids import make_id, sha256_hex
from blotter.link.memory import ArticleMemory, Dossier, Profile, TextMemory, decode_changes
from blotter.model import (
    Article,
    Basis,
    Claim,
    ClaimState,
    Notice,
    Reading,
    ReadingKind,
    Role,
    identify_reading,
    identify_revision,
)
from blotter.update import LinkRules, Update, update_incidents
from blotter.update.desk import MAX_TARGETS, Target, sort_latest

DAY_1 = datetime(2025, 3, 6, 14, tzinfo=UTC)
RULES = LinkRules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """One claim to come: what a sentence of the article states."""

    sentence: str
    field: str
    value: Any = None
    raw: str | None = None
    state: ClaimState = ClaimState.KNOWN
    of: int | None = None
    role: Role | None = None
    ref: int = 1
    basis: Basis = Basis.STATED
    by: str | None = "police"
    confidence: float = 0.9


def say(sentence: str, field: str, value: Any = None, **given: Any) -> Say:
    """A claim that `sentence` makes; `of` numbers the person it is about."""
    return Say(sentence=sentence, field=field, value=value, **given)


def make_story(
    *says: Say,
    source: str = "gazette",
    at: datetime = DAY_1,
    title: str = "",
    url: str | None = None,
    more: str = "",
    revision: int = 1,
    kind: ReadingKind = ReadingKind.INCIDENT,
    notice: Notice = Notice.NONE,
    extractor: str = "test-1",
) -> tuple[Article, Reading]:
    """An identified article made of the sentences of `says` (and `more`), with its identified reading."""
    sentences = list(dict.fromkeys(one.sentence for one in says))
    text = "\n\n".join(part for part in (title, " ".join(sentences), more) if part)
    url = url or f"https://{source}.example/{sha256_hex(text)[:12]}"
    article = identify_revision(
        Article(
            article_id=make_id("art", source, url),
            source_id=source,
            title=title,
            text=text,
            text_sha256=sha256_hex(text),
            raw_sha256=sha256_hex(text + "raw"),
            published_at=at,
            published_precision="minute",
            published_basis="page",
            fetched_at=at + timedelta(minutes=5),
            language="en",
            url=url,
            canonical_url=url,
        ),
        revision,
    )
    claims = tuple(_make_claim(article, one) for one in says)
    return article, identify_reading(
        Reading(kind=kind, notice=notice, claims=claims, extractor_version=extractor), article
    )


def _make_claim(article: Article, told: Say) -> Claim:
    start = article.text.index(told.sentence)
    shown = told.value if isinstance(told.value, str) else str(told.value)
    raw = told.raw or (shown if shown in told.sentence else told.sentence)
    return Claim(
        incident_ref=told.ref,
        participant_ref=told.of,
        role=told.role,
        field=told.field,
        value=told.value,
        value_raw=raw,
        state=told.state,
        basis=told.basis,
        quote=told.sentence,
        quote_start=start,
        quote_end=start + len(told.sentence),
        attributed_to=told.by,
        confidence=told.confidence,
    )


def officer_story() -> list[tuple[Article, Reading]]:
    """Day 1: an officer is shot, name withheld. Day 2: another outlet names him. Another city has one of its own."""
    shot = "A police officer was shot dead on Tamarack Avenue in Halford on Wednesday, 5 March, at 4:43 p.m."
    silent = "His name was not released."
    suspect = "An 18-year-old man was shot in the head and is in critical condition."
    first = make_story(
        say(shot, "incident_type", "shooting"),
        say(shot, "occurred_date", date(2025, 3, 5)),
        say(shot, "occurred_time", "16:43", raw="4:43 p.m."),
        say(shot, "street", "Tamarack Avenue"),
        say(shot, "city", "Halford"),
        say(shot, "state", "Ohio", basis=Basis.GAZETTEER),
        say(shot, "n_killed", 1, raw="shot dead", basis=Basis.COUNTED),
        say(shot, "role", "victim", of=1, role=Role.VICTIM),
        say(shot, "occupation", "officer", of=1, role=Role.VICTIM),
        say(shot, "condition", "killed", of=1, role=Role.VICTIM, raw="shot dead"),
        say(silent, "name", state=ClaimState.WITHHELD, of=1, role=Role.VICTIM),
        say(suspect, "role", "suspect", of=2, role=Role.SUSPECT),
        say(suspect, "age", 18, of=2, role=Role.SUSPECT),
        say(suspect, "gender", "male", of=2, role=Role.SUSPECT),
        say(suspect, "condition", "critical", of=2, role=Role.SUSPECT),
        title="Halford officer shot dead answering a call",
        source="gazette",
    )
    named = "The Halford officer killed on Tamarack Avenue was Tomas Reyes Villar, 32, the examiner said."
    when = "Shots were fired on Wednesday at around 4:45 p.m. in Halford, and an 18-year-old suspect was shot too."
    second = make_story(
        say(named, "role", "victim", of=1, role=Role.VICTIM),
        say(named, "name", "Tomas Reyes Villar", of=1, role=Role.VICTIM),
        say(named, "age", 32, of=1, role=Role.VICTIM),
        say(named, "occupation", "officer", of=1, role=Role.VICTIM),
        say(named, "condition", "killed", of=1, role=Role.VICTIM),
        say(named, "street", "Tamarack Avenue"),
        say(named, "city", "Halford"),
        say(when, "occurred_date", date(2025, 3, 5), raw="Wednesday", basis=Basis.INFERRED),
        say(when, "occurred_time", "16:45", raw="4:45 p.m."),
        say(when, "incident_type", "shooting"),
        say(when, "role", "suspect", of=2, role=Role.SUSPECT),
        say(when, "age", 18, of=2, role=Role.SUSPECT),
        title="Slain Halford officer named",
        source="herald",
        at=DAY_1 + timedelta(days=1),
    )
    elsewhere = "A police officer was shot dead in Ostrand early on Thursday, 6 March, at Quarry Road."
    other = make_story(
        say(elsewhere, "incident_type", "shooting"),
        say(elsewhere, "occurred_date", date(2025, 3, 6)),
        say(elsewhere, "street", "Quarry Road"),
        say(elsewhere, "city", "Ostrand"),
        say(elsewhere, "n_killed", 1, raw="shot dead", basis=Basis.COUNTED),
        say(elsewhere, "role", "victim", of=1, role=Role.VICTIM),
        say(elsewhere, "age", 37, of=1, role=Role.VICTIM, raw="A police officer"),
        say(elsewhere, "occupation", "officer", of=1, role=Role.VICTIM),
        say(elsewhere, "condition", "killed", of=1, role=Role.VICTIM),
        title="Ostrand officer shot dead",
        source="courier",
        at=DAY_1 + timedelta(hours=6),
    )
    return [first, second, other]


class MemoryDesk:
    """A desk in memory: learns an update's bytes as a bundle would bring them."""

    def __init__(self) -> None:
        self.seq = self.texts_seen = self.today = 0
        self.profiles: dict[str, Profile] = {}
        self.dossiers: dict[str, Dossier] = {}
        self.articles: dict[str, ArticleMemory] = {}
        self.texts: dict[str, TextMemory] = {}
        self.index: dict[str, dict[Target, int]] = {}
        self.labels: dict[str, str] = {}
        self.terms: dict[str, int] = {}

    def last_seq(self) -> int:
        return self.seq

    def n_texts(self) -> int:
        return self.texts_seen

    def find_targets(self, keys: Sequence[str], first_day: int, last_day: int) -> Mapping[str, Sequence[Target]]:
        found: dict[str, list[Target]] = {}
        for key in keys:
            near = [one for one in self.index.get(key, ()) if first_day <= one[1] <= last_day]
            if near:
                found[key] = sort_latest(near)[:MAX_TARGETS]
        return found

    def load_profiles(self, incident_ids: Iterable[str]) -> Mapping[str, Profile]:
        return {one: self.profiles[one] for one in incident_ids if one in self.profiles}

    def load_dossiers(self, incident_ids: Iterable[str]) -> Mapping[str, Dossier]:
        return {one: self.dossiers[one] for one in incident_ids if one in self.dossiers}

    def load_articles(self, article_ids: Iterable[str]) -> Mapping[str, ArticleMemory]:
        return {one: self.articles[one] for one in article_ids if one in self.articles}

    def load_texts(self, revision_ids: Iterable[str]) -> Mapping[str, TextMemory]:
        return {one: self.texts[one] for one in revision_ids if one in self.texts}

    def count_terms(self, terms: Iterable[str]) -> Mapping[str, int]:
        return {term: self.terms[term] for term in terms if term in self.terms}

    def find_labels(self, labels: Iterable[str]) -> Mapping[str, str]:
        return {label: self.labels[label] for label in labels if label in self.labels}

    def learn(self, memory: bytes) -> None:
        changes = decode_changes(memory)
        if changes.seq <= self.seq:
            return
        self.seq, self.texts_seen = changes.seq, changes.n_texts
        self.profiles |= {one.incident_id: one for one in changes.profiles}
        self.dossiers |= {one.incident_id: one for one in changes.dossiers}
        self.articles |= {one.article_id: one for one in changes.articles}
        self.texts |= {one.revision_id: one for one in changes.texts}
        span = 2 * changes.window_days
        for entry in changes.entries:
            expires = max(entry.day, changes.today) + span
            self.index.setdefault(entry.key, {})[entry.target_id, entry.day] = expires
        if changes.today > self.today:
            self.today = changes.today
            for key, targets in list(self.index.items()):
                if min(targets.values(), default=self.today) < self.today:
                    self.index[key] = {one: expires for one, expires in targets.items() if expires >= self.today}
        self.labels |= changes.labels
        self.terms |= changes.term_counts


def play(
    desk: MemoryDesk, *batches: Sequence[tuple[Article, Reading]], now: datetime | None = None, **given: Any
) -> list[Update]:
    """Update a desk batch by batch, each a day after the newest article of it unless `now` is given."""
    updates = []
    for batch in batches:
        at = now or max((article.published_at for article, _ in batch), default=DAY_1) + timedelta(hours=1)
        update = update_incidents(batch, desk, now=at, settings=RULES, **given)
        desk.learn(update.memory())
        updates.append(update)
    return updates


def latest_versions(updates: Iterable[Update]) -> dict[str, Any]:
    """The newest version of every incident."""
    return {incident.incident_id: incident for update in updates for incident in update.incidents}


def comparable(incident: Any) -> Any:
    """An incident without what depends on how the stream was cut: version, times of knowledge, facts that moved."""
    return replace(incident, version=0, known_at=DAY_1, facts=())
