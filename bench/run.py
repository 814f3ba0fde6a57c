"""`make bench`: every benchmark of this folder, one after the other, each in a process of its own."""

import subprocess
import sys
from pathlib import Path

BENCHES = (
    "clean.py",
    "extract.py",
    "confined.py",
    "pipeline.py",
    "airflow_runs.py",
    "publish.py",
    "checks.py",
    "link.py",
    "scale.py",
    "cluster.py",
    "fetch.py",
    "schedule.py",
    "browse.py",
    "books.py",
)


def main() -> int:
    folder = Path(__file__).parent
    failed = [
        name
        for name in BENCHES
        if subprocess.run([sys.executable, str(folder / name)], cwd=folder, check=False).returncode
    ]
    if failed:
        print(f"failed: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
