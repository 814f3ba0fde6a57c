"""The samples' second story: one timeline with every kind and every cause of change, each where it belongs."""

import sys
from typing import Any

import pytest

from blotter import queries
from blotter.model import ChangeCause, ChangeKind

from .expectations import SEEDS

sys.path.insert(0, str(SEEDS.parent / "demo"))

from play_story import find_main, play_story  # a script of the demo, not a package


@pytest.fixture(scope="module")
def timeline(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    settings = play_story(tmp_path_factory.mktemp("story"))
    connection = queries.connect(settings.warehouse)
    try:
        return queries.read_timeline(connection, find_main(settings))
    finally:
        connection.close()


def test_every_kind_and_every_cause_occurs(timeline: list[dict[str, Any]]) -> None:
    assert {change["kind"] for change in timeline} == set(ChangeKind)
    assert {change["cause"] for change in timeline} == set(ChangeCause)


@pytest.mark.parametrize(
    ("day", "field", "kind", "cause", "before", "after"),
    [
        (9, "name", "added", "new_report", None, None),
        (10, "name", "refined", "new_report", None, "Owen Halvorsen"),
        (10, "age", "conflict_opened", "new_report", None, "43"),
        (11, "age", "conflict_settled", "correction", "43", "41"),
        (11, "n_injured", "revised", "source_edit", "2", "3"),
        (12, "name", "retracted", "retraction", "Leif Sandberg", None),
        (13, "name", "retracted", "link_change", "Ingrid Maki", None),
        (14, "merged_into", "merged", "human", None, ...),
        (14, "merged_into", "split", "human", ..., None),
        (14, "n_injured", ..., "human", "3", "2"),
        (15, "weapon", "added", "extractor_change", None, "handgun"),
    ],
)
def test_each_comes_on_its_day(
    timeline: list[dict[str, Any]], day: int, field: str, kind: Any, cause: str, before: Any, after: Any
) -> None:
    wanted = (kind, cause, before, after)
    found = [
        (change["kind"], change["cause"], change["before"], change["after"])
        for change in timeline
        if change["known_at"].day == day and change["field"] == field
    ]
    assert any(all(w is ... or w == f for w, f in zip(wanted, one, strict=True)) for one in found), found


def test_what_articles_say_is_quoted(timeline: list[dict[str, Any]]) -> None:
    unquoted = [c for c in timeline if c["quote"] is None and c["after"] is not None and c["cause"] != "human"]
    assert unquoted == []
