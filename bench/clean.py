"""Cleaning measured beside the bare library: speed as a ratio, and title, author, date and text against known values.

The pages are made here, of six kinds and about the weight of real ones (scripts, menus, teasers, comments, footers);
no page of a publisher is among them. `trafilatura` is `bare_extraction(fast=True, with_metadata=True)` on the same.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import trafilatura

from blotter.clean import clean_document
from blotter.clean.page import extract_body, parse_page, read_head, search_date
from blotter.errors import InputRejected
from blotter.ids import sha256_hex
from blotter.model import Document

WORDS = (
    "police", "fire", "officers", "said", "the", "of", "a", "an", "in", "on", "at", "near", "after", "before",
    "crash", "street", "avenue", "county", "residents", "council", "school", "driver", "vehicle", "hospital",
    "morning", "evening", "investigators", "witnesses", "family", "building", "water", "river", "bridge", "north",
    "south", "department", "spokesperson", "reported", "found", "called", "arrived", "injured", "taken", "closed",
    "opened", "weather", "road", "city", "mayor",
)  # fmt: skip
NAMES = ("Marta Ellison", "Dov Prasad", "Ines Okafor", "Cal Brandt", "Yusuf Lindqvist", "Rosa Whitten")
SITE = "Millbrook Courier"
ICON = '<svg viewBox="0 0 9 9" class="icon"><g><path d="M12 2L2 7l10 5z"></path><path d="M2 17l9 5"/></g></svg>'
PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title} - {site}</title>
{head}{style}{script}</head><body class="single"><header><nav class="main-nav"><ul>{menu}</ul></nav></header><main>
<article class="post"><h1 class="entry-title">{title}</h1>
<div class="byline">By <a rel="author" href="/by/1">{author}</a> {stamp}</div>
<div class="entry-content">{body}</div></article>
<aside class="related-stories">{teasers}</aside><section id="comments">{comments}</section></main>
<footer class="site-footer">Copyright {site} 2026<ul>{menu}</ul></footer>{script}</body></html>"""
NOW = datetime(2026, 3, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Page:
    """A made page with what a reader sees on it."""

    kind: str
    html: bytes
    title: str
    author: str
    date: str
    body: str


def write_sentence(rng: random.Random, n_words: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(n_words)).capitalize() + "."


def make_page(rng: random.Random, kind: str) -> Page:
    title = write_sentence(rng, rng.randint(6, 11))[:-1]
    author, day = rng.choice(NAMES), NOW - timedelta(days=rng.randint(1, 2000), hours=rng.randint(0, 23))
    paragraphs = [
        " ".join(write_sentence(rng, rng.randint(9, 25)) for _ in range(rng.randint(1, 4))) for _ in range(18)
    ]
    shown = f"{day:%B} {day.day}, {day.year}"
    stamp = {
        "time-element": f'<time class="published" datetime="{day:%Y-%m-%dT%H:%M:%SZ}">{shown}</time>',
        "text-only": f"<span>Posted {shown}</span>",
    }.get(kind, "")
    body = "".join(
        f"<p>{text}</p>" + ('<div class="ad-slot"></div>' if n % 5 == 0 else "") for n, text in enumerate(paragraphs)
    )
    html = PAGE.format(
        title=title,
        author=author,
        site=SITE,
        head=write_head(kind, title, author, day),
        style="<style>" + ".a{color:red}" * 2500 + "</style>",
        script=f"<script>window.data={json.dumps([write_sentence(rng, 9) for _ in range(700)])};</script>",
        menu=write_menu(rng),
        teasers=write_teasers(rng),
        comments="".join(f'<div class="comment"><p>{write_sentence(rng, 14)}</p></div>' for _ in range(30)),
        stamp=stamp,
        body=body,
    )
    if rng.random() < 0.5:
        # Half of the pages say with their elements what is menu and what is margin, half only with their classes.
        for element in ("nav", "aside", "footer"):
            html = html.replace(f"<{element} ", "<div ").replace(f"</{element}>", "</div>")
    return Page(kind, html.encode(), title, author, f"{day:%Y-%m-%d}", "\n".join(paragraphs))


def write_head(kind: str, title: str, author: str, day: datetime) -> str:
    iso = f"{day:%Y-%m-%dT%H:%M:%SZ}"
    story = {"@type": "NewsArticle", "headline": title, "datePublished": iso, "dateModified": iso}
    graph = [{"@type": "WebPage", "name": title}, {**story, "author": [{"@type": "Person", "name": author}]}]
    linked = json.dumps({"@context": "https://schema.org", "@graph": graph})
    metas = {
        "open-graph": {
            "og:type": "article", "og:title": f"{title} | {SITE}", "og:site_name": SITE, "author": author,
            "article:published_time": iso,
        },
        "old-meta": {"pubdate": f"{day:%Y%m%d}", "byl": f"By {author}", "DC.title": title},
    }.get(kind, {})  # fmt: skip
    head = "".join(f'<meta property="{name}" content="{content}">' for name, content in metas.items())
    if kind == "json-ld":
        head += f'<script type="application/ld+json">{linked}</script>'
    if kind == "url-only":
        head += f'<link rel="canonical" href="https://www.courier.example/{day:%Y/%m/%d}/story.html">'
    return head


def write_menu(rng: random.Random) -> str:
    return "".join(
        f'<li class="menu-item menu-item-{n}"><a href="/s/{n}" class="menu-link"><span>{write_sentence(rng, 3)}</span>'
        f"{ICON}</a></li>"
        for n in range(120)
    )


def write_teasers(rng: random.Random) -> str:
    return "".join(
        f'<div class="card card--small" data-id="{n}"><div class="card__inner"><div class="card__media">'
        f'<a href="/t/{n}"><picture><source srcset="/i/{n}.webp"><img src="/i/{n}.jpg" alt=""></picture></a></div>'
        f'<div class="card__body"><span class="card__label">{write_sentence(rng, 2)}</span><h3 class="card__title">'
        f'<a href="/t/{n}">{write_sentence(rng, 8)}</a></h3><div class="card__meta"><span>{rng.randint(1, 9)}h</span>'
        f"{ICON}</div></div></div></div>"
        for n in range(110)
    )


KINDS = ("json-ld", "open-graph", "old-meta", "time-element", "url-only", "text-only")


def make_pages(n_pages: int) -> Iterator[Page]:
    rng = random.Random(20260310)
    for number in range(n_pages):
        yield make_page(rng, KINDS[number % len(KINDS)])


@dataclass(frozen=True)
class Found:
    title: str | None
    author: str | None
    date: str | None
    body: str


def clean_by_blotter(page: Page, *, url: str | None = None) -> Found:
    document = Document(
        input_id="i", kind="file", source_id="s", location="l", payload_sha256=sha256_hex(page.html), media="html",
        received_at=NOW, url=url,
    )  # fmt: skip
    article = clean_document(document, page.html)
    body = article.text.removeprefix(article.title).strip()
    date = f"{article.published_at:%Y-%m-%d}" if article.published_basis == "page" else None
    return Found(article.title, article.author, date, body)


def clean_by_trafilatura(page: Page) -> Found:
    found = trafilatura.bare_extraction(page.html, fast=True, with_metadata=True, include_comments=False)
    return (
        Found(found.title, found.author, found.date, found.text) if found is not None else Found(None, None, None, "")
    )


def measure_f1(found: str, known: str) -> float:
    left, right = Counter(found.split()), Counter(known.split())
    shared = (left & right).total()
    return 2 * shared / (left.total() + right.total()) if shared else 0.0


def measure(clean: Callable[[Page], Found], pages: list[Page]) -> tuple[list[Found], list[float]]:
    found, times = [], []
    for page in pages:
        started = time.process_time()
        try:
            found.append(clean(page))
        except InputRejected as rejected:
            found.append(Found(None, None, None, str(rejected.reason)))
        times.append(time.process_time() - started)
    return found, times


def report(name: str, pages: list[Page], found: list[Found], times: list[float]) -> None:
    pairs = list(zip(pages, found, strict=True))
    rates = {
        "title": sum(one.title == page.title for page, one in pairs),
        "author": sum(one.author == page.author for page, one in pairs),
        "date": sum(one.date == page.date for page, one in pairs),
    }
    shares = "  ".join(f"{what} {n / len(pages):.3f}" for what, n in rates.items())
    speed = f"{len(pages) / sum(times):6.1f} pages a CPU-s, slowest {max(times) * 1000:4.0f} ms"
    f1 = sum(measure_f1(one.body, page.body) for page, one in pairs) / len(pages)
    print(f"  {name:12} {speed}, text F1 {f1:.3f}  {shares}")


def profile_stages(pages: list[Page]) -> None:
    stages: dict[str, float] = Counter()
    for page in pages:
        html = page.html.decode()
        marks = [time.process_time()]
        tree = parse_page(html)
        marks.append(time.process_time())
        head = read_head(tree, by=NOW)
        marks.append(time.process_time())
        if head.published is None:
            search_date(tree, url=None, by=NOW)
        marks.append(time.process_time())
        extract_body(tree)
        marks.append(time.process_time())
        for name, start, end in zip(("parse", "head", "date search", "body"), marks, marks[1:], strict=False):
            stages[name] += end - start
    total = sum(stages.values())
    print("  where the time goes: " + ", ".join(f"{name} {spent / total:.0%}" for name, spent in stages.items()))


def measure_templates() -> None:
    """Title, day and author on the templates that the tests hold, beside trafilatura's on the same."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from clean.templates import TEMPLATES  # type: ignore[import-not-found]

    pages = [
        Page(name, one.html.encode(), one.title, one.author or "", one.day, one.url or "")
        for name, one in TEMPLATES.items()
    ]
    print(f"title, author and date on {len(pages)} templates with known values")
    for name, clean in (("blotter", clean_template), ("trafilatura", clean_by_trafilatura)):
        pairs = list(zip(pages, measure(clean, pages)[0], strict=True))
        by_author = [(page, found) for page, found in pairs if page.author]
        print(
            f"  {name:12} title {sum(found.title == page.title for page, found in pairs) / len(pairs):.3f}  date "
            f"{sum(found.date == page.date for page, found in pairs) / len(pairs):.3f}  author "
            f"{sum(found.author == page.author for page, found in by_author) / len(by_author):.3f} of {len(by_author)}"
        )


def clean_template(page: Page) -> Found:
    return clean_by_blotter(page, url=page.body or None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=120)
    parser.add_argument("--kind", choices=KINDS)
    arguments = parser.parse_args()
    pages = [page for page in make_pages(arguments.pages) if arguments.kind in (None, page.kind)]
    weight = sum(len(page.html) for page in pages) / len(pages) / 1000
    print(f"cleaning {len(pages)} made pages of {weight:.0f} KB")
    measure(clean_by_blotter, pages[:12])
    measure(clean_by_trafilatura, pages[:12])
    ours, our_times = measure(clean_by_blotter, pages)
    theirs, their_times = measure(clean_by_trafilatura, pages)
    report("blotter", pages, ours, our_times)
    report("trafilatura", pages, theirs, their_times)
    ratio = median(theirs_s / ours_s for ours_s, theirs_s in zip(our_times, their_times, strict=True))
    print(f"  ratio: {sum(their_times) / sum(our_times):.2f} times as fast (median page {ratio:.2f}); the goal is 1.7")
    profile_stages(pages)
    measure_templates()


if __name__ == "__main__":
    main()
