"""What a page is about: an incident, the aftermath of one, several, or none; and whether it corrects itself.

Belongs here: deciding `ReadingKind` and `Notice` from the whole page. Does not belong here: which sentences are background
(`background`), nor the words (`lexicons/page_words.txt`) and the weights (`lexicons/page_weights.txt`).

A page is measured: how many of its words are those of sport, of court, of rescue; whether its first sentences tell what
happened and when; whether somebody was harmed. The weighted sum says whether it is about an incident. The weights are
fitted to the pages in tests/extract/pages (`python -m tests.extract.weigh_pages` fits and writes them); a weight can only
speak for an incident or only against one, as its measure is declared here.
"""

import re
from functools import cache
from math import log1p

from ahocorasick_rs import AhoCorasick, MatchKind

from blotter.extract.background import is_boilerplate
from blotter.extract.gate import GatedPattern, gated
from blotter.extract.incident_types import Keyword
from blotter.extract.lexicon import load_rows, load_sections
from blotter.extract.patterns import compile_pattern
from blotter.extract.people import Person
from blotter.extract.scene import Scene, Sentence
from blotter.model import Article, Notice, ReadingKind

_CORRECTION = gated(
    r"\b(?:correction\s?:|corrections?\s(?:&|and)\sclarifications?|clarification\s?:|(?:this|an\searlier|a\sprevious|the\soriginal)\s(?:version\sof\s(?:this|the)\s)?(?:story|article|report|version)[^.]{0,60}\b(?:incorrect\w*|misstated|erroneous\w*|wrong\w*|error|has\sbeen\scorrected|was\scorrected|mistaken\w*|misidentified|gave\sthe\swrong)|has\sbeen\scorrected|we\sregret\sthe\serror|(?:toll|count|figure|number)\s(?:was|has\sbeen)\s(?:revised|lowered|corrected)|(?:revised|lowered|corrected)\s(?:the|its|their)\s(?:death\s)?(?:toll|count|figure))"
)
_RETRACTION = gated(
    r"\b(?:retraction\s?:|(?:has|have)\s(?:been\s)?(?:retracted|withdrawn)\b[^.]{0,40}|retract(?:s|ed|ing)?\s(?:the|this|its|a|our)\s(?:story|article|report)|(?:story|article|report)\s(?:has\sbeen|was|is)\s(?:retracted|withdrawn|removed)|withdraws?\s(?:its|this|the|our)\s(?:story|article|report))"
)

# Something befell someone or something, told as a fact of the past.
_HAPPENED = gated(
    r"\b(?:(?:was|were|been|being|is|are|got)\s(?:\w+ly\s)?(?:also\s|then\s|later\s)?(?:shot|stabbed|killed|injured|wounded|struck|hit\sby|beaten|robbed|attacked|assaulted|kidnapped|abducted|found|hospitali[sz]ed|hurt|rescued|freed|pulled|arrested|charged|detained|taken|flown|airlifted|rushed|pronounced|declared|evacuated|missing|trapped|burned|destroyed|damaged|gutted|crushed|mauled|bitten|electrocuted|pushed|thrown|ejected|dragged|swept|treated|displaced|leveled|derailed|buried|dead|stolen|seized|recovered)"
    r"|died|dies|drowned|collided|overturned|crashed|derailed|capsized|sank|exploded|collapsed|opened\sfire|broke\sout|caught\sfire|burned\sdown|rang\sout|went\smissing|disappeared|vanished|went\sdown|slammed\sinto|ran\soff|rolled\sover|flipped|struck|tore\sthrough|erupted|fell\s(?:from|off|into)|shot\s(?:and|at|him|her|a|an|the|two|three)|stabbed|killed|killing|injuring|injured|wounded|wounding|robbed|mauled|suffered|fled|escaped|fired\s(?:at|a\sshot|shots)|gutted|destroyed|leaked|swept|(?:skid(?:s|ded)?|slid|veered|careened)\s(?:off|into|across|out)|dropped\s(?:a|an|the|onto|on|from|its)|came\sdown\s(?:in|on|into)|search(?:ing|ed|es)?\s(?:\w+\s)?(?:for|through|went|goes)|(?:is|are|were|was)\slooking\sfor|overdue|(?:did\snot|didn['’]t|never)\s(?:come\sback|return)|wandered\s(?:off|away|from)|(?:broke|broken|breaking|forced\s(?:his|her|their)\sway)\sinto|kicked\sin|(?:pulled|pulls|pointed|waved|brandished|drew|showed)\s(?:a|an|the|out)\s(?:\w+\s){0,2}(?:gun|handgun|pistol|knife|rifle|weapon|revolver|shotgun)|stole|stolen|snatched|carjacked|threatened|lost\spower|stalled|treated\sfor|forc(?:ed|es|ing)\s(?:\w+\s){0,4}(?:out|from|to\s(?:flee|leave|evacuate|close))|jumped\s(?:a|the)|bit(?:es?)?\s(?:a|an|the|him|her))\b"
)
_DAY_OR_HOUR = gated(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|yesterday|today|tonight|overnight|this\s(?:morning|afternoon|evening)|last\snight|\d{1,2}(?::\d\d)?\s?[ap]\.?m\b|\d\d:\d\d|(?:jan|feb|march|april|may|june|july|aug|sept|oct|nov|dec)\w*\.?\s\d{1,2})\b"
)
_RESPONSE_SAYS = gated(
    r"\b(?:police|deput(?:y|ies)|sheriff|troopers?|patrol|firefighters?|fire|chief|officials?|authorit(?:y|ies)|coroner|medical\sexaminer|detectives|investigators|guard|officers?|marshals?|agency|department|office)\b[^.;”\"]{0,50}?\b(?:said|says?|told|confirmed|reported|believes?)\b"
    r"|\b(?:according\sto|said)\s(?:the\s)?(?:\w+\s){0,3}(?:police|sheriff|deput|trooper|fire|authorit|official|coroner|patrol|investigators|detective|officer|lt\.|sgt\.|capt\.|chief)"
)
# Someone's own case goes on; that courts rule on a point of law is in the lexicon.
_CASE_STEP = gated(
    r"\b(?:charged\swith|accused\sof|charged\sin|arraigned|indict(?:s|ed)|convicted\s(?:\w+\s){0,6}of|sentenced|pleaded\s(?:guilty|not\sguilty|no\scontest)|pleads\s(?:guilty|not\sguilty)|plea\sdeal|competent\sto\sstand|(?:fit|stand)\s(?:for\s)?trial|on\strial|trial\sof|mistrial|found\sguilty|years\sin\sprison|probation|(?:set|held)\s(?:bail|bond)|bail\sat|trial\s(?:is|was|will)|jur(?:y|ors)\s(?:convicted|found|heard|deliberated))\b"
)
_YEAR = compile_pattern(r"(?:1[5-9]|20)\d(?:\d|0s)(?![\w-]|\s(?:[Bb]locks?\b|[A-Z]))")  # and no house number
_SCORE = compile_pattern(r"\d{1,3}-\d{1,3}(?![\w-])")
_QUOTED_TITLE = re.compile(
    r"[“\"‘'](?:[A-Z][\w'’-]*|of|the|a|an|in|on|and|to|for|at)(?:\s(?:[A-Z][\w'’-]*|\d+|of|the|a|an|in|on|and|to|for|at)){0,6}[,.!?]?[”\"’'](?=[\s,.;:)]|$)"
)
_CAST = compile_pattern(
    r"\b[A-Z][\w'’-]+\s\((?:(?:a|an|the)\s(?:\w+\s){1,3})?[A-Z][\w'’-]+\s[A-Z][\w'’-]+\)|\b[a-z]+\s\((?:a|an)?\s?(?:very\s)?(?:\w+\s)?[A-Z][\w'’-]+\s[A-Z][\w'’-]+\)"
)  # who plays whom: "Shaw (Ines Calloway)"
_QUOTED = re.compile(r"[“\"][^”\"]{0,600}[”\"]")
_GENRE_TITLE = compile_pattern(
    r"^(?:the\s(?:[\w'’-]+\s){1,4}?who\s\w+|reviews?|opinion|editorial|column|commentary|letters?|obituar(?:y|ies)|in\smemoriam|remembering|recipe|poll|study|survey|forecast|interview|podcast|recap|analysis|explainer|lawsuit|box\soffice|markets?|how|why|what|who|which|meet|ask|ten|five|seven|\d+\s(?:ways|things|best|true|tips)|q&a|from\sthe|this\sday|chapter|poem|poetry|our\sview|report|notebook|death\snotices|best)\b"
    r"|\b(?:reviews?|recap|column|obituary|forecast|outlook|budget|study|poll|season|episode|chapter|interview|history|anniversary|drill|training|exercise|museum|exhibit|recall(?:s|ed)?|strategy|plan|bill|law)\b|[?]$|^['‘“\"](?!.*\b(?:mourns?|shot|shooting|killed|dies|dead|police|stabbed|slain)\b)",
    re.I,
)
_EVENT_TITLE = compile_pattern(
    r"\b(?:shot|shoots?|shooting|stabbed|stabbing|killed|kills|killing|dead|dies|died|injured|injures|hurt|wounded|crash(?:es)?|fire|blaze|explosion|explodes|blast|drowns?|drowned|missing|found|arrested|charged|robbed|robbery|rob|attack(?:ed)?|attacks|collapse[sd]?|derails?|sinks|rescued|hit|struck|burn(?:s|ed)|bites?|mauls?|leak|overturns|trapped|police|quake|tornado|flood|avalanche|fatal|homicide|murder|suspect|identified|victims?|body|bodies|accident|wreck|standoff|threat|hostage|kidnapp\w+|gun\w*|stolen|steals?|theft|thie(?:f|ves)|burglar\w*|raids?|seized?|wanted|slain|buried|bullets?|carjack\w+)\b",
    re.I,
)

_TOLD = frozenset(
    ("to_come", "if", "you", "i")
)  # sections that count outside quotes only: what people say is their own
_READ = 30  # sentences of a page that are measured
_PER_WORDS = 200  # counts are per so many words
_FEW_WORDS = 80  # a page of fewer is measured as if it had as many: one word of a brief says little
_SPEAK_AGAINST = frozenset(
    "appeal award cast sport culture business policy numbers law obituary opinion event advice drill outlook history story old_years to_come if you i questions scores quoted_titles genre_title is_other nobody_responds".split()
)

_LAW_STEP = gated(
    r"\b(?:sentenc\w+|convict(?:ed|s|ion)|plead(?:s|ed)?|pled|trial|mistrial|retrial|tried\sagain|jury|jurors?|verdict|arraign\w*|indict\w*|hearing|testif\w+|prosecutors?|plea|acquitted|competen\w+|judge)\b"
)
_MEMORIAL = gated(
    r"\b(?:funeral|vigil|memorial|mourn\w*|laid\sto\srest|remember(?:ed|s|ing)?|anniversary|tribute|procession|years?\s(?:after|since|later|ago))\b"
)
# What comes months after: however fresh a day the page names, it is not the incident's.
_LATE_STEP = gated(
    r"\b(?:sentenced|sentencing|convict(?:ed|s)|jur(?:y|ors?)|verdict|mistrial|retrial|trial\s(?:of|opens|begins|began|opened)|on\strial|fit\s(?:for|to\sstand)\strial|opening\sstatements|pleaded\sguilty|pleads\sguilty|plea\sdeal|gets\s(?:\d+|\w+)\s(?:to\s\d+\s)?(?:years|months|life)|anniversary|(?:one|two|three|four|five|ten|\d+|a)\syears?\s(?:after|since|later|ago))\b"
)


def read_notice(scene: Scene) -> Notice:
    """Say whether the page corrects or withdraws something."""
    if any(_RETRACTION.search(sentence) for sentence in scene.sentences[:8]):
        return Notice.RETRACTION
    return Notice.CORRECTION if any(_CORRECTION.search(sentence) for sentence in scene.sentences) else Notice.NONE


def judge_kind(
    scene: Scene, types: list[Keyword], people: list[Person], *, is_recent: bool, is_fresh: bool, has_count: bool
) -> ReadingKind:
    """Judge what the page is about; `is_recent` says that a day near publication is named as the incident's, `is_fresh`
    that it is at most three days back.
    """
    measures = measure_page(scene, types, people, is_recent=is_recent, has_count=has_count)
    weights = _load_weights()
    if weights["bias"] + sum(weights.get(name, 0.0) * value for name, value in measures.items()) < 0:
        return ReadingKind.NOT_INCIDENT
    return ReadingKind.FOLLOW_UP if _is_follow_up(scene.sentences[:5], is_fresh=is_fresh) else ReadingKind.INCIDENT


def measure_page(
    scene: Scene, types: list[Keyword], people: list[Person], *, is_recent: bool, has_count: bool
) -> dict[str, float]:
    """Measure what speaks for and against an incident, by name; counts are log(1 + count per 200 words), the rest is 0
    to 3.
    """
    read = [s for s in scene.sentences if s.is_title or not is_boilerplate(s)][:_READ]
    head = [s for s in read if not s.is_title and not s.is_background][:3]
    title = " ".join(s.text for s in read if s.is_title) or " ".join(s.text for s in read[:1])
    text = " ".join(s.text for s in read)
    quoted = " ".join(_QUOTED.findall(text))
    told = _QUOTED.sub(" ", text)
    years = [year for s in read for year in _YEAR.findall(s.text)]
    counts = _count_page_words(told)
    for name, count in _count_page_words(quoted).items():
        counts[name] += count if name not in _TOLD else 0
    counts |= {
        "happened": _count(_HAPPENED, read),
        "case_steps": _count(_CASE_STEP, read),
        "old_years": _count_old_years(years, scene.article),
        "questions": text.count("?"),
        "scores": len(_SCORE.findall(text)),
        "cast": len(_CAST.findall(text)),
        "quoted_titles": len(_QUOTED_TITLE.findall(text)),
    }
    scale = _PER_WORDS / max(_FEW_WORDS, text.count(" ") + 1)
    return {name: log1p(count * scale) for name, count in counts.items()} | {
        "is_dated": float(any(_DAY_OR_HOUR.search(s) and _HAPPENED.search(s) for s in head)),
        "response_says": float(_count(_RESPONSE_SAYS, read, most=3)),
        "nobody_responds": float(not (counts["response"] or counts["scene"] or counts["inquiry"])),
        "harmed": float(min(2, sum(1 for person in people if person.conditions))),
        "standings": float(min(2, sum(1 for person in people if person.standings))),
        "has_count": float(has_count),
        "is_typed": float(bool(types) and types[0].value != "other"),
        "is_other": float(bool(types) and types[0].value == "other"),
        "is_recent": float(is_recent),
        "genre_title": float(bool(_GENRE_TITLE.search(title))),
        "event_title": float(bool(_EVENT_TITLE.search(title))),
    }


def _count_old_years(years: list[str], article: Article) -> int:
    """Count the years and decades long past; where nobody says when a page was published, before its newest year."""
    newest = article.published_at.year
    if article.published_basis == "received":
        newest = max((int(year) for year in years if year.isdecimal() and int(year) <= newest), default=newest)
    return sum(1 for year in years if year[-1] == "s" or int(year) <= newest - 2)


def speaks_against(measure: str) -> bool:
    """Say whether a measure can only speak against an incident; all others can only speak for one."""
    return measure in _SPEAK_AGAINST


def _count_page_words(text: str) -> dict[str, int]:
    """Count the words of each section of the lexicon; a word counts as a whole, with or without its plural -s."""
    automaton, sections_of, names = _load_words()
    straight = text.lower().replace("’", "'")
    plain = f" {_NO_WORD.sub(' ', straight)}  "
    counts = dict.fromkeys(names, 0)
    for index, _, end in automaton.find_matches_as_indexes(plain):
        if plain[end] == " " or (plain[end] == "s" and plain[end + 1] == " ") or plain.startswith("'s ", end):
            for section in sections_of[index]:
                counts[section] += 1
    return counts


_NO_WORD = compile_pattern(r"[^\w'%&-]{2,}|[^\w'%& -]")  # what parts words, but for a single blank, which may stay


@cache
def _load_words() -> tuple[AhoCorasick, list[tuple[str, ...]], list[str]]:
    sections = load_sections("page_words.txt")
    listed: dict[str, list[str]] = {}
    for section, words in sections.items():
        for word in words:
            listed.setdefault(f" {word.replace('_', ' ')}", []).append(section)
    phrases = sorted(listed)
    automaton = AhoCorasick(phrases, matchkind=MatchKind.LeftmostLongest)
    return automaton, [tuple(sorted(listed[phrase])) for phrase in phrases], sorted(sections)


@cache
def _load_weights() -> dict[str, float]:
    return {name: float(weight) for name, weight in load_rows("page_weights.txt")}


def _count(pattern: GatedPattern, sentences: list[Sentence], most: int = 1_000) -> int:
    found = 0
    for sentence in sentences:
        if pattern.bits & sentence.bits and found < most:
            found += len(pattern.pattern.findall(sentence.text))
    return min(found, most)


def _is_follow_up(head: list[Sentence], *, is_fresh: bool) -> bool:
    """Say whether the head tells of court or memory: of what comes late, or of two steps with no fresh incident."""
    steps = _count(_LAW_STEP, head) + _count(_MEMORIAL, head)
    is_late = any(_LATE_STEP.search(sentence) for sentence in head[:2])
    return steps >= 2 and (is_late or not is_fresh)
