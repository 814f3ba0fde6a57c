"""The declared tables: empty ones keep their types, wrong rows are refused, rows are sorted by key."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from blotter.model import Disposition
from blotter.schemas import TABLES, build_table

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def make_run(**values: object) -> dict[str, object]:
    counts = {column.name: 0 for column in TABLES["runs"].columns if column.name.startswith("n_")}
    stamp = {"recorded_at": AT, "run_id": "r", "batch_id": "b"}
    return {"stage": "publish", "started_at": AT, "finished_at": AT, **counts, **stamp, **values}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_rows_has_the_declared_schema(name: str) -> None:
    assert build_table(name, []).schema.equals(TABLES[name].schema, check_metadata=True)


@pytest.mark.parametrize("name", TABLES)
def test_every_table_says_who_recorded_its_rows_and_keys_are_its_columns(name: str) -> None:
    table = TABLES[name]
    names = [column.name for column in table.columns]
    assert names[-3:] == ["recorded_at", "run_id", "batch_id"]
    assert len(set(names)) == len(names)
    assert set(table.key) <= set(names)
    for column in table.columns:
        if column.references:
            referred, _, its_column = column.references.partition(".")
            assert TABLES[referred].column(its_column).type == column.type


def test_rows_are_sorted_by_key() -> None:
    table = build_table("runs", [make_run(stage="read"), make_run(stage="ingest"), make_run(stage="link")])
    assert table["stage"].to_pylist() == ["ingest", "link", "read"]


def test_an_all_null_column_keeps_its_type() -> None:
    assert build_table("runs", [make_run(dag_id=None)]).schema.field("dag_id").type == pa.string()


def test_a_required_column_without_a_value_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"runs\.stage is null in 1 of 1 rows"):
        build_table("runs", [make_run(stage=None)])


def test_a_column_that_is_not_declared_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="runs has no column colour"):
        build_table("runs", [make_run(colour="red")])


def test_a_value_of_another_type_is_refused() -> None:
    with pytest.raises(pa.ArrowException):
        build_table("runs", [make_run(n_in="many")])


def test_enumerations_are_written_as_their_text() -> None:
    row = {
        **make_run(),
        "input_id": "i",
        "kind": "file",
        "source_id": "s",
        "location": "l",
        "disposition": Disposition.PUBLISHED,
    }
    columns = {column.name for column in TABLES["inputs"].columns}
    table = build_table("inputs", [{name: value for name, value in row.items() if name in columns}])
    assert table["disposition"].to_pylist() == ["published"]
