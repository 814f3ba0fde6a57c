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


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("A man was arrested on suspicion of attempted murder after he shot a woman in Fresno, Calif., on Monday, police said.", {"shooting"}),
        ("An officer was shot and killed during a traffic stop early Monday in Toledo, Ohio, the police chief said. The man who shot the officer fled.", {"shooting", "homicide"}),
        ("A Memphis police officer shot and wounded a man who pointed a handgun at him on Monday, state agents said.", {"shooting", "police_use_of_force"}),
        ("A cyclist was killed when he was hit by a lorry in Sheffield on Wednesday. A man was arrested on suspicion of causing death by careless driving.", {"traffic_crash"}),
        ("Two people died in a head-on crash near Tulsa, Okla., on Monday. The vehicles caught fire after the collision.", {"traffic_crash"}),
        ("Two people were killed when a small plane crashed into a field near Boise, Idaho, on Sunday. The plane had taken off there before the crash.", {"aviation"}),
        ("A commuter train hit a truck at a crossing in Mesa, Ariz., on Tuesday, killing the truck driver. The train derailed.", {"rail"}),
        ("Three people were killed in a rowhouse fire in Baltimore late Sunday. The fire broke out at 11 p.m.", {"fire"}),
        ("A gunman opened fire on officers in Macon, Ga., on Monday and wounded one of them. The gunman was shot dead.", {"shooting"}),
        ("An explosion at a chemical plant in Pasadena, Texas, killed two workers on Tuesday. The blast was felt for miles.", {"explosion", "industrial"}),
        ("A woman was sexually assaulted in a park in Salem, Ore., on Monday night. A man was charged with rape.", {"sexual_assault"}),
        ("A 6-year-old girl was abducted from a park in Reno, Nev., on Sunday, and an Amber Alert was issued for the kidnapped girl.", {"kidnapping"}),
        ("A woman was attacked and mauled by two dogs in Lubbock, Texas, on Monday. She died after the dog attack, police said.", {"animal"}),
        ("Two people drowned when a flash flood swept their car off a road near Tucson, Ariz., on Monday. The flooding closed roads.", {"weather", "drowning"}),
    ],
)  # fmt: skip
def test_types_are_kept_apart(reader: Reader, text: str, types: set[str]) -> None:
    assert list_types(reader, text) == types


@pytest.mark.parametrize(
    ("title", "text", "types"),
    [
        # a fire is one by what burned, also where the headline ends with the word
        ("One dead in mobile home fire", "Crews were called on Monday in Salem, Ore. There was no indication of an explosion, the marshal said.", ["fire"]),
        ("Brush fire forces families out", "The fire exploded in size on Sunday near Salem, Ore., and has burned 4,000 acres.", ["fire"]),
        ("Five forced out by building fire", "The fire broke out on Monday in Dayton, Ohio. No one was hurt.", ["fire"]),
        # what burned after it fell crashed
        ("", "Two people died in the crash of a small plane near Boise, Idaho, on Sunday. The plane caught fire. The crash was seen from the road. One man was treated for smoke inhalation.", ["aviation"]),
        # who went under was missing because of it
        ("", "A teenager who disappeared under the water of Alder Lake near Salem, Ore., was found dead on Tuesday. The swimmer had gone missing on Monday.", ["drowning"]),
    ],
)  # fmt: skip
def test_what_burned_fell_or_went_under(reader: Reader, title: str, text: str, types: list[str]) -> None:
    claims = reader.read(make_article(title=title, text=text)).claims
    assert [claim.value for claim in claims if claim.field == "incident_type"] == types
