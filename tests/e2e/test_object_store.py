"""A story replayed into an object store: the same tables as in a folder, and the same answers."""

import json
from datetime import date
from pathlib import Path

from typer.testing import CliRunner

from blotter import queries
from blotter.cli import app
from blotter.schemas import TABLES
from e2e.story import write_story


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output + repr(done.exception)
    return done.stdout


def test_a_replay_into_an_object_store_equals_one_into_a_folder(object_store: str, tmp_path: Path) -> None:
    story, local, remote = write_story(tmp_path), str(tmp_path / "W"), f"{object_store}{tmp_path}/W"
    run("replay", str(story), "-w", local)
    run("replay", str(story), "-w", remote, "--state", str(tmp_path / "state.db"))
    with queries.connect(local) as here, queries.connect(remote) as there:
        for name, table in TABLES.items():
            columns = ", ".join(f'"{column}"' for column in table.stable_columns)
            query = f"SELECT {columns}, dt FROM {name} ORDER BY ALL"
            rows = queries.fetch_rows(here, query)
            assert rows == queries.fetch_rows(there, query), name
            assert rows or name in ("judgements", "fetches", "alerts"), name
    days = {"incidents": [date(2026, 3, 3)]}
    with (
        queries.connect(local) as here,
        queries.connect(remote) as there,
        queries.open_days(here, local, days) as one,
        queries.open_days(there, remote, days) as other,
    ):
        for query in ("SELECT incident_id, version, dt FROM incidents", "SELECT version FROM current_incidents"):
            assert queries.fetch_rows(one, query) == queries.fetch_rows(other, query)
        assert queries.fetch_rows(other, "FROM claims") == []
    assert run("incidents", "-w", local, "--json") == run("incidents", "-w", remote, "--json")
    incident = json.loads(run("incidents", "-w", remote, "--json").splitlines()[0])["incident_id"]
    assert run("timeline", incident, "-w", local) == run("timeline", incident, "-w", remote)


def test_a_replay_into_an_object_store_needs_a_place_for_its_state(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["replay", str(write_story(tmp_path)), "-w", "s3://bucket/W"])
    assert "--state" in str(done.exception)
