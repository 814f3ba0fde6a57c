"""`blotter tables` and `settings`: what there is to read, and what there is to set."""

from typing import Annotated

import typer

from blotter.commands.common import Config, WarehouseFolder, out
from blotter.config import load_settings


def tables(
    warehouse: WarehouseFolder = None,
    config: Config = None,
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


def settings(config: Config = None) -> None:
    """Show every setting as it stands, in the form of a settings file."""
    from blotter.show import show_settings

    show_settings(out, load_settings(config))
