"""Stable ids and the canonical form of values.

Belongs here: how an id is derived from what it names, and the one way in which a value becomes text.
An id is content: the same thing gets the same id on every machine and in every run; nothing is counted up.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


def make_id(prefix: str, *parts: object) -> str:
    """Derive the id of the thing that `parts` identify: `prefix_` and 20 hex digits (80 bits) of their hash.

    The parts are hashed as canonical JSON, so that ("a", "bc") and ("ab", "c") differ.
    """
    return f"{prefix}_{sha256_hex(canonical_json(list(parts)))[:20]}"


def sha256_hex(content: bytes | str) -> str:
    """Give the sha256 of bytes, or of a text's UTF-8, as 64 hex digits."""
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    return hashlib.sha256(raw).hexdigest()


def canonical_json(value: object) -> str:
    """Write a value as JSON in the one way that equal values share: sorted keys, no spaces, no escapes but JSON's own.

    Dates and times are ISO strings. Raises TypeError for what JSON cannot hold.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_json_default)


def canonical_text(value: object) -> str | None:
    """Write a value as the plain text of a table's `value` column: strings as they are, all else as canonical JSON."""
    if value is None or isinstance(value, str):
        return value
    return value.isoformat() if isinstance(value, date | datetime) else canonical_json(value)


def _json_default(value: object) -> Json:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no canonical JSON")
