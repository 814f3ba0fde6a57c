"""Bundles: all that one batch publishes, frozen outside the tables before the first table is touched.

Belongs here: freezing a bundle, listing what is frozen, reading it back, removing it. Does not belong here: the tables
(`parts`), and when a bundle may be frozen (`warehouse`). An object store has a shelf of its own kind (`turns`).

A bundle's content is the rows of each table as an Arrow stream and each memory as bytes, one after the other; its
manifest says where each lies. In a folder it is a folder named by its batch, with `content.bin` and, renamed into place
last, `manifest.json`: without that it was never frozen.
"""

import io
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from blotter.errors import StoreDamaged
from blotter.ids import canonical_json, sha256_hex
from blotter.store.files import make_folder, replace_file, sync_folder

_MANIFEST, _CONTENT, _FORMAT = "manifest.json", "content.bin", 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a bundle holds: `n_rows` of each table that gets rows, and the names of its memories."""

    batch_id: str
    recorded_at: datetime
    run_id: str
    n_rows: Mapping[str, int]
    memories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A frozen bundle with its content: rows of each table, and what each memory is to be told."""

    manifest: Manifest
    tables: Mapping[str, pa.Table]
    memory: Mapping[str, bytes]


class BundleShelf(Protocol):
    """Where bundles lie between freezing and the end of their publishing."""

    def take_over(self) -> None:
        """Be the writer's from now on, and remove what crashes left; called once the lock is held. Raises OSError."""

    def freeze(self, bundle: Bundle) -> None:
        """Keep a bundle for good. Raises OSError, and then it is not frozen."""

    def frozen(self) -> list[Manifest]:
        """List the manifests of frozen bundles, the oldest first; raises StoreDamaged where one cannot be read."""

    def load(self, batch_id: str) -> Bundle:
        """Read a frozen bundle back; raises StoreDamaged where its content is not what was frozen."""

    def remove(self, batch_id: str) -> None:
        """Remove a bundle that is published, for good."""


class FolderShelf:
    """Bundles in a folder. Its caller holds the lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def freeze(self, bundle: Bundle) -> None:
        """Put a bundle on the disk; it is frozen from the moment its manifest is in place. Raises OSError."""
        folder = self._folder / bundle.manifest.batch_id
        make_folder(folder)
        content, manifest = encode_bundle(bundle)
        replace_file(folder / _CONTENT, content, temps=folder)
        replace_file(folder / _MANIFEST, manifest, temps=folder)

    def frozen(self) -> list[Manifest]:
        """List the manifests of frozen bundles, the oldest first; raises StoreDamaged where one cannot be read."""
        manifests = [decode_manifest(path.read_bytes(), str(path)) for path in self._folder.glob(f"*/{_MANIFEST}")]
        return sorted(manifests, key=lambda manifest: (manifest.recorded_at, manifest.batch_id))

    def load(self, batch_id: str) -> Bundle:
        """Read a frozen bundle back; raises StoreDamaged where its content is not what was frozen."""
        folder = self._folder / batch_id
        content = (folder / _CONTENT).read_bytes()
        return decode_bundle(content, (folder / _MANIFEST).read_bytes(), str(folder))

    def remove(self, batch_id: str) -> None:
        """Remove a bundle that is published: its manifest first and for good, so that it never comes back half."""
        folder = self._folder / batch_id
        (folder / _MANIFEST).unlink()
        sync_folder(folder)
        shutil.rmtree(folder)

    def take_over(self) -> None:
        """Create the folder where it is missing, and remove what crashes left: never frozen, or published."""
        make_folder(self._folder)
        for folder in self._folder.iterdir():
            if not (folder / _MANIFEST).exists():
                shutil.rmtree(folder)


def _pack_content(bundle: Bundle) -> tuple[bytes, dict[str, tuple[int, int]]]:
    content, places = io.BytesIO(), {}
    for name, table in bundle.tables.items():
        start = content.tell()
        with pa.ipc.new_stream(content, table.schema) as stream:
            stream.write_table(table)
        places[f"table:{name}"] = (start, content.tell() - start)
    for name, told in bundle.memory.items():
        places[f"memory:{name}"] = (content.tell(), len(told))
        content.write(told)
    return content.getvalue(), places


def encode_bundle(bundle: Bundle) -> tuple[bytes, bytes]:
    """Write a bundle as the bytes of its content and of its manifest."""
    content, places = _pack_content(bundle)
    told = {
        "format": _FORMAT,
        "batch_id": bundle.manifest.batch_id,
        "recorded_at": bundle.manifest.recorded_at,
        "run_id": bundle.manifest.run_id,
        "n_rows": bundle.manifest.n_rows,
        "memories": bundle.manifest.memories,
        "places": places,
        "content_sha256": sha256_hex(content),
    }
    return content, canonical_json(told).encode()


def decode_bundle(content: bytes, manifest: bytes, where: str) -> Bundle:
    """Read a bundle back; raises StoreDamaged where its content is not what was frozen."""
    described = decode_manifest(manifest, where)
    told = json.loads(manifest)
    if sha256_hex(content) != told["content_sha256"]:
        raise StoreDamaged(f"{where}: the content is not what was frozen (its sha256 differs from the manifest's)")
    pieces = {name: content[start : start + length] for name, (start, length) in told["places"].items()}
    return Bundle(
        manifest=described,
        tables={name: pa.ipc.open_stream(pieces[f"table:{name}"]).read_all() for name in described.n_rows},
        memory={name: pieces[f"memory:{name}"] for name in described.memories},
    )


def decode_manifest(manifest: bytes, where: str) -> Manifest:
    """Read a manifest; raises StoreDamaged where it is none."""
    try:
        told = json.loads(manifest)
        if told["format"] != _FORMAT:
            raise ValueError(f"format {told['format']}, of which this version of blotter knows nothing")
        return Manifest(
            batch_id=told["batch_id"],
            recorded_at=datetime.fromisoformat(told["recorded_at"]),
            run_id=told["run_id"],
            n_rows=told["n_rows"],
            memories=tuple(told["memories"]),
        )
    except (ValueError, KeyError, TypeError) as broken:
        raise StoreDamaged(f"{where} is no manifest: {broken}") from broken
