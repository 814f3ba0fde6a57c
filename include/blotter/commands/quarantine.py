"""`blotter quarantine`: what could not be processed, and trying it again.

Does not belong here: choosing and replaying (`blotter.quarantining`).
"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from blotter.commands.common import AsJson, Config, err, out, parse_time, print_json, report
from blotter.config import load_settings

if TYPE_CHECKING:
    from blotter.quarantining import QuarantinedInput

app = typer.Typer(no_args_is_help=True, help="What could not be processed: look at it, and try it again.")

_Reasons = Annotated[
    list[str] | None, typer.Option("--reason", help="Only this reason code (docs/quarantine.md). May be repeated.")
]
_Sources = Annotated[list[str] | None, typer.Option("--source", help="Only of this source. May be repeated.")]
_Since = Annotated[str | None, typer.Option(help="Only what was quarantined since this date or ISO time, UTC.")]
_MESSAGE_CHARS = 100


@app.command("list")
def list_quarantine(
    config: Config = None,
    reason: _Reasons = None,
    source: _Sources = None,
    since: _Since = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what is replayed already.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """List what lies in quarantine, the newest first."""
    from blotter.quarantining import count_by_reason, list_quarantined

    found = list_quarantined(
        load_settings(config),
        reasons=reason or [],
        source_ids=source or [],
        since=parse_time("--since", since) if since is not None else None,
        is_replayed_wanted=everything,
    )
    if as_json:
        print_json([asdict(one) for one in found[:limit]])
        return
    if not found:
        out.print("Nothing lies in quarantine." if not (reason or source or since) else "Nothing in quarantine fits.")
        return
    for one in found[:limit]:
        _show_line(one)
    told = ", ".join(f"{number} {code}" for code, number in count_by_reason(found).items())
    more = f" ({len(found) - limit} more: --limit)" if len(found) > limit else ""
    out.print(f"\n{told or 'nothing open'}{more}", highlight=False)


@app.command("show")
def show_quarantined(
    input_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the input, or the first letters of it.")],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show one input in quarantine: what is wrong with it, where it lay, and the beginning of its bytes."""
    from blotter.quarantining import list_quarantined, preview_payload

    settings = load_settings(config)
    for one in list_quarantined(settings, input_ids=[input_id]):
        preview = preview_payload(settings, one)
        if as_json:
            print_json([{**asdict(one), "payload": preview}])
            continue
        table = Table(box=None, show_header=False, pad_edge=False)
        for name, value in asdict(one).items():
            if value is not None and name not in ("document", "delivery"):
                table.add_row(Text(name.replace("_", " "), style="dim"), Text(str(value)))
        for name in ("url", "title", "published_at"):
            if one.document is not None and (value := getattr(one.document, name)) is not None:
                table.add_row(Text(name.replace("_", " "), style="dim"), Text(str(value)))
        out.print(table)
        if preview is not None:
            out.rule(Text("what came", style="dim"))
            out.print(Text(preview), soft_wrap=True)


@app.command("replay")
def replay_quarantine(
    input_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of inputs, or the first letters of them.")
    ] = None,
    config: Config = None,
    reason: _Reasons = None,
    source: _Sources = None,
    since: _Since = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is open.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be replayed.")] = False,
) -> None:
    """Bring inputs in again once what was wrong is mended. They are published by the next build, or `blotter run`."""
    from blotter.quarantining import list_quarantined, replay_quarantined

    if not (input_ids or reason or source or since or everything):
        raise typer.BadParameter("say which: ids, --reason, --source, --since or --all")
    settings = load_settings(config)
    chosen = list_quarantined(
        settings,
        input_ids=input_ids or [],
        reasons=reason or [],
        source_ids=source or [],
        since=parse_time("--since", since) if since is not None else None,
    )
    if dry_run:
        for one in chosen:
            _show_line(one)
        out.print(f"\n{len(chosen)} would be replayed", highlight=False)
        return
    outcome = replay_quarantined(settings, chosen)
    report("replayed", dict(outcome.counts))
    for left, why in outcome.left.items():
        err.print(Text(f"{left} was left: {why}"), soft_wrap=True)
    if outcome.counts["n_documents"]:
        out.print("They wait for the next build; `blotter run` takes them now.")


def _show_line(one: "QuarantinedInput") -> None:
    line = Text(f"{one.quarantined_at:%Y-%m-%d %H:%M}  ")
    line.append(one.reason, style="bold")
    line.append(f"  {one.location}" + (f"  ({one.status})" if one.status != "open" else ""))
    line.append(f"   {one.input_id}", style="dim")
    out.print(line, soft_wrap=True)
    message = " ".join(one.message.split())
    out.print(Text(f"    {message[:_MESSAGE_CHARS]}{'…' if len(message) > _MESSAGE_CHARS else ''}"), soft_wrap=True)
