"""A writer in a process of its own that can be killed: at a moment of the parent's choice, or at its own n-th step."""

import datetime as dt
import multiprocessing as mp
import os
import signal
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from blotter.store.bundles import Manifest
from blotter.store.inputs import InputLedger, LedgerChanges, encode_changes
from blotter.store.state import open_state
from blotter.store.warehouse import Warehouse
from store.builders import NOON, make_tables

# Everything by which the writer changes the disk: one that dies before each of them, in turn, has died everywhere.
_STEPS = ("mkdir", "write", "fsync", "replace", "unlink", "rmdir")


def publish_batches(
    root: Path,
    batches: int,
    *,
    n_rows: int,
    names: tuple[str, ...],
    part_rows: int,
    spacing_h: float = 5,
    prefix: str = "b",
) -> None:
    """Do what a run does, for one batch after the other: finish what is frozen, then publish what is not there yet."""
    warehouse = Warehouse(root / "warehouse", part_rows=part_rows)
    warehouse.init()
    engine = open_state(str(root / "state.db"))
    ledger = InputLedger(engine)

    def apply_memory(manifest: Manifest, memory: Mapping[str, bytes]) -> None:
        with engine.begin() as connection:
            ledger.apply(connection, memory["inputs"])

    for number in range(batches):
        batch_id = f"{prefix}{number}"
        with warehouse.lock("a writer that may die", timeout_s=30):
            warehouse.roll_forward(apply_memory)
            if ledger.has_batch(batch_id):
                continue
            warehouse.freeze(
                batch_id,
                NOON + dt.timedelta(hours=spacing_h * number),  # over midnight now and then
                "run",
                make_tables(batch=batch_id, n_rows=n_rows, names=names),
                {"inputs": encode_changes(LedgerChanges(batch_id=batch_id))},
            )
            warehouse.roll_forward(apply_memory)
    engine.dispose()


def start_writer(target: Callable[..., None], *args: object, **options: object) -> BaseProcess:
    """Start a process from a server that has everything imported, so that it begins to write at once."""
    context = mp.get_context("forkserver")
    context.set_forkserver_preload(["blotter.store.warehouse", "blotter.store.inputs"])
    process = context.Process(target=target, args=args, kwargs=options, daemon=True)
    process.start()
    return process


def publish_and_die(root: Path, batches: int, die_at: int, steps_file: Path | None = None, **options: Any) -> None:
    """Publish, and be killed before the step numbered `die_at`; a write is done by half first."""
    count = 0

    def wrap(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **given: Any) -> Any:
            nonlocal count
            count += 1
            if count == die_at:
                if name == "write":
                    call(args[0], bytes(args[1])[: len(args[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **given)

        return step

    for name in _STEPS:
        setattr(os, name, wrap(name, getattr(os, name)))
    publish_batches(root, batches, **options)
    if steps_file:
        steps_file.write_text(str(count))
