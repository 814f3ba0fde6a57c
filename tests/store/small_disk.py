"""Run by `test_disks.py` in a mount namespace of its own: a warehouse on a small disk that fills up, then is read-only.

Prints one line for each thing that happened; the test knows what they should be.
"""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from blotter.errors import BlotterError
from blotter.store.archive import RawArchive
from blotter.store.staging import StagingArea
from blotter.store.warehouse import Warehouse
from store.builders import NOON, make_tables


def publish(warehouse: Warehouse, batch: str, n_rows: int) -> None:
    with warehouse.lock("a test", timeout_s=1):
        warehouse.roll_forward(lambda manifest, memory: None)
        if not warehouse.has_batch(batch):
            warehouse.freeze(batch, NOON, "run", make_tables(batch=batch, n_rows=n_rows))
        warehouse.roll_forward(lambda manifest, memory: None)


def tell(what: str, root: Path, action: object, *arguments: object) -> None:
    try:
        action(*arguments)  # type: ignore[operator]
        outcome = "done"
    except BlotterError as refused:
        outcome = f"{type(refused).__name__}: {refused}"
    batches = sorted(set(Warehouse(root).read("runs")["batch_id"].to_pylist()))
    print(f"{what}: {outcome}; stands: {batches}".replace(str(root.parent), "DISK"))  # noqa: T201 - the test reads it


def main(disk: Path) -> None:
    def mount(*options: str) -> None:
        subprocess.run(["mount", *options, str(disk)], check=True)

    mount("-t", "tmpfs", "-o", "size=600k", "none")
    warehouse = Warehouse(disk / "warehouse")
    warehouse.init()
    root = Path(warehouse.root)
    tell("small", root, publish, warehouse, "b1", 3)
    tell("too large to freeze", root, publish, warehouse, "b2", 2_000)
    ballast = disk / "ballast"
    with warehouse.lock("a test", timeout_s=1):
        warehouse.freeze("b3", NOON, "run", make_tables(batch="b3", n_rows=20))
    with suppress(OSError):  # fill the disk to the last byte
        ballast.write_bytes(b"\x01" * 600_000)
    tell("too full to roll forward", root, publish, warehouse, "b3", 20)
    tell("archive", root, RawArchive(disk / "archive").put, b"page")
    tell("staging", root, StagingArea(disk / "staging").write, "s1", [])
    ballast.unlink()
    tell("room again", root, publish, warehouse, "b3", 20)
    mount("-o", "remount,ro")
    tell("read-only", root, publish, warehouse, "b4", 3)
    tell("archive", root, RawArchive(disk / "archive").put, b"page")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
