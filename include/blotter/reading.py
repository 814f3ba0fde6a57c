"""From a document to its result: cleaning and reading, one input's failure never another's.

Belongs here: turning whatever happens to one document into its SliceResult. Does not belong here: how a page is cleaned
(`blotter.clean`) or read (`blotter.extract`), what it may cost (`blotter.confined`), and where the results go
(`blotter.steps`, `blotter.replay`).
"""

import logging
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from blotter.clean import clean_document
from blotter.errors import InputRejected, Reason, StoreDamaged
from blotter.model import Article, Document, Rejection
from blotter.store.staging import SliceResult

if TYPE_CHECKING:  # loading it takes seconds: only the process that reads needs it
    from blotter.extract import Reader

log = logging.getLogger(__name__)

# Refused is what the other side decides, or what the page turns out to be; the rest could not be processed.
_REFUSALS = frozenset(
    {
        Reason.ROBOTS,
        Reason.CONSENT_WALL,
        Reason.PAYWALL,
        Reason.BOT_CHALLENGE,
        Reason.GONE,
        Reason.INDEX_PAGE,
        Reason.ERASED,
    }
)


# Not the document's fault: the disk, the memory, or what was stored.
_OURS = (OSError, MemoryError, StoreDamaged)


@lru_cache(maxsize=2)
def load_reader(spacy_model: str | None) -> "Reader":
    """Load the reader once a process."""
    from blotter.extract import Reader

    return Reader(spacy_model)


def read_document(
    reader: "Reader", document: Document, payload: bytes, *, undated_at: datetime | None = None
) -> SliceResult:
    """Clean and read one document: the article and its reading, or the rejection that says what is wrong with it.

    An article that was published at `undated_at` is cleaned only. What is wrong with our own disk or memory is raised.
    """
    try:
        article = clean_document(document, payload)
    except InputRejected as rejected:
        return _reject(document, "clean", rejected.reason, rejected.message)
    except _OURS:
        raise
    except Exception as defect:
        log.exception("cleaning %s failed", document.location)
        return _reject(document, "clean", Reason.CRASHED, f"{type(defect).__name__}: {defect}")
    if article.published_at == undated_at:
        return SliceResult(document=document, article=article)
    return read_article(reader, document, article)


def read_article(reader: "Reader", document: Document, article: Article) -> SliceResult:
    """Read one article; a defect of the reader is a rejection of that article, what is wrong with us is raised."""
    try:
        return SliceResult(document=document, article=article, reading=reader.read(article))
    except _OURS:
        raise
    except Exception as defect:
        log.exception("reading %s failed", document.location)
        return _reject(document, "extract", Reason.CRASHED, f"{type(defect).__name__}: {defect}")


def _reject(document: Document, stage: str, reason: Reason, message: str) -> SliceResult:
    return SliceResult(document=document, rejection=reject_document(document, stage, reason, message))


def reject_document(document: Document, stage: str, reason: Reason, message: str) -> Rejection:
    """Make the rejection of a document that is in the raw archive."""
    return Rejection(
        input_id=document.input_id,
        kind=document.kind,
        source_id=document.source_id,
        location=document.location,
        stage=stage,
        reason=reason,
        message=message[:2000],
        received_at=document.received_at,
        payload_sha256=document.payload_sha256,
        is_refused=reason in _REFUSALS,
        replay_of=document.replay_of,
    )
