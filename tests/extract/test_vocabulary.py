"""The vocabulary of spaCy keeps every word for ever; the reader's, without a model, learns none."""

from tests.extract.builders import make_article

from blotter.extract import Reader


def test_the_vocabulary_does_not_grow_with_what_is_read() -> None:
    reader = Reader()
    story = make_article(text="A man was shot on Tuesday in Fresno, Calif., police said.")
    before = reader.read(story)
    held = len(reader._nlp.vocab.strings)
    for number in range(30):
        reader.read(make_article(text=" ".join(f"w{number}x{word}" for word in range(200))))
    assert len(reader._nlp.vocab.strings) == held
    assert reader.read(story) == before
