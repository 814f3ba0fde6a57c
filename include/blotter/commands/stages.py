"""`blotter init`, `run` and `replay`: the stages without Airflow.

Does not belong here: any stage (`blotter.steps`, `blotter.replay`).
"""

from pathlib import Path
from typing import Annotated

import typer

from blotter.commands.common import Config, name_run, out, progress, report
from blotter.config import load_settings


def init(config: Config = None) -> None:
    """Create the warehouse with all tables, empty, and the state. Does nothing where they are there."""
    from blotter import steps

    settings = load_settings(config)
    steps.create_stores(settings)
    out.print(f"Tables in {settings.warehouse}")


def run(
    config: Config = None,
    feeds: Annotated[bool, typer.Option(help="Poll the feeds that are due.")] = True,
    drops: Annotated[bool, typer.Option(help="Take what was dropped.")] = True,
    source: Annotated[
        list[str] | None, typer.Option(help="Poll this source now, whether due or not. May be repeated.")
    ] = None,
) -> None:
    """Do once what the DAGs do: take what is new, read it, publish what changed, send the alerts."""
    from blotter import steps
    from blotter.sources import load_sources

    settings = load_settings(config)
    run_id = name_run()
    if feeds:
        report("feeds", steps.ingest_feeds(settings, run_id=run_id, source_ids=source or []))
    if drops:
        report("drops", steps.ingest_drops(settings, run_id=run_id))
    slices = steps.plan_slices(settings)
    with progress("reading", len(slices)) as advance:
        for slice_id in slices:
            steps.read_slice(settings, slice_id)
            advance()
    report("publish", steps.publish_batch(settings, run_id=run_id))
    report("alerts", steps.send_alerts(settings, run_id=run_id))
    if feeds and not load_sources(settings.sources):
        out.print(
            f"No source is known: put one YAML file each into {settings.sources}, or drop files into {settings.inbox}"
        )


def replay(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders of any drop format.", exists=True)],
    warehouse: Annotated[str, typer.Option("--warehouse", "-w", help="Folder, or URL (s3://...), for the tables.")],
    config: Config = None,
    by_day: Annotated[bool, typer.Option("--by-day/--at-once", help="One run a day, or one for all.")] = True,
    links: Annotated[
        Path | None,
        typer.Option(help="JSON lines `url, incident`: take links as judged, to measure reading apart.", exists=True),
    ] = None,
    checks: Annotated[bool, typer.Option(help="Run the quality gate on every day.")] = True,
    state: Annotated[
        str | None, typer.Option(help="File for the state, where the warehouse is an object store.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Processes that read articles.")] = 1,
) -> None:
    """Play documents in the order of their publication, one run a day: the same stages, the same tables.

    All time comes from the replay's clock (23:59:59 UTC of the day). Two replays of the same documents give
    byte-identical tables. Raw archive and state lie beside the tables, in `WAREHOUSE.state/`.
    """
    from blotter.replay import load_links, replay_documents, settings_for_replay

    settings = settings_for_replay(load_settings(config), warehouse, state)
    counts = replay_documents(
        settings,
        paths,
        by_day=by_day,
        given_links=load_links(links) if links else None,
        is_checked=checks,
        n_jobs=jobs,
        progress=progress,
    )
    report("replay", counts)
    out.print(f"Tables in {settings.warehouse}")
