"""What kind of incident it was: the page's own, and not what someone was wanted for before."""

import pytest
from tests.extract.builders import make_article

from blotter.extract import Reader


def list_types(reader: Reader, text: str) -> set[object]:
    return {claim.value for claim in reader.read(make_article(text=text)).claims if claim.field == "incident_type"}


@pytest.mark.parametrize(
    "cause",
    [
        "who was wanted in connection with a robbery",
        "who was sought for an armed robbery",
        "they linked to a robbery that had occurred about two hours earlier",
    ],
)
def test_what_a_suspect_was_wanted_for_is_another_case(reader: Reader, cause: str) -> None:
    text = (
        "An officer was shot and killed early Tuesday in Dayton, Ohio, police said.\n\n"
        f"Officers had stopped a man {cause}, the chief said. The man fired several shots and was arrested."
    )
    assert "robbery" not in list_types(reader, text)
    assert "shooting" in list_types(reader, text)


def test_a_robbery_that_is_the_story_stays_one(reader: Reader) -> None:
    text = (
        "Two men robbed a pharmacy in Dayton, Ohio, on Tuesday afternoon, police said.\n\n"
        "A clerk was beaten during the robbery. Police are looking for both robbers."
    )
    assert "robbery" in list_types(reader, text)
