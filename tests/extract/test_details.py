"""Where the case stands: a stage that is denied or only expected was not reached."""

import pytest
from tests.extract.builders import make_article

from blotter.extract import Reader


def read_status(reader: Reader, ending: str) -> set[object]:
    text = f"A man was shot and killed Tuesday in Dayton, Ohio, police said.\n\n{ending}"
    return {claim.value for claim in reader.read(make_article(text=text)).claims if claim.field == "status"}


@pytest.mark.parametrize(
    "ending",
    [
        "The chief said a 24-year-old man had not been charged.",
        "No one has been arrested.",
        "He was not arrested.",
        "Someone could be charged next week.",
        "His name would be kept back until he was charged.",
    ],
)
def test_what_was_not_reached_is_no_status(reader: Reader, ending: str) -> None:
    assert not read_status(reader, ending) & {"charged", "arrest_made"}


def test_what_was_reached_is(reader: Reader) -> None:
    assert read_status(reader, "A neighbor was charged with murder.") == {"charged"}
    assert read_status(reader, "A neighbor was arrested.") == {"arrest_made"}


def test_help_with_a_crime_is_another_charge_than_the_crime(reader: Reader) -> None:
    text = "A man was shot and killed Tuesday in Dayton, Ohio, police said.\n\nPolice charged Petra Lund, 18, with complicity to commit murder."
    charges = {claim.value for claim in reader.read(make_article(text=text)).claims if claim.field == "charges"}
    assert charges == {"complicity to commit murder"}


@pytest.mark.parametrize(
    ("ending", "of_kemp", "of_stewart"),
    [
        ("Kemp is charged with arson while Stewart is charged with assault.", {"arson"}, {"assault"}),
        (
            "Kemp is charged with murder and burglary; Stewart is charged with assault.",
            {"murder", "burglary"},
            {"assault"},
        ),
        ("Kemp was arrested Monday, and Stewart was arrested and charged with arson.", set(), {"arson"}),
        ("Kemp and Stewart were charged with murder.", {"murder"}, {"murder"}),
    ],
)
def test_a_charge_is_of_whom_the_sentence_told_last(
    reader: Reader, ending: str, of_kemp: set[str], of_stewart: set[str]
) -> None:
    text = (
        "A man was shot and killed Tuesday in Dayton, Ohio, police said.\n\n"
        f"Aaron Kemp, 21, and Roy Stewart, 18, have been arrested. {ending}"
    )
    claims = reader.read(make_article(text=text)).claims
    names = {claim.participant_ref: claim.value for claim in claims if claim.field == "name"}
    charges = [(names.get(claim.participant_ref), claim.value) for claim in claims if claim.field == "charges"]
    assert {charge for name, charge in charges if name == "Aaron Kemp"} == of_kemp
    assert {charge for name, charge in charges if name == "Roy Stewart"} == of_stewart


@pytest.mark.parametrize(
    ("told", "agency"),
    [
        ("Alder Creek Fire Chief Dana Holt said the cause was not known.", "Alder Creek Fire Department"),
        ("Salem firefighters found the kitchen burning.", "Salem Fire Department"),
        ("Crews of the Alder Creek Volunteer Fire Company put it out.", "Alder Creek Volunteer Fire Company"),
        ("The Polk County Fire District sent four engines.", "Polk County Fire District"),
        ("Oregon State Fire Marshal's Office is investigating.", "Oregon State Fire Marshal's Office"),
        ("Five firefighters were treated for the heat.", None),
        ("When police arrived, the roof had fallen in.", None),
    ],
)
def test_who_came_to_a_fire(reader: Reader, told: str, agency: str | None) -> None:
    text = f"A house fire killed a woman on Monday night in Oregon.\n\n{told}"
    claims = reader.read(make_article(text=text)).claims
    assert next((claim.value for claim in claims if claim.field == "agency"), None) == agency
