"""Where sentences begin and end.

Belongs here: bounds that survive "Supt.", "Jan.", "4:43 p.m. Wednesday", quotes, datelines and wrapped lines.
Does not belong here: what a sentence says.
"""

import re
from typing import NamedTuple

from blotter.extract.patterns import compile_pattern

# An end mark, the quotes and brackets that close with it, and then white space; or a line break.
_MARK = compile_pattern(r"[.!?…]+[\"”’')\]]*(?=\s)|(?<=[a-z0-9)”\"])\.(?=[A-Z][a-z]+\s)|\n+")
_LAST_WORD = re.compile(r"(?:^|[\s(\"“‘'\[/—–-])([^\s(\"“‘'\[/—–]+)$")
_NEXT_WORD = re.compile(r"\s*[\"“‘'(\[]*([^\s,.;:!?\"”’')\]]+)")

# Abbreviations that a name, number or noun follows: the stop after them ends no sentence.
_NEVER_ENDS = frozenset(
    """mr mrs ms dr prof rev fr hon sen rep gov pres supt insp sgt lt lieut capt maj col cpl cmdr gen adm pfc pvt spc det
    ofc off dep msgr st ste mt ft jan feb mar apr jun jul aug sept sep oct nov dec no nos vs etc approx ald asst assoc
    dist atty u.s.s e.g i.e cf""".split()
)
# Abbreviations that may end a sentence: they do where the next word can begin one.
_MAY_END = frozenset(
    """jr sr inc co corp ltd llc bros ave blvd rd dr ln ct hwy pkwy pl sq a.m p.m u.s u.k u.n d.c l.a n.y n.j n.c s.c n.m n.h r.i
    n.d s.d w.va ala ariz ark calif colo conn del fla ga ill ind kan ky la md mass mich minn miss mo mont neb nev okla
    ore pa tenn tex vt va wash wis wyo b.c ph.d m.d n.e n.w s.e s.w n s e w est edt cst cdt pst pdt tel dept univ""".split()
)
_BEGINS = frozenset(
    """the a an and but or if when while after before as at by for from in into on to with about since until during this
    that these those there here he she it they we you i his her its their our my who what where why how police officers
    authorities investigators detectives officials witnesses neighbors prosecutors deputies firefighters anyone one two
    three four five no none both all another some several many more according also however""".split()
)


class Span(NamedTuple):
    """A half-open span of code points."""

    start: int
    end: int


def find_sentences(text: str) -> list[Span]:
    """Give the sentences of a text in order: no blanks at their ends, nothing between them but blanks."""
    spans: list[Span] = []
    start = 0
    for mark in _MARK.finditer(text):
        if _ends_sentence(text, start, mark):
            _append_span(spans, text, start, mark.end())
            start = mark.end()
    _append_span(spans, text, start, len(text))
    return spans


def _append_span(spans: list[Span], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        begin = start + len(piece) - len(piece.lstrip())
        spans.append(Span(begin, begin + len(stripped)))


def _ends_sentence(text: str, start: int, mark: re.Match[str]) -> bool:
    matched = mark.group()
    if matched[0] == "\n":
        return len(matched) > 1 or not _is_wrapped_line(text, mark.start(), mark.end())
    following = _NEXT_WORD.match(text, mark.end())
    if following is None:
        return True
    word = following.group(1)
    if matched[0] != ".":
        # "“Stop!” he said": a quotation's end mark, then a small letter, goes on.
        return not word[0].islower()
    if matched.startswith("..") and word[0].islower():
        return False
    if len(matched) == 1:
        last = _LAST_WORD.search(text[max(start, mark.start() - 24) : mark.start()])
        if last is not None:
            return _stop_ends(last.group(1), word)
    return not word[0].islower()


def _stop_ends(word: str, following: str) -> bool:
    """Say whether a full stop after `word` ends a sentence, given the word that follows."""
    small = word.lower()
    if small in _MAY_END or (small.endswith(".m") and len(small) == 3):
        return following.lower() in _BEGINS and not following.islower()
    if small in _NEVER_ENDS or (len(word) == 1 and word.isupper()):
        return False
    return not following[0].islower()


def _is_wrapped_line(text: str, end: int, begin: int) -> bool:
    """Say whether a single line break only wraps: a long line without an end mark, or a small letter after it."""
    line = text[text.rfind("\n", 0, end) + 1 : end].rstrip()
    following = text[begin : begin + 1]
    if not line or line[-1] in '.!?…:"”':
        return False
    return following.islower() or (len(line) >= 60 and following.isalnum() and text.find("\n", begin) - begin >= 0)
