"""What a participant does, and for whom.

Belongs here: "a student nurse at Northern General Hospital" beside a person's name or description. Does not belong here:
titles of officials, who are no participants (`mentions`).
"""

import re

from blotter.extract.details import Detail
from blotter.extract.lexicon import load_sections
from blotter.extract.people import Person
from blotter.extract.scene import Scene, Sentence

_EMPLOYER = (
    r"(?:\s(?:at|for|with|of)\s(?:the\s)?(?P<employer>[A-Z][\w’'.&-]*(?:\s(?:of|and|the|for|&|[A-Z][\w’'.&-]*))*))?"
)
_NO_TRADE = frozenset(("police officer", "officer"))


def compile_occupations() -> re.Pattern[str]:
    """Compile the pattern of a trade after a person: "…, a dental hygienist at…", "… was a forklift operator"."""
    heads = "|".join(sorted(load_sections("occupations.txt")["occupation"]))
    return re.compile(
        r"(?:,\s(?:who\s(?:was|is|worked\sas|works\sas)\s)?|\s(?:was|is|had\sbeen|worked\sas|works\sas|had\sworked\sas)\s|\s[—–-]+\s)(?:an?|the)\s(?:\d{1,3}-year-old\s)?"
        rf"(?P<occupation>(?:[a-z][a-z’'-]*\s){{0,3}}?(?:{heads}))\b(?!-){_EMPLOYER}"
    )


def find_occupation(scene: Scene, person: Person, pattern: re.Pattern[str]) -> tuple[Detail, Detail | None] | None:
    """Give the trade of a participant and, where it is told, the employer."""
    text = scene.article.text
    for mention, sentence in person.mentions:
        match = pattern.match(text, mention.end, sentence.end)
        if match is not None and match.group("occupation") not in _NO_TRADE:
            return _make(match, "occupation", sentence), _make(match, "employer", sentence) if match.group(
                "employer"
            ) else None
        if mention.noun == "firefighter":
            return Detail("firefighter", mention.start, mention.end, sentence), None
    return None


def _make(match: re.Match[str], group: str, sentence: Sentence) -> Detail:
    return Detail(match.group(group), match.start(group), match.end(group), sentence)
