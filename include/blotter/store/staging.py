"""The staging area: what mapped slices made of their documents, waiting for the one writer.

Belongs here: `SliceResult`, and carrying it from one process to another without loss. Does not belong here: what the
writer does with it.

A slice is one file, `ROOT/<slice_id>.slice`: compressed msgpack with names, so that slices staged by one version of
blotter can be read by the next. It is there whole or not at all; staging a slice again replaces it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, cast

import msgspec
import zstandard

from blotter.errors import PublishingError, StoreDamaged
from blotter.model import (
    Article,
    Basis,
    Claim,
    ClaimState,
    Document,
    Notice,
    Reading,
    ReadingKind,
    Rejection,
    Role,
    Value,
)
from blotter.store.places import Location, open_place

_SLICE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,150}")
_ENDING = ".slice"


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceResult:
    """What became of one document of a slice: an article and what was read in it, or why it was rejected."""

    document: Document
    article: Article | None = None
    reading: Reading | None = None
    rejection: Rejection | None = None


class StagingArea:
    """The staged slices under `root`, a folder or an object store; a folder is created by the first `write`."""

    def __init__(self, root: Location) -> None:
        self._place = open_place(root)

    def write(self, slice_id: str, results: Iterable[SliceResult]) -> None:
        """Stage a slice's results, in their order; kept for good when this returns. Raises PublishingError."""
        name = _file_name(slice_id)
        try:
            self._place.write(name, encode_results(results))
        except OSError as refused:
            raise PublishingError(
                f"{self._place}/{name}: {refused.strerror or refused}; the slice is not staged"
            ) from refused

    def slices(self) -> list[str]:
        """List the staged slices by name."""
        return [kept.name.removesuffix(_ENDING) for kept in self._place.list_files("") if kept.name.endswith(_ENDING)]

    def read(self, slice_id: str) -> list[SliceResult]:
        """Give a slice's results; raises KeyError where it is not staged, StoreDamaged where it cannot be read."""
        name = _file_name(slice_id)
        try:
            staged = self._place.read(name)
        except FileNotFoundError:
            raise KeyError(slice_id) from None
        try:
            return decode_results(staged)
        except (zstandard.ZstdError, msgspec.MsgspecError, ValueError, TypeError, KeyError) as broken:
            raise StoreDamaged(f"{self._place}/{name} is no slice: {broken}") from broken

    def drop(self, slice_ids: Iterable[str]) -> None:
        """Forget slices that are published; those that are not there are no error."""
        for slice_id in slice_ids:
            self._place.remove(_file_name(slice_id))


def _file_name(slice_id: str) -> str:
    if not _SLICE_ID.fullmatch(slice_id):
        raise PublishingError(f"{slice_id!r} cannot name a slice: letters, digits and _.:+- only, 151 at most")
    return f"{slice_id}{_ENDING}"


def encode_results(results: Iterable[SliceResult]) -> bytes:
    """Write results as the bytes of a slice's file."""
    return zstandard.ZstdCompressor(level=3, write_checksum=True).compress(pack_results(results))


def decode_results(staged: bytes) -> list[SliceResult]:
    """Read a slice's file; raises one of zstandard's, msgspec's or the built-in value errors where it is none."""
    return unpack_results(zstandard.ZstdDecompressor().decompress(staged))


def pack_results(results: Iterable[SliceResult]) -> bytes:
    """Write results as bytes."""
    told = [
        {
            "document": result.document,
            "article": result.article,
            "reading": _tell_reading(result.reading) if result.reading else None,
            "rejection": result.rejection,
        }
        for result in results
    ]
    return msgspec.msgpack.encode(told)


def unpack_results(packed: bytes) -> list[SliceResult]:
    """Read results back; raises one of msgspec's or the built-in value errors where they are none."""
    told = msgspec.msgpack.decode(packed)
    return [
        SliceResult(
            document=msgspec.convert(result["document"], Document),
            article=msgspec.convert(result["article"], Article | None),
            reading=_build_reading(result["reading"]) if result["reading"] else None,
            rejection=msgspec.convert(result["rejection"], Rejection | None),
        )
        for result in told
    ]


# msgspec cannot tell a date from a string in a union, so a reading is taken apart here, its values with their type.


def _tell_reading(reading: Reading) -> dict[str, object]:
    return _tell_fields(reading) | {
        "claims": [_tell_fields(claim) | {"value": _tell_value(claim.value)} for claim in reading.claims]
    }


def _tell_fields(record: Reading | Claim) -> dict[str, object]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _known_fields(of: type[Reading | Claim], told: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: told[field.name] for field in fields(of) if field.name in told}


def _build_reading(told: Mapping[str, Any]) -> Reading:
    return Reading(
        **{
            **_known_fields(Reading, told),
            "kind": ReadingKind(told["kind"]),
            "notice": Notice(told["notice"]),
            "claims": tuple(_build_claim(claim) for claim in told["claims"]),
        }
    )


def _build_claim(told: Mapping[str, Any]) -> Claim:
    return Claim(
        **{
            **_known_fields(Claim, told),
            "role": Role(told["role"]) if told["role"] is not None else None,
            "state": ClaimState(told["state"]),
            "basis": Basis(told["basis"]),
            "value": _build_value(told["value"]),
        }
    )


def _tell_value(value: Value) -> object:
    if isinstance(value, datetime):  # before date, of which it is a kind
        return {"datetime": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    return list(value) if isinstance(value, tuple) else value


def _build_value(told: object) -> Value:
    if isinstance(told, Mapping):
        (kind, text), *_ = told.items()
        return datetime.fromisoformat(text) if kind == "datetime" else date.fromisoformat(text)
    if isinstance(told, Sequence) and not isinstance(told, str):
        return tuple(told)
    return cast(Value, told)
