"""Disks that refuse: a clear error, nothing changed, and all well once there is room again."""

import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from blotter.errors import PublishingError
from blotter.store.archive import RawArchive
from blotter.store.warehouse import Warehouse
from pipeline import can_mount
from store.builders import NOON, make_tables

HERE = Path(__file__).parent


@contextmanager
def files_up_to(n_bytes: int) -> Iterator[None]:
    """Let the kernel refuse to make any file longer than this."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def list_files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_a_write_that_is_cut_short_changes_nothing(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "warehouse")
    warehouse.init()
    archive = RawArchive(tmp_path / "archive")
    with warehouse.lock("a test", timeout_s=1):
        before = list_files(tmp_path)
        for cut in (0, 1, 1_000, 10_000):
            with files_up_to(cut), pytest.raises(PublishingError, match=r"content\.bin.*the tables are right"):
                warehouse.freeze("b1", NOON, "run", make_tables(batch="b1"))
        with files_up_to(3), pytest.raises(PublishingError, match="nothing was kept"):
            archive.put(b"a page")
        assert list_files(tmp_path) == before
        warehouse.freeze("b1", NOON, "run", make_tables(batch="b1"))
        with files_up_to(5_000), pytest.raises(PublishingError, match="the tables are right"):
            warehouse.roll_forward(lambda manifest, memory: None)
        warehouse.roll_forward(lambda manifest, memory: None)
    assert warehouse.read("claims").num_rows == 3


def test_a_disk_that_fills_up_and_turns_read_only(tmp_path: Path) -> None:
    if not can_mount():
        pytest.skip("this machine lets nobody mount a disk of their own")
    ran = subprocess.run(
        ["unshare", "--map-root-user", "--mount", sys.executable, HERE / "small_disk.py", tmp_path],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    full, fixed = "No space left on device", "Read-only file system"
    expected = [
        ("small: done", "['b1']"),
        (f"too large to freeze: PublishingError: DISK/warehouse/.*{full}; the tables are right, try again", "['b1']"),
        (f"too full to roll forward: PublishingError: DISK/.*{full}; the tables are right, try again", "['b1']"),
        (f"archive: PublishingError: DISK/archive/.*{full}; nothing was kept", "['b1']"),
        (f"staging: PublishingError: DISK/staging/.*{full}; the slice is not staged", "['b1']"),
        ("room again: done", "['b1', 'b3']"),
        (f"read-only: PublishingError: DISK/warehouse/.*{fixed}; the tables are right, try again", "['b1', 'b3']"),
        (f"archive: PublishingError: DISK/archive/.*{fixed}; nothing was kept", "['b1', 'b3']"),
    ]
    for line, (told, standing) in zip(ran.stdout.splitlines(), expected, strict=True):
        assert re.fullmatch(f"{told}; stands: {re.escape(standing)}", line)
