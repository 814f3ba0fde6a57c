"""Planned slices: which documents one mapped task cleans and reads.

Belongs here: remembering a plan until its slice is published, so that a build that was cut off is taken up by the next
with the same slices. Does not belong here: the results (`staging`) and what is pending (`inputs`).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress

import msgspec
from sqlalchemy import Column, Engine, Integer, LargeBinary, String, Table, delete, insert, select

from blotter.ids import make_id
from blotter.model import Document
from blotter.store.state import metadata

_planned = Table(
    "planned_slices",
    metadata,
    Column("slice_id", String, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("documents", LargeBinary, nullable=False),
)


class SlicePlans:
    """The plans in the state at `engine`; creates its table where it is missing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        metadata.create_all(engine, tables=[_planned])

    def plan(self, pending: Iterable[Document], *, size: int) -> list[str]:
        """Cut the pending documents that no plan has yet into slices of `size`; returns the ids of all planned slices.

        In the order in which they were planned. Two planners at once give the same documents to one slice only.
        """
        with self._engine.begin() as connection:
            known = connection.execute(select(_planned).order_by(_planned.c.position)).all()
            taken = {document.input_id for row in known for document in _decode(row.documents)}
            fresh = [document for document in pending if document.input_id not in taken]
            slices = [fresh[start : start + size] for start in range(0, len(fresh), size)]
            planned = [
                {
                    "slice_id": make_id("slc", *(document.input_id for document in documents)),
                    "position": position,
                    "documents": msgspec.msgpack.encode(documents),
                }
                for position, documents in enumerate(slices, known[-1].position + 1 if known else 0)
            ]
            if planned:
                connection.execute(insert(_planned), planned)
        return [row.slice_id for row in known] + [str(one["slice_id"]) for one in planned]

    def documents(self, slice_id: str) -> Sequence[Document]:
        """Give the documents of a planned slice, in order; KeyError where it is not planned (or published already)."""
        with self._engine.connect() as connection:
            row = connection.execute(select(_planned.c.documents).where(_planned.c.slice_id == slice_id)).first()
        if row is None:
            raise KeyError(slice_id)
        return _decode(row.documents)

    def iterate_slices(self) -> Iterator[tuple[str, list[str]]]:
        """Read the planned slices, one at a time: each one's id and the ids of its inputs."""
        with self._engine.connect() as connection:
            slice_ids = connection.execute(select(_planned.c.slice_id).order_by(_planned.c.position)).scalars().all()
        for slice_id in slice_ids:
            with suppress(KeyError):  # published meanwhile
                yield slice_id, [document.input_id for document in self.documents(slice_id)]

    def planned_inputs(self) -> set[str]:
        """Give the ids of all inputs that are in a planned slice."""
        return {input_id for _, input_ids in self.iterate_slices() for input_id in input_ids}

    def drop(self, slice_ids: Collection[str]) -> None:
        """Forget the plans of slices that are published; those that are not there are no error."""
        with self._engine.begin() as connection:
            for slice_id in slice_ids:
                connection.execute(delete(_planned).where(_planned.c.slice_id == slice_id))


def _decode(documents: bytes) -> list[Document]:
    return msgspec.msgpack.decode(documents, type=list[Document])
