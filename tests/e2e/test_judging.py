"""What a person decides, from the command line to the tables: each action, what it writes, and how it is undone."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from blotter import judging, queries, steps
from blotter.cli import app
from blotter.config import Settings
from blotter.errors import JudgementRefused
from blotter.model import ClaimState, Judgement
from blotter.stores import Stores
from warehouses import count_rows, read_rows

FIRE = """Two killed in Alder Street fire

HALFORD, Ohio, March 2, 2026 - Two people were killed on Monday when a fire tore through a house on Alder Street in \
Halford, Ohio, the Halford Fire Department said.

One of the victims was identified as Maria Delgado, 61.
"""
FIRE_AGAIN = """Neighbors mourn Maria Delgado

HALFORD, Ohio, March 3, 2026 - Maria Delgado, 61, was one of two people who were killed in a fire on Alder Street in \
Halford, Ohio, on Monday, the Halford Fire Department said.
"""
CRASH = """Cyclist struck on Route 9

OSTRAND, Iowa, March 2, 2026 - A cyclist was killed on Monday when a pickup truck struck her on Route 9 in Ostrand, \
Iowa, police said. The driver, Peter Nowak, 44, was arrested.
"""


@pytest.fixture
def newsroom(tmp_path: Path, make_settings: Callable[..., Settings]) -> Settings:
    """Two incidents of three articles, published."""
    settings = make_settings(tmp_path)
    for name, text, day in (("fire", FIRE, 2), ("again", FIRE_AGAIN, 3), ("crash", CRASH, 2)):
        folder = Path(settings.inbox)
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
        sidecar = f'{{"url": "https://halford.example/{name}", "published": "2026-03-0{day}"}}'
        (folder / f"{name}.meta.json").write_text(sidecar, encoding="utf-8")
    steps.ingest_drops(settings, run_id="one")
    for slice_id in steps.plan_slices(settings):
        steps.read_slice(settings, slice_id)
    steps.publish_batch(settings, run_id="one")
    return settings


def ask(settings: Settings, sql: str, *parameters: object) -> list[dict[str, Any]]:
    connection = queries.connect(settings.warehouse)
    try:
        return queries.fetch_rows(connection, sql, list(parameters))
    finally:
        connection.close()


def find(settings: Settings, city: str) -> str:
    (row,) = ask(settings, "SELECT DISTINCT incident_id FROM incidents WHERE city = ?", city)
    return str(row["incident_id"])


def article(settings: Settings, name: str) -> str:
    (row,) = ask(settings, "SELECT DISTINCT article_id FROM articles WHERE url = ?", f"https://halford.example/{name}")
    return str(row["article_id"])


def linked(settings: Settings) -> dict[str, set[str]]:
    rows = ask(settings, "SELECT incident_id, url FROM incident_articles")
    told: dict[str, set[str]] = {}
    for row in rows:
        told.setdefault(row["incident_id"], set()).add(row["url"].rpartition("/")[2])
    return told


def decide(settings: Settings, action: str, minutes: int = 0, **about: Any) -> Judgement:
    at = datetime(2026, 3, 4, 12, minutes, tzinfo=UTC)
    return judging.make_judgement(action, actor="ana", reason="read both", judged_at=at, **about)


def publish(settings: Settings, judgement: Judgement) -> dict[str, int]:
    return judging.publish_judgement(settings, judgement, run_id=f"judged-{judgement.judgement_id}")


def record(settings: Settings, incident_id: str) -> dict[str, Any]:
    """What an incident's newest version says, but for what counts versions and times."""
    (row,) = ask(settings, "FROM incidents WHERE incident_id = ? ORDER BY version DESC LIMIT 1", incident_id)
    outside = ("version", "known_at", "recorded_at", "run_id", "batch_id", "dt")
    return {name: value for name, value in row.items() if name not in outside}


def test_the_story_is_two_incidents(newsroom: Settings) -> None:
    assert linked(newsroom) == {find(newsroom, "Halford"): {"fire", "again"}, find(newsroom, "Ostrand"): {"crash"}}


def test_link_moves_an_article_with_a_negative_and_a_positive(newsroom: Settings) -> None:
    halford, ostrand = find(newsroom, "Halford"), find(newsroom, "Ostrand")
    before = count_rows(Path(newsroom.warehouse))
    publish(newsroom, decide(newsroom, "link", article_id=article(newsroom, "again"), incident_id=ostrand))
    after = count_rows(Path(newsroom.warehouse))
    assert linked(newsroom) == {halford: {"fire"}, ostrand: {"crash", "again"}}
    assert {name for name in after if after[name] != before[name]} <= {
        "judgements", "links", "alignments", "incidents", "participants", "facts", "changes", "check_results", "runs",
    }  # fmt: skip
    assert after["judgements"] == 1 and after["links"] == before["links"] + 2
    causes = ask(newsroom, "SELECT DISTINCT cause FROM changes WHERE run_id LIKE 'judged-%'")
    assert [row["cause"] for row in causes] == ["human"]


def test_unlink_gives_an_article_an_incident_of_its_own(newsroom: Settings) -> None:
    halford = find(newsroom, "Halford")
    publish(newsroom, decide(newsroom, "unlink", article_id=article(newsroom, "again"), incident_id=halford))
    told = linked(newsroom)
    assert told[halford] == {"fire"} and sorted(map(sorted, told.values())) == [["again"], ["crash"], ["fire"]]


def test_merge_then_split_restores_both_and_ids_stay_readable(newsroom: Settings) -> None:
    halford, ostrand = find(newsroom, "Halford"), find(newsroom, "Ostrand")
    stood = {one: record(newsroom, one) for one in (halford, ostrand)}
    both = {"incident_id": halford, "other_incident_id": ostrand}

    publish(newsroom, decide(newsroom, "merge", **both))
    assert linked(newsroom) == {halford: {"fire", "again", "crash"}}
    assert record(newsroom, ostrand) == {**stood[ostrand], "merged_into": halford}
    assert [row["incident_id"] for row in ask(newsroom, "FROM current_incidents")] == [halford]
    assert ask(newsroom, "FROM incident_timeline(?)", ostrand)[-1]["kind"] == "merged"

    publish(newsroom, decide(newsroom, "split", 1, **both))
    assert linked(newsroom) == {halford: {"fire", "again"}, ostrand: {"crash"}}
    assert {one: record(newsroom, one) for one in (halford, ostrand)} == stood
    assert "split" in {row["kind"] for row in ask(newsroom, "FROM incident_timeline(?)", ostrand)}


def test_set_outranks_the_articles_and_later_ones(newsroom: Settings) -> None:
    halford = find(newsroom, "Halford")
    judgement = decide(newsroom, "set", incident_id=halford, field="n_killed", value="3")
    publish(newsroom, judgement)
    assert record(newsroom, halford)["n_killed"] == 3
    (fact,) = ask(newsroom, "FROM current_facts WHERE incident_id = ? AND field = 'n_killed'", halford)
    assert fact["judgement_id"] == judgement.judgement_id and fact["rivals"][0]["value"] == "2"
    (change,) = ask(newsroom, "FROM incident_timeline(?) WHERE cause = 'human'", halford)
    assert (change["before"], change["after"], change["quote"]) == ("2", "3", None)

    (Path(newsroom.inbox) / "late.txt").write_text(FIRE.replace("Two people", "Two residents"), encoding="utf-8")
    steps.ingest_drops(newsroom, run_id="late")
    for slice_id in steps.plan_slices(newsroom):
        steps.read_slice(newsroom, slice_id)
    steps.publish_batch(newsroom, run_id="late")
    assert record(newsroom, halford)["n_killed"] == 3


def test_a_staged_judgement_goes_with_the_next_build_once(newsroom: Settings) -> None:
    halford = find(newsroom, "Halford")
    judgement = decide(newsroom, "set", incident_id=halford, field="weapon", state=ClaimState.UNKNOWN)
    before = read_rows(Path(newsroom.warehouse), "changes")
    for _ in range(2):
        judging.stage_judgement(newsroom, judgement)
    assert judging.read_outcome(newsroom, judgement.judgement_id) == judging.WAITING
    assert read_rows(Path(newsroom.warehouse), "changes") == before
    assert steps.publish_batch(newsroom, run_id="two")["n_judgements"] == 1
    assert judging.read_outcome(newsroom, judgement.judgement_id) == judging.FOLLOWED
    judging.stage_judgement(newsroom, judgement)  # a task that was tried again
    assert publish(newsroom, judgement) == {"n_judgements": 0}
    assert len(pd.read_parquet(Path(newsroom.warehouse) / "judgements")) == 1


def test_what_cannot_be_followed_is_refused_and_nothing_is_written(newsroom: Settings) -> None:
    halford = find(newsroom, "Halford")
    before = count_rows(Path(newsroom.warehouse))
    for judgement, reason in (
        (decide(newsroom, "link", article_id="art_none", incident_id=halford), "no article"),
        (decide(newsroom, "split", incident_id=halford, other_incident_id=find(newsroom, "Ostrand")), "not merged"),
        (decide(newsroom, "set", incident_id=halford, field="status", value="solved"), "no value of status"),
        (decide(newsroom, "set", incident_id=halford, field="occurred_date", value="2099-01-01"), "quality gate"),
    ):
        for hand_in in (lambda j: judging.stage_judgement(newsroom, j), lambda j: publish(newsroom, j)):
            with pytest.raises(JudgementRefused, match=reason):
                hand_in(judgement)
    assert count_rows(Path(newsroom.warehouse)) == before
    with Stores(newsroom) as stores:
        assert stores.ledger.staged_rows() == []
    with pytest.raises(JudgementRefused, match="reason"):
        judging.make_judgement("link", actor="ana", reason=" ", judged_at=datetime.now(UTC))


def test_what_rests_on_something_that_is_gone_is_refused_when_it_is_published(newsroom: Settings) -> None:
    """Two people answer at once: the second answer was possible when it was given."""
    halford, ostrand = find(newsroom, "Halford"), find(newsroom, "Ostrand")
    first = decide(newsroom, "merge", incident_id=halford, other_incident_id=ostrand)
    second = decide(newsroom, "merge", 1, incident_id=ostrand, other_incident_id=halford)
    with Stores(newsroom) as stores:
        from blotter import rows

        stores.ledger.stage_rows("judgements", [rows.judgement_row(one) for one in (first, second)])
    counts = steps.publish_batch(newsroom, run_id="two")
    assert (counts["n_judgements"], counts["n_refused_judgements"]) == (1, 1)
    assert judging.read_outcome(newsroom, first.judgement_id) == judging.FOLLOWED
    assert "already" in str(judging.read_outcome(newsroom, second.judgement_id))
    assert len(pd.read_parquet(Path(newsroom.warehouse) / "judgements")) == 1


def test_the_commands_do_the_same(newsroom: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("warehouse", "archive", "staging", "inbox", "state", "alerts_log"):
        monkeypatch.setenv(f"BLOTTER_{name.upper()}", getattr(newsroom, name))
    halford, ostrand = find(newsroom, "Halford"), find(newsroom, "Ostrand")

    def judge(*arguments: str) -> str:
        outcome = CliRunner().invoke(app, ["judge", *arguments], catch_exceptions=False)
        assert outcome.exit_code == 0, outcome.output
        return outcome.output

    judge("merge", halford, ostrand, "-m", "one night", "--actor", "ana")
    judge("split", halford, ostrand, "-m", "two towns")
    judge("unlink", "https://halford.example/again", halford[:9], "-m", "not this fire")
    judge("link", "https://halford.example/again", halford, "-m", "this fire after all")
    judge("set", halford, "age", "62", "-p", "maria delgado", "-m", "asked her family")
    assert "waits" in judge("set", halford, "n_killed", "3", "-m", "asked the department", "--later")
    assert record(newsroom, halford)["n_killed"] == 2
    assert linked(newsroom) == {halford: {"fire", "again"}, ostrand: {"crash"}}
    judged = pd.read_parquet(Path(newsroom.warehouse) / "judgements")
    assert list(judged.sort_values("judged_at").action) == ["merge", "split", "unlink", "link", "set"]
    assert set(judged.actor) >= {"ana"}
    assert "No link" in judge("list")


def test_an_unsure_link_waits_until_a_person_answers(newsroom: Settings) -> None:
    settings = newsroom.model_copy(update={"link": newsroom.link.model_copy(update={"accept": 0.999, "reject": 0.01})})
    (Path(settings.inbox) / "more.txt").write_text(
        "Second house burned on Alder Street\n\nHALFORD, Ohio, March 4, 2026 - A man was hurt on Tuesday in a fire on "
        "Alder Street in Halford, Ohio, the Halford Fire Department said.\n",
        encoding="utf-8",
    )
    steps.ingest_drops(settings, run_id="two")
    for slice_id in steps.plan_slices(settings):
        steps.read_slice(settings, slice_id)
    steps.publish_batch(settings, run_id="two")
    connection = queries.connect(settings.warehouse)
    questions = queries.list_unsure_links(connection)
    connection.close()
    assert [one["incident_id"] for one in questions] == [find_first(settings)]
    (question,) = questions
    assert question["placed_in"] not in (None, question["incident_id"]) and question["reasons"]
    about = {"article_id": question["article_id"], "incident_id": question["incident_id"]}
    publish(settings, decide(settings, "unlink", **about))
    connection = queries.connect(settings.warehouse)
    assert queries.list_unsure_links(connection) == []
    connection.close()
    with pytest.raises(JudgementRefused, match="already"):
        publish(settings, decide(settings, "unlink", 1, **about))
    publish(settings, decide(settings, "link", 2, **about))
    now_in = ask(settings, "SELECT incident_id FROM incident_articles WHERE article_id = ?", question["article_id"])
    assert now_in == [{"incident_id": question["incident_id"]}]


def find_first(settings: Settings) -> str:
    (row,) = ask(settings, "FROM incidents WHERE city = 'Halford' ORDER BY n_articles DESC LIMIT 1")
    return str(row["incident_id"])
