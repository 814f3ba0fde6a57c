"""The open incidents built again from the tables are those that were lost: the same links, the same values."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard
from sqlalchemy import select

from blotter import judging, queries, reprocessing
from blotter.config import Settings, load_settings
from blotter.extract import Reader
from blotter.model import Article, Reading
from blotter.reading import load_reader
from blotter.replay import replay_documents, settings_for_replay
from blotter.store.rebuild import rebuild_desk, rebuild_judgements
from blotter.store.state import metadata
from blotter.stores import Stores

SEEDS = Path(__file__).parents[2] / "seeds" / "days"
BODIES = ("desk_dossiers", "desk_profiles", "desk_articles", "desk_texts")


def play(settings: Settings, *days: str) -> None:
    replay_documents(settings, [SEEDS / day for day in days], is_checked=False)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_for_replay(load_settings(environ={}), tmp_path / "warehouse")


def dump_desk(stores: Stores) -> dict[str, dict[str, Any]]:
    """Everything that the desk knows, but for how many batches it took to learn it."""
    dumped: dict[str, dict[str, Any]] = {}
    with stores.engine.connect() as connection:
        for name in (*BODIES, "desk_index", "desk_terms", "desk_marks", "followed_judgements"):
            rows = [dict(row._mapping) for row in connection.execute(select(metadata.tables[name]))]
            for row in rows:
                if name in BODIES:
                    row["body"] = msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(row["body"]))
            dumped[name] = {
                str(list(row.values())[:3] if name == "desk_index" else next(iter(row.values()))): row for row in rows
            }
    dumped["desk_marks"].pop("['seq']", None)
    return dumped


def rebuild(stores: Stores) -> None:
    desk, judgements = stores.desk, stores.judgements  # opened before the transaction, which they would wait for
    with stores.writing("a rebuild"), stores.engine.begin() as connection:
        rebuild_desk(stores.warehouse, desk, connection, rules=stores.link_rules)
        rebuild_judgements(stores.warehouse, judgements, connection)


def check_rebuilt(settings: Settings) -> None:
    with Stores(settings) as stores:
        lost = dump_desk(stores)
        assert lost["desk_dossiers"] and lost["desk_index"]
        rebuild(stores)
        again = dump_desk(stores)
    for name, rows in lost.items():
        assert again[name].keys() == rows.keys(), name
        for key, row in rows.items():
            assert again[name][key] == row, (name, key)


def test_a_week_of_news(settings: Settings) -> None:
    play(settings, *sorted(folder.name for folder in SEEDS.iterdir()))
    check_rebuilt(settings)


def test_judgements_and_articles_read_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    play(settings, "2026-03-02", "2026-03-03")
    connection = queries.connect(settings.warehouse)
    one, two, *_ = [
        row["incident_id"] for row in queries.fetch_rows(connection, "FROM current_incidents ORDER BY incident_id")
    ]
    placed = queries.fetch_rows(connection, "FROM incident_articles ORDER BY article_id")
    connection.close()
    clocked = settings.model_copy(update={"clock": "2026-03-03T23:59:59+00:00"})
    elsewhere = next(row for row in placed if row["incident_id"] not in (one, two))
    minutes = iter(range(60))

    def decide(action: str, **about: Any) -> None:
        at = datetime(2026, 3, 3, 12, next(minutes), tzinfo=UTC)
        judgement = judging.make_judgement(action, actor="ana", reason="read both", judged_at=at, **about)
        judging.publish_judgement(clocked, judgement, run_id=f"judged-{at}")
        check_rebuilt(settings)

    both = {"incident_id": one, "other_incident_id": two}
    decide("merge", **both)
    decide("set", incident_id=one, field="n_killed", value="7")
    decide("link", article_id=elsewhere["article_id"], incident_id=two)
    decide("split", **both)
    decide("unlink", article_id=elsewhere["article_id"], incident_id=elsewhere["incident_id"])
    decide("merge", **both)

    read = Reader.read

    def read_older(self: Reader, article: Article) -> Reading:
        reading = read(self, article)
        claims = tuple(
            replace(claim, value=claim.value + 1) if claim.field == "age" and isinstance(claim.value, int) else claim
            for claim in reading.claims
            if claim.field != "role" or claim.participant_ref != 2
        )
        return replace(reading, claims=claims, extractor_version="rules-next")

    monkeypatch.setattr(load_reader(None), "_version", "rules-next")
    monkeypatch.setattr(Reader, "read", read_older)
    plan = reprocessing.plan_reprocess(clocked, since=date(2026, 3, 1), until=date(2026, 3, 3))
    for slice_id in plan.slice_ids:
        reprocessing.reread_slice(clocked, plan.plan_id, slice_id)
    reprocessing.publish_reprocess(clocked, plan.plan_id, run_id="again")
    check_rebuilt(settings)


def test_what_comes_after_a_rebuild_is_what_would_have_come(tmp_path: Path) -> None:
    from warehouses import read_news

    def play_days(name: str, between: Callable[[Settings], None]) -> Path:
        settings = settings_for_replay(load_settings(environ={}), tmp_path / name)
        for day in ("2026-03-02", "2026-03-03", "2026-03-04"):
            play(settings, day)
            between(settings)
        return Path(settings.warehouse)

    def lose_and_rebuild(settings: Settings) -> None:
        with Stores(settings) as stores:
            desk = stores.desk
            with stores.engine.begin() as connection:
                desk.clear(connection)
            rebuild(stores)

    assert read_news(play_days("living", lambda _: None)) == read_news(play_days("rebuilt", lose_and_rebuild))
