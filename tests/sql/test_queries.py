"""The views and macros of include/sql/ answer as pandas does over the same files."""

import json
import os
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow.dataset as ds
import pytest
from tests.good_batch import MONDAY, TUESDAY, make_change, make_incident, make_rows, make_tables, write_warehouse

from blotter import queries, rows
from blotter.errors import SettingsError
from blotter.ids import make_id
from blotter.model import ChangeKind
from blotter.schemas import TABLES

SPRINGFIELD = make_id("inc", "springfield")
MERGED = make_id("inc", "other")
LATER = TUESDAY + timedelta(days=1)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory) -> Path:
    """The story, and a second incident that was merged into it on Wednesday."""
    listed = make_rows()
    stamp = {"run_id": "r", "batch_id": "day-3"}
    other = make_incident(incident_id=MERGED, known_at=TUESDAY)
    gone = replace(other, version=2, known_at=LATER, merged_into=SPRINGFIELD)
    for incident in (other, gone):
        listed["incidents"].append({**rows.incident_row(incident), "recorded_at": incident.known_at, **stamp})
    merge = make_change(
        incident_id=MERGED, known_at=LATER, participant_id=None, field="merged_into", kind=ChangeKind.MERGED
    )
    listed["changes"].append({**rows.change_row(merge), "recorded_at": LATER, **stamp})
    return write_warehouse(tmp_path_factory.mktemp("warehouse"), make_tables(listed))


@pytest.fixture
def connection(warehouse):
    connection = queries.connect(str(warehouse))
    yield connection
    connection.close()


def read_frame(warehouse: Path, table: str) -> pd.DataFrame:
    return ds.dataset(warehouse / table, partitioning="hive").to_table().to_pandas()


def newest_versions(frame: pd.DataFrame) -> pd.DataFrame:
    newest = frame.sort_values("version").groupby("incident_id").tail(1)
    return newest[newest.merged_into.isna()].sort_values("incident_id")


def test_every_table_reads_with_all_its_rows(connection, warehouse) -> None:
    for name, table in TABLES.items():
        found = queries.fetch_rows(connection, f"FROM {name}")
        assert len(found) == len(read_frame(warehouse, name))
        if found:
            assert set(found[0]) == {column.name for column in table.columns} | {"dt"}


def test_a_warehouse_without_rows_answers_every_question(tmp_path) -> None:
    with queries.connect(str(write_warehouse(tmp_path, {}))) as connection:
        views = connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        assert {"current_incidents", "current_participants", "current_facts"} <= {name for (name,) in views}
        for (name,) in views:
            assert queries.fetch_rows(connection, f"FROM {name}") == []
        assert queries.list_incidents(connection, as_of=LATER) == []
        assert queries.read_timeline(connection, SPRINGFIELD) == []
        assert queries.read_changes(connection, since=MONDAY, until=LATER) == []
        assert queries.fetch_rows(connection, "FROM daily_updates('2025-03-03')") == []


def test_current_incidents_are_the_newest_versions_without_merged_ones(connection, warehouse) -> None:
    expected = newest_versions(read_frame(warehouse, "incidents"))
    found = queries.fetch_rows(connection, "FROM current_incidents ORDER BY incident_id")
    assert [(row["incident_id"], row["version"]) for row in found] == list(
        expected[["incident_id", "version"]].itertuples(index=False, name=None)
    )
    assert MERGED not in {row["incident_id"] for row in found}


def test_a_merged_incident_stays_readable(connection) -> None:
    merged = queries.read_incident(connection, MERGED, as_of=LATER)
    assert merged is not None and merged["merged_into"] == SPRINGFIELD
    assert [row["kind"] for row in queries.read_timeline(connection, MERGED)] == ["merged"]


@pytest.mark.parametrize(
    "as_of",
    [
        MONDAY,
        MONDAY + timedelta(hours=1),
        TUESDAY,
        TUESDAY + timedelta(minutes=59),
        TUESDAY + timedelta(hours=1),
        LATER,
    ],
)
def test_incidents_as_of_a_time_are_what_had_come_to_stand_by_then(connection, warehouse, as_of) -> None:
    frame = read_frame(warehouse, "incidents")
    expected = newest_versions(frame[frame.known_at <= as_of])
    found = queries.list_incidents(connection, as_of=as_of)
    assert {(row["incident_id"], row["version"]) for row in found} == set(
        expected[["incident_id", "version"]].itertuples(index=False, name=None)
    )


def test_times_come_back_in_utc_and_local_time_without_a_zone(connection) -> None:
    row = queries.list_incidents(connection, as_of=LATER)[0]
    assert row["known_at"].utcoffset() == timedelta(0)
    assert row["known_at"] == TUESDAY + timedelta(hours=1)


def test_a_time_without_zone_is_refused(connection) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        queries.list_incidents(connection, as_of=datetime(2025, 3, 3))  # noqa: DTZ001


def test_the_timeline_tells_what_was_replaced_and_who_says_so(connection) -> None:
    timeline = queries.read_timeline(connection, SPRINGFIELD)
    assert [(row["version"], row["field"]) for row in timeline] == [(1, "city"), (2, "condition"), (2, "name")]
    name = timeline[-1]
    assert (name["before_state"], name["before"], name["after"]) == ("withheld", None, "Dana Whitlock")
    assert (name["role"], name["source_id"]) == ("victim", "herald")
    assert "Dana Whitlock, 34" in name["quote"] and name["url"].startswith("https://herald.example/")
    assert timeline[1]["before"] == "injured"


@pytest.mark.parametrize(
    ("since", "until"), [(MONDAY, TUESDAY), (TUESDAY, LATER), (MONDAY + timedelta(hours=1), LATER), (LATER, LATER)]
)
def test_changes_between_take_the_start_and_leave_the_end(connection, warehouse, since, until) -> None:
    frame = read_frame(warehouse, "changes")
    expected = frame[(frame.known_at >= since) & (frame.known_at < until)]
    found = queries.read_changes(connection, since=since, until=until)
    assert {row["change_id"] for row in found} == set(expected.change_id)
    assert len(found) == len(expected)


def test_daily_updates_fold_a_day_into_one_row_an_incident(connection) -> None:
    [monday] = queries.fetch_rows(connection, "FROM daily_updates('2025-03-03')")
    assert (monday["incident_id"], monday["is_new"], monday["fields"]) == (SPRINGFIELD, True, ["city"])
    [tuesday] = queries.fetch_rows(connection, "FROM daily_updates('2025-03-04')")
    assert (tuesday["is_new"], tuesday["n_changes"], tuesday["fields"]) == (False, 2, ["condition", "name"])
    assert tuesday["headline"] == "Springfield shooting victim dies"


def test_a_day_is_a_day_of_utc(warehouse) -> None:
    with queries.connect(str(warehouse)) as connection:
        connection.execute("SET TimeZone = 'Asia/Tokyo'")
        assert [r["version"] for r in queries.fetch_rows(connection, "FROM daily_updates('2025-03-03')")] == [1]


def test_current_participants_are_those_of_the_current_version(connection) -> None:
    [victim] = queries.fetch_rows(connection, "FROM current_participants")
    assert (victim["name"], victim["condition"], victim["city"]) == ("Dana Whitlock", "killed", "Springfield")


def test_current_facts_hold_the_newest_value_of_each_field_with_its_sentence(connection) -> None:
    facts = {row["field"]: row for row in queries.fetch_rows(connection, "FROM current_facts")}
    assert {field: row["value"] for field, row in facts.items()} == {
        "city": "Springfield",
        "name": "Dana Whitlock",
        "condition": "killed",
    }
    assert facts["name"]["quote"].startswith("Dana Whitlock, 34")
    assert facts["city"]["source_id"] == "gazette"


def test_a_persons_link_stands_before_a_newer_computed_one(tmp_path) -> None:
    listed = make_rows()
    link = listed["links"][0]
    listed["links"] += [
        {**link, "link_id": "lnk_human", "seq": 2, "actor": "human:ana", "verdict": "negative"},
        {**link, "link_id": "lnk_later", "seq": 3},
    ]
    with queries.connect(str(write_warehouse(tmp_path, make_tables(listed)))) as connection:
        standing = queries.fetch_rows(connection, "FROM current_links ORDER BY reading_id")
        assert {row["link_id"] for row in standing} == {"lnk_human", listed["links"][1]["link_id"]}
        assert [row["source_id"] for row in queries.fetch_rows(connection, "FROM incident_articles")] == ["herald"]


def test_the_usual_volume_of_a_source_is_its_median_batch(tmp_path) -> None:
    counts = {"gazette": (5, 6, 7, 8, 9, 10, 100), "herald": (0, 0, 9, 9, 9, 9, 9), "weekly": (50, 0, 0, 0, 0, 0, 0)}
    article = make_rows()["articles"][0]
    listed: dict[str, list] = {name: [] for name in make_rows()}
    for source_id, per_batch in counts.items():
        for batch, n_articles in enumerate(per_batch):
            listed["articles"] += [
                {**article, "source_id": source_id, "batch_id": f"b{batch}", "revision_id": f"{source_id}{batch}-{n}"}
                for n in range(n_articles)
            ]
    with queries.connect(str(write_warehouse(tmp_path, make_tables(listed)))) as connection:
        assert queries.read_usual_volumes(connection, since=MONDAY) == {"gazette": 8, "herald": 9}
        assert queries.read_usual_volumes(connection, since=LATER) == {}


def test_too_few_batches_have_no_usual_volume(connection) -> None:
    assert queries.read_usual_volumes(connection, since=MONDAY) == {}


def test_a_place_that_is_no_warehouse_is_named(tmp_path) -> None:
    with pytest.raises(SettingsError, match="blotter init"):
        queries.connect(str(tmp_path / "nothing"))


def test_a_warehouse_whose_path_has_a_quote_reads(tmp_path) -> None:
    root = write_warehouse(tmp_path / "the editor's [desk]", make_tables())
    with queries.connect(str(root)) as connection:
        assert len(queries.list_incidents(connection, as_of=datetime(2030, 1, 1, tzinfo=UTC))) == 1


def test_the_command_line_opens_the_same_views(warehouse) -> None:
    """`duckdb -init include/sql/init.sql` from the root of the repository, as init.sql says."""
    shell = shutil.which("duckdb", path=f"{Path(os.sys.executable).parent}:{os.environ['PATH']}")
    assert shell, "duckdb-cli is among the developers' tools (requirements-dev.txt)"
    answer = subprocess.run(
        [shell, "-init", "include/sql/init.sql", "-json", "-c", "SELECT headline FROM current_incidents"],
        cwd=queries.SQL_FOLDER.parents[1],
        env={**os.environ, "BLOTTER_WAREHOUSE": str(warehouse)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(answer.stdout) == [{"headline": "Springfield shooting victim dies"}], answer.stderr
