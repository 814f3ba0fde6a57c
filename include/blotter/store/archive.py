"""The raw archive: documents as they were fetched or dropped, kept for ever, each under the sha256 of its bytes.

Belongs here: bytes in, the same bytes out, and their erasure where the law demands it. Does not belong here: what they
are (`store.inputs` knows).

`ROOT/ab/cd/<sha256>.zst`, compressed. A file is renamed into place whole and never written again, so any number of
processes may put at once. Of erased bytes an empty `<sha256>.erased` stays, and they are never kept again.
"""

import re
from collections.abc import Iterable
from itertools import groupby

import zstandard

from blotter.errors import PublishingError, StoreDamaged
from blotter.ids import sha256_hex
from blotter.store.places import Location, open_place

_ADDRESS = re.compile(r"[0-9a-f]{64}")
_SHARD = re.compile(r"[0-9a-f]{2}")
_TOMBSTONE = ".erased"
_LEVEL = 6  # pages are written once and kept for ever; above 6 zstd takes several times as long for a few percent


class RawArchive:
    """The archive under `root`, a folder or an object store; a folder is created by the first `put`."""

    def __init__(self, root: Location) -> None:
        self._place = open_place(root)

    def put(self, payload: bytes) -> str:
        """Keep bytes and return their address, 64 hex digits; bytes that are there already are left alone.

        They are kept for good when this returns; bytes that were erased are not kept again. Raises PublishingError
        where the disk, or the store, refuses.
        """
        address = sha256_hex(payload)
        if not self._place.has(_name(address)) and not self.is_erased(address):
            self._write(_name(address), zstandard.ZstdCompressor(level=_LEVEL).compress(payload))
        return address

    def erase(self, address: str) -> None:
        """Remove the bytes of an address for good and leave a tombstone; raises KeyError where it is no address."""
        self._write(_name(address, _TOMBSTONE), b"")  # first, so that a crash leaves too little, never too much
        self._place.remove(_name(address))

    def remove(self, address: str) -> None:
        """Remove the bytes of an address because they need not be kept any longer; they are kept again if they come."""
        self._place.remove(_name(address))

    def measure(self, addresses: Iterable[str]) -> dict[str, int]:
        """Give the compressed size, in bytes, of each of the addresses that has bytes."""
        sizes: dict[str, int] = {}
        for shard, listed in groupby(sorted(addresses), key=lambda address: _name(address).rpartition("/")[0]):
            kept = {one.name: one.size for one in self._place.list_files(shard)}
            sizes |= {address: kept[f"{address}.zst"] for address in listed if f"{address}.zst" in kept}
        return sizes

    def is_erased(self, address: str) -> bool:
        """Say whether the bytes of an address were erased."""
        return self._place.has(_name(address, _TOMBSTONE))

    def get(self, address: str) -> bytes:
        """Give the bytes of an address; raises KeyError where there are none, StoreDamaged where they have changed."""
        name = _name(address)
        if self.is_erased(address):
            raise KeyError(address)
        try:
            kept = self._place.read(name)
        except FileNotFoundError:
            raise KeyError(address) from None
        try:
            payload = zstandard.ZstdDecompressor().decompress(kept)
        except zstandard.ZstdError as broken:
            raise StoreDamaged(f"{self._place}/{name}: {broken}") from broken
        if sha256_hex(payload) != address:
            raise StoreDamaged(f"{self._place}/{name} holds other bytes than its name says")
        return payload

    def has(self, address: str) -> bool:
        """Say whether there are bytes under an address."""
        return self._place.has(_name(address)) and not self.is_erased(address)

    def is_empty(self) -> bool:
        """Say whether nothing was ever kept here: a disk that is not mounted looks so, and a wrong setting."""
        return not any(_SHARD.fullmatch(folder) for folder in self._place.list_folders(""))

    def _write(self, name: str, content: bytes) -> None:
        try:
            self._place.write(name, content)
        except OSError as refused:
            raise PublishingError(f"{self._place}/{name}: {refused.strerror or refused}; nothing was kept") from refused


def _name(address: str, ending: str = ".zst") -> str:
    if not _ADDRESS.fullmatch(address):
        raise KeyError(address)
    return f"{address[:2]}/{address[2:4]}/{address}{ending}"
