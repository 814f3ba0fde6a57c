"""The alert rules: who wants to be told of which changes, when and how; one reviewed YAML file.

Belongs here: the form of the file, its errors, and when an alert is due. Does not belong here: comparing changes with
rules (`blotter.alert.match`), wording and sending. No secret stands in the file: a channel names the environment
variable that holds it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from blotter.errors import SettingsError
from blotter.model import FIELDS, INCIDENT_TYPES, ChangeCause, ChangeKind, ClaimState, Role

# A better extractor or a moved link is no news: nobody is told unless a rule names the cause.
NEWS_CAUSES = tuple(
    cause for cause in ChangeCause if cause not in (ChangeCause.EXTRACTOR_CHANGE, ChangeCause.LINK_CHANGE)
)

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class Delivery(StrEnum):
    """When what a rule matched is told."""

    IMMEDIATE = "immediate"
    HOURLY = "hourly"
    DAILY = "daily"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _read_time(value: object) -> object:
    # YAML 1.1 takes an unquoted 22:00 for a number to the base of 60.
    return f"{value // 60:02d}:{value % 60:02d}" if isinstance(value, int) and 0 <= value < 24 * 60 else value


def _check_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("an IANA time zone such as America/Chicago")
    return name


def _check_field(name: str) -> str:
    if name not in FIELDS:
        raise ValueError(f"a field that can be claimed: {', '.join(FIELDS)}")
    return name


def _check_type(name: str) -> str:
    if name not in INCIDENT_TYPES:
        raise ValueError(f"a type of incident: {', '.join(INCIDENT_TYPES)}")
    return name


ClockTime = Annotated[time, BeforeValidator(_read_time)]
ZoneName = Annotated[str, AfterValidator(_check_zone)]
FieldName = Annotated[str, AfterValidator(_check_field)]
IncidentType = Annotated[str, AfterValidator(_check_type)]
EnvironmentName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
MailAddress = Annotated[str, Field(pattern=r"^[^\s@<>,;:\"]+@[^\s@<>,;:\"]+$", max_length=254)]
TimeoutSeconds = Annotated[float, Field(gt=0, le=300)]
Words = Annotated[str, Field(min_length=1, max_length=200)]


class Place(_Strict):
    """A place by its names; those that are left out do not matter, capitals neither."""

    neighborhood: Words | None = None
    city: Words | None = None
    county: Words | None = None
    state: Words | None = None
    country: Words | None = None

    @model_validator(mode="after")
    def _check_named(self) -> Self:
        if not self.model_dump(exclude_none=True):
            raise ValueError("at least one of neighborhood, city, county, state, country")
        return self


class Circle(_Strict):
    """A place by a point and a distance."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    radius_km: Annotated[float, Field(gt=0, le=20_040)]


class Condition(_Strict):
    """What a change and its incident must be like; of a list one has to fit, and every key that is given must hold."""

    fields: tuple[FieldName, ...] = ()
    kinds: tuple[ChangeKind, ...] = ()
    causes: Annotated[tuple[ChangeCause, ...], Field(min_length=1)] = NEWS_CAUSES
    states: tuple[ClaimState, ...] = ()  # of the value after the change
    roles: tuple[Role, ...] = ()  # of the participant whose field changed
    sources: tuple[Words, ...] = ()  # ids of the sources that say so
    versions: Literal["any", "new", "later"] = "any"  # new: the first version of an incident
    types: tuple[IncidentType, ...] = ()
    places: tuple[Place, ...] = ()
    near: Circle | None = None
    words: tuple[Words, ...] = ()  # whole words or phrases in the headline, the quote or the values
    min_killed: Annotated[int, Field(ge=0)] | None = None
    min_injured: Annotated[int, Field(ge=0)] | None = None
    min_reports: Annotated[int, Field(ge=1)] | None = None  # independent reports
    # stated: what the quoted sentence itself says; any: also what was counted from a list of victims or concluded
    evidence: Literal["stated", "any"] = "stated"


class QuietHours(_Strict):
    """Between these times nothing is sent; it is sent when they end."""

    start: Annotated[ClockTime, Field(alias="from")]
    until: ClockTime
    time_zone: ZoneName = "UTC"

    @model_validator(mode="after")
    def _check_span(self) -> Self:
        if self.start == self.until:
            raise ValueError("`from` and `until` that differ")
        return self


class Rule(_Strict):
    """One wish to be told."""

    description: Annotated[str, Field(max_length=500)] = ""
    when: Condition = Condition()
    channels: Annotated[tuple[Name, ...], Field(min_length=1)]
    deliver: Delivery = Delivery.IMMEDIATE
    at: ClockTime = time(8)  # of a daily digest
    time_zone: ZoneName = "UTC"  # of `at`
    quiet: QuietHours | None = None
    storm: Annotated[int, Field(ge=1)] = 10  # more alerts than this that are due at once are folded into one message
    enabled: bool = True


class LogChannel(_Strict):
    """Into the log of the task."""

    type: Literal["log"]


class FileChannel(_Strict):
    """Into a file, one JSON object a line; without a path, into the setting `alerts_log`."""

    type: Literal["file"]
    path: str | None = None


class MailChannel(_Strict):
    """By mail: text and HTML in one message."""

    type: Literal["mail"]
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password_env: EnvironmentName | None = None
    sender: Annotated[MailAddress, Field(alias="from")]
    to: Annotated[tuple[MailAddress, ...], Field(min_length=1)]
    timeout_s: TimeoutSeconds = 30

    @model_validator(mode="after")
    def _check_credentials(self) -> Self:
        if (self.user is None) != (self.password_env is None):
            raise ValueError("`user` and `password_env` together, or neither")
        if self.user is not None and self.security == "none" and self.host not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("`security` starttls or tls where a password is sent")
        return self


class WebhookChannel(_Strict):
    """A signed POST of the JSON form (docs/alerts.md says how a receiver checks it)."""

    type: Literal["webhook"]
    url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] | None = None
    url_env: EnvironmentName | None = None  # where the address itself is a secret
    secret_env: EnvironmentName
    timeout_s: TimeoutSeconds = 15

    @model_validator(mode="after")
    def _check_url(self) -> Self:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("either `url` or `url_env`")
        return self


class AppriseChannel(_Strict):
    """Whatever Apprise reaches (Slack, Teams, Matrix, Telegram, ...); its address is a secret of the environment."""

    type: Literal["apprise"]
    url_env: EnvironmentName


class AtomChannel(_Strict):
    """An Atom feed of each rule, as a file RULE.atom that any web server can serve."""

    type: Literal["atom"]
    folder: Annotated[str, Field(min_length=1)]
    url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")] | None = None  # where the folder is served
    entries: Annotated[int, Field(ge=1, le=5000)] = 200


ChannelForm = Annotated[
    LogChannel | FileChannel | MailChannel | WebhookChannel | AppriseChannel | AtomChannel,
    Field(discriminator="type"),
]


OPERATORS = "operators"  # the name under which notices to who is on call go out; no rule may have it


class AlertBook(_Strict):
    """The whole file: channels by name, rules by name, who is on call, and how the link to a record is made."""

    channels: Mapping[Name, ChannelForm]
    rules: Mapping[Name, Rule]
    operators: tuple[Name, ...] = ()  # channels of who is on call: failed tasks, missed deadlines
    record_url: Annotated[str, Field(pattern=r"^https?://.*\{incident_id\}")] | None = None

    @model_validator(mode="after")
    def _check_channels(self) -> Self:
        if OPERATORS in self.rules:
            raise ValueError(f"rules.{OPERATORS}: another name, this one is for who is on call")
        asking = {f"rules.{name}.channels": rule.channels for name, rule in self.rules.items()}
        for where, channels in {**asking, OPERATORS: self.operators}.items():
            if unknown := [channel for channel in channels if channel not in self.channels]:
                raise ValueError(f"{where}: names under `channels`, got {', '.join(unknown)}")
        return self


def load_rules(path: str | Path) -> AlertBook:
    """Read the file of alert rules; raises SettingsError naming file, key and what was expected."""
    try:
        text = Path(path).read_text(encoding="utf-8")
        given = yaml.load(text, Loader=_NoRepeats)  # noqa: S506  (a SafeLoader)
    except OSError as missing:
        raise SettingsError(str(path), f"a readable file ({missing.strerror})") from missing
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as broken:
        raise SettingsError(str(path), f"valid YAML ({' '.join(str(broken).split())[:300]})") from broken
    if not isinstance(given, dict):
        raise SettingsError(str(path), "the keys `channels` and `rules`", type(given).__name__)
    try:
        return AlertBook.model_validate(given)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        expected = "a key that exists" if first["type"] == "extra_forbidden" else first["msg"]
        where = ".".join(str(part) for part in first["loc"])
        got = None if first["type"] == "missing" or not where else first.get("input")
        raise SettingsError(f"{path}: {where}" if where else str(path), expected, got) from invalid


def find_due_time(rule: Rule, known_at: datetime) -> datetime:
    """Say when an alert of what became known at `known_at` is due: at once, with its digest, or after the quiet."""
    due_at = known_at
    if rule.deliver is Delivery.HOURLY:
        due_at = known_at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    elif rule.deliver is Delivery.DAILY:
        due_at = _next_time(rule.at, ZoneInfo(rule.time_zone), known_at)
    return _leave_quiet_hours(rule.quiet, due_at) if rule.quiet else due_at


def _leave_quiet_hours(quiet: QuietHours, at: datetime) -> datetime:
    zone = ZoneInfo(quiet.time_zone)
    clock = at.astimezone(zone).time()
    if quiet.start < quiet.until:
        is_quiet = quiet.start <= clock < quiet.until
    else:
        is_quiet = clock >= quiet.start or clock < quiet.until
    # Where clocks are put back, a time comes twice on one night: in its second hour, the second one ends the quiet.
    return _next_time(quiet.until.replace(fold=at.astimezone(zone).fold), zone, at) if is_quiet else at


def _next_time(clock: time, zone: ZoneInfo, after: datetime) -> datetime:
    """Find the next moment after `after` at which clocks in the zone show `clock`."""
    day = after.astimezone(zone).date()
    for n in range(3):  # a clock time may be skipped where the zone changes its offset
        moment = datetime.combine(day + timedelta(days=n), clock, zone).astimezone(UTC)
        if moment > after:
            return moment
    raise AssertionError("every clock time comes within two days")


class _NoRepeats(yaml.SafeLoader):
    """YAML in which a key that is given twice is an error instead of a silent loss of the first."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} is given twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)
