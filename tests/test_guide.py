"""The operator's guide is true: its commands run as they stand, in order, in an empty clone."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.mark.heavy
@pytest.mark.timeout(1_200)
def test_the_commands_of_the_guide_run_in_an_empty_clone(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(clone)], check=True)
    guide = (clone / "docs" / "operating.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", guide, re.DOTALL | re.MULTILINE)
    assert len(blocks) > 8
    script = tmp_path / "guide.sh"
    # The sample outlets that the guide starts end with it.
    script.write_text("set -eux\ntrap 'kill $(jobs -p)' EXIT\n" + "\n".join(blocks))
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("BLOTTER_", "AIRFLOW", "PYTHON"))
    }
    done = subprocess.run(
        [shutil.which("bash") or "bash", str(script)],
        cwd=clone,
        env={**environment, "PYTHON": str(Path(sys.executable).resolve())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Traceback" not in done.stderr
