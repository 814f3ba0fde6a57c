"""The raw archive: documents as they were fetched or dropped, kept for ever, each under the sha256 of its bytes.

Belongs here: bytes in, the same bytes out, and their erasure where the law demands it. Does not belong here: what they
are (`store.inputs` knows).

`ROOT/ab/cd/<sha256>.zst`, compressed. A file is renamed into place whole and never written again, so any number of
processes may put at once. Of erased bytes an empty `<sha256>.erased` stays, and they are never kept again.
"""

import os
import re
from pathlib import Path

import zstandard

from blotter.errors import PublishingError, StoreDamaged
from blotter.ids import sha256_hex
from blotter.store.files import make_folder, replace_file, sync_folder

_ADDRESS = re.compile(r"[0-9a-f]{64}")
_TOMBSTONE = ".erased"
_LEVEL = 6  # pages are written once and kept for ever; above 6 zstd takes several times as long for a few percent


class RawArchive:
    """The archive under `root`, a folder, which is created by the first `put`."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._root = Path(root)

    def put(self, payload: bytes) -> str:
        """Keep bytes and return their address, 64 hex digits; bytes that are there already are left alone.

        They are on the disk when this returns; bytes that were erased are not kept again. Raises PublishingError where
        the disk refuses.
        """
        address = sha256_hex(payload)
        path = self._path(address)
        if not path.exists() and not self.is_erased(address):
            self._write(path, zstandard.ZstdCompressor(level=_LEVEL).compress(payload))
        return address

    def erase(self, address: str) -> None:
        """Remove the bytes of an address for good and leave a tombstone; raises KeyError where it is no address."""
        path = self._path(address)
        self._write(path.with_suffix(_TOMBSTONE), b"")  # first, so that a crash leaves too little, never too much
        path.unlink(missing_ok=True)
        sync_folder(path.parent)

    def is_erased(self, address: str) -> bool:
        """Say whether the bytes of an address were erased."""
        return self._path(address).with_suffix(_TOMBSTONE).exists()

    def get(self, address: str) -> bytes:
        """Give the bytes of an address; raises KeyError where there are none, StoreDamaged where they have changed."""
        path = self._path(address)
        if self.is_erased(address):
            raise KeyError(address)
        try:
            kept = path.read_bytes()
        except FileNotFoundError:
            raise KeyError(address) from None
        try:
            payload = zstandard.ZstdDecompressor().decompress(kept)
        except zstandard.ZstdError as broken:
            raise StoreDamaged(f"{path}: {broken}") from broken
        if sha256_hex(payload) != address:
            raise StoreDamaged(f"{path} holds other bytes than its name says")
        return payload

    def has(self, address: str) -> bool:
        """Say whether there are bytes under an address."""
        return self._path(address).exists() and not self.is_erased(address)

    def _write(self, path: Path, content: bytes) -> None:
        temps = self._root / "_temps"
        try:
            make_folder(temps)
            replace_file(path, content, temps=temps)
        except OSError as refused:
            raise PublishingError(f"{path}: {refused.strerror or refused}; nothing was kept") from refused

    def _path(self, address: str) -> Path:
        if not _ADDRESS.fullmatch(address):
            raise KeyError(address)
        return self._root / address[:2] / address[2:4] / f"{address}.zst"
