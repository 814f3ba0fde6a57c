"""`blotter runs`: what the last runs did, what is pending, and whether the books balance.

Does not belong here: reading and comparing (`blotter.accounting`).
"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from blotter.commands.common import AsJson, Config, out, print_json, stop
from blotter.config import load_settings

if TYPE_CHECKING:
    from blotter.accounting import PendingInputs, RunSummary

_COLOURS = {"published": "green", "quarantined": "red"}


def runs(
    config: Config = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 10,
    pending: Annotated[bool, typer.Option("--pending", help="List what has no disposition yet.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what the last runs took in and what became of it, and check that the books balance.

    Exit code 1 where an input has no disposition, or two, or where tables, runs and ledger do not agree.
    """
    from blotter.accounting import find_imbalances, list_pending, list_runs

    settings = load_settings(config)
    summaries, waiting, wrong = list_runs(settings, limit=limit), list_pending(settings), find_imbalances(settings)
    if as_json:
        print_json([{**asdict(one), "n_pending": waiting.n_pending} for one in summaries])
    else:
        for one in reversed(summaries):
            _show_run(one)
        if not summaries:
            out.print("Nothing was published yet.")
        _show_pending(waiting, is_listed=pending)
    if wrong:
        stop("the books do not balance:\n" + "\n".join(f"  {one}" for one in wrong), 1)
    if not as_json:
        out.print("Every input has one disposition, and the counts agree.")


def checks(config: Config = None) -> None:
    """Write the checks on the newest batch, and what they found, as a site (Data Docs); prints its first page."""
    from blotter.maintenance import write_checks_site

    page = write_checks_site(load_settings(config))
    out.print(str(page) if page else "Nothing was published yet.", highlight=False, soft_wrap=True)


def _show_run(one: "RunSummary") -> None:
    took_s = (one.finished_at - one.started_at).total_seconds()
    line = Text(f"{one.started_at:%Y-%m-%d %H:%M}  ", style="bold")
    line.append(f"{one.n_in} in", style="bold")
    for disposition, number in one.became.items():
        if number:
            line.append(f", {number} {disposition.replace('_', ' ')}", style=_COLOURS.get(disposition, ""))
    if one.is_blocked:
        line.append("  HELD BACK BY THE GATE, the rest is pending", style="bold red")
    elif one.n_incident_versions:
        line.append(f"  → {one.n_incident_versions} records, {one.n_changes} changes")
    line.append(f"   {took_s:.0f} s  {one.dag_id or 'command'}  {one.run_id}", style="dim")
    out.print(line, soft_wrap=True)
    for failed in one.failed:
        out.print(Text(f"    {failed}", style="red" if failed.startswith("block") else "yellow"), soft_wrap=True)


def _show_pending(waiting: "PendingInputs", *, is_listed: bool) -> None:
    if not waiting.n_pending:
        out.print("Nothing is pending.")
        return
    stages = {"to be planned": waiting.n_waiting, "to be read": waiting.n_planned, "to be published": waiting.n_read}
    told = ", ".join(f"{number} {what}" for what, number in stages.items() if number)
    out.print(f"{waiting.n_pending} pending since {waiting.oldest_at:%Y-%m-%d %H:%M}: {told}", highlight=False)
    for document in waiting.shown if is_listed else ():
        line = Text(f"    {document.received_at:%Y-%m-%d %H:%M}  {document.location}")
        line.append(f"  {document.source_id}  {document.input_id}", style="dim")
        out.print(line, soft_wrap=True)
