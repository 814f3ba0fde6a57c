"""Hundreds of inputs that were made to break things, each with what must become of it, among as many good ones.

`ok` means an article; a reason means that the input is rejected with it, on arrival or when cleaned.
"""

import gzip
import io
import json
import random
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from blotter.clean import clean_document
from blotter.config import DropSettings
from blotter.errors import InputRejected, Reason
from blotter.ingest.documents import ENDINGS, open_documents
from blotter.model import Article, Rejection
from ingest.test_documents import make_tar, make_warc, make_zip

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
LIMITS = DropSettings(max_document_bytes=6_000_000, max_members=500, max_unpacked_bytes=60_000_000)
MAX_PAGE_S = 10.0
OK = "ok"
P = "<p>A warehouse on Dock Street burned through the night, the fire department said on Saturday.</p>"
TEXT = "A warehouse on Dock Street burned through the night, the fire department said on Saturday."

Poison = tuple[str, bytes, set[str]]  # name, bytes, what may become of its inputs


def page(body: str, head: str = "") -> bytes:
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode("utf-8", "surrogatepass")


def make_good(number: int) -> bytes:
    body = f"<h1>Fire {number}</h1><p>{TEXT}</p><p>Nobody was hurt in house {number}, the chief said.</p>"
    return page(f"<article>{body}</article>", "<meta property='article:published_time' content='2024-03-09T08:30:00Z'>")


def make_pages() -> Iterator[Poison]:
    """HTML that is deep, wide, long, torn or hostile."""
    ok, none, large = {OK}, {"no_text"}, {"too_large"}
    any_of = {OK, "no_text", "too_large", "index_page"}
    linked = "<script type='application/ld+json'>{}</script>".format
    story = P * 3
    yield from (
        ("deep-div", page("<div>" * 20_000 + P), any_of),
        ("deep-inline", page("<b><i><a>" * 5_000 + P), any_of),
        ("deep-table", page("<table><tr><td>" * 3_000 + P), any_of),
        ("deep-list", page("<ul><li>" * 6_000 + P), any_of),
        ("deep-quote", page("<blockquote>" * 5_000 + P), any_of),
        ("deep-form", page("<form>" * 6_000 + story), any_of),
        ("deep-article", page("<article>" * 6_000 + story), any_of),
        ("million-attributes", page("<p " + " ".join(f"a{n}=1" for n in range(400_000)) + ">" + story), any_of),
        ("one-attribute-often", page("<p " + "class=x " * 300_000 + ">" + story), any_of),
        ("attribute-of-megabytes", page("<p class='" + "x" * 3_000_000 + "'>" + story), ok),
        ("class-of-megabytes", page("<div class='" + "menu-" * 200_000 + "'>x</div>" + story), ok),
        ("many-paragraphs", page("".join(f"<p>Words of line {n} here.</p>" for n in range(12_000))), any_of),
        ("too-many-elements", page("<p>x</p>" * 25_000), large),
        ("many-links", page("".join(f"<a href='/{n}'>link {n}</a>" for n in range(9_000))), {"index_page", "no_text"}),
        ("many-spans", page("<p>" + "<span>w </span>" * 9_000), any_of),
        (
            "many-dates",
            page("".join(f"<span class='date'>March {n % 28 + 1}, 2023</span>" for n in range(5_000))),
            any_of,
        ),
        ("many-times", page("<time datetime='2024-03-09'>x</time>" * 9_000 + story), any_of),
        ("many-bylines", page("".join(f"<a rel=author>By {n}</a>" for n in range(9_000)) + story), any_of),
        ("many-headings", page("<h1>x</h1>" * 9_000 + story), any_of),
        ("many-metas", page(story, "<meta name='a' content='b'>" * 9_000), ok),
        ("long-word", page("<p>" + "a" * 3_000_000), large),
        ("long-digits", page("<p>" + "12 3 2024 " * 200_000), large),
        ("long-dashes", page("<p>" + "-" * 2_000_000), large),
        ("long-spaces", page("<p>" + " " * 2_000_000 + TEXT), ok),
        ("long-title", page(story, "<title>" + "x | " * 300_000 + "</title>"), ok),
        ("long-canonical", page(story, "<link rel=canonical href='https://a.example/" + "x" * 500_000 + "'>"), ok),
        ("long-byline", page("<div class=byline>" + "By A B and C D, " * 20_000 + "</div>" + story), any_of),
        ("regex-gone", page("<p>" + "page that you are looking for " * 30_000), any_of),
        ("regex-consent", page("<p>" + "we and our 1 partners use " * 40), ok),
        ("regex-separators", page(story, "<title>" + " - " * 200_000 + "</title>"), ok),
        ("angle-brackets", page("<" * 1_000_000), any_of),
        ("comments", page("<!-- x -->" * 200_000 + story), ok),
        ("open-comment", page("<!--" + "-" * 1_000_000 + story), none),
        ("open-script", page("<script>" + "var a=1;" * 200_000), none),
        ("big-script", page("<script>" + "var a=1;" * 400_000 + "</script>" + story), ok),
        ("entities", page("<p>" + "&amp;" * 900_000), any_of),
        ("entity-bomb", b"<!DOCTYPE html [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]>" + page("<p>&b;</p>" + story), ok),
        (
            "external-entity",
            b"<!DOCTYPE html [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" + page("<p>&a;</p>" + story),
            ok,
        ),
        ("json-deep", page(story, linked("[" * 100_000)), ok),
        ("json-deep-objects", page(story, linked('{"@graph":[' * 50_000)), ok),
        ("json-wide", page(story, linked("[" + ",".join(['{"@type":"Thing"}'] * 30_000) + "]")), ok),
        (
            "json-wrong-types",
            page(story, linked('{"@type":["NewsArticle",5],"headline":{},"author":[[1]],"datePublished":7}')),
            ok,
        ),
        ("json-null", page(story, linked("null")), ok),
        ("date-impossible", page(story, "<meta name=date content='0000-00-00'>"), ok),
        ("date-future", page(story, "<meta name=date content='9999-12-31T23:59:59Z'>"), ok),
        ("date-overflow", page(story, "<meta name=date content='0001-01-01T00:00:00+14:00'>"), ok),
        ("nuls", page(story + "\x00" * 5), ok),
        ("mostly-nuls", page("\x00" * 10_000), {"undecodable"}),
        ("surrogates", page(f"<p>\ud800 {TEXT} \udfff</p>"), ok),
        ("right-to-left", page("<p>" + "\u202e\u202d" * 100_000), any_of),
        ("zalgo", page("<p>" + ("a" + "\u0301" * 50) * 5_000), any_of),
        ("emoji", page("<p>" + "😀" * 100_000), any_of),
        ("only-script", page("<script>alert(1)</script>"), none),
        ("only-images", page("<img src=a.jpg>" * 50), none),
        ("only-head", b"<html><head><title>x</title></head></html>", none),
        ("nothing-but-tags", b"<<<>>><><>", {OK, "no_text"}),
        ("base-href", page(story, "<base href='javascript:alert(1)'>"), ok),
        ("canonical-elsewhere", page(story, "<link rel=canonical href='https://thief.example/'>"), ok),
        ("wrong-charset", page(story, "<meta charset=utf-16>"), ok),
        ("unknown-charset", page(story, "<meta charset=martian>"), ok),
        ("codec-that-is-none", page(story, "<meta charset=zlib>"), ok),
        ("utf-7", b"<meta charset=utf-7>" + page(story), ok),
        ("bad-multibyte", page(story).replace(b"Dock", b"\xe9\xe8" * 50), {OK, "undecodable"}),
    )


def make_lines() -> Iterator[Poison]:
    """One broken line each between two good ones."""
    good = json.dumps({"text": TEXT, "published": "2024-03-09"})
    broken = {
        "no-json": "{",
        "array": "[]",
        "number": "5",
        "string": '"x"',
        "null": "null",
        "true": "true",
        "empty-object": "{}",
        "nan": '{"text": NaN}',
        "text-number": '{"text": 5}',
        "text-list": '{"text": ["x"]}',
        "text-object": '{"text": {}}',
        "text-empty": '{"text": ""}',
        "text-blank": '{"text": " \\n "}',
        "html-number": '{"html": 1}',
        "html-empty": '{"html": ""}',
        "url-number": '{"url": 5, "text": "x"}',
        "url-list": '{"url": [], "text": "x"}',
        "title-object": '{"title": {}, "text": "x"}',
        "author-list": '{"author": [], "text": "x"}',
        "date-word": '{"published": "soon", "text": "x"}',
        "date-number": '{"published": 5, "text": "x"}',
        "date-month": '{"published": "2024-13-01", "text": "x"}',
        "date-day": '{"published": "2024-02-30", "text": "x"}',
        "deep": '{"a":' * 50_000,
        "deep-array": "[" * 100_000,
        "single-quotes": "{'text': 'x'}",
        "trailing-comma": '{"text": "x",}',
        "two-objects": '{"text": "x"} {"text": "y"}',
        "control": '{"text": "a\x01b"}',
        "cut-escape": '{"text": "\\u12"}',
        "cut-string": '{"text": "abc',
        "comment": '// {"text": "x"}',
        "date-future": '{"published": "2999-01-01", "text": "x"}',
        "date-past": '{"published": "0999-01-01", "text": "x"}',
        "csv": "url,title,text",
        "xml": "<text>x</text>",
    }
    rejected = {"malformed", "empty", "no_date", "impossible_date"}
    for name, line in broken.items():
        yield f"line-{name}.jsonl", f"{good}\n{line}\n{good}\n".encode("utf-8", "surrogatepass"), {OK, *rejected}
    fine = {
        "surrogate": '{"text": "a \\ud800 b", "title": "\\udfff"}',
        "nul": '{"text": "a \\u0000 b"}',
        "extra": '{"text": "x", "y": {"z": [1]}}',
        "url-none": '{"text": "x", "url": null}',
        "url-odd": '{"text": "x", "url": "not an address"}',
        "huge-number": '{"text": "x", "n": 1e999}',
        "duplicate-keys": '{"text": "x", "text": "y"}',
        "long-url": json.dumps({"text": "x", "url": "http://a.example/" + "x" * 100_000}),
        "bidi": '{"text": "\\u202e x"}',
        "epoch": '{"text": "x", "published": "1709985600"}',
    }
    for name, line in fine.items():
        yield f"fine-{name}.jsonl", line.encode(), {OK}
    yield "bytes.jsonl", b'{"text": "\xff\xfe"}\n', {"malformed"}
    yield "bom.jsonl", b"\xef\xbb\xbf" + good.encode(), {OK}
    yield "no-newline.jsonl", good.encode(), {OK}
    yield "windows.jsonl", f"{good}\r\n{good}\r\n".encode(), {OK}
    yield "one-long-line.jsonl", b'{"text": "' + b"x" * 7_000_000 + b'"}', {"too_large"}


GOOD: dict[str, bytes] = {
    ".html": make_good(1),
    ".htm": make_good(2),
    ".txt": f"Fire\n\n{TEXT}\n".encode(),
    ".md": f"# Fire\n\n{TEXT}\n".encode(),
    ".jsonl": json.dumps({"text": TEXT}).encode(),
    ".jsonl.gz": gzip.compress(json.dumps({"text": TEXT}).encode()),
    ".xml": (
        f"<rss version='2.0'><channel><item><title>Fire</title><description>{TEXT}</description></item></channel></rss>"
    ).encode(),
    ".warc": make_warc({"http://a.example/": make_good(3)}, is_packed=False),
    ".warc.gz": make_warc({"http://a.example/1": make_good(4)}, is_packed=True),
    ".eml": f"From: a@b.example\r\nSubject: Fire\r\nDate: Sat, 09 Mar 2024 09:00:00 +0000\r\n\r\n{TEXT}\r\n".encode(),
    ".zip": make_zip({"a.txt": TEXT.encode()}),
    ".tar": make_tar({"a.txt": TEXT.encode()}, "w"),
    ".tar.gz": make_tar({"a.txt": TEXT.encode()}),
}
GOOD[".rss"] = GOOD[".atom"] = GOOD[".xml"]
GOOD[".tgz"] = GOOD[".tar.gz"]
BINARY = {".jsonl.gz", ".warc.gz", ".zip", ".tar.gz", ".tgz"}
ANY_REASON = {str(reason) for reason in Reason} - {"crashed"}


def make_damaged() -> Iterator[Poison]:
    """Every format cut off, empty, of noise, and under another format's ending."""
    rng = random.Random(5)
    for ending, good in GOOD.items():
        yield f"empty{ending}", b"", ANY_REASON
        yield f"noise{ending}", bytes(rng.randrange(256) for _ in range(4_000)), ANY_REASON
        yield f"zeros{ending}", b"\x00" * 4_000, ANY_REASON
        for share in (0.2, 0.6, 0.95):
            yield f"cut-{share}{ending}", good[: int(len(good) * share)], {OK, *ANY_REASON}
        flipped = bytearray(good)
        for _ in range(8):
            flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
        yield f"flipped{ending}", bytes(flipped), {OK, *ANY_REASON}
        for other in ENDINGS:
            if other != ending and GOOD[other] != good:
                # Unpacking is not minded: a packed tar is a tar. Any other packed thing under another's ending is none.
                is_hidden = ending in BINARY and other not in BINARY and other not in (".tar", ".warc")
                yield f"is{ending.replace('.', '-')}{other}", good, ANY_REASON if is_hidden else {OK, *ANY_REASON}


def make_archives() -> Iterator[Poison]:
    """Archives that leave their folder, nest, lie or explode."""
    hostile = {
        f"{number}.zip": make_zip({name: TEXT.encode()})
        for number, name in enumerate(("../a.txt", "/etc/a.txt", "a/../../b.txt", "C:\\a.txt", "..\\a.txt"))
    }
    for name, content in hostile.items():
        yield f"path-{name}", content, {"unsafe_path"}
    yield "bomb.zip", make_zip({"a.txt": b"0" * 50_000_000}), {"too_large"}
    yield "bombs.zip", make_zip({f"{n}.txt": b"0" * 5_000_000 for n in range(20)}), {"too_large"}
    yield "many.zip", make_zip({f"{n}.txt": b"x" for n in range(600)}), {"too_large"}
    yield "bomb.tar.gz", make_tar({"a.txt": b"0" * 50_000_000}), {"too_large"}
    yield "bomb.jsonl.gz", gzip.compress(b" " * 80_000_000), {"too_large"}
    yield "bomb.warc.gz", gzip.compress(b"WARC/1.0\r\n" + b"A: b\r\n" * 8_000_000), {"malformed", "too_large", "empty"}
    nested = TEXT.encode()
    for depth in range(6):
        nested = make_zip({"a.txt" if depth == 0 else "a.zip": nested})
    yield "nested.zip", nested, {"unsupported"}
    twice = io.BytesIO()
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(twice, "w") as archive:
        archive.writestr("a.txt", TEXT)
        archive.writestr("a.txt", "Another text of the same name.")
    yield "twice.zip", twice.getvalue(), {OK}
    yield (
        "lying-size.zip",
        make_zip({"a.txt": TEXT.encode()}).replace(b"\x5a\x00\x00\x00", b"\xff\xff\xff\x7f"),
        {OK, *ANY_REASON},
    )
    members = {"folder/": b"", "a.exe": b"MZ", ".hidden.txt": TEXT.encode(), "ü\u202e.txt": TEXT.encode()}
    for number, (name, content) in enumerate(members.items()):
        yield f"member-{number}.zip", make_zip({name: content}), {OK, "unsupported", "empty"}
    yield "packed-badly.warc", make_warc({"http://a.example/": b"\x1f\x8b not"}, is_packed=False), {OK, *ANY_REASON}
    yield "no-html.warc", make_warc({"http://a.example/": b"x"}, is_packed=False, content_type="image/png"), {"empty"}
    for kind in (
        "text/plain; charset=martian",
        "multipart/mixed; boundary=x",
        "multipart/mixed",
        "application/pdf",
        "text/html",
    ):
        mail = f"Subject: =?utf-8?b?!!!?=\r\nDate: never\r\nContent-Type: {kind}\r\n\r\n{TEXT}\r\n"
        yield (
            f"mail-{kind.replace('/', '-').partition(';')[0]}-{len(kind)}.eml",
            mail.encode(),
            {OK, "empty", "malformed"},
        )
    yield "mail-endless-header.eml", b"Subject: " + b"x" * 2_000_000 + b"\r\n\r\n" + TEXT.encode(), {OK, "malformed"}
    yield (
        "mail-deep.eml",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" * 400 + TEXT.encode(),
        {OK, *ANY_REASON},
    )
    yield "200-victims.txt", (TEXT + " " + "John Smith, 31; " * 200).encode(), {OK}


def make_corpus() -> list[Poison]:
    pages = [(f"{name}.html", content, expected) for name, content, expected in make_pages()]
    return [*pages, *make_lines(), *make_damaged(), *make_archives()]


def take(path: Path) -> Iterator[tuple[str, Article | None, float]]:
    """What becomes of each input of a file, and how long cleaning it took."""
    for arrived in open_documents(path, source_id=None, arrival="a", received_at=NOW, limits=LIMITS):
        if isinstance(arrived, Rejection):
            assert arrived.message
            yield str(arrived.reason), None, 0.0
            continue
        started = time.process_time()
        try:
            article = clean_document(arrived.document, arrived.payload)
        except InputRejected as rejected:
            yield str(rejected.reason), None, time.process_time() - started
        else:
            article.text.encode()
            assert "\x00" not in article.text
            yield OK, article, time.process_time() - started


def test_poison_among_good_ones(tmp_path: Path) -> None:
    corpus = make_corpus()
    assert len(corpus) >= 300
    assert len({name for name, _, _ in corpus}) == len(corpus)
    wrong: list[str] = []
    slow: dict[str, float] = {}
    for number, (name, content, expected) in enumerate(corpus):
        poison, good = tmp_path / name, tmp_path / f"good-{number}.html"
        poison.write_bytes(content)
        became = list(take(poison))
        poison.unlink()
        if not {outcome for outcome, _, _ in became} <= expected or not became:
            wrong.append(f"{name}: {[outcome for outcome, _, _ in became][:5]}, expected {sorted(expected)[:6]}")
        if (longest := max((spent for _, _, spent in became), default=0.0)) > MAX_PAGE_S:
            slow[name] = longest
        good.write_bytes(make_good(number))
        ((outcome, article, _),) = take(good)
        assert outcome == OK
        assert article is not None
        assert article.text == f"Fire {number}\n\n{TEXT}\nNobody was hurt in house {number}, the chief said."
    assert not wrong, "\n".join(wrong)
    assert not slow
