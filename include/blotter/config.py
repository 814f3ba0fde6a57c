"""Settings: read from one file and the environment, validated whole before anything runs.

Belongs here: what an operator can set, its default and its bounds. Does not belong here: the sources
(`blotter.sources`) and the alert rules (`blotter.alert`), which have files of their own. Nothing is read on import.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from blotter.errors import SettingsError

ENV_PREFIX = "BLOTTER_"
CONFIG_ENV = "BLOTTER_CONFIG"
CREDENTIALS_ENV_PREFIX = "BLOTTER_CREDENTIALS_"  # secrets of sources (`blotter.ingest.credentials`): no settings


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FetchSettings(_Section):
    """How feeds and pages are asked for."""

    user_agent: str = Field(
        "blotter/0.1 (+https://github.com/blotter-news/blotter; set fetch.user_agent to your contact)", min_length=8
    )
    connect_timeout_s: Annotated[float, Field(gt=0, le=120)] = 10
    read_timeout_s: Annotated[float, Field(gt=0, le=300)] = 20
    total_timeout_s: Annotated[float, Field(gt=0, le=900)] = 60
    max_wire_bytes: Annotated[int, Field(gt=0)] = 10_000_000
    max_decoded_bytes: Annotated[int, Field(gt=0)] = 30_000_000
    max_ratio: Annotated[float, Field(ge=1)] = 100
    max_redirects: Annotated[int, Field(ge=0, le=20)] = 5
    concurrency: Annotated[int, Field(ge=1, le=256)] = 16
    host_concurrency: Annotated[int, Field(ge=1, le=16)] = 2
    host_spacing_s: Annotated[float, Field(ge=0)] = 1
    deadline_s: Annotated[float, Field(gt=0, le=6000)] = 240  # after which a poll begins nothing; the rest stays due
    feeds_per_task: Annotated[int, Field(ge=1)] = 500  # about so many due feeds are one task; hosts are never divided
    resolve: tuple[str, ...] = ()  # `host=address:port` or `*.suffix=address:port`: connect there (tests, demo)
    open_hosts: tuple[str, ...] = ()  # `host` or `host:port` that may resolve to a private address (tests, intranets)


class ReadSettings(_Section):
    """How articles are cleaned and read."""

    slice_size: Annotated[int, Field(ge=1, le=5000)] = 300
    timeout_s: Annotated[float, Field(gt=0)] = 20  # processor time that one document may take
    memory_bytes: Annotated[int, Field(ge=500_000_000)] = 4_000_000_000  # that reading may take in all
    confine: bool = True  # read in a process of its own, which can be killed; off: no limits, for looking into it
    spacy_model: str | None = None  # an installed spaCy pipeline whose entities count as further evidence


class DropSettings(_Section):
    """How drop folders are taken."""

    settle_s: Annotated[float, Field(ge=0)] = 30
    max_file_bytes: Annotated[int, Field(gt=0)] = 2_000_000_000
    max_document_bytes: Annotated[int, Field(gt=0)] = 20_000_000
    max_members: Annotated[int, Field(gt=0)] = 100_000
    max_unpacked_bytes: Annotated[int, Field(gt=0)] = 10_000_000_000
    max_ratio: Annotated[float, Field(ge=1)] = 200


class LinkSettings(_Section):
    """When a reading's incident is taken for a known one."""

    window_days: Annotated[int, Field(ge=1, le=3650)] = 365
    accept: Annotated[float, Field(ge=0, le=1)] = 0.45
    reject: Annotated[float, Field(ge=0, le=1)] = 0.2


class DeadlineSettings(_Section):
    """After how long who is on call is told that a run of a DAG has not ended (`operators` in the file of alerts)."""

    ingest_s: Annotated[float, Field(gt=0)] = 3600
    build_s: Annotated[float, Field(gt=0)] = 2 * 3600
    alert_s: Annotated[float, Field(gt=0)] = 1800
    feeds_s: Annotated[float, Field(gt=0)] = 3600  # of waiting for a feed that is in trouble to be well again
    upkeep_s: Annotated[float, Field(gt=0)] = 4 * 3600


class KeepSettings(_Section):
    """How long what is not a table is kept."""

    raw_days: Annotated[int, Field(ge=1)] | None = None  # documents in the raw archive; unset: for ever


class Settings(_Section):
    """All settings. Relative paths are taken from the folder of the settings file, else from the working folder."""

    warehouse: str = "data/warehouse"
    archive: str = "data/archive"
    staging: str = "data/staging"
    state: str = "data/state.db"  # a path (SQLite) or a SQLAlchemy URL
    inbox: str = "data/inbox"
    backfill: str = "data/backfill"  # what backfills take, by day of publication; files stay where they are
    alerts: str = "include/alerts.yaml"  # who is told of which changes
    alerts_log: str = "data/alerts.jsonl"
    sources: str = "include/sources"
    catalog: str | None = None  # file of the pages' index, on this machine; default: beside the tables
    checks_site: str = "data/checks"  # where the outcome of the checks is written as a site (Data Docs)
    clock: str | None = None  # an ISO time at which all clocks stand: for the demo and tests only
    part_rows: Annotated[int, Field(ge=1)] = 20_000  # rows of a table's day after which its open part is sealed
    fetch: FetchSettings = FetchSettings()
    read: ReadSettings = ReadSettings()
    drops: DropSettings = DropSettings()
    link: LinkSettings = LinkSettings()
    keep: KeepSettings = KeepSettings()
    deadlines: DeadlineSettings = DeadlineSettings()


_LISTS = ("open_hosts", "resolve")
_PATHS = (
    "warehouse",
    "archive",
    "staging",
    "state",
    "inbox",
    "backfill",
    "alerts",
    "alerts_log",
    "sources",
    "catalog",
    "checks_site",
)


def load_settings(path: str | os.PathLike[str] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read settings from a TOML file and the environment, the environment last.

    `path` defaults to $BLOTTER_CONFIG; without either, defaults stand. $BLOTTER_WAREHOUSE sets `warehouse`,
    $BLOTTER_FETCH__CONCURRENCY sets `fetch.concurrency`. Raises SettingsError naming file (or variable), key and what
    was expected.
    """
    environ = os.environ if environ is None else environ
    path = path or environ.get(CONFIG_ENV) or None
    given: dict[str, Any] = {}
    origin: dict[str, str] = {}
    folder = Path.cwd()
    if path is not None:
        given, folder = _read_toml(Path(path)), Path(path).resolve().parent
        origin = {key: str(path) for key in given}
    for variable, text in sorted(environ.items()):
        if variable.startswith(CREDENTIALS_ENV_PREFIX):
            continue
        if variable.startswith(ENV_PREFIX) and variable != CONFIG_ENV:
            _set_from_environment(given, origin, variable, text)
    try:
        settings = Settings.model_validate(given)
    except ValidationError as invalid:
        raise _explain(invalid, origin, str(path) if path else "settings") from invalid
    if settings.link.reject > settings.link.accept:
        raise SettingsError(
            f"{origin.get('link', path or 'settings')}: link.reject", "at most link.accept", settings.link.reject
        )
    paths = [key for key in _PATHS if getattr(settings, key) is not None]
    return settings.model_copy(update={key: _absolute(getattr(settings, key), folder) for key in paths})


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as missing:
        raise SettingsError(str(path), f"a readable settings file ({missing.strerror})") from missing
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise SettingsError(str(path), f"valid TOML ({broken})") from broken


def _set_from_environment(given: dict[str, Any], origin: dict[str, str], variable: str, text: str) -> None:
    section, *rest = variable.removeprefix(ENV_PREFIX).lower().split("__")
    origin[section] = f"${variable}"
    if not rest:
        given[section] = text
        return
    values = given.setdefault(section, {})
    if isinstance(values, dict):
        key = rest[0]
        values[key] = [part.strip() for part in text.split(",") if part.strip()] if key in _LISTS else text


def _explain(invalid: ValidationError, origin: Mapping[str, str], default: str) -> SettingsError:
    first = invalid.errors()[0]
    location = [str(part) for part in first["loc"]]
    expected = "a setting that exists (see `blotter settings`)" if first["type"] == "extra_forbidden" else first["msg"]
    return SettingsError(f"{origin.get(location[0], default)}: {'.'.join(location)}", expected, first.get("input"))


def _absolute(value: str, folder: Path) -> str:
    if "://" in value and not value.startswith("file://"):
        return value
    return str(folder / value.removeprefix("file://"))
