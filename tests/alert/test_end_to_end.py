"""A change in the samples reaches a mail server, a webhook's receiver and the Atom feed, each once, although channels
are down for a while and the sending process is killed with SIGKILL in the middle of it.
"""

import json
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import feedparser
import pytest
from tests.alert.receivers import Receiver, find_free_port, serve_hook, serve_mail

from blotter.alert.channels import verify_signature
from blotter.config import Settings
from blotter.store.outbox import CLAIM_S
from blotter.stores import Stores
from seeds.play import play_week

DAYS = ["2026-03-02", "2026-03-03"]
SECRET = "shared by both sides"
BOOK = """
channels:
  desk: {type: mail, host: 127.0.0.1, port: MAIL_PORT, security: none, timeout_s: 5,
         from: blotter@news.example, to: [desk@news.example]}
  hook: {type: webhook, url: "http://127.0.0.1:HOOK_PORT/", secret_env: HOOK_SECRET, timeout_s: 5}
  feed: {type: atom, folder: FEEDS, url: "https://news.example/feeds"}
record_url: https://news.example/incidents/{incident_id}
rules:
  people: {when: {fields: [name, age, condition], versions: later}, channels: [desk, hook, feed], storm: 100}
  new: {when: {versions: new, fields: [incident_type]}, channels: [hook, feed, desk], storm: 100}
"""
LIMIT_S = 60


def send(settings: Settings) -> None:
    from blotter import steps

    os.environ["HOOK_SECRET"] = SECRET  # the server may have been started, by another test, before we set it
    steps.send_alerts(settings, run_id="send")


@pytest.fixture(scope="module")
def context() -> Iterator[ForkServerContext]:
    """Processes forked off a server that has the imports, so that a kill hits sending."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["blotter.steps", "requests"])
    yield context


class Sender:
    """The alert task as a process of its own; each run finds the clock further on, past the last run's claims."""

    def __init__(self, context: ForkServerContext, settings: Settings) -> None:
        self._context, self._settings = context, settings
        self._now = datetime.fromisoformat(settings.clock or "")
        self.n_kills = 0
        self.process: Any = None

    def run(self, kill_after_s: float | None = None) -> None:
        """Send until the process ends, by itself or by a signal."""
        self._now += timedelta(seconds=CLAIM_S)
        settings = self._settings.model_copy(update={"clock": self._now.isoformat()})
        self.process = self._context.Process(target=send, args=(settings,))
        self.process.start()
        self.process.join(kill_after_s if kill_after_s is not None else LIMIT_S)
        if self.process.exitcode is None:
            self.kill()
            self.process.join(LIMIT_S)
        assert self.process.exitcode in (0, -signal.SIGKILL)

    def kill(self) -> None:
        """End the process as a lost machine would."""
        self.n_kills += 1
        os.kill(self.process.pid, signal.SIGKILL)

    def is_done(self) -> bool:
        with Stores(self._settings) as stores:
            counts = stores.outbox.counts()
        assert counts["n_given_up"] == 0
        return counts["n_open"] == counts["n_waiting"] == 0


def kill_once(sender: Sender) -> Callable[[], None]:
    """Kill the sender in the middle of the next message, and leave the ones after it alone."""
    left = [1]

    def strike() -> None:
        if left and left.pop():
            sender.kill()

    return strike


@pytest.fixture
def played(tmp_path: Path) -> tuple[Settings, Receiver, Receiver, Path]:
    """Two days of the sample week, published; their alerts wait in the outbox."""
    mail, hook, feeds = Receiver(port=find_free_port()), Receiver(port=find_free_port()), tmp_path / "feeds"
    book = tmp_path / "alerts.yaml"
    told = {"MAIL_PORT": str(mail.port), "HOOK_PORT": str(hook.port), "FEEDS": str(feeds)}
    text = BOOK
    for name, value in told.items():
        text = text.replace(name, value)
    book.write_text(text)
    *_, (_, settings) = play_week(tmp_path / "home", DAYS, alerts=str(book))
    return settings, mail, hook, feeds


def read_expected(settings: Settings) -> dict[str, set[str]]:
    """What each channel must get: the ids of the alerts in the outbox."""
    with Stores(settings) as stores:
        due = stores.outbox.list_due(datetime.fromisoformat("2100-01-01T00:00:00+00:00"))
    expected: dict[str, set[str]] = {"desk": set(), "hook": set(), "feed": set()}
    for message in due:
        expected[message.channel].add(message.message_id)
    return expected


def check_deliveries(
    settings: Settings, expected: dict[str, set[str]], mail: Receiver, hook: Receiver, feeds: Path, n_kills: int
) -> None:
    """Everything arrived, is whole and signed; what came twice came under one id, and once a kill at most."""
    mails = Counter(mail["X-Blotter-Alert"] for mail in mail.taken)
    hooks = Counter(headers["X-Blotter-Alert"] for headers, _ in hook.taken)
    assert set(mails) == expected["desk"] and set(hooks) == expected["hook"]
    assert len({one["Message-ID"] for one in mail.taken}) == len(expected["desk"])
    assert (mails.total() - len(mails)) + (hooks.total() - len(hooks)) <= n_kills
    for headers, body in hook.taken:
        assert verify_signature(SECRET, headers, body, now_s=time.time())
        assert not verify_signature("a guess", headers, body, now_s=time.time())
        assert json.loads(body)["alert_id"] == headers["X-Blotter-Alert"]
    entries = [entry for rule in ("people", "new") for entry in parse_feed(feeds / f"{rule}.atom").entries]
    assert len(entries) == len({entry.id for entry in entries}) == len(expected["feed"]), "once, whatever was killed"
    with Stores(settings) as stores:
        attempts = [row.row for row in stores.ledger.staged_rows() if row.table == "alerts"]
    sent = Counter((row["alert_id"], row["channel"]) for row in attempts if row["status"] == "sent")
    assert {alert_id for alert_id, _ in sent} == set().union(*expected.values())


def parse_feed(path: Path) -> Any:
    parsed = feedparser.parse(path.read_bytes())
    assert not parsed.bozo and parsed.version == "atom10", parsed.get("bozo_exception")
    assert all(entry.id and entry.title and entry.updated and entry.content for entry in parsed.entries)
    return parsed


def test_each_change_arrives_once_while_channels_are_down_and_the_task_is_killed(
    played: tuple[Settings, Receiver, Receiver, Path], context: ForkServerContext
) -> None:
    settings, mail, hook, feeds = played
    expected = read_expected(settings)
    assert all(len(ids) >= 3 for ids in expected.values()), "the two days hold news"
    sender = Sender(context, settings)
    with ExitStack() as receivers:
        receivers.enter_context(serve_hook(hook))
        # The mail server is not there; the sender dies while the webhook's receiver has its first message in hand.
        hook.when_spoken_to = kill_once(sender)
        sender.run()
        assert sender.n_kills == 1 and not mail.taken
        sender.run()
        assert parse_feed(feeds / "new.atom").entries, "a channel that is down holds up no other"
        assert {headers["X-Blotter-Alert"] for headers, _ in hook.taken} == expected["hook"]
        # The mail server comes back, and the sender dies while it takes a mail.
        receivers.enter_context(serve_mail(mail))
        mail.when_spoken_to = kill_once(sender)
        for _ in range(8):
            sender.run()
            if sender.is_done():
                break
    assert sender.is_done() and sender.n_kills == 2
    check_deliveries(settings, expected, mail, hook, feeds, sender.n_kills)
    subjects = [one["Subject"] for one in mail.taken]
    assert any("named as" in subject for subject in subjects), subjects
    texts = [one.get_body(("plain",)).get_content() for one in mail.taken]
    assert all("“" in text and "https://news.example/incidents/inc_" in text for text in texts)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(5))
def test_killed_at_random_moments_nothing_is_lost(
    played: tuple[Settings, Receiver, Receiver, Path], context: ForkServerContext, seed: int
) -> None:
    settings, mail, hook, feeds = played
    expected = read_expected(settings)
    sender = Sender(context, settings)
    rng = random.Random(seed)
    with serve_hook(hook), serve_mail(mail):
        for n in range(60):
            hook.is_refusing = mail.is_refusing = False
            if n < 8:
                (hook if rng.random() < 0.5 else mail).is_refusing = rng.random() < 0.4
            sender.run(kill_after_s=rng.uniform(0.05, 1.5) if n < 8 else None)
            if sender.is_done():
                break
    assert sender.is_done()
    check_deliveries(settings, expected, mail, hook, feeds, sender.n_kills)
