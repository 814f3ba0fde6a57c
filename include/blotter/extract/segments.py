"""Several incidents in one page: where one ends and the next begins.

Belongs here: telling a round-up (paragraphs with datelines of different cities) and a page about a number of like incidents
("two shootings less than two hours apart") from a page about one. Does not belong here: reading a segment, which is done
as if it were a page.
"""

import re

from blotter.extract.gate import gated
from blotter.extract.patterns import compile_pattern
from blotter.extract.scene import Scene, Sentence

_DATELINE = compile_pattern(
    r"(?:•\s*)?(?P<city>[A-Z][A-Z.'’ -]{2,28}[A-Z])(?:,\s*[A-Z][A-Za-z.]+(?:\s[A-Z][a-z]+)?)?\s*(?:\([^)]{1,30}\)\s*)?(?:—|–|--|-)\s"
)
_SEVERAL = gated(
    r"\b(?:two|three|four|five|six|seven|\d+|separate|multiple|several|pair\sof|unrelated|rash\sof|spate\sof)\s(?:\w+\s){0,2}(?:shootings|stabbings|crashes|fires|homicides|incidents|attacks|robberies|collisions|drownings|killings)\b"
)
# A count of what befell a city: "4 dead, 12 wounded in weekend shootings", "in less than 30 hours".
_CITYWIDE = gated(
    r"\b(?:(?:weekend|overnight|holiday|(?:mon|tues|wednes|thurs|fri|satur|sun)day)(?:\s(?:night|afternoon|evening|morning))?\s(?:\w+\s)?(?:shootings|stabbings|homicides|killings|violence|crashes|fires)|(?:shootings|stabbings|homicides|killings|attacks|violence|crashes)\s(?:across|around|throughout|citywide|city-wide|over\sthe)\b|(?:weekend|week|day|night)\s(?:of\s(?:\w+\s)?violence|violence)|in\s(?:less\sthan\s|under\s|just\s|about\s)?(?:\d+|[a-z]+)\s(?:hours|shootings|incidents|attacks)\b|(?:dead|killed|shot|wounded|injured|hurt)\s(?:across|around|citywide|over\s(?:the\s)?(?:\w+\s)?weekend)\b)"
)
_STREET = compile_pattern(
    r"\b(?:\d{2,5}[- ]block\s(?:of\s)?|\d{2,5}\s)(?P<name>(?:[NSEW]\.?\s|North\s|South\s|East\s|West\s)?[A-Z0-9][\w'’]*(?:\s[A-Z][\w'’]*)*)"
)
_HOUR = compile_pattern(r"\b\d{1,2}(?::\d\d)?\s?[ap]\.?m\b|\b(?:noon|midnight)\b|\b[012]?\d[:.][0-5]\d\b", re.I)


def split_incidents(scene: Scene) -> tuple[list[Sentence], list[list[Sentence]]]:
    """Give the sentences that all incidents of a page share, and those of each; one list where there is one incident."""
    body = [s for s in scene.sentences if not s.is_title]
    by_dateline = _split_at_datelines(body)
    if len(by_dateline) > 1:
        return [], [segment for segment in by_dateline if any(s.is_about_incident for s in segment)] or [body]
    head = scene.sentences[:4]
    if any(_SEVERAL.search(s) or _CITYWIDE.search(s) for s in head if not s.is_background):
        lead, segments = _split_at_scenes(body)
        if len(segments) > 1:
            return [s for s in scene.sentences if s.is_title] + lead, segments
    return [], [scene.sentences]


def _split_at_datelines(body: list[Sentence]) -> list[list[Sentence]]:
    segments: list[list[Sentence]] = []
    cities: set[str] = set()
    for sentence in body:
        match = _DATELINE.match(sentence.text)
        if match is not None and match.group("city") not in cities:
            cities.add(match.group("city"))
            segments.append([])
        if segments:
            segments[-1].append(sentence)
    return segments if len(cities) > 1 else []


def _split_at_scenes(body: list[Sentence]) -> tuple[list[Sentence], list[list[Sentence]]]:
    """Begin a segment at each sentence that names both an hour and a street not named before."""
    lead: list[Sentence] = []
    segments: list[list[Sentence]] = []
    streets: set[str] = set()
    for sentence in body:
        street = _STREET.search(sentence.text)
        if (
            street is not None
            and _HOUR.search(sentence.text)
            and sentence.is_about_incident
            and street.group("name") not in streets
        ):
            streets.add(street.group("name"))
            segments.append([])
        (segments[-1] if segments else lead).append(sentence)
    return lead, segments
