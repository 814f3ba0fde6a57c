"""A stream that stops a decompression bomb.

Belongs here: counting what comes out of a decompressor against limits. Does not belong here: any format.
"""

from typing import IO

from blotter.config import DropSettings
from blotter.errors import InputRejected, Reason


class BoundedStream:
    """Reads lines and blocks from a decompressing stream, up to limits of bytes and of ratio to the packed size.

    Raises InputRejected where a limit is passed. Holds no more than one block.
    """

    RATIO_FROM_BYTES = 10_000_000  # a small file may well be very regular: the ratio counts from here

    def __init__(self, stream: IO[bytes], *, packed_bytes: int, limits: DropSettings) -> None:
        self._stream, self._limits = stream, limits
        self._packed_bytes, self._unpacked_bytes = max(1, packed_bytes), 0

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes."""
        return self._count(self._stream.read(size))

    def readline(self, size: int = -1) -> bytes:
        """Read up to the end of the line or `size` bytes."""
        return self._count(self._stream.readline(size))

    def _count(self, block: bytes) -> bytes:
        self._unpacked_bytes += len(block)
        unpacked, limits = self._unpacked_bytes, self._limits
        if unpacked > limits.max_unpacked_bytes:
            raise InputRejected(Reason.TOO_LARGE, f"more than {unpacked:,} bytes unpacked (drops.max_unpacked_bytes)")
        if unpacked > self.RATIO_FROM_BYTES and unpacked / self._packed_bytes > limits.max_ratio:
            raise InputRejected(Reason.TOO_LARGE, "unpacks to more than drops.max_ratio allows")
        return block
