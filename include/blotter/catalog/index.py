"""The catalog's file: what it holds, how it is asked, and how rows are put in.

Belongs here: SQLite statements. Does not belong here: reading the tables (`learn`), and any wording.

An incident has one row, numbered anew whenever it changes, so that the highest number changed last and the full-text
index, which walks numbers downwards, finds the newest first. Words are cut here, alike for texts and for questions;
filters are words too, with a prefix that no text can have.
"""

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import zstandard

_VERSION = 3  # of the form of the file: another one is made anew
_COUNT_LIMIT = 1_000  # matches are counted up to here: a number that nobody reads costs time
_WORD = re.compile(r"[^\W_]+")
_MAX_WORDS = 12  # of a question

_SCHEMA = """
CREATE TABLE marks (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE batches (batch_id TEXT PRIMARY KEY, dt TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE incidents (
    seq INTEGER PRIMARY KEY, incident_id TEXT NOT NULL UNIQUE, merged_into TEXT, words TEXT NOT NULL,
    days TEXT NOT NULL, body BLOB NOT NULL
);
CREATE VIRTUAL TABLE texts USING fts5(
    words, content='incidents', content_rowid='seq', detail='none', tokenize="porter ascii tokenchars '_'"
);
CREATE TABLE articles (article_id TEXT PRIMARY KEY, days TEXT NOT NULL, reading_id TEXT) WITHOUT ROWID;
CREATE TABLE unsure_links (
    seq INTEGER PRIMARY KEY, reading_id TEXT NOT NULL, incident_ref INTEGER NOT NULL, incident_id TEXT NOT NULL,
    article_id TEXT NOT NULL, placed_in TEXT, score REAL NOT NULL, body BLOB NOT NULL,
    UNIQUE (article_id, incident_id)
);
CREATE INDEX unsure_accounts ON unsure_links (reading_id, incident_ref);
CREATE INDEX unsure_incidents ON unsure_links (incident_id);
CREATE INDEX unsure_places ON unsure_links (placed_in);
CREATE TABLE quarantine (
    seq INTEGER PRIMARY KEY, input_id TEXT NOT NULL UNIQUE, source_id TEXT, stage TEXT NOT NULL, reason TEXT NOT NULL,
    retryable INTEGER NOT NULL, replayed_as TEXT, replayed_to TEXT, body BLOB NOT NULL
);
CREATE INDEX quarantine_reasons ON quarantine (reason, seq);
CREATE INDEX quarantine_sources ON quarantine (source_id, seq);
CREATE INDEX quarantine_open ON quarantine (seq) WHERE replayed_as IS NULL;
"""


class _Columns(msgspec.Struct, kw_only=True, array_like=True):
    """Some columns of a row, also to be had as of a row."""

    def __getitem__(self, column: str) -> Any:
        return getattr(self, column)

    def to_row(self) -> dict[str, Any]:
        """Give the columns by name."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


class PersonSummary(_Columns, kw_only=True, array_like=True):
    """A participant as a list shows them: columns of `participants`."""

    participant_id: str
    role: str
    name: str | None
    name_state: str | None
    age: int | None
    gender: str | None
    occupation: str | None
    condition: str | None
    legal_status: str | None


class ChangeSummary(_Columns, kw_only=True, array_like=True):
    """A change as a list shows it: columns of `changes`, values as the timeline words them."""

    participant_id: str | None
    field: str
    kind: str
    cause: str
    before_state: str | None
    before: str | None
    after_state: str | None
    after: str | None


class Summary(_Columns, kw_only=True, array_like=True):
    """An incident as a list shows it: its newest version in short, and the changes that made it.

    At most six participants and changes are kept; `n_participants` and `n_changes` count all.
    """

    incident_id: str
    version: int
    known_at: datetime
    headline: str
    incident_types: list[str]
    occurred_date: date | None
    occurred_at: datetime | None
    occurred_precision: str
    street: str | None
    neighborhood: str | None
    city: str | None
    county: str | None
    state: str | None
    country: str | None
    n_killed: int | None
    n_injured: int | None
    status: str | None
    n_articles: int
    n_reports: int
    conflicts: list[str]  # the fields on which reports differ
    participants: list[PersonSummary]
    n_participants: int
    changes: list[ChangeSummary]
    n_changes: int
    merged_into: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a list of incidents is asked for; what is empty does not narrow it. `before` continues a list."""

    words: str = ""
    place: str = ""
    incident_type: str = ""
    happened_on: date | None = None
    changed_on: date | None = None
    only: str = ""  # conflict, unnamed, one_report, new
    before: int | None = None
    limit: int = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of a list: `n_found` counts all of it, up to a bound; `next_before` is where the next page begins."""

    rows: Sequence[Any]
    n_found: int
    is_bounded: bool
    next_before: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where an incident's rows lie: the days on which its tables got any, and what it was merged into."""

    days: Sequence[date]
    merged_into: str | None


class Catalog:
    """The catalog at `path`, a file of this machine. Reading needs no lock and never waits for a writer."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Open the file to be asked; where there is none yet, or one of another form, an empty one is made."""
        if not self.path.exists():
            with self.writing():
                pass
        connection = sqlite3.connect(self.path, timeout=10)
        if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            connection.close()
            with self.writing():
                pass
            connection = sqlite3.connect(self.path, timeout=10)
        try:
            connection.execute("PRAGMA query_only = ON")
            yield connection
        finally:
            connection.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open the file to be changed, in one transaction: all of it stands at the end of the `with`, or nothing."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")  # it can be made again
            connection.execute("BEGIN IMMEDIATE")
            try:
                self._prepare(connection)
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        finally:
            connection.close()

    def remove(self) -> None:
        """Remove the file, with the lock of whoever learns; it is made again from the tables when it is asked for."""
        for ending in ("-wal", "-shm", ""):  # a log that outlived its file would be taken for the next one's
            Path(f"{self.path}{ending}").unlink(missing_ok=True)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == _VERSION:
            return
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN "
            "('marks', 'batches', 'texts', 'incidents', 'articles', 'unsure_links', 'quarantine')"
        ).fetchall():
            connection.execute(f"DROP TABLE {name}")
        for statement in _SCHEMA.split(";\n"):
            if statement.strip():
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_VERSION}")


def find_incidents(connection: sqlite3.Connection, search: Search) -> Found:
    """Find incidents, what changed last first; rows are (seq, Summary). Merged ones are left out."""
    query = write_query(search)
    before = search.before if search.before is not None else 2**62
    if query:
        seqs = connection.execute(
            "SELECT rowid FROM texts WHERE texts MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
            [query, before, search.limit + 1],
        ).fetchall()
        marks = ",".join("?" * len(seqs))
        rows = connection.execute(
            f"SELECT seq, body FROM incidents WHERE seq IN ({marks}) ORDER BY seq DESC",  # noqa: S608 (question marks)
            [seq for (seq,) in seqs],
        ).fetchall()
        n_found = connection.execute(
            "SELECT count(*) FROM (SELECT rowid FROM texts WHERE texts MATCH ? LIMIT ?)", [query, _COUNT_LIMIT + 1]
        ).fetchone()[0]
    else:
        rows = connection.execute(
            "SELECT seq, body FROM incidents WHERE merged_into IS NULL AND seq < ? ORDER BY seq DESC LIMIT ?",
            [before, search.limit + 1],
        ).fetchall()
        n_found = int(read_mark(connection, "n_incidents") or 0)
    page = rows[: search.limit]
    return Found(
        rows=[(seq, _unpack(body)) for seq, body in page],
        n_found=min(n_found, _COUNT_LIMIT) if query else n_found,
        is_bounded=bool(query) and n_found > _COUNT_LIMIT,
        next_before=page[-1][0] if len(rows) > search.limit else None,
    )


def read_summaries(connection: sqlite3.Connection, incident_ids: Iterable[str]) -> dict[str, Summary]:
    """Look incidents up by id; those not known are left out."""
    wanted = list(dict.fromkeys(incident_ids))
    marks = ",".join("?" * len(wanted))
    rows = connection.execute(f"SELECT body FROM incidents WHERE incident_id IN ({marks})", wanted)  # noqa: S608
    found = [_unpack(body) for (body,) in rows]
    return {one.incident_id: one for one in found}


def place_incident(connection: sqlite3.Connection, incident_id: str) -> Placement | None:
    """Say on which days an incident has rows; None where it is not known."""
    row = connection.execute("SELECT days, merged_into FROM incidents WHERE incident_id = ?", [incident_id]).fetchone()
    return None if row is None else Placement(days=read_days(row[0]), merged_into=row[1])


def place_articles(connection: sqlite3.Connection, article_ids: Iterable[str]) -> set[date]:
    """Give the days on which any of these articles has rows."""
    wanted = list(dict.fromkeys(article_ids))
    found: set[date] = set()
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        marks = ",".join("?" * len(part))
        rows = connection.execute(f"SELECT days FROM articles WHERE article_id IN ({marks})", part)  # noqa: S608
        found.update(day for (days,) in rows for day in read_days(days))
    return found


def list_unsure_links(connection: sqlite3.Connection, *, before: int | None = None, limit: int = 20) -> Found:
    """List the links that wait for a person, the newest first: dicts with `seq`, ids, score, reasons and the article.

    `placed_in` is the incident that tells the account for now, where another was found or made.
    """
    bound = before if before is not None else 2**62
    rows = connection.execute(
        "SELECT seq, reading_id, incident_ref, incident_id, article_id, placed_in, score, body FROM unsure_links "
        "WHERE seq < ? ORDER BY seq DESC LIMIT ?",
        [bound, limit + 1],
    ).fetchall()
    n_found = connection.execute("SELECT count(*) FROM (SELECT 1 FROM unsure_links LIMIT ?)", [_COUNT_LIMIT + 1])
    return _make_page(rows, limit, n_found.fetchone()[0], _read_unsure)


def _read_unsure(row: Sequence[Any]) -> dict[str, Any]:
    names = ("seq", "reading_id", "incident_ref", "incident_id", "article_id", "placed_in", "score")
    told = msgspec.msgpack.decode(row[-1])
    published_at = datetime.fromisoformat(told["published_at"]) if told["published_at"] else None
    return {**dict(zip(names, row, strict=False)), **told, "published_at": published_at}


def list_quarantine(
    connection: sqlite3.Connection,
    *,
    reason: str = "",
    source_id: str = "",
    is_open: bool = True,
    before: int | None = None,
    limit: int = 25,
) -> Found:
    """List quarantined inputs, the newest first: dicts of the columns of `quarantine`, source, kind and last replay."""
    conditions = ["seq < ?"]
    values: list[Any] = [before if before is not None else 2**62]
    for column, value in (("reason", reason), ("source_id", source_id)):
        if value:
            conditions.append(f"{column} = ?")
            values.append(value)
    if is_open:
        conditions.append("replayed_as IS NULL")
    told = " AND ".join(conditions)
    columns = "seq, input_id, source_id, stage, reason, retryable, replayed_as, replayed_to, body"
    rows = connection.execute(
        f"SELECT {columns} FROM quarantine WHERE {told} ORDER BY seq DESC LIMIT ?",  # noqa: S608 (own conditions)
        [*values, limit + 1],
    ).fetchall()
    n_found = connection.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM quarantine WHERE {told} LIMIT ?)",  # noqa: S608
        [2**62, *values[1:], _COUNT_LIMIT + 1],
    ).fetchone()[0]
    return _make_page(rows, limit, n_found, _read_quarantined)


def read_quarantined(connection: sqlite3.Connection, input_id: str) -> dict[str, Any] | None:
    """Look one quarantined input up."""
    row = connection.execute(
        "SELECT seq, input_id, source_id, stage, reason, retryable, replayed_as, replayed_to, body "
        "FROM quarantine WHERE input_id = ?",
        [input_id],
    ).fetchone()
    return None if row is None else _read_quarantined(row)


def count_quarantine(connection: sqlite3.Connection) -> list[tuple[str, int]]:
    """Count open quarantined inputs by reason, the most frequent first."""
    return connection.execute(
        "SELECT reason, count(*) AS n FROM quarantine WHERE replayed_as IS NULL GROUP BY reason ORDER BY n DESC, reason"
    ).fetchall()


def _read_quarantined(row: Sequence[Any]) -> dict[str, Any]:
    names = ("seq", "input_id", "source_id", "stage", "reason", "retryable", "replayed_as", "replayed_to")
    return {**dict(zip(names, row, strict=False)), **msgspec.msgpack.decode(row[-1])}


def _make_page(rows: Sequence[Any], limit: int, n_found: int, read: Any) -> Found:
    page = rows[:limit]
    return Found(
        rows=[read(row) for row in page],
        n_found=min(n_found, _COUNT_LIMIT),
        is_bounded=n_found > _COUNT_LIMIT,
        next_before=page[-1][0] if len(rows) > limit else None,
    )


def read_mark(connection: sqlite3.Connection, name: str) -> str | None:
    """Read one of the catalog's notes about itself."""
    row = connection.execute("SELECT value FROM marks WHERE name = ?", [name]).fetchone()
    return row[0] if row else None


def write_mark(connection: sqlite3.Connection, name: str, value: object) -> None:
    """Write one of the catalog's notes about itself."""
    connection.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", [name, str(value)])


def put_incident(
    connection: sqlite3.Connection, summary: Summary, people: Sequence[Mapping[str, Any]], day: date, next_seq: int
) -> bool:
    """Put an incident's newest version in, as the latest of all; returns whether it was listed before.

    `people` are all participants (role, name), by whom it is found; the summary keeps the first few.
    """
    row = connection.execute(
        "SELECT seq, words, days, merged_into FROM incidents WHERE incident_id = ?", [summary.incident_id]
    ).fetchone()
    days, changed, was_listed = {day}, {f"k_{day:%Y%m%d}"}, False
    if row is not None:
        seq, words, days_told, merged_into = row
        days.update(read_days(days_told))
        changed.update(word for word in words.split() if word.startswith("k_"))
        was_listed = merged_into is None
        connection.execute("INSERT INTO texts (texts, rowid, words) VALUES ('delete', ?, ?)", [seq, words])
        connection.execute("DELETE FROM incidents WHERE seq = ?", [seq])
    words = "" if summary.merged_into else " ".join([*write_words(summary, people), *sorted(changed)])
    connection.execute(
        "INSERT INTO incidents VALUES (?, ?, ?, ?, ?, ?)",
        [
            next_seq,
            summary.incident_id,
            summary.merged_into,
            words,
            write_days(days),
            _pack(summary),
        ],
    )
    connection.execute("INSERT INTO texts (rowid, words) VALUES (?, ?)", [next_seq, words])
    return was_listed


def add_incident_day(connection: sqlite3.Connection, incident_id: str, day: date) -> None:
    """Note that an incident has rows on a day, where its version did not change."""
    row = connection.execute("SELECT seq, days FROM incidents WHERE incident_id = ?", [incident_id]).fetchone()
    if row is not None and day not in (known := set(read_days(row[1]))):
        connection.execute("UPDATE incidents SET days = ? WHERE seq = ?", [write_days({*known, day}), row[0]])


def put_article(connection: sqlite3.Connection, article_id: str, day: date, reading_id: str | None) -> None:
    """Note that an article has rows on a day, and its newest reading; unsure links of earlier ones wait no longer."""
    row = connection.execute("SELECT days, reading_id FROM articles WHERE article_id = ?", [article_id]).fetchone()
    days = {day} if row is None else {*read_days(row[0]), day}
    newest = reading_id or (row[1] if row else None)
    connection.execute("INSERT OR REPLACE INTO articles VALUES (?, ?, ?)", [article_id, write_days(days), newest])
    if reading_id is not None and row is not None:
        connection.execute(
            "DELETE FROM unsure_links WHERE article_id = ? AND reading_id <> ?", [article_id, reading_id]
        )


def put_link(connection: sqlite3.Connection, link: Mapping[str, Any], article: Mapping[str, Any]) -> None:
    """Learn one judgement, in the order in which they were made: what is unsure waits until something settles it.

    A person's answer settles it, an account that came to the incident another way does, and so does a person who placed
    the article, wherever that was. The view `unsure_links` says the same of the tables.
    """
    is_human, pair = link["actor"].startswith("human:"), [link["article_id"], link["incident_id"]]
    key = [link["reading_id"], link["incident_ref"]]
    if is_human or link["verdict"] == "positive":
        connection.execute("DELETE FROM unsure_links WHERE article_id = ? AND incident_id = ?", pair)
    if link["verdict"] == "positive":
        if is_human:
            connection.execute("DELETE FROM unsure_links WHERE article_id = ?", pair[:1])
        connection.execute(
            "UPDATE unsure_links SET placed_in = ? WHERE reading_id = ? AND incident_ref = ?", [pair[1], *key]
        )
    elif link["verdict"] == "negative":
        connection.execute(
            "DELETE FROM unsure_links WHERE reading_id = ? AND incident_ref = ? AND incident_id = ?", [*key, pair[1]]
        )
    else:
        _put_unsure(connection, link, article)


def _put_unsure(connection: sqlite3.Connection, link: Mapping[str, Any], article: Mapping[str, Any]) -> None:
    body = {
        "link_id": link["link_id"],
        "reasons": link["reasons"],
        "judged_at": link["judged_at"].astimezone(UTC).isoformat(),
        "title": article.get("title"),
        "source_id": article.get("source_id"),
        "published_at": article["published_at"].isoformat() if article else None,
    }
    # Of several accounts in one article that may be the incident, the likeliest is asked about.
    connection.execute(
        "INSERT INTO unsure_links (reading_id, incident_ref, incident_id, article_id, placed_in, score, body) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (article_id, incident_id) DO UPDATE SET "
        "reading_id = excluded.reading_id, incident_ref = excluded.incident_ref, placed_in = excluded.placed_in, "
        "score = excluded.score, body = excluded.body "
        "WHERE excluded.score > score OR reading_id <> excluded.reading_id",
        [
            *(link[name] for name in ("reading_id", "incident_ref", "incident_id", "article_id", "placed_in", "score")),
            msgspec.msgpack.encode(body),
        ],
    )


def put_merge(connection: sqlite3.Connection, merged_id: str, kept_id: str) -> None:
    """Ask about the incident that another one became part of, where it was asked about that."""
    connection.execute("UPDATE OR REPLACE unsure_links SET incident_id = ? WHERE incident_id = ?", [kept_id, merged_id])
    connection.execute("UPDATE unsure_links SET placed_in = ? WHERE placed_in = ?", [kept_id, merged_id])
    connection.execute("DELETE FROM unsure_links WHERE placed_in = incident_id")


def put_quarantined(connection: sqlite3.Connection, row: Mapping[str, Any]) -> None:
    """Learn one quarantined input; again is the same as once."""
    body = {name: row[name] for name in ("message", "location", "payload_sha256", "kind")}
    body["recorded_at"] = row["recorded_at"].isoformat()
    connection.execute(
        "INSERT OR IGNORE INTO quarantine (input_id, source_id, stage, reason, retryable, body) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [
            row["input_id"],
            row["source_id"],
            row["stage"],
            row["reason"],
            row["retryable"],
            msgspec.msgpack.encode(body),
        ],
    )


def put_replay(connection: sqlite3.Connection, replay_of: str, replayed_as: str, disposition: str) -> None:
    """Note what became of a replayed input."""
    connection.execute(
        "UPDATE quarantine SET replayed_as = ?, replayed_to = ? WHERE input_id = ?",
        [replayed_as, disposition, replay_of],
    )


def write_query(search: Search) -> str:
    """Write a search as a question to the full-text index: all of its words; "" where it asks for nothing.

    A word that ends in `*` stands for all that begin so.
    """
    terms = [f'"{word}"' + ("*" if is_begun else "") for word, is_begun in _cut_question(search.words)]
    terms += [f'"l_{word}"' + ("*" if is_begun else "") for word, is_begun in _cut_question(search.place)]
    if search.incident_type:
        terms.append(f'"t_{"".join(cut_words(search.incident_type))}"')
    if search.happened_on:
        terms.append(f'"d_{search.happened_on:%Y%m%d}"')
    if search.changed_on:
        terms.append(f'"k_{search.changed_on:%Y%m%d}"')
    if search.only:
        terms.append(f'"o_{"".join(cut_words(search.only))}"')
    return " AND ".join(terms)


def write_words(summary: Summary, people: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    """Give the words by which an incident with these participants is found, its filters among them."""
    places = (
        summary.street,
        summary.neighborhood,
        summary.city,
        summary.county,
        summary.state,
        summary.country,
    )
    of_places = [word for place in places if place for word in cut_words(place)]
    names = [str(person["name"]) for person in people if person["name"]]
    types = [kind.replace("_", " ") for kind in summary.incident_types]
    words = [*cut_words(" ".join([summary.headline, *names, *types, summary.incident_id])), *of_places]
    words += [f"l_{word}" for word in of_places]
    words += [f"t_{''.join(cut_words(kind))}" for kind in summary.incident_types]
    if summary.occurred_date:
        words.append(f"d_{summary.occurred_date:%Y%m%d}")
    words += [f"o_{mark}" for mark in _mark(summary, people)]
    return tuple(dict.fromkeys(words))


def _mark(summary: Summary, people: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if summary.conflicts:
        yield "conflict"
    if any(person["name"] is None for person in people if person["role"] == "victim"):
        yield "unnamed"
    if summary.n_reports <= 1:
        yield "onereport"
    if summary.version == 1:
        yield "new"


def cut_words(text: str) -> list[str]:
    """Cut a text into words as the index holds them: without case, accents and punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return _WORD.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))


def is_wordless(text: str) -> bool:
    """Say whether something was asked that holds no word, as a lone "?" does."""
    return bool(text.strip()) and not cut_words(text)


def _cut_question(text: str) -> list[tuple[str, bool]]:
    cut = [(word, part.rstrip().endswith("*")) for part in text.split() for word in cut_words(part)]
    return cut[:_MAX_WORDS]


def _pack(summary: Summary) -> bytes:
    return zstandard.ZstdCompressor(level=3).compress(msgspec.msgpack.encode(summary))


def _unpack(body: bytes) -> Summary:
    return msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(body), type=Summary)


def write_days(days: Iterable[date]) -> str:
    """Write days as text, in order."""
    return " ".join(f"{day:%Y%m%d}" for day in sorted(days))


def read_days(told: str) -> list[date]:
    """Read what `write_days` wrote."""
    return [date(int(day[:4]), int(day[4:6]), int(day[6:])) for day in told.split()]
