"""How many were killed and hurt: numbers, lists, and one person told of in two ways."""

import pytest
from tests.extract.builders import known, make_article

from blotter.extract import Reader
from blotter.model import ReadingKind

LEAD = "Police were called to a shooting on Alder Street in Dayton on Monday night. "


@pytest.mark.parametrize(
    ("told", "killed", "injured"),
    [
        ("A woman and two children were killed.", 3, 0),
        ("Two adults, two children were found dead.", 4, 0),
        ("Three people, a man, a woman and a child, were killed.", 3, 0),
        ("The shooting killed one man and injured three others.", 1, 3),
        ("One man was killed and another injured.", 1, 1),
        ("One dead, four injured after shots on Alder Street.", 1, 4),
        ("A gunman fatally wounded a 17-year-old boy and injured five others.", 1, 5),
        ("Four victims, three juveniles and one adult, suffered gunshot wounds.", 0, 4),
        ("Three others were hospitalized, two in critical condition and one with minor injuries.", 0, 3),
        ("Five people were shot, one of them fatally.", 1, 4),
        ("Gunfire on Alder Street killed two men and left two others injured.", 2, 2),
        ("The shots killed a 21-year-old man and left three of his cousins seriously wounded.", 1, 3),
        ("The man killed three people and then himself.", 4, 0),
        ("Three children under the age of 12 are dead.", 3, 0),
        ("A woman was killed by a train. None of the 144 passengers on board the train were injured.", 1, 0),
        ("A woman was killed in the fire. Five deceased cats were found in the kitchen.", 1, 0),
        ("The fire forced nine people from their homes and left two firefighters injured.", 0, 2),
        ("The blast tore through the house, killing one occupant and injuring another.", 1, 1),
        ("One of three women who were shot has died.", 1, 2),
        ("A father of four was shot and killed.", 1, 0),
        ("A man was killed and six people, including two children, were wounded.", 1, 6),
        ("A 6-year-old boy shot and critically injured his 8-year-old sister.", 0, 1),
        ("A man and a woman were taken to a hospital, where they later died.", 2, 0),
        ("A man tried to kill his neighbor, who was stabbed in the arm.", 0, 1),
        ("A third victim of the shooting has died.", 3, 0),
        ("A woman was shot by her son, then taken to a hospital in stable condition.", 0, 1),
    ],
)
def test_numbers_and_lists(reader: Reader, told: str, killed: int, injured: int) -> None:
    reading = reader.read(make_article(text=LEAD + told))
    assert (known(reading, "n_killed"), known(reading, "n_injured")) == (killed, injured)


def test_who_was_hit_is_who_was_killed(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            title="Salem man killed in hunting accident",
            text="A Salem man was killed on Saturday while hunting near Alder Creek, the sheriff said.\n\n"
            "Orrin Vasko, 63, was hit in the chest by a shot from another hunter, deputies said.",
        )
    )
    assert (known(reading, "n_killed"), known(reading, "n_injured")) == (1, 0)


def test_one_who_recovers_is_not_who_was_killed(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            title="Man killed in Salem shooting",
            text="A man was shot and killed on Saturday on Alder Street, police said.\n\n"
            "Orrin Vasko, 63, was hit in the chest and was in stable condition on Sunday, police said.",
        )
    )
    assert (known(reading, "n_killed"), known(reading, "n_injured")) == (1, 1)


def test_those_also_hurt_come_to_those_told_of_before(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            text="A house fire on Linwood Street in Dayton injured a boy on Monday night. The 9-year-old boy was in critical condition.\n\n"
            "A man and a firefighter were also injured in the fire, the chief said."
        )
    )
    assert known(reading, "n_injured") == 3


def test_persons_of_sentences_apart_are_no_number(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            title="Teen shot dead in Salem identified",
            text="A teenager was shot and killed on Alder Street in Salem on Monday, police said.\n\n"
            "Police identified the victim as Dario Kemp, 17, and asked for witnesses.\n\n"
            "The shooting was in retaliation, neighbors said, for the killing of Lionel Graf, 22, on Pine Street.",
        )
    )
    assert known(reading, "n_killed") == 1


def test_a_headline_that_goes_on_to_the_hurt_does_not_count_them_dead(reader: Reader) -> None:
    text = "A father was killed and four other people were hurt in Salem on Monday, police said."
    reading = reader.read(make_article(title="Father Killed and 4 Others Hurt in Salem Shooting", text=text))
    assert (known(reading, "n_killed"), known(reading, "n_injured")) == (1, 4)


def test_gunman_who_dies_with_his_victims_is_counted(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            text="A gunman killed three people at a home in Salem on Monday and then turned the gun on himself, police said."
        )
    )
    assert known(reading, "n_killed") == 4


def test_yearly_counts_are_not_those_of_the_incident(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            text="A man was struck and killed by a train in Dayton, Ohio, on Monday, police said.\n\n"
            "The tracks were closed for two hours.\n\nStatewide, 20 people died on railroads in 2024, the most recent year on record. "
            "Eleven people died while walking on the tracks, and nine died at crossings."
        )
    )
    assert known(reading, "n_killed") == 1


def test_an_officer_and_the_man_who_shot_him_are_two(reader: Reader) -> None:
    text = (
        "An officer was fatally shot in Salem on Monday night, police said. The officer, 34, died at the scene.\n\n"
        "Other officers fired back, killing the suspect, who was 21."
    )
    assert known(reader.read(make_article(text=text)), "n_killed") == 2


def test_a_title_tells_who_was_hurt_where_the_text_does_not(reader: Reader) -> None:
    text = "A deputy is back home in Salem after a mishap with his pistol on Monday, the sheriff said."
    reading = reader.read(make_article(title="Deputy leaves hospital after accidentally shooting himself", text=text))
    assert known(reading, "n_injured") == 1


def test_the_shootings_of_a_weekend_are_told_apart(reader: Reader) -> None:
    text = (
        "Four men were shot, one fatally, in weekend shootings across Dayton, police said.\n\n"
        "A 30-year-old man was shot to death at 9:15 p.m. Saturday in the 1200 block of Alder Street.\n\n"
        "Three men were wounded at 2:30 a.m. Sunday in the 400 block of Linwood Avenue."
    )
    reading = reader.read(make_article(title="1 dead, 3 wounded in weekend shootings across Dayton", text=text))
    assert reading.kind is ReadingKind.ROUNDUP
    assert [c.value for c in reading.claims if c.field == "n_killed"] == [1, 0]
