"""What an article costs once much is known: linking, resolving, tracking, the gate, publishing and learning, with 1,000
to 1,000,000 incidents of ten years in the tables and the state.

What lies outside the linker's window is filled in by copies, for it is only there to be large; what lies within is made
one by one. Then fresh articles, half of them about incidents that are known, are published in batches of one slice, in
CPU time. Goal: with 1,000,000 at most 1.2 times the cost with 1,000, and at most 10 ms. `--picture FILE` draws it.

With more incidents in the same years there is more news a day, and more of it near an article. `--a-day N` holds that
fixed and lets only the history grow: a month, a year, ten years.
"""

import argparse
import datetime as dt
import gc
import logging
import random
import resource
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import msgspec
import zstandard

from blotter.config import Settings, load_settings
from blotter.ids import make_id, sha256_hex
from blotter.link.describe import count_text_terms, describe_incident, key_account
from blotter.link.memory import Account, ArticleMemory, Dossier, PersonTraits, Placement, Profile
from blotter.model import (
    Article,
    Basis,
    Claim,
    ClaimState,
    Document,
    Notice,
    Reading,
    ReadingKind,
    Role,
    identify_reading,
    identify_revision,
)
from blotter.publishing import publish_results
from blotter.resolve.members import make_member
from blotter.schemas import TABLES
from blotter.store.staging import SliceResult
from blotter.stores import Stores
from blotter.update import update_incidents

N_DAYS = 3650
LAST_DAY = dt.datetime(2024, 12, 29, 12, tzinfo=dt.UTC)
KNOWN_DAYS = 300  # fresh articles about known incidents tell of those of so many days
N_WORDS = 40_000
WORDS_A_TEXT = 220
SLICE, N_SLICES = 300, 3
N_COPIES = 200  # different records among those that are only there to be large


@dataclass(frozen=True)
class Told:
    """What the articles about one invented incident say."""

    number: int
    town: str
    street: str
    name: str
    age: int


class World:
    """Invented incidents, the same in every run: `n_incidents`, evenly over `n_days`."""

    def __init__(self, seed: int, n_incidents: int, n_days: int) -> None:
        self._seed, self.n_incidents, self.n_days = seed, n_incidents, n_days
        rng = random.Random(seed)
        self.words = ["".join(rng.choices("abcdefghiklmnoprstuvw", k=rng.randrange(4, 10))) for _ in range(N_WORDS)]

    def tell(self, number: int) -> Told:
        """Say what incident `number` is."""
        rng = random.Random(self._seed + number * 7919)
        town, street, first, last = rng.choices(self.words, k=4)
        return Told(number, town, street, f"{first} {last}".title(), number % 80 + 10)

    def write(self, told: Told, serial: int, at: dt.datetime) -> tuple[Article, Reading]:
        """Write one article about an incident; every `serial` has words of its own."""
        rng = random.Random(self._seed + serial * 104_729 + 1)
        where = f"A man was shot on {told.street.title()} Street in {told.town.title()}."
        who = f"Police said {told.name}, {told.age}, was hurt."
        text = "\n\n".join((where, who, " ".join(rng.choices(self.words, k=WORDS_A_TEXT))))
        url = f"https://outlet{serial % 300}.example/{serial}"
        article = identify_revision(
            Article(
                article_id=make_id("art", url), source_id=f"outlet{serial % 300}", title=where, text=text,
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
            claim("city", told.town, where), claim("street", f"{told.street} Street", where),
            claim("occurred_date", self.day_of(told.number).date(), where),
            claim("incident_type", "shooting", where), claim("n_injured", 1, who), claim("role", "victim", who, 1),
            claim("name", told.name, who, 1), claim("age", told.age, who, 1), claim("condition", "injured", who, 1),
        )  # fmt: skip
        reading = Reading(kind=ReadingKind.INCIDENT, notice=Notice.NONE, claims=claims, extractor_version="bench")
        return article, identify_reading(reading, article)

    def day_of(self, number: int) -> dt.datetime:
        """The time of an incident; what is told of later happened on the last day."""
        return LAST_DAY - dt.timedelta(days=self.n_days * max(0.0, 1 - number / self.n_incidents))

    def find_first(self, days: int) -> int:
        """Find the first incident of the last so many days."""
        return max(0, int(self.n_incidents * (1 - days / self.n_days)))

    def describe(self, told: Told, article_id: str, day: int, weights: Sequence[float], rng: random.Random) -> Account:
        """Describe an incident as the linker would, its words drawn instead of counted."""
        words = dict.fromkeys(
            (told.town, told.street, *told.name.lower().split(), *rng.sample(self.words, len(weights)))
        )
        return Account(
            article_id=article_id,
            incident_ref=1,
            syndication_id=make_id("syn", article_id),
            published_day=day,
            n_texts=100_000,
            terms=dict(zip(words, weights, strict=False)),
            days=(day,),
            places={"city": (told.town,), "street": (told.street,)},
            people=(PersonTraits("victim", tuple(told.name.lower().split()), told.age, None, "injured"),),
            n_injured=1,
            types=("shooting",),
        )


def fill(settings: Settings, world: World) -> None:
    """Make the state and the tables those of a world's incidents, one article each."""
    n_incidents = world.n_incidents
    stores = Stores(settings)
    for opened in (stores.warehouse, stores.ledger, stores.desk, stores.judgements, stores.feeds, stores.outbox):
        assert opened is not None
    window = stores.link_rules.window_days
    connection = sqlite3.connect(stores.settings.state, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("BEGIN")

    def insert(table: str, rows: Iterable[tuple[object, ...]]) -> None:
        rows = iter(rows)
        first = next(rows, None)
        if first is not None:
            statement = f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * len(first))})"
            connection.execute(statement, first)
            connection.executemany(statement, rows)

    ids = [(make_id("art", number), make_id("inc", "bench", number)) for number in range(n_incidents)]
    template, reading = world.write(world.tell(0), 0, world.day_of(0))
    counts = count_text_terms(template, template.text)
    weights = list(describe_incident(template, 1, reading.claims, counts, {}, 100_000).terms.values())
    first_near = world.find_first(window + 1)
    copies = [make_records(world, number, *ids[number], weights) for number in range(min(N_COPIES, n_incidents))]
    told_again = {
        number: make_records(world, number, *ids[number], weights) for number in sorted(set(choose_known(world)))
    }
    near = {number: make_profile(world, number, *ids[number], weights) for number in range(first_near, n_incidents)}
    records = [told_again.get(number) or copies[number % len(copies)] for number in range(n_incidents)]
    insert("desk_dossiers", ((ids[n][1], one.dossier) for n, one in enumerate(records)))
    profiles = ((ids[n][1], near[n].body if n in near else one.profile) for n, one in enumerate(records))
    insert("desk_profiles", profiles)
    insert("desk_articles", ((ids[n][0], one.article) for n, one in enumerate(records)))
    entries = ((key, one.day, ids[number][1], one.day + 2 * window) for number, one in near.items() for key in one.keys)
    insert("desk_index", sorted(entries))
    n_seen = max(1, n_incidents * WORDS_A_TEXT // N_WORDS)
    insert("desk_terms", ((word, n_seen) for word in sorted(set(world.words))))
    insert("desk_marks", [("seq", 1), ("n_texts", n_incidents)])
    insert("settled_inputs", ((make_id("inp", n), "published", ids[n][0], None) for n in range(n_incidents)))
    insert("known_payloads", ((make_id("pay", n), make_id("inp", n), ids[n][0]) for n in range(n_incidents)))
    insert(
        "latest_revisions",
        ((ids[n][0], 1, make_id("rev", n), "0" * 64, "0" * 64, make_id("rdg", n), "bench") for n in range(n_incidents)),
    )
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    stores.close()
    spread_days(Path(stores.settings.warehouse), world.n_days)


@dataclass(frozen=True)
class Records:
    """What the state has of one incident of one article, packed."""

    dossier: bytes
    profile: bytes
    article: bytes


@dataclass(frozen=True)
class NearProfile:
    """What the linker sees of an incident in its window, packed, and the keys by which it is found."""

    body: bytes
    keys: Sequence[str]
    day: int


def make_profile(world: World, number: int, article_id: str, incident_id: str, weights: Sequence[float]) -> NearProfile:
    day = world.day_of(number).toordinal()
    account = world.describe(world.tell(number), article_id, day, weights, random.Random(number))
    return NearProfile(pack(Profile(incident_id, (account,))), list(key_account(account)), day)


def make_records(world: World, number: int, article_id: str, incident_id: str, weights: Sequence[float]) -> Records:
    article, reading = world.write(world.tell(number), number, world.day_of(number))
    member = make_member(article, reading, 1, home_id=incident_id, placed={1: make_id("per", number)})
    placements = (Placement(1, incident_id, 1),)
    memory = ArticleMemory(
        article_id, 1, article.revision_id, reading.reading_id, make_id("syn", article_id), placements
    )
    return Records(
        dossier=pack(Dossier(incident_id, (msgspec.structs.replace(member, article_id=article_id),), 1)),
        profile=make_profile(world, number, article_id, incident_id, weights).body,
        article=pack(memory),
    )


def pack(record: object) -> bytes:
    return zstandard.ZstdCompressor(level=1).compress(msgspec.msgpack.encode(record))


def spread_days(warehouse: Path, n_days: int) -> None:
    """Give every table a folder with a part for each of the days: copies of its empty part, by link."""
    for name in TABLES:
        empty = next((warehouse / name).glob("dt=*/part-*.parquet"))
        for back in range(1, n_days + 1):
            folder = warehouse / name / f"dt={(LAST_DAY - dt.timedelta(days=back)).date()}"
            folder.mkdir()
            (folder / "part-00000.parquet").hardlink_to(empty)


def choose_known(world: World) -> list[int]:
    """Choose the known incidents that fresh articles tell of again, all of the last year."""
    rng = random.Random(11)
    first = world.find_first(KNOWN_DAYS)
    return [rng.randrange(first, world.n_incidents) for _ in range(SLICE * (N_SLICES + 1) // 2)]


def write_fresh(world: World) -> Iterator[tuple[Article, Reading]]:
    """Write fresh articles of the last day: every second one is about an incident that is known, the others are new."""
    known, n_incidents = choose_known(world), world.n_incidents
    for number in range(SLICE * (N_SLICES + 1)):
        about = n_incidents + number if number % 2 else known[number // 2]
        yield world.write(world.tell(about), n_incidents + number, LAST_DAY + dt.timedelta(seconds=number))


@dataclass(frozen=True)
class Cost:
    """Milliseconds an article in the least disturbed slice: linking to tracking alone, and all of publishing."""

    update_ms: float
    whole_ms: float
    n_linked: int
    peak_mb: float


def measure(n_incidents: int, n_days: int) -> Cost:
    """Fill stores with so many incidents of so many days and publish fresh articles."""
    world = World(7, n_incidents, n_days)
    with tempfile.TemporaryDirectory() as folder:
        settings = make_settings(Path(folder))
        filling = get_context("spawn").Process(target=fill, args=(settings, world))
        filling.start()  # in a process of its own, so that the memory measured is that of publishing
        filling.join()
        with Stores(settings) as stores:
            fresh = list(write_fresh(world))
            gc.collect()
            gc.freeze()  # the bench's own objects are no part of what an article costs
            updates, wholes, n_linked = [], [], 0
            for start in range(0, len(fresh), SLICE):
                batch = fresh[start : start + SLICE]
                now = LAST_DAY + dt.timedelta(hours=start / SLICE + 1)
                started = time.process_time()
                update = update_incidents(batch, stores.desk, now=now, settings=stores.link_rules)
                updates.append((time.process_time() - started) * 1e3 / SLICE)
                n_linked += sum(
                    link.verdict == "positive" and link.reasons != ("first report",) for link in update.links
                )
                started = time.process_time()
                with stores.writing("bench"):
                    publish_results(stores, [stage(*pair) for pair in batch], [], run_id=f"{start}", dag_id=None,
                                    clock=lambda now=now: now)  # type: ignore[misc]  # fmt: skip
                wholes.append((time.process_time() - started) * 1e3 / SLICE)
    # The first slice loads what is loaded once.
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(min(updates[1:]), min(wholes[1:]), n_linked, peak_mb)


def stage(article: Article, reading: Reading) -> SliceResult:
    document = Document(
        input_id=make_id("inp", article.url), kind="line", source_id=article.source_id, location=article.url or "",
        payload_sha256=article.raw_sha256, media="text", received_at=article.fetched_at, url=article.url,
    )  # fmt: skip
    return SliceResult(document=document, article=article, reading=reading)


def make_settings(home: Path) -> Settings:
    names = ("warehouse", "archive", "staging", "inbox")
    environ = {f"BLOTTER_{name.upper()}": str(home / name) for name in names}
    return load_settings(environ={**environ, "BLOTTER_STATE": str(home / "state.db")})


def draw(costs: dict[int, Cost], file: Path) -> None:
    """Draw the curve as an SVG: what an article costs, over the number of incidents, which grows tenfold a step."""
    width, height, left, bottom = 640, 340, 70, 290
    top_ms = 12.0
    sizes = list(costs)

    def at(position: int, ms: float) -> tuple[float, float]:
        return left + 30 + position * (width - left - 80) / max(1, len(sizes) - 1), bottom - ms / top_ms * (bottom - 40)

    def line(values: Sequence[float], colour: str, name: str) -> Iterator[str]:
        points = [at(position, ms) for position, ms in enumerate(values)]
        joined = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
        yield f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for (x, y), ms in zip(points, values, strict=True):
            yield f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4" fill="{colour}"/>'
            yield f'<text x="{x:.0f}" y="{y - 10:.0f}" text-anchor="middle" fill="{colour}">{ms:.1f}</text>'
        x, y = points[0]
        yield f'<text x="{x:.0f}" y="{y + 20:.0f}" fill="{colour}">{name}</text>'

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{left}" y="22" font-size="15">What an article costs, by how much is known</text>',
    ]
    for ms in (0, 5, 10):
        _, y = at(0, ms)
        lines.append(f'<line x1="{left}" x2="{width - 20}" y1="{y:.0f}" y2="{y:.0f}" stroke="#ccc"/>')
        lines.append(f'<text x="{left - 8}" y="{y + 4:.0f}" text-anchor="end" fill="#555">{ms} ms</text>')
    for position, size in enumerate(sizes):
        x, _ = at(position, 0)
        lines.append(f'<text x="{x:.0f}" y="{bottom + 20}" text-anchor="middle" fill="#555">{size:,}</text>')
    lines.append(f'<text x="{width / 2:.0f}" y="{bottom + 40}" text-anchor="middle" fill="#555">'
                 "incidents stored, over ten simulated years (CPU time, one core)</text>")  # fmt: skip
    lines += line([cost.whole_ms for cost in costs.values()], "#1b5e9b", "linked, resolved, checked, published, learnt")
    lines += line([cost.update_ms for cost in costs.values()], "#b3541e", "linked, resolved, tracked")
    file.write_text("\n".join([*lines, "</svg>", ""]), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000], help="incidents stored, of ten years")
    parser.add_argument("--a-day", type=int, help="instead: so many incidents on each of the days of --histories")
    parser.add_argument("--histories", type=int, nargs="+", default=[30, 365, N_DAYS], help="days, with --a-day")
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    worlds = [(size, N_DAYS) for size in given.sizes]
    if given.a_day:
        worlds = [(given.a_day * days, days) for days in given.histories]
    costs: dict[int, Cost] = {}
    for size, days in worlds:
        costs[size] = cost = measure(size, days)
        first = costs[worlds[0][0]]
        print(
            f"with {size:>9,} incidents of {days:>5,} days: {cost.update_ms:.2f} ms an article to link, resolve and "
            f"track ({cost.update_ms / first.update_ms:.2f} times the first), {cost.whole_ms:.2f} ms with gate, "
            f"publishing and learning ({cost.whole_ms / first.whole_ms:.2f}); {cost.n_linked} linked, "
            f"peak {cost.peak_mb:.0f} MB",
            flush=True,
        )
    if given.picture:
        draw(dict(sorted(costs.items())), given.picture)


if __name__ == "__main__":
    main()
