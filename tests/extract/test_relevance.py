"""Which pages are about an incident: the pages in `pages/`, which were written for this project, and a few short ones."""

import pytest
from tests.extract.builders import make_article
from tests.extract.written_pages import FOLDER, WrittenPage, load_pages

from blotter.extract import Reader
from blotter.model import ReadingKind

PAGES = list(load_pages())
WANTED = {
    "not_incidents": {ReadingKind.NOT_INCIDENT},
    "incidents": {ReadingKind.INCIDENT, ReadingKind.FOLLOW_UP},  # told in full, perhaps with its vigil
    "follow_ups": {ReadingKind.FOLLOW_UP},
}
# Pages that are still misjudged. The list may only shrink.
KNOWN = set((FOLDER / "known_misjudged.txt").read_text(encoding="utf-8").splitlines())


@pytest.fixture(scope="module")
def misjudged(reader: Reader) -> dict[str, tuple[WrittenPage, ReadingKind]]:
    """The pages that are not read as what they are."""
    read = ((page, reader.read(make_article(title=page.title, text=page.text))) for page in PAGES)
    return {str(page): (page, reading.kind) for page, reading in read if reading.kind not in WANTED[page.kind]}


def test_there_are_pages_enough_of_each_kind() -> None:
    n_pages = {kind: sum(page.kind == kind for page in PAGES) for kind in WANTED}
    assert n_pages["not_incidents"] >= 200
    assert n_pages["incidents"] >= 60
    assert len({page.title for page in PAGES}) == len(PAGES)


def test_no_page_is_misjudged_that_was_not_before(misjudged: dict[str, tuple[WrittenPage, ReadingKind]]) -> None:
    assert {name: kind for name, (_, kind) in misjudged.items() if name not in KNOWN} == {}


def test_a_page_that_is_judged_right_leaves_the_list(misjudged: dict[str, tuple[WrittenPage, ReadingKind]]) -> None:
    assert KNOWN - misjudged.keys() == set()


def test_few_pages_about_no_incident_become_one(misjudged: dict[str, tuple[WrittenPage, ReadingKind]]) -> None:
    false = [name for name, (page, _) in misjudged.items() if page.kind == "not_incidents"]
    assert len(false) < 0.02 * sum(page.kind == "not_incidents" for page in PAGES), false


def test_a_page_about_no_incident_claims_nothing(reader: Reader) -> None:
    page = next(load_pages("not_incidents"))
    assert reader.read(make_article(title=page.title, text=page.text)).claims == ()


@pytest.mark.parametrize(
    "text",
    [
        "Police say two men robbed a gas station on Route 9 in Albany, N.Y., on Monday night and fled with cash.",
        "A 4-year-old boy drowned Sunday in a backyard pool in Mesa, Ariz., firefighters said.",
        "Three people were hospitalized Tuesday after a gas explosion leveled a house in Reading, Pa., fire officials said.",
        "A man who was pulled over in Salem, Ore., on Tuesday was arrested after officers found a stolen handgun under his seat.",
        "Dozens were injured on Monday when a passenger train derailed near Lyon, France, officials said.",
        "Deputies are searching for a missing 72-year-old woman who was last seen Monday in Bend, Oregon.",
    ],
)
def test_a_short_report_of_an_incident_is_one(reader: Reader, text: str) -> None:
    assert reader.read(make_article(text=text)).kind is ReadingKind.INCIDENT


def test_a_sentence_for_an_old_crime_is_a_follow_up(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            title="Man sentenced to 30 years for 2024 killing",
            text="A Dayton man was sentenced Tuesday to 30 years in prison for killing his neighbor in 2024. A jury convicted Lowell Pike, 44, of murder in January. "
            "Prosecutors said he shot Andre Wills, 39, after an argument about a fence.",
        )
    )
    assert reading.kind is ReadingKind.FOLLOW_UP
