"""What reading in a process that can be killed costs: the same pages read there and here, in processor time of both."""

import statistics
import time
from datetime import UTC, datetime
from pathlib import Path

from blotter import confined
from blotter.config import ReadSettings
from blotter.ids import sha256_hex
from blotter.model import Document

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
PAGES = Path(__file__).parents[1] / "seeds" / "days"
ROUNDS = 5


def read_cpu_s(pid: int) -> float:
    """The processor time of another process so far, in seconds (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def main() -> None:
    pages = [path.read_bytes() for path in sorted(PAGES.rglob("*.html"))]
    documents = [
        (
            Document(
                input_id=str(number),
                kind="file",
                source_id="s",
                location=str(number),
                payload_sha256=sha256_hex(page),
                media="html",
                received_at=NOON,
            ),
            lambda page=page: page,
        )
        for number, page in enumerate(pages)
    ]
    there = ReadSettings()
    here = there.model_copy(update={"confine": False})
    start = time.monotonic()
    confined.read_documents(documents[:20], settings=there)
    started_s = time.monotonic() - start
    confined.read_documents(documents[:20], settings=here)
    [process] = confined._open.values()
    assert process._running is not None
    pid, ratios = process._running.pid, []
    for _ in range(ROUNDS):
        mine, its = time.process_time(), read_cpu_s(pid)
        confined.read_documents(documents, settings=there)
        apart_s = time.process_time() - mine + read_cpu_s(pid) - its
        mine = time.process_time()
        confined.read_documents(documents, settings=here)
        ratios.append(apart_s / (time.process_time() - mine))
    print(
        f"reading {len(documents)} small pages in a process that can be killed, which took {started_s:.1f} s to start:"
    )
    print(
        f"  {statistics.median(ratios):.2f} times the processor time of reading them here (median of {ROUNDS}: "
        f"{min(ratios):.2f} to {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
