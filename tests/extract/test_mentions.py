"""Mentions of people: what the finder leaves untried to be quick hides none."""

from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blotter.extract.gazetteer import Gazetteer
from blotter.extract.mentions import MentionFinder

# Numbers, what may stand before and behind one, and what may not.
_WORDS = """a an A no both another dozen one two three twenty-one twenty 3 19 1,200 4, 2nd second other others more people man men
    officers teenage Elgin of them in all in critical was were shot killed killing leaving wounding left dead hurt missing car
    cars street years year-old old months block at least about up to total estimated and or the – ( “two “ . , who died
    suspects gunmen victims injured arrested critically Friday half in-laws Smith's first"""


@pytest.fixture(scope="module")
def finder() -> MentionFinder:
    return MentionFinder(Gazetteer().is_place)


@settings(max_examples=200, deadline=None)
@given(
    words=st.lists(st.sampled_from(_WORDS.split()), max_size=14),
    joints=st.lists(st.sampled_from("    -\n\u00a0"), min_size=14),
)
def test_a_number_that_is_not_tried_counts_nobody(finder: MentionFinder, words: list[str], joints: list[str]) -> None:
    text = "".join(word + joint for word, joint in zip(words, joints, strict=False)).rstrip()
    found = finder.find(text, 0, len(text), in_title=False)
    with mock.patch.object(finder, "_may_count", return_value=True):
        assert finder.find(text, 0, len(text), in_title=False) == found
