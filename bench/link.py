"""What linking and resolving one article costs when much is known: 1,000 to 1,000,000 stored incidents of ten years.

The desk is filled with synthetic incidents straight through its memory (`--sizes` says how many); then fresh articles
are linked, resolved and learnt, a batch at a time, in CPU time. Goal: with 1,000,000 at most 1.2 times the cost with
1,000, and at most 10 ms.
"""

import argparse
import datetime as dt
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from blotter.ids import make_id, sha256_hex
from blotter.link.describe import count_text_terms, describe_incident, key_account
from blotter.link.memory import DeskChanges, Dossier, IndexEntry, Profile, encode_changes
from blotter.model import (
    Article,
    Basis,
    Claim,
    ClaimState,
    Notice,
    Reading,
    ReadingKind,
    Role,
    identify_reading,
    identify_revision,
)
from blotter.resolve.members import make_member
from blotter.store.desk import SqlDesk
from blotter.store.state import open_state
from blotter.update import LinkRules, update_incidents

FIRST_DAY = dt.datetime(2015, 1, 1, 12, tzinfo=dt.UTC)
N_DAYS = 3650
N_FRESH, BATCH = 600, 100
CHUNK = 5000


class World:
    """Invented incidents: the rate a day is what grows with history's length fixed, so towns grow with it."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.words = [self.make_word() for _ in range(40_000)]

    def make_word(self) -> str:
        return "".join(self.rng.choices("abcdefghiklmnoprstuvw", k=self.rng.randrange(4, 10)))

    def tell(self, number: int, at: dt.datetime) -> tuple[Article, Reading]:
        """One article about an incident of its own."""
        town, street, *rest = self.rng.choices(self.words, k=4)
        name = " ".join(word.title() for word in rest)
        where = f"A man was shot on {street.title()} Street in {town.title()}."
        who = f"Police said {name}, {number % 80 + 10}, was hurt."
        text = "\n\n".join((where, who, " ".join(self.rng.choices(self.words, k=220))))
        url = f"https://outlet{number % 300}.example/{number}"
        article = identify_revision(
            Article(
                article_id=make_id("art", url), source_id=f"outlet{number % 300}", title=where, text=text,
                text_sha256=sha256_hex(text), raw_sha256=sha256_hex(url), published_at=at, published_precision="minute",
                published_basis="page", fetched_at=at, language="en", url=url,
            ),
            1,
        )  # fmt: skip

        def claim(field: str, value: object, quote: str, ref: int | None = None) -> Claim:
            start = text.index(quote)
            return Claim(
                incident_ref=1, participant_ref=ref, role=Role.VICTIM if ref else None, field=field, value=value,  # type: ignore[arg-type]
                value_raw=quote, state=ClaimState.KNOWN, basis=Basis.STATED, quote=quote, quote_start=start,
                quote_end=start + len(quote), attributed_to="police", confidence=0.9,
            )  # fmt: skip

        claims = (
            claim("city", town, where), claim("street", f"{street} Street", where),
            claim("occurred_date", at.date(), where), claim("incident_type", "shooting", where),
            claim("n_injured", 1, who), claim("role", "victim", who, 1),
            claim("name", name, who, 1), claim("age", number % 80 + 10, who, 1), claim("condition", "injured", who, 1),
        )  # fmt: skip
        reading = Reading(kind=ReadingKind.INCIDENT, notice=Notice.NONE, claims=claims, extractor_version="bench")
        return article, identify_reading(reading, article)


def fill(world: World, n_incidents: int, rules: LinkRules) -> Iterator[bytes]:
    """Memories that teach a desk so many incidents, evenly over ten years."""
    for seq, first in enumerate(range(0, n_incidents, CHUNK), 1):
        numbers = range(first, min(first + CHUNK, n_incidents))
        dossiers, profiles, entries = [], [], []
        day = FIRST_DAY
        for number in numbers:
            day = FIRST_DAY + dt.timedelta(days=N_DAYS * number / n_incidents)
            article, reading = world.tell(number, day)
            incident_id = make_id("inc", article.article_id, 1)
            account = describe_incident(article, reading.claims, count_text_terms(article, article.text), {}, 10_000)
            dossiers.append(Dossier(incident_id, (make_member(article, reading, 1, home_id=incident_id),), 1))
            profiles.append(Profile(incident_id, (account,)))
            entries += [IndexEntry(key, account.published_day, incident_id) for key in key_account(account)]
        yield encode_changes(
            DeskChanges(
                seq=seq,
                today=day.toordinal(),
                window_days=rules.window_days,
                dossiers=tuple(dossiers),
                profiles=tuple(profiles),
                entries=tuple(entries),
                n_texts=10_000,
            )
        )


def time_articles(n_incidents: int) -> float:
    """Median milliseconds an article, learning included, over batches of fresh articles."""
    world, rules = World(7), LinkRules()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_state(str(Path(folder) / "state.db"))
        desk = SqlDesk(engine)
        for memory in fill(world, n_incidents, rules):
            with engine.begin() as connection:
                desk.apply(connection, memory)
        at = FIRST_DAY + dt.timedelta(days=N_DAYS)
        fresh = [world.tell(n_incidents + number, at + dt.timedelta(minutes=number)) for number in range(N_FRESH)]
        times = []
        for start in range(0, N_FRESH, BATCH):
            started = time.process_time()
            update = update_incidents(fresh[start : start + BATCH], desk, now=at, settings=rules)
            with engine.begin() as connection:
                desk.apply(connection, update.memory())
            times.append((time.process_time() - started) * 1e3 / BATCH)
        engine.dispose()
    return sorted(times)[len(times) // 2]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    sizes = parser.parse_args(arguments).sizes
    costs = {size: time_articles(size) for size in sizes}
    for size, cost_ms in costs.items():
        ratio = cost_ms / costs[sizes[0]]
        print(f"link and resolve with {size:>9,} incidents: {cost_ms:.1f} ms an article, {ratio:.2f} times the first")


if __name__ == "__main__":
    main()
