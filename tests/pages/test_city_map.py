"""A map of known cities lies right: north is up, distances are true, and nothing breaks at the edges of the world."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blotter_airflow.pages.city_map import HEIGHT, WIDTH, draw_map

TOLEDO = (41.66394, -83.55521)


def test_cities_lie_where_they_are() -> None:
    drawn = draw_map(*TOLEDO)
    by_name = {city.name: city for city in drawn.cities}
    perrysburg = by_name["Perrysburg"]
    assert perrysburg.distance_km == pytest.approx(13, abs=3)
    assert perrysburg.direction in ("south", "south-west")
    assert perrysburg.y > drawn.y
    assert by_name["Toledo"].is_here
    assert drawn.cities[0].name == "Toledo"


@given(st.floats(-89.9, 89.9), st.floats(-180, 180))
def test_every_place_of_the_world_has_a_map(latitude: float, longitude: float) -> None:
    drawn = draw_map(latitude, longitude)
    assert len(drawn.meridians) <= 8
    assert len(drawn.parallels) <= 8
    assert 0 < drawn.bar_width < WIDTH / 2
    for city in drawn.cities:
        assert 0 <= city.x <= WIDTH
        assert 0 <= city.y <= HEIGHT


def test_across_the_date_line_is_near() -> None:
    suva = draw_map(-16.5, 179.9)
    assert all(city.distance_km < 2_000 for city in suva.cities)
