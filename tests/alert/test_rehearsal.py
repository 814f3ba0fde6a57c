"""A rehearsal shows what a rule would have sent, from the published tables alone."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.good_batch import (
    MONDAY,
    SECOND_TEXT,
    TUESDAY,
    make_article,
    make_change,
    make_incident,
    make_participant,
    make_rows,
    make_tables,
    write_warehouse,
)

from blotter import queries, rows
from blotter.alert import match_changes
from blotter.alert.rehearsal import rehearse_rule
from blotter.alert.render import render_message
from blotter.alert.rules import AlertBook, load_rules
from blotter.errors import SettingsError
from blotter.model import ChangeKind, ClaimState, Condition
from blotter.store.outbox import Message

WEEK = {"since": MONDAY - timedelta(days=1), "until": MONDAY + timedelta(days=6)}


def make_book(**rules: dict) -> AlertBook:
    return AlertBook.model_validate({"channels": {"log": {"type": "log"}, "file": {"type": "file"}}, "rules": rules})


@pytest.fixture
def connection(tmp_path):
    connection = queries.connect(str(write_warehouse(tmp_path, make_tables())))
    yield connection
    connection.close()


def test_it_shows_the_message_that_the_rule_would_have_sent(connection) -> None:
    book = load_rules(Path(__file__).parents[2] / "include" / "alerts.yaml")
    [told] = rehearse_rule(book, "victim-identified", connection, **WEEK)
    assert told.channels == ("log", "file") and told.due_at == TUESDAY + timedelta(hours=1)
    assert told.message.subject == "Springfield, Illinois: victim named as Dana Whitlock (and 1 more)"
    assert "before: not released" in told.message.text
    assert "https://herald.example/springfield-shooting-victim-dies" in told.message.text


def test_it_tells_the_same_as_the_batch_itself_would(tmp_path) -> None:
    """Reading back from the tables loses nothing that a message tells."""
    article = make_article(text=SECOND_TEXT, published_at=TUESDAY, source_id="herald")
    incident = make_incident(
        version=2,
        known_at=TUESDAY,
        participants=(make_participant(name="Dana", name_state=ClaimState.KNOWN, condition=Condition.KILLED),),
    )
    changes = [
        make_change(known_at=TUESDAY, article_id=article.article_id),
        make_change(known_at=TUESDAY, field="age", before_state=ClaimState.KNOWN, before=33, after=34),
        make_change(
            known_at=TUESDAY,
            field="occurred_date",
            participant_id=None,
            kind=ChangeKind.REVISED,
            before_state=ClaimState.KNOWN,
            before=MONDAY.date(),
            after=TUESDAY.date(),
        ),
        make_change(known_at=TUESDAY, field="charges", after=("arson", "murder")),
    ]
    book = make_book(all={"channels": ["log"]})
    [expected] = match_changes(book, changes=changes, incidents=[incident], articles=[article])
    listed = {name: [] for name in make_rows()}
    stamp = {"recorded_at": TUESDAY, "run_id": "r", "batch_id": "b"}
    listed["articles"] = [{**rows.article_row(article), **stamp}]
    listed["incidents"] = [{**rows.incident_row(incident), **stamp}]
    listed["changes"] = [{**rows.change_row(change), **stamp} for change in changes]
    message = Message(
        message_id=expected.alert_id, rule="all", channel="log", alerts=(expected,), attempt=1, folded_at=TUESDAY
    )
    with queries.connect(str(write_warehouse(tmp_path, make_tables(listed)))) as connection:
        [told] = rehearse_rule(book, "all", connection, **WEEK)
    assert told.message == render_message(message)


def test_it_folds_digests_and_storms_and_waits_out_the_quiet(connection) -> None:
    book = make_book(
        daily={"channels": ["log"], "deliver": "daily", "at": "06:00"},
        quiet={"channels": ["log"], "quiet": {"from": "18:30", "until": "23:00"}},
    )
    daily = rehearse_rule(book, "daily", connection, **WEEK)
    assert [told.due_at.isoformat() for told in daily] == ["2025-03-04T06:00:00+00:00", "2025-03-05T06:00:00+00:00"]
    assert {told.due_at.hour for told in rehearse_rule(book, "quiet", connection, **WEEK)} == {23}


def test_a_rule_that_is_switched_off_can_be_rehearsed_and_an_unknown_one_is_told(connection) -> None:
    book = make_book(off={"channels": ["log"], "enabled": False})
    assert len(rehearse_rule(book, "off", connection, **WEEK)) == 2
    with pytest.raises(SettingsError, match="a name under `rules`: off"):
        rehearse_rule(book, "on", connection, **WEEK)


def test_a_span_without_changes_is_silent(connection) -> None:
    book = make_book(all={"channels": ["log"]})
    assert rehearse_rule(book, "all", connection, since=WEEK["until"], until=WEEK["until"]) == []
