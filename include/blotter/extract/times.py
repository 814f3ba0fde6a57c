"""When it happened: the day and the clock time.

Belongs here: every expression of a day or a time, the day it means given the day of publication, and which of them is the
incident's. Does not belong here: zones of places (`places`), parsing of metadata (`clean`).
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from blotter.extract.gate import gated
from blotter.extract.scene import Scene, Sentence
from blotter.model import Article

_MONTHS = {m: i for i, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_DAYS = {d: i for i, d in enumerate("mon tue wed thu fri sat sun".split())}
_MONTH = r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?\.?|July?\.?|Aug(?:ust|\.)?|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
_WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|(?:Mon|Tues?|Weds?|Thurs?|Fri|Sat|Sun)\."
_DATE = gated(
    rf"(?P<month>\b{_MONTH})\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?!\d)(?:,?\s+(?P<year>(?:19|20)\d\d)\b)?"
    rf"|\b(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month2>{_MONTH})\b(?:,?\s+(?P<year2>(?:19|20)\d\d)\b)?"
    r"|\b(?P<iso>(?:19|20)\d\d-\d\d-\d\d)\b"
    r"|\b(?P<m3>\d{1,2})/(?P<d3>\d{1,2})/(?P<y3>(?:19|20)?\d\d)\b"
    rf"|\b(?:(?P<rel>[Ll]ast|[Tt]his(?:\spast)?|[Nn]ext|[Pp]ast)\s+)?(?P<weekday>{_WEEKDAY})"
    r"|\b(?P<word>[Yy]esterday|[Tt]oday|[Tt]onight|[Oo]vernight|[Ll]ast\snight|[Tt]his\s(?:morning|afternoon|evening)|[Ee]arlier\s(?:in\sthe\sday|today)|[Ll]ast\s(?:week|weekend|month|year)|[Tt]he\sday\sbefore)\b",
    0,
)
_CLOCK = gated(
    r"\b(?P<hour>\d{1,2})(?:[:.](?P<minute>[0-5]\d))?(?::\d\d)?\s?(?P<half>[ap]\.?\s?m\b\.?)"
    r"|\b(?P<h24>[01]?\d|2[0-3])[:h](?P<m24>[0-5]\d)\b(?!\s?[ap]\.?m)(?!:\d)"
    r"|\b(?P<noon>noon|midday)\b(?!\s(?:news|report))|\b(?P<midnight>midnight)\b"
    r"|\b(?P<oclock>\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\so['’]clock(?:\s(?P<oday>(?:this\s|in\sthe\s|at\s|on\s\w+\s|\w+\s)?(?:morning|afternoon|evening|night)))?"
    r"|\b(?P<mil>[012]\d[0-5]\d)\s(?:hours|hrs)\b"
)
_PART = re.compile(
    r"\b(?P<early>early|pre-?dawn|before\sdawn)\b|\b(?P<part>morning|afternoon|evening|night|overnight)\b", re.I
)
_NEXT_PART = re.compile(r"\s*(?:,\s)?(?:(?P<early>early)\s)?(?P<part>morning|afternoon|evening|night)\b", re.I)
_PART_BEFORE = re.compile(
    r"\b(?P<early>early|late)\s(?:on\s)?(?:(?P<part>morning|afternoon|evening|night),?\s)?(?:on\s)?$|\b(?P<part2>morning|afternoon|evening|night)\s(?:of|on)\s(?:\w+,?\s)?$",
    re.I,
)

_HAPPENED = re.compile(
    r"\b(?:happened|occurred|took\splace|unfolded|broke\sout|erupted|began|came\s(?:at|about|just|shortly|around)|rang\sout|was\sreported|were\scalled|responded|dispatched|called|reported|received|discovered|found|arrived)\b",
    re.I,
)
_HARM = re.compile(
    r"\b(?:shot|shooting|shootings|gunned|gunfire|gunshots?|shots|stabbed|stabbing|killed|killing|slain|slaying|murder(?:ed)?|homicide|wounded|injured|attack(?:ed)?|robbery|robbed|crash(?:ed)?|collision|collided|fire|blaze|explosion|exploded|struck|hit|beaten|assault(?:ed)?|kidnapp\w+|abducted|drown\w+|missing|disappeared|last\sseen|standoff|accident|incident|rampage|carjack\w*|dead|derailed|collapsed|burglary|ambush\w*|opened\sfire|fired|massacre|altercation|fight|argument|derailment|earthquake|landslide|avalanche|tornado|sank|capsized|raid)\b",
    re.I,
)
_LAST_SEEN = re.compile(r"\blast\s(?:seen|heard)\b|\bwent\smissing\b|\bdisappeared\b", re.I)
_FOUND_SAFE = re.compile(r"\b(?:found|located)\s(?:\w+\s){0,3}(?:safe|alive|unharmed|well)\b", re.I)
_SPEECH = re.compile(
    r"\b(?:said|says|told|announced|confirmed|according|statement|press|news\sconference|released?|identified|tweeted|interview|spokes\w+|reported\sby|reports|updated|posted|published|added|saying|wrote|briefing|revealed)\b",
    re.I,
)
_ARREST = re.compile(
    r"\b(?:arrest(?:ed|s)?|custody|captured|surrendered|search\swarrant|seized|raid\w*|charged?|charges|booked|busted|stopped|pulled\sover)\b",
    re.I,
)
_LAW = re.compile(
    r"\b(?:court|arraign\w*|hearing|sentenc\w+|plead\w*|pled|indict\w*|trial|jury|judge|bond|bail|convict\w+|appear(?:ed|ance)?|warrant|turned\shimself|autopsy|vigil|funeral|memorial|buried|died|pronounced|succumbed|services?|scheduled|meeting|visitation|extradited|released\sfrom|born|graduated|expected)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class DayMention:
    """A day that the article names, with its span and how strongly it speaks for being the incident's."""

    day: date
    start: int
    end: int
    sentence: Sentence
    weight: float
    is_explicit: bool  # month and day, no arithmetic but the year
    part: str | None = None  # early_morning, morning, afternoon, evening, night


@dataclass(frozen=True, slots=True)
class ClockMention:
    """A clock time or a part of a day: `value` as FIELDS says for `occurred_time`."""

    value: str
    start: int
    end: int
    sentence: Sentence
    weight: float
    is_approximate: bool


def local_day(article: Article, time_zone: str | None) -> date:
    """Give the local day of publication: in the place's zone where the minute is known, as written where only the day is."""
    if article.published_precision == "day" or time_zone is None:
        return article.published_at.date()
    try:
        return article.published_at.astimezone(ZoneInfo(time_zone)).date()
    except (ZoneInfoNotFoundError, ValueError, OverflowError):
        return article.published_at.date()


def read_days(scene: Scene, published: date) -> list[DayMention]:
    """Give the days that may be the incident's, the likeliest first."""
    found: list[DayMention] = []
    text = scene.article.text
    for sentence in scene.sentences:
        for match in _DATE.find_within(text, sentence):
            mention = _read_day(scene, sentence, match, published)
            if mention is not None:
                found.append(mention)
    return sorted(found, key=lambda m: (-m.weight, m.start))


def _read_day(scene: Scene, sentence: Sentence, match: re.Match[str], published: date) -> DayMention | None:
    text = scene.article.text
    day, explicit = _resolve_day(match, published)
    if day is None:
        return None
    before, after = text[sentence.start : match.start()], text[match.end() : sentence.end]
    weight = _weigh_day(before, after, sentence, match)
    if day > published + timedelta(days=1) or day < published - timedelta(days=365 * 40):
        return None
    age = (published - day).days
    weight -= 0.0 if age <= 14 else 0.6 if age <= 60 else 1.4 if age <= 400 else 2.6
    if match.group("word") and match.group("word").lower() in ("last week", "last weekend", "last month", "last year"):
        weight -= 2.5
    part = _part_of_day(before, after, match)
    if part is not None and not _SPEECH.search(before[-30:]):
        weight += 0.5
    return DayMention(day, match.start(), match.end(), sentence, weight, explicit, part)


def _resolve_day(match: re.Match[str], published: date) -> tuple[date | None, bool]:
    groups = match.groupdict()
    try:
        if groups["iso"]:
            return date.fromisoformat(groups["iso"]), True
        if groups["m3"]:
            year = int(groups["y3"])
            return date(year + 2000 if year < 100 else year, int(groups["m3"]), int(groups["d3"])), True
        month = groups["month"] or groups["month2"]
        if month:
            number, day = _MONTHS[month[:3].lower()], int(groups["day"] or groups["day2"])
            year_text = groups["year"] or groups["year2"]
            if year_text:
                return date(int(year_text), number, day), True
            this_year = date(published.year, number, day)
            return (
                this_year if this_year <= published + timedelta(days=2) else date(published.year - 1, number, day)
            ), True
    except ValueError:
        return None, False
    if groups["weekday"]:
        return _resolve_weekday(groups["weekday"], (groups["rel"] or "").lower(), published), False
    return _resolve_word(groups["word"].lower(), published), False


def _resolve_weekday(word: str, relative: str, published: date) -> date | None:
    back = (published.weekday() - _DAYS[word[:3].lower()]) % 7
    if relative == "next":
        return None
    if relative == "last" and back == 0:
        back = 7
    return published - timedelta(days=back)


def _resolve_word(word: str, published: date) -> date | None:
    word = re.sub(r"\s+", " ", word)
    if word in ("yesterday", "last night", "the day before"):
        return published - timedelta(days=1)
    if word in ("last week", "last weekend"):
        return published - timedelta(days=7)
    if word == "last month":
        return published - timedelta(days=30)
    if word == "last year":
        return published - timedelta(days=365)
    return published


def _weigh_day(before: str, after: str, sentence: Sentence, match: re.Match[str]) -> float:
    """Weigh by the nearest verb before the day: what happened, what was said, or what the law did."""
    near = before[-110:]
    weight = 0.0
    nearest: list[tuple[int, str]] = []
    for kind, pattern in (
        ("happened", _HAPPENED),
        ("harm", _HARM),
        ("speech", _SPEECH),
        ("arrest", _ARREST),
        ("law", _LAW),
    ):
        ends = [found.end() for found in pattern.finditer(near)]
        if ends:
            nearest.append((ends[-1], kind))
    nearest.sort(reverse=True)
    for rank, (_, kind) in enumerate(nearest[:2]):
        weight += {"happened": 2.4, "harm": 2.2, "speech": -2.2, "arrest": -0.8, "law": -2.0}[kind] * (
            1.0 if rank == 0 else 0.35
        )
    if not nearest:
        following = after[:90]
        weight += 1.2 if _HARM.search(following) or _HAPPENED.search(following) else 0.0
        weight -= 0.8 if _SPEECH.search(after[:30]) else 0.0
        weight -= 1.0 if _LAW.search(after[:50]) else 0.0
    if _LAST_SEEN.search(near):
        weight += 2.0
    elif _FOUND_SAFE.search(near):
        weight -= 2.0
    if sentence.is_about_incident:
        weight += 1.0
    if sentence.is_title:
        weight += 0.2
    if sentence.is_background:
        weight -= 3.0
    if sentence.is_aftermath:
        weight -= 0.8
    if _CLOCK.pattern.search(before[-25:]) or _CLOCK.pattern.search(after[:25]):
        weight += 0.7
    return weight + max(0.0, 1.0 - 0.08 * sentence.index)


def _part_of_day(before: str, after: str, match: re.Match[str]) -> str | None:
    word = (match.group("word") or "").lower()
    following = _NEXT_PART.match(after)
    leading = _PART_BEFORE.search(before)
    part = (
        (following.group("part") if following else None)
        or (leading and (leading.group("part") or leading.group("part2")))
        or None
    )
    early = bool(
        (following and following.group("early")) or (leading and (leading.group("early") or "").lower() == "early")
    )
    late = bool(leading and (leading.group("early") or "").lower() == "late")
    if word.startswith("this "):
        part = word.split()[-1]
    elif word in ("last night", "tonight"):
        part = "night"
    elif word == "overnight":
        part, early = "morning", True
    if part is None and early:
        return "early_morning"
    if part is None and late:
        return "night"
    if part is None:
        return None
    part = part.lower()
    if part == "morning" and early:
        return "early_morning"
    return part


def read_clocks(scene: Scene, days: list[DayMention]) -> list[ClockMention]:
    """Give the clock times that may be the incident's, the likeliest first; a part of the day last."""
    found: list[ClockMention] = []
    text = scene.article.text
    for sentence in scene.sentences:
        for match in _CLOCK.find_within(text, sentence):
            value = _clock_value(match)
            if value is None:
                continue
            before, after = text[sentence.start : match.start()], text[match.end() : sentence.end]
            weight = _weigh_clock(before, after, sentence)
            approximate = bool(
                re.search(
                    r"(?:about|around|approximately|shortly|just|before|after|nearly|roughly|near|circa|sometime|between)\s(?:\w+\s)?$",
                    before,
                    re.I,
                )
            )
            if weight > -1.0:
                found.append(
                    ClockMention(value, match.start(), match.end(), sentence, weight - 0.3 * approximate, approximate)
                )
    found.sort(key=lambda m: (-m.weight, m.start))
    if not found:
        for day in days[:1]:
            if day.part is not None and day.weight > 0:
                found.append(ClockMention(day.part, day.start, day.end, day.sentence, day.weight, True))
    return found


def _weigh_clock(before: str, after: str, sentence: Sentence) -> float:
    weight = 1.0 if _HARM.search(before[-140:]) or _HARM.search(after[:100]) else 0.0
    if _HAPPENED.search(before[-90:]) or _HAPPENED.search(after[:80]):
        weight += 1.5
    if re.search(
        r"(?:shot|shooting|stabb\w+|crash\w*|fire|robber\w|happened|occurred|took\splace|called|responded)\b[^.]{0,50}$",
        before,
        re.I,
    ):
        weight += 0.6
    if re.search(
        r"\b(?:updated?|posted|published|news\sat|newscast|p\.m\.\sE[SD]?T$|tune|vigil|funeral|service|conference|court|hearing|open\sfrom|until|monday\sthrough|weekdays|interview|pronounced|died|arrested|custody|scheduled|arraign\w*)\b[^.]{0,40}$",
        before,
        re.I,
    ):
        weight -= 1.8
    weight += 1.0 * sentence.is_about_incident - 2.0 * sentence.is_background - 0.8 * sentence.is_aftermath
    return weight + max(0.0, 0.6 - 0.05 * sentence.index)


_OCLOCK = "zero one two three four five six seven eight nine ten eleven twelve".split()


def _clock_value(match: re.Match[str]) -> str | None:
    groups = match.groupdict()
    if groups["noon"]:
        return "12:00"
    if groups["midnight"]:
        return "00:00"
    if groups["mil"]:
        return f"{groups['mil'][:2]}:{groups['mil'][2:]}"
    if groups["h24"]:
        return f"{int(groups['h24']):02d}:{groups['m24']}"
    if groups["oclock"]:
        number = int(groups["oclock"]) if groups["oclock"].isdigit() else _OCLOCK.index(groups["oclock"].lower())
        part = (groups["oday"] or "").lower()
        if not part or number > 12:
            return None
        late = part.endswith(("afternoon", "evening")) or (part.endswith("night") and number > 5)
        return f"{number % 12 + 12 * late:02d}:00"
    hour, minute = int(groups["hour"]), int(groups["minute"] or 0)
    if not 1 <= hour <= 12:
        return None
    return f"{hour % 12 + 12 * (groups['half'][0].lower() == 'p'):02d}:{minute:02d}"


def as_midnight(day: date) -> datetime:
    """Give the first moment of a day, without a zone."""
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - local wall time at the place
