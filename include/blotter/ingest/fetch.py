"""One polite, bounded, safe request.

Belongs here: deadlines, caps, redirects, robots.txt, slots and spacing of hosts, and the name of every outcome
(docs/fetching.md). Does not belong here: what is asked for when (`poll`, `schedule`) and what a body says.
"""

import asyncio
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urljoin, urlsplit

import aiohttp
import uvloop
from aiohttp import hdrs
from protego import Protego
from yarl import URL

from blotter.config import FetchSettings
from blotter.ingest.addresses import PRIVATE_MARK, AddressBook, DirectedResolver, asked_for
from blotter.ingest.credentials import HIDDEN, Credential
from blotter.ingest.decoding import BodyDecoder, BodyRefused
from blotter.store.feeds import HostState

ROBOTS_TTL = timedelta(hours=24)
ROBOTS_RETRY = timedelta(hours=1)  # after which an unreachable robots.txt is asked for again
MAX_ROBOTS_BYTES = 500_000
MAX_RETRY_AFTER_S = 86_400.0
MAX_CRAWL_DELAY_S = 60.0
PACE_S = 5.0  # a longer wait for a host's turn is idleness, if nothing else goes on meanwhile
MAX_IDLE_S = 30.0  # in all: then what waits so is left, rather than sleeping in a worker's slot
_REDIRECTS = (301, 302, 303, 307, 308)
_UNFIT_HOST = re.compile(r"[^\w.:-]")
_ACCEPT_FEED = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"
_T = TypeVar("_T")
_ACCEPT_PAGE = "text/html, application/xhtml+xml;q=0.9, */*;q=0.5"


def run_fetching(work: Coroutine[Any, Any, _T]) -> _T:
    """Run work with a Fetcher to its end, on the faster of the event loops that there are."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


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
    LEFT = "left"  # its turn did not come in time; it stays due
    NO_CREDENTIALS = "no_credentials"
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
    free_at: float = 0.0
    robots_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    rules: Protego | None = None  # None: everything is allowed
    rules_of: str | None = None  # the robots.txt that they are
    crawl_delay_s: float = 0.0
    unreachable: Outcome = Outcome.ROBOTS_UNREACHABLE  # why, where the connection itself failed in this run


class Fetcher:
    """Fetches over one pool of connections; use it in an `async with`, from one event loop.

    `now` is the time at which the fetcher starts. `load_host` gives what is known of a host, by `host:port`;
    `take_turn` says how many seconds to wait for a host's turn where other processes ask it too, given its spacing.
    Nothing is begun `deadline_s` seconds after the start.
    """

    def __init__(
        self,
        settings: FetchSettings,
        *,
        now: datetime,
        load_host: Callable[[str], HostState | None] = lambda host: None,
        take_turn: Callable[[str, float], Awaitable[float]] | None = None,
        deadline_s: float = float("inf"),
    ) -> None:
        self._settings = settings
        self._now, self._started = now, time.monotonic()
        self._deadline = self._started + deadline_s
        self._load_host, self._take_turn = load_host, take_turn
        self._changed: dict[str, HostState] = {}
        self._n_active, self._idle_since, self._idled_s = 0, self._started, 0.0
        self._running: dict[str, _Host] = {}
        self._book = AddressBook(settings.resolve, settings.open_hosts)
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._session: aiohttp.ClientSession | None = None

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
                total=self._settings.total_timeout_s,
                sock_connect=self._settings.connect_timeout_s,
                sock_read=self._settings.read_timeout_s,
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

    @property
    def is_over(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() > self._deadline

    def take_changed_hosts(self) -> list[HostState]:
        """Give what was learnt of hosts since it was last asked for."""
        changed, self._changed = list(self._changed.values()), {}
        return changed

    async def fetch_feed(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        credential: Credential | None = None,
    ) -> Fetched:
        """Ask for a feed, only if it has changed where it said before what it was."""
        headers = {"Accept": _ACCEPT_FEED}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        return await self.fetch(url, headers, credential)

    async def fetch_page(self, url: str, *, credential: Credential | None = None) -> Fetched:
        """Ask for a page."""
        return await self.fetch(url, {"Accept": _ACCEPT_PAGE}, credential)

    async def fetch(self, url: str, headers: Mapping[str, str], credential: Credential | None = None) -> Fetched:
        """Ask for an address, following redirects; never raises for what the other side does.

        Every hop is asked for politely (robots.txt, slots, spacing, pauses) and safely (scheme, address). A credential
        is shown to its own hosts only, hop by hop, and stands in nothing of what is given back but the body.
        """
        fetched = await self._follow(url, headers, credential)
        if credential is not None:
            fetched = credential.hide(fetched)
            if fetched.moved_to is not None and HIDDEN in fetched.moved_to:
                fetched = replace(fetched, moved_to=None)
        return fetched

    async def _follow(self, url: str, headers: Mapping[str, str], credential: Credential | None) -> Fetched:
        fetched = await self._ask_politely(url, headers, credential)
        if fetched.status not in _REDIRECTS or fetched.outcome is not Outcome.OK:
            return fetched
        first, seen, elapsed_s = fetched, [url], fetched.elapsed_s or 0.0
        moved_to, is_permanent = None, True
        while True:
            target, refusal = follow_redirect(seen[-1], fetched.message, seen, self._settings.max_redirects)
            if refusal is None:
                is_permanent = is_permanent and fetched.status in (301, 308)
                moved_to = target if is_permanent else moved_to
                seen.append(target)
                fetched = await self._ask_politely(target, headers, credential)
                elapsed_s += fetched.elapsed_s or 0.0
            else:
                fetched = replace(fetched, outcome=refusal, message=f"to {target[:300]}", body=None)
            if refusal is not None or fetched.status not in _REDIRECTS or fetched.outcome is not Outcome.OK:
                return replace(
                    fetched, url=url, requested_at=first.requested_at, elapsed_s=elapsed_s, moved_to=moved_to
                )

    async def _ask_politely(self, url: str, headers: Mapping[str, str], credential: Credential | None) -> Fetched:
        try:
            # By the client's own reading of addresses, so that what is judged is what is asked.
            parsed = URL(url)
            scheme, name, port = parsed.scheme, parsed.raw_host, parsed.port
        except (ValueError, UnicodeError) as broken:
            return self._refuse(url, Outcome.BAD_URL, str(broken)[:200])
        if scheme not in ("http", "https") or not name or not port or len(url) > 4000 or _UNFIT_HOST.search(name):
            return self._refuse(url, Outcome.BAD_URL, "no http or https address")
        host = self._find_host(f"{name}:{port}")
        refusal = await self._check_robots(host, parsed, url)
        if refusal is not None:
            return self._refuse(url, refusal)
        if credential is not None and self._may_see(credential, scheme, name, port):
            headers = {**headers, credential.header: credential.value}
        return await self._ask_in_turn(host, url, headers, name, port)

    def _may_see(self, credential: Credential, scheme: str, name: str, port: int) -> bool:
        """Tell whether a host may be shown a credential: never in the clear, but where the settings open a host."""
        return f"{name}:{port}" in credential.hosts and (scheme == "https" or self._book.is_open(name, port))

    def _refuse(self, url: str, outcome: Outcome, message: str = "") -> Fetched:
        """Say that no request was made."""
        return Fetched(url=url, outcome=outcome, requested_at=self.now(), message=message)

    def _find_host(self, key: str) -> _Host:
        if key not in self._running:
            state = self._load_host(key) or HostState(host=key)
            self._running[key] = _Host(asyncio.Semaphore(self._settings.host_concurrency), state)
        return self._running[key]

    async def _ask_in_turn(self, host: _Host, url: str, headers: Mapping[str, str], name: str, port: int) -> Fetched:
        """Wait for a slot of the host and its spacing, then ask, unless the host asked for a pause meanwhile."""
        async with host.slots:
            if self._take_turn is not None:
                wait_s = await self._take_turn(host.state.host, self._spacing_of(host))
                host.free_at = max(host.free_at, time.monotonic() + wait_s)
            while True:
                if not await self._wait_until(host.free_at):
                    return self._refuse(url, Outcome.LEFT, "its turn did not come in time")
                if (paused := self._find_pause(host, url)) is not None:
                    return paused
                async with self._slots:
                    if (now := time.monotonic()) < host.free_at:
                        continue  # while this one waited for a slot, another began to ask the host
                    host.free_at = now + self._spacing_of(host)
                    self._begin_work()
                    try:
                        fetched = await self._ask(url, headers, name, port)
                    finally:
                        self._end_work()
                if fetched.retry_after_s is not None:
                    host.state.paused_until = self.now() + timedelta(seconds=fetched.retry_after_s)
                    self._note_change(host)
                return fetched

    def _spacing_of(self, host: _Host) -> float:
        return max(self._settings.host_spacing_s, host.crawl_delay_s)

    def _note_change(self, host: _Host) -> None:
        self._changed[host.state.host] = replace(host.state)

    def _find_pause(self, host: _Host, url: str) -> Fetched | None:
        until = host.state.paused_until
        if until is None or until <= self.now():
            return None
        message = f"the host asked to wait until {until:%Y-%m-%d %H:%M:%S} UTC"
        return Fetched(url=url, outcome=Outcome.HOST_PAUSED, requested_at=self.now(), message=message)

    async def _wait_until(self, at: float) -> bool:
        """Wait until a moment (of the monotonic clock); False where that is too far away to sleep for."""
        if self.is_over:
            return False
        while (wait_s := at - time.monotonic()) > PACE_S:
            if at > self._deadline or self._idled_s + self._idle_now_s() > MAX_IDLE_S:
                return False
            await asyncio.sleep(min(wait_s - PACE_S, 0.5))
        if wait_s > 0:
            self._begin_work()
            try:
                await asyncio.sleep(wait_s)
            finally:
                self._end_work()
        return True

    def _begin_work(self) -> None:
        if self._n_active == 0:
            self._idled_s += self._idle_now_s()
        self._n_active += 1

    def _end_work(self) -> None:
        self._n_active -= 1
        self._idle_since = time.monotonic()

    def _idle_now_s(self) -> float:
        return 0.0 if self._n_active else time.monotonic() - self._idle_since

    async def _check_robots(self, host: _Host, parsed: URL, url: str) -> Outcome | None:
        """Say why robots.txt keeps us from an address; None where it does not. What cannot be had is no permission."""
        if not self._is_robots_known(host):
            async with host.robots_lock:
                if not self._is_robots_known(host) and (unasked := await self._fetch_robots(host, parsed)):
                    return unasked
        if host.state.is_robots_unreachable:
            return host.unreachable
        if host.rules_of is None or host.rules_of != host.state.robots:
            self._read_rules(host)
        is_allowed = host.rules is None or host.rules.can_fetch(url, self._settings.user_agent)
        return None if is_allowed else Outcome.ROBOTS

    def _is_robots_known(self, host: _Host) -> bool:
        ttl = ROBOTS_RETRY if host.state.is_robots_unreachable else ROBOTS_TTL
        return host.state.robots_at is not None and timedelta() <= self.now() - host.state.robots_at < ttl

    def _read_rules(self, host: _Host) -> None:
        """Read a host's robots.txt; an empty one is the common case, and costs nothing."""
        host.rules_of = host.state.robots or ""
        host.rules = Protego.parse(host.rules_of) if host.rules_of.strip() else None
        delay_s = host.rules.crawl_delay(self._settings.user_agent) if host.rules is not None else None
        host.crawl_delay_s = min(float(delay_s or 0), MAX_CRAWL_DELAY_S)

    async def _fetch_robots(self, host: _Host, parsed: URL) -> Outcome | None:
        """Ask for robots.txt and note what it says; gives why it was not asked for, where it was not."""
        state, seen, started = host.state, [str(parsed.origin() / "robots.txt")], time.monotonic()
        while True:
            try:
                asked = URL(seen[-1])
            except ValueError:  # where a redirect leads; as good as no robots.txt
                break
            name, port = asked.raw_host or "", asked.port or 0
            fetched = await self._ask_in_turn(host, seen[-1], {"Accept": "text/plain"}, name, port)
            if fetched.status not in _REDIRECTS or fetched.outcome is not Outcome.OK:
                break
            target, refusal = follow_redirect(seen[-1], fetched.message, seen, self._settings.max_redirects)
            if refusal is not None:
                break
            seen.append(target)
        if fetched.outcome in (Outcome.LEFT, Outcome.HOST_PAUSED):
            return fetched.outcome
        state.robots_at = self.now()
        if fetched.outcome is Outcome.OK and fetched.status is not None and fetched.status < 300:
            state.robots = (fetched.body or b"")[:MAX_ROBOTS_BYTES].decode("utf-8", "replace")
            state.is_robots_unreachable = False
        else:
            is_absent = fetched.status is not None and 300 <= fetched.status < 500 and fetched.status != 429
            state.is_robots_unreachable = not is_absent
            host.unreachable = fetched.outcome if fetched.outcome in _UNCONNECTED else Outcome.ROBOTS_UNREACHABLE
            state.robots = "" if is_absent else state.robots
        self._read_rules(host)
        host.free_at = max(host.free_at, started + host.crawl_delay_s)
        self._note_change(host)
        return None

    async def _ask(self, url: str, headers: Mapping[str, str], name: str, port: int) -> Fetched:
        """Make one request without following anything; a redirect's target is the message of its answer."""
        answer, started = partial(Fetched, url=url, final_url=url, requested_at=self.now()), time.monotonic()
        asked_for.set((name, port))
        try:
            return await self._exchange(url, headers, answer, started)
        except BodyRefused as refused:
            outcome, message = Outcome(refused.outcome), str(refused)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError, RuntimeError) as failure:
            outcome, message = _name_failure(failure), f"{type(failure).__name__}: {failure}"[:300]
        return answer(outcome=outcome, message=message, elapsed_s=time.monotonic() - started)

    async def _exchange(
        self, url: str, headers: Mapping[str, str], answer: Callable[..., Fetched], started: float
    ) -> Fetched:
        if self._session is None:
            raise RuntimeError("use the fetcher in an `async with`")
        async with self._session.get(url, headers=headers, allow_redirects=False) as response:
            status, outcome, told = response.status, _name_status(response.status), response.headers
            message, body, charset = "", None, None
            if status in _REDIRECTS:
                message = _read_header(told, hdrs.LOCATION) or ""
            elif outcome is Outcome.OK:
                decoder = BodyDecoder(told.get(hdrs.CONTENT_ENCODING, ""), self._settings)
                async for block in response.content.iter_any():
                    decoder.feed(block)
                body, charset = decoder.finish(), _charset(response)
            # Built once: a request costs little more than this, and there are many.
            return answer(
                outcome=outcome,
                message=message,
                elapsed_s=time.monotonic() - started,
                status=status,
                etag=_read_header(told, hdrs.ETAG),
                last_modified=_read_header(told, hdrs.LAST_MODIFIED),
                content_type=_read_header(told, hdrs.CONTENT_TYPE),
                max_age_s=_max_age(told),
                retry_after_s=self._retry_after(response),
                body=body,
                charset=charset,
            )

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


_NAMED_STATUSES = {
    304: Outcome.NOT_MODIFIED, 404: Outcome.NOT_FOUND, 410: Outcome.GONE, 429: Outcome.RATE_LIMITED,
    401: Outcome.FORBIDDEN, 402: Outcome.FORBIDDEN, 403: Outcome.FORBIDDEN, 451: Outcome.FORBIDDEN,
}  # fmt: skip


def _name_status(status: int) -> Outcome:
    if status in _NAMED_STATUSES:
        return _NAMED_STATUSES[status]
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


def _read_header(headers: Mapping[str, str], name: str) -> str | None:
    value = headers.get(name)
    if not value:
        return None
    return (value if value.isascii() else value.encode("utf-8", "replace").decode())[:1000]


def _charset(response: aiohttp.ClientResponse) -> str | None:
    try:
        return response.charset
    except (ValueError, LookupError):
        return None


def _max_age(headers: Mapping[str, str]) -> float | None:
    for directive in headers.get(hdrs.CACHE_CONTROL, "").split(","):
        name, _, value = directive.strip().lower().partition("=")
        if name == "max-age" and value.strip('"').isdigit() and len(value) < 10:
            return float(value.strip('"'))
    return None
