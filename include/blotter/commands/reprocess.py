"""`blotter reprocess`: archived articles read again with the present extractor.

Does not belong here: choosing, reading and publishing them (`blotter.reprocessing`).
"""

from typing import Annotated

import typer
from rich.table import Table

from blotter.commands.common import Config, name_run, out, parse_day, progress, report
from blotter.config import load_settings


def reprocess(
    since: Annotated[str, typer.Option("--from", help="First day of publication, such as 2026-03-01.")],
    until: Annotated[str, typer.Option("--to", help="Last day of publication.")],
    source: Annotated[list[str] | None, typer.Option(help="Only this source. May be repeated.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and end.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Publish without asking.")] = False,
    config: Config = None,
) -> None:
    """Read archived articles again with the present extractor: show what would change, ask, and publish it.

    Changes have the cause extractor_change and alert nobody unless a rule names it. What the present extractor has
    read already is left out.
    """
    from blotter import reprocessing

    settings = load_settings(config)
    plan = reprocessing.plan_reprocess(
        settings, since=parse_day("--from", since), until=parse_day("--to", until), source_ids=source or ()
    )
    if not plan.n_articles:
        reprocessing.drop_plan(settings, plan.plan_id)
        out.print("The present extractor has read all of these articles already: nothing changes.")
        return
    with progress("reading", len(plan.slice_ids)) as advance:
        for slice_id in plan.slice_ids:
            reprocessing.reread_slice(settings, plan.plan_id, slice_id)
            advance()
    preview = reprocessing.preview_reprocess(settings, plan.plan_id)
    show_preview(preview)
    if dry_run:
        reprocessing.drop_plan(settings, plan.plan_id)
        out.print("Nothing was written.")
    elif yes or typer.confirm("Publish these changes?"):
        run_id = name_run()
        report("reprocess", reprocessing.publish_reprocess(settings, plan.plan_id, run_id=run_id))
    else:
        reprocessing.drop_plan(settings, plan.plan_id)
        out.print("Nothing was written.")


def show_preview(preview: "reprocessing.Preview") -> None:  # type: ignore[name-defined]  # noqa: F821
    """Print what would change, by field, the most frequent first."""
    out.print(
        f"{preview.n_articles} articles read again, {preview.n_failed} could not be: {preview.n_incident_versions} new "
        f"versions of incidents, {preview.n_new_incidents} of them new incidents.",
        highlight=False,
        soft_wrap=True,
    )
    if not preview.moves:
        out.print("No field would change.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, justify in (("field", "left"), ("kind", "left"), ("changes", "right"), ("incidents", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for move in preview.moves:
        table.add_row(move.field, move.kind.replace("_", " "), str(move.n_changes), str(move.n_incidents))
    out.print(table)
