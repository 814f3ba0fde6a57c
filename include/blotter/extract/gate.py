"""Patterns that are only tried where they can match.

A page has some thirty sentences and the reader some two hundred patterns, most of which need a word that the sentence does
not have. For each pattern the literals are derived of which any match must contain one ("shot", "gunned"); one Aho-Corasick
pass over a sentence tells which literals it has, as bits of an integer, and a pattern runs only where a bit meets its own.

Belongs here: deriving the literals and the pass. Does not belong here: any pattern.
"""

import re
from collections.abc import Iterator
from functools import cache
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as sre_parser  # type: ignore[attr-defined]
from typing import Any, Protocol

from ahocorasick_rs import AhoCorasick, Implementation

from blotter.extract.patterns import compile_pattern

_ALWAYS = 1  # the bit that every text has: what patterns without literals ask for
_BIT_OF: dict[str, int] = {}
_SHORTEST = 3  # a literal of fewer letters is in nearly every sentence
_RARE = frozenset("jqxz")  # two letters tell where one of these is among them
_DIGIT = "\\d"  # stands among the literals for any decimal digit
_SOME_DIGIT = re.compile(_DIGIT)
_IN_EVERY_SENTENCE = frozenset(" .,-'’\"")


class Text(Protocol):
    """What a gated pattern is tried on: a text and the bits of its literals (of the sentence that it is or comes from)."""

    @property
    def text(self) -> str:
        """The text."""

    @property
    def bits(self) -> int:
        """What `literal_bits` gave for it."""


class Span(Text, Protocol):
    """A text that is part of a whole one."""

    @property
    def start(self) -> int:
        """Its first code point in the whole."""

    @property
    def end(self) -> int:
        """The code point after its last."""


class GatedPattern:
    """A compiled pattern with the bits of its literals; without literals it always runs.

    Loops over many patterns ask `pattern.bits & text.bits` themselves: a call costs more than the question.
    """

    __slots__ = ("bits", "flags", "pattern", "source")

    def __init__(self, pattern: str, flags: int) -> None:
        self.source, self.flags = pattern, flags
        self.pattern = compile_pattern(pattern, flags)
        self.bits = 0
        literals = _required_literals(sre_parser.parse(pattern, flags))
        for literal in literals or ():
            self.bits |= 1 << _BIT_OF.setdefault(literal, len(_BIT_OF) + 1)
        self.bits = self.bits or _ALWAYS

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


def gated(pattern: str, flags: int = re.I) -> GatedPattern:
    """Compile a pattern and derive its literals; meant for module level, before the first `literal_bits`."""
    return GatedPattern(pattern, flags)


def literal_bits(text: str) -> int:
    """Give the bits of the literals that a text has, in any case."""
    bits = _ALWAYS
    for index in {
        found[0] for found in _automaton(len(_BIT_OF)).find_matches_as_indexes(text.lower(), overlapping=True)
    }:
        bits |= 2 << index
    if _DIGIT in _BIT_OF and _SOME_DIGIT.search(text):
        bits |= 1 << _BIT_OF[_DIGIT]
    return bits


@cache
def _automaton(n_literals: int) -> AhoCorasick:
    return AhoCorasick(list(_BIT_OF)[:n_literals], implementation=Implementation.DFA)


def _required_literals(sequence: Any) -> frozenset[str] | None:
    """Give literals of which any match of a parsed pattern contains one; None where there are none such."""
    options: list[frozenset[str]] = []
    run = ""
    for operator, argument in sequence:
        if operator is sre.LITERAL:
            run += chr(argument).lower()
            continue
        if run:
            options.append(frozenset((run,)))
            run = ""
        inner = _literals_of_node(operator, argument)
        if inner is not None:
            options.append(inner)
    if run:
        options.append(frozenset((run,)))
    usable = [option for option in options if all(map(_is_telling, option))]
    return max(usable, key=lambda option: (min(map(len, option)), -len(option)), default=None)


def _is_telling(literal: str) -> bool:
    """Say whether a literal tells sentences apart: three letters, or a rare one of two, or a sign or figure that few sentences have."""
    if any(ch.isalpha() for ch in literal):
        return literal == _DIGIT or len(literal) >= _SHORTEST or (len(literal) == 2 and not _RARE.isdisjoint(literal))
    return not set(literal) <= _IN_EVERY_SENTENCE


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
