"""The vocabulary of spaCy keeps every word for ever; the reader's begins anew before it is large."""

import pytest
from tests.extract.builders import make_article

from blotter.extract import Reader, pipeline


def test_a_vocabulary_that_has_become_large_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader()
    story = make_article(text="A man was shot on Tuesday in Fresno, Calif., police said.")
    before = reader.read(story)
    monkeypatch.setattr(pipeline, "_MAX_STRINGS", 2_000)
    held = []
    for number in range(30):
        reader.read(make_article(text=" ".join(f"w{number}x{word}" for word in range(200))))
        held.append(len(reader._nlp.vocab.strings))
    assert max(held) < 2_500, held  # checked before each article, which brings 210
    assert reader.read(story) == before
