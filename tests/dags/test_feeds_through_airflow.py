"""`ingest_feeds` run by Airflow: parts that divide no site, credentials from a connection, what is left is said."""

import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from blotter.config import load_settings
from blotter.stores import Stores
from ingest.site import Site, serve_site

SECRET = "k3y-of-the-courier"
SITES = [f"outlet{n}.example" for n in range(6)]
CLOCK = "2024-03-10T12:00:00+00:00"


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as serving:
        for host in SITES:
            names = [f"Dock{n}" for n in range(3)]
            for feed in ("/feed", "/crime"):
                listed = [{"title": n, "link": f"http://{host}{feed}/{n}", "guid": f"{feed}{n}"} for n in names]
                serving.put_feed(host, feed, listed)
                for name in names:
                    serving.put_story(host, f"{feed}/{name}", name)
        yield serving


@pytest.fixture
def run_dag(dag_bag: Any, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    for name in ("warehouse", "archive", "staging", "inbox", "sources"):
        monkeypatch.setenv(f"BLOTTER_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("BLOTTER_STATE", str(tmp_path / "state.db"))
    monkeypatch.setenv("BLOTTER_CLOCK", CLOCK)
    monkeypatch.setenv("BLOTTER_FETCH__RESOLVE", f"*.example=127.0.0.1:{site.port}")
    monkeypatch.setenv("BLOTTER_FETCH__HOST_SPACING_S", "0")
    monkeypatch.setenv("BLOTTER_FETCH__FEEDS_PER_TASK", "3")
    (tmp_path / "sources").mkdir()
    for host in SITES:
        feeds = f"[{{url: 'http://{host}/feed'}}, {{url: 'http://{host}/crime'}}]"
        (tmp_path / "sources" / f"{host.partition('.')[0]}.yaml").write_text(f"name: x\nfeeds: {feeds}\n")

    def run(sources: Sequence[str] = ()) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Airflow's own
            return dag_bag.dags["ingest_feeds"].test(run_conf={"sources": list(sources)})

    return run


def states(run: Any) -> dict[tuple[str, int], str]:
    return {(ti.task_id, ti.map_index): str(ti.state) for ti in run.get_task_instances()}


def test_due_feeds_are_polled_in_parts_a_site_whole_in_one(run_dag: Callable[..., Any], site: Site) -> None:
    run = run_dag()
    assert str(run.state) == "success"
    parts = [state for (task, _), state in states(run).items() if task == "poll_feeds"]
    assert 2 <= len(parts) <= 4 and set(parts) == {"success"}
    assert states(run)["announce_documents", -1] == "success"
    with Stores(load_settings()) as stores:
        assert len(stores.ledger.pending()) == len(SITES) * 6
        rows = [row.row for row in stores.ledger.staged_rows() if row.table == "fetches"]
    assert len(rows) == len(SITES) * 8
    assert site.asked and len(set(site.asked)) == len(site.asked) == len(SITES) * 8
    # Parts run one after the other here: whoever is asked by one is asked by no other.
    order = [urlsplit(f"//{address}").hostname for address in site.asked]
    for host in SITES:
        first, last = order.index(host), len(order) - 1 - order[::-1].index(host)
        together = set(order[first:last])
        assert together != set(order), "a host's requests are of one part"


def test_a_run_without_news_says_so_and_a_form_polls_at_once(run_dag: Callable[..., Any], site: Site) -> None:
    run_dag()
    with Stores(load_settings()) as stores:
        pending = stores.ledger.pending()
    again = run_dag()
    assert {state for (task, _), state in states(again).items() if task == "poll_feeds"} == {"skipped"}
    assert states(again)["announce_documents", -1] == "success", "what waits is announced again"
    site.asked.clear()
    forced = run_dag(sources=["outlet1"])
    assert states(forced)["poll_feeds", 0] == "success"
    assert sorted(site.asked) == ["outlet1.example/crime", "outlet1.example/feed"]
    with Stores(load_settings()) as stores:
        assert stores.ledger.pending() == pending


def test_a_connection_is_what_a_source_is_shown(
    run_dag: Callable[..., Any],
    site: Site,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_HARBOR_COURIER", f"http://:{SECRET}@/?header=X-Api-Key")
    source = tmp_path / "sources" / "outlet0.yaml"
    source.write_text(source.read_text() + "credentials: harbor_courier\n")
    assert str(run_dag(sources=["outlet0", "outlet1"]).state) == "success"
    shown = {
        urlsplit(f"//{address}").hostname: headers.get("X-Api-Key")
        for address, headers in zip(site.asked, site.headers_asked, strict=True)
    }
    assert shown == {"outlet0.example": SECRET, "outlet1.example": None}
    told = "".join([caplog.text, *capsys.readouterr()])
    assert "polled" in told and SECRET not in told


def test_what_the_deadline_leaves_is_counted_and_still_due(
    run_dag: Callable[..., Any], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    monkeypatch.setenv("BLOTTER_FETCH__DEADLINE_S", "0.000001")
    run = run_dag()
    with create_session() as session:
        rows = session.query(XComModel).filter(XComModel.run_id == run.run_id, XComModel.task_id == "poll_feeds").all()
        counted = [json.loads(row.value) if isinstance(row.value, str) else row.value for row in rows]
    assert sum(counts["n_left"] for counts in counted if isinstance(counts, dict)) == len(SITES) * 2
    assert site.asked == []
    monkeypatch.setenv("BLOTTER_FETCH__DEADLINE_S", "60")
    assert str(run_dag().state) == "success"
    assert len(site.asked) == len(SITES) * 8


def test_a_part_that_fails_holds_up_no_other_and_fails_the_run(
    run_dag: Callable[..., Any], dag_bag: Any, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from blotter import steps

    polling = dag_bag.dags["ingest_feeds"].get_task("poll_feeds")
    monkeypatch.setitem(polling.partial_kwargs, "retries", 0)  # `dag.test` would sleep between tries

    poll, failing = steps.ingest_feeds, set[int]()

    def poll_but_for_one(settings: Any, *, part: Any, **given: Any) -> Any:
        if not failing or part["number"] in failing:
            failing.add(part["number"])
            raise ZeroDivisionError("a defect of ours")
        return poll(settings, part=part, **given)

    monkeypatch.setattr(steps, "ingest_feeds", poll_but_for_one)
    run = run_dag()
    assert str(run.state) == "failed"
    assert "success" in {state for (task, _), state in states(run).items() if task == "poll_feeds"}
    assert states(run)["announce_documents", -1] == "success"
    with Stores(load_settings()) as stores:
        assert stores.ledger.pending()
