"""Every channel hands over to a real receiver on loopback, and says what went wrong where it cannot."""

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import feedparser
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from tests.good_batch import SECOND_TEXT, TUESDAY, make_article, make_change, make_incident

from blotter.alert import match_changes
from blotter.alert.channels import make_channels, sign_payload, verify_signature
from blotter.alert.delivery import DeliveryFailed
from blotter.alert.render import RenderedMessage, render_message
from blotter.alert.rules import AlertBook
from blotter.config import Settings
from blotter.errors import SettingsError
from blotter.store.outbox import Message, Outbox
from blotter.store.state import open_state

SECRET = "a long shared secret"
RECORD = "https://blotter.example.org/incidents/"


@pytest.fixture(autouse=True)
def without_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def make_book(form: dict[str, Any], name: str = "it") -> AlertBook:
    return AlertBook.model_validate(
        {
            "channels": {name: form},
            "rules": {"named": {"channels": [name], "description": "Who is it?", "when": {"evidence": "any"}}},
            "record_url": RECORD + "{incident_id}",
        }
    )


def make_channel(form: dict[str, Any], settings: Settings | None = None, **environ: str) -> Any:
    return make_channels(make_book(form), settings or Settings(), environ)["it"]


def make_rendered(n: int = 1, **change: Any) -> RenderedMessage:
    article = make_article(text=SECOND_TEXT, published_at=TUESDAY, source_id="herald")
    given = {"article_id": article.article_id, "change_id": f"chg_{n}", **change}
    book = make_book({"type": "log"})
    [alert] = match_changes(
        book, changes=[make_change(**given)], incidents=[make_incident(version=2)], articles=[article]
    )
    message = Message(
        message_id=alert.alert_id, rule="named", channel="it", alerts=(alert,), attempt=1, folded_at=TUESDAY
    )
    return render_message(message)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- mail


@dataclass
class Mailbox:
    """A handler of aiosmtpd that keeps what it takes; recipients in `refused` are not taken."""

    mails: list[Any] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    answer: str = "250 taken"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.refused:
            return "550 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return self.answer


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield box, controller.port
    controller.stop()


def make_mail_form(port: int, **given: Any) -> dict[str, Any]:
    form = {"type": "mail", "host": "127.0.0.1", "port": port, "security": "none", "timeout_s": 5}
    return {**form, "from": "blotter@news.example", "to": ["desk@news.example", "night@news.example"], **given}


def test_a_mail_arrives_with_text_html_and_the_id_of_its_alert(mailbox) -> None:
    box, port = mailbox
    rendered = make_rendered(after="Đặng Thị “Lan”")
    make_channel(make_mail_form(port)).send(rendered)
    [(recipients, mail)] = box.mails
    assert recipients == ["desk@news.example", "night@news.example"]
    assert mail["Subject"] == rendered.subject == "Springfield, Illinois: victim named as Đặng Thị “Lan”"
    assert mail["Message-ID"] == f"<{rendered.message_id}@news.example>"
    assert mail["Date"].datetime == TUESDAY and mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_body(("plain",)).get_content().splitlines() == rendered.text.splitlines()
    assert "<blockquote>" in mail.get_body(("html",)).get_content()


def test_a_refused_recipient_does_not_keep_the_others_from_theirs(mailbox, caplog) -> None:
    box, port = mailbox
    box.refused = {"night@news.example"}
    make_channel(make_mail_form(port)).send(make_rendered())
    assert [recipients for recipients, _ in box.mails] == [["desk@news.example"]]
    assert "night@news.example" in caplog.text


@pytest.mark.parametrize(
    ("answer", "refused", "is_down"),
    [
        ("250 taken", {"desk@news.example", "night@news.example"}, False),
        ("554 we do not like it", set(), False),
        ("451 come back later", set(), True),
    ],
)
def test_a_mail_server_that_refuses_is_told_in_its_words(mailbox, answer, refused, is_down) -> None:
    box, port = mailbox
    box.answer, box.refused = answer, refused
    with pytest.raises(DeliveryFailed, match=r"554 we do not|451 come back|no such user here") as caught:
        make_channel(make_mail_form(port)).send(make_rendered())
    assert caught.value.is_down is is_down and box.mails == []


def test_a_mail_server_that_is_not_there_is_down() -> None:
    with pytest.raises(DeliveryFailed, match="cannot be reached") as caught:
        make_channel(make_mail_form(free_port())).send(make_rendered())
    assert caught.value.is_down


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # on loopback, to see what is sent
def test_credentials_go_to_the_server_and_wrong_ones_are_told() -> None:
    box = Mailbox()

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        is_right = (data.login, data.password) == (b"blotter", b"secret")
        return AuthResult(success=is_right, handled=False)

    controller = Controller(
        box, hostname="127.0.0.1", port=free_port(), authenticator=authenticate, auth_require_tls=False,
        auth_required=True,
    )  # fmt: skip
    controller.start()
    try:
        form = make_mail_form(controller.port, user="blotter", password_env="MAIL_PASSWORD")
        make_channel(form, MAIL_PASSWORD="secret").send(make_rendered())
        assert len(box.mails) == 1
        with pytest.raises(DeliveryFailed, match="535") as caught:
            make_channel(form, MAIL_PASSWORD="guess").send(make_rendered())
        assert caught.value.is_down and "guess" not in str(caught.value)
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_is_encrypted_and_a_stranger_s_certificate_is_not_trusted(security, certificate, monkeypatch) -> None:
    cert, key = certificate
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    box = Mailbox()
    options = {"ssl_context": context} if security == "tls" else {"tls_context": context, "require_starttls": True}
    controller = Controller(box, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        channel = make_channel(make_mail_form(controller.port, security=security))
        with pytest.raises(DeliveryFailed, match="CERTIFICATE_VERIFY_FAILED"):
            channel.send(make_rendered())
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        channel.send(make_rendered())
        assert len(box.mails) == 1
    finally:
        controller.stop()


# --- webhook and Apprise


@dataclass
class Hook:
    """What an HTTP receiver was posted, and with what it answers."""

    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    status: int = 204
    location: str | None = None
    encoding: str | None = None
    delay_s: float = 0
    url: str = ""


@pytest.fixture
def hook() -> Iterator[Hook]:
    told = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.requests.append((dict(self.headers), body))
            time.sleep(told.delay_s)
            self.send_response(told.status)
            if told.location:
                self.send_header("Location", told.location)
            if told.encoding:
                self.send_header("Content-Encoding", told.encoding)
            self.end_headers()
            if told.status != 204:
                self.wfile.write(b"words of the other side " * 100)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


def make_hook_channel(hook: Hook, **given: Any) -> Any:
    return make_channel({"type": "webhook", "url": hook.url, "secret_env": "HOOK_SECRET", **given}, HOOK_SECRET=SECRET)


def test_a_webhook_gets_the_json_form_and_can_verify_who_sent_it(hook) -> None:
    rendered = make_rendered(after="Zoë")
    make_hook_channel(hook).send(rendered)
    [(headers, body)] = hook.requests
    assert verify_signature(SECRET, headers, body, now_s=time.time())
    assert json.loads(body) == rendered.payload
    assert headers["X-Blotter-Alert"] == rendered.message_id


def test_a_signature_holds_for_its_secret_body_and_minutes_only(hook) -> None:
    make_hook_channel(hook).send(make_rendered())
    [(headers, body)] = hook.requests
    now_s = time.time()
    assert not verify_signature("another", headers, body, now_s=now_s)
    assert not verify_signature(SECRET, headers, body + b" ", now_s=now_s)
    assert not verify_signature(SECRET, headers, body, now_s=now_s + 301)
    later = {**headers, "X-Blotter-Timestamp": str(int(now_s) + 1000)}
    assert not verify_signature(SECRET, later, body, now_s=now_s + 1000)
    endless = {**headers, "X-Blotter-Timestamp": "9" * 5000}
    for broken in ({}, endless, {**headers, "X-Blotter-Timestamp": "x"}, {**headers, "X-Blotter-Signature": "v1=é"}):
        assert not verify_signature(SECRET, broken, body, now_s=now_s)


def test_the_signature_is_the_documented_one() -> None:
    """Anyone can compute it: openssl does."""
    told = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", SECRET], input=b"1741111200.{}", capture_output=True, check=True
    )
    assert sign_payload(SECRET, "1741111200", b"{}") == "v1=" + told.stdout.decode().split()[-1]


@pytest.mark.parametrize(("status", "is_down"), [(400, False), (410, False), (429, True), (500, True), (503, True)])
def test_a_webhook_that_refuses_is_told_with_its_answer(hook, status, is_down) -> None:
    hook.status = status
    with pytest.raises(DeliveryFailed, match=f"answered {status}: words of the other side") as caught:
        make_hook_channel(hook).send(make_rendered())
    assert caught.value.is_down is is_down and len(str(caught.value)) < 300


def test_an_answer_that_cannot_be_read_counts_by_its_status(hook) -> None:
    hook.status, hook.encoding = 200, "gzip"  # and it is not
    make_hook_channel(hook).send(make_rendered())
    hook.status = 503
    with pytest.raises(DeliveryFailed, match=r"answered 503: $") as caught:
        make_hook_channel(hook).send(make_rendered())
    assert caught.value.is_down


def test_a_webhook_is_not_followed_elsewhere(hook) -> None:
    hook.status, hook.location = 307, hook.url + "/elsewhere"
    with pytest.raises(DeliveryFailed, match="answered 307"):
        make_hook_channel(hook).send(make_rendered())
    assert len(hook.requests) == 1


def test_a_webhook_that_is_not_there_or_too_slow_is_down(hook) -> None:
    hook.delay_s = 1
    gone = Hook(url=f"http://127.0.0.1:{free_port()}/hook")
    for channel in (make_hook_channel(hook, timeout_s=0.2), make_hook_channel(gone)):
        with pytest.raises(DeliveryFailed, match="cannot be reached") as caught:
            channel.send(make_rendered())
        assert caught.value.is_down and "127.0.0.1" not in str(caught.value)


def test_apprise_reaches_its_service_and_says_when_it_cannot(hook) -> None:
    url = hook.url.replace("http://", "json://")
    channel = make_channel({"type": "apprise", "url_env": "SERVICE"}, SERVICE=url)
    hook.status = 200
    rendered = make_rendered()
    channel.send(rendered)
    posted = json.loads(hook.requests[0][1])
    assert posted["title"] == rendered.subject and "Dana Whitlock" in posted["message"]
    hook.status = 500
    with pytest.raises(DeliveryFailed, match="Apprise could not notify"):
        channel.send(rendered)


def test_a_channel_without_its_secret_or_with_a_bad_address_stops_the_run_before_it_starts() -> None:
    hooked = {"type": "webhook", "url": "https://x.example/", "secret_env": "HOOK_SECRET"}
    with pytest.raises(SettingsError, match=r"alerts.yaml: channels.it.secret_env.*HOOK_SECRET is not"):
        make_channel(hooked)
    with pytest.raises(SettingsError, match="Apprise understands") as caught:
        make_channel({"type": "apprise", "url_env": "SERVICE"}, SERVICE="nonsense:secret")
    assert "nonsense:secret" not in str(caught.value)


def test_channels_that_no_rule_uses_need_no_secret() -> None:
    book = make_book({"type": "log"})
    unused = book.model_copy(update={"rules": {}})
    assert make_channels(unused, Settings(), {}) == {}


# --- files


def test_a_file_gets_one_json_object_a_line(tmp_path) -> None:
    channel = make_channel({"type": "file"}, Settings(alerts_log=str(tmp_path / "deep" / "alerts.jsonl")))
    for n in range(3):
        channel.send(make_rendered(n))
    lines = (tmp_path / "deep" / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    assert len({json.loads(line)["alert_id"] for line in lines}) == 3


def test_a_file_that_cannot_be_written_is_a_failed_attempt(tmp_path) -> None:
    (tmp_path / "taken").write_text("a file, no folder")
    for form in ({"type": "file", "path": str(tmp_path / "taken" / "x")},):
        with pytest.raises(DeliveryFailed, match="cannot be written"):
            make_channel(form).send(make_rendered())


def test_an_atom_feed_is_valid_and_has_each_alert_once_the_newest_first(tmp_path) -> None:
    form = {"type": "atom", "folder": str(tmp_path), "url": "https://news.example/feeds/", "entries": 3}
    channel = make_channel(form)
    empty = feedparser.parse((tmp_path / "named.atom").read_bytes())
    assert not empty.bozo and empty.version == "atom10" and empty.entries == []
    sent = [make_rendered(n, after=f"Person {n} <b>&") for n in range(5)]
    for rendered in [*sent, sent[-1]]:
        channel.send(rendered)
    feed = feedparser.parse((tmp_path / "named.atom").read_bytes())
    assert not feed.bozo and feed.feed.title == "blotter: named" and feed.feed.id == empty.feed.id
    assert feed.feed.links[0].href == "https://news.example/feeds/named.atom"
    assert [entry.title for entry in feed.entries] == [rendered.subject for rendered in reversed(sent[2:])]
    assert len({entry.id for entry in feed.entries}) == 3 and all(
        entry.id.startswith("urn:uuid:") for entry in feed.entries
    )
    assert feed.entries[0].updated_parsed[:4] == (2025, 3, 4, 18)
    assert feed.entries[0].link.startswith(RECORD)
    assert "Person 4 &lt;b&gt;&amp;" in feed.entries[0].content[0].value


def test_a_feed_that_was_spoilt_starts_anew(tmp_path, caplog) -> None:
    channel = make_channel({"type": "atom", "folder": str(tmp_path)})
    (tmp_path / "named.atom").write_text("<feed")
    channel.send(make_rendered())
    assert len(feedparser.parse((tmp_path / "named.atom").read_bytes()).entries) == 1
    assert "starts anew" in caplog.text


SENDER = """
import sys
from blotter.alert import channels
from blotter.alert.delivery import deliver_due
from blotter.alert.rules import load_rules
from blotter.config import Settings
from blotter.store.outbox import Outbox
from blotter.store.state import open_state
from datetime import datetime, timedelta
settings = Settings(state=sys.argv[1], alerts=sys.argv[2])
now = datetime.fromisoformat(sys.argv[3])
deliver_due(Outbox(open_state(settings.state)), channels.make_channels(load_rules(settings.alerts), settings), now=now)
"""


def test_end_to_end_each_channel_tells_once_while_one_is_down_and_the_sender_is_killed(tmp_path, mailbox, hook) -> None:
    """Mail, webhook and feed get one change; the mail server is down at first, and the sender is killed while the
    webhook is answering. In the end each has it, under one id; the webhook can tell the repetition by it."""
    box, port = mailbox
    rules = {
        "channels": {
            "mail": make_mail_form(port),
            "hook": {"type": "webhook", "url": hook.url, "secret_env": "HOOK_SECRET"},
            "feed": {"type": "atom", "folder": str(tmp_path / "feeds")},
        },
        "rules": {"named": {"when": {"fields": ["name"]}, "channels": ["mail", "hook", "feed"]}},
    }
    (tmp_path / "alerts.yaml").write_text(json.dumps(rules), encoding="utf-8")
    state = str(tmp_path / "state.db")
    alerts = match_changes(
        AlertBook.model_validate(rules), changes=[make_change()], incidents=[make_incident(version=2)]
    )
    engine = open_state(state)
    outbox = Outbox(engine)
    with engine.begin() as connection:
        outbox.apply(connection, outbox.encode(alerts))

    def start_sender(seconds: int) -> subprocess.Popen[bytes]:
        at = (TUESDAY.replace(day=5).timestamp(), seconds)
        now = TUESDAY.fromtimestamp(sum(at), TUESDAY.tzinfo).isoformat()
        command = [sys.executable, "-c", SENDER, state, str(tmp_path / "alerts.yaml"), now]
        return subprocess.Popen(command, env={**os.environ, "HOOK_SECRET": SECRET}, stderr=subprocess.DEVNULL)

    box.answer, hook.delay_s = "421 closed for the night", 60
    hook.delay_s = 3
    sender = start_sender(0)
    deadline = time.monotonic() + 30
    while not hook.requests and time.monotonic() < deadline:
        time.sleep(0.02)
    sender.kill()
    sender.wait()
    assert len(hook.requests) == 1, "killed while the webhook was answering"
    box.answer, hook.delay_s = "250 taken", 0
    for seconds in (400, 800, 1200, 1600):
        assert start_sender(seconds).wait(timeout=60) == 0
    assert len(box.mails) == 1
    assert len(feedparser.parse((tmp_path / "feeds" / "named.atom").read_bytes()).entries) == 1
    by_channel = {alert.channel: alert.alert_id for alert in alerts}
    assert {headers["X-Blotter-Alert"] for headers, _ in hook.requests} == {by_channel["hook"]}
    assert len(hook.requests) == 2, "once more after the kill, and never again"
    assert all(json.loads(body)["alert_id"] == by_channel["hook"] for _, body in hook.requests)
    assert outbox.counts() == {"n_waiting": 0, "n_open": 0, "n_sent": 3, "n_given_up": 0}
    engine.dispose()
