"""Three days of the sample week through the DAGs, run by Airflow: the same tables as through the steps alone."""

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from server import serve_seeds

from seeds.play import play_week
from warehouses import read_news, read_rows

SEEDS = Path(__file__).parents[2] / "seeds"
DAYS = ["2026-03-02", "2026-03-03", "2026-03-04"]
STORY = ("ingest_feeds", "ingest_drops", "build_incidents", "send_alerts")


def read_xcoms(run_id: str) -> list[Any]:
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    with create_session() as session:
        return [xcom.value for xcom in session.query(XComModel).filter(XComModel.run_id == run_id)]


@pytest.fixture(scope="module")
def through_airflow(parse_dags: Callable[[], Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The warehouse that the DAGs made, with the runs' states and XComs."""
    dags = parse_dags().dags
    home = tmp_path_factory.mktemp("airflow")
    told: dict[str, Any] = {"home": home, "states": [], "xcoms": []}
    with pytest.MonkeyPatch.context() as patch, serve_seeds(SEEDS, DAYS[0]) as outlets, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Airflow's own
        for name in ("warehouse", "archive", "staging", "inbox"):
            patch.setenv(f"BLOTTER_{name.upper()}", str(home / name))
        patch.setenv("BLOTTER_STATE", str(home / "state.db"))
        patch.setenv("BLOTTER_ALERTS_LOG", str(home / "alerts.jsonl"))
        patch.setenv("BLOTTER_SOURCES", str(SEEDS / "sources"))
        patch.setenv("BLOTTER_FETCH__RESOLVE", f"*.example=127.0.0.1:{outlets.port}")
        patch.setenv("BLOTTER_FETCH__HOST_SPACING_S", "0")
        patch.setenv("BLOTTER_DROPS__SETTLE_S", "0")
        for day in DAYS:
            outlets.day = day
            patch.setenv("BLOTTER_CLOCK", f"{day}T23:59:59+00:00")
            if (drops := SEEDS / "days" / day / "drops").is_dir():
                shutil.copytree(drops, home / "inbox", dirs_exist_ok=True)
            for dag_id in STORY:
                run = dags[dag_id].test()
                told["states"].append((day, dag_id, str(run.state)))
                told["xcoms"] += read_xcoms(run.run_id)
    return told


def test_every_run_succeeds(through_airflow: Any) -> None:
    assert [state for *_, state in through_airflow["states"]] == ["success"] * len(DAYS) * len(STORY)


def test_the_tables_equal_those_of_the_steps_alone(through_airflow: Any, tmp_path: Path) -> None:
    for _ in play_week(tmp_path, DAYS):
        pass
    through = read_news(through_airflow["home"] / "warehouse")
    alone = read_news(tmp_path / "warehouse")
    assert {name for name, rows in through.items() if rows} >= {"articles", "claims", "incidents", "changes", "facts"}
    for name, rows in alone.items():
        assert through[name] == rows, name


def test_xcoms_carry_references_and_counts_only(through_airflow: Any) -> None:
    assert any(through_airflow["xcoms"])
    for value in through_airflow["xcoms"]:
        assert len(json.dumps(value, default=str)) < 2_000


def test_alerts_are_sent_once_and_written_down(through_airflow: Any) -> None:
    lines = (through_airflow["home"] / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    assert lines
    sent = [row for row in read_rows(through_airflow["home"] / "warehouse", "alerts") if row[4] == "sent"]
    assert len({row[0] for row in sent}) == len(sent)
