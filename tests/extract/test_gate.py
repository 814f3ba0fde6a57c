"""Patterns that are only tried where they can match: what the pass over a page tells of each sentence."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blotter.extract.gate import GatedPattern, PatternTable, gated, mark_spans, mark_text
from blotter.extract.sentences import find_sentences

SHOT = gated(r"\b(?:shot|gunned\sdown)\b")
STREET = gated(r"\bon\s(?P<name>[A-Z]\w+)\sStreet\b", 0)
HOUR = gated(r"\b\d{1,2}(?::\d\d)?\b")
ANYTHING = gated(r"\b[A-Z]\w+\b", 0)


class Piece:
    def __init__(self, text: str, bits: int) -> None:
        self.text, self.bits = text, bits


def list_pieces(text: str) -> list[Piece]:
    spans = find_sentences(text)
    return [Piece(text[s.start : s.end], bits) for s, bits in zip(spans, mark_spans(text, spans), strict=True)]


def can_match(pattern: GatedPattern, piece: Piece) -> bool:
    return bool(pattern.bits & piece.bits)


def test_a_pattern_is_tried_where_a_match_could_be_and_not_elsewhere() -> None:
    first, second = list_pieces("Two men were gunned\ndown on Vine Street. No one was arrested by 7 p.m.")
    assert can_match(SHOT, first) and not can_match(SHOT, second)
    assert can_match(STREET, first) and not can_match(STREET, second)
    assert can_match(HOUR, second) and not can_match(HOUR, first)
    assert can_match(ANYTHING, first) and can_match(ANYTHING, second)
    assert SHOT.search(first) is not None and SHOT.search(second) is None


def test_a_literal_that_runs_over_the_end_of_a_sentence_is_in_neither() -> None:
    pattern = gated(r"river\.\sPolice")
    assert not any(can_match(pattern, piece) for piece in list_pieces("She fell into the river. Police came."))


def test_a_table_gives_its_rows_in_their_order() -> None:
    table = PatternTable((gated(rf"\b{word}\b"), word) for word in ("stabbed", "robbed", "drowned"))
    text = "One drowned, one was stabbed."
    assert [word for _, word in table.choose(Piece(text, mark_text(text)))] == ["stabbed", "drowned"]


@pytest.mark.parametrize(
    "text", ["", "\n \n", "İzmir: shot at 7", "⟦0⟧ shot ⟦1⟧", "shot\u00a0dead\u2028gunned\u3000down"]
)
def test_any_text_can_be_marked(text: str) -> None:
    assert all(piece.bits | mark_text(text) == mark_text(text) for piece in list_pieces(text))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="sShHoOtTgGuUnNeEdDwW 17:.\n\u00a0İ⟦⟧", max_size=80))
def test_no_match_is_hidden(text: str) -> None:
    for piece in list_pieces(text):
        for pattern in (SHOT, STREET, HOUR, ANYTHING):
            plain = re.compile(pattern.source, pattern.flags)
            assert [m.span() for m in pattern.finditer(piece)] == [m.span() for m in plain.finditer(piece.text)]
