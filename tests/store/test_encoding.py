from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blotter.schemas import TABLES
from blotter.store.encoding import encode_part, extend_part
from store.builders import make_rows


def decode(part: bytes) -> pa.Table:
    with pq.ParquetFile(pa.BufferReader(part)) as opened:
        return opened.read()


@given(name=st.sampled_from(sorted(TABLES)), sizes=st.lists(st.integers(1, 40), min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_a_part_that_was_extended_holds_all_rows_in_order(name: str, sizes: list[int]) -> None:
    batches = [make_rows(name, batch=f"b{number}", n_rows=n_rows) for number, n_rows in enumerate(sizes)]
    part = encode_part(batches[0])
    for rows in batches[1:]:
        part = extend_part(part, rows)
    whole = pa.concat_tables(batches)
    assert decode(part).equals(whole)
    with pq.ParquetFile(pa.BufferReader(part)) as opened:
        assert opened.metadata.num_rows == whole.num_rows
        assert opened.num_row_groups <= 16


@pytest.mark.parametrize("name", TABLES)
def test_other_readers_find_every_value_of_an_extended_part(tmp_path: Path, name: str) -> None:
    batches = [make_rows(name, batch=f"b{number}", n_rows=10 * number) for number in range(1, 5)]
    part = encode_part(batches[0])
    for rows in batches[1:]:
        part = extend_part(part, rows)
    path = tmp_path / "part.parquet"
    path.write_bytes(part)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        read = connection.sql(f"from '{path}'").to_arrow_table()
        found = connection.execute(f"select count(*) from '{path}' where batch_id = 'batch_id of b2/3'").fetchall()
    assert read.to_pylist() == pa.concat_tables(batches).to_pylist()
    assert found == [(1,)]  # by the least and greatest values that the footer gives for each row group


@pytest.mark.parametrize("name", TABLES)
def test_equal_rows_added_alike_give_equal_bytes(name: str) -> None:
    def build() -> bytes:
        part = encode_part(make_rows(name, batch="b0"))
        for number in range(1, 20):
            part = extend_part(part, make_rows(name, batch=f"b{number}", n_rows=number))
        return part

    assert build() == build()


def test_the_schema_and_its_version_stay_with_the_part() -> None:
    part = extend_part(encode_part(make_rows("claims", batch="b0")), make_rows("claims", batch="b1"))
    schema = pq.read_schema(pa.BufferReader(part))
    assert schema.equals(TABLES["claims"].schema, check_metadata=True)
    assert schema.metadata[b"blotter.schema_version"] == b"1"
