"""How alike an account and a known incident are, and how likely that makes them the same.

Belongs here: the features, their weights and the reasons in words. Does not belong here: finding candidates (`desk`)
and what follows from a verdict (`blotter.update`).

The score is a logistic model over features that a person can check, so that every link says why it was made. How the
weights were found is in docs/linking.md.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from blotter.link.memory import Account, PersonTraits, Profile
from blotter.link.terms import measure_overlap
from blotter.model import Verdict


@dataclass(frozen=True, slots=True)
class LinkRules:
    """When a candidate is taken for the same incident (at `accept` or over), and when not (under `reject`).

    `window_days` is how far apart the publications of two accounts may lie.
    """

    accept: float = 0.45
    reject: float = 0.2
    window_days: int = 365

    def judge(self, score: float) -> Verdict:
        """Turn a score into a verdict."""
        if score >= self.accept:
            return Verdict.POSITIVE
        return Verdict.UNSURE if score >= self.reject else Verdict.NEGATIVE


@dataclass(frozen=True, slots=True)
class Likeness:
    """What comparing an account with an incident found: `score` is the probability that they are the same."""

    incident_id: str
    score: float
    reasons: tuple[str, ...]  # strongest first
    features: Mapping[str, float]


BIAS = -1.5
WEIGHTS: Mapping[str, float] = {
    "same text": 6.0,
    "text": 2.9,
    "text of all": 3.3,
    "rare words": 0.9,
    "same day": 2.0,
    "other day": -0.2,
    "told before": -1.45,
    "same city": 0.2,
    "other city": -0.9,
    "other state": -1.4,
    "same street": 1.25,
    "other street": -1.6,
    "same landmark": 0.5,
    "same name": 1.9,
    "other name": -0.2,
    "same age": 0.2,
    "other age": -2.0,
    "same toll": 0.85,
    "other type": -0.8,
    "days since": -0.5,
}
NEAR_MISS = 0.1  # a candidate scored below this is not worth telling of
_REASON_FLOOR = 0.25  # a feature that moves the log-odds by less is no reason
_N_REASONS = 6
_COMMON_AGE_MATCHES = 3
_TIES = ("same text", "same name", "same street", "same landmark", "rare words")
_SOME_TEXT = 0.1
_UNTIED = 0.4  # as likely as not at best: a question for a person
_RARE = 0.1  # of a vector of length 1
_TEXTS_TO_TRUST = 100
_MOST_TELLING_TOLL = 3.0
_COMPARED_PLACES = (  # a field of places, what it is called where the two sides agree, and where they do not
    ("city", "same city", "other city"),
    ("state", "", "other state"),
    ("street", "same street", "other street"),
    ("landmark", "same landmark", ""),
)
_PLACE_NAMES = ("neighborhood", "city", "county", "state", "country")


def compare_account(account: Account, profile: Profile) -> Likeness:
    """Compare an account with an incident as its accounts tell it."""
    features = measure_features(account, profile.accounts)
    moves = {name: WEIGHTS[name] * value for name, value in features.items() if value}
    score = 1 / (1 + math.exp(-(BIAS + sum(moves.values()))))
    if not _is_tied(features):
        score = min(score, _UNTIED)
    told: list[tuple[str, float]] = []
    if score >= NEAR_MISS:
        told = sorted(((name, move) for name, move in moves.items() if abs(move) >= _REASON_FLOOR), key=_by_strength)
    return Likeness(
        incident_id=profile.incident_id,
        score=round(score, 4),
        reasons=tuple(_tell_reason(name, move, account, profile.accounts) for name, move in told[:_N_REASONS]),
        features=features,
    )


def _is_tied(features: Mapping[str, float]) -> bool:
    """Say whether anything but day, town and toll ties two sides: those many incidents share."""
    return features["text"] >= _SOME_TEXT or any(features.get(name) for name in _TIES)


def measure_features(account: Account, others: Sequence[Account]) -> dict[str, float]:
    """Give the value of every feature of WEIGHTS; 0 where there is nothing to compare."""
    overlaps = sorted((measure_overlap(account.terms, other.terms) for other in others), reverse=True)
    gap_days = min(abs(account.published_day - other.published_day) for other in others)
    features = {
        "same text": float(account.syndication_id in {other.syndication_id for other in others} - {""}),
        "text": overlaps[0],
        "text of all": sum(overlaps[:5]) / len(overlaps[:5]),
        "days since": math.log1p(gap_days),
    }
    features |= _compare_days(account, others)
    features |= _compare_places(account, others)
    features |= _compare_people(account, others)
    features |= _compare_tolls(account, others)
    mine, theirs = set(account.types), {kind for other in others for kind in other.types}
    features["other type"] = float(bool(mine and theirs and not mine & theirs))
    features["told before"] = float(_is_told_before(account, others))
    # What is rare is known only after a while: the first texts of all share words that every text has.
    trust = account.n_texts / (account.n_texts + _TEXTS_TO_TRUST)
    features["rare words"] = trust * math.log1p(_count_rare(account, others))
    return features


def _is_told_before(account: Account, others: Sequence[Account]) -> bool:
    """Say whether one side was published before the other side's incident happened."""
    first_told = min(other.published_day for other in others)
    their_days = [day for other in others for day in other.days]
    return bool(
        (account.days and first_told < min(account.days)) or (their_days and account.published_day < min(their_days))
    )


def _count_rare(account: Account, others: Sequence[Account]) -> int:
    """Count the terms that weigh much on both sides; places are compared as places."""
    mine = [term for term, weight in account.terms.items() if weight > _RARE]
    shared = [[term for term in mine if other.terms.get(term, 0.0) > _RARE] for other in others]
    if not any(shared):  # as of most candidates
        return 0
    named = {
        word for name in _PLACE_NAMES for place in account.places.get(name, ()) for word in (place, *place.split())
    }
    return max(sum(term not in named for term in terms) for terms in shared)


def match_names(one: Sequence[str], other: Sequence[str]) -> bool:
    """Say whether two folded names can be one person's: the same, a part of the other, or a letter apart."""
    if not one or not other:
        return False
    if len(one) == 1 or len(other) == 1:
        return _matches_surname(one, other) if len(one) == 1 else _matches_surname(other, one)
    if not (_is_near(one[-1], other[-1]) or one[-1] in other or other[-1] in one):
        return False
    return (
        _is_near(one[0], other[0]) or one[0].startswith(other[0]) or other[0].startswith(one[0]) or one[0] in other[1:]
    )


def _matches_surname(single: Sequence[str], other: Sequence[str]) -> bool:
    """Say whether a name of one word is another's surname, or one of its two."""
    return single[0] in other[1:] or _is_near(single[0], other[-1])


def _is_near(one: str, other: str) -> bool:
    """Say whether two words are at most one letter apart, of five letters at least."""
    if one == other:
        return True
    if min(len(one), len(other)) < 5 or abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    if len(one) == len(other):
        return one[start + 1 :] == other[start + 1 :]
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    return longer[start + 1 :] == shorter[start:]


def _compare_days(account: Account, others: Sequence[Account]) -> dict[str, float]:
    theirs = {day for other in others for day in other.days}
    if not account.days or not theirs:
        return {}
    apart = min(abs(mine - day) for mine in account.days for day in theirs)
    return {
        "same day": float(apart == 0),
        "other day": math.log2(min(apart, 32)) if apart > 1 else 0.0,
    }


def _compare_places(account: Account, others: Sequence[Account]) -> dict[str, float]:
    features: dict[str, float] = {}
    for name, same, different in _COMPARED_PLACES:
        if name not in account.places:
            continue
        mine = set(account.places[name])
        theirs = {value for other in others for value in other.places.get(name, ())}
        if mine and theirs:
            shared = bool(mine & theirs) or (name in ("street", "landmark") and _share_words(mine, theirs))
            if shared and same:
                features[same] = 1.0
            elif not shared and different:
                features[different] = 1.0
    return features


def _share_words(mine: set[str], theirs: set[str]) -> bool:
    return any(set(a.split()) <= set(b.split()) or set(b.split()) <= set(a.split()) for a in mine for b in theirs)


def _compare_people(account: Account, others: Sequence[Account]) -> dict[str, float]:
    names = [person.name for person in account.people if person.name]
    their_names = list({person.name: None for other in others for person in other.people if person.name})
    shared = sum(any(match_names(name, theirs) for theirs in their_names) for name in names)
    features = {"same name": float(min(shared, 2))}
    if not shared:
        features["other name"] = float(_clash(account.people, others, lambda person: bool(person.name)))
    n_same = _count_same_ages(account, others)
    features["same age"] = float(min(n_same, _COMMON_AGE_MATCHES))
    if not n_same and not shared:
        features["other age"] = float(_clash(account.people, others, lambda person: person.age is not None))
    return features


def _count_same_ages(account: Account, others: Sequence[Account]) -> int:
    """Count the ages on both sides, one that several persons of an account have as often as it has them."""
    ages = [person.age for person in account.people if person.age is not None]
    told = [[person.age for person in other.people if person.age in ages] for other in others] if ages else []
    if not any(told):
        return 0
    theirs = Counter[int]()
    for of_account in told:
        theirs |= Counter(age for age in of_account if age is not None)
    return sum((Counter(ages) & theirs).values())


def _clash(people: Sequence[PersonTraits], others: Sequence[Account], has: Callable[[PersonTraits], bool]) -> bool:
    """Say whether both sides describe a person of one role (and, by the caller's look, none of them agrees)."""
    mine = {person.role for person in people if has(person)}
    theirs = {person.role for other in others for person in other.people if has(person)}
    return bool(mine & theirs)


def _compare_tolls(account: Account, others: Sequence[Account]) -> dict[str, float]:
    """Compare how many were killed and hurt: that nobody was, or one, proves nothing; large numbers prove most."""
    shared = 0.0
    for name in ("n_killed", "n_injured"):
        mine = getattr(account, name)
        if mine and mine in {getattr(other, name) for other in others}:
            shared += min(math.log2(mine), _MOST_TELLING_TOLL)
    return {"same toll": shared}


def _by_strength(told: tuple[str, float]) -> tuple[float, str]:
    return (-abs(told[1]), told[0])


def _tell_reason(name: str, move: float, account: Account, others: Sequence[Account]) -> str:
    """Put a feature into words, with its weight in log-odds."""
    shown = name
    if name == "same name":
        theirs = [person.name for other in others for person in other.people if person.name]
        names = [p.name for p in account.people if p.name and any(match_names(p.name, other) for other in theirs)]
        shown = f"same name {', '.join(' '.join(one) for one in dict.fromkeys(names))}"
    elif name == "same age":
        ages = {p.age for p in account.people} & {p.age for other in others for p in other.people} - {None}
        shown = f"same age {', '.join(str(age) for age in sorted(age for age in ages if age is not None))}"
    elif name in ("same city", "same street", "same landmark"):
        shown = f"{name} {', '.join(account.places.get(name.split()[1], ()))}"
    elif name == "text":
        shown = f"shared words {', '.join(_shared_terms(account, others))}"
    return f"{shown} ({move:+.1f})"


def _shared_terms(account: Account, others: Sequence[Account]) -> list[str]:
    best = max(others, key=lambda other: measure_overlap(account.terms, other.terms))
    products = {term: weight * best.terms[term] for term, weight in account.terms.items() if term in best.terms}
    return [term for term, _ in sorted(products.items(), key=lambda one: (-one[1], one[0]))[:4]]
