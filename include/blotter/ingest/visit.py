"""One page that a person names: asked for as politely and as safely as any other, and kept nowhere.

Belongs here: an address to an Arrival or a Rejection. Does not belong here: pages that feeds name (`poll`).
"""

import asyncio
from datetime import datetime

from blotter.config import FetchSettings
from blotter.errors import Reason
from blotter.ids import sha256_hex
from blotter.ingest.fetch import Fetched, Fetcher, Outcome
from blotter.model import Arrival, Document, Rejection, make_input_id

_SOURCE = "inbox"  # of documents that belong to no registered source
_REASONS = {
    Outcome.ROBOTS: Reason.ROBOTS,
    Outcome.ROBOTS_UNREACHABLE: Reason.ROBOTS,
    Outcome.GONE: Reason.GONE,
    Outcome.NOT_FOUND: Reason.GONE,
    Outcome.TOO_LARGE: Reason.TOO_LARGE,
}


def visit_page(url: str, *, settings: FetchSettings, now: datetime) -> Arrival | Rejection:
    """Fetch one page, guarded as all fetching is (docs/fetching.md); what came instead of it is a Rejection."""
    fetched = asyncio.run(_fetch(url, settings, now))
    input_id = make_input_id("visit", _SOURCE, url, None)
    if fetched.outcome is not Outcome.OK or fetched.body is None:
        told = f"{fetched.outcome}{f', {fetched.message}' if fetched.message else ''}"
        return Rejection(
            input_id=input_id,
            kind="file",
            source_id=_SOURCE,
            location=url,
            stage="ingest",
            reason=_REASONS.get(fetched.outcome, Reason.FETCH_FAILED),
            message=told,
            received_at=now,
        )
    is_text = (fetched.content_type or "").startswith("text/plain")
    document = Document(
        input_id=input_id,
        kind="file",
        source_id=_SOURCE,
        location=url,
        payload_sha256=sha256_hex(fetched.body),
        media="text" if is_text else "html",
        received_at=now,
        url=fetched.final_url or url,
        charset=fetched.charset,
        fetched_at=fetched.requested_at,
    )
    return Arrival(document=document, payload=fetched.body)


async def _fetch(url: str, settings: FetchSettings, now: datetime) -> Fetched:
    async with Fetcher(settings, now=now) as fetcher:
        return await fetcher.fetch_page(url)
