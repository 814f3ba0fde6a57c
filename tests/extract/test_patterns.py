"""A rewritten expression matches what the plain one matches, at the same places and with the same groups."""

import gc
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blotter.extract import Reader, gate
from blotter.extract.patterns import compile_pattern

_EXPRESSIONS = [
    (r"\b(?:shot|shots|shooting|stab(?:bed|s)|shoot\w+|\d+|s)\b", re.I),
    (r"(?P<a>one|on|o\w|two|t)(?P<b>x|xy|)(?:y|z)?", re.I),
    (r"(?:ab|a|abc|b(?:c|cd)|(?:x|y)z|ba)+?c", 0),
    (r"(?:(?-i:[A-Z]\w+)|the|then|thé)\s(?:kin|King|ıs|is)", re.I),
    (r"(?i:red|ready)|Re|r(?<!x)e", 0),
]
_TEXTS = st.text(alphabet="abcdxyzosthnegikrKſİıKTO S1é ", max_size=30)


@pytest.mark.parametrize(("pattern", "flags"), _EXPRESSIONS)
@settings(max_examples=300)
@given(text=_TEXTS)
def test_the_same_is_found(pattern: str, flags: int, text: str) -> None:
    plain, quick = re.compile(pattern, flags), compile_pattern(pattern, flags)
    assert [m.regs for m in quick.finditer(text)] == [m.regs for m in plain.finditer(text)]
    assert quick.groupindex == plain.groupindex


@pytest.mark.parametrize("letter", ["k", "i", "s", "å", "ß", "σ", "K", "ﬅ", "µ", "θ"])
def test_a_letter_has_the_cases_that_re_gives_it(letter: str) -> None:
    plain, quick = re.compile(f"(?:{letter}a|b)", re.I), compile_pattern(f"(?:{letter}a|b)", re.I)
    every = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    assert [c for c in every if quick.match(f"{c}a")] == [c for c in every if plain.match(f"{c}a")]


def test_the_readers_own_expressions_find_the_same(reader: Reader) -> None:
    sources = [one for one in gc.get_objects() if type(one) is gate.GatedPattern]  # isinstance wakes up lazy modules
    assert len(sources) > 100
    text = (
        "Police said two men were shot early Monday, Dec. 5, in the 100 block of Kiln Street; one, Ann Sikes, 32, died."
    )
    for gated in sources:
        plain = re.compile(gated.source, gated.flags)
        assert [m.regs for m in gated.pattern.finditer(text)] == [m.regs for m in plain.finditer(text)], gated.source
