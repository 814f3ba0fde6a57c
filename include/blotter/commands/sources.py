"""`blotter sources`: whom we read, whether they answer, and how they do.

Does not belong here: what these commands do (`blotter.sourcing`).
"""

from collections import Counter
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from blotter.commands.common import AsJson, Config, out, print_json, stop
from blotter.config import load_settings

app = typer.Typer(no_args_is_help=True, help="Whom we read: trying, finding, importing sources, and how they do.")

SourceIds = Annotated[list[str] | None, typer.Argument(help="Ids of sources. Default: all.")]


@app.command()
def check(sources: SourceIds = None, as_json: AsJson = False, config: Config = None) -> None:
    """Ask every feed once, politely, and show what it answers. Nothing is kept; ends with 1 where one fails."""
    from blotter.sourcing import try_sources

    found = try_sources(load_settings(config), sources or [])
    if as_json:
        print_json([asdict(feed) for feed in found])
    else:
        table = _make_table("source", "feed", "outcome", "entries", "newest", "says")
        for feed in found:
            style = "green" if feed.outcome == "ok" else "red"
            says = feed.message or feed.title or ""
            table.add_row(
                *_texts(feed.source_id, feed.url),
                Text(feed.outcome, style=style),
                *_texts(feed.n_entries or "", _tell_time(feed.newest_at), says[:80]),
            )
        out.print(table)
    if n_failed := sum(feed.outcome != "ok" for feed in found):
        stop(f"{n_failed} of {len(found)} feeds did not answer with a feed", 1)


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="A feed, or the site whose feed is to be found.")],
    source_id: Annotated[str | None, typer.Option("--id", help="The source's id. Default: from its site.")] = None,
    name: Annotated[str | None, typer.Option(help="Its name. Default: the feed's title.")] = None,
    config: Config = None,
) -> None:
    """Find the feed of a site and write the source's file, for you to review."""
    from blotter.sourcing import add_source

    added = add_source(load_settings(config), url, source_id=source_id, name=name)
    out.print(Text(f"{added.source_id}: {', '.join(added.urls)}"), soft_wrap=True)
    out.print(Text(f"Review {added.path}; it is polled from now on."), soft_wrap=True)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A list of feeds in OPML, as other readers export it.")],
    config: Config = None,
) -> None:
    """Write a file for every source of an OPML list that is not in the registry yet, one a site."""
    from blotter.sourcing import import_opml

    added = import_opml(load_settings(config), file)
    written = [one for one in added if not one.skipped]
    for one in written:
        out.print(Text(f"{one.path}: {len(one.urls)} feeds"), soft_wrap=True)
    for one in added:
        if one.skipped:
            out.print(Text(f"left out {one.source_id}: {one.skipped}"), soft_wrap=True)
    out.print(f"{len(written)} sources written, {len(added) - len(written)} left out. Review them.")


@app.command()
def health(
    faults_only: Annotated[bool, typer.Option("--faults", help="Only what is wrong.")] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Show how every source does against its own habit: rate, silence, length of texts, claims read in them."""
    from blotter.sourcing import read_sources_health

    rows = [row for row in read_sources_health(load_settings(config)) if row.fault or not faults_only]
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    table = _make_table(
        "source", "status", "articles/day", "last news", "chars", "claims", "next poll", "what is wrong"
    )
    for row in rows:
        table.add_row(
            *_texts(row.source_id),
            Text(row.status, style="red" if row.fault else "green"),
            *_texts(
                _tell(row.articles_per_day, ".1f"),
                _tell_time(row.last_new_at),
                _tell_pair(row.chars_lately, row.usual_chars, ",.0f"),
                _tell_pair(row.claims_lately, row.usual_claims, ".1f"),
                _tell_time(row.next_due_at),
                " ".join(filter(None, [row.fault, row.url if row.fault else None])),
            ),
        )
    out.print(table)
    told = ", ".join(f"{n} {status}" for status, n in sorted(Counter(row.status for row in rows).items()))
    out.print(told or "No source.", highlight=False)


@app.command()
def resume(
    names: Annotated[list[str], typer.Argument(help="Ids of sources, or addresses of feeds.")], config: Config = None
) -> None:
    """Ask paused feeds again from now on, those that said that they are gone among them."""
    from blotter.sourcing import resume_feeds

    resumed = resume_feeds(load_settings(config), names)
    for url in resumed:
        out.print(Text(f"resumed {url}"), soft_wrap=True)
    if not resumed:
        out.print("None of them was paused.")


def _make_table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _texts(*values: Any) -> list[Text]:
    return [Text(str(value)) for value in values]  # never as markup: it comes from strangers


def _tell_time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at is not None else ""


def _tell(value: float | None, form: str) -> str:
    return format(value, form) if value is not None else ""


def _tell_pair(lately: float | None, usual: float | None, form: str) -> str:
    return f"{lately:{form}} of {usual:{form}}" if lately is not None and usual is not None else ""
