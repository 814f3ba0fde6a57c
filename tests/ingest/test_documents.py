"""Any file of the drop formats becomes Arrivals and Rejections, each with its place."""

import gzip
import io
import json
import os
import tarfile
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from blotter.clean import clean_document
from blotter.config import DropSettings
from blotter.errors import Reason
from blotter.ids import sha256_hex
from blotter.ingest.documents import open_documents, split_title
from blotter.model import Arrival, Rejection

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
STORY = "A warehouse burned in Millbrook on Saturday, the fire department said. Nobody was hurt."
PAGE = f"""<!doctype html><html lang="en"><head><title>Warehouse burns - Courier</title>
<meta property="og:title" content="Warehouse burns">
<meta property="article:published_time" content="2024-03-09T08:30:00Z"></head>
<body><article><h1>Warehouse burns</h1><p>{STORY}</p><p>{STORY} Crews left at noon.</p></article></body></html>"""


def make_file(tmp_path: Path, name: str, content: bytes | str, *, sidecar: object = None) -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    if sidecar is not None:
        raw = sidecar if isinstance(sidecar, str) else json.dumps(sidecar)
        path.with_suffix(".meta.json").write_text(raw)
    os.utime(path, times=((NOW - timedelta(hours=1)).timestamp(),) * 2)
    return path


def open_all(
    path: Path, *, source_id: str | None = None, limits: DropSettings | None = None
) -> list[Arrival | Rejection]:
    return list(
        open_documents(path, source_id=source_id, arrival="arr_1", received_at=NOW, limits=limits or DropSettings())
    )


def open_one(path: Path, **options: object) -> Arrival:
    (arrival,) = open_all(path, **options)  # type: ignore[arg-type]
    assert isinstance(arrival, Arrival), arrival
    return arrival


def reasons(found: Sequence[Arrival | Rejection]) -> list[Reason | None]:
    return [one.reason if isinstance(one, Rejection) else None for one in found]


def make_zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def make_tar(members: dict[str, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), int(NOW.timestamp()) - 60
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def make_warc(pages: dict[str, bytes], *, is_packed: bool, content_type: str = "text/html; charset=utf-8") -> bytes:
    archive = b""
    for number, (url, page) in enumerate(pages.items()):
        block = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n".encode() + page
        head = (
            f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{number:032x}>\r\n"
            f"WARC-Target-URI: {url}\r\nWARC-Date: 2024-03-09T10:00:00Z\r\n"
            f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n"
        )
        record = head.encode() + block + b"\r\n\r\n"
        archive += gzip.compress(record) if is_packed else record
    return archive


def test_page_with_sidecar(tmp_path: Path) -> None:
    path = make_file(
        tmp_path, "a.html", PAGE, sidecar={"url": "https://www.courier.example/a", "published": "2024-03-09"}
    )
    arrival = open_one(path)
    document = arrival.document
    assert (document.source_id, document.url) == ("courier.example", "https://www.courier.example/a")
    assert (document.published_at, document.published_precision) == (datetime(2024, 3, 9, tzinfo=UTC), "day")
    assert document.published_basis == "sidecar"
    assert (document.location, document.payload_sha256) == (str(path), sha256_hex(PAGE))


def test_page_alone_is_dated_by_itself(tmp_path: Path) -> None:
    arrival = open_one(make_file(tmp_path, "a.htm", PAGE))
    article = clean_document(arrival.document, arrival.payload)
    assert (article.published_at, article.published_basis) == (datetime(2024, 3, 9, 8, 30, tzinfo=UTC), "page")
    assert article.text.startswith(f"Warehouse burns\n\n{STORY}")
    assert article.source_id == "inbox"


def test_text_takes_its_first_line_for_a_title_and_its_file_for_a_date(tmp_path: Path) -> None:
    arrival = open_one(make_file(tmp_path, "a.txt", f"Warehouse burns\n\n{STORY}\n"), source_id="courier")
    article = clean_document(arrival.document, arrival.payload)
    assert (article.title, article.text) == ("Warehouse burns", f"Warehouse burns\n\n{STORY}")
    assert (article.published_at, article.published_basis) == (NOW - timedelta(hours=1), "file")
    assert arrival.document.source_id == "courier"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Short line\n\nBody.", "Short line"),
        ("Ends with a stop.\n\nBody.", None),
        ("No blank line\nBody.", None),
        (f"{'x' * 121}\n\nBody.", None),
        ("Only a line", None),
        ("# Heading\n\nBody.", "Heading"),
    ],
)
def test_title_rule(text: str, title: str | None) -> None:
    assert split_title(text)[0] == title


def test_sidecar_names_the_source(tmp_path: Path) -> None:
    assert (
        open_one(make_file(tmp_path, "a.txt", STORY, sidecar={"source": "wire"}), source_id="x").document.source_id
        == "wire"
    )


@pytest.mark.parametrize(
    ("sidecar", "reason"),
    [
        ("{broken", Reason.BAD_SIDECAR),
        ("[]", Reason.BAD_SIDECAR),
        ({"url": 5}, Reason.BAD_SIDECAR),
        ({"source": "../etc"}, Reason.BAD_SIDECAR),
        ({"published": "someday"}, Reason.NO_DATE),
    ],
)
def test_bad_sidecar_is_a_rejection(tmp_path: Path, sidecar: object, reason: Reason) -> None:
    assert reasons(open_all(make_file(tmp_path, "a.txt", STORY, sidecar=sidecar))) == [reason]


def test_lines_keep_their_numbers_and_bad_ones_hide_none(tmp_path: Path) -> None:
    lines = [
        json.dumps({"url": "https://www.courier.example/1", "title": "One", "published": "2024-03-09", "text": STORY}),
        "{broken",
        "",
        json.dumps({"url": None, "title": "Four", "published": "2024-03-09T10:00:00", "text": STORY, "extra": [1]}),
        json.dumps([1]),
        json.dumps({"title": "Six", "text": ""}),
        json.dumps({"title": 7, "text": STORY}),
        json.dumps({"title": "Eight", "html": f"<p>{STORY}</p><p>More.</p>"}),
        json.dumps({"title": "lone \ud800 surrogate", "text": STORY + "\ud800"}),
    ]
    path = make_file(tmp_path, "a.jsonl", "\n".join(lines))
    found = open_all(path)
    assert [one.location if isinstance(one, Rejection) else one.document.location for one in found] == [
        f"{path}#{number}" for number in (1, 2, 4, 5, 6, 7, 8, 9)
    ]
    assert reasons(found) == [
        None, Reason.MALFORMED, None, Reason.MALFORMED, Reason.EMPTY, Reason.MALFORMED, None, None,
    ]  # fmt: skip
    articles = [clean_document(one.document, one.payload) for one in found if isinstance(one, Arrival)]
    assert articles[0].text == f"One\n\n{STORY}"
    assert articles[1].published_at == datetime(2024, 3, 9, 10, tzinfo=UTC)
    assert articles[2].text == f"Eight\n\n{STORY}\nMore."
    assert len({one.input_id if isinstance(one, Rejection) else one.document.input_id for one in found}) == len(found)


def test_the_same_arrival_gives_the_same_ids_and_another_one_others(tmp_path: Path) -> None:
    path = make_file(tmp_path, "a.jsonl", json.dumps({"text": STORY}))
    first, again = open_one(path), open_one(path)
    (other,) = open_documents(path, source_id=None, arrival="arr_2", received_at=NOW, limits=DropSettings())
    assert first == again
    assert isinstance(other, Arrival)
    assert other.document.input_id != first.document.input_id


def test_a_line_over_the_limit_is_rejected_and_the_next_one_read(tmp_path: Path) -> None:
    path = make_file(tmp_path, "a.jsonl", "x" * 5000 + "\n" + json.dumps({"text": STORY}) + "\n")
    assert reasons(open_all(path, limits=DropSettings(max_document_bytes=1000))) == [Reason.TOO_LARGE, None]


def test_packed_lines_and_a_torn_end(tmp_path: Path) -> None:
    packed = gzip.compress("\n".join(json.dumps({"text": f"{STORY} {n}"}) for n in range(500)).encode())
    assert reasons(open_all(make_file(tmp_path, "a.jsonl.gz", packed))) == [None] * 500
    torn = reasons(open_all(make_file(tmp_path, "b.jsonl.gz", packed[:-20])))
    assert torn[-1] is Reason.MALFORMED
    assert set(torn[:-1]) <= {None, Reason.MALFORMED}


def test_a_bomb_is_stopped(tmp_path: Path) -> None:
    bomb = gzip.compress(b"\n" * 60_000_000)
    assert reasons(open_all(make_file(tmp_path, "a.jsonl.gz", bomb)))[-1] is Reason.TOO_LARGE
    zipped = make_zip({"a.txt": b"\n" * 60_000_000})
    assert reasons(open_all(make_file(tmp_path, "a.zip", zipped))) == [Reason.TOO_LARGE]


@pytest.mark.parametrize("pack", [make_zip, make_tar])
def test_archive_members_and_their_sidecars(tmp_path: Path, pack: object) -> None:
    inner = {
        "day/a.txt": STORY.encode(),
        "day/b.html": PAGE.encode(),
        "day/a.meta.json": b'{"url": "https://wire.example/a", "published": "2024-03-08"}',
        "c.jsonl": json.dumps({"text": STORY}).encode(),
        "d.pdf": b"%PDF",
        "../e.txt": STORY.encode(),
    }
    name = "a.zip" if pack is make_zip else "a.tar.gz"
    path = make_file(tmp_path, name, pack(inner))  # type: ignore[operator]
    found = open_all(path)
    by_place = {one.location if isinstance(one, Rejection) else one.document.location: one for one in found}
    assert set(by_place) == {f"{path}!{m}" for m in ("day/a.txt", "day/b.html", "c.jsonl#1", "d.pdf", "../e.txt")}
    first = by_place[f"{path}!day/a.txt"]
    assert isinstance(first, Arrival)
    assert (first.document.url, first.document.published_basis) == ("https://wire.example/a", "sidecar")
    assert reasons([by_place[f"{path}!d.pdf"], by_place[f"{path}!../e.txt"]]) == [
        Reason.UNSUPPORTED, Reason.UNSAFE_PATH,
    ]  # fmt: skip


def test_archives_in_archives_end(tmp_path: Path) -> None:
    content, name = STORY.encode(), "a.txt"
    for _ in range(5):
        content, name = make_zip({name: content}), "inner.zip"
    assert reasons(open_all(make_file(tmp_path, "a.zip", content))) == [Reason.UNSUPPORTED]


def test_links_in_a_tar_are_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        link = tarfile.TarInfo("a.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert reasons(open_all(make_file(tmp_path, "a.tar", buffer.getvalue()))) == [Reason.UNSAFE_PATH]


@pytest.mark.parametrize("is_packed", [True, False])
def test_web_archive(tmp_path: Path, is_packed: bool) -> None:
    warc = make_warc({f"https://courier.example/{n}": PAGE.encode() for n in range(3)}, is_packed=is_packed)
    path = make_file(tmp_path, "a.warc.gz" if is_packed else "a.warc", warc)
    found = open_all(path)
    assert reasons(found) == [None] * 3
    assert isinstance(found[2], Arrival)
    document = found[2].document
    assert (document.location, document.url) == (f"{path}#3", "https://courier.example/2")
    assert (document.fetched_at, document.charset) == (datetime(2024, 3, 9, 10, tzinfo=UTC), "utf-8")
    assert clean_document(document, found[2].payload).published_basis == "page"


def test_mail(tmp_path: Path) -> None:
    mail = (
        "From: Press Office <press@police.example>\r\nSubject: =?utf-8?q?Arrest_in_Millbrook?=\r\n"
        "Date: Sat, 09 Mar 2024 09:15:00 -0500\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
        f"Content-Transfer-Encoding: quoted-printable\r\n\r\n{STORY} Caf=E9.\r\n"
    )
    arrival = open_one(make_file(tmp_path, "a.eml", mail))
    article = clean_document(arrival.document, arrival.payload)
    assert article.text == f"Arrest in Millbrook\n\n{STORY} Café."
    assert article.published_at == datetime(2024, 3, 9, 14, 15, tzinfo=UTC)
    assert arrival.document.kind == "mail"


def test_feed_file(tmp_path: Path) -> None:
    feed = f"""<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
    <title>Courier</title><item><title>Warehouse burns</title><link>https://courier.example/a</link>
    <pubDate>Sat, 09 Mar 2024 08:30:00 GMT</pubDate>
    <content:encoded><![CDATA[<p>{STORY}</p><p>Second.</p>]]></content:encoded>
    </item><item><title>Bare</title></item></channel></rss>"""
    found = open_all(make_file(tmp_path, "a.xml", feed))
    assert reasons(found) == [None, Reason.EMPTY]
    assert isinstance(found[0], Arrival)
    article = clean_document(found[0].document, found[0].payload)
    assert article.text == f"Warehouse burns\n\n{STORY}\nSecond."
    assert (article.published_basis, article.published_at) == ("feed", datetime(2024, 3, 9, 8, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    "ending", [".html", ".txt", ".jsonl", ".jsonl.gz", ".xml", ".warc", ".warc.gz", ".eml", ".zip", ".tar", ".tar.gz"]
)
@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff\xfe garbage \x80" * 50, b"\x1f\x8b\x08\x00truncated", b"PK\x03\x04", b"WARC/1.0\r\n"]
)
def test_no_bytes_of_any_ending_raise(tmp_path: Path, ending: str, content: bytes) -> None:
    for found in open_all(make_file(tmp_path, f"a{ending}", content)):
        assert isinstance(found, Arrival | Rejection)


def test_links_and_missing_files_are_said(tmp_path: Path) -> None:
    target = make_file(tmp_path, "a.txt", STORY)
    (tmp_path / "b.txt").symlink_to(target)
    assert reasons(open_all(tmp_path / "b.txt")) == [Reason.UNSAFE_PATH]
    assert reasons(open_all(tmp_path / "none.txt")) == [Reason.UNDECODABLE]
