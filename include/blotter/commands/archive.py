"""`blotter archive`: how long documents are kept, and what the law has removed.

Does not belong here: removing (`blotter.maintenance`, `blotter.erasing`).
"""

from typing import Annotated

import typer
from rich.text import Text

from blotter.commands.common import Config, name_run, out, report
from blotter.config import load_settings

app = typer.Typer(no_args_is_help=True, help="The raw archive: every document as it came.")


@app.command("expire")
def expire(
    config: Config = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be removed.")] = False,
) -> None:
    """Remove documents older than the setting keep.raw_days; what is pending or in quarantine stays."""
    from blotter.maintenance import expire_documents

    settings = load_settings(config)
    if settings.keep.raw_days is None:
        out.print("Documents are kept for ever: the setting keep.raw_days is not set.")
        return
    counts = expire_documents(settings, is_dry_run=dry_run)
    told = "would be removed" if dry_run else "removed"
    out.print(f"{counts['n_documents']} documents, {counts['n_bytes'] / 1e6:.1f} MB {told}", highlight=False)


@app.command("erase")
def erase(
    article_ids: Annotated[list[str], typer.Argument(metavar="ARTICLE_ID...", help="Whole ids of articles.")],
    reason: Annotated[str, typer.Option(help="Why: it is kept, with who decided it.", prompt=True)],
    actor: Annotated[str, typer.Option("--by", help="Who decided it.", prompt=True)],
    config: Config = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be erased.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase articles for legal reasons: bytes, text, quotes and values, everywhere. It cannot be undone.

    Ids, times and counts stay, and a row of `judgements` with who decided it and why.
    """
    from blotter.erasing import erase_articles

    settings = load_settings(config)
    if not (dry_run or yes):
        typer.confirm(f"Erase {len(article_ids)} articles for good?", abort=True)
    erasure = erase_articles(
        settings,
        article_ids,
        actor=actor,
        reason=reason,
        run_id=name_run(),
        is_dry_run=dry_run,
    )
    report("would be erased" if dry_run else "erased", {"n_documents": erasure.n_documents, **erasure.n_rows})
    for file in erasure.files:
        told = f"{file} was dropped and lies in {settings.inbox}: remove it, or what it says of this"
        out.print(Text(told), soft_wrap=True)
