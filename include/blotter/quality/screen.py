"""A plain look at a frame before Great Expectations: which checks hold beyond doubt.

Belongs here: the same kinds of checks in pandas, for callers that check hundreds of small batches in a row (a replay
plays one a day), where Great Expectations' 2 to 4 ms an expectation would be most of the time. Does not belong here:
any verdict; what does not hold here is evaluated, reported and judged by Great Expectations like everything else.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from blotter.quality.suites import Check


def screen_checks(checks: Sequence[Check], frame: pd.DataFrame) -> list[bool]:
    """Say of each check whether it holds, in order; a kind that is not known here does not."""
    return [_holds(check.kind, check.arguments, frame) for check in checks]


def _holds(kind: str, arguments: Mapping[str, Any], frame: pd.DataFrame) -> bool:
    match kind:
        case "ExpectColumnValuesToBeNull":
            return not frame[arguments["column"]].notna().any()
        case "ExpectColumnValuesToBeUnique":
            return bool(frame[arguments["column"]].dropna().is_unique)
        case "ExpectCompoundColumnsToBeUnique":
            return not frame.duplicated(arguments["column_list"]).any()
        case "ExpectColumnValuesToBeBetween":
            return _is_between(frame[arguments["column"]].dropna(), arguments)
        case "ExpectColumnMeanToBeBetween":
            return _is_between(pd.Series([frame[arguments["column"]].mean()]), arguments)
        case "ExpectColumnPairValuesToBeEqual":
            pair = frame[[arguments["column_A"], arguments["column_B"]]].dropna(how="all")
            return bool((pair[arguments["column_A"]] == pair[arguments["column_B"]]).all())
        case _:
            return False


def _is_between(values: "pd.Series[Any]", arguments: Mapping[str, Any]) -> bool:
    low, high = arguments.get("min_value"), arguments.get("max_value")
    return bool((low is None or (values >= low).all()) and (high is None or (values <= high).all()))
