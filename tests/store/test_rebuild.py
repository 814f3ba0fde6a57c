"""The ledger built again from the tables knows what it knew."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select

from blotter.model import Disposition, Document
from blotter.schemas import build_table
from blotter.store.bundles import Manifest
from blotter.store.inputs import InputLedger, LatestRevision, LedgerChanges, SettledInput, encode_changes
from blotter.store.rebuild import rebuild_ledger
from blotter.store.state import metadata
from blotter.store.warehouse import Warehouse
from store.builders import NOON, make_document, make_rows

STAMP = {"recorded_at": NOON, "run_id": "", "batch_id": ""}  # set anew when a batch is frozen
LEDGER_TABLES = (
    "pending_inputs",
    "settled_inputs",
    "known_payloads",
    "latest_revisions",
    "staged_rows",
    "published_batches",
)


def dump_ledger(engine: Engine) -> Mapping[str, set[tuple[Any, ...]]]:
    with engine.connect() as connection:
        return {
            name: {tuple(row) for row in connection.execute(select(metadata.tables[name]))} for name in LEDGER_TABLES
        }


class Newsroom:
    """The chain from registering to publishing, without the news: each document is an article of its name."""

    def __init__(self, root: Path, engine: Engine) -> None:
        self.warehouse, self.ledger, self.engine = Warehouse(root, part_rows=4), InputLedger(engine), engine
        self.warehouse.init()

    def apply(self, manifest: Manifest, memory: Mapping[str, bytes]) -> None:
        with self.engine.begin() as connection:
            self.ledger.apply(connection, memory["ledger"])

    def publish(self, number: int, dispositions: Mapping[Document, Disposition], *, revision: int = 1) -> None:
        settled, inputs, articles, readings, revisions = [], [], [], [], []
        for document, disposition in dispositions.items():
            is_article = disposition in (Disposition.PUBLISHED, Disposition.UNCHANGED, Disposition.NOT_INCIDENT)
            article_id = f"art_{document.url or document.payload_sha256}" if is_article else None
            reason = None if is_article else "empty"
            settled.append(
                SettledInput(input_id=document.input_id, disposition=disposition, article_id=article_id, reason=reason)
            )
            inputs.append(
                {
                    name: getattr(document, name)
                    for name in ("input_id", "kind", "source_id", "location", "payload_sha256")
                }
                | {"disposition": disposition, "article_id": article_id, "reason": reason, **STAMP}
            )
            if disposition in (Disposition.PUBLISHED, Disposition.NOT_INCIDENT):
                named = {
                    "article_id": article_id,
                    "revision_id": f"rev_{document.input_id}",
                    "revision": revision,
                    "text_sha256": document.payload_sha256,
                    "raw_sha256": document.payload_sha256,
                    "url": document.url,
                }
                reading = {
                    "reading_id": f"rdg_{document.input_id}",
                    "revision_id": named["revision_id"],
                    "article_id": article_id,
                    "extractor_version": "7",
                }
                articles.append(make_rows("articles", batch=str(number), n_rows=1).to_pylist()[0] | named)
                readings.append(make_rows("readings", batch=str(number), n_rows=1).to_pylist()[0] | reading)
                revisions.append(
                    LatestRevision(
                        **{
                            name: named[name]
                            for name in ("article_id", "revision_id", "revision", "text_sha256", "raw_sha256")
                        },
                        reading_id=reading["reading_id"],
                        extractor_version="7",
                    )
                )
        staged = self.ledger.staged_rows()
        tables = {"inputs": inputs, "articles": articles, "readings": readings}
        tables["fetches"] = [make_rows("fetches", batch="x", n_rows=1).to_pylist()[0] | dict(row.row) for row in staged]
        changes = LedgerChanges(
            batch_id=f"b{number}",
            settled=tuple(settled),
            revisions=tuple(revisions),
            staged_rows=tuple(row.seq for row in staged),
        )
        with self.warehouse.lock("a test", timeout_s=5):
            self.warehouse.freeze(
                f"b{number}",
                NOON + dt.timedelta(hours=9 * number),
                "run",
                {name: build_table(name, rows) for name, rows in tables.items()}
                | {"runs": make_rows("runs", batch="x")},
                {"ledger": encode_changes(changes)},
            )
            self.warehouse.roll_forward(self.apply)

    def rebuild(self) -> None:
        with self.warehouse.lock("a rebuild", timeout_s=5), self.engine.begin() as connection:
            rebuild_ledger(self.warehouse, self.ledger, connection)


@pytest.fixture
def newsroom(tmp_path: Path, engine: Engine) -> Newsroom:
    newsroom = Newsroom(tmp_path / "warehouse", engine)
    documents = [make_document(name=str(number)) for number in range(6)]
    with_url = [make_document(name=f"w{number}", url=f"https://gazette.example/{number}") for number in range(6)]
    edited = [make_document(name=f"e{number}", url=f"https://gazette.example/{number}") for number in range(3)]
    newsroom.ledger.register([*documents, *with_url, *edited])
    newsroom.ledger.stage_rows("fetches", [{"fetch_id": "f1"}, {"fetch_id": "f2"}])
    newsroom.publish(0, dict.fromkeys([*documents[:4], *with_url[:4]], Disposition.PUBLISHED))
    newsroom.publish(1, dict.fromkeys(edited, Disposition.PUBLISHED), revision=2)
    newsroom.publish(
        2,
        {documents[4]: Disposition.QUARANTINED, with_url[4]: Disposition.PUBLISHED, documents[5]: Disposition.REFUSED},
    )
    newsroom.ledger.stage_rows("fetches", [{"fetch_id": "f3"}])
    return newsroom


def test_a_ledger_built_again_is_the_same(newsroom: Newsroom, engine: Engine) -> None:
    before = dump_ledger(engine)
    assert all(before.values())  # with_url[5] is pending, f3 waits
    newsroom.rebuild()
    assert dump_ledger(engine) == before
    newsroom.rebuild()
    assert dump_ledger(engine) == before


def test_a_ledger_that_was_lost_knows_all_but_what_was_pending(newsroom: Newsroom, engine: Engine) -> None:
    before = dump_ledger(engine)
    with engine.begin() as connection:
        for name in LEDGER_TABLES:
            connection.execute(delete(metadata.tables[name]))
    newsroom.rebuild()
    after = dump_ledger(engine)
    for name in ("settled_inputs", "latest_revisions", "published_batches"):
        assert after[name] == before[name]
    assert len(before["known_payloads"] - after["known_payloads"]) == 1
    assert after["known_payloads"] <= before["known_payloads"]
    again = newsroom.ledger.register([make_document(name="w0", url="https://gazette.example/0", input_id="inp_again")])
    assert list(again.duplicates) == ["inp_again"]


def test_a_ledger_older_than_the_tables_publishes_nothing_twice(newsroom: Newsroom, engine: Engine) -> None:
    """A state restored from yesterday's copy: its inputs are pending and its rows wait, though both are published."""
    documents = newsroom.ledger.pending()
    newsroom.ledger.register([late := make_document(name="late")])
    before = dump_ledger(engine)
    newsroom.publish(3, {documents[0]: Disposition.NOT_INCIDENT, late: Disposition.PUBLISHED})
    newest = dump_ledger(engine)
    with engine.begin() as connection:
        for name, rows in before.items():
            connection.execute(delete(metadata.tables[name]))
            columns = metadata.tables[name].c.keys()
            if rows:
                connection.execute(
                    metadata.tables[name].insert(), [dict(zip(columns, row, strict=True)) for row in rows]
                )
    assert newsroom.ledger.staged_rows() != []
    newsroom.rebuild()
    assert dump_ledger(engine) == newest
    assert newsroom.ledger.pending() == []
    assert newsroom.ledger.staged_rows() == []
