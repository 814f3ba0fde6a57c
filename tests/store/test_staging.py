import datetime as dt
from pathlib import Path

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from blotter.errors import PublishingError, StoreDamaged
from blotter.model import Value
from blotter.store.staging import SliceResult, StagingArea, decode_results, encode_results
from store.builders import NOON, make_article, make_claim, make_document, make_reading, make_rejection

texts = st.text(st.characters(exclude_categories=["Cs"]))
values: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    texts,
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False),
    st.dates(),
    st.datetimes(timezones=st.just(dt.UTC)),
    st.datetimes(),
    st.lists(texts).map(tuple),
)


def make_results() -> list[SliceResult]:
    return [
        SliceResult(
            document=make_document(), article=make_article(author=None, modified_at=NOON), reading=make_reading()
        ),
        SliceResult(document=make_document(name="b"), rejection=make_rejection(name="b", payload=b"\xff\x00")),
        SliceResult(document=make_document(name="c", published_at=NOON), article=make_article()),
    ]


def test_a_slice_comes_back_as_it_was_staged(tmp_path: Path) -> None:
    area = StagingArea(tmp_path / "staging")
    assert area.slices() == []
    area.write("s2", make_results())
    area.write("s1", [])
    assert area.slices() == ["s1", "s2"]
    assert area.read("s2") == make_results()
    assert area.read("s1") == []
    area.drop(["s2", "never-was"])
    assert area.slices() == ["s1"]
    with pytest.raises(KeyError):
        area.read("s2")


@given(value=values, text=texts)
def test_values_keep_their_type(value: Value, text: str) -> None:
    claim = make_claim(value=value, value_raw=text)
    [result] = decode_results(
        encode_results([SliceResult(document=make_document(title=text), reading=make_reading(claim))])
    )
    assert result.reading is not None
    assert result.reading.claims == (claim,)
    assert type(result.reading.claims[0].value) is type(value)
    assert result.document.title == text


def test_staging_again_replaces(tmp_path: Path) -> None:
    area = StagingArea(tmp_path)
    area.write("s", make_results())
    area.write("s", make_results()[:1])
    assert len(area.read("s")) == 1


def test_a_damaged_slice_is_named(tmp_path: Path) -> None:
    area = StagingArea(tmp_path)
    area.write("s", make_results())
    whole = (tmp_path / "s.slice").read_bytes()
    for broken in (whole[:-5], b"", b"\x00" * 40, whole[:20] + b"\x00" + whole[21:]):
        (tmp_path / "s.slice").write_bytes(broken)
        with pytest.raises(StoreDamaged, match=r"s\.slice"):
            area.read("s")


@pytest.mark.parametrize("name", ["", "../s", "a/b", ".hidden", "a\n"])
def test_a_name_that_would_leave_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PublishingError, match="cannot name a slice"):
        StagingArea(tmp_path).write(name, [])


def test_a_slice_of_another_version_is_read_as_far_as_it_is_known(tmp_path: Path) -> None:
    """A field that this version does not know is left out, and one that has a default may be missing."""
    told = msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(encode_results(make_results()[:1])))
    told[0]["document"]["colour"] = "red"
    told[0]["article"]["colour"] = "red"
    told[0]["reading"]["colour"] = "red"
    told[0]["reading"]["claims"][0]["colour"] = "red"
    del told[0]["reading"]["claims"][0]["claim_id"]
    del told[0]["document"]["replay_of"]
    staged = zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(told))
    assert decode_results(staged) == make_results()[:1]
