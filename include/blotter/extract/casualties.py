"""How many were killed and hurt.

Belongs here: the numbers that an article states ("killing three and wounding two others"), the persons it lists, and what
follows from both. Does not belong here: who they are (`people`).
"""

import re
from dataclasses import dataclass, replace

from blotter.extract.gate import gated
from blotter.extract.mentions import read_number
from blotter.extract.patterns import compile_pattern
from blotter.extract.people import Person
from blotter.extract.predicates import Finding
from blotter.extract.scene import Scene, Sentence
from blotter.model import Basis, Condition, Role

_OF_TITLE = 2.0
_TOLL_WEIGHT = 4.0  # "the death toll rose to": what the page holds for the whole
_MOST = 5000  # a larger number is no number of victims
_ANY_PEOPLE = frozenset(("people", "persons", "victims", "individuals", "others", ""))
_BY_OWN_HAND = frozenset(("self_harm", "then_self"))  # "killed three people and then himself"
_OF_PERSONS = 0.7  # how sure a count is that adds persons up
_LEAD = 3  # sentences: what is told here is the news
_EARLY = 9  # sentences: what is told later is often another case
_HURT = (Condition.INJURED, Condition.CRITICAL)


@dataclass(frozen=True, slots=True)
class Count:
    """A number of killed or injured with what it was read from."""

    value: int
    sentence: Sentence
    start: int
    end: int
    basis: Basis
    confidence: float


@dataclass(frozen=True, slots=True)
class _Stated:
    value: int
    kind: str  # killed, injured, shot
    sentence: Sentence
    start: int
    end: int
    is_other: bool  # "were also injured": beside those told of before
    weight: float


_TOLL = gated(
    r"\b(?:death\stoll|toll(?![-\s]free)|number\sof\s(?:dead|deaths|fatalities))\b[^.;]{0,60}?\b(?:to|at|is|was|stands\sat|rose\sto|of)\s(?:at\sleast\s)?(?P<n>\d{1,4}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b"
)
_ORDINALS = {"third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "3rd": 3, "4th": 4, "5th": 5, "6th": 6}
_NTH_DEATH = gated(
    rf"\b(?P<nth>{'|'.join(_ORDINALS)})\s(?:\w+\s)?(?:person|victim|man|woman|boy|girl|teen|teenager|child|student)\b[^.;]{{0,90}}?\b(?:dies|died|is\sdead)\b(?![^.;]*\bthis\syear)"
)
_MURDER_SUICIDE = gated(r"(?<!attempted\s)(?P<double>\bdouble[-\s])?\bmurder[-–/\s](?:and\s)?suicides?\b")
_NO_ONE_HURT = gated(
    r"\b(?:no\s(?:one|body)\s(?:was|is|has\sbeen|were)\s(?:\w+\s)?(?:hurt|injured|shot|hit|struck|wounded|harmed)|nobody\s(?:was|got)\s(?:\w+\s)?(?:hurt|injured|hit|shot)|(?:there\s(?:were|was|are)\s)?no\s(?:\w+\s)?(?:injuries|casualties)(?:\s(?:were\s|was\s|have\sbeen\s)?reported)?|without\sinjur\w+)\b"
)
_EARLIER_FIGURE = gated(
    r"\b(?:as\s(?:previously|earlier|initially|first|originally)\s(?:reported|said|stated)|(?:earlier|initial)\s(?:reports?|toll|figure|version)|had\s(?:first|initially|earlier|originally)\s|first\s(?:put|gave|reported|said)|initially\s(?:reported|said)|incorrectly|originally\s(?:reported|said)|instead\sof|rather\sthan)\b"
)


def count_casualties(scene: Scene, persons: list[Person]) -> tuple[Count | None, Count | None]:
    """Give the numbers of killed and of injured; None where the article lets neither be told."""
    stated = _read_stated(scene)
    killed_people = [p for p in persons if p.condition is not None and p.condition.value is Condition.KILLED]
    hurt_people = [p for p in persons if p.condition is not None and p.condition.value in _HURT]
    killed = _decide(stated, "killed", killed_people)
    killed = _add_dead_suspects(killed, killed_people, scene) or _find_titled(scene, Condition.KILLED)
    killed = killed or _find_death(scene) or _count_late(scene, killed_people)
    killed = _count_killer(scene, killed)
    injured = _decide_injured(stated, hurt_people, killed)
    if killed is not None and killed.sentence.index <= _LEAD and _is_who_died(injured, killed, hurt_people):
        injured = None
    none_hurt = _find_none_hurt(scene)
    if none_hurt is None and (killed is None or not killed.value):
        injured = injured or _find_titled(scene, *_HURT) or _find_hurt(scene)
    if none_hurt is not None:
        killed = killed or Count(0, *none_hurt, Basis.STATED, 0.8)
        injured = injured or Count(0, *none_hurt, Basis.STATED, 0.8)
    zero = _count_nobody(scene, killed or injured)
    return killed or zero, injured or zero


def _count_nobody(scene: Scene, anchor: Count | None) -> Count | None:
    """Count zero from a page that tells who was killed or hurt and names nobody more, with the sentence that tells it."""
    if anchor is not None:
        return Count(0, anchor.sentence, anchor.start, anchor.end, Basis.COUNTED, 0.4)
    lead = next((s for s in scene.body if s.is_about_incident), None) or next(iter(scene.body), None)
    return None if lead is None else Count(0, lead, lead.start, lead.end, Basis.COUNTED, 0.3)


def _read_stated(scene: Scene) -> list[_Stated]:
    found: list[_Stated] = []
    for sentence in scene.telling:
        told = [f for f in sentence.findings if f.effect.condition is not None]
        if told:
            corrected = _EARLIER_FIGURE.search(sentence)
            cut = sentence.start + corrected.start() if corrected is not None else sentence.end
            found += _add_up(
                sentence, [f for f in told if not _is_corrected(sentence, min(f.start, f.mention.start), cut)]
            )
        found += _read_ordinals(sentence)
        for match in _TOLL.finditer(sentence):
            value = read_number(match.group("n"))
            if value is not None:
                start, end = sentence.start + match.start(), sentence.start + match.end()
                found.append(_Stated(value, "killed", sentence, start, end, False, _TOLL_WEIGHT))
    return found


def _read_ordinals(sentence: Sentence) -> list[_Stated]:
    """Read "a third victim has died": three have."""
    if not sentence.is_title and sentence.index > _LEAD:
        return []
    return [
        _Stated(
            _ORDINALS[match.group("nth").lower()],
            "killed",
            sentence,
            sentence.start + match.start(),
            sentence.start + match.end(),
            False,
            _OF_TITLE,
        )
        for match in _NTH_DEATH.finditer(sentence)
    ]


def _add_up(sentence: Sentence, findings: list[Finding]) -> list[_Stated]:
    """Add up whom one sentence tells of, by what befell them ("a woman and two children were killed")."""
    by_kind: dict[str, dict[int, Finding]] = {}
    alive = {id(f) for f in findings if _lives_on(f, sentence)}
    killed = [f.mention for f in findings if f.effect.condition is Condition.KILLED and id(f) not in alive]
    dead = {mention.start: mention.count for mention in killed}
    for finding in findings:
        kind = "injured" if id(finding) in alive else _name_fate(finding, sentence)
        if kind != "killed" and finding.mention.count <= dead.get(finding.mention.start, finding.mention.count - 1):
            continue
        if kind is not None and finding.mention.kind in ("description", "number", "name"):
            by_kind.setdefault(kind, {}).setdefault(id(finding.mention), finding)
    weight = _OF_TITLE if sentence.is_title else 1.5 if sentence.index <= 3 else 1.0 if sentence.index <= 10 else 0.6
    found: list[_Stated] = []
    for kind, told in by_kind.items():
        first = min(told.values(), key=lambda f: f.mention.start)
        start, end = min(first.start, first.mention.start), max(f.end for f in told.values())
        is_more = _ALSO.search(sentence.text[start - sentence.start : end - sentence.start]) is not None
        is_more = is_more and len(told) > 1
        value = _count_told(list(told.values())) or (len(told) if is_more else None)
        if value is not None:
            if kind == "injured" and len(told) == 1:
                value -= dead.get(first.mention.start, 0)  # "one of four women wounded has died"
            if kind == "killed" and _ends_with_oneself(list(told.values()), sentence):
                value += 1
            found.append(_Stated(value, kind, sentence, start, end, is_more, weight))
    return found


def _ends_with_oneself(findings: list[Finding], sentence: Sentence) -> bool:
    """Say whether the killer is the last of those killed ("killed three people and himself"), and is not counted yet."""
    if any(f.predicate in _BY_OWN_HAND for f in findings):
        return False
    return any(_AND_ONESELF.match(sentence.text, f.mention.end - sentence.start) for f in findings)


def _lives_on(finding: Finding, sentence: Sentence) -> bool:
    """Say whether those whom a word of death reaches are hurt by their own word ("killed two and left two injured")."""
    mention = finding.mention
    if finding.effect.condition is not Condition.KILLED or finding.start > mention.start:
        return False
    between = sentence.text[finding.start - sentence.start : mention.start - sentence.start]
    if re.search(r",|\b(?:and|left|leaving)\b", between) is None:
        return False
    return _LEFT_HURT.match(sentence.text, mention.end - sentence.start) is not None


def _name_fate(finding: Finding, sentence: Sentence) -> str | None:
    condition = finding.effect.condition
    if condition is Condition.KILLED:
        return "killed"
    if condition not in _HURT:
        return None
    words = sentence.text[finding.start - sentence.start : finding.end - sentence.start].lower()
    return "shot" if re.search(r"\b(?:shot|stabbed|struck|hit|gunshot|bullet|gunfire)\b", words) else "injured"


def _count_told(findings: list[Finding]) -> int | None:
    """Count the people of one sentence and one fate; None where it names one person only, or not how many.

    Numbers stand for the people who are told of one by one beside them, unless they are others ("and two more").
    """
    by_own_hand = {id(f.mention) for f in findings if f.predicate in _BY_OWN_HAND and not f.mention.is_plural}
    if by_own_hand:
        others = _count_told([f for f in findings if id(f.mention) not in by_own_hand])
        return None if others is None else others + len(by_own_hand)
    numbers = [f.mention for f in findings if f.mention.is_plural or f.mention.kind == "number"]
    numbers = [m for m in numbers if 0 <= m.count <= _MOST and (m.count or m.noun)]
    if not numbers:
        return None
    head = max(numbers, key=lambda m: m.count)
    rest = [f for f in findings if f.mention is not head and f.mention.count > 0]
    if head.count == 0:
        return 0
    if head.is_other:
        before = [f.mention.count for f in rest if f.mention.start < head.start]
        return head.count + (sum(before) if sum(before) != head.count or len(before) == 1 else 0)
    together: dict[tuple[str, int, int], int] = {}
    for finding in rest:
        key = (finding.predicate, finding.start, finding.end)
        together[key] = together.get(key, 0) + finding.mention.count
    row = max(together.values(), default=0)
    is_row = any((f.predicate, f.start, f.end) in together for f in findings if f.mention is head)
    is_told_again = row == head.count and (len(rest) > 1 or head.noun in _ANY_PEOPLE)  # "three people, a man, ..."
    return head.count + row if is_row and not is_told_again else max(head.count, row)


def _is_corrected(sentence: Sentence, start: int, cut: int) -> bool:
    """Say whether a figure is the one that a correction takes back ("not four, as earlier reported")."""
    if cut == sentence.end:
        return False
    return start > cut or bool(re.search(r"\bnot\s(?:\w+\s)?$", sentence.text[: start - sentence.start]))


def _decide(stated: list[_Stated], kind: str, people: list[Person]) -> Count | None:
    options = [s for s in stated if s.kind == kind and s.value > 0]
    counted = _count_people(_leave_out_doubles(people))
    tolls = [s for s in options if s.weight >= _TOLL_WEIGHT]
    if tolls:
        last = tolls[-1]
        return Count(last.value, last.sentence, last.start, last.end, Basis.STATED, 0.95)
    if options:
        best = max(
            (_add_those_before(s, people) if s.is_other else s for s in options),
            key=lambda s: (s.value if s.weight >= 1.0 else 0, s.weight, -s.start),
        )
        is_one_of_more = counted is not None and best.value == 1 < counted.value and best.weight < _OF_TITLE
        if counted is not None and is_one_of_more:
            return counted
        if counted is None or best.weight >= 1.0 or best.value >= counted.value:
            return Count(
                best.value, best.sentence, best.start, best.end, Basis.STATED, 0.9 if best.weight >= 1.5 else 0.75
            )
    return counted


def _add_those_before(stated: _Stated, people: list[Person]) -> _Stated:
    """Add to "two men were also injured" those of whom it was told before."""
    told_here = {id(p) for p in people if any(e.sentence is stated.sentence for e in p.conditions)}
    before = [p for p in people if id(p) not in told_here and _first_told(p) < stated.start]
    return replace(stated, value=stated.value + len(_leave_out_doubles(before)))


def _first_told(person: Person) -> int:
    return min((e.start for e in person.conditions), default=0)


def _decide_injured(stated: list[_Stated], people: list[Person], killed: Count | None) -> Count | None:
    direct = _decide(stated, "injured", people)
    shot = _decide(stated, "shot", [])
    if shot is not None:
        rest = shot.value - (killed.value if killed is not None else 0)
        if rest > 0 and (direct is None or rest > direct.value):
            return Count(
                rest, shot.sentence, shot.start, shot.end, Basis.STATED if killed is None else Basis.COUNTED, 0.75
            )
    return direct


def _count_people(people: list[Person]) -> Count | None:
    if not people:
        return None
    first = min((p.condition for p in people if p.condition is not None), key=lambda e: e.start)
    basis = Basis.COUNTED if len(people) > 1 else Basis.STATED
    return Count(len(people), first.sentence, first.start, first.end, basis, _OF_PERSONS)


# What follows those who were hurt and not killed; "three killed, two injured" begins with others.
_LEFT_HURT = compile_pattern(
    r"(?:\s(?:of|the|those|his|her|their|other|people|[a-z]+s))*\s(?:(?:critically|seriously|badly|severely|slightly)\s)?"
    r"(?:hurt|wounded|injured)\b",
    re.I,
)
_AND_ONESELF = compile_pattern(r"(?:\s\w+){0,3}?,?\sand\s(?:then\s)?(?:himself|herself)\b", re.I)
_ALSO = compile_pattern(r"\balso\b", re.I)
_HURT_SOMEONE = gated(
    r"\b(?:shot|shoots?|shooting|stabbed|stabs|stabbing|wounded|wounds|wounding|injur(?:ed|es|ing))\s(?:him|her|one)?self\b|\bstray\sbullets?\s(?:hits?|str(?:ikes?|uck)|grazed?)\b|\bself-inflicted\sgunshot"
)
_DOERS_DEATH = compile_pattern(
    r"\b(?:suspects?|gunm[ae]n|shooters?|attackers?|assailants?|himself|herself|self-inflicted|own\slife|suicide|by\s(?:an?\s|the\s)?(?:police|officers?|deput(?:y|ies)|troopers?)|(?:police|officers?|deput(?:y|ies)|troopers?)\s(?:(?:then|fatally|later)\s)?(?:shot|killed))\b",
    re.I,
)
_DEADLY_TITLE = compile_pattern(
    r"\b(?:kill(?:ed|s|ing)?|dead|deadly|died|dies|death|fatal(?:ly)?|murder(?:ed)?|homicide|slain|slaying|manslaughter)\b",
    re.I,
)
# A death that is told without the one who died.
_DEATH = gated(
    r"\b(?:(?:fatal|deadly)\s(?:\w+[- ]){0,2}?(?:shooting|stabbing|crash|collision|fire|accident|wreck|blaze|attack|explosion|beating|incident)|one\s(?:of\s[^.;]{1,50}?\s)?(?:has\s|later\s|was\s)?(?:died|fatally|pronounced\sdead|dead|dies|died)"
    r"|(?:a|the|his|her|man['’]s|woman['’]s)\s(?:body|remains)\s(?:was|were|is|had\sbeen|has\sbeen)\s(?:\w+\s)?(?:found|discovered|recovered|pulled)|(?:found|discovered|recovered)\s(?:a|the|his|her)\s(?:\w+['’]s\s)?(?:body|dead)|bod(?:y|ies)\s(?:was\s|were\s)?found|discovery\sof\s(?:a|the)\sbody"
    r"|homicide\svictim|(?:investigat\w+|ruled)\s(?:\w+\s){0,3}(?:a|as)\s(?:homicide|murder)|turned\sout\sto\sbe\sa\ssuicide|apparent\ssuicide(?!\sattempt)|murder-suicide|was\sdeceased|was\sdead|dead\son\sarrival)\b"
)


def _leave_out_doubles(people: list[Person]) -> list[Person]:
    """Keep those whose fate one sentence tells together, or two that follow each other tell of two names.

    A page that gives no number has told of one person twice, or goes on to another case, far more often than it leaves
    the reader to add up.
    """
    early = [p for p in people if p.condition is not None and p.condition.sentence.index <= _EARLY]
    early = early or [p for p in people if p.condition is not None and p.condition.sentence.index <= 2 * _EARLY]
    best: list[Person] = early[:1]
    fate = _HURT if people and people[0].condition is not None and people[0].condition.value in _HURT else None
    told: dict[int, list[Person]] = {}
    for person in early:
        for evidence in person.conditions:
            if evidence.value in (fate or (Condition.KILLED,)):
                told.setdefault(evidence.sentence.index, []).append(person)
    for index, here in told.items():
        named = [p for p in here + told.get(index + 1, []) if p.name is not None]
        for group in (here, named):
            unique = list({id(p): p for p in group}.values())
            if len(unique) > len(best):
                best = unique
    return best


def _find_titled(scene: Scene, *fates: Condition) -> Count | None:
    """Find one whom the title tells of such a fate, where the text gives no such person."""
    for sentence in scene.sentences:
        for finding in sentence.findings if sentence.is_title else ():
            if finding.effect.condition in fates and finding.mention.count == 1:
                start = min(finding.start, finding.mention.start)
                return Count(1, sentence, start, finding.end, Basis.STATED, 0.6)
    return None


def _count_late(scene: Scene, dead: list[Person]) -> Count | None:
    """Count one of whose death the page tells late, where its title is of a death."""
    if not dead or not any(_DEADLY_TITLE.search(s.text) for s in scene.sentences if s.is_title):
        return None
    return _count_people(dead[:1])


def _is_who_died(hurt: Count | None, killed: Count, hurt_people: list[Person]) -> bool:
    """Say whether the one who was hurt must be who died: of a death that is told without the dead ("fatal shooting")."""
    is_inferred = killed.basis is Basis.INFERRED
    is_one = is_inferred and hurt is not None and hurt.value == killed.value == 1 and len(hurt_people) == 1
    return is_one and hurt is not None and hurt.basis is Basis.STATED and not hurt_people[0].is_alive


def _add_dead_suspects(killed: Count | None, dead: list[Person], scene: Scene) -> Count | None:
    """Add suspects who surely died to a count of the dead victims: an officer and who shot him are two."""
    suspects = [p for p in dead if p.role is Role.SUSPECT and _died_as_doer(p, scene)]
    victims = _leave_out_doubles([p for p in dead if p.role is not Role.SUSPECT])
    if killed is None or not suspects or killed.value != len(victims) or killed.confidence > _OF_PERSONS:
        return killed
    if any(_died_as_doer(p, scene) or not all(_are_told_apart(p, s) for s in suspects) for p in victims):
        return killed
    return replace(killed, value=len(victims) + len(suspects), basis=Basis.COUNTED)


def _died_as_doer(person: Person, scene: Scene) -> bool:
    return any(
        evidence.value is Condition.KILLED
        and _DOERS_DEATH.search(scene.article.text, evidence.start, evidence.end) is not None
        for evidence in person.conditions
    )


def _are_told_apart(one: Person, other: Person) -> bool:
    pairs = ((one.age, other.age), (one.name, other.name), (one.gender, other.gender))
    is_other = any(mine is not None and theirs is not None and mine != theirs for mine, theirs in pairs)
    return is_other or one.is_officer != other.is_officer


def _count_killer(scene: Scene, killed: Count | None) -> Count | None:
    """Count who killed himself after another where the page calls it a murder-suicide and tells of one death."""
    for sentence in scene.telling[:_EARLY]:
        match = _MURDER_SUICIDE.search(sentence)
        if match is not None and killed is not None:
            least = 3 if match.group("double") else 2
            if 0 < killed.value < least:
                start, end = sentence.start + match.start(), sentence.start + match.end()
                return Count(least, sentence, start, end, Basis.INFERRED, 0.6)
    return killed


def _find_death(scene: Scene) -> Count | None:
    """Find that someone died where nobody was found who did ("one of them fatally", "a body was found")."""
    for sentence in scene.telling[:12]:
        match = _DEATH.search(sentence)
        if match is not None:
            return Count(
                1, sentence, sentence.start + match.start(), sentence.start + match.end(), Basis.INFERRED, 0.55
            )
    return None


def _find_hurt(scene: Scene) -> Count | None:
    """Find that someone was hurt where nobody was found who was ("accidentally shooting himself")."""
    for sentence in scene.telling[: _LEAD + 1]:
        match = _HURT_SOMEONE.search(sentence)
        if match is not None:
            start = sentence.start + match.start()
            return Count(1, sentence, start, sentence.start + match.end(), Basis.INFERRED, 0.5)
    return None


def _find_none_hurt(scene: Scene) -> tuple[Sentence, int, int] | None:
    for sentence in scene.telling:
        match = _NO_ONE_HURT.search(sentence)
        if (
            match is not None
            and not re.match(r"\s?(?:other|else|further|additional)", sentence.text[match.end() :], re.I)
            and " else " not in match.group()
        ):
            return sentence, sentence.start + match.start(), sentence.start + match.end()
    return None
