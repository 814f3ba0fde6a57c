"""From documents to staged results: cleaning and reading, one input's failure never another's.

Belongs here: turning whatever happens to one document into its SliceResult. Does not belong here: how a page is cleaned
(`blotter.clean`) or read (`blotter.extract`), and where the results go (`blotter.steps`, `blotter.replay`).
"""

import logging
from collections.abc import Callable, Iterable
from functools import lru_cache

from blotter.clean import clean_document
from blotter.errors import InputRejected, Reason, StoreDamaged
from blotter.extract import Reader
from blotter.model import Article, Document, Reading, Rejection
from blotter.store.staging import SliceResult

log = logging.getLogger(__name__)

# Refused is what the other side decides, or what the page turns out to be; the rest could not be processed.
_REFUSALS = frozenset(
    {Reason.ROBOTS, Reason.CONSENT_WALL, Reason.PAYWALL, Reason.BOT_CHALLENGE, Reason.GONE, Reason.INDEX_PAGE}
)


# Not the document's fault: the disk, the memory, or what was stored.
_OURS = (OSError, MemoryError, StoreDamaged)


@lru_cache(maxsize=2)
def load_reader(spacy_model: str | None) -> Reader:
    """Load the reader once a process."""
    return Reader(spacy_model)


def read_documents(
    documents: Iterable[tuple[Document, Callable[[], bytes]]],
    *,
    spacy_model: str | None = None,
    is_wanted: Callable[[Article], bool] = lambda article: True,
) -> list[SliceResult]:
    """Clean and read documents; one result each, in their order, whatever their bytes are.

    A document comes with a function that gets its bytes, so that one payload at a time is in memory. An article that is
    not wanted is not read. What is wrong with our own disk or memory is raised: trying again can help, and no document
    is to blame.
    """
    cleaned = [_clean(document, load_payload) for document, load_payload in documents]
    reader = load_reader(spacy_model)
    return [
        SliceResult(document=document, rejection=outcome)
        if isinstance(outcome, Rejection)
        else read_article(reader, document, outcome, is_wanted)
        for document, outcome in cleaned
    ]


def _clean(document: Document, load_payload: Callable[[], bytes]) -> tuple[Document, Article | Rejection]:
    payload = load_payload()
    try:
        return document, clean_document(document, payload)
    except InputRejected as rejected:
        return document, reject_document(document, "clean", rejected.reason, rejected.message)
    except _OURS:
        raise
    except Exception as defect:
        log.exception("cleaning %s failed", document.location)
        return document, reject_document(document, "clean", Reason.CRASHED, f"{type(defect).__name__}: {defect}")


def read_article(
    reader: Reader, document: Document, article: Article, is_wanted: Callable[[Article], bool] = lambda article: True
) -> SliceResult:
    """Read one article; a defect of the reader is a rejection of that article, what is wrong with us is raised."""
    if not is_wanted(article):
        return SliceResult(document=document, article=article)
    try:
        reading: Reading = reader.read(article)
    except _OURS:
        raise
    except Exception as defect:
        log.exception("reading %s failed", document.location)
        crashed = reject_document(document, "extract", Reason.CRASHED, f"{type(defect).__name__}: {defect}")
        return SliceResult(document=document, rejection=crashed)
    return SliceResult(document=document, article=article, reading=reading)


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
