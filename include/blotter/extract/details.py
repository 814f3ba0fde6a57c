"""Smaller fields of the incident and its people: agency, hospital, status of the case, charges, occupation, employer.

Belongs here: fields that one pattern each finds. Does not belong here: people, places, times and counts, which have
modules of their own.
"""

import re
from dataclasses import dataclass

from blotter.extract.gate import GatedPattern, gated
from blotter.extract.patterns import compile_pattern
from blotter.extract.scene import Scene, Sentence
from blotter.model import CaseStatus

_CAP = r"[A-Z][\w’'.&-]*"


@dataclass(frozen=True, slots=True)
class Detail:
    """A value with the span it was read from."""

    value: str
    start: int
    end: int
    sentence: Sentence
    is_short: bool = False  # "Memphis police": "Department" is not written


_AGENCY = gated(
    rf"(?P<full>(?:{_CAP}\s){{1,4}}?(?:County\s)?(?:(?:Metropolitan\s|Metro\s)?Police\s(?:Department|Bureau|Service|Force)|Sheriff['’]?s?['’]?\s(?:Office|Department)|Fire\s(?:&|and)\sRescue(?:\sService)?|Fire[-\s](?:Department|Rescue|Authority|Company|Division(?!\sChief)|Service|Brigade|(?:Protection\s)?District)|(?:State\s)?Fire\sMarshal['’]?s?['’]?\sOffice|Office\sof\sthe\sState\sFire\sMarshal|Department\sof\sPublic\sSafety|State\sPolice|Highway\sPatrol|State\sPatrol|Bureau\sof\sInvestigation|Coast\sGuard|Police\sConstabulary|Constabulary))"
    rf"|(?P<short>(?:{_CAP}\s){{1,3}}?)(?P<force>police|Police|PD|(?=[Ff]ire\s(?:(?:Division\s|Battalion\s)?Chief|chief|Commissioner|Capt|Battalion|officials|crews|investigators)|firefighters)[Ff]ire)(?:\b|(?=fighters))(?!\s(?:Department|Bureau|Service|Force))",
    0,
)
# a word of every agency's name but of "PD", which is too short for a gate
_AGENCY_WORD = gated(r"police|sheriff|fire\s|firefighters|department|public\ssafety|patrol|bureau|coast|constabulary")
_HOSPITAL = gated(
    rf"\b(?:to|at|in|from|by)\s(?:the\s)?(?P<name>(?:(?:{_CAP}|of|the|and|for|at)\s){{0,6}}?(?:{_CAP}\s)?(?:Hospital(?:\sCenter|\sof\s{_CAP}(?:\s{_CAP})?)?|Medical\sCent(?:er|re)|Trauma\sCenter|Infirmary|Clinic|Health\sCenter))\b",
    0,
)
_HOSPITAL_VERB = gated(
    r"taken|transport|rushed|flown|airlift|brought|treated|admitted|died|pronounced|condition|hospitalized|drove|driven|arrived|surgery|walked|undergo|care"
)
_CHARGE = gated(
    r"\b(?:charged|booked|indicted|arrested|jailed|held|arraigned)\b(?![^.;]{0,60}\bsuspicion\sof\b)[^.;]{0,60}?\b(?:with|on|for|of)\s(?:\w+\s(?:counts?|charges?)\sof\s|(?:\w+\s){0,3}charges?\sof\s|(?:one|two|three|four|five|six|\d+)\s(?:felony\s)?counts?\seach\sof\s)?(?P<charges>[^.;]{4,220})"
    r"|\b(?:faces?|facing)\s(?:(?:\w+\s){0,3}?(?:charges?|counts?)\s(?:of|including)\s|a\scharge\sof\s)(?P<faces>[^.;]{4,220})"
)
_CHARGE_WORD = compile_pattern(
    r"(?P<charge>(?:(?:first|second|third|fourth|fifth)[- ]degree\s|1st[- ]degree\s|2nd[- ]degree\s|felony\s|attempted\s|aggravated\s|capital\s|criminal\s|armed\s|involuntary\s|voluntary\s|vehicular\s|negligent\s|reckless\s|simple\s|domestic\s|malicious\s|unlawful\s|illegal\s|(?:conspiracy|complicity|solicitation)\sto\scommit\s|(?:complicity|accessory)\sto\s|accessory\s(?:before|after)\sthe\sfact\sto\s|solicitation\sof\s|intoxication\s)*"
    r"(?:murder|manslaughter|homicide|assault(?:\swith\s(?:a|intent)\s[\w\s]{4,24}?(?=,|\sand|\.|$|\sin\b))?|battery|robbery|burglary|kidnapping|arson|rape|sexual\sassault|wounding|endangerment|child\s(?:abuse|neglect|endangerment)|possession\sof\s(?:a\s)?(?:\w+\s){0,2}(?:firearm|weapon|gun|handgun|drugs|marijuana|narcotics)(?:\sby\sa\s(?:convicted\s)?felon)?|discharge\sof\sa\s(?:firearm|weapon)|tampering\swith\s(?:physical\s)?evidence|use\sof\sa\s(?:firearm|weapon)[\w\s]{0,30}?felony|carrying\sa\sconcealed\s\w+|receiving\sstolen\sproperty|having\s(?:a\s)?weapons?\swhile\sunder\s\w+|unlawful\suse\sof\sa\s\w+|cruelty\sto\schildren|injury\sto\sa\schild|false\simprisonment|home\sinvasion|breaking\sand\sentering|trespass\w*|deadly\sconduct|abuse\sof\sa\scorpse|causing\sdeath\sby\s\w+\sdriving|(?:dangerous|reckless|careless)\sdriving|grievous\sbodily\sharm|driving\s(?:under\sthe\sinfluence|while\sintoxicated)|drunken\sdriving|DUI|DWI|leaving\sthe\sscene(?:\sof\s[\w\s]{4,20})?|hit[- ]and[- ]run|fleeing[\w\s]{0,20}|resisting\sarrest|theft|carjacking|terrorism|stalking|conspiracy|obstruction(?:\sof\sjustice)?|evading\sarrest))",
    re.I,
)

_STATUS: tuple[tuple[CaseStatus, GatedPattern], ...] = (
    (CaseStatus.CONVICTED, gated(r"\b(?:was|were|been)\s(?:convicted|sentenced|found\sguilty)|pleaded\sguilty|pled\sguilty")),
    (CaseStatus.CHARGED, gated(r"\b(?:was|were|been|is|are|being)\s(?:\w+\s)?(?:charged|indicted|arraigned)\b|\bfac(?:es|ing)\s(?:\w+\s){0,4}(?:charges?|counts?)\b|\bcharged\swith\b")),
    (CaseStatus.ARREST_MADE, gated(r"\b(?:was|were|been|is|are)\s(?:\w+\s)?(?:arrested|taken\sinto\s(?:police\s)?custody|in\s(?:police\s)?custody|apprehended)|\barrested\b|in\scustody|turned\s(?:himself|herself)\sin|surrendered\sto\spolice")),
    (CaseStatus.SUSPECT_SOUGHT, gated(r"\b(?:searching|looking|search|manhunt|hunt)\sfor\s(?:the\s|a\s|two\s|three\s|an?\s)?(?:\w+\s)?(?:suspects?|gunm[ae]n|shooters?|man|men|person|driver|attacker|whoever)|no\s(?:arrests?|suspects?)\b|suspects?\s(?:remains?|is|are|was|were)\s(?:still\s)?(?:at\slarge|on\sthe\sloose|sought|unknown)|have\snot\s(?:made\s(?:any\s)?|identified\sa\s)(?:arrests?|suspect)|fled\s(?:the\sscene|on\sfoot|in\sa)")),
    (CaseStatus.CLOSED, gated(r"\b(?:case|investigation)\s(?:is|has\sbeen|was)\s(?:closed|concluded)|ruled\s(?:a\ssuicide|accidental|justified)")),
    (CaseStatus.INVESTIGATING, gated(r"\b(?:investigat(?:ing|ion|ors?)|under\sinvestigation|cause\sof\sthe)\b")),
)  # fmt: skip


def read_agency(scene: Scene) -> Detail | None:
    """Give the agency that the article names most and first, with "Department" where it writes "Chicago police"."""
    scores: dict[str, float] = {}
    first: dict[str, Detail] = {}
    for sentence in scene.telling:
        if not (_AGENCY_WORD.bits & sentence.bits or "PD" in sentence.text):
            continue
        for match in _AGENCY.pattern.finditer(sentence.text):
            name, start = _agency_name(match)
            if name is None:
                continue
            scores[name] = (
                scores.get(name, 0.0) + (1.5 if match.group("full") else 1.0) + max(0.0, 0.8 - 0.1 * sentence.index)
            )
            if name not in first:
                is_short = match.group("short") is not None
                first[name] = Detail(name, sentence.start + start, sentence.start + match.end(), sentence, is_short)
    if not scores:
        return None
    return first[max(scores, key=lambda n: (scores[n], -first[n].start))]


# Words that begin a sentence or describe, and are no part of a name: "When police arrived", "The Memphis police".
_LEADING = r"(?:The|A|An|In|But|And|According|When|Local|Off-duty|Former|After|As|By|With|At|On|From|Two|Three|Meanwhile|Both|Anyone|For|Of|That|While|To|If|Call|Contact|Photo|Tell|Other|City|Fallen|Slain|Veteran|Retired|Said|Military|Secret|State|Dallas-area|Three|Four|Five|Six|Seven|Eight|Nine|Ten|Several|Many|Some|Dozens|No|More|All|Arriving|Responding)\s"
_LEADING_WORD = compile_pattern(rf"{_LEADING}")
_RANK_AFTER = compile_pattern(r"\s(?:Deputy|Assistant|Acting|Interim|Volunteer|Battalion)$")


def _agency_name(match: re.Match[str]) -> tuple[str | None, int]:
    raw = match.group("full") or match.group("short")
    lead = re.match(rf"(?:{_LEADING})+(?=[A-Z])", raw)
    start = match.start() + (lead.end() if lead and not re.match(r"State\s(?:Police|Patrol)", raw) else 0)
    name = raw[start - match.start() :].strip()
    if match.group("short") is not None:
        if (
            not name
            or not re.fullmatch(r"[A-Z][\w.'’-]+(?:\s[A-Z][\w.'’-]+){0,2}", name)
            or name in ("Police", "The", "State", "Local", "City", "County", "Assistant", "Deputy", "Volunteer")
            or _LEADING_WORD.fullmatch(f"{name} ")
            or name.endswith(".")
        ):
            return None, 0
        name = _RANK_AFTER.sub("", name)
        force = "Fire" if match.group("force").lower() == "fire" else "Police"
        name = f"{name} {force} Department"
    if len(name.split()) < 2 or re.match(r"(?:Police|Sheriff|Fire)\b", name):
        return None, 0
    return name, start


def read_hospitals(scene: Scene) -> list[Detail]:
    """Give the hospitals that the hurt were taken to, in order, each once."""
    found: dict[str, Detail] = {}
    for sentence in scene.body:
        if not _HOSPITAL_VERB.search(sentence):
            continue
        for match in _HOSPITAL.finditer(sentence):
            name = re.sub(r"^(?:the|a|an|of|at)\s", "", match.group("name"), flags=re.I)
            if " " in name and name not in found:
                start = sentence.start + match.end("name") - len(name)
                found[name] = Detail(name, start, sentence.start + match.end("name"), sentence)
    return list(found.values())[:3]


def read_status(scene: Scene) -> Detail | None:
    """Give the furthest stage of the case that the article tells."""
    body = scene.body
    for status, pattern in _STATUS:
        for sentence in body:
            if not pattern.bits & sentence.bits:
                continue
            for match in pattern.pattern.finditer(sentence.text):
                if not _is_denied(sentence.text[: match.start()], match[0]):
                    return Detail(status.value, sentence.start + match.start(), sentence.start + match.end(), sentence)
    return None


# "No one has been arrested", "he had not been charged", "could be charged": a stage that was not reached.
_DENIED_BEFORE = compile_pattern(
    r"(?:\bno\sone|\bnobody|\bnone|\bnot|\bnever|n['’]t|\byet\sto|\bcould|\bmay|\bmight|\bwould|\bwill|\buntil|\bunless|\bif)"
    r"\s(?:\w+\s){0,3}$",
    re.I,
)
_DENIED_WITHIN = compile_pattern(r"\b(?:not|never)\b", re.I)


def _is_denied(before: str, stage: str) -> bool:
    return bool(_DENIED_BEFORE.search(before[-48:]) or _DENIED_WITHIN.search(stage))


def read_charges(sentence: Sentence) -> list[Detail]:
    """Give the charges that a sentence names, each once."""
    found: dict[str, Detail] = {}
    for match in _CHARGE.finditer(sentence):
        group = "charges" if match.group("charges") else "faces"
        for charge in _CHARGE_WORD.finditer(match.group(group)):
            value = (
                re.sub(r"\s+", " ", charge.group("charge").lower().replace("1st", "first").replace("2nd", "second"))
                .replace("first degree", "first-degree")
                .replace("second degree", "second-degree")
                .strip()
            )
            start = sentence.start + match.start(group) + charge.start()
            found.setdefault(value, Detail(value, start, start + len(charge.group("charge")), sentence))
    return list(found.values())
