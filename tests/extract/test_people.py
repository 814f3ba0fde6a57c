"""Who is found on a page: rows of names and ages, one person told of in two ways, and what is no name."""

import pytest
from tests.extract.builders import make_article, people, person

from blotter.extract import Reader

LEAD = "A shooting on Alder Street in Salem on Monday night is under investigation, police said. "


@pytest.mark.parametrize(
    ("told", "ages"),
    [
        (
            "The victims include 18-year-old Marvin Solt, 19-year-old Darian Voss and 17-year-old Jaquel Ferris.",
            {17, 18, 19},
        ),
        (
            "The wounded in the shooting included Shamir Voss, 21, of Keizer; Ashlin Marsh, 16, of Turner; and Ana Reyes, 18, of Salem.",
            {16, 18, 21},
        ),
        ("Two women, ages 17 and 25, were treated and released after the shooting.", {17, 25}),
        ("Gunfire struck Leo Marsh, 30, and two others — Shamir Voss, 21, and Ana Reyes, 18.", {18, 21, 30}),
        ("Six people were shot, including a 7-year-old child.", {7}),
        ("A 17-year-old boy arrived at Salem Hospital just before 9 p.m. with a gunshot wound.", {17}),
        ("Officers also found a second victim, a 17-year-old male, who was shot in the leg.", {17}),
        ("Tyler Voss and Damon Marsh, both 17, were shot in the leg.", {17}),
        ("A 16-year-old girl's head was grazed in the shooting.", {16}),
        ("A 61-year-old employee from Keizer accidentally shot himself in the hand.", {61}),
        ("Cole Marsh, 20, was killed, deputies say.", {20}),
        ("Leo Marsh, 26, and Larry Voss Jr. 31, were also injured.", {26, 31}),
        ("The victims include Leo Marsh, 26, and Neil Voss 31, of Keizer.", {26, 31}),
        ("Gary Marsh, 61, Valerie Voss' father, was shot and killed in the living room.", {61}),
        ("Police have identified Leo Marsh, 47, as the victim.", {47}),
        ("Alice Voss, 29, is one of the victims, officials say.", {29}),
        ("Those injured were 28 and 31 years old.", {28, 31}),
        ("The victims range in age from 23 to 41 years old.", {23, 41}),
        ("Three men between the ages of 18 and 23 received life-threatening injuries.", {18, 23}),
        ("Two men were shot, a 20-year-old and a 25-year-old.", {20, 25}),
        ("Two teens were killed: 19-year-old Ray Marsh and 17-year-old Jonah Voss.", {17, 19}),
        ("Rebecca and Kate are grieved for. 18-year-olds Tyler Voss and Damon Marsh were killed.", {18}),
        ("A 28-year-old man was also found at the scene, near Pease Street, with a gunshot wound to the arm.", {28}),
        ("Two 12-year-old boys on spring break and a 60-year-old man were shot.", {12, 60}),
        ("Caught in the crossfire was 20-year-old Eric Marsh of Keizer.", {20}),
        ("An 18-year-old man was walking down the street when two people got out of a van and opened fire.", {18}),
        (
            "Police identified those wounded as Nathan Voss, 29, who was hit twice; Art Marsh, 25; and Karl Reyes.",
            {25, 29},
        ),
    ],
)
def test_ages_of_victims(reader: Reader, told: str, ages: set[int]) -> None:
    reading = reader.read(make_article(text=LEAD + told))
    assert {p["age"] for p in people(reading) if p["role"] == "victim" and "age" in p} == ages


@pytest.mark.parametrize(
    "told",
    [
        "Tyler Voss and Damon Marsh, both 17, were shot in the leg.",
        "The men were identified as Tyler Voss and Damon Marsh, both 17.",
        "They were 17-year-olds Tyler Voss and Damon Marsh.",
    ],
)
def test_age_of_both_goes_to_each(reader: Reader, told: str) -> None:
    reading = reader.read(make_article(text=LEAD + "Two men were shot. " + told))
    assert [p.get("age") for p in people(reading)] == [17, 17]


def test_statistics_by_age_are_nobody(reader: Reader) -> None:
    reading = reader.read(
        make_article(text=LEAD + "A man was shot. Shootings kill most people ages 15-24, police say.")
    )
    assert not [p for p in people(reading) if "age" in p]


def test_age_of_the_title_goes_to_the_only_victim(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            title="15-year-old accidentally shoots self in Salem",
            text="A teen is in critical condition after accidentally shooting himself in Salem on Monday, police said.",
        )
    )
    assert person(reading, role="victim", age=15, condition="critical")


def test_town_in_a_description_is_no_name(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            text=LEAD + "A 24-year-old Cedar Mills woman was shot and killed. Police identified her as Angela Voss."
        )
    )
    assert person(reading, role="victim", name="Angela Voss", age=24)
    assert len(people(reading)) == 1


def test_given_name_that_is_a_month(reader: Reader) -> None:
    reading = reader.read(make_article(text=LEAD + "A gunman shot and killed 38-year-old April Denton at the bar."))
    assert person(reading, role="victim", name="April Denton", age=38, condition="killed")


def test_him_is_whom_the_gunman_approached(reader: Reader) -> None:
    reading = reader.read(
        make_article(text=LEAD + "A masked gunman approached a 22-year-old man and shot him in the arm, police said.")
    )
    assert person(reading, role="victim", age=22, condition="injured")


def test_block_number_is_no_year(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            text="Police were searching on Monday for a gunman after a fatal shooting in Salem.\n\n"
            "A witness heard shots.\n\n"
            "Julian Soto, 17, was pronounced dead at a hospital after the shooting in the 1900 block of Alder Street, police said."
        )
    )
    assert person(reading, role="victim", name="Julian Soto", age=17, condition="killed")


@pytest.mark.parametrize(
    ("told", "condition"),
    [
        (
            "A second deputy fired back, hitting the gunman in the chest, Keller said. "
            "The man was then flown to a trauma center in critical condition.",
            "critical",
        ),
        (
            "Another deputy shot the suspect in the leg. The man was taken to Salem Hospital with serious injuries.",
            "injured",
        ),
        ("The attacker was wounded in the exchange. The man was pronounced dead at Salem Hospital.", "killed"),
        ("Deputies wounded the shooter. He underwent surgery on Tuesday and is expected to survive.", "injured"),
    ],
)
def test_who_is_called_the_suspect_is_no_victim_of_what_befalls_him(reader: Reader, told: str, condition: str) -> None:
    reading = reader.read(
        make_article(
            text="A sheriff's deputy was shot and killed on Monday while answering a call on Alder Street in Salem, "
            f"Sheriff Dana Keller said.\n\nThe deputy was shot in the neck, Keller said. {told}\n\n"
            "The suspect, a 44-year-old man, was known to deputies, Keller said.\n\n"
            "The deputy's name was not released."
        )
    )
    told_of = [p for p in people(reading) if p["role"] != "officer_involved"]
    assert [(p["role"], p.get("age"), p["condition"]) for p in told_of] == [
        ("victim", None, "killed"),
        ("suspect", 44, condition),
    ]


def test_the_victims_of_a_fire_are_named_in_a_row(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            text="Three children were killed in a house fire in Salem, Ore., on Monday.\n\n"
            "Fire Chief Dana Keller said Tuesday the victims of Monday's fire were 4-year-old Ida Maren Holt, "
            "3-year-old Tom Holt and 1-year-old Lena Holt."
        )
    )
    told_of = [(p.get("name"), p.get("age"), p["role"]) for p in people(reading)]
    assert told_of == [("Ida Maren Holt", 4, "victim"), ("Tom Holt", 3, "victim"), ("Lena Holt", 1, "victim")]


def test_the_name_of_a_train_is_no_persons(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            text="A man was killed by a train in Salem, Ore., on Monday. He died when the Cascade Meteor, "
            "heading north, struck him."
        )
    )
    assert [p.get("name") for p in people(reading)] == [None]


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("Police said the man found dead is identified as 18-year-old Salem resident, Bryan Arturo Marsh.", "Bryan Arturo Marsh"),
        ("Cheyanda Donta Woods, a 29-year-old black man, was shot and killed.", "Cheyanda Donta Woods"),
        ("Iris Barrera, a 29-year-old Latina, was shot and killed.", "Iris Barrera"),
        ("Police identified the man who was shot on Monday, in the 900 block of Pond Road, as Stephen Wray Marsh.", "Stephen Wray Marsh"),
        ("Jefferson Marsh, 26, was lying by the side of the road when deputies arrived.", "Jefferson Marsh"),
        ("Carroll Voss owned the shop. \"We miss him,\" said Dana Voss, his niece. Voss was shot in the neck.", "Carroll Voss"),
    ],
)  # fmt: skip
def test_names_of_victims(reader: Reader, told: str, name: str) -> None:
    reading = reader.read(make_article(text=LEAD + told))
    assert [p["name"] for p in people(reading) if p["role"] == "victim"] == [name]


@pytest.mark.parametrize(
    "told",
    [
        "The robbers shot a clerk and robbed a Verde Wireless.",
        "A man is accused of shooting a Good Samaritan.",
        "Cole Marsh, 24, is wanted for assault with a Deadly Weapon after the shooting.",
        "SALEM (CBSSalem) -- A man was shot.",
        "A man was shot near Dudley Terrace.",
        "Capt. Will Keller said Cole Marsh, 22, was arrested on a warrant charging him with murder.",
    ],
)
def test_what_is_no_name_of_a_participant(reader: Reader, told: str) -> None:
    reading = reader.read(make_article(text=LEAD + told))
    assert {p["name"] for p in people(reading) if "name" in p} <= {"Cole Marsh"}


@pytest.mark.parametrize(
    "told",
    [
        "A 24-year-old man who was shot Monday at a shop on Alder Street died Tuesday night, and the case is now a homicide. "
        "Police identified him as Marcus Voss. Voss had been in critical condition since he was found with a wound.",
        "A 24-year-old cyclist who died after he was shot in Salem has been named as Marcus Voss.",
    ],
)
def test_a_death_told_later_is_of_the_person(reader: Reader, told: str) -> None:
    reading = reader.read(make_article(text=LEAD + told))
    assert [(p["name"], p["age"], p["condition"]) for p in people(reading)] == [("Marcus Voss", 24, "killed")]


@pytest.mark.parametrize(
    ("told", "age"),
    [
        ("A 6-year-old boy was playing with a gun when it went off, striking a 4-year-old girl in the head.", 6),
        ("A 16-year-old accidentally discharged a pistol and injured a 21-year-old woman.", 16),
    ],
)
def test_who_let_a_gun_off_is_the_suspect(reader: Reader, told: str, age: int) -> None:
    reading = reader.read(make_article(text=LEAD + told))
    assert [p["age"] for p in people(reading) if p["role"] == "suspect"] == [age]
