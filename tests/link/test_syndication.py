"""Which texts are one text."""

import random

from hypothesis import given
from hypothesis import strategies as st

from blotter.link.syndication import is_same_text, key_fingerprint, measure_resemblance, take_fingerprint

WORDS = [f"word{number}" for number in range(3000)]


def make_text(seed: int, n_words: int = 400) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=n_words))


def test_a_copy_with_another_title_and_a_light_edit_is_the_same() -> None:
    text = make_text(1)
    copy = "Another headline altogether\n\n" + text.replace("word7 ", "term7 ") + " Copyright of the agency."
    assert is_same_text(take_fingerprint(text), take_fingerprint(copy))
    assert set(key_fingerprint(take_fingerprint(text))) & set(key_fingerprint(take_fingerprint(copy)))


def test_the_better_half_is_the_same_and_a_quoted_line_is_not() -> None:
    text = make_text(2)
    words = text.split()
    assert is_same_text(take_fingerprint(text), take_fingerprint(" ".join(words[:260])))
    quoting = make_text(3) + " " + " ".join(words[:40])
    assert not is_same_text(take_fingerprint(text), take_fingerprint(quoting))


def test_other_texts_are_others() -> None:
    assert measure_resemblance(take_fingerprint(make_text(4)), take_fingerprint(make_text(5))) < 0.1


def test_a_text_that_is_too_short_proves_nothing() -> None:
    assert take_fingerprint("Police are investigating.") == ()
    assert not is_same_text((), ())


@given(st.text(max_size=2000), st.text(max_size=2000))
def test_resemblance_is_symmetric_and_bounded_for_any_text(one: str, other: str) -> None:
    a, b = take_fingerprint(one), take_fingerprint(other)
    assert measure_resemblance(a, b) == measure_resemblance(b, a)
    assert 0 <= measure_resemblance(a, b) <= 1
    assert not a or measure_resemblance(a, a) == 1
