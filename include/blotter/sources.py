"""The source registry: who publishes what we read, one reviewed YAML file each.

Belongs here: the form of a source's file and its errors. Does not belong here: asking feeds (`blotter.ingest`) and what
was learnt of them (`blotter.store.feeds`).
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from blotter.errors import SettingsError

MIN_INTERVAL_S, MAX_INTERVAL_S = 60, 7 * 86_400
DEFAULT_INTERVAL_S = 1_800
_RESERVED = ("processed", "failed")  # folders of the inbox
_ENDINGS = (".yaml", ".yml")
_USER_INFO = re.compile(r"//[^/\s]*@")


def _check_http_url(url: str) -> str:
    try:
        split = urlsplit(url)
    except ValueError as broken:
        raise ValueError(f"an http or https address ({broken})") from broken
    if split.scheme not in ("http", "https") or not split.hostname:
        raise ValueError("an http or https address with a host")
    if split.username or split.password:
        raise ValueError("an address without user and password; credentials belong into the environment")
    return url


HttpUrl = Annotated[str, Field(max_length=2000), AfterValidator(_check_http_url)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Feed(_Strict):
    """One feed of a source. `interval_s` is the first guess of how often to ask; the poller learns from there."""

    url: HttpUrl
    interval_s: Annotated[int, Field(ge=MIN_INTERVAL_S, le=MAX_INTERVAL_S)] = DEFAULT_INTERVAL_S
    enabled: bool = True


class Source(_Strict):
    """Who publishes: an outlet, an agency, or (without feeds) a drop folder."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$")]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    homepage: HttpUrl | None = None
    feeds: tuple[Feed, ...] = ()
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None  # ISO 3166-1: what its stories leave unsaid
    region: Annotated[str, Field(max_length=100)] | None = None  # state or province
    city: Annotated[str, Field(max_length=100)] | None = None
    time_zone: str | None = None  # IANA: of its readers
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] | None = None
    credibility: Annotated[str, Field(max_length=1000)] | None = None  # a reviewer's note; for people
    # Name of an Airflow Connection, or of $BLOTTER_CREDENTIALS_NAME: sent to the hosts of feeds and homepage only.
    credentials: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$")] | None = None
    fetch_pages: bool = True  # whether entries' pages are asked for; without, the feed's own content is what there is
    enabled: bool = True

    @field_validator("time_zone")
    @classmethod
    def _check_time_zone(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            raise ValueError("an IANA time zone such as America/Chicago")
        return name

    @field_validator("id")
    @classmethod
    def _check_reserved(cls, source_id: str) -> str:
        if source_id in _RESERVED:
            raise ValueError(f"an id other than {', '.join(_RESERVED)}, which are folders of the inbox")
        return source_id

    @model_validator(mode="after")
    def _check_feeds(self) -> Self:
        urls = [feed.url for feed in self.feeds]
        if len(set(urls)) < len(urls):
            raise ValueError("each feed once")
        return self


def load_sources(folder: str | Path) -> Mapping[str, Source]:
    """Read every source of a folder, by id, in the order of ids.

    A source's id is the stem of its file. Raises SettingsError naming file, key and what was expected, of the first
    file that does not hold.
    """
    root = Path(folder)
    if not root.is_dir():
        raise SettingsError(f"sources: {root}", "a folder of YAML files, one a source")
    sources: dict[str, Source] = {}
    for path in sorted(root.iterdir()):
        if path.suffix not in _ENDINGS or path.name.startswith("."):
            continue
        source = load_source(path)
        if source.id in sources:
            raise SettingsError(f"{path}: id", "an id that no other file has", source.id)
        sources[source.id] = source
    return sources


def choose_sources(sources: Mapping[str, Source], source_ids: Sequence[str]) -> Mapping[str, Source]:
    """Give the named sources, or all; raises SettingsError naming those that are none."""
    if unknown := sorted(set(source_ids) - set(sources)):
        raise SettingsError("sources", "ids of files in the folder of sources", ", ".join(unknown))
    return {source_id: sources[source_id] for source_id in source_ids} or sources


def load_source(path: Path) -> Source:
    """Read one source's file; raises SettingsError naming file, key and what was expected."""
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as missing:
        raise SettingsError(str(path), f"a readable file ({missing.strerror})") from missing
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as broken:
        raise SettingsError(str(path), f"valid YAML ({' '.join(str(broken).split())[:300]})") from broken
    if not isinstance(given, dict):
        raise SettingsError(str(path), "keys and values: id, name, feeds, ...", type(given).__name__)
    if given.setdefault("id", path.stem) != path.stem:
        raise SettingsError(f"{path}: id", f"the file's name without its ending, {path.stem!r}", given["id"])
    return build_source(given, path)


def build_source(given: Mapping[str, Any], path: Path) -> Source:
    """Build a source from what its file holds, or is to hold; raises SettingsError naming file and key."""
    try:
        return Source.model_validate(given)
    except ValidationError as invalid:
        raise _explain(path, invalid) from invalid


def _explain(path: Path, invalid: ValidationError) -> SettingsError:
    first: Mapping[str, Any] = invalid.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = ", ".join(Feed.model_fields if where.startswith("feeds.") else Source.model_fields)
        expected = f"one of the keys {known}"
    else:
        expected = re.sub(r"^Value error, ", "", first["msg"])
    got = None if first["type"] == "missing" else first.get("input")
    if isinstance(got, str):
        got = _USER_INFO.sub("//***@", got)  # what was refused for its password must not be told with it
    return SettingsError(f"{path}: {where}" if where else str(path), expected, got)
