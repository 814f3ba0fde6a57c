"""Who is on call is told over their channels, once, whatever else is broken; nothing else goes out on the way."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from blotter import steps
from blotter.alert.notices import STORM, Notice, make_notice_alerts
from blotter.alert.render import render_message
from blotter.alert.rules import AlertBook, load_rules
from blotter.config import Settings
from blotter.errors import SettingsError
from blotter.oncall import tell_operators
from blotter.store.outbox import Alert, Message
from blotter.stores import Stores

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
BOOK = """
channels:
  file: {type: file}
  other: {type: file, path: OTHER}
operators: [file, other]
rules: {}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "alerts.yaml").write_text(BOOK.replace("OTHER", str(tmp_path / "other.jsonl")))
    places = {name: str(tmp_path / name) for name in ("warehouse", "archive", "staging", "inbox", "alerts.yaml")}
    return Settings(
        alerts=places.pop("alerts.yaml"),
        alerts_log=str(tmp_path / "alerts.jsonl"),
        state=str(tmp_path / "state.db"),
        clock=NOON.isoformat(),
        **places,
    )


def make_notice(**given: object) -> Notice:
    notice = {
        "key": ("failure", "build_incidents", "run 1", "read_slice", 3, 4),
        "subject": "blotter: build_incidents.read_slice failed",
        "lines": (("Input", "slice slc_1"), ("Error", "OSError: <full>"), ("Next", "free the disk and clear the task")),
        "happened_at": NOON,
    }
    return Notice(**{**notice, **given})  # type: ignore[arg-type]


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def test_a_notice_names_the_input_and_the_next_step_on_every_channel(settings: Settings, tmp_path: Path) -> None:
    assert tell_operators(settings, make_notice()) == 2
    for name in ("alerts.jsonl", "other.jsonl"):
        [told] = read_lines(tmp_path / name)
        assert told["rule"] == "operators" and told["subject"] == "blotter: build_incidents.read_slice failed"
        assert ["Next", "free the disk and clear the task"] in told["notices"][0]["lines"]


def test_the_same_notice_is_told_once_and_another_again(settings: Settings, tmp_path: Path) -> None:
    tell_operators(settings, make_notice())
    assert tell_operators(settings, make_notice()) == 0
    tell_operators(settings, make_notice(key=("failure", "another")))
    assert len(read_lines(tmp_path / "alerts.jsonl")) == 2


def test_where_many_things_fail_together_the_rest_is_one_message(settings: Settings, tmp_path: Path) -> None:
    for n in range(40):
        tell_operators(settings, make_notice(key=("failure", n), subject=f"thing {n}"))
    assert len(read_lines(tmp_path / "alerts.jsonl")) == STORM, "the first few at once"
    steps.send_alerts(settings, run_id="r")
    *_, rest = read_lines(tmp_path / "alerts.jsonl")
    assert rest["subject"] == f"blotter: {40 - STORM} things to see to" and len(rest["notices"]) == 40 - STORM
    assert len(read_lines(tmp_path / "alerts.jsonl")) == STORM + 1


def test_a_channel_that_is_down_gets_it_later_and_holds_up_no_other(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "other.jsonl").mkdir()
    assert tell_operators(settings, make_notice()) == 1
    with Stores(settings) as stores:
        assert stores.outbox.counts()["n_open"] == 1, "the outbox keeps it"
        assert {row.row["status"] for row in stores.ledger.staged_rows()} == {"sent", "failed"}, "and the table tells"


def test_alerts_of_rules_that_wait_are_left_to_their_own_task(settings: Settings, tmp_path: Path) -> None:
    waiting = Alert(
        alert_id="alr_1", rule="r", description="", channel="file", incident_id="inc", change_ids=("chg",),
        due_at=NOON, is_digest=False, storm=3, content={"subject": "", "changes": []},
    )  # fmt: skip
    with Stores(settings) as stores, stores.engine.begin() as connection:
        stores.outbox.enqueue(connection, [waiting])
    tell_operators(settings, make_notice())
    assert [told["rule"] for told in read_lines(tmp_path / "alerts.jsonl")] == ["operators"]


def test_a_state_that_is_broken_keeps_no_notice_from_its_reader(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"this is no database, as a full disk may leave it" * 100)
    assert tell_operators(settings, make_notice()) == 2
    assert len(read_lines(tmp_path / "alerts.jsonl")) == 1


def test_many_at_once_are_one_message() -> None:
    book = AlertBook.model_validate({"channels": {"log": {"type": "log"}}, "operators": ["log"], "rules": {}})
    alerts = tuple(
        alert
        for n in range(STORM + 1)
        for alert in make_notice_alerts(book, make_notice(key=(n,), subject=f"thing {n}"))
    )
    message = Message(message_id="m", rule="operators", channel="log", alerts=alerts, attempt=1, folded_at=NOON)
    rendered = render_message(message)
    assert rendered.subject == f"blotter: {STORM + 1} things to see to"
    assert all(f"thing {n}" in rendered.text and f"thing {n}" in rendered.html for n in range(STORM + 1))


def test_what_came_from_outside_is_no_markup_and_no_second_line_of_a_subject() -> None:
    book = AlertBook.model_validate({"channels": {"log": {"type": "log"}}, "operators": ["log"], "rules": {}})
    [alert] = make_notice_alerts(book, make_notice(subject="one\nBcc: two", url="javascript:alert(1)"))
    message = Message(message_id="m", rule="operators", channel="log", alerts=(alert,), attempt=1, folded_at=NOON)
    rendered = render_message(message)
    assert rendered.subject == "one Bcc: two"
    assert "&lt;full&gt;" in rendered.html and "href" not in rendered.html


def test_without_channels_for_operators_only_the_log_tells(settings: Settings, caplog) -> None:
    Path(settings.alerts).write_text("channels: {}\nrules: {}\n")
    assert tell_operators(settings, make_notice()) == 0
    assert "free the disk" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "channels: {}\nrules: {}\noperators: [nowhere]\n",
        "channels: {l: {type: log}}\nrules: {operators: {channels: [l]}}\n",
    ],
)
def test_a_file_that_names_no_channel_or_takes_the_operators_name_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "alerts.yaml").write_text(text)
    with pytest.raises(SettingsError, match="operators"):
        load_rules(tmp_path / "alerts.yaml")
