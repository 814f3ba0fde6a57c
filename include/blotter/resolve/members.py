"""A reading as an account of one of its incidents.

Belongs here: turning article and reading into what resolving needs. Does not belong here: what is made of it.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from blotter.link.describe import read_statements
from blotter.link.memory import Member
from blotter.model import Article, Reading

_SENTENCE_END = re.compile(r"[.!?][\"”’')]*(?=\s|$)|\n")
_MAX_HEADLINE = 200


def make_member(
    article: Article, reading: Reading, incident_ref: int, *, home_id: str, placed: Mapping[int, str] | None = None
) -> Member:
    """Make the account that a reading gives of its incident `incident_ref`, with its persons placed as in `placed`."""
    return Member(
        article_id=article.article_id,
        revision_id=article.revision_id,
        reading_id=reading.reading_id,
        incident_ref=incident_ref,
        extractor_version=reading.extractor_version,
        kind=reading.kind,
        notice=reading.notice,
        source_id=article.source_id,
        syndication_id=article.syndication_id,
        published_at=article.published_at,
        told_at=date_telling(article),
        text_sha256=article.text_sha256,
        headline=pick_headline(article),
        statements=read_statements(reading, incident_ref),
        placed=dict(placed or {}),
        home_id=home_id,
    )


def date_telling(article: Article) -> datetime:
    """Say when a page came to say what it says: an edited page does so since its edit, not since its publication."""
    if article.revision <= 1:
        return article.published_at
    return max(article.published_at, article.modified_at or article.fetched_at)


def pick_headline(article: Article) -> str:
    """Give an article's title or, where it has none, its first sentence."""
    if article.title.strip():
        return article.title.strip()
    text = article.text.strip()
    end = _SENTENCE_END.search(text)
    first = text[: end.end()].strip() if end else text
    return first if len(first) <= _MAX_HEADLINE else first[: _MAX_HEADLINE - 1].rstrip() + "…"
