"""Who says so: the speaker of a sentence, and whether it is hedged.

Belongs here: "police said", "according to", "believed to be". Does not belong here: what is said.
"""

import re

from blotter.extract.gate import Text, gated
from blotter.extract.patterns import compile_pattern

_SPEAKER = gated(
    r"(?:\baccording\sto\s(?P<according>(?:the\s)?[^,.;:()\"“”]{3,70}?)(?=[,.;:]|\s(?:on|at|in|who|and|that)\b|$))"
    r"|(?:^|[,”\"]\s?)(?P<who>[A-Z]?[^,.;:()\"“”]{2,70}?)\s(?:\w+ly\s)?(?:said|says|say|told|confirmed|reported|announced|added|stated|tweeted|wrote)\b"
    r"|\b(?:said|says|confirmed|added)\s(?P<after>(?:[A-Z][\w.’'-]*\s?){1,6})",
    0,
)
_HEDGE = gated(
    r"\b(?:believed\sto|alleged(?:ly)?|possibl[ey]|apparent(?:ly)?|may\shave|might\shave|reportedly|unconfirmed|suspected\sof|preliminary|thought\sto|appears?\sto|likely|early\sreports)\b"
)
_LEADING = compile_pattern(r"^(?:but|and|as|while|however|also|that|because|when|where)\s", re.I)


def find_speaker(sentence: Text) -> str | None:
    """Give who says the sentence, as written ("Chicago Police Supt. David Brown"); None where it does not tell."""
    match = _SPEAKER.search(sentence)
    if match is None:
        return None
    speaker = next(group for group in match.groups() if group).strip(' ,—–-”"')
    speaker = _LEADING.sub("", speaker)
    words = speaker.split()
    if not words or len(words) > 9 or words[0].lower() in ("it", "this", "there", "what", "who"):
        return None
    return speaker


def hedge_factor(sentence: Text) -> float:
    """Give by how much a hedge lowers confidence: 1 where there is none."""
    return 0.85 if _HEDGE.search(sentence) else 1.0
