"""What an operator does with sources: try them, find new ones, look how they do, wake those that sleep.

Belongs here: the registry's folder, the network and the state, composed for `blotter sources` and the pages that show
the same. Does not belong here: polling (`blotter.steps`), the form of a source's file (`blotter.sources`).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import yaml

from blotter.clean.urls import site_of
from blotter.config import Settings
from blotter.errors import SettingsError
from blotter.ingest.discover import FoundFeed, ListedFeed, check_sources, find_feeds, read_opml
from blotter.ingest.health import HealthRow, read_health
from blotter.sources import build_source, choose_sources, load_sources
from blotter.stores import Stores

MAX_OPML_BYTES = 20_000_000
_HEADER = """\
# Written by `blotter {by}` on {day:%Y-%m-%d}. Review it: is this the outlet's own feed, and what do its stories leave
# unsaid (country, region, city, time_zone, language)? Say in `credibility` how it corrects itself.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedSource:
    """A source's file that was written, or why it was not: `skipped`. Feeds that are known already are left out."""

    source_id: str
    path: Path
    urls: tuple[str, ...]
    skipped: str = ""


def read_sources_health(settings: Settings) -> list[HealthRow]:
    """Tell how every source does: one row a feed, what is wrong first. Asks the state only, no network."""
    sources = load_sources(settings.sources)
    with Stores(settings) as stores:
        return read_health(sources, cursors=stores.feeds.load_cursors(), habits=stores.habits.load(), now=stores.now())


def try_sources(settings: Settings, source_ids: Sequence[str] = ()) -> list[FoundFeed]:
    """Ask every feed of the sources (or of all) once and say what it answers; nothing is kept."""
    chosen = choose_sources(load_sources(settings.sources), source_ids)
    with Stores(settings) as stores:
        return check_sources(chosen, settings=settings.fetch, now=stores.now())


def add_source(settings: Settings, url: str, *, source_id: str | None = None, name: str | None = None) -> AddedSource:
    """Find the feeds of a site (or take the feed at `url`) and write the source's file, for a person to review.

    Nothing is overwritten. Raises SettingsError where no feed is found, or the id or every feed is taken.
    """
    with Stores(settings) as stores:
        now = stores.now()
        found = find_feeds(url, settings=settings.fetch, now=now)
    answered = [feed for feed in found if feed.outcome == "ok"]
    if not answered:
        raise SettingsError(url, "the address of a feed, or of a site that names one", _tell_failure(found))
    # A site may name a feed for comments or tags beside its news: the first is the site's own choice.
    listed = ListedFeed(title=name or answered[0].title or "", url=answered[0].url, homepage=_homepage_of(url))
    (added,) = _write_sources(settings, [[listed]], by=f"sources add {url}", source_id=source_id)
    if added.skipped:
        raise SettingsError(url, "a feed that can become a source", added.skipped)
    return added


def import_opml(settings: Settings, path: Path) -> list[AddedSource]:
    """Write a file for every source of an OPML list that is not in the registry: one source a site, in its order.

    Raises InputRejected where the file is no OPML, SettingsError where it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            payload = stream.read(MAX_OPML_BYTES + 1)
    except OSError as missing:
        raise SettingsError(str(path), f"a readable OPML file ({missing.strerror})") from missing
    if len(payload) > MAX_OPML_BYTES:
        raise SettingsError(str(path), f"an OPML file of at most {MAX_OPML_BYTES:,} bytes")
    by_site: dict[str, list[ListedFeed]] = {}
    for feed in read_opml(payload):
        by_site.setdefault(_site_of(feed), []).append(feed)
    return _write_sources(settings, by_site.values(), by=f"sources import {path.name}")


def resume_feeds(settings: Settings, names: Sequence[str]) -> list[str]:
    """Ask paused feeds again from now on: feeds by address, or all of a source by its id; gives those resumed.

    Raises SettingsError where a name is neither.
    """
    sources = load_sources(settings.sources)
    with Stores(settings) as stores:
        cursors = stores.feeds.load_cursors()
        resumed: list[str] = []
        for name in names:
            if name not in sources and name not in cursors:
                raise SettingsError(
                    "sources resume", "the id of a source, or the address of a feed that was asked", name
                )
            urls = [feed.url for feed in sources[name].feeds] if name in sources else [name]
            paused = [url for url in urls if url in cursors and cursors[url].paused_reason is not None]
            resumed += [url for url in paused if stores.feeds.resume_feed(url)]
    return resumed


def _write_sources(
    settings: Settings, groups: Iterable[Sequence[ListedFeed]], *, by: str, source_id: str | None = None
) -> list[AddedSource]:
    folder = Path(settings.sources)
    folder.mkdir(parents=True, exist_ok=True)
    known = load_sources(folder)
    holders = {feed.url: source.id for source in known.values() for feed in source.feeds}
    taken, added = set(known), []
    with Stores(settings) as stores:
        header = _HEADER.format(by=by, day=stores.now())
    for group in groups:
        chosen_id = source_id or _choose_id(group[0], taken)
        path = folder / f"{chosen_id}.yaml"
        fresh = [feed for feed in group if feed.url not in holders]
        if not fresh:
            skipped = f"{group[0].url} is a feed of {holders[group[0].url]}"
            added.append(AddedSource(source_id=chosen_id, path=path, urls=(), skipped=skipped))
            continue
        try:
            _write_source(path, header, chosen_id, fresh)
        except SettingsError as unfit:
            added.append(AddedSource(source_id=chosen_id, path=path, urls=(), skipped=str(unfit)))
            continue
        taken.add(chosen_id)
        holders |= {feed.url: chosen_id for feed in fresh}
        added.append(AddedSource(source_id=chosen_id, path=path, urls=tuple(feed.url for feed in fresh)))
    return added


def _write_source(path: Path, header: str, source_id: str, feeds: Sequence[ListedFeed]) -> None:
    """Write one source's file, whole or not at all; raises SettingsError where it is there, or would not hold."""
    about: dict[str, object] = {"name": (feeds[0].title or source_id)[:200]}
    if urlsplit(feeds[0].homepage).scheme in ("http", "https"):
        about["homepage"] = feeds[0].homepage
    about["feeds"] = [{"url": feed.url} for feed in feeds]
    build_source({"id": source_id, **about}, path)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(header + yaml.safe_dump(about, sort_keys=False, allow_unicode=True, width=118), "utf-8")
    try:
        path.hardlink_to(temporary)  # unlike a rename, refuses to replace what is there
    except FileExistsError as taken:
        raise SettingsError(str(path), "an id that no other file has (--id)", source_id) from taken
    finally:
        temporary.unlink()


def _choose_id(feed: ListedFeed, taken: set[str]) -> str:
    """Make a short id from the site's name, else from the feed's title; numbered where it is taken."""
    site = _site_of(feed)
    stem = re.sub(r"[^a-z0-9]+", "-", (site.rpartition(".")[0] or site).lower()).strip("-")[:80] or "source"
    numbered = (stem if n == 1 else f"{stem}-{n}" for n in range(1, 100_000))
    return next(name for name in numbered if name not in taken and name not in ("processed", "failed"))


def _site_of(feed: ListedFeed) -> str:
    return site_of(feed.homepage or feed.url) or site_of(feed.url) or urlsplit(feed.url).netloc


def _homepage_of(url: str) -> str:
    split = urlsplit(url)
    return urlunsplit((split.scheme, split.netloc.rpartition("@")[2], "/", "", ""))


def _tell_failure(found: Sequence[FoundFeed]) -> str:
    return "; ".join(f"{feed.url}: {feed.outcome} {feed.message}".strip() for feed in found[:3]) or "nothing"
