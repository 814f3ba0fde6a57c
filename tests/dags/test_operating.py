"""What an operator sees: notices that name input and next step, assets that say what was published, questions."""

import asyncio
import json
import socket
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from blotter import steps
from blotter.config import load_settings
from blotter.stores import Stores
from blotter_airflow.oncall import tell_missed_deadline, tell_troubled_feeds
from blotter_airflow.review import ask_about_links, hand_in
from blotter_airflow.secrets import ChannelSecrets

SEEDS = Path(__file__).parents[2] / "seeds"
TEXT = "A man, 30, was shot to death on Elm Street in Springfield, Illinois, on Tuesday, police said."


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for everything of blotter's, in the environment of the tasks."""
    for name in ("warehouse", "archive", "staging", "inbox", "backfill", "sources", "checks_site"):
        monkeypatch.setenv(f"BLOTTER_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("BLOTTER_STATE", str(tmp_path / "state.db"))
    monkeypatch.setenv("BLOTTER_ALERTS_LOG", str(tmp_path / "alerts.jsonl"))
    monkeypatch.setenv("BLOTTER_DROPS__SETTLE_S", "0")
    monkeypatch.setenv("BLOTTER_CLOCK", "2026-03-04T23:59:59+00:00")
    (tmp_path / "sources").mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Airflow's own
        yield tmp_path


def drop(folder: Path, *titles: str, published: str = "2026-03-03") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {"title": title, "published": published, "text": TEXT, "url": f"https://x.example/{title}"} for title in titles
    ]
    (folder / "stories.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def run(dag_bag: Any, dag_id: str, **given: Any) -> Any:
    return dag_bag.dags[dag_id].test(**given)


def read_notices(home: Path) -> list[dict[str, Any]]:
    lines = (home / "alerts.jsonl").read_text("utf-8").splitlines() if (home / "alerts.jsonl").exists() else []
    return [message for message in map(json.loads, lines) if message["rule"] == "operators"]


def read_extras(run: Any) -> dict[str, dict[str, Any]]:
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session

    with create_session() as session:
        events = session.query(AssetEvent).filter(AssetEvent.source_run_id == run.run_id).all()
        names = {asset.id: asset.name for asset in session.query(AssetModel)}
        return {names[event.asset_id]: dict(event.extra) for event in events}


def test_a_task_that_fails_names_its_input_and_the_next_step(dag_bag: Any, home: Path, monkeypatch: Any) -> None:
    drop(home / "inbox" / "gazette", "One")
    assert run(dag_bag, "ingest_drops").state == "success"
    (home / "archive").rename(home / "elsewhere")
    (home / "archive").write_text("a file where the archive's folder was")
    monkeypatch.setitem(dag_bag.dags["build_incidents"].get_task("read_slice").partial_kwargs, "retries", 0)
    failed = run(dag_bag, "build_incidents")
    assert failed.state == "failed"
    notices = [notice for message in read_notices(home) for notice in message["notices"]]
    lines = dict(next(notice["lines"] for notice in notices if "read_slice" in notice["subject"]))
    assert lines["Input"].startswith("slice_id ")
    assert "Error" in lines and "clear the task" in lines["Next"]
    assert not any("report_unread" in notice["subject"] for notice in notices), "the slice has told already"


def test_a_gate_that_stays_closed_tells_once_and_opens_by_a_trigger(
    dag_bag: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blotter import rows

    drop(home / "inbox" / "gazette", "One")
    assert run(dag_bag, "ingest_drops").state == "success"
    write_row = rows.incident_row
    with monkeypatch.context() as patch:
        patch.setattr(rows, "incident_row", lambda incident: {**write_row(incident), "n_killed": -1})
        assert [run(dag_bag, "build_incidents").state for _ in range(2)] == ["failed", "failed"]
    told = [notice["subject"] for message in read_notices(home) for notice in message["notices"]]
    assert told == ["blotter: build_incidents.publish_batch failed"]
    skipped = run(dag_bag, "ingest_drops")
    assert read_extras(skipped) == {}, "no build is asked for while nothing new came"
    assert run(dag_bag, "build_incidents").state == "success"


def test_assets_say_what_came_in_and_what_was_published(dag_bag: Any, home: Path) -> None:
    drop(home / "inbox" / "gazette", "One")
    came = read_extras(run(dag_bag, "ingest_drops"))
    assert came["documents"]["from"] == "drop folders" and came["documents"]["n_documents"] == 1
    published = read_extras(run(dag_bag, "build_incidents"))
    assert published["incidents"]["new incidents"] == 1
    assert published["incidents"]["headlines"] == ["One"]
    assert published["changes"]["changes of known incidents"] == 0
    drop(home / "inbox" / "herald", "Two", published="2026-03-04")
    text = TEXT.replace("A man, 30,", "Aaron Pell, 30,")
    (home / "inbox" / "herald" / "stories.jsonl").write_text(
        json.dumps({"title": "Two", "published": "2026-03-04", "text": text, "url": "https://y.example/2"})
    )
    run(dag_bag, "ingest_drops")
    changed = read_extras(run(dag_bag, "build_incidents"))["changes"]
    assert changed["by cause"].keys() == {"new_report"}
    assert any("Aaron Pell" in line for line in changed["first"])
    assert len(json.dumps(changed)) < 4_000, "the asset view is read by people"


def test_a_backfill_s_day_is_its_logical_date_or_the_form_s(dag_bag: Any, home: Path) -> None:
    drop(home / "backfill" / "gazette", "One", published="2026-03-02")
    by_date = run(dag_bag, "backfill", logical_date=datetime(2026, 3, 2, tzinfo=UTC))
    assert read_extras(by_date)["documents"]["n_documents"] == 1
    other = run(dag_bag, "backfill", logical_date=datetime(2026, 3, 5, tzinfo=UTC))
    assert read_extras(other)["documents"]["n_documents"] == 0, "the first day waits for the build still"
    assert run(dag_bag, "backfill", logical_date=None).state == "failed"
    assert "with a day in the form" in str(read_notices(home)[-1]["notices"])
    form = run(dag_bag, "backfill", logical_date=datetime(2026, 3, 6, tzinfo=UTC), run_conf={"day": "2026-03-02"})
    assert read_extras(form)["documents"]["n_documents"] == 0, "taken already: it waits for the build"
    undated = run(dag_bag, "backfill", logical_date=None, run_conf={"day": "2026-03-02"})
    assert undated.state == "success", "a trigger may leave the logical date out"


def test_watching_ends_at_once_where_every_feed_is_well(dag_bag: Any, home: Path) -> None:
    assert run(dag_bag, "watch_feeds").state == "success"
    assert read_notices(home) == []


def test_nothing_to_ask_asks_nobody(dag_bag: Any, home: Path) -> None:
    steps.create_stores(load_settings())
    assert run(dag_bag, "review_links").state == "success"


UNSURE = {
    "article_id": "art_1", "source_id": "gazette", "url": "https://x.example/_a_", "title": "One *bold* <b>claim</b>",
    "published_at": datetime(2026, 3, 3, tzinfo=UTC), "incident_id": "inc_1", "headline": "Two", "occurred_date": None,
    "city": "Springfield", "state": "Illinois", "placed_in": None, "placed_headline": None, "score": 0.4,
    "reasons": ["the same place"], "judged_at": datetime(2026, 3, 3, tzinfo=UTC),
}  # fmt: skip


def test_a_question_shows_both_sides_and_nothing_from_outside_is_markup(home: Path, monkeypatch: Any) -> None:
    from blotter import queries

    steps.create_stores(load_settings())
    monkeypatch.setattr(queries, "list_unsure_links", lambda connection, limit: [UNSURE])
    [question] = ask_about_links(load_settings(), limit=5)
    assert question["subject"] == "art_1 in inc_1?"
    assert r"One \*bold\* \<b\>claim\</b\>" in question["body"] and "the same place" in question["body"]


def make_answer(*chosen: str, user: dict[str, str] | None = None, reason: str = "") -> dict[str, Any]:
    return {
        "chosen_options": list(chosen),
        "params_input": {"reason": reason},
        "responded_at": datetime(2026, 3, 4, tzinfo=UTC),
        "responded_by_user": user,
    }


def test_only_a_person_s_clear_answer_becomes_a_judgement(home: Path, monkeypatch: Any) -> None:
    from blotter import judging

    staged: list[Any] = []
    monkeypatch.setattr(judging, "stage_judgement", lambda settings, judgement: staged.append(judgement))
    ana = {"id": "7", "name": "ana"}
    answers = [
        make_answer("same", user=ana, reason="the same street"),
        make_answer("other", user=ana),
        make_answer("unsure", user=ana),
        make_answer("same"),  # a timeout's default
        None,  # the task failed
    ]
    questions = [{"subject": f"art_{n} in inc_{n}?"} for n in range(5)]
    counts = hand_in(load_settings(), questions, answers, same="same", other="other")
    assert counts == {"n_handed_in": 2, "n_unsure": 3, "n_refused": 0}
    assert [(one.action, one.article_id, one.incident_id, one.actor) for one in staged] == [
        ("link", "art_0", "inc_0", "ana"),
        ("unlink", "art_1", "inc_1", "ana"),
    ]
    assert staged[0].reason == "the same street"


def test_an_answer_that_cannot_be_followed_holds_up_no_other(home: Path, caplog: Any) -> None:
    steps.create_stores(load_settings())
    answers = [make_answer("same", user={"id": "7", "name": "ana"})]
    counts = hand_in(load_settings(), [{"subject": "art_gone in inc_gone?"}], answers, same="same", other="other")
    assert counts["n_refused"] == 1 and "cannot be followed" in caplog.text


@pytest.mark.parametrize("dag_id", ["maintain", "review_links", "build_incidents", "send_alerts", "watch_feeds"])
def test_a_new_installation_is_no_fault(home: Path, dag_bag: Any, dag_id: str) -> None:
    """Before anything was published, what runs by the clock has nothing to do, and tells nobody."""
    assert run(dag_bag, dag_id).state == "success"
    assert read_notices(home) == []


@pytest.fixture
def newer_reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Call it to let the reader of today be a newer one than that which read what is published."""
    from blotter.extract import reader
    from blotter.reading import load_reader

    def take_over() -> None:
        monkeypatch.setattr(reader, "EXTRACTOR_VERSION", "newer-1")
        monkeypatch.setenv("BLOTTER_READ__CONFINE", "false")  # a process of its own would have the reader of today
        load_reader.cache_clear()

    yield take_over
    load_reader.cache_clear()


def test_reprocessing_shows_the_difference_and_a_dry_run_publishes_nothing(
    dag_bag: Any, home: Path, newer_reader: Callable[[], None]
) -> None:
    drop(home / "inbox" / "gazette", "One")
    run(dag_bag, "ingest_drops")
    run(dag_bag, "build_incidents")
    assert read_states(run(dag_bag, "reprocess"))["choose_articles"] == "skipped", "the present reader read all"
    newer_reader()
    dry = read_states(run(dag_bag, "reprocess"))
    assert dry["end_dry_run"] == "success" and dry["publish_difference"] == "skipped"
    published = run(dag_bag, "reprocess", run_conf={"dry_run": False, "without_asking": True})
    assert read_states(published)["publish_difference"] == "success"
    assert read_extras(published)["incidents"]["from"] == "reprocess"


def read_states(run: Any) -> dict[str, str]:
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    with create_session() as session:
        instances = session.query(TaskInstance).filter(TaskInstance.run_id == run.run_id).all()
        return {instance.task_id: str(instance.state) for instance in instances}


def test_upkeep_keeps_house_and_stops_where_the_books_do_not_balance(dag_bag: Any, home: Path) -> None:
    drop(home / "inbox" / "gazette", "One")
    run(dag_bag, "ingest_drops")
    run(dag_bag, "build_incidents")
    assert set(read_states(run(dag_bag, "maintain")).values()) == {"success"}
    with Stores(load_settings()) as stores, stores.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM settled_inputs")
    states = read_states(run(dag_bag, "maintain"))
    assert states["check_ledger"] == "failed" and states["expire_documents"] == "upstream_failed"
    [notice] = [notice for message in read_notices(home) for notice in message["notices"]]
    assert "by the ledger" in dict(notice["lines"])["Error"]


def test_a_channel_s_secret_may_be_an_airflow_connection(dag_bag: Any, home: Path, monkeypatch: Any) -> None:
    """Of the Apprise provider's form, or a password; the environment comes first."""
    apprise = {"conn_type": "apprise", "extra": json.dumps({"config": {"path": "slack://token", "tag": "alerts"}})}
    monkeypatch.setenv("AIRFLOW_CONN_SLACK_URL", json.dumps(apprise))
    monkeypatch.setenv("AIRFLOW_CONN_HOOK_SECRET", json.dumps({"conn_type": "http", "password": "shared"}))
    secrets = ChannelSecrets()
    assert secrets.get("SLACK_URL") == "slack://token" and secrets.get("HOOK_SECRET") == "shared"
    monkeypatch.setenv("HOOK_SECRET", "from the environment")
    assert secrets["HOOK_SECRET"] == "from the environment"
    assert secrets.get("NOWHERE") is None


def break_a_feed(home: Path, monkeypatch: Any) -> str:
    """A source whose feed refuses connections, asked so often that it is told to be in trouble."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    (home / "sources" / "gazette.yaml").write_text(f"name: Gazette\nfeeds:\n  - url: http://{address}/feed.xml\n")
    monkeypatch.setenv("BLOTTER_FETCH__OPEN_HOSTS", address)
    monkeypatch.setenv("BLOTTER_FETCH__HOST_SPACING_S", "0")
    for n in range(3):
        monkeypatch.setenv("BLOTTER_CLOCK", f"2026-03-0{n + 4}T12:00:00+00:00")
        steps.ingest_feeds(load_settings(), run_id=f"poll {n}", source_ids=["gazette"])
    return f"http://{address}/feed.xml"


def test_a_missed_deadline_names_the_feed_once_an_outage(home: Path, monkeypatch: Any) -> None:
    feed = break_a_feed(home, monkeypatch)
    late = {"dag_run": {"dag_id": "watch_feeds", "dag_run_id": "r1", "state": "running"}}
    for _ in range(2):
        asyncio.run(tell_troubled_feeds("blotter sources check SOURCE", context=late))
    [notice] = [notice for message in read_notices(home) for notice in message["notices"]]
    assert notice["subject"] == f"blotter: Gazette is failing: {feed}"
    assert dict(notice["lines"])["Next"] == "blotter sources check gazette"


def test_a_run_that_is_late_is_named_with_what_to_do(home: Path) -> None:
    steps.create_stores(load_settings())
    late = {"dag_run": {"dag_id": "build_incidents", "dag_run_id": "r1", "state": "running", "conf": {"slice_size": 5}}}
    asyncio.run(tell_missed_deadline("see which task waits", context=late))
    [notice] = [notice for message in read_notices(home) for notice in message["notices"]]
    lines = dict(notice["lines"])
    assert notice["subject"] == "blotter: build_incidents is late" and "r1" in lines["Run"]
    assert lines["Next"] == "see which task waits" and "slice_size" in lines["Input"]
