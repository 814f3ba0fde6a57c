"""Where it happened: the scene, and not the other places that a page names."""

import pytest
from tests.extract.builders import known, make_article

from blotter.extract import Reader
from blotter.model import Basis


def read_place(
    reader: Reader, text: str, *, title: str = "", url: str = "https://ledger.example/story"
) -> dict[str, object]:
    reading = reader.read(make_article(text=text, title=title, url=url))
    fields = ("street", "landmark", "neighborhood", "city", "county", "state", "country", "time_zone")
    return {field: known(reading, field) for field in fields if known(reading, field) is not None}


@pytest.mark.parametrize(
    ("title", "text", "place"),
    [
        ("Three dead in Barclay rowhouse fire", "Three people died in a fire in Baltimore's Barclay neighborhood late Sunday.", {"city": "Baltimore", "neighborhood": "Barclay"}),
        ("Boy shot in Austin", "A boy was shot in Austin on Monday night, Chicago police said.", {"city": "Chicago", "neighborhood": "Austin"}),
        ("", "A man was shot outside a tire shop in Orange Mound on Monday, Memphis police said.", {"city": "Memphis", "neighborhood": "Orange Mound"}),
        ("Man killed at Hamilton plant", "HAMILTON, Ontario — A man was killed Monday at a Hamilton plant when a load fell from a crane, police said. He was Pawel Nowak, 38, a father of three from Stoney Creek.", {"city": "Hamilton", "state": "Ontario", "country": "Canada"}),
        ("", "A man was shot in Paducah on Monday, Paducah police said. He was taken to a Nashville hospital.", {"city": "Paducah", "state": "Kentucky"}),
        ("Clerk shot - WMC News 5 - Memphis, Tennessee", "A clerk was shot in Jackson on Monday, police in Jackson said.", {"city": "Jackson", "state": "Tennessee"}),
        ("Fresno man charged in Selma stabbing", "A Fresno man was charged with stabbing a woman in Selma on Monday, Selma police said. He is held at a jail in Hanford.", {"city": "Selma", "state": "California"}),
        ("Girl shot on South Side", "A girl was shot on the South Side on Monday, according to Chicago Police.", {"city": "Chicago"}),
        ("", "A woman was shot in Brooklyn on Monday, New York police said.", {"city": "Brooklyn", "state": "New York"}),
        ("Woman dies after M6 crash", "A woman has died after a crash on the M6 near Stafford on Monday, Staffordshire Police said.", {"city": "Stafford", "county": "Staffordshire", "state": "England", "country": "United Kingdom", "street": "M6", "time_zone": "Europe/London"}),
        ("", "Gardaí are investigating after a man died in a house fire in Loughrea, Co Galway, on Monday.", {"city": "Loughrea", "county": "County Galway", "country": "Ireland"}),
        ("", "PUNE: Four workers were killed in a fire at a factory in Maharashtra's Pune district on Tuesday, police said.", {"city": "Pune", "state": "Maharashtra", "country": "India"}),
        ("", "Two people died in a crash on the Western Highway at Stawell, in western Victoria, on Monday. Victoria Police are investigating.", {"city": "Stawell", "state": "Victoria", "country": "Australia"}),
        ("", "Two people are dead after a crash on Highway 11 near Orillia, Ont., on Monday, OPP said.", {"city": "Orillia", "state": "Ontario", "street": "Highway 11"}),
        ("Explosion at Houston plant", "An explosion at a plant in Pasadena, east of Houston, killed three workers on Monday, officials in Texas said.", {"city": "Pasadena", "state": "Texas"}),
        ("", "Three people were killed in a crash on Interstate 95 near mile marker 52 in Fayetteville, North Carolina, on Monday, police said.", {"street": "Interstate 95 near mile marker 52"}),
        ("", "A 34-year-old hiker was last seen Saturday in Zion National Park, Utah, police said. The missing hiker is from Portland, Oregon.", {"city": None, "state": "Utah", "time_zone": "America/Denver"}),
        ("", "A tornado hit Morgan County, Tennessee, on Monday and killed a woman. Homes in Deer Lodge were damaged.", {"state": "Tennessee"}),
        ("", "BROOKINGS, Ore. — Two people died in a plane crash near Brookings on Monday. Both were from Del Norte County, California.", {"city": "Brookings", "state": "Oregon"}),
        ("", "SALEM, MASS. (WBXX) - A woman died in a fire in Salem on Monday, officials said.", {"city": "Salem", "state": "Massachusetts"}),
        ("", "MEMPHIS Crews were called to a fire on Monday. A woman had been killed, officials said.", {"city": "Memphis", "state": "Tennessee"}),
        ("Gas explosion levels home", "An explosion leveled a Fort Worth duplex on Monday and hurt a man, officials said. Crews smelled gas in the street.", {"city": "Fort Worth"}),
        ("", "A Lancaster, Pennsylvania, man was killed when his truck left the road near Dover on Monday, Delaware State Police said.", {"city": "Dover", "state": "Delaware"}),
        ("", "SMALLVALE — A boy was shot at his home in Smallvale, Pa., on Monday, state police said.", {"city": "Smallvale", "state": "Pennsylvania"}),
        ("", "A cyclist was killed in a collision in Sheffield on Monday, South Yorkshire Police said. It happened on Ecclesall Road in Sheffield, England. The road was closed between Hunters Bar Road and Psalter Lane.", {"city": "Sheffield", "street": "Ecclesall Road", "time_zone": "Europe/London"}),
    ],
)  # fmt: skip
def test_the_scene_outranks_other_places(reader: Reader, title: str, text: str, place: dict[str, object]) -> None:
    found = read_place(reader, text, title=title)
    assert {field: found.get(field) for field in place} == place


def test_an_outlet_named_for_a_city_places_its_neighborhoods_weakly(reader: Reader) -> None:
    text = "A man was shot in the South Shore neighborhood on Monday night, police said."
    reading = reader.read(make_article(text=text, url="https://www.chicagoledger.example/story"))
    claim = next(c for c in reading.claims if c.field == "city")
    assert (claim.value, claim.basis) == ("Chicago", Basis.INFERRED)
    assert claim.confidence < 0.5
    assert "city" not in read_place(reader, text), "nothing tells which city"
