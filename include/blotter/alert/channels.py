"""The channels: how a rendered message leaves the house.

Belongs here: one class for each kind of channel, and making one from its form in the rules' file. Does not belong here:
retries (the outbox's). A channel raises DeliveryFailed where the other side did not take the message. Secrets are read
from the environment when the channel is made, and never logged.
"""

import fcntl
import hashlib
import hmac
import logging
import os
import re
import smtplib
import ssl
import time
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, register_namespace, tostring

from blotter.alert.delivery import Channel, DeliveryFailed
from blotter.alert.render import RenderedMessage
from blotter.alert.rules import (
    OPERATORS,
    AlertBook,
    AppriseChannel,
    AtomChannel,
    ChannelForm,
    FileChannel,
    MailChannel,
    WebhookChannel,
)
from blotter.config import Settings
from blotter.errors import SettingsError

log = logging.getLogger(__name__)

SIGNATURE_HEADER, TIMESTAMP_HEADER, ALERT_HEADER = "X-Blotter-Signature", "X-Blotter-Timestamp", "X-Blotter-Alert"
_MAX_AGE_S = 300  # a receiver refuses an older signature, so that a message that was overheard cannot be sent again
_ATOM = "http://www.w3.org/2005/Atom"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def make_channels(book: AlertBook, settings: Settings, environ: Mapping[str, str] | None = None) -> dict[str, Channel]:
    """Make every channel that an enabled rule or who is on call uses; raises SettingsError where one cannot work."""
    used = {channel for rule in book.rules.values() if rule.enabled for channel in rule.channels} | {*book.operators}
    channels = {
        name: _make_channel(
            form, settings, f"{settings.alerts}: channels.{name}", os.environ if environ is None else environ
        )
        for name, form in book.channels.items()
        if name in used
    }
    asking = {name: rule.channels for name, rule in book.rules.items() if rule.enabled} | {OPERATORS: book.operators}
    for name, wanted in asking.items():
        for channel in (channels.get(channel) for channel in wanted):
            if isinstance(channel, AtomSender):
                channel.create_feed(name)
    return channels


class LogSender:
    """Into the log of the task that sends."""

    def send(self, message: RenderedMessage) -> None:
        """Write the text form as one record."""
        log.warning("alert %s (%s)\n%s", message.message_id, message.rule, message.text)


class FileSender:
    """Into a file of JSON lines, one message a line."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, message: RenderedMessage) -> None:
        """Append the JSON form in one write, so that a reader sees whole lines."""
        with _told_as_failure(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as lines:
                lines.write(message.json + "\n")


class MailSender:
    """By mail, one connection a message."""

    def __init__(self, form: MailChannel, password: str | None) -> None:
        self._form, self._password = form, password

    def send(self, message: RenderedMessage) -> None:
        """Send text and HTML as one mail whose Message-ID follows from the alert's id."""
        mail = self._build_mail(message)
        try:
            with self._connect() as server:
                refused = server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as failed:
            raise DeliveryFailed(f"every recipient was refused: {failed.recipients}") from failed
        except smtplib.SMTPResponseException as failed:
            told = failed.smtp_error.decode("utf-8", "replace") if isinstance(failed.smtp_error, bytes) else ""
            is_down = failed.smtp_code < 500 or isinstance(failed, smtplib.SMTPAuthenticationError)
            raise DeliveryFailed(f"{self._form.host} said {failed.smtp_code} {told}", is_down=is_down) from failed
        except (smtplib.SMTPException, OSError) as failed:
            raise DeliveryFailed(f"{self._form.host} cannot be reached: {failed}", is_down=True) from failed
        if refused:
            log.warning("alert %s: the mail server refused %s, the others have it", message.message_id, sorted(refused))

    def _connect(self) -> smtplib.SMTP:
        form = self._form
        context = ssl.create_default_context()
        if form.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(form.host, form.port, timeout=form.timeout_s, context=context)
        else:
            server = smtplib.SMTP(form.host, form.port, timeout=form.timeout_s)
        try:
            if form.security == "starttls":
                server.starttls(context=context)
            if form.user is not None and self._password is not None:
                server.login(form.user, self._password)
        except BaseException:
            server.close()
            raise
        return server

    def _build_mail(self, message: RenderedMessage) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._form.sender
        mail["To"] = ", ".join(self._form.to)
        mail["Subject"] = message.subject
        mail["Date"] = format_datetime(message.created_at)
        mail["Message-ID"] = f"<{message.message_id}@{self._form.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail[ALERT_HEADER] = message.message_id
        mail.set_content(message.text)
        mail.add_alternative(message.html, subtype="html")
        return mail


class WebhookSender:
    """A POST of the JSON form, signed with a shared secret."""

    def __init__(self, url: str, secret: str, timeout_s: float) -> None:
        self._url, self._secret, self._timeout_s = url, secret, timeout_s

    def send(self, message: RenderedMessage) -> None:
        """Post the message; taken is what is answered with 2xx. Redirects are not followed."""
        import requests

        body = message.json.encode("utf-8")
        timestamp = str(int(time.time()))  # the machine's clock, for it is what the receiver compares with
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            ALERT_HEADER: message.message_id,
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: sign_payload(self._secret, timestamp, body),
        }
        try:
            answer = requests.post(
                self._url, data=body, headers=headers, timeout=self._timeout_s, allow_redirects=False, stream=True
            )
        except (requests.RequestException, OSError) as failed:
            raise DeliveryFailed(f"the webhook cannot be reached: {type(failed).__name__}", is_down=True) from failed
        with answer:
            if 200 <= answer.status_code < 300:
                return  # taken, whatever it says
            is_down = answer.status_code in (408, 425, 429) or answer.status_code >= 500
            raise DeliveryFailed(f"the webhook answered {answer.status_code}: {_read_words(answer)}", is_down=is_down)


class AppriseSender:
    """Over Apprise, as plain text."""

    def __init__(self, url: str, where: str) -> None:
        with _without_warnings():
            import apprise

            self._service = apprise.Apprise()
            is_understood = self._service.add(url)
        if not is_understood:
            raise SettingsError(where, "an address that Apprise understands, such as slack://... (not shown: a secret)")

    def send(self, message: RenderedMessage) -> None:
        """Notify with subject and text."""
        with _without_warnings():
            import apprise

            with apprise.LogCapture(level=logging.WARNING) as told:  # type: ignore[no-untyped-call]
                is_taken = self._service.notify(
                    title=message.subject, body=message.text, body_format=apprise.NotifyFormat.TEXT
                )
                reason = told.getvalue().strip() if told else ""
        if not is_taken:
            raise DeliveryFailed(f"Apprise could not notify: {reason[-300:]}", is_down=True)


class AtomSender:
    """Into an Atom feed of the message's rule: one entry a message, the newest first, replaced in one move."""

    def __init__(self, form: AtomChannel) -> None:
        self._form, self._folder = form, Path(form.folder)

    def create_feed(self, rule: str) -> None:
        """Write the feed of a rule, empty, where there is none yet: a reader can follow it before anything happens."""
        with _told_as_failure(self._folder), self._hold_feeds():
            if not (self._folder / f"{rule}.atom").exists():
                self._write_feed(rule, [], datetime.now(UTC))

    def send(self, message: RenderedMessage) -> None:
        """Put the message at the head of its rule's feed; one that is there already is left alone."""
        with _told_as_failure(self._folder), self._hold_feeds():
            entries = self._read_entries(message.rule)
            if any(entry.findtext(f"{{{_ATOM}}}id") == _make_urn(message.message_id) for entry in entries):
                return
            self._write_feed(message.rule, [_build_entry(message), *entries], message.created_at)

    @contextmanager
    def _hold_feeds(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read_entries(self, rule: str) -> list[Element]:
        from defusedxml.ElementTree import ParseError, parse

        try:
            return list(parse(self._folder / f"{rule}.atom").getroot().findall(f"{{{_ATOM}}}entry"))
        except FileNotFoundError:
            return []
        except ParseError:
            log.warning("the feed %s/%s.atom was not readable and starts anew", self._folder, rule)
            return []

    def _write_feed(self, rule: str, entries: list[Element], updated_at: datetime) -> None:
        register_namespace("", _ATOM)
        feed = Element(f"{{{_ATOM}}}feed")
        _add(feed, "id", _make_urn(f"rule {rule}"))
        _add(feed, "title", f"blotter: {rule}")
        _add(feed, "updated", updated_at.isoformat())
        _add(_add(feed, "author"), "name", "blotter")
        if self._form.url:
            _add(feed, "link", rel="self", href=f"{self._form.url.rstrip('/')}/{rule}.atom")
        feed.extend(entries[: self._form.entries])
        indent(feed)
        path = self._folder / f"{rule}.atom"
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(tostring(feed, encoding="utf-8", xml_declaration=True))
        temporary.replace(path)


def sign_payload(secret: str, timestamp: str, body: bytes) -> str:
    """Sign a webhook's body: `v1=` and the hex HMAC-SHA256 of timestamp (seconds), a full stop and the body."""
    digest = hmac.new(secret.encode("utf-8"), timestamp.encode("ascii") + b"." + body, hashlib.sha256)
    return f"v1={digest.hexdigest()}"


def verify_signature(secret: str, headers: Mapping[str, str], body: bytes, *, now_s: float) -> bool:
    """Say whether a webhook's body comes from who knows the secret and is no older than five minutes: for receivers."""
    timestamp, signature = headers.get(TIMESTAMP_HEADER, ""), headers.get(SIGNATURE_HEADER, "")
    is_number = len(timestamp) < 20 and timestamp.isascii() and timestamp.isdigit()
    if not is_number or abs(now_s - int(timestamp)) > _MAX_AGE_S:
        return False
    return hmac.compare_digest(sign_payload(secret, timestamp, body).encode(), signature.encode("utf-8", "replace"))


def _make_channel(form: ChannelForm, settings: Settings, where: str, environ: Mapping[str, str]) -> Channel:
    def read_secret(key: str, name: str) -> str:
        if not environ.get(name):
            raise SettingsError(f"{where}.{key}", f"an environment variable that is set, {name} is not")
        return environ[name]

    match form:
        case FileChannel():
            return FileSender(Path(form.path or settings.alerts_log))
        case MailChannel():
            return MailSender(form, read_secret("password_env", form.password_env) if form.password_env else None)
        case WebhookChannel():
            url = form.url or read_secret("url_env", form.url_env or "")
            return WebhookSender(url, read_secret("secret_env", form.secret_env), form.timeout_s)
        case AppriseChannel():
            return AppriseSender(read_secret("url_env", form.url_env), f"{where}.url_env: {form.url_env}")
        case AtomChannel():
            return AtomSender(form)
        case _:
            return LogSender()


def _read_words(answer: Any) -> str:
    """Read how an answer begins; "" where it cannot be read."""
    from urllib3.exceptions import HTTPError

    try:
        told: bytes = answer.raw.read(200, decode_content=True)
    except (HTTPError, OSError):
        return ""
    return told.decode("utf-8", "replace")


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep a library's own deprecations to itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _told_as_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as failed:
        raise DeliveryFailed(f"{path} cannot be written: {failed.strerror}", is_down=True) from failed


def _build_entry(message: RenderedMessage) -> Element:
    entry = Element(f"{{{_ATOM}}}entry")
    _add(entry, "id", _make_urn(message.message_id))
    _add(entry, "title", message.subject)
    _add(entry, "updated", message.created_at.isoformat())
    incidents: list[dict[str, Any]] = message.payload["incidents"]
    for url in dict.fromkeys(incident["record_url"] for incident in incidents if incident["record_url"]):
        _add(entry, "link", rel="alternate" if len(incidents) == 1 else "related", href=url)
    _add(entry, "content", message.html, type="html")
    return entry


def _add(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    child = SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    child.text = None if text is None else _NO_XML.sub("", text)
    return child


def _make_urn(name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"https://blotter.invalid/{name}").urn
