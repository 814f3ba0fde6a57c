"""An erasure that was cut off is made whole by doing it again, and nothing that waits brings back what was erased."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from blotter import erasing, reprocessing, steps
from blotter.accounting import find_imbalances
from blotter.config import Settings
from blotter.extract import Reader
from blotter.reading import load_reader
from blotter.schemas import TABLES
from blotter.store.warehouse import Warehouse
from e2e.test_erasing import LINES, NAME, WORDS, drop, find_articles, find_files, find_traces
from pipeline import run_steps

Make = Callable[..., Settings]
_FIRST, _LAST = date(2026, 3, 1), date(2026, 3, 4)


def erase(settings: Settings, article_id: str) -> None:
    erasing.erase_articles(settings, [article_id], actor="a clerk", reason="order 7", run_id=f"erase {article_id}")


class _Killed(BaseException):
    pass


@pytest.mark.parametrize("last", sorted(erasing._CHANGES))
def test_an_erasure_cut_off_after_any_table_is_whole_once_done_again(
    tmp_path: Path, make_settings: Make, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    settings = make_settings(tmp_path)
    drop(settings, "both.jsonl")
    run_steps(settings, "one")
    [article_id] = find_articles(settings)

    rewrite = Warehouse.rewrite

    def rewrite_until(self: Warehouse, table: str, change: object) -> int:
        n_replaced = rewrite(self, table, change)  # type: ignore[arg-type]
        if table == last:
            raise _Killed
        return n_replaced

    with monkeypatch.context() as patch, pytest.raises(_Killed):
        patch.setattr(Warehouse, "rewrite", rewrite_until)
        erase(settings, article_id)
    erasing.erase_articles(settings, [article_id], actor="a clerk", reason="order 7", run_id="again")
    for words in (NAME, WORDS):
        assert list(find_traces(tmp_path, words.encode())) == []


def test_what_rested_on_two_articles_is_gone_once_both_are_erased(tmp_path: Path, make_settings: Make) -> None:
    settings = make_settings(tmp_path)
    twin = LINES[1] | {
        "url": "http://post.example/ellery",
        "title": f"{NAME}, 34, was the Toledo officer killed on Starr Avenue",
        "published": "2026-03-03T18:00:00Z",
        "text": f"TOLEDO, Ohio - {NAME}, 34, was the Toledo police officer who was shot and killed Monday morning in "
        f"the 900 block of Starr Avenue, police said. {NAME} leaves two children.",
    }
    drop(settings, "all.jsonl", [*LINES, twin])
    run_steps(settings, "one")
    facts = Warehouse(settings.warehouse).read("facts").to_pylist()
    assert any(row["value"] == NAME and len(row["claim_ids"]) > 1 for row in facts)
    for article_id in find_articles(settings):
        erase(settings, article_id)
    assert list(find_traces(tmp_path, NAME.encode())) == []


@pytest.mark.parametrize("is_late", [False, True])
def test_a_plan_to_read_again_keeps_and_publishes_nothing_that_was_erased(
    tmp_path: Path, make_settings: Make, monkeypatch: pytest.MonkeyPatch, is_late: bool
) -> None:
    made = make_settings(tmp_path)
    settings = made.model_copy(update={"read": made.read.model_copy(update={"confine": False})})
    drop(settings, "both.jsonl")
    run_steps(settings, "one")
    [article_id] = find_articles(settings)
    monkeypatch.setattr(load_reader(None), "_version", "rules-next")
    read = Reader.read

    def read_next(self: Reader, article: object) -> object:
        return replace(read(self, article), extractor_version="rules-next")  # type: ignore[arg-type]

    monkeypatch.setattr(Reader, "read", read_next)
    plan = reprocessing.plan_reprocess(settings, since=_FIRST, until=_LAST)
    for slice_id in plan.slice_ids:
        reprocessing.reread_slice(settings, plan.plan_id, slice_id)
    if is_late:  # a task that was reading when it was erased stages what it read
        monkeypatch.setattr(erasing, "drop_plans", lambda settings: None)
    erase(settings, article_id)
    assert is_late or not list((tmp_path / "staging" / "reprocess").iterdir())
    reprocessing.publish_reprocess(settings, plan.plan_id, run_id="again")
    assert list(find_traces(tmp_path, NAME.encode())) == []
    assert steps.plan_slices(settings) == []


def test_what_was_being_read_when_it_was_erased_is_not_published(tmp_path: Path, make_settings: Make) -> None:
    """A mapped task that is at it stages what it read afterwards, under the id of the slice that is planned anew."""
    settings = make_settings(tmp_path)
    drop(settings, "one.jsonl", LINES[1:])
    run_steps(settings, "one")
    [article_id] = find_articles(settings)
    drop(settings, "gazette/again.jsonl", LINES[1:])  # the same bytes of another source
    steps.ingest_drops(settings, run_id="two")
    [slice_id] = steps.plan_slices(settings)
    steps.read_slice(settings, slice_id)
    staged = next((tmp_path / "staging" / "slices").glob("*.slice"))
    kept = staged.read_bytes()
    erase(settings, article_id)
    assert not staged.exists()
    assert steps.plan_slices(settings) == [slice_id]
    staged.write_bytes(kept)
    assert steps.publish_batch(settings, run_id="two")["n_refused"] == 1
    assert list(find_traces(tmp_path, NAME.encode())) == []


def test_it_is_gone_from_an_object_store_too(object_store: str, tmp_path: Path, make_settings: Make) -> None:
    """Tables, archive, staged slices and plans in a bucket: no object that is left holds the words."""
    import obstore
    import zstandard
    from obstore.store import from_url

    home = f"{object_store}{tmp_path}"
    places = {name: f"{home}/{name}" for name in ("warehouse", "archive", "staging")}
    settings = make_settings(tmp_path).model_copy(update=places)
    drop(settings, "both.jsonl")
    run_steps(settings, "one")
    [article_id] = find_articles(settings)
    drop(settings, "gazette/again.jsonl", LINES[1:])
    steps.ingest_drops(settings, run_id="two")
    for slice_id in steps.plan_slices(settings):
        steps.read_slice(settings, slice_id)

    def find_objects(words: bytes) -> list[str]:
        found = [
            f"{name}: {row}"
            for name in TABLES
            for row in Warehouse(settings.warehouse).read(name).to_pylist()
            if words.decode() in str(row)
        ]
        store = from_url(home)
        for one in (one for listed in obstore.list(store) for one in listed):
            content = bytes(obstore.get(store, one["path"]).bytes())
            if content.startswith(zstandard.MAGIC_NUMBER.to_bytes(4, "little")):
                content = zstandard.ZstdDecompressor().decompress(content)
            found += [one["path"]] if words in content else []
        return found

    assert {place.partition("/")[0] for place in find_objects(NAME.encode())} >= {"archive", "staging"}
    erase(settings, article_id)
    for words in (NAME, WORDS):
        assert find_objects(words.encode()) == [] == list(find_files(tmp_path, words.encode()))
    run_steps(settings, "three")
    assert find_objects(NAME.encode()) == []
    assert find_imbalances(settings) == []
