"""What reading costs: the reader over bare `spacy.blank("en")` tokenizing, loading it, and memory over many articles.

Each article is read once, by both: a tokenizer that has seen an article before is twice as fast on it. Times are CPU
seconds of one process, taken in turns; the ratio travels, the milliseconds do not. `--texts` takes articles of your own
instead of made ones: JSON lines with `title`, `text` and `published`.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

if TYPE_CHECKING:
    from blotter.model import Article

LENGTH = 2_000  # characters: what news articles have
BATCH = 50
OWN = 7  # sentences of an article's own
LETTERS = "bcdfghklmnprstvwz"
SENTENCES = (
    "{first} {last}, {n}, of {street} Street said the {what} by the {where} looked {how}.",
    "A {what} was left near {street} Avenue, said {first} {last}, who keeps a {where} there and was {how}.",
    "“It was {how},” said {first} {last}, whose {what} stands across {street} Road from the {where}.",
    "The {what} belonged to {first} {last}, {n}, a {where} from {street} who was {how}.",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=500, help="for the ratio")
    parser.add_argument("--memory", type=int, default=5_000, help="for memory; 50000 takes some eight minutes")
    parser.add_argument("--texts", type=Path, help="articles to measure the ratio on")
    told = parser.parse_args()
    measure_speed(list(islice(load_articles(told.texts) if told.texts else make_articles(), told.articles)))
    measure_memory(told.memory)


def measure_speed(articles: list["Article"]) -> None:
    import spacy

    from blotter.extract import Reader

    started = time.process_time()
    reader = Reader()
    load_s = time.process_time() - started
    nlp = spacy.blank("en")
    n_articles = len(articles)
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
    for number, article in enumerate(islice(make_articles(), n_articles), 1):
        reader.read(article)
        if number in checks:
            held.append(resident_mb())
    print(f"memory over {n_articles} articles, in tenths (MB): {', '.join(f'{mb:.0f}' for mb in held)}")


def load_articles(path: Path) -> Iterator["Article"]:
    from extract.builders import make_article

    with path.open(encoding="utf-8") as lines:
        for told in map(json.loads, lines):
            day = str(told.get("published") or "2026-03-04")[:10]
            yield make_article(title=told.get("title") or "", text=told.get("text") or " ", published=day)


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def make_articles() -> Iterator["Article"]:
    """Make articles of the length of news: a story of the tests, paragraphs of others, people and streets of its own.

    A tokenizer remembers words, so it matters how many an article brings that none before it had. Of 1,844 real news
    articles in any order the 301st to 500th bring 33 of 320 words; these bring 40 of 387.
    """
    from extract.builders import make_article
    from extract.written_pages import load_pages

    chance = random.Random(1)
    pages = list(load_pages("incidents", "follow_ups"))
    tails = [paragraph for page in pages for paragraph in page.text.split("\n\n")[1:]]
    for number, page in enumerate(cycle(pages)):
        told = page.text.split("\n\n")
        while sum(map(len, told)) < LENGTH - OWN * 90:
            told.append(chance.choice(tails))
        for _ in range(OWN):
            told.insert(chance.randrange(1, len(told) + 1), _tell_of_own(chance))
        text = "\n\n".join(told)
        yield make_article(title=page.title, text=f"{text}\n\nThis is story {number}.", published="2026-03-04")


def _tell_of_own(chance: random.Random) -> str:
    words = [
        "".join(chance.choice(LETTERS) + chance.choice("aeiou") for _ in range(chance.choice((2, 3, 4))))
        for _ in "123456"
    ]
    first, last, street, what, where, how = words
    return chance.choice(SENTENCES).format(
        first=first.title(),
        last=last.title(),
        street=street.title(),
        what=what,
        where=where,
        how=how,
        n=chance.randrange(18, 90),
    )


if __name__ == "__main__":
    main()
