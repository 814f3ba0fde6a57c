"""`blotter migrate` and `blotter state`: bringing tables to newer columns, and the state to the tables.

Does not belong here: doing it (`blotter.maintenance`).
"""

import typer

from blotter.commands.common import Config, name_run, out, report
from blotter.config import load_settings

app = typer.Typer(no_args_is_help=True, help="The operational state: what the pipeline remembers between runs.")


def migrate(config: Config = None) -> None:
    """Give the tables the columns that this version of blotter has more. Readers are right throughout."""
    from blotter.maintenance import migrate_tables

    settings = load_settings(config)
    changed = migrate_tables(settings, run_id=name_run())
    out.print(f"New columns in {', '.join(changed)}" if changed else "The tables have all columns.", highlight=False)


@app.command("rebuild")
def rebuild(config: Config = None) -> None:
    """Make the state what the tables say, where it was lost or is in doubt. Nothing is decided anew."""
    from blotter.maintenance import rebuild_state

    report("rebuilt", rebuild_state(load_settings(config), run_id=name_run()))


@app.command("sweep")
def sweep(config: Config = None) -> None:
    """Remove unfinished files that crashes left a day ago or longer."""
    from blotter.maintenance import sweep_leftovers

    report("swept", sweep_leftovers(load_settings(config)))
