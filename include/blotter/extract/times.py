"""When it happened: the day and the clock time.

Belongs here: every expression of a day or a time, the day it means given the day of publication, and which of them is the
incident's. Does not belong here: zones of places (`places`), parsing of metadata (`clean`).
"""

import calendar
import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.easter import easter

from blotter.extract.gate import gated
from blotter.extract.patterns import compile_pattern
from blotter.extract.scene import Scene, Sentence
from blotter.model import Article

_MONTHS = {m: i for i, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_DAYS = {d: i for i, d in enumerate("mon tue wed thu fri sat sun".split())}
_MONTH = r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?\.?|July?\.?|Aug(?:ust|\.)?|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
_WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|(?:Mon|Tues?|Weds?|Thurs?|Fri|Sat|Sun)\."
_PART_NOUN = r"(?:morning|afternoon|evening|night)"
_HOLIDAY = r"New\sYear['’]s\s(?:Eve|Day)|Christmas(?:\s(?:Eve|Day|[Nn]ight|[Mm]orning))?|Boxing\sDay|Thanksgiving|Halloween|Fourth\sof\sJuly|Independence\sDay|Memorial\sDay|Labor\sDay|Valentine['’]s\sDay|St\.\sPatrick['’]s\sDay|Mother['’]s\sDay|Father['’]s\sDay|Easter|Good\sFriday"
_SPELLED = "zero one two three four five six seven eight nine ten eleven twelve".split()
# "Saturday, Feb. 9, 2013" and "Monday (6/30)" are one expression, and the day of the month decides.
_DATE = gated(
    rf"\b(?:(?:\b(?P<weekday0>{_WEEKDAY})(?:\s{_PART_NOUN})?,?\s\(?(?:the\s)?)?(?:"
    rf"(?P<month>\b{_MONTH})\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?![\d:/])(?:,?\s+(?P<year>(?:19|20)\d\d)\b)?"
    rf"|\b(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month2>{_MONTH})\b(?:,?\s+(?P<year2>(?:19|20)\d\d)\b)?"
    r"|\b(?P<m3>\d{1,2})/(?P<d3>\d{1,2})/(?P<y3>(?:19|20)?\d\d)\b)"
    rf"|\b(?P<weekday4>{_WEEKDAY})(?:\s{_PART_NOUN})?,?\s\(?(?P<m4>\d{{1,2}})/(?P<d4>\d{{1,2}})\b"
    r"|\b(?P<iso>(?:19|20)\d\d-\d\d-\d\d)\b"
    rf"|\b(?:(?P<rel>[Ll]ast|[Tt]his(?:\spast)?|[Nn]ext|[Pp]ast)\s+)?(?P<weekday>{_WEEKDAY})(?P<before_last>\sbefore\slast)?"
    rf"|\b(?:(?P<shift>[Tt]he\s(?:day|night)\s(?:after|before))\s)?(?P<holiday>{_HOLIDAY})\b"
    rf"|\b(?P<ago>\d{{1,2}}|{'|'.join(_SPELLED[1:])}|a)\s(?P<unit>day|week|month)s?\sago\b"
    r"|\b(?P<word>[Yy]esterday|[Tt]oday|[Tt]onight|[Oo]vernight|[Ll]ast\snight|[Tt]his\s(?:morning|afternoon|evening)|[Ee]arlier\s(?:in\sthe\sday|today)|[Ll]ast\s(?:week|weekend|month|year)|[Tt]he\sday\sbefore)\b)",
    0,
)
_CLOCK = gated(
    r"\b(?P<hour>\d{1,2})(?:[:.](?P<minute>[0-5]\d))?(?::\d\d)?\s?(?P<half>[ap]\.?\s?m\b\.?)"
    r"|\b(?P<h24>[01]?\d|2[0-3])[:h](?P<m24>[0-5]\d)\b(?!\s?[ap]\.?m)(?!:\d)"
    r"|\b(?P<noon>noon|midday)\b(?!\s(?:news|report))|\b(?P<midnight>midnight)\b"
    r"|\b(?P<oclock>\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\so['’]clock(?:\s(?P<oday>(?:this\s|in\sthe\s|at\s|on\s\w+\s|\w+\s)?(?:morning|afternoon|evening|night)))?"
    r"|\b(?P<mil>[012]\d[0-5]\d)\s(?:hours|hrs)\b"
)
_PART = compile_pattern(
    r"\b(?P<early>early|pre-?dawn|before\sdawn)\b|\b(?P<part>morning|afternoon|evening|night|overnight)\b", re.I
)
_NEXT_PART = compile_pattern(r"\s*(?:,\s)?(?:(?P<early>early)\s)?(?P<part>morning|afternoon|evening|night)\b", re.I)
_PART_BEFORE = compile_pattern(
    r"\b(?P<early>early|late)\s(?:on\s)?(?:(?P<part>morning|afternoon|evening|night),?\s)?(?:on\s)?$|\b(?P<part2>morning|afternoon|evening|night)\s(?:of|on)\s(?:\w+,?\s)?$",
    re.I,
)

# What a day is the day of: the nearest of these before it decides. The order is that of the search at one place.
_KINDS = compile_pattern(
    r"\b(?:(?P<law>court|arraign\w*|hearing|sentenc\w+|plead\w*|pled|indict\w*|trial|jury|judge|bond|bail|convict\w+|appear(?:ed|ance)?|turned\shimself|autops\w+|vigil|funeral|memorial|buried|services?|scheduled|meeting|visitation|extradited|released\sfrom|born|graduated|expected|warrants?|guilty|(?:preliminary|plea)\shearing)"
    r"|(?P<arrest>(?:charged?|charges)\s(?:\w+\s)?(?:with|of)\s(?:[\w-]+\s){0,5}?(?:murder|homicide|manslaughter|assault|robbery|shooting|burglary|kidnapping|killing|attack)\b|arrest(?:ed|s)?(?:\s(?:\w+\s){0,3}?(?:for|in)\s(?:the\s|a\s)?(?:fatal\s)?(?:shooting|murder|killing|stabbing|robbery|homicide|death))?|custody|captured|surrendered|search\swarrant|seized|raid\w*|charged?|charges|booked|busted|stopped|pulled\sover|jailed|detained)"
    r"|(?P<state>(?:in|listed\sin)\s(?:\w+\s){0,2}condition|hospitali[sz]ed|recover\w*|discharged|released|returned\sto|continu\w+|remain\w*|remember\w*|mourn\w*|searching|seeking|looking\sfor|sought|underway|being\sheld|held\s(?:on|without)|learned|stolen|gather(?:ed|ing)|griev\w+|undergo\w*|surgery|asking|trying|working\sto|still|visited|closed|reopen\w*|stable|critical|improv\w+|prayed|condition|placed\son|sued|suing|lawsuit|filed|voted|wrote\son)"
    r"|(?P<died>died|dies|(?:pronounced|declared)(?:\sdead)?|succumbed)"
    r"|(?P<speech>said|says|told|announced|confirmed|according|statement|press|news\sconference|identif(?:ied|y|ies)|tweeted|interview|spokes\w+|reported\sby|reports|updated|posted|published|added|saying|wrote|briefing|revealed|named|ruled|declined)"
    r"|(?P<happened>happened|occurred|took\splace|unfolded|broke\sout|erupted|began|came\s(?:at|about|just|shortly|around)|rang\sout|was\sreported|were\scalled|responded|dispatched|called|reported|received|discovered|found|arrived)"
    r"|(?P<harm>shot|shooting|shootings|gunned|gunfire|gunshots?|shots|stabbed|stabbing|killed|killing|slain|slaying|murder(?:ed|s)?|homicide|wounded|injured|attack(?:ed)?|robbery|robbed|robbing|gunpoint|crash(?:ed)?|collision|collided|fire|blaze|explosion|exploded|struck|hit|beaten|assault(?:ed)?|kidnapp\w+|abducted|drown\w+|missing|disappeared|last\sseen|standoff|accident|incident|rampage|carjack\w*|dead|derailed|collapsed|burglary|ambush\w*|opened\sfire|fired|massacre|altercation|fight|argument|derailment|earthquake|landslide|avalanche|tornado|sank|capsized))\b",
    re.I,
)
_WEIGHT_OF = {"happened": 2.4, "harm": 2.2, "speech": -2.2, "arrest": -0.8, "law": -2.0, "state": -1.6, "died": -1.2}
_HARMFUL = frozenset(("happened", "harm"))
# "Tuesday's fatal shooting", "the Feb. 7 attack", "Wednesday-night robbery"
_NAMED_BY_DAY = compile_pattern(
    rf"(?:['’]s|-|,)?\s?(?:(?:early[- ])?{_PART_NOUN}(?:['’]s)?,?\s)?(?:(?!(?:in|at|on|of|and|or|the|an?|after|when|that|with|for|by|from|was|were|is|said|to|police|his|her|while|as|who|which|this|that|these|has|have|had)\b)[\w-]+\s){{0,3}}?"
    r"(?:shootings?|stabbings?|attacks?|incident|slayings?|killings?|murders?|robber(?:y|ies)|crash|fire|blaze|explosion|collision|accident|wreck|homicides?|drive-by|assault|spree|rampage|hit-and-run|massacre|ambush|standoff|drowning|derailment|carjacking|bombing|blast|burglary|death|tragedy|violence)\b",
    re.I,
)
_LEADS_SPEECH = compile_pattern(
    r"(?:\s(?:morning|afternoon|evening|night))?,?\s(?:said|announced|released|identified|told|confirmed|charged|arrested|named|filed|booked|sentenced|asked|searched|say|says)\b",
    re.I,
)
_STAMP_BEFORE = compile_pattern(
    r"(?:update:?|posted|published|updated|created|modified|originally\sposted|first\spublished)(?:\s(?:on|at|by))?(?:\s@?\s?\d[\d:.]*\s?[ap]\.?m\.?,?)?(?:\s(?:on|[A-Z]{2,4}),?)?[:\s(|]*$",
    re.I,
)
_SPAN_BEFORE = compile_pattern(
    r"\b(?:through|as\sof|until|till|by|before|prior\sto)\s(?:early\s|late\s|about\s|the\s)?$", re.I
)
_HOLIDAY_BEFORE = compile_pattern(
    r"(?:\b(?:on|early|late|of|midnight|noon|morning|night|afternoon|evening)|[ap]\.?m\.?)\s$|[Tt]he\s(?:day|night)\s(?:after|before)\s$"
)
_THE_BEFORE = compile_pattern(r"\b(?:in|for|from|of|with|to|during|after|since)\sthe\s$")
_ONE_BEFORE = compile_pattern(r"\b(?:an?|another|earlier|previous|other|separate|including)\s(?:\w+\s)?$", re.I)
_HAD_DONE = compile_pattern(
    r"\bhad\s(?:\w+\s){0,2}(?!(?:been|died|happened|occurred|started|begun)\s)\w+(?:ed|en|t|ne)\s(?:[\w']+\s){0,5}$",
    re.I,
)
_SPOKE_BEFORE = compile_pattern(r"\b(?:said|says|told|announced|confirmed|added)\s(?:on\s|late\s|early\s)?$", re.I)
_LAST_SEEN = gated(r"\blast\s(?:seen|heard)\b|\bwent\smissing\b|\bdisappeared\b|\bmissing\ssince\b|\bwalked\saway\b")
_AFTER_HARM = compile_pattern(r"[^.,]{0,20}\s(?:after|when)\s(?:being|he|she|they|an?|the|someone)\s", re.I)
_FOUND_BODY = compile_pattern(
    r"\b(?:found\sdead|bod(?:y|ies)\s(?:[^.;]{1,60}\s)?(?:found|recovered|located|discovered|pulled)|(?:found|recovered|located|discovered)\s(?:a|the|his|her|their)\s(?:\w+['’]s\s)?bod(?:y|ies))\b",
    re.I,
)
_FOUND_SAFE = compile_pattern(r"\b(?:found|located)\s(?:\w+\s){0,3}(?:safe|alive|unharmed|well)\b", re.I)
# When someone missing was reported so, or found, they had been gone for a while.
_FOUND = compile_pattern(
    r"\breported\s(?:\w+\s){1,4}missing\b|\b(?:he|she|him|her)\s(?:was\s)?(?:found|located)\b", re.I
)
# For the clock.
_HAPPENED = compile_pattern(
    r"\b(?:happened|occurred|took\splace|unfolded|broke\sout|erupted|began|came\s(?:at|about|just|shortly|around)|rang\sout|was\sreported|were\scalled|responded|dispatched|called|reported|received|discovered|found|arrived)\b",
    re.I,
)
_HARM = compile_pattern(
    r"\b(?:shot|shooting|shootings|gunned|gunfire|gunshots?|shots|stabbed|stabbing|killed|killing|slain|slaying|murder(?:ed)?|homicide|wounded|injured|attack(?:ed)?|robbery|robbed|crash(?:ed)?|collision|collided|fire|blaze|explosion|exploded|struck|hit|beaten|assault(?:ed)?|kidnapp\w+|abducted|drown\w+|missing|disappeared|last\sseen|standoff|accident|incident|rampage|carjack\w*|dead|derailed|collapsed|burglary|ambush\w*|opened\sfire|fired|massacre|altercation|fight|argument|derailment|earthquake|landslide|avalanche|tornado|sank|capsized|raid)\b",
    re.I,
)
_ROUGHLY_BEFORE = compile_pattern(
    r"(?:about|around|approximately|shortly|just|before|after|nearly|roughly|near|circa|sometime|between)\s(?:\w+\s)?$",
    re.I,
)
_HARM_BEFORE = compile_pattern(
    r"(?:shot|shooting|stabb\w+|crash\w*|fire|robber\w|happened|occurred|took\splace|called|responded)\b[^.]{0,50}$",
    re.I,
)
_NOT_SCENE_BEFORE = compile_pattern(
    r"\b(?:updated?|posted|published|news\sat|newscast|p\.m\.\sE[SD]?T$|tune|vigil|funeral|service|conference|court|hearing|open\sfrom|until|monday\sthrough|weekdays|interview|pronounced|died|arrested|custody|under\scontrol|extinguished|contained|knocked\sdown|put\sout|cleared|reopen\w*|scheduled|arraign\w*|plan(?:s|ned)?\sto|will|gather)\b[^.]{0,40}$",
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
    is_search = any(_LAST_SEEN.search(sentence) for sentence in scene.body)
    for sentence in scene.sentences:
        at = sentence.start
        for match in _DATE.find_within(text, sentence):
            mention = _read_day(text, sentence, match, published, at)
            if mention is not None and is_search and _FOUND_BODY.search(text, at, match.end()):
                mention = replace(mention, weight=mention.weight - 4.0)  # of who was missing: that was earlier
            at = match.end()
            if mention is not None:
                found.append(mention)
    return sorted(found, key=lambda m: (-m.weight, m.start))


def _read_day(
    text: str, sentence: Sentence, match: re.Match[str], published: date, clause_start: int
) -> DayMention | None:
    """Read one expression; what an earlier day of the sentence is the day of ends before `clause_start`."""
    day, explicit = _resolve_day(match, published)
    if day is None or day > published + timedelta(days=1) or day < published - timedelta(days=365 * 40):
        return None
    before, after = text[sentence.start : match.start()], text[match.end() : sentence.end]
    if match.group("unit") is not None and _HAD_DONE.search(before[-60:]):
        return None  # "he had cleaned the stove a week ago"
    is_stamp = explicit or match.group("weekday") is not None
    weight = _weigh_day(before, text[clause_start : match.start()], after, sentence, is_stamp=is_stamp)
    if match.group("holiday") and not (
        match.group("shift") or _HOLIDAY_BEFORE.search(before[-12:]) or _NAMED_BY_DAY.match(after)
    ):
        return None  # "a Christmas party"
    if match.group("word") in ("overnight", "Overnight"):
        weight -= 1.4  # which of two days it was, another word may tell
    weight -= 2.5 * (match.group("word") is not None and _is_quoted(before))
    age = (published - day).days
    weight -= 0.0 if age <= 14 else 0.6 if age <= 60 else 1.4 if age <= 400 else 2.6
    if (match.group("word") or "").lower() in ("last week", "last weekend", "last month", "last year") or match.group(
        "unit"
    ) in ("week", "month"):
        weight -= 2.5
    part = _part_of_day(before, after, match)
    if part is not None and not _speaks(before[-30:]):
        weight += 0.5
    return DayMention(day, match.start(), match.end(), sentence, weight, explicit, part)


def _last_kind(text: str) -> str | None:
    kind = None
    for found in _KINDS.finditer(text):
        kind = found.lastgroup
    return kind


def _is_quoted(before: str) -> bool:
    return before.count("“") > before.count("”") or before.count('"') % 2 == 1


def _speaks(text: str) -> bool:
    return any(found.lastgroup == "speech" for found in _KINDS.finditer(text))


def _resolve_day(match: re.Match[str], published: date) -> tuple[date | None, bool]:
    """Give the day that an expression means, and whether it says the day of the month."""
    groups = match.groupdict()
    try:
        if groups["iso"]:
            return date.fromisoformat(groups["iso"]), True
        if groups["m3"]:
            return _resolve_figures(groups["m3"], groups["d3"], groups["y3"], groups["weekday0"], published), True
        if groups["m4"]:
            return _resolve_figures(groups["m4"], groups["d4"], None, groups["weekday4"], published), True
        month = groups["month"] or groups["month2"]
        if month:
            number, day = _MONTHS[month[:3].lower()], int(groups["day"] or groups["day2"])
            return _date_before(published, number, day, groups["year"] or groups["year2"]), True
        if groups["holiday"]:
            return _resolve_holiday(groups["holiday"], (groups["shift"] or "").lower(), published), False
    except ValueError:
        return None, False
    if groups["ago"]:
        word = groups["ago"].lower()
        number = int(word) if word.isdigit() else 1 if word == "a" else _SPELLED.index(word)
        return published - timedelta(days=number * {"day": 1, "week": 7, "month": 30}[groups["unit"]]), False
    if groups["weekday"]:
        day_of_week = _resolve_weekday(groups["weekday"], (groups["rel"] or "").lower(), published)
        return day_of_week - timedelta(days=7) if day_of_week and groups["before_last"] else day_of_week, False
    return _resolve_word(groups["word"].lower(), published), False


def _date_before(published: date, month: int, day: int, year: str | None) -> date:
    """Give the day of a month: of the year that is written, else the latest that is not in the future."""
    if year:
        return date(int(year) + 2000 if len(year) == 2 else int(year), month, day)
    for back in range(5):  # 29 February
        try:
            found = date(published.year - back, month, day)
        except ValueError:
            continue
        if found <= published + timedelta(days=2):
            return found
    raise ValueError(month, day)


def _resolve_figures(first: str, second: str, year: str | None, weekday: str | None, published: date) -> date:
    """Read "3/4/2026": month first as Americans write, unless only the other order is a day, or the weekday named."""
    options: list[date] = []
    for month, day in ((int(first), int(second)), (int(second), int(first))):
        try:
            options.append(_date_before(published, month, day, year))
        except ValueError:
            continue
    fitting = [one for one in options if weekday is None or one.weekday() == _DAYS[weekday[:3].lower()]]
    if not options:
        raise ValueError(first, second)
    return (fitting or options)[0]


_FIXED_DAYS = {
    "new year’s eve": (12, 31), "new year’s day": (1, 1), "christmas": (12, 25), "christmas day": (12, 25), "christmas night": (12, 25),
    "christmas morning": (12, 25), "christmas eve": (12, 24), "boxing day": (12, 26), "halloween": (10, 31), "fourth of july": (7, 4),
    "independence day": (7, 4), "valentine’s day": (2, 14), "st. patrick’s day": (3, 17),
}  # fmt: skip
# month, weekday, which of the month (-1: the last)
_FLOATING_DAYS = {
    "thanksgiving": (11, 3, 4), "memorial day": (5, 0, -1), "labor day": (9, 0, 1), "mother’s day": (5, 6, 2), "father’s day": (6, 6, 3),
}  # fmt: skip


def _resolve_holiday(name: str, shift: str, published: date) -> date | None:
    key = re.sub(r"\s+", " ", name.lower().replace("'", "’"))
    days = [_date_of_holiday(key, published.year - back) for back in (0, 1)]
    moved = timedelta(days=1 if shift.endswith("after") else -1 if shift.endswith("before") else 0)
    return next((day + moved for day in days if day + moved <= published), None)


def _date_of_holiday(key: str, year: int) -> date:
    if key in _FIXED_DAYS:
        return date(year, *_FIXED_DAYS[key])
    if key in _FLOATING_DAYS:
        month, weekday, which = _FLOATING_DAYS[key]
        days = [
            d for d in calendar.Calendar().itermonthdates(year, month) if d.month == month and d.weekday() == weekday
        ]
        return days[which - 1 if which > 0 else which]
    return easter(year) - timedelta(days=2 if key == "good friday" else 0)


def _resolve_weekday(word: str, relative: str, published: date) -> date | None:
    back = (published.weekday() - _DAYS[word[:3].lower()]) % 7
    if relative == "next":
        return None
    if relative == "last" and back <= 1:  # of the day before, nobody says "last"
        back += 7
    return published - timedelta(days=back)


def _resolve_word(word: str, published: date) -> date | None:
    word = re.sub(r"\s+", " ", word)
    if word in ("yesterday", "last night", "the day before"):
        return published - timedelta(days=1)
    if word == "last weekend":
        return published - timedelta(days=(published.weekday() - 6) % 7 or 7)
    if word == "last week":
        return published - timedelta(days=7)
    if word == "last month":
        return published - timedelta(days=30)
    if word == "last year":
        return published - timedelta(days=365)
    return published


def _weigh_day(before: str, clause: str, after: str, sentence: Sentence, *, is_stamp: bool) -> float:
    """Weigh by what the day is the day of: what happened, what was said, or what the law did."""
    near = clause[-160:]
    if is_stamp and _STAMP_BEFORE.search(before[-50:]):
        return -6.0
    weight = 0.0
    if _NAMED_BY_DAY.match(after) and not _SPOKE_BEFORE.search(before[-20:]):
        weight += 1.0 if sentence.index > 2 and _ONE_BEFORE.search(before[-24:]) else 2.8
    elif _THE_BEFORE.search(before[-12:]) and after[:1] == " " and after[1:2].islower():
        weight += 2.0
    elif _LEADS_SPEECH.match(after):
        weight -= 2.2
    else:
        kind = _last_kind(near)
        weight += _WEIGHT_OF.get(kind or "", 0.0)
        if kind == "state" and _AFTER_HARM.match(after):
            weight += 0.8
        if kind is None:
            following = [found.lastgroup for found in _KINDS.finditer(after[:90])]
            weight += 1.2 if _HARMFUL.intersection(following) else 0.0
            weight -= 0.8 if _speaks(after[:30]) else 0.0
            weight -= 1.0 if "law" in following[:1] else 0.0
        if _SPAN_BEFORE.search(before[-20:]):
            weight -= 1.5
    if _LAST_SEEN.pattern.search(near):
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
    return weight + max(0.0, 1.6 - 0.08 * sentence.index)


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
    is_search = any(_LAST_SEEN.search(sentence) for sentence in scene.body)
    for sentence in scene.sentences:
        for match in _CLOCK.find_within(text, sentence):
            value = _clock_value(match)
            if value is None:
                continue
            before, after = text[sentence.start : match.start()], text[match.end() : sentence.end]
            weight = _weigh_clock(before, after, sentence)
            if is_search and not _LAST_SEEN.search(sentence):
                weight -= 2.5  # of a search or a find
            approximate = bool(_ROUGHLY_BEFORE.search(before))
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
    if _HARM_BEFORE.search(before):
        weight += 0.6
    if _NOT_SCENE_BEFORE.search(before):
        weight -= 1.8
    if _LAST_SEEN.pattern.search(before[-90:]):
        weight += 2.5
    elif _FOUND.search(before[-110:]) or _FOUND.search(after[:60]):
        weight -= 2.0
    weight += 1.0 * sentence.is_about_incident - 2.0 * sentence.is_background - 0.8 * sentence.is_aftermath
    return weight + max(0.0, 0.6 - 0.05 * sentence.index)


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
        number = int(groups["oclock"]) if groups["oclock"].isdigit() else _SPELLED.index(groups["oclock"].lower())
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
