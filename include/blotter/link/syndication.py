"""Texts that are one text: agency copy and reprints, which count as one independent report.

Belongs here: a text's fingerprint, and how much of one text another carries. Does not belong here: who keeps the
fingerprints.

A text is cut into overlapping runs of five words, and each run is hashed. Of the hashes, those below a fixed bound are
kept: the same quarter of all runs whatever the text, so that the share of common hashes estimates the share of common
runs (Broder's sampled shingles), for a text and an excerpt of it too. The smallest hashes are the keys by which texts
that share much are found without comparing all. Short texts keep all their hashes.
"""

import zlib
from collections.abc import Sequence

from blotter.link.terms import cut_words

_RUN = 5
_BOUND = 2**32 // 4
_SHORT = 160  # runs: up to here every hash is kept
_MAX_HASHES = 400
_N_KEYS = 8
_MIN_HASHES = 12  # a text of a line or two proves nothing
_SAME = 0.7

Fingerprint = tuple[int, ...]


def take_fingerprint(text: str) -> Fingerprint:
    """Give the sampled hashes of a text's runs of words, ascending; empty for a text that is too short to tell."""
    words = cut_words(text)
    ends = range(len(words) - _RUN + 1)
    hashes = sorted({zlib.crc32(" ".join(words[at : at + _RUN]).encode()) for at in ends})
    if len(hashes) > _SHORT:
        hashes = [value for value in hashes if value < _BOUND]
    return tuple(hashes[:_MAX_HASHES]) if len(hashes) >= _MIN_HASHES else ()


def key_fingerprint(fingerprint: Fingerprint) -> Sequence[int]:
    """Give the hashes by which texts that carry the same are found: the smallest."""
    return fingerprint[:_N_KEYS]


def measure_resemblance(one: Fingerprint, other: Fingerprint) -> float:
    """Estimate how much of the shorter of two texts the longer carries, 0 to 1.

    Compared below the bound that both fingerprints reach. An excerpt counts like a copy only if it is at least half
    of the whole, so that a brief which quotes a line is no reprint.
    """
    if not one or not other:
        return 0.0
    reach = min(one[-1] if len(one) == _MAX_HASHES else _BOUND, other[-1] if len(other) == _MAX_HASHES else _BOUND)
    if len(one) <= _SHORT and len(other) <= _SHORT and _is_whole(one) and _is_whole(other):
        reach = 2**32
    mine, theirs = {value for value in one if value <= reach}, {value for value in other if value <= reach}
    smaller, larger = sorted((len(mine), len(theirs)))
    if smaller < _MIN_HASHES // 2 or smaller * 2 < larger:
        return 0.0
    return len(mine & theirs) / smaller


def is_same_text(one: Fingerprint, other: Fingerprint) -> bool:
    """Say whether two texts are one: a copy, a light edit, or the better half of it."""
    return measure_resemblance(one, other) >= _SAME


def _is_whole(fingerprint: Fingerprint) -> bool:
    # A fingerprint with hashes over the bound kept all of them.
    return fingerprint[-1] >= _BOUND
