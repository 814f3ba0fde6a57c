"""Legal erasure: an article's bytes and words go, everywhere; its ids and a tombstone stay, and who decided it and why.

Belongs here: which values of which tables came from the article. Does not belong here: how a part of a table is
replaced (`blotter.store.warehouse`), and keeping documents for a time (`blotter.maintenance`).

What goes: the documents in the raw archive, the article's text, title, author and address, its claims, the quotes and
values of facts, changes and records that rest on it and on nothing else, what the quarantine and the checks say of it,
alerts that wait, what is staged or pending, the site of the checks, and the index of the pages: of this machine now, of
others when they next look (`blotter.catalog.learn`). What stays: keys, ids, times, counts, and what other articles say
as well. It is done again from the start where a crash cut it off.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from blotter import rows
from blotter.catalog import Catalog
from blotter.config import Settings
from blotter.errors import SettingsError
from blotter.ids import canonical_text, make_id
from blotter.model import Judgement
from blotter.reprocessing import drop_plans
from blotter.rows import ERASED, ERASED_COLUMNS
from blotter.schemas import TABLES
from blotter.store.inputs import LedgerChanges, StagedRow, encode_changes
from blotter.store.locks import hold_lock
from blotter.store.outbox import Alert
from blotter.store.rebuild import rebuild_desk
from blotter.store.state import drop_old_pages
from blotter.stores import LOCK_TIMEOUT_S, Stores

Row = dict[str, Any]
_ERASE = "erase"  # the action of the judgement that tells of it
_WORD = re.compile(r"\w+")
_SENTENCE_CHARS = 20  # from here on a text is known wherever it stands; what is shorter, where it stands alone
_NAME_CHARS = 3  # what is shorter names nobody
# Fields whose value points to somebody wherever it stands; "injured" or a city stands in what is not the article's.
_TELLING_FIELDS = frozenset(("name", "street", "landmark", "employer", "hospital"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What an erasure removed, or would: rows changed by table, documents; dropped files are left to a person."""

    n_rows: Mapping[str, int]
    n_documents: int
    files: Sequence[str]


@dataclass
class _Traces:
    """Everything by which the rows of other tables are known to come from the article."""

    articles: set[str]
    inputs: set[str] = field(default_factory=set)
    payloads: set[str] = field(default_factory=set)
    locations: set[str] = field(default_factory=set)
    readings: set[str] = field(default_factory=set)
    claims: set[str] = field(default_factory=set)
    titles: set[str] = field(default_factory=set)
    batches: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)  # quotes, for what is kept as a whole
    urls: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)  # that tell a quote or a value of it
    # Values that rest on the article alone: of incident, participant (None: the incident itself) and field.
    values: dict[tuple[str, str | None, str], set[str | None]] = field(default_factory=dict)
    n_rows: dict[str, int] = field(default_factory=dict)

    def find_in(self, kept: object, incident_id: str | None = None) -> bool:
        """Say whether what is kept as a whole, in JSON's types, tells of the article: its ids, title, sentences.

        Of its incident (any, where none is named) names and addresses that rest on it alone tell of it too.
        """
        told = self._folded["told"]
        names = [name for incident, name in self._folded["names"] if incident_id in (None, incident)]
        return any(
            text in told
            or any(sentence in text for sentence in self._folded["sentences"])
            or any(name in f" {text} " for name in names)
            for text in map(_fold, _list_texts(kept))
        )

    @cached_property
    def _folded(self) -> Mapping[str, Any]:
        """What is sought, once all traces are found."""
        told = {_fold(text) for text in (*self.titles, *self.words, *self.urls, *self.articles, *self.claims)} - {""}
        values = {
            (incident_id, _fold(value))
            for (incident_id, _, name), gone in self.values.items()
            if name in _TELLING_FIELDS
            for value in gone
            if value is not None
        }
        return {
            "told": told,
            "sentences": [text for text in told if len(text) >= _SENTENCE_CHARS],
            "names": [(incident_id, f" {name} ") for incident_id, name in values if len(name) >= _NAME_CHARS],
        }


def _fold(text: str) -> str:
    """Reduce a text to its words, so that it is known however its white space and marks were changed."""
    return " ".join(_WORD.findall(text.casefold()))


def _list_texts(kept: object) -> Iterator[str]:
    if isinstance(kept, str):
        yield kept
    elif isinstance(kept, Mapping):
        for part in kept.values():
            yield from _list_texts(part)
    elif isinstance(kept, Iterable):
        for part in kept:
            yield from _list_texts(part)


def erase_articles(
    settings: Settings,
    article_ids: Collection[str],
    *,
    actor: str,
    reason: str,
    run_id: str,
    is_dry_run: bool = False,
) -> Erasure:
    """Erase articles for good; a row of `judgements` says who decided it, when and why.

    Raises SettingsError where an article is not known, LockHeld where another writer does not end.
    """
    with Stores(settings) as stores, stores.writing(run_id):
        traces = _find_traces(stores, set(article_ids))
        if not is_dry_run:
            _write_judgements(stores, sorted(article_ids), actor, reason, run_id)
            for address in sorted(traces.payloads):
                stores.archive.erase(address)
            _drop_waiting(stores, traces)  # before the tables forget the words by which alerts are found
            _drop_checks_site(Path(settings.checks_site))
        for table, change in _CHANGES.items():
            _rewrite(stores, table, change, traces, is_dry_run)
        if not is_dry_run:
            _forget(stores)
            # Whoever keeps something made of the tables looks again, and finds the erasure whole.
            _publish(stores, make_id("bat", "erased", sorted(article_ids), run_id), run_id, stores.now(), {})
    files = sorted({place for place in traces.locations - {ERASED} if "://" not in place})
    return Erasure(n_rows=traces.n_rows, n_documents=len(traces.payloads), files=files)


def _find_traces(stores: Stores, article_ids: set[str]) -> _Traces:
    traces = _Traces(articles=article_ids)
    known: set[str] = set()
    for row in _read(stores, "articles", ["article_id", "title", "raw_sha256", "batch_id", "url", "canonical_url"]):
        if row["article_id"] in article_ids:
            known.add(row["article_id"])
            traces.titles.add(row["title"])
            traces.urls |= {row["url"], row["canonical_url"]} - {None}
            traces.payloads.add(row["raw_sha256"])
            traces.batches.add(row["batch_id"])
    if missing := sorted(article_ids - known):
        raise SettingsError("article", "the id of a published article", ", ".join(missing))
    waiting = (one.row for one in stores.ledger.iterate_staged() if one.table == "inputs")
    for row in chain(_read(stores, "inputs", ["input_id", "article_id", "payload_sha256", "location"]), waiting):
        if row["article_id"] in article_ids or row["payload_sha256"] in traces.payloads:
            traces.inputs.add(row["input_id"])
            traces.locations.add(row["location"])
            traces.payloads |= {row["payload_sha256"]} - {None}
    for document in stores.ledger.iterate_pending():
        if document.payload_sha256 in traces.payloads:
            traces.inputs.add(document.input_id)
            traces.locations.add(document.location)
    judged = _read(stores, "judgements", ["action", "article_id"])
    erased = {row["article_id"] for row in judged if row["action"] == _ERASE}
    earlier: set[str] = set()
    for row in _read(stores, "claims", ["article_id", "reading_id", "claim_id", "quote"]):
        if row["article_id"] in erased:
            earlier.add(row["claim_id"])
        if row["article_id"] in article_ids:
            traces.readings.add(row["reading_id"])
            traces.claims.add(row["claim_id"])
            traces.words.add(row["quote"])
    columns = ["incident_id", "participant_id", "field", "value", "claim_ids", "judgement_id", "rivals"]
    gone = traces.claims | earlier  # what rested on two articles rests on none once both are erased
    for row in _read(stores, "facts", columns):
        for value in _list_values(row, gone):
            traces.values.setdefault((row["incident_id"], row["participant_id"], row["field"]), set()).add(value)
    moved = ["change_id", "incident_id", "participant_id", "field", "article_id", "quote"]
    for row in _read(stores, "changes", [*moved, "before", "before_state", "after", "after_state"]):
        if row["article_id"] in article_ids or _erase_change(row, traces) != row:
            traces.changes.add(row["change_id"])
    return traces


def _list_values(row: Row, claims: set[str]) -> list[str]:
    """List the values of a fact, standing or rival, that rest on erased claims and on nothing else."""
    carried = [(row["value"], row["claim_ids"], row["judgement_id"])]
    carried += [(rival["value"], rival["claim_ids"], None) for rival in row["rivals"]]
    return [
        value
        for value, claim_ids, judgement_id in carried
        if value is not None and judgement_id is None and claim_ids and claims.issuperset(claim_ids)
    ]


def _erase_article(row: Row, traces: _Traces) -> Row:
    if row["article_id"] not in traces.articles:
        return row
    return row | {"title": "", "text": "", "author": None, "url": None, "canonical_url": None}


def _erase_claim(row: Row, traces: _Traces) -> Row:
    if row["claim_id"] not in traces.claims:
        return row
    gone = {"value": None, "value_raw": "", "quote": "", "quote_start": 0, "quote_end": 0, "attributed_to": None}
    return row | gone | {"state": "retracted"}


def _erase_reasons(row: Row, traces: _Traces) -> Row:
    return row | {"reasons": []} if row["reading_id"] in traces.readings else row


def _erase_fact(row: Row, traces: _Traces) -> Row:
    gone = traces.values.get((row["incident_id"], row["participant_id"], row["field"]), set())
    if row["value"] in gone:
        row = row | {"value": None, "state": "retracted"}
    return row | {"rivals": [r | {"value": None} if r["value"] in gone else r for r in row["rivals"]]}


def _erase_change(row: Row, traces: _Traces) -> Row:
    if row["article_id"] in traces.articles:
        row = row | {"quote": None}
    gone = traces.values.get((row["incident_id"], row["participant_id"], row["field"]), set())
    for side in ("before", "after"):
        if row[side] is not None and canonical_text(json.loads(row[side])) in gone:
            row = row | {side: None, f"{side}_state": "retracted"}
    return row


def _erase_incident(row: Row, traces: _Traces) -> Row:
    if row["headline"] in traces.titles:
        row = row | {"headline": ERASED}
    row = _erase_columns(row, row["incident_id"], None, traces)
    people = [_erase_columns(one, row["incident_id"], one["participant_id"], traces) for one in row["participants"]]
    conflicts = [_erase_conflict(one, row["incident_id"], traces) for one in row["conflicts"]]
    return row | {"participants": people, "conflicts": conflicts}


def _erase_participant(row: Row, traces: _Traces) -> Row:
    return _erase_columns(row, row["incident_id"], row["participant_id"], traces)


def _erase_conflict(conflict: Row, incident_id: str, traces: _Traces) -> Row:
    gone = traces.values.get((incident_id, conflict["participant_id"], conflict["field"]), set())
    return conflict | {"values": [ERASED if value in gone else value for value in conflict["values"]]}


def _erase_columns(row: Row, incident_id: str, participant_id: str | None, traces: _Traces) -> Row:
    """Erase the columns of a record whose values rest on the article alone, the clock time with its date's field."""
    erased: Row = {}
    for (incident, participant, name), gone in traces.values.items():
        if (incident, participant) != (incident_id, participant_id):
            continue
        column = {"incident_type": "incident_types", "occurred_time": "occurred_at"}.get(name, name)
        if column == "occurred_at" and column in row:
            erased |= {"occurred_at": None, "occurred_precision": "unknown"}
        elif isinstance(row.get(column), list):
            erased[column] = [value for value in row[column] if value not in gone]
        elif row.get(column) is not None and column != "role" and str(row[column]) in gone:
            erased[column] = None
            if column == "name":
                erased["name_state"] = None
    return row | erased


def _erase_input(row: Row, traces: _Traces) -> Row:
    return row | ERASED_COLUMNS["inputs"] if row["input_id"] in traces.inputs else row


def _erase_quarantined(row: Row, traces: _Traces) -> Row:
    if row["input_id"] in traces.inputs or row["payload_sha256"] in traces.payloads:
        return row | ERASED_COLUMNS["quarantine"]
    # Another text of the article, or another article: what it is stays, so that it can be replayed.
    return row | {"message": ERASED} if traces.find_in(row["message"]) else row


def _erase_fetch(row: Row, traces: _Traces) -> Row:
    is_its = row["body_sha256"] in traces.payloads or not traces.urls.isdisjoint((row["url"], row["final_url"]))
    return row | ERASED_COLUMNS["fetches"] if is_its else row


def _erase_check_result(row: Row, traces: _Traces) -> Row:
    if row["success"] or row["observed"] is None:
        return row
    # Of a batch that was held back, only what it shows says whose rows these are.
    is_its = row["batch_id"] in traces.batches or traces.find_in(json.loads(row["observed"]))
    return row | {"observed": None} if is_its else row


# In this order: first the tables that are only written, last those by which the others' rows are found, so that an
# erasure that a crash cut off still finds them all when it is done again.
_CHANGES: Mapping[str, Callable[[Row, _Traces], Row]] = {
    "fetches": _erase_fetch,
    "links": _erase_reasons,
    "alignments": _erase_reasons,
    "incidents": _erase_incident,
    "participants": _erase_participant,
    "changes": _erase_change,
    "quarantine": _erase_quarantined,
    "check_results": _erase_check_result,
    "facts": _erase_fact,
    "claims": _erase_claim,
    "articles": _erase_article,
    "inputs": _erase_input,
}


def _rewrite(
    stores: Stores, table: str, change: Callable[[Row, _Traces], Row], traces: _Traces, is_dry_run: bool
) -> None:
    schema = TABLES[table].schema
    traces.n_rows[table] = 0

    def change_part(standing: pa.Table) -> pa.Table:
        listed = standing.to_pylist()
        changed = [change(row, traces) for row in listed]
        n_changed = sum(before != after for before, after in zip(listed, changed, strict=True))
        traces.n_rows[table] += n_changed
        return pa.Table.from_pylist(changed, schema=schema) if n_changed and not is_dry_run else standing

    stores.warehouse.rewrite(table, change_part)


def _write_judgements(stores: Stores, article_ids: Sequence[str], actor: str, reason: str, run_id: str) -> None:
    """Write down the decision before anything is removed."""
    now = stores.now()
    judgements = [
        Judgement(
            judgement_id=make_id("jdg", _ERASE, article_id, actor, now),
            action=_ERASE,
            actor=actor,
            reason=reason,
            judged_at=now,
            article_id=article_id,
        )
        for article_id in article_ids
    ]
    told = {"judgements": [rows.judgement_row(one) for one in judgements]}
    _publish(stores, make_id("bat", "erase", article_ids, run_id), run_id, now, told)


def _publish(stores: Stores, batch_id: str, run_id: str, now: datetime, told: Mapping[str, Sequence[Row]]) -> None:
    """Publish some rows as a batch into which nothing came."""
    counts = {name: 0 for name in TABLES["runs"].schema.names if name.startswith("n_")}
    run = {"dag_id": None, "stage": "publish", "started_at": now, "finished_at": now, **counts}
    recorded_at = max(now, stores.warehouse.newest_recorded_at() or now)
    tables = rows.build_tables({**told, "runs": [run]}, recorded_at=recorded_at, run_id=run_id, batch_id=batch_id)
    memory = {"ledger": encode_changes(LedgerChanges(batch_id=batch_id))}
    stores.warehouse.freeze(batch_id, recorded_at, run_id, tables, memory)
    stores.warehouse.roll_forward(stores.apply_memory)


def _drop_waiting(stores: Stores, traces: _Traces) -> None:
    """Drop what waits and has the article's words: alerts, slices that are read or planned, plans to read again.

    What was read or planned is pending, is planned anew and, where its bytes were erased, refused; a plan to read again
    is made anew. Rows that wait for a batch, and pending documents, lose the same as rows that are published.
    """
    outbox, ledger, slices = stores.outbox, stores.ledger, stores.plans  # opened before the transaction

    def is_sought(alert: Alert) -> bool:
        is_its = not traces.changes.isdisjoint(alert.change_ids)
        return is_its or traces.find_in(alert.content, alert.incident_id)

    def blank(waiting: StagedRow) -> Row:
        if waiting.table not in ERASED_COLUMNS:
            return dict(waiting.row)
        whole = {**dict.fromkeys(TABLES[waiting.table].schema.names), **waiting.row}
        blanked = _CHANGES[waiting.table](whole, traces)
        return {name: blanked[name] for name in waiting.row}

    with stores.engine.begin() as connection:
        outbox.forget(connection, is_sought)
        ledger.erase(connection, traces.payloads, blank)
    stores.feeds.unfollow_pages(traces.urls)
    slices.drop([slice_id for slice_id, _ in slices.iterate_slices()])
    stores.staging.drop(stores.staging.slices())
    drop_plans(stores.settings)


def _drop_checks_site(folder: Path) -> None:
    """Remove the site, which shows rows; `blotter checks` and the nightly upkeep write it anew."""
    from blotter.quality.data_docs import remove_data_docs  # with it comes pandas

    remove_data_docs(folder)


def _forget(stores: Stores) -> None:
    """Make the state forget: open incidents are read again from the tables, and the pages' index is learnt anew."""
    desk, settings = stores.desk, stores.settings  # opened before the transaction
    with stores.engine.begin() as connection:
        rebuild_desk(stores.warehouse, desk, connection, rules=stores.link_rules)
    drop_old_pages(stores.engine)
    catalog = Path(settings.catalog or f"{settings.warehouse.rstrip('/')}.catalog.db")
    if catalog.exists():
        # Whoever learns just now has read rows of before; what they write would stay, or lack the days that are gone.
        with hold_lock(catalog.with_suffix(".lock"), "erasure", LOCK_TIMEOUT_S):
            Catalog(catalog).remove()


def _read(stores: Stores, table: str, columns: Sequence[str]) -> Any:
    for batch in stores.warehouse.read_batches(table, columns):
        yield from batch.to_pylist()
