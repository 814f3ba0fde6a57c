"""Where it happened: from the block to the country.

Belongs here: finding every mention of a place, weighing them, and settling city, county, region and country together, so
that each supports the other. Does not belong here: what is known of places beforehand (`gazetteer`).
"""

import math
import re
from collections import defaultdict
from dataclasses import dataclass, field

from blotter.extract.gate import gated
from blotter.extract.gazetteer import City, County, Cue, Gazetteer, Region, distance_km, normalize_place
from blotter.extract.patterns import compile_pattern
from blotter.extract.scene import Scene, Sentence

_CAP = r"[^\W\d_a-zß-öø-ÿ][\w’'\-]*\.?"
_PLACE_RUN = compile_pattern(
    rf"(?<![\w@#/])(?:(?:St|Ste|Ft|Mt)\.\s)?{_CAP}(?:[ \u00a0](?:(?:of|de|la|del|du|sur|upon|am|on)[ \u00a0])?{_CAP})*"
)
_DATELINE = compile_pattern(
    r"(?P<city>(?:(?:St|Ste|Ft|Mt|ST|FT|MT)\.\s)?[A-Z][A-Za-z.'’\-]+(?:[ ](?:of\s)?[A-Z][A-Za-z.'’\-]+){0,3})"
    r"(?:,\s*(?P<region>[A-Z][A-Za-z.]+(?:\s[A-Z][A-Za-z.]+)?))?,?\s*(?:\((?:[A-Z][\w/ .,&;:-]{1,40})\)\s*(?:[—–:-]+|\s)|\s[—–-]{1,3}\s|[—–]|\s?--\s?|:\s(?=[A-Z]))"
)
# "HOUSTON Investigators are looking": the dash was lost.
_BARE_DATELINE = compile_pattern(
    r"(?P<city>[A-Z]{4,}(?:\s[A-Z]{3,}){0,2})(?:,\s*(?P<region>[A-Z][A-Za-z.]+))?\s(?=[A-Z][a-z]+\s)"
)
_CAPITALS_LAST = compile_pattern(r"[a-z]\s((?:[A-Z]{3,}\s?)+)$")
_FORCES = frozenset(
    "police pd mayor sheriff's sheriffs sheriff officer officers firefighters detectives homicide authorities department cops".split()
)
# "Dayton fire crews" are a force; "the Barclay fire" is an event.
_FIRE_FORCES = frozenset(
    "department dept dept. officials crews chief marshal rescue investigators investigator service brigade captain lt lt. battalion district authorities".split()
)
_RESIDENTS = frozenset(
    "man woman teen teenager boy girl resident residents couple native family mother father toddler student men women teens youth child baby infant mom dad driver".split()
)
_EVENTS = frozenset(
    "shooting shootings stabbing stabbings homicide homicides wreck derailment wildfire drownings murder murders slaying killing killings robbery crash fire blaze explosion attack standoff drowning collision ambush massacre fatal double triple quadruple".split()
)
_SITES = frozenset(
    "home house mobile duplex townhouse residence residential condo trailer apartment neighborhood nightclub club bar motel hotel restaurant store street intersection parking suburb gas convenience mall plant factory warehouse school church park building office".split()
)
_CARE = frozenset("hospital hospitals medical trauma regional children's children’s general burn".split())
_CALENDAR = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february march april june july august september october november december morning afternoon evening night christmas thanksgiving easter halloween".split()
)
_SKIP_AFTER = frozenset(
    "street st avenue ave road rd drive dr boulevard blvd lane ln court ct place pl way highway hwy parkway pkwy circle terrace trail square bridge county university college hospital "
    "high elementary middle school medical center mall park church club bar hotel inn motel apartments house hall stadium airport creek river lake street's heights "
    "times tribune herald journal post news gazette chronicle sun star press examiner observer dispatch enquirer inquirer avenue's plaza theatre theater "
    "community memorial regional general casino village".split()
)
_SKIP_BEFORE = frozenset(
    "mount lake fort port north south east west new san santa los las el la de le saint st mr mrs ms dr".split()
)
_DIRECTIONS = frozenset(
    "north south east west northeast northwest southeast southwest downtown central greater northern southern eastern western metro".split()
)

_SUFFIX = r"(?:Street|St|Avenue|Ave|Av|Road|Rd|Drive|Dr|Boulevard|Blvd|Lane|Ln|Court|Ct|Place|Pl|Way|Highway|Hwy|Parkway|Pkwy|Circle|Cir|Terrace|Ter|Trail|Pike|Turnpike|Alley|Loop|Run|Square|Plaza|Row|Crossing|Expressway|Freeway|Causeway|Broadway|Path|Ridge|Trace|Crescent|Close)(?!\s(?:Apartments?|Apts|Mall|Park\b|School|Elementary|High|Middle|Hospital|Church|Manor|Village|Estates|Mobile|Homes|Patrol|Shopping|Townhomes|Condominiums))"
_DIR = r"(?:(?:North|South|East|West|Northeast|Northwest|Southeast|Southwest|[NSEW]|NE|NW|SE|SW|N\.E|N\.W|S\.E|S\.W)\.?\s+)"
_STREET_NAME = rf"(?:{_DIR}?(?:(?:the\s)?\d{{1,3}}(?:st|nd|rd|th)|[A-Z][\w’'.\-]*)(?:\s+(?:[A-Z][\w’'\-]*|of\s+the|de\s+la|de|la|\d{{1,3}}(?:st|nd|rd|th))){{0,4}}?)"
_ROAD = r"(?:(?:Interstate|I|U\.?S\.?|US|Route|Rt\.?|State Route|State Road|SR|Highway|Hwy\.?|County Road|CR|M|FM|Loop|Exit|Texas|A)[ -](?:Highway |Hwy\.? |Route )?\d{1,4}[A-Z]?\b|(?<=the )[MAN]\d{1,3}\b)(?: (?:North|South|East|West)(?:bound)?\b)?(?:,? (?:at|near) (?:[Mm]ile [Mm]arker|[Mm]ilepost|[Ee]xit) \d+)?"
_NAMED_STREET = rf"{_STREET_NAME}\s+{_SUFFIX}\b\.?(?:\s+(?:N|S|E|W|NE|NW|SE|SW|North|South|East|West|Northeast|Northwest|Southeast|Southwest)\b\.?)?"
_STREETS = gated(
    rf"(?=[A-Z\d])(?:(?P<block>(?:\d[\d,]*|\w+[- ]hundred)(?:\s*(?:-|th\s)?\s*)[Bb]lock\s+of\s+(?:{_NAMED_STREET}|{_ROAD}|{_DIR}?(?:\d{{1,3}}(?:st|nd|rd|th)|[A-Z][\w’'.\-]*)(?:\s+[A-Z][\w’'\-]*){{0,3}}))"
    rf"|(?P<corner>(?:{_NAMED_STREET}|{_ROAD}|{_DIR}?[A-Z0-9][\w’'.\-]*(?:\s[A-Z][\w’'.\-]*){{0,2}})\s+(?:and|&|at|near)\s+(?:{_STREET_NAME}\s+(?:[Ss]treets|[Aa]venues|[Rr]oads|[Dd]rives|{_SUFFIX})\b\.?|{_ROAD}))"
    rf"|(?P<meet>(?<=intersection\sof\s)(?:{_STREET_NAME}|{_ROAD})(?:\s+{_SUFFIX}\b\.?)?\s+(?:and|&)\s+(?:{_STREET_NAME}|{_ROAD})(?:\s+{_SUFFIX}\b\.?)?|(?<=corner\sof\s)(?:{_STREET_NAME}|{_ROAD})(?:\s+{_SUFFIX}\b\.?)?\s+(?:and|&)\s+(?:{_STREET_NAME}|{_ROAD})(?:\s+{_SUFFIX}\b\.?)?)"
    rf"|(?P<number>\b\d{{1,5}}(?:-\d+)?\s+{_NAMED_STREET})"
    rf"|(?P<plain>{_NAMED_STREET})"
    rf"|(?P<road>\b{_ROAD}))",
    0,
)
# The pattern above is tried at every capital letter and digit; a sentence without one of these has no street.
_LOCATED = compile_pattern(
    r"\b(?:in|near|outside|of|around|at|across|from|to|downtown|north|south|east|west|northeast|northwest|southeast|southwest|central|nearby|suburban)$"
)
_THE_BEFORE = compile_pattern(r"(?:\bthe|['’]s)\s$", re.I)
_A_BEFORE = compile_pattern(r"\b(?:[Aa]n?|[Tt]his|[Oo]ne)\s(?:[a-z]+\s)?$")
_ORDINAL_BEFORE = compile_pattern(r"\d(?:st|nd|rd|th)\s$")
_BARE_LEAST = 20_000  # people of a city that is believed by its name alone
_CITY_BEFORE = compile_pattern(r"[A-Z][\w’'.-]+,\s$")
_LAST_RESORT = 0.1  # the site's own name, a hospital's or a home town: better than nothing where nothing else is named
_WORD = compile_pattern(r"\S+")
_OF_PERSON = compile_pattern(r"['’](?:s?\s(?:death|killing|shooting|slaying|murder|case|disappearance|arrest)\b|\s)")
_POSSESSIVE = ("'s", "’s")
_AREA = r"(?:\s(?:the|far|north|south|east|west|northeast|northwest|southeast|southwest|downtown|central|nearby|suburban|rural|unincorporated|city\sof|town\sof|village\sof)){0,3}"
_IN_BEFORE = compile_pattern(rf"\bin{_AREA}$")
_NEAR_BEFORE = compile_pattern(r"\b(?:near|outside|city of|town of|village of|around|at|across|inside|of downtown)$")
_OF_BEFORE = compile_pattern(r"\bof$")
_HARM_BEFORE = compile_pattern(
    r"\b(?:shot|shooting|shootings|killed|killing|stabbed|stabbing|wounded|injured|crash|crashed|fire|blaze|robbery|robbed|homicide|murder|slaying|attack|attacked|drowned|explosion|incident|happened|occurred|dead|died|found|collision|struck)\b[^.;]{0,45}$"
)
# Where someone lives, and where they were taken, arrested, tried or buried, it did not happen.
_HOME_OF_BEFORE = compile_pattern(
    r"(?:\d,?\s(?:both\s|all\s|who\sis\s)?(?:of|from)|,\s(?:both\s|all\s)?(?:of|from)|\b(?:man|woman|boy|girl|teen|teenager|resident|native|father|mother|residents)\s(?:of|from)|\b(?:lives?|lived|living|born|raised|grew\sup|moved|native)\s(?:in|to|of|from)|\bnative\sof|\bfrom)$"
)
_AWAY_BEFORE = compile_pattern(
    r"\b(?:miles?|kilomet(?:er|re)s?|minutes|hours?)(?:\s(?:north|south|east|west|away|outside|up|down)\w*)?\s(?:of|from)(?:\sdowntown)?$"
)
# "in Pasadena, east of Houston"
_BY_A_LARGER = compile_pattern(
    r",\s(?:(?:about|some|just|roughly)\s)?(?:\w+\smiles?\s(?:\(\d[^)]*\)\s)?)?(?:(?:north|south|east|west|northeast|northwest|southeast|southwest)\sof|near|outside|a\ssuburb\sof|(?:a\s)?suburban)\s"
)
_BEARING_BEFORE = compile_pattern(r"\b(?:north|south|east|west|northeast|northwest|southeast|southwest)\sof$")
_OFFICE_BEFORE = compile_pattern(
    r"\b(?:university|college|school|courthouse|court|office)\b[^.,;]{0,20}\b(?:in|of|at|near)$"
)
_ELSEWHERE_BEFORE = compile_pattern(
    r"(?:\b(?:hospital|medical\scent(?:er|re)|trauma\scenter|center|clinic|morgue|funeral\shome|mortuary|cemetery|jail|prison|correctional\sfacility|barracks|headquarters|state\spolice|affiliate|station|examiner['’]s\soffice|autops(?:y|ies)|arrested|captured|apprehended|caught|custody|surrendered|purchased|bought|sold|meeting|conference|vigil|funeral|services?|buried|trial|judge|hearing|taken|flown|airlifted|transported|rushed|transferred|driven|headed|extradited|fled)\b[^.,;]{0,26}\b(?:in|of|to|at|near|from)(?:\san?|\sthe)?|\b(?:taken|flown|airlifted|transported|rushed)\s(?:\w+\s){0,2}to\san?)$"
)
_WASHINGTON = gated(r"(?<!Washington,\s)(?<!\w)D\.C\.(?=\s|,|$)", 0)
_STREET_BEFORE = compile_pattern(
    r"\b(?:block|blocks|hundred)\s(?:of\s)?(?:(?:[NSEW]|North|South|East|West)\.?\s)?$", re.I
)
_STREET_AFTER = compile_pattern(r"\s(?:Elementary|High|Middle|Avenue|Ave|Street|St|Road|Rd|Drive|Dr|Boulevard|Blvd)\b")
_SITE_BEFORE = compile_pattern(r"\s(?:-|\||»|«|::|–|—)\s")  # what follows in a title is the site's name
_STATION = compile_pattern(r"\b(?:abc|nbc|cbs|fox|cw|news|my)\s?(ct|dc|nj|ny)\b")
_DOMAINS = {"uk": "GB", "au": "AU", "nz": "NZ", "ie": "IE", "za": "ZA", "bbc": "GB", "cbc": "CA"}
_STREET_HINT = gated(
    r"street|avenue|road|drive|boulevard|blvd| lane|court|place| way|highway| hwy|parkway| pkwy|circle|terrace|trail| pike|turnpike|alley| loop"
    r"| run|square|plaza| row|crossing|expressway|freeway|causeway|broadway| path|ridge|trace|crescent|close| ave| av | st | st\.| rd| dr | dr\.| ln| ct | pl | cir | ter "
    r"|block|interstate| i-|u\.s\. |us |route| rt | sr | cr |exit|texas| fm |the m|the a|corner|intersection"
)
_HOME_BEFORE = compile_pattern(
    r"(?:,\s(?:both\s|all\s)?(?:of|from)|who lives? (?:on|in|at|near)|resident of|\d,?\s+of|headquarters (?:at|on)|mailed to|lived (?:on|in)|(?:vigil|funeral|service|visitation|church)\s[^.]{0,40}(?:on|at|in))\s+(?:the\s+)?$",
    re.I,
)
_AT_BEFORE = compile_pattern(
    r"(?:\b(?:in|on|at|near|along|off|to|outside|inside|around|between|from|of|onto|into))\s+(?:the\s+)?(?:area\s+of\s+|intersection\s+of\s+|corner\s+of\s+|home\s+(?:in|on|at)\s+(?:the\s+)?)?$",
    re.I,
)
_CLOSED_BEFORE = compile_pattern(r"\b(?:closed|reopened|blocked|shut|diverted|detoured|cordoned)\b[^.;]{0,40}$", re.I)
_NEIGHBORHOOD = gated(
    rf"(?P<name>{_CAP}(?:[ /-]{_CAP}){{0,3}})(?:\s(?:residential\s)?(?:neighbou?rhood|subdivision|community|slum|favela|suburb(?!\sof)|township(?!\sof)|section(?:\sof)?|area\sof|district(?!\s(?:attorney|court|judge|council))))|(?:neighbou?rhoods?|[A-Z][a-z]+\s(?:suburb|district|borough))\sof\s(?P<of>{_CAP}(?:[ /-]{_CAP}){{0,3}})",
    0,
)
_PLAIN_PART = gated(
    rf"(?<!arrested\s)\bin\s(?P<name>{_CAP}\s{_CAP}|[A-Z][a-z]{{4,}})(?=[,.;]|\s(?:on|at|when|after|early|late|shortly|just|around|about)\b)",
    0,
)
_SIDE = gated(
    rf"\b(?:in|on)\s(?:the\s(?:city['’]s\s)?|{_CAP}['’]s\s)(?P<name>(?:{_CAP}\s){{1,2}}(?:End|Side|Heights|Hill|District|Quarter|Bottoms|Flats|Point|Row))\b(?!\s(?:High|Elementary|Middle|School|Hospital|Police|Court|Attorney|Avenue|Road|Street))",
    0,
)
_LANDMARK = gated(
    rf"\b(?:at|outside|inside|near|in|of|to|behind)\s+(?:(?:a|an)\s)?(?:the\s+)?(?P<name>{_CAP}(?:\s(?:{_CAP}|of|the|at|and|&)){{0,5}}?\s(?:Apartments?|Apts|School|Academy|University|College|Mall|Park|Church|Temple|Mosque|Bar|Grill|Lounge|Club|Nightclub|Tavern|Restaurant|Motel|Hotel|Inn|Casino|Store|Market|Plaza|Center|Centre|Station|Airport|Bridge|Cemetery|Stadium|Arena|Theater|Theatre|Library|Villas?|Homes|Gardens|Manor|Towers?|Lake|River|Beach|Creek))\b",
    0,
)
_PHONE = gated(r"(?<![\d-])\(?(\d{3})\)?[\s.-]{1,2}\d{3}[-.\s]\d{4}(?!\d)", 0)
_BLANKS = compile_pattern(r"\s+")
_BEFORE_STREET = compile_pattern(r"(?:(?:The|In|On|At|Near|Police|Officers|From|Along|Outside|Between|Inside)\s+)+")
_NO_STREET = compile_pattern(
    r"\b(?:Wall Street|Main Street America|Sesame Street|Downing Street|First Place|Second Place|High Court|Supreme Court|District Court|Circuit Court|Superior Court|Magistrate Court|Municipal Court|Criminal Court|County Court|City Court|Federal Court|Justice Court|Appeals Court|Juvenile Court|Provincial Court|Crown Court)"
)
_COURT_OF_LAW = compile_pattern(
    r"(?:County|District|Circuit|Superior|Municipal|Magistrate|Criminal|Federal|Supreme|State|City|Justice|Juvenile|Common|General|Appeals|Immigration|Family|Probate|Traffic|Magistrates?['’]?|Crown|High|Provincial|Sessions)\s+Court$"
)
_TITLED = compile_pattern(r"(?:Dr|St|Mr|Mrs)\.?\s")
_HYPHENED_BLOCK = compile_pattern(r"(?<=\d)-(?=[Bb]lock)")
_MEDICAL = compile_pattern(r"hospital|medical|health|trauma|surgery|clinic|infirmary|children['’]s\scent", re.I)


def _is_home(mention: "PlaceMention") -> bool:
    """Say whether a place is told of as where someone comes from."""
    before = mention.sentence.text[: mention.start - mention.sentence.start].rstrip()
    return _HOME_OF_BEFORE.search(before[-60:]) is not None


def _drop_possessive(name: str) -> str:
    return name[:-2] if name.endswith(_POSSESSIVE) else name[:-1] if name.endswith(("'", "’")) else name


@dataclass(slots=True)
class PlaceMention:
    """A span that names a place, with the sentence it stands in and how strongly it speaks for being the scene."""

    text: str
    start: int
    end: int
    sentence: Sentence
    weight: float
    region: Region | None = None  # "Elgin, Ill."
    how: str = ""


@dataclass(slots=True)
class Places:
    """What the article says of the place; each with the mention that says so."""

    city: PlaceMention | None = None
    city_name: str | None = None
    city_record: City | None = None
    is_city_inferred: bool = False  # from the outlet's name and a neighborhood
    county: PlaceMention | None = None
    county_name: str | None = None
    region: PlaceMention | None = None
    region_name: str | None = None
    is_region_stated: bool = False
    country_name: str | None = None
    country: PlaceMention | None = None
    is_country_stated: bool = False
    streets: list[tuple[str, PlaceMention]] = field(default_factory=list)
    neighborhood: PlaceMention | None = None
    landmark: PlaceMention | None = None
    latitude: float | None = None
    longitude: float | None = None
    time_zone: str | None = None
    is_ambiguous: bool = False


class PlaceReader:
    """Reads the place of an article's incident."""

    def __init__(self, gazetteer: Gazetteer, edges: frozenset[str]) -> None:
        self.gazetteer = gazetteer
        self._edges = edges
        self._leads = edges - {"st", "st.", "la", "el"}  # begin no name of a place
        self._no_places = self._leads | _CALENDAR  # alone
        self._parts: frozenset[str] = frozenset()
        self._surnames: set[str] = set()
        self._abroad_cues: set[str] = set()
        self._names_in_hosts = [(re.sub(r"\W", "", r.name.lower()), r) for r in gazetteer.postal.values()]
        states = sorted(gazetteer.region_names, key=len, reverse=True)
        self._state_after = compile_pattern(
            r",\s*(?P<state>"
            + "|".join(re.escape(s) for s in states)
            + r"|[A-Z]{2}\b)(?=[\s,.;:)—–\-]|$)(?!\s(?:County|Parish|Avenue|Street|Road))"
        )
        self._state_alone = gated(
            r"(?<![\w.])(?:" + "|".join(re.escape(s) for s in states if len(s) > 3 and not s.endswith(".")) + r")\b",
            0,
        )
        abroad = sorted(gazetteer.counties_abroad, key=len, reverse=True)
        self._abroad = gated(r"(?<!New\s)(?<![\w.])(?:" + "|".join(re.escape(c) for c in abroad) + r")(?!\w)", 0)
        cues = sorted(gazetteer.cues, key=len, reverse=True)
        self._cue = gated(r"(?<!\w)(?:" + "|".join(re.escape(c) for c in cues) + r")(?!\w)", 0)
        countries = sorted((c for c in gazetteer.countries if len(c) > 3), key=len, reverse=True)
        self._country = gated(r"(?<![\w.])(?:" + "|".join(re.escape(c) for c in countries) + r")(?!\w)", 0)

    def read(self, scene: Scene, hints: str) -> Places:
        """Settle the place; `hints` is the source's own name, where its region may show."""
        found = Places()
        self._parts = self._find_parts(scene)
        self._surnames = {
            word.lower()
            for sentence in scene.sentences
            for mention in sentence.mentions
            if mention.kind == "name" and " " in (mention.name or "")
            for word in (mention.name or "").split()
        }
        cities, counties = self._find_mentions(scene)
        regions = self._find_regions(scene)
        cues = [self.gazetteer.cues[m.group()] for s in scene.telling for m in self._cue.finditer(s)]
        self._add_abroad(scene, counties, {c.country for c in cues}, hints)
        self._settle(found, scene, cities, counties, regions, cues, hints)
        self._read_streets(found, scene)
        self._read_parts(found, scene)
        if found.neighborhood is not None and (found.city is None or found.city.weight <= 2 * _LAST_RESORT):
            self._place_by_outlet(found, hints)
        if found.time_zone is None and found.region_name in self.gazetteer.region_names:
            found.time_zone = self.gazetteer.region_zone(self.gazetteer.region_names[found.region_name])
        return found

    def _place_by_outlet(self, found: Places, hints: str) -> None:
        """Take the city that the outlet is named for, where the page names a neighborhood and no city at all."""
        homes = [
            c for word in re.findall(r"[a-z]{5,}", hints) if (c := _find_city_in(word, self.gazetteer)) is not None
        ]
        region = self.gazetteer.region(homes[0]) if homes else None
        if region is None or found.region_name not in (None, region.name):
            return
        record = homes[0]
        found.city, found.city_name, found.city_record = found.neighborhood, _nice_name(record.name, record), record
        found.latitude, found.longitude, found.time_zone = record.latitude, record.longitude, record.timezone
        found.is_city_inferred = True
        if found.region_name is None:
            found.region, found.region_name = found.neighborhood, region.name
        found.country_name = self.gazetteer.country_names.get(record.countrycode)

    def _find_parts(self, scene: Scene) -> frozenset[str]:
        """Give the names, in small letters, that the page calls a neighborhood."""
        return frozenset(
            name.lower()
            for sentence in scene.sentences
            for match in _NEIGHBORHOOD.finditer(sentence)
            if (name := self._read_part_name(match)) is not None
        )

    def _read_part_name(self, match: re.Match[str]) -> str | None:
        """Give the neighborhood that a match names; "a Raleigh neighborhood" names a city."""
        whole = match.group("name") or match.group("of")
        name = re.sub(r"^(?:The|In|A|Police)\s", "", re.split(r"['’]s\s", whole)[-1]).rstrip(".")
        before = match.string[: match.end("name") - len(name)] if match.group("name") else "the "
        is_city = any(city.population >= 20_000 for city in self.gazetteer.cities(name))
        if (
            not name
            or name.lower() in ("the", "a", "in", "this", "police")
            or name.lower().endswith(("side", "police"))
        ):
            return None
        if _A_BEFORE.search(before) or (is_city and not _THE_BEFORE.search(before)):
            return None
        return name

    # mentions

    def _find_mentions(self, scene: Scene) -> tuple[list[PlaceMention], list[PlaceMention]]:
        cities: list[PlaceMention] = []
        counties: list[PlaceMention] = []
        text = scene.article.text
        first_body = next((s for s in scene.sentences if not s.is_title), None)
        for sentence in scene.sentences:
            if "contributed to this" in sentence.text:
                continue  # where reporters sat
            names = [(m.start, m.end) for m in sentence.mentions if m.kind == "name"]
            at = sentence.start
            for match in _WASHINGTON.finditer(sentence):
                start = sentence.start + match.start()
                dc = self.gazetteer.region_names["District of Columbia"]
                weight = 2.5 + sentence.is_about_incident - 1.5 * sentence.is_background
                cities.append(
                    PlaceMention("Washington", start, start + len(match.group()), sentence, weight, dc, "pair")
                )
            if sentence is first_body or (sentence.index < 8 and not sentence.is_title):
                dateline = _DATELINE.match(text, sentence.start, sentence.end) or (
                    _BARE_DATELINE.match(text, sentence.start, sentence.end) if sentence is first_body else None
                )
                if dateline and (dateline.group("city").isupper() or dateline.group("region")):
                    mention = self._read_dateline(dateline, sentence, text)
                    if mention is not None:
                        cities.append(mention)
                        at = dateline.end("city")
            for run in _PLACE_RUN.finditer(text, at, sentence.end):
                self._read_run(text, run, sentence, names, cities, counties)
        return cities, counties

    def _read_dateline(self, match: re.Match[str], sentence: Sentence, text: str) -> PlaceMention | None:
        name = match.group("city")
        capitals = _CAPITALS_LAST.search(name)
        if capitals is not None:
            name = capitals.group(1)  # "Associated Press MEMPHIS"
        if name.lower().endswith((" county", " parish")):
            return None
        if match.group().rstrip().endswith(":") and not (name.isupper() and self.gazetteer.cities(name)):
            return None  # "PUNE: Four workers died", and not "UPDATE: ..."
        region = self._region_of(match.group("region"))
        if match.group("region") and region is None and match.group("region") not in self.gazetteer.countries:
            return None
        is_bare = match.re is _BARE_DATELINE and region is None
        if is_bare and not any(city.population >= _BARE_LEAST for city in self.gazetteer.cities(name)):
            return None
        known = self.gazetteer.cities(name)
        if not known and region is None and not (name.isupper() and len(name) > 4 and self._may_begin(name, sentence)):
            return None
        written = next((c.name for c in known), name.title()) if name.isupper() else name
        if name.isupper():
            written = _title_place(name)
        return PlaceMention(
            written, match.end("city") - len(name), match.end("city"), sentence, 4.5, region, "dateline"
        )

    @staticmethod
    def _may_begin(name: str, sentence: Sentence) -> bool:
        """Say whether a dateline may name a place that the gazetteer does not have."""
        words = name.lower().split()
        return sentence.index <= 2 and len(words) <= 2 and not _NO_DATELINE.intersection(words)

    def _region_of(self, text: str | None) -> Region | None:
        if not text:
            return None
        text = text.strip(" ,")
        return (
            self.gazetteer.region_names.get(text)
            or (self.gazetteer.region_names.get(text.title()) if len(text) > 3 else None)  # "MASS."
            or self.gazetteer.region_names.get(text + ".")
            or self.gazetteer.postal.get(text)
        )

    def _read_run(
        self,
        text: str,
        run: re.Match[str],
        sentence: Sentence,
        names: list[tuple[int, int]],
        cities: list[PlaceMention],
        counties: list[PlaceMention],
    ) -> None:
        """Read capitalised words; "Baltimore's Barclay" is two names, and "Dayton Tuesday" is one and a day."""
        if run.group().lower() in self._no_places:
            return
        words: list[tuple[int, str]] = []
        for match in _WORD.finditer(text, run.start(), run.end()):
            word = match.group()
            if word.lower().strip(".,") in _CALENDAR:
                self._read_words(text, words, sentence, names, cities, counties)
                words = []
                continue
            words.append((match.start(), word))
            if word.endswith(_POSSESSIVE) and not self._is_force_next(text, match.end()):
                how = "owner" if match.end() < run.end() else ""
                self._read_words(text, words, sentence, names, cities, counties, how)
                words = []
        self._read_words(text, words, sentence, names, cities, counties)

    def _match_state(self, text: str, at: int) -> re.Match[str] | None:
        """Match the state that follows a place after a comma."""
        return self._state_after.match(text, at) if text.startswith(",", at) else None

    @staticmethod
    def _is_force_next(text: str, at: int) -> bool:
        return _first_word(text, at) in ("office", "department", "deputies", "deputy", "county", "parish")

    def _read_words(
        self,
        text: str,
        words: list[tuple[int, str]],
        sentence: Sentence,
        names: list[tuple[int, int]],
        cities: list[PlaceMention],
        counties: list[PlaceMention],
        how: str = "",
    ) -> None:
        while words and words[0][1].lower() in self._leads:
            words = words[1:]
        while words and words[-1][1].islower():  # "Brooklyn on" before "Monday"
            words = words[:-1]
        if not words:
            return
        small = [word.lower().rstrip(".,") for _, word in words]
        for index, word in enumerate(small):
            bare = word[:-2] if word.endswith(_POSSESSIVE) else word
            if bare in ("county", "counties", "parish") and index:
                self._add_county(text, words[: index + 1], sentence, counties)
                return
            after = words[index][0] + len(words[index][1])
            if index and (bare in _FORCES or (bare == "fire" and _first_word(text, after) in _FIRE_FORCES)):
                self._add_city(text, words[:index], sentence, cities, 0.8, "force")
                return
            if (bare in _RESIDENTS or bare in _EVENTS) and index:
                self._add_city(text, words[:index], sentence, cities, 0.0, "")
                return
        last = _drop_possessive(small[-1])
        if len(words) > 1 and last in _SKIP_AFTER and not self.gazetteer.cities(" ".join(w for _, w in words)):
            return
        start, end = words[0][0], words[-1][0] + len(words[-1][1])
        inside = [(a, b) for a, b in names if a < end and start < b]
        if inside and not self._match_state(text, end) and not (len(words) == 1 and text.endswith("in ", 0, start)):
            return
        self._add_city(text, words, sentence, cities, 0.0, how)

    def _add_county(
        self, text: str, words: list[tuple[int, str]], sentence: Sentence, counties: list[PlaceMention]
    ) -> None:
        for skip in range(len(words) - 1):
            name = re.sub(r"['’]s$", "", " ".join(w for _, w in words[skip:]))
            if self.gazetteer.counties(name):
                end = words[-1][0] + len(words[-1][1])
                state = self._match_state(text, end)
                weight = 1.0 + sentence.is_about_incident + 0.5 * (sentence.index < 4) - 2.0 * sentence.is_background
                counties.append(
                    PlaceMention(
                        name,
                        words[skip][0],
                        words[skip][0] + len(name),
                        sentence,
                        weight,
                        self._region_of(state.group("state")) if state else None,
                        "county",
                    )
                )
                return

    def _is_part(self, name: str) -> bool:
        """Say whether the page calls a place of that name a neighborhood ("Hills" of "the Four Hills neighborhood")."""
        if not self._parts:
            return False
        small = name.lower()
        if small in self._parts:
            return True
        is_known = any(city.population >= 50_000 for city in self.gazetteer.cities(name))
        return not is_known and any(part.endswith(f" {small}") for part in self._parts)

    def _add_city(
        self,
        text: str,
        words: list[tuple[int, str]],
        sentence: Sentence,
        cities: list[PlaceMention],
        weight: float,
        how: str,
    ) -> None:
        start, end = words[0][0], words[-1][0] + len(words[-1][1])
        name = (
            _drop_possessive(text[start:end].rstrip(".,"))
            if text[end - 1] != "." or not re.search(r"\b[A-Z]\.$", text[start:end])
            else text[start:end]
        )
        after_state = self._match_state(text, start + len(name)) or self._match_state(text, end)
        known = self.gazetteer.cities(name)
        if how != "force" and self._is_part(name) and not after_state:
            how, weight = "part", -1.2
        if how == "force" and not known and normalize_place(words[0][1]) in _DIRECTIONS:
            return  # "South Yorkshire Police" is no police of Yorkshire
        if not known and len(words) > 1 and normalize_place(words[0][1]) in _DIRECTIONS:
            if any(c.population >= 5000 for c in self.gazetteer.cities(name.split(" ", 1)[1])):
                self._add_city(text, words[1:], sentence, cities, weight, how)
            return
        if not known and not after_state:
            return
        region = self._region_of(after_state.group("state")) if after_state else None
        if region is not None and not any(
            (c.countrycode, c.admin1code) == (region.country, region.code) for c in known
        ):
            for skip in range(1, len(words)):  # "News Cleveland, OH"
                shorter = _drop_possessive(text[words[skip][0] : end].rstrip(".,"))
                if any(
                    (c.countrycode, c.admin1code) == (region.country, region.code)
                    for c in self.gazetteer.cities(shorter)
                ):
                    name, start, words, known = shorter, words[skip][0], words[skip:], self.gazetteer.cities(shorter)
                    break
        if not known and (region is None or len(name) < 3 or not name[0].isupper() or len(words) > 4):
            return
        if normalize_place(name) in _DIRECTIONS:
            return
        is_lead = len(words) == 1 and region is None and (start == sentence.start or sentence.is_title)
        if is_lead and f" {name.lower()} " in text:
            return  # "Gas explosion levels home": a word that the page writes small elsewhere
        if _OF_PERSON.match(text, start + len(name)) and sentence.text[: start - sentence.start].endswith("in "):
            return  # "in Williams' death"
        is_region = name in self.gazetteer.region_names and region is None
        if is_region and _CITY_BEFORE.search(text[max(sentence.start, start - 24) : start]):
            return  # "of Spokane, Washington"
        if is_region and not (name == "Washington" or any(self.gazetteer.is_in_namesake(c) for c in known)):
            return
        is_county = name in self.gazetteer.counties_abroad and name not in self.gazetteer.ambiguous_counties
        if region is None and (is_county or name in _COUNTRYSIDES):
            return
        before = text[max(sentence.start, start - 60) : start]
        if _STREET_BEFORE.search(before) or _ORDINAL_BEFORE.search(before) or _STREET_AFTER.match(text, end):
            return
        following = _first_word(text, end)
        if (
            region is not None
            and after_state is not None
            and _first_word(text, after_state.end() + text.startswith(",", after_state.end())) in _RESIDENTS
        ):
            weight += self._weigh("from", following, sentence, name, known, region, how, start)
            cities.append(PlaceMention(name, start, start + len(name), sentence, weight, region, how or "pair"))
            return  # "A Lancaster, Pennsylvania, man": who lives where it happened is not told of with the state
        if following == "fire" and _first_word(text, text.index("ire", end) + 3) in _FIRE_FORCES:
            following = "department"
        if not how and following in _FORCES:
            how = "force"
        if (
            not how
            and region is None
            and name.lower() in self._surnames
            and following not in _RESIDENTS
            and following not in _EVENTS
            and not _IN_BEFORE.search(before.rstrip())
        ):
            return  # "Martin faces two counts" on a page about Dana Martin
        weight += self._weigh(before, following, sentence, name, known, region, how, start)
        how = how or ("pair" if region else "plain")
        cities.append(PlaceMention(name, start, start + len(name), sentence, max(weight, 0.0), region, how))

    def _weigh(
        self,
        before: str,
        following: str,
        sentence: Sentence,
        name: str,
        known: list[City],
        region: Region | None,
        how: str,
        at: int,
    ) -> float:
        small = before.lower().rstrip()
        weight = 0.2
        if following in _SITES:
            weight += 1.2  # "at a Houston plant"
        elif _IN_BEFORE.search(small):
            weight += 2.0 + 0.8 * (_HARM_BEFORE.search(small) is not None)
        elif _NEAR_BEFORE.search(small):
            weight += 1.4
        elif _OF_BEFORE.search(small):
            weight += 0.5
        if following in _FORCES:
            weight += 2.2
        elif following in _EVENTS:
            weight += 2.4
        elif following in _RESIDENTS:
            weight -= 0.6
        elif following in _CARE:
            weight -= 2.5
        if region is not None:
            weight += 1.5
        if how == "owner" and not any(c.population >= 50_000 for c in known):
            return 0.0  # "King's Nightclub"
        weight += 2.0 * (how == "owner")
        if sentence.is_title:
            weight += 1.0 if weight > 1.0 or how else -0.6  # in a headline every word has a capital
            if at > 20 and _SITE_BEFORE.search(sentence.text[: at - sentence.start]):
                return (
                    0.0
                    if name.lower() in _COMMON_WORDS and region is None
                    else _LAST_RESORT * (2 if region is not None else 1)
                )
        if sentence.is_about_incident:
            weight += 1.2
        if sentence.is_background:
            weight -= 1.5
        weight += max(0.0, 1.0 - 0.12 * sentence.index)
        if _HOME_OF_BEFORE.search(small):
            return _LAST_RESORT * (2 if region is not None else 1) if region is not None or known else 0.0
        if _BY_A_LARGER.match(sentence.text, at - sentence.start + len(name)):
            weight += 1.5
        if (
            _ELSEWHERE_BEFORE.search(small)
            or _AWAY_BEFORE.search(small)
            or (_OFFICE_BEFORE.search(small) and not _HARM_BEFORE.search(small))
        ):
            weight = min(weight - 2.5, 2 * _LAST_RESORT)
        elif _BEARING_BEFORE.search(small):
            weight -= 0.8
        largest = max((c.population for c in known), default=0)
        is_located = (
            how
            or region is not None
            or following in _FORCES
            or following in _EVENTS
            or following in _RESIDENTS
            or following in _SITES
            or _LOCATED.search(small) is not None
        )
        if not is_located and largest < 50_000:
            return 0.0  # "Watkins was shot": rather a surname
        if weight <= 0.0:
            return _LAST_RESORT if largest >= 50_000 else 0.0
        if region is None and how != "force" and weight < 2.0 and (largest < 15_000 or name.isupper()):
            return 0.0
        if name.lower() in _COMMON_WORDS and region is None and not re.search(r"\bin$", small):
            return 0.0
        return weight

    def _find_regions(self, scene: Scene) -> list[PlaceMention]:
        found: list[PlaceMention] = []
        for sentence in scene.sentences:
            for match in self._state_alone.finditer(sentence):
                region = self.gazetteer.region_names[match.group()]
                is_home = _first_word(sentence.text, match.end()) in _RESIDENTS  # "Texas teen dies in Arkansas"
                weight = (0.5 if is_home else 1.0) * (
                    1.0 + 0.8 * sentence.is_about_incident + 0.6 * (sentence.index < 4) - 0.8 * sentence.is_background
                )
                following = sentence.text[match.end() : match.end() + 12].lower()
                if following.startswith(
                    (" street", " avenue", " ave", " st.", " road", " blvd", " university", " drive", " city")
                ):
                    weight = 0.0 if not following.startswith((" university", " city")) else 0.3
                if region.name == "Washington" and (
                    following.startswith((", d.c", " d.c", ", dc", " dc", " post"))
                    or sentence.text[: match.start()].rstrip().endswith(("George", "Denzel"))
                ):
                    weight = 0.0
                if region.name == "New York" and following.startswith((" times", " daily", " post", " city")):
                    weight = 0.2 if following.startswith(" city") else 0.0
                if weight > 0:
                    start = sentence.start + match.start()
                    found.append(
                        PlaceMention(
                            match.group(), start, start + len(match.group()), sentence, weight, region, "region"
                        )
                    )
        return found

    def _add_abroad(self, scene: Scene, counties: list[PlaceMention], countries: set[str], hints: str) -> None:
        """Add counties of the British Isles; those whose names are places elsewhere too, where the page is British."""
        found: list[PlaceMention] = []
        for sentence in scene.telling:
            for match in self._abroad.finditer(sentence):
                county = self.gazetteer.counties_abroad[match.group()]
                start = sentence.start + match.start()
                region = self.gazetteer.regions.get((county.country, county.state))
                weight = 1.0 + sentence.is_about_incident
                found.append(
                    PlaceMention(match.group(), start, start + len(match.group()), sentence, weight, region, "county")
                )
        at_home = countries | {code for word, code in _DOMAINS.items() if word in hints.split()}
        sure = [m for m in found if m.text not in self.gazetteer.ambiguous_counties]
        at_home |= {m.region.country for m in sure if m.region is not None}
        counties += [m for m in found if m in sure or (m.region is not None and m.region.country in at_home)]

    # settling

    def _settle(
        self,
        found: Places,
        scene: Scene,
        cities: list[PlaceMention],
        counties: list[PlaceMention],
        regions: list[PlaceMention],
        cues: list[Cue],
        hints: str,
    ) -> None:
        support = self._support_regions(scene, cities, counties, regions, hints)
        for cue in cues[:6]:
            support[cue.country, cue.region] += 2.0
        anchors = self._find_anchors(cities, hints)
        countries = self._find_countries(scene, regions + counties, anchors, hints) | {cue.country for cue in cues}
        self._abroad_cues = {cue.country for cue in cues} | {m.region.country for m in counties if m.region is not None}
        by_name: dict[str, list[PlaceMention]] = defaultdict(list)
        for mention in cities:
            if mention.how == "part":
                found.neighborhood = found.neighborhood or mention
            elif mention.weight > 0:  # the others speak for their region only
                by_name[normalize_place(mention.text)].append(mention)
        scored: list[tuple[float, str]] = []
        for name, mentions in by_name.items():
            ranked = sorted((m.weight for m in mentions), reverse=True)
            score = sum(w * f for w, f in zip(ranked, (1.0, 0.5, 0.3, 0.2, 0.1), strict=False))
            scored.append((score, name))
        scored.sort(key=lambda pair: (-pair[0], pair[1]))
        if scored:
            county_seats = {normalize_place(m.text.rsplit(" ", 1)[0]) for m in counties}  # "Sacramento County"
            said = {
                m.region for m in counties if m.region is not None and not _is_home(m)
            }  # "Morgan County, Tennessee"
            region = said.pop() if len(said) == 1 else None
            self._choose_city(found, by_name, scored, support, anchors, countries, county_seats, region)
        if found.neighborhood is not None and found.neighborhood.text == found.city_name:
            found.neighborhood = None
        self._choose_county(found, counties, support)
        self._choose_region(found, cities, counties, regions, support)
        self._choose_country(found, scene)

    def _support_regions(
        self,
        scene: Scene,
        cities: list[PlaceMention],
        counties: list[PlaceMention],
        regions: list[PlaceMention],
        hints: str,
    ) -> dict[tuple[str, str], float]:
        support: dict[tuple[str, str], float] = defaultdict(float)
        homes: set[int] = set()  # where the region of someone's home town may begin
        for mention in cities:
            if mention.region is not None:
                is_home = mention.weight <= 2 * _LAST_RESORT and not mention.sentence.is_title
                support[mention.region.country, mention.region.code] += (
                    0.3 if is_home else min(max(mention.weight, 1.0), 5.0)
                )
                homes |= {mention.end + gap for gap in range(1, 4)} if is_home else set()
        for mention in regions:
            if mention.region is not None:
                support[mention.region.country, mention.region.code] += (
                    0.3 if mention.start in homes else mention.weight
                )
        for mention in counties:
            options = {(c.country, c.state) for c in self.gazetteer.counties(mention.text)}
            if mention.region is not None:  # "Morgan County, Tennessee"
                options = {(mention.region.country, mention.region.code)}
            for option in options:
                support[option] += 2.0 / len(options)
        for mention in cities:
            if mention.region is None:
                options = {
                    (c.countrycode, c.admin1code) for c in self.gazetteer.cities(mention.text) if c.population > 2000
                }
                for option in options:
                    support[option] += 0.8 / len(options)
        for match in _PHONE.pattern.finditer(scene.article.text):
            region = self.gazetteer.area_codes.get(match.group(1))
            if region is not None:
                support["US", region.code] += 2.5
        for name, region in self._names_in_hosts:
            if name in hints:
                support["US", region.code] += 1.0
        station = _STATION.search(hints)
        if station is not None:
            support["US", station.group(1).upper()] += 1.5
        return support

    def _find_anchors(self, cities: list[PlaceMention], hints: str) -> list[City]:
        """Give cities that are sure: those named with their region, and the one whose name the source bears."""
        anchors = [
            c for word in re.findall(r"[a-z]{5,}", hints) if (c := _find_city_in(word, self.gazetteer)) is not None
        ]
        for mention in cities:
            if mention.region is not None:
                key = (mention.region.country, mention.region.code)
                within = [c for c in self.gazetteer.cities(mention.text) if (c.countrycode, c.admin1code) == key]
                anchors += within[:1]
            else:
                known = self.gazetteer.cities(mention.text)
                big = max(known, key=lambda c: c.population, default=None)
                if big is not None and big.population >= 500_000:
                    anchors.append(big)
        return anchors[:12]

    def _find_countries(self, scene: Scene, regions: list[PlaceMention], anchors: list[City], hints: str) -> set[str]:
        """Give the codes of countries that the page may be about; a small town elsewhere is not believed."""
        found = {"US"} | {c.countrycode for c in anchors} | {m.region.country for m in regions if m.region is not None}
        for sentence in scene.sentences:
            found |= {self.gazetteer.countries[m.group()] for m in self._country.finditer(sentence)}
        return found | {code for word, code in _DOMAINS.items() if word in hints.split()}

    def _choose_city(
        self,
        found: Places,
        by_name: dict[str, list[PlaceMention]],
        scored: list[tuple[float, str]],
        support: dict[tuple[str, str], float],
        anchors: list[City],
        countries: set[str],
        county_seats: set[str],
        of_county: Region | None,
    ) -> None:
        best: tuple[float, PlaceMention, City | None] | None = None
        records: dict[str, City] = {}
        for score, name in scored[:6]:
            mentions = by_name[name]
            top = max(mentions, key=lambda m: (m.weight, -m.start))
            record = self._choose_record(name, mentions, support, anchors, countries)
            bonus = 0.0
            if record is None and top.region is None and top.how != "dateline":
                continue
            if record is not None and of_county is not None and all(m.how in ("", "plain") for m in mentions):
                is_elsewhere = (record.countrycode, record.admin1code) != (of_county.country, of_county.code)
                if is_elsewhere and record.population < _BARE_LEAST:
                    continue  # a small town of that name in another state than the county told of
            if record is not None:
                records[name] = record
            if record is not None:
                bonus = 0.15 * min(4.0, support.get((record.countrycode, record.admin1code), 0.0)) + 0.1 * math.log10(
                    max(record.population, 100)
                )
            if best is None or score + bonus > best[0]:
                best = (score + bonus, top, record)
        if best is None:
            return
        _, top, record = best
        if top.weight <= 2 * _LAST_RESORT and record is not None and support and not top.sentence.is_title:
            strongest = max(support, key=lambda key: (support[key], key))
            if strongest != (record.countrycode, record.admin1code) and support[strongest] > 1.5:
                return  # a home town in another state
        if record is not None:
            whole = self._find_whole(normalize_place(top.text), record, by_name, records, county_seats)
            if whole is not None:
                found.neighborhood = top
                top = max(by_name[whole], key=lambda m: (m.weight, -m.start))
                record = records[whole]
        if record is not None and (record.name, record.admin1code) == ("New York City", "NY"):
            borough = max(_BOROUGHS & by_name.keys(), key=lambda n: sum(m.weight for m in by_name[n]), default=None)
            inside = [m for m in by_name.get(borough or "", []) if m.weight >= 2.0]
            if inside:
                top = max(inside, key=lambda m: (m.weight, -m.start))
                record = self._choose_record(borough or "", inside, {("US", "NY"): 9.0}, [record], {"US"}) or record
        found.city, found.city_record = top, record
        found.city_name = _nice_name(top.text, record)
        if record is not None:
            found.latitude, found.longitude, found.time_zone = record.latitude, record.longitude, record.timezone

    def _choose_record(
        self,
        name: str,
        mentions: list[PlaceMention],
        support: dict[tuple[str, str], float],
        anchors: list[City],
        countries: set[str],
    ) -> City | None:
        stated = next((m.region for m in sorted(mentions, key=lambda m: -m.weight) if m.region is not None), None)
        options = self.gazetteer.cities(name)
        if stated is not None:
            within = [c for c in options if (c.countrycode, c.admin1code) == (stated.country, stated.code)]
            return max(within, key=lambda c: c.population, default=None)
        options = [c for c in options if c.countrycode in countries or c.population >= 300_000]
        if not options:
            return None
        us_bias = 0.6 if not self._abroad_cues - {"US"} else 0.0
        return max(
            options,
            key=lambda c: (
                support.get((c.countrycode, c.admin1code), 0.0)
                + min(2.4, 0.8 * sum(0 < distance_km(c, anchor) < 120 for anchor in anchors))
                + math.log10(max(c.population, 100)) * 1.1
                + us_bias * (c.countrycode == "US")
                + 1.5 * (c.countrycode in self._abroad_cues),
                c.population,
            ),
        )

    @staticmethod
    def _find_whole(
        name: str,
        record: City,
        by_name: dict[str, list[PlaceMention]],
        records: dict[str, City],
        county_seats: set[str],
    ) -> str | None:
        """Find the city that a place is a part of, whose police the page names.

        Either it is near and much larger, or the place of that name that the gazetteer knows is far away: then it is
        not that place which is meant, but a neighborhood of the same name ("Austin" where Chicago's police speak).
        """
        if any(m.how == "force" or m.region is not None for m in by_name[name]):
            return None
        for other, city in records.items():
            has_force = other in county_seats or any(m.how == "force" for m in by_name[other] if m.weight > 1.0)
            if other == name or not has_force:
                is_whole = other != name and any(
                    m.how in ("dateline", "owner") or "'s" in m.sentence.text for m in by_name[other] if m.weight > 1.0
                )
                if is_whole and city.population > 3 * record.population and distance_km(record, city) < 35:
                    return other
                continue
            away = distance_km(record, city)
            is_other = city.population > 100_000 and (away > 150 or (away > 45 and record.population < 5_000))
            if is_other or (away < 35 and city.population > 3 * record.population):
                return other
        return None

    def _choose_county(
        self, found: Places, counties: list[PlaceMention], support: dict[tuple[str, str], float]
    ) -> None:
        best: tuple[float, PlaceMention, County] | None = None
        totals: dict[str, float] = defaultdict(float)
        for mention in counties:
            totals[mention.text] += max(mention.weight, 0.1)
        record = found.city_record
        for mention in counties:
            for county in self.gazetteer.counties(mention.text):
                score = totals[mention.text] + support.get((county.country, county.state), 0.0)
                if record is not None and (record.countrycode, record.admin1code) == (county.country, county.state):
                    score += 5.0
                if mention.region is not None and mention.region.code == county.state:
                    score += 5.0
                if best is None or score > best[0]:
                    best = (score, mention, county)
        if best is None:
            return
        _, mention, county = best
        if record is None or (record.countrycode, record.admin1code) == (county.country, county.state):
            found.county, found.county_name = mention, county.name
            if record is None and found.city is None:
                region = self.gazetteer.regions.get((county.country, county.state))
                found.region, found.region_name = mention, region.name if region is not None else None

    def _choose_region(
        self,
        found: Places,
        cities: list[PlaceMention],
        counties: list[PlaceMention],
        regions: list[PlaceMention],
        support: dict[tuple[str, str], float],
    ) -> None:
        place = found.city or (found.neighborhood if found.city_record is not None else None)
        if place is not None:
            region = place.region or (self.gazetteer.region(found.city_record) if found.city_record else None)
            if region is not None:
                stated = next(
                    (m for m in sorted(cities + regions, key=lambda m: -m.weight) if m.region == region), None
                )
                found.region, found.region_name = stated or place, region.name
                found.is_region_stated = stated is not None
                found.country_name = self.gazetteer.country_names.get(region.country)
                return
            if found.city_record is not None:
                found.country_name = self.gazetteer.country_names.get(found.city_record.countrycode)
                return
        if found.region_name is not None:
            region = self.gazetteer.region_names.get(found.region_name)
            found.country_name = self.gazetteer.country_names.get(region.country) if region is not None else None
            return
        ranked = sorted(
            (m for m in regions),
            key=lambda m: (-support.get((m.region.country, m.region.code), 0.0) if m.region else 0.0, m.start),
        )
        if ranked and ranked[0].region is not None and ranked[0].weight > 0.5:
            found.region, found.region_name, found.is_region_stated = ranked[0], ranked[0].region.name, True
            found.country_name = self.gazetteer.country_names.get(ranked[0].region.country)
        elif support:
            key = max(support, key=lambda k: (support[k], k))
            mention = next(
                (
                    m
                    for m in counties + cities
                    if any((c.country, c.state) == key for c in self.gazetteer.counties(m.text))
                ),
                None,
            )
            if mention is not None and key in self.gazetteer.regions:
                found.region, found.region_name = mention, self.gazetteer.regions[key].name
                found.country_name = self.gazetteer.country_names.get(key[0])

    def _choose_country(self, found: Places, scene: Scene) -> None:
        for sentence in scene.telling[:12]:
            for match in self._country.finditer(sentence):
                code = self.gazetteer.countries[match.group()]
                name = self.gazetteer.country_names.get(code, match.group())
                if name == "Georgia" or (found.region_name == match.group()):
                    continue
                start = sentence.start + match.start()
                mention = PlaceMention(match.group(), start, start + len(match.group()), sentence, 1.0, None, "country")
                if found.country_name is None or name == found.country_name:
                    found.country, found.country_name, found.is_country_stated = mention, name, True
                    return

    # parts of a city

    def _read_streets(self, found: Places, scene: Scene) -> None:
        text = scene.article.text
        scored: list[tuple[float, int, str, PlaceMention]] = []
        for sentence in scene.sentences:
            if sentence.is_title or not _STREET_HINT.bits & sentence.bits:
                continue
            for match in _STREETS.find_within(text, sentence):
                street = self._read_street(text, match, sentence)
                if street is not None:
                    scored.append((-street[0], match.start(), street[1], street[2]))
        scored.sort(key=lambda row: row[:3])
        found.streets = [(name, mention) for weight, _, name, mention in scored if weight < 0][:3]

    def _read_street(
        self, text: str, match: re.Match[str], sentence: Sentence
    ) -> tuple[float, str, PlaceMention] | None:
        kind = match.lastgroup or "plain"
        start, end = match.start(), match.end()
        name = _BLANKS.sub(" ", match.group())
        before = text[max(sentence.start, start - 60) : start]
        lead = _BEFORE_STREET.match(name)
        if lead and kind in ("plain", "corner"):
            name, start = name[lead.end() :], start + lead.end()
            before += "on "
        weight = {"block": 3.2, "corner": 2.2, "meet": 2.6, "number": 2.8, "plain": 1.2, "road": 0.8}[kind]
        if _HOME_BEFORE.search(before):
            weight -= 2.6
        elif _AT_BEFORE.search(before):
            weight += 0.8
        elif kind in ("plain", "road", "corner"):
            weight -= 0.8
        if kind == "plain" and _NO_STREET.search(name):
            return None
        if name.endswith("Court") and _COURT_OF_LAW.search(name):
            return None
        if _MEDICAL.search(name) or (kind == "plain" and len(name.split()) < 2 and _TITLED.match(name)):
            return None
        if _CLOSED_BEFORE.search(before):
            weight -= 2.6  # where traffic was stopped
        weight += 1.2 * sentence.is_about_incident - 1.6 * sentence.is_background - 0.04 * sentence.index
        name = _HYPHENED_BLOCK.sub(" ", name.rstrip(","))
        name = name.rstrip(".") if len(name.split()[-1]) > 5 else name
        return weight, name, PlaceMention(name, start, end, sentence, weight, None, kind)

    def _read_plain_part(self, found: Places, sentence: Sentence) -> PlaceMention | None:
        """Read "a tire shop in Orange Mound": no town near the city has that name, so it is a part of the city."""
        for match in _PLAIN_PART.finditer(sentence):
            name = match.group("name")
            start = sentence.start + match.start("name")
            words = [word.lower().strip(".") for word in name.split()]
            if (
                name == found.city_name
                or self._surnames.intersection(words)
                or _CALENDAR.intersection(words)
                or words[-1] in _SKIP_AFTER
                or words[0] in self._edges
                or name in self.gazetteer.region_names
                or name in self.gazetteer.countries
                or name in self.gazetteer.counties_abroad
                or _MEDICAL.search(name)
                or any(
                    distance_km(city, found.city_record) < 120
                    for city in self.gazetteer.cities(name)
                    if found.city_record
                )
                or self._match_state(sentence.text, match.end("name"))
            ):
                continue
            return PlaceMention(name, start, start + len(name), sentence, 0.5, None, "neighborhood")
        return None

    def _read_parts(self, found: Places, scene: Scene) -> None:
        text = scene.article.text
        for sentence in scene.body:
            if found.neighborhood is None:
                for part in _NEIGHBORHOOD.finditer(sentence):
                    name = self._read_part_name(part)
                    if name is not None and name != found.city_name:
                        group = "name" if part.group("name") else "of"
                        end = sentence.start + part.start(group) + part.group(group).rindex(name) + len(name)
                        found.neighborhood = PlaceMention(
                            name, end - len(name), end, sentence, 2.0, None, "neighborhood"
                        )
                        break
            if found.neighborhood is None and sentence.is_about_incident:
                side = next(_SIDE.find_within(text, sentence), None)
                if side is not None:
                    found.neighborhood = PlaceMention(
                        side.group("name"), side.start("name"), side.end("name"), sentence, 1.0, None, "neighborhood"
                    )
            if found.neighborhood is None and sentence.is_about_incident and found.city_record is not None:
                found.neighborhood = self._read_plain_part(found, sentence)
            if found.landmark is None and sentence.is_about_incident:
                match = next(_LANDMARK.find_within(text, sentence), None)
                same = (
                    found.neighborhood is not None
                    and match is not None
                    and match.group("name").endswith(found.neighborhood.text)
                )
                if (
                    match is not None
                    and not same
                    and not _MEDICAL.search(match.group())
                    and not re.search(r"Police|Sheriff|Court", match.group("name"))
                ):
                    found.landmark = PlaceMention(
                        match.group("name"), match.start("name"), match.end("name"), sentence, 1.0, None, "landmark"
                    )


_COMMON_WORDS = frozenset(
    "police man war university metro bullet eye bar carolina home west east north south mobile normal union hope independence home liberty republic enterprise justice price victory commerce industry story orange reading troy sandy media gary warren wayne carson tyler jackson madison marion lincoln grant clinton harrison mercer post star eagle media".split()
)


def _first_word(text: str, at: int) -> str:
    """Give the word after a place, in small letters."""
    match = _FOLLOWING.match(text, at)
    return match.group(1).lower() if match else ""


_FOLLOWING = compile_pattern(r"(?:['’]s)?[ -]([A-Za-z'’]+)")


# What stands in capitals before a dash and is no place.
_NO_DATELINE = frozenset(
    "breaking update updated watch photos photo exclusive new news video live alert developing correction just only original previous previously story read more police homicide robbery shooting arrest arrests assault burglary theft fire crash file editor's editor’s note image caption by county sheriff sheriff's sheriff’s courthouse warning opinion related advertisement release date time location victim suspect case media press".split()
)
_COUNTRYSIDES = frozenset(("Yorkshire", "Lothian", "Midlands", "Sussex", "Jersey Shore"))
_BOROUGHS = frozenset(("brooklyn", "queens", "bronx", "the bronx", "staten island", "manhattan"))


def _title_place(name: str) -> str:
    return re.sub(
        r"[^\W\d_]+(?:['’][^\W\d_]+)?",
        lambda m: m.group() if len(m.group()) == 1 else m.group()[0] + m.group()[1:].lower(),
        name,
    )


def _nice_name(written: str, record: City | None) -> str:
    name = _title_place(written) if written.isupper() and len(written) > 3 else written
    if record is not None and record.name == "New York City":
        return "New York"
    if name.upper() in ("LA", "L.A."):
        return "Los Angeles"
    return re.sub(r",?\s*D\.?C\.?$", "", name)


def _find_city_in(word: str, gazetteer: Gazetteer) -> City | None:
    """Find the large city whose name a source's name begins or ends with ("chicagotribune")."""
    for length in range(min(len(word), 16), 4, -1):
        for part in (word[:length], word[-length:]):
            big = [c for c in gazetteer.cities(part) if c.population > 60_000 and c.countrycode == "US"]
            if big:
                return max(big, key=lambda c: c.population)
    return None


__all__ = ["PlaceMention", "PlaceReader", "Places", "distance_km"]
