"""Bundles in an object store, where no lock can be trusted alone: whoever writes takes a numbered turn.

Belongs here: freezing there, so that a writer who was taken for dead and wakes up again can freeze nothing. Does not
belong here: the lock that keeps writers from trying (`locks`).

`turns/NNNNNNNNNN` are put only where there is none. Taking over puts the next number, with a word of its own; to freeze
is to put the number after it, with the manifest, once `content/NNNNNNNNNN` lies there. So a writer that was overtaken
finds its number taken. A bundle is published once its content is removed.
"""

import secrets

from blotter.errors import PublishingError
from blotter.store.bundles import Bundle, Manifest, decode_bundle, decode_manifest, encode_bundle
from blotter.store.places import Place

_KEPT_TURNS = 1_000  # a writer overtaken by more than these would have to have slept through as many batches
_OVERTAKING = b"turn "  # how the word of a turn begins that holds no manifest


class ObjectShelf:
    """Bundles under turns, in a place whose objects are put only where there is none."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._turn: int | None = None

    def take_over(self) -> None:
        """Take the next turn, so that no earlier writer can freeze any more; then remove what crashes left."""
        taken = [int(kept.name) for kept in self._place.list_files("turns")]
        turn = max(taken, default=0) + 1
        word = _OVERTAKING + secrets.token_hex(16).encode()
        while not self._place.write_new(f"turns/{turn:010d}", word):
            turn += 1
        self._turn = turn
        self._sweep([*taken, turn])

    def freeze(self, bundle: Bundle) -> None:
        """Keep a bundle for good. Raises PublishingError where another writer took over, OSError."""
        if self._turn is None:
            raise PublishingError("only who has taken over may freeze a bundle")
        content, manifest = encode_bundle(bundle)
        turn = self._turn + 1
        self._place.write(f"content/{turn:010d}", content)
        if not self._place.write_new(f"turns/{turn:010d}", manifest):
            raise PublishingError(
                f"batch {bundle.manifest.batch_id}: another writer has taken over this warehouse; nothing was frozen"
            )
        self._turn = turn

    def frozen(self) -> list[Manifest]:
        """List the manifests of frozen bundles, the oldest first; raises StoreDamaged where one cannot be read."""
        return [decode_manifest(manifest, self._tell(turn)) for turn, manifest in self._unfinished().items()]

    def load(self, batch_id: str) -> Bundle:
        """Read a frozen bundle back; raises StoreDamaged where its content is not what was frozen."""
        for turn, manifest in self._unfinished().items():
            if self._names(turn, manifest) == batch_id:
                return decode_bundle(self._place.read(f"content/{turn}"), manifest, self._tell(turn))
        raise PublishingError(f"batch {batch_id} is not frozen: another writer may have finished it just now")

    def remove(self, batch_id: str) -> None:
        """Remove a bundle's content: from then on it is published."""
        for turn, manifest in self._unfinished().items():
            if self._names(turn, manifest) == batch_id:
                self._place.remove(f"content/{turn}")

    def _sweep(self, turns: list[int]) -> None:
        unfinished = self._unfinished()
        for kept in self._place.list_files("content"):
            if kept.name not in unfinished:
                self._place.remove(f"content/{kept.name}")
        for turn in sorted(turns)[:-_KEPT_TURNS]:
            if f"{turn:010d}" not in unfinished:
                self._place.remove(f"turns/{turn:010d}")

    def _unfinished(self) -> dict[str, bytes]:
        """Gather the manifests of which the content lies here, by turn."""
        told = {kept.name: self._read_turn(kept.name) for kept in self._place.list_files("content")}
        return {turn: manifest for turn, manifest in told.items() if manifest and not manifest.startswith(_OVERTAKING)}

    def _read_turn(self, turn: str) -> bytes:
        try:
            return self._place.read(f"turns/{turn}")
        except FileNotFoundError:  # its writer died before it could freeze
            return b""

    def _names(self, turn: str, manifest: bytes) -> str:
        return decode_manifest(manifest, self._tell(turn)).batch_id

    def _tell(self, turn: str) -> str:
        return f"{self._place}/turns/{turn}"
