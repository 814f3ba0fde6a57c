"""The page of docs/ says what schemas.py says, of every column."""

from pathlib import Path

import pytest

from blotter.dictionary import describe_type, render_data_dictionary
from blotter.quality import checks_of
from blotter.schemas import TABLES

PAGE = Path(__file__).parents[2] / "docs" / "data-dictionary.md"


def test_the_page_has_not_drifted_from_the_schemas() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_data_dictionary(), "run `make docs`"


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_column_is_told_with_meaning_values_and_reference(table) -> None:
    section = render_data_dictionary().split(f"\n## {table.name}\n")[1].split("\n## ")[0]
    assert f"One row per {table.row}." in section
    rows = {line.split("`")[1]: line for line in section.splitlines() if line.startswith("| `")}
    assert list(rows) == [column.name for column in table.columns]
    for column in table.columns:
        row = rows[column.name]
        assert column.meaning in row and describe_type(column.type) in row
        assert all(f"`{value}`" in row for value in column.values)
        assert (column.references or "") in row
        assert row.count(" | ") == 3, "a cell must not break its row"
    for check in checks_of(table.name):
        assert f"* {check.expectation} (*{check.severity}*)" in section


def test_types_are_worded_without_arrow() -> None:
    words = [describe_type(column.type) for table in TABLES.values() for column in table.columns]
    assert not any("<" in word or "timestamp" in word for word in words)
