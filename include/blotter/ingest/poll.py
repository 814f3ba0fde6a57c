"""Polling: the feeds that are due, their new entries, and the pages of these.

Belongs here: the order of the work and what an entry and its page become. Does not belong here: requests (`fetch`),
intervals (`schedule`), remembering (`blotter.store.feeds`), keeping bytes (`blotter.steps`).

A poll hands over its results in parts. A part's arrivals are registered first; only then is it committed, which
remembers its entries and, with the last part of a feed, the cursor. Whatever dies in between, an entry that was not
committed is found again under the same input id: none is lost and none is doubled.
"""

import asyncio
import queue
import threading
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from blotter.clean.dates import Moment, is_possible, latest_possible
from blotter.clean.urls import canonicalize_url, is_home_page, site_of
from blotter.config import FetchSettings
from blotter.errors import Reason, SettingsError
from blotter.ids import make_id, sha256_hex
from blotter.ingest.credentials import Credential, FindSecret, find_credential
from blotter.ingest.feeds import FeedEntry, ParsedFeed, identify_entries, parse_feed, stamp_entry
from blotter.ingest.fetch import Fetched, Fetcher, Outcome, run_fetching
from blotter.ingest.schedule import (
    advance_cursor,
    choose_address,
    is_conditional,
    is_due,
    judge_feed,
    plan_visit,
    start_cursor,
)
from blotter.model import Arrival, Document, Rejection, make_input_id
from blotter.sources import Source
from blotter.store.feeds import FeedCursor, FeedMemory, FollowedPage, SeenEntry

Row: TypeAlias = dict[str, Any]

MAX_PARTS = 64  # tasks of one run
PART_ENTRIES = 20  # entries in a part: what a crash can cost to fetch again
MAX_NEW_ENTRIES = 1_000  # of one feed in one poll; the rest stays due
MAX_VISITS = 5  # fetches of one entry's page because the feed says that it changed
MAX_TRIES = 3  # polls after which a page that cannot be had is given up
_QUEUED_PARTS = 8

_REFUSALS: Mapping[Outcome, Reason] = {
    Outcome.NOT_FOUND: Reason.GONE,
    Outcome.GONE: Reason.GONE,
    Outcome.FORBIDDEN: Reason.BOT_CHALLENGE,
    Outcome.ROBOTS: Reason.ROBOTS,
}
# Trying again later can help; the rest is settled at once.
_PASSING = frozenset(
    {
        Outcome.RATE_LIMITED, Outcome.SERVER_ERROR, Outcome.ROBOTS_UNREACHABLE,
        Outcome.DNS_FAILED, Outcome.CONNECT_FAILED, Outcome.CONNECT_TIMEOUT, Outcome.TLS_FAILED, Outcome.READ_TIMEOUT,
        Outcome.TOTAL_TIMEOUT, Outcome.TRUNCATED, Outcome.BAD_RESPONSE,
    }
)  # fmt: skip
_UNASKED = (Outcome.LEFT, Outcome.HOST_PAUSED)  # no try: it was never asked for
_FAILURES: Mapping[Outcome, Reason] = {
    Outcome.TOO_LARGE: Reason.TOO_LARGE,
    Outcome.BOMB: Reason.TOO_LARGE,
    Outcome.TOTAL_TIMEOUT: Reason.TOO_SLOW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolledFeed:
    """A part of what a poll of one feed brought: register `arrivals`, keep `fetch_rows`, then `commit`."""

    source_id: str
    url: str
    outcome: str
    arrivals: tuple[Arrival | Rejection, ...]
    fetch_rows: tuple[Row, ...]  # rows of the table `fetches`
    is_last: bool  # the feed's last part: commit moves its cursor
    warning: str | None = None  # what an operator should know of the feed
    commit: Callable[[], None] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Part:
    """One of `of` parts of all sites, the `number`-th from 0: a site is never divided, so nor is its politeness."""

    number: int = 0
    of: int = 1

    def holds(self, url: str) -> bool:
        """Whether an address's site is in this part."""
        return self.of == 1 or int(sha256_hex(site_of(url) or url)[:8], 16) % self.of == self.number


WHOLE = Part()


def poll_feeds(
    sources: Mapping[str, Source],
    *,
    memory: FeedMemory,
    settings: FetchSettings,
    now: datetime,
    is_forced: bool = False,
    part: Part = WHOLE,
    faults: Mapping[str, str] | None = None,
    find_secret: FindSecret | None = None,
) -> Iterator[PolledFeed]:
    """Ask the feeds that are due (all, where forced) and yield what they bring, feed by feed, in parts.

    `faults` by source id are told with its feeds (`blotter.ingest.health`); `find_secret` looks up credentials.
    Fetching goes on in a thread of its own while the caller registers; it waits when the caller is slow, and stops when
    the caller does. What is not begun by the deadline stays due. Raises nothing for what the other side does: that is
    rows and rejections. A defect of ours on one feed lets the others go on, and is raised at the end, in an
    ExceptionGroup.
    """
    planned = plan_feeds(sources, memory.load_cursors(sources), now=now, is_forced=is_forced, part=part)
    pages = [page for page in memory.due_pages(now) if page.source_id in sources and part.holds(page.url)]
    if not planned and not pages:
        return
    asked = {source.id: source for source, _ in planned} | {page.source_id: sources[page.source_id] for page in pages}
    credentials = _find_credentials(asked.values(), find_secret)
    poll = _Poll(memory, settings, now, credentials, faults or {}, is_shared=part.of > 1)
    thread = threading.Thread(target=poll.run, args=(planned, pages), name="blotter-poll", daemon=True)
    thread.start()
    try:
        while (brought := poll.parts.get()) is not None:
            yield brought
    finally:
        poll.stop()
        thread.join()
    if poll.failure is not None:
        raise poll.failure


def plan_feeds(
    sources: Mapping[str, Source],
    cursors: Mapping[str, FeedCursor],
    *,
    now: datetime,
    is_forced: bool = False,
    part: Part = WHOLE,
) -> list[tuple[Source, FeedCursor]]:
    """List the feeds to ask, longest due first, and hosts in turn, so that no host holds up the others."""
    by_host: dict[str, list[tuple[Source, FeedCursor]]] = defaultdict(list)
    for source in sources.values():
        for feed in source.feeds if source.enabled else ():
            cursor = cursors.get(feed.url) or start_cursor(source.id, feed)
            is_wanted = is_due(cursor, now) or (is_forced and cursor.paused_reason is None)
            if feed.enabled and is_wanted and part.holds(choose_address(cursor)):
                by_host[_host_of(cursor)].append((source, replace(cursor, source_id=source.id)))
    for waiting in by_host.values():
        waiting.sort(key=lambda pair: (pair[1].next_due_at is not None, pair[1].next_due_at or now, pair[1].url))
    turns = [(number, waiting) for queue_ in by_host.values() for number, waiting in enumerate(queue_)]
    turns.sort(key=lambda turn: turn[0])
    return [waiting for _, waiting in turns]


def divide_feeds(
    planned: Sequence[tuple[Source, FeedCursor]], pages: Sequence[FollowedPage] = (), *, feeds_per_task: int
) -> list[Part]:
    """Divide planned feeds, and followed pages with them, into parts of about so many feeds; no part holds nothing."""
    n_parts = max(1, min(MAX_PARTS, -(-len(planned) // feeds_per_task)))
    addresses = [choose_address(cursor) for _, cursor in planned] + [page.url for page in pages]
    return [part for part in (Part(number, n_parts) for number in range(n_parts)) if any(map(part.holds, addresses))]


def _host_of(cursor: FeedCursor) -> str:
    return urlsplit(choose_address(cursor)).netloc


class _Turns:
    """The planned feeds, handed out host by host in turn, few of one host at a time."""

    def __init__(self, planned: Sequence[tuple[Source, FeedCursor]], of_host: int) -> None:
        self._of_host = of_host
        self._waiting: dict[str, deque[tuple[Source, FeedCursor]]] = defaultdict(deque)
        for source, cursor in planned:
            self._waiting[_host_of(cursor)].append((source, cursor))
        self._free = OrderedDict.fromkeys(self._waiting)  # hosts that may begin another
        self._n_begun: Counter[str] = Counter()
        self._moved = asyncio.Condition()

    async def take(self) -> tuple[Source, FeedCursor] | None:
        """Give the next feed, waiting where each host that has one is busy; None where there is no more."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._free or not self._waiting)
            if not self._free:
                return None
            host, _ = self._free.popitem(last=False)
            taken = self._waiting[host].popleft()
            self._n_begun[host] += 1
            self._offer(host)
            if not self._waiting:
                self._moved.notify_all()
            return taken

    async def give_back(self, cursor: FeedCursor) -> None:
        """Say that a feed is done with."""
        async with self._moved:
            host = _host_of(cursor)
            self._n_begun[host] -= 1
            self._offer(host)
            self._moved.notify_all()

    def _offer(self, host: str) -> None:
        if not self._waiting.get(host):
            self._waiting.pop(host, None)
        elif self._n_begun[host] < self._of_host:
            self._free.setdefault(host)


def _find_credentials(sources: Iterable[Source], find_secret: FindSecret | None) -> dict[str, Credential | str]:
    """Look up what sources are to be shown, by source id; a message where it cannot be had, which fails that source."""
    found: dict[str, Credential | str] = {}
    for source in sources:
        try:
            if (credential := find_credential(source, find_secret)) is not None:
                found[source.id] = credential
        except SettingsError as missing:
            found[source.id] = str(missing)
    return found


@dataclass(slots=True)
class _Asked:
    """One entry to be had: what is known of it, and what came of it."""

    entry: FeedEntry
    keys: tuple[str, ...]
    stamp: str
    known: SeenEntry | None
    fetched: Fetched | None = None

    @property
    def n_visits(self) -> int:
        return self.known.n_visits + 1 if self.known is not None and self.known.is_done else 1

    @property
    def n_tries(self) -> int:
        return self.known.n_tries + 1 if self.known is not None and not self.known.is_done else 1

    def mark(self, source_id: str, now: datetime, *, is_done: bool) -> list[SeenEntry]:
        """The keys to remember."""
        return [
            SeenEntry(
                source_id=source_id,
                entry_key=key,
                stamp=self.stamp,
                seen_at=now,
                n_visits=self.n_visits,
                n_tries=0 if is_done else self.n_tries,
                is_done=is_done,
            )
            for key in self.keys
        ]


class _Poll:
    """One run of the poller, on an event loop in a thread of its own."""

    def __init__(
        self,
        memory: FeedMemory,
        settings: FetchSettings,
        now: datetime,
        credentials: Mapping[str, Credential | str],
        faults: Mapping[str, str],
        *,
        is_shared: bool,
    ) -> None:
        self._memory, self._settings, self._now = memory, settings, now
        self._credentials, self._faults = credentials, faults
        self._stopped = threading.Event()
        self._fetcher = Fetcher(
            settings,
            now=now,
            load_host=memory.load_host,
            take_turn=self._take_turn if is_shared else None,
            deadline_s=settings.deadline_s,
        )
        self.parts: queue.Queue[PolledFeed | None] = queue.Queue(maxsize=_QUEUED_PARTS)
        self.failure: BaseException | None = None
        self._defects: list[Exception] = []
        self._had: dict[tuple[str, str], Fetched | None] = {}  # due pages by source and address, and what entries had

    def run(self, planned: Sequence[tuple[Source, FeedCursor]], pages: Sequence[FollowedPage]) -> None:
        """Fetch everything; ends early where stopped. What goes wrong here is a defect, and raised by the caller."""
        try:
            run_fetching(self._fetch_all(planned, pages))
        except BaseException as failure:  # noqa: BLE001 - carried over to the caller's thread
            self.failure = failure
        finally:
            self._put(None)

    def stop(self) -> None:
        """Begin nothing more and let go of what is waiting."""
        self._stopped.set()
        while True:
            try:
                self.parts.get_nowait()
            except queue.Empty:
                return

    async def _take_turn(self, host: str, spacing_s: float) -> float:
        return await asyncio.to_thread(self._memory.take_turn, host, self._fetcher.now(), spacing_s)

    async def _fetch_all(self, planned: Sequence[tuple[Source, FeedCursor]], pages: Sequence[FollowedPage]) -> None:
        async with self._fetcher:
            self._had = dict.fromkeys((page.source_id, page.url) for page in pages)
            turns = _Turns(planned, self._settings.host_concurrency)
            await asyncio.gather(*(self._work(turns) for _ in range(min(len(planned), self._settings.concurrency))))
            # After the feeds: what a feed says of a page rides along with it, and must not depend on which came first.
            await self._visit_pages(pages)
        if self._defects:
            raise ExceptionGroup(f"polling {len(self._defects)} feeds failed", self._defects)

    async def _work(self, turns: _Turns) -> None:
        while not self._is_over() and (taken := await turns.take()) is not None:
            source, cursor = taken
            try:
                await self._poll_feed(source, cursor)
            except Exception as defect:  # noqa: BLE001 - of ours: the other feeds go on, then the poll fails with it
                defect.add_note(f"while polling {cursor.url} of {source.id}")
                self._defects.append(defect)
            await turns.give_back(cursor)

    def _is_over(self) -> bool:
        return self._stopped.is_set() or self._fetcher.is_over

    async def _poll_feed(self, source: Source, cursor: FeedCursor) -> None:
        fetched = await self._fetch_feed(source, cursor)
        if fetched.outcome is Outcome.LEFT:
            return  # nothing was asked: the feed stays due as it is
        row = _fetch_row(source.id, fetched)
        if fetched.outcome is not Outcome.OK or fetched.body is None:
            moved = advance_cursor(cursor, fetched, now=self._now, n_new=0)
            await self._hand_over(source, moved, fetched, row, warning=self._warn(source, fetched, moved))
            return
        parsed = await asyncio.to_thread(parse_feed, fetched.body, fetched.final_url, fetched.content_type)
        if parsed.reason is not None:
            row["outcome"] = f"unreadable_{parsed.reason}"
        await self._take_entries(source, cursor, fetched, parsed, row)

    async def _fetch_feed(self, source: Source, cursor: FeedCursor) -> Fetched:
        url, credential = choose_address(cursor), self._credentials.get(source.id)
        if isinstance(credential, str):
            now = self._fetcher.now()
            return Fetched(url=url, outcome=Outcome.NO_CREDENTIALS, requested_at=now, message=credential)
        asks_for_changes = is_conditional(cursor, self._now)
        return await self._fetcher.fetch_feed(
            url,
            etag=cursor.etag if asks_for_changes else None,
            last_modified=cursor.last_modified if asks_for_changes else None,
            credential=credential,
        )

    async def _take_entries(
        self, source: Source, cursor: FeedCursor, fetched: Fetched, parsed: ParsedFeed, row: Row
    ) -> None:
        """Have the feed's new entries, a part after the other; its own request is told with the last."""
        wanted, marks = await asyncio.to_thread(self._find_wanted, source, parsed.entries)
        chosen, n_unasked, n_failed = wanted[:MAX_NEW_ENTRIES], max(0, len(wanted) - MAX_NEW_ENTRIES), 0
        arrivals: list[Arrival | Rejection] = []
        rows: list[Row] = []
        for start in range(0, len(chosen), PART_ENTRIES):
            if self._is_over():
                n_unasked += len(chosen) - start
                break
            if start:
                await self._hand_over(source, cursor, fetched, *rows, arrivals=arrivals, marks=marks, is_last=False)
                marks, arrivals, rows = [], [], []
            part = chosen[start : start + PART_ENTRIES]
            await asyncio.gather(*(self._fetch_entry(source, asked) for asked in part))
            for asked in part:
                if asked.fetched is not None and asked.fetched.outcome in _UNASKED:
                    n_unasked += 1
                    continue
                if asked.fetched is not None:
                    rows.append(_fetch_row(source.id, asked.fetched, is_body_kept=True))
                arrived = _make_arrival(source, cursor.url, asked, self._now)
                n_failed += arrived is None
                marks += asked.mark(source.id, self._now, is_done=arrived is not None)
                arrivals += [arrived] if arrived is not None else []
        if parsed.reason is not None:
            unread = replace(fetched, outcome=Outcome.BAD_RESPONSE)
            moved = replace(advance_cursor(cursor, unread, now=self._now, n_new=0), last_outcome=row["outcome"])
        else:
            moved = advance_cursor(
                cursor,
                fetched,
                now=self._now,
                n_new=len(wanted),
                n_entries=len(parsed.entries),
                is_whole=not n_unasked + n_failed,
                is_urgent=n_unasked > 0,
                ttl_s=parsed.ttl_s,
            )
        left = f"{n_unasked + n_failed} entries are left for the next poll" if n_unasked + n_failed else None
        unread_because = f"{parsed.reason}: {parsed.message}" if parsed.reason is not None else None
        warning = unread_because or self._judge(source, moved) or left
        await self._hand_over(source, moved, fetched, row, *rows, arrivals=arrivals, marks=marks, warning=warning)

    def _find_wanted(self, source: Source, entries: Sequence[FeedEntry]) -> tuple[list[_Asked], list[SeenEntry]]:
        """Find the entries to be had, and further keys of those that were had, oldest first."""
        identified = identify_entries(entries)
        known = self._memory.find_entries(source.id, (key for keys in identified for key in keys))
        wanted, renamed = [], []
        for entry, keys in zip(reversed(entries), reversed(identified), strict=True):
            seen = next((known[key] for key in keys if key in known), None)
            asked = _Asked(entry, keys, stamp_entry(entry), seen)
            if seen is None or not seen.is_done or (seen.stamp != asked.stamp and seen.n_visits < MAX_VISITS):
                wanted.append(asked)
            elif any(key not in known for key in keys):
                renamed += [replace(seen, entry_key=key) for key in keys]
        return wanted, renamed

    async def _fetch_entry(self, source: Source, asked: _Asked) -> None:
        if source.fetch_pages and asked.entry.url is not None:
            asked.fetched = await self._fetch_page(source.id, asked.entry.url)
            if (source.id, asked.entry.url) in self._had and asked.fetched.outcome not in _UNASKED:
                self._had[source.id, asked.entry.url] = asked.fetched

    async def _fetch_page(self, source_id: str, url: str) -> Fetched:
        credential = self._credentials.get(source_id)
        return await self._fetcher.fetch_page(
            url, credential=credential if isinstance(credential, Credential) else None
        )

    async def _visit_pages(self, pages: Sequence[FollowedPage]) -> None:
        """Ask for followed pages again; one that reads the same is remembered, one that changed arrives.

        A page that a feed has just led to is not asked for twice: what it says arrived with its entry.
        """
        for page in pages:
            if (had := self._had[page.source_id, page.url]) is not None:
                await self._hand_over_page(page, had, is_new=False)
        unasked = [page for page in pages if self._had[page.source_id, page.url] is None]
        for start in range(0, len(unasked), PART_ENTRIES):
            if self._is_over():
                return
            part = unasked[start : start + PART_ENTRIES]
            answers = await asyncio.gather(*(self._fetch_page(page.source_id, page.url) for page in part))
            for page, fetched in zip(part, answers, strict=True):
                if fetched.outcome not in _UNASKED:
                    await self._hand_over_page(page, fetched)

    async def _hand_over_page(self, page: FollowedPage, fetched: Fetched, *, is_new: bool = True) -> None:
        body_sha256 = sha256_hex(fetched.body) if fetched.body is not None else page.body_sha256
        is_changed = fetched.outcome is Outcome.OK and bool(fetched.body) and body_sha256 != page.body_sha256
        due_at = plan_visit(page, self._now)
        is_gone = fetched.outcome in (Outcome.GONE, Outcome.NOT_FOUND)
        arrivals = (_make_revisit(page, fetched, self._now),) if is_changed and is_new else ()
        visited = replace(page, n_visits=page.n_visits + 1, next_due_at=due_at or self._now, body_sha256=body_sha256)

        def commit() -> None:
            if due_at is None or is_gone:
                self._memory.unfollow_pages([page.url])
            else:
                self._memory.commit_poll(pages=[visited])

        rows = (_fetch_row(page.source_id, fetched, is_body_kept=is_changed),) if is_new else ()
        await self._put_part(
            PolledFeed(
                source_id=page.source_id,
                url=page.url,
                outcome=fetched.outcome,
                arrivals=arrivals,
                fetch_rows=rows,
                is_last=False,
                commit=commit,
            )
        )

    async def _hand_over(
        self,
        source: Source,
        cursor: FeedCursor,
        fetched: Fetched,
        *rows: Row,
        arrivals: Iterable[Arrival | Rejection] = (),
        marks: Sequence[SeenEntry] = (),
        is_last: bool = True,
        warning: str | None = None,
    ) -> None:
        """Hand over a part of what a feed brought; with the last, `cursor` is where we stand now, and `rows` begin with
        the request for the feed itself.
        """
        hosts = self._fetcher.take_changed_hosts()
        if is_last:
            rows[0]["warning"] = warning
        await self._put_part(
            PolledFeed(
                source_id=source.id,
                url=cursor.url,
                outcome=fetched.outcome,
                arrivals=tuple(arrivals),
                fetch_rows=tuple(rows),
                is_last=is_last,
                warning=warning,
                commit=lambda: self._memory.commit_poll(entries=marks, cursor=cursor if is_last else None, hosts=hosts),
            )
        )

    def _warn(self, source: Source, fetched: Fetched, cursor: FeedCursor) -> str | None:
        if cursor.paused_reason is None and not fetched.outcome.is_answer:
            return f"{fetched.outcome} for the {cursor.n_failures}. time: {fetched.message}".strip()
        return self._judge(source, cursor)

    def _judge(self, source: Source, cursor: FeedCursor) -> str | None:
        return judge_feed(cursor, self._now) or self._faults.get(source.id)

    async def _put_part(self, part: PolledFeed) -> None:
        await asyncio.to_thread(self._put, part)

    def _put(self, part: PolledFeed | None) -> None:
        while not self._stopped.is_set():
            try:
                return self.parts.put(part, timeout=0.2)
            except queue.Full:
                continue
        return None


def _make_arrival(source: Source, feed_url: str, asked: _Asked, now: datetime) -> Arrival | Rejection | None:
    """Turn an entry and what came of its page into an input; None where it is to be tried again."""
    fetched = asked.fetched
    if fetched is None:
        return _arrive_partial(source, feed_url, asked, now, Reason.EMPTY, "the entry has no page and no content")
    if fetched.outcome is Outcome.OK and fetched.body:
        media = _media(fetched)
        if media is None:
            message = f"the page is {(fetched.content_type or 'of no declared type')[:100]}, no HTML"
            return _arrive_partial(source, feed_url, asked, now, Reason.UNSUPPORTED, message)
        if _is_sent_home(fetched):
            return _arrive_partial(source, feed_url, asked, now, Reason.GONE, "the page leads to the home page")
        return _arrive(source, feed_url, asked, now, fetched.body, media, fetched)
    if fetched.outcome in _PASSING and asked.n_tries < MAX_TRIES:
        return None
    reason = _REFUSALS.get(fetched.outcome) or _FAILURES.get(fetched.outcome) or Reason.FETCH_FAILED
    message = f"{fetched.outcome}{f' (HTTP {fetched.status})' if fetched.status else ''} {fetched.message}".strip()
    return _arrive_partial(source, feed_url, asked, now, reason, message)


def refetch_page(
    source: Source, url: str, *, settings: FetchSettings, now: datetime, find_secret: FindSecret | None = None
) -> tuple[Arrival | Rejection, Row]:
    """Ask once more for the page of an entry that was given up: what came of it, and the row of `fetches`.

    What the feed said beside the page is not known any more. Raises SettingsError where the source's credential is not
    to be found.
    """

    async def fetch() -> Fetched:
        async with Fetcher(settings, now=now) as fetcher:
            return await fetcher.fetch_page(url, credential=find_credential(source, find_secret))

    entry = FeedEntry(
        guid=None, url=url, title=None, author=None, published=None, updated=None, content=None, summary=None,
        media="html",
    )  # fmt: skip
    # Tried as often as it ever is, so that there is an answer, whatever it is.
    tried = SeenEntry(source_id=source.id, entry_key=url, stamp="", seen_at=now, n_tries=MAX_TRIES, is_done=False)
    asked = _Asked(entry=entry, keys=(url,), stamp="", known=tried, fetched=asyncio.run(fetch()))
    arrived = _make_arrival(source, url, asked, now)
    assert arrived is not None and asked.fetched is not None  # noqa: S101
    return arrived, _fetch_row(source.id, asked.fetched, is_body_kept=isinstance(arrived, Arrival))


def _arrive_partial(
    source: Source, feed_url: str, asked: _Asked, now: datetime, reason: Reason, message: str
) -> Arrival | Rejection:
    """Take the feed's own content where the page cannot be had, and reject the entry where it has none.

    Not where the page was asked for before: what was had then may be the whole story, and a piece must not replace it.
    """
    content = asked.entry.content or asked.entry.summary
    if content and (asked.n_visits == 1 or asked.fetched is None):
        return _arrive(source, feed_url, asked, now, content.encode("utf-8", "replace"), asked.entry.media, None)
    return Rejection(
        input_id=_input_id(source, feed_url, asked),
        kind="entry",
        source_id=source.id,
        location=_location(feed_url, asked.entry),
        stage="ingest",
        reason=reason,
        message=message,
        received_at=now,
        is_refused=reason in _REFUSALS.values(),
        retryable=reason is Reason.FETCH_FAILED,
    )


def _arrive(
    source: Source, feed_url: str, asked: _Asked, now: datetime, payload: bytes, media: str, fetched: Fetched | None
) -> Arrival:
    entry = asked.entry
    published = _believe(entry.published, now) or (_believe(entry.updated, now) if fetched is None else None)
    document = Document(
        input_id=_input_id(source, feed_url, asked),
        kind="entry",
        source_id=source.id,
        location=_location(feed_url, entry),
        payload_sha256=sha256_hex(payload),
        media=media,
        received_at=now,
        url=_page_url(entry, fetched),
        title=entry.title,
        author=entry.author,
        published_at=published.at if published else None,
        published_precision=published.precision if published else None,
        published_basis="feed" if published else None,
        charset=fetched.charset if fetched is not None else "utf-8",
        fetched_at=fetched.requested_at if fetched is not None else now,
        is_partial=fetched is None,
    )
    return Arrival(document=document, payload=payload)


def _make_revisit(page: FollowedPage, fetched: Fetched, now: datetime) -> Arrival:
    payload = fetched.body or b""
    document = Document(
        input_id=make_input_id(f"visit {page.n_visits + 1}", page.source_id, page.url, None),
        kind="entry",
        source_id=page.source_id,
        location=page.url,
        payload_sha256=sha256_hex(payload),
        media=_media(fetched) or "html",
        received_at=now,
        url=page.url,
        charset=fetched.charset,
        fetched_at=fetched.requested_at,
    )
    return Arrival(document=document, payload=payload)


def _input_id(source: Source, feed_url: str, asked: _Asked) -> str:
    # Not from the bytes: a page that is asked for again after a crash may differ, and is the same input all the same.
    return make_input_id(f"{asked.keys[0]} {asked.n_visits}", source.id, feed_url, None)


def _location(feed_url: str, entry: FeedEntry) -> str:
    return entry.url or f"{feed_url}#{entry.guid or entry.title or ''}"


def _page_url(entry: FeedEntry, fetched: Fetched | None) -> str | None:
    """The page's address: where its request ended, if that is another page than the feed named (a redirector's)."""
    ended = fetched.final_url if fetched is not None else None
    if ended is None or entry.url is None or canonicalize_url(ended) == canonicalize_url(entry.url):
        return entry.url
    return ended


def _is_sent_home(fetched: Fetched) -> bool:
    return bool(fetched.final_url) and is_home_page(fetched.final_url or "") and not is_home_page(fetched.url)


def _media(fetched: Fetched) -> str | None:
    kind = (fetched.content_type or "text/html").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml", "application/xml", "text/xml"):
        return "html"
    return "text" if kind == "text/plain" else None


def _believe(moment: Moment | None, now: datetime) -> Moment | None:
    return moment if moment is not None and is_possible(moment.at, by=latest_possible(now)) else None


def _fetch_row(source_id: str, fetched: Fetched, *, is_body_kept: bool = False) -> Row:
    return {
        "fetch_id": make_id("fch", source_id, fetched.url, fetched.requested_at),
        "source_id": source_id,
        "url": fetched.url,
        "final_url": fetched.final_url,
        "requested_at": fetched.requested_at,
        "status": fetched.status,
        "outcome": str(fetched.outcome),
        "etag": fetched.etag,
        "last_modified": fetched.last_modified,
        "body_sha256": sha256_hex(fetched.body) if is_body_kept and fetched.body else None,
        "elapsed_s": fetched.elapsed_s,
        "warning": None,
    }
