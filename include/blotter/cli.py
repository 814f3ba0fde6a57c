"""`blotter`: the stages without Airflow, and reading what they made.

Belongs here: putting the commands together, and exit codes. Does not belong here: a command (`blotter.commands`), any
step or query. Heavy imports stay inside the commands, so that `--help` is quick.

Exit codes: 0 done, 1 something failed (the message says what to do), 2 the call or a setting is wrong, 3 a quality
gate is closed, 4 another writer holds the warehouse.
"""

import sys
from importlib import metadata
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from blotter.commands import (
    alerts,
    archive,
    backfill,
    extract,
    incidents,
    judge,
    quarantine,
    reprocess,
    runs,
    sources,
    stages,
    state,
    tables,
)
from blotter.commands.common import stop
from blotter.errors import BlotterError, GateClosed, LockHeld, SettingsError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Reads the news and keeps, for every incident, the record of what is known, day by day.",
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(metadata.version("blotter"))  # noqa: T201
        raise typer.Exit


@app.callback(no_args_is_help=True)
def _take_options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    pass


for command in (
    stages.init,
    stages.run,
    stages.replay,
    backfill.backfill,
    reprocess.reprocess,
    extract.extract,
    incidents.incidents,
    incidents.timeline,
    runs.runs,
    runs.checks,
    state.migrate,
    tables.tables,
    tables.settings,
):
    app.command()(command)
app.add_typer(alerts.app, name="alerts")
app.add_typer(judge.app, name="judge")
app.add_typer(archive.app, name="archive")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(state.app, name="state")
app.add_typer(sources.app, name="sources")


def main() -> None:
    """Run the command line; errors made for people are printed as one line, with the exit code that they mean."""
    try:
        app()
    except SettingsError as error:
        stop(f"{error}", 2)
    except GateClosed as error:
        stop(f"{error}", 3)
    except LockHeld as error:
        stop(f"{error}", 4)
    except BlotterError as error:
        stop(f"{error}", 1)
    except (OSError, SQLAlchemyError) as error:
        if isinstance(error, BrokenPipeError):  # `blotter ... | head`
            sys.stderr.close()
            sys.exit(1)
        stop(f"{type(error).__name__}: {error}", 1)


if __name__ == "__main__":
    main()
