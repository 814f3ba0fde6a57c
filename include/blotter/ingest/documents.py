"""One dropped file of any format to the documents in it.

Belongs here: the drop formats (docs/fetching.md lists them) and their limits. Does not belong here: which files are
taken when (`drops`), what the text of a document means (`blotter.clean`).

A file is read as a stream: memory holds one document at a time. Whatever the bytes are, each input in them comes out
as an Arrival or as a Rejection with its place; a defect of one never hides the others.
"""

import gzip
import json
import lzma
import os
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast
from urllib.parse import urlsplit

from isal import igzip, isal_zlib  # as zlib, in a third of its time
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from blotter.clean.charset import decode_text, tidy_text
from blotter.clean.dates import Moment, parse_moment
from blotter.config import DropSettings
from blotter.errors import InputRejected, Reason
from blotter.ids import sha256_hex
from blotter.ingest.bounded import bound_stream, check_unpacked
from blotter.ingest.feeds import FeedEntry, parse_feed
from blotter.model import Arrival, Document, Rejection, make_input_id

SIDECAR = ".meta.json"
DEFAULT_SOURCE = "inbox"
MAX_SIDECAR_BYTES = 100_000
MAX_DEPTH = 2  # an archive in an archive is opened, one in that is not
MAX_TITLE_CHARS = 120

_SOURCE_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_SIDECAR_KEYS = frozenset({"url", "title", "author", "published", "source"})
_ISAL_ERROR = cast(type[Exception], isal_zlib.error)  # its stubs take the class for an instance
_BROKEN = (
    zipfile.BadZipFile, zipfile.LargeZipFile, tarfile.TarError, zlib.error, _ISAL_ERROR, lzma.LZMAError,
    gzip.BadGzipFile, EOFError, ArchiveLoadFailed, struct.error, NotImplementedError, MessageError, UnicodeError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a document lies and what is known of it from outside."""

    location: str
    name: str  # its file name, for the ending
    kind: str
    source_id: str | None
    arrival: str
    received_at: datetime
    modified_at: datetime | None
    limits: DropSettings
    depth: int
    find_sidecar: Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What a sidecar, line, feed or mail says beside the text."""

    url: str | None = None
    title: str | None = None
    author: str | None = None
    published: Moment | None = None
    published_basis: str = "sidecar"
    source_id: str | None = None


def open_documents(
    path: Path,
    *,
    source_id: str | None,
    arrival: str,
    received_at: datetime,
    limits: DropSettings,
    location: str | None = None,
) -> Iterator[Arrival | Rejection]:
    """Yield every document of a file, in its order, as an Arrival, or as a Rejection that says what is wrong with it.

    `arrival` names the coming in of the file: input ids derive from it and the location, so that taking the same
    arrival again gives the same ids and a second drop of the same file others. `location` is what the inputs are said
    to lie in, `path` as given unless stated. Without `source_id`, a document belongs to the host of its URL, or to
    `inbox`. Raises nothing for what a file holds.
    """
    where = _printable(location if location is not None else os.fspath(path))
    place = _Place(
        location=where,
        name=path.name,
        kind="file",
        source_id=source_id,
        arrival=arrival,
        received_at=received_at,
        modified_at=None,
        limits=limits,
        depth=0,
        find_sidecar=lambda name: _read_sidecar_file(path.with_name(name)),
    )
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            yield _reject(place, Reason.UNSAFE_PATH, "not a regular file (links and folders are refused)")
            return
        place = replace(place, modified_at=datetime.fromtimestamp(status.st_mtime, UTC))
        if status.st_size > limits.max_file_bytes:
            yield _reject(
                place, Reason.TOO_LARGE, f"{status.st_size:,} bytes; drops.max_file_bytes is {limits.max_file_bytes:,}"
            )
            return
        with path.open("rb") as stream:
            yield from _open_stream(place, stream, status.st_size)
    except OSError as unreadable:
        yield _reject(place, Reason.UNDECODABLE, f"cannot be read: {unreadable.strerror or unreadable}")


def open_line(
    line: bytes,
    *,
    location: str,
    source_id: str,
    arrival: str,
    received_at: datetime,
    modified_at: datetime | None,
    limits: DropSettings,
) -> Arrival | Rejection:
    """Read one line of a JSON lines file once more, as it was kept; `location` is the line's own."""
    place = _Place(
        location=location,
        name="",
        kind="line",
        source_id=source_id,
        arrival=arrival,
        received_at=received_at,
        modified_at=modified_at,
        limits=limits,
        depth=0,
        find_sidecar=lambda _: None,
    )
    try:
        return _open_line(place, line)
    except InputRejected as rejected:
        return _reject(place, rejected.reason, rejected.message, line)


def split_title(text: str) -> tuple[str | None, str]:
    """Split a plain text into title and body.

    The first line is the title where it has at most 120 characters, no closing full stop, and a blank line follows.
    """
    first, _, rest = tidy_text(text).partition("\n")
    first = first.strip().removeprefix("# ").strip()
    if first and rest and len(first) <= MAX_TITLE_CHARS and not first.endswith(".") and not rest.split("\n")[0].strip():
        return first, rest.strip()
    return None, tidy_text(text)


def sidecar_names(name: str) -> tuple[str, str]:
    """Give the two names that the sidecar of a file may have: the one without and the one with its ending."""
    return PurePosixPath(name).with_suffix("").name + SIDECAR, name + SIDECAR


def _open_stream(place: _Place, stream: IO[bytes], size: int) -> Iterator[Arrival | Rejection]:
    opener = _find_opener(place.name)
    if opener is None:
        endings = " ".join(sorted(ending for ending, _ in _OPENERS))
        yield _reject(place, Reason.UNSUPPORTED, f"unknown ending; read are {endings}")
        return
    is_empty = True
    try:
        for found in opener(place, stream, size):
            is_empty = False
            yield found
        if is_empty:
            yield _reject(place, Reason.EMPTY, "nothing in it that is read")
    except InputRejected as rejected:
        yield _reject(place, rejected.reason, rejected.message)
    except _BROKEN as broken:
        yield _reject(place, Reason.MALFORMED, f"{type(broken).__name__}: {broken}"[:500])


def _open_page(place: _Place, stream: IO[bytes], _: int) -> Iterator[Arrival | Rejection]:
    payload = _read_whole(place, stream)
    yield _arrive(place, payload, "html", _read_sidecar(place))


def _open_text(place: _Place, stream: IO[bytes], _: int) -> Iterator[Arrival | Rejection]:
    payload = _read_whole(place, stream)
    facts = _read_sidecar(place)
    if not facts.title:  # the bytes stay as dropped: cleaning does not say a title twice
        facts = replace(facts, title=split_title(decode_text(payload))[0])
    yield _arrive(place, payload, "text", facts)


def _open_lines(place: _Place, stream: IO[bytes], _: int) -> Iterator[Arrival | Rejection]:
    number = 0
    while line := _read_line(stream, place.limits.max_document_bytes):
        number += 1
        if isinstance(line, bytes) and not line.strip():
            continue
        here = replace(place, location=f"{place.location}#{number}", kind="line")
        if isinstance(line, int):
            yield _reject(
                here, Reason.TOO_LARGE, f"the line has {line:,} bytes; the limit is in drops.max_document_bytes"
            )
            continue
        line = line.rstrip(b"\r\n")
        try:
            yield _open_line(here, line)
        except InputRejected as rejected:
            yield _reject(here, rejected.reason, rejected.message, line)


def _open_line(place: _Place, line: bytes) -> Arrival:
    try:
        spoken = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as broken:
        raise InputRejected(Reason.MALFORMED, f"no JSON: {broken}"[:300]) from broken
    if not isinstance(spoken, dict):
        raise InputRejected(Reason.MALFORMED, "the line is no JSON object")
    facts = _read_facts(spoken, Reason.MALFORMED)
    for key, media in (("text", "text"), ("html", "html")):
        content = spoken.get(key)
        if content is not None and not isinstance(content, str):
            raise InputRejected(Reason.MALFORMED, f"`{key}` is no string")
        if content and content.strip():
            return _arrive(place, content.encode("utf-8", "replace"), media, facts, charset="utf-8")
    raise InputRejected(Reason.EMPTY, "neither `text` nor `html` holds anything")


def _unpack(stream: IO[bytes]) -> gzip.GzipFile:
    unpacked: gzip.GzipFile = igzip.IGzipFile(fileobj=stream)  # type: ignore[no-untyped-call]
    return unpacked


def _open_packed_lines(place: _Place, stream: IO[bytes], size: int) -> Iterator[Arrival | Rejection]:
    with (
        _unpack(stream) as packed,
        bound_stream(packed, packed_bytes=size, limits=place.limits) as lines,
    ):
        yield from _open_lines(place, lines, size)


def _open_feed(place: _Place, stream: IO[bytes], _: int) -> Iterator[Arrival | Rejection]:
    payload = _read_whole(place, stream)
    parsed = parse_feed(payload, url=None, content_type=None)
    if parsed.reason is not None:
        raise InputRejected(parsed.reason, parsed.message)
    for number, entry in enumerate(parsed.entries, start=1):
        here = replace(place, location=f"{place.location}#{number}", kind="entry")
        try:
            yield _open_entry(here, entry)
        except InputRejected as rejected:
            yield _reject(here, rejected.reason, rejected.message)


def _open_entry(place: _Place, entry: FeedEntry) -> Arrival:
    content = entry.content or entry.summary
    if not content:
        raise InputRejected(Reason.EMPTY, "the entry has neither content nor summary")
    facts = _Facts(
        url=entry.url,
        title=entry.title,
        author=entry.author,
        published=entry.published or entry.updated,
        published_basis="feed",
    )
    return _arrive(
        place,
        content.encode("utf-8", "replace"),
        entry.media,
        facts,
        charset="utf-8",
        is_partial=not entry.content,
    )


def _open_packed_records(place: _Place, stream: IO[bytes], size: int) -> Iterator[Arrival | Rejection]:
    # Unpacked here, not by warcio: it would take a header of any length.
    with (
        _unpack(stream) as packed,
        bound_stream(packed, packed_bytes=size, limits=place.limits) as records,
    ):
        yield from _open_records(place, records, size)


def _open_records(place: _Place, stream: IO[bytes], _: int) -> Iterator[Arrival | Rejection]:
    for number, record in enumerate(_read_records(stream), start=1):
        headers = record.http_headers
        if record.rec_type != "response" or headers is None or headers.get_statuscode() != "200":
            continue
        content_type = (headers.get_header("Content-Type") or "").lower()
        if "html" not in content_type:
            continue
        here = replace(place, location=f"{place.location}#{number}", kind="record")
        try:
            yield _open_record(here, record, content_type)
        except InputRejected as rejected:
            yield _reject(here, rejected.reason, rejected.message)


def _read_records(stream: IO[bytes]) -> Iterator[Any]:
    try:
        yield from ArchiveIterator(stream)
    except (AttributeError, TypeError, ValueError, KeyError, IndexError) as defect:  # warcio's, on torn headers
        raise InputRejected(Reason.MALFORMED, f"no web archive from here on ({defect})"[:300]) from defect


def _open_record(place: _Place, record: Any, content_type: str) -> Arrival:
    payload = _read_bounded(record.content_stream(), place.limits.max_document_bytes)
    captured = parse_moment(record.rec_headers.get_header("WARC-Date") or "")
    fetched_at = captured.at if captured and captured.at <= place.received_at else place.received_at
    charset = re.search(r"charset=[\"']?([\w.:-]+)", content_type)
    # Where the page does not say when it was published, it was by the time it was captured.
    captured_place = replace(place, modified_at=None, received_at=fetched_at)
    url = _clean_string(record.rec_headers.get_header("WARC-Target-URI"))
    arrival = _arrive(captured_place, payload, "html", _Facts(url=url), charset=charset[1] if charset else None)
    return replace(arrival, document=replace(arrival.document, received_at=place.received_at, fetched_at=fetched_at))


def _open_mail(place: _Place, stream: IO[bytes], _: int) -> Iterator[Arrival | Rejection]:
    payload = _read_whole(place, stream)
    mail = BytesParser(EmailMessage, policy=policy.default).parsebytes(payload)
    try:
        part = mail.get_body(("plain", "html"))
        content = part.get_content() if part is not None else None
        facts = _Facts(
            title=_clean_string(mail["subject"]),
            author=_clean_string(mail["from"]),
            published=parse_moment(str(mail["date"] or "")),
            published_basis="page",
        )
    except (LookupError, ValueError, TypeError, AttributeError, IndexError) as broken:
        raise InputRejected(Reason.MALFORMED, f"the mail cannot be read: {broken}"[:300]) from broken
    if part is None or not isinstance(content, str) or not content.strip():
        raise InputRejected(Reason.EMPTY, "the mail has no text")
    media = "html" if part.get_content_type() == "text/html" else "text"
    here = replace(place, kind="mail")
    yield _arrive(here, content.encode("utf-8", "replace"), media, facts, charset="utf-8")


def _open_zip(place: _Place, stream: IO[bytes], _: int) -> Iterator[Arrival | Rejection]:
    seekable = stream if stream.seekable() else BytesIO(_read_bounded(stream, place.limits.max_document_bytes))
    with zipfile.ZipFile(seekable) as archive:
        members = archive.infolist()
        _check_count(len(members), place.limits)
        packed = max(1, sum(member.compress_size for member in members))
        check_unpacked(sum(member.file_size for member in members), packed, place.limits)
        listed = {member.filename: member for member in members}

        def read_member(name: str) -> bytes | None:
            if name not in listed or listed[name].flag_bits & 0x1:
                return None
            with archive.open(listed[name]) as inner:
                return inner.read(MAX_SIDECAR_BYTES + 1)

        for member in members:
            if member.is_dir() or member.filename.endswith(SIDECAR):
                continue
            here = _enter(place, member.filename, _zip_time(member), read_member)
            if not _is_safe_name(member.filename) or stat.S_ISLNK(member.external_attr >> 16):
                yield _reject(here, Reason.UNSAFE_PATH, "a link, or a name that leaves the archive")
            elif member.flag_bits & 0x1:
                yield _reject(here, Reason.UNSUPPORTED, "encrypted")
            else:
                yield from _open_member(here, partial(archive.open, member), member.compress_size)


def _open_tar(place: _Place, stream: IO[bytes], size: int) -> Iterator[Arrival | Rejection]:
    if not stream.seekable():
        stream = BytesIO(_read_bounded(stream, place.limits.max_document_bytes))
    sidecars: dict[str, bytes] = {}
    # A tar is a tape: the first pass picks up the sidecars, which may lie behind what they describe.
    with tarfile.open(fileobj=stream, mode="r|*", errorlevel=0) as archive:
        total = 0
        for number, member in enumerate(archive, start=1):
            total += member.size
            _check_count(number, place.limits)
            check_unpacked(total, max(1, size), place.limits)
            if member.isreg() and member.name.endswith(SIDECAR) and (inner := archive.extractfile(member)):
                sidecars[member.name] = inner.read(MAX_SIDECAR_BYTES + 1)
    stream.seek(0)
    with tarfile.open(fileobj=stream, mode="r|*", errorlevel=0) as archive:
        for member in archive:
            if member.isdir() or member.name.endswith(SIDECAR):
                continue
            modified_at = datetime.fromtimestamp(member.mtime, UTC) if 0 < member.mtime < 2**33 else place.modified_at
            here = _enter(place, member.name, modified_at, sidecars.get)
            if not _is_safe_name(member.name) or not member.isreg():
                yield _reject(here, Reason.UNSAFE_PATH, "a link or device, or a name that leaves the archive")
            else:
                yield from _open_member(here, partial(archive.extractfile, member), member.size)


def _open_member(place: _Place, open_it: Callable[[], IO[bytes] | None], size: int) -> Iterator[Arrival | Rejection]:
    """Open one member; what is wrong with it is said of it, and the next one follows."""
    if place.depth > MAX_DEPTH:
        yield _reject(place, Reason.UNSUPPORTED, "archives nested too deep")
        return
    try:
        with open_it() or BytesIO() as stream:
            yield from _open_stream(place, stream, max(1, size))
    except (*_BROKEN, OSError, RuntimeError, ValueError) as broken:
        yield _reject(place, Reason.MALFORMED, f"{type(broken).__name__}: {broken}"[:500])


def _enter(
    place: _Place, member: str, modified_at: datetime | None, read_member: Callable[[str], bytes | None]
) -> _Place:
    folder = PurePosixPath(member).parent
    return replace(
        place,
        location=f"{place.location}!{_printable(member)}",
        name=PurePosixPath(member).name,
        kind="member",
        modified_at=modified_at or place.modified_at,
        depth=place.depth + 1,
        find_sidecar=lambda name: read_member(name if str(folder) == "." else f"{folder}/{name}"),
    )


_Opener = Callable[[_Place, IO[bytes], int], Iterator[Arrival | Rejection]]

# The longest ending that fits decides.
_OPENERS: tuple[tuple[str, _Opener], ...] = (
    (".html", _open_page),
    (".htm", _open_page),
    (".txt", _open_text),
    (".md", _open_text),
    (".xml", _open_feed),
    (".rss", _open_feed),
    (".atom", _open_feed),
    (".jsonl", _open_lines),
    (".jsonl.gz", _open_packed_lines),
    (".warc", _open_records),
    (".warc.gz", _open_packed_records),
    (".eml", _open_mail),
    (".zip", _open_zip),
    (".tar", _open_tar),
    (".tar.gz", _open_tar),
    (".tgz", _open_tar),
)
ENDINGS = tuple(ending for ending, _ in _OPENERS)


def _find_opener(name: str) -> _Opener | None:
    fitting = [(len(ending), opener) for ending, opener in _OPENERS if name.lower().endswith(ending)]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def _read_sidecar_file(path: Path) -> bytes | None:
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        with path.open("rb") as stream:
            return stream.read(MAX_SIDECAR_BYTES + 1)
    except FileNotFoundError:
        return None


def _read_sidecar(place: _Place) -> _Facts:
    for name in sidecar_names(place.name):
        raw = place.find_sidecar(name)
        if raw is None:
            continue
        if len(raw) > MAX_SIDECAR_BYTES:
            raise InputRejected(Reason.BAD_SIDECAR, f"{name} has more than {MAX_SIDECAR_BYTES:,} bytes")
        try:
            spoken = json.loads(raw.decode("utf-8-sig"))
        except (ValueError, RecursionError) as broken:
            raise InputRejected(Reason.BAD_SIDECAR, f"{name} is no JSON: {broken}"[:300]) from broken
        if not isinstance(spoken, dict):
            raise InputRejected(Reason.BAD_SIDECAR, f"{name} is no JSON object")
        return _read_facts({key: spoken.get(key) for key in _SIDECAR_KEYS}, Reason.BAD_SIDECAR)
    return _Facts()


def _read_facts(spoken: Mapping[str, Any], reason: Reason) -> _Facts:
    """Read the facts that a sidecar or line states; raises InputRejected where one has the wrong type."""
    said: dict[str, str | None] = {}
    for key in ("url", "title", "author", "published"):
        value = spoken.get(key)
        if value is not None and not isinstance(value, str):
            raise InputRejected(reason, f"`{key}` is no string")
        said[key] = _clean_string(value)
    published = parse_moment(said["published"]) if said["published"] else None
    if said["published"] and published is None:
        raise InputRejected(Reason.NO_DATE, f"`published` is no date: {said['published'][:60]!r}")
    source = spoken.get("source") if reason is Reason.BAD_SIDECAR else None
    if source is not None and not (isinstance(source, str) and _SOURCE_ID.fullmatch(source)):
        raise InputRejected(reason, "`source` is no id of a source (small letters, digits, dots, dashes)")
    return _Facts(url=said["url"], title=said["title"], author=said["author"], published=published, source_id=source)


def _arrive(
    place: _Place, payload: bytes, media: str, facts: _Facts, *, charset: str | None = None, is_partial: bool = False
) -> Arrival:
    if not payload.strip():
        raise InputRejected(Reason.EMPTY, "nothing in it")
    published, basis = _choose_published(place, facts)
    source_id = facts.source_id or place.source_id or _source_of(facts.url)
    payload_sha256 = sha256_hex(payload)
    document = Document(
        input_id=make_input_id(place.arrival, source_id, place.location, payload_sha256),
        kind=place.kind,
        source_id=source_id,
        location=place.location,
        payload_sha256=payload_sha256,
        media=media,
        received_at=place.received_at,
        url=facts.url,
        title=facts.title,
        author=facts.author,
        published_at=published.at,
        published_precision=published.precision,
        published_basis=basis,
        charset=charset,
        is_partial=is_partial,
    )
    return Arrival(document=document, payload=payload)


def _choose_published(place: _Place, facts: _Facts) -> tuple[Moment, str]:
    if facts.published is not None:
        return facts.published, facts.published_basis
    if place.modified_at is not None and place.modified_at <= place.received_at and place.modified_at.year > 1980:
        return Moment(place.modified_at.replace(microsecond=0), "minute"), "file"
    return Moment(place.received_at, "minute"), "received"


def _reject(place: _Place, reason: Reason, message: str, payload: bytes | None = None) -> Rejection:
    source_id = place.source_id or DEFAULT_SOURCE
    payload_sha256 = sha256_hex(payload) if payload is not None else None
    return Rejection(
        input_id=make_input_id(place.arrival, source_id, place.location, payload_sha256),
        kind=place.kind,
        source_id=source_id,
        location=place.location,
        stage="ingest",
        reason=reason,
        message=_printable(message),
        received_at=place.received_at,
        payload=payload,
        payload_sha256=payload_sha256,
        arrival=place.arrival,
        modified_at=place.modified_at,
    )


def _source_of(url: str | None) -> str:
    try:
        host = urlsplit(url or "").hostname or ""
    except ValueError:
        host = ""
    host = host.removeprefix("www.")
    return host if _SOURCE_ID.fullmatch(host) else DEFAULT_SOURCE


def _read_whole(place: _Place, stream: IO[bytes]) -> bytes:
    return _read_bounded(stream, place.limits.max_document_bytes)


def _read_bounded(stream: IO[bytes], limit: int) -> bytes:
    chunks, total = [], 0
    while chunk := stream.read(min(1_000_000, limit + 1 - total)):
        chunks.append(chunk)
        total += len(chunk)
        if total > limit:
            raise InputRejected(Reason.TOO_LARGE, f"more than {limit:,} bytes (drops.max_document_bytes)")
    return b"".join(chunks)


def _read_line(stream: IO[bytes], limit: int) -> bytes | int:
    """Read one line with its end; its length instead where it is over the limit, and b"" at the end."""
    line = stream.readline(limit + 1)
    if len(line) <= limit or line.endswith(b"\n"):
        return line
    length = len(line)
    while rest := stream.readline(1_000_000):
        length += len(rest)
        if rest.endswith(b"\n"):
            break
    return length


def _check_count(count: int, limits: DropSettings) -> None:
    if count > limits.max_members:
        raise InputRejected(Reason.TOO_LARGE, f"more than {limits.max_members:,} members (drops.max_members)")


def _zip_time(member: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*member.date_time, tzinfo=UTC) if member.date_time[0] > 1980 else None
    except ValueError:
        return None


def _is_safe_name(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return (
        bool(parts)
        and "\x00" not in name
        and not name.startswith(("/", "\\"))
        and ".." not in parts
        and ":" not in parts[0]
    )


def _clean_string(value: object) -> str | None:
    if value is None:
        return None
    return " ".join(tidy_text(str(value)).split()) or None


def _printable(text: str) -> str:
    """Make a name from a file system or archive valid text: undecodable bytes are shown as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\0")
