"""Reading archived articles again with the present extractor: what would change, and then the change.

Belongs here: choosing the articles, reading them, telling what would change, and publishing the new readings. Does not
belong here: how an article is read (`blotter.extract`), what a reading changes (`blotter.update`), and asking anybody.

An article is read again from its latest text as it was published, so that quotes and offsets stay true; it is neither
fetched nor cleaned again. Only articles that another version of the extractor read last are taken: doing it twice
changes nothing, and what a crash cut off is taken up by doing it again. Plan and readings lie on the disk, a slice a
file, and are published a few thousand articles a batch, so memory does not grow with the archive.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from pathlib import Path

import msgspec

from blotter import rows
from blotter.alert.match import match_changes
from blotter.alert.rules import AlertBook, load_rules
from blotter.config import Settings
from blotter.confined import read_articles
from blotter.errors import GateClosed, SettingsError
from blotter.ids import make_id, sha256_hex
from blotter.model import Article, Disposition, Document, Reading, Rejection, identify_reading
from blotter.publishing import drop_articles, make_latest_revision, screen_update
from blotter.reading import load_reader
from blotter.store.desk import OverlayDesk, SqlDesk
from blotter.store.inputs import LedgerChanges, SettledInput, encode_changes
from blotter.store.places import is_object_store, join_location, open_place
from blotter.store.staging import SliceResult, StagingArea
from blotter.store.state import open_state
from blotter.stores import Stores
from blotter.update import update_incidents

_BATCH_ARTICLES = 3000  # read again and published together; their incidents and texts are in memory at once
_ZEROS = (
    "n_in", "n_published", "n_unchanged", "n_not_incident", "n_duplicate", "n_refused", "n_quarantined"
)  # fmt: skip


class Plan(msgspec.Struct, frozen=True):
    """Which articles are read again: the slices in which they lie, in the order of their recording."""

    plan_id: str
    slice_ids: tuple[str, ...]
    n_articles: int
    is_whole: bool  # false: there are more than `max_slices`; plan again once these are published


class FieldMoves(msgspec.Struct, frozen=True):
    """How often a field would move in one way."""

    field: str
    kind: str
    n_changes: int
    n_incidents: int


class Preview(msgspec.Struct, frozen=True):
    """What publishing a plan's readings would change."""

    n_articles: int
    n_failed: int  # could not be read; they stay as they are
    n_incident_versions: int
    n_new_incidents: int
    moves: tuple[FieldMoves, ...]  # the most frequent first


@dataclass(frozen=True, slots=True)
class _Rereadings:
    """Some thousand articles with their new readings."""

    pairs: Sequence[tuple[Article, Reading]]
    failed: Sequence[SliceResult]


def plan_reprocess(
    settings: Settings,
    *,
    since: date,
    until: date,
    source_ids: Collection[str] = (),
    slice_size: int | None = None,
    max_slices: int | None = None,
) -> Plan:
    """Choose the articles published from `since` to `until`, both days included, that another extractor read last.

    Writes them to the staging area, `slice_size` (default: the setting) a slice. The same call under the same
    extractor gives the same plan. Raises SettingsError where the days are in the wrong order.
    """
    if until < since:
        raise SettingsError("reprocess", "a last day that is not before the first", f"{since} to {until}")
    version = load_reader(settings.read.spacy_model).version
    plan_id = make_id("rep", since, until, sorted(source_ids), version)
    slices: list[str] = []
    n_articles, is_whole = 0, True
    with Stores(settings) as stores:
        chosen = _choose_articles(stores, since, until, frozenset(source_ids), version)
        staged = _articles_of(settings, plan_id)
        for articles in _cut(chosen, slice_size or settings.read.slice_size):
            if max_slices is not None and len(slices) == max_slices:
                is_whole = False
                break
            slice_id = f"{len(slices):06d}.{make_id('slc', *(article.revision_id for article in articles))}"
            staged.write(slice_id, [SliceResult(document=_stand_in(one, version), article=one) for one in articles])
            slices.append(slice_id)
            n_articles += len(articles)
        for area in (staged, _readings_of(settings, plan_id)):
            area.drop(set(area.slices()) - set(slices))
    return Plan(plan_id, tuple(slices), n_articles, is_whole)


def reread_slice(settings: Settings, plan_id: str, slice_id: str) -> dict[str, int]:
    """Read the articles of one slice again and stage the readings; does nothing where they are staged or published.

    Each within the limits that a new document has; one over them is quarantined when the plan is published.
    """
    articles, readings = _articles_of(settings, plan_id), _readings_of(settings, plan_id)
    if slice_id in readings.slices() or slice_id not in articles.slices():
        return {"n_in": 0, "n_read": 0, "n_failed": 0}
    pairs = ((one.document, one.article) for one in articles.read(slice_id) if one.article is not None)
    results = read_articles(pairs, settings=settings.read)
    readings.write(slice_id, results)
    n_failed = sum(result.rejection is not None for result in results)
    return {"n_in": len(results), "n_read": len(results) - n_failed, "n_failed": n_failed}


def preview_reprocess(settings: Settings, plan_id: str) -> Preview:
    """Say what publishing a plan's readings would change, by field; nothing is written but a scratch file."""
    changes: Counter[tuple[str, str]] = Counter()
    incidents: dict[tuple[str, str], set[str]] = {}
    counts: Counter[str] = Counter()
    with Stores(settings) as stores, tempfile.TemporaryDirectory(prefix="blotter-preview-") as folder:
        engine = open_state(str(Path(folder) / "state.db"))
        above = SqlDesk(engine)
        desk = OverlayDesk(stores.desk, above)
        for group in _gather_rereadings(stores, plan_id):
            update = update_incidents(group.pairs, desk, now=stores.now(), settings=stores.link_rules)
            for change in update.changes:
                changes[change.field, change.kind.value] += 1
                incidents.setdefault((change.field, change.kind.value), set()).add(change.incident_id)
            counts.update(
                articles=len(group.pairs),
                failed=len(group.failed),
                versions=len(update.incidents),
                new=sum(incident.version == 1 for incident in update.incidents),
            )
            with engine.begin() as connection:
                above.apply(connection, update.memory())
        engine.dispose()
    moves = sorted(changes.items(), key=lambda one: (-one[1], one[0]))
    return Preview(
        n_articles=counts["articles"],
        n_failed=counts["failed"],
        n_incident_versions=counts["versions"],
        n_new_incidents=counts["new"],
        moves=tuple(FieldMoves(field, kind, n, len(incidents[field, kind])) for (field, kind), n in moves),
    )


def publish_reprocess(settings: Settings, plan_id: str, *, run_id: str, dag_id: str | None = None) -> dict[str, int]:
    """Publish a plan's readings, some thousand articles a batch, each alone under the warehouse's lock; drop the plan.

    Every change has the cause `extractor_change`: nobody is alerted but by rules that name it. An article that has a
    newer text by now, or that the present extractor has read by now, is left out; one that could not be read stays as
    it is, and an input of the kind `article` in quarantine says why, once an extractor. Raises GateClosed where a check
    blocks a batch: those before it are published, and doing it again goes on there.
    """
    alert_book = load_rules(settings.alerts)
    names = ("n_articles", "n_failed", "n_quarantined", "n_set_aside", "n_incident_versions", "n_changes", "n_alerts")
    total = Counter(dict.fromkeys(names, 0))
    with Stores(settings) as stores:
        for group in _gather_rereadings(stores, plan_id):
            total["n_failed"] += len(group.failed)
            with stores.writing(run_id):
                total.update(_publish_rereadings(stores, group, alert_book, run_id=run_id, dag_id=dag_id))
    drop_plan(settings, plan_id)
    return dict(total)


def drop_plan(settings: Settings, plan_id: str) -> None:
    """Forget a plan and the readings made for it."""
    for area in (_articles_of(settings, plan_id), _readings_of(settings, plan_id)):
        area.drop(area.slices())
    if not is_object_store(settings.staging):  # where no folders stay behind
        shutil.rmtree(Path(settings.staging) / "reprocess" / plan_id, ignore_errors=True)


def drop_plans(settings: Settings) -> None:
    """Forget all plans: they hold texts."""
    for plan_id in open_place(join_location(settings.staging, "reprocess")).list_folders(""):
        drop_plan(settings, plan_id)


def _choose_articles(
    stores: Stores, since: date, until: date, source_ids: frozenset[str], version: str
) -> Iterator[Article]:
    """Choose by what the ledger knows of each: its latest text, and who read that last. Erased texts are left out."""
    first = datetime.combine(since, time.min, tzinfo=UTC)
    last = datetime.combine(until, time.max, tzinfo=UTC)
    for batch in stores.warehouse.read_batches("articles"):
        near = [
            row
            for row in batch.to_pylist()
            if first <= row["published_at"] <= last and (not source_ids or row["source_id"] in source_ids)
        ]
        latest = stores.ledger.latest_revisions(row["article_id"] for row in near)
        for row in near:
            known = latest.get(row["article_id"])
            if (
                known is not None
                and known.revision_id == row["revision_id"]
                and known.extractor_version != version
                and sha256_hex(row["text"]) == row["text_sha256"]
            ):
                yield rows.read_article(row)


def _gather_rereadings(stores: Stores, plan_id: str) -> Iterator[_Rereadings]:
    readings = _readings_of(stores.settings, plan_id)
    pairs: list[tuple[Article, Reading]] = []
    failed: list[SliceResult] = []
    slices = readings.slices()
    for position, slice_id in enumerate(slices, 1):
        results = readings.read(slice_id)
        failed += [result for result in results if result.rejection is not None]
        pairs += [
            (result.article, identify_reading(result.reading, result.article))
            for result in results
            if result.article is not None and result.reading is not None
        ]
        if len(pairs) >= _BATCH_ARTICLES or position == len(slices):
            yield _Rereadings(_leave_out_known(stores, pairs), failed)
            pairs, failed = [], []


def _leave_out_known(stores: Stores, pairs: Sequence[tuple[Article, Reading]]) -> list[tuple[Article, Reading]]:
    latest = stores.ledger.latest_revisions(article.article_id for article, _ in pairs)
    return [
        (article, reading)
        for article, reading in pairs
        if (known := latest.get(article.article_id)) is not None
        and known.revision_id == article.revision_id
        and known.extractor_version != reading.extractor_version
    ]


def _publish_rereadings(
    stores: Stores, group: _Rereadings, alert_book: AlertBook, *, run_id: str, dag_id: str | None
) -> dict[str, int]:
    pairs = _leave_out_known(stores, group.pairs)  # once more: we hold the lock only now
    # What was erased since it was planned is not to come back.
    pairs = [pair for pair in pairs if not stores.archive.is_erased(pair[0].raw_sha256)]
    failed = _leave_out_told(stores, group.failed)
    if not pairs and not failed:
        return {}
    now = stores.now()
    batch_id = make_id("bat", run_id, sorted(reading.reading_id for _, reading in pairs), sorted(failed))
    screened = screen_update(stores, pairs, now=now, run_id=run_id, batch_id=batch_id)
    if screened.report.is_blocked:
        message = f"nothing of batch {batch_id} was published:\n{screened.report.message}"
        raise GateClosed(message, blocking=screened.report.blocking)
    kept = [pair for pair in pairs if pair[0].article_id not in screened.set_aside]
    update = screened.update
    alerts = match_changes(
        alert_book,
        changes=update.changes,
        incidents=update.incidents,
        articles=update.articles,
        claims=(claim for _, reading in kept for claim in reading.claims),
    )
    runs = {"dag_id": dag_id, "stage": "publish", "started_at": now, "finished_at": stores.now()}
    counts = {**dict.fromkeys(_ZEROS, 0), "n_in": len(failed), "n_quarantined": len(failed)}
    told = {
        "inputs": [rows.input_row(one, Disposition.QUARANTINED, reason=one.reason) for one in failed.values()],
        "quarantine": [rows.quarantine_row(one) for one in failed.values()],
        "check_results": list(screened.check_results),
        "runs": [{**runs, **counts}],
    }
    tables = drop_articles(screened.tables, {article.revision_id for article, _ in kept})
    tables |= rows.build_tables(told, recorded_at=now, run_id=run_id, batch_id=batch_id)
    revisions = tuple(make_latest_revision(article, reading) for article, reading in kept)
    settled = tuple(
        SettledInput(input_id=one.input_id, disposition=Disposition.QUARANTINED, reason=one.reason)
        for one in failed.values()
    )
    memory = {
        "ledger": encode_changes(LedgerChanges(batch_id=batch_id, settled=settled, revisions=revisions)),
        "desk": update.memory(),
        "outbox": stores.outbox.encode(alerts),
    }
    stores.warehouse.freeze(batch_id, now, run_id, tables, memory)
    stores.warehouse.roll_forward(stores.apply_memory)
    return {
        "n_articles": len(kept),
        "n_quarantined": len(failed),
        "n_set_aside": len(screened.set_aside),
        "n_incident_versions": len(update.incidents),
        "n_changes": len(update.changes),
        "n_alerts": len(alerts),
    }


def _leave_out_told(stores: Stores, failed: Sequence[SliceResult]) -> dict[str, Rejection]:
    """Give what could not be read, by its id, without what lies in quarantine already and what was erased since."""
    rejections = {one.document.input_id: one.rejection for one in failed if one.rejection is not None}
    known = stores.ledger.settled(rejections)
    return {
        input_id: replace(rejection, retryable=False)
        for input_id, rejection in rejections.items()
        if input_id not in known and not stores.archive.is_erased(rejection.payload_sha256 or "")
    }


def _articles_of(settings: Settings, plan_id: str) -> StagingArea:
    return StagingArea(join_location(settings.staging, f"reprocess/{plan_id}/articles"))


def _readings_of(settings: Settings, plan_id: str) -> StagingArea:
    return StagingArea(join_location(settings.staging, f"reprocess/{plan_id}/readings"))


def _stand_in(article: Article, version: str) -> Document:
    """A slice's results belong to documents; this one is made of what is known of the article, one an extractor."""
    return Document(
        input_id=make_id("inp", "read again", article.revision_id, version),
        kind="article",
        source_id=article.source_id,
        location=article.url or article.article_id,
        payload_sha256=article.raw_sha256,
        media="text",
        received_at=article.fetched_at,
    )


def _cut(articles: Iterator[Article], size: int) -> Iterator[list[Article]]:
    part: list[Article] = []
    for article in articles:
        part.append(article)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part
