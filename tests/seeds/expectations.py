"""What must be known at the end of each day of the sample week, and how the tables differ from it.

Belongs here: reading `seeds/expected/*.yaml` (seeds/README.md describes the form) and comparing a day of it with a
warehouse. Does not belong here: running anything. The tables are read as an analyst reads them, by DuckDB over Parquet.
"""

import copy
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import yaml

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
Row = dict[str, Any]

_OF_PERSON = ("name", "name_state", "age", "gender", "occupation", "condition", "legal_status", "charges")
_OF_DAY = ("changes", "inputs", "syndicated", "revisions", "never_in_text", "may_link")
_COUNTS = ("n_articles", "n_reports")  # they move with every corroboration: stated for a day alone
_STARTLING = ("revised", "retracted", "conflict_opened", "conflict_settled", "merged", "split")


def list_expected_days(folder: Path = SEEDS / "expected") -> list[str]:
    """Give the days that have expectations, oldest first."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def load_expected(day: str, folder: Path = SEEDS / "expected") -> dict[str, Any]:
    """Give all that must hold at the end of a day: what its file states, over what earlier days' files state.

    Incidents carry over from day to day: record and participants by key, articles and absent names add up, conflicts
    are replaced where restated. What belongs to one day alone (changes, inputs, revisions, ...) does not carry over; an
    incident that a later day's file does not name is expected to have no change on that day.
    """
    incidents: dict[str, Any] = {}
    stated: dict[str, Any] = {}
    for known in [name for name in list_expected_days(folder) if name <= day]:
        stated = yaml.safe_load((folder / f"{known}.yaml").read_text(encoding="utf-8"))
        for incident in incidents.values():
            incident.update(changes=[], may_change=[], is_new=False)
            incident["record"] = {key: value for key, value in incident["record"].items() if key not in _COUNTS}
        for handle, told in stated["incidents"].items():
            incidents[handle] = _carry_over(incidents.get(handle), told)
    return {"incidents": incidents} | {key: stated[key] for key in _OF_DAY if key in stated}


def compare_day(warehouse_root: str | Path, day: str, expected: Mapping[str, Any]) -> list[str]:
    """Compare what a warehouse knew at the end of a day (UTC) with `expected`, as `load_expected` gives it.

    Returns one readable line a difference, in the order of the expectations; an empty list says that all holds. An
    incident is found by the article under its `find` (an address or a title). Its record, participants, conflicts and
    linked articles are compared as of the end of the day, its changes and the inputs' dispositions as of the day alone.
    Participants are matched by role, then by how many stated attributes agree. A value `{any: [...]}` (for enumerations
    also a plain list) takes any of its values; `null` means that nothing may be known. Beyond what is stated there may
    be no live incident, no participant (but `optional` ones), no charge, no open conflict, and, once an incident is
    known, no change that contradicts (revised, retracted, conflict_*); where no changes are stated there may be none.
    """
    return list(_compare(_Warehouse(Path(warehouse_root), day), expected))


def _carry_over(before: dict[str, Any] | None, told: Mapping[str, Any] | None) -> dict[str, Any]:
    told = told or {}
    merged = copy.deepcopy(before) if before else {"record": {}, "participants": {}, "articles": [], "absent": []}
    merged["is_new"] = before is None
    merged["find"] = told.get("find", merged.get("find"))
    merged["record"] |= told.get("record", {})
    for key, person in told.get("participants", {}).items():
        merged["participants"][key] = merged["participants"].get(key, {}) | person
    merged["articles"] += told.get("articles", [])
    merged["absent"] += told.get("absent", [])
    merged["conflicts"] = told.get("conflicts", merged.get("conflicts", []))
    merged["changes"] = told.get("changes", [])
    merged["may_change"] = told.get("may_change", [])
    return merged


class _Warehouse:
    """The tables as they stood at the end of one day."""

    def __init__(self, root: Path, day: str) -> None:
        self.root = root
        self.start = datetime.fromisoformat(day).replace(tzinfo=UTC)
        self.end = self.start + timedelta(days=1)

    def ask(self, query: str, *parameters: object) -> list[Row]:
        """Run a query in which {table} stands for reading that table; returns rows as dicts."""
        tables = {
            path.name: f"read_parquet('{path}/**/*.parquet', hive_partitioning=true)" for path in self.root.iterdir()
        }
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            cursor = connection.execute(query.format_map(tables), list(parameters))
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def articles(self) -> dict[str, Row]:
        """The newest revision of each article, under its addresses and its title."""
        rows = self.ask("SELECT * FROM {articles} WHERE recorded_at < ? ORDER BY revision", self.end)
        return {
            _address(name): row for row in rows for name in (row["url"], row["canonical_url"], row["title"]) if name
        }

    def linked(self) -> dict[str, set[str]]:
        """Article ids by the incident that their newest linked reading belongs to, as judged by then."""
        rows = self.ask(
            """
            WITH standing AS (
                SELECT DISTINCT ON (reading_id, incident_ref, incident_id) * FROM {links} WHERE recorded_at < $1
                ORDER BY reading_id, incident_ref, incident_id, starts_with(actor, 'human:') DESC, seq DESC
            ), placed AS (
                SELECT s.incident_id, s.article_id, rank() OVER (
                    PARTITION BY s.article_id ORDER BY a.revision DESC, r.recorded_at DESC, r.reading_id
                ) AS age
                FROM standing AS s
                JOIN {readings} AS r ON r.reading_id = s.reading_id
                JOIN {articles} AS a ON a.revision_id = r.revision_id
                WHERE s.verdict = 'positive'
            )
            SELECT DISTINCT incident_id, article_id FROM placed WHERE age = 1
            """,
            self.end,
        )
        linked: dict[str, set[str]] = {}
        for row in rows:
            linked.setdefault(row["incident_id"], set()).add(row["article_id"])
        return linked

    def incidents(self) -> dict[str, Row]:
        """The standing version of each incident that is not part of another."""
        rows = self.ask(
            "SELECT DISTINCT ON (incident_id) * FROM {incidents} WHERE known_at < ? ORDER BY incident_id, version DESC",
            self.end,
        )
        return {row["incident_id"]: row for row in rows if row["merged_into"] is None}

    def changes(self) -> list[Row]:
        """The changes of the day."""
        return self.ask("SELECT * FROM {changes} WHERE known_at >= ? AND known_at < ?", self.start, self.end)

    def inputs(self) -> list[Row]:
        """The inputs whose disposition was recorded on the day."""
        return self.ask("SELECT * FROM {inputs} WHERE recorded_at >= ? AND recorded_at < ?", self.start, self.end)


def _compare(warehouse: _Warehouse, expected: Mapping[str, Any]) -> Iterator[str]:
    articles, linked, incidents = warehouse.articles(), warehouse.linked(), warehouse.incidents()
    changes, tolerated = warehouse.changes(), {_id_of(articles, name) for name in expected.get("may_link", ())}
    found: dict[str, str] = {}
    for handle, told in expected["incidents"].items():
        article_id = _id_of(articles, told["find"])
        candidates = [incident_id for incident_id in incidents if article_id in linked.get(incident_id, ())]
        if len(candidates) != 1:
            of_what = (
                "the article was not read" if article_id is None else f"it is linked to {len(candidates)} incidents"
            )
            yield f"{handle}: cannot be found by {told['find']}: {of_what}"
            continue
        incident_id = candidates[0]
        for other, other_id in found.items():
            if other_id == incident_id:
                yield f"{handle}: is one incident with {other}, and must stay apart"
        found[handle] = incident_id
        its_changes = [change for change in changes if change["incident_id"] == incident_id]
        yield from (f"{handle}: {line}" for line in _compare_incident(told, incidents[incident_id], its_changes))
        at_hand = linked.get(incident_id, set()) - tolerated
        yield from (f"{handle}: {line}" for line in _compare_articles(told["articles"], at_hand, articles))
    for incident_id in incidents.keys() - set(found.values()):
        if linked.get(incident_id, set()) - tolerated or incidents[incident_id]["version"] == 1:
            yield f"an incident nobody expects: {incidents[incident_id]['headline']!r}"
    yield from _compare_inputs(expected.get("inputs", ()), warehouse.inputs())
    yield from _compare_texts(expected, articles)


def _id_of(articles: Mapping[str, Row], name: str) -> str | None:
    return articles[_address(name)]["article_id"] if _address(name) in articles else None


def _address(name: str) -> str:
    """The part of an address by which its spellings agree; a title stays as it is."""
    return re.sub(r"^https?://(.*?)/?$", r"\1", name)


def _compare_incident(told: Mapping[str, Any], record: Row, changes: Sequence[Row]) -> Iterator[str]:
    for field, value in told["record"].items():
        if not _agrees(record[field], value):
            yield f"{field}: expected {_show(value)}, got {record[field]!r}"
    people = _match_participants(told["participants"], record["participants"])
    for key, person in told["participants"].items():
        if key not in people:
            if not person.get("optional"):
                yield f"participant {key} is missing: {_show(person)}"
            continue
        for field in _OF_PERSON:
            if field in person and not _agrees(people[key][field], person[field]):
                yield f"{key}.{field}: expected {_show(person[field])}, got {people[key][field]!r}"
        for charge in people[key]["charges"] or ():
            if not any(_fold(told_charge) in _fold(charge) for told_charge in person.get("charges", ())):
                yield f"{key}.charges: {charge!r} is none of them"
    matched = {person["participant_id"] for person in people.values()}
    for person in record["participants"]:
        if person["participant_id"] not in matched:
            yield f"a participant nobody expects: {_tell(person)}"
        for name in told["absent"]:
            if _is_named(person["name"], name, told):
                yield f"{name} is no participant, but {person['name']} ({person['role']}) is there"
    yield from _compare_conflicts(told["conflicts"], record["conflicts"], people)
    yield from _compare_changes(told, changes, people)


def _is_named(name: str | None, absent: str, told: Mapping[str, Any]) -> bool:
    """Whether a name is that of an absent person, or their family name where no participant rightly has it."""
    words, family = _fold(name or "").split(), _fold(absent).split()[-1]
    known = [person["name"] for person in told["participants"].values() if isinstance(person.get("name"), str)]
    if any(_fold(other).split()[-1] == family for other in known):  # the sister of a victim shares his name
        return words == _fold(absent).split()
    return family in words


def _match_participants(told: Mapping[str, Any], actual: Sequence[Row]) -> dict[str, Row]:
    """Pair stated with actual participants: same role, most attributes in common first, stated ones before optional."""
    pairs = []
    for order, (key, person) in enumerate(told.items()):
        for other in actual:
            if "role" in person and other["role"] not in _listed(person["role"]):
                continue
            known = [field for field in _OF_PERSON if person.get(field) is not None]
            score = sum(
                _agrees(other[field], person[field]) * (3 if field in ("name", "age") else 1) for field in known
            )
            unlike = sum(
                other[field] is not None and not _agrees(other[field], person[field])
                for field in known
                if field != "charges"
            )
            pairs.append((bool(person.get("optional")), unlike - score, order, other["participant_id"], key, other))
    matched: dict[str, Row] = {}
    taken: set[str] = set()
    for *_, participant_id, key, other in sorted(pairs, key=lambda pair: pair[:4]):
        if key not in matched and participant_id not in taken:
            matched[key] = other
            taken.add(participant_id)
    return matched


def _compare_articles(told: Sequence[str], linked: set[str], articles: Mapping[str, Row]) -> Iterator[str]:
    wanted = {name: _id_of(articles, name) for name in told}
    for name, article_id in wanted.items():
        if article_id not in linked:
            yield f"{name} is not linked to it" if article_id else f"{name} was not read"
    titles = {row["article_id"]: row["title"] for row in articles.values()}
    for article_id in sorted(linked - set(wanted.values())):
        yield f"an article of another incident is linked to it: {titles.get(article_id, article_id)!r}"


def _compare_conflicts(told: Sequence[Row], actual: Sequence[Row], people: Mapping[str, Row]) -> Iterator[str]:
    wanted = {(_person_id(conflict, people), conflict["field"]): conflict for conflict in told}
    got = {(conflict["participant_id"], conflict["field"]): conflict for conflict in actual}
    for place, conflict in wanted.items():
        values = sorted(str(value) for value in conflict["values"])
        if place not in got:
            yield f"conflict on {_tell_field(conflict)} is not open"
        elif sorted(got[place]["values"]) != values:
            yield f"conflict on {_tell_field(conflict)}: expected {values}, got {got[place]['values']}"
    for place in got.keys() - wanted.keys():
        yield f"a conflict nobody expects: {got[place]['field']} {got[place]['values']}"


def _compare_changes(told: Mapping[str, Any], actual: Sequence[Row], people: Mapping[str, Row]) -> Iterator[str]:
    explained: set[str] = set()
    for change in told["changes"]:
        if "of" in change and change["of"] not in people:
            continue  # said already: the participant is missing
        same = [
            row
            for row in actual
            if row["field"] == change["field"] and row["participant_id"] == _person_id(change, people)
        ]
        differing = [list(_compare_change(change, row)) for row in same]
        if not same:
            yield f"change of {_tell_field(change)} is missing: {_show(change)}"
        elif all(differing):
            yield f"change of {_tell_field(change)}: {'; '.join(min(differing, key=len))}"
        explained |= {row["change_id"] for row in same}
    if told["is_new"]:
        return
    for row in actual:
        if row["change_id"] in explained or row["field"] in told["may_change"]:
            continue
        if row["kind"] in _STARTLING or not told["changes"]:
            yield (
                f"a change nobody expects: {row['field']} {row['kind']} by {row['cause']}, "
                f"{row['before']} -> {row['after']} ({row['quote']!r})"
            )


def _compare_change(told: Mapping[str, Any], row: Row) -> Iterator[str]:
    for field in ("kind", "cause", "before_state", "after_state"):
        if field in told and row[field] not in _listed(told[field]):
            yield f"{field}: expected {_show(told[field])}, got {row[field]!r}"
    for field in ("before", "after"):
        got = json.loads(row[field]) if row[field] is not None else None
        if field in told and not _agrees(got, told[field]):
            yield f"{field}: expected {_show(told[field])}, got {got!r}"
    phrases = _listed(told.get("quote", ""))
    if not any(_fold(phrase) in _fold(row["quote"] or "") for phrase in phrases):
        yield f"quote: expected one with {_show(told['quote'])}, got {row['quote']!r}"


def _compare_inputs(told: Sequence[Row], actual: Sequence[Row]) -> Iterator[str]:
    for wanted in told:
        rows = [
            row for row in actual if wanted["at"] in row["location"].replace("?utm_source=rss&utm_medium=push&", "?")
        ]
        if "utm_campaign" not in wanted["at"]:
            rows = [row for row in rows if "utm_campaign" not in row["location"]]
        got = {row["disposition"] for row in rows}
        reasons = {row["reason"] for row in rows if row["disposition"] in ("refused", "quarantined")}
        if not rows:
            yield f"input {wanted['at']}: no disposition on this day"
        elif not got & set(_listed(wanted["disposition"])):
            why = f" for {reasons}" if reasons else ""
            yield f"input {wanted['at']}: expected {_show(wanted['disposition'])}, got {', '.join(sorted(got))}{why}"
        elif "reason" in wanted and not reasons & set(_listed(wanted["reason"])):
            yield f"input {wanted['at']}: expected reason {_show(wanted['reason'])}, got {reasons}"


def _compare_texts(expected: Mapping[str, Any], articles: Mapping[str, Row]) -> Iterator[str]:
    for name, number in expected.get("revisions", {}).items():
        got = articles[_address(name)]["revision"] if _address(name) in articles else None
        if got != number:
            yield f"{name}: expected revision {number}, got {got}"
    for group in expected.get("syndicated", ()):
        if len({articles[_address(name)]["syndication_id"] for name in group if _id_of(articles, name)}) != 1:
            yield f"not one syndication group: {', '.join(group)}"
    for phrase in expected.get("never_in_text", ()):
        for article_id in {
            row["article_id"] for row in articles.values() if phrase in row["text"] or phrase in row["title"]
        }:
            yield f"{phrase!r} stands in the text of {article_id}"


def _agrees(actual: object, told: object) -> bool:
    if isinstance(told, Mapping):
        return any(_agrees(actual, option) for option in told["any"])
    if isinstance(told, list):
        values = {_fold(value) for value in actual or ()} if isinstance(actual, list | tuple) else set()
        return all(any(_fold(value) in other for other in values) for value in told)
    if isinstance(actual, datetime) and isinstance(told, str):
        return actual == datetime.fromisoformat(told)
    if isinstance(told, str) and isinstance(actual, str):
        return _fold(actual).removeprefix("the ") == _fold(told)
    if isinstance(told, date) and isinstance(actual, str):
        return actual == told.isoformat()
    return actual == told


def _listed(told: Any) -> list[Any]:
    if isinstance(told, Mapping):
        return list(told["any"])
    return list(told) if isinstance(told, list) else [told]


def _person_id(told: Mapping[str, Any], people: Mapping[str, Row]) -> str | None:
    if "of" not in told:
        return None
    return people[told["of"]]["participant_id"] if told["of"] in people else ""


def _tell_field(told: Mapping[str, Any]) -> str:
    return f"{told['of']}.{told['field']}" if "of" in told else str(told["field"])


def _tell(person: Row) -> str:
    return ", ".join(f"{key} {person[key]}" for key in ("role", *_OF_PERSON) if person[key] not in (None, [], ()))


def _show(value: Any) -> str:
    if isinstance(value, Mapping) and set(value) == {"any"}:
        return " or ".join(repr(option) for option in value["any"])
    return json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, Mapping | list) else repr(value)


def _fold(text: object) -> str:
    plain = str(text).casefold().translate(str.maketrans({"’": "'", "“": '"', "”": '"'}))
    return " ".join(plain.split())


def main() -> None:
    """Compare every day of a warehouse with the expectations: `python tests/seeds/expectations.py WAREHOUSE`."""
    for day in list_expected_days():
        differences = compare_day(sys.argv[1], day, load_expected(day))
        print(f"{day}: {len(differences)} differences", *differences, sep="\n  ")  # noqa: T201


if __name__ == "__main__":
    main()
