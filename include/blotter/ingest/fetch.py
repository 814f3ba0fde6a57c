"""One polite, bounded, safe request.

Belongs here: deadlines, caps, redirects, robots.txt, slots and spacing of hosts, and the name of every outcome
(docs/fetching.md). Does not belong here: what is asked for when (`poll`, `schedule`) and what a body says.
"""

import asyncio
import re
import ssl
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp import hdrs
from protego import Protego

from blotter.config import FetchSettings
from blotter.ingest.addresses import PRIVATE_MARK, AddressBook, DirectedResolver, asked_for
from blotter.ingest.decoding import BodyDecoder, BodyRefused
from blotter.store.feeds import HostState

ROBOTS_TTL = timedelta(hours=24)
ROBOTS_RETRY = timedelta(hours=1)  # after which an unreachable robots.txt is asked for again
MAX_ROBOTS_BYTES = 500_000
MAX_RETRY_AFTER_S = 86_400.0
MAX_CRAWL_DELAY_S = 60.0
_REDIRECTS = (301, 302, 303, 307, 308)
_UNFIT_HOST = re.compile(r"[^\w.:-]")
_ACCEPT_FEED = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"
_ACCEPT_PAGE = "text/html, application/xhtml+xml;q=0.9, */*;q=0.5"


class Outcome(StrEnum):
    """What became of a request: the values of `fetches.outcome`."""

    OK = "ok"
    NOT_MODIFIED = "not_modified"
    # the other side said no
    NOT_FOUND = "not_found"
    GONE = "gone"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate_limited"
    CLIENT_ERROR = "client_error"
    SERVER_ERROR = "server_error"
    # we did not ask, or not to the end
    ROBOTS = "robots"
    ROBOTS_UNREACHABLE = "robots_unreachable"
    HOST_PAUSED = "host_paused"
    BAD_URL = "bad_url"
    PRIVATE_ADDRESS = "private_address"
    REDIRECT_LOOP = "redirect_loop"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    REDIRECT_DOWNGRADE = "redirect_downgrade"
    BAD_REDIRECT = "bad_redirect"
    TOO_LARGE = "too_large"
    BOMB = "bomb"
    # something broke
    DNS_FAILED = "dns_failed"
    CONNECT_FAILED = "connect_failed"
    CONNECT_TIMEOUT = "connect_timeout"
    TLS_FAILED = "tls_failed"
    READ_TIMEOUT = "read_timeout"
    TOTAL_TIMEOUT = "total_timeout"
    TRUNCATED = "truncated"
    BAD_ENCODING = "bad_encoding"
    BAD_RESPONSE = "bad_response"

    @property
    def is_answer(self) -> bool:
        """Whether the request brought what it was for."""
        return self in (Outcome.OK, Outcome.NOT_MODIFIED)


# Where a connection fails, that is the news, not that robots.txt could not be had over it.
_UNCONNECTED = frozenset(
    {
        Outcome.PRIVATE_ADDRESS, Outcome.DNS_FAILED, Outcome.CONNECT_FAILED, Outcome.CONNECT_TIMEOUT,
        Outcome.TLS_FAILED, Outcome.RATE_LIMITED, Outcome.BAD_URL,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a request brought. `moved_to` is where permanent redirects lead; `body` is decoded and whole, or None."""

    url: str
    outcome: Outcome
    requested_at: datetime
    message: str = ""
    final_url: str | None = None
    status: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    content_type: str | None = None
    charset: str | None = None
    body: bytes | None = None
    elapsed_s: float | None = None
    retry_after_s: float | None = None
    max_age_s: float | None = None
    moved_to: str | None = None


@dataclass(slots=True)
class _Host:
    """A host in this run: its slots, when it may be asked next, and one lock so that robots.txt is asked for once."""

    slots: asyncio.Semaphore
    state: HostState
    next_at: float = 0.0
    robots_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    rules: Protego | None = None
    rules_of: str | None = None
    unreachable: Outcome = Outcome.ROBOTS_UNREACHABLE  # why, where the connection itself failed in this run


class Fetcher:
    """Fetches over one pool of connections; use it in an `async with`, from one event loop.

    `now` is the time at which the fetcher starts; `hosts` what is known of hosts, by `host:port`, and changed in place.
    """

    def __init__(self, settings: FetchSettings, *, now: datetime, hosts: dict[str, HostState] | None = None) -> None:
        self._settings = settings
        self._now, self._started = now, time.monotonic()
        self.hosts: dict[str, HostState] = {} if hosts is None else hosts
        self._running: dict[str, _Host] = {}
        self._book = AddressBook(settings.resolve, settings.open_hosts)
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._session: aiohttp.ClientSession | None = None
        self.n_by_outcome: dict[Outcome, int] = defaultdict(int)

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            resolver=DirectedResolver(self._book),
            socket_factory=self._book.make_socket,
            limit=self._settings.concurrency,
            ttl_dns_cache=300,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            headers={"User-Agent": self._settings.user_agent, "Accept-Encoding": "gzip, deflate, br"},
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=self._settings.connect_timeout_s, sock_read=self._settings.read_timeout_s
            ),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    def now(self) -> datetime:
        """The time by the fetcher's clock."""
        return self._now + timedelta(seconds=time.monotonic() - self._started)

    async def fetch_feed(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Fetched:
        """Ask for a feed, only if it has changed where it said before what it was."""
        headers = {"Accept": _ACCEPT_FEED}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        return await self.fetch(url, headers)

    async def fetch_page(self, url: str) -> Fetched:
        """Ask for a page."""
        return await self.fetch(url, {"Accept": _ACCEPT_PAGE})

    async def fetch(self, url: str, headers: Mapping[str, str]) -> Fetched:
        """Ask for an address, following redirects; never raises for what the other side does.

        Every hop is asked for politely (robots.txt, slots, spacing, pauses) and safely (scheme, address).
        """
        first = Fetched(url=url, outcome=Outcome.BAD_URL, requested_at=self.now())
        seen: list[str] = []
        current, moved_to, is_permanent = url, None, True
        while True:
            fetched = await self._ask_politely(current, headers)
            elapsed_s = (first.elapsed_s or 0.0) + (fetched.elapsed_s or 0.0)
            first = replace(
                first, elapsed_s=elapsed_s, requested_at=fetched.requested_at if not seen else first.requested_at
            )
            seen.append(current)
            told = replace(fetched, url=url, requested_at=first.requested_at, elapsed_s=elapsed_s, moved_to=moved_to)
            if fetched.status not in _REDIRECTS or fetched.outcome is not Outcome.OK:
                return self._count(told)
            target, refusal = follow_redirect(current, fetched.message, seen, self._settings.max_redirects)
            if refusal is not None:
                return self._count(replace(told, outcome=refusal, message=f"to {target[:300]}", body=None))
            is_permanent = is_permanent and fetched.status in (301, 308)
            if is_permanent:
                moved_to = target
            current = target

    def _count(self, fetched: Fetched) -> Fetched:
        self.n_by_outcome[fetched.outcome] += 1
        return fetched

    async def _ask_politely(self, url: str, headers: Mapping[str, str]) -> Fetched:
        refused = Fetched(url=url, outcome=Outcome.BAD_URL, requested_at=self.now())
        try:
            split = urlsplit(url)
            port = split.port or (443 if split.scheme == "https" else 80)
            name = (split.hostname or "").encode("idna").decode("ascii") if split.hostname else ""
        except (ValueError, UnicodeError) as broken:
            return replace(refused, message=str(broken)[:200])
        if split.scheme not in ("http", "https") or not name or len(url) > 4000 or _UNFIT_HOST.search(name):
            return replace(refused, message="no http or https address")
        host = self._host(f"{name}:{port}")
        if (
            robots := await self._check_robots(host, f"{split.scheme}://{split.netloc.rpartition('@')[2]}", url)
        ) is not None:
            return replace(refused, outcome=robots)
        return await self._ask_in_turn(host, url, headers, name, port)

    def _host(self, key: str) -> _Host:
        if key not in self._running:
            state = self.hosts.setdefault(key, HostState(host=key))
            self._running[key] = _Host(asyncio.Semaphore(self._settings.host_concurrency), state)
        return self._running[key]

    async def _ask_in_turn(self, host: _Host, url: str, headers: Mapping[str, str], name: str, port: int) -> Fetched:
        """Wait for a slot of the host and its spacing, then ask, unless the host asked for a pause meanwhile."""
        async with host.slots:
            await self._wait_for_turn(host)
            if (paused := self._find_pause(host, url)) is not None:
                return paused
            async with self._slots:
                fetched = await self._ask(url, headers, name, port)
            if fetched.retry_after_s is not None:
                host.state.paused_until = self.now() + timedelta(seconds=fetched.retry_after_s)
            return fetched

    def _find_pause(self, host: _Host, url: str) -> Fetched | None:
        until = host.state.paused_until
        if until is None or until <= self.now():
            return None
        message = f"the host asked to wait until {until:%Y-%m-%d %H:%M:%S} UTC"
        return Fetched(url=url, outcome=Outcome.HOST_PAUSED, requested_at=self.now(), message=message)

    async def _wait_for_turn(self, host: _Host) -> None:
        spacing = self._settings.host_spacing_s
        if host.rules is not None:
            delay = host.rules.crawl_delay(self._settings.user_agent)
            spacing = max(spacing, min(float(delay or 0), MAX_CRAWL_DELAY_S))
        at = max(time.monotonic(), host.next_at)
        host.next_at = at + spacing
        if (wait := at - time.monotonic()) > 0:
            await asyncio.sleep(wait)

    async def _check_robots(self, host: _Host, origin: str, url: str) -> Outcome | None:
        """Say why robots.txt keeps us from an address; None where it does not. What cannot be had is no permission."""
        async with host.robots_lock:
            state, now = host.state, self.now()
            ttl = ROBOTS_RETRY if state.is_robots_unreachable else ROBOTS_TTL
            if state.robots_at is None or not timedelta() <= now - state.robots_at < ttl:
                await self._fetch_robots(host, origin)
            if state.is_robots_unreachable:
                return host.unreachable
            if host.rules is None or host.rules_of != state.robots:
                host.rules, host.rules_of = Protego.parse(state.robots or ""), state.robots
        return None if host.rules.can_fetch(url, self._settings.user_agent) else Outcome.ROBOTS

    async def _fetch_robots(self, host: _Host, origin: str) -> None:
        url, state = f"{origin}/robots.txt", host.state
        for _ in range(self._settings.max_redirects + 1):
            try:
                split = urlsplit(url)
                name, port = split.hostname or "", split.port or (443 if split.scheme == "https" else 80)
            except ValueError:
                break
            if split.scheme not in ("http", "https"):
                break
            fetched = await self._ask_in_turn(host, url, {"Accept": "text/plain"}, name, port)
            if fetched.status not in _REDIRECTS or fetched.outcome is not Outcome.OK:
                break
            url = urljoin(url, fetched.message)
        state.robots_at = self.now()
        if fetched.outcome is Outcome.OK and fetched.status is not None and fetched.status < 300:
            state.robots = (fetched.body or b"")[:MAX_ROBOTS_BYTES].decode("utf-8", "replace")
            state.is_robots_unreachable = False
        else:
            is_absent = fetched.status is not None and 300 <= fetched.status < 500 and fetched.status != 429
            state.is_robots_unreachable = not is_absent
            host.unreachable = fetched.outcome if fetched.outcome in _UNCONNECTED else Outcome.ROBOTS_UNREACHABLE
            state.robots = "" if is_absent else state.robots
        host.rules = None

    async def _ask(self, url: str, headers: Mapping[str, str], name: str, port: int) -> Fetched:
        """Make one request without following anything; a redirect's target is the message of its answer."""
        asked = Fetched(url=url, outcome=Outcome.BAD_RESPONSE, requested_at=self.now(), final_url=url)
        started = time.monotonic()
        asked_for.set((name, port))
        try:
            async with asyncio.timeout(self._settings.total_timeout_s):
                answered = await self._exchange(asked, headers)
        except BodyRefused as refused:
            answered = replace(asked, outcome=Outcome(refused.outcome), message=str(refused))
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError, RuntimeError) as failure:
            answered = replace(
                asked, outcome=_name_failure(failure), message=f"{type(failure).__name__}: {failure}"[:300]
            )
        return replace(answered, elapsed_s=time.monotonic() - started)

    async def _exchange(self, asked: Fetched, headers: Mapping[str, str]) -> Fetched:
        if self._session is None:
            raise RuntimeError("use the fetcher in an `async with`")
        async with self._session.get(asked.url, headers=headers, allow_redirects=False) as response:
            answered = replace(
                asked,
                status=response.status,
                outcome=_name_status(response.status),
                etag=_header(response, hdrs.ETAG),
                last_modified=_header(response, hdrs.LAST_MODIFIED),
                content_type=_header(response, hdrs.CONTENT_TYPE),
                max_age_s=_max_age(response),
                retry_after_s=self._retry_after(response),
            )
            if response.status in _REDIRECTS:
                return replace(answered, message=_header(response, hdrs.LOCATION) or "")
            if answered.outcome is not Outcome.OK:
                return answered
            decoder = BodyDecoder(response.headers.get(hdrs.CONTENT_ENCODING, ""), self._settings)
            async for block in response.content.iter_any():
                decoder.feed(block)
            return replace(answered, body=decoder.finish(), charset=_charset(response))

    def _retry_after(self, response: aiohttp.ClientResponse) -> float | None:
        """Read for how long a host wants to be left alone, in seconds; a refusal without one costs a minute."""
        if response.status not in (429, 503):
            return None
        stated = (response.headers.get(hdrs.RETRY_AFTER) or "").strip()
        if stated.isdigit() and len(stated) < 10:
            seconds = float(stated)
        else:
            try:
                until = parsedate_to_datetime(stated)
                seconds = ((until if until.tzinfo else until.replace(tzinfo=UTC)) - self.now()).total_seconds()
            except (ValueError, TypeError, IndexError):
                seconds = 60.0
        return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def follow_redirect(current: str, location: str, seen: Sequence[str], max_redirects: int) -> tuple[str, Outcome | None]:
    """Give the address that a redirect leads to, and why it must not be followed, or None."""
    try:
        target = urljoin(current, location.strip()).partition("#")[0]
        scheme = urlsplit(target).scheme
    except ValueError:
        return location, Outcome.BAD_REDIRECT
    if not location or scheme not in ("http", "https"):
        return target, Outcome.BAD_REDIRECT
    if scheme == "http" and urlsplit(current).scheme == "https":
        return target, Outcome.REDIRECT_DOWNGRADE
    if target in seen:
        return target, Outcome.REDIRECT_LOOP
    return target, Outcome.TOO_MANY_REDIRECTS if len(seen) > max_redirects else None


def _name_status(status: int) -> Outcome:
    named = {304: Outcome.NOT_MODIFIED, 404: Outcome.NOT_FOUND, 410: Outcome.GONE, 429: Outcome.RATE_LIMITED}
    if status in named:
        return named[status]
    if status in (401, 402, 403, 451):
        return Outcome.FORBIDDEN
    if 200 <= status < 300 or status in _REDIRECTS:
        return Outcome.OK
    return Outcome.CLIENT_ERROR if status < 500 else Outcome.SERVER_ERROR


def _name_failure(failure: BaseException) -> Outcome:
    if PRIVATE_MARK in f"{failure} {getattr(failure, 'os_error', '')!r}":
        return Outcome.PRIVATE_ADDRESS
    kinds: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Outcome], ...] = (
        (aiohttp.ConnectionTimeoutError, Outcome.CONNECT_TIMEOUT),
        (aiohttp.SocketTimeoutError, Outcome.READ_TIMEOUT),
        (TimeoutError, Outcome.TOTAL_TIMEOUT),
        ((aiohttp.ClientSSLError, ssl.SSLError), Outcome.TLS_FAILED),
        (aiohttp.ClientConnectorDNSError, Outcome.DNS_FAILED),
        (aiohttp.ClientConnectorError, Outcome.CONNECT_FAILED),
        (aiohttp.ClientPayloadError, Outcome.TRUNCATED),
        (aiohttp.InvalidURL, Outcome.BAD_URL),
        (aiohttp.ClientResponseError, Outcome.BAD_RESPONSE),
        (OSError, Outcome.CONNECT_FAILED),
    )
    return next((outcome for kind, outcome in kinds if isinstance(failure, kind)), Outcome.BAD_RESPONSE)


def _header(response: aiohttp.ClientResponse, name: str) -> str | None:
    value = response.headers.get(name)
    return value.encode("utf-8", "replace").decode()[:1000] if value else None


def _charset(response: aiohttp.ClientResponse) -> str | None:
    try:
        return response.charset
    except (ValueError, LookupError):
        return None


def _max_age(response: aiohttp.ClientResponse) -> float | None:
    for directive in response.headers.get(hdrs.CACHE_CONTROL, "").split(","):
        name, _, value = directive.strip().lower().partition("=")
        if name == "max-age" and value.strip('"').isdigit() and len(value) < 10:
            return float(value.strip('"'))
    return None
