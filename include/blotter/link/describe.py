"""A reading's incident as the linker compares it, and the keys under which it is found.

Belongs here: which claims describe an incident, and folding their values. Does not belong here: what a likeness proves
(`compare`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from blotter.link.memory import Account, PersonTraits, Statement, plain_value
from blotter.link.terms import count_terms, cut_words, fold, weigh_terms
from blotter.model import Article, Claim, ClaimState, Reading, ReadingKind

PLACE_FIELDS = ("street", "landmark", "neighborhood", "city", "county", "state", "country")
_SUFFIXES = frozenset(("jr", "sr", "ii", "iii", "iv", "v"))
_DIRECTIONS_TEXT = """
n s e w ne nw se sw north south east west northeast northwest southeast southwest
"""
_DIRECTIONS = frozenset(_DIRECTIONS_TEXT.split())
_STREET_WORDS_TEXT = """
block blk of the and near at in on street st avenue ave av road rd drive dr boulevard blvd lane ln court ct
place pl way highway hwy parkway pkwy circle cir terrace ter trail trl square sq pike route rt interstate state
us county cr sr loop expressway expy freeway fwy corner intersection area
"""
_STREET_WORDS = frozenset(_STREET_WORDS_TEXT.split())

_N_TERM_KEYS = 16
_NAME_WEIGHT, _STREET_WEIGHT, _PLACE_WEIGHT = 0.5, 0.4, 0.15


def sort_claims(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Sort claims by where the text says them, so that their order follows from what the tables have of them."""
    return tuple(
        sorted(
            claims,
            key=lambda c: (c.quote_start, c.participant_ref or 0, c.quote.find(c.value_raw), c.field, c.claim_id),
        )
    )


def read_statements(reading: Reading, incident_ref: int) -> tuple[Statement, ...]:
    """Give the claims of a reading about one of its incidents, in the order of the text."""
    return tuple(
        Statement(
            claim.claim_id,
            claim.participant_ref,
            claim.field,
            plain_value(claim.value),
            claim.value_raw,
            claim.state,
            claim.basis,
            claim.quote,
            claim.attributed_to,
            claim.confidence,
        )
        for claim in sort_claims(reading.claims)
        if claim.incident_ref == incident_ref
    )


def select_text(article: Article, reading: Reading, incident_ref: int) -> str:
    """Give the text that tells of one of an article's incidents: all, or its sentences where there are several."""
    if reading.kind is not ReadingKind.ROUNDUP and all(c.incident_ref == incident_ref for c in reading.claims):
        return article.text
    spans = sorted({(c.quote_start, c.quote) for c in reading.claims if c.incident_ref == incident_ref})
    return "\n".join(quote for _, quote in spans)


def count_text_terms(article: Article, text: str) -> Mapping[str, int]:
    """Count the terms of an article's text, or of the part of it that tells of one incident."""
    return count_terms(article.title if text is article.text else "", text)


def describe_incident(
    article: Article,
    incident_ref: int,
    claims: Sequence[Claim],
    counts: Mapping[str, int],
    seen: Mapping[str, int],
    n_texts: int,
) -> Account:
    """Describe what `claims`, all of the article's incident `incident_ref`, say of it.

    `counts` are the terms of the text that tells of it; `seen` and `n_texts` say how common they are.
    """
    known = [claim for claim in claims if claim.state is ClaimState.KNOWN and claim.value is not None]
    of_incident = [claim for claim in known if claim.participant_ref is None]
    return Account(
        article_id=article.article_id,
        incident_ref=incident_ref,
        syndication_id=article.syndication_id,
        published_day=article.published_at.toordinal(),
        n_texts=n_texts,
        terms=weigh_terms(counts, seen, n_texts),
        days=tuple(sorted({c.value.toordinal() for c in of_incident if isinstance(c.value, date)})),
        places={
            name: values
            for name in PLACE_FIELDS
            if (values := _fold_all(name, (c for c in of_incident if c.field == name)))
        },
        people=tuple(_describe_people(known)),
        n_killed=_first_count(of_incident, "n_killed"),
        n_injured=_first_count(of_incident, "n_injured"),
        types=tuple(dict.fromkeys(str(c.value) for c in of_incident if c.field == "incident_type")),
    )


def key_account(account: Account, *, with_terms: bool = True) -> dict[str, float]:
    """Give the keys under which an account is found, with how much one of them in common suggests."""
    keys = {f"x:{account.syndication_id}": 2.0} if account.syndication_id else {}
    if with_terms:
        keys |= {f"t:{term}": weight for term, weight in list(account.terms.items())[:_N_TERM_KEYS]}
    keys |= {f"n:{person.name[0]} {person.name[-1]}": _NAME_WEIGHT for person in account.people if len(person.name) > 1}
    keys |= {f"n:{person.name[0]}": _NAME_WEIGHT / 2 for person in account.people if len(person.name) == 1}
    for street in account.places.get("street", ()):
        keys[f"s:{street}"] = _STREET_WEIGHT
    for place in (*account.places.get("city", ()), *account.places.get("county", ())):
        keys |= {f"p:{place} {day}": _PLACE_WEIGHT for day in account.days}
    return keys


def fold_name(name: str) -> tuple[str, ...]:
    """Cut a name into folded words, without initials, nicknames in quotes, and suffixes."""
    bare = re.sub(r"\(.*?\)|[\"“].*?[\"”]", " ", name)
    words = [word for word in cut_words(bare.replace("-", " ")) if word not in _SUFFIXES]
    full = [word for word in words if len(word) > 1]
    return tuple(full if len(full) > 1 else words)


def fold_street(street: str) -> tuple[str, ...]:
    """Cut a street, block or crossing into the words that name it, house numbers and kinds of street left out."""
    words = [word for word in cut_words(street) if word not in _STREET_WORDS and word not in _DIRECTIONS]
    named = [word for word in words if not word.isdigit()]
    return tuple(named or words)


def _fold_all(field: str, claims: Iterable[Claim]) -> tuple[str, ...]:
    folded = (" ".join(fold_street(str(c.value))) if field == "street" else fold(str(c.value)) for c in claims)
    return tuple(dict.fromkeys(value for value in folded if value))


def _describe_people(known: Sequence[Claim]) -> Iterable[PersonTraits]:
    told: dict[int, dict[str, Claim]] = {}
    for claim in known:
        if claim.participant_ref is not None:
            fields = told.setdefault(claim.participant_ref, {})
            if claim.field not in fields or fields[claim.field].confidence < claim.confidence:
                fields[claim.field] = claim
    for _, fields in sorted(told.items()):
        age = fields["age"].value if "age" in fields else None
        role = next((c.value for c in (fields.get("role"),) if c), None) or next(iter(fields.values())).role or "other"
        yield PersonTraits(
            str(role),
            fold_name(str(fields["name"].value)) if "name" in fields else (),
            age if isinstance(age, int) else None,
            str(fields["gender"].value) if "gender" in fields else None,
            str(fields["condition"].value) if "condition" in fields else None,
        )


def _first_count(claims: Sequence[Claim], field: str) -> int | None:
    return next((c.value for c in claims if c.field == field and isinstance(c.value, int)), None)
