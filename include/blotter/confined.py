"""Reading in a process of its own: what a document does to it in time, memory or by a crash ends there.

Belongs here: that process, both its ends, and what its death says of a document. Does not belong here: cleaning and
reading (`blotter.reading`).

One process reads document after document and lives as long as its parent, so that what it costs is its start (about
three seconds, which the parent then does not need) and the way of the bytes through a pipe. It is a program of its own,
not a fork, so that it holds no lock, connection or thread of its parent. When it is killed, or dies, the next document
gets a new one. Time is processor time, counted by the kernel: a good document on a busy machine is not slow.
"""

import atexit
import gc
import logging
import os
import resource
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from blotter.config import ReadSettings
from blotter.errors import BlotterError, InputRejected, Reason, SettingsError
from blotter.model import Article, Document
from blotter.reading import load_reader, read_article, read_document, reject_document
from blotter.store.staging import SliceResult, pack_results, unpack_results

if TYPE_CHECKING:  # loading it takes seconds: only the process that reads needs it
    from blotter.extract import Reader

log = logging.getLogger(__name__)

_START_S = 300  # a machine that takes longer to load a reader is not going to read
_WAITING = 10  # times its processor time a document may take by the clock: one that waits is stopped as well
_PIPE_BYTES = 1 << 20
_LENGTH = struct.Struct(">Q")
_READY, _READ, _SETTINGS, _FAULT = "ready", "read", "settings", "fault"
_OUT_OF_MEMORY = 77  # the exit code of a process that ran into its limit


class _Request(msgspec.Struct, frozen=True, array_like=True):
    """What is to be read: a document's bytes, or an article that was cleaned before."""

    document: Document
    payload: bytes = b""
    article: Article | None = None
    undated_at: datetime | None = None

    @property
    def stage(self) -> str:
        """Where it fails, if it does."""
        return "clean" if self.article is None else "extract"


def read_documents(
    documents: Iterable[tuple[Document, Callable[[], bytes]]],
    *,
    settings: ReadSettings,
    undated_at: datetime | None = None,
) -> list[SliceResult]:
    """Clean and read documents; one result each, in their order, whatever their bytes are.

    A document comes with a function that gets its bytes, so that one payload at a time is in memory; it may raise
    InputRejected where they may not be read. An article that
    was published at `undated_at` has no date of its own yet and is cleaned only. What is wrong with our own disk is
    raised: trying again can help, and no document is to blame.
    """
    read = _choose_reader(settings)
    results = []
    for document, load in documents:
        try:
            request = _Request(document, load(), None, undated_at)
        except InputRejected as rejected:
            results.append(_reject(_Request(document), rejected.reason, rejected.message))
        else:
            results.append(read(request))
    return results


def read_articles(articles: Iterable[tuple[Document, Article]], *, settings: ReadSettings) -> list[SliceResult]:
    """Read articles that were cleaned before; one result each, as `read_documents` gives them.

    An article comes with the document that it goes by.
    """
    read = _choose_reader(settings)
    return [read(_Request(document, b"", article)) for document, article in articles]


def _choose_reader(settings: ReadSettings) -> Callable[[_Request], SliceResult]:
    if settings.confine:
        return partial(_open_process(settings.spacy_model).read, limits=settings)
    return partial(_read, load_reader(settings.spacy_model))


def _read(reader: "Reader", request: _Request) -> SliceResult:
    if request.article is not None:
        return read_article(reader, request.document, request.article)
    return read_document(reader, request.document, request.payload, undated_at=request.undated_at)


class _Ended(Exception):
    """The process ended without an answer."""


class _TooLong(Exception):
    """The process did not answer in time."""


class ReadingProcess:
    """The parent's end. The process is started when it is first needed, and again after each death."""

    def __init__(self, spacy_model: str | None) -> None:
        self._spacy_model = spacy_model
        self._owner_pid = os.getpid()
        self._running: subprocess.Popen[bytes] | None = None

    def read(self, request: _Request, limits: ReadSettings) -> SliceResult:
        """Read one document or article; its rejection where the process dies of it.

        A process that dies or runs out of memory may do so of what came before, so a new one tries once more.
        """
        limit_s = limits.timeout_s
        sent = msgspec.msgpack.encode((request, limit_s, limits.memory_bytes))
        reason, message = Reason.CRASHED, ""
        for _ in range(2):
            running = self._start()
            try:
                _send(running.stdin, sent)
                kind, told = _receive(running.stdout, limit_s * _WAITING + 1)
            except _TooLong:
                self.stop()
                return _reject(request, Reason.TOO_SLOW, f"no end after {limit_s * _WAITING:g} s of waiting")
            except (_Ended, BrokenPipeError):
                died = self._wait()
                if died == -signal.SIGPROF:
                    return _reject(request, Reason.TOO_SLOW, f"over {limit_s:g} s of processor time (read.timeout_s)")
                reason, message = _judge_death(died, limits)
                log.warning("%s: the reading process died: %s", request.document.location, message)
                continue
            if kind == _READ:
                return unpack_results(told)[0]
            self.stop()
            raise OSError(told.decode())
        return _reject(request, reason, message)

    def stop(self) -> None:
        """End the process at once; does nothing where there is none, or in a fork, whose it is not."""
        if self._running is not None and self._owner_pid == os.getpid():
            self._running.kill()
            self._wait()

    def _start(self) -> subprocess.Popen[bytes]:
        if self._running is not None and self._running.poll() is None:
            return self._running
        if self._running is not None:
            self._wait()
        package = str(Path(__file__).parents[1])
        paths = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        self._running = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-P", "-m", "blotter.confined", self._spacy_model or ""],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": paths},
            pipesize=_PIPE_BYTES,
        )
        try:
            kind, told = _receive(self._running.stdout, _START_S)
        except (_Ended, _TooLong) as stillborn:
            self.stop()
            raise BlotterError("the reading process did not start; its own words are above") from stillborn
        if kind == _SETTINGS:
            self.stop()
            raise SettingsError("read.spacy_model", f"an installed spaCy pipeline ({told.decode()})", self._spacy_model)
        return self._running

    def _wait(self) -> int:
        running, self._running = self._running, None
        if running is None:
            return 0
        for pipe in (running.stdin, running.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        return running.wait()


_open: dict[tuple[int, str | None], ReadingProcess] = {}


def _open_process(spacy_model: str | None) -> ReadingProcess:
    """Give this process its one reading process for a model; a fork of ours gets one of its own."""
    key = (os.getpid(), spacy_model)
    if key not in _open:
        _open[key] = ReadingProcess(spacy_model)
        atexit.register(_open[key].stop)
    return _open[key]


def _judge_death(code: int, limits: ReadSettings) -> tuple[Reason, str]:
    """Say what the death of the process means for the document that it read."""
    if code == _OUT_OF_MEMORY:
        return Reason.OUT_OF_MEMORY, f"over {limits.memory_bytes:,} bytes (read.memory_bytes)"
    if code == -signal.SIGKILL:
        return Reason.OUT_OF_MEMORY, "the machine killed the process that read it, which it does for want of memory"
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return Reason.CRASHED, f"the process that read it ended by {how}"


def _reject(request: _Request, reason: Reason, message: str) -> SliceResult:
    document = request.document
    return SliceResult(document=document, rejection=reject_document(document, request.stage, reason, message))


def _send(pipe: IO[bytes] | None, content: bytes) -> None:
    assert pipe is not None  # noqa: S101 - opened by us
    pipe.write(_LENGTH.pack(len(content)) + content)
    pipe.flush()


def _receive(pipe: IO[bytes] | None, timeout_s: float) -> tuple[str, bytes]:
    assert pipe is not None  # noqa: S101 - opened by us
    give_up_at = time.monotonic() + timeout_s
    (length,) = _LENGTH.unpack(_receive_bytes(pipe, _LENGTH.size, give_up_at))
    kind, told = msgspec.msgpack.decode(_receive_bytes(pipe, length, give_up_at))
    return kind, told


def _receive_bytes(pipe: IO[bytes], length: int, give_up_at: float) -> bytes:
    gathered = bytearray()
    while len(gathered) < length:
        ready, _, _ = select.select([pipe], [], [], max(0.0, give_up_at - time.monotonic()))
        if not ready:
            raise _TooLong
        if not (part := os.read(pipe.fileno(), min(_PIPE_BYTES, length - len(gathered)))):
            raise _Ended
        gathered += part
    return bytes(gathered)


def main() -> None:
    """Be the process: read what comes in until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the parent, whose end is ours
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints goes to the log, not among the answers
    spacy_model = sys.argv[1] or None
    _answer(answers, *_prepare(spacy_model))
    try:
        while header := sys.stdin.buffer.read(_LENGTH.size):
            request = sys.stdin.buffer.read(*_LENGTH.unpack(header))
            with suppress(BrokenPipeError):
                _answer(answers, *_read_request(spacy_model, request))
    except MemoryError:
        os._exit(_OUT_OF_MEMORY)  # at once: there is no memory to end in order


def _prepare(spacy_model: str | None) -> tuple[str, bytes]:
    try:
        load_reader(spacy_model)
    except OSError as missing:  # spaCy's
        if spacy_model is None:
            raise
        return _SETTINGS, str(missing).encode()
    _warm_up(spacy_model)
    gc.freeze()  # lexicons live as long as we do: no collection needs to look at them again
    return _READY, b""


def _warm_up(spacy_model: str | None) -> None:
    """Read a page that says nothing, so that no document pays for what libraries do when they are first used."""
    now = datetime(2000, 1, 2, tzinfo=UTC)
    words = b"There is nothing to tell today, and so this page tells nothing of anyone, anywhere or of any time at all."
    page = b"<html><head><title>Notice</title></head><body><article><p>" + words + b"</p></article></body></html>"
    document = Document(
        input_id="", kind="file", source_id="", location="", payload_sha256="", media="html", received_at=now
    )
    read_document(load_reader(spacy_model), document, page)


def _read_request(spacy_model: str | None, request: bytes) -> tuple[str, bytes]:
    sought, limit_s, n_bytes = msgspec.msgpack.decode(request, type=tuple[_Request, float, int])
    _limit_memory(n_bytes)
    signal.setitimer(signal.ITIMER_PROF, limit_s)
    try:
        return _READ, pack_results([_read(load_reader(spacy_model), sought)])
    except MemoryError:
        raise
    except Exception as fault:  # noqa: BLE001 - told to the parent, which raises it
        return _FAULT, f"{type(fault).__name__}: {fault}".encode("utf-8", "replace")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _limit_memory(n_bytes: int) -> None:
    with suppress(ValueError, OSError):  # a lower limit that someone set for us stands
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (n_bytes, hard))


def _answer(answers: IO[bytes], kind: str, told: bytes) -> None:
    _send(answers, msgspec.msgpack.encode((kind, told)))


if __name__ == "__main__":
    main()
