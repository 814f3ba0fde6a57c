"""What holds of every reading, whatever the text: sound evidence, no exception, the same again, boilerplate without effect."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.extract.builders import make_article
from tests.golden.goldens import list_goldens, load_article

from blotter.extract import Reader
from blotter.extract.gate import GatedPattern, mark_text
from blotter.extract.predicates import _TABLE
from blotter.extract.sentences import find_sentences
from blotter.model import FIELDS, ClaimState, Reading, ReadingKind, identify_reading

# Words that the reader's patterns look for, so that generated texts reach its depths.
_WORDS = [
    "police",
    "said",
    "Monday",
    "a",
    "19-year-old",
    "man",
    "was",
    "shot",
    "and",
    "killed",
    "in",
    "Chicago,",
    "Ill.",
    "The",
    "suspect,",
    "John",
    "A.",
    "Smith",
    "Jr.,",
    "32,",
    "of",
    "Elgin",
    "fled\nofficers",
    "arrested",
    "charged",
    "with",
    "murder",
    "injured",
    "critical",
    "condition",
    "hospital",
    "early",
    "at",
    "2:15",
    "a.m.",
    "p.m.",
    "“no",
    "one”",
    "hurt",
    "two",
    "women",
    "ages",
    "20",
    "and",
    "25\nwho",
    "his",
    "her",
    "⟦3⟧",
    "⟦",
    "⟧",
    "100",
    "block",
    "of",
    "Main",
    "Street",
    "and",
    "North",
    "Avenue",
    "name",
    "not",
    "released",
    "identified",
    "as",
    "Sgt.",
    "Dr.",
    "U.S.",
    "D.C.",
    "--",
    "—",
    ";",
    ":",
    "(",
    ")",
    "'",
    '"',
    "’",
    "\n",
    "\n\n",
    ".",
    ",",
    "?",
    "!\nJan.",
    "5,",
    "2026",
    "5/6/2026",
    "2026-02-30",
    "Feb.",
    "31",
    "yesterday",
    "last",
    "week",
    "99999",
    "people",
    "İstanbul",
    "ẞ",
    "🙂",
    "é",
]
_texts = st.one_of(st.text(max_size=400), st.lists(st.sampled_from(_WORDS), max_size=80).map(" ".join))
_published = st.sampled_from(["2026-03-04", "1999-12-31", "2026-03-01T03:30:00+00:00"])


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=_texts, title=st.text(alphabet="abc ABC,.:'’-", max_size=60), published=_published)
def test_any_text_gives_a_sound_reading(reader: Reader, text: str, title: str, published: str) -> None:
    article = make_article(text=text, title=title, published=published)
    reading = reader.read(article)
    check_reading(reading, article.text)
    assert reader.read(article) == reading, "the same again"


def check_reading(reading: Reading, text: str) -> None:
    """Hold a reading to the rules of claims."""
    seen = set()
    with_role = {(c.incident_ref, c.participant_ref) for c in reading.claims if c.field == "role"}
    for claim in reading.claims:
        assert text[claim.quote_start : claim.quote_end] == claim.quote
        assert claim.quote.strip()
        assert claim.value_raw in claim.quote
        assert (claim.value is None) == (claim.state not in (ClaimState.KNOWN, ClaimState.DISPUTED))
        assert claim.value is None or isinstance(claim.value, FIELDS[claim.field].type)
        assert (claim.participant_ref is None) == (FIELDS[claim.field].of == "incident")
        assert 0 <= claim.confidence <= 1
        assert claim.participant_ref is None or (claim.incident_ref, claim.participant_ref) in with_role
        key = (claim.incident_ref, claim.participant_ref, claim.field, claim.state, claim.value, claim.quote_start)
        assert key not in seen, f"claimed twice: {key}"
        seen.add(key)
    assert (reading.kind is ReadingKind.NOT_INCIDENT) <= (not reading.claims)


STORY = (
    "TULSA, Okla. — A 34-year-old woman was killed and two men were injured Monday night when a pickup ran a red light on Yale Avenue, Tulsa police said.\n\n"
    "Carla Voss, 34, of Jenks, died at the scene. The driver of the pickup, Dale Rusk, 51, was arrested on suspicion of drunken driving."
)
BOILERPLATE = (
    "Sign up for our newsletter.",
    "Copyright 2026 The Ledger. All rights reserved. This material may not be published.",
    "Related: Three killed in Norman house fire",
    "Follow us on Facebook and Twitter.",
    "Anyone with information is asked to call Crime Stoppers at 555-0100.",
)


@pytest.mark.parametrize("boilerplate", BOILERPLATE)
def test_trailing_boilerplate_changes_nothing(reader: Reader, boilerplate: str) -> None:
    plain = reader.read(make_article(text=STORY, title="Woman killed in Tulsa crash"))
    padded = reader.read(make_article(text=f"{STORY}\n\n{boilerplate}", title="Woman killed in Tulsa crash"))
    assert [replace(c, confidence=0) for c in padded.claims] == [replace(c, confidence=0) for c in plain.claims]


@pytest.mark.parametrize("folder", list_goldens(), ids=lambda folder: folder.name)
def test_no_article_is_read_otherwise_for_what_stands_under_it(reader: Reader, folder: Path) -> None:
    article = load_article(folder)
    padded = replace(article, text="\n\n".join((article.text, *BOILERPLATE)))
    plain, told = reader.read(article), reader.read(padded)
    assert told.kind == plain.kind
    assert [replace(c, confidence=0) for c in told.claims] == [replace(c, confidence=0) for c in plain.claims]


def test_claims_get_ids_that_differ(reader: Reader) -> None:
    article = make_article(text=STORY, title="Woman killed in Tulsa crash")
    reading = identify_reading(reader.read(article), article)
    assert len({c.claim_id for c in reading.claims}) == len(reading.claims) > 15


def test_one_reader_reads_many_as_it_reads_one(reader: Reader) -> None:
    articles = [make_article(text=STORY, published=day) for day in ("2026-03-04", "2026-03-10", "2026-03-04")]
    readings = list(reader.read_all(articles))
    assert readings == [reader.read(article) for article in articles]
    assert readings[0] == readings[2]


@given(text=st.text(max_size=300))
def test_sentences_keep_every_letter_in_order(text: str) -> None:
    spans = find_sentences(text)
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))
    assert all(text[s.start : s.end].strip() == text[s.start : s.end] != "" for s in spans)
    assert "".join("".join(text[s.start : s.end].split()) for s in spans) == "".join(text.split())


class _Text:
    def __init__(self, text: str) -> None:
        self.text, self.bits = text, mark_text(text)


@settings(max_examples=150, deadline=None)
@given(text=st.lists(st.sampled_from([*_WORDS, "⟦0⟧", "⟦1⟧", "⟦2⟧"]), max_size=60).map(" ".join))
def test_a_gate_never_hides_a_match(text: str) -> None:
    for predicate in _TABLE:
        gated = predicate.pattern
        assert isinstance(gated, GatedPattern)
        assert [m.span() for m in gated.finditer(_Text(text))] == [m.span() for m in gated.pattern.finditer(text)], (
            predicate.name
        )
