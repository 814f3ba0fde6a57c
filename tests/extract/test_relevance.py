"""Which pages are about an incident. The pages that are not were written for this project (not_incidents.txt)."""

from pathlib import Path

import pytest
from tests.extract.builders import make_article

from blotter.extract import Reader
from blotter.model import ReadingKind

PAGES = [
    page.strip().split("\n", 1)
    for page in (Path(__file__).parent / "not_incidents.txt").read_text(encoding="utf-8").split("\n---\n")
]


@pytest.mark.parametrize(("title", "text"), [pytest.param(*page, id=page[0][:40]) for page in PAGES])
def test_a_page_about_no_incident_claims_nothing(reader: Reader, title: str, text: str) -> None:
    reading = reader.read(make_article(title=title, text=text))
    assert reading.kind is ReadingKind.NOT_INCIDENT
    assert reading.claims == ()


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
