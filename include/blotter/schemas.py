"""The Arrow schema of every table: the one truth for columns, types, units, meanings, keys and volatility.

Belongs here: the declaration of tables, and turning rows into Arrow tables of that declaration. Does not belong
here: where tables lie and how they are published (`blotter.store`), and what is checked of them beyond type and
null (`blotter.quality`). `docs/data-dictionary.md` is generated from this file by `blotter tables --markdown`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pyarrow as pa

from blotter.model import (
    INCIDENT_TYPES,
    Basis,
    CaseStatus,
    ChangeCause,
    ChangeKind,
    ClaimState,
    Condition,
    Disposition,
    LegalStatus,
    Notice,
    Precision,
    ReadingKind,
    Role,
    Verdict,
)

SCHEMA_VERSION = "1"

STRING, INT, FLOAT, BOOL, DAY = pa.string(), pa.int32(), pa.float64(), pa.bool_(), pa.date32()
UTC = pa.timestamp("us", tz="UTC")
LOCAL = pa.timestamp("us")
STRINGS = pa.list_(STRING)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `values` closes a string column to a list; a volatile column may differ between equal runs."""

    name: str
    type: pa.DataType
    meaning: str
    nullable: bool = False
    values: tuple[str, ...] = ()
    volatile: bool = False
    references: str | None = None  # "table.column" whose values these are


@dataclass(frozen=True, slots=True)
class Table:
    """One table: `key` identifies a row; `row` says what a row is."""

    name: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """Look a column up by name; KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema, with meanings as field metadata and the schema's version as its own."""
        fields = [pa.field(c.name, c.type, nullable=c.nullable, metadata={"meaning": c.meaning}) for c in self.columns]
        return pa.schema(fields, metadata={"blotter.table": self.name, "blotter.schema_version": SCHEMA_VERSION})

    @property
    def stable_columns(self) -> tuple[str, ...]:
        """Names of the columns that two equal tables share."""
        return tuple(c.name for c in self.columns if not c.volatile)


def _values(enum: type[StrEnum]) -> tuple[str, ...]:
    return tuple(member.value for member in enum)


def _c(name: str, type_: pa.DataType, meaning: str, **options: Any) -> Column:
    return Column(name, type_, meaning, **options)


def _n(name: str, type_: pa.DataType, meaning: str, **options: Any) -> Column:
    return Column(name, type_, meaning, nullable=True, **options)


_RECORDED = (
    _c("recorded_at", UTC, "when the writer recorded the row; its UTC date is the partition `dt`", volatile=True),
    _c("run_id", STRING, "the run that recorded it: an Airflow run, a command, or a replayed day", volatile=True),
    _c("batch_id", STRING, "the batch it was published with", volatile=True),
)

PARTICIPANT_STRUCT = pa.struct(
    [
        ("participant_id", STRING),
        ("role", STRING),
        ("name", STRING),
        ("name_state", STRING),
        ("age", INT),
        ("gender", STRING),
        ("occupation", STRING),
        ("employer", STRING),
        ("condition", STRING),
        ("legal_status", STRING),
        ("charges", STRINGS),
        ("relationship", STRING),
        ("n_reports", INT),
    ]
)
CONFLICT_STRUCT = pa.struct(
    [("participant_id", STRING), ("field", STRING), ("values", STRINGS), ("source_ids", STRINGS)]
)
RIVAL_STRUCT = pa.struct([("value", STRING), ("state", STRING), ("claim_ids", STRINGS), ("n_reports", INT)])

_PARTICIPANT_COLUMNS = (
    _c("role", STRING, "part in the incident", values=_values(Role)),
    _n("name", STRING, "full name, where it is known"),
    _n("name_state", STRING, "known, withheld, unknown, ...; null: no article says", values=_values(ClaimState)),
    _n("age", INT, "years"),
    _n("gender", STRING, "where the text shows it", values=("male", "female")),
    _n("occupation", STRING, "what they do"),
    _n("employer", STRING, "for whom"),
    _n("condition", STRING, "how they fared, as last reported", values=_values(Condition)),
    _n("legal_status", STRING, "where they stand before the law", values=_values(LegalStatus)),
    _c("charges", STRINGS, "every charge reported"),
    _n("relationship", STRING, "to another participant, as written"),
    _c("n_reports", INT, "independent reports (syndication groups) that mention them"),
)

_CHANGE_OF = (
    _c("incident_id", STRING, "the incident", references="incidents.incident_id"),
    _c("version", INT, "its version, from 1"),
    _c("known_at", UTC, "when the version came to stand, by the writer's clock", volatile=True),
)


def _table(name: str, row: str, key: Sequence[str], *columns: Column) -> Table:
    return Table(name, row, tuple(key), columns + _RECORDED)


_ALL: tuple[Table, ...] = (
    _table(
        "inputs",
        "thing that came in: a feed entry with its page, a dropped file or one line of it",
        ["input_id"],
        _c("input_id", STRING, "id of the input; a second arrival of the same thing has its own"),
        _c("kind", STRING, "what it was", values=("entry", "file", "line", "record", "mail", "member", "article")),
        _c("source_id", STRING, "the source it came from"),
        _c("location", STRING, "where it lay: a URL, or a file with `#LINE` or `!MEMBER`"),
        _n("payload_sha256", STRING, "address of its bytes in the raw archive; null where none came"),
        _c("disposition", STRING, "what became of it", values=_values(Disposition)),
        _n("article_id", STRING, "the article it is, where it is one"),
        _n("reason", STRING, "reason code, where refused, quarantined or a duplicate"),
        _n("replay_of", STRING, "the input that this one replays", references="inputs.input_id"),
    ),
    _table(
        "fetches",
        "request made",
        ["fetch_id"],
        _c("fetch_id", STRING, "id of the request"),
        _c("source_id", STRING, "the source it was made for"),
        _c("url", STRING, "address asked for"),
        _n("final_url", STRING, "address that answered, after redirects"),
        _c("requested_at", UTC, "when it was made", volatile=True),
        _n("status", INT, "HTTP status; null where there was no answer"),
        _c("outcome", STRING, "ok, not_modified, or the name of what went wrong (docs/fetching.md)"),
        _n("etag", STRING, "the answer's ETag"),
        _n("last_modified", STRING, "the answer's Last-Modified, as sent"),
        _n("body_sha256", STRING, "address of the body in the raw archive"),
        _n("elapsed_s", FLOAT, "seconds from request to last byte; null in a replay", volatile=True),
        _n("warning", STRING, "what is wrong with the source or its feed, on the request for the feed"),
    ),
    _table(
        "articles",
        "article revision: one text of one page",
        ["revision_id"],
        _c("article_id", STRING, "the page of one source under one canonical URL"),
        _c("revision_id", STRING, "this text of it"),
        _c("revision", INT, "number of this text, from 1"),
        _c("source_id", STRING, "who published it"),
        _n("url", STRING, "address as given"),
        _n("canonical_url", STRING, "address that stands for all of the page's addresses"),
        _c("title", STRING, "headline; may be empty"),
        _n("author", STRING, "byline"),
        _c("published_at", UTC, "when the source says it was published; midnight where the precision is a day"),
        _c("published_precision", STRING, "how exact that is", values=("minute", "day")),
        _c("published_basis", STRING, "who says so", values=("feed", "page", "sidecar", "file", "received")),
        _n("modified_at", UTC, "when the page says it was last changed"),
        _c("fetched_at", UTC, "when we got it", volatile=True),
        _n("language", STRING, "ISO 639-1 code of the text"),
        _c("text", STRING, "title, then body; what claims' offsets count in (code points)"),
        _c("text_sha256", STRING, "sha256 of the text's UTF-8"),
        _c("raw_sha256", STRING, "address of the page's bytes in the raw archive"),
        _c("syndication_id", STRING, "group of articles that carry the same text"),
    ),
    _table(
        "readings",
        "reading: what one version of the extractor found in one revision",
        ["reading_id"],
        _c("reading_id", STRING, "id of the reading"),
        _c("article_id", STRING, "the article read", references="articles.article_id"),
        _c("revision_id", STRING, "the revision read", references="articles.revision_id"),
        _c("extractor_version", STRING, "who read it"),
        _c("kind", STRING, "what the article is about", values=_values(ReadingKind)),
        _c("notice", STRING, "what it says of itself", values=_values(Notice)),
    ),
    _table(
        "claims",
        "value that a reading states, with the sentence that says so",
        ["claim_id"],
        _c("claim_id", STRING, "id of the claim"),
        _c("reading_id", STRING, "the reading", references="readings.reading_id"),
        _c("article_id", STRING, "the article", references="articles.article_id"),
        _c("revision_id", STRING, "the revision", references="articles.revision_id"),
        _c("incident_ref", INT, "which incident of the article, from 1"),
        _n("participant_ref", INT, "which person of the article, from 1; null for a field of the incident"),
        _n("role", STRING, "that person's role", values=_values(Role)),
        _c("field", STRING, "what is claimed (docs/extraction.md lists the fields)"),
        _n("value", STRING, "the value as plain text; null unless known or disputed"),
        _c("value_raw", STRING, "the words it was read from"),
        _c("state", STRING, "known, withheld, unknown, ...", values=_values(ClaimState)),
        _c("basis", STRING, "where the value comes from", values=_values(Basis)),
        _c("quote", STRING, "the sentence that says it: text[quote_start:quote_end]"),
        _c("quote_start", INT, "first code point of the quote in articles.text"),
        _c("quote_end", INT, "code point after its last"),
        _n("attributed_to", STRING, "who said it, where the article says"),
        _c("confidence", FLOAT, "0 to 1: how sure the reader is that the article says this"),
        _c("published_at", UTC, "the article's"),
    ),
    _table(
        "links",
        "judgement whether a reading's incident is a known incident",
        ["link_id"],
        _c("link_id", STRING, "id of the judgement"),
        _c("seq", INT, "order of judgements on the same three; the highest stands, a human one before all"),
        _c("article_id", STRING, "the article", references="articles.article_id"),
        _c("reading_id", STRING, "the reading", references="readings.reading_id"),
        _c("incident_ref", INT, "which incident of the reading"),
        _c("incident_id", STRING, "the known incident"),
        _c("verdict", STRING, "is, is not, or may be", values=_values(Verdict)),
        _c("score", FLOAT, "0 to 1: calibrated probability that it is"),
        _c("reasons", STRINGS, "what spoke for and against, strongest first"),
        _c("actor", STRING, "`linker` with its version, or `human:` with a name"),
        _c("judged_at", UTC, "when", volatile=True),
    ),
    _table(
        "alignments",
        "participant of a reading placed in an incident",
        ["reading_id", "incident_ref", "participant_ref", "incident_id", "participant_id"],
        _c("reading_id", STRING, "the reading", references="readings.reading_id"),
        _c("incident_ref", INT, "which incident of the reading"),
        _c("participant_ref", INT, "which person of it"),
        _c("incident_id", STRING, "the incident"),
        _c("participant_id", STRING, "the person of the incident"),
        _c("score", FLOAT, "0 to 1: how sure the alignment is"),
        _c("reasons", STRINGS, "why"),
        _c("judged_at", UTC, "when", volatile=True),
    ),
    _table(
        "judgements",
        "decision of a person",
        ["judgement_id"],
        _c("judgement_id", STRING, "id of the decision"),
        _c(
            "action",
            STRING,
            "what was decided",
            values=("link", "unlink", "merge", "split", "set", "erase"),
        ),
        _n("article_id", STRING, "the article it is about"),
        _n("incident_id", STRING, "the incident it is about"),
        _n("other_incident_id", STRING, "the second incident, of a merge"),
        _n("participant_id", STRING, "the participant it is about"),
        _n("other_participant_id", STRING, "the second participant, of a merge"),
        _n("field", STRING, "the field that was set"),
        _n("value", STRING, "the value that it was set to"),
        _n("state", STRING, "the state that it was set to", values=_values(ClaimState)),
        _c("actor", STRING, "who decided"),
        _c("reason", STRING, "why"),
        _c("judged_at", UTC, "when", volatile=True),
    ),
    _table(
        "incidents",
        "version of an incident record",
        ["incident_id", "version"],
        _c("incident_id", STRING, "the incident; never used again"),
        *_CHANGE_OF[1:],
        _c("headline", STRING, "title of the article that tells it best; outside the diff"),
        _c("incident_types", STRINGS, "what happened, most specific first", values=tuple(INCIDENT_TYPES)),
        _n("occurred_date", DAY, "local calendar day"),
        _n("occurred_at", LOCAL, "local wall time at the place, where a clock time is known"),
        _c("occurred_precision", STRING, "how exactly the time is known", values=_values(Precision)),
        _n("time_zone", STRING, "IANA zone of the place"),
        _n("street", STRING, "block, address or intersection"),
        _n("neighborhood", STRING, "part of the city"),
        _n("city", STRING, "city, town or village"),
        _n("county", STRING, "county or district"),
        _n("state", STRING, "state, province or region, full English name"),
        _n("country", STRING, "country, full English name"),
        _n("latitude", FLOAT, "degrees north, of the most exact place known"),
        _n("longitude", FLOAT, "degrees east"),
        _n("n_killed", INT, "people dead, suspects included; null: no article says"),
        _n("n_injured", INT, "people hurt and alive, suspects included"),
        _n("weapon", STRING, "what did the harm"),
        _n("agency", STRING, "the agency that leads"),
        _n("status", STRING, "where the case stands", values=_values(CaseStatus)),
        _c("participants", pa.list_(PARTICIPANT_STRUCT), "the participants of this version, as in `participants`"),
        _c("conflicts", pa.list_(CONFLICT_STRUCT), "fields on which reports disagree, the standing value first"),
        _c("n_articles", INT, "articles linked when the version came to stand; outside the diff"),
        _c("n_reports", INT, "independent reports (syndication groups) among them; outside the diff"),
        _n("first_published_at", UTC, "publication of the first of them; outside the diff"),
        _n("last_published_at", UTC, "publication of the last of them; outside the diff"),
        _n("merged_into", STRING, "the incident that this one is part of now"),
        _c("extractor_version", STRING, "the newest extractor among its readings; outside the diff"),
    ),
    _table(
        "participants",
        "participant of an incident version",
        ["incident_id", "version", "participant_id"],
        *_CHANGE_OF,
        _c("participant_id", STRING, "the person; the same in all versions of the incident"),
        *_PARTICIPANT_COLUMNS,
    ),
    _table(
        "facts",
        "resolved value of one field, when it came to stand",
        ["incident_id", "version", "participant_id", "field"],
        *_CHANGE_OF,
        _n("participant_id", STRING, "the person; null for a field of the incident"),
        _c("field", STRING, "what is resolved"),
        _n("value", STRING, "the standing value as plain text"),
        _c("state", STRING, "its state", values=_values(ClaimState)),
        _c("n_reports", INT, "independent reports that say so"),
        _c("claim_ids", STRINGS, "the claims that say so"),
        _n("judgement_id", STRING, "the human judgement that says so"),
        _c("rivals", pa.list_(RIVAL_STRUCT), "other values, with their claims"),
    ),
    _table(
        "changes",
        "field of an incident that moved between two versions",
        ["change_id"],
        _c("change_id", STRING, "stable id: a change is acted on once"),
        *_CHANGE_OF,
        _n("participant_id", STRING, "the person; null for a field of the incident"),
        _c("field", STRING, "what moved"),
        _c("kind", STRING, "how it moved", values=_values(ChangeKind)),
        _c("cause", STRING, "why it moved", values=_values(ChangeCause)),
        _n("before_state", STRING, "state before; null where nothing was said", values=_values(ClaimState)),
        _n("before", STRING, "value before, as canonical JSON"),
        _n("after_state", STRING, "state after", values=_values(ClaimState)),
        _n("after", STRING, "value after, as canonical JSON"),
        _n("article_id", STRING, "the article that caused it"),
        _n("claim_id", STRING, "the claim that carries the new value"),
        _n("quote", STRING, "the sentence that says it"),
        _n("source_id", STRING, "who says it"),
        _n("published_at", UTC, "when they said it"),
    ),
    _table(
        "quarantine",
        "rejected input",
        ["input_id"],
        _c("input_id", STRING, "the input", references="inputs.input_id"),
        _c("stage", STRING, "where it failed", values=("ingest", "clean", "extract", "link", "quality")),
        _c("reason", STRING, "reason code (docs/quarantine.md)"),
        _c("message", STRING, "what was wrong, for a person"),
        _c("location", STRING, "where it lay"),
        _n("payload_sha256", STRING, "its bytes in the raw archive"),
        _c("retryable", BOOL, "whether a replay can help once the cause is mended"),
        _n("origin", STRING, "what a replay needs: the document as it was registered, or its delivery", volatile=True),
    ),
    _table(
        "check_results",
        "expectation evaluated",
        ["suite", "expectation", "column", "batch_id"],
        _c("suite", STRING, "the suite: a table's name, or `batch`"),
        _c("expectation", STRING, "what was expected"),
        _n("column", STRING, "of which column"),
        _c("success", BOOL, "whether it held"),
        _c("severity", STRING, "what a failure does", values=("block", "quarantine", "warn")),
        _n("observed", STRING, "what was seen, as JSON"),
        _n("threshold", STRING, "what was allowed, as JSON"),
        _c("checked_at", UTC, "when", volatile=True),
    ),
    _table(
        "alerts",
        "delivery attempt",
        ["alert_id", "attempt"],
        _c("alert_id", STRING, "id of the message"),
        _c("change_ids", STRINGS, "the changes it tells"),
        _c("rule", STRING, "the rule that asked for it"),
        _c("channel", STRING, "where it was sent"),
        _c("status", STRING, "how that went", values=("sent", "failed")),
        _c("attempt", INT, "number of the attempt, from 1"),
        _c("sent_at", UTC, "when", volatile=True),
        _n("error", STRING, "why it failed"),
    ),
    _table(
        "runs",
        "stage of a run",
        ["run_id", "stage", "batch_id"],
        _n("dag_id", STRING, "the DAG; null for a command", volatile=True),
        _c("stage", STRING, "the stage", values=("ingest", "read", "link", "check", "publish", "alert")),
        _c("started_at", UTC, "when it started", volatile=True),
        _c("finished_at", UTC, "when it finished", volatile=True),
        _c("n_in", INT, "inputs that entered the stage"),
        _c("n_published", INT, "of them published"),
        _c("n_unchanged", INT, "of them unchanged"),
        _c("n_not_incident", INT, "of them about no incident"),
        _c("n_duplicate", INT, "of them seen before"),
        _c("n_refused", INT, "of them refused"),
        _c("n_quarantined", INT, "of them quarantined"),
    ),
)

# In the order in which rows refer to each other; `runs` is last, so that a run's row says that all of it is there.
TABLES: Mapping[str, Table] = {table.name: table for table in _ALL}


def build_table(name: str, rows: Iterable[Mapping[str, object]]) -> pa.Table:
    """Turn rows (column to plain Python value) into an Arrow table of the declared schema, sorted by the table's key.

    Enums, tuples, dates and datetimes are taken as they are. Raises pyarrow's ArrowInvalid or ArrowTypeError where a
    value does not fit, and ValueError where a required column is null or a column is not declared.
    """
    table = TABLES[name]
    listed = list(rows)
    declared = {column.name for column in table.columns}
    if listed and (unknown := set(listed[0]) - declared):
        raise ValueError(f"{name} has no column {', '.join(sorted(unknown))}")
    arrays = [pa.array([_plain(row.get(c.name)) for row in listed], type=c.type) for c in table.columns]
    for column, array in zip(table.columns, arrays, strict=True):
        if not column.nullable and array.null_count:
            raise ValueError(f"{name}.{column.name} is null in {array.null_count} of {len(array)} rows")
    built = pa.Table.from_arrays(arrays, schema=table.schema)
    return built.sort_by([(key, "ascending") for key in table.key]) if listed else built


def _plain(value: object) -> object:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value
