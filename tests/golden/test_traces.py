"""Every resolved value of the tables traces to a claim, and every claim to the words of a stored article.

Played: all sample pages of seeds/ and all golden articles, through the whole pipeline into a warehouse.
"""

import json
from pathlib import Path

import duckdb
import pytest
from tests.golden.goldens import list_goldens, load_article

from blotter.config import load_settings
from blotter.model import FIELDS
from blotter.replay import replay_documents, settings_for_replay

SEEDS = Path(__file__).parents[2] / "seeds" / "days"
_COLUMN_OF = {"incident_type": "incident_types"}
# A person's standing before the law is the case's stage where no claim tells of it.
_IMPLIED = {
    ("legal_status", "at_large"): ("status", "suspect_sought"),
    ("legal_status", "arrested"): ("status", "arrest_made"),
    ("legal_status", "charged"): ("status", "charged"),
    ("legal_status", "convicted"): ("status", "convicted"),
}
_RECAST = frozenset(("occurred_time",))  # part of occurred_at


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """A connection with the tables of the played warehouse as views."""
    folder = tmp_path_factory.mktemp("traces")
    (folder / "in").mkdir()
    pages = sorted(SEEDS.glob("*/www/**/*.html"))
    for number, page in enumerate(pages):
        copy = folder / "in" / f"page-{number:04d}.html"
        copy.write_bytes(page.read_bytes())
        day = page.relative_to(SEEDS).parts[0]
        meta = {"url": f"http://seeds.example/{number}", "published": day}
        copy.with_name(f"{copy.stem}.meta.json").write_text(json.dumps(meta), encoding="utf-8")
    with (folder / "in" / "goldens.jsonl").open("w", encoding="utf-8") as lines:
        for golden in list_goldens():
            article = load_article(golden)
            told = {"url": article.url, "title": article.title, "published": article.published_at.isoformat()}
            lines.write(json.dumps({**told, "text": article.text.removeprefix(article.title).strip()}) + "\n")
    settings = settings_for_replay(load_settings(environ={}), folder / "W")
    replay_documents(settings, [folder / "in"])
    connection = duckdb.connect()
    for table in ("articles", "claims", "facts", "incidents"):
        path = folder / "W" / table / "**" / "*.parquet"
        connection.execute(f"CREATE VIEW {table} AS FROM read_parquet('{path}', hive_partitioning = true)")
    ((n_articles,),) = connection.execute("SELECT count(DISTINCT article_id) FROM articles").fetchall()
    assert n_articles > 60 + len(pages) / 2, "most of what was played is there"
    return connection


def test_each_claim_quotes_its_article(tables: duckdb.DuckDBPyConnection) -> None:
    rows = tables.execute(
        """SELECT text, quote, quote_start, quote_end, value_raw, claim_id
        FROM claims JOIN articles USING (article_id, revision_id)"""
    ).fetchall()
    ((n_claims,),) = tables.execute("SELECT count(*) FROM claims").fetchall()
    assert len(rows) == n_claims > 1_500
    for text, quote, start, end, raw, claim in rows:
        assert text[start:end] == quote, claim
        assert raw in quote, claim


def test_each_fact_rests_on_claims_that_say_so(tables: duckdb.DuckDBPyConnection) -> None:
    claims = {row[0]: row[1:] for row in tables.execute("SELECT claim_id, field, state, value FROM claims").fetchall()}
    facts = tables.execute("SELECT field, state, value, claim_ids FROM facts WHERE judgement_id IS NULL").fetchall()
    assert len(facts) > 1_000
    for field, state, value, claim_ids in facts:
        assert claim_ids, (field, value)
        said = {claims[claim_id] for claim_id in claim_ids}
        if state not in ("known", "disputed"):
            # A retraction takes back what its own article goes on to tell, whatever state that claim has.
            states = {(f, s) for f, s, _ in said} | {(f, "retracted") for f, _, _ in said}
            assert (field, state) in states, (field, state, said)
        elif FIELDS[field].many:
            assert set(map(str, json.loads(value))) <= {told for f, _, told in said if f == field}, (field, value, said)
        elif field == "n_injured" and ("condition", "known", "killed") in said:
            # Who died since the hurt were counted is no longer one of them.
            n_died = max(int(told) for f, _, told in said if f == field) - int(value)
            assert 0 <= n_died <= sum(claims[one] == ("condition", "known", "killed") for one in claim_ids), said
        else:
            values = {(f, told) for f, _, told in said} | {_IMPLIED.get((f, told)) for f, _, told in said}
            assert (field, value) in values, (field, value, said)


def test_each_value_of_a_record_is_a_fact(tables: duckdb.DuckDBPyConnection) -> None:
    newest = {
        (incident, field): (value, state)
        for incident, field, value, state in tables.execute(
            """SELECT incident_id, field, value, state FROM facts WHERE participant_id IS NULL
            QUALIFY row_number() OVER (PARTITION BY incident_id, field ORDER BY version DESC) = 1"""
        ).fetchall()
    }
    fields = [spec.name for spec in FIELDS.values() if spec.of == "incident" and spec.name not in _RECAST]
    columns = [_COLUMN_OF.get(field, field) for field in fields]
    held = [row[0] for row in tables.execute("DESCRIBE incidents").fetchall()]
    named = [(field, column) for field, column in zip(fields, columns, strict=True) if column in held]
    records = tables.execute(
        f"""SELECT incident_id, {", ".join(column for _, column in named)} FROM incidents
        QUALIFY row_number() OVER (PARTITION BY incident_id ORDER BY version DESC) = 1"""
    ).fetchall()
    assert len(records) > 60
    for incident, *values in records:
        for (field, _), value in zip(named, values, strict=True):
            if value is not None and value != []:
                assert (incident, field) in newest, (incident, field, value)
                fact, state = newest[incident, field]
                assert state in ("known", "disputed")
                assert fact == _write(value), (incident, field)


def _write(value: object) -> str:
    return json.dumps(value, separators=(",", ":")) if isinstance(value, list) else str(value)
