"""Ids and canonical forms: equal things have equal ids, different things different ones."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blotter.ids import canonical_json, canonical_text, make_id, sha256_hex

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_canonical_json_reads_back_and_is_stable(value: object) -> None:
    written = canonical_json(value)
    assert json.loads(written) == value
    assert canonical_json(json.loads(written)) == written


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_ids_agree_exactly_where_their_parts_do(one: list[str], other: list[str]) -> None:
    assert (make_id("x", *one) == make_id("x", *other)) == (one == other)


@given(st.text(st.characters(codec=None)))  # lone surrogates too
def test_any_text_has_an_id(text: str) -> None:
    assert make_id("x", text).startswith("x_")
    assert len(sha256_hex(text)) == 64


def test_canonical_text_is_what_an_analyst_types() -> None:
    assert canonical_text("Chicago") == "Chicago"
    assert canonical_text(32) == "32"
    assert canonical_text(date(2023, 3, 1)) == "2023-03-01"
    assert canonical_text(("murder", "arson")) == '["murder","arson"]'
    assert canonical_text(None) is None


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no canonical JSON"):
        canonical_json(object())
