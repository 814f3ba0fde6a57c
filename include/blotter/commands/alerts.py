"""`blotter alerts`: the rules, and what they would send."""

from datetime import timedelta
from typing import Annotated

import typer
from rich.text import Text

from blotter.commands.common import Config, WarehouseFolder, open_tables, out
from blotter.config import load_settings

app = typer.Typer(no_args_is_help=True, help="The alert rules and what they send.")


@app.command("test")
def test_alerts(
    rule: Annotated[str, typer.Argument(help="Name of a rule in the setting `alerts`.")],
    days: Annotated[int, typer.Option(min=1, help="How far to look back.")] = 7,
    warehouse: WarehouseFolder = None,
    config: Config = None,
) -> None:
    """Show what a rule would have sent of the last days' changes. Nothing is sent."""
    from blotter.alert.rehearsal import rehearse_rule
    from blotter.alert.rules import load_rules
    from blotter.stores import read_clock

    settings = load_settings(config)
    until = read_clock(settings)
    with open_tables(warehouse, config) as connection:
        told = rehearse_rule(
            load_rules(settings.alerts), rule, connection, since=until - timedelta(days=days), until=until
        )
    for one in told:
        out.rule(Text(one.message.subject))
        out.print(Text(one.message.text), soft_wrap=True)
    out.print(f"{len(told)} messages in {days} days; nothing was sent.", highlight=False)
