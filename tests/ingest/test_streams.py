"""Archives and lines that are larger than memory should be: read one document at a time, whatever their size."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from blotter import steps
from blotter.config import Settings
from blotter.stores import Stores

# Reads a file as a drop and prints the documents, the rejections and by how many megabytes memory grew.
READ = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from blotter.config import DropSettings
from blotter.ingest.documents import open_documents
from blotter.model import Arrival
def peak():
    status = Path("/proc/self/status").read_text()  # getrusage would tell what the parent took before exec
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
before, n, rejected = peak(), 0, 0
now, limits = datetime.now(UTC), DropSettings()
for arrived in open_documents(Path(sys.argv[1]), source_id="s", arrival="a", received_at=now, limits=limits):
    n, rejected = n + isinstance(arrived, Arrival), rejected + (not isinstance(arrived, Arrival))
print(n, rejected, round(peak() - before), round(peak()))
"""


def read_apart(path: Path) -> tuple[int, int, int, int]:
    ran = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, text=True, check=True)
    n, rejected, grown_mb, peak_mb = map(int, ran.stdout.split())
    return n, rejected, grown_mb, peak_mb


def write_archive(path: Path, n_bytes: int) -> int:
    """Write a packed web archive of pages of 100 kB that no compressor makes much smaller than news."""
    words = [f"{number * 2_654_435_761 % 2**32:x}" for number in range(40_000)]
    n_records = n_written = 0
    with path.open("wb") as stream:
        while n_written < n_bytes:
            start = n_records * 97 % 30_000
            page = f"<article><p>{n_records} {' '.join(words[start : start + 10_000])}</p></article>"
            block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page.encode()
            head = (
                f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{n_records:032x}>\r\n"
                f"WARC-Target-URI: http://h.example/{n_records}\r\nWARC-Date: 2026-03-09T10:00:00Z\r\n"
                f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n"
            )
            stream.write(gzip.compress(head.encode() + block + b"\r\n\r\n", 1))
            n_records, n_written = n_records + 1, n_written + len(block)
    return n_records


def test_a_web_archive_streams(tmp_path: Path, is_heavy: bool) -> None:
    n_records = write_archive(tmp_path / "a.warc.gz", 1_000_000_000 if is_heavy else 30_000_000)
    n, rejected, grown_mb, peak_mb = read_apart(tmp_path / "a.warc.gz")
    assert (n, rejected) == (n_records, 0)
    assert peak_mb < 500
    assert grown_mb < 50


def test_lines_stream(tmp_path: Path, is_heavy: bool) -> None:
    n_lines = 1_000_000 if is_heavy else 30_000
    with (tmp_path / "a.jsonl").open("w", encoding="utf-8") as lines:
        for number in range(n_lines):
            url, text = f"http://h.example/{number}", f"A fire in house {number} was put out, the fire department said."
            lines.write(json.dumps({"url": url, "published": "2026-03-09", "text": text}) + "\n")
    n, rejected, grown_mb, _ = read_apart(tmp_path / "a.jsonl")
    assert (n, rejected) == (n_lines, 0)
    assert grown_mb < 50


def test_a_build_loads_no_more_of_what_is_pending_than_it_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("warehouse", "archive", "staging", "state", "inbox")
    settings = Settings(**{name: str(tmp_path / name) for name in names})
    settings = settings.model_copy(update={"drops": settings.drops.model_copy(update={"settle_s": 0})})
    (tmp_path / "inbox").mkdir()
    lines = [json.dumps({"text": f"Fire {number}", "published": "2026-03-09"}) for number in range(25)]
    (tmp_path / "inbox" / "a.jsonl").write_text("\n".join(lines), "utf-8")
    steps.ingest_drops(settings, run_id="one")
    monkeypatch.setattr(steps, "MAX_SLICES", 3)
    first = steps.plan_slices(settings, slice_size=4)
    assert len(first) == 3 and steps.plan_slices(settings, slice_size=4) == first
    with Stores(settings) as stores:
        assert len(stores.plans.planned_inputs()) == 12
        stores.plans.drop(first[:2])
    assert len(steps.plan_slices(settings, slice_size=4)) == 3
