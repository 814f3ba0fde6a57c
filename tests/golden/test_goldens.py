"""What is read in each golden article is what a careful person reads there, but for what known.txt still lists."""

from pathlib import Path

import pytest
from tests.extract.test_laws import check_reading
from tests.golden.goldens import Golden, diff_golden, list_goldens, load_golden

from blotter.extract import Reader
from blotter.model import FIELDS, INCIDENT_TYPES, ClaimState, Notice, ReadingKind

FOLDERS = list_goldens()
_STATES = frozenset(ClaimState)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


def test_there_are_articles_enough_of_many_kinds() -> None:
    goldens = [load_golden(folder) for folder in FOLDERS]
    assert len(goldens) >= 60
    types = {line.value for golden in goldens for line in golden.lines if line.field == "incident_type"}
    assert len(types & INCIDENT_TYPES.keys()) >= 18
    countries = {line.value for golden in goldens for line in golden.lines if line.field == "country"}
    assert len(countries) >= 6
    assert {golden.kind for golden in goldens} == set(ReadingKind)
    assert {golden.notice for golden in goldens} == set(Notice)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_expectations_are_well_formed(folder: Path) -> None:
    golden = load_golden(folder)
    assert set(golden.article.text) & set("\t") == set()
    for line in golden.lines:
        assert line.field in FIELDS
        assert line.state in _STATES
        assert (line.person == 0) == (FIELDS[line.field].of == "incident"), line
        assert (line.value == "") == (line.state not in (ClaimState.KNOWN, ClaimState.DISPUTED)), line
        assert line.words in golden.article.text, f"not in the article: {line.words!r}"
    assert len(set(golden.lines)) == len(golden.lines)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_article_is_read_as_expected(reader: Reader, folder: Path) -> None:
    golden = load_golden(folder)
    reading = reader.read(golden.article)
    check_reading(reading, golden.article.text)
    fresh = [line for line in diff_golden(golden, reading) if line not in golden.known]
    assert not fresh, _explain(golden, fresh)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_is_read_right_leaves_the_list(reader: Reader, folder: Path) -> None:
    golden = load_golden(folder)
    mended = golden.known - set(diff_golden(golden, reader.read(golden.article)))
    assert not mended, f"{golden.name}: mended; `make goldens` takes it off the list: {sorted(mended)}"


def _explain(golden: Golden, fresh: list[str]) -> str:
    told = (line.replace("\t", "  ") for line in fresh)
    return "\n  ".join((f"{golden.name} differs from what is to be read (claims.tsv):", *told))
