"""Good data passes; for every expectation there is a way to break good data, and the gate sees it."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from tests.good_batch import TUESDAY, make_incident, make_rows, make_tables

from blotter import rows
from blotter.quality import Check, CheckReport, Severity, check_batch, checks_of
from blotter.quality import suites as suites_module
from blotter.quality.gate import evaluate_checks
from blotter.schemas import TABLES, build_table

NOW = TUESDAY + timedelta(hours=2)
NOTHING_EARLIER: dict[str, set[str]] = {
    column.references: set() for table in TABLES.values() for column in table.columns if column.references
}
Tables = dict[str, pa.Table]


def check(tables: Tables, **given: Any) -> CheckReport:
    options: dict[str, Any] = {"batch_id": "b", "now": NOW, "references": NOTHING_EARLIER, **given}
    return check_batch(tables, **options)


def put(table: str, column: str, value: object, row: int = 0) -> Callable[[], Tables]:
    """Good tables with one cell changed, whatever the schema says of it."""

    def mutate() -> Tables:
        tables = make_tables(batch_id="b")
        values = tables[table].column(column).to_pylist()
        values[row] = value
        field = tables[table].schema.field(column)
        index = tables[table].schema.get_field_index(column)
        tables[table] = tables[table].set_column(index, field, pa.array(values, type=field.type))
        return tables

    return mutate


def put_where(table: str, column: str, value: object, **where: object) -> Callable[[], Tables]:
    """Good tables with one cell changed, of the first row in which the other columns are as given."""
    found = make_tables(batch_id="b")[table].to_pylist()
    row = next(i for i, r in enumerate(found) if all(r[name] == wanted for name, wanted in where.items()))
    return put(table, column, value, row)


def repeat_row(table: str) -> Callable[[], Tables]:
    def mutate() -> Tables:
        tables = make_tables(batch_id="b")
        if table not in tables:
            tables[table] = make_any(table)
        tables[table] = pa.concat_tables([tables[table], tables[table].slice(0, 1)])
        return tables

    return mutate


def make_any(table: str) -> pa.Table:
    """One row of a table that the story has no rows of."""
    row: dict[str, Any] = {}
    for column in TABLES[table].columns:
        if column.references:
            row[column.name] = None if column.nullable else make_rows()["inputs"][0]["input_id"]
        elif column.values:
            row[column.name] = column.values[0]
        elif not column.nullable:
            default: dict[pa.DataType, object] = {pa.string(): "x", pa.int32(): 1, pa.bool_(): True}
            row[column.name] = default.get(column.type, [] if pa.types.is_list(column.type) else NOW)
    return build_table(table, [row])


def undeclare(table: str) -> Callable[[], Tables]:
    """Good tables with a null where the declaration allows none."""

    def mutate() -> Tables:
        tables = make_tables(batch_id="b")
        if table not in tables:
            tables[table] = make_any(table)
        values: list[object] = [None] * tables[table].num_rows
        index = tables[table].schema.get_field_index("run_id")
        field = tables[table].schema.field(index)
        tables[table] = tables[table].set_column(index, field, pa.array(values, type=field.type))
        return tables

    return mutate


def dangle(table: str) -> Callable[[], Tables]:
    """Good tables with a reference to nothing, in the first column that refers to something."""

    def mutate() -> Tables:
        column = next(c for c in TABLES[table].columns if c.references)
        if table not in make_tables():
            tables = make_tables(batch_id="b")
            tables[table] = make_any(table)
            values = pa.array(["nothing"] * tables[table].num_rows)
            index = tables[table].schema.get_field_index(column.name)
            return {**tables, table: tables[table].set_column(index, tables[table].schema.field(index), values)}
        return put(table, column.name, "nothing")()

    return mutate


def make_many_without_a_place() -> Tables:
    nowhere: dict[str, Any] = dict.fromkeys(("street", "neighborhood", "city", "county", "state", "country"))
    stamp = {"recorded_at": NOW, "run_id": "r", "batch_id": "b"}
    incidents = [make_incident(incident_id=f"inc_{n}", **(nowhere if n % 3 else {})) for n in range(30)]
    return {"incidents": build_table("incidents", [{**rows.incident_row(i), **stamp} for i in incidents])}


DERIVED: dict[str, Callable[[str], Callable[[], Tables]]] = {
    "required columns": undeclare,
    "identifies one row": repeat_row,
    "what a row refers to": dangle,
}
AFTER = TUESDAY + timedelta(days=10)
MUTATIONS: dict[tuple[str, str], Callable[[], Tables]] = {
    ("articles", "the text is the one that was hashed"): put("articles", "text_sha256", "0" * 64),
    ("articles", "the text starts with the title"): put("articles", "title", "Another headline"),
    ("articles", "there is a text"): put("articles", "text", " \n"),
    ("articles", "it was published before it was fetched"): put("articles", "published_at", AFTER),
    ("claims", "the quote is what the text says at its offsets"): put("claims", "quote_start", 3),
    ("claims", "a value is there exactly where it may be known"): put_where(
        "claims", "value", "Dana Whitlock", state="withheld"
    ),
    ("claims", "the field is one that can be claimed, of the incident or of a person"): put_where(
        "claims", "participant_ref", None, field="age"
    ),
    ("claims", "a placeholder is never written as a value"): put_where(
        "claims", "value", "Unidentified", field="name", state="known"
    ),
    ("claims", "confidence is between 0 and 1"): put("claims", "confidence", 1.2),
    ("claims", "an age is between 0 and 120"): put_where("claims", "value", "340", field="age"),
    ("claims", "a count of people is between 0 and 1000000"): put_where("claims", "value", "-1", field="n_killed"),
    ("claims", "nothing happened after its publication"): lambda: put_where(
        "claims", "field", "occurred_date", field="city"
    )(),
    ("links", "score is between 0 and 1"): put("links", "score", -0.1),
    ("alignments", "score is between 0 and 1"): put("alignments", "score", 2.0),
    ("incidents", "versions count from 1"): put("incidents", "version", 0),
    ("incidents", "nothing is known ahead of the clock"): put("incidents", "known_at", AFTER),
    ("incidents", "latitude is between -90 and 90"): put("incidents", "latitude", 91.0),
    ("incidents", "longitude is between -180 and 180"): put("incidents", "longitude", -181.0),
    ("incidents", "people killed or injured are counted from 0"): put("incidents", "n_injured", -2),
    ("incidents", "it happened before it was reported"): put("incidents", "occurred_date", date(2025, 4, 1)),
    ("incidents", "as many dead are counted as participants are dead"): put("incidents", "n_killed", 0, row=1),
    ("incidents", "at least 50% of the incidents have a place"): make_many_without_a_place,
    ("participants", "age is between 0 and 120"): put("participants", "age", 121),
    ("participants", "a name is there exactly where it is known"): put("participants", "name_state", "known"),
    ("participants", "it agrees with the version it belongs to"): put("participants", "known_at", TUESDAY),
    ("facts", "every fact has a claim or a judgement that carries it"): put("facts", "claim_ids", []),
    ("facts", "it agrees with the version it belongs to"): put("facts", "version", 7),
    ("changes", "a change changes something, and its values are JSON"): put_where(
        "changes", "after", '"injured"', field="condition"
    ),
    ("changes", "the quote stands in the article that it names"): put("changes", "quote", "Nobody wrote this."),
    ("changes", "it agrees with the version it belongs to"): put("changes", "known_at", TUESDAY),
}
CHECKS = [check for suite in TABLES for check in checks_of(suite)]


def find_mutation(check: Check) -> Callable[[], Tables]:
    for words, mutate in DERIVED.items():
        if words in check.expectation:
            return mutate(check.suite)
    return MUTATIONS[check.suite, check.expectation]


def find_result(report: CheckReport, check: Check) -> dict[str, Any]:
    [result] = [row for row in report.results if (row["suite"], row["expectation"]) == (check.suite, check.expectation)]
    return result


def test_every_expectation_of_every_suite_has_a_mutation_that_it_must_catch() -> None:
    suites = {*TABLES, "batch"}
    assert {check.suite for check in suites_module._JUDGED} <= suites, "a suite that nobody would evaluate"
    everything = {(check.suite, check.expectation) for suite in suites for check in checks_of(suite)}
    of_volumes = {(check.suite, check.expectation) for check in checks_of("batch")}  # has a test of its own, below
    caught = {(check.suite, check.expectation) for check in CHECKS}
    assert caught | of_volumes == everything
    derived = {key for key in caught if any(words in key[1] for words in DERIVED)}
    assert caught - derived == set(MUTATIONS), "neither an expectation without a mutation nor one that is gone"
    assert {suite for suite, _ in derived} == set(TABLES)


def test_good_data_passes_every_expectation() -> None:
    report = check(make_tables(batch_id="b"))
    assert report.message == "" and not report.is_blocked and not report.quarantined
    assert {row["suite"] for row in report.results} == set(make_tables())
    assert all(row["success"] for row in report.results)


@pytest.mark.parametrize("broken", CHECKS, ids=lambda check: f"{check.suite}: {check.expectation}")
def test_each_expectation_catches_a_mutation_of_good_data(broken: Check) -> None:
    needed = {broken.suite, "inputs", "articles", "readings", "incidents"}
    tables = {name: table for name, table in find_mutation(broken)().items() if name in needed}
    report = check(tables)
    result = find_result(report, broken)
    assert not result["success"]
    assert check(tables, is_screened=True) == report, "a plain look first makes no difference"
    assert f"{broken.severity}: {broken.suite}: {broken.expectation}" in report.message
    if broken.severity is Severity.BLOCK:
        assert report.is_blocked
    elif broken.severity is Severity.QUARANTINE:
        assert report.quarantined
    observed = json.loads(result["observed"])
    assert observed.get("rows") or observed.get("defect"), "the report shows what is wrong"


@pytest.mark.parametrize("severity", [Severity.QUARANTINE, Severity.WARN])
def test_only_blocking_failures_block(severity: Severity) -> None:
    broken = next(c for c in CHECKS if c.severity is severity and (c.suite, c.expectation) in MUTATIONS)
    report = check(find_mutation(broken)())
    assert not find_result(report, broken)["success"] and not report.is_blocked


def test_a_screened_good_batch_never_asks_great_expectations(monkeypatch) -> None:
    tables = make_tables(batch_id="b")
    expected = check(tables)
    monkeypatch.setattr("blotter.quality.gate.open_context", lambda: pytest.fail("asked"))
    assert check(tables, is_screened=True) == expected


def test_a_kind_that_the_screen_does_not_know_is_left_to_great_expectations() -> None:
    strange = Check("links", "is short", "ExpectColumnValueLengthsToBeBetween", Severity.BLOCK,
                    arguments={"column": "link_id", "max_value": 3})  # fmt: skip
    frame = pd.DataFrame({"link_id": ["a", "b"]})
    [finding] = evaluate_checks((strange,), frame, ("link_id",), is_screened=True)
    assert finding.is_success


def test_a_quarantined_row_names_its_article_and_only_it() -> None:
    tables = put("claims", "quote_start", 3)()
    [article_id] = check(tables).quarantined
    assert article_id == tables["claims"].column("article_id")[0].as_py()
    assert "the quote is what the text says" in check(tables).quarantined[article_id]


def test_the_message_shows_which_rows_and_says_how_many_more() -> None:
    tables = make_tables(batch_id="b")
    many = pa.concat_tables([tables["links"]] * 4)
    message = check({**tables, "links": many}).message
    assert "block: links: link_id identifies one row: not so in 8 of 8 rows" in message
    assert tables["links"].column("link_id")[0].as_py() in message
    assert "and 3 more" in message


def test_results_are_rows_of_check_results_with_one_key_each() -> None:
    report = check(put("participants", "age", 500)())
    stamp = {"recorded_at": NOW, "run_id": "r"}
    table = build_table("check_results", [{**row, **stamp} for row in report.results])
    assert table.num_rows == len(report.results)
    assert not check({"check_results": table}).is_blocked
    [age] = [row for row in report.results if row["column"] == "age"]
    assert json.loads(age["threshold"]) == {"max_value": 120, "min_value": 0}
    assert json.loads(age["observed"])["rows"][0]["age"] == 500


@pytest.mark.parametrize(
    ("mangle", "words"),
    [
        (lambda table: table.drop_columns(["quote"]), "without quote"),
        (lambda table: table.append_column("extra", pa.array([1] * table.num_rows)), "with extra"),
        (lambda table: table.set_column(0, "claim_id", pa.array(range(table.num_rows))), "claim_id is int64"),
    ],
)
def test_a_table_that_is_not_as_declared_blocks_and_says_how(mangle, words) -> None:
    tables = make_tables(batch_id="b")
    report = check({**tables, "claims": mangle(tables["claims"])})
    assert report.is_blocked and words in report.message


def test_a_table_that_nobody_declared_blocks() -> None:
    assert check({"surprises": pa.table({"a": [1]})}).is_blocked


def test_a_reference_may_be_to_what_was_published_earlier() -> None:
    tables = make_tables(batch_id="b")
    links = {name: table for name, table in tables.items() if name == "links"}
    assert check(links).is_blocked
    earlier = {
        "articles.article_id": set(tables["links"].column("article_id").to_pylist()),
        "readings.reading_id": set(tables["links"].column("reading_id").to_pylist()),
    }
    assert not check(links, references=earlier).is_blocked
    assert not check(links, references={}).is_blocked, "who does not say what there was cannot be judged"


def test_references_are_asked_only_for_what_the_batch_lacks() -> None:
    asked: list[object] = []

    class Published:
        def __contains__(self, value: object) -> bool:
            asked.append(value)
            return True

    check(make_tables(batch_id="b"), references=dict.fromkeys(NOTHING_EARLIER, Published()))
    assert asked == []
    check(put("links", "article_id", "art_earlier")(), references=dict.fromkeys(NOTHING_EARLIER, Published()))
    assert asked == ["art_earlier"]


def test_parts_of_a_batch_and_empty_ones_are_checked_too() -> None:
    tables = make_tables(batch_id="b")
    read = {name: tables[name] for name in ("articles", "readings", "claims")}
    assert not check(read).message
    assert check({}).results == ()
    empty = {name: table.schema.empty_table() for name, table in TABLES.items()}
    assert not check(empty).is_blocked


def test_a_source_that_falls_silent_is_warned_of() -> None:
    report = check(make_tables(batch_id="b"), usual_volumes={"gazette": 1, "herald": 40, "tribune": 12})
    assert not report.is_blocked
    assert '"herald"' in report.message and '"tribune"' in report.message and '"gazette"' not in report.message


def test_hostile_text_cannot_break_the_gate() -> None:
    listed = make_rows()
    listed["articles"][0]["author"] = "\x00{{ 7*7 }} %s \U0001f52b"
    listed["participants"][0]["name"] = "Robert'); DROP TABLE facts;-- {{ 7*7 }} $PARAMETER"
    report = check(make_tables(listed, batch_id="b"))
    assert "DROP TABLE facts;-- {{ 7*7 }} $PARAMETER" in report.message, "told as it is"


@pytest.mark.parametrize("severity", [Severity.BLOCK, Severity.QUARANTINE])
def test_an_expectation_that_cannot_be_evaluated_closes_the_gate(severity: Severity) -> None:
    broken = Check(
        "links", "what no column says", "ExpectColumnValuesToBeNull", severity, arguments={"column": "_none"}
    )
    frame = pd.DataFrame({"link_id": ["a", "b"]})
    [finding] = evaluate_checks((broken,), frame, ("link_id",))
    assert finding.is_blocking and "could not be evaluated" in str(finding.defect)
