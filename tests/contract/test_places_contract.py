"""What every place must do, a folder or an object store, and what is kept there: raw archive and staging area."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blotter.errors import PublishingError
from blotter.store.archive import RawArchive
from blotter.store.places import Place, open_place
from blotter.store.staging import SliceResult, StagingArea
from store.builders import make_document

KINDS = ("folder", "object store")
NAMES = st.sampled_from(["a", "a.bin", "folder/a", "folder/b", "folder/within/c", "odd name+1:2", "dt=2026-03-02/p"])


@pytest.fixture(params=KINDS)
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Name a place of each kind in which nothing is."""
    if request.param == "folder":
        return str(tmp_path / "place")
    return f"{request.getfixturevalue('object_store')}{tmp_path}/place"


@pytest.fixture
def place(location: str) -> Place:
    return open_place(location)


def test_nothing_is_where_nothing_was_put(place: Place) -> None:
    assert not place.has("a")
    assert place.list_files("") == []
    assert place.list_folders("folder") == []
    place.remove("a")
    with pytest.raises(FileNotFoundError):
        place.read("a")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(calls=st.lists(st.tuples(st.sampled_from(["write", "write_new", "remove"]), NAMES, st.binary(max_size=9))))
def test_a_place_is_a_dictionary_of_bytes(
    kind: str,
    calls: list[tuple[str, str, bytes]],
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("place")
    place = open_place(folder if kind == "folder" else f"{request.getfixturevalue('object_store')}{folder}")
    expected: dict[str, bytes] = {}
    for call, name, content in calls:
        if call == "write":
            place.write(name, content)
            expected[name] = content
        elif call == "write_new":
            assert place.write_new(name, content) is (expected.setdefault(name, content) == content)
        else:
            place.remove(name)
            expected.pop(name, None)
    assert {name: place.read(name) for name in expected} == expected
    straight = {name: len(content) for name, content in expected.items() if "/" not in name}
    assert {kept.name: kept.size for kept in place.list_files("")} == straight
    assert [kept.name for kept in place.list_files("folder")] == sorted({"a", "b"} & {n[7:] for n in expected})


def test_of_many_who_write_a_new_thing_at_once_one_does(place: Place) -> None:
    for number in range(5):
        with ThreadPoolExecutor(6) as pool:
            done = list(pool.map(lambda who, number=number: place.write_new(f"turn-{number}", b"%d" % who), range(6)))
        assert done.count(True) == 1
        assert place.read(f"turn-{number}") == b"%d" % done.index(True)


@pytest.mark.usefixtures("object_store")
@pytest.mark.parametrize("make", [RawArchive, StagingArea])
def test_a_place_that_refuses_is_told_with_its_name(make: Callable[[str], RawArchive | StagingArea]) -> None:
    store = make("s3://no-such-bucket-of-ours/prefix")
    with pytest.raises(PublishingError, match="s3://no-such-bucket-of-ours/prefix"):
        store.put(b"page") if isinstance(store, RawArchive) else store.write("s1", [])


def test_the_archive_keeps_bytes_until_they_are_erased(location: str) -> None:
    archive = RawArchive(location)
    address = archive.put(b"a page" * 1_000)
    assert archive.put(b"a page" * 1_000) == address
    assert RawArchive(location).get(address) == b"a page" * 1_000
    archive.erase(address)
    assert archive.is_erased(address)
    assert not archive.has(archive.put(b"a page" * 1_000))
    with pytest.raises(KeyError):
        archive.get(address)


def test_the_staging_area_keeps_slices_until_they_are_dropped(location: str) -> None:
    results = [SliceResult(document=make_document())]
    StagingArea(location).write("s2", results)
    StagingArea(location).write("s1", [])
    area = StagingArea(location)
    assert area.slices() == ["s1", "s2"]
    assert area.read("s2") == results
    area.drop(["s2", "s3"])
    assert area.slices() == ["s1"]
    with pytest.raises(KeyError):
        area.read("s2")
