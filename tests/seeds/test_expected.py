"""The expectations are consistent with the samples: whatever must be known is told by a page of that day or before."""

import html
import json
import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from blotter.extract.gazetteer import Gazetteer
from blotter.ids import canonical_json
from blotter.model import CaseStatus, ChangeCause, ChangeKind, ClaimState, Condition, Disposition, LegalStatus, Role
from blotter.schemas import TABLES, build_table
from blotter.sources import load_sources

from .expectations import SEEDS, compare_day, list_expected_days, load_expected

DAYS = list_expected_days()
CLOSED = {
    "role": set(Role), "condition": set(Condition), "legal_status": set(LegalStatus), "name_state": set(ClaimState),
    "status": set(CaseStatus), "kind": set(ChangeKind), "cause": set(ChangeCause), "disposition": set(Disposition),
    "before_state": set(ClaimState), "after_state": set(ClaimState),
}  # fmt: skip


@cache
def told_by(day: str) -> str:
    """All that pages and drops of a day and those before it say, as plain text."""
    return "\n".join(
        plain_text(path)
        for folder in sorted((SEEDS / "days").iterdir())
        if folder.name <= day
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "robots.txt"
    )


def plain_text(path: Path) -> str:
    text = path.read_bytes().decode("latin-1" if b"iso-8859-1" in path.read_bytes() else "utf-8", "replace")
    if path.suffix == ".jsonl":
        text = "\n".join(said["text"] for line in text.splitlines() if (said := parse_line(line)))
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def parse_line(line: str) -> dict[str, Any] | None:
    try:
        return json.loads(line)
    except ValueError:
        return None


def options(value: object) -> list[Any]:
    if isinstance(value, dict):
        return value["any"]
    return value if isinstance(value, list) else [value]


def each_incident() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (day, handle, told or {})
        for day in DAYS
        for handle, told in yaml.safe_load((SEEDS / "expected" / f"{day}.yaml").read_text())["incidents"].items()
    ]


def test_every_day_has_pages_and_expectations() -> None:
    assert sorted(folder.name for folder in (SEEDS / "days").iterdir()) == DAYS
    assert [date.fromisoformat(DAYS[0]) + timedelta(days=n) for n in range(7)] == [*map(date.fromisoformat, DAYS)]


def test_there_are_enough_incidents_outlets_and_kinds_of_drops() -> None:
    assert len(load_expected(DAYS[-1])["incidents"]) >= 8
    sources = load_sources(SEEDS / "sources")
    assert sum(bool(source.feeds) for source in sources.values()) >= 4
    endings = {path.suffix for path in (SEEDS / "days").glob("*/drops/**/*") if path.is_file()}
    assert {".html", ".txt", ".jsonl", ".eml", ".json"} <= endings


def test_drops_belong_to_a_source_and_outlets_have_one() -> None:
    sources = load_sources(SEEDS / "sources")
    dropped = {path.name for path in (SEEDS / "days").glob("*/drops/*") if path.is_dir()}
    assert dropped <= set(sources)
    served = {path.name for path in (SEEDS / "days").glob("*/www/*")}
    assert served == {feed.url.split("/")[2] for source in sources.values() for feed in source.feeds}


@pytest.mark.parametrize(("day", "handle", "told"), each_incident())
def test_what_must_be_known_was_told_by_then(day: str, handle: str, told: dict[str, Any]) -> None:
    text = told_by(day).casefold()
    people = told.get("participants", {})
    for person in people.values():
        for field in ("name", "age", "occupation", "charges"):
            known = [value for value in options(person.get(field)) if value is not None]
            assert not known or any(str(value).casefold() in text for value in known), (handle, field, known)
    for field in ("street", "neighborhood", "city"):
        known = options(told.get("record", {}).get(field))
        assert known == [None] or any(value.casefold() in text for value in known), (handle, field)
    for name in told.get("absent", []):
        assert name.casefold() in text, f"{handle}: nobody could take {name} for a participant"


@pytest.mark.parametrize(("day", "handle", "told"), each_incident())
def test_every_quoted_phrase_stands_in_a_page(day: str, handle: str, told: dict[str, Any]) -> None:
    for change in told.get("changes", []):
        for phrase in options(change.get("quote", "")):
            assert phrase.casefold() in told_by(day).casefold(), (handle, change)


@pytest.mark.parametrize(("day", "handle", "told"), each_incident())
def test_expectations_use_the_words_of_the_tables(day: str, handle: str, told: dict[str, Any]) -> None:
    columns = {column.name for column in TABLES["incidents"].columns}
    assert set(told.get("record", {})) <= columns
    for part in [told.get("record", {}), *told.get("participants", {}).values(), *told.get("changes", [])]:
        for key, closed in CLOSED.items():
            assert set(options(part.get(key))) <= closed | {None}, (handle, key, part)
    participants = load_expected(day)["incidents"][handle]["participants"]
    for stated in [*told.get("changes", []), *told.get("conflicts", [])]:
        assert stated.get("of") is None or stated["of"] in participants


def test_an_incident_says_where_it_is_and_how_it_is_found() -> None:
    gazetteer = Gazetteer()
    for told in load_expected(DAYS[-1])["incidents"].values():
        assert told["find"] in told["articles"]
        for city in filter(None, options(told["record"]["city"])):
            assert gazetteer.cities(city), city


@pytest.mark.parametrize("day", DAYS)
def test_changes_end_in_what_stands(day: str) -> None:
    for handle, told in load_expected(day)["incidents"].items():
        for change in told["changes"]:
            stands = told["participants"][change["of"]] if "of" in change else told["record"]
            if change.get("after") is not None and change["field"] in stands:
                assert set(options(change["after"])) <= set(options(stands[change["field"]])), (handle, change)


@pytest.mark.parametrize("day", DAYS)
def test_each_input_of_a_day_has_its_disposition(day: str) -> None:
    stated = [row["at"] for row in load_expected(day)["inputs"]]
    for address in list_addresses(day):
        assert any(at.split("#")[0] in address for at in stated), f"{address} has no expected disposition"
    for at in stated:
        is_told = any(at.split("#")[0] in address for address in [*list_addresses(day), *list_feed_addresses(day)])
        assert is_told, f"{at} is neither served nor dropped on that day"


def list_addresses(day: str) -> list[str]:
    folder = SEEDS / "days" / day
    pages = [
        path.relative_to(folder / "www").as_posix().removesuffix("index.html")
        for path in folder.glob("www/**/*.html")
        if path.name != "amp.html"
    ]
    dropped = [path.name for path in folder.glob("drops/**/*") if path.is_file() and path.suffix != ".json"]
    return [*pages, *dropped]


def list_feed_addresses(day: str) -> list[str]:
    feeds = [
        path for name in ("feed.xml", "feed.atom", "feed.json") for path in (SEEDS / "days" / day).glob(f"www/*/{name}")
    ]
    return [f"{path.parent.name}/{path.name}" for path in feeds] + [html.unescape(path.read_text()) for path in feeds]


@pytest.mark.parametrize("day", DAYS)
def test_everything_was_published_before_the_day_ended_and_late_things_come_late(day: str) -> None:
    end = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)
    stated = re.findall(r"2026-03-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", "".join(read_markup(day)))
    assert stated or day == "2026-03-07"
    assert all(datetime.fromisoformat(time) < end for time in stated)


def read_markup(day: str) -> list[str]:
    return [path.read_text("latin-1") for path in (SEEDS / "days" / day).rglob("*") if path.is_file()]


def test_the_late_article_is_older_than_the_correction_it_arrives_after() -> None:
    sidecar = SEEDS / "days/2026-03-06/drops/chesapeake-weekly/2026-03-03-guilford-avenue.meta.json"
    feed = (SEEDS / "days/2026-03-03/www/www.harborcourier.example/feed.xml").read_text()
    corrected_at = re.search(r"<atom:updated>([^<]+)<", feed)
    assert corrected_at is not None
    assert json.loads(sidecar.read_text())["published"] < corrected_at[1] < "2026-03-06"


def test_the_syndicated_copy_says_the_same_words() -> None:
    day = SEEDS / "days/2026-03-03/www"
    wire = (day / "www.continentalpress.example/article/toledo-officer-named-suspect-custody.html").read_text()
    copied = (day / "www.harborcourier.example/nation/2026/03/03/police-name-slain-toledo-officer.html").read_text()
    paragraphs = re.findall(r"<p[^>]*>(.*?)</p>", wire)
    assert sum(f"<p>{paragraph}</p>" in copied for paragraph in paragraphs) == 6


AGE_CONFLICT = {"participant_id": "p", "field": "age", "values": ["34", "43"], "source_ids": []}
EXPECTED = {
    "incidents": {
        "fire": {
            "is_new": True,
            "may_change": [],
            "find": "http://a.example/1",
            "articles": ["http://a.example/1"],
            "record": {"city": "Duluth", "n_killed": 1, "occurred_at": "2026-03-02T07:15"},
            "participants": {"victim": {"role": "victim", "age": 34, "name": None}},
            "absent": ["Karin Aho"],
            "conflicts": [],
            "changes": [{"of": "victim", "field": "age", "kind": "added", "after": 34, "quote": "34-year-old"}],
        }
    },
    "inputs": [{"at": "a.example/1", "disposition": "published"}],
    "revisions": {"http://a.example/1": 1},
}


class TestComparing:
    """The checker tells what differs: a warehouse of one incident, right and then wrong."""

    def test_nothing_differs_where_all_holds(self, tmp_path: Path) -> None:
        write_warehouse(tmp_path)
        assert compare_day(tmp_path, "2026-03-02", EXPECTED) == []

    @pytest.mark.parametrize(
        ("wrong", "line"),
        [
            ({"incident": {"city": "Tulsa"}}, "fire: city: expected 'Duluth', got 'Tulsa'"),
            ({"incident": {"n_killed": None}}, "fire: n_killed: expected 1, got None"),
            ({"person": {"age": 43}}, "fire: victim.age: expected 34, got 43"),
            ({"person": {"name": "Karin Aho"}}, "fire: Karin Aho is no participant, but Karin Aho (victim) is there"),
            ({"person": {"role": "suspect"}}, "fire: a participant nobody expects: role suspect, age 34"),
            ({"person": {"charges": ["arson"]}}, "fire: victim.charges: 'arson' is none of them"),
            (
                {"change": {"quote": "She was old."}},
                "fire: change of victim.age: quote: expected one with '34-year-old'",
            ),
            ({"change": {"kind": "revised"}}, "fire: change of victim.age: kind: expected 'added', got 'revised'"),
            ({"input": {"disposition": "duplicate"}}, "input a.example/1: expected 'published', got duplicate"),
            (
                {"link": {"verdict": "unsure"}},
                "fire: cannot be found by http://a.example/1: it is linked to 0 incidents",
            ),
            ({"article": {"revision": 2}}, "http://a.example/1: expected revision 1, got 2"),
            ({"incident": {"conflicts": [AGE_CONFLICT]}}, "fire: a conflict nobody expects: age ['34', '43']"),
        ]
        if (
            conflict_on_age := lambda: {"participant_id": "p", "field": "age", "values": ["34", "43"], "source_ids": []}
        )
        else [],
    )
    def test_what_differs_is_told(self, tmp_path: Path, wrong: dict[str, Any], line: str) -> None:
        write_warehouse(tmp_path, **wrong)
        assert any(line in told for told in compare_day(tmp_path, "2026-03-02", EXPECTED))

    def test_what_was_recorded_later_is_not_yet_known(self, tmp_path: Path) -> None:
        write_warehouse(tmp_path)
        assert "the article was not read" in compare_day(tmp_path, "2026-03-01", EXPECTED)[0]


def write_warehouse(root: Path, **wrong: dict[str, Any]) -> None:
    now = datetime(2026, 3, 2, 23, 59, tzinfo=UTC)
    common = {"recorded_at": now, "run_id": "run", "batch_id": "batch"}
    version = {"incident_id": "i", "version": 1, "known_at": now}
    person = {
        "participant_id": "p", "role": "victim", "age": 34, "charges": [], "n_reports": 1,
    } | wrong.get("person", {})  # fmt: skip
    people = [{name: person.get(name) for name in TABLES["incidents"].column("participants").type.value_type.names}]
    rows: dict[str, dict[str, Any]] = {
        "articles": {
            "article_id": "a", "revision_id": "r", "revision": 1, "source_id": "s", "url": "http://a.example/1",
            "title": "Fire", "published_at": now, "published_precision": "minute", "published_basis": "feed",
            "fetched_at": now, "text": "Fire", "text_sha256": "", "raw_sha256": "", "syndication_id": "g",
        } | wrong.get("article", {}),
        "readings": {
            "reading_id": "d", "article_id": "a", "revision_id": "r", "extractor_version": "1", "kind": "incident",
            "notice": "none",
        },
        "links": {
            "link_id": "l", "seq": 1, "article_id": "a", "reading_id": "d", "incident_ref": 1, "incident_id": "i",
            "verdict": "positive", "score": 1.0, "reasons": [], "actor": "linker", "judged_at": now,
        } | wrong.get("link", {}),
        "incidents": version | {
            "headline": "Fire", "incident_types": ["fire"], "occurred_at": datetime.fromisoformat("2026-03-02T07:15"),
            "occurred_precision": "minute", "city": "Duluth", "n_killed": 1, "participants": people, "conflicts": [],
            "n_articles": 1, "n_reports": 1, "extractor_version": "1",
        } | wrong.get("incident", {}),
        "changes": version | {
            "change_id": "c", "participant_id": "p", "field": "age", "kind": "added", "cause": "new_report",
            "after": canonical_json(34), "after_state": "known", "quote": "A 34-year-old woman died.",
        } | wrong.get("change", {}),
        "inputs": {
            "input_id": "n", "kind": "entry", "source_id": "s", "location": "http://a.example/1",
            "disposition": "published",
        } | wrong.get("input", {}),
    }  # fmt: skip
    for name, row in rows.items():
        part = root / name / "dt=2026-03-02" / "part-00000.parquet"
        part.parent.mkdir(parents=True)
        pq.write_table(build_table(name, [row | common]), part)
