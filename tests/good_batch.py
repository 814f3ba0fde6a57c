"""A small, wholly consistent piece of a warehouse, for tests that read, check, break or tell it.

One story of this project's own: two outlets report a shooting in Springfield, Illinois; the second, a day later, has
the victim's name and says that she has died. `make_rows` gives both days' rows, `make_tables` the Arrow tables of them.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from blotter import rows as to_row
from blotter.ids import make_id, sha256_hex
from blotter.model import (
    Alignment,
    Article,
    Basis,
    CaseStatus,
    Change,
    ChangeCause,
    ChangeKind,
    Claim,
    ClaimState,
    Condition,
    Disposition,
    Document,
    Fact,
    Incident,
    Link,
    Notice,
    Participant,
    Precision,
    Reading,
    ReadingKind,
    Role,
    Verdict,
    identify_reading,
    identify_revision,
)
from blotter.rows import Row
from blotter.schemas import TABLES, build_table

MONDAY = datetime(2025, 3, 3, 18, 0, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)

FIRST_TEXT = (
    "Woman shot in Springfield\n\n"
    "A 34-year-old woman was shot Sunday night in the 1200 block of East Adams Street in Springfield, police said. "
    "Her name was not released."
)
SECOND_TEXT = (
    "Springfield shooting victim dies\n\n"
    "Dana Whitlock, 34, who was shot on East Adams Street in Springfield on Sunday, died at a hospital, "
    "the Sangamon County coroner said. Detectives asked for witnesses."
)


def make_article(*, text: str, published_at: datetime = MONDAY, source_id: str = "gazette", **given: Any) -> Article:
    """An article of one revision whose address follows from source and title."""
    title = text.split("\n", 1)[0]
    url = given.pop("url", f"https://{source_id}.example/{title.lower().replace(' ', '-')}")
    article = Article(
        article_id=make_id("art", source_id, url),
        source_id=source_id,
        title=title,
        text=text,
        text_sha256=sha256_hex(text),
        raw_sha256=sha256_hex(text + "raw"),
        published_at=published_at,
        published_precision="minute",
        published_basis="page",
        fetched_at=published_at + timedelta(minutes=5),
        language="en",
        url=url,
        canonical_url=url,
        syndication_id=make_id("syn", text),
    )
    return identify_revision(replace(article, **given), given.get("revision", 1))


def make_claim(article: Article, field: str, value: object, raw: str, **given: Any) -> Claim:
    """A claim whose quote is the sentence around `raw` in the article's text."""
    at = article.text.index(raw)
    start = max(article.text.rfind("\n", 0, at), article.text.rfind(". ", 0, at) + 1) + 1
    end = article.text.find(". ", at)
    end = len(article.text) if end < 0 else end + 1
    claim = Claim(
        incident_ref=1,
        participant_ref=None,
        role=None,
        field=field,
        value=value,  # type: ignore[arg-type]
        value_raw=raw,
        state=ClaimState.KNOWN,
        basis=Basis.STATED,
        quote=article.text[start:end],
        quote_start=start,
        quote_end=end,
        attributed_to="police",
        confidence=0.9,
    )
    return replace(claim, **given)


def make_reading(article: Article, *claims: Claim, kind: ReadingKind = ReadingKind.INCIDENT) -> Reading:
    """A reading of the article with these claims, identified."""
    return identify_reading(Reading(kind=kind, notice=Notice.NONE, claims=claims, extractor_version="test-1"), article)


def make_incident(**given: Any) -> Incident:
    """The Springfield shooting as the first article tells it."""
    incident = Incident(
        incident_id=make_id("inc", "springfield"),
        version=1,
        known_at=MONDAY + timedelta(hours=1),
        headline="Woman shot in Springfield",
        incident_types=("shooting",),
        occurred_date=date(2025, 3, 2),
        occurred_precision=Precision.PART_OF_DAY,
        time_zone="America/Chicago",
        street="1200 block of East Adams Street",
        city="Springfield",
        state="Illinois",
        country="United States",
        latitude=39.8,
        longitude=-89.64,
        n_killed=0,
        n_injured=1,
        weapon="gun",
        status=CaseStatus.INVESTIGATING,
        participants=(make_participant(),),
        n_articles=1,
        n_reports=1,
        first_published_at=MONDAY,
        last_published_at=MONDAY,
        extractor_version="test-1",
    )
    return replace(incident, **given)


def make_participant(**given: Any) -> Participant:
    """The victim as the first article tells of her."""
    participant = Participant(
        participant_id=make_id("par", "springfield", 1),
        role=Role.VICTIM,
        name_state=ClaimState.WITHHELD,
        age=34,
        gender="female",
        condition=Condition.INJURED,
        n_reports=1,
    )
    return replace(participant, **given)


def make_change(**given: Any) -> Change:
    """The victim's name becoming known through the second article."""
    change = Change(
        change_id="",
        incident_id=make_id("inc", "springfield"),
        version=2,
        known_at=TUESDAY + timedelta(hours=1),
        participant_id=make_id("par", "springfield", 1),
        field="name",
        kind=ChangeKind.REFINED,
        cause=ChangeCause.NEW_REPORT,
        before_state=ClaimState.WITHHELD,
        before=None,
        after_state=ClaimState.KNOWN,
        after="Dana Whitlock",
        article_id=None,
        claim_id=None,
        quote="Dana Whitlock, 34, died.",
        source_id="herald",
        published_at=TUESDAY,
    )
    change = replace(change, **given)
    identity = (change.incident_id, change.version, change.participant_id, change.field, change.kind)
    return replace(change, change_id=given.get("change_id") or make_id("chg", *identity))


def make_rows() -> dict[str, list[Row]]:
    """All rows of the story, both days, with their stamps: table name to rows."""
    first = make_article(text=FIRST_TEXT)
    second = make_article(text=SECOND_TEXT, published_at=TUESDAY, source_id="herald")
    of_victim: dict[str, Any] = {"participant_ref": 1, "role": Role.VICTIM}
    one = make_reading(
        first,
        make_claim(first, "city", "Springfield", "Springfield, police"),
        make_claim(first, "role", "victim", "woman was shot", **of_victim),
        make_claim(first, "age", 34, "34-year-old", **of_victim),
        make_claim(first, "name", None, "Her name was not released", state=ClaimState.WITHHELD, **of_victim),
    )
    two = make_reading(
        second,
        make_claim(second, "n_killed", 1, "died", basis=Basis.COUNTED),
        make_claim(second, "role", "victim", "Dana Whitlock", **of_victim),
        make_claim(second, "name", "Dana Whitlock", "Dana Whitlock", **of_victim),
        make_claim(second, "condition", "killed", "died at a hospital", **of_victim),
        kind=ReadingKind.FOLLOW_UP,
    )
    name, condition = two.claims[2], two.claims[3]
    before, after = _make_versions(one, two)
    moved: dict[str, Any] = {
        "article_id": second.article_id,
        "claim_id": name.claim_id,
        "quote": name.quote,
        "source_id": second.source_id,
        "published_at": second.published_at,
    }
    died = moved | {"claim_id": condition.claim_id}
    changes = [
        make_change(
            version=1,
            known_at=before.known_at,
            participant_id=None,
            field="city",
            kind=ChangeKind.ADDED,
            before_state=None,
            after="Springfield",
            article_id=first.article_id,
            claim_id=one.claims[0].claim_id,
            quote=one.claims[0].quote,
            source_id=first.source_id,
            published_at=first.published_at,
        ),
        make_change(**moved),
        make_change(
            field="condition",
            kind=ChangeKind.REVISED,
            before_state=ClaimState.KNOWN,
            before="injured",
            after="killed",
            **died,
        ),
    ]
    pairs = ((first, one, before), (second, two, after))
    monday, tuesday = (_stamp(incident.known_at, f"day-{n}") for n, incident in enumerate((before, after), 1))
    stamps = {1: monday, 2: tuesday}
    rows: dict[str, list[Row]] = {name: [] for name in TABLES}
    for n, (article, reading, incident) in enumerate(pairs, 1):
        stamp = stamps[n]
        day = {
            "inputs": [to_row.input_row(_make_document(article), Disposition.PUBLISHED, article_id=article.article_id)],
            "articles": [to_row.article_row(article)],
            "readings": [to_row.reading_row(reading)],
            "claims": list(to_row.claim_rows(article, reading)),
            "links": [to_row.link_row(_make_link(reading, incident))],
            "alignments": [to_row.alignment_row(_make_alignment(reading, incident))],
            "incidents": [to_row.incident_row(incident)],
            "participants": list(to_row.participant_rows(incident)),
            "facts": list(to_row.fact_rows(incident)),
            "changes": [to_row.change_row(change) for change in changes if change.version == n],
        }
        for table, listed in day.items():
            rows[table] += [{**row, **stamp} for row in listed]
    return rows


def make_tables(rows: dict[str, list[Row]] | None = None, batch_id: str | None = None) -> dict[str, pa.Table]:
    """The Arrow tables of `rows` (the story's, without any), all of one batch where `batch_id` is given."""
    listed = make_rows() if rows is None else rows
    if batch_id is not None:
        listed = {name: [{**row, "batch_id": batch_id} for row in table] for name, table in listed.items()}
    return {name: build_table(name, table) for name, table in listed.items() if table}


def write_warehouse(root: Path, tables: dict[str, pa.Table]) -> Path:
    """Lay tables out as a warehouse does: a zero-row part for each table, then a part for each day of recording."""
    for name, table in TABLES.items():
        _write_part(root / name / "dt=1970-01-01" / "empty.parquet", table.schema.empty_table())
        if name in tables:
            days = [at.date() for at in tables[name].column("recorded_at").to_pylist()]
            for day in sorted(set(days)):
                part = tables[name].filter(pa.array([recorded == day for recorded in days]))
                _write_part(root / name / f"dt={day}" / "part-0.parquet", part)
    return root


def change_first_row(table: str, where: Callable[[Row], bool] = lambda row: True, **given: Any) -> dict[str, list[Row]]:
    """The story's rows with one row of one table changed."""
    rows = make_rows()
    index = next(i for i, row in enumerate(rows[table]) if where(row))
    rows[table][index] = {**rows[table][index], **given}
    return rows


def _make_versions(one: Reading, two: Reading) -> tuple[Incident, Incident]:
    victim = make_participant()
    city = Fact(
        participant_id=None,
        field="city",
        value="Springfield",
        state=ClaimState.KNOWN,
        n_reports=1,
        claim_ids=(one.claims[0].claim_id,),
    )
    withheld = Fact(
        participant_id=victim.participant_id,
        field="name",
        value=None,
        state=ClaimState.WITHHELD,
        n_reports=1,
        claim_ids=(one.claims[3].claim_id,),
    )
    named = replace(withheld, value="Dana Whitlock", state=ClaimState.KNOWN, claim_ids=(two.claims[2].claim_id,))
    dead = replace(named, field="condition", value="killed", claim_ids=(two.claims[3].claim_id,))
    first = make_incident(participants=(victim,), facts=(city, withheld))
    known = replace(victim, name="Dana Whitlock", name_state=ClaimState.KNOWN, condition=Condition.KILLED, n_reports=2)
    second = replace(
        first,
        version=2,
        known_at=TUESDAY + timedelta(hours=1),
        headline="Springfield shooting victim dies",
        incident_types=("shooting", "homicide"),
        n_killed=1,
        n_injured=0,
        participants=(known,),
        n_articles=2,
        n_reports=2,
        last_published_at=TUESDAY,
        facts=(named, dead),
    )
    return first, second


def _make_document(article: Article) -> Document:
    return Document(
        input_id=make_id("inp", article.revision_id),
        kind="file",
        source_id=article.source_id,
        location=f"inbox/{article.source_id}/{article.revision_id}.html",
        payload_sha256=article.raw_sha256,
        media="html",
        received_at=article.fetched_at,
    )


def _make_link(reading: Reading, incident: Incident) -> Link:
    return Link(
        link_id=make_id("lnk", reading.reading_id, incident.incident_id),
        seq=1,
        article_id=reading.article_id,
        reading_id=reading.reading_id,
        incident_ref=1,
        incident_id=incident.incident_id,
        verdict=Verdict.POSITIVE,
        score=0.95,
        reasons=("same street",),
        actor="linker test-1",
        judged_at=incident.known_at,
    )


def _make_alignment(reading: Reading, incident: Incident) -> Alignment:
    return Alignment(
        reading_id=reading.reading_id,
        incident_ref=1,
        participant_ref=1,
        incident_id=incident.incident_id,
        participant_id=incident.participants[0].participant_id,
        score=0.9,
        reasons=("same age",),
        judged_at=incident.known_at,
    )


def _stamp(at: datetime, batch_id: str) -> Row:
    return {"recorded_at": at, "run_id": f"run-{batch_id}", "batch_id": batch_id}


def _write_part(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
