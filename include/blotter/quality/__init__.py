"""Whether a batch may be published: suites derived from the schemas and from judgement, evaluated before publishing.

Belongs here: what is expected of tables and what a failure does. Does not belong here: checking inputs before they are
rows (`ingest` and `clean` reject them with a reason).
"""

from blotter.quality.gate import CheckReport, check_batch
from blotter.quality.suites import Check, Severity, checks_of

__all__ = ["Check", "CheckReport", "Severity", "check_batch", "checks_of"]
