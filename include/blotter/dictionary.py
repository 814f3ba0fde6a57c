"""The data dictionary: `schemas.py` and the gate's suites as a page for people.

Belongs here: how a table's declaration is worded in Markdown. Does not belong here: any meaning; those are written in
`blotter.schemas` and `blotter.quality.suites`, the sources of `docs/data-dictionary.md` (`blotter tables --markdown`).
"""

from collections.abc import Iterator

import pyarrow as pa

from blotter.quality.suites import checks_of
from blotter.schemas import SCHEMA_VERSION, TABLES, Column, Table

_TYPES = {
    pa.string(): "text",
    pa.int32(): "integer (32 bit)",
    pa.float64(): "number (64 bit)",
    pa.bool_(): "yes or no",
    pa.date32(): "day",
    pa.timestamp("us", tz="UTC"): "time, UTC, to the microsecond",
    pa.timestamp("us"): "local wall time, to the microsecond",
}

_INTRODUCTION = f"""\
# Data dictionary

Generated from `include/blotter/schemas.py` (schema version {SCHEMA_VERSION}) and `include/blotter/quality/suites.py` by
`blotter tables --markdown`; edit those files, not this page.

Every table is a folder of Parquet files under `dt=YYYY-MM-DD`, the UTC day on which the row was recorded. Rows are only
ever added, so a table holds its own history. Read one with `pandas.read_parquet("warehouse/incidents")`, with DuckDB's
`read_parquet('warehouse/incidents/**/*.parquet', hive_partitioning=true)`, or through the views and macros of
`include/sql/`.

*Volatile* columns may differ between two equal runs (clocks, run and batch ids); two tables are equal if all others
are. A *null* column may be empty, and its meaning says what that tells. Rows appear in the order of the tables below,
so that a row is never there before the one it refers to; `runs` is last.

Every batch passes a gate before it is published. Of an expectation that fails, *block* publishes nothing of the batch,
*quarantine* sets the article aside and lets the rest go on, *warn* publishes and says so. All outcomes are rows of
`check_results`.
"""


def render_data_dictionary() -> str:
    """Render every table of the schema as Markdown: what a row is, its key, and each column's type and meaning."""
    lines = [_INTRODUCTION, *_render_overview()]
    for table in TABLES.values():
        lines += ["", *_render_table(table)]
    return "\n".join(lines) + "\n"


def describe_type(type_: pa.DataType) -> str:
    """Word an Arrow type for a reader who knows neither Arrow nor Python."""
    if pa.types.is_list(type_):
        return f"list of {describe_type(type_.value_type)}"
    if pa.types.is_struct(type_):
        return "record (" + ", ".join(type_.field(i).name for i in range(type_.num_fields)) + ")"
    return _TYPES.get(type_, str(type_))


def _render_overview() -> Iterator[str]:
    yield "| table | one row per |"
    yield "|---|---|"
    for table in TABLES.values():
        yield f"| [{table.name}](#{table.name}) | {_escape(table.row)} |"


def _render_table(table: Table) -> Iterator[str]:
    yield f"## {table.name}"
    yield ""
    yield f"One row per {table.row}. Key: {', '.join(f'`{name}`' for name in table.key)}."
    yield ""
    yield "| column | type | null | meaning |"
    yield "|---|---|---|---|"
    for column in table.columns:
        null = "may be" if column.nullable else "never"
        yield f"| `{column.name}` | {describe_type(column.type)} | {null} | {_escape(_describe(column))} |"
    yield ""
    yield "Expected before publishing:"
    yield ""
    yield "* columns and types are as declared (*block*)"
    for check in checks_of(table.name):
        yield f"* {check.expectation} (*{check.severity}*)"


def _describe(column: Column) -> str:
    parts = [column.meaning]
    if column.values:
        parts.append("one of " + ", ".join(f"`{value}`" for value in column.values))
    if column.references:
        parts.append(f"refers to `{column.references}`")
    if column.volatile:
        parts.append("*volatile*")
    return "; ".join(parts)


def _escape(text: str) -> str:
    return text.replace("|", "\\|")
