"""Who was in it: mentions gathered into persons, and each person's role, condition and standing.

Belongs here: which mentions are one person, what the findings of all their sentences add up to, and who is left out (an
official who only speaks, a relative, a person of an earlier case). Does not belong here: the grammar of mentions
(`mentions`), the table of predicates (`predicates`), claims (`reader`).
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache

from rapidfuzz.distance import Levenshtein

from blotter.extract.gate import gated
from blotter.extract.mentions import Mention, MentionFinder, split_name
from blotter.extract.patterns import compile_pattern
from blotter.extract.predicates import Finding, MaskedSentence
from blotter.extract.scene import Scene, Sentence
from blotter.model import Condition, LegalStatus, Role

_SEVERITY: dict[object, float] = {
    Condition.KILLED: 5,
    Condition.CRITICAL: 4,
    Condition.INJURED: 3,
    Condition.FOUND: 3.5,
    Condition.MISSING: 2,
    Condition.UNHARMED: 1,
}
_STANDING: dict[object, int] = {
    LegalStatus.CONVICTED: 5,
    LegalStatus.CHARGED: 4,
    LegalStatus.ARRESTED: 3,
    LegalStatus.AT_LARGE: 2,
    LegalStatus.RELEASED: 4,
}
_BACKGROUND_FACTOR = 0.0
_DEAD = frozenset(("killed", "slain", "murdered", "dead", "deceased", "fallen"))
_ALIVE = frozenset(("in_condition", "then_critical", "survive"))
_FATES = _DEAD | {"wounded", "injured"}


@dataclass(slots=True)
class Evidence:
    """One thing said of a person, with the sentence that says it and the words it was read from."""

    value: object
    sentence: Sentence
    start: int
    end: int
    weight: float = 1.0
    is_label: bool = False  # only what the person is called ("the gunman"), nothing that is said


@dataclass(slots=True, eq=False)
class Person:
    """One person of the article, as far as its mentions could be told to be the same."""

    order: int
    names: list[Evidence] = field(default_factory=list)
    known_as: set[tuple[str, ...]] = field(default_factory=set)  # the words of the names, each once
    ages: list[Evidence] = field(default_factory=list)
    genders: list[Evidence] = field(default_factory=list)
    conditions: list[Evidence] = field(default_factory=list)
    standings: list[Evidence] = field(default_factory=list)
    occupations: list[Evidence] = field(default_factory=list)
    relationships: list[Evidence] = field(default_factory=list)
    charges: list[Evidence] = field(default_factory=list)
    role_evidence: list[Evidence] = field(default_factory=list)
    mentions: list[tuple[Mention, Sentence]] = field(default_factory=list)
    nouns: set[str] = field(default_factory=set)
    is_official: bool = False
    is_officer: bool = False
    is_child: bool = False
    is_called_suspect: bool = False  # "the suspect", "the gunman": what befalls him makes no victim of him
    is_distinct: bool = False  # "another man": none of those spoken of before
    is_alive: bool = False  # in some condition, or recovering: not only shot
    speaks: float = 0.0
    last_index: int = 0
    merged_into: "Person | None" = None
    role: Role | None = None

    @property
    def name(self) -> str | None:
        """The fullest name, as written."""
        best = max(self.names, key=lambda e: (len(split_name(str(e.value))), e.weight, -e.start), default=None)
        return str(best.value) if best else None

    @property
    def age(self) -> int | None:
        """The age that most mentions give."""
        if not self.ages:
            return None
        if len(self.ages) == 1:
            return int(str(self.ages[0].value))
        votes: dict[int, float] = defaultdict(float)
        for evidence in self.ages:
            votes[int(str(evidence.value))] += evidence.weight
        return max(votes, key=lambda age: (votes[age], -age))

    @property
    def gender(self) -> str | None:
        """The gender that most mentions show."""
        if len(self.genders) < 2:
            return str(self.genders[0].value) if self.genders else None
        votes: dict[str, float] = defaultdict(float)
        for evidence in self.genders:
            votes[str(evidence.value)] += evidence.weight
        return max(votes, key=lambda g: (votes[g], g))

    @property
    def is_surely_named(self) -> bool:
        """Whether an age, a title, "identified as" or a usual given name shows that the name is one."""
        return bool(self.ages) or any(
            m.is_cued or m.has_known_first or m.noun for m, _ in self.mentions if m.kind == "name"
        )

    def score(self, role: Role) -> float:
        """Add up what speaks for a role."""
        return sum(e.weight for e in self.role_evidence if e.value is role)

    @property
    def condition(self) -> Evidence | None:
        """The gravest condition that is said of the person."""
        return max(self.conditions, key=lambda e: (_SEVERITY[e.value], e.weight, -e.start), default=None)

    @property
    def standing(self) -> Evidence | None:
        """The furthest that the law has come with the person."""
        return max(self.standings, key=lambda e: (_STANDING[e.value], -e.start), default=None)


class PeopleReader:
    """Gathers the persons of one article; made anew for each."""

    def __init__(self, finder: MentionFinder, scene: Scene) -> None:
        self._finder = finder
        self._scene = scene
        self.persons: list[Person] = []
        self._of_mention: dict[int, Person] = {}
        self._subject: Person | None = None
        self._list_head: tuple[Role, Condition | None] | None = None
        self._last_plural: tuple[Role | None, Condition | None] = (None, None)
        self._n_killed = 0  # as last stated of a plural

    def read(self, masked: dict[int, MaskedSentence]) -> list[Person]:
        """Give the participants, in order of their first mention; `masked` holds each sentence by index."""
        for sentence in self._scene.sentences:
            if not sentence.is_title:
                self._read_sentence(sentence, masked.get(sentence.index))
        if not any(p.role_evidence for p in self.persons):
            for sentence in self._scene.sentences:
                if sentence.is_title:
                    self._read_sentence(sentence, masked.get(sentence.index))
        self._read_title()
        for person in self._live():
            person.role = self._decide_role(person)
        self._merge_nameless()
        return [p for p in self._live() if p.role is not None]

    def _read_title(self) -> None:
        """Give the fate that the title tells of one person to the only victim ("Teen dies after shooting")."""
        victims = [p for p in self._live() if p.score(Role.VICTIM) > p.score(Role.SUSPECT)]
        for sentence in self._scene.sentences:
            aged = [m for m in sentence.mentions if sentence.is_title and m.age is not None]
            if len(aged) == len(victims) == 1 and not victims[0].ages and _fits(victims[0], aged[0], self._finder):
                victims[0].ages.append(Evidence(aged[0].age, sentence, aged[0].start, aged[0].end, 1.0))
            for finding in sentence.findings if sentence.is_title else ():
                mention, condition = finding.mention, finding.effect.condition
                if mention.noun in self._finder.nouns["suspect"]:
                    continue
                if (
                    condition is Condition.KILLED
                    and not mention.is_plural
                    and mention.kind == "description"
                    and len(victims) == 1
                ):
                    victims[0].conditions.append(Evidence(condition, sentence, mention.start, finding.end, 1.0))

    def _live(self) -> list[Person]:
        return [p for p in self.persons if p.merged_into is None]

    # mentions to persons

    def _read_sentence(self, sentence: Sentence, masked: MaskedSentence | None) -> None:
        if sentence.is_background and not any(m.kind == "name" and m.age is not None for m in sentence.mentions):
            self._note_known_names(sentence)
            return
        acted = {
            id(f.mention) for f in sentence.findings if f.effect.role is not None or f.effect.condition is not None
        }
        for mention in sentence.mentions:
            if mention.kind == "name":
                self._place_name(mention, sentence)
        for mention in sentence.mentions:
            if mention.kind == "description" and not mention.is_plural:
                self._place_description(mention, sentence, id(mention) in acted)
            elif mention.ages and mention.is_plural:
                if not self._hand_down_age(mention, sentence):
                    self._place_ages(mention, sentence)
            elif mention.kind == "pronoun":
                self._place_pronoun(mention, sentence)
        if masked is not None:
            self._join_appositions(masked)
            self._read_membership(masked)
        self._apply_findings(sentence)
        if masked is not None:
            self._spread_over_list(sentence, masked)
        self._read_list_line(sentence)
        self._note_subject(sentence)

    def _read_list_line(self, sentence: Sentence) -> None:
        """Give the role of a list's head ("The victims:") to a line that is a name and an age."""
        if self._list_head is None and not (sentence.text.endswith(":") or len(sentence.text) < 90):
            return
        names = [m for m in sentence.mentions if m.kind == "name" and m.age is not None]
        is_line = (
            bool(names)
            and names[0].start - sentence.start <= 3
            and (len(sentence.text) < 60 or sentence.text.startswith(("•", "-", "*")))
        )
        if _LIST_HEAD.search(sentence) and not is_line:
            words = sentence.text.lower()
            self._list_head = (
                (Role.SUSPECT, None)
                if re.search(r"suspects?|arrested|charged", words)
                else (Role.VICTIM, Condition.KILLED if re.search(r"killed|dead|deceased|died|slain", words) else None)
            )
        elif is_line and self._list_head is not None:
            person = self._of_mention.get(id(names[0]))
            role, condition = self._list_head
            if person is not None:
                person.role_evidence.append(Evidence(role, sentence, sentence.start, sentence.end, 1.3))
                if condition is not None:
                    person.conditions.append(Evidence(condition, sentence, sentence.start, sentence.end, 1.0))
        elif not is_line:
            self._list_head = None

    def _note_known_names(self, sentence: Sentence) -> None:
        for mention in sentence.mentions:
            if mention.kind == "name" and " " in (mention.name or ""):
                person = self._find_named(mention, sentence)
                if person is not None:
                    person.last_index = sentence.index

    def _new_person(self, mention: Mention, sentence: Sentence) -> Person:
        person = Person(order=mention.start, is_distinct=mention.is_other)
        self.persons.append(person)
        self._attach(person, mention, sentence)
        return person

    def _attach(self, person: Person, mention: Mention, sentence: Sentence) -> None:
        self._of_mention[id(mention)] = person
        person.mentions.append((mention, sentence))
        person.last_index = sentence.index
        weight = 0.3 if sentence.is_background else 1.0
        if mention.kind == "name" and mention.name and " " in mention.name:
            person.names.append(Evidence(mention.name, sentence, mention.start, mention.end, weight))
            person.known_as.add(_words(mention.name))
        if mention.age is not None:
            person.ages.append(Evidence(mention.age, sentence, mention.start, mention.end, weight))
        if mention.gender is not None:
            person.genders.append(
                Evidence(mention.gender, sentence, mention.start, mention.end, 1.0 if mention.noun else 0.6)
            )
        self._read_nouns(person, mention, sentence, weight)

    def _read_nouns(self, person: Person, mention: Mention, sentence: Sentence, weight: float) -> None:
        titles = {t.lower().strip(".,") for t in mention.title.split()}
        if titles:
            dotted = {f"{t}." for t in titles} | titles
            person.is_official = person.is_official or bool(dotted & self._finder.official_titles)
            person.is_officer = person.is_officer or bool(dotted & self._finder.officer_titles)
        noun = mention.noun
        if noun:
            person.nouns.add(noun)
        nouns = self._finder.nouns
        if noun in nouns["suspect"] and sentence.is_about_incident | (mention.kind == "name") | mention.is_definite:
            person.is_called_suspect = True
            evidence = Evidence(Role.SUSPECT, sentence, mention.start, mention.end, 1.6 * weight, is_label=True)
            person.role_evidence.append(evidence)
        elif noun in nouns["victim"]:
            person.role_evidence.append(
                Evidence(
                    Role.VICTIM,
                    sentence,
                    mention.start,
                    mention.end,
                    (1.4 if noun.startswith("victim") else 0.5) * weight,
                )
            )
        if noun in nouns["officer"] or titles & {"officer", "deputy", "trooper", "ofc", "constable", "sgt", "sergeant"}:
            person.is_officer = True
        if noun and (fate := _FATES & mention.modifiers):
            person.role_evidence.append(Evidence(Role.VICTIM, sentence, mention.start, mention.end, 1.0 * weight))
            condition = Condition.KILLED if fate & _DEAD else Condition.INJURED
            person.conditions.append(Evidence(condition, sentence, mention.start, mention.end, 0.9 * weight))
        person.is_child = person.is_child or noun in nouns["child"]

    def _place_name(self, mention: Mention, sentence: Sentence) -> None:
        person = self._find_named(mention, sentence)
        if person is not None:
            self._attach(person, mention, sentence)
        elif " " in (mention.name or "") or mention.age is not None:
            self._new_person(mention, sentence)

    def _find_named(self, mention: Mention, sentence: Sentence) -> Person | None:
        words = _words(mention.name)
        matches = [person for person in self._live() if any(_same_name(words, known) for known in person.known_as)]
        if not matches:
            return None
        if len(words) == 1 and mention.title:
            titled = [p for p in matches if p.is_official or p.is_officer]
            matches = titled or matches
        if len(matches) > 1 and any(f.mention is mention and f.effect.is_action for f in sentence.findings):
            matches = [p for p in matches if not p.speaks] or matches  # "Voss was shot": not the brother who speaks
        return max(matches, key=lambda p: p.last_index)

    def _place_description(self, mention: Mention, sentence: Sentence, acted: bool) -> None:
        if mention.owner is not None and not acted and mention.age is None:
            return
        person = self._find_described(mention, sentence)
        if person is not None:
            self._attach(person, mention, sentence)
        elif mention.count == 1 and (acted or mention.age is not None):
            self._new_person(mention, sentence)

    def _find_described(self, mention: Mention, sentence: Sentence) -> Person | None:
        taken = {
            id(self._of_mention[id(m)])
            for m in sentence.mentions
            if id(m) in self._of_mention and m.start < mention.start and m.kind != "pronoun"
        }
        if mention.is_other or mention.owner is not None:
            fits = [
                p
                for p in self._live()
                if mention.age is not None
                and p.age == mention.age
                and _agrees(p.gender, mention.gender)
                and id(p) not in taken
            ]
            return fits[-1] if fits and not mention.is_other else None
        live = [p for p in self._live() if _agrees(p.gender, mention.gender)]
        if mention.age is not None:
            same = [p for p in live if p.age == mention.age and not (id(p) in taken and not mention.is_definite)]
            if same and not mention.is_definite:
                same = [p for p in same if not self._is_opposed(p, mention, sentence)]
            if same:
                return max(same, key=lambda p: p.last_index)
            if not mention.is_definite:
                return None
            return self._find_ageless(live, mention)
        if not mention.is_definite:
            return None
        nouns = self._finder.nouns
        if mention.noun in nouns["suspect"]:
            options = [p for p in live if p.score(Role.SUSPECT) > p.score(Role.VICTIM)]
            options = [p for p in options if not p.is_officer] or options
        elif mention.noun.startswith("victim"):
            options = [p for p in live if p.score(Role.VICTIM) > p.score(Role.SUSPECT) and p.score(Role.VICTIM) > 0]
        elif mention.noun in nouns["officer"]:
            options = [
                p
                for p in live
                if p.is_officer and not (p.speaks > p.score(Role.VICTIM)) and (p.role_evidence or not p.names)
            ]
        elif mention.noun in nouns["child"]:
            options = [p for p in live if p.is_child or (p.age is not None and p.age < 18)]
            options = self._prefer_role(options, mention, sentence)
        else:
            options = [
                p
                for p in live
                if p.role_evidence
                and not p.is_official
                and sentence.index - p.last_index <= 4
                and _same_kind(p, mention)
            ]
            options = [p for p in options if not p.is_officer] or options
            options = self._prefer_role(options, mention, sentence)
        return max(options, key=lambda p: (p.last_index, -p.order)) if options else None

    @staticmethod
    def _is_opposed(person: Person, mention: Mention, sentence: Sentence) -> bool:
        """Say whether a sentence makes a victim of "a 19-year-old man" while a person of that age is a suspect, or so."""
        roles = {f.effect.role for f in sentence.findings if f.mention is mention and f.effect.role is not None}
        victim, suspect = person.score(Role.VICTIM), person.score(Role.SUSPECT)
        return (roles == {Role.VICTIM} and suspect > 1.0 > victim) or (
            roles == {Role.SUSPECT} and victim > 1.0 > suspect
        )

    @staticmethod
    def _prefer_role(options: list[Person], mention: Mention, sentence: Sentence) -> list[Person]:
        """Prefer persons of the role that the sentence gives to the mention: who "was shot" is rather the victim."""
        roles = {
            f.effect.role
            for f in sentence.findings
            if f.mention is mention
            and f.effect.role is not None
            and (f.effect.is_action or f.effect.role is not Role.VICTIM)
        }
        if len(roles) != 1:
            return options
        role = roles.pop()
        other = Role.VICTIM if role is Role.SUSPECT else Role.SUSPECT
        return [p for p in options if p.score(role) >= p.score(other)] or options

    def _find_ageless(self, live: list[Person], mention: Mention) -> Person | None:
        """Find who "the 20-year-old" is: someone whose age was not told yet."""
        options = [p for p in live if p.age is None and p.role_evidence and not p.is_official and not p.speaks]
        if mention.noun in self._finder.nouns["suspect"]:
            options = [p for p in options if p.score(Role.SUSPECT) > p.score(Role.VICTIM) and not p.is_officer]
        return options[0] if len(options) == 1 else None

    def _hand_down_age(self, mention: Mention, sentence: Sentence) -> bool:
        """Give the age of a plural to the names right behind it ("the 23-year-old twins Ann and Bea Lee"), if any."""
        at, named = mention.end, []
        for other in sentence.mentions:
            if other.start < mention.end:
                continue
            if (
                other.kind != "name"
                or other.age is not None
                or not _JOINT.fullmatch(self._scene.article.text[at : other.start])
            ):
                break
            named.append(other)
            at = other.end
        if not named or len(set(mention.ages)) > 1:
            return False
        for other in named:
            if (person := self._of_mention.get(id(other))) is not None:
                person.ages.append(Evidence(mention.ages[0], sentence, mention.start, other.end))
        mention.members += named
        return True

    def _place_ages(self, mention: Mention, sentence: Sentence) -> None:
        """Make a person of each age that a plural gives ("two men, ages 20 and 25")."""
        for age in mention.ages:
            single = Mention(
                mention.start,
                mention.end,
                "description",
                age=age,
                gender=mention.gender,
                noun=_singular(mention.noun),
                modifiers=mention.modifiers,
            )
            taken = {id(p) for p in map(self._of_mention.get, map(id, mention.members)) if p}
            same = [
                p for p in self._live() if p.age == age and _agrees(p.gender, mention.gender) and id(p) not in taken
            ]
            mention.members.append(single)
            person = same[-1] if same else self._new_person(single, sentence)
            if same:
                self._attach(person, single, sentence)
            if mention.noun in _FATES and mention.is_definite:  # "the wounded were 28 and 31"
                person.role_evidence.append(Evidence(Role.VICTIM, sentence, mention.start, mention.end, 1.2))

    def _place_pronoun(self, mention: Mention, sentence: Sentence) -> None:
        if mention.noun in ("they", "them"):
            return
        before = [m for m in sentence.mentions if m.end <= mention.start and id(m) in self._of_mention]
        if mention.noun == "him" or (mention.noun == "her" and mention.is_object):
            self._place_object(mention, sentence, before)
            return
        options = [self._of_mention[id(m)] for m in before if not m.is_possessive]
        options = [p for p in options if _agrees(p.gender, mention.gender) and not p.is_official]
        options = self._prefer_role(options, mention, sentence)
        person = options[0] if options else None
        if (
            person is None
            and self._subject is not None
            and _agrees(self._subject.gender, mention.gender)
            and sentence.index - self._subject.last_index <= 2
        ):
            person = self._subject
        if person is not None:
            self._of_mention[id(mention)] = person
            person.last_index = sentence.index
            person.genders.append(Evidence(mention.gender, sentence, mention.start, mention.end, 0.4))

    def _place_object(self, mention: Mention, sentence: Sentence, before: list[Mention]) -> None:
        """Place "him": whoever was spoken of before, but not who does it to him."""
        here = [self._of_mention[id(m)] for m in before]
        voices = [self._of_mention.get(id(f.mention)) for f in sentence.findings if f.effect.speaks]
        spoken = [m for m in sentence.mentions if m.end <= mention.start]
        person: Person | None = None
        if len(spoken) > 1:
            goes_on = _GOES_ON.match(self._scene.article.text[spoken[-1].end : mention.start])
            doer = self._of_mention.get(id(spoken[0] if goes_on else spoken[-1]))
            near = [self._of_mention.get(id(m)) for m in (spoken[-1:] if goes_on else spoken[:-1])]
            fits = [p for p in near if p is not None and p is not doer and _agrees(p.gender, mention.gender)]
            fits = [p for p in fits if not (p.is_official or (p.is_officer and (p.speaks or p in voices)))]
            person = fits[-1] if fits else None
        if person is None:
            options = [
                p
                for p in self._live()
                if p.order < mention.start  # "identified him as Ann Lee": not whom the sentence only comes to
                and not any(p is one for one in here)
                and _agrees(p.gender, mention.gender)
                and not (p.is_official or (p.is_officer and (p.speaks or p in voices)))
                and sentence.index - p.last_index <= 2
            ]
            person = max(options, key=lambda p: (p.last_index, p.score(Role.VICTIM)), default=None)
        if person is not None:
            self._of_mention[id(mention)] = person
            person.genders.append(Evidence(mention.gender, sentence, mention.start, mention.end, 0.4))

    def _join_appositions(self, masked: MaskedSentence) -> None:
        if masked.text.count("⟦") < 2:
            return
        for match in _KIN_OF.finditer(masked.text):
            a, b = (masked.mentions[int(n)] for n in match.groups())
            if b.owner is not None and b.kind == "description" and b.age is None:
                self._unite(a, b)
        for match in _find_chained(masked.text):
            first, second = (int(n) for n in match.groups() if n is not None)
            if max(first, second) >= len(masked.mentions):
                continue
            a, b = masked.mentions[first], masked.mentions[second]
            if a.kind == "group" and (a.members[-1].is_plural or (match.group(3) is not None and b.age is not None)):
                a = a.members[-1]  # "struck Ann Lee and two others — Bo Lee, 21, and Cy Lee, 22"; "..., who was 6"
            if match.group(5) is not None:
                is_age = b.kind == "description" and b.noun == "person" and b.age is not None and a.age is None
                if (b.kind == "name" or is_age) and a.kind == "description" and a.count == 1:
                    self._unite(a, b)
                continue
            if match.group(3) is not None:
                if _is_predicated(a, b):
                    self._unite(a, b)
                continue
            if (
                match.group(7) is None
                and "identif" not in match.group()
                and "named" not in match.group()
                and not (a.is_plural and "includ" in match.group())
                and not _is_apposition(a, b, masked.text[match.end() :])
            ):
                continue
            self._unite(a, b)
            if "identif" in match.group():
                self._note_identified(a, b)

    def _read_membership(self, masked: MaskedSentence) -> None:
        """Give whom a sentence counts among the victims or suspects that role: "Ann Lee, 29, is one of the victims"."""
        for match in _ONE_OF.finditer(masked.text) if "⟧" in masked.text else ():
            one, many = (masked.mentions[int(n)] for n in match.groups())
            if many.kind == "name" or not many.is_plural:
                continue
            role, condition = self._role_of_plural(many, many.noun, -1)
            for member in one.members or [one]:
                person = self._of_mention.get(id(member))
                if person is not None and person.mentions and role is not None:
                    sentence = person.mentions[-1][1]
                    person.role_evidence.append(Evidence(role, sentence, member.start, many.end, 1.3))
                    if condition is not None:
                        person.conditions.append(Evidence(condition, sentence, member.start, many.end, 0.9))

    def _spread_over_list(self, sentence: Sentence, masked: MaskedSentence) -> None:
        """Give what is said of several to each whom the sentence then lists ("Two were killed: Ann Lee, 29, and ...")."""
        for finding in sentence.findings:
            many = finding.mention
            if finding.effect.role is None or not many.is_plural or many.members or many.count < 2:
                continue
            after = [m for m in masked.mentions if m.start >= many.end]
            group = next((m for m in after if m.kind == "group"), None)
            if group is None or len(group.members) != many.count:
                continue
            if _LIST_BEGINS.search(self._scene.article.text[max(many.end, group.start - 24) : group.start]):
                for person in (self._of_mention.get(id(m)) for m in group.members):
                    if person is not None:
                        self._apply(person, replace(finding, mention=group, end=group.end), sentence)

    def _note_identified(self, a: Mention, b: Mention) -> None:
        """Take who is "identified as" a name for the victim where nothing else tells what they are."""
        person = self._of_mention.get(id(b))
        if (
            person is None
            or b.kind != "name"
            or a.is_plural
            or a.noun in _TRADES
            or person.is_official
            or not person.mentions
        ):
            return
        if not person.role_evidence and a.kind in ("pronoun", "description"):
            person.role_evidence.append(Evidence(Role.VICTIM, person.mentions[-1][1], b.start, b.end, 0.9))

    def _unite(self, a: Mention, b: Mention) -> None:
        """Make two mentions one person; a plural's role noun goes to each name of a list ("the victims as A and B")."""
        one, other = self._of_mention.get(id(a)), self._of_mention.get(id(b))
        if a.is_plural or b.is_plural:
            noun, members = (a.noun, b.members or [b]) if a.noun else (b.noun, a.members or [a])
            plural = a if a.noun else b
            plural.members = plural.members or members
            members = [one for member in members for one in (member.members or [member])]
            role, condition = self._role_of_plural(plural, noun, len(members))
            for member in members:
                person = self._of_mention.get(id(member))
                if person is not None and person.mentions:
                    sentence = person.mentions[-1][1]
                    if role is not None:
                        person.role_evidence.append(Evidence(role, sentence, member.start, member.end, 1.5))
                    if condition is not None:
                        person.conditions.append(Evidence(condition, sentence, member.start, member.end, 0.9))
            return
        if one is None and other is not None and a.kind == "description" and a.count == 1:
            self._attach(other, a, other.mentions[-1][1])
        elif other is None and one is not None and b.kind == "description" and b.count == 1:
            self._attach(one, b, one.mentions[-1][1])
        elif one is not None and other is not None and one is not other:
            if one.names and other.names and not _same_name(_words(one.name), _words(other.name)):
                return
            if one.age is not None and other.age is not None and one.age != other.age:
                return
            self._merge(one, other) if one.names or not other.names else self._merge(other, one)

    def _role_of_plural(self, plural: Mention, noun: str, n_members: int) -> tuple[Role | None, Condition | None]:
        """Give what a plural is in the incident: by its noun, by "dead" before it, or by what was said of "they"."""
        fate = (_FATES & plural.modifiers) | (_FATES & {noun})
        if fate:
            return Role.VICTIM, Condition.KILLED if fate & _DEAD else Condition.INJURED
        if noun in self._finder.nouns["suspect"]:
            return Role.SUSPECT, None
        if noun in self._finder.nouns["victim"]:
            return Role.VICTIM, Condition.KILLED if n_members == self._n_killed else None
        return self._last_plural if noun in ("they", "them") or plural.is_definite else (None, None)

    def _merge(self, keep: Person, gone: Person) -> None:
        for name in (
            "names",
            "ages",
            "genders",
            "conditions",
            "standings",
            "occupations",
            "relationships",
            "charges",
            "role_evidence",
            "mentions",
        ):
            getattr(keep, name).extend(getattr(gone, name))
        keep.known_as |= gone.known_as
        keep.nouns |= gone.nouns
        keep.is_official |= gone.is_official
        keep.is_officer |= gone.is_officer
        keep.is_child |= gone.is_child
        keep.is_called_suspect |= gone.is_called_suspect
        keep.is_alive |= gone.is_alive
        keep.speaks += gone.speaks
        keep.order = min(keep.order, gone.order)
        keep.last_index = max(keep.last_index, gone.last_index)
        gone.merged_into = keep
        for key, person in self._of_mention.items():
            if person is gone:
                self._of_mention[key] = keep
        if self._subject is gone:
            self._subject = keep

    # findings

    def _apply_findings(self, sentence: Sentence) -> None:
        for finding in sentence.findings:
            if finding.effect.condition is Condition.KILLED and finding.mention.count > 1:
                self._n_killed = finding.mention.count
            if finding.mention.is_plural and finding.effect.role is not None:
                self._last_plural = (finding.effect.role, finding.effect.condition)
        # what someone did comes first: it tells what to make of what befell him
        for finding in sorted(sentence.findings, key=lambda f: f.effect.role is Role.VICTIM):
            person = self._of_mention.get(id(finding.mention))
            targets = (
                [person]
                if person is not None
                else [p for m in finding.mention.members if (p := self._of_mention.get(id(m))) is not None]
            )
            for target in targets:
                self._apply(target, finding, sentence)

    def _makes_victim(self, person: Person, finding: Finding, sentence: Sentence) -> bool:
        """Say whether what befell a person makes a victim of him: not of "the gunman", nor whom officers shot for firing."""
        if person.is_called_suspect:
            return False
        if not person.score(Role.SUSPECT) or person.is_officer:
            return True
        doers = (
            self._of_mention.get(id(other.mention))
            for other in sentence.findings
            if (other.predicate, other.start) == (finding.predicate, finding.start)
            and other.effect.role is Role.SUSPECT
        )
        return not any(doer is not None and doer.is_officer for doer in doers)

    def _apply(self, person: Person, finding: Finding, sentence: Sentence) -> None:
        effect = finding.effect
        if effect.speaks:
            is_told_of = any(f.mention is finding.mention and f.effect.role is not None for f in sentence.findings)
            person.speaks += 0.0 if is_told_of and finding.predicate == "said_before" else 1.0
            return
        factor = _BACKGROUND_FACTOR if sentence.is_background else 0.7 if finding.mention.kind == "pronoun" else 1.0
        if factor == 0.0:
            return
        start, end = finding.mention.start, finding.end
        if effect.role is Role.SUSPECT or (
            effect.role is Role.VICTIM and self._makes_victim(person, finding, sentence)
        ):
            person.role_evidence.append(
                Evidence(effect.role, sentence, min(start, finding.start), end, effect.weight * factor)
            )
        if effect.condition is not None:
            person.is_alive = person.is_alive or finding.predicate in _ALIVE
            person.conditions.append(
                Evidence(effect.condition, sentence, min(start, finding.start), end, effect.weight * factor)
            )
        if effect.legal_status is not None:
            person.standings.append(
                Evidence(effect.legal_status, sentence, min(start, finding.start), end, effect.weight * factor)
            )

    def _note_subject(self, sentence: Sentence) -> None:
        for mention in sentence.mentions:
            person = self._of_mention.get(id(mention))
            if person is not None and not person.is_official and not mention.is_possessive:
                self._subject = person
                return

    # roles

    def _decide_role(self, person: Person) -> Role | None:
        victim, suspect = person.score(Role.VICTIM), person.score(Role.SUSPECT)
        harmed = any(
            e.value in (Condition.KILLED, Condition.CRITICAL, Condition.INJURED, Condition.MISSING, Condition.FOUND)
            for e in person.conditions
        )
        if person.is_official and max(victim, suspect) < 2.0:
            return None
        if person.speaks >= 2 and max(victim, suspect) < 1.2 * person.speaks and not person.ages:
            return None
        if person.is_officer and not person.standings:
            if harmed and victim >= 1.0:
                return Role.VICTIM
            return Role.OFFICER_INVOLVED if suspect >= 1.0 and not person.speaks else None
        if max(victim, suspect) < 0.8 or (person.names and not person.is_surely_named and max(victim, suspect) < 1.2):
            return None
        if suspect > victim or (person.standings and suspect >= 0.6 * victim):
            return Role.SUSPECT
        return Role.VICTIM

    def _merge_nameless(self) -> None:
        """Take a nameless person for a named one of the same role where nothing speaks against it."""
        for person in [p for p in self._live() if p.role is not None and not p.names and p.age is not None]:
            untold = [
                p for p in self._live() if p.role is None and p.names and not p.is_official and not p.role_evidence
            ]
            same = [p for p in untold if p.age == person.age and _agrees(p.gender, person.gender)]
            if len(same) == 1:  # "Ann Lee, 12, was sitting on a porch": the girl of 12 who was shot
                same[0].role = person.role
                self._merge(same[0], person)
        for role in (Role.VICTIM, Role.SUSPECT):
            group = [p for p in self._live() if p.role is role]
            named = [p for p in group if p.names]
            for person in [p for p in group if not p.names]:
                options = [q for q in named if q.merged_into is None and _may_be_same(person, q)]
                if person.age is None and options:
                    self._merge(options[0], person)
                elif person.age is not None:
                    ageless = [q for q in options if q.age is None]
                    same_age = [q for q in options if q.age == person.age]
                    if same_age:
                        self._merge(same_age[0], person)
                    elif len(ageless) == 1:
                        self._merge(ageless[0], person)
            rest = [p for p in self._live() if p.role is role and not p.names]
            aged = [p for p in rest if p.age is not None]
            for person in [p for p in rest if p.age is None]:
                options = [q for q in aged if _may_be_same(person, q)]
                others = [
                    q
                    for q in rest
                    if q is not person
                    and q.merged_into is None
                    and q.age is None
                    and _may_be_same(person, q)
                    and q.order < person.order
                ]
                if options:
                    self._merge(options[0], person)
                elif others:
                    self._merge(others[0], person)


# What goes on about the same doer: "approached a man and shot him".
_GOES_ON = compile_pattern(
    r"[^⟦⟧.;]{0,60}?(?:,|\band|\bthen|\bbefore|\bby)\s(?:then\s|fatally\s|repeatedly\s)?\w+\s(?:\w+\s)?$"
)
_LIST_HEAD = gated(
    r"\b(?:victims?|dead|killed|deceased|died|slain|injured|wounded|suspects|arrested|charged)\b[^.]{0,80}:?\s*$|:$"
)
_ONE_OF = compile_pattern(
    r"⟦(\d+)⟧(?:,\s[^⟦⟧;:.]{1,60},|,)?\s(?:was|is|were|are)\s(?:one|two|three|also|(?:confirmed\s)?to\sbe)?\s?(?:of|among)\s⟦(\d+)⟧"
)
_LIST_BEGINS = compile_pattern(r"(?::|,|\s[—–-]+)\s(?:an?\s|the\s)?$")
_JOINT = re.compile(r"\s|,\s(?:and\s)?|\sand\s")
_KIN_OF = compile_pattern(r"⟦(\d+)⟧,\s⟦\d+⟧['’]s?\s⟦(\d+)⟧(?=[,.;)])")
_SAME = compile_pattern(
    r"⟦(\d+)⟧(?:(?:\s[^⟦⟧;:.]{2,70}?)?,?\sincluding:?\s|\sincluded?:?\s|\s(?=⟦)|,\s|\s\(|\s?[—–-]+\s|,?\s(?:(?:was|were|has\sbeen|have\sbeen|is|who\s(?:was|has\sbeen|were))\s)?(?:\w+\s)?(?:identified|named)\s(?:[^⟦⟧.;]{1,50}\s|by\s⟦\d+⟧\s)?as\s(?:the\s)?|,?\snamed\s|\sas\s|:\s|[^⟦⟧.;]{1,90}?\s(?:identified|named)\s(?:[^⟦⟧.;]{1,50}\s)?as\s(?:the\s)?)⟦(\d+)⟧"
    r"|⟦(\d+)⟧(?:,\s[^⟦⟧;:.]{1,90}?,|,|\s(?:of|in|from)\s[^⟦⟧.;:,]{2,50}?(?=\s(?:was|were|is|are)\s⟦))?(?:\swho)?(?:\s(?:is|was|are|were|turned|had\sturned|(?:may|might|could)\shave\sbeen|(?:(?:is|was)\s)?(?:believed|thought|said)\sto\sbe)|(?:\s[^⟦⟧;:.,]{2,50}?)?\sincluded?|['’]s)\s(?:about\s|just\s|only\s)?⟦(\d+)⟧"
    r"|⟦(\d+)⟧\s[^⟦⟧.;:,]{1,70}?\s(?:was|is)\s⟦(\d+)⟧"
    r"|identif(?:y|ied)\s(?:the\s)?⟦(\d+)⟧,?\s(?:[^⟦⟧;]{0,110}?\s)?as\s⟦(\d+)⟧",
    re.I,
)


def _find_chained(text: str) -> Iterator[re.Match[str]]:
    """Find each pair of mentions of one person; the second of a pair may be the first of the next."""
    match = _SAME.search(text)
    while match is not None:
        yield match
        second = text.rfind("⟦", match.start() + 1, match.end())
        match = _SAME.search(text, second if second > match.start() else match.end())


def _is_predicated(a: Mention, b: Mention) -> bool:
    """Say whether "a is b" makes one person of two mentions: an age, a name, or what someone is in the incident."""
    if a.is_plural:
        return bool(b.members) and bool(a.noun)
    if b.is_plural or b.owner is not None:
        return False
    if b.kind == "description":
        return (b.age is not None and a.age is None) or (a.kind == "name" and b.is_definite and b.noun != "person")
    return b.kind == "name" and a.kind == "description" and a.noun != "person"


def _is_apposition(a: Mention, b: Mention, after: str) -> bool:
    if a.kind == "name" and b.kind == "description":
        return (
            (not b.is_definite or after[:1] in ",.;)—–")
            and not b.is_plural
            and b.owner is None
            and (b.age is None or a.age is None)
        )
    if a.kind == "description" and b.kind == "description":
        return (
            not a.is_plural
            and not b.is_plural
            and (a.is_definite or a.is_other or a.noun.startswith("victim"))
            and b.age is not None
            and b.owner is None
            and after[:1] in ",.;)"
        )
    if a.kind == "description" and b.kind == "name":
        return not a.is_plural and (a.owner is None or after[:1] in ",.;)")
    return a.is_plural and b.kind in ("group", "name") and bool(b.members or b.name) and bool(a.noun)


def _fits(victim: Person, mention: Mention, finder: MentionFinder) -> bool:
    """Say whether the one age of a title may be the only victim's."""
    return mention.noun not in finder.nouns["suspect"] and _agrees(victim.gender, mention.gender)


@lru_cache(maxsize=4_096)
def _words(name: str | None) -> tuple[str, ...]:
    return tuple(word.lower() for word in split_name(name or ""))


@lru_cache(maxsize=4_096)
def _same_name(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Say whether two names may be one person's: a surname alone stands for the full name, and a name may lack parts."""
    if not a or not b:
        return False
    if len(a) == 1 or len(b) == 1:
        single, full = (a, b) if len(a) == 1 else (b, a)
        return (
            single[0] == full[-1]
            or (len(full) > 1 and single[0] == full[0])
            or single[0] in "-".join(full[-2:]).split("-")[-2:]
            or single[0] == "-".join(full[-2:])
        )
    if a[-1] != b[-1] and a[-1] not in b[1:] and b[-1] not in a[1:]:
        return a[0] == b[0] and _is_respelt(a[-1], b[-1])
    first, second = a[0].strip("."), b[0].strip(".")
    return (
        first == second
        or (min(len(first), len(second)) == 1 and first[0] == second[0])
        or first.startswith(second)
        or second.startswith(first)
        or a[0] in b[:-1]
        or b[0] in a[:-1]
        or _is_respelt(first, second)
    )


def _is_respelt(one: str, other: str) -> bool:
    """Say whether two words are one name in two spellings ("Darryl", "Daryl"), not a pair ("Mario", "Maria")."""
    return (
        min(len(one), len(other)) >= 5
        and one[0] == other[0]
        and {one[-1], other[-1]} != {"a", "o"}
        and Levenshtein.distance(one, other, score_cutoff=1) <= 1
    )


def _agrees(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def _same_kind(person: Person, mention: Mention) -> bool:
    """Say whether "the man", "the driver" can stand for a person: nouns of trades must have been said of them."""
    return (
        mention.noun in ("man", "woman", "teen", "teenager", "youth", "person", "male", "female", "juvenile", "student")
        or mention.noun in person.nouns
    )


def _may_be_same(nameless: Person, other: Person) -> bool:
    if not _agrees(nameless.gender, other.gender) or (nameless.is_distinct and other.order < nameless.order):
        return False
    if nameless.age is not None and other.age is not None and nameless.age != other.age:
        return False
    if nameless.is_child and other.age is not None and other.age >= 18:
        return False
    if nameless.nouns & _GROWN and other.age is not None and other.age < 16:
        return False
    if nameless.nouns & _TRADES and not nameless.nouns & other.nouns and not (nameless.is_officer and other.is_officer):
        return False
    fates = [p.condition.value is Condition.KILLED for p in (nameless, other) if p.condition is not None]
    return len(set(fates)) < 2 or not _fared_otherwise(nameless, other)


def _fared_otherwise(one: Person, other: Person) -> bool:
    """Say whether of two persons one was killed and one lived: who was shot may have died of it."""
    killed = [p.condition is not None and p.condition.value is Condition.KILLED for p in (one, other)]
    return killed[0] != killed[1] and (other if killed[0] else one).is_alive


_GROWN = frozenset(("man", "woman"))
# Nouns that tell one person from another: a firefighter who was hurt is not the man who was killed.
_TRADES = frozenset(
    "firefighter officer deputy trooper driver passenger pedestrian bicyclist cyclist motorcyclist clerk employee guard teacher nurse pilot bystander homeowner tenant landlord bartender bouncer cashier mother father".split()
)


def _singular(noun: str) -> str:
    irregular = {
        "men": "man",
        "women": "woman",
        "children": "child",
        "people": "person",
        "policemen": "policeman",
        "gunmen": "gunman",
        "deputies": "deputy",
        "babies": "baby",
    }
    return irregular.get(noun, noun.removesuffix("s"))
