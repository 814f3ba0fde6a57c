"""Bundles: all that one batch publishes, frozen outside the tables before the first table is touched.

Belongs here: freezing a bundle, listing what is frozen, reading it back, removing it. Does not belong here: the tables
(`parts`), and when a bundle may be frozen (`warehouse`).

A bundle is a folder named by its batch: `content.bin` holds the rows of each table as an Arrow stream and each memory
as bytes, one after the other; `manifest.json` says where each lies and is renamed into place last. A folder without a
manifest was never frozen.
"""

import io
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

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


class BundleShelf:
    """The folder where bundles lie between freezing and the end of their publishing. Its caller holds the lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def freeze(self, bundle: Bundle) -> None:
        """Put a bundle on the disk; it is frozen from the moment its manifest is in place. Raises OSError."""
        folder = self._folder / bundle.manifest.batch_id
        make_folder(folder)
        content, places = _pack_content(bundle)
        replace_file(folder / _CONTENT, content, temps=folder)
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
        replace_file(folder / _MANIFEST, canonical_json(told).encode(), temps=folder)

    def frozen(self) -> list[Manifest]:
        """List the manifests of frozen bundles, the oldest first; raises StoreDamaged where one cannot be read."""
        manifests = [_read_manifest(path)[0] for path in self._folder.glob(f"*/{_MANIFEST}")]
        return sorted(manifests, key=lambda manifest: (manifest.recorded_at, manifest.batch_id))

    def load(self, batch_id: str) -> Bundle:
        """Read a frozen bundle back; raises StoreDamaged where its content is not what was frozen."""
        folder = self._folder / batch_id
        manifest, told = _read_manifest(folder / _MANIFEST)
        content = (folder / _CONTENT).read_bytes()
        if sha256_hex(content) != told["content_sha256"]:
            raise StoreDamaged(f"{folder / _CONTENT} is not what was frozen (its sha256 differs from the manifest's)")
        pieces = {name: content[start : start + length] for name, (start, length) in told["places"].items()}
        return Bundle(
            manifest=manifest,
            tables={name: pa.ipc.open_stream(pieces[f"table:{name}"]).read_all() for name in manifest.n_rows},
            memory={name: pieces[f"memory:{name}"] for name in manifest.memories},
        )

    def remove(self, batch_id: str) -> None:
        """Remove a bundle that is published: its manifest first and for good, so that it never comes back half."""
        folder = self._folder / batch_id
        (folder / _MANIFEST).unlink()
        sync_folder(folder)
        shutil.rmtree(folder)

    def sweep(self) -> None:
        """Remove what crashes left: folders that were never frozen, or are published."""
        for folder in self._folder.iterdir():
            if not (folder / _MANIFEST).exists():
                shutil.rmtree(folder)

    def create(self) -> None:
        """Create the folder where it is missing; raises OSError."""
        make_folder(self._folder)


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


def _read_manifest(path: Path) -> tuple[Manifest, dict[str, Any]]:
    try:
        told = json.loads(path.read_bytes())
        if told["format"] != _FORMAT:
            raise ValueError(f"format {told['format']}, of which this version of blotter knows nothing")
        manifest = Manifest(
            batch_id=told["batch_id"],
            recorded_at=datetime.fromisoformat(told["recorded_at"]),
            run_id=told["run_id"],
            n_rows=told["n_rows"],
            memories=tuple(told["memories"]),
        )
    except (ValueError, KeyError, TypeError) as broken:
        raise StoreDamaged(f"{path} is no manifest: {broken}") from broken
    return manifest, told
