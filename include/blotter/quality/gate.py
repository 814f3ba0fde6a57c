"""The gate: a batch's tables against what is expected of them, by Great Expectations.

Belongs here: running the suites and wording the outcome. Does not belong here: the expectations
(`blotter.quality.suites`) and what a caller does about a failure. Great Expectations takes seconds to import and is
imported on the first check of a process only; its context is kept for the later ones.
"""

import logging
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from blotter.ids import canonical_json, make_id
from blotter.quality.suites import Check, References, Severity, checks_of
from blotter.schemas import TABLES

if TYPE_CHECKING:  # pandas takes a second to import: only a check needs it
    import pandas as pd

    from blotter.quality.frames import Batch

Row = dict[str, Any]

SHOWN_ROWS = 5
_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's outcome: how many rows it looked at and which of them failed."""

    check: Check
    n_rows: int
    failed_rows: tuple[Row, ...] = ()  # the columns that say which row it is and what is wrong with it
    defect: str | None = None  # what is wrong where no single row is

    @property
    def is_success(self) -> bool:
        """Whether the expectation held."""
        return not self.failed_rows and self.defect is None

    @property
    def is_blocking(self) -> bool:
        """Whether nothing may be published: it failed and says so, or it would set rows aside but cannot name them."""
        if self.check.severity is Severity.QUARANTINE:
            return self.defect is not None
        return self.check.severity is Severity.BLOCK and not self.is_success


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The outcome for one batch.

    `results` are the rows of the table `check_results`, without stamp. `quarantined` gives, for each article that has
    to be set aside, why: take these out, resolve the rest again and check again, before believing `is_blocked`.
    """

    results: tuple[Row, ...]
    is_blocked: bool
    message: str  # every failure with its first rows, the blocking ones first; empty where all held
    quarantined: Mapping[str, str]
    blocking: tuple[str, ...] = ()  # names what blocks, by expectation and rows: alike for the same trouble


def check_batch(
    tables: Mapping[str, pa.Table],
    *,
    batch_id: str,
    now: datetime,
    references: References,
    usual_volumes: Mapping[str, float] | None = None,
    is_screened: bool = False,
) -> CheckReport:
    """Check the tables of one batch, all that it has or any part of them.

    `references` tells what was published earlier: for "table.column" the known values, as a set or anything that
    answers `in`; it is asked only about values that the batch itself does not hold, and a reference without an entry is
    not checked beyond the batch. `usual_volumes` gives the usual number of articles of each source in such a batch.
    With `is_screened`, Great Expectations is asked only about what does not hold at a plain look: the same outcome, and
    milliseconds instead of tenths of a second for a small batch that is good.
    """
    from blotter.quality.frames import Batch, build_frame

    batch = Batch(tables, now, references, usual_volumes or {})
    findings = [
        finding
        for name in (*TABLES, *sorted(set(tables) - set(TABLES)))
        for finding in _check(name, batch, is_screened)
    ]
    if batch.usual_volumes:
        findings += evaluate_checks(checks_of("batch"), build_frame("batch", batch), ("source_id",), is_screened)
    failed = sorted((f for f in findings if not f.is_success), key=lambda f: list(Severity).index(f.check.severity))
    return CheckReport(
        results=tuple(_build_result(finding, batch_id, now) for finding in findings),
        is_blocked=any(finding.is_blocking for finding in failed),
        message="\n".join(_word_finding(finding) for finding in failed),
        quarantined=_collect_quarantined(failed),
        blocking=tuple(_name_finding(finding) for finding in failed if finding.is_blocking),
    )


def _check(name: str, batch: "Batch", is_screened: bool) -> list[Finding]:
    from blotter.quality.frames import build_frame, find_structural_defect

    table = batch.tables.get(name)
    if table is None:
        return []
    structure = Check(name, "columns and types are as declared in schemas.py", "", Severity.BLOCK)
    defect = find_structural_defect(name, table)
    finding = Finding(structure, table.num_rows, defect=defect)
    if defect is not None or not table.num_rows:
        return [finding]
    shown = ("article_id",) if "article_id" in table.column_names else ()
    identity = (*TABLES[name].key, *shown)
    return [finding, *evaluate_checks(checks_of(name), build_frame(name, batch), identity, is_screened)]


def evaluate_checks(
    checks: Sequence[Check], frame: "pd.DataFrame", identity: tuple[str, ...], is_screened: bool = False
) -> list[Finding]:
    """Ask for plain outcomes first, which costs half, and for rows only where something failed."""
    from blotter.quality.screen import screen_checks

    if is_screened:
        held = screen_checks(checks, frame)
    else:
        held = [outcome["success"] for outcome in _validate(checks, frame, "BOOLEAN_ONLY")]
    failed = [check for check, is_held in zip(checks, held, strict=True) if not is_held]
    told = iter(_validate(failed, frame, "COMPLETE")) if failed else iter(())
    return [
        _find(check, frame, identity, next(told)) if check in failed else Finding(check, len(frame)) for check in checks
    ]


def _find(check: Check, frame: "pd.DataFrame", identity: tuple[str, ...], told: Mapping[str, Any]) -> Finding:
    if told["success"]:
        return Finding(check, len(frame))
    rows = told["result"].get("unexpected_index_list") or []
    if rows:
        columns = list(dict.fromkeys((*identity, *check.shows)))
        return Finding(check, len(frame), tuple(_give_rows(frame.loc[rows, columns])))
    return Finding(check, len(frame), defect=_word_observed(told))


def _give_rows(frame: "pd.DataFrame") -> Iterator[Row]:
    for row in frame.itertuples(index=False, name=None):
        yield dict(zip(frame.columns, row, strict=True))


def _word_observed(told: Mapping[str, Any]) -> str:
    for raised in told["exception_info"].values():
        if isinstance(raised, Mapping) and raised.get("raised_exception"):
            return f"could not be evaluated: {raised.get('exception_message')}"
    if told["exception_info"].get("raised_exception"):
        return f"could not be evaluated: {told['exception_info'].get('exception_message')}"
    return f"observed {told['result'].get('observed_value')}"


@cache
def open_context() -> tuple[Any, Any, Any]:
    """Import Great Expectations and open one context for all checks of this process: module, expectations, batches."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # hundreds of lines at INFO, under Airflow
    import great_expectations
    from great_expectations import expectations
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("batch").add_dataframe_asset("table")
    return great_expectations, expectations, asset.add_batch_definition_whole_dataframe("whole")


def _validate(checks: Sequence[Check], frame: "pd.DataFrame", result_format: str) -> list[Mapping[str, Any]]:
    """Evaluate checks on a frame: one JSON-like result a check, in their order; a crash of one is its failure."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs, about pandas
        module, expectations, batches = open_context()
        suite = module.ExpectationSuite(
            checks[0].suite,
            expectations=[
                getattr(expectations, check.kind)(**check.arguments, meta={"position": position})
                for position, check in enumerate(checks)
            ],
        )
        outcome = batches.get_batch({"dataframe": frame}).validate(suite, result_format=result_format)
    by_position: dict[int, Mapping[str, Any]] = {
        result.expectation_config.meta["position"]: {
            "success": bool(result.success),
            "result": result.result or {},
            "exception_info": result.exception_info or {},
        }
        for result in outcome.results
    }
    return [by_position[position] for position in range(len(checks))]


def _build_result(finding: Finding, batch_id: str, now: datetime) -> Row:
    check = finding.check
    observed: dict[str, Any] = {"n_rows": finding.n_rows}
    if finding.failed_rows:
        observed["n_failed"] = len(finding.failed_rows)
        observed["rows"] = [_plain(row) for row in finding.failed_rows[:SHOWN_ROWS]]
    if finding.defect is not None:
        observed["defect"] = finding.defect
    bounds = {name: value for name, value in check.arguments.items() if name in ("min_value", "max_value")}
    return {
        "suite": check.suite,
        "expectation": check.expectation,
        "column": check.column,
        "success": finding.is_success,
        "severity": check.severity.value,
        "observed": canonical_json(observed),
        "threshold": canonical_json(bounds) if bounds else None,
        "checked_at": now,
        "batch_id": batch_id,
    }


def _word_finding(finding: Finding) -> str:
    check = finding.check
    head = f"{check.severity}: {check.suite}: {check.expectation}"
    if finding.defect is not None:
        return f"{head}: {finding.defect}"
    lines = [f"{head}: not so in {len(finding.failed_rows)} of {finding.n_rows} rows"]
    lines += [f"  {canonical_json(_plain(row))}" for row in finding.failed_rows[:SHOWN_ROWS]]
    if len(finding.failed_rows) > SHOWN_ROWS:
        lines.append(f"  and {len(finding.failed_rows) - SHOWN_ROWS} more")
    return "\n".join(lines)


def _name_finding(finding: Finding) -> str:
    """Name a finding by its expectation and the keys of its rows, not by what a clock or the batch's size changes."""
    check = finding.check
    key = TABLES[check.suite].key if check.suite in TABLES else ()
    rows = sorted(canonical_json([row.get(column) for column in key]) for row in map(_plain, finding.failed_rows))
    return f"{check.suite}: {check.expectation}: {make_id('row', *rows)}"


def _collect_quarantined(failed: Iterable[Finding]) -> dict[str, str]:
    reasons: dict[str, str] = {}
    for finding in failed:
        if finding.check.severity is Severity.QUARANTINE:
            for row in finding.failed_rows:
                article_id = row["article_id"]
                told = f"{finding.check.suite}: {finding.check.expectation}: {canonical_json(_plain(row))}"
                reasons.setdefault(article_id, told)
    return reasons


def _plain(row: Row) -> Row:
    return dict(_plain_pairs(row))


def _plain_pairs(row: Row) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if value is None or value != value:  # NaN and NaT
            yield name.lstrip("_"), None
        elif isinstance(value, str):
            yield name.lstrip("_"), value if len(value) <= _SHOWN_CHARACTERS else value[:_SHOWN_CHARACTERS] + "…"
        elif isinstance(value, datetime):
            yield name.lstrip("_"), value.isoformat()
        else:
            yield name.lstrip("_"), value.item() if hasattr(value, "item") else value
