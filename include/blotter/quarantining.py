"""The quarantine: what lies there, and bringing it in again once the cause is mended.

Belongs here: choosing quarantined inputs, and making each a new input that says which one it replays. Does not belong
here: why something is quarantined (`ingest`, `reading`, `quality`), and publishing it (`blotter.steps`): a replay
is pending, like any other input, and goes through the same stages.

A replay needs the row of `quarantine` and the bytes, nothing else: `origin` holds the document as it was registered, or
the delivery in which none could be seen; that is opened again. The ids of what a replay brings follow from the input
that it replays, so asking twice brings it once.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.compute as pc

from blotter.config import Settings
from blotter.errors import Reason, SettingsError, StoreDamaged
from blotter.ids import make_id
from blotter.ingest.documents import open_documents, open_line
from blotter.ingest.drops import find_filed
from blotter.ingest.poll import refetch_page
from blotter.model import Arrival, Disposition, Document, Rejection, make_input_id
from blotter.sources import load_sources
from blotter.steps import register_arrivals
from blotter.stores import Stores

_PREVIEW_BYTES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedInput:
    """One input in quarantine. `status` is open, pending (replayed, not yet published again) or replayed."""

    input_id: str
    kind: str
    source_id: str
    location: str
    stage: str
    reason: str
    message: str
    quarantined_at: datetime
    payload_sha256: str | None
    replay_of: str | None
    status: str
    replayed_to: str | None  # what became of the replay, once that is published
    document: Document | None
    delivery: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOutcome:
    """What a replay brought in, and why the rest could not be: input id to reason, in words."""

    counts: Mapping[str, int]  # n_inputs asked for, n_documents pending now, n_duplicate, n_rejected once more
    left: Mapping[str, str]


def list_quarantined(
    settings: Settings,
    *,
    input_ids: Collection[str] = (),
    reasons: Collection[str] = (),
    source_ids: Collection[str] = (),
    since: datetime | None = None,
    is_replayed_wanted: bool = False,
) -> list[QuarantinedInput]:
    """List what lies in quarantine, the newest first; what is replayed already only if wanted, or asked for by id.

    An id may be given by its first letters. Raises SettingsError for a reason that there is none of and for an id that
    nothing in quarantine starts with.
    """
    if unknown := sorted(set(reasons) - set(Reason)):
        raise SettingsError("reason", f"one of {', '.join(Reason)}", ", ".join(unknown))
    with Stores(settings) as stores:
        found = [
            one
            for one in _read_quarantined(stores)
            if (not reasons or one.reason in reasons)
            and (not source_ids or one.source_id in source_ids)
            and (since is None or one.quarantined_at >= since)
            and (not input_ids or one.input_id.startswith(tuple(input_ids)))
        ]
    for start in input_ids:
        if not any(one.input_id.startswith(start) for one in found):
            raise SettingsError("input", "the id of an input in quarantine (`blotter quarantine list`)", start)
    is_whole = is_replayed_wanted or bool(input_ids)
    return sorted(
        (one for one in found if is_whole or one.status != "replayed"),
        key=lambda one: (one.quarantined_at, one.input_id),
        reverse=True,
    )


def preview_payload(settings: Settings, quarantined: QuarantinedInput) -> str | None:
    """Give the first two thousand bytes of what came, as text, for a person to look at; None where none are kept."""
    with Stores(settings) as stores:
        if quarantined.payload_sha256 is None:
            return None
        try:
            payload = stores.archive.get(quarantined.payload_sha256)
        except (KeyError, StoreDamaged):
            return None
    return payload[:_PREVIEW_BYTES].decode("utf-8", "backslashreplace")


def replay_quarantined(settings: Settings, quarantined: Iterable[QuarantinedInput]) -> ReplayOutcome:
    """Bring inputs in again, each as a new one with `replay_of`; they are pending then, for the next build.

    One that was replayed before is left alone: what became of its replay lies in quarantine under an id of its own.
    """
    counts: Counter[str] = Counter({"n_inputs": 0, "n_documents": 0, "n_duplicate": 0, "n_rejected": 0})
    left: dict[str, str] = {}
    with Stores(settings) as stores:
        for one in quarantined:
            counts["n_inputs"] += 1
            if one.status != "open":
                left[one.input_id] = f"it was replayed already ({one.replayed_to or 'which is pending'})"
                continue
            try:
                counts.update(register_arrivals(stores, _reopen(stores, one)))
            except _CannotReplay as gone:
                left[one.input_id] = str(gone)
    return ReplayOutcome(counts=dict(counts), left=left)


class _CannotReplay(Exception):
    """What would have to be read again is not there; the message says what."""


def _read_quarantined(stores: Stores) -> Iterator[QuarantinedInput]:
    warehouse = stores.warehouse
    columns = ["input_id", "kind", "source_id", "replay_of"]
    is_quarantined = [("disposition", "=", Disposition.QUARANTINED.value)]
    inputs = {row["input_id"]: row for row in warehouse.read("inputs", columns, is_quarantined).to_pylist()}
    replays = warehouse.read("inputs", ["replay_of", "disposition"], pc.is_valid(pc.field("replay_of"))).to_pylist()
    replayed_to: dict[str, Counter[str]] = {}
    for row in replays:
        replayed_to.setdefault(row["replay_of"], Counter())[row["disposition"]] += 1
    pending = stores.ledger.pending_replays()
    for row in warehouse.read("quarantine").to_pylist():
        came = inputs.get(row["input_id"], {})
        origin = json.loads(row["origin"] or "{}")
        document = origin.get("document")
        outcome = replayed_to.get(row["input_id"])
        yield QuarantinedInput(
            input_id=row["input_id"],
            kind=came.get("kind", "file"),
            source_id=came.get("source_id", ""),
            location=row["location"],
            stage=row["stage"],
            reason=row["reason"],
            message=row["message"],
            quarantined_at=row["recorded_at"].astimezone(UTC),
            payload_sha256=row["payload_sha256"],
            replay_of=came.get("replay_of"),
            status="replayed" if outcome else "pending" if row["input_id"] in pending else "open",
            replayed_to=_word_outcome(outcome),
            document=msgspec.convert(document, Document) if document else None,
            delivery=origin.get("delivery"),
        )


def _word_outcome(outcome: Mapping[str, int] | None) -> str | None:
    if not outcome:
        return None
    if sum(outcome.values()) == 1:
        return next(iter(outcome))
    return ", ".join(f"{number} {disposition}" for disposition, number in sorted(outcome.items()))


def _reopen(stores: Stores, one: QuarantinedInput) -> Iterator[Arrival | Rejection]:
    """Bring one input in again; raises _CannotReplay where the bytes are gone."""
    if one.document is not None:
        yield _reopen_document(stores, one, one.document)
    elif one.delivery is not None:
        for arrived in _reopen_delivery(stores, one, one.delivery):
            yield _mark_replay(arrived, one)
    elif one.kind == "entry" and one.reason != Reason.EMPTY:
        yield _mark_replay(_refetch(stores, one), one)
    elif one.kind == "article":
        raise _CannotReplay("it stands as it was read before; `blotter reprocess` tries the next reader on it")
    else:
        raise _CannotReplay("nothing of it came that could be read again")


def _refetch(stores: Stores, one: QuarantinedInput) -> Arrival | Rejection:
    """Ask for the page of an entry once more; the request is a row of `fetches`, like any."""
    source = load_sources(stores.settings.sources).get(one.source_id)
    if source is None:
        raise _CannotReplay(f"{one.source_id} is no source any more")
    arrived, row = refetch_page(source, one.location, settings=stores.settings.fetch, now=stores.now())
    stores.ledger.stage_rows("fetches", [row])
    input_id = _replay_id(one, one.location, None)
    if isinstance(arrived, Rejection):
        return replace(arrived, input_id=input_id)
    return replace(arrived, document=replace(arrived.document, input_id=input_id))


def _reopen_document(stores: Stores, one: QuarantinedInput, document: Document) -> Arrival:
    payload = _get_payload(stores, document.payload_sha256)
    again = replace(document, input_id=_replay_id(one, document.location, document.payload_sha256))
    return Arrival(document=replace(again, replay_of=one.input_id), payload=payload)


def _get_payload(stores: Stores, address: str) -> bytes:
    try:
        return stores.archive.get(address)
    except KeyError:
        raise _CannotReplay(f"its bytes, {address}, are not in the raw archive") from None
    except StoreDamaged as damaged:
        raise _CannotReplay(str(damaged)) from damaged


def _reopen_delivery(
    stores: Stores, one: QuarantinedInput, delivery: Mapping[str, Any]
) -> Iterator[Arrival | Rejection]:
    modified_at = delivery["modified_at"]
    options: dict[str, Any] = {
        "source_id": one.source_id,
        "arrival": make_id("rpl", one.input_id),
        "received_at": datetime.fromisoformat(delivery["received_at"]),
        "limits": stores.settings.drops,
    }
    if one.kind == "line" and one.payload_sha256 is not None and stores.archive.has(one.payload_sha256):
        line = _get_payload(stores, one.payload_sha256)
        kept_at = datetime.fromisoformat(modified_at) if modified_at else None
        yield open_line(line, location=one.location, modified_at=kept_at, **options)
        return
    path, dropped = _find_dropped(stores.settings.inbox, one.location, delivery["arrival"])
    for arrived in open_documents(path, location=dropped, **options):
        place = arrived.document.location if isinstance(arrived, Arrival) else arrived.location
        # What could not be opened may hold more places than one; what else is in its file came in at first.
        if place == one.location or place.startswith((f"{one.location}#", f"{one.location}!")):
            yield arrived


def _find_dropped(inbox: str, location: str, claim_id: str) -> tuple[Path, str]:
    """Find the file that a location is in, and what it was called when it was dropped."""
    dropped = location
    while True:
        if (path := find_filed(inbox, dropped, claim_id)) is not None:
            return path, dropped
        shorter = re.sub(r"[#!][^#!]*$", "", dropped)  # a line of a file, a member of an archive
        if shorter == dropped:
            raise _CannotReplay(f"{dropped} lies neither in processed/ nor in failed/ of {inbox}")
        dropped = shorter


def _mark_replay(arrived: Arrival | Rejection, one: QuarantinedInput) -> Arrival | Rejection:
    if isinstance(arrived, Rejection):
        return replace(arrived, replay_of=one.input_id)
    return replace(arrived, document=replace(arrived.document, replay_of=one.input_id))


def _replay_id(one: QuarantinedInput, location: str, payload_sha256: str | None) -> str:
    return make_input_id(make_id("rpl", one.input_id), one.source_id, location, payload_sha256)


def count_by_reason(quarantined: Sequence[QuarantinedInput]) -> dict[str, int]:
    """Count what is open by its reason, the most frequent first."""
    return dict(Counter(one.reason for one in quarantined if one.status == "open").most_common())
