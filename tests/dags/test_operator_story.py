"""An operator's week in some minutes, through a whole Airflow with real parts: a feed breaks and the deadline names it,
the source is mended, a backfill fills the gap, a person settles an unsure link, and nobody is alerted twice.
"""

import asyncio
import json
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.dags.standalone import Airflow, run_airflow

from blotter import queries
from blotter_airflow.oncall import tell_troubled_feeds

NOW = datetime.now(UTC).replace(hour=18, minute=0)  # an afternoon where it happened: the texts tell weekdays
SHOT_ON, NAMED_ON, MENDED_ON = (NOW - timedelta(days=n) for n in (4, 3, 1))
ELM = "on Elm Street in Springfield, Illinois,"
USED = ("ingest_feeds", "ingest_drops", "build_incidents", "send_alerts", "watch_feeds", "backfill", "review_links")
STORIES = {
    "shot": (
        "Man shot on Elm Street",
        SHOT_ON,
        f"A man was shot {ELM} on {SHOT_ON:%A} night, police said. He was taken to a hospital in critical condition. "
        "His name was not released.",
    ),
    "named": (
        "Police name man shot on Elm Street",
        NAMED_ON,
        f"Police have identified the man who was shot {ELM} on {SHOT_ON:%A} night as Aaron Pell, 30. Pell was taken to "
        "a hospital, police said.",
    ),
    "fair": (
        "County fair opens",
        MENDED_ON,
        "The county fair opened on Thursday with music, pies and a parade of old tractors. Thousands of visitors are "
        "expected until Sunday, the organizers said.",
    ),
}
UNSURE = f"A man was shot on Oak Avenue in Springfield, Illinois, on {SHOT_ON:%A} night, police said."


class Outlet:
    """A site on loopback whose feed, at `feed_path`, lists what is in `listed`; elsewhere there is none."""

    def __init__(self) -> None:
        self.listed: list[str] = []
        self.feed_path = "/feed.xml"
        self.port = 0

    def answer(self, path: str) -> tuple[int, str, str]:
        if path == self.feed_path:
            items = "".join(
                f"<item><title>{STORIES[name][0]}</title><link>http://127.0.0.1:{self.port}/{name}</link>"
                f"<pubDate>{format_datetime(STORIES[name][1])}</pubDate></item>"
                for name in self.listed
            )
            return 200, "application/rss+xml", f'<rss version="2.0"><channel><title>G</title>{items}</channel></rss>'
        if path.strip("/") not in STORIES:
            return 404, "text/plain", ""
        title, published, text = STORIES[path.strip("/")]
        head = f'<title>{title}</title><meta property="article:published_time" content="{published.isoformat()}">'
        return (
            200,
            "text/html",
            f"<html><head>{head}</head><body><article><h1>{title}</h1><p>{text}</p></article></body></html>",
        )


@contextmanager
def serve(outlet: Outlet) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = outlet.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    outlet.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def make_environment(home: Path, outlet: Outlet) -> dict[str, str]:
    (home / "sources").mkdir()
    write_source(home, outlet)
    places = {name: str(home / name) for name in ("warehouse", "archive", "staging", "inbox", "backfill", "sources")}
    settings = {
        **places,
        "state": str(home / "state.db"),
        "alerts_log": str(home / "alerts.jsonl"),
        "drops__settle_s": "0",
        "fetch__open_hosts": f"127.0.0.1:{outlet.port}",
        "fetch__host_spacing_s": "0",
        "deadlines__feeds_s": "90",
    }
    return {f"BLOTTER_{name.upper()}": value for name, value in settings.items()}


def write_source(home: Path, outlet: Outlet) -> None:
    """Write the source's file, with the address at which the feed is now."""
    (home / "sources" / "gazette.yaml").write_text(
        f"name: Springfield Gazette\nfeeds:\n  - url: http://127.0.0.1:{outlet.port}{outlet.feed_path}\n"
    )


def read_messages(home: Path) -> list[dict[str, Any]]:
    log = home / "alerts.jsonl"
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []


def read_notices(home: Path) -> list[dict[str, Any]]:
    return [notice for message in read_messages(home) for notice in message.get("notices", ())]


def put_into_backfill(home: Path, outlet: Outlet, *names: str) -> None:
    rows = [
        {"url": f"http://127.0.0.1:{outlet.port}/{name}", "title": title, "published": at.isoformat(), "text": text}
        for name in names
        for title, at, text in [STORIES[name]]
    ]
    (home / "backfill" / "gazette").mkdir(parents=True)
    (home / "backfill" / "gazette" / "archive.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_the_story_in_one_process(home: Path, dag_bag: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each DAG run by Airflow in turn, as the scheduler would; the deadline's callback called as the triggerer does."""

    def run(*dag_ids: str, **given: Any) -> None:
        for dag_id in dag_ids:
            assert dag_bag.dags[dag_id].test(**given).state == "success", dag_id

    outlet = Outlet()
    with serve(outlet), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Airflow's own
        for name, value in make_environment(home, outlet).items():
            monkeypatch.setenv(name, value)
        outlet.listed = ["shot"]
        run("ingest_feeds", run_conf={"sources": ["gazette"]})
        run("build_incidents", "send_alerts", "watch_feeds")
        outlet.feed_path = "/news/feed.xml"
        for _ in range(3):
            run("ingest_feeds", run_conf={"sources": ["gazette"]})
        asyncio.run(tell_troubled_feeds("blotter sources check SOURCE", context={}))
        [notice] = read_notices(home)
        assert "/feed.xml" in notice["subject"] and dict(notice["lines"])["Next"] == "blotter sources check gazette"
        write_source(home, outlet)
        outlet.listed = ["fair"]
        run("ingest_feeds", run_conf={"sources": ["gazette"]})
        run("build_incidents", "watch_feeds")
        put_into_backfill(home, outlet, "shot", "named")
        for day in (SHOT_ON, NAMED_ON):
            run("backfill", logical_date=day.replace(hour=0, minute=0, second=0, microsecond=0))
        run("build_incidents", "send_alerts", "send_alerts")
    named = [message for message in read_messages(home) if message["rule"] == "victim-identified"]
    assert ["Aaron Pell" in message["subject"] for message in named] == [True], "told, and told once"
    check_nothing_twice(home)


@pytest.mark.heavy
@pytest.mark.timeout(1_500)
def test_the_story_through_a_whole_airflow(home: Path) -> None:
    """Scheduler, triggerer, API: the deadline passes by itself, `airflow backfill` fills the gap, a person answers."""
    outlet = Outlet()
    with serve(outlet), run_airflow(home / "af", make_environment(home, outlet)) as airflow:
        airflow.unpause(*USED)
        outlet.listed = ["shot"]
        assert airflow.run("ingest_feeds", sources=["gazette"]) == "success"
        airflow.wait_until_idle()
        assert read_notices(home) == []

        break_feed(airflow, outlet)
        watch = airflow.trigger("watch_feeds") if not airflow.list_runs("watch_feeds", state="running") else ""
        airflow.wait_until(lambda: read_notices(home), "the deadline told of the feed")
        [notice] = read_notices(home)
        assert f"http://127.0.0.1:{outlet.port}/feed.xml" in notice["subject"] and "failing" in notice["subject"]
        assert "blotter sources check gazette" in dict(notice["lines"])["Next"]

        mend_source(airflow, outlet, home)
        airflow.wait_until(lambda: not airflow.list_runs("watch_feeds", state="running"), "watching ended")
        assert not watch or airflow.wait_for_run("watch_feeds", watch) == "success"

        put_into_backfill(home, outlet, "shot", "named")
        airflow.run_command(
            "backfill", "create", "--dag-id", "backfill",
            "--from-date", f"{SHOT_ON:%Y-%m-%d}", "--to-date", f"{NAMED_ON:%Y-%m-%d}",
        )  # fmt: skip
        airflow.wait_until(
            lambda: len(airflow.list_runs("backfill", run_type="backfill", state="success")) == 2, "filled"
        )
        airflow.wait_until_idle()
        named = [message for message in read_messages(home) if message["rule"] == "victim-identified"]
        assert ["Aaron Pell" in message["subject"] for message in named] == [True], "told, and told once"

        settle_unsure_link(airflow, home)
        assert airflow.run("send_alerts") == "success"
        check_nothing_twice(home)


def break_feed(airflow: Airflow, outlet: Outlet) -> None:
    """The feed moves without a word: its old address is not found any more."""
    outlet.feed_path = "/news/feed.xml"
    for _ in range(3):  # so often a feed fails before it is told to be in trouble
        airflow.run("ingest_feeds", sources=["gazette"])


def mend_source(airflow: Airflow, outlet: Outlet, home: Path) -> None:
    """The operator writes the new address down; the feed lists what is newest, and no more what it had meanwhile."""
    write_source(home, outlet)
    outlet.listed = ["fair"]
    assert airflow.run("ingest_feeds", sources=["gazette"]) == "success"


def settle_unsure_link(airflow: Airflow, home: Path) -> None:
    """Another outlet's story may be of the same incident: a person says so, in Airflow."""
    (home / "inbox" / "herald").mkdir(parents=True, exist_ok=True)
    row = {
        "title": "Another look",
        "published": NAMED_ON.isoformat(),
        "text": UNSURE,
        "url": "https://herald.example/1",
    }
    (home / "inbox" / "herald" / "story.jsonl").write_text(json.dumps(row))
    assert airflow.run("ingest_drops") == "success"
    airflow.wait_until_idle()
    [question] = ask_tables(home, lambda connection: queries.list_unsure_links(connection))
    run_id = airflow.trigger("review_links")
    waiting = f"/api/v2/dags/review_links/dagRuns/{run_id}/hitlDetails"
    airflow.wait_until(lambda: airflow.ask("GET", waiting)["hitl_details"], "a person is asked")
    [detail] = airflow.ask("GET", waiting)["hitl_details"]
    assert question["article_id"] in detail["subject"] and "Another look" in detail["body"]
    asking = f"/api/v2/dags/review_links/dagRuns/{run_id}/taskInstances/ask_a_person/0"
    airflow.wait_until(lambda: airflow.ask("GET", asking)["state"] == "awaiting_input", "the question waits")
    answer = {"chosen_options": ["The same incident"], "params_input": {"reason": "one shooting, two street names"}}

    def answer_until_heard() -> bool:
        """Answer each time that it is asked: Airflow 3.3 asks anew where the answer came before the worker let go."""
        if airflow.ask("GET", f"/api/v2/dags/review_links/dagRuns/{run_id}")["state"] in ("success", "failed"):
            return True
        [asked] = airflow.ask("GET", waiting)["hitl_details"]
        if not asked["response_received"] and airflow.ask("GET", asking)["state"] == "awaiting_input":
            time.sleep(5)
            airflow.ask("PATCH", f"{asking}/hitlDetails", answer)
        return False

    airflow.wait_until(answer_until_heard, "the answer is heard")
    assert airflow.wait_for_run("review_links", run_id) == "success"
    airflow.wait_until_idle()
    [judgement] = ask_tables(home, lambda connection: queries.fetch_rows(connection, "FROM judgements"))
    assert (judgement["action"], judgement["reason"]) == ("link", "one shooting, two street names")
    assert judgement["actor"] == "admin"
    assert ask_tables(home, lambda connection: queries.list_unsure_links(connection)) == []


def ask_tables(home: Path, ask: Any) -> Any:
    connection = queries.connect(str(home / "warehouse"))
    try:
        return ask(connection)
    finally:
        connection.close()


def check_nothing_twice(home: Path) -> None:
    messages = read_messages(home)
    assert max(Counter(message["alert_id"] for message in messages).values()) == 1
    told = Counter(
        (message["rule"], change["change_id"])
        for message in messages
        for incident in message["incidents"]
        for change in incident["changes"]
    )
    assert told and max(told.values()) == 1, "no change is told twice by one rule"
    assert len(read_notices(home)) == 1, "one outage, one notice"
