"""A dropped file is taken once, whole, and ends where an operator finds it, whatever dies in between."""

import json
import multiprocessing
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from blotter.config import DropSettings
from blotter.errors import Reason
from blotter.ingest.drops import CLAIMED, ClaimedFile, take_drops
from blotter.model import Arrival, Rejection

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
STORY = "A warehouse burned in Millbrook on Saturday, the fire department said."
AT_ONCE = DropSettings(settle_s=0)


def drop(inbox: Path, name: str, content: str = STORY, **beside: object) -> Path:
    path = inbox / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    if beside:
        path.with_suffix(".meta.json").write_text(json.dumps(beside))
    return path


def take_all(inbox: Path, settings: DropSettings = AT_ONCE) -> list[tuple[ClaimedFile, list[Arrival | Rejection]]]:
    taken = []
    for claimed in take_drops(inbox, settings=settings, now=NOW):
        taken.append((claimed, list(claimed.arrivals())))
        claimed.finish()
    return taken


def files_below(folder: Path) -> Sequence[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def ids(found: Sequence[Arrival | Rejection]) -> list[str]:
    return [one.document.input_id if isinstance(one, Arrival) else one.input_id for one in found]


def test_files_belong_to_the_source_of_their_folder_and_end_in_processed(tmp_path: Path) -> None:
    drop(tmp_path, "a.txt")
    drop(tmp_path, "wire/day/b.txt", url="https://wire.example/b", published="2024-03-09")
    (first, [a]), (second, [b]) = take_all(tmp_path)
    assert isinstance(a, Arrival)
    assert isinstance(b, Arrival)
    assert (a.document.source_id, a.document.location) == ("inbox", "a.txt")
    assert (b.document.source_id, b.document.location) == ("wire", "wire/day/b.txt")
    assert b.document.url == "https://wire.example/b"
    assert files_below(tmp_path) == [
        "processed/a.txt",
        "processed/wire/day/b.txt",
        "processed/wire/day/b.txt.meta.json",
    ]
    assert first.claim_id != second.claim_id
    assert take_all(tmp_path) == []


def test_an_unreadable_file_ends_in_failed_with_a_note(tmp_path: Path) -> None:
    drop(tmp_path, "a.pdf")
    ((_, [rejection]),) = take_all(tmp_path)
    assert isinstance(rejection, Rejection)
    assert rejection.reason is Reason.UNSUPPORTED
    assert files_below(tmp_path) == ["failed/a.pdf", "failed/a.pdf.why.txt"]
    assert "unknown ending" in (tmp_path / "failed/a.pdf.why.txt").read_text()


def test_a_file_with_some_bad_lines_is_processed(tmp_path: Path) -> None:
    drop(tmp_path, "a.jsonl", json.dumps({"text": STORY}) + "\n{broken\n")
    ((_, found),) = take_all(tmp_path)
    assert [type(one) for one in found] == [Arrival, Rejection]
    assert files_below(tmp_path) == ["processed/a.jsonl"]


def test_a_file_settles_or_is_said_to_be_done(tmp_path: Path) -> None:
    slow = DropSettings(settle_s=3600)
    drop(tmp_path, "a.txt")
    assert take_all(tmp_path, slow) == []
    drop(tmp_path, "b.txt.done", "")
    drop(tmp_path, "b.txt")
    drop(tmp_path, "c.done", "")
    drop(tmp_path, "c.txt")
    assert [claimed.location for claimed, _ in take_all(tmp_path, slow)] == ["b.txt", "c.txt"]


def test_a_copy_with_an_old_modification_time_settles_too(tmp_path: Path) -> None:
    path = drop(tmp_path, "a.txt")
    os.utime(path, (0, 0))
    assert take_all(tmp_path, DropSettings(settle_s=3600)) == []


def test_hidden_and_unfinished_files_stay(tmp_path: Path) -> None:
    for name in (".a.txt", "b.txt.part", "c.txt~"):
        drop(tmp_path, name)
    assert take_all(tmp_path) == []


def test_links_are_refused_and_filed(tmp_path: Path) -> None:
    outside = drop(tmp_path / "outside", "secret.txt")
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "a.txt").symlink_to(outside)
    (inbox / "folder").symlink_to(outside.parent)
    found = [one for _, listed in take_all(inbox) for one in listed]
    assert [one.reason for one in found if isinstance(one, Rejection)] == [Reason.UNSAFE_PATH] * 2
    assert outside.read_text() == STORY
    assert all((inbox / "failed" / name).is_symlink() for name in ("a.txt", "folder"))


def test_filing_never_leaves_the_inbox(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    inbox = tmp_path / "inbox"
    drop(inbox, "wire/a.txt")
    (inbox / "processed").mkdir()
    (inbox / "processed/wire").symlink_to(outside)
    take_all(inbox)
    assert list(outside.iterdir()) == []
    assert "processed/a.txt" in files_below(inbox)


def test_a_folder_whose_name_is_no_source_is_said(tmp_path: Path) -> None:
    drop(tmp_path, "Not a Source/a.txt")
    ((_, [rejection]),) = take_all(tmp_path)
    assert isinstance(rejection, Rejection)
    assert "no id of a source" in rejection.message


def test_filing_overwrites_nothing(tmp_path: Path) -> None:
    drop(tmp_path, "a.txt", "First story in full.")
    take_all(tmp_path)
    drop(tmp_path, "a.txt", "Second story in full.")
    take_all(tmp_path)
    assert sorted(path.read_text() for path in (tmp_path / "processed").iterdir()) == [
        "First story in full.", "Second story in full.",
    ]  # fmt: skip


def test_a_second_drop_of_the_same_bytes_is_another_input(tmp_path: Path) -> None:
    drop(tmp_path, "a.txt")
    ((_, first),) = take_all(tmp_path)
    drop(tmp_path, "a.txt")
    ((_, second),) = take_all(tmp_path)
    assert ids(first) != ids(second)


def _die_while_reading(inbox: Path, queue: "multiprocessing.Queue[list[str]]", step: str) -> None:
    claimed = next(iter(take_drops(inbox, settings=AT_ONCE, now=NOW)))
    if step == "read":
        queue.put(ids(list(claimed.arrivals())))
    elif step == "filed":
        queue.put(ids(list(claimed.arrivals())))
        claimed.path.rename(inbox / "processed" / "a.txt")
    else:
        queue.put([])
    queue.close()
    queue.join_thread()
    os._exit(9)


@pytest.mark.parametrize("step", ["claimed", "read", "filed"])
def test_the_claim_of_a_dead_process_is_taken_up_under_the_same_ids(tmp_path: Path, step: str) -> None:
    drop(tmp_path, "a.txt", url="https://wire.example/a")
    (tmp_path / "processed").mkdir()
    context = multiprocessing.get_context("spawn")
    queue: multiprocessing.Queue[list[str]] = context.Queue()
    process = context.Process(target=_die_while_reading, args=(tmp_path, queue, step))
    process.start()
    seen = queue.get(timeout=60)
    process.join()
    taken = take_all(tmp_path)
    if step == "filed":
        assert taken == []
    else:
        ((_, found),) = taken
        assert isinstance(found[0], Arrival)
        assert found[0].document.url == "https://wire.example/a"
        assert step == "claimed" or ids(found) == seen
    filed = files_below(tmp_path)
    assert len(filed) == 2
    assert filed[0] == "processed/a.txt"
    assert filed[1].endswith(".txt.meta.json")
    queue.close()


def test_a_live_claim_is_left_alone(tmp_path: Path) -> None:
    drop(tmp_path, "a.txt")
    first = take_drops(tmp_path, settings=AT_ONCE, now=NOW)
    claimed = next(first)
    assert take_all(tmp_path) == []
    claimed.finish()
    assert list(first) == []
    assert list((tmp_path / CLAIMED).iterdir()) == []


def test_a_file_that_another_process_took_first_is_passed_over(tmp_path: Path) -> None:
    drop(tmp_path, "a.txt")
    drop(tmp_path, "b.txt")
    slow = take_drops(tmp_path, settings=AT_ONCE, now=NOW)
    first = next(slow)  # has listed both
    assert [claimed.location for claimed, _ in take_all(tmp_path)] == ["b.txt"]
    first.finish()
    assert list(slow) == []
    assert list((tmp_path / CLAIMED).iterdir()) == []


def test_of_two_processes_whose_clocks_say_the_same_one_claims_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both make the same claim: the second to rename it into place finds the first one's, and leaves it alone."""
    monkeypatch.setattr("blotter.ingest.drops.make_id", lambda *parts: "drop_the_same")
    drop(tmp_path, "a.txt")
    first = take_drops(tmp_path, settings=AT_ONCE, now=NOW)
    held = next(first)
    waiting = drop(tmp_path, "b.txt")
    assert list(take_drops(tmp_path, settings=AT_ONCE, now=NOW)) == []
    assert waiting.exists()
    assert [path.name for path in (tmp_path / CLAIMED).iterdir()] == ["drop_the_same"]
    held.finish()
