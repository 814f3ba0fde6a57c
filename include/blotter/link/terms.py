"""The words that tell one text from another, and how much each of them says.

Belongs here: cutting a text into terms, and weighing them by how rare they were so far. Does not belong here: the
counts themselves, which the desk keeps.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

# Added to the number of texts seen, so that the first texts of all are not swayed by chance counts.
_PRIOR_TEXTS = 100
_TITLE_BOOST = 2
_MAX_WORDS = 1200  # the rest of a longer text repeats or wanders
_MAX_TERMS = 96

_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " "})
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_NAME_PAIR = re.compile(r"(?<![.!?:]\s)(?<!^)\b([A-Z][\w’'-]+)\s([A-Z][\w’'-]+)\b", re.M)

# Words of every report: they say that it is news of harm, not which.
_COMMON_TEXT = """
a about according after again against all also am an and any are around as asked at authorities away back be
because been before being between both but by call called can case city could county day days department did do
does during each early even every few first five for four from further get going had has have he her here him
his home house how if in information into is it its just know known last later left let like local made man many
may me men more morning most near new news night no not now of off officer officers official officials on one
only or other our out over people person place police pm am public reported right said saw say says scene school
see seen several shared she should since six so some someone still street such tell ten than that the their them
then there these they this those three through time to today told took two under until up us very was we week
well went were what when where which while who whose will with woman women would year years yesterday you young
your monday tuesday wednesday thursday friday saturday sunday january february march april june july august
september october november december afternoon evening weekend incident victim victims suspect suspects
investigation investigators detectives shot shooting killed dead death died injured hospital arrested charged
family old facebook twitter email share comment comments photo video story stories copyright reserved rights
updated posted anyone contact found happened say-so sheriff deputies responded
"""
_COMMON = frozenset(_COMMON_TEXT.split())


def fold(text: str) -> str:
    """Write a text in the one way in which spellings are compared: no case, no accents, plain quotes and dashes."""
    plain = text.casefold()
    if plain.isascii() or (plain := plain.translate(_PLAIN)).isascii():
        return plain
    return "".join(letter for letter in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(letter))


def cut_words(text: str) -> list[str]:
    """Cut a text into folded words, possessive endings dropped."""
    return [word.removesuffix("'s") for word in _WORD.findall(fold(text))]


def count_terms(title: str, text: str) -> Counter[str]:
    """Count the terms of a text that starts with its title: words that may tell it apart, and pairs of names."""
    words = cut_words(text)[:_MAX_WORDS]
    counts = Counter(word for word in words if _is_telling(word))
    for word in set(cut_words(title)):
        if word in counts:
            counts[word] += _TITLE_BOOST
    counts.update({f"{fold(a)} {fold(b).removesuffix(chr(39) + 's')}" for a, b in _NAME_PAIR.findall(text[:8000])})
    return counts


def weigh_terms(counts: Mapping[str, int], seen: Mapping[str, int], n_texts: int) -> dict[str, float]:
    """Give the terms that say most, the heaviest first, as a vector of length 1.

    `seen` says in how many of `n_texts` earlier texts a term stood.
    """
    weights = {
        term: (1 + math.log(n)) * math.log((n_texts + _PRIOR_TEXTS) / (seen.get(term, 0) + 1))
        for term, n in counts.items()
    }
    kept = sorted(weights.items(), key=lambda one: (-one[1], one[0]))[:_MAX_TERMS]
    length = math.sqrt(sum(weight * weight for _, weight in kept)) or 1.0
    return {term: round(weight / length, 4) for term, weight in kept if weight > 0}


def measure_overlap(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Give the cosine of two vectors of `weigh_terms`, 0 to 1."""
    if len(one) > len(other):
        one, other = other, one
    return sum([weight * other[term] for term, weight in one.items() if term in other])


def _is_telling(word: str) -> bool:
    if word.isdigit():
        return 2 <= len(word) <= 5
    return len(word) > 2 and word not in _COMMON
