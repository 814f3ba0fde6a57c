"""The few statements that every memory of the state needs, on SQLite and PostgreSQL alike.

Belongs here: looking many keys up, and inserting rows that may be there already. Does not belong here: any table.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Row, Table, select
from sqlalchemy.dialects import postgresql, sqlite

_T = TypeVar("_T")
_CHUNK = 400  # values in one statement: under every database's limit of parameters


def look_up(
    connection: Connection,
    key: Column[Any],
    wanted: Iterable[str],
    columns: Sequence[Column[Any]] | None = None,
    *conditions: ColumnElement[bool],
) -> list[Row[Any]]:
    """Read the rows whose `key` is one of `wanted`, all columns unless some are named."""
    chosen = list(columns) if columns is not None else [key.table]
    return [
        row
        for part in chunk(list(dict.fromkeys(wanted)))
        for row in connection.execute(select(*chosen).where(key.in_(part), *conditions))
    ]


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; one whose key is there already is left as it is."""
    statement = _dialect_insert(connection)(table).on_conflict_do_nothing()
    for part in chunk(rows):
        connection.execute(statement, part)


def insert_or_replace(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; one whose primary key is there already is replaced, the last of several in `rows` stands."""
    keys = list(table.primary_key.columns)
    unique = list({tuple(row[key.name] for key in keys): row for row in rows}.values())
    statement = _dialect_insert(connection)(table)
    others = {column.name: statement.excluded[column.name] for column in table.c if column not in keys}
    for part in chunk(unique):
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=others), part)


def chunk(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Cut values into parts that one statement can hold."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _dialect_insert(connection: Connection) -> Callable[[Table], Any]:
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
