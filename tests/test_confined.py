"""A document that takes too long, too much memory or the process with it is rejected, and the next one is read."""

import os
import signal
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from blotter import confined
from blotter.config import ReadSettings
from blotter.confined import read_documents
from blotter.errors import SettingsError
from blotter.ids import sha256_hex
from blotter.model import Document
from blotter.store.staging import SliceResult

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
GOOD = b"Man shot in Springfield\n\nA man was shot and killed in Springfield, Illinois, on Monday night, police said."
LONG = b"A fire\n\n" + b" ".join(
    b"Ann Smith, %d, was hurt in a fire on Dock Street on Monday." % n for n in range(9_000)
)


def read(payloads: Sequence[bytes], *, media: str = "text", **limits: Any) -> list[SliceResult]:
    documents: list[tuple[Document, Callable[[], bytes]]] = [
        (
            Document(
                input_id=f"inp_{number}",
                kind="file",
                source_id="gazette",
                location=f"{number}.txt",
                payload_sha256=sha256_hex(payload),
                media=media,
                received_at=NOON,
                published_at=NOON,
                published_precision="minute",
                published_basis="sidecar",
            ),
            lambda payload=payload: payload,
        )
        for number, payload in enumerate(payloads)
    ]
    return read_documents(documents, settings=ReadSettings(**limits))


def told(results: Sequence[SliceResult]) -> list[str]:
    return [str(result.rejection.reason) if result.rejection else "read" for result in results]


def test_a_process_of_its_own_reads_what_this_one_reads() -> None:
    payloads = [GOOD, b"", b"\x00" * 5_000, "Überfall in Köln\n\nEin Mann wurde verletzt.".encode()]
    apart = read(payloads)
    assert apart == read(payloads, confine=False)
    assert told(apart) == ["read", "no_text", "undecodable", "read"]


def test_an_article_without_a_date_of_its_own_is_cleaned_only() -> None:
    [(document, load)] = [(result.document, lambda: GOOD) for result in read([GOOD])]
    [result] = read_documents([(document, load)], settings=ReadSettings(), undated_at=NOON)
    assert result.article is not None and result.reading is None


def test_what_takes_too_long_is_killed_and_the_rest_is_read() -> None:
    results = read([GOOD, LONG, GOOD], timeout_s=0.4)
    assert told(results) == ["read", "too_slow", "read"]
    assert results[1].rejection is not None and "read.timeout_s" in results[1].rejection.message


def test_what_takes_too_much_memory_is_rejected_and_the_rest_is_read() -> None:
    huge = b"Smoke was seen. " * 5_000_000
    assert told(read([huge, GOOD], memory_bytes=500_000_000, timeout_s=60)) == ["out_of_memory", "read"]


@pytest.mark.parametrize(
    ("sent", "n_deaths", "became"),
    [(signal.SIGSEGV, 1, "read"), (signal.SIGSEGV, 2, "crashed"), (signal.SIGKILL, 2, "out_of_memory")],
)
def test_a_process_that_dies_gets_a_second_try(
    monkeypatch: pytest.MonkeyPatch, sent: signal.Signals, n_deaths: int, became: str
) -> None:
    read([GOOD])
    deaths = iter(range(n_deaths))
    send = confined._send

    def send_and_kill(pipe: Any, content: bytes) -> None:
        if next(deaths, None) is not None:
            [process] = [one for (pid, _), one in confined._open.items() if pid == os.getpid()]
            assert process._running is not None
            os.kill(process._running.pid, sent)
            process._running.wait()
        send(pipe, content)

    monkeypatch.setattr(confined, "_send", send_and_kill)
    assert told(read([GOOD, GOOD])) == [became, "read"]


def test_a_reader_that_cannot_be_loaded_stops_before_anything_is_read() -> None:
    with pytest.raises(SettingsError, match="spacy_model"):
        read([GOOD], spacy_model="no_such_model")
