"""What a batch of readings makes of what is known: links, records, versions and changes. The door to the core.

Belongs here: the order of articles and of steps (`bench`), human judgements (`judge`), and what the core must be able
to look up (`desk`). Does not belong here: any rule of linking, resolving or tracking, and any store. Core: pure; `now`
is an argument, and what must be remembered is returned, not written.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from blotter.link.compare import LinkRules
from blotter.model import Article, Judgement, Reading
from blotter.update.bench import Update, Workbench
from blotter.update.desk import Desk
from blotter.update.judge import follow_judgement

__all__ = ["Desk", "LinkRules", "Update", "update_incidents"]

_LOOK_AHEAD = 200  # articles whose look-ups are made at once


def update_incidents(
    batch: Iterable[tuple[Article, Reading]],
    desk: Desk,
    *,
    now: datetime,
    settings: LinkRules,
    given_links: Mapping[str, str] | None = None,
    judgements: Iterable[Judgement] = (),
) -> Update:
    """Take identified articles with their readings, in any order, and decide what they change.

    Articles are taken in the order of (`published_at`, `text_sha256`), the revisions of one in theirs. Judgements come
    first and outrank whatever is computed. `given_links` (url to label) takes links as judged: articles with one label
    share one incident. The desk is only read: `Update.memory()` is what it must learn once the batch is published.
    """
    bench = Workbench(desk, now=now, rules=settings, given_links=given_links or {})
    for judgement in sorted(judgements, key=lambda one: (one.judged_at, one.judgement_id)):
        refusal = follow_judgement(bench, judgement)
        if refusal is not None:
            bench.refused.append((judgement, refusal))
    ordered = sort_batch(batch)
    for start in range(0, len(ordered), _LOOK_AHEAD):
        coming = ordered[start : start + _LOOK_AHEAD]
        bench.look_ahead(coming)
        for article, reading in coming:
            bench.take(article, reading)
    return bench.conclude()


def sort_batch(batch: Iterable[tuple[Article, Reading]]) -> list[tuple[Article, Reading]]:
    """Sort a batch by publication; the revisions and readings of one article keep the order of their numbers."""
    listed = sorted(
        batch, key=lambda pair: (pair[0].published_at, pair[0].text_sha256, pair[0].article_id, pair[1].reading_id)
    )
    by_article: dict[str, list[tuple[Article, Reading]]] = {}
    for pair in listed:
        by_article.setdefault(pair[0].article_id, []).append(pair)
    for pairs in by_article.values():
        pairs.sort(key=lambda pair: (pair[0].revision, pair[1].extractor_version), reverse=True)
    return [by_article[article.article_id].pop() for article, _ in listed]
