"""Comparing warehouses: equal as the contract defines it, and identical to the byte."""

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd

from blotter.schemas import TABLES

# Tables of the ledger tell of runs and deliveries; all others tell of news.
LEDGER = ("inputs", "fetches", "quarantine", "check_results", "alerts", "runs")


def read_rows(root: Path, table: str) -> list[tuple[Any, ...]]:
    """The rows of one table in its stable columns, sorted by key, as plain values."""
    declared = TABLES[table]
    frame = pd.read_parquet(root / table)[list(declared.stable_columns)]
    rows = [tuple(_plain(value) for value in row) for row in frame.itertuples(index=False)]
    keys = [declared.stable_columns.index(key) for key in declared.key if key in declared.stable_columns]
    return sorted(rows, key=lambda row: [(row[key] is not None, row[key]) for key in keys])


def read_news(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table that tells of news."""
    return {name: read_rows(root, name) for name in TABLES if name not in LEDGER}


def count_rows(root: Path) -> dict[str, int]:
    """The number of rows of every table."""
    return {name: len(pd.read_parquet(root / name)) for name in TABLES}


def hash_files(root: Path) -> dict[str, str]:
    """The sha256 of every Parquet file, by its path under the warehouse."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*.parquet"))
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((key, _plain(part)) for key, part in value.items())
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return tuple(_plain(part) for part in value)
    return None if value is pd.NaT or value != value else value
