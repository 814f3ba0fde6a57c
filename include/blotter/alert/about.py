"""Of whom a sentence speaks: whether it names somebody in their role, and which part of it is about them.

Belongs here: telling people apart by names, ages and roles, in one quoted sentence and by words alone. Does not belong
here: whether it has the words of a value (`evidence`); reading, which knows the article around it (`blotter.extract`).
"""

import re
from collections.abc import Collection, Iterable, Iterator

from blotter.alert.words import compile_words, split_words
from blotter.model import Incident, Participant, Role

_MINOR_AGE = 18
# What makes somebody a suspect, in the sentence that names them.
_SUSPECTED = (
    r"suspect|arrest|charg|accus|gunman|shooter|killer|sought|wanted|looking for|custody|booked|alleged"
    r"|indict|arraign|convict|sentenc|plead|pled|guilty|\bfac(?:es|ed|ing)\b|person of interest|warrant|\bjail|\bbond\b"
    r"|behind bars|opened fire|believed to|admitted|responsible|manhunt|fugitive|\btrial\b"
)
_BY_NAME = r"(?:\s+\w+){0,2}\s+(?:fired|shot|stabbed|killed|pointed|pulled|attacked|drove|robbed)\b"
# What makes somebody a victim, and what only says that a victim has this name.
_HARMED = (
    r"kill|dead\b|death|died|\bdies?\b|dying|slain|slay|fatal|homicide|murder|bod(?:y|ies)\b|deceased|drown|victim"
    r"|injur|wound|\bhurt|graz|surviv|hospital|critical|treated|shot|shooting|gunfire|bullet|struck|stabb|beaten|assault|rape"
    r"|burn|crash|trapped|rescued|missing|kidnap|abduct|robbed|bitten|\bhit by|vigil|funeral|mourn|memorial"
    r"|laid to rest|\blife\b|\blost\b|coma|suffer|casualt"
)
_GIVEN_A_NAME = r"identif|\bnamed?\b|\bnames?\b"
# Who gives their name to a sentence as somebody's kin or as one who speaks.
_KIN = (
    r"(?:step|grand|god)?(?:father|mother|parent|dad|mom|brother|sister|son|daughter)|wife|husband|uncle|aunt|cousin"
    r"|niece|nephew|fianc[eé]e?|girlfriend|boyfriend|widow|friend|neighbor|lawyer|attorney|director"
)
_SPEAKS = (
    r"said|says|told|tells|testified|disputed|recalled|added|described|explained|believes?|remembers?|turned\s+away"
)
# What stands before the name of somebody harmed, or of somebody who is only spoken of.
_BYSTANDING = (
    r"\b(?:shot|shooting|killed|killing|stabbed|stabbing|(?:to|and) (?:death|killed)"
    r"|(?:death|murder|killing|shooting|chest|head|leg|arm|back|face|neck|stomach|body) of"
    r"|actress|actor|singer|star|celebrity|neighbor|resident|witness|attorney|lawyer|prosecutor|judge|mayor|spokes\w+|chief|sheriff|sgt\.?|sergeant|lt\.?|lieutenant|capt\.?|captain|det\.?"
    r"|detective|reporter|pastor|principal|coach)"
)
_CREDITS = r"AP|AFP|UPI|EPA|PA|Reuters|Getty|WireImage|Instagram|Facebook|Twitter|YouTube"
_NAMED_AFTER = r"hospital|medical|health|clinic|school|college|university|street|avenue|boulevard|park|center|airport"
_GOES_ON = re.compile(
    r"\W*(?P<who>he|she|they|his|her|their|him|both|all"
    r"|the\s+(?:\S+\s+)?(?P<noun>suspect|victim|man|woman|boy|girl|teen|child|officer|driver|student|pair|couple"
    r"|\d+-year-old)\w*)\b",
    re.IGNORECASE,
)
_AGES = re.compile(r"\b(\d{1,3})[-\s]years?[-\s]olds?\b|,\s(\d{1,3})(?=[,.;)]|\s(?:of|was|were|is|and)\b|$)")
_CAPITALS = r"(?:[A-Z][\w'’.-]*\s+)*[A-Z][\w'’.-]*"
_BOUNDARIES = re.compile(r";|,|\s(?:and|while|but|as|when)\s", re.IGNORECASE)
# What befalls one person and not the next, where a sentence goes from one to the other.
_DEEDS = (
    r"charg|arrest|indict|custody|booked|\bheld\b|\bfac(?:es|ed|ing)\b|accus|convict|plead|pled\b|sentenc|wanted|sought"
    r"|kill|died|dead\b|shot|shoot|stabb|wound|injur|hurt|taken|hospital|critical|pronounced|released|identified|told"
    r"|said|testified"
)
_ELSEWHERE = re.compile(
    r",?\s(?:where|whose|which|than|as|after|before|when|while|because)\s(?!(?:he|she|they|his|her)\b)", re.IGNORECASE
)
_ENDINGS = frozenset({"jr", "sr", "ii", "iii", "iv", "the", "van", "von", "de", "del", "la", "da", "di", "al", "el"})


def speaks_of(person: Participant, incident: Incident, quote: str) -> bool:
    """Say whether a sentence can be about a participant: it names them, or goes on about them and nobody else."""
    words = split_words(quote)
    if person.name and is_credit(person.name, quote):
        return False
    if person.role is Role.SUSPECT and is_of_other_officer(incident, quote):
        return False
    if person.name and incident.city is not None and incident.city.upper() in person.name:
        return False  # a dateline taken for a name
    if person.name and not words.isdisjoint(_names_of(person.name)):
        return not _is_named_sake(person, incident, words)
    ages = {int(one or other) for one, other in _AGES.findall(quote)}
    if person.age is not None and ages:
        return person.age in ages
    if person.name is None:
        return True
    # Not named here: "He was charged" goes on about somebody named before, "A man was charged" may be about anybody.
    going_on = _GOES_ON.match(quote)
    others = (p.name for p in incident.participants if p is not person)
    return going_on is not None and _fits(person, going_on) and not _names_any(words, others)


def is_of_other_officer(incident: Incident, quote: str) -> bool:
    """Say whether "the officer" who is arrested or charged is of a case that is told beside this one."""
    going_on = _GOES_ON.match(quote)
    is_officer = going_on is not None and (going_on.group("noun") or "").casefold() == "officer"
    return is_officer and "police_use_of_force" not in incident.incident_types


def is_named(person: Participant, quote: str) -> bool:
    """Say whether a sentence has a name of somebody."""
    return person.name is not None and not split_words(quote).isdisjoint(_names_of(person.name))


def is_in_role(person: Participant, name: str, incident: Incident, quote: str) -> bool:
    """Say whether a sentence that brings a name shows the bearer as what they are: suspected, or harmed."""
    if is_credit(name, quote):
        return False
    written = r"\s+".join(map(re.escape, name.split()))
    if person.role is Role.SUSPECT:
        if is_bystander(name, quote):
            return False
        told = cut_to(person, incident, quote)
        return bool(compile_words(_SUSPECTED).search(told) or compile_words(rf"{written}{_BY_NAME}").search(quote))
    return person.role is not Role.VICTIM or _is_shown_harmed(name, written, quote)


def is_bystander(name: str | None, quote: str) -> bool:
    """Say whether a name stands behind what was done to its bearer, or behind an office or trade."""
    if not name:
        return False
    written = r"\s+".join(map(re.escape, name.split()))
    return compile_words(rf"{_BYSTANDING},?\s+{written}").search(quote) is not None


def is_credit(name: str, quote: str) -> bool:
    """Say whether a name is that of who took the picture, begins with who sent it, or is that of a place."""
    if compile_words(rf"{re.escape(name)}\s+(?:{_NAMED_AFTER})\b").search(quote):
        return True
    written = r"\s+".join(map(re.escape, name.split()))
    credit = rf"\b(?:photos?|image|video|picture|credit|courtesy|graphic)\b[^.;]{{0,20}}{written}|{written}\s*[/|]\s*\w"
    return re.match(rf"(?:{_CREDITS})\b", name) is not None or compile_words(credit).search(quote) is not None


def cut_to(person: Participant, incident: Incident, quote: str) -> str:
    """Cut out what a sentence says of one of several people whom it names.

    "Tolan was charged with arson while Lund was released" is cut at what befalls the first before the second is named;
    people who are named in a row share what is said. A sentence that goes on about somebody whom it does not name is
    cut where it turns to something else.
    """
    if person.name is None:
        return quote
    own = _names_of(person.name)
    spans = [match.span() for match in _find_words(own, quote)]
    if not spans:
        turn = _ELSEWHERE.search(quote)
        return quote[: turn.start()] if turn is not None and _GOES_ON.match(quote) else quote
    others = {word for p in incident.participants if p is not person and p.name for word in _names_of(p.name)} - own
    rivals = [match.span() for match in _find_words(others, quote)]
    deeds = compile_words(_DEEDS)
    first = spans[0][0]
    last = spans[0][1]
    end = next((start for start, _ in rivals if start >= last and deeds.search(quote, last, start)), len(quote))
    before = [stop for _, stop in rivals if stop <= first and deeds.search(quote, stop, first)]
    start = 0
    if before:
        turns = [match.end() for match in _BOUNDARIES.finditer(quote, before[-1], first)]
        start = turns[-1] if turns else before[-1]
    return quote[start:end]


def is_age_of(person: Participant, age: int, quote: str) -> bool:
    """Say whether the age does not stand beside another's name, or one who has only the first name in common."""
    if person.name is None:
        return True
    if re.search(rf"\band\s(?:an?|another|the)\s{age}[-\s]year[-\s]old\b(?!\s[A-Z])", quote) and is_named(
        person, quote
    ):
        return False  # "Pell and a 9-year-old"
    forms = (
        rf"({_CAPITALS}),?\s\(?(?:age\s)?{age}\b(?!-)",
        rf"\b{age}[-\s]year[-\s]old,?\s(?:identified\sas\s|named\s)?({_CAPITALS})",
    )
    bearers = [split_words(match.group(1)) for form in forms for match in re.finditer(form, quote)]
    return not bearers or any(_surname_of(person.name) in bearer for bearer in bearers)


def tells_other_age(person: Participant, age: int, quote: str) -> bool:
    """Say whether a sentence gives the bearer of the whole name another age."""
    if person.name is None:
        return False
    written = r"\s+".join(map(re.escape, person.name.split()))
    found = re.search(rf"\b(\d{{1,3}})[-\s]year[-\s]old\s+{written}|{written},?\s\(?(\d{{1,3}})\b", quote)
    return found is not None and int(found.group(1) or found.group(2)) != age


def _is_shown_harmed(name: str, written: str, quote: str) -> bool:
    rest = re.sub(rf"{written}|[\d\W_]|\b(?:age|of|years?|old|and|Jr|Sr)\b", "", quote, flags=re.IGNORECASE)
    if not rest:
        return True  # a line of a list
    harmed = compile_words(_HARMED).search(quote) is not None
    if not harmed and compile_words(_GIVEN_A_NAME).search(quote) is None:
        return False
    if not harmed and compile_words(r"suspect|gunman|shooter|\bdriver\b").search(quote):
        return False  # "the suspected gunman's lawyer identified him as ..."
    if compile_words(rf"{written}(?:,\s\d+)?[\s,–—-]+(?:and\s\w+\s\w+[\s,–—-]+)?(?:{_SPEAKS})\b").search(quote):
        return False
    is_kin = compile_words(
        rf"\b(?:{_KIN}),?\s(?:\w+\s)?{written}\b(?!,?(?:\s\d+,)?\s(?:was|were|died|had\sbeen|is\samong))"
        rf"|{written},(?:\s\d+,)?\s(?:the|his|her|their|an?)\s(?:\S+\s)?(?:{_KIN})\b(?!\sof\b)(?!,?\s(?:was|were|died))"
    ).search(quote)
    return is_kin is None or _is_harmed_kin(written, quote)


def _is_harmed_kin(written: str, quote: str) -> bool:
    """Say whether kin are named as harmed: "the death of her father, X", "they killed his wife, X"."""
    harm = r"kill\w*|death|murder\w*|slay\w*|shooting|shot|stabb\w+|wound\w*|injur\w*|dead|victims?(?!['’])|died"
    before = rf"(?:{harm})\b[^.;]{{0,120}}{written}"
    return compile_words(before).search(quote) is not None


def _is_named_sake(person: Participant, incident: Incident, words: Collection[str]) -> bool:
    """Say whether all that a sentence has of a name is another's as well, whose own name is not less whole in it."""
    own = _names_of(person.name or "")
    had = own.intersection(words)
    if had == own:
        return False
    return any(
        had <= _names_of(p.name) and not own <= _names_of(p.name) and not _names_of(p.name) <= own
        for p in incident.participants
        if p is not person and p.name
    )


def _fits(person: Participant, going_on: re.Match[str]) -> bool:
    """Say whether "the boy", "the victim", "she" can be this person."""
    noun = (going_on.group("noun") or "").casefold()
    who = going_on.group("who").casefold()
    if noun in ("suspect", "victim"):
        return person.role is (Role.SUSPECT if noun == "suspect" else Role.VICTIM)
    if noun in ("boy", "girl", "teen", "child"):
        return person.age is None or person.age <= _MINOR_AGE + (noun == "teen")
    if noun in ("man", "woman"):
        return person.age is None or person.age >= _MINOR_AGE - 1
    gender = {"he": "male", "his": "male", "him": "male", "she": "female", "her": "female"}.get(who)
    return gender is None or person.gender in (None, gender)


def _find_words(names: Collection[str], quote: str) -> Iterator[re.Match[str]]:
    if not names:
        return iter(())
    return compile_words(rf"(?<!\w)(?:{'|'.join(sorted(map(re.escape, names)))})(?!\w)").finditer(quote)


def _names_any(words: Collection[str], names: Iterable[str | None]) -> bool:
    return any(name and not _names_of(name).isdisjoint(words) for name in names)


def _names_of(name: str) -> set[str]:
    return {word for word in split_words(name) if len(word) > 1} - _ENDINGS


def _surname_of(name: str) -> str:
    words = [word for word in re.findall(r"\w+", name.casefold()) if word not in _ENDINGS]
    return words[-1] if words else ""
