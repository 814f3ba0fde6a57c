"""What moved between two versions of an incident, how and why.

Belongs here: comparing what stood with what stands (`diff`). Does not belong here: what stands (`blotter.resolve`).
Core: pure functions.
"""

from blotter.track.diff import Difference, Trigger, apply_changes, diff_versions

__all__ = ["Difference", "Trigger", "apply_changes", "diff_versions"]
