"""A stream that stops a decompression bomb.

Belongs here: counting what comes out of a decompressor against limits. Does not belong here: any format.
"""

import io
from gzip import GzipFile
from typing import IO

from blotter.config import DropSettings
from blotter.errors import InputRejected, Reason

RATIO_FROM_BYTES = 10_000_000  # a small file may well be very regular: the ratio counts from here
_BLOCK_BYTES = 256 * 1024


class _Counter(io.RawIOBase):
    def __init__(self, stream: IO[bytes] | GzipFile, packed_bytes: int, limits: DropSettings) -> None:
        self._stream, self._packed_bytes, self._limits = stream, packed_bytes, limits
        self._unpacked_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        block = self._stream.read(len(buffer))
        self._unpacked_bytes += len(block)
        check_unpacked(self._unpacked_bytes, self._packed_bytes, self._limits)
        buffer[: len(block)] = block
        return len(block)


def bound_stream(stream: IO[bytes] | GzipFile, *, packed_bytes: int, limits: DropSettings) -> io.BufferedReader:
    """Wrap a decompressing stream: reading raises InputRejected once it gave more bytes than the limits allow."""
    return io.BufferedReader(_Counter(stream, packed_bytes, limits), _BLOCK_BYTES)


def check_unpacked(unpacked_bytes: int, packed_bytes: int, limits: DropSettings) -> None:
    """Raise InputRejected where unpacking gave, or would give, more than the limits allow."""
    if unpacked_bytes > limits.max_unpacked_bytes:
        raise InputRejected(Reason.TOO_LARGE, f"{unpacked_bytes:,} bytes unpacked (drops.max_unpacked_bytes)")
    ratio = unpacked_bytes / max(1, packed_bytes)
    if unpacked_bytes > RATIO_FROM_BYTES and ratio > limits.max_ratio:
        raise InputRejected(Reason.TOO_LARGE, f"unpacks to {ratio:.0f} times its size (drops.max_ratio)")
