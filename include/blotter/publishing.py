"""From staged results to published tables: what became of each input, the records, the gate, the bundle.

Belongs here: the order of these, and the reconciling of their counts. Does not belong here: any judgement about news
(`blotter.update`) or rows (`blotter.quality`), and how a bundle is made safe (`blotter.store.warehouse`). Everything
runs under the warehouse's lock, which the caller holds.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from blotter import rows
from blotter.alert.match import match_changes
from blotter.alert.rules import AlertBook
from blotter.errors import GateClosed, PublishingError, Reason
from blotter.ids import make_id
from blotter.ingest.health import Taken, learn_habits
from blotter.ingest.schedule import follow_page
from blotter.model import (
    Article,
    Disposition,
    Judgement,
    Reading,
    ReadingKind,
    Rejection,
    identify_reading,
    identify_revision,
)
from blotter.quality import CheckReport, check_batch
from blotter.reading import reject_document
from blotter.rows import Row
from blotter.store.feeds import FollowedPage
from blotter.store.inputs import InputLedger, LatestRevision, LedgerChanges, SettledInput, StagedRow, encode_changes
from blotter.store.staging import SliceResult
from blotter.stores import Stores
from blotter.update import Update, update_incidents

log = logging.getLogger(__name__)

_UNCHECKED = CheckReport(results=(), is_blocked=False, message="", quarantined={})
_REJECTED = (Disposition.REFUSED, Disposition.QUARANTINED)
_JUDGED = "judgements"
_STAGES = ("ingest", "read", "link", "check", "publish")


@dataclass(slots=True)
class Batch:
    """What one build publishes, as it takes shape: every input's disposition, and what goes on to the next stage."""

    run_id: str
    dag_id: str | None
    now: datetime
    staged: Sequence[StagedRow]
    settled: dict[str, tuple[SettledInput, str]] = field(default_factory=dict)  # input id: disposition, stage
    input_rows: list[Row] = field(default_factory=list)
    quarantine_rows: list[Row] = field(default_factory=list)
    judgements: Sequence[Judgement] = ()  # rows that wait too, but only those that can be followed are published
    read: list[tuple[SliceResult, Article, Reading]] = field(default_factory=list)
    reread: set[str] = field(default_factory=set)  # revisions that are published already
    repeated: list[tuple[SliceResult, LatestRevision]] = field(default_factory=list)  # the same text as that

    def settle(
        self,
        result: SliceResult,
        disposition: Disposition,
        stage: str,
        *,
        article_id: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Give an input its one disposition; a second one is a defect."""
        input_id = result.document.input_id
        if input_id in self.settled:
            raise PublishingError(f"input {input_id} was settled twice: {self.settled[input_id]}, {disposition}")
        settled = SettledInput(input_id=input_id, disposition=disposition, article_id=article_id, reason=reason)
        self.settled[input_id] = (settled, stage)
        self.input_rows.append(rows.input_row(result.document, disposition, article_id=article_id, reason=reason))

    def reject(self, result: SliceResult, rejection: Rejection, stage: str) -> None:
        """Settle an input that was refused or quarantined, the latter with a row that says why."""
        if rejection.is_refused:
            self.settle(result, Disposition.REFUSED, stage, reason=rejection.reason)
            return
        self.settle(result, Disposition.QUARANTINED, stage, reason=rejection.reason)
        self.quarantine_rows.append(rows.quarantine_row(rejection, result.document))


def publish_results(
    stores: Stores,
    results: Sequence[SliceResult],
    staged: Sequence[StagedRow],
    *,
    run_id: str,
    dag_id: str | None,
    clock: Callable[[], datetime],
    alert_book: AlertBook | None = None,
    given_links: Mapping[str, str] | None = None,
    usual_volumes: Mapping[str, float] | None = None,
    is_checked: bool = True,
    is_screened: bool = False,
) -> dict[str, int]:
    """Publish what was read and the ledger rows that wait, as one batch; returns its counts.

    With `is_screened` the gate asks Great Expectations only about what a plain look finds wrong: the same outcome,
    for replays of many small days. `usual_volumes` gives the usual number of articles of a source. `results` are of
    inputs that are pending; what `clock` says at the
    start becomes `known_at` and `recorded_at`. Raises GateClosed where a check blocks: then only the ledger tables tell
    of the batch, and its inputs stay pending but for those that were rejected.
    """
    now = clock()
    batch = Batch(
        run_id=run_id,
        dag_id=dag_id,
        now=now,
        staged=[row for row in staged if row.table != _JUDGED],
        judgements=[rows.read_judgement(row.row) for row in staged if row.table == _JUDGED],
    )
    batch_id = make_id("bat", run_id, sorted(r.document.input_id for r in results), _keys_of(staged))
    _settle_results(batch, results, stores)
    screened = screen_update(
        stores,
        [(article, reading) for _, article, reading in batch.read],
        now=now,
        run_id=run_id,
        batch_id=batch_id,
        given_links=given_links,
        judgements=batch.judgements,
        usual_volumes=usual_volumes,
        is_checked=is_checked,
        is_screened=is_screened,
    )
    if screened.report.is_blocked:
        _publish_blocked(stores, batch, batch_id, list(screened.check_results))
        _show_blocked(stores, screened.tables, now)
        message = f"nothing of batch {batch_id} was published:\n{screened.report.message}"
        raise GateClosed(message, blocking=screened.report.blocking)
    update, tables = screened.update, drop_articles(screened.tables, batch.reread)
    kept = [one for one in batch.read if one[1].article_id not in screened.set_aside]
    _settle_kept(batch, screened.set_aside)
    counts = _count_stages(batch, results)
    refused = {judgement.judgement_id: refusal for judgement, refusal in update.refused}
    for judgement_id, refusal in refused.items():
        log.warning("judgement %s cannot be followed: %s", judgement_id, refusal)
    ledger_rows = {
        **_staged_by_table(batch),
        _JUDGED: [rows.judgement_row(one) for one in batch.judgements if one.judgement_id not in refused],
        "check_results": list(screened.check_results),
        "runs": [_run_row(batch, stage, counts[stage], clock()) for stage in _STAGES],
    }
    tables |= rows.build_tables(ledger_rows, recorded_at=now, run_id=run_id, batch_id=batch_id)
    alerts = (
        match_changes(
            alert_book,
            changes=update.changes,
            incidents=update.incidents,
            articles=update.articles,
            claims=(claim for _, _, reading in kept for claim in reading.claims),
        )
        if alert_book
        else []
    )
    memory = {
        "ledger": encode_changes(_ledger_changes(batch, batch_id, kept, [row.seq for row in staged])),
        "desk": update.memory(),
        "outbox": stores.outbox.encode(alerts),
        "feeds": stores.feeds.encode_pages(_choose_followed(batch)),
        "habits": _learn_habits(batch, stores),
    }
    if batch.judgements:
        outcomes = {one.judgement_id: refused.get(one.judgement_id) for one in batch.judgements}
        memory["judgements"] = stores.judgements.encode(outcomes)
    stores.warehouse.freeze(batch_id, now, run_id, tables, memory)
    stores.warehouse.roll_forward(stores.apply_memory)
    _require_settled(stores, batch)
    return {
        **{f"n_{name}": counts["total"][name] for name in ("in", *Disposition)},
        "n_incident_versions": len(update.incidents),
        "n_changes": len(update.changes),
        "n_alerts": len(alerts),
        "n_judgements": len(batch.judgements) - len(refused),
        "n_refused_judgements": len(refused),
    }


@dataclass(frozen=True, slots=True)
class Screened:
    """What a batch would change, as the gate lets it pass: `set_aside` articles (with why) are not in it."""

    update: Update
    tables: dict[str, pa.Table]
    report: CheckReport
    check_results: Sequence[Row]
    set_aside: Mapping[str, str]


def screen_update(
    stores: Stores,
    read: Sequence[tuple[Article, Reading]],
    *,
    now: datetime,
    run_id: str,
    batch_id: str,
    given_links: Mapping[str, str] | None = None,
    judgements: Sequence[Judgement] = (),
    usual_volumes: Mapping[str, float] | None = None,
    is_checked: bool = True,
    is_screened: bool = False,
) -> Screened:
    """Update the incidents and ask the gate, until nothing more is set aside; nothing is written."""
    set_aside: dict[str, str] = {}
    results_of_checks: dict[tuple[Any, ...], Row] = {}
    while True:
        kept = [(article, reading) for article, reading in read if article.article_id not in set_aside]
        update = update_incidents(
            kept,
            stores.desk,
            now=now,
            settings=stores.link_rules,
            given_links=given_links,
            judgements=judgements,
        )
        tables = rows.build_tables(_build_rows(kept, update), recorded_at=now, run_id=run_id, batch_id=batch_id)
        report = _check(tables, batch_id, now, stores, is_screened, usual_volumes) if is_checked else _UNCHECKED
        _gather_check_results(results_of_checks, report)
        if not report.quarantined:
            return Screened(update, tables, report, list(results_of_checks.values()), set_aside)
        set_aside |= report.quarantined


def drop_articles(tables: Mapping[str, pa.Table], revision_ids: Collection[str]) -> dict[str, pa.Table]:
    """Leave out the rows of texts that are published already: only their readings are new."""
    if not revision_ids or "articles" not in tables:
        return dict(tables)
    is_known = pc.is_in(tables["articles"]["revision_id"], pa.array(sorted(revision_ids), pa.string()))
    fresh = tables["articles"].filter(pc.invert(is_known))
    return {name: table for name, table in {**tables, "articles": fresh}.items() if table.num_rows}


def _settle_results(batch: Batch, results: Sequence[SliceResult], stores: Stores) -> None:
    """Settle what ends before linking, and give every new text its revision: in the order of publication."""
    articles = [result.article for result in results if result.article is not None]
    latest = stores.ledger.latest_revisions({article.article_id for article in articles})
    for result in sorted(results, key=_publication_order):
        if result.rejection is not None:
            batch.reject(result, result.rejection, "read")
            continue
        if result.article is None or result.reading is None:
            raise PublishingError(f"input {result.document.input_id} was staged with neither reading nor rejection")
        article, known = result.article, latest.get(result.article.article_id)
        if (
            known is not None
            and known.text_sha256 == article.text_sha256
            and known.extractor_version == result.reading.extractor_version
        ):
            batch.repeated.append((result, known))
            continue
        is_reread = known is not None and known.text_sha256 == article.text_sha256  # only the reader has changed
        article = identify_revision(article, (known.revision + (not is_reread)) if known else 1)
        if is_reread:
            batch.reread.add(article.revision_id)
        reading = identify_reading(result.reading, article)
        latest[article.article_id] = make_latest_revision(article, reading)
        batch.read.append((result, article, reading))


def _publication_order(result: SliceResult) -> tuple[Any, ...]:
    article = result.article
    if article is None:
        return (1, result.document.input_id)
    modified_at = article.modified_at or article.published_at
    # The last two decide between copies of one text (a page and its AMP copy), which would else go by arrival.
    return (0, article.published_at, modified_at, article.text_sha256, article.raw_sha256, result.document.location)


def _build_rows(kept: Sequence[tuple[Article, Reading]], update: Update) -> dict[str, list[Row]]:
    linked = {article.revision_id: article for article in update.articles}
    pairs = [(linked.get(article.revision_id, article), reading) for article, reading in kept]
    return {
        "articles": [rows.article_row(article) for article, _ in pairs],
        "readings": [rows.reading_row(reading) for _, reading in pairs],
        "claims": [row for article, reading in pairs for row in rows.claim_rows(article, reading)],
        "links": [rows.link_row(link) for link in update.links],
        "alignments": [rows.alignment_row(alignment) for alignment in update.alignments],
        "incidents": [rows.incident_row(incident) for incident in update.incidents],
        "participants": [row for incident in update.incidents for row in rows.participant_rows(incident)],
        "facts": [row for incident in update.incidents for row in rows.fact_rows(incident)],
        "changes": [rows.change_row(change) for change in update.changes],
    }


def _check(
    tables: Mapping[str, pa.Table],
    batch_id: str,
    now: datetime,
    stores: Stores,
    is_screened: bool,
    usual_volumes: Mapping[str, float] | None = None,
) -> CheckReport:
    return check_batch(
        tables,
        batch_id=batch_id,
        now=now,
        references={"articles.article_id": _PublishedArticles(stores.ledger)},
        usual_volumes=usual_volumes,
        is_screened=is_screened,
    )


class _PublishedArticles:
    """The articles that were published before, asked one by one: a batch seldom refers to any."""

    def __init__(self, ledger: InputLedger) -> None:
        self._ledger = ledger

    def __contains__(self, article_id: object) -> bool:
        return bool(self._ledger.latest_revisions([str(article_id)]))


def _settle_kept(batch: Batch, set_aside: Mapping[str, str]) -> None:
    """Settle what was linked; what only repeats a text shares its fate, so that it never names what is not there."""
    aside = {article.revision_id: set_aside.get(article.article_id) for _, article, _ in batch.read}
    for result, same in batch.repeated:
        if (message := aside.get(same.revision_id)) is not None:
            batch.reject(result, reject_document(result.document, "quality", Reason.FAILED_CHECK, message), "check")
        else:
            batch.settle(result, Disposition.UNCHANGED, "link", article_id=same.article_id)
    for result, article, reading in batch.read:
        if (message := set_aside.get(article.article_id)) is not None:
            batch.reject(result, reject_document(result.document, "quality", Reason.FAILED_CHECK, message), "check")
        elif reading.kind is ReadingKind.NOT_INCIDENT:
            batch.settle(result, Disposition.NOT_INCIDENT, "link", article_id=article.article_id)
        else:
            batch.settle(result, Disposition.PUBLISHED, "publish", article_id=article.article_id)


def _gather_check_results(gathered: dict[tuple[Any, ...], Row], report: CheckReport) -> None:
    """Keep the outcome of each check; one that failed stays failed, though what failed it was then set aside."""
    for row in report.results:
        key = (row["suite"], row["expectation"], row["column"])
        if key not in gathered or gathered[key]["success"]:
            gathered[key] = dict(row)


def _publish_blocked(stores: Stores, batch: Batch, batch_id: str, check_results: list[Row]) -> None:
    """Let the ledger tables tell of a batch that the gate held back: its checks, and what was rejected before them."""
    blocked_id = make_id("bat", "blocked", batch_id)
    if stores.ledger.has_batch(blocked_id):  # the same batch, held back once more
        return
    counts = Counter({"in": len(batch.settled) + len(batch.read) + len(batch.repeated)})
    rejected = [one for one, _ in batch.settled.values() if one.disposition in _REJECTED]
    counts.update(Counter(one.disposition for one in rejected))
    ids = {one.input_id for one in rejected}
    ledger_rows = {
        **_staged_by_table(batch),
        "check_results": check_results,
        "runs": [_run_row(batch, "check", counts, batch.now)],
    }
    staged_ids = {row.row["input_id"] for row in batch.staged if row.table == "inputs"}
    ledger_rows["inputs"] = [row for row in ledger_rows["inputs"] if row["input_id"] in ids | staged_ids]
    tables = rows.build_tables(ledger_rows, recorded_at=batch.now, run_id=batch.run_id, batch_id=blocked_id)
    changes = LedgerChanges(
        batch_id=blocked_id,
        settled=(*rejected, *_settled_on_arrival(batch)),
        staged_rows=tuple(row.seq for row in batch.staged),
    )
    stores.warehouse.freeze(blocked_id, batch.now, batch.run_id, tables, {"ledger": encode_changes(changes)})
    stores.warehouse.roll_forward(stores.apply_memory)


def _show_blocked(stores: Stores, tables: Mapping[str, pa.Table], now: datetime) -> None:
    """Write what was held back, and by which expectation, as a site that an operator can open."""
    from blotter.quality.data_docs import write_data_docs

    references = {"articles.article_id": _PublishedArticles(stores.ledger)}
    try:
        page = write_data_docs(tables, Path(stores.settings.checks_site), now=now, references=references)
    except OSError as refused:  # the message of the closed gate says what matters
        log.warning("%s: the site of the checks was not written: %s", stores.settings.checks_site, refused)
    else:
        log.info("the checks are shown in %s", page)


def _count_stages(batch: Batch, results: Sequence[SliceResult]) -> dict[str, Counter[str]]:
    """Count what entered each stage and what it settled; raises where the stages do not reconcile."""
    counts: dict[str, Counter[str]] = {stage: Counter() for stage in _STAGES}
    for row in batch.staged:
        if row.table == "inputs":
            counts["ingest"][str(row.row["disposition"])] += 1
    for settled, stage in batch.settled.values():
        counts[stage][settled.disposition] += 1
    remaining = sum(counts["ingest"].values()) + len(results)
    total = Counter({"in": remaining})
    for stage in _STAGES:
        total.update(counts[stage])
        settled_here = sum(counts[stage].values())
        counts[stage]["in"] = remaining
        remaining -= settled_here
    if remaining:
        raise PublishingError(f"the stages do not reconcile: {remaining} of {total['in']} inputs have no disposition")
    counts["total"] = total
    return counts


def _require_settled(stores: Stores, batch: Batch) -> None:
    """Compare the ledger with what was published; raises PublishingError, after which the books are to be looked at."""
    expected = {one.input_id: one.disposition for one, _ in batch.settled.values()}
    expected |= {one.input_id: one.disposition for one in _settled_on_arrival(batch)}
    known = {input_id: one.disposition for input_id, one in stores.ledger.settled(expected).items()}
    if wrong := sorted(input_id for input_id in expected if known.get(input_id) != expected[input_id]):
        raise PublishingError(
            f"the ledger and the tables do not reconcile on {len(wrong)} inputs, {wrong[0]} first: `blotter state "
            "rebuild` makes the ledger what the tables say"
        )


def _run_row(batch: Batch, stage: str, counts: Counter[str], finished_at: datetime) -> Row:
    return {
        "dag_id": batch.dag_id,
        "stage": stage,
        "started_at": batch.now,
        "finished_at": finished_at,
        **{f"n_{name}": counts[name] for name in ("in", *Disposition)},
    }


def _staged_by_table(batch: Batch) -> dict[str, list[Row]]:
    gathered: dict[str, list[Row]] = {"inputs": list(batch.input_rows), "quarantine": list(batch.quarantine_rows)}
    for row in batch.staged:
        gathered.setdefault(row.table, []).append(dict(row.row))
    return gathered


def _choose_followed(batch: Batch) -> list[FollowedPage]:
    """Choose the pages to ask for again: incidents' pages are edited as details emerge."""
    return [
        follow_page(
            result.document.url,
            result.document.source_id,
            first_seen_at=batch.now,
            body_sha256=result.document.payload_sha256,
        )
        for result, _, reading in batch.read
        if result.document.kind == "entry"
        and result.document.url is not None
        and reading.kind in (ReadingKind.INCIDENT, ReadingKind.FOLLOW_UP)
    ]


def _learn_habits(batch: Batch, stores: Stores) -> bytes:
    """Learn what is usual for the batch's sources, as the bytes that the bundle carries."""
    taken = list(_tell_taken(batch))
    known = stores.habits.load({one.source_id for one in taken})
    return stores.habits.encode(learn_habits(known, taken, now=batch.now))


def _tell_taken(batch: Batch) -> Iterator[Taken]:
    for _, article, reading in batch.read:
        yield Taken(source_id=article.source_id, n_chars=len(article.text), n_claims=len(reading.claims))
    read = {result.document.input_id for result, _, _ in batch.read}
    for row in _staged_by_table(batch)["inputs"]:
        if row["disposition"] in _REJECTED and row["input_id"] not in read:
            yield Taken(source_id=row["source_id"])


def _ledger_changes(
    batch: Batch, batch_id: str, kept: Sequence[tuple[SliceResult, Article, Reading]], staged_seqs: Sequence[int]
) -> LedgerChanges:
    latest = {article.article_id: make_latest_revision(article, reading) for _, article, reading in kept}
    return LedgerChanges(
        batch_id=batch_id,
        settled=(*(one for one, _ in batch.settled.values()), *_settled_on_arrival(batch)),
        revisions=tuple(latest.values()),
        staged_rows=tuple(staged_seqs),
    )


def _settled_on_arrival(batch: Batch) -> Iterator[SettledInput]:
    """What the waiting rows say of inputs that were settled when they came."""
    for row in batch.staged:
        if row.table == "inputs":
            yield SettledInput(
                input_id=row.row["input_id"],
                disposition=Disposition(row.row["disposition"]),
                article_id=row.row.get("article_id"),
                reason=row.row.get("reason"),
            )


def make_latest_revision(article: Article, reading: Reading) -> LatestRevision:
    """Say what the ledger remembers of an article once this text and this reading are published."""
    return LatestRevision(
        article_id=article.article_id,
        revision=article.revision,
        revision_id=article.revision_id,
        text_sha256=article.text_sha256,
        raw_sha256=article.raw_sha256,
        reading_id=reading.reading_id,
        extractor_version=reading.extractor_version,
    )


def _keys_of(staged: Sequence[StagedRow]) -> list[str]:
    return sorted(make_id("row", row.table, row.row) for row in staged)
