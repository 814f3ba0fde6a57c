"""The golden articles: one folder each, with what a careful person reads in the article.

    article.txt   head lines `published: 2026-03-04`, `url: ...`, a blank line; then title, blank line, text
    claims.tsv    every claim to be expected, a line each: incident, person, field, state, value, words
    known.txt     where the reader still differs, a line each; the list may only shrink

`person` numbers the participants in the order of the file and is empty for the incident's own fields; `words` is the
passage that says it, and the claim's quote must hold it. The first line of claims.tsv names kind and notice.
Coordinates are left out: they are the gazetteer's, and no reader of the article could know them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.extract.builders import make_article

from blotter.ids import canonical_text
from blotter.model import Article, Reading

FOLDER = Path(__file__).parent / "articles"
COLUMNS = ("incident", "person", "field", "state", "value", "words")
_LEFT_OUT = frozenset(("latitude", "longitude"))


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One expected or read claim."""

    incident: int
    person: int  # 0: the incident's own
    field: str
    state: str
    value: str
    words: str

    def __str__(self) -> str:
        person = str(self.person) if self.person else ""
        return "\t".join((str(self.incident), person, self.field, self.state, self.value, self.words))


@dataclass(frozen=True, slots=True)
class Golden:
    """One folder: the article, and what is to be read in it."""

    name: str
    article: Article
    kind: str
    notice: str
    lines: tuple[Line, ...]
    known: frozenset[str]


def list_goldens() -> list[Path]:
    """List the folders, by name."""
    return sorted(path for path in FOLDER.iterdir() if path.is_dir())


def load_article(folder: Path) -> Article:
    """Read article.txt."""
    head, title, text = (folder / "article.txt").read_text(encoding="utf-8").rstrip("\n").split("\n\n", 2)
    told = dict(line.split(": ", 1) for line in head.splitlines())
    return make_article(title=title, text=text, published=told["published"], url=told.get("url"), source_id="golden")


def load_golden(folder: Path) -> Golden:
    """Read a folder; claims.tsv must be there."""
    first, _, *rows = (folder / "claims.tsv").read_text(encoding="utf-8").splitlines()
    kind, notice = first.removeprefix("# ").split(", ")
    known = folder / "known.txt"
    listed = known.read_text(encoding="utf-8").splitlines() if known.exists() else []
    return Golden(
        folder.name, load_article(folder), kind, notice, tuple(map(_read_line, rows)), frozenset(filter(None, listed))
    )


def _read_line(row: str) -> Line:
    incident, person, field, state, value, words = row.split("\t")
    return Line(int(incident), int(person or 0), field, state, value, words)


def list_lines(reading: Reading, *, in_full: bool = True) -> list[Line]:
    """Give a reading's claims as lines; `words` is the whole quote, or else the words that were read."""
    return [
        Line(
            claim.incident_ref,
            claim.participant_ref or 0,
            claim.field,
            claim.state.value,
            _tell(canonical_text(claim.value)),
            claim.quote if in_full else claim.value_raw.split("\n")[0],
        )
        for claim in reading.claims
        if claim.field not in _LEFT_OUT
    ]


def _tell(value: str | None) -> str:
    return "" if value is None else value.strip('"')


def diff_golden(golden: Golden, reading: Reading) -> list[str]:
    """Say where a reading differs from what is expected, a line each, sorted: `missing`, `extra` or `elsewhere`."""
    read = _renumber(golden.lines, list_lines(reading))
    differences = []
    if (reading.kind, reading.notice) != (golden.kind, golden.notice):
        differences.append(f"page\t{reading.kind}, {reading.notice}")
    left = list(read)
    for line in golden.lines:
        same = [other for other in left if _key(other) == _key(line)]
        if not same:
            differences.append(f"missing\t{_tell_key(line)}")
            continue
        left.remove(same[0])
        if line.words not in same[0].words:
            differences.append(f"elsewhere\t{_tell_key(line)}")
    return sorted(differences + [f"extra\t{_tell_key(line)}" for line in left])


def _key(line: Line) -> tuple[int, int, str, str, str]:
    return line.incident, line.person, line.field, line.state, line.value


def _tell_key(line: Line) -> str:
    return "\t".join(map(str, _key(line)))


def _renumber(expected: tuple[Line, ...], read: list[Line]) -> list[Line]:
    """Give each participant that was read the number of the expected one that most of its claims fit."""
    pairs = sorted(_fit(expected, read), reverse=True)
    numbers: dict[int, int] = {}
    for _, wanted, found in pairs:
        if found not in numbers and wanted not in numbers.values():
            numbers[found] = wanted
    spare = 100
    for line in read:
        if line.person and line.person not in numbers:
            spare += 1
            numbers[line.person] = spare
    numbers[0] = 0
    return [Line(line.incident, numbers[line.person], line.field, line.state, line.value, line.words) for line in read]


def _fit(expected: tuple[Line, ...], read: list[Line]) -> Iterator[tuple[float, int, int]]:
    """Give how well each participant read fits each expected one: names and ages tell more than roles."""
    telling = {"name": 3.0, "age": 2.0, "role": 1.0, "condition": 1.0}
    for wanted in sorted({line.person for line in expected if line.person}):
        facts = {(line.incident, line.field, line.state, line.value) for line in expected if line.person == wanted}
        for found in sorted({line.person for line in read if line.person}):
            score = sum(
                telling.get(line.field, 0.5)
                for line in read
                if line.person == found and (line.incident, line.field, line.state, line.value) in facts
            )
            if score >= 1:
                yield score - 0.01 * abs(wanted - found), wanted, found
