"""What is read in stories of many kinds: each written for this project, of invented people and outlets."""

from datetime import date

from tests.extract.builders import known, make_article, people, person

from blotter.extract import Reader
from blotter.model import Notice, ReadingKind


def test_officer_whose_name_is_withheld(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            published="2026-03-03T15:00:00+00:00",
            title="Memphis officer killed answering domestic call",
            text="MEMPHIS, Tenn. -- A Memphis police officer answering a domestic violence call was shot and killed Monday night, "
            "Chief Dana Whitlock said.\n\n"
            "Officers were called at 9:52 p.m. Monday to a home in the 1800 block of Carver Avenue in the Orange Mound neighborhood, "
            "police said. A man ran from the house and opened fire, striking the officer twice, according to police.\n\n"
            "The officer returned fire and hit the suspect in the leg. The suspect, a 24-year-old man, was taken to Regional One Medical Center "
            "in critical condition.\n\n"
            "The officer, whose name has not been released, was 29 years old.\n\n"
            "Mayor Louis Breck asked residents to pray for the family. The last Memphis officer shot and killed in the line of duty was "
            "Officer Terrell Boyd, 41, in 2019.",
        )
    )
    assert reading.kind is ReadingKind.INCIDENT
    assert known(reading, "occurred_date") == date(2026, 3, 2)
    assert known(reading, "occurred_time") == "21:52"
    assert known(reading, "street") == "1800 block of Carver Avenue"
    assert known(reading, "neighborhood") == "Orange Mound"
    assert (known(reading, "city"), known(reading, "state")) == ("Memphis", "Tennessee")
    assert known(reading, "agency") == "Memphis Police Department"
    assert (known(reading, "n_killed"), known(reading, "n_injured")) == (1, 1)
    assert len(people(reading)) == 2, "neither the chief, nor the mayor, nor the officer of 2019"
    assert person(reading, role="victim", name="<withheld>", age=29, condition="killed", occupation="police officer")
    assert person(reading, role="suspect", age=24, condition="critical")


def test_officer_named_a_day_later(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            published="2026-03-04",
            title="Slain officer identified",
            text="The Memphis police officer who was shot and killed Monday night in Orange Mound was identified Tuesday as Renata Okafor, 29.\n\n"
            "Officer Okafor had been with the department for four years.",
        )
    )
    assert person(reading, role="victim", name="Renata Okafor", age=29, condition="killed")
    assert len(people(reading)) == 1
    assert known(reading, "occurred_date") == date(2026, 3, 2)


def test_house_fire(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            published="2026-03-04",
            title="Two dead in Dayton house fire",
            text="DAYTON, Ohio — Two people were killed and a firefighter was injured when a house fire tore through a home on Linwood Street early Tuesday, "
            "the Dayton Fire Department said.\n\n"
            "Crews were called to 412 Linwood Street at about 3:20 a.m. and found flames coming from the second floor. "
            "The victims were identified as Harold Pruitt, 71, and his wife, Joan Pruitt, 68. "
            "The firefighter was treated for smoke inhalation.\n\n"
            "The cause of the fire is under investigation.",
        )
    )
    assert known(reading, "incident_type") == "fire"
    assert known(reading, "occurred_date") == date(2026, 3, 3)
    assert known(reading, "occurred_time") == "03:20"
    assert known(reading, "street") == "412 Linwood Street"
    assert (known(reading, "n_killed"), known(reading, "n_injured")) == (2, 1)
    assert person(reading, role="victim", name="Harold Pruitt", age=71, condition="killed")
    assert person(reading, role="victim", name="Joan Pruitt", age=68, condition="killed")
    assert known(reading, "status") == "investigating"


def test_traffic_crash(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            published="2026-03-05",
            title="Motorcyclist dies in crash near Boise",
            text="BOISE, Idaho (AP) — A 34-year-old man died Wednesday afternoon when his motorcycle collided with a pickup on State Highway 21 near Boise, "
            "Idaho State Police said.\n\nThe crash happened about 4:15 p.m. Marcus Ellery, 34, of Meridian, was pronounced dead at the scene. "
            "The driver of the pickup was not injured.",
        )
    )
    assert "traffic_crash" in str(known(reading, "incident_type"))
    assert (known(reading, "city"), known(reading, "state")) == ("Boise", "Idaho")
    assert (known(reading, "n_killed"), known(reading, "n_injured")) == (1, 0)
    assert person(reading, role="victim", name="Marcus Ellery", age=34, condition="killed")


def test_stabbing_with_arrest_and_charge(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            published="2026-03-06",
            title="Man charged in bar stabbing",
            text="TULSA, Okla. — A man has been charged with second-degree murder after a stabbing outside a Tulsa bar Saturday night, police said.\n\n"
            "Devin Marsh, 27, was arrested Sunday and charged Thursday with second-degree murder and assault with a deadly weapon.\n\n"
            "Police say Marsh stabbed Corey Lindqvist, 31, with a knife during an argument. Lindqvist died at Saint Francis Hospital.",
        )
    )
    marsh = person(reading, role="suspect", name="Devin Marsh", age=27, legal_status="charged")
    assert marsh["charges"] == "second-degree murder"
    assert person(reading, role="victim", name="Corey Lindqvist", age=31, condition="killed")
    assert known(reading, "occurred_date") == date(2026, 2, 28), "the day of the stabbing, not of arrest or charge"
    assert known(reading, "weapon") == "knife"
    assert known(reading, "status") == "charged"
    assert known(reading, "hospital") == "Saint Francis Hospital"


def test_missing_person_found(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            published="2026-03-05",
            title="Missing Duluth teen found safe",
            text="DULUTH, Minn. — A 15-year-old girl who was reported missing Tuesday has been found safe, Duluth police said Wednesday.\n\n"
            "Hanna Lindgren was last seen Tuesday morning near East High School.",
        )
    )
    assert "missing_person" in str(known(reading, "incident_type"))
    assert any(p.get("condition") in ("found", "missing") for p in people(reading))
    assert known(reading, "city") == "Duluth"


def test_incident_abroad(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            published="2026-03-05",
            url="https://harbour.example.co.uk/news",
            title="Man dies after stabbing in Leeds",
            text="A 19-year-old man has died after being stabbed in Leeds, West Yorkshire Police said.\n\n"
            "Officers were called to Harehills Lane at 22:40 on Tuesday. A 20-year-old man has been arrested on suspicion of murder.",
        )
    )
    assert (known(reading, "city"), known(reading, "state"), known(reading, "country")) == (
        "Leeds",
        "England",
        "United Kingdom",
    )
    assert known(reading, "time_zone") == "Europe/London"
    assert known(reading, "occurred_time") == "22:40"
    assert person(reading, role="victim", age=19, condition="killed")
    assert person(reading, role="suspect", age=20, legal_status="arrested")


def test_toll_corrected_downwards(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            published="2026-03-05",
            title="Correction: three, not four, died in mill blast",
            text="Correction: An earlier version of this story gave the wrong death toll.\n\n"
            "Three people were killed in the explosion at the Harlan paper mill on Tuesday, not four as previously reported, the sheriff said.",
        )
    )
    assert reading.notice is Notice.CORRECTION
    assert known(reading, "n_killed") == 3
    assert "explosion" in str(known(reading, "incident_type"))


def test_retraction(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            title="Retraction: report of shooting at Vale Mall",
            text="The Ledger has retracted this story. It said on Monday that a man was shot at Vale Mall. Police say that no shooting took place.",
        )
    )
    assert reading.notice is Notice.RETRACTION


def test_nobody_hurt_is_stated(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            title="Shots fired at empty car in Fresno",
            text="FRESNO, Calif. — Someone fired several shots at a parked car on Palm Avenue on Tuesday night, Fresno police said. No one was injured.",
        )
    )
    assert (known(reading, "n_killed"), known(reading, "n_injured")) == (0, 0)


def test_suspect_counts_among_the_dead(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            title="Deputy wounded, gunman killed in Yuma",
            text="YUMA, Ariz. — A sheriff's deputy was wounded and the gunman was killed in an exchange of gunfire Monday, the Yuma County Sheriff's Office said.",
        )
    )
    assert (known(reading, "n_killed"), known(reading, "n_injured")) == (1, 1)


def test_ages_of_a_plural_make_persons(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            title="Two shot in Peoria",
            text="PEORIA, Ill. — Two men, ages 20 and 25, were shot Tuesday night on Main Street in Peoria, police said. Both were taken to a hospital.",
        )
    )
    assert sorted(int(str(p["age"])) for p in people(reading)) == [20, 25]
    assert known(reading, "n_injured") == 2


def test_relatives_who_speak_are_no_participants(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            title="Teen shot in Toledo",
            text='TOLEDO, Ohio — Jaylen Porter, 16, was shot and wounded Tuesday on Dorr Street, police said. "He is a good kid," said his aunt, Monique Porter. '
            "Neighbor Walter Gibbs heard four shots. Sgt. Ellen Rowe said that no arrests had been made.",
        )
    )
    assert [p["name"] for p in people(reading)] == ["Jaylen Porter"]


def test_the_example_of_the_documentation(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            published="2026-03-02",
            text="A Toledo officer was shot and killed early Monday in the 1100 block of Mulberry Street, Chief Alicia Brandt said. "
            "The chief declined to identify her.",
        )
    )
    incident = {
        f: known(reading, f)
        for f in ("city", "state", "occurred_date", "occurred_time", "street", "n_killed", "n_injured")
    }
    assert incident == {
        "city": "Toledo",
        "state": "Ohio",
        "occurred_date": date(2026, 3, 2),
        "occurred_time": "early_morning",
        "street": "1100 block of Mulberry Street",
        "n_killed": 1,
        "n_injured": 0,
    }
    assert people(reading) == [
        {
            "role": "victim",
            "condition": "killed",
            "occupation": "police officer",
            "gender": "female",
            "name": "<withheld>",
        }
    ]


def test_case_of_another_day_stays_out(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            published="2026-03-04",
            title="Boy, 8, wounded by stray bullet in Salem",
            text="SALEM, Ore. — An 8-year-old boy was shot in the leg on Alder Street on Tuesday night, police said.\n\n"
            "He was taken to Salem Hospital in stable condition.\n\n"
            "The block had been quiet for a while. A man, Lionel Graf, 22, was stabbed to death there on Jan. 14.\n\n"
            "Mira Solberg, 31, was shot and killed outside the same shop in November.",
        )
    )
    assert (known(reading, "n_killed"), known(reading, "n_injured")) == (0, 1)
    assert len(people(reading)) == 1, "neither the dead of January nor those of November"


def test_one_name_in_two_spellings_is_one_person(reader: Reader) -> None:
    reading = reader.read(
        make_article(
            title="Man killed in Salem shooting",
            text="Darryl Venn, 24, was shot and killed on Alder Street on Monday, police said.\n\n"
            "Police said that Daryl Venn died at the scene.",
        )
    )
    assert len(people(reading)) == 1
