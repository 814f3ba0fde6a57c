"""Taking what lies in the backfill folder, one day of publication at a time.

Belongs here: finding on which day each document of a file was published, remembering that, and registering those of one
day as pending. Does not belong here: which days (a DAG's logical dates, or the command line), reading and publishing.

The folder holds the formats of a drop folder, in `backfill/SOURCE/...`; files straight in it belong to the host of
their documents' addresses, or to `inbox`. Unlike a drop folder's its files stay where they are, since every day of a
backfill looks into them: a file is opened once to note the days of its documents, and then only for its own days.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

from blotter.clean import clean_document
from blotter.config import Settings
from blotter.errors import InputRejected
from blotter.ids import sha256_hex
from blotter.ingest.documents import open_documents
from blotter.model import Arrival, Rejection
from blotter.steps import register_arrivals
from blotter.store.places import join_location, open_place
from blotter.stores import Stores

log = logging.getLogger(__name__)

_NO_DATES = ("file", "received")  # bases that say nothing of publication
Counts = dict[str, int]


def backfill_day(settings: Settings, day: date, *, source_ids: tuple[str, ...] = ()) -> Counts:
    """Register as pending what the backfill folder holds of one day of publication (UTC), of all or some sources.

    Returns `n_files` looked into, `n_documents` registered, `n_duplicate` known before, `n_rejected`, and `n_waiting`
    for a build, one slice's worth at most. Again for the same day gives the same inputs, which the ledger knows; a file
    that is broken is told in the log and left alone.
    """
    counts: Counts = {"n_files": 0, "n_documents": 0, "n_duplicate": 0, "n_rejected": 0}
    with Stores(settings) as stores:
        received_at = stores.now()
        for path, source_id in _list_files(Path(settings.backfill), source_ids):
            days = _read_days(settings, path, source_id, stores)
            wanted = {number for number, published in enumerate(days) if published == day.isoformat()}
            if not wanted:
                continue
            counts["n_files"] += 1
            opened = _open_file(settings, path, source_id, f"backfill {day}", received_at)
            chosen = (arrived for number, arrived in enumerate(opened) if number in wanted)
            for name, number in register_arrivals(stores, chosen).items():
                counts[name] += number
        counts["n_waiting"] = len(stores.ledger.pending(limit=settings.read.slice_size))
    log.info("backfill of %s: %s", day, counts)
    return counts


def list_days(settings: Settings, *, source_ids: tuple[str, ...] = ()) -> dict[date, int]:
    """Count the documents of the backfill folder by day of publication: what a backfill could take, in order."""
    counts: dict[date, int] = {}
    with Stores(settings) as stores:
        for path, source_id in _list_files(Path(settings.backfill), source_ids):
            for day in filter(None, _read_days(settings, path, source_id, stores)):
                counts[date.fromisoformat(day)] = counts.get(date.fromisoformat(day), 0) + 1
    return dict(sorted(counts.items()))


def _list_files(folder: Path, source_ids: tuple[str, ...]) -> Iterator[tuple[Path, str | None]]:
    """List the files with their sources; links, hidden files and the sidecars of others are left out."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        parts = path.relative_to(folder).parts
        source_id = parts[0] if len(parts) > 1 else None
        is_plain = path.is_file() and not path.is_symlink() and not any(part.startswith(".") for part in parts)
        if is_plain and not path.name.endswith((".meta.json", ".done")) and (not source_ids or source_id in source_ids):
            yield path, source_id


def _open_file(
    settings: Settings, path: Path, source_id: str | None, arrival: str, received_at: datetime
) -> Iterator[Arrival | Rejection]:
    location = str(path.relative_to(settings.backfill))
    return iter(
        open_documents(
            path,
            source_id=source_id,
            arrival=arrival,
            received_at=received_at,
            limits=settings.drops,
            location=f"backfill/{location}",
        )
    )


def _read_days(settings: Settings, path: Path, source_id: str | None, stores: Stores) -> list[str | None]:
    """Read on which day each document of a file was published, in its order; None where that cannot be told.

    Noted beside the staged slices, under the file's name, size and time, so that a page is cleaned once for its date.
    """
    status = path.stat()
    key = sha256_hex(f"{path.resolve()} {source_id} {status.st_size} {status.st_mtime_ns}")
    notes = open_place(join_location(settings.staging, "backfill"))
    with suppress(FileNotFoundError):
        return list(json.loads(notes.read(f"{key}.json")))
    days = [_find_day(arrived) for arrived in _open_file(settings, path, source_id, "backfill", stores.now())]
    notes.write(f"{key}.json", json.dumps(days).encode())
    return days


def _find_day(arrived: Arrival | Rejection) -> str | None:
    if isinstance(arrived, Rejection):
        log.warning("%s cannot be read and is left out: %s", arrived.location, arrived.message)
        return None
    document = arrived.document
    if document.published_at is not None and document.published_basis not in _NO_DATES:
        return document.published_at.astimezone(UTC).date().isoformat()
    try:
        article = clean_document(document, arrived.payload)
    except InputRejected as rejected:
        log.warning("%s has no date to go by and is left out: %s", document.location, rejected)
        return None
    if article.published_basis in _NO_DATES:
        log.warning("%s says nowhere when it was published and is left out", document.location)
        return None
    return article.published_at.astimezone(UTC).date().isoformat()
