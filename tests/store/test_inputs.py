import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from blotter.model import Disposition
from blotter.store.inputs import (
    InputLedger,
    KnownPayload,
    LatestRevision,
    LedgerChanges,
    SettledInput,
    encode_changes,
)
from blotter.store.state import open_state
from store.builders import NOON, make_document


@pytest.fixture
def ledger(engine: Engine) -> InputLedger:
    return InputLedger(engine)


def publish(ledger: InputLedger, engine: Engine, changes: LedgerChanges) -> None:
    with engine.begin() as connection:
        ledger.apply(connection, encode_changes(changes))


def make_revision(*, article_id: str = "art_a", revision: int = 1, **given: object) -> LatestRevision:
    content = {
        "revision_id": f"rev_{revision}",
        "text_sha256": "0" * 64,
        "raw_sha256": "0" * 64,
        "reading_id": None,
        "extractor_version": None,
    }
    return LatestRevision(article_id=article_id, revision=revision, **(content | given))


def test_documents_stay_pending_in_their_order_until_they_are_settled(ledger: InputLedger, engine: Engine) -> None:
    documents = [make_document(name=name, url=f"https://gazette.example/{name}") for name in "cab"]
    assert ledger.register(documents).new == tuple(document.input_id for document in documents)
    assert ledger.pending() == documents
    assert ledger.pending(2) == documents[:2]
    assert ledger.pending(2, skip={documents[0].input_id}) == documents[1:]
    settled = SettledInput(input_id=documents[1].input_id, disposition=Disposition.PUBLISHED, article_id="art_a")
    publish(ledger, engine, LedgerChanges(batch_id="b1", settled=(settled,)))
    assert ledger.pending() == [documents[0], documents[2]]
    assert ledger.settled([document.input_id for document in documents]) == {settled.input_id: settled}


def test_registering_again_changes_nothing(ledger: InputLedger, engine: Engine) -> None:
    documents = [make_document(name=name) for name in "ab"]
    ledger.register(documents)
    assert ledger.register(documents) == dataclasses.replace(ledger.register([]), new=())
    publish(
        ledger,
        engine,
        LedgerChanges(
            batch_id="b1", settled=(SettledInput(input_id=documents[0].input_id, disposition=Disposition.NOT_INCIDENT),)
        ),
    )
    again = ledger.register([*documents, documents[0]])
    assert (again.new, again.duplicates) == ((), {})
    assert ledger.pending() == documents[1:]


def test_the_same_bytes_from_the_same_place_are_a_duplicate(ledger: InputLedger, engine: Engine) -> None:
    first = make_document(name="a", url="https://gazette.example/a", payload=b"x")
    ledger.register([first])
    second = dataclasses.replace(first, input_id="inp_2")
    found = ledger.register([second])
    assert found.new == ()
    assert found.duplicates == {"inp_2": KnownPayload(input_id=first.input_id, article_id=None)}
    publish(
        ledger,
        engine,
        LedgerChanges(
            batch_id="b1",
            settled=(SettledInput(input_id=first.input_id, disposition=Disposition.PUBLISHED, article_id="art_a"),),
        ),
    )
    assert ledger.register([second]).duplicates["inp_2"].article_id == "art_a"
    edited = dataclasses.replace(second, payload_sha256="f" * 64)
    elsewhere = dataclasses.replace(second, input_id="inp_3", url="https://gazette.example/b")
    replay = dataclasses.replace(second, input_id="inp_4", replay_of=first.input_id)
    assert ledger.register([edited, elsewhere, replay]).new == ("inp_2", "inp_3", "inp_4")


def test_a_page_fetched_anew_that_went_back_to_an_earlier_text_is_no_duplicate(
    ledger: InputLedger, engine: Engine
) -> None:
    first = dataclasses.replace(make_document(name="a", url="https://gazette.example/a", payload=b"x"), kind="entry")
    ledger.register([first])
    settled = SettledInput(input_id=first.input_id, disposition=Disposition.PUBLISHED, article_id="art_a")
    as_first = make_revision(raw_sha256=first.payload_sha256)
    publish(ledger, engine, LedgerChanges(batch_id="b1", settled=(settled,), revisions=(as_first,)))
    again = dataclasses.replace(first, input_id="inp_again")
    assert list(ledger.register([again]).duplicates) == ["inp_again"]
    edited = make_revision(revision=2, raw_sha256="e" * 64)
    publish(ledger, engine, LedgerChanges(batch_id="b2", revisions=(edited,)))
    dropped = dataclasses.replace(again, input_id="inp_dropped", kind="file")
    found = ledger.register([again, dropped])
    assert found.new == ("inp_again",)
    assert list(found.duplicates) == ["inp_dropped"], "an old file dropped once more tells nothing new"


def test_two_of_the_same_in_one_delivery_are_one_and_a_duplicate(ledger: InputLedger) -> None:
    first = make_document(name="a")
    second = dataclasses.replace(first, input_id="inp_2")
    found = ledger.register([first, second])
    assert found.new == (first.input_id,)
    assert list(found.duplicates) == ["inp_2"]


def test_the_latest_revision_of_an_article_is_the_last_one_published(ledger: InputLedger, engine: Engine) -> None:
    publish(
        ledger, engine, LedgerChanges(batch_id="b1", revisions=(make_revision(), make_revision(article_id="art_b")))
    )
    publish(ledger, engine, LedgerChanges(batch_id="b2", revisions=(make_revision(revision=2, reading_id="rdg_2"),)))
    assert ledger.latest_revisions(["art_a", "art_b", "art_c"]) == {
        "art_a": make_revision(revision=2, reading_id="rdg_2"),
        "art_b": make_revision(article_id="art_b"),
    }


def test_rows_wait_in_order_until_their_batch_is_published(ledger: InputLedger, engine: Engine) -> None:
    fetches = [
        {
            "fetch_id": f"f{number}",
            "requested_at": NOON + dt.timedelta(microseconds=number),
            "elapsed_s": 0.25,
            "status": None,
        }
        for number in range(3)
    ]
    refused = {"input_id": "inp_1", "disposition": Disposition.REFUSED, "reason": "robots"}
    ledger.stage_rows("fetches", fetches)
    ledger.stage_rows("inputs", [refused])
    ledger.stage_rows("fetches", fetches[:1])  # a retry
    staged = ledger.staged_rows()
    assert [(row.table, row.row) for row in staged] == [("fetches", row) for row in fetches] + [("inputs", refused)]
    settled = SettledInput(input_id="inp_1", disposition=Disposition.REFUSED, reason="robots")
    gone = tuple(row.seq for row in staged if row.row != fetches[1])
    publish(ledger, engine, LedgerChanges(batch_id="b1", settled=(settled,), staged_rows=gone))
    ledger.stage_rows("inputs", [refused])  # a retry that comes after the batch
    assert [row.row for row in ledger.staged_rows()] == [fetches[1]]


def test_applying_again_is_the_same_as_once(ledger: InputLedger, engine: Engine) -> None:
    documents = [make_document(name=name) for name in "abc"]
    ledger.register(documents)
    ledger.stage_rows("fetches", [{"fetch_id": "f1"}])
    changes = LedgerChanges(
        batch_id="b1",
        settled=tuple(
            SettledInput(input_id=document.input_id, disposition=Disposition.PUBLISHED, article_id="art_a")
            for document in documents[:2]
        ),
        revisions=(make_revision(),),
        staged_rows=tuple(row.seq for row in ledger.staged_rows()),
    )
    assert not ledger.has_batch("b1")
    for _ in range(3):
        publish(ledger, engine, changes)
        assert ledger.has_batch("b1")
        counts = ledger.counts()
        assert (counts.n_pending, counts.n_staged_rows, counts.n_settled) == (1, 0, {Disposition.PUBLISHED: 2})
        assert ledger.latest_revisions(["art_a"]) == {"art_a": make_revision()}


def test_applying_again_leaves_what_came_in_between(ledger: InputLedger, engine: Engine) -> None:
    """The bundle outlives the crash that came after its changes were written; ingest went on meanwhile."""
    ledger.stage_rows("fetches", [{"fetch_id": "f1"}])
    changes = LedgerChanges(batch_id="b1", staged_rows=tuple(row.seq for row in ledger.staged_rows()))
    publish(ledger, engine, changes)
    ledger.stage_rows("fetches", [{"fetch_id": "f2"}])
    publish(ledger, engine, changes)
    [row] = ledger.staged_rows()
    assert row.row == {"fetch_id": "f2"}
    assert row.seq not in changes.staged_rows


def test_an_old_batch_applied_again_takes_nothing_back(ledger: InputLedger, engine: Engine) -> None:
    first = LedgerChanges(batch_id="b1", revisions=(make_revision(),))
    publish(ledger, engine, first)
    publish(ledger, engine, LedgerChanges(batch_id="b2", revisions=(make_revision(revision=2),)))
    publish(ledger, engine, first)
    assert ledger.latest_revisions(["art_a"])["art_a"].revision == 2


def test_what_fails_on_the_way_changes_nothing(ledger: InputLedger, engine: Engine) -> None:
    ledger.register([make_document()])
    changes = LedgerChanges(
        batch_id="b1", settled=(SettledInput(input_id=make_document().input_id, disposition=Disposition.UNCHANGED),)
    )
    with pytest.raises(RuntimeError), engine.begin() as connection:
        ledger.apply(connection, encode_changes(changes))
        raise RuntimeError("another memory failed")
    assert ledger.pending() == [make_document()]
    assert not ledger.has_batch("b1")


def test_batches_of_any_size_fit(ledger: InputLedger, engine: Engine) -> None:
    documents = [make_document(name=str(number)) for number in range(1_201)]
    assert len(ledger.register(documents).new) == 1_201
    settled = tuple(SettledInput(input_id=d.input_id, disposition=Disposition.UNCHANGED) for d in documents)
    publish(ledger, engine, LedgerChanges(batch_id="b1", settled=settled))
    assert ledger.counts().n_settled == {Disposition.UNCHANGED: 1_201}
    assert len(ledger.settled(d.input_id for d in documents)) == 1_201


def test_nothing_is_looked_up_by_reading_all_that_came_before(tmp_path: Path) -> None:
    """SQLite says of each statement how it will find its rows: by key, or by a scan of the table."""
    engine = open_state(str(tmp_path / "watched.db"))
    ledger = InputLedger(engine)
    asked: list[tuple[str, Any]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note_statement(*call: Any) -> None:
        _, _, statement, parameters, _, is_many = call
        asked.append((statement, parameters[0] if is_many else parameters))

    documents = [make_document(name=name) for name in "ab"]
    ledger.register(documents)
    ledger.stage_rows("inputs", [{"input_id": "inp_1"}])
    ledger.latest_revisions(["art_a"])
    ledger.settled(["inp_1"])
    ledger.has_batch("b0")
    settled = SettledInput(input_id=documents[0].input_id, disposition=Disposition.PUBLISHED, article_id="art_a")
    changes = LedgerChanges(batch_id="b1", settled=(settled,), revisions=(make_revision(),), staged_rows=(1,))
    publish(ledger, engine, changes)
    event.remove(engine, "before_cursor_execute", note_statement)
    with engine.connect() as connection:
        plans = [
            str(row[3])
            for statement, parameters in asked
            if statement.startswith(("SELECT", "UPDATE", "DELETE"))
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", tuple(parameters))
        ]
    engine.dispose()
    assert len(plans) >= 10
    assert [plan for plan in plans if plan.startswith("SCAN")] == []
