"""Whether a change's own sentence says what an alert would tell.

Belongs here: a second, plain look at the quote before anyone is woken by it; it knows words, not grammar. Does not
belong here: reading (`blotter.extract`), which finds values and may err, and choosing among them (`blotter.resolve`):
a record may well hold what was counted or concluded, while an alert should be true to the sentence that it quotes.
"""

import re
from collections.abc import Callable, Collection, Iterable
from functools import cache

from blotter.ids import canonical_text
from blotter.model import Basis, Change, ChangeKind, Claim, ClaimState, Incident, LegalStatus, Participant, Role, Value

_NUMBER_WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
_NONE = r"no|none|nobody|zero|0|without|uninjured|unhurt|unharmed"
_SOMEONE = (
    r"(?:an?|one|single|lone|1)\s+(?:\S+\s+){0,3}?(?:man|woman|boy|girl|person|victim|teen\w*|child|baby|infant|toddler"
    r"|officer|deputy|student|driver|pedestrian|motorist|passenger|resident|worker|employee|firefighter|guard)\b"
)
# Words beside a number of hurt that make it a part of the whole: who lies where, and how they fare.
_PART = re.compile(
    r"\bof\s+(?:the|them|those|his|her|their)\b|\bremain|\bhospital|\bairlift|\bflown|\btaken\s+to|\btreated|\breleased"
    r"|\bin\s+(?:critical|stable|serious|fair|good|grave)\b|\bother\s+(?:bystander|victim)|\bfamily\s+member",
    re.IGNORECASE,
)
# What a number counts where it stands for all of them: "2 children dead" may well be a part, "two people" is not.
_WHOLE = re.compile(
    r"\s+(?:(?:other|more|additional)\s+)?(?:people|persons?|men|women|dead|killed|injured|wounded|hurt|others?|victims?"
    r"|were|more)\b",
    re.IGNORECASE,
)
# A total over a stretch of time or many cases is not this incident's.
_SPREE = re.compile(
    r"\b(?:over|during|across|this|past|last|holiday)\s+(?:the\s+)?(?:\w+\s+){0,4}?(?:weekend|week|month|year)\b"
    r"|\b(?:weekend|yearly|annual)\s+(?:shootings|violence)\b|\bgun\s+violence\b|\bso\s+far\s+this\b",
    re.IGNORECASE,
)
_KILLED = (
    r"kill|dead\b|death|died|\bdies?\b|dying|slain|slay|fatal|homicide|murder|body|bodies|pronounced|deceased|drown"
)
_IN_HOSPITAL = (
    r"hospitali[sz]|(?:taken|rushed|flown|airlifted|transported|transferred|admitted|brought|sent|remain|treated|recover"
    r"|condition|care)\w*\b[^.;]{0,60}?\b(?:hospital|medical cent|trauma)"
)
_WORDS = {
    ("condition", "killed"): _KILLED,
    ("condition", "critical"): r"critical|life[- ]threatening|grave|life support|fight\w* for (?:his|her|their) li",
    ("condition", "injured"): (
        rf"injur|wound|\bhurt|graz|surviv|{_IN_HOSPITAL}|treated|recover|stable|serious condition"
        r"|burn|\bbitten|struck in"
        r"|\bin (?:the|his|her|their|both) (?:\w+ )?(?:leg|arm|foot|feet|hand|shoulder|thigh|ankle|hip|calf|knee|wrist"
        r"|finger|toe|chest|stomach|abdomen|back|neck|face|cheek|jaw|buttock|torso|side|head)"
    ),
    ("condition", "unharmed"): r"\bnot (?:hurt|injured|harmed)|unharmed|unhurt|uninjured|escaped injury|no injur|safe",
    ("condition", "missing"): r"missing|disappear|last seen|search|unaccounted",
    ("condition", "found"): r"found|located|recovered|rescued",
    ("legal_status", "at_large"): (
        r"at large|on the (?:loose|run)|manhunt|search|looking for|\bwanted (?:for|in|on|by)|\b(?:being|are|is|was|were"
        r"|still|be) sought|sought (?:by|for|in)|fugitive|\bfled|escaped|no arrest|not (?:been )?(?:caught|arrested"
        r"|located|found)|not been any arrests|have not located|seek"
    ),
    ("legal_status", "arrested"): (
        r"arrest|custody|apprehend|jailed|booked|captured|caught|surrender|turned (?:him|her|them)sel|in jail"
        r"|behind bars|being held|\bheld (?:in|on|without|under)\b(?! to\b)"
    ),
    ("legal_status", "charged"): r"charge|indict|arraign|accused|count|faces|facing|warrant|complaint",
    ("legal_status", "convicted"): r"convict|guilty|sentenc|serving",
    ("legal_status", "released"): r"released|freed|bond|bail|acquit|dropped|dismissed|cleared",
}
_WORDS |= {
    ("status", "arrest_made"): _WORDS["legal_status", "arrested"],
    ("status", "charged"): _WORDS["legal_status", "charged"],
    ("status", "convicted"): _WORDS["legal_status", "convicted"],
    ("status", "suspect_sought"): _WORDS["legal_status", "at_large"],
}
# What makes somebody a suspect, in the sentence that names them.
_SUSPECTED = (
    r"suspect|arrest|charg|accus|gunman|shooter|killer|sought|wanted|looking for|custody|booked|alleged"
    r"|indict|arraign|convict|sentenc|plead|pled|guilty|\bfac(?:es|ed|ing)\b|person of interest|warrant|\bjail|\bbond\b"
    r"|behind bars|opened fire|\bfired\b|believed to|admitted|responsible|manhunt|fugitive|\btrial\b"
)
# What stands before the name of somebody harmed, or of somebody who is only spoken of.
_BYSTANDING = (
    r"\b(?:shot|shooting|killed|killing|stabbed|stabbing|(?:to|and) (?:death|killed)"
    r"|(?:death|murder|killing|shooting|chest|head|leg|arm|back|face|neck|stomach|body) of"
    r"|actress|actor|singer|star|celebrity|neighbor|resident|witness|attorney|lawyer|prosecutor|judge|mayor|spokes\w+|chief|sheriff|sgt\.?|sergeant|lt\.?|lieutenant|capt\.?|captain|det\.?"
    r"|detective|reporter|pastor|principal|coach)"
)
# A conviction for what this incident is not is another case's.
_OTHER_CASES = {
    "kidnap": "kidnapping", "robb": "robbery", "burglar": "burglary", "fraud": "", "theft": "", "forg": "", "drug": "",
}  # fmt: skip
_PENDING = re.compile(r"\bcharges?\b[^.;]{0,60}\bpending\b|\bpending\s+charges?\b|\bno\s+charges?\b", re.IGNORECASE)
_ELSEWHEN = re.compile(
    r"\b(?:previous(?:ly)?|prior|earlier|past|former)\s+(?:\w+\s+){0,2}(?:arrest|charge|convict|record)", re.IGNORECASE
)
_HURT = rf"injur|wound|\bhurt|graz|{_IN_HOSPITAL}|critical|surviv|treated|maim"
# What may come to pass has not; what was in another case is not this one.
_MAY_COME = re.compile(
    r"\b(?:could|may|might|will|would|should|expected\s+to|likely\s+to|possibl[ey])\s+(?:\w+\s+){0,3}$"
    r"|\b(?:whether|if)\s+(?:\w+\s+){0,5}$|\b(?:not|never|no|without)\s+(?:\w+\s+){0,3}$"
    r"|\b(?:previously|earlier|formerly)\s+(?:\w+\s+){0,2}$",
    re.IGNORECASE,
)
# The age of somebody's friend or kin, told beside them.
_KIN = re.compile(
    r"\b(?:his|her|their|with\s+an?)\s+(?:\S+\s+)?\d{1,3}-year-old\s+(?:friend|brother|sister|son|daughter|cousin|wife"
    r"|husband|girlfriend|boyfriend|mother|father|nephew|niece|stepson|stepdaughter|grandson|granddaughter)\b",
    re.IGNORECASE,
)
_CLAUSES = re.compile(r",|;|\s(?:and|while|when|but|as|before|after|with)\s", re.IGNORECASE)
_GOES_ON = re.compile(
    r"\W*(?:he|she|they|his|her|their|him|both|all|the\s+(?:\S+\s+)?(?:suspect|victim|man|woman|boy|girl|teen\w*|child|officer"
    r"|driver|student|pair|couple|\d+-year-old)s?)\b",
    re.IGNORECASE,
)
_AGES = re.compile(r"\b(\d{1,3})[-\s]years?[-\s]olds?\b|,\s(\d{1,3})(?=[,.;)]|\s(?:of|was|were|is|and)\b|$)")
_ENDINGS = frozenset({"jr", "sr", "ii", "iii", "iv", "the", "van", "von", "de", "del", "la", "da", "di", "al", "el"})


def is_borne_out(change: Change, incident: Incident, claim: Claim | None) -> bool:
    """Say whether the quoted sentence itself says what the change tells; true where nothing is quoted.

    `claim` is the change's own, where it is at hand. What was counted from a list of victims, or follows from another
    field, is not said by the sentence; nor is a number, name or age that does not stand in it, a stage that may only
    come, or what the sentence says of somebody else.
    """
    if change.quote is None:
        return True
    is_conflict = change.kind is ChangeKind.CONFLICT_OPENED
    if claim is not None and not _is_said_by(claim, change, is_conflict=is_conflict):
        return False
    value, state = (
        (claim.value, claim.state) if claim is not None and is_conflict else (change.after, change.after_state)
    )
    if value is None or state not in (ClaimState.KNOWN, ClaimState.DISPUTED):
        return True
    if isinstance(value, tuple) and claim is not None:  # of several values, the one that this sentence brought
        value = claim.value
    if not states_value(change.field, value, change.quote, is_rival=is_conflict):
        return False
    if change.field == "name" and incident.city is not None and incident.city.upper() in str(value):
        return False  # a dateline, in capitals
    if (change.field, value) == ("legal_status", LegalStatus.CONVICTED) and _is_other_case(incident, change.quote):
        return False
    person = next((p for p in incident.participants if p.participant_id == change.participant_id), None)
    if person is not None and change.field in ("legal_status", "charges") and person.role is Role.VICTIM:
        return False
    return person is None or (_speaks_of(person, incident, change.quote) and not _is_another_role(person, change))


def states_value(field: str, value: Value, quote: str, *, is_rival: bool = False) -> bool:
    """Say whether a sentence has the words of a value; fields whose words are not known pass.

    With `is_rival`, a number of hurt must be the whole of them: "two of the men were taken to a hospital" contradicts
    no report of four.
    """
    if field in ("n_killed", "n_injured") and isinstance(value, int):
        return _states_toll(field, value, quote, is_rival=is_rival)
    if field == "age" and isinstance(value, int):
        return _find_number(value, _KIN.sub(" ", quote)) is not None and not _SPREE.search(quote)
    if field == "name" and isinstance(value, str):
        return _words_of(value) <= _words_of(quote) and not _is_credit(value, quote)
    if field == "charges" and isinstance(value, str):
        is_named = all(word in quote.casefold() for word in value.casefold().split()[-1:])
        verb = _compile(r"charge|indict|accus").search(quote)
        may_come = verb is not None and _MAY_COME.search(quote[: verb.start()]) is not None
        return is_named and not may_come and not _ELSEWHEN.search(quote) and not _PENDING.search(quote)
    if (field, value) == ("legal_status", LegalStatus.CHARGED) and _PENDING.search(quote):
        return False
    pattern = _WORDS.get((field, str(canonical_text(value))))
    return pattern is None or (_says_without_doubt(_compile(pattern), quote) and not _SPREE.search(quote))


def _is_said_by(claim: Claim, change: Change, *, is_conflict: bool) -> bool:
    if claim.field != change.field or claim.basis is Basis.COUNTED:
        return False
    if is_conflict:  # the report must say something else than what stands, or stood
        other = change.after if claim.value != change.after else change.before
        return claim.value != other and not (change.field == "name" and _is_part_of_name(claim.value, other))
    if change.after_state is not ClaimState.KNOWN:
        return True
    return claim.value in change.after if isinstance(change.after, tuple) else claim.value == change.after


def _is_part_of_name(name: Value, other: Value) -> bool:
    """Say whether one of two names is the other with more of it, which is no contradiction."""
    words, others = _words_of(str(name)), _words_of(str(other))
    return words <= others or others <= words


def _says_without_doubt(pattern: re.Pattern[str], quote: str) -> bool:
    """Say whether the first of such words stands there as what has come to pass."""
    first = pattern.search(quote)
    return first is not None and not _MAY_COME.search(quote[: first.start()])


def _states_toll(field: str, value: int, quote: str, *, is_rival: bool) -> bool:
    """Say whether a sentence gives a number as that of the killed, or of the hurt: in the clause where it stands."""
    if _SPREE.search(quote) or (is_rival and _PART.search(quote)):
        return False
    found = _find_number(value, quote)
    if found is None and value == 1 and not is_rival:
        found = _compile(rf"\b{_SOMEONE}").search(quote)
    if found is None or (is_rival and not _WHOLE.match(quote[found.end() :])):
        return False
    clause = _cut_clause(quote, found.start())
    wanted, other = (_KILLED, _HURT) if field == "n_killed" else (_HURT, _KILLED)
    if _compile(wanted).search(clause):
        return True
    return _compile(other).search(clause) is None and _compile(wanted).search(quote) is not None


def _cut_clause(text: str, at: int) -> str:
    """Cut out the clause around a place, by commas and conjunctions."""
    start = max((cut.end() for cut in _CLAUSES.finditer(text) if cut.end() <= at), default=0)
    end = min((cut.start() for cut in _CLAUSES.finditer(text) if cut.start() > at), default=len(text))
    return text[start:end]


def _find_number(value: int, quote: str) -> re.Match[str] | None:
    """Find a number in digits or words, by itself or as an age."""
    if value == 0:
        return _compile(rf"\b(?:{_NONE})\b").search(quote)
    written = [str(value), f"{value:,}"]
    if value < len(_NUMBER_WORDS):
        written.append(_NUMBER_WORDS[value])
    return _compile(rf"(?<![\w.,$-])(?:{'|'.join(map(re.escape, written))})(?![\w$]|[.,]\d)").search(quote)


def _is_credit(name: str, quote: str) -> bool:
    """Say whether a name is that of who took the picture."""
    written = r"\s+".join(map(re.escape, name.split()))
    credit = rf"\b(?:photos?|image|video|picture|credit|courtesy|graphic)\b[^.;]{{0,20}}{written}|{written}\s*[/|]\s*\w"
    return _compile(credit).search(quote) is not None


def _is_other_case(incident: Incident, quote: str) -> bool:
    return any(stem in quote.casefold() and kind not in incident.incident_types for stem, kind in _OTHER_CASES.items())


def _is_another_role(person: Participant, change: Change) -> bool:
    """Say whether a sentence that is to name a suspect names who was harmed, who speaks, or nobody suspected."""
    if person.role is not Role.SUSPECT or change.field != "name" or not isinstance(change.after, str):
        return False
    written = r"\s+".join(map(re.escape, change.after.split()))
    quote = change.quote or ""
    return _compile(rf"{_BYSTANDING} {written}").search(quote) is not None or _compile(_SUSPECTED).search(quote) is None


def _speaks_of(person: Participant, incident: Incident, quote: str) -> bool:
    """Say whether a sentence can be about a participant: it names them, or goes on about them and nobody else."""
    words = _words_of(quote)
    if person.name and incident.city is not None and incident.city.upper() in person.name:
        return False  # a dateline taken for a name
    if person.name and not words.isdisjoint(_names_of(person.name)):
        return True
    ages = {int(one or other) for one, other in _AGES.findall(quote)}
    if person.age is not None and ages:
        return person.age in ages
    if person.name is None:
        return True
    # Not named here: "He was charged" goes on about somebody named before, "A man was charged" may be about anybody.
    others = (p.name for p in incident.participants if p is not person)
    return _GOES_ON.match(quote) is not None and not _names_any(words, others)


def _names_any(words: Collection[str], names: Iterable[str | None]) -> bool:
    return any(name and not _names_of(name).isdisjoint(words) for name in names)


def _names_of(name: str) -> set[str]:
    return {word for word in _words_of(name) if len(word) > 1} - _ENDINGS


def _words_of(text: str) -> set[str]:
    return set(_word_splitter()(text.casefold().replace("’", "'").replace("'s", "")))


@cache
def _word_splitter() -> Callable[[str], list[str]]:
    return re.compile(r"\w+").findall


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
