"""The reader: an article revision in, a reading with its claims out.

Belongs here: calling the readers of the fields in order, and turning what they found into claims with quote, state, basis,
attribution and confidence. Does not belong here: finding anything (the other modules), ids (`model.identify_reading`).
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date

from blotter.extract import EXTRACTOR_VERSION
from blotter.extract.attribution import find_speaker, hedge_factor
from blotter.extract.background import is_fresh, set_aside_other_days
from blotter.extract.casualties import Count, count_casualties
from blotter.extract.details import read_agency, read_charges, read_hospitals, read_status
from blotter.extract.gazetteer import Gazetteer
from blotter.extract.incident_types import Keyword, read_types, read_weapon
from blotter.extract.mentions import MentionFinder
from blotter.extract.occupations import compile_occupations, find_occupation
from blotter.extract.people import Evidence, PeopleReader, Person
from blotter.extract.pipeline import build_pipeline, read_scenes
from blotter.extract.places import PlaceMention, PlaceReader, Places
from blotter.extract.predicates import MaskedSentence
from blotter.extract.relevance import judge_kind, read_notice
from blotter.extract.scene import Scene, Sentence
from blotter.extract.segments import split_incidents
from blotter.extract.states import Untold, read_doubts, read_untold
from blotter.extract.times import ClockMention, DayMention, local_day, read_clocks, read_days
from blotter.model import Article, Basis, Claim, ClaimState, Reading, ReadingKind, Role, Value

MAIN = 1  # incident_ref of the incident that the article is about
_MAX_CHARS = 60_000  # of a text are read: a longer one is no news article
_PRONOUN = re.compile(r"\b(?:he|she|him|her|they|them)\b", re.IGNORECASE)
_LISTED_BASES = {"file": 0.6, "received": 0.6}  # dates against a publication date that nobody stated are less certain


class Reader:
    """Reads articles. Loads its lexicons and spaCy when made (about two seconds); holds no state between articles."""

    def __init__(self, spacy_model: str | None = None) -> None:
        """Load the lexicons; `spacy_model` names an installed spaCy pipeline as further evidence."""
        self._gazetteer = Gazetteer()
        self._finder = MentionFinder(self._gazetteer.is_place)
        self._places = PlaceReader(self._gazetteer, self._finder.edges)
        self._occupations = compile_occupations()
        self._nlp = build_pipeline(self._finder, spacy_model)
        meta = self._nlp.meta
        self._version = EXTRACTOR_VERSION + (f"+{meta['lang']}_{meta['name']}-{meta['version']}" if spacy_model else "")

    @property
    def version(self) -> str:
        """The version that readings carry."""
        return self._version

    def read(self, article: Article) -> Reading:
        """Read one article."""
        return next(self.read_all([article]))

    def read_all(self, articles: Iterable[Article]) -> Iterator[Reading]:
        """Read articles one by one, in their order; none fails another."""
        for scene, masked in read_scenes(self._nlp, articles):
            yield self._read_scene(scene, masked)

    def _read_scene(self, scene: Scene, masked: dict[int, MaskedSentence]) -> Reading:
        notice = read_notice(scene)
        shared, segments = split_incidents(scene)
        found: list[tuple[ReadingKind, tuple[Claim, ...]]] = []
        n_people = 0
        for ref, segment in enumerate(segments, 1):
            writer = ClaimWriter(scene, ref, n_people)
            kind = self._read_segment(writer, shared, segment, masked)
            n_people += writer.n_people
            found.append((kind, writer.finish()))
        told = [(kind, claims) for kind, claims in found if kind is not ReadingKind.NOT_INCIDENT]
        kind = told[0][0] if told else ReadingKind.NOT_INCIDENT
        if len(told) > 1:
            kind = ReadingKind.ROUNDUP
        listed = [claim for _, claims in told for claim in claims]
        return Reading(kind=kind, notice=notice, claims=tuple(listed), extractor_version=self._version)

    def _read_segment(
        self, writer: "ClaimWriter", shared: list[Sentence], segment: list[Sentence], masked: dict[int, MaskedSentence]
    ) -> ReadingKind:
        """Read one incident of a page into the writer; `shared` sentences tell of the place and day of all."""
        article = writer.scene.article
        own, whole = Scene(article, segment), Scene(article, shared + segment)
        days = read_days(own, article.published_at.date())
        is_changed = _set_aside_other_days(own, days)
        people = PeopleReader(self._finder, own).read(masked)
        places = self._places.read(whole, _source_hint(article))
        published = local_day(article, places.time_zone)
        if is_changed or published != article.published_at.date():
            days = read_days(own, published)
        if shared and not any(day.weight > 1 for day in days):
            days = read_days(whole, published)
        types = read_types(whole)
        counts = count_casualties(own, people)
        is_recent = bool(days) and (published - days[0].day).days <= 14 and days[0].weight > 0
        kind = judge_kind(
            whole,
            types,
            people,
            is_recent=is_recent,
            is_fresh=is_recent and (published - days[0].day).days <= 3,
            has_count=any(c is not None and c.confidence > 0.4 for c in counts),
        )
        if kind is not ReadingKind.NOT_INCIDENT:
            self._claim_incident(writer, own, places, types, counts, days, published)
            _claim_people(writer, people, read_untold(own), self._occupations)
        return kind

    def _claim_incident(
        self,
        writer: "ClaimWriter",
        scene: Scene,
        places: Places,
        types: list[Keyword],
        counts: tuple[Count | None, Count | None],
        days: list[DayMention],
        published: date,
    ) -> None:
        for keyword in types:
            writer.add(
                "incident_type",
                keyword.value,
                keyword.sentence,
                keyword.start,
                keyword.end,
                confidence=0.5 + 0.4 * keyword.weight,
            )
        _claim_time(writer, scene, days, published)
        _claim_places(writer, places)
        for name, count in zip(("n_killed", "n_injured"), counts, strict=True):
            if count is not None:
                writer.add(
                    name,
                    count.value,
                    count.sentence,
                    count.start,
                    count.end,
                    basis=count.basis,
                    confidence=count.confidence,
                )
        doubts = {doubt.field: doubt for doubt in read_doubts(scene)}
        disputed = {field for field, doubt in doubts.items() if doubt.state is ClaimState.DISPUTED}
        weapon = read_weapon(scene)
        if weapon is not None:
            writer.add(
                "weapon",
                weapon.value,
                weapon.sentence,
                weapon.start,
                weapon.end,
                state=ClaimState.DISPUTED if "weapon" in disputed else ClaimState.KNOWN,
                confidence=0.5 if weapon.value == "gun" else 0.75,
            )
        agency = read_agency(scene)
        if agency is not None:
            is_abroad = places.country_name not in (None, "United States")
            name = agency.value.removesuffix(" Department") if is_abroad and agency.is_short else agency.value
            writer.add("agency", name, agency.sentence, agency.start, agency.end, confidence=0.8)
        for hospital in read_hospitals(scene):
            writer.add("hospital", hospital.value, hospital.sentence, hospital.start, hospital.end, confidence=0.8)
        status = read_status(scene)
        if status is not None and "status" in doubts and doubts["status"].sentence is status.sentence:
            status = None
        if status is not None:
            writer.add("status", status.value, status.sentence, status.start, status.end, confidence=0.7)
        read = {"weapon": weapon, "status": status, "n_killed": counts[0], "n_injured": counts[1]}
        for field, doubt in doubts.items():
            told = read[field]
            if doubt.state is ClaimState.DENIED and (told is None or (isinstance(told, Count) and not told.value)):
                state = ClaimState.DENIED
                writer.add(field, None, doubt.sentence, doubt.start, doubt.end, state=state, confidence=0.7)


def _set_aside_other_days(scene: Scene, days: list[DayMention]) -> bool:
    """Leave out other cases by their days, where the page is about these days; tell whether there were any."""
    if not days or days[0].weight <= 0 or not is_fresh(days[0].day, scene.article.published_at.date()):
        return False
    told: dict[int, list[date]] = {}
    for mention in days:
        told.setdefault(mention.sentence.index, []).append(mention.day)
    n_before = len(scene.telling)
    set_aside_other_days(scene.sentences, days[0].day, told)
    return len(scene.telling) < n_before


def _source_hint(article: Article) -> str:
    """Give what the source's address and name say, lower case, letters only."""
    host = (article.url or "").split("//")[-1].split("/")[0]
    return "".join(ch if ch.isalpha() else " " for ch in f"{host} {article.source_id}".lower())


def _claim_time(writer: "ClaimWriter", scene: Scene, days: list[DayMention], published: date) -> None:
    article = scene.article
    factor = _LISTED_BASES.get(article.published_basis, 1.0)
    best = days[0] if days and days[0].weight > -2.5 else None
    if best is not None:
        basis = Basis.STATED if best.is_explicit else Basis.INFERRED
        confidence = min(0.95, 0.5 + 0.08 * max(best.weight, 0.0)) * (1.0 if best.is_explicit else factor)
        writer.add("occurred_date", best.day, best.sentence, best.start, best.end, basis=basis, confidence=confidence)
    else:
        lead = next((s for s in scene.body if s.is_about_incident), None)
        if lead is not None:
            writer.add(
                "occurred_date", published, lead, lead.start, lead.end, basis=Basis.INFERRED, confidence=0.25 * factor
            )
    clocks: list[ClockMention] = read_clocks(scene, days)
    if clocks:
        top = clocks[0]
        writer.add(
            "occurred_time", top.value, top.sentence, top.start, top.end, confidence=0.6 if top.is_approximate else 0.8
        )


def _claim_places(writer: "ClaimWriter", places: Places) -> None:
    for rank, (name, street) in enumerate(places.streets[:1]):
        writer.add(
            "street",
            name,
            street.sentence,
            street.start,
            street.end,
            confidence=max(0.3, min(0.9, 0.3 + 0.12 * street.weight) - 0.2 * rank),
        )
    for field, part in (("landmark", places.landmark), ("neighborhood", places.neighborhood)):
        if part is not None:
            confidence = (
                0.7 if part.how == "part" or (part.how in ("neighborhood", "landmark") and part.weight >= 1.0) else 0.5
            )
            writer.add(field, part.text, part.sentence, part.start, part.end, confidence=confidence)
    if places.city is not None and places.city_name:
        writer.add(
            "city",
            places.city_name,
            places.city.sentence,
            places.city.start,
            places.city.end,
            basis=Basis.INFERRED if places.is_city_inferred else Basis.STATED,
            confidence=0.35 if places.is_city_inferred else min(0.95, 0.5 + 0.08 * places.city.weight),
        )
    if places.county is not None and places.county_name:
        writer.add(
            "county",
            places.county_name,
            places.county.sentence,
            places.county.start,
            places.county.end,
            confidence=0.75,
        )
    if places.region is not None and places.region_name:
        basis = Basis.STATED if places.is_region_stated else Basis.GAZETTEER
        writer.add(
            "state",
            places.region_name,
            places.region.sentence,
            places.region.start,
            places.region.end,
            basis=basis,
            confidence=0.9 if places.is_region_stated else 0.7,
        )
    country = places.country or places.region or places.city
    if country is not None and places.country_name:
        basis = Basis.STATED if places.is_country_stated else Basis.GAZETTEER
        writer.add(
            "country",
            places.country_name,
            country.sentence,
            country.start,
            country.end,
            basis=basis,
            confidence=0.9 if places.is_country_stated else 0.8,
        )
    if places.city is not None and places.latitude is not None:
        for field, value in (("latitude", places.latitude), ("longitude", places.longitude)):
            _claim_of_place(writer, field, value, places.city)
    whence = places.city or places.region
    if whence is not None and places.time_zone is not None:
        _claim_of_place(writer, "time_zone", places.time_zone, whence)


def _claim_of_place(writer: "ClaimWriter", field: str, value: float | str | None, place: PlaceMention) -> None:
    writer.add(field, value, place.sentence, place.start, place.end, basis=Basis.GAZETTEER, confidence=0.7)


# people


def _claim_people(
    writer: "ClaimWriter", people: list[Person], untold: list[Untold], occupations: re.Pattern[str]
) -> None:
    ordered = sorted(people, key=lambda p: p.order)
    for ref, person in enumerate(ordered, 1):
        _claim_person(writer, ref, person, occupations)
        if person.standing is not None and person.role is Role.SUSPECT:
            _claim_charges(writer, ref, person, people)
    for item in untold:
        _claim_untold(writer, ordered, item)


def _claim_person(writer: "ClaimWriter", ref: int, person: Person, occupations: re.Pattern[str]) -> None:
    role = person.role or Role.OTHER
    support = [e for e in person.role_evidence if e.value is role] or person.role_evidence
    top = max(support, key=lambda e: (not e.is_label, e.weight, -e.start))
    total = sum(e.weight for e in support)
    writer.add(
        "role",
        role.value,
        top.sentence,
        top.start,
        top.end,
        ref=ref,
        role=role,
        confidence=min(0.95, 0.45 + 0.12 * total),
    )
    name = _earliest(person.names, person.name)
    if name is not None:
        writer.add(
            "name",
            person.name,
            name.sentence,
            name.start,
            name.end,
            ref=ref,
            role=role,
            confidence=min(0.95, 0.7 + 0.08 * len(person.names)),
        )
    age = _earliest(person.ages, person.age)
    if age is not None:
        writer.add("age", person.age, age.sentence, age.start, age.end, ref=ref, role=role, confidence=0.9)
    gender = _earliest(person.genders, person.gender)
    if gender is not None:
        writer.add(
            "gender", person.gender, gender.sentence, gender.start, gender.end, ref=ref, role=role, confidence=0.7
        )
    if person.condition is not None:
        evidence = person.condition
        writer.add(
            "condition",
            str(evidence.value),
            evidence.sentence,
            evidence.start,
            evidence.end,
            ref=ref,
            role=role,
            confidence=0.8,
        )
    if person.standing is not None and role is Role.SUSPECT:
        evidence = person.standing
        writer.add(
            "legal_status",
            str(evidence.value),
            evidence.sentence,
            evidence.start,
            evidence.end,
            ref=ref,
            role=role,
            confidence=0.8,
        )
    trade = find_occupation(writer.scene, person, occupations)
    if trade is not None:
        occupation, employer = trade
        writer.add(
            "occupation",
            occupation.value,
            occupation.sentence,
            occupation.start,
            occupation.end,
            ref=ref,
            role=role,
            confidence=0.75,
        )
        if employer is not None:
            writer.add(
                "employer",
                employer.value,
                employer.sentence,
                employer.start,
                employer.end,
                ref=ref,
                role=role,
                confidence=0.7,
            )
    elif person.is_officer:
        mention, sentence = next((pair for pair in person.mentions), (None, None))
        if mention is not None and sentence is not None:
            writer.add(
                "occupation", "police officer", sentence, mention.start, mention.end, ref=ref, role=role, confidence=0.7
            )


def _claim_charges(writer: "ClaimWriter", ref: int, person: Person, people: list[Person]) -> None:
    seen: set[int] = set()
    for evidence in person.standings:
        if evidence.sentence.index not in seen:
            seen.add(evidence.sentence.index)
            said = [
                (e, other is person) for other in people for e in other.standings if e.sentence is evidence.sentence
            ]
            turns = [(e.start, e.end, is_own) for e, is_own in said if is_own or not _is_of_pronoun(e)]
            for charge in read_charges(evidence.sentence):
                if not _is_charge_of(charge.start, turns):
                    continue
                writer.add(
                    "charges",
                    charge.value,
                    charge.sentence,
                    charge.start,
                    charge.end,
                    ref=ref,
                    role=Role.SUSPECT,
                    confidence=0.75,
                )


def _is_of_pronoun(evidence: Evidence) -> bool:
    """Say whether a stage is told of "him", who may be anybody that the sentence told of before."""
    at = evidence.sentence.start
    return _PRONOUN.search(evidence.sentence.text, evidence.start - at, evidence.end - at) is not None


def _is_charge_of(at: int, turns: list[tuple[int, int, bool]]) -> bool:
    """Say whether a charge is this person's: of all stages that its sentence tells, the last before it is of them."""
    last = max((end for _, end, _ in turns if end <= at), default=None)
    return any(is_own and start <= at and last in (None, end) for start, end, is_own in turns)


def _earliest(evidence: list[Evidence], value: object) -> Evidence | None:
    return min((e for e in evidence if e.value == value), key=lambda e: (-e.weight, e.start), default=None)


def _claim_untold(writer: "ClaimWriter", people: list[Person], item: Untold) -> None:
    fits = [(ref, p) for ref, p in enumerate(people, 1) if _lacks(p, item.field) and _is_meant(p, item)]
    if not fits:
        return
    if item.gender is not None:  # "his name": of whom was spoken last
        fits.sort(
            key=lambda pair: -max((s.index for _, s in pair[1].mentions if s.index < item.sentence.index), default=-1)
        )
    for ref, person in fits if item.is_plural else fits[:1]:
        writer.add(
            item.field,
            None,
            item.sentence,
            item.start,
            item.end,
            state=item.state,
            ref=ref,
            role=person.role,
            confidence=0.8,
        )


def _lacks(person: Person, field: str) -> bool:
    return {"name": person.name is None, "age": person.age is None, "condition": person.condition is None}[field]


def _is_meant(person: Person, item: Untold) -> bool:
    of = item.of
    if item.gender is not None and person.gender not in (None, item.gender):
        return False
    if of == "officer":
        return person.is_officer
    if of == "suspect":
        return person.role is Role.SUSPECT
    return person.role is Role.VICTIM or of == "anybody"


class ClaimWriter:
    """Collects the claims of one article; each quotes the whole sentence that its span lies in."""

    def __init__(self, scene: Scene, incident_ref: int = MAIN, n_before: int = 0) -> None:
        """Write for one incident; its participants are numbered on from the `n_before` of those before it."""
        self.scene = scene
        self.n_people = 0
        self._incident_ref = incident_ref
        self._n_before = n_before
        self._voices: dict[int, tuple[str | None, float]] = {}
        self._claims: dict[tuple[object, ...], Claim] = {}

    def add(
        self,
        field: str,
        value: Value,
        sentence: Sentence,
        start: int,
        end: int,
        *,
        ref: int | None = None,
        role: Role | None = None,
        state: ClaimState = ClaimState.KNOWN,
        basis: Basis = Basis.STATED,
        confidence: float,
    ) -> None:
        """Add a claim read from `text[start:end]` in `sentence`; one that says the same again is left out."""
        start, end = max(start, sentence.start), min(max(end, start + 1), sentence.end)
        self.n_people = max(self.n_people, ref or 0)
        key = (ref, field, state, value, sentence.start)
        if key in self._claims:
            return
        if sentence.index not in self._voices:
            self._voices[sentence.index] = (find_speaker(sentence), hedge_factor(sentence))
        speaker, factor = self._voices[sentence.index]
        hedge = factor if field in ("role", "name", "condition", "n_killed", "n_injured") else 1.0
        self._claims[key] = Claim(
            incident_ref=self._incident_ref,
            participant_ref=None if ref is None else self._n_before + ref,
            role=role,
            field=field,
            value=value,
            value_raw=self.scene.article.text[start:end],
            state=state,
            basis=basis,
            quote=sentence.text,
            quote_start=sentence.start,
            quote_end=sentence.end,
            attributed_to=speaker,
            confidence=round(confidence * hedge, 3),
        )

    def finish(self) -> tuple[Claim, ...]:
        """Give the claims in the order of the text."""
        return tuple(sorted(self._claims.values(), key=lambda c: (c.quote_start, c.participant_ref or 0)))
