"""Whether a change's own sentence says what an alert would tell.

Belongs here: a second, plain look at the quote before anyone is woken by it; it knows words, not grammar. Does not
belong here: reading (`blotter.extract`), which finds values and may err, and choosing among them (`blotter.resolve`):
a record may well hold what was counted or concluded, while an alert should be true to the sentence that it quotes.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from blotter.alert import about
from blotter.alert.words import compile_words, split_words
from blotter.ids import canonical_text
from blotter.model import (
    Basis,
    Change,
    ChangeKind,
    Claim,
    ClaimState,
    Condition,
    Incident,
    LegalStatus,
    Participant,
    Role,
    Value,
)

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
    r"|\b(?:weekend|yearly|annual)\s+(?:shootings|violence)\b|\bgun\s+violence\b|\bso\s+far\s+this\b"
    r"|\b(?:pair|string|series|spate|rash)\s+of\s+(?:\w+\s+)?(?:shootings|stabbings|killings|attacks|crashes|fires)\b"
    r"|\b(?:two|three|four|five|six|\d+|several|multiple|separate)\s+(?:\w+\s+)?(?:shootings|stabbings|incidents)\b"
    r"|\b(?:are|were)\s+(?:\w+\s+)?(?:connected|linked|related)\b",
    re.IGNORECASE,
)
_FAR_APART = 3
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
    ("status", "investigating"): r"investigat(?!or)|cause of|probe",
    ("status", "arrest_made"): _WORDS["legal_status", "arrested"],
    ("status", "charged"): _WORDS["legal_status", "charged"],
    ("status", "convicted"): _WORDS["legal_status", "convicted"],
    ("status", "suspect_sought"): _WORDS["legal_status", "at_large"],
}
# A conviction for what this incident is not is another case's.
_OTHER_CASES = {
    "kidnap": "kidnapping", "robb": "robbery", "burglar": "burglary", "fraud": "", "theft": "", "forg": "", "drug": "",
}  # fmt: skip
_PENDING = re.compile(r"\bcharges?\b[^.;]{0,60}\bpending\b|\bpending\s+charges?\b|\bno\s+charges?\b", re.IGNORECASE)
_ELSEWHEN = re.compile(
    r"\b(?:previous(?:ly)?|prior|earlier|past|former)\s+(?:\w+\s+){0,2}(?:arrest|charge|convict|record)", re.IGNORECASE
)
_CONVICTED = re.compile(r"convict|plead|pled\b|sentenc", re.IGNORECASE)
# "Wanted in a shooting", of which no more is told, is wanted for another one.
_WANTED_ELSEWHERE = re.compile(r"\bwanted\s+(?:in|for)\s+(?:an?|another)\s+(?:\w+\s+)?\w+\s*(?:[.,;]|$)", re.IGNORECASE)
_AND_ONESELF = re.compile(
    r"(?:\s+\w+){0,4}?,?\s+(?:and|then|before)\s+(?:then\s+)?(?:(?:fatally\s+)?(?:kill|shoot|shot)\w*\s+)?(?:himself|herself)\b",
    re.IGNORECASE,
)
_IN_FULL = {"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth", "5th": "fifth"}
_ORDINALS = re.compile(rf"\b(?:{'|'.join(_IN_FULL)})\b", re.IGNORECASE)
_HURT = rf"injur|wound|\bhurt|graz|{_IN_HOSPITAL}|critical|surviv|treated|maim"
# What may come to pass has not; what was in another case is not this one.
_MAY_COME = re.compile(
    r"\b(?:could|may|might|will|would|should|expected\s+to|likely\s+to|possibl[ey])\s+(?:\w+\s+){0,3}$"
    r"|\b(?:whether|if)\s+(?:\w+\s+){0,5}$|\b(?:not|never|no|without)\s+(?:\w+\s+){0,3}$"
    r"|\b(?:previously|earlier|formerly)\s+(?:\w+\s+){0,2}$",
    re.IGNORECASE,
)
# The age of somebody's friend or kin, or of who was with them.
_KIN = re.compile(
    r"\b(?:his|her|their|with\s+an?)\s+(?:\S+\s+)?\d{1,3}-year-old\s+(?:friend|brother|sister|son|daughter|cousin|wife"
    r"|husband|girlfriend|boyfriend|mother|father|nephew|niece|stepson|stepdaughter|grandson|granddaughter)\b"
    r"|\bwith\s+(?:an?|the|another)\s+\d{1,3}-year-old\b",
    re.IGNORECASE,
)
_CLAUSES = re.compile(r",|;|\s(?:and|while|when|but|as|before|after|with)\s", re.IGNORECASE)

_SENTENCE_CHARS = 2_000  # what is longer is no sentence that a person could check, and takes long to look through


def is_borne_out(change: Change, incident: Incident, claim: Claim | None) -> bool:
    """Say whether the quoted sentence itself says what the change tells; true where nothing is quoted.

    `claim` is the change's own, where it is at hand. What was counted from a list of victims, or follows from another
    field, is not said by the sentence; nor is a number, name or age that does not stand in it, a stage that may only
    come, or what the sentence says of somebody else.
    """
    if change.quote is None:
        return True
    if len(change.quote) > _SENTENCE_CHARS:
        return False
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
    if change.field == "status" and about.is_of_other_officer(incident, change.quote):
        return False
    person = _find_person(change, incident)
    if not states_value(change.field, value, _cut_quote(change, person, incident), is_rival=is_conflict):
        return False
    if change.field == "name" and incident.city is not None and incident.city.upper() in str(value):
        return False  # a dateline, in capitals
    if (change.field, value) == ("legal_status", LegalStatus.CONVICTED) and _is_other_case(incident, change.quote):
        return False
    return person is None or _is_true_of(person, change, value, incident)


def is_backed(
    change: Change, incident: Incident, changes: Sequence[Change], claims: Mapping[str, Claim] = MappingProxyType({})
) -> bool:
    """Say whether a change is borne out, and no sentence beside it speaks against it.

    `changes` are all of the version. A contradiction needs two sentences that say what they were read as, where the
    other came with the same version; nobody has one age where another sentence gives the bearer of the whole name
    another.
    """
    if not is_borne_out(change, incident, claims.get(change.claim_id or "")):
        return False
    beside = [other for other in changes if other is not change and other.participant_id == change.participant_id]
    if change.kind is ChangeKind.CONFLICT_OPENED:
        standing = [o for o in beside if o.field == change.field and o.kind is not ChangeKind.CONFLICT_OPENED]
        return all(is_borne_out(other, incident, claims.get(other.claim_id or "")) for other in standing)
    person = _find_person(change, incident)
    if change.field != "age" or person is None or not isinstance(change.after, int):
        return True
    names = [other for other in beside if other.field == "name" and other.quote == change.quote]
    if not all(is_borne_out(name, incident, claims.get(name.claim_id or "")) for name in names):
        return False  # whose name the sentence does not tell, is nobody whose age it tells
    quotes = [other.quote for other in beside if other.quote and len(other.quote) <= _SENTENCE_CHARS]
    return not any(about.tells_other_age(person, change.after, quote) for quote in quotes)


def split_said(change: Change, incident: Incident) -> tuple[tuple[str, ...], int]:
    """Give those of several values that the quoted sentence says, or that stood before; and how many others there are.

    All where it says none of them: then the sentence stands for something else than their words.
    """
    values = change.after if isinstance(change.after, tuple) else ()
    if change.quote is None or len(change.quote) > _SENTENCE_CHARS:
        return values, 0
    told = _cut_quote(change, _find_person(change, incident), incident)
    stood = change.before if isinstance(change.before, tuple) else ()
    said = tuple(value for value in values if value in stood or states_value(change.field, value, told))
    return (said, len(values) - len(said)) if said else (values, 0)


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
        return split_words(value) <= split_words(quote) and not about.is_credit(value, quote)
    if field == "charges" and isinstance(value, str):
        is_named = split_words(value) <= split_words(_ORDINALS.sub(lambda n: _IN_FULL[n[0].casefold()], quote))
        verb = compile_words(r"charge|indict|accus").search(quote)
        may_come = verb is not None and _MAY_COME.search(quote[: verb.start()]) is not None
        return is_named and not may_come and not _ELSEWHEN.search(quote) and not _PENDING.search(quote)
    if field in ("legal_status", "status") and _ELSEWHEN.search(quote):
        return False
    if (field, value) == ("legal_status", LegalStatus.CHARGED) and _PENDING.search(quote):
        return False
    if (field, value) == ("legal_status", LegalStatus.AT_LARGE) and _WANTED_ELSEWHERE.search(quote):
        return False
    pattern = _WORDS.get((field, str(canonical_text(value))))
    return pattern is None or (_says_without_doubt(compile_words(pattern), quote) and not _SPREE.search(quote))


def _find_person(change: Change, incident: Incident) -> Participant | None:
    return next((p for p in incident.participants if p.participant_id == change.participant_id), None)


def _cut_quote(change: Change, person: Participant | None, incident: Incident) -> str:
    quote = change.quote or ""
    is_of_one = person is not None and change.field in ("condition", "legal_status", "charges")
    return about.cut_to(person, incident, quote) if person is not None and is_of_one else quote


def _is_true_of(person: Participant, change: Change, value: Value, incident: Incident) -> bool:
    """Say whether the sentence says it of this participant, and of them as what they are."""
    quote = change.quote or ""
    if change.field in ("legal_status", "charges"):
        is_dead = person.condition is Condition.KILLED and not about.is_named(person, quote)
        if person.role is Role.VICTIM or is_dead or about.is_bystander(person.name, quote):
            return False
    if change.field == "age" and isinstance(value, int) and not about.is_age_of(person, value, quote):
        return False
    if change.field == "name" and isinstance(value, str):
        is_past = person.role is Role.SUSPECT and _CONVICTED.search(quote) and _is_other_case(incident, quote)
        if is_past or not about.is_in_role(person, value, incident, quote):
            return False
    return about.speaks_of(person, incident, quote)


def _is_said_by(claim: Claim, change: Change, *, is_conflict: bool) -> bool:
    if claim.field != change.field or claim.basis is Basis.COUNTED:
        return False
    if is_conflict:  # the report must say something else than what stands, or stood
        other = change.after if claim.value != change.after else change.before
        if isinstance(claim.value, int) and isinstance(other, int) and _count_apart(change.field, claim.value, other):
            return False
        return claim.value != other and not (change.field == "name" and _is_part_of_name(claim.value, other))
    if change.after_state is not ClaimState.KNOWN:
        return True
    if isinstance(change.after, tuple):
        # The sentence has to bring one that did not stand: what it leaves out still may.
        stood = change.before if isinstance(change.before, tuple) else ()
        return claim.value in change.after and claim.value not in stood
    return claim.value == change.after


def _count_apart(field: str, number: int, other: int) -> bool:
    """Say whether two numbers are too far apart to count the same people: one case, and all of a night."""
    return field in ("n_killed", "n_injured") and max(number, other) > _FAR_APART * min(number, other)


def _is_part_of_name(name: Value, other: Value) -> bool:
    """Say whether one of two names is the other with more of it, which is no contradiction."""
    words, others = split_words(str(name)), split_words(str(other))
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
        found = compile_words(rf"\b{_SOMEONE}").search(quote)
    if found is None or (is_rival and not _WHOLE.match(quote[found.end() :])):
        return False
    if field == "n_killed" and _AND_ONESELF.match(quote, found.end()):
        return False  # one more than that
    clause = _cut_clause(quote, found.start())
    wanted, other = (_KILLED, _HURT) if field == "n_killed" else (_HURT, _KILLED)
    if compile_words(wanted).search(clause):
        return True
    return compile_words(other).search(clause) is None and compile_words(wanted).search(quote) is not None


def _cut_clause(text: str, at: int) -> str:
    """Cut out the clause around a place, by commas and conjunctions."""
    start = max((cut.end() for cut in _CLAUSES.finditer(text) if cut.end() <= at), default=0)
    end = min((cut.start() for cut in _CLAUSES.finditer(text) if cut.start() > at), default=len(text))
    return text[start:end]


def _find_number(value: int, quote: str) -> re.Match[str] | None:
    """Find a number in digits or words, by itself or as an age."""
    if value == 0:
        beside = r"(?!\s+(?:other|others|else|further|additional|more)\b)"  # "no other injuries": some were
        return compile_words(rf"\b(?:{_NONE})\b{beside}").search(quote)
    written = [str(value), f"{value:,}"]
    if value < len(_NUMBER_WORDS):
        written.append(_NUMBER_WORDS[value])
    return compile_words(rf"(?<![\w.,$-])(?:{'|'.join(map(re.escape, written))})(?![\w$]|[.,]\d)").search(quote)


def _is_other_case(incident: Incident, quote: str) -> bool:
    return any(stem in quote.casefold() and kind not in incident.incident_types for stem, kind in _OTHER_CASES.items())
