"""Where it happened: from the block to the country.

Belongs here: finding every mention of a place, weighing them, and settling city, county, region and country together, so
that each supports the other. Does not belong here: what is known of places beforehand (`gazetteer`).
"""

import math
import re
from collections import defaultdict
from dataclasses import dataclass, field

from blotter.extract.gate import gated
from blotter.extract.gazetteer import City, County, Gazetteer, Region, distance_km, normalize_place
from blotter.extract.scene import Scene, Sentence

_CAP = r"[^\W\d_a-zß-öø-ÿ][\w’'\-]*\.?"
_PLACE_RUN = re.compile(
    rf"(?<![\w@#/])(?:(?:St|Ste|Ft|Mt)\.\s)?{_CAP}(?:[ \u00a0](?:(?:of|de|la|del|du|sur|upon|am|on)[ \u00a0])?{_CAP})*"
)
_DATELINE = re.compile(
    r"(?P<city>(?:(?:St|Ste|Ft|Mt|ST|FT|MT)\.\s)?[A-Z][A-Za-z.'’\-]+(?:[ ](?:of\s)?[A-Z][A-Za-z.'’\-]+){0,3})"
    r"(?:,\s*(?P<region>[A-Z][A-Za-z.]+(?:\s[A-Z][A-Za-z.]+)?))?,?\s*(?:\((?:[A-Z][\w/ .,&;:-]{1,40})\)\s*(?:[—–:-]+|\s)|\s[—–-]{1,3}\s|[—–]|\s?--\s?)"
)
_FORCES = frozenset(
    "police fire pd mayor sheriff's sheriffs sheriff resident residents officer officers firefighters detectives man woman teen homicide authorities department".split()
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

_SUFFIX = r"(?:Street|St|Avenue|Ave|Av|Road|Rd|Drive|Dr|Boulevard|Blvd|Lane|Ln|Court|Ct|Place|Pl|Way|Highway|Hwy|Parkway|Pkwy|Circle|Cir|Terrace|Ter|Trail|Pike|Turnpike|Alley|Loop|Run|Square|Plaza|Row|Crossing|Expressway|Freeway|Causeway|Broadway|Path|Ridge|Trace|Crescent|Close)"
_DIR = r"(?:(?:North|South|East|West|Northeast|Northwest|Southeast|Southwest|[NSEW]|NE|NW|SE|SW|N\.E|N\.W|S\.E|S\.W)\.?\s+)"
_STREET_NAME = rf"(?:{_DIR}?(?:(?:the\s)?\d{{1,3}}(?:st|nd|rd|th)|[A-Z][\w’'.\-]*)(?:\s+(?:[A-Z][\w’'\-]*|of\s+the|de\s+la|de|la|\d{{1,3}}(?:st|nd|rd|th))){{0,4}}?)"
_ROAD = r"(?:(?:Interstate|I|U\.?S\.?|US|Route|Rt\.?|State Route|State Road|SR|Highway|Hwy\.?|County Road|CR|M|FM|Loop|Exit|Texas|A)[ -](?:Highway |Hwy\.? |Route )?\d{1,4}[A-Z]?\b)"
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
_LOCATED = re.compile(
    r"\b(?:in|near|outside|of|around|at|across|from|to|downtown|north|south|east|west|northeast|northwest|southeast|southwest|central|nearby|suburban)$"
)
_WASHINGTON = gated(r"(?<!Washington,\s)(?<!\w)D\.C\.(?=\s|,|$)", 0)
_STREET_BEFORE = re.compile(r"\b(?:block|blocks|hundred)\s(?:of\s)?(?:(?:[NSEW]|North|South|East|West)\.?\s)?$", re.I)
_PART_AFTER = re.compile(
    r"\s(?:neighbou?rhood|Elementary|High|Middle|Avenue|Ave|Street|St|Road|Rd|Drive|Dr|Boulevard|Blvd)\b"
)
_SITE_BEFORE = re.compile(r"\s(?:-|\||»|«|::|–|—)\s")  # what follows in a title is the site's name
_STATION = re.compile(r"\b(?:abc|nbc|cbs|fox|cw|news|my)\s?(ct|dc|nj|ny)\b")
_DOMAINS = {"uk": "GB", "au": "AU", "nz": "NZ", "ie": "IE", "za": "ZA", "bbc": "GB", "cbc": "CA"}
_STREET_HINT = gated(
    r"street|avenue|road|drive|boulevard|blvd| lane|court|place| way|highway| hwy|parkway| pkwy|circle|terrace|trail| pike|turnpike|alley| loop"
    r"| run|square|plaza| row|crossing|expressway|freeway|causeway|broadway| path|ridge|trace|crescent|close| ave| av | st | st\.| rd| dr | dr\.| ln| ct | pl | cir | ter "
    r"|block|interstate| i-|u\.s\. |us |route| rt | sr | cr |exit|texas| fm |the m|the a|corner|intersection"
)
_HOME_BEFORE = re.compile(
    r"(?:,\s(?:both\s|all\s)?(?:of|from)|who lives? (?:on|in|at|near)|resident of|\d,?\s+of|headquarters (?:at|on)|mailed to|lived (?:on|in)|(?:vigil|funeral|service|visitation|church)\s[^.]{0,40}(?:on|at|in))\s+(?:the\s+)?$",
    re.I,
)
_AT_BEFORE = re.compile(
    r"(?:\b(?:in|on|at|near|along|off|to|outside|inside|around|between|from|of|onto|into))\s+(?:the\s+)?(?:area\s+of\s+|intersection\s+of\s+|corner\s+of\s+|home\s+(?:in|on|at)\s+(?:the\s+)?)?$",
    re.I,
)
_NEIGHBORHOOD = gated(
    rf"(?P<name>{_CAP}(?:[ /-]{_CAP}){{0,3}})(?:\s(?:residential\s)?(?:neighbou?rhood|subdivision|section of|district of))|neighbou?rhoods?\sof\s(?P<of>{_CAP}(?:[ /-]{_CAP}){{0,3}})",
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
_MEDICAL = re.compile(r"hospital|medical|health|trauma|surgery|clinic", re.I)


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
        self._parts: frozenset[str] = frozenset()
        states = sorted(gazetteer.region_names, key=len, reverse=True)
        self._state_after = re.compile(
            r",\s*(?P<state>" + "|".join(re.escape(s) for s in states) + r"|[A-Z]{2}\b)(?=[\s,.;:)—–\-]|$)"
        )
        self._state_alone = gated(
            r"(?<![\w.])(?:" + "|".join(re.escape(s) for s in states if len(s) > 3 and not s.endswith(".")) + r")\b",
            0,
        )
        countries = sorted((c for c in gazetteer.countries if len(c) > 3), key=len, reverse=True)
        self._country = gated(r"(?<![\w.])(?:" + "|".join(re.escape(c) for c in countries) + r")(?!\w)", 0)

    def read(self, scene: Scene, hints: str) -> Places:
        """Settle the place; `hints` is the source's own name, where its region may show."""
        found = Places()
        self._parts = self._find_parts(scene)
        cities, counties = self._find_mentions(scene)
        regions = self._find_regions(scene)
        self._settle(found, scene, cities, counties, regions, hints)
        self._read_streets(found, scene)
        self._read_parts(found, scene)
        return found

    @staticmethod
    def _find_parts(scene: Scene) -> frozenset[str]:
        """Give the names, in small letters, that the page calls a neighborhood."""
        found = set()
        for sentence in scene.sentences:
            for match in _NEIGHBORHOOD.finditer(sentence):
                name = match.group("name") or match.group("of")
                found.add(re.split(r"['’]s ", name)[-1].lower())
        return frozenset(found)

    # mentions

    def _find_mentions(self, scene: Scene) -> tuple[list[PlaceMention], list[PlaceMention]]:
        cities: list[PlaceMention] = []
        counties: list[PlaceMention] = []
        text = scene.article.text
        first_body = next((s for s in scene.sentences if not s.is_title), None)
        for sentence in scene.sentences:
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
                dateline = _DATELINE.match(text, sentence.start, sentence.end)
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
        if name.lower().endswith((" county", " parish")):
            return None
        region = self._region_of(match.group("region"))
        if match.group("region") and region is None and match.group("region") not in self.gazetteer.countries:
            return None
        known = self.gazetteer.cities(name)
        if not known and region is None:
            return None
        written = next((c.name for c in known), name.title()) if name.isupper() else name
        if name.isupper():
            written = _title_place(name)
        return PlaceMention(written, match.start("city"), match.end("city"), sentence, 6.0, region, "dateline")

    def _region_of(self, text: str | None) -> Region | None:
        if not text:
            return None
        text = text.strip(" ,")
        return (
            self.gazetteer.region_names.get(text)
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
        words = [(m.start() + run.start(), m.group()) for m in re.finditer(r"\S+", run.group())]
        while words and words[0][1].lower() in self._edges and words[0][1].lower() not in ("st", "st.", "la", "el"):
            words = words[1:]
        if not words:
            return
        small = [word.lower().rstrip(",") for _, word in words]
        for index, word in enumerate(small):
            bare = re.sub(r"['’]s$", "", word)
            if bare in ("county", "counties", "parish") and index:
                self._add_county(text, words[: index + 1], sentence, counties)
                return
            if bare in _FORCES and index:
                self._add_city(text, words[:index], sentence, cities, 3.0, "force")
                return
        last = re.sub(r"['’]s?$", "", small[-1]).rstrip(".")
        if len(words) > 1 and last in _SKIP_AFTER and not self.gazetteer.cities(" ".join(w for _, w in words)):
            return
        start, end = words[0][0], words[-1][0] + len(words[-1][1])
        inside = [(a, b) for a, b in names if a < end and start < b]
        if inside and not self._state_after.match(text, end) and not (len(words) == 1 and text[:start].endswith("in ")):
            return
        self._add_city(text, words, sentence, cities, 0.0, "")

    def _add_county(
        self, text: str, words: list[tuple[int, str]], sentence: Sentence, counties: list[PlaceMention]
    ) -> None:
        for skip in range(len(words) - 1):
            name = re.sub(r"['’]s$", "", " ".join(w for _, w in words[skip:]))
            if self.gazetteer.counties(name):
                end = words[-1][0] + len(words[-1][1])
                state = self._state_after.match(text, end)
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
            re.sub(r"['’]s?$", "", text[start:end].rstrip(".,"))
            if not re.search(r"\b[A-Z]\.$", text[start:end])
            else text[start:end]
        )
        after_state = self._state_after.match(text, start + len(name)) or self._state_after.match(text, end)
        known = self.gazetteer.cities(name)
        if name.lower() in self._parts and not after_state:
            how, weight = "part", -1.2
        if how == "force" and not known and normalize_place(words[0][1]) in _DIRECTIONS:
            return  # "South Yorkshire Police" is no police of Yorkshire
        if not known and len(words) > 1 and normalize_place(words[0][1]) in _DIRECTIONS:
            self._add_city(text, words[1:], sentence, cities, weight, how)
            return
        if not known and not after_state:
            return
        region = self._region_of(after_state.group("state")) if after_state else None
        if not known and (region is None or len(name) < 3 or not name[0].isupper()):
            return
        is_region = name in self.gazetteer.region_names and region is None and how != "force"
        if is_region and max((c.population for c in known), default=0) < 300_000:
            return
        before = text[max(0, start - 28) : start]
        if _STREET_BEFORE.search(before) or _PART_AFTER.match(text, end):
            return
        following = text[end : end + 24].lstrip(" ,").split(" ")[0].lower().strip(".,")
        weight += self._weigh(before, following, sentence, name, known, region, how, start)
        if weight > 0:
            cities.append(
                PlaceMention(
                    name, start, start + len(name), sentence, weight, region, how or ("pair" if region else "plain")
                )
            )

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
        if re.search(
            r"\bin(?:\s(?:north|south|east|west|northeast|northwest|southeast|southwest|downtown|central|nearby|suburban))?$",
            small,
        ):
            weight += 2.0
        elif re.search(r"\b(?:near|outside|city of|town of|village of|around|at|across)$", small):
            weight += 1.6
        elif re.search(r"\d,?\s(?:both\s)?of$|,\sof$|\bfrom$|\bof$", small):
            weight += 0.5
        if following in _FORCES:
            weight += 2.2
        if region is not None:
            weight += 1.5
        if sentence.is_title:
            weight += 1.0 if weight > 1.0 or how else -0.6  # in a headline every word has a capital
            weight -= 2.5 * (at > 20 and bool(_SITE_BEFORE.search(sentence.text[: at - sentence.start])))
        if sentence.is_about_incident:
            weight += 1.2
        if sentence.is_background:
            weight -= 1.5
        weight += max(0.0, 1.0 - 0.12 * sentence.index)
        if re.search(
            r"(?:hospital|medical center|center|university|college|school|clinic)\s(?:in|of)$|(?:moved|native|born|grew up|court|jail|prison)\s(?:to|of|in)$|\bburied in$",
            small,
        ):
            weight -= 1.5
        largest = max((c.population for c in known), default=0)
        is_located = how or region is not None or following in _FORCES or _LOCATED.search(small) is not None
        if not is_located and largest < 50_000:
            return 0.0  # "Watkins was shot": rather a surname
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
                weight = (
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

    # settling

    def _settle(
        self,
        found: Places,
        scene: Scene,
        cities: list[PlaceMention],
        counties: list[PlaceMention],
        regions: list[PlaceMention],
        hints: str,
    ) -> None:
        support = self._support_regions(scene, cities, counties, regions, hints)
        anchors = self._find_anchors(cities, hints)
        countries = self._find_countries(scene, regions, anchors, hints)
        by_name: dict[str, list[PlaceMention]] = defaultdict(list)
        for mention in cities:
            by_name[normalize_place(mention.text)].append(mention)
        scored: list[tuple[float, str]] = []
        for name, mentions in by_name.items():
            ranked = sorted((m.weight for m in mentions), reverse=True)
            score = sum(w * f for w, f in zip(ranked, (1.0, 0.5, 0.3, 0.2, 0.1), strict=False))
            scored.append((score, name))
        scored.sort(key=lambda pair: (-pair[0], pair[1]))
        if scored:
            self._choose_city(found, by_name, scored, support, anchors, countries)
        if found.city is not None and found.city.how == "part":
            found.neighborhood, found.city, found.city_name = found.city, None, None
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
        for mention in cities:
            if mention.region is not None:
                support[mention.region.country, mention.region.code] += min(mention.weight, 5.0)
        for mention in regions:
            if mention.region is not None:
                support[mention.region.country, mention.region.code] += mention.weight
        for mention in counties:
            options = {c.state for c in self.gazetteer.counties(mention.text)}
            for state in options:
                support["US", state] += 2.0 / len(options)
        for mention in cities:
            if mention.region is None:
                homes = {
                    (c.countrycode, c.admin1code) for c in self.gazetteer.cities(mention.text) if c.population > 2000
                }
                for home in homes:
                    support[home] += 0.8 / len(homes)
        for match in _PHONE.pattern.finditer(scene.article.text):
            region = self.gazetteer.area_codes.get(match.group(1))
            if region is not None:
                support["US", region.code] += 2.5
        for region in self.gazetteer.postal.values():
            if re.sub(r"\W", "", region.name.lower()) in hints:
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
    ) -> None:
        best: tuple[float, PlaceMention, City | None] | None = None
        records: dict[str, City] = {}
        for score, name in scored[:6]:
            mentions = by_name[name]
            top = max(mentions, key=lambda m: (m.weight, -m.start))
            record = self._choose_record(name, mentions, support, anchors, countries)
            bonus = 0.0
            if record is None and top.region is None:
                continue
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
        if record is not None:
            whole = self._find_whole(normalize_place(top.text), record, by_name, records)
            if whole is not None:
                found.neighborhood = top
                top = max(by_name[whole], key=lambda m: (m.weight, -m.start))
                record = records[whole]
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
        us_bias = 0.6
        return max(
            options,
            key=lambda c: (
                support.get((c.countrycode, c.admin1code), 0.0)
                + min(2.4, 0.8 * sum(0 < distance_km(c, anchor) < 120 for anchor in anchors))
                + math.log10(max(c.population, 100)) * 1.1
                + us_bias * (c.countrycode == "US"),
                c.population,
            ),
        )

    @staticmethod
    def _find_whole(
        name: str, record: City, by_name: dict[str, list[PlaceMention]], records: dict[str, City]
    ) -> str | None:
        """Find the city that a place is a part of: much larger, near, and it is its police that the page names."""
        if any(m.how == "force" for m in by_name[name]):
            return None
        for other, city in records.items():
            is_larger = other != name and city.population > 3 * record.population and distance_km(record, city) < 35
            if is_larger and any(
                m.how in ("force", "dateline") or "'s" in m.sentence.text for m in by_name[other] if m.weight > 1.0
            ):
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
                score = totals[mention.text] + support.get(("US", county.state), 0.0)
                if record is not None and (record.countrycode, record.admin1code) == ("US", county.state):
                    score += 5.0
                if mention.region is not None and mention.region.code == county.state:
                    score += 5.0
                if best is None or score > best[0]:
                    best = (score, mention, county)
        if best is None:
            return
        _, mention, county = best
        if record is None or (record.countrycode, record.admin1code) == ("US", county.state):
            found.county, found.county_name = mention, county.name
            if record is None and found.city is None:
                found.region, found.region_name = (
                    mention,
                    self.gazetteer.postal[county.state].name if county.state in self.gazetteer.postal else None,
                )

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
            found.country_name = "United States"
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
                (m for m in counties + cities if any(("US", c.state) == key for c in self.gazetteer.counties(m.text))),
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
        name = re.sub(r"\s+", " ", match.group())
        before = text[max(sentence.start, start - 60) : start]
        lead = re.match(r"(?:(?:The|In|On|At|Near|Police|Officers|From|Along|Outside|Between|Inside)\s+)+", name)
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
        if kind == "plain" and re.search(
            r"\b(?:Wall Street|Main Street America|Sesame Street|Downing Street|First Place|Second Place|High Court|Supreme Court|District Court|Circuit Court|Superior Court|Magistrate Court|Municipal Court|Criminal Court|County Court|City Court|Federal Court|Justice Court|Appeals Court|Juvenile Court|Provincial Court|Crown Court)",
            name,
        ):
            return None
        if re.search(r"\b(?:Court)$", name) and re.search(
            r"(?:County|District|Circuit|Superior|Municipal|Magistrate|Criminal|Federal|Supreme|State|City|Justice|Juvenile|Common|General|Appeals|Immigration|Family|Probate|Traffic|Magistrates?['’]?|Crown|High|Provincial|Sessions)\s+Court$",
            name,
        ):
            return None
        if _MEDICAL.search(name) or (
            re.match(r"(?:Dr|St|Mr|Mrs)\.?\s", name) and kind == "plain" and len(name.split()) < 2
        ):
            return None
        weight += 1.2 * sentence.is_about_incident - 1.6 * sentence.is_background - 0.04 * sentence.index
        name = re.sub(r"(?<=\d)-(?=[Bb]lock)", " ", name.rstrip(","))
        name = name.rstrip(".") if len(name.split()[-1]) > 5 else name
        return weight, name, PlaceMention(name, start, end, sentence, weight, None, kind)

    def _read_parts(self, found: Places, scene: Scene) -> None:
        text = scene.article.text
        for sentence in scene.body:
            if found.neighborhood is None:
                match = next(_NEIGHBORHOOD.find_within(text, sentence), None)
                if match is not None:
                    group = "name" if match.group("name") else "of"
                    name = re.sub(r"^(?:The|In|A|Police)\s", "", match.group(group))
                    if re.search(r"['’]s ", name):
                        name = re.split(r"['’]s ", name)[-1]
                    if (
                        name
                        and name.lower() not in ("the", "a", "in")
                        and not name.lower().endswith(("side", "police"))
                    ):
                        start = match.end(group) - len(name)
                        found.neighborhood = PlaceMention(
                            name, start, match.end(group), sentence, 2.0, None, "neighborhood"
                        )
            if found.neighborhood is None and sentence.is_about_incident:
                side = next(_SIDE.find_within(text, sentence), None)
                if side is not None:
                    found.neighborhood = PlaceMention(
                        side.group("name"), side.start("name"), side.end("name"), sentence, 1.0, None, "neighborhood"
                    )
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
