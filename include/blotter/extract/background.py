"""Which sentences do not tell of the incident.

Belongs here: marking what a sentence is for: the incident itself, its aftermath (court, vigil), or background (an earlier
case, statistics, a biography, a teaser, boilerplate). Does not belong here: whether the whole page is about an incident
(`relevance`).
"""

import itertools
from collections.abc import Iterable, Mapping
from datetime import date

from blotter.extract.gate import gated
from blotter.extract.patterns import compile_pattern
from blotter.extract.scene import Sentence

# What someone did or suffered: a sentence with one of these may tell of the incident.
INCIDENT_WORDS = gated(
    r"\b(?:shot(?!\s+(?:clock|put|glass))|shoots|shooting|shootings|gunshots?|gunfire|gunned|gunman|gunmen|stabbed|stabbing|stabs|knifed|killed|kills|killing|slain|slaying|murder(?:ed)?|homicide|wounded|wounds|injured|injures|injuring|injuries|hurt|dead|died|dies|death"
    r"|attacked|assault(?:ed)?|beaten|robbed|robbery|carjack\w*|burglar\w*|kidnapp\w+|abducted|crash(?:ed|es)?|collided|collision|overturned|rollover|struck|hit-and-run|run\sover|fire|blaze|flames|arson|burned|explosion|exploded|blast|drown\w*|missing|disappeared|vanished|last\sseen"
    r"|collapsed|derail\w*|capsized|sank|electrocuted|overdos\w+|suicide|barricaded|standoff|hostages?|opened\sfire|fired|shots|bomb\w*|poison\w*|mauled|bitten|trapped|rescued|swept|avalanche|landslide|tornado|earthquake|flood\w*|lightning|evacuated|chemical|leak|struggle|gun|victims?)\b"
)
_AFTERMATH = gated(
    r"\b(?:arraign\w*|hearing|trial|jury|verdict|sentenc\w+|plead(?:ed|s)?|pled|indict\w*|bond|bail|prosecutors?|attorney|lawyer|vigil|funeral|memorial|mourn\w*|procession|condolences|candlelight|gofundme|fundrais\w+|lowered|half-staff|statement|news\sconference|press\sconference|autopsy|appeal|parole|lawsuit|sued)\b"
)
# Another time than that of a page which tells of these days.
_LONG_BEFORE = gated(
    r"\b(?:in\s(?:\w+\.?\s)?(?:19|20)\d\d(?![-\s]block)|(?:last|previous)\s(?:year|summer|fall|winter|spring|decade)|years?\s(?:ago|earlier|before|later)"
    r"|months\s(?:ago|earlier)|(?:two|three|four|five|six|several)\s(?:weeks|days)\s(?:ago|earlier)|since\s(?:19|20)\d\d|earlier\sthis\s(?:year|month))\b"
)
# Another case, or a count of cases.
_OTHER_CASE = gated(
    r"\b(?:first\s[^.]{0,70}\ssince\b|have\s(?:died|been\s(?:killed|shot|murdered|injured))\b[^.]*\b(?:line\sof\sduty|this\syear|since|so\sfar|in\sthe\s(?:city|state|county|country|nation)|nationwide)"
    r"|the\slast\s[^.]{0,60}\s(?:was|were|killed|shot)|(?:first|second|third|\d+(?:st|nd|rd|th)|\w+(?:teenth|tieth))\s(?:homicide|murder|killing|fatal|traffic\sdeath|shooting|officer)[^.]{0,40}(?:this\syear|of\sthe\syear|in\s20|so\sfar)|in\sthe\spast\s(?:\w+\s)?(?:years?|months?|decade)|(?:fell|rose|dropped|climbed|increased|decreased)\sby\s|at\s\w+\s(?:workplaces|locations)\s[^.]{0,40}last\syear|so\sfar\sthis\syear|this\syear['’]s|statistics|according\sto\sthe\s(?:fbi|cdc|census)"
    r"|(?<!-)\b\d[\d,.]*\s(?:[\w-]+\s){1,6}?(?:each|every|per|a|last)\syear\b|(?:each|every|per)\syear[^.]{0,40}\s\d[\d,.]*\s(?:people|deaths|children|americans|fires|crashes|drownings)|on\saverage|deaths\sper\s\d|most\srecent\syear|of\sthe\syear,\s"
    r"|(?:shooting|incident|attack|death|killing|crash|fire|violence|stabbing)s?\s(?:comes?|came|follows|followed|happened|occurred)\s(?:just\s|only\s|barely\s|a\s|less\sthan\s|more\sthan\s|over\s|\w+\s){0,3}(?:(?:hours?|days?|weeks?|months?|years?)\s(?:after|before)\b|recent\b)|(?:in|as)\s(?:retaliation|revenge|retribution)\sfor|(?:the\s)?latest\sin\sa\b|in\sthe\sfirst\s\w+\s(?:days|weeks|months)\sof\b|leading\scause\sof|age\sgroup|no\s(?:\w+\s)?(?:reason|sign|evidence|indication)[^.]{0,50}\b(?:connected|related|linked)\b|(?:connected|related|linked)\sto\s(?:one|another|an?\s(?:earlier|similar|second|previous))\b|(?:second|third|fourth|fifth|\d+(?:nd|rd|th))\s(?:\w+\s)?(?:shooting|stabbing|homicide|killing|crash|fire|attack)\s(?:of|in)\s(?:the|a|as\smany)\s(?:\w+\s)?(?:day|night|afternoon|morning|evening|week|weekend|month)|unrelated|separate\s(?:incident|shooting|case|attack)|similar\s(?:incident|case|attack)s?|another\s(?:nearby\s|recent\s|deadly\s|similar\s|mass\s){0,2}(?:shooting|fatal|incident|case)|a\sstring\sof|spate\sof|series\sof\sshootings|was\sreleased\sfrom\sprison|on\sparole|served\s(?:\w+\s){0,3}(?:years|time)|paralyzed\sin\sthat|in\s(?:his|her|their)\s\d\ds\sin\s(?:19|20)\d\d)\b"
)
_THESE_DAYS = gated(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|today|yesterday|tonight|overnight|this\s(?:morning|afternoon|evening)|last\snight)\b"
)
_TEASER = gated(
    r"^\s*(?:related|read\smore|more(?:\s(?:from|on|news|coverage|stories|content))?|see\salso|also|watch|photos?|video|click|sign\sup|subscribe|follow|copyright|©|get\sthe\slatest|download|advertisement|trending|recommended|most\spopular|you\smay\salso|don['’]t\smiss|up\snext|share\sthis|image|caption|gallery|listen|stay\sinformed|join|like\sus|top\sstories|latest\snews|in\sother\snews|breaking\snews\salerts|comments?|hide\scaption|story\scontinues|editor['’]s\snote:\sthis\sstory\sis|contact|email|e-mail|close|photo\sby|posted|filed\sunder|tags?)\b\s*[:|>—–-]"
    r"|all\srights\sreserved|this\smaterial\smay\snot|sign\sup\sfor|newsletters?\b|inbox|(?:^|\s)click\shere|download\s(?:the|our)|follow\s(?:us|\w+\son\s(?:twitter|facebook))|on\sfacebook\sand\stwitter|copyright\s\d{4}|©|terms\sof\s(?:use|service)|privacy\spolicy|advertisement|keep\sit\scivil|post\sa\scomment|comments\sare"
)
_TEASER_BEGINS = ("+ ", "Caption ", "Buy Photo ", "Buy This Photo ", "Photo: ", "Photos: ")
_HOTLINE = gated(
    r"anyone\swith\s(?:any\s)?information|crime\s?stoppers|call\s(?:the\s)?\d{3}|tips?\s(?:line|can)|asked\sto\s(?:call|contact)|tipsters?"
)


def is_boilerplate(sentence: Sentence) -> bool:
    """Say whether a marked sentence stands under many articles and tells of none: a teaser, a notice, a hotline."""
    return sentence.is_teaser or _HOTLINE.search(sentence) is not None


def mark_sentences(sentences: list[Sentence]) -> None:
    """Set what each sentence is for, in place."""
    teaser_tail = False
    tells_of_these_days = any(INCIDENT_WORDS.search(s) and _THESE_DAYS.search(s) for s in sentences[:14])
    for sentence in sentences:
        text = sentence.text
        if sentence.is_title:
            sentence.is_about_incident = bool(INCIDENT_WORDS.search(sentence))
            continue
        words = text.count(" ") + 1
        sentence.is_teaser = (
            text.startswith(_TEASER_BEGINS) or ") Caption " in text or _TEASER.search(sentence) is not None
        )
        if sentence.is_teaser or (teaser_tail and words < 14 and not text.endswith((".", ".”", '."', "!”", "?"))):
            sentence.is_background = True
        elif _HOTLINE.search(sentence):
            sentence.is_aftermath = True
        sentence.is_aftermath = sentence.is_aftermath or bool(_AFTERMATH.search(sentence))
        is_incident = bool(INCIDENT_WORDS.search(sentence))
        if sentence.index > 1 and (
            _OTHER_CASE.search(sentence) or (tells_of_these_days and _LONG_BEFORE.search(sentence))
        ):
            sentence.is_background = True
        sentence.is_about_incident = is_incident and not sentence.is_background
        teaser_tail = sentence.is_background and sentence.is_teaser
    _carry_background(sentences)


_MONTHS = "january february march april may june july august september october november december".split()
_SOME_MONTH = gated(
    r"\b(?:in|last|this\spast|since|late\sin|early\sin|during)\s(?:early\s|late\s|mid-)?(?P<month>january|february|march|april|may|june|july|august|september|october|november|december)\b(?!\s\d{1,2}\b)"
)
_LATER_THAN = gated(
    r"\b(?:\w+\s(?:weeks|months|years)\s(?:after|before)\b|(?:comes|came|comes\sjust|less\sthan)\s[^.;]{0,30}?\b(?:days?|weeks?|months?)\safter\b|in\s(?:retaliation|revenge)\sfor\s)"
)
_FRESH_DAYS, _APART_DAYS = 7, 6


def set_aside_other_days(sentences: list[Sentence], happened: date, days_told: Mapping[int, Iterable[date]]) -> None:
    """Take for background what a page about these days tells of another time ("was stabbed there on May 14").

    `days_told` holds the days that each sentence names, by its index.
    """
    goes_on = False
    for sentence in sentences:
        if sentence.index <= 2 or sentence.is_title or sentence.is_background:
            continue
        days = list(days_told.get(sentence.index, ()))
        is_near = any(abs((happened - day).days) <= _APART_DAYS for day in days)
        goes_on = not is_near and (
            (goes_on and _CARRIES.match(sentence.text) is not None)
            or (sentence.is_about_incident and (bool(days) or _tells_of_other_time(sentence, happened)))
        )
        if goes_on:
            sentence.is_background, sentence.is_about_incident = True, False


def _tells_of_other_time(sentence: Sentence, happened: date) -> bool:
    month = _SOME_MONTH.search(sentence)
    is_other_month = month is not None and _MONTHS.index(month.group("month").lower()) + 1 != happened.month
    return is_other_month or _LATER_THAN.search(sentence) is not None


def is_fresh(happened: date, published: date) -> bool:
    """Say whether a page tells of something of these days."""
    return 0 <= (published - happened).days <= _FRESH_DAYS


_COUNTS_ON = compile_pattern(
    r"^(?:Of\sthose|Another\s\d|\d[\d,.]*|[A-Z][a-z]+(?:-[a-z]+)?)\s(?:people|persons|others|more|percent|of|deaths)\b"
)
_A_COUNT = gated(r"(?:each|every|per|a|last)\syear|in\s(?:19|20)\d\d|so\sfar|statistics|according\sto")
_CARRIES = compile_pattern(r"^(?:He|She|They|That|Those|In\sthat|At\sthat\stime)\b")
_SAME_CASE = gated(r"\b(?:in\sthat\s(?:shooting|case|incident|attack|crash)|that\s(?:case|trial))\b")


def _carry_background(sentences: list[Sentence]) -> None:
    """Let background run on into a sentence that goes on about it ("He was trying to break up a fight")."""
    for before, sentence in itertools.pairwise(sentences):
        if sentence.is_title or sentence.is_background:
            continue
        if (
            before.is_background
            and _A_COUNT.search(before)
            and _COUNTS_ON.match(sentence.text)
            and not _THESE_DAYS.search(sentence)
        ):
            sentence.is_background, sentence.is_about_incident = True, False
        if (_SAME_CASE.search(sentence) and sentence.index > 2) or (
            before.is_background and not before.is_teaser and _CARRIES.match(sentence.text) and len(sentence.text) < 220
        ):
            sentence.is_background, sentence.is_about_incident = True, False
