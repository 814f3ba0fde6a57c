"""What lies in quarantine is tried again once the cause is mended: then the tables are as if nothing had been wrong."""

import gzip
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from blotter import steps
from blotter.accounting import find_imbalances
from blotter.cli import app
from blotter.config import Settings
from blotter.errors import InputRejected, Reason, SettingsError
from blotter.model import Rejection
from blotter.quarantining import list_quarantined, preview_payload, replay_quarantined
from blotter.stores import Stores
from ingest.site import serve_site
from pipeline import run_steps
from warehouses import read_news, read_rows

Make = Callable[..., Settings]
TEXT = (
    "SPRINGFIELD, Ill. - A man was shot and killed Monday night in the {} block of East Cook Street, police said.\n\n"
    "The victim, whose name has not been released, was {} years old. No arrest was made."
)


def change_settings(settings: Settings, section: str, **values: Any) -> Settings:
    return settings.model_copy(update={section: getattr(settings, section).model_copy(update=values)})


def drop(settings: Settings, name: str, content: bytes) -> None:
    path = Path(settings.inbox) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def make_line(number: int, *, padding: int = 0) -> str:
    text = TEXT.format(number * 100, 20 + number)
    line = {"url": f"http://gazette.example/{number}", "title": f"Man shot {number}", "published": "2026-03-03"}
    return json.dumps({**line, "text": text, "extra": "x" * padding})


def replay_all(settings: Settings) -> dict[str, int]:
    outcome = replay_quarantined(settings, list_quarantined(settings))
    assert outcome.left == {}
    return dict(outcome.counts)


def read_dispositions(settings: Settings) -> list[str]:
    return sorted(row[5] for row in read_rows(Path(settings.warehouse), "inputs"))


@pytest.fixture
def expected(tmp_path: Path, make_settings: Make) -> Callable[[Callable[[Settings], None]], dict[str, Any]]:
    """The tables of the same drop where nothing was ever wrong."""

    def publish(fill: Callable[[Settings], None]) -> dict[str, Any]:
        settings = make_settings(tmp_path / "undisturbed")
        fill(settings)
        run_steps(settings, "undisturbed")
        return read_news(tmp_path / "undisturbed" / "warehouse")

    return publish


def test_after_a_reader_is_mended_a_replay_publishes_what_would_have_been_published(
    tmp_path: Path, make_settings: Make, drop_stories: Callable[[Settings], None], expected: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    settings = change_settings(make_settings(tmp_path / "mended"), "read", confine=False)
    drop_stories(settings)

    def fail(*_: object) -> None:
        raise InputRejected(Reason.NO_TEXT, "a defect that will be mended")

    with monkeypatch.context() as patch:
        patch.setattr("blotter.reading.clean_document", fail)
        broken = run_steps(settings, "broken")
    assert broken["n_published"] == 0 and broken["n_quarantined"] > 5
    assert replay_all(settings)["n_documents"] == broken["n_quarantined"]
    run_steps(settings, "mended")
    assert read_news(tmp_path / "mended" / "warehouse") == expected(drop_stories)
    assert list_quarantined(settings) == []
    replayed = list_quarantined(settings, is_replayed_wanted=True)
    assert {one.status for one in replayed} == {"replayed"}
    assert {row[8] for row in read_rows(tmp_path / "mended" / "warehouse", "inputs")} == {
        None, *(one.input_id for one in replayed)
    }  # fmt: skip


def test_asking_twice_brings_an_input_once(tmp_path: Path, make_settings: Make) -> None:
    settings = make_settings(tmp_path)
    drop(settings, "gazette/empty.html", b"<html><body></body></html>")
    run_steps(settings, "one")
    [lying] = list_quarantined(settings)
    assert (lying.status, lying.reason, lying.source_id) == ("open", "no_text", "gazette")
    assert replay_all(settings)["n_documents"] == 1
    [lying] = list_quarantined(settings)
    assert lying.status == "pending"
    assert lying.input_id in replay_quarantined(settings, [lying]).left
    run_steps(settings, "two")
    [again] = list_quarantined(settings)
    assert (again.status, again.replay_of) == ("open", lying.input_id)
    assert read_dispositions(settings) == ["quarantined"] * 2


@pytest.mark.parametrize("name", ["gazette/lines.jsonl", "gazette/lines.jsonl.gz"])
def test_lines_over_a_limit_come_in_once_the_limit_is_raised(
    tmp_path: Path, make_settings: Make, expected: Any, name: str
) -> None:
    lines = [make_line(1), make_line(2, padding=5_000), make_line(3)]
    content = "\n".join(lines).encode()

    def fill(settings: Settings) -> None:
        drop(settings, name, gzip.compress(content) if name.endswith(".gz") else content)

    settings = make_settings(tmp_path / "mended")
    fill(settings)
    tight = change_settings(settings, "drops", max_document_bytes=2_000)
    counts = run_steps(tight, "tight")
    assert (counts["n_quarantined"], counts["n_in"]) == (1, 3)
    [lying] = list_quarantined(settings, reasons=["too_large"])
    assert lying.location == f"{name}#2"
    assert replay_all(settings)["n_documents"] == 1
    run_steps(settings, "mended")
    told = read_news(tmp_path / "mended" / "warehouse")
    whole = expected(fill)
    assert {row[0] for row in told["articles"]} == {row[0] for row in whole["articles"]}
    assert told["claims"] == whole["claims"]
    assert list_quarantined(settings) == []


def test_a_file_that_could_not_be_opened_comes_in_whole(tmp_path: Path, make_settings: Make, expected: Any) -> None:
    def fill(settings: Settings) -> None:
        for day in ("a", "b"):
            drop(settings, f"gazette/{day}/lines.jsonl", make_line(ord(day)).encode())

    settings = make_settings(tmp_path / "mended")
    for _ in range(2):  # a second file of the same name is filed apart
        drop(settings, "gazette/a/lines.jsonl", make_line(ord("a")).encode())
        run_steps(change_settings(settings, "drops", max_file_bytes=10), f"tight {_}")
    drop(settings, "gazette/b/lines.jsonl", make_line(ord("b")).encode())
    run_steps(change_settings(settings, "drops", max_file_bytes=10), "tight")
    assert replay_all(settings) == {"n_inputs": 3, "n_documents": 2, "n_duplicate": 1, "n_rejected": 0}
    run_steps(settings, "mended")
    assert read_news(tmp_path / "mended" / "warehouse") == expected(fill)
    assert list_quarantined(settings) == []


@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_document_that_the_archive_lost_holds_up_nothing_and_comes_in_once_it_is_restored(
    tmp_path: Path, make_settings: Make, expected: Any, is_damaged: bool
) -> None:
    def fill(settings: Settings) -> None:
        for number in (1, 2, 3):
            drop(settings, f"gazette/{number}.jsonl", make_line(number).encode())

    settings = make_settings(tmp_path / "mended")
    fill(settings)
    steps.ingest_drops(settings, run_id="one")
    with Stores(settings) as stores:
        lost = stores.ledger.pending()[1]
    file = next((tmp_path / "mended" / "archive").rglob(f"{lost.payload_sha256}.zst"))
    kept = file.read_bytes()
    file.write_bytes(kept[:-4]) if is_damaged else file.unlink()
    counts = run_steps(settings, "one")
    assert (counts["n_in"], counts["n_quarantined"]) == (3, 1)
    [lying] = list_quarantined(settings, reasons=["lost"])
    assert lying.location == lost.location and lost.payload_sha256 in lying.message
    assert lost.payload_sha256 in replay_quarantined(settings, [lying]).left[lying.input_id]
    assert preview_payload(settings, lying) is None
    assert find_imbalances(settings) == []
    file.write_bytes(kept)
    assert replay_all(settings)["n_documents"] == 1
    run_steps(settings, "mended")
    told, whole = read_news(tmp_path / "mended" / "warehouse"), expected(fill)
    assert {row[0] for row in told["claims"]} == {row[0] for row in whole["claims"]}
    assert list_quarantined(settings) == []


def test_a_staged_slice_that_is_damaged_is_read_again(tmp_path: Path, make_settings: Make) -> None:
    settings = make_settings(tmp_path)
    drop(settings, "gazette/lines.jsonl", "\n".join(make_line(number) for number in range(1, 6)).encode())
    steps.ingest_drops(settings, run_id="one")
    slices = steps.plan_slices(settings)
    for slice_id in slices:
        steps.read_slice(settings, slice_id)
    (tmp_path / "staging" / "slices" / f"{slices[0]}.slice").write_bytes(b"torn")
    assert steps.publish_batch(settings, run_id="one")["n_in"] == 2
    assert steps.plan_slices(settings) == slices[:1]
    assert run_steps(settings, "two")["n_in"] == 3
    assert find_imbalances(settings) == []


def test_a_file_that_is_gone_is_left_and_said_to_be(tmp_path: Path, make_settings: Make) -> None:
    settings = make_settings(tmp_path)
    drop(settings, "gazette/broken.zip", b"no zip")
    run_steps(settings, "one")
    (tmp_path / "inbox" / "failed" / "gazette" / "broken.zip").unlink()
    [lying] = list_quarantined(settings)
    outcome = replay_quarantined(settings, [lying])
    assert "neither in processed/ nor in failed/" in outcome.left[lying.input_id]
    assert list_quarantined(settings) == [lying]


def test_a_page_that_could_not_be_had_is_asked_for_once_more(tmp_path: Path, make_settings: Make) -> None:
    url = "http://www.harborcourier.example/late"
    with serve_site() as site:
        site.pages["www.harborcourier.example/late"] = 503
        settings = change_settings(
            make_settings(tmp_path), "fetch", resolve=(f"*.example=127.0.0.1:{site.port}",), host_spacing_s=0
        )
        rejection = Rejection(
            input_id="inp_lost",
            kind="entry",
            source_id="harbor-courier",
            location=url,
            stage="ingest",
            reason=Reason.FETCH_FAILED,
            message="server_error (HTTP 503)",
            received_at=datetime(2026, 3, 4, tzinfo=UTC),
        )
        with Stores(settings) as stores:
            steps.stage_rejection(stores, rejection)
        run_steps(settings, "one")
        assert replay_all(settings)["n_rejected"] == 1, "it is still away"
        run_steps(settings, "two")
        site.put_story("www.harborcourier.example", "/late", "Fire on Dock Street")
        [lying] = list_quarantined(settings)
        assert (lying.reason, lying.replay_of) == ("fetch_failed", "inp_lost")
        assert replay_all(settings)["n_documents"] == 1
    run_steps(settings, "three")
    assert list_quarantined(settings) == []
    [article] = read_rows(tmp_path / "warehouse", "articles")
    assert url in article
    assert len(read_rows(tmp_path / "warehouse", "fetches")) == 2


def test_a_malformed_line_is_read_again_from_the_archive(tmp_path: Path, make_settings: Make) -> None:
    settings = make_settings(tmp_path)
    drop(settings, "gazette/lines.jsonl", f"{{\n{make_line(1)}\n".encode())
    run_steps(settings, "one")
    for file in (tmp_path / "inbox" / "processed").rglob("*.jsonl"):
        file.unlink()
    assert replay_all(settings) == {"n_inputs": 1, "n_documents": 0, "n_duplicate": 0, "n_rejected": 1}
    run_steps(settings, "two")
    [again] = list_quarantined(settings)
    assert (again.reason, again.location) == ("malformed", "gazette/lines.jsonl#1")
    assert again.replay_of is not None


def test_what_does_not_exist_is_said(tmp_path: Path, make_settings: Make) -> None:
    settings = make_settings(tmp_path)
    steps.create_stores(settings)
    with pytest.raises(SettingsError, match="too_large"):
        list_quarantined(settings, reasons=["too big"])
    with pytest.raises(SettingsError, match="quarantine list"):
        list_quarantined(settings, input_ids=["inp_0"])


def test_the_commands(tmp_path: Path, make_settings: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = make_settings(tmp_path)
    for name in ("warehouse", "archive", "staging", "state", "inbox", "clock"):
        monkeypatch.setenv(f"BLOTTER_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("BLOTTER_DROPS__SETTLE_S", "0")

    def call(*arguments: str, code: int = 0) -> Sequence[str]:
        done = CliRunner().invoke(app, ["quarantine", *arguments])
        assert done.exit_code == code, done.output + repr(done.exception)
        return str(done.output).splitlines()

    steps.create_stores(settings)
    assert call("list") == ["Nothing lies in quarantine."]
    drop(settings, "gazette/[red]empty.html", b"<html><body><img src='[bold]'></body></html>")
    run_steps(settings, "one")
    told = call("list")
    assert "no_text  gazette/[red]empty.html" in told[0] and told[-1] == "1 no_text"
    [row] = [json.loads(line) for line in call("list", "--json", "--source", "gazette")]
    assert call("list", "--since", "2999-01-01") == ["Nothing in quarantine fits."]
    assert any("[bold]" in line for line in call("show", row["input_id"][:8]))
    call("replay", code=2)
    assert call("replay", "--dry-run", "--reason", "no_text")[-1] == "1 would be replayed"
    assert "1 documents" in call("replay", row["input_id"])[0]
    assert "(pending)" in call("list")[0]
    assert "replayed already" in " ".join(call("replay", row["input_id"]))
