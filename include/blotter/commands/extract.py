"""`blotter extract`: what is read in an article, shown to a person or a machine."""

import json
import sys
from typing import Annotated

import typer

from blotter.commands.common import AsJson, Config, out, stop
from blotter.config import load_settings


def extract(
    paths: Annotated[
        list[str],
        typer.Argument(help="Addresses, files, folders, or - for a text on standard input.", metavar="PATH|URL|-"),
    ],
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Show what is read in articles, with the sentences that say it. Nothing is stored."""
    from blotter.replay import extract_articles

    settings = load_settings(config)
    n_read = n_failed = 0
    for extracted in extract_articles(settings, paths, stdin=sys.stdin.buffer):
        n_read += extracted.reading is not None
        n_failed += extracted.reading is None
        if as_json:
            print(json.dumps(extracted.as_json(), ensure_ascii=False))  # noqa: T201  (machines want no markup)
        else:
            from blotter.show import show_extraction

            show_extraction(out, extracted)
    if not n_read:
        stop(f"no article could be read in {', '.join(paths)} ({n_failed} were found)", 1)
