"""The body of an answer, decoded as it comes and bounded as it grows.

Belongs here: content codings and their limits. Does not belong here: the request (`fetch`).
"""

import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Protocol

import brotli

from blotter.config import FetchSettings

RATIO_FROM_BYTES = 1_000_000  # a short page may well be very regular: the ratio counts from here
MAX_CODINGS = 2
_BLOCK_BYTES = 64 * 1024


class BodyRefused(Exception):
    """A body that must not be read on; `outcome` is its name in `fetches`."""

    def __init__(self, outcome: str, message: str) -> None:
        self.outcome = outcome
        super().__init__(message)


class _Decoder(Protocol):
    def decode(self, block: bytes) -> bytes: ...
    def is_finished(self) -> bool: ...


class BodyDecoder:
    """Takes a body block by block and holds what it decodes to, within the limits of `fetch`.

    Raises BodyRefused with outcome `too_large` (bytes on the wire or decoded), `bomb` (ratio of the two) or
    `bad_encoding` (an unknown coding, or bytes that are not in it).
    """

    def __init__(self, content_encoding: str, settings: FetchSettings) -> None:
        names = _read_codings(content_encoding)
        if names is None:
            raise BodyRefused("bad_encoding", f"Content-Encoding {content_encoding[:60]!r} is not read")
        self._settings = settings
        self._decoders = [_DECODERS[name](self) for name in names]
        self._blocks: list[bytes] = []
        self.wire_bytes = 0
        self.decoded_bytes = 0

    def feed(self, block: bytes) -> None:
        """Take the next block from the wire."""
        self.wire_bytes += len(block)
        if self.wire_bytes > self._settings.max_wire_bytes:
            raise BodyRefused("too_large", f"more than {self._settings.max_wire_bytes:,} bytes (fetch.max_wire_bytes)")
        for decoder in self._decoders:
            try:
                block = decoder.decode(block)
            except (zlib.error, brotli.error) as broken:
                raise BodyRefused("bad_encoding", f"{type(broken).__name__}: {broken}") from broken
        if not self._decoders:
            self.count_decoded(len(block))
        if block:
            self._blocks.append(block)

    def finish(self) -> bytes:
        """Give the whole body; raises BodyRefused with `truncated` where a coding did not come to its end."""
        if self.wire_bytes and not all(decoder.is_finished() for decoder in self._decoders):
            raise BodyRefused("truncated", "the packed body ends in the middle")
        return b"".join(self._blocks)

    def count_decoded(self, n_bytes: int) -> None:
        """Count bytes that came out of a decoder, before any more are asked of it."""
        self.decoded_bytes += n_bytes
        is_bomb = self.decoded_bytes > self._settings.max_ratio * self.wire_bytes
        if self.decoded_bytes > RATIO_FROM_BYTES and is_bomb:
            raise BodyRefused("bomb", f"unpacks to more than {self._settings.max_ratio:g} times its size")
        if self.decoded_bytes > self._settings.max_decoded_bytes:
            raise BodyRefused("too_large", f"more than {self._settings.max_decoded_bytes:,} bytes decoded")


@lru_cache(maxsize=100)
def _read_codings(content_encoding: str) -> tuple[str, ...] | None:
    """Give the codings of a body, the outermost first; None where one is not known, or there are too many."""
    names = [name.strip().lower() for name in content_encoding.split(",") if name.strip()]
    names = [name for name in names if name != "identity"]
    if len(names) > MAX_CODINGS or any(name not in _DECODERS for name in names):
        return None
    return tuple(reversed(names))


class _Inflater:
    """gzip or deflate; deflate comes with and without its zlib header."""

    def __init__(self, body: BodyDecoder, wbits: int) -> None:
        self._body, self._wbits = body, wbits
        self._inflate = zlib.decompressobj(wbits)
        self._is_started = False

    def decode(self, block: bytes) -> bytes:
        unpacked: list[bytes] = []
        while block:
            if self._inflate.eof:
                if self._wbits != _GZIP or not block.startswith(b"\x1f\x8b"):
                    break  # what servers put behind a finished body is not of it
                self._inflate = zlib.decompressobj(self._wbits)
            try:
                piece = self._inflate.decompress(block, _BLOCK_BYTES)
            except zlib.error:
                if self._is_started or self._wbits == _GZIP:
                    raise
                self._wbits, self._inflate = -zlib.MAX_WBITS, zlib.decompressobj(-zlib.MAX_WBITS)
                continue
            finally:
                self._is_started = True
            self._body.count_decoded(len(piece))
            unpacked.append(piece)
            block = self._inflate.unconsumed_tail or self._inflate.unused_data
        return b"".join(unpacked)

    def is_finished(self) -> bool:
        return self._inflate.eof


class _Brotli:
    def __init__(self, body: BodyDecoder) -> None:
        self._body, self._brotli = body, brotli.Decompressor()

    def decode(self, block: bytes) -> bytes:
        unpacked: list[bytes] = []
        while True:
            piece = self._brotli.process(block, output_buffer_limit=_BLOCK_BYTES)
            self._body.count_decoded(len(piece))
            unpacked.append(piece)
            block = b""
            if self._brotli.is_finished() or self._brotli.can_accept_more_data():
                return b"".join(unpacked)

    def is_finished(self) -> bool:
        return bool(self._brotli.is_finished())


_GZIP = 16 + zlib.MAX_WBITS
_DECODERS: Mapping[str, Callable[[BodyDecoder], _Decoder]] = {
    "gzip": lambda body: _Inflater(body, _GZIP),
    "x-gzip": lambda body: _Inflater(body, _GZIP),
    "deflate": lambda body: _Inflater(body, zlib.MAX_WBITS),
    "br": _Brotli,
}
