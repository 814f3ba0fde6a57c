"""The outbox loses nothing, doubles nothing on our side, and never lets one channel hold up another."""

import logging
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.good_batch import TUESDAY as NOW

from blotter.alert.delivery import DeliveryFailed, deliver_due
from blotter.alert.render import RenderedMessage
from blotter.schemas import build_table
from blotter.store.outbox import CLAIM_S, GIVE_UP_AFTER_S, LONGEST_PAUSE_S, Alert, Outbox, fold_alerts
from blotter.store.state import open_state


class Receiver:
    """A channel that keeps what it takes, and refuses while it is told to."""

    def __init__(self) -> None:
        self.taken: list[RenderedMessage] = []
        self.failure: Exception | None = None
        self.n_asked = 0

    def send(self, message: RenderedMessage) -> None:
        self.n_asked += 1
        if self.failure is not None:
            raise self.failure
        self.taken.append(message)

    @property
    def ids(self) -> list[str]:
        return [message.message_id for message in self.taken]


def make_alert(n: int = 1, **given: object) -> Alert:
    content = {
        "subject": f"Subject {n}",
        "incident_id": f"inc_{n}",
        "version": 2,
        "is_new": False,
        "known_at": NOW.isoformat(),
        "headline": "Headline",
        "types": [],
        "place": None,
        "date": None,
        "record_url": None,
        "changes": [],
    }
    options: dict[str, object] = {
        "alert_id": f"alr_{n}",
        "rule": "r",
        "description": "",
        "channel": "one",
        "incident_id": f"inc_{n}",
        "change_ids": (f"chg_{n}",),
        "due_at": NOW,
        "is_digest": False,
        "storm": 10,
        "content": content,
    }
    return Alert(**{**options, **given})  # type: ignore[arg-type]


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(open_state(str(tmp_path / "state.db")))


def put(outbox: Outbox, *alerts: Alert) -> None:
    with outbox._engine.begin() as connection:
        outbox.apply(connection, outbox.encode(alerts))


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_what_rides_in_a_bundle_comes_out_as_it_went_in_and_once(outbox) -> None:
    alert = make_alert(content={"subject": "Größe “quoted” \U0001f6a8", "n": [1, None, {"a": True}]})
    put(outbox, alert)
    put(outbox, alert, make_alert(2))
    assert [message.alerts for message in outbox.take_due(NOW)] == [(alert,), (make_alert(2),)]


def test_a_bundle_that_is_not_applied_leaves_nothing(outbox) -> None:
    with pytest.raises(RuntimeError), outbox._engine.begin() as connection:
        outbox.enqueue(connection, [make_alert()])
        raise RuntimeError("killed")
    assert outbox.take_due(NOW) == []


def test_what_was_sent_is_not_sent_again_even_if_its_bundle_is_applied_again(outbox) -> None:
    receiver = Receiver()
    put(outbox, make_alert())
    deliver_due(outbox, {"one": receiver}, now=NOW)
    put(outbox, make_alert())
    deliver_due(outbox, {"one": receiver}, now=at(1e6))
    assert receiver.ids == ["alr_1"]


def test_attempts_are_rows_of_alerts(outbox) -> None:
    receiver = Receiver()
    receiver.failure = DeliveryFailed("no such user")
    put(outbox, make_alert())
    staged: list[dict] = []
    rows = deliver_due(outbox, {"one": receiver}, now=NOW, stage_attempt=staged.append)
    receiver.failure = None
    rows += deliver_due(outbox, {"one": receiver}, now=at(60), stage_attempt=staged.append)
    assert [(row["attempt"], row["status"], row["error"]) for row in rows] == [
        (1, "failed", "no such user"),
        (2, "sent", None),
    ]
    assert staged == rows
    stamp = {"recorded_at": NOW, "run_id": "r", "batch_id": "b"}
    table = build_table("alerts", [{**row, **stamp} for row in rows])
    assert table.column("change_ids").to_pylist() == [["chg_1"], ["chg_1"]]


def test_pauses_grow_to_a_bound_and_a_week_later_it_is_given_up(outbox) -> None:
    receiver = Receiver()
    receiver.failure = DeliveryFailed("no")
    put(outbox, make_alert())
    now, tried_at = NOW, []
    while outbox.counts()["n_given_up"] == 0:
        if deliver_due(outbox, {"one": receiver}, now=now):
            tried_at.append(now)
        now += timedelta(seconds=60 if len(tried_at) < 6 else 1800)
        assert now < at(2 * GIVE_UP_AFTER_S), "given up in the end"
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(tried_at)]
    assert pauses[:4] == [60, 120, 240, 480]
    assert pauses == sorted(pauses) and pauses[-1] == LONGEST_PAUSE_S
    assert tried_at[-1] >= at(GIVE_UP_AFTER_S)


def test_a_dead_channel_is_asked_once_and_holds_up_no_other(outbox) -> None:
    dead, alive = Receiver(), Receiver()
    dead.failure = DeliveryFailed("connection refused", is_down=True)
    put(outbox, *(make_alert(n, channel="dead") for n in range(5)), make_alert(9))
    rows = deliver_due(outbox, {"dead": dead, "one": alive}, now=NOW)
    assert dead.n_asked == 1 and alive.ids == ["alr_9"]
    assert [row["status"] for row in rows].count("failed") == 1
    dead.failure = None
    deliver_due(outbox, {"dead": dead, "one": alive}, now=at(61))
    assert sorted(dead.ids) == [f"alr_{n}" for n in range(5)] and alive.ids == ["alr_9"]


def test_one_message_that_is_refused_holds_up_no_other_of_its_channel(outbox) -> None:
    class Picky(Receiver):
        def send(self, message: RenderedMessage) -> None:
            self.failure = DeliveryFailed("too rude") if message.message_id == "alr_1" else None
            super().send(message)

    picky = Picky()
    put(outbox, make_alert(1), make_alert(2))
    deliver_due(outbox, {"one": picky}, now=NOW)
    assert picky.ids == ["alr_2"]


def test_a_channel_that_crashes_or_is_gone_is_a_failed_attempt(outbox, caplog) -> None:
    crashing, alive = Receiver(), Receiver()
    crashing.failure = ZeroDivisionError("oops")
    put(outbox, make_alert(1, channel="crashing"), make_alert(2, channel="gone"), make_alert(3))
    with caplog.at_level(logging.ERROR):
        rows = deliver_due(outbox, {"crashing": crashing, "one": alive}, now=NOW)
    errors = {row["channel"]: row["error"] for row in rows}
    assert errors["crashing"] == "ZeroDivisionError: oops" and "no channel gone" in errors["gone"]
    assert alive.ids == ["alr_3"]


def test_a_sender_that_is_killed_in_the_middle_loses_nothing(outbox) -> None:
    """It is tried again under the same id, with the next number, once the claim has run out."""

    class Killed(Receiver):
        def send(self, message: RenderedMessage) -> None:
            super().send(message)
            raise KeyboardInterrupt

    killed, receiver = Killed(), Receiver()
    put(outbox, make_alert())
    with pytest.raises(KeyboardInterrupt):
        deliver_due(outbox, {"one": killed}, now=NOW)
    assert deliver_due(outbox, {"one": receiver}, now=at(CLAIM_S - 1)) == []
    [row] = deliver_due(outbox, {"one": receiver}, now=at(CLAIM_S))
    assert row["attempt"] == 2 and receiver.ids == killed.ids == ["alr_1"]


def test_two_senders_at_once_make_one_attempt(outbox) -> None:
    put(outbox, make_alert())
    [first], [second] = outbox.take_due(NOW), outbox.take_due(NOW)
    assert outbox.claim(first, NOW) and not outbox.claim(second, NOW)


def test_a_late_outcome_of_an_outdated_claim_changes_nothing(outbox) -> None:
    put(outbox, make_alert())
    [slow] = outbox.take_due(NOW)
    outbox.claim(slow, NOW)
    [fast] = outbox.take_due(at(CLAIM_S))
    outbox.claim(fast, at(CLAIM_S))
    outbox.record_attempt(fast, now=at(CLAIM_S), error=None)
    outbox.record_attempt(slow, now=at(CLAIM_S + 1), error="timed out")
    assert outbox.counts()["n_sent"] == 1


def test_a_dry_run_sends_nothing_and_changes_nothing(outbox, caplog) -> None:
    receiver = Receiver()
    put(outbox, make_alert())
    with caplog.at_level(logging.INFO):
        assert deliver_due(outbox, {"one": receiver}, now=NOW, is_dry_run=True) == []
    assert "Subject 1" in caplog.text and receiver.n_asked == 0
    assert outbox.counts() == {"n_waiting": 1, "n_open": 0, "n_sent": 0, "n_given_up": 0}


def test_nothing_is_sent_before_it_is_due(outbox) -> None:
    put(outbox, make_alert(due_at=at(100)))
    assert outbox.take_due(at(99)) == [] and len(outbox.take_due(at(100))) == 1


def test_a_digest_is_one_message_and_stays_as_it_was_folded(outbox) -> None:
    receiver = Receiver()
    receiver.failure = DeliveryFailed("down", is_down=True)
    put(outbox, *(make_alert(n, is_digest=True) for n in range(3)))
    [row] = deliver_due(outbox, {"one": receiver}, now=NOW)
    put(outbox, make_alert(7, is_digest=True))
    receiver.failure = None
    deliver_due(outbox, {"one": receiver}, now=at(60))
    assert row["change_ids"] == ["chg_0", "chg_1", "chg_2"]
    assert len(receiver.ids) == 2 and row["alert_id"] in receiver.ids
    told = [{i["incident_id"] for i in message.payload["incidents"]} for message in receiver.taken]
    assert sorted(told, key=len) == [{"inc_7"}, {"inc_0", "inc_1", "inc_2"}]


def test_a_storm_is_folded_into_one_message_and_a_breeze_is_not(outbox) -> None:
    put(outbox, *(make_alert(n, storm=3) for n in range(3)))
    assert [len(message.alerts) for message in outbox.take_due(NOW)] == [1, 1, 1]
    put(outbox, *(make_alert(n, storm=3) for n in range(10, 14)))
    assert sorted(len(message.alerts) for message in outbox.take_due(NOW)) == [1, 1, 1, 4]


def test_a_storm_of_one_rule_or_channel_leaves_the_others_alone(outbox) -> None:
    put(outbox, *(make_alert(n) for n in range(20)), make_alert(50, rule="calm"), make_alert(51, channel="two"))
    assert sorted(len(message.alerts) for message in outbox.take_due(NOW)) == [1, 1, 20]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 5)), max_size=12))
@settings(max_examples=60)
def test_folding_tells_every_alert_exactly_once(kinds) -> None:
    alerts = [make_alert(n, is_digest=digest, storm=storm) for n, (digest, storm) in enumerate(kinds)]
    folded = fold_alerts(alerts)
    assert sorted(alert.alert_id for message in folded for alert in message) == sorted(a.alert_id for a in alerts)
    assert sum(len(message) > 1 and not message[0].is_digest for message in folded) <= 1


def test_thousands_are_folded_in_one_go(outbox) -> None:
    put(outbox, *(make_alert(n, is_digest=True) for n in range(2_500)))
    [message] = outbox.take_due(NOW)
    assert len(message.alerts) == 2_500 and len(message.change_ids) == 2_500


def test_what_was_done_long_ago_can_be_forgotten(outbox) -> None:
    put(outbox, make_alert(1), make_alert(2, due_at=at(1e6)))
    deliver_due(outbox, {"one": Receiver()}, now=NOW)
    assert outbox.forget_sent(NOW) == 0
    assert outbox.forget_sent(at(1)) == 1
    assert outbox.counts() == {"n_waiting": 1, "n_open": 0, "n_sent": 0, "n_given_up": 0}


def test_what_is_erased_is_not_sent_and_a_message_of_nothing_else_goes_with_it(outbox) -> None:
    put(outbox, make_alert(1), *(make_alert(n, rule="daily", is_digest=True) for n in (2, 3)))
    busy = Receiver()
    busy.failure = DeliveryFailed("busy", is_down=True)
    deliver_due(outbox, {"one": busy}, now=NOW)
    with outbox._engine.begin() as connection:
        assert outbox.forget(connection, lambda alert: alert.content["subject"] in ("Subject 1", "Subject 2")) == 2
    assert [[alert.alert_id for alert in message.alerts] for message in outbox.list_due(at(3600))] == [["alr_3"]]
    told = Receiver()
    deliver_due(outbox, {"one": told}, now=at(3600), is_dry_run=True)
    deliver_due(outbox, {"one": told}, now=at(3600))
    assert [message.subject for message in told.taken] == ["Subject 3"]
