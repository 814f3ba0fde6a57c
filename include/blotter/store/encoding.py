"""How rows become the bytes of a Parquet part, and how rows are added to such bytes.

Belongs here: the format, its options, its footer. Does not belong here: where parts lie and when they are sealed
(`parts`). Nothing in the bytes depends on when or where they were written: equal rows, added alike, give equal bytes.
"""

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_MAX_GROUPS = 16  # row groups of a part: readers want few, and writing them anew costs
_UNSORTABLE = {"text", "quote"}  # the least and greatest of these would only make every footer longer
_MAGIC = b"PAR1"  # how a Parquet file begins and ends


def encode_part(rows: pa.Table) -> bytes:
    """Write rows as the bytes of a Parquet file."""
    sink = pa.BufferOutputStream()
    with _open_writer(sink, rows.schema) as writer:
        writer.write_table(rows.combine_chunks())
    return sink.getvalue().to_pybytes()


def extend_part(part: bytes, rows: pa.Table) -> bytes:
    """Give the bytes of a part with rows added at its end, as a row group of their own.

    The row groups that stand are copied as they lie, which costs a fraction of reading and compressing them again:
    Parquet finds them by their distance from the start of the file, and that stays. Only where a part would come to
    have too many is it written anew as one. `rows` have the columns of the part.
    """
    with pq.ParquetFile(pa.BufferReader(part)) as standing:
        footer = standing.metadata
        if footer.num_row_groups >= _MAX_GROUPS:
            return encode_part(pa.concat_tables([standing.read().cast(rows.schema), rows]))
    added: list[pq.FileMetaData] = []
    sink = pa.BufferOutputStream()
    with _open_writer(sink, rows.schema, metadata_collector=added) as writer:  # this writes the magic
        sink.write(memoryview(part)[len(_MAGIC) : _find_footer(part)])
        writer.write_table(rows.combine_chunks())
    footer.append_row_groups(added[0])
    joined = io.BytesIO()
    footer.write_metadata_file(joined)
    extended = sink.getvalue()
    return b"".join((memoryview(extended)[: _find_footer(extended)], joined.getbuffer()[len(_MAGIC) :]))


def _open_writer(sink: pa.NativeFile, schema: pa.Schema, **options: Any) -> pq.ParquetWriter:
    sortable = [field.name for field in schema if field.name not in _UNSORTABLE]
    return pq.ParquetWriter(sink, schema, compression="zstd", version="2.6", write_statistics=sortable, **options)


def _find_footer(part: bytes | pa.Buffer) -> int:
    tail = bytes(part[len(part) - 8 :])  # the length of the footer in four bytes, then the magic
    return len(part) - 8 - int.from_bytes(tail[:4], "little")
