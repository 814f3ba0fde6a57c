"""A disk that is full at one moment of a run after the other, then read-only: each failure is told, nothing is lost."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from blotter.config import Settings
from pipeline import can_mount, run_steps
from warehouses import read_news, read_rows

HERE = Path(__file__).parent


def test_a_disk_that_fills_up_during_a_run(
    tmp_path: Path, make_settings: Callable[..., Settings], drop_stories: Callable[[Settings], None]
) -> None:
    if not can_mount():
        pytest.skip("this machine lets nobody mount a disk of their own")
    settings = make_settings(tmp_path / "undisturbed")
    drop_stories(settings)
    shutil.copytree(settings.inbox, tmp_path / "drops")
    (tmp_path / "disk").mkdir()
    script = [sys.executable, HERE / "full_disk.py", tmp_path / "disk", tmp_path / "drops", tmp_path / "result"]
    ran = subprocess.run(
        ["unshare", "--map-root-user", "--mount", *script],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert ran.returncode == 0, ran.stderr
    told = ran.stdout.splitlines()
    assert told[-1] == "room again: done", ran.stdout
    full = [line for line in told if "No space left" in line or "disk is full" in line or "disk I/O" in line]
    assert len(full) >= 3, ran.stdout
    assert all("done" in line or "Error" in line for line in told)
    assert "read-only" in told[-2].lower()

    run_steps(settings)
    undisturbed = tmp_path / "undisturbed" / "warehouse"
    assert read_news(tmp_path / "result") == read_news(undisturbed)
    inputs = sorted((row[3], row[5]) for row in read_rows(tmp_path / "result", "inputs"))
    assert inputs == sorted((row[3], row[5]) for row in read_rows(undisturbed, "inputs"))
