"""A text that is cut for showing is the same text, and what is marked is what claims quote."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from blotter_airflow.pages.evidence import cut_text

TEXT = "A fire. Two people died, police said. Nobody else was hurt."


def make_claim(text: str, start: int, end: int, *, raw: str = "") -> dict[str, Any]:
    return {"quote_start": start, "quote_end": end, "quote": text[start:end], "value_raw": raw}


def join(passages: Any) -> str:
    return "".join(piece.text for passage in passages for piece in passage.pieces)


@given(
    st.text(max_size=60), st.lists(st.tuples(st.integers(-5, 70), st.integers(-5, 70), st.text(max_size=3)), max_size=6)
)
def test_the_pieces_are_the_text(text: str, spans: list[tuple[int, int, str]]) -> None:
    passages = cut_text(text, [make_claim(text, start, end, raw=raw) for start, end, raw in spans])
    assert join(passages) == text
    assert [passage.start for passage in passages] == sorted(passage.start for passage in passages)
    for passage in passages:
        shown = "".join(piece.text for piece in passage.pieces)
        assert text[passage.start :].startswith(shown)
        assert all(claim["quote"] in shown for claim in passage.claims)


def test_a_sentence_is_one_passage_with_all_that_was_read_from_it() -> None:
    start, end = 8, TEXT.index(" Nobody")
    claims = [make_claim(TEXT, start, end, raw="Two"), make_claim(TEXT, start, end, raw="died")]
    before, sentence, after = cut_text(TEXT, claims)
    assert (len(before.claims), len(sentence.claims), len(after.claims)) == (0, 2, 0)
    assert [piece.text for piece in sentence.pieces if piece.is_value] == ["Two", "died"]


def test_a_quote_that_is_not_in_the_text_marks_nothing() -> None:
    wrong = {**make_claim(TEXT, 0, 7), "quote": "A flood"}
    (whole,) = cut_text(TEXT, [wrong, make_claim(TEXT, 50, 500)])
    assert not whole.claims
