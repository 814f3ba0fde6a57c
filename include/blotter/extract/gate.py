"""Patterns that are only tried where they can match.

A page has some thirty sentences and the reader some two hundred patterns, most of which need a word that the sentence does
not have. For each pattern the literals are derived of which any match must contain one ("shot", "gunned"), and each pattern
has one bit of an integer. One Aho-Corasick pass over a page finds the literals of all patterns at once and gives each
sentence the bits of the patterns that can match in it; a pattern runs only where its bit is set.

Belongs here: deriving the literals, the pass, and tables of patterns. Does not belong here: any pattern.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as sre_parser  # type: ignore[attr-defined]
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from ahocorasick_rs import AhoCorasick, Implementation
from spacy.lang.en.stop_words import STOP_WORDS

from blotter.extract.patterns import compile_pattern
from blotter.extract.sentences import Span as Bounds

Row = TypeVar("Row")

_ASKED: list[frozenset[str]] = []  # by the number of a pattern's bit: its literals; none where it may match anywhere
_SHORTEST = 3  # a literal of fewer letters is in nearly every sentence
_RARE = frozenset("jqxz")  # two letters tell where one of these is among them
_DIGIT = "\\d"  # stands among the literals for any decimal digit
_SOME_DIGIT = re.compile(_DIGIT)
_IN_EVERY_SENTENCE = frozenset(" .,-'’\"")
_MASKS = "⟦⟧"  # stand for what a sentence says, and in no sentence
_BLANKS = "".join(sign for sign in map(chr, range(0x3001)) if sign.isspace() and sign != " ")
_BLANK = re.compile(f"[{_BLANKS}{_MASKS}]")
_NOTHING = frozenset(("",))
_MOST_SPELLED = 32  # strings that stand for a part of a pattern: with more of them few tries are saved


class Text(Protocol):
    """What a gated pattern is tried on: a text and the bits of the patterns that can match in it or what it comes from."""

    @property
    def text(self) -> str:
        """The text."""

    @property
    def bits(self) -> int:
        """What `mark_spans` or `mark_text` gave for it."""


class Span(Text, Protocol):
    """A text that is part of a whole one."""

    @property
    def start(self) -> int:
        """Its first code point in the whole."""

    @property
    def end(self) -> int:
        """The code point after its last."""


class GatedPattern:
    """A compiled pattern with a bit of its own.

    What asks often asks `pattern.bits & text.bits` itself, or a `PatternTable`: a call costs more than the question.
    """

    __slots__ = ("bits", "flags", "pattern", "source")

    def __init__(self, pattern: str, flags: int) -> None:
        self.source, self.flags = pattern, flags
        self.pattern = compile_pattern(pattern, flags)
        self.bits = 1 << len(_ASKED)
        _ASKED.append(_required_literals(sre_parser.parse(pattern, flags)) or frozenset())

    def search(self, text: Text) -> re.Match[str] | None:
        """Search the text if it can match."""
        return self.pattern.search(text.text) if self.bits & text.bits else None

    def finditer(self, text: Text) -> Iterator[re.Match[str]]:
        """Find all matches in the text if there can be any."""
        return self.pattern.finditer(text.text) if self.bits & text.bits else iter(())

    def find_within(self, whole: str, span: Span) -> Iterator[re.Match[str]]:
        """Find all matches in a span of a whole text, with offsets of the whole."""
        if not self.bits & span.bits:
            return iter(())
        return self.pattern.finditer(whole, span.start, span.end)


@cache
def gated(pattern: str, flags: int = re.I) -> GatedPattern:
    """Compile a pattern and derive its literals; meant for what is made once, before any text is marked."""
    return GatedPattern(pattern, flags)


class PatternTable(Generic[Row]):
    """Rows of a pattern each, in the order in which the patterns were made: gives those that can match in a text."""

    def __init__(self, rows: Iterable[tuple[GatedPattern, Row]]) -> None:
        self._row_of = {pattern.bits: (pattern.pattern, row) for pattern, row in rows}
        self._bits = sum(self._row_of)

    def choose(self, text: Text) -> list[tuple[re.Pattern[str], Row]]:
        """Give the rows whose pattern can match, with the pattern, in the table's order."""
        left = self._bits & text.bits
        chosen: list[tuple[re.Pattern[str], Row]] = []
        while left:
            bit = left & -left
            chosen.append(self._row_of[bit])
            left ^= bit
        return chosen


class _Pass(NamedTuple):
    """What one pass over a text needs: the literals, and bits of patterns."""

    literals: AhoCorasick
    asked_by: list[int]  # by the literal's index: those that ask for it
    always: int  # those that may match anywhere
    with_digit: int  # those that ask for a digit

    def find(self, text: str) -> list[tuple[int, int, int]]:
        """Find all literals in a text of small letters and plain blanks: index, start and end of each, by their ends."""
        return self.literals.find_matches_as_indexes(text, overlapping=True)


def mark_spans(text: str, spans: Sequence[Bounds]) -> list[int]:
    """Give for each span of a text the bits of the patterns that can match in it; spans are in order and do not overlap."""
    plain = _write_plain(text)
    if len(plain) != len(text):  # "İ" has a small form of two characters
        return [mark_text(text[span.start : span.end]) for span in spans]
    one = _prepare_pass(len(_ASKED))
    marks = [one.always | (one.with_digit if _SOME_DIGIT.search(text, s.start, s.end) else 0) for s in spans]
    ahead = iter(spans)
    number, start, end, bits = -1, 0, 0, 0
    for index, literal_start, literal_end in one.find(plain):
        while literal_end > end:
            if number >= 0:
                marks[number] |= bits
            span = next(ahead, None)
            if span is None:
                return marks
            number, start, end, bits = number + 1, span.start, span.end, 0
        if literal_start >= start:
            bits |= one.asked_by[index]
    if number >= 0:
        marks[number] |= bits
    return marks


def mark_text(text: str) -> int:
    """Give the bits of the patterns that can match in a text."""
    one = _prepare_pass(len(_ASKED))
    bits = one.always | (one.with_digit if _SOME_DIGIT.search(text) else 0)
    for index in {found[0] for found in one.find(_write_plain(text))}:
        bits |= one.asked_by[index]
    return bits


def _write_plain(text: str) -> str:
    return _BLANK.sub(" ", text.lower())


@cache
def _prepare_pass(n_patterns: int) -> _Pass:
    asked_by: dict[str, int] = {}
    always = 0
    for number, literals in enumerate(_ASKED[:n_patterns]):
        for literal in literals:
            asked_by[literal] = asked_by.get(literal, 0) | 1 << number
        always |= 0 if literals else 1 << number
    with_digit = asked_by.pop(_DIGIT, 0)
    # a compact automaton: a larger one is faster by itself, and slower among all else that wants the processor's cache
    automaton = AhoCorasick(list(asked_by), implementation=Implementation.ContiguousNFA)
    return _Pass(automaton, list(asked_by.values()), always, with_digit)


def _required_literals(sequence: Any) -> frozenset[str] | None:
    """Give literals of which any match of a parsed pattern contains one; None where there are none such.

    Of several choices the one whose least telling literal tells most.
    """
    choices: list[frozenset[str]] = []
    run = _NOTHING  # what the nodes since the last choice can match
    for node in sequence:
        spelled = _spell_node(*node)
        longer = _join(run, spelled)
        if longer is None:
            choices.append(run)
            inner = _literals_of_node(*node) if spelled is None else None
            choices += [inner] if inner is not None else []
        run = longer or spelled or _NOTHING
    choices.append(run)
    telling = [choice for choice in choices if all(map(_is_telling, choice))]
    return max(telling, key=lambda choice: (min(map(_weigh_literal, choice)), -len(choice)), default=None)


def _spell_node(operator: Any, argument: Any) -> frozenset[str] | None:
    """Give all that a node can match, in small letters and plain blanks; None where that is too much to list."""
    if operator is sre.LITERAL:
        return None if chr(argument) in _MASKS else frozenset((_write_plain(chr(argument)),))
    if operator in (sre.AT, sre.ASSERT, sre.ASSERT_NOT):
        return _NOTHING
    if operator is sre.IN and argument == [(sre.CATEGORY, sre.CATEGORY_SPACE)]:
        return frozenset(" ")
    if operator is sre.IN and all(kind is sre.LITERAL for kind, _ in argument):
        return frozenset(_write_plain(chr(sign)) for _, sign in argument)
    if operator is sre.SUBPATTERN:
        return _spell(argument[3])
    if operator is sre.BRANCH:
        branches = [_spell(branch) for branch in argument[1]]
        whole = frozenset().union(*(branch or () for branch in branches))
        return None if None in branches or len(whole) > _MOST_SPELLED else whole
    if operator in (sre.MAX_REPEAT, sre.MIN_REPEAT) and tuple(argument[:2]) == (0, 1):
        once = _spell(argument[2])
        return None if once is None else once | _NOTHING
    return None


def _spell(sequence: Any) -> frozenset[str] | None:
    whole: frozenset[str] | None = _NOTHING
    for node in sequence:
        whole = _join(whole, _spell_node(*node))
    return whole


def _join(first: frozenset[str] | None, second: frozenset[str] | None) -> frozenset[str] | None:
    """Give each of some strings followed by each of others; None where that is too much to list."""
    if first is None or second is None or len(first) * len(second) > _MOST_SPELLED:
        return None
    return frozenset(one + other for one in first for other in second)


def _is_telling(literal: str) -> bool:
    """Say whether a literal tells sentences apart: three letters, or a rare one of two, or a sign or figure that few sentences have."""
    if any(ch.isalpha() for ch in literal):
        return literal == _DIGIT or len(literal) >= _SHORTEST or (len(literal) == 2 and not _RARE.isdisjoint(literal))
    return not set(literal) <= _IN_EVERY_SENTENCE


def _weigh_literal(literal: str) -> int:
    """Weigh how much a literal tells: its letters, but for the commonest words, which tell little; any digit least."""
    return 0 if literal == _DIGIT else sum(1 if word in STOP_WORDS else len(word) for word in literal.split())


def _literals_of_node(operator: Any, argument: Any) -> frozenset[str] | None:
    if operator is sre.BRANCH:
        branches = [_required_literals(branch) for branch in argument[1]]
        if any(branch is None for branch in branches):
            return None
        return frozenset().union(*(branch for branch in branches if branch is not None))
    if operator is sre.IN:
        return frozenset((_DIGIT,)) if argument == [(sre.CATEGORY, sre.CATEGORY_DIGIT)] else None
    if operator is sre.SUBPATTERN:
        return _required_literals(argument[3])
    if operator in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT) and argument[0] > 0:
        return _required_literals(argument[2])
    if operator is sre.ATOMIC_GROUP:
        return _required_literals(argument)
    return None
