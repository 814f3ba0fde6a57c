"""Mentions of people: every span of a sentence that stands for one or several persons.

Belongs here: the grammar of names ("Sgt. Maria de la Cruz Jr., 32,"), of descriptions ("a 19-year-old Elgin man",
"two other men", "the gunman"), of bare numbers ("killing three") and of pronouns. Does not belong here: what is said of
them (`predicates`), and which mentions are the same person (`people`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate

from spacy.lang.en.stop_words import STOP_WORDS

from blotter.extract.lexicon import compile_words, load_sections
from blotter.extract.patterns import compile_pattern

NUMBER_WORDS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
}
NUMBER_WORDS |= {
    f"{tens}{joint}{unit}".strip("- "): ten + one
    for ten, tens in (
        (20, "twenty"),
        (30, "thirty"),
        (40, "forty"),
        (50, "fifty"),
        (60, "sixty"),
        (70, "seventy"),
        (80, "eighty"),
        (90, "ninety"),
    )
    for one, unit in enumerate(("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
    for joint in ("-", " ")
}
NUMBER_WORDS |= {"a": 1, "an": 1, "another": 1, "no": 0, "both": 2, "dozen": 12, "a dozen": 12}

_NUMBER = (
    r"\d{1,3}(?:,\d{3})+|\d{1,4}|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?"
    r"|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|a dozen|dozen"
)
_AGE_BEFORE = r"(?P<age>\d{1,3}|[a-z]+(?:-[a-z]+)?)[- ](?P<unit>year|month|week|day)s?[- ]?olds?"
_PARTICLES = frozenset("de la las los del der den van von bin ibn al el da dos das di du le y st abu ben ter".split())
_NICKNAME = compile_pattern(r"\s*[\"“‘(][^\"”’)]*[\"”’)]")
_SUFFIX = compile_pattern(r",?\s+(?:Jr|Sr|JR|SR)\b\.?|\s+(?:II|III|IV)\b")

# A run of capitalised words; particles, initials and nicknames in quotes may stand inside.
_RUN = compile_pattern(
    r"(?<![\w.@#/’'-])[^\W\d_a-zß-öø-ÿ][\w’'\-]*\.?"
    r"(?:[ \u00a0](?:(?:(?:de|la|las|los|del|der|den|van|von|bin|ibn|al|el|da|dos|das|di|du|le|y|abu|ter)[ \u00a0])*[^\W\d_a-zß-öø-ÿ][\w’'\-]*\.?"
    r"|[\"“‘'(][^\W\d_a-z][\w’'.\- ]{0,18}[\"”’')]))*"
)
_AFTER_AGE = compile_pattern(
    r"(?:\s(?=\d{2}(?:,|;|\)|\sand\s[A-Z]))|,?\s*(?:,|\(|—|–|-|aged?)\s*(?:(?:also|then|now|just)\s+)?(?:aged?\s+|who (?:was|is)\s+)?(?P<each>(?:both|all|each)\s)?(?:aged?\s+)?)(?P<age>\d{1,3})(?![\d%$/:]|,\d|\s?(?:years? (?:in|of (?!age))|percent|st\b|nd\b|rd\b|th\b|p\.?m|a\.?m|times|counts|miles|shots|[-\s]years?[-\s]olds?\s+[A-Z]|feet|minutes|hours|days?\b|weeks?\b|months?(?! old)|more|other|people|block))"
    r"(?:\s+(?P<unit>months?|weeks?|days?)(?:[- ]old)?)?(?:\s*years?(?:[- ]old)?)?(?=[\s,.;)’'”\"—–:-]|$)"
)
_ARTICLE = compile_pattern(r"\b(?:an?|the)\s$", re.I)
_AGE_COMES = compile_pattern(r",\s(?:an?|the)\s(?:\w+\s){0,2}?\d{1,3}-year-old\b")
_NAME_FOLLOWS = compile_pattern(
    r"(?:\bidentified\s(?:\S+\s){0,4}?as|years?[- ]old|\bnamed|\bvictims?,?|\bsuspects?,?)\s$", re.I
)
_ANNOUNCES = ("as", "old", "named", "victim", "victims", "suspect", "suspects")  # the last words of `_NAME_FOLLOWS`
_PIECE = compile_pattern(r"\S+")
_POSSESSIVE = compile_pattern(r"['’]s?$")
_INITIALS = compile_pattern(r"(?:[A-Z]\.)+|Jr\.|Sr\.|St\.")
_NO_NAME_WORDS = STOP_WORDS - _PARTICLES
# "five deceased cats were found"
_ANIMAL_AFTER = compile_pattern(
    r"\s(?:(?:deceased|dead|injured|missing)\s)?(?:cats?|dogs?|pets?|puppies|kittens?|horses?|cows?|cattle|pigs|sheep|goats|chickens|birds?|animals?)\b",
    re.I,
)
_AFTER_PLACE_WORD = compile_pattern(
    r"(?:\b(?:in|at|near|from|outside|(?<!according\s)to)|(?:\d|,)\s(?:both\s)?of)\s(?:the\s)?$"
)


@dataclass(slots=True)
class Mention:
    """A span that stands for `count` persons (1 where it names one). Offsets are code points of the article's text."""

    start: int
    end: int
    kind: str  # name, description, number, pronoun, group
    count: int = 1
    name: str | None = None
    title: str = ""  # words before the name: "Police Chief"
    age: int | None = None
    ages: tuple[int, ...] = ()  # of a plural: "two men, ages 20 and 25"
    age_raw: str = ""
    gender: str | None = None
    noun: str = ""
    modifiers: frozenset[str] = frozenset()
    is_definite: bool = False
    is_plural: bool = False
    is_other: bool = False  # "another man", "two others"
    is_minimum: bool = False  # "at least", "more than"
    is_possessive: bool = False  # "Smith's"
    is_object: bool = False  # "her" that no noun follows
    has_known_first: bool = False
    is_cued: bool = False  # an age, a title or "identified as" shows that it is a name
    owner: str | None = None  # "his", "her", "their", or a possessive name before a kinship noun
    is_shared_age: bool = False  # "..., both 17": the age of each of a row
    members: list["Mention"] = field(default_factory=list)

    @property
    def last_name(self) -> str:
        """The surname of a named mention."""
        return split_name(self.name or "")[-1]


@lru_cache(maxsize=4_096)
def split_name(name: str) -> tuple[str, ...]:
    """Give the words of a name without nickname and suffix."""
    bare = _SUFFIX.sub("", _NICKNAME.sub(" ", name))
    return tuple(bare.split()) or (name,)


def _is_announced(text: str, start: int) -> bool:
    """Say whether what stands before a name says that one follows; asked by its last letters first, which is cheap."""
    before = text[max(0, start - 40) : start]
    is_likely = before.rstrip().rstrip(",").lower().endswith(_ANNOUNCES)
    return is_likely and _NAME_FOLLOWS.search(text, max(0, start - 40), start) is not None


def read_number(text: str) -> int | None:
    """Read a number in digits or words; None where it is none."""
    small = text.lower().strip()
    if small in NUMBER_WORDS:
        return NUMBER_WORDS[small]
    digits = small.replace(",", "")
    return int(digits) if digits.isdecimal() and len(digits) < 7 else None


class MentionFinder:
    """Finds mentions with the lexicons of names, titles and nouns; `is_place` says whether words name a place."""

    def __init__(self, is_place: Callable[[str], bool]) -> None:
        first = load_sections("first_names.txt")
        self.genders = dict.fromkeys(first["male"], "male") | dict.fromkeys(first["female"], "female")
        for name in (first["male"] & first["female"]) | first["either"]:
            self.genders.pop(name, None)
        self.first_names = first["male"] | first["female"] | first["either"]
        stops = load_sections("name_stops.txt")
        self.stops, self.edges, self.surnames = stops["anywhere"], stops["edge"], stops["surname"]
        # Alone they are no name, which the long way says too; they begin most sentences.
        self._lone_words = self.edges | {word for word in self.stops if word.isalpha()}
        titles = load_sections("titles.txt")
        self.official_titles, self.officer_titles = titles["official"], titles["officer"]
        self.titles = self.official_titles | self.officer_titles
        self.nouns = load_sections("person_nouns.txt")
        self._is_place = is_place
        self._description = self._compile_descriptions()
        self._heads = self.nouns["person"] | _PRONOUNS
        self._before_head = self.nouns["modifier"] | self.nouns["person"] | NUMBER_WORDS.keys() | _DETERMINERS

    def _compile_descriptions(self) -> re.Pattern[str]:
        nouns = compile_words(self.nouns["person"] | {"person of interest", "persons of interest"})
        modifiers = compile_words(self.nouns["modifier"])
        return compile_pattern(
            rf"""(?<![\w’'-])(?:
              (?:(?P<det>the|an?|another|this|that|these|those|his|her|their|its|our|my|both|one|no|several|all|each|a\ second|(?-i:[A-Z])[\w’-]+['’]s?)\ )?
              (?:(?:(?P<min>at\ least|more\ than|over|nearly|about|some|up\ to|as\ many\ as|an?\ (?:estimated|total\ of))\ )?(?P<num>{_NUMBER})\ )?
              (?P<mods>(?:(?:{modifiers}[,\ ]|(?-i:[A-Z][a-z]+(?:[-\ ][A-Z][a-z]+)?)\ )\ ?){{0,4}})
              (?:(?P<rest>(?:\d{{1,2}}(?:[- ]years?[- ]old|-)?,?\ ){{1,4}}and\ )?{_AGE_BEFORE}(?:,?\ (?P<mods2>(?:(?:{modifiers}[,\ ]|(?-i:[A-Z][a-z]+)\ |[a-z]+(?=\ (?:man|woman|boy|girl)\b)[,\ ])\ ?){{0,4}})(?=(?:{nouns})(?![\w-]))|(?![\w-])))?
              (?:(?P<noun>{nouns})(?![\w-])(?P<poss>['’]s?(?!\w))?)?(?(age)|(?(noun)|(?!)))
            |(?<!than\ )(?<!under\ )(?<!age\ )(?<!age\ of\ )(?<!ages\ of\ )(?P<bare>(?:{_NUMBER}|another|the\ other|a\ (?:second|third|fourth|fifth)))(?=\ (?:(?:more|others?|of\ (?:them|whom|those)|in\ all|were|was|are|is|have|has|had|shot|stabbed|dead|killed|injured|wounded|hurt|missing|remains?|remained|suffered|sustained|in\ (?:critical|serious|stable|custody|hospital)|arrested|critically|seriously|fatally|died)\b))
            |(?<=killing\ )(?P<kill>{_NUMBER})\b(?!\ block)|(?<=killed\ )(?P<killed>{_NUMBER})(?=[,.;]|\ and\b|\ others|\ in\b|\ at\b|$)
            |(?<=kills\ )(?P<kills>{_NUMBER})\b|(?<=wounding\ )(?P<wound>{_NUMBER}|another)\b|(?<=injuring\ )(?P<injuring>{_NUMBER}|another)\b
            |(?<=injures\ )(?P<injures>{_NUMBER}|another)\b|(?<=wounds\ )(?P<wounds>{_NUMBER}|another)\b|(?<=leaves\ )(?P<leaves>{_NUMBER})\b|(?<=left\ )(?P<left>{_NUMBER})\b|(?<=leaving\ )(?P<leaving>{_NUMBER})\b
            |(?P<nobody>no\ one|nobody|no\ one\ else|nobody\ else|none)
            |(?P<pronoun>he|she|they|him|her|them)
            )(?![\w-])""",
            re.X | re.I,
        )

    def find(self, text: str, start: int, end: int, *, in_title: bool) -> list[Mention]:
        """Give the mentions of one sentence in order; none overlaps another."""
        named = [] if in_title else self._find_names(text, start, end)
        described = self._find_descriptions(text, start, end, in_title=in_title)
        return _merge_mentions(text, named, described)

    # names

    def _find_names(self, text: str, start: int, end: int) -> list[Mention]:
        found: list[Mention] = []
        for run in _RUN.finditer(text, start, end):
            if run.end() - run.start() > 2:
                mention = self._read_run(text, run.start(), run.end(), end)
                if mention is not None:
                    found.append(mention)
        return found

    def _read_run(self, text: str, start: int, stop: int, end: int) -> Mention | None:
        run = text[start:stop]
        if run.lower() in self._lone_words:
            return None
        words = [(start, run)]
        if " " in run or "\u00a0" in run:
            words = [(m.start(), m[0]) for m in _PIECE.finditer(text, start, stop)]
        title_end = 0
        for index, (_, word) in enumerate(words[:-1]):
            small = word.lower().strip(",")
            if small in self.titles or small.rstrip(".") in self.titles:
                title_end = index + 1
        title = " ".join(word for _, word in words[:title_end])
        lead = words[0][0] if title_end else None
        if "(" in run and (
            run.partition("(")[0].isupper() or any(word[0] == "(" and word.strip("()").isupper() for _, word in words)
        ):
            return None  # a dateline: "CHICAGO (STMW)"
        words = words[title_end:]
        while words and (words[0][1].lower() in self.edges or words[0][1].lower().endswith(_AGE_ENDINGS)):
            words = words[1:]
        words, possessive = self._end_name(words)
        if not words:
            return None
        mention = self._judge_name(text, words, title, possessive, end)
        if mention is not None and lead is not None:
            mention.start = lead
        return mention

    def _end_name(self, words: list[tuple[int, str]]) -> tuple[list[tuple[int, str]], bool]:
        """Cut a run after a possessive, before a day, or at a full stop; tell whether it was a possessive."""
        while len(words) > 2 and words[-1][1].lower().rstrip(".,") in _DAYS:
            words = words[:-1]
        for index, (at, word) in enumerate(words):
            match = _POSSESSIVE.search(word) if word[-1] in "'’s" else None
            if match and len(word) > 3 and word[0] not in "\"“'‘(":
                return [*words[:index], (at, word[: match.start()])], True
            if word[-1] == "." and len(word) > 2 and not _INITIALS.fullmatch(word):
                return [*words[:index], (at, word[:-1])], False
        return words, False

    def _judge_name(
        self, text: str, words: list[tuple[int, str]], title: str, possessive: bool, end: int
    ) -> Mention | None:
        start, stop = words[0][0], words[-1][0] + len(words[-1][1])
        suffix = _SUFFIX.match(text, stop, end)
        if suffix and len(words) > 1:
            stop = suffix.end()
        plain = [word for _, word in words]
        small = [word.lower().strip("\"“”‘’'().,") for word in plain]
        core = [word for word in small if len(word) > 1]
        if not core or len(plain) > 6 or any(map(str.isdigit, text[start:stop])):
            return None
        known = small[0] in self.first_names
        last = len(small) - 1
        if not last and small[0] in self.nouns["person"]:
            return None  # "a 29-year-old Latina"
        if last and not _NO_NAME_WORDS.isdisjoint(word for word in small[known:] if len(word) > 1):
            return None
        stopped = [position for position, word in enumerate(small) if word in self.stops]
        for at in stopped:
            if (at or not known) if at < last else (not last or small[at] not in self.surnames):
                return None
        age = _AFTER_AGE.match(text, stop, end)
        if age is not None and age[0][1].isdigit() and not (suffix or (known and last)):
            age = None  # "Unit 23,"; after a full name the comma may be missing ("Leo Marsh 23,")
        is_told = age is not None or _is_announced(text, start) or _AGE_COMES.match(text, stop, end) is not None
        is_cued = known or is_told or bool(title)
        for at in stopped:
            if not (
                (is_cued and 0 < at == last and small[at] in self.surnames and (is_told or small[at] not in _WAYS))
                or (at == 0 < last and known and is_told)  # "April Ransom, 38"
            ):
                return None
        if (
            last
            and (
                (small[-1] in _STREET_ENDS and not (known and is_told))
                or (len(plain[-1]) == 2 and plain[-1].isupper() and not known)  # "Rockingham NC"
                or (not known and age is None and not title and text[start:stop].isupper())
            )
        ):
            return None  # "Alma St."; "FORT WAYNE" of a dateline
        if not is_cued and _ARTICLE.search(text, max(0, start - 5), start):
            return None  # "at a Verde Wireless", "a Good Samaritan"
        name = text[start:stop].rstrip(",")
        mention = Mention(
            start,
            stop,
            "name",
            name=name,
            title=title,
            is_possessive=possessive,
            has_known_first=known and len(core) > 1,
            is_cued=is_cued,
            gender=self.genders.get(small[0]) if len(core) > 1 else None,
        )
        if age is not None and age.group("unit") is None and 0 < int(age.group("age")) < 116:
            mention.age, mention.age_raw, mention.end = int(age.group("age")), age.group().strip(" ,()"), age.end()
            mention.is_shared_age = age.group("each") is not None
        elif age is not None and age.group("unit"):
            mention.age, mention.age_raw, mention.end = 0, age.group().strip(" ,()"), age.end()
        if mention.age is not None and text[mention.end : mention.end + 1] == ")":
            mention.end += 1
        if (
            mention.age is None
            and not title
            and not mention.has_known_first
            and _AFTER_PLACE_WORD.search(text[max(0, start - 14) : start])
        ):
            return None
        if len(core) > 1 and mention.age is None and not title and self._is_place(" ".join(plain)):
            return None
        return mention

    # descriptions

    def _find_descriptions(self, text: str, start: int, end: int, *, in_title: bool) -> list[Mention]:
        found: list[Mention] = []
        for match in self._match_descriptions(text, start, end):
            noun = match.group("noun") if match.re is not _PRONOUN else None
            if noun and noun[0].isupper() and not in_title and match.start() > start + 2 and not match.group("age"):
                continue  # "the Civilian Office of": a noun inside a name
            mention = self._read_description(text, match)
            if mention is not None and not _ANIMAL_AFTER.match(text, mention.end):
                found.append(mention)
        return found

    def _match_descriptions(self, text: str, start: int, end: int) -> list[re.Match[str]]:
        """Match the description pattern around each word that can be its head; tried everywhere it is 20 times slower."""
        piece = text[start:end].lower()
        if len(piece) != end - start:  # "İ" has a small form of two characters
            piece = text[start:end]
        parts = _WORD_PARTS.split(piece)  # what lies between words, and the words, in turn
        starts = list(accumulate(map(len, parts), initial=start))[1:-1:2]
        words = parts[1::2]
        found: list[re.Match[str]] = []
        after = start
        heads = self._heads
        has_age = "old" in piece
        for index, word in enumerate(words):
            if word in heads or (has_age and word.endswith(_AGE_ENDINGS)):
                at = starts[index]
                if word in _PERSONAL and not has_age and not self._can_follow(text, words, starts, index + 1):
                    match = _PRONOUN.match(text, at, end)
                else:
                    match = self._match_around(text, words, starts, index, after, end)
                if match is not None and match.end() > match.start():
                    found.append(match)
                    after = match.end()
        spans = [match.span() for match in found]
        numbers = [index for index, word in enumerate(words) if word in NUMBER_WORDS or word[0].isdigit()]
        for at in [starts[i] for i in numbers if has_age or self._may_count(text, words, starts, i)]:
            if not any(a <= at < b for a, b in spans):
                match = self._description.match(text, at, end)
                if match is not None and not any(a < match.end() and at < b for a, b in spans):
                    found.append(match)
        return sorted(found, key=lambda match: match.start()) if len(found) > 1 else found

    def _match_around(
        self, text: str, words: list[str], starts: list[int], index: int, after: int, end: int
    ) -> re.Match[str] | None:
        first = index
        while (
            first > 0
            and index - first < 9
            and starts[first - 1] >= after
            and self._can_precede(text, words[first - 1], starts[first - 1], starts[first])
        ):
            first -= 1
        for position in range(first, index + 1):
            match = self._description.match(text, starts[position], end)
            if match is not None and match.end() > starts[index]:
                return match
        return None

    def _may_count(self, text: str, words: list[str], starts: list[int], index: int) -> bool:
        """Say whether a number may count people, by the words beside it; where no age is told, which any word may begin."""
        word, after = words[index], starts[index] + len(words[index])
        if not (word.isalpha() or word.isdigit()) or word in self._heads or text[after : after + 1] != " ":
            return True
        if index and words[index - 1] in _HARMING:
            return True
        if index + 1 == len(words) or starts[index + 1] > after + 1:
            return False
        return words[index + 1] in _AFTER_BARE or self._can_follow(text, words, starts, index + 1)

    def _can_precede(self, text: str, word: str, at: int, next_at: int) -> bool:
        return text[at + len(word) : next_at] in _JOINTS and (
            word in self._before_head or text[at].isupper() or text[at].isdigit() or word.endswith(_BEFORE_ENDINGS)
        )

    def _can_follow(self, text: str, words: list[str], starts: list[int], index: int) -> bool:
        """Say whether a word may go on with a description that a pronoun begins ("her husband", "her Elgin home")."""
        if index == len(words):
            return False
        word = words[index]
        return not word.isalpha() or word in self._heads or word in self._before_head or text[starts[index]].isupper()

    def _read_description(self, text: str, match: re.Match[str]) -> Mention | None:
        if match.re is _PRONOUN or match.group("pronoun"):
            word = match.group("pronoun").lower()
            gender = {"he": "male", "him": "male", "she": "female", "her": "female"}.get(word)
            is_object = _NO_NOUN.match(text, match.end()) is not None
            return Mention(
                match.start(),
                match.end(),
                "pronoun",
                noun=word,
                gender=gender,
                is_plural=word in ("they", "them"),
                is_object=is_object,
            )
        if match.group("nobody"):
            return Mention(
                match.start(), match.end(), "number", count=0, noun="no one", is_other="else" in match.group().lower()
            )
        bare = None
        if match.group("noun") is None and match.group("age") is None:
            bare = next((group for name in _BARE if (group := match.group(name))), None)
        if bare:
            count = 1 if bare.lower().startswith(("another", "the other", "a ")) else read_number(bare)
            if count is None or (bare.isdigit() and 1990 <= count <= 2100):
                return None
            other = text[match.end() : match.end() + 7].lower().startswith(
                (" other", " more")
            ) or not _NUMERAL.fullmatch(bare)
            return Mention(match.start(), match.end(), "number", count=count, is_plural=count != 1, is_other=other)
        noun, age_text = (match.group("noun") or "").lower(), match.group("age")
        age = self._read_age(age_text, match.group("unit"))
        if noun in self.nouns["after the"] and age is not None:
            noun = ""  # "found 21-year-old Ann Lee dead"
        if noun in self.nouns["after the"] and (match.group("det") or "").lower() not in ("the", "those"):
            return _read_bare_count(match)  # "wounded" without "the" is no noun
        if not noun and age is None:
            return None
        noun = "suspects" if noun.startswith("persons of") else "suspect" if noun.startswith("person of") else noun
        return self._describe(text, match, noun, age)

    def _describe(self, text: str, match: re.Match[str], noun: str, age: int | None) -> Mention | None:
        det = (match.group("det") or "").lower()
        words = f"{match.group('mods') or ''} {match.group('mods2') or ''}".lower().replace(",", " ").split()
        plural = noun in self.nouns["plural"] or (not noun and match.group().lower().endswith("olds"))
        number = read_number(match.group("num")) if match.group("num") else None
        count = number if number is not None else {"no": 0, "both": 2}.get(det, 1 if not plural else 0)
        if noun in ("couple", "pair"):
            plural, count = True, 2
        if det in ("no",):
            count = 0
        elif plural and number is None and det != "both" and noun not in ("couple", "pair", "trio"):
            count = -1  # several; how many is not said
        start = match.start()
        lead = words[0] if words and not det and number is None else ""
        if lead in self.edges:
            start += len(lead) + 1  # "When officers"
        elif lead in _FATES and text[start + len(lead)] == ",":
            start, words = start + len(lead) + 2, words[1:]  # "was killed, deputies say"
        gender = "male" if noun in self.nouns["male"] or "male" in words else None
        gender = "female" if noun in self.nouns["female"] or "female" in words else gender
        mention = Mention(
            start,
            match.end(),
            "description",
            count=count,
            age=None if plural else age,
            age_raw=match.group("age") or "",
            gender=gender,
            noun=noun or "person",
            modifiers=frozenset(words),
            is_definite=det in ("the", "this", "that", "these", "those")
            or det.endswith(("'s", "’s", "'", "’"))
            or det in ("his", "her", "their"),
            is_plural=plural,
            is_other=det in ("another", "a second")
            or bool({"other", "second", "third", "more"} & set(words))
            or noun == "others",
            is_minimum=bool(match.group("min"))
            and match.group("min").lower() in ("at least", "more than", "over", "as many as", "up to"),
            is_possessive=bool(match.group("poss")),
            owner=match.group("det")
            if det in ("his", "her", "their", "my", "our") or det.endswith(("'s", "’s", "'", "’"))
            else None,
        )
        if plural and age is not None:
            rest = tuple(int(one) for one in _NUMBERS.findall(match.group("rest") or ""))
            mention.ages = (*rest, age) if rest else (age,) * max(count, 1)
        self._read_ages_after(text, mention)
        return mention

    def _read_ages_after(self, text: str, mention: Mention) -> None:
        """Read "two men, ages 20 and 25", "a man, 34," and "the victims, both 18," into the mention."""
        match = _AGES_AFTER.match(text, mention.end)
        if match is None:
            return
        ages = tuple(int(age) for age in _NUMBERS.findall(match.group("ages")) if 0 < int(age) < 116)
        if not ages or ("-" in match.group("ages") and not mention.is_definite):
            return  # "for people ages 15-24"
        if mention.is_plural:
            if len(ages) == 1 and mention.count > 1 and match.group("both"):
                ages *= mention.count
            mention.ages = ages
            if mention.count in (-1, 0) and not (match.group("range") or match.group("span")):
                mention.count = len(ages)
        elif len(ages) == 1 and mention.age is None:
            mention.age, mention.age_raw = ages[0], match.group("ages")
            mention.is_shared_age = match.group("both") is not None
        else:
            return
        mention.end = match.end()

    @staticmethod
    def _read_age(text: str | None, unit: str | None) -> int | None:
        if not text:
            return None
        value = read_number(text)
        if value is None or value > 115:
            return None
        if unit and unit.lower() == "month":
            return value // 12
        return value if unit and unit.lower() == "year" else 0


def _read_bare_count(match: re.Match[str]) -> Mention | None:
    """Read the number of "4 dead", "another injured": how many, and no more of them."""
    number, det = match.group("num"), (match.group("det") or "").lower()
    if match.group("mods") or match.group("age") or not (number or det in _ONE_MORE):
        return None
    count = read_number(number) if number else 1
    end = match.end("num") if number else match.end("det")
    if count is None or (number and number.isdigit() and 1990 <= count <= 2100):
        return None
    start = match.start("num") if number else match.start("det")
    return Mention(start, end, "number", count=count, is_plural=count != 1, is_other=not number and det != "one")


_DAYS = frozenset(
    """monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september
    october november december jan feb mar apr jun jul aug sept sep oct nov dec""".split()
)
_WAYS = frozenset(
    "street streets park parks lane county city valley island lake rivers bridge store hills church".split()
)
_STREET_ENDS = frozenset(
    "circle terrace way pike trace loop crossing st ave av rd dr blvd ln ct pl hwy pkwy twp".split()
)
_ONE_MORE = frozenset(("one", "another", "a second"))
_KIN = frozenset(
    "father mother son daughter brother sister husband wife boyfriend girlfriend uncle aunt nephew niece grandfather grandmother grandson granddaughter cousin stepfather stepmother stepson stepdaughter fiance fiancee roommate dad mom".split()
)
_FATES = frozenset("killed slain murdered dead deceased wounded injured arrested missing".split())
_NUMERAL = compile_pattern(_NUMBER, re.I)
_NUMBERS = re.compile(r"\d{1,3}")
_WORD_PARTS = compile_pattern(r"([^\W_](?:[\w’'-]*\w)?)")
_PERSONAL = frozenset(("he", "she", "they", "him", "her", "them"))
_PRONOUN = compile_pattern(r"(?<![\w’'-])(?P<pronoun>he|she|they|him|her|them)(?![\w-])", re.I)
_JOINTS = frozenset((" ", ", ", "-", "\u00a0"))
_AGE_ENDINGS = ("year-old", "year-olds", "yearold", "month-old", "week-old", "day-old", "years-old")
_BEFORE_ENDINGS = (*_AGE_ENDINGS, "'s", "’s", "s'", "s’")
_PRONOUNS = frozenset("he she they him her them nobody none no old olds".split())
_DETERMINERS = frozenset(
    """the a an another this that these those his her their its our my both one no several all each second at least more than
    over nearly about some up to as many estimated total of year years month months week weeks day days old""".split()
)
_NO_NOUN = compile_pattern(
    r"[.,;:!?”\")]|$|\s(?:in|on|at|to|with|and|multiple|several|before|after|while|as|from|by|for|early|during|when|once|twice|then|through|dead|inside|outside|into)\b"
)
_BARE = tuple("bare kill killed kills wound injuring injures wounds leaves left leaving".split())
_HARMING = frozenset("killing killed kills wounding injuring injures wounds leaves left leaving".split())
# what may follow a number that stands for people without a noun: "two others", "three were hurt"
_AFTER_BARE = frozenset(
    """more other others of in were was are is have has had shot stabbed dead killed injured wounded hurt missing remain
    remains remained suffered sustained arrested critically seriously fatally died second third fourth fifth""".split()
)
_AGES_AFTER = compile_pattern(
    r"(?:['’]s?\sages\s(?:were|are|(?P<range>range\sfrom))\s|\s(?:were|are)\s(?:ages?\s|aged\s)(?=\d)|\s(?:were|are)\s(?=\d{1,2}(?:,|\sand)\s[\d\s,and]{1,16}years\sold)"
    r"|,?\s+(?:[—–-]+\s)?(?:\(|(?P<both>both|all|each)\s+|(?:also|then|now|just)\s+)?(?P<span>between\sthe\sages\sof\s|(?:who\s)?rang(?:e|ed|ing)\sin\sage\sfrom\s|(?:who\s)?rang(?:e|ed|ing)\sfrom\s|(?:aged?\s|ages\s|(?:who\s)?(?:were\s|are\s)?)between\s(?=\d{1,2}\sand\s\d{1,2}\s?(?:[,.;)]|years\sold)))?(?:ages?|aged|who\s(?:are|were))?\s*(?<=[\s(]))"
    r"(?P<ages>\d{1,3}(?:(?:,\s*|,?\s+and\s+|\s+to\s+|-to\s|\s?[–-]\s?|-year-old\sand\s)\d{1,3})*)(?![-\s]years?[-\s]olds?\s+[A-Z])(?![\d%$/:])(?:-years?-olds?)?\)?(?(span)|(?=,|\.|;|\)|\s+[—–-]|\s+(?:was|were|who|and|have|had|is|are|years?)\b|$))(?:\s+years?(?:\sold)?)?"
)


def _merge_mentions(text: str, named: list[Mention], described: list[Mention]) -> list[Mention]:
    """Put names and descriptions in one order; a name inside a description's modifiers ("Elgin man") is no name, a
    description that touches a name ("39-year-old John Smith", "victim John Smith") becomes part of the name.
    """
    merged: list[Mention] = []
    names = sorted(named, key=lambda m: m.start)
    for description in described:
        clash = next((n for n in names if n.start < description.end and description.start < n.end), None)
        if clash is None:
            merged.append(description)
        elif (
            description.kind == "description"
            and description.noun != "person"
            and description.start < clash.start
            and clash.end < description.end
            and not clash.has_known_first
        ):
            names.remove(clash)  # "a 24-year-old Sun Valley woman"
            merged.append(description)
        elif (
            clash.start > description.start
            and description.end > clash.start
            and description.kind == "description"
            and description.age is not None
        ):
            description.end = clash.start  # "20-year-old Katrina": the description ran into the name
            merged.append(description)
        elif (
            description.kind == "description"
            and description.noun != "person"
            and clash.end < description.end
            and " " not in (clash.name or " ")
        ):
            names.remove(clash)  # "Elgin man"
            merged.append(description)
    merged.extend(names)
    merged.sort(key=lambda m: (m.start, -m.end))
    joined: list[Mention] = []
    for mention in merged:
        before = joined[-1] if joined else None
        if (
            before is not None
            and mention.kind == "name"
            and before.kind == "description"
            and not before.is_plural
            and not before.is_possessive
            and text[before.end : mention.start].strip(" \u00a0") == ""
        ):
            joined[-1] = _join(before, mention)
            if len(joined) > 1 and _touches(text, joined[-2], mention):
                joined[-2:] = [_join(joined[-2], mention)]
        elif before is not None and mention.start < before.end:
            continue
        else:
            if before is not None and before.is_possessive and mention.noun in _KIN and not mention.owner:
                mention.owner = before.name  # "Ann Lee's father"
            joined.append(mention)
    return joined


def _touches(text: str, before: Mention, mention: Mention) -> bool:
    return (
        before.kind == "description"
        and not before.is_plural
        and not before.is_possessive
        and text[before.end : mention.start].strip(" \u00a0") == ""
    )


def _join(description: Mention, name: Mention) -> Mention:
    name.start = description.start
    name.age, name.age_raw = (
        (name.age, name.age_raw) if name.age is not None else (description.age, description.age_raw)
    )
    name.gender = description.gender or name.gender
    name.noun, name.modifiers, name.owner = description.noun, description.modifiers, description.owner
    return name
