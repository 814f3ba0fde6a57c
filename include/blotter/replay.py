"""A whole story offline: documents played in the order of their publication, and articles read one by one.

Belongs here: the replay's clock, its order and its ids (docs/adr/0003). Does not belong here: the stages, which are the
same as everywhere (`blotter.steps`, `blotter.publishing`).
"""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import IO, Any, TypeVar

from blotter.config import ReadSettings, Settings
from blotter.confined import read_documents
from blotter.errors import SettingsError
from blotter.ids import canonical_text, make_id
from blotter.ingest.documents import SIDECAR, open_documents
from blotter.ingest.visit import visit_page
from blotter.model import Arrival, Document, Incident, Reading, Rejection, make_input_id
from blotter.publishing import publish_results
from blotter.resolve import resolve_single
from blotter.rows import incident_row
from blotter.steps import register_documents, stage_rejection
from blotter.store.archive import RawArchive
from blotter.store.places import is_object_store
from blotter.store.staging import SliceResult, StagingArea
from blotter.stores import Stores

Progress = Callable[[str, int | None], AbstractContextManager[Callable[..., None]]]
_T = TypeVar("_T")

_DELIVERY = "replay"
# The time of receipt of everything that is replayed, until what has no date of its own is given the last day. Cleaning
# takes it for no time at all, so that no date is too late.
_UNDATED = datetime(1, 1, 1, tzinfo=UTC)
_CHUNK = 200  # documents read at a time
_END_OF_DAY = time(23, 59, 59, tzinfo=UTC)


def settings_for_replay(settings: Settings, warehouse: str | Path, state: str | None = None) -> Settings:
    """Point the settings at a warehouse of a replay's own; raw archive, staging and state go to `WAREHOUSE.state/`.

    An object store has no room for a database: there `state` says where that is, a path or URL. Raises SettingsError.
    """
    is_remote = is_object_store(warehouse)
    if is_remote and state is None:
        raise SettingsError("--state", "a file (or database URL) for the state of a replay into an object store")
    root = str(warehouse).rstrip("/") if is_remote else str(Path(warehouse).resolve())
    beside = f"{root}.state"
    return settings.model_copy(
        update={
            "warehouse": root,
            "archive": f"{beside}/archive",
            "staging": f"{beside}/staging",
            "state": state or f"{beside}/state.db",
            "alerts_log": f"{state}.alerts.jsonl" if is_remote else f"{beside}/alerts.jsonl",
        }
    )


def load_links(path: Path) -> dict[str, str]:
    """Read links taken as judged, JSON lines `{"url": ..., "incident": ...}`: url to incident."""
    links: dict[str, str] = {}
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                told = json.loads(line)
                links.setdefault(str(told["url"]), str(told["incident"]))
            except (ValueError, KeyError, TypeError) as broken:
                raise SettingsError(
                    f"{path}#{number}", 'a JSON object with "url" and "incident"', line.strip()
                ) from broken
    return links


def replay_documents(
    settings: Settings,
    paths: Sequence[Path],
    *,
    by_day: bool = True,
    given_links: Mapping[str, str] | None = None,
    is_checked: bool = True,
    n_jobs: int = 1,
    progress: Progress = lambda _what, _total: nullcontext(lambda _n=1: None),
) -> dict[str, int]:
    """Play the documents of files and folders in the order of their publication; returns counts over all days.

    The clock stands at 23:59:59 UTC of the day that is played, or where the newest row was recorded if that is later.
    """
    total: Counter[str] = Counter()
    with (
        Stores(settings) as stores,
        stores.writing(_DELIVERY),
        tempfile.TemporaryDirectory(prefix="blotter-replay-") as folder,
    ):
        held = _HeldDays(StagingArea(folder), is_split=by_day)
        _read_everything(stores, paths, held, n_jobs, progress)
        with progress("playing days", len(held.days)) as advance:
            for day in held.days:
                total.update(_play_day(stores, day, held.results(day), given_links=given_links, is_checked=is_checked))
                advance()
    return {"n_days": len(held.days), **total}


class _HeldDays:
    """Results held on disk until their day is played, so that memory does not grow with the story."""

    def __init__(self, staging: StagingArea, *, is_split: bool) -> None:
        self._staging, self._is_split = staging, is_split
        self._slices: dict[date, list[str]] = {}

    def hold(self, results: Iterable[SliceResult], *, day: date | None = None) -> None:
        """Hold results, each for the day of its publication unless one is given for all."""
        by_day: dict[date, list[SliceResult]] = {}
        for result in results:
            by_day.setdefault(day or _published_at(result).date(), []).append(result)
        for held, listed in by_day.items():
            slices = self._slices.setdefault(held, [])
            slices.append(f"{held.isoformat()}.{len(slices):08d}")
            self._staging.write(slices[-1], listed)

    @property
    def days(self) -> list[date]:
        """The days to play, in order: each on which something was published, or the last one only."""
        return sorted(self._slices)[0 if self._is_split else -1 :]

    def results(self, day: date) -> list[SliceResult]:
        """What is played on a day."""
        slices = [
            name for held, names in sorted(self._slices.items()) if held == day or not self._is_split for name in names
        ]
        return [result for slice_id in slices for result in self._staging.read(slice_id)]


def _published_at(result: SliceResult) -> datetime:
    if result.article is not None:
        return result.article.published_at
    return result.document.published_at or _UNDATED


def _read_everything(stores: Stores, paths: Sequence[Path], held: _HeldDays, n_jobs: int, progress: Progress) -> None:
    settings = stores.settings
    read = partial(_read_chunk, settings.archive, settings.read)
    undated: list[Document | Rejection] = []
    with progress("reading", None) as advance, _make_pool(n_jobs) as pool:
        for results in _map_in_order(pool, read, _chunks(_archived(stores, list_files(paths)), _CHUNK), n_jobs):
            held.hold(result for result in results if _published_at(result) != _UNDATED)
            undated += [_unread(result) for result in results if _published_at(result) == _UNDATED]
            advance(len(results))
        # What has no date is taken to have been received on the last day: its weekdays are read from there.
        if undated and not held.days:
            raise SettingsError(
                ", ".join(map(str, paths)), "at least one document with a date of publication, in it or in a sidecar"
            )
        last_day = held.days[-1] if held.days else date.min
        received_at = datetime.combine(last_day, _END_OF_DAY)
        redated = (replace(one, received_at=received_at) for one in undated)
        for results in _map_in_order(pool, read, _chunks(redated, _CHUNK), n_jobs):
            held.hold(results, day=last_day)


def _unread(result: SliceResult) -> Document | Rejection:
    rejected = result.rejection
    return rejected if rejected is not None and rejected.stage == "ingest" else result.document


def _archived(stores: Stores, files: Sequence[Path]) -> Iterator[Document | Rejection]:
    """Put every payload into the raw archive and name its place in a way that does not depend on the machine."""
    occurrences: Counter[tuple[str, str | None]] = Counter()
    for file in files:
        for arrived in open_documents(
            file, source_id=None, arrival=_DELIVERY, received_at=_UNDATED, limits=stores.settings.drops
        ):
            if arrived.payload is not None:
                stores.archive.put(arrived.payload)
            told = _forget_delivery(arrived) if isinstance(arrived, Rejection) else arrived.document
            location = _name_place(told)
            occurrences[location, told.payload_sha256] += 1
            seen = occurrences[location, told.payload_sha256]
            yield replace(told, location=f"{location}#{seen}" if seen > 1 else location)


def _forget_delivery(rejection: Rejection) -> Rejection:
    # When a file was changed is no part of the story, and there is no folder that it was filed away to.
    return replace(rejection, payload=None, arrival=None, modified_at=None)


def _name_place(told: Document | Rejection) -> str:
    if isinstance(told, Document) and told.url:
        return told.url
    # What has no bytes of its own (a file that could not be opened) has nothing but its name.
    return f"sha256:{told.payload_sha256}" if told.payload_sha256 else told.location.rpartition("/")[2]


def _read_chunk(archive_root: str, settings: ReadSettings, chunk: Sequence[Document | Rejection]) -> list[SliceResult]:
    archive = RawArchive(archive_root)
    documents = [one for one in chunk if isinstance(one, Document)]
    read = read_documents(
        ((document, partial(archive.get, document.payload_sha256)) for document in documents),
        settings=settings,
        undated_at=_UNDATED,  # its weekdays can be read once it has a date
    )
    rejected = [SliceResult(document=_stand_in(one), rejection=one) for one in chunk if isinstance(one, Rejection)]
    return read + rejected


def _stand_in(rejection: Rejection) -> Document:
    return Document(
        input_id=rejection.input_id,
        kind=rejection.kind,
        source_id=rejection.source_id,
        location=rejection.location,
        payload_sha256=rejection.payload_sha256 or "",
        media="text",
        received_at=rejection.received_at,
    )


def _play_day(
    stores: Stores,
    day: date,
    results: Sequence[SliceResult],
    *,
    given_links: Mapping[str, str] | None,
    is_checked: bool,
) -> dict[str, int]:
    """Publish one day as one run: its inputs registered, what is known already settled as duplicates."""
    end = datetime.combine(day, _END_OF_DAY)
    now = max(end, stores.warehouse.newest_recorded_at() or end)
    run_id, delivered = _deliver(stores, day, results)
    played = [_set_clock(result, end) for result in delivered]
    unread = [r for r in played if r.rejection is not None and r.rejection.stage == "ingest"]
    for result in unread:
        stage_rejection(stores, result.rejection)  # type: ignore[arg-type]
    waiting = [result for result in played if result not in unread]
    register_documents(stores, [result.document for result in waiting])
    duplicates = {row.row["input_id"] for row in stores.ledger.staged_rows() if row.table == "inputs"}
    return publish_results(
        stores,
        [result for result in waiting if result.document.input_id not in duplicates],
        stores.ledger.staged_rows(),
        run_id=run_id,
        dag_id=None,
        clock=lambda: now,
        given_links=given_links,
        is_checked=is_checked,
        is_screened=True,
    )


def _deliver(stores: Stores, day: date, results: Sequence[SliceResult]) -> tuple[str, list[SliceResult]]:
    """Name the run by day and inputs, and the inputs by the run; a day that is finished is played as a further run."""
    told = sorted((result.document.location, result.document.payload_sha256) for result in results)
    base = make_id("run", day, told)
    attempt = 1
    while True:
        run_id = base if attempt == 1 else f"{base}-{attempt}"
        delivered = [_redeliver(result, run_id) for result in results]
        ids = {result.document.input_id for result in delivered}
        if not ids or ids - stores.ledger.settled(ids).keys():
            return run_id, delivered
        attempt += 1


def _redeliver(result: SliceResult, run_id: str) -> SliceResult:
    document = result.document
    input_id = make_input_id(run_id, document.source_id, document.location, document.payload_sha256)
    rejection = replace(result.rejection, input_id=input_id) if result.rejection else None
    return replace(result, document=replace(document, input_id=input_id), rejection=rejection)


def _set_clock(result: SliceResult, end: datetime) -> SliceResult:
    return result if result.article is None else replace(result, article=replace(result.article, fetched_at=end))


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """One article as read alone; `reading` is None where it could not be, and `message` says why."""

    location: str
    url: str | None
    reading: Reading | None = None
    incident: dict[str, Any] | None = None
    message: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Give the JSON object of `blotter extract --json`."""
        told: dict[str, Any] = {
            "location": self.location,
            "url": self.url,
            "kind": self.reading.kind if self.reading else None,
            "claims": [_claim_json(claim) for claim in self.reading.claims] if self.reading else [],
            "incident": json.loads(json.dumps(self.incident, default=str)),
        }
        return told if self.message is None else {**told, "error": self.message}


def extract_articles(settings: Settings, paths: Sequence[str], *, stdin: IO[bytes]) -> Iterator[Extraction]:
    """Read the articles of addresses, files, folders or (`-`) standard input, in their order; nothing is stored."""
    for path in paths:
        if path.startswith(("http://", "https://")):
            page = visit_page(path, settings=settings.fetch, now=datetime.now(UTC))
            yield from _extract_arrivals(settings, [page])
            continue
        if path == "-":
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, "stdin.txt")
                file.write_bytes(stdin.read())
                yield from _extract_file(settings, file, "-")
            continue
        if not Path(path).exists():
            raise SettingsError(path, "an address, a file or folder that exists, or - for standard input")
        for file in list_files([Path(path)]):
            yield from _extract_file(settings, file, str(file))


def _extract_file(settings: Settings, file: Path, location: str) -> Iterator[Extraction]:
    arrivals = open_documents(
        file, source_id=None, arrival="extract", received_at=datetime.now(UTC), limits=settings.drops, location=location
    )
    return _extract_arrivals(settings, arrivals)


def _extract_arrivals(settings: Settings, arrivals: Iterable[Arrival | Rejection]) -> Iterator[Extraction]:
    for chunk in _chunks(arrivals, _CHUNK):
        documents = [one for one in chunk if isinstance(one, Arrival)]
        results = iter(
            read_documents(
                ((one.document, partial(lambda payload: payload, one.payload)) for one in documents),
                settings=settings.read,
            )
        )
        for arrived in chunk:
            if isinstance(arrived, Rejection):
                yield Extraction(location=arrived.location, url=None, message=f"{arrived.reason}: {arrived.message}")
            else:
                yield _extract(next(results))


def _extract(result: SliceResult) -> Extraction:
    location, url = result.document.location, result.document.url
    if result.rejection is not None:
        return Extraction(location=location, url=url, message=f"{result.rejection.reason}: {result.rejection.message}")
    assert result.article is not None and result.reading is not None  # noqa: S101  (a result is one or the other)
    incident: Incident | None = resolve_single(result.article, result.reading)
    row = incident_row(incident) if incident else None
    return Extraction(location=location, url=result.article.url, reading=result.reading, incident=row)


def _claim_json(claim: Any) -> dict[str, Any]:
    told = {name: getattr(claim, name) for name in claim.__dataclass_fields__ if name != "claim_id"}
    return {**told, "value": canonical_text(claim.value)}


def list_files(paths: Sequence[Path]) -> list[Path]:
    """List the files under paths, in the order of their names, without sidecars, markers and hidden files."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(
                file
                for file in path.rglob("*")
                if file.is_file()
                and not file.is_symlink()
                and not any(part.startswith(".") for part in file.relative_to(path).parts)
            )
        else:
            found.append(path)
    return [file for file in found if not file.name.endswith((SIDECAR, ".done"))]


def _make_pool(n_jobs: int) -> AbstractContextManager[Executor | None]:
    # Spawned, not forked: the parent has threads (Arrow, SQLAlchemy), which a fork would leave in any state.
    return ProcessPoolExecutor(n_jobs, mp_context=get_context("spawn")) if n_jobs > 1 else nullcontext()


def _map_in_order(
    pool: Executor | None, function: Callable[[Sequence[Any]], _T], chunks: Iterable[Sequence[Any]], n_jobs: int
) -> Iterator[_T]:
    """Map chunks, a few ahead at most, so that a long stream is not taken into memory."""
    if pool is None:
        yield from map(function, chunks)
        return
    upcoming = iter(chunks)
    running = [pool.submit(function, chunk) for chunk in islice(upcoming, 2 * n_jobs)]
    while running:
        yield running.pop(0).result()
        running += [pool.submit(function, chunk) for chunk in islice(upcoming, 1)]


def _chunks(stream: Iterable[_T], size: int) -> Iterator[list[_T]]:
    iterator = iter(stream)
    while chunk := list(islice(iterator, size)):
        yield chunk
