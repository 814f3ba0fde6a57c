"""What an article says that it does not tell, or that is not so: withheld, unknown, disputed, denied.

Belongs here: the language of names, ages and conditions that are not released or not known, and of what somebody denies
or disputes. Does not belong here: the
values that are told (`people`), nor telling "withheld" from "not mentioned", which is the absence of a claim.
"""

import re
from dataclasses import dataclass

from blotter.extract.gate import gated
from blotter.extract.patterns import compile_pattern
from blotter.extract.predicates import DENIAL
from blotter.extract.scene import Scene, Sentence
from blotter.model import ClaimState


@dataclass(frozen=True, slots=True)
class Untold:
    """A field that the article says it does not tell, of whom: victim, suspect, officer, or anybody."""

    field: str
    state: ClaimState
    of: str
    is_plural: bool
    gender: str | None  # "his name"
    sentence: Sentence
    start: int
    end: int


_NAME = r"(?:names?|identit(?:y|ies)|identification)"
# the article says that someone knows and does not say
_WITHHELD = gated(
    rf"\b(?:{_NAME}[^.;]{{0,60}}?\b(?:not\s(?:yet\s)?(?:been\s|be\s|being\s)?(?:\w+ly\s)?(?:released|shared|disclosed|made\spublic|given|provided|published|announced|revealed|available|immediately\sreleased|immediately\savailable)|(?:was|were|is|are|being|been)\s(?:being\s)?withheld|withheld)"
    rf"|(?:not|n['’]t|declin(?:ed|ing)\sto|refus(?:ed|ing)\sto|yet\sto|without)\s(?:yet\s|publicly\s|immediately\s|been\s)*(?:releas(?:e|ed|ing)|shar(?:e|ed)|disclos(?:e|ed|ing)|giv(?:e|en|ing)|provid(?:e|ed|ing)|publish(?:ed)?|reveal(?:ed)?|nam(?:e|ed|ing)|identif(?:y|ied|ying))\b"
    rf"|(?:withh(?:eld|olding))[^.;]{{0,40}}\b{_NAME}|{_NAME}[^.;]{{0,40}}\bpending\snotification|pending\s(?:the\s)?notification\sof|(?:was|were)\snot\s(?:immediately\s)?(?:identified|named)|not\snaming|(?:only\sidentified|identified\sonly)\sas)"
)
_UNKNOWN = gated(
    rf"\b(?:{_NAME}[^.;]{{0,40}}\b(?:unknown|not\s(?:immediately\s|yet\s)?(?:known|determined|established|clear))|(?:trying|working|attempting|struggling|hoping)\sto\s(?:identify|determine\sthe\sidentit)|(?:do|does|did)\s(?:not|n['’]t)\sknow\s(?:who|the\s{_NAME})|(?:has|have|had)\snot\s(?:yet\s)?been\sable\sto\sidentify|remains?\sunidentified)"
)
_OTHER = gated(
    r"\b(?:(?P<age>ages?)|(?P<condition>conditions?))\b[^.;]{0,50}?\b(?:(?P<withheld>not\s(?:\w+\s)?(?:released|disclosed|provided|available|given)|withheld)|(?P<unknown>unknown|not\s(?:immediately\s|yet\s)?(?:known|clear)|unclear))\b"
)
_ANY_BITS = _WITHHELD.bits | _UNKNOWN.bits | _OTHER.bits
_NOT_PEOPLE = compile_pattern(
    r"\b(?:not|n['’]t|declined\sto|refused\sto)\s(?:yet\s|immediately\s|been\s)*(?:releas\w+|disclos\w+|provid\w+|giv\w+|shar\w+|reveal\w*)\s+(?:(?:any|further|more|additional|other)\s|(?:the\s)?(?:details|information|video|footage|motive|cause|report|type|number|figures|statement|comment)|from\b|on\b|after\b|until\b|to\b|back\b|up\b|in\b|him\b|her\b|me\b)",
    re.I,
)
_ID_OBJECT = compile_pattern(rf"\b{_NAME}\b|identif|\bnam(?:e|ed|ing)\b", re.I)
_MOTIVE = compile_pattern(
    r"identif\w+\s(?:a\s|the\s|any\s)?(?:motive|cause|weapon|vehicle|source|problem|remains\sof\sthe\sgun)", re.I
)
_WHOSE = (
    (
        "suspect",
        compile_pattern(
            r"\b(?:suspects?|gunm[ae]n|shooters?|attackers?|arrested|charged|juvenile|driver\swho\sfled|assailants?|offender|accused)\b",
            re.I,
        ),
    ),
    ("officer", compile_pattern(r"\b(?:officers?|deput(?:y|ies)|troopers?)(?:['’]s?)?\b", re.I)),
    (
        "victim",
        compile_pattern(
            r"\b(?:victims?|deceased|dead|died|killed|wounded|injured|man|woman|boy|girl|teen\w*|child|person|bod(?:y|ies)|pedestrian|passengers?|resident)(?:['’]s?)?\b",
            re.I,
        ),
    ),
)


def read_untold(scene: Scene) -> list[Untold]:
    """Give what the article says it does not tell, in order."""
    found: list[Untold] = []
    for sentence in scene.body:
        if not _ANY_BITS & sentence.bits:
            continue
        for pattern, state in ((_WITHHELD, ClaimState.WITHHELD), (_UNKNOWN, ClaimState.UNKNOWN)):
            match = pattern.search(sentence)
            if match is not None and _is_about_names(sentence.text, match):
                found.append(_make("name", state, sentence, match))
                break
        other = _OTHER.search(sentence)
        if other is not None:
            field = "age" if other.group("age") else "condition"
            state = ClaimState.WITHHELD if other.group("withheld") else ClaimState.UNKNOWN
            found.append(_make(field, state, sentence, other))
    return found


@dataclass(frozen=True, slots=True)
class Doubt:
    """A field of the incident of which the article says that it is not so (denied), or that accounts differ (disputed)."""

    field: str
    state: ClaimState
    sentence: Sentence
    start: int
    end: int


_DISPUTE = gated(
    r"\b(?:disput(?:e|es|ed|ing)|contradict(?:s|ed|ing)?|accounts\s(?:differ|differed|conflict|conflicted)|conflicting\s(?:accounts|reports|statements)|challeng(?:e|es|ed|ing)\s(?:the\s)?(?:police|official)\s(?:account|version)|different\saccounts)\b"
)
_DOUBTED = (
    (
        "weapon",
        compile_pattern(
            r"\b(?:guns?|handgun|pistol|rifle|shotgun|firearm|weapons?|knife|armed|unarmed|bombs?)\b", re.I
        ),
    ),
    ("status", compile_pattern(r"\b(?:arrest(?:s|ed)?|in\scustody|detained|captured|charged)\b", re.I)),
    ("n_killed", compile_pattern(r"\b(?:dead|died|killed|deaths?|fatalit(?:y|ies)|toll)\b", re.I)),
    ("n_injured", compile_pattern(r"\b(?:hurt|injur(?:ed|ies)|wounded|stabbed|shot)\b", re.I)),
)
_MAY_BE_DISPUTED = frozenset(("weapon", "n_killed"))


def read_doubts(scene: Scene) -> list[Doubt]:
    """Give what the article says is denied or disputed of the incident, in order; a dispute looks back one sentence."""
    found: list[Doubt] = []
    before = ""
    for sentence in scene.body:
        denial = DENIAL.search(sentence)
        dispute = _DISPUTE.search(sentence)
        if denial is not None:
            what = re.split(r"[.;”\"]", sentence.text[denial.end() :], maxsplit=1)[0]
            field = next((name for name, words in _DOUBTED if words.search(what)), None)
            if field is not None:
                found.append(_doubt(field, ClaimState.DENIED, sentence, denial, len(what)))
        elif dispute is not None:
            text = f"{before} {sentence.text}"
            for name, words in _DOUBTED:
                if name in _MAY_BE_DISPUTED and words.search(text):
                    found.append(_doubt(name, ClaimState.DISPUTED, sentence, dispute, 0))
                    break
        before = sentence.text
    return found


def _doubt(field: str, state: ClaimState, sentence: Sentence, match: re.Match[str], more: int) -> Doubt:
    return Doubt(field, state, sentence, sentence.start + match.start(), sentence.start + match.end() + more)


def _is_about_names(text: str, match: re.Match[str]) -> bool:
    near = text[max(0, match.start() - 30) : match.end() + 50]
    return bool(_ID_OBJECT.search(near)) and not _NOT_PEOPLE.search(near) and not _MOTIVE.search(near)


def _make(field: str, state: ClaimState, sentence: Sentence, match: re.Match[str]) -> Untold:
    of = "anybody"
    nearest: list[tuple[int, str]] = []
    for name, pattern in _WHOSE:
        for found in pattern.finditer(sentence.text):
            distance = (
                0
                if match.start() <= found.start() < match.end()
                else min(abs(found.start() - match.end()), abs(match.start() - found.end()))
            )
            nearest.append((distance, name))
    if nearest:
        of = min(nearest)[1]
    plural = bool(
        re.search(
            r"\b(?:names|identities|victims|suspects|their|officers|ages|conditions)\b",
            match.group() + sentence.text[match.end() : match.end() + 30],
            re.I,
        )
    )
    whose = re.search(r"\b(his|her)\s(?:name|identity|age|condition)|\bidentif\w+\s(him|her)\b", sentence.text, re.I)
    word = (whose.group(1) or whose.group(2)).lower() if whose else ""
    gender = {"his": "male", "him": "male", "her": "female"}.get(word)
    if gender is not None and of != "suspect":
        of = "anybody"
    return Untold(
        field, state, of, plural, gender, sentence, sentence.start + match.start(), sentence.start + match.end()
    )
