"""The open incidents and their index: what linking and tracking look up, and learn once a batch is published.

Belongs here: an implementation of `blotter.update.Desk` over the state's database. Does not belong here: what is looked
up and why.

Every look-up is by primary key. The index has one row a key, day and target; rows are forgotten once both their day and
the day on which they were learnt lie two windows back, so that an archive read years late is indexed as long as fresh
news. Dossiers and what is remembered of articles stay: they are read by id only.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
import zstandard
from sqlalchemy import BigInteger, Column, Connection, Engine, Integer, LargeBinary, String, Table, delete, select, text

from blotter.errors import StoreDamaged
from blotter.link.memory import ArticleMemory, Dossier, Profile, TextMemory, decode_changes
from blotter.store.sql import chunk, insert_or_replace
from blotter.store.state import metadata
from blotter.update.desk import MAX_TARGETS, Desk, Target, sort_latest

_T = TypeVar("_T")

_marks = Table(
    "desk_marks", metadata, Column("name", String, primary_key=True), Column("value", BigInteger, nullable=False)
)
_dossiers = Table(
    "desk_dossiers", metadata, Column("id", String, primary_key=True), Column("body", LargeBinary, nullable=False)
)
_profiles = Table(
    "desk_profiles", metadata, Column("id", String, primary_key=True), Column("body", LargeBinary, nullable=False)
)
_articles = Table(
    "desk_articles", metadata, Column("id", String, primary_key=True), Column("body", LargeBinary, nullable=False)
)
_texts = Table(
    "desk_texts",
    metadata,
    Column("id", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("expires", Integer, nullable=False, index=True),
)
_index = Table(
    "desk_index",
    metadata,
    Column("key", String, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("target_id", String, primary_key=True),
    Column("expires", Integer, nullable=False, index=True),
    sqlite_with_rowid=False,
)
_labels = Table(
    "desk_labels",
    metadata,
    Column("label", String, primary_key=True),
    Column("incident_id", String, nullable=False),
    sqlite_with_rowid=False,
)
_terms = Table(
    "desk_terms",
    metadata,
    Column("term", String, primary_key=True),
    Column("n_texts", Integer, nullable=False),
    sqlite_with_rowid=False,
)

_DESK = (_marks, _dossiers, _profiles, _articles, _texts, _index, _labels, _terms)
# The latest entries of each key, walked backwards along the primary key, so a key's cost does not depend on how many
# entries it has. They come as one text a key (target, day, target, day): a row each would cost more than finding them.
_SELECT_LATEST = """
    SELECT wanted.value, (
        SELECT {join}(found.entry, ' ') FROM (
            SELECT target_id || ' ' || day AS entry FROM desk_index
            WHERE key = wanted.value AND day BETWEEN :first_day AND :last_day
            ORDER BY day DESC, target_id DESC LIMIT :n_targets
        ) AS found
    ) FROM {wanted}
"""
_LATEST = {
    "sqlite": text(_SELECT_LATEST.format(join="group_concat", wanted="json_each(:keys) AS wanted")),
    "postgresql": text(
        _SELECT_LATEST.format(
            join="string_agg", wanted="json_array_elements_text(CAST(:keys AS json)) AS wanted(value)"
        )
    ),
}
# Wanted keys come as one JSON text: a parameter each would have the statement written anew for every number of them.
_WANTED = {
    "sqlite": text("SELECT value FROM json_each(:keys)"),
    "postgresql": text("SELECT json_array_elements_text(CAST(:keys AS json))"),
}
_SEQ, _N_TEXTS = "seq", "n_texts"


class SqlDesk:
    """The desk in the state at `engine`; creates its tables where they are missing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        metadata.create_all(engine, tables=_DESK)

    def last_seq(self) -> int:
        """Number of the last batch that was learnt; 0 before the first."""
        return self._read_mark(_SEQ)

    def n_texts(self) -> int:
        """How many texts were counted."""
        return self._read_mark(_N_TEXTS)

    def find_targets(self, keys: Sequence[str], first_day: int, last_day: int) -> Mapping[str, Sequence[Target]]:
        """Targets of index entries by key, between two days, the latest `MAX_TARGETS` a key."""
        found: dict[str, Sequence[Target]] = {}
        given = {"first_day": first_day, "last_day": last_day, "n_targets": MAX_TARGETS}
        with self._engine.connect() as connection:
            latest = _LATEST[connection.dialect.name]
            for part in chunk(list(dict.fromkeys(keys))):
                rows = connection.execute(latest, {**given, "keys": json.dumps(part)}).all()
                found |= {key: _read_targets(entries) for key, entries in rows if entries}
        return found

    def load_profiles(self, incident_ids: Iterable[str]) -> Mapping[str, Profile]:
        """Profiles by incident."""
        return self._load(_profiles, incident_ids, Profile)

    def load_dossiers(self, incident_ids: Iterable[str]) -> Mapping[str, Dossier]:
        """Dossiers by incident."""
        return self._load(_dossiers, incident_ids, Dossier)

    def load_articles(self, article_ids: Iterable[str]) -> Mapping[str, ArticleMemory]:
        """Memories of articles by id."""
        return self._load(_articles, article_ids, ArticleMemory)

    def load_texts(self, revision_ids: Iterable[str]) -> Mapping[str, TextMemory]:
        """Fingerprints by revision."""
        return self._load(_texts, revision_ids, TextMemory)

    def count_terms(self, terms: Iterable[str]) -> Mapping[str, int]:
        """In how many texts each term stood."""
        return dict(self._look_up(_terms, "term", terms))

    def find_labels(self, labels: Iterable[str]) -> Mapping[str, str]:
        """Incidents of the labels of given links."""
        with self._engine.connect() as connection:
            return {
                row.label: row.incident_id
                for part in chunk(list(labels))
                for row in connection.execute(select(_labels).where(_labels.c.label.in_(part)))
            }

    def apply(self, connection: Connection, memory: bytes) -> None:
        """Learn what an `Update` left, in the caller's transaction; what was learnt already is left alone.

        Raises StoreDamaged where the bytes are no such memory.
        """
        try:
            changes = decode_changes(memory)
        except (zstandard.ZstdError, msgspec.MsgspecError, ValueError) as broken:
            raise StoreDamaged(f"a bundle's memory of incidents cannot be read: {broken}") from broken
        learnt = connection.execute(select(_marks.c.value).where(_marks.c.name == _SEQ)).scalar()
        if learnt is not None and changes.seq <= learnt:
            return
        span = 2 * changes.window_days
        insert_or_replace(
            connection, _dossiers, [{"id": one.incident_id, "body": _pack(one)} for one in changes.dossiers]
        )
        insert_or_replace(
            connection, _profiles, [{"id": one.incident_id, "body": _pack(one)} for one in changes.profiles]
        )
        insert_or_replace(
            connection, _articles, [{"id": one.article_id, "body": _pack(one)} for one in changes.articles]
        )
        insert_or_replace(
            connection,
            _texts,
            [
                {"id": one.revision_id, "body": _pack(one), "expires": max(one.published_day, changes.today) + span}
                for one in changes.texts
            ],
        )
        insert_or_replace(
            connection,
            _index,
            [
                {
                    "key": one.key,
                    "day": one.day,
                    "target_id": one.target_id,
                    "expires": max(one.day, changes.today) + span,
                }
                for one in changes.entries
            ],
        )
        insert_or_replace(
            connection, _labels, [{"label": one, "incident_id": to} for one, to in changes.labels.items()]
        )
        insert_or_replace(connection, _terms, [{"term": term, "n_texts": n} for term, n in changes.term_counts.items()])
        for table in (_index, _texts):
            connection.execute(delete(table).where(table.c.expires < changes.today))
        marks = {_SEQ: changes.seq, _N_TEXTS: changes.n_texts}
        insert_or_replace(connection, _marks, [{"name": name, "value": value} for name, value in marks.items()])

    def clear(self, connection: Connection) -> None:
        """Forget everything, in the caller's transaction."""
        for table in _DESK:
            connection.execute(delete(table))

    def copy_from(self, other: "SqlDesk", connection: Connection) -> None:
        """Learn all that another desk knows, in the caller's transaction."""
        with other._engine.connect().execution_options(yield_per=500) as source:
            for table in _DESK:
                for rows in source.execute(select(table)).partitions():
                    insert_or_replace(connection, table, [dict(row._mapping) for row in rows])

    def _load(self, table: Table, ids: Iterable[str], kind: type[_T]) -> dict[str, _T]:
        packed = self._look_up(table, "id", ids)
        decompressor, decoder = zstandard.ZstdDecompressor(), _make_decoder(kind)  # type: ignore[arg-type]
        found = {}
        for one, body in packed:
            try:
                found[one] = decoder.decode(decompressor.decompress(body))
            except (zstandard.ZstdError, msgspec.MsgspecError) as broken:
                raise StoreDamaged(f"{table.name} {one} cannot be read: {broken}") from broken
        return found

    def _look_up(self, table: Table, key: str, wanted: Iterable[str]) -> list[tuple[str, Any]]:
        """Give the keys that a table has of those wanted, each with what it has of it."""
        keys = json.dumps(list(wanted))
        if keys == "[]":
            return []
        with self._engine.connect() as connection:
            statement = select(*list(table.c)[:2]).where(table.c[key].in_(_WANTED[connection.dialect.name]))
            return [(one, value) for one, value in connection.execute(statement, {"keys": keys}).all()]

    def _read_mark(self, name: str) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(select(_marks.c.value).where(_marks.c.name == name)).scalar() or 0)


class OverlayDesk:
    """A desk over another: what was learnt here comes first, the desk below is only read.

    For trying out what batches would do, one after the other, however many there are.
    """

    def __init__(self, below: Desk, above: SqlDesk) -> None:
        self._below, self._above = below, above

    def last_seq(self) -> int:
        """Number of the last batch that was learnt, here or below."""
        return self._above.last_seq() or self._below.last_seq()

    def n_texts(self) -> int:
        """How many texts were counted."""
        return self._above.n_texts() or self._below.n_texts()

    def find_targets(self, keys: Sequence[str], first_day: int, last_day: int) -> Mapping[str, Sequence[Target]]:
        """Targets of index entries by key, between two days, the latest `MAX_TARGETS` a key."""
        above = self._above.find_targets(keys, first_day, last_day)
        below = self._below.find_targets(keys, first_day, last_day)
        return {
            key: sort_latest({*above.get(key, ()), *below.get(key, ())})[:MAX_TARGETS]
            for key in above.keys() | below.keys()
        }

    def load_profiles(self, incident_ids: Iterable[str]) -> Mapping[str, Profile]:
        """Profiles by incident."""
        return _look_below(self._above.load_profiles, self._below.load_profiles, incident_ids)

    def load_dossiers(self, incident_ids: Iterable[str]) -> Mapping[str, Dossier]:
        """Dossiers by incident."""
        return _look_below(self._above.load_dossiers, self._below.load_dossiers, incident_ids)

    def load_articles(self, article_ids: Iterable[str]) -> Mapping[str, ArticleMemory]:
        """Memories of articles by id."""
        return _look_below(self._above.load_articles, self._below.load_articles, article_ids)

    def load_texts(self, revision_ids: Iterable[str]) -> Mapping[str, TextMemory]:
        """Fingerprints by revision."""
        return _look_below(self._above.load_texts, self._below.load_texts, revision_ids)

    def count_terms(self, terms: Iterable[str]) -> Mapping[str, int]:
        """In how many texts each term stood."""
        return _look_below(self._above.count_terms, self._below.count_terms, terms)

    def find_labels(self, labels: Iterable[str]) -> Mapping[str, str]:
        """Incidents of the labels of given links."""
        return _look_below(self._above.find_labels, self._below.find_labels, labels)


def _look_below(
    above: Callable[[Iterable[str]], Mapping[str, _T]],
    below: Callable[[Iterable[str]], Mapping[str, _T]],
    wanted: Iterable[str],
) -> dict[str, _T]:
    listed = list(dict.fromkeys(wanted))
    found = dict(above(listed))
    missing = [one for one in listed if one not in found]
    return found | dict(below(missing)) if missing else found


def _pack(record: object) -> bytes:
    return zstandard.ZstdCompressor(level=3).compress(msgspec.msgpack.encode(record))


@cache
def _make_decoder(kind: type[_T]) -> msgspec.msgpack.Decoder[_T]:
    """Make the decoder of a kind of record, once: making one costs as much as reading several records."""
    return msgspec.msgpack.Decoder(kind)


def _read_targets(entries: str) -> list[Target]:
    words = entries.split(" ")
    return list(zip(words[::2], map(int, words[1::2]), strict=True))
