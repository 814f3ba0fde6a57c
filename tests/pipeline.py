"""Running the pipeline's steps in a row, as one build does, and telling whether a test may have a disk of its own."""

import shutil
import subprocess

from blotter import steps
from blotter.config import Settings


def run_steps(settings: Settings, run_id: str = "run") -> dict[str, int]:
    """Take the drops, read all slices, publish; returns the counts of publishing."""
    steps.ingest_drops(settings, run_id=run_id)
    for slice_id in steps.plan_slices(settings):
        steps.read_slice(settings, slice_id)
    return steps.publish_batch(settings, run_id=run_id)


def can_mount() -> bool:
    """Whether this machine lets us mount a disk in a namespace of our own."""
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
