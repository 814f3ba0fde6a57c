"""The channels: how a rendered message leaves the house.

Belongs here: one class for each kind of channel, and making one from its form in the rules' file. Does not belong here:
retries (the outbox's). A channel raises DeliveryFailed and nothing else where the other side is at fault.
"""

import logging
from pathlib import Path

from blotter.alert.delivery import Channel, DeliveryFailed
from blotter.alert.render import RenderedMessage
from blotter.alert.rules import ChannelForm, FileChannel
from blotter.config import Settings

log = logging.getLogger(__name__)


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
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as lines:
                lines.write(message.json + "\n")
        except OSError as failed:
            raise DeliveryFailed(f"{self._path} cannot be written: {failed.strerror}", is_down=True) from failed


def make_channel(form: ChannelForm, settings: Settings, name: str) -> Channel:
    """Make the channel that a form of the rules' file describes; raises SettingsError where it cannot work."""
    if isinstance(form, FileChannel):
        return FileSender(Path(form.path or settings.alerts_log))
    return LogSender()
