"""A model of the user's own: its PERSON entities are further names, and the extractor's version names it."""

from pathlib import Path

import spacy
from tests.extract.builders import make_article, people

from blotter.extract import EXTRACTOR_VERSION, Reader


def test_entities_of_an_installed_pipeline_are_names(tmp_path: Path, reader: Reader) -> None:
    nlp = spacy.blank("en", meta={"name": "tiny", "version": "0.1.0"})
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "el-Tayeb bint Zahr"}])  # type: ignore[attr-defined]
    nlp.to_disk(tmp_path / "tiny")
    article = make_article(
        title="One killed in Mesa",
        text="MESA, Ariz. — On Monday el-Tayeb bint Zahr was shot and killed on Main Street in Mesa, police said.",
    )
    with_model = Reader(str(tmp_path / "tiny")).read(article)
    assert "el-Tayeb bint Zahr" in [p.get("name") for p in people(with_model)]
    assert with_model.extractor_version == f"{EXTRACTOR_VERSION}+en_tiny-0.1.0"
    assert "el-Tayeb bint Zahr" not in [p.get("name") for p in people(reader.read(article))]
