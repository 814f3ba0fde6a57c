"""An article's text cut where its claims' sentences and words begin and end, so that a page can show who says what.

Belongs here: cutting. Does not belong here: markup and wording. Offsets are code points of the text, as claims count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Claim = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of a text; `is_value` where these are the very words that a value was read from."""

    text: str
    is_value: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A part of a text: a sentence with the claims that quote it, or what lies between two such sentences."""

    pieces: Sequence[Piece]
    start: int
    claims: Sequence[Claim] = ()


def cut_text(text: str, claims: Sequence[Claim]) -> list[Passage]:
    """Cut a text into passages, in its order and without loss: joined, their pieces are the text.

    Quotes that overlap become one passage with the claims of both. A quote outside the text, or of other words than
    stand there, is left out.
    """
    spans: list[tuple[int, int, list[Claim]]] = []
    for claim in sorted(claims, key=lambda one: (one["quote_start"], one["quote_end"])):
        start, end = claim["quote_start"], claim["quote_end"]
        if not 0 <= start < end <= len(text) or text[start:end] != claim["quote"]:
            continue
        if spans and start < spans[-1][1]:
            first, last, gathered = spans[-1]
            spans[-1] = (first, max(last, end), [*gathered, claim])
        else:
            spans.append((start, end, [claim]))
    passages, position = [], 0
    for start, end, gathered in spans:
        if position < start:
            passages.append(Passage(pieces=(Piece(text=text[position:start]),), start=position))
        passages.append(Passage(pieces=_cut_values(text[start:end], gathered), start=start, claims=gathered))
        position = end
    if position < len(text):
        passages.append(Passage(pieces=(Piece(text=text[position:]),), start=position))
    return passages


def _cut_values(sentence: str, claims: Sequence[Claim]) -> tuple[Piece, ...]:
    """Cut a sentence where the words stand that values were read from, each at its first place."""
    is_value = [False] * len(sentence)
    for words in {claim["value_raw"] for claim in claims if claim["value_raw"]}:
        at = sentence.find(words)
        if at >= 0 and len(words) < len(sentence):
            is_value[at : at + len(words)] = [True] * len(words)
    pieces, start = [], 0
    for end in range(1, len(sentence) + 1):
        if end == len(sentence) or is_value[end] != is_value[start]:
            pieces.append(Piece(text=sentence[start:end], is_value=is_value[start]))
            start = end
    return tuple(pieces)
