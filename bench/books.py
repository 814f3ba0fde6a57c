"""What the books and retention need as history grows: memory must not grow with it, time may.

A warehouse of so many inputs (default 200,000 and 2,000,000), each with bytes of its own, and a tenth as many that are
pending. Each question is asked in a process of its own: highest memory, processor time.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from blotter import accounting, maintenance, rows
from blotter.config import KeepSettings, Settings
from blotter.ids import sha256_hex
from blotter.model import Disposition, Document
from blotter.store.inputs import SettledInput
from blotter.stores import Stores

_DAYS = 20
_START = datetime(2026, 1, 1, 12, tzinfo=UTC)
_QUESTIONS: dict[str, Callable[[Settings], object]] = {
    "nothing": lambda settings: None,  # what the imports take
    "list_pending": lambda settings: accounting.list_pending(settings).n_pending,
    "find_imbalances": accounting.find_imbalances,
    "expire_documents": lambda settings: maintenance.expire_documents(settings, is_dry_run=True)["n_documents"],
}


def make_settings(home: Path) -> Settings:
    """Settings of a pipeline in a folder of its own, on the day after its history, which keeps documents ten days."""
    places = {name: str(home / name) for name in ("warehouse", "archive", "staging", "inbox")}
    clock = (_START + timedelta(days=_DAYS)).isoformat()
    return Settings(**places, state=str(home / "state.db"), clock=clock, keep=KeepSettings(raw_days=10))


def write_history(settings: Settings, n_inputs: int) -> None:
    """Publish `n_inputs` refused inputs in as many batches as there are days, and leave a tenth as many pending."""
    with Stores(settings) as stores, stores.warehouse.lock("bench", 10):
        size, ledger = n_inputs // _DAYS, stores.ledger
        for day in range(_DAYS):
            ids = [f"inp_{number:020d}" for number in range(day * size, (day + 1) * size)]
            at, batch_id = _START + timedelta(days=day), f"bat_{day:020d}"
            inputs = {
                "input_id": ids,
                "kind": ["line"] * size,
                "source_id": ["gazette"] * size,
                "location": [f"gazette/lines.jsonl#{one}" for one in ids],
                "payload_sha256": [sha256_hex(one) for one in ids],
                "disposition": ["refused"] * size,
                "article_id": pa.nulls(size, pa.string()),
                "reason": ["gone"] * size,
                "replay_of": pa.nulls(size, pa.string()),
            }
            told = {"dag_id": None, "stage": "publish", "started_at": at, "finished_at": at, "n_in": size}
            told |= {f"n_{one}": size if one == "refused" else 0 for one in Disposition}
            run = rows.build_tables({"runs": [told]}, recorded_at=at, run_id="bench", batch_id=batch_id)
            stores.warehouse.freeze(batch_id, at, "bench", {"inputs": pa.table(inputs), **run})
            stores.warehouse.roll_forward(lambda *_: None)
            settled = [SettledInput(input_id=one, disposition=Disposition.REFUSED) for one in ids]
            with stores.engine.begin() as connection:
                ledger.settle(connection, settled)
        for start in range(0, n_inputs // 10, 10_000):
            ledger.register(_make_pending(number) for number in range(start, min(start + 10_000, n_inputs // 10)))


def _make_pending(number: int) -> Document:
    return Document(
        input_id=f"inp_new_{number}",
        kind="line",
        source_id="gazette",
        location=f"gazette/new.jsonl#{number}",
        payload_sha256=sha256_hex(f"new {number}"),
        media="text",
        received_at=_START + timedelta(days=_DAYS),
    )


def ask(question: str, home: Path) -> None:
    """Answer one question in this process, and print what that took."""
    settings = make_settings(home)
    before = time.process_time()
    answer = _QUESTIONS[question](settings)
    spent_s = time.process_time() - before
    print(json.dumps({"answer": answer, "cpu_s": round(spent_s, 1), "peak_mb": _read_peak_mb()}))


def _read_peak_mb() -> int:
    """Read the highest memory of this program; what `getrusage` tells may be the parent's."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) // 1024


def main() -> None:
    """Measure each question over histories of several lengths."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("n_inputs", nargs="*", type=int, default=[200_000, 2_000_000])
    for n_inputs in arguments.parse_args().n_inputs:
        with tempfile.TemporaryDirectory(prefix="blotter-books-") as folder:
            write_history(make_settings(Path(folder)), n_inputs)
            for question in _QUESTIONS:
                command = [sys.executable, __file__, "--ask", question, folder]
                told: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
                print(f"{n_inputs:>10,} inputs  {question:<17} {told['cpu_s']:>6} s CPU  {told['peak_mb']:>5} MB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ask"]:
        ask(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
