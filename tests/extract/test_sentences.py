"""Sentence bounds in the places where news breaks simple rules."""

import pytest

from blotter.extract.sentences import find_sentences


@pytest.mark.parametrize(
    ("text", "n_sentences"),
    [
        ("Police Supt. Dana Whitlock spoke. She left.", 2),
        ("It happened Jan. 5 near St. Paul. Nobody saw it.", 2),
        ("Officers came at 4:43 p.m. Wednesday to the house.", 1),
        ("He was pronounced dead at 4:43 p.m. The suspect fled.", 2),
        ("John Q. Public Jr. was hurt. He lives in the U.S. Police asked for help.", 3),
        ("“Stop!” he said. Then he ran.", 2),
        ("TULSA, Okla. (AP) — A man died.", 1),
        ("She shot twice.Witnesses hid.", 2),
        ("A heading\n\nThen a sentence.", 2),
        ("A line that a mail program wrapped because it was longer than seventy\nletters goes on here.", 1),
        ("", 0),
    ],
)
def test_bounds(text: str, n_sentences: int) -> None:
    assert len(find_sentences(text)) == n_sentences
