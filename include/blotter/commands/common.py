"""What the commands share: options, output, progress, finding an incident by the first letters of its id.

Belongs here: whatever two commands need to speak to a person in the same way. Does not belong here: a command.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from blotter.config import load_settings
from blotter.errors import SettingsError

# Into a pipe or a file tables are wide: what is cut off there is lost.
out = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 200)
err = Console(stderr=True)

Config = Annotated[
    Path | None,
    typer.Option(help="Settings file (TOML). Default: $BLOTTER_CONFIG; `blotter settings` shows what there is to set."),
]
WarehouseFolder = Annotated[
    str | None,
    typer.Option("--warehouse", "-w", help="Folder or URL (s3://...) of the tables. Default: the setting `warehouse`."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, for machines.")]


def stop(message: str, code: int) -> NoReturn:
    """End the command with a message for a person, and an exit code (see `blotter.cli`)."""
    err.print(f"[bold red]blotter:[/] {escape(message)}", highlight=False, soft_wrap=True)
    sys.exit(code)


@contextmanager
def open_tables(warehouse: str | None, config: Path | None) -> Iterator[Any]:
    """Connect DuckDB to the tables, from the option or the settings."""
    from blotter import queries

    connection = queries.connect(warehouse or load_settings(config).warehouse)
    try:
        yield connection
    finally:
        connection.close()


def find_incident(connection: Any, start: str) -> str:
    """Give the one incident whose id starts so; stops the command where none does or several do."""
    from blotter import queries

    found = queries.fetch_rows(
        connection,
        "SELECT incident_id, arg_max(headline, version) AS headline FROM incidents WHERE starts_with(incident_id, ?) "
        "GROUP BY 1 ORDER BY 1 LIMIT 10",
        [start],
    )
    if not found:
        stop(f"no incident {start}: `blotter incidents` lists them", 1)
    if len(found) > 1:
        listed = "\n".join(f"  {row['incident_id']}  {row['headline']}" for row in found)
        stop(f"{start} fits more than one incident, give more of the id:\n{listed}", 2)
    return str(found[0]["incident_id"])


def parse_as_of(text: str | None) -> datetime:
    """Read a date (its last moment) or a time; without one, the end of time. Raises SettingsError."""
    if text is None:
        return datetime.max.replace(tzinfo=UTC)
    try:
        return datetime.combine(date.fromisoformat(text), time.max, tzinfo=UTC)
    except ValueError:
        return parse_time("--as-of", text)


def parse_time(option: str, text: str) -> datetime:
    """Read an ISO time, in UTC where it has no zone, or a date, which is its first moment. Raises SettingsError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as invalid:
        raise SettingsError(option, "a date or ISO time, such as 2026-03-02 or 2026-03-02T18:00:00Z", text) from invalid
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def parse_day(option: str, text: str) -> date:
    """Read a date. Raises SettingsError."""
    try:
        return date.fromisoformat(text)
    except ValueError as invalid:
        raise SettingsError(option, "a date such as 2026-03-01", text) from invalid


def name_run() -> str:
    """Name the run of a command by its moment, as the tables tell of it."""
    return f"cli-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Any]:
    """Show a bar on standard error where that is a terminal; yields what advances it."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda n=1: bar.advance(task, n)


def report(what: str, counts: dict[str, int]) -> None:
    """Print what a stage did: the counts that are not zero."""
    told = ", ".join(
        f"{number} {name.removeprefix('n_').replace('_', ' ')}" for name, number in counts.items() if number
    )
    out.print(f"[bold]{what}[/]: {told or 'nothing new'}", highlight=False, soft_wrap=True)


def print_json(rows: list[dict[str, Any]]) -> None:
    """Print one JSON object a line."""
    for row in rows:
        print(json.dumps(row, ensure_ascii=False, default=str))  # noqa: T201
