"""Run by `test_full_disk.py` in a mount namespace of its own: the steps on a disk that fills up, then is read-only.

Prints one line for each thing that happened, and leaves the tables beside the disk for the test to compare.
"""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from blotter import steps
from blotter.config import Settings, load_settings
from blotter.errors import BlotterError
from pipeline import run_steps


def tell(what: str, settings: Settings) -> None:
    try:
        run_steps(settings)
    except (BlotterError, OSError, SQLAlchemyError) as refused:
        print(f"{what}: {type(refused).__name__}: {' '.join(str(refused).split())}", flush=True)  # noqa: T201
    else:
        print(f"{what}: done", flush=True)  # noqa: T201


def main(disk: Path, drops: Path, result: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "none", str(disk)], check=True)
    names = ("warehouse", "archive", "staging", "inbox", "checks_site")
    variables = {f"BLOTTER_{name.upper()}": str(disk / name) for name in names}
    settings = load_settings(
        environ={
            **variables,
            "BLOTTER_STATE": str(disk / "state.db"),
            "BLOTTER_CLOCK": "2026-03-04T23:59:59+00:00",
            "BLOTTER_DROPS__SETTLE_S": "0",
        }
    )
    steps.create_stores(settings)
    shutil.copytree(drops, disk / "inbox", dirs_exist_ok=True)
    ballast = disk / "ballast"
    size = os.statvfs(disk)
    free = size.f_bavail * size.f_frsize
    # Each time a little more is free: the disk is full at another moment of the run.
    for left in (0, 8_000, 60_000, 140_000, 220_000, 320_000, 450_000):
        with suppress(OSError), ballast.open("r+b" if ballast.exists() else "wb") as stream:
            stream.truncate(0)
            now = os.statvfs(disk)
            stream.write(b"\x01" * max(0, now.f_bavail * now.f_frsize - left))
        tell(f"{left} bytes free of {free}", settings)
    ballast.unlink()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    tell("read-only", settings)
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    tell("room again", settings)
    shutil.copytree(disk / "warehouse", result)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
