"""Reading archived articles again: told before it is done, done once, and nothing where the reader is the same."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from blotter import judging, queries, reprocessing, steps
from blotter.accounting import find_imbalances
from blotter.cli import app
from blotter.config import Settings
from blotter.errors import SettingsError
from blotter.extract import Reader
from blotter.model import Article, Reading
from blotter.quarantining import list_quarantined, replay_quarantined
from blotter.reading import load_reader
from pipeline import run_steps
from warehouses import count_rows, hash_files

Drop = Callable[[Settings], None]
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 4)
READ = Reader.read
LINKED = "SELECT article_id, incident_id FROM incident_articles ORDER BY ALL"


@pytest.fixture
def newsroom(tmp_path: Path, make_settings: Callable[..., Settings], drop_stories: Drop) -> Settings:
    made = make_settings(tmp_path)
    # The readers tried here are of this process.
    settings = made.model_copy(update={"read": made.read.model_copy(update={"confine": False})})
    drop_stories(settings)
    steps.ingest_drops(settings, run_id="one")
    for slice_id in steps.plan_slices(settings):
        steps.read_slice(settings, slice_id)
    steps.publish_batch(settings, run_id="one")
    return settings


def renumber(reading: Reading, version: str = "rules-next") -> Reading:
    return replace(reading, extractor_version=version)


def read_alike(self: Reader, article: Article) -> Reading:
    return renumber(READ(self, article))


def read_older(self: Reader, article: Article) -> Reading:
    """A reader that takes everybody for a year older, and sees no weapon."""
    reading = READ(self, article)
    claims = tuple(
        replace(claim, value=claim.value + 1) if claim.field == "age" and isinstance(claim.value, int) else claim
        for claim in reading.claims
        if claim.field != "weapon"
    )
    return renumber(replace(reading, claims=claims))


@pytest.fixture
def new_reader(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    def install(read: Any) -> None:
        monkeypatch.setattr(load_reader(None), "_version", "rules-next")
        monkeypatch.setattr(Reader, "read", read)

    return install


def prepare(settings: Settings, **chosen: Any) -> reprocessing.Plan:
    plan = reprocessing.plan_reprocess(settings, since=FIRST, until=LAST, **chosen)
    for slice_id in plan.slice_ids:
        reprocessing.reread_slice(settings, plan.plan_id, slice_id)
    return plan


def ask(settings: Settings, sql: str) -> list[dict[str, Any]]:
    connection = queries.connect(settings.warehouse)
    try:
        return queries.fetch_rows(connection, sql)
    finally:
        connection.close()


def test_the_same_extractor_changes_nothing(newsroom: Settings) -> None:
    assert prepare(newsroom).n_articles == 0
    outcome = CliRunner().invoke(app, ["reprocess", "--from", "2026-03-01", "--to", "2026-03-04"], env=env(newsroom))
    assert outcome.exit_code == 0 and "nothing changes" in outcome.output


def env(settings: Settings) -> dict[str, str]:
    names = ("warehouse", "archive", "staging", "inbox", "state", "alerts_log")
    variables = {f"BLOTTER_{name.upper()}": getattr(settings, name) for name in names}
    return variables | {"BLOTTER_READ__CONFINE": "false"}


def test_another_version_that_finds_the_same_adds_readings_and_no_change(
    newsroom: Settings, new_reader: Callable[[Any], None]
) -> None:
    before, linked = count_rows(Path(newsroom.warehouse)), ask(newsroom, LINKED)
    new_reader(read_alike)
    plan = prepare(newsroom)
    assert len(plan.slice_ids) > 1 and plan.n_articles == before["readings"]
    assert reprocessing.preview_reprocess(newsroom, plan.plan_id).moves == ()
    counts = reprocessing.publish_reprocess(newsroom, plan.plan_id, run_id="again")
    after = count_rows(Path(newsroom.warehouse))
    assert (counts["n_articles"], counts["n_changes"], counts["n_incident_versions"]) == (plan.n_articles, 0, 0)
    assert after["readings"] == 2 * before["readings"] and after["claims"] == 2 * before["claims"]
    same = ("articles", "inputs", "incidents", "changes", "facts", "alerts")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert ask(newsroom, LINKED) == linked
    assert prepare(newsroom).n_articles == 0


def test_what_was_told_before_is_what_is_done(newsroom: Settings, new_reader: Callable[[Any], None]) -> None:
    new_reader(read_older)
    before = hash_files(Path(newsroom.warehouse))
    plan = prepare(newsroom)
    preview = reprocessing.preview_reprocess(newsroom, plan.plan_id)
    assert {move.field for move in preview.moves} >= {"age"}
    assert hash_files(Path(newsroom.warehouse)) == before
    counts = reprocessing.publish_reprocess(newsroom, plan.plan_id, run_id="again")
    changes = ask(newsroom, "FROM changes WHERE run_id = 'again'")
    assert {change["cause"] for change in changes} == {"extractor_change"}
    told = {(move.field, move.kind): move.n_changes for move in preview.moves}
    assert told == Counter((change["field"], change["kind"]) for change in changes)
    assert counts["n_changes"] == len(changes) and counts["n_incident_versions"] == preview.n_incident_versions
    assert counts["n_alerts"] == 0
    assert not (Path(newsroom.staging) / "reprocess" / plan.plan_id).exists()


def test_slices_published_one_by_one_give_the_same_changes_as_told(
    newsroom: Settings, new_reader: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reprocessing, "_BATCH_ARTICLES", 2)
    new_reader(read_older)
    plan = prepare(newsroom)
    preview = reprocessing.preview_reprocess(newsroom, plan.plan_id)
    counts = reprocessing.publish_reprocess(newsroom, plan.plan_id, run_id="again")
    assert counts["n_changes"] == sum(move.n_changes for move in preview.moves) > 0
    assert len(set(pd.read_parquet(Path(newsroom.warehouse) / "readings").batch_id)) > 3


def test_a_judgement_outlives_reading_again(newsroom: Settings, new_reader: Callable[[Any], None]) -> None:
    def decide(action: str, **about: Any) -> None:
        at = datetime(2026, 3, 4, 12, tzinfo=UTC)
        judgement = judging.make_judgement(action, actor="ana", reason="read both", judged_at=at, **about)
        judging.publish_judgement(newsroom, judgement, run_id=f"judged-{action}")

    (one, *_) = ask(newsroom, "FROM current_incidents WHERE n_killed > 0 ORDER BY incident_id")
    decide("set", incident_id=one["incident_id"], field="n_killed", value="9")
    (placed, *_) = ask(newsroom, "FROM incident_articles ORDER BY article_id DESC")
    decide("unlink", article_id=placed["article_id"], incident_id=placed["incident_id"])
    new_reader(read_older)
    reprocessing.publish_reprocess(newsroom, prepare(newsroom).plan_id, run_id="again")
    (after,) = ask(newsroom, f"FROM current_incidents WHERE incident_id = '{one['incident_id']}'")
    assert after["n_killed"] == 9
    now_in = ask(newsroom, f"FROM incident_articles WHERE article_id = '{placed['article_id']}'")
    assert placed["incident_id"] not in {row["incident_id"] for row in now_in}


def test_only_what_is_asked_for_is_read(newsroom: Settings, new_reader: Callable[[Any], None]) -> None:
    new_reader(read_alike)
    articles = pd.read_parquet(Path(newsroom.warehouse) / "articles")
    source = articles.source_id.iloc[0]
    assert prepare(newsroom, source_ids=[source]).n_articles == (articles.source_id == source).sum()
    few = prepare(newsroom, slice_size=1, max_slices=2)
    assert (few.n_articles, few.is_whole) == (2, False)
    with pytest.raises(SettingsError, match="last day"):
        reprocessing.plan_reprocess(newsroom, since=LAST, until=FIRST)


def test_the_command_shows_asks_and_publishes(
    newsroom: Settings, new_reader: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    new_reader(read_older)
    before = hash_files(Path(newsroom.warehouse))

    def reprocess(*arguments: str, answer: str | None = None) -> str:
        outcome = CliRunner().invoke(
            app,
            ["reprocess", "--from", "2026-03-01", "--to", "2026-03-04", *arguments],
            env=env(newsroom),
            input=answer,
        )
        assert outcome.exit_code == 0, outcome.output
        return outcome.output

    assert "age" in reprocess("--dry-run")
    assert "Nothing was written" in reprocess(answer="n\n")
    assert hash_files(Path(newsroom.warehouse)) == before
    assert "changes" in reprocess("--yes")
    assert hash_files(Path(newsroom.warehouse)) != before


def test_an_article_over_its_limits_is_quarantined_once_stays_as_it_is_and_the_rest_is_read_again(
    tmp_path: Path, make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a new document would be: in a process that can be killed."""
    made = make_settings(tmp_path)
    loose = made.model_copy(update={"read": made.read.model_copy(update={"confine": False})})
    short = "Ann Smith, 31, was hurt in a fire on Dock Street in Springfield, Illinois, on Monday, police said."
    long = " ".join(short.replace("31", str(number % 90)) for number in range(2_500))
    for name, text in (("short", short), ("long", long)):
        line = {"url": f"http://gazette.example/{name}", "title": "A fire", "published": "2026-03-03", "text": text}
        (tmp_path / "inbox" / "gazette").mkdir(parents=True, exist_ok=True)
        (tmp_path / "inbox" / "gazette" / f"{name}.jsonl").write_text(json.dumps(line), "utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(Reader, "read", lambda self, article: renumber(READ(self, article), "rules-before"))
        run_steps(loose, "one")
    before = ask(made, "FROM claims WHERE article_id IN (SELECT article_id FROM articles WHERE url LIKE '%long')")
    tight = made.model_copy(update={"read": made.read.model_copy(update={"timeout_s": 0.3})})
    for n_new in (1, 0):
        plan = prepare(tight)
        counts = reprocessing.publish_reprocess(tight, plan.plan_id, run_id=f"again {n_new}")
        assert (counts["n_articles"], counts["n_failed"], counts["n_quarantined"]) == (n_new, 1, n_new)
    [lying] = list_quarantined(tight)
    assert (lying.kind, lying.reason, lying.location) == ("article", "too_slow", "http://gazette.example/long")
    assert "blotter reprocess" in replay_quarantined(tight, [lying]).left[lying.input_id]
    after = ask(made, "FROM claims WHERE article_id IN (SELECT article_id FROM articles WHERE url LIKE '%long')")
    assert after == before
    assert find_imbalances(tight) == []


def test_a_page_fetched_again_unchanged_by_a_new_reader_is_no_new_revision(
    newsroom: Settings, drop_stories: Drop, new_reader: Callable[[Any], None]
) -> None:
    """Bytes differ (a comment was added), the text does not, and the extractor does: only the reader moved."""
    before = count_rows(Path(newsroom.warehouse))
    new_reader(read_older)
    drop_stories(newsroom)
    for page in Path(newsroom.inbox).rglob("*.html"):
        page.write_bytes(page.read_bytes() + b"<!-- served again -->")
    steps.ingest_drops(newsroom, run_id="two")
    for slice_id in steps.plan_slices(newsroom):
        steps.read_slice(newsroom, slice_id)
    steps.publish_batch(newsroom, run_id="two")
    after = count_rows(Path(newsroom.warehouse))
    assert after["readings"] > before["readings"] and after["articles"] == before["articles"]
    changes = ask(newsroom, "FROM changes WHERE run_id = 'two'")
    assert changes and {change["cause"] for change in changes} == {"extractor_change"}
