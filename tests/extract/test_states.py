"""What an article says is not so, or that accounts of it differ."""

import pytest
from tests.extract.builders import known, make_article, of_incident, people

from blotter.extract import Reader
from blotter.model import ClaimState

LEAD = "A man was stabbed at a bus stop on Alder Street in Dayton on Monday night, police said. "


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ("Police denied reports that two men had been arrested.", "status"),
        ("The chief dismissed online rumors of three deaths.", "n_killed"),
        ("There is no truth to reports that a woman was killed, she said.", "n_killed"),
    ],
)
def test_what_is_denied_did_not_happen(reader: Reader, told: str, field: str) -> None:
    reading = reader.read(make_article(text=LEAD + told))
    states = [c.state for c in of_incident(reading) if c.field == field]
    assert ClaimState.DENIED in states
    assert known(reading, "n_injured") == 1
    assert len(people(reading)) == 1


def test_a_weapon_of_which_accounts_differ_is_disputed(reader: Reader) -> None:
    text = (
        "An officer shot and killed a man in Dayton on Monday night. Police said that he raised a pistol. "
        "His family disputed the account and said that he held a phone."
    )
    states = {c.field: c.state for c in of_incident(reader.read(make_article(text=text)))}
    assert states["weapon"] is ClaimState.DISPUTED
