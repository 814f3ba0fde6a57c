"""Tables, timelines and readings as a person wants to see them in a terminal.

Belongs here: layout and wording. Does not belong here: fetching what is shown (`blotter.queries`), or any decision.
Everything shown comes from strangers, so it is printed as text, never as markup.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import make_url

from blotter.config import Settings
from blotter.model import FIELDS, INCIDENT_TYPES, CaseStatus, ChangeKind, Condition, LegalStatus, Precision, Role
from blotter.schemas import TABLES

if TYPE_CHECKING:
    from blotter.replay import Extraction
    from blotter.store.warehouse import Warehouse

Row = Mapping[str, Any]

STATE_WORDS = {
    "withheld": "not released",
    "unknown": "not known",
    "disputed": "disputed",
    "denied": "denied",
    "retracted": "withdrawn",
}
# Values that are our own codes; all others are words of an article and shown as they are.
_CODES = frozenset({*INCIDENT_TYPES, *CaseStatus, *LegalStatus, *Condition, *Role, *Precision, "early_morning"})
_FIELD_WORDS = {
    "n_killed": "killed",
    "n_injured": "injured",
    "occurred_date": "date",
    "occurred_at": "time",
    "occurred_time": "time",
    "occurred_precision": "time known to",
    "incident_types": "type",
    "incident_type": "type",
    "legal_status": "legal status",
}


def show_incidents(console: Console, rows: Sequence[Row]) -> None:
    """Print a few lines an incident: when and what, where, how many, who."""
    for row in rows:
        what = ", ".join(str(kind).replace("_", " ") for kind in row["incident_types"] or ()) or "kind not known"
        line = Text(f"{tell_when(row)}  {what}", style="bold")
        line.append(f"   {row['incident_id']} v{row['version']}", style="dim")
        console.print(line, soft_wrap=True)
        console.print(Text(f"  {tell_where(row)}. {tell_toll(row)}"), soft_wrap=True)
        for person in row["participants"] or ():
            console.print(Text(f"  {tell_participant(person)}"), soft_wrap=True)
        for conflict in row["conflicts"] or ():
            told = " or ".join(str(value) for value in conflict["values"])
            line = Text(f"  reports differ on {tell_field(conflict['field'])}: {told}", style="yellow")
            console.print(line, soft_wrap=True)


def show_timeline(console: Console, incident: Row, changes: Sequence[Row]) -> None:
    """Print what became known of one incident, day by day: each sentence once, under the changes that it carries."""
    console.print(Text(_one_line(incident["headline"]), style="bold"), soft_wrap=True)
    where = f"{incident['incident_id']}  {tell_where(incident)}, {tell_when(incident)}"
    console.print(Text(where, style="dim"), soft_wrap=True)
    names = {person["participant_id"]: tell_person(person) for person in incident["participants"] or ()}
    for (day, version), of_version in groupby(
        changes, key=lambda change: (change["known_at"].date(), change["version"])
    ):
        console.print(Text(f"\n{day:%A %d %B %Y}, version {version}", style="bold underline"))
        show_changes(console, of_version, names)


def show_changes(console: Console, changes: Iterable[Row], names: Mapping[str, str]) -> None:
    """Print changes of one version, each sentence once, under the changes that it carries; `names` by participant."""
    by_sentence: dict[tuple[str | None, str | None], list[Row]] = {}
    for change in changes:
        by_sentence.setdefault((change["quote"], change["source_id"]), []).append(change)
    for (quote, _), carried in by_sentence.items():
        for change in carried:
            console.print(Text("  ") + tell_change(change, names), soft_wrap=True)
        if quote:
            console.print(Text(f"      “{_one_line(quote)}”", style="italic"), soft_wrap=True)
        console.print(Text(f"      {_tell_origin(carried[0])}", style="dim"), soft_wrap=True)


def tell_change(change: Row, names: Mapping[str, str]) -> Text:
    """Word one change: whose, what, before and after, kind and cause."""
    whose = names.get(str(change["participant_id"]), "a participant") if change["participant_id"] else ""
    line = Text()
    if whose:
        line.append(f"{whose} – ")
    line.append(tell_field(change["field"]), style="bold")
    line.append(": ")
    if change["kind"] == ChangeKind.CONFLICT_OPENED and change["before"] == change["after"]:
        line.append("reports differ; it stays ")
    elif change["kind"] == ChangeKind.CONFLICT_SETTLED and change["before"] == change["after"]:
        line.append("reports agree on ")
    elif change["before_state"] is not None:
        line.append(tell_value(change["before"], change["before_state"], change["field"]), style="red")
        line.append(" → ")
    if change["after_state"] is not None:
        line.append(tell_value(change["after"], change["after_state"], change["field"]), style="green")
    else:
        line.append("nothing", style="green")
    line.append(f"   {str(change['kind']).replace('_', ' ')}, {str(change['cause']).replace('_', ' ')}", style="dim")
    return line


def tell_when(row: Row) -> str:
    """Word when an incident happened, as exactly as is known."""
    if row["occurred_at"] is not None:
        return f"{row['occurred_at']:%Y-%m-%d %H:%M}"
    return str(row["occurred_date"]) if row["occurred_date"] is not None else "day not known"


def tell_where(row: Row) -> str:
    """Word where it happened, the most exact place first."""
    parts = (row["street"], row["neighborhood"], row["city"] or row["county"], row["state"] or row["country"])
    return ", ".join(str(part) for part in parts if part) or "place not known"


def tell_participant(person: Row) -> str:
    """Word a participant in a few words: name or why there is none, age, role, how they fared."""
    name = person["name"] or (
        f"name {STATE_WORDS.get(person['name_state'] or '', 'not given')}" if person["name_state"] else None
    )
    is_child = person["age"] is not None and person["age"] < 18
    called = {"male": "boy", "female": "girl"} if is_child else {"male": "man", "female": "woman"}
    described = person["occupation"] or called.get(person["gender"] or "")
    words = [name, str(person["age"]) if person["age"] is not None else None, described]
    fate = [person["condition"], person["legal_status"]]
    told = ", ".join(str(word) for word in words if word) or "unnamed"
    ends = ", ".join(str(word).replace("_", " ") for word in fate if word)
    return f"{str(person['role']).replace('_', ' ')}: {told}" + (f" ({ends})" if ends else "")


def tell_person(person: Row) -> str:
    """Word which participant is meant, in as few words as tell them apart."""
    if person["name"]:
        return str(person["name"])
    age = f"aged {person['age']}" if person["age"] is not None else None
    told = ", ".join(str(word) for word in (person["occupation"] or person["gender"], age) if word)
    return f"the {str(person['role']).replace('_', ' ')}" + (f" ({told})" if told else "")


def tell_toll(row: Row) -> str:
    """Word how many were killed and hurt, and what no article says."""
    told = [
        f"{row[field]} {word}" if row[field] is not None else f"{word}: not said"
        for field, word in (("n_killed", "killed"), ("n_injured", "injured"))
    ]
    return ", ".join(told)


def show_extraction(console: Console, extraction: "Extraction") -> None:
    """Print one article as read: the record, then every claim with its sentence and the words it was read from."""
    reading = extraction.reading
    console.rule(Text(extraction.location))
    if reading is None:
        console.print(Text(f"not read: {extraction.message}", style="red"))
        return
    notice = f", {reading.notice}" if reading.notice != "none" else ""
    console.print(Text(f"{reading.kind.replace('_', ' ')}{notice}, {len(reading.claims)} claims", style="bold"))
    if extraction.incident is not None:
        row = extraction.incident
        what = ", ".join(str(kind).replace("_", " ") for kind in row["incident_types"] or ()) or "kind not known"
        console.print(Text(f"{what}. {tell_where(row)}, {tell_when(row)}. {tell_toll(row)}"))
        for person in row["participants"]:
            console.print(Text(f"  {tell_participant(person)}"))
    quote = None
    for claim in sorted(reading.claims, key=lambda claim: (claim.quote_start, claim.incident_ref)):
        if claim.quote_start != quote:
            quote = claim.quote_start
            sentence = Text(f"\n“{_one_line(claim.quote)}”")
            for other in reading.claims:
                if other.quote_start == quote and other.value_raw:
                    sentence.highlight_words([_one_line(other.value_raw)], style="bold yellow")
            console.print(sentence)
        person = f" person {claim.participant_ref}" if claim.participant_ref else ""
        said = f", says {claim.attributed_to}" if claim.attributed_to else ""
        value = tell_plain(claim.value, claim.state)
        line = Text(f"  {claim.incident_ref}{person} {tell_field(claim.field)}: ", style="dim")
        line.append(value, style="green")
        line.append(f"  {claim.basis}, {claim.confidence:.2f}{said}", style="dim")
        console.print(line)


def show_tables(console: Console, warehouse: "Warehouse", root: str) -> None:
    """Print each table with its rows and days, then the two lines that read one."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("table")
    table.add_column("rows", justify="right")
    table.add_column("days", justify="right")
    table.add_column("one row per")
    for name, declared in TABLES.items():
        read = warehouse.read(name, columns=["dt"])
        table.add_row(name, str(read.num_rows), str(len(set(read["dt"].to_pylist()))), declared.row)
    console.print(table)
    console.print()
    for line in reading_lines(root):
        console.print(Text(line), soft_wrap=True)


def reading_lines(root: str, table: str = "changes") -> tuple[str, str]:
    """Give the two lines that read a table, with pandas and with DuckDB."""
    return (
        f'pandas.read_parquet("{root}/{table}")',
        f"duckdb.sql(\"FROM read_parquet('{root}/{table}/**/*.parquet', hive_partitioning=true)\")",
    )


def show_settings(console: Console, settings: Settings) -> None:
    """Print the settings as a TOML file that would make them."""
    sections = settings.model_dump(mode="json")
    if "://" in settings.state:
        sections["state"] = make_url(settings.state).render_as_string(hide_password=True)
    plain = {key: value for key, value in sections.items() if not isinstance(value, dict)}
    console.print(Text("\n".join(_toml_lines(plain))), soft_wrap=True)
    for name, section in sections.items():
        if isinstance(section, dict):
            console.print(Text(f"\n[{name}]\n" + "\n".join(_toml_lines(section))), soft_wrap=True)


def _toml_lines(values: Mapping[str, object]) -> Iterable[str]:
    for key, value in values.items():
        yield f"# {key} is not set" if value is None else f"{key} = {json.dumps(value)}"


def tell_field(field: str) -> str:
    """Word a field's name."""
    return _FIELD_WORDS.get(field, field.replace("_", " "))


def tell_value(value: str | None, state: str | None, field: str) -> str:
    """Word a value of a change as the query gives it: plain text, or the JSON of a list."""
    is_list = value is not None and field in FIELDS and FIELDS[field].many
    return tell_plain(json.loads(value) if value is not None and is_list else value, state)


def tell_plain(value: object, state: str | None) -> str:
    """Word a value with its state; a list is told with commas."""
    if value is None:
        return STATE_WORDS.get(state or "", "nothing")
    parts = [str(part) for part in (value if isinstance(value, list | tuple) else [value])]
    told = ", ".join(part.replace("_", " ") if part in _CODES else part for part in parts)
    return told if state in (None, "known") else f"{told} ({STATE_WORDS.get(state or '', state)})"


def _tell_origin(change: Row) -> str:
    published: datetime | None = change["published_at"]
    when = f", published {published:%Y-%m-%d %H:%M} UTC" if published else ""
    return f"{change['source_id'] or 'a person'}{when}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
