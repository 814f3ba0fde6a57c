"""`blotter`: the stages without Airflow, and reading what they made.

Belongs here: arguments, help, progress, tables for a person, exit codes. Does not belong here: any step
(`blotter.steps`, `blotter.replay`) and any query (`blotter.queries`). Heavy imports stay inside the commands, so that
`--help` is quick.

Exit codes: 0 done, 1 something failed (the message says what to do), 2 the call or a setting is wrong, 3 a quality
gate is closed, 4 another writer holds the warehouse.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from blotter.config import load_settings
from blotter.errors import BlotterError, GateClosed, LockHeld, SettingsError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Reads the news and keeps, for every incident, the record of what is known, day by day.",
)
out = Console()
err = Console(stderr=True)

_Config = Annotated[
    Path | None,
    typer.Option(help="Settings file (TOML). Default: $BLOTTER_CONFIG; `blotter settings` shows what there is to set."),
]
_Warehouse = Annotated[
    Path | None, typer.Option("--warehouse", "-w", help="Folder of the tables. Default: the setting `warehouse`.")
]
_AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, for machines.")]


def main() -> None:
    """Run the command line; errors made for people are printed as one line, with the exit code that they mean."""
    try:
        app()
    except SettingsError as error:
        _stop(f"{error}", 2)
    except GateClosed as error:
        _stop(f"{error}", 3)
    except LockHeld as error:
        _stop(f"{error}", 4)
    except BlotterError as error:
        _stop(f"{error}", 1)
    except (OSError, SQLAlchemyError) as error:
        if isinstance(error, BrokenPipeError):  # `blotter ... | head`
            sys.stderr.close()
            sys.exit(1)
        _stop(f"{type(error).__name__}: {error}", 1)


def _stop(message: str, code: int) -> None:
    err.print(f"[bold red]blotter:[/] {_escape(message)}", highlight=False, soft_wrap=True)
    sys.exit(code)


@app.command()
def init(config: _Config = None) -> None:
    """Create the warehouse with all tables, empty, and the state. Does nothing where they are there."""
    from blotter import steps

    settings = load_settings(config)
    steps.create_stores(settings)
    out.print(f"Tables in {settings.warehouse}")


@app.command()
def run(
    config: _Config = None,
    feeds: Annotated[bool, typer.Option(help="Poll the feeds that are due.")] = True,
    drops: Annotated[bool, typer.Option(help="Take what was dropped.")] = True,
    source: Annotated[
        list[str] | None, typer.Option(help="Poll this source now, whether due or not. May be repeated.")
    ] = None,
) -> None:
    """Do once what the DAGs do: take what is new, read it, publish what changed, send the alerts."""
    from blotter import steps

    settings = load_settings(config)
    run_id = f"cli-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}"
    if feeds:
        _report("feeds", steps.ingest_feeds(settings, run_id=run_id, source_ids=source or []))
    if drops:
        _report("drops", steps.ingest_drops(settings, run_id=run_id))
    slices = steps.plan_slices(settings)
    with _progress("reading", len(slices)) as advance:
        for slice_id in slices:
            steps.read_slice(settings, slice_id)
            advance()
    _report("publish", steps.publish_batch(settings, run_id=run_id))
    _report("alerts", steps.send_alerts(settings, run_id=run_id))


@app.command()
def replay(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders of any drop format.", exists=True)],
    warehouse: Annotated[Path, typer.Option("--warehouse", "-w", help="Folder for the tables.")],
    config: _Config = None,
    by_day: Annotated[bool, typer.Option("--by-day/--at-once", help="One run a day, or one for all.")] = True,
    links: Annotated[
        Path | None,
        typer.Option(help="JSON lines `url, incident`: take links as judged, to measure reading apart.", exists=True),
    ] = None,
    checks: Annotated[bool, typer.Option(help="Run the quality gate on every day.")] = True,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Processes that read articles.")] = 1,
) -> None:
    """Play documents in the order of their publication, one run a day: the same stages, the same tables.

    All time comes from the replay's clock (23:59:59 UTC of the day). Two replays of the same documents give
    byte-identical tables. Raw archive and state lie beside the tables, in `WAREHOUSE.state/`.
    """
    from blotter.replay import load_links, replay_documents, settings_for_replay

    settings = settings_for_replay(load_settings(config), warehouse)
    counts = replay_documents(
        settings,
        paths,
        by_day=by_day,
        given_links=load_links(links) if links else None,
        is_checked=checks,
        n_jobs=jobs,
        progress=_progress,
    )
    _report("replay", counts)
    out.print(f"Tables in {settings.warehouse}")


@app.command()
def extract(
    paths: Annotated[list[str], typer.Argument(help="Files, folders, or - for a text on standard input.")],
    as_json: _AsJson = False,
    config: _Config = None,
) -> None:
    """Show what is read in articles, with the sentences that say it. Nothing is stored."""
    from blotter.replay import extract_articles

    settings = load_settings(config)
    n_read = n_failed = 0
    for extracted in extract_articles(settings, paths, stdin=sys.stdin.buffer):
        n_read += extracted.reading is not None
        n_failed += extracted.reading is None
        if as_json:
            print(json.dumps(extracted.as_json(), ensure_ascii=False))  # noqa: T201  (machines want no markup)
        else:
            from blotter.show import show_extraction

            show_extraction(out, extracted)
    if not n_read:
        _stop(f"no article could be read in {', '.join(paths)} ({n_failed} were found)", 1)


@app.command()
def incidents(
    warehouse: _Warehouse = None,
    config: _Config = None,
    as_of: Annotated[
        str | None, typer.Option(help="The records as they were known at this time: a date (its end) or ISO time, UTC.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 20,
    as_json: _AsJson = False,
) -> None:
    """List incidents, the most recently changed first."""
    from blotter import queries
    from blotter.show import show_incidents

    with _open_tables(warehouse, config) as connection:
        rows = queries.list_incidents(connection, as_of=_parse_as_of(as_of), limit=limit)
    if as_json:
        _print_json(rows)
    elif rows:
        show_incidents(out, rows)
    else:
        out.print("No incident is known." if as_of is None else f"No incident was known at {as_of}.")


@app.command()
def timeline(
    incident: Annotated[str, typer.Argument(help="Id of the incident, or the first letters of it.")],
    warehouse: _Warehouse = None,
    config: _Config = None,
    as_json: _AsJson = False,
) -> None:
    """Show one incident day by day: what became known, from whom, the sentence that says it, and what it replaced."""
    from blotter import queries
    from blotter.show import show_timeline

    with _open_tables(warehouse, config) as connection:
        incident_id = _find_incident(connection, incident)
        record = queries.read_incident(connection, incident_id, as_of=datetime.max.replace(tzinfo=UTC))
        changes = queries.read_timeline(connection, incident_id)
    if as_json:
        _print_json(changes)
    elif record is not None:
        show_timeline(out, record, changes)


@app.command()
def tables(
    warehouse: _Warehouse = None,
    config: _Config = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the data dictionary.")] = False,
) -> None:
    """Show the tables, their rows and days, and the lines that read them."""
    if markdown:
        from blotter.dictionary import render_data_dictionary

        print(render_data_dictionary(), end="")  # noqa: T201
        return
    from blotter.show import show_tables
    from blotter.store.warehouse import Warehouse

    settings = load_settings(config)
    root = str(warehouse or settings.warehouse)
    show_tables(out, Warehouse(root), root)


alerts_app = typer.Typer(no_args_is_help=True, help="The alert rules and what they send.")
app.add_typer(alerts_app, name="alerts")


@alerts_app.command("test")
def test_alerts(
    rule: Annotated[str, typer.Argument(help="Name of a rule in the setting `alerts`.")],
    days: Annotated[int, typer.Option(min=1, help="How far to look back.")] = 7,
    warehouse: _Warehouse = None,
    config: _Config = None,
) -> None:
    """Show what a rule would have sent of the last days' changes. Nothing is sent."""
    from blotter.alert.rehearsal import rehearse_rule
    from blotter.alert.rules import load_rules
    from blotter.stores import read_clock

    settings = load_settings(config)
    until = read_clock(settings)
    with _open_tables(warehouse, config) as connection:
        told = rehearse_rule(
            load_rules(settings.alerts), rule, connection, since=until - timedelta(days=days), until=until
        )
    for one in told:
        out.rule(Text(one.message.subject))
        out.print(Text(one.message.text), soft_wrap=True)
    out.print(f"{len(told)} messages in {days} days; nothing was sent.", highlight=False)


@app.command()
def settings(config: _Config = None) -> None:
    """Show every setting as it stands, in the form of a settings file."""
    from blotter.show import show_settings

    show_settings(out, load_settings(config))


@contextmanager
def _open_tables(warehouse: Path | None, config: Path | None) -> Iterator[Any]:
    from blotter import queries

    connection = queries.connect(str(warehouse) if warehouse else load_settings(config).warehouse)
    try:
        yield connection
    finally:
        connection.close()


def _find_incident(connection: Any, start: str) -> str:
    from blotter import queries

    found = queries.fetch_rows(
        connection,
        "SELECT DISTINCT incident_id FROM incidents WHERE starts_with(incident_id, ?) ORDER BY 1 LIMIT 3",
        [start],
    )
    if not found:
        _stop(f"no incident {start}: `blotter incidents` lists them", 1)
    if len(found) > 1:
        _stop(f"{start} fits more than one incident: give more of the id", 2)
    return str(found[0]["incident_id"])


def _parse_as_of(text: str | None) -> datetime:
    if text is None:
        return datetime.max.replace(tzinfo=UTC)
    try:
        return datetime.combine(date.fromisoformat(text), time.max, tzinfo=UTC)
    except ValueError:  # a time, then
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError as invalid:
        raise SettingsError(
            "--as-of", "a date or ISO time, such as 2026-03-02 or 2026-03-02T18:00:00Z", text
        ) from invalid
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@contextmanager
def _progress(what: str, total: int | None) -> Iterator[Any]:
    """Show a bar on standard error where that is a terminal; yields what advances it."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda n=1: bar.advance(task, n)


def _report(what: str, counts: dict[str, int]) -> None:
    told = ", ".join(
        f"{number} {name.removeprefix('n_').replace('_', ' ')}" for name, number in counts.items() if number
    )
    out.print(f"[bold]{what}[/]: {told or 'nothing new'}", highlight=False, soft_wrap=True)


def _print_json(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        print(json.dumps(row, ensure_ascii=False, default=str))  # noqa: T201


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)


if __name__ == "__main__":
    main()
