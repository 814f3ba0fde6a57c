"""A story replayed: the same tables to the byte, whatever the order of its lines; played again, nothing new."""

import json
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from blotter.cli import app
from e2e.story import STORY, write_story
from warehouses import LEDGER, count_rows, hash_files, read_rows


def replay(path: Path, warehouse: Path, *options: str) -> None:
    done = CliRunner().invoke(app, ["replay", str(path), "--by-day", "--warehouse", str(warehouse), *options])
    assert done.exit_code == 0, done.output + repr(done.exception)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("played")
    replay(write_story(folder), folder / "W")
    return folder / "W"


def test_one_incident_comes_of_two_outlets_and_its_name_is_withheld_until_it_is_told(played: Path) -> None:
    changes = duckdb.sql(
        f"""FROM read_parquet('{played}/changes/**/*.parquet', hive_partitioning = true)
        SELECT before_state, "after", quote, dt::VARCHAR, source_id WHERE field = 'name' ORDER BY version"""
    ).fetchall()
    assert [(state, after) for state, after, *_ in changes][-1] == ("withheld", '"Marcus Ellery"')
    *_, (_, _, quote, day, source) = changes
    assert "identified as Marcus Ellery, 34." in quote
    assert (day, source) == ("2026-03-03", "lakeview-wire.example")
    assert len({row[0] for row in read_rows(played, "incidents")}) == 1


def test_every_input_has_one_disposition_and_the_stages_reconcile(played: Path) -> None:
    told = [(location, disposition) for _, _, _, location, _, disposition, *_ in read_rows(played, "inputs")]
    assert sorted(("sha256" if "sha256:" in location else location, disposition) for location, disposition in told) == [
        ("http://www.lakeview-wire.example/officer-named", "published"),
        ("http://www.millrace.example/budget", "not_incident"),
        ("http://www.millrace.example/officer", "published"),
        ("sha256", "quarantined"),
    ]
    runs = duckdb.sql(
        f"""FROM read_parquet('{played}/runs/**/*.parquet')
        SELECT run_id, n_in, n_published + n_unchanged + n_not_incident + n_duplicate + n_refused + n_quarantined
        ORDER BY run_id, list_position(['ingest', 'read', 'link', 'check', 'publish'], stage)"""
    ).fetchall()
    for (run, n_in, n_settled), (next_run, next_in, _) in pairwise(runs):
        assert run != next_run or next_in == n_in - n_settled


def test_replaying_twice_gives_the_same_bytes(played: Path, tmp_path: Path) -> None:
    replay(write_story(tmp_path), tmp_path / "W")
    assert hash_files(tmp_path / "W") == hash_files(played)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_lines_and_the_name_of_the_file_change_no_byte(played: Path, tmp_path: Path, seed: int) -> None:
    replay(write_story(tmp_path, name="shuffled.jsonl", seed=seed), tmp_path / "W")
    assert hash_files(tmp_path / "W") == hash_files(played)


def test_playing_a_finished_story_again_adds_ledger_rows_only_its_inputs_duplicate(tmp_path: Path) -> None:
    story = write_story(tmp_path)
    replay(story, tmp_path / "W")
    before = count_rows(tmp_path / "W")
    replay(story, tmp_path / "W")
    after = count_rows(tmp_path / "W")
    assert {name: n for name, n in after.items() if n != before[name] and name not in LEDGER} == {}
    assert after["inputs"] - before["inputs"] == len(STORY)
    dispositions = [row[5] for row in read_rows(tmp_path / "W", "inputs")]
    assert dispositions.count("duplicate") == len(STORY) - 1, "all but the empty one, which is quarantined again"


def test_links_that_are_given_are_taken_as_judged(tmp_path: Path) -> None:
    links = tmp_path / "links.jsonl"
    given = [{"url": STORY[0]["url"], "incident": "a"}, {"url": STORY[1]["url"], "incident": "b"}]
    links.write_text("\n".join(map(json.dumps, given)), encoding="utf-8")
    replay(write_story(tmp_path), tmp_path / "W", "--links", str(links))
    assert len({row[0] for row in read_rows(tmp_path / "W", "incidents")}) == 2
