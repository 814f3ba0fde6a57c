"""Every reason code that a row may carry is explained to the operator."""

from pathlib import Path

import pytest

from blotter.errors import Reason

PAGE = (Path(__file__).parents[1] / "docs" / "quarantine.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_has_a_line_in_the_docs(reason: Reason) -> None:
    assert f"| `{reason}` |" in PAGE
