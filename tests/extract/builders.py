"""Builders of articles, and short ways to ask a reading what it says."""

from datetime import UTC, date, datetime

from blotter.ids import sha256_hex
from blotter.model import Article, Claim, ClaimState, Reading


def make_article(
    *,
    text: str,
    title: str = "",
    published: str = "2026-03-04",
    url: str | None = "https://ledger.example/story",
    source_id: str = "ledger",
    basis: str = "page",
) -> Article:
    """An article as cleaning hands it over; `published` is a day, or an ISO time with its zone."""
    whole = f"{title}\n\n{text}" if title else text
    is_day = len(published) == 10
    at = (
        datetime.combine(date.fromisoformat(published), datetime.min.time(), UTC)
        if is_day
        else datetime.fromisoformat(published)
    )
    return Article(
        article_id="art_1",
        source_id=source_id,
        title=title,
        text=whole,
        text_sha256=sha256_hex(whole),
        raw_sha256=sha256_hex(whole),
        published_at=at,
        published_precision="day" if is_day else "minute",
        published_basis=basis,
        fetched_at=at,
        language="en",
        url=url,
    )


def known(reading: Reading, field: str) -> object:
    """The known value of a field of the main incident: one, a list where there are several, None where there is none."""
    values = [c.value for c in of_incident(reading) if c.field == field and c.state is ClaimState.KNOWN]
    return None if not values else values[0] if len(values) == 1 else values


def of_incident(reading: Reading) -> list[Claim]:
    """The claims about the main incident itself."""
    return [c for c in reading.claims if c.participant_ref is None and c.incident_ref == 1]


def people(reading: Reading) -> list[dict[str, object]]:
    """Each participant as field to value; a value that is not known stands as its state in brackets."""
    found: dict[int, dict[str, object]] = {}
    for claim in reading.claims:
        if claim.participant_ref is not None:
            value = claim.value if claim.state is ClaimState.KNOWN else f"<{claim.state}>"
            found.setdefault(claim.participant_ref, {}).setdefault(claim.field, value)
    return [found[ref] for ref in sorted(found)]


def person(reading: Reading, **facts: object) -> dict[str, object]:
    """The one participant of whom all these facts are claimed."""
    fits = [p for p in people(reading) if all(p.get(field) == value for field, value in facts.items())]
    assert len(fits) == 1, f"{facts}: {len(fits)} of {people(reading)}"
    return fits[0]
