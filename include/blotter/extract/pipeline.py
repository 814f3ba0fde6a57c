"""The spaCy pipeline: `blank("en")` and the project's own components, each of which adds to the document's `Scene`.

Belongs here: the order of the steps and how they hang on spaCy. Does not belong here: what a step does (its own module).

    text -> blotter_sentences -> blotter_background -> blotter_mentions -> blotter_predicates
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import spacy
from spacy.attrs import IDX, SENT_START
from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab

from blotter.extract.background import mark_sentences
from blotter.extract.gate import mark_spans
from blotter.extract.mentions import Mention, MentionFinder
from blotter.extract.predicates import MaskedSentence, find_predicates, mask_sentence
from blotter.extract.scene import Scene, Sentence
from blotter.extract.sentences import find_sentences
from blotter.model import Article

_SCENE, _MASKED = "blotter_scene", "blotter_masked"


def build_pipeline(finder: MentionFinder, model: str | None) -> Language:
    """Build the pipeline; `model` names an installed spaCy pipeline whose entities count as further evidence of names.

    Raises OSError (spaCy's own) where the model is not installed.
    """
    nlp = spacy.load(model) if model else spacy.blank("en")
    nlp.max_length = 10_000_000
    if model is None:
        nlp.tokenizer = TextKeeper(nlp.vocab)
    first = nlp.pipe_names[0] if nlp.pipe_names and model else None
    nlp.add_pipe("blotter_sentences", before=first) if first else nlp.add_pipe("blotter_sentences")
    nlp.add_pipe("blotter_background")
    mentions: Any = nlp.add_pipe("blotter_mentions")
    mentions.finder = finder
    nlp.add_pipe("blotter_predicates")
    return nlp


def read_scenes(nlp: Language, articles: Iterable[Article]) -> Iterator[tuple[Scene, dict[int, MaskedSentence]]]:
    """Lay articles out one by one, in their order."""
    for article in articles:
        yield _read_scene(nlp, article)


def _read_scene(nlp: Language, article: Article) -> tuple[Scene, dict[int, MaskedSentence]]:
    doc = nlp.make_doc(article.text)
    doc.user_data[_SCENE] = Scene(article, [])
    for _, component in nlp.pipeline:
        doc = component(doc)
    return doc.user_data[_SCENE], doc.user_data[_MASKED]


class TextKeeper:
    """Stands for the tokenizer where no model reads tokens: the components here read the text by code points.

    Tokenizing would be a tenth of all reading, and its vocabulary keeps every word it has seen, for ever.
    """

    def __init__(self, vocab: Vocab) -> None:
        """Give documents of a vocabulary."""
        self._vocab = vocab

    def __call__(self, _text: str) -> Doc:
        """Give a document without tokens."""
        return Doc(self._vocab)


@Language.component("blotter_sentences")
def split_sentences(doc: Doc) -> Doc:
    """Lay the sentences out in the scene, and set their bounds on the tokens where there are any."""
    scene: Scene = doc.user_data[_SCENE]
    text = scene.article.text
    title_end = len(scene.article.title) if scene.article.title and text.startswith(scene.article.title) else 0
    spans = find_sentences(text)
    for index, (span, bits) in enumerate(zip(spans, mark_spans(text, spans), strict=True)):
        piece = text[span.start : span.end]
        scene.sentences.append(Sentence(index, span.start, span.end, piece, bits, is_title=span.end <= title_end))
    if len(doc):
        first_tokens = np.searchsorted(doc.to_array([IDX]).ravel(), [span.start for span in spans], side="right") - 1
        marks: Any = np.full(len(doc), -1, dtype=np.int64)
        marks[np.clip(first_tokens, 0, None)] = 1
        marks[0] = 1
        doc.from_array([SENT_START], marks.astype(np.uint64).reshape(-1, 1))
    return doc


@Language.component("blotter_background")
def mark_background(doc: Doc) -> Doc:
    """Mark what each sentence is for, and leave out those that are no part of the article."""
    scene: Scene = doc.user_data[_SCENE]
    mark_sentences(scene.sentences)
    scene.sentences = [s for s in scene.sentences if not s.is_teaser]
    return doc


class MentionComponent:
    """Finds the people that each sentence mentions; a model's PERSON entities are taken for names."""

    finder: MentionFinder

    def __call__(self, doc: Doc) -> Doc:
        """Fill `Sentence.mentions`."""
        scene: Scene = doc.user_data[_SCENE]
        text = scene.article.text
        for sentence in scene.sentences:
            sentence.mentions = self.finder.find(text, sentence.start, sentence.end, in_title=sentence.is_title)
        self._add_entities(doc, scene)
        drop_lone_words(scene.sentences)
        return doc

    def _add_entities(self, doc: Doc, scene: Scene) -> None:
        people = [e for e in doc.ents if e.label_ == "PERSON" and " " in e.text]
        for entity in people:
            for sentence in scene.sentences:
                if sentence.start <= entity.start_char < sentence.end and not sentence.is_title:
                    self._add_entity(sentence, entity.start_char, entity.end_char, entity.text)

    @staticmethod
    def _add_entity(sentence: Sentence, start: int, end: int, name: str) -> None:
        overlapping = [m for m in sentence.mentions if m.start < end and start < m.end]
        if end <= sentence.end and all(m.kind == "name" and m.end - m.start < end - start for m in overlapping):
            sentence.mentions = [m for m in sentence.mentions if m not in overlapping]
            sentence.mentions.append(Mention(start, end, "name", name=name))
            sentence.mentions.sort(key=lambda m: m.start)


def drop_lone_words(sentences: list[Sentence]) -> None:
    """Drop names of one word that are no part of a full name of the article: most begin a sentence."""
    known = {
        word.lower()
        for sentence in sentences
        for mention in sentence.mentions
        if mention.kind == "name" and " " in (mention.name or "")
        for word in re.split(r"[\s-]+", mention.name or "")
        if len(word) > 2
    }
    for sentence in sentences:
        sentence.mentions = [m for m in sentence.mentions if m.kind != "name" or is_name(m, known)]


def is_name(mention: Mention, known: set[str]) -> bool:
    """Say whether a mention is a name: several words, or one that `known` full names have, or one with an age."""
    name = mention.name or ""
    return " " in name or mention.age is not None or all(part.lower() in known for part in name.split("-"))


@Language.factory("blotter_mentions")
def create_mentions(nlp: Language, name: str) -> Callable[[Doc], Doc]:
    """Make the component; its finder is set by `build_pipeline`."""
    return MentionComponent()


@Language.component("blotter_predicates")
def apply_predicates(doc: Doc) -> Doc:
    """Mask each sentence's mentions and note what is said of them."""
    scene: Scene = doc.user_data[_SCENE]
    text = scene.article.text
    masked: dict[int, MaskedSentence] = {}
    for sentence in scene.sentences:
        if sentence.mentions:
            masked[sentence.index] = mask_sentence(text, sentence.start, sentence.end, sentence.bits, sentence.mentions)
            sentence.findings = list(find_predicates(masked[sentence.index]))
    doc.user_data[_MASKED] = masked
    return doc
