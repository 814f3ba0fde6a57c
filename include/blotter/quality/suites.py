"""What is expected of a batch: the declarative half of the gate, without Great Expectations and without data.

Belongs here: which expectation holds for which table, how badly a failure weighs, and in which words it is told. What
follows from `blotter.schemas` (required columns, closed lists, keys, references) is derived from it; what needs
judgement is listed below with its reason. Does not belong here: evaluating (`blotter.quality.gate`), and the columns
that are worked out beforehand (`blotter.quality.frames`, the names that start with an underscore).
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

from blotter.schemas import TABLES

# For "table.column", the values that were published earlier.
References = Mapping[str, Container[str]]


class Severity(StrEnum):
    """What a failed expectation does."""

    BLOCK = "block"  # nothing of the batch is published: the rows as a whole cannot be trusted
    QUARANTINE = "quarantine"  # the articles that the rows belong to are set aside, the rest goes on
    WARN = "warn"  # it is published, and someone should look


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation of one table: `kind` is the class of Great Expectations that evaluates it with `arguments`."""

    suite: str
    expectation: str
    kind: str
    severity: Severity
    column: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    shows: tuple[str, ...] = ()  # columns that a report of a failing row shows beside its key


# Rows of these tables come from one article each: a bad row is set aside with its article. Rows of the others are made
# by us from many articles: a bad one is a defect of ours and blocks.
OF_ONE_ARTICLE = frozenset({"articles", "readings", "claims"})

MAX_AGE = 120  # the oldest verified person reached 122; an article that tells of an older one is misread
MAX_COUNT = 1_000_000  # people killed or hurt in one incident
MIN_SHARE_WITH_PLACE = 0.5  # of the incidents of a batch of some size
VOLUME_RATIO = (0.2, 5.0)  # articles of a source in this batch, against its usual


@cache
def checks_of(suite: str) -> tuple[Check, ...]:
    """List every expectation of one table, the derived ones first; `batch` has those of no one table."""
    return (*_derive(suite), *(check for check in _JUDGED if check.suite == suite))


def _derive(suite: str) -> Iterator[Check]:
    table = TABLES.get(suite)
    if table is None:
        return
    severity = Severity.QUARANTINE if suite in OF_ONE_ARTICLE else Severity.BLOCK
    yield Check(
        suite,
        "required columns are filled and closed columns hold declared values",
        "ExpectColumnValuesToBeNull",
        severity,
        arguments={"column": "_undeclared"},
        shows=("_undeclared",),
    )
    yield Check(
        suite,
        f"{' + '.join(table.key)} identifies one row",
        "ExpectCompoundColumnsToBeUnique" if len(table.key) > 1 else "ExpectColumnValuesToBeUnique",
        Severity.BLOCK,
        arguments={"column_list": list(table.key)} if len(table.key) > 1 else {"column": table.key[0]},
    )
    if any(column.references for column in table.columns):
        yield Check(
            suite,
            "what a row refers to exists, in the batch or published earlier",
            "ExpectColumnValuesToBeNull",
            Severity.BLOCK,
            arguments={"column": "_missing_reference"},
            shows=("_missing_reference",),
        )


def _between(
    suite: str, expectation: str, severity: Severity, column: str, low: float | None, high: float | None, *shows: str
) -> Check:
    arguments = {"column": column, "min_value": low, "max_value": high}
    return Check(suite, expectation, "ExpectColumnValuesToBeBetween", severity, column, arguments, (*shows, column))


def _equal(suite: str, expectation: str, severity: Severity, column: str, other: str, *shows: str) -> Check:
    arguments = {"column_A": column, "column_B": other}
    return Check(
        suite, expectation, "ExpectColumnPairValuesToBeEqual", severity, column, arguments, (*shows, column, other)
    )


def _never(suite: str, expectation: str, severity: Severity, complaint: str, *shows: str) -> Check:
    return Check(
        suite, expectation, "ExpectColumnValuesToBeNull", severity, None, {"column": complaint}, (*shows, complaint)
    )


_B, _Q, _W = Severity.BLOCK, Severity.QUARANTINE, Severity.WARN

_JUDGED: tuple[Check, ...] = (
    _equal("articles", "the text is the one that was hashed", _Q, "text_sha256", "_text_sha256"),
    _equal("articles", "the text starts with the title", _Q, "title", "_text_start"),
    _between("articles", "there is a text", _Q, "_text_length", 1, None),
    # A publisher's clock may be off and a date alone may be a zone ahead; a day is the limit of what is honest.
    _between(
        "articles", "it was published before it was fetched", _Q, "_published_ahead_days", None, 1.5, "published_at"
    ),
    _equal("claims", "the quote is what the text says at its offsets", _Q, "quote", "_quoted", "quote_start"),
    _never("claims", "a value is there exactly where it may be known", _Q, "_misplaced_value", "field", "state"),
    _never("claims", "the field is one that can be claimed, of the incident or of a person", _Q, "_misplaced_field"),
    _never("claims", "a placeholder is never written as a value", _Q, "_placeholder", "field"),
    _between("claims", "confidence is between 0 and 1", _Q, "confidence", 0, 1),
    _between("claims", f"an age is between 0 and {MAX_AGE}", _Q, "_age", 0, MAX_AGE, "quote"),
    _between("claims", f"a count of people is between 0 and {MAX_COUNT}", _Q, "_count", 0, MAX_COUNT, "field", "quote"),
    _between(
        "claims",
        "nothing happened after its publication",
        _Q,
        "_happened_ahead_days",
        None,
        1,
        "value",
        "quote",
    ),
    _between("links", "score is between 0 and 1", _B, "score", 0, 1),
    _between("alignments", "score is between 0 and 1", _B, "score", 0, 1),
    _between("incidents", "versions count from 1", _B, "version", 1, None),
    _between("incidents", "nothing is known ahead of the clock", _B, "_known_ahead_s", None, 0, "known_at"),
    _between("incidents", "latitude is between -90 and 90", _B, "latitude", -90, 90),
    _between("incidents", "longitude is between -180 and 180", _B, "longitude", -180, 180),
    _between("incidents", "people killed or injured are counted from 0", _B, "_least_count", 0, None, "n_killed"),
    _between("incidents", "it happened before it was reported", _B, "_happened_ahead_days", None, 1, "occurred_date"),
    # Two names of one person align badly now and then; the count is then the better witness, so this only warns.
    _between(
        "incidents", "as many dead are counted as participants are dead", _W, "_uncounted_dead", None, 0, "n_killed"
    ),
    Check(
        "incidents",
        f"at least {MIN_SHARE_WITH_PLACE:.0%} of the incidents have a place",
        "ExpectColumnMeanToBeBetween",
        _W,
        arguments={"column": "_has_place", "min_value": MIN_SHARE_WITH_PLACE},
    ),
    _between("participants", f"age is between 0 and {MAX_AGE}", _B, "age", 0, MAX_AGE, "name"),
    _never("participants", "a name is there exactly where it is known", _B, "_misplaced_value"),
    _never("participants", "it agrees with the version it belongs to", _B, "_disagrees"),
    _between("facts", "every fact has a claim or a judgement that carries it", _B, "_n_evidence", 1, None, "field"),
    _never("facts", "it agrees with the version it belongs to", _B, "_disagrees"),
    _never("changes", "a change changes something, and its values are JSON", _B, "_unchanged", "field", "kind"),
    _never("changes", "the quote stands in the article that it names", _B, "_misquoted", "field"),
    _never("changes", "it agrees with the version it belongs to", _B, "_disagrees"),
    _between(
        "batch",
        f"each source brings between {VOLUME_RATIO[0]:g} and {VOLUME_RATIO[1]:g} times its usual",
        _W,
        "_volume_ratio",
        *VOLUME_RATIO,
        "n_articles",
        "n_usual",
    ),
)
