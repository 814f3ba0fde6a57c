"""What reading costs: the reader over bare `spacy.blank("en")` tokenizing, loading it, and memory over many articles.

Each article is read once, by both: a tokenizer that has seen an article before is twice as fast on it. Times are CPU
seconds of one process, taken in turns; the ratio travels, the milliseconds do not.
"""

import argparse
import random
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

if TYPE_CHECKING:
    from blotter.model import Article

LENGTH = 2_000  # characters: what news articles have
BATCH = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=500, help="for the ratio")
    parser.add_argument("--memory", type=int, default=5_000, help="for memory; 50000 takes some eight minutes")
    told = parser.parse_args()
    measure_speed(told.articles)
    measure_memory(told.memory)


def measure_speed(n_articles: int) -> None:
    import spacy

    from blotter.extract import Reader

    started = time.process_time()
    reader = Reader()
    load_s = time.process_time() - started
    nlp = spacy.blank("en")
    articles = list(make_articles(n_articles))
    bare_s = read_s = 0.0
    for first in range(0, n_articles, BATCH):
        batch = articles[first : first + BATCH]
        started = time.process_time()
        for article in batch:
            nlp.make_doc(article.text)
        bare_s += time.process_time() - started
        started = time.process_time()
        for _ in reader.read_all(batch):
            pass
        read_s += time.process_time() - started
    mean = sum(len(article.text) for article in articles) // n_articles
    print(
        f"reading: {bare_s / read_s:.3f} of bare tokenizing in documents a second (must 0.15), "
        f"{n_articles} articles of {mean} characters; {read_s / n_articles * 1e3:.1f} ms each; "
        f"load {load_s:.1f} CPU s (must 3)"
    )


def measure_memory(n_articles: int) -> None:
    from blotter.extract import Reader

    reader = Reader()
    checks = [n_articles * part // 10 for part in range(1, 11)]
    held = []
    for number, article in enumerate(make_articles(n_articles), 1):
        reader.read(article)
        if number in checks:
            held.append(resident_mb())
    print(f"memory over {n_articles} articles, in tenths (MB): {', '.join(f'{mb:.0f}' for mb in held)}")


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def make_articles(n_articles: int) -> Iterator["Article"]:
    """Make articles of the length of news: a story of the tests, then paragraphs of others, and words of its own."""
    from extract.builders import make_article
    from extract.written_pages import load_pages

    chance = random.Random(1)
    pages = list(load_pages("incidents", "follow_ups"))
    tails = [paragraph for page in pages for paragraph in page.text.split("\n\n")[1:]]
    letters = "bcdfghklmnprstvwz"
    for number, page in zip(range(n_articles), cycle(pages), strict=False):
        text = page.text
        while len(text) < LENGTH:
            text += "\n\n" + chance.choice(tails)
        words = ["".join(chance.choice(letters) + chance.choice("aeiou") for _ in range(4)) for _ in range(12)]
        own = " ".join(words).capitalize()
        yield make_article(title=page.title, text=f"{text}\n\nCase number {number} was {own}.", published="2026-03-04")


if __name__ == "__main__":
    main()
