"""`blotter incidents` and `timeline`: reading the records.

Does not belong here: any query (`blotter.queries`).
"""

from datetime import UTC, datetime
from typing import Annotated

import typer

from blotter.commands.common import (
    AsJson,
    Config,
    WarehouseFolder,
    find_incident,
    open_tables,
    out,
    parse_as_of,
    print_json,
)


def incidents(
    warehouse: WarehouseFolder = None,
    config: Config = None,
    as_of: Annotated[
        str | None, typer.Option(help="The records as they were known at this time: a date (its end) or ISO time, UTC.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """List incidents, the most recently changed first."""
    from blotter import queries
    from blotter.show import show_incidents

    with open_tables(warehouse, config) as connection:
        rows = queries.list_incidents(connection, as_of=parse_as_of(as_of), limit=limit)
    if as_json:
        print_json(rows)
    elif rows:
        show_incidents(out, rows)
    else:
        out.print("No incident is known." if as_of is None else f"No incident was known at {as_of}.")


def timeline(
    incident: Annotated[str, typer.Argument(help="Id of the incident, or the first letters of it.")],
    warehouse: WarehouseFolder = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show one incident day by day: what became known, from whom, the sentence that says it, and what it replaced."""
    from blotter import queries
    from blotter.show import show_timeline

    with open_tables(warehouse, config) as connection:
        incident_id = find_incident(connection, incident)
        record = queries.read_incident(connection, incident_id, as_of=datetime.max.replace(tzinfo=UTC))
        changes = queries.read_timeline(connection, incident_id)
    if as_json:
        print_json(changes)
    elif record is not None:
        show_timeline(out, record, changes)
