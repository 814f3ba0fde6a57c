"""`blotter backfill`: what lies in the backfill folder, by day of publication.

Does not belong here: finding days and registering documents (`blotter.backfilling`).
"""

from datetime import timedelta
from typing import Annotated

import typer

from blotter.commands.common import Config, out, parse_day, report
from blotter.config import load_settings
from blotter.errors import SettingsError


def backfill(
    since: Annotated[str | None, typer.Option("--from", help="First day of publication, such as 2026-03-01.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Last day of publication. Default: the first.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Only this source. May be repeated.")] = None,
    config: Config = None,
) -> None:
    """Take what the backfill folder holds of some days; without a day, show which days it holds.

    The documents wait for the next `blotter run`, or for the build under Airflow.
    """
    from blotter import backfilling

    settings = load_settings(config)
    source_ids = tuple(source or ())
    if since is None:
        for day, number in backfilling.list_days(settings, source_ids=source_ids).items():
            out.print(f"{day}  {number}", highlight=False)
        return
    first, last = parse_day("--from", since), parse_day("--to", until or since)
    if last < first:
        raise SettingsError("--to", "a day that is not before --from", until)
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        report(f"{day}", backfilling.backfill_day(settings, day, source_ids=source_ids))
