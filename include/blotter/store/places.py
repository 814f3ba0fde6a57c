"""Places: a folder or an object store, where whole things are kept under names.

Belongs here: the few things that the stores of this room ask of either kind. Does not belong here: what is kept, and
in which order. Both kinds are durable when a call returns and raise OSError where they refuse; a name is a relative
path with `/`. They differ in one thing that the tables must know: `keeps_readers` (see `Place`).

Credentials of an object store are never settings: they come from the environment, as its own tools read it
(`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, `GOOGLE_SERVICE_ACCOUNT` ...).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import pyarrow.fs as pa_fs

from blotter.errors import SettingsError
from blotter.store.files import link_file, make_folder, replace_file, sync_folder

Location = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Kept:
    """A name and the size, in bytes, of what is kept under it."""

    name: str
    size: int


class Place(Protocol):
    """Where whole things are kept under names."""

    keeps_readers: (
        bool  # whether one who reads a thing while it is replaced gets the old one to its end: not of objects
    )

    def read(self, name: str) -> bytes:
        """Give what is kept under a name; raises FileNotFoundError."""

    def write(self, name: str, content: bytes) -> None:
        """Keep bytes under a name, in one step, in the place of what was there."""

    def write_new(self, name: str, content: bytes) -> bool:
        """Keep bytes under a name that has none, in one step; says whether these bytes are what is now there."""

    def has(self, name: str) -> bool:
        """Say whether there is something under a name."""

    def remove(self, name: str) -> None:
        """Forget a name, for good; no error where it has nothing."""

    def list_files(self, folder: str) -> list[Kept]:
        """List what is kept straight in a folder, by name (the last part of it), sorted."""

    def list_folders(self, folder: str) -> list[str]:
        """List the folders straight in a folder, by name (the last part of it), sorted."""

    def open_arrow(self, folder: str) -> tuple[str, pa_fs.FileSystem]:
        """Give the path and the file system by which pyarrow reads a folder."""


def open_place(location: Location, *, temps: Path | None = None) -> Place:
    """Open a folder, or a URL of an object store (`s3://`, `gs://`, `az://`); raises SettingsError.

    `temps` is where a folder's unfinished files lie: in the same file system, where no reader looks.
    """
    if is_object_store(location):
        return ObjectPlace(str(location))
    root = Path(location)
    return FolderPlace(root, temps=temps or root / "_temps")


def is_object_store(location: Location) -> bool:
    """Say whether a location is in an object store rather than a folder of this machine."""
    return "://" in str(location)


def join_location(location: Location, name: str) -> str:
    """Give the location of a folder within another."""
    return f"{str(location).rstrip('/')}/{name}"


class FolderPlace:
    """A folder of this machine, or one that is mounted here. Created by the first write."""

    keeps_readers = True

    def __init__(self, root: Path, *, temps: Path) -> None:
        self._root, self._temps = root, temps

    def __str__(self) -> str:
        return str(self._root)

    def read(self, name: str) -> bytes:
        """Give what is kept under a name; raises FileNotFoundError."""
        return (self._root / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Keep bytes under a name, in one step, in the place of what was there."""
        make_folder(self._temps)
        replace_file(self._root / name, content, temps=self._temps)

    def write_new(self, name: str, content: bytes) -> bool:
        """Keep bytes under a name that has none, in one step; says whether these bytes are what is now there."""
        make_folder(self._temps)
        return link_file(self._root / name, content, temps=self._temps) or self.read(name) == content

    def has(self, name: str) -> bool:
        """Say whether there is something under a name."""
        return (self._root / name).exists()

    def remove(self, name: str) -> None:
        """Forget a name, for good; no error where it has nothing."""
        path = self._root / name
        with suppress(FileNotFoundError):
            path.unlink()
            sync_folder(path.parent)

    def list_files(self, folder: str) -> list[Kept]:
        """List what is kept straight in a folder, sorted by name."""
        files = (Kept(entry.name, entry.stat().st_size) for entry in self._scan(folder) if entry.is_file())
        return sorted(files, key=lambda kept: kept.name)

    def list_folders(self, folder: str) -> list[str]:
        """List the folders straight in a folder, sorted."""
        return sorted(entry.name for entry in self._scan(folder) if entry.is_dir())

    def open_arrow(self, folder: str) -> tuple[str, pa_fs.FileSystem]:
        """Give the path and the file system by which pyarrow reads a folder."""
        return str((self._root / folder).absolute()), pa_fs.LocalFileSystem()

    def _scan(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self._root / folder) as entries:
                return list(entries)
        except FileNotFoundError:
            return []


class ObjectPlace:
    """A prefix of a bucket, which must exist: `s3://bucket/prefix`."""

    keeps_readers = False

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def __str__(self) -> str:
        return self._url

    @cached_property
    def _store(self) -> Any:
        from obstore.exceptions import BaseError
        from obstore.store import from_url

        try:
            return from_url(self._url, retry_config={"max_retries": 5, "retry_timeout": timedelta(seconds=60)})
        except (BaseError, ValueError) as unusable:
            raise SettingsError(self._url, "an object store such as s3://bucket/prefix", str(unusable)) from unusable

    def read(self, name: str) -> bytes:
        """Give what is kept under a name; raises FileNotFoundError."""
        import obstore

        with self._refusing(name):
            return bytes(obstore.get(self._store, name).bytes())

    def write(self, name: str, content: bytes) -> None:
        """Keep bytes under a name, in one step, in the place of what was there."""
        import obstore

        with self._refusing(name):
            obstore.put(self._store, name, content)

    def write_new(self, name: str, content: bytes) -> bool:
        """Keep bytes under a name that has none, in one step; says whether these bytes are what is now there.

        An answer that was lost on its way makes the client ask again, and then it meets its own object.
        """
        import obstore
        from obstore.exceptions import AlreadyExistsError

        with self._refusing(name):
            try:
                obstore.put(self._store, name, content, mode="create")
            except AlreadyExistsError:
                return self.read(name) == content
        return True

    def has(self, name: str) -> bool:
        """Say whether there is something under a name."""
        import obstore

        try:
            with self._refusing(name):
                obstore.head(self._store, name)
        except FileNotFoundError:
            return False
        return True

    def remove(self, name: str) -> None:
        """Forget a name, for good; no error where it has nothing."""
        import obstore

        with suppress(FileNotFoundError), self._refusing(name):
            obstore.delete(self._store, name)

    def list_files(self, folder: str) -> list[Kept]:
        """List what is kept straight in a folder, sorted by name."""
        listed = self._list(folder)["objects"]
        return sorted((Kept(_last(one["path"]), one["size"]) for one in listed), key=lambda kept: kept.name)

    def list_folders(self, folder: str) -> list[str]:
        """List the folders straight in a folder, sorted."""
        return sorted(_last(path) for path in self._list(folder)["common_prefixes"])

    def open_arrow(self, folder: str) -> tuple[str, pa_fs.FileSystem]:
        """Give the path and the file system by which pyarrow reads a folder."""
        from obstore import fsspec

        scheme, _, path = self._url.partition("://")
        opened: Any = fsspec.FsspecStore
        handler: Any = pa_fs.FSSpecHandler
        return f"{path}/{folder}".rstrip("/"), pa_fs.PyFileSystem(handler(opened(scheme)))

    def _list(self, folder: str) -> Any:
        import obstore

        with self._refusing(folder):
            return obstore.list_with_delimiter(self._store, folder or None)

    @contextmanager
    def _refusing(self, name: str) -> Iterator[None]:
        """Say as OSError what the store refuses."""
        from obstore.exceptions import BaseError

        try:
            yield
        except FileNotFoundError:
            raise
        except BaseError as refused:
            told = str(refused).strip().partition("\n")[0]  # the rest is for developers of the client
            raise OSError(f"{self._url}/{name}: {told}") from refused


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]
