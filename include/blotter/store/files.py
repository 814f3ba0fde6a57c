"""Files that are whole or not there: written under another name, forced to the disk, then renamed into place.

Belongs here: atomic and durable writing, for everything in this room. Does not belong here: what is written.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path


def replace_file(path: Path, content: bytes, *, temps: Path) -> None:
    """Write `content` to `path` in one step: a reader, or a crash at any moment, sees the old file or the new one.

    The bytes first lie in `temps`, a folder of the same file system that no reader looks into. When this returns they
    are on the disk. Raises OSError, and then leaves `path` as it was and no temporary file.
    """
    make_folder(path.parent)
    temporary = write_temporary(content, temps=temps, name=path.name)
    try:
        temporary.replace(path)
    except OSError:
        _drop_quietly(temporary)
        raise
    sync_folder(path.parent)


def link_file(path: Path, content: bytes, *, temps: Path) -> bool:
    """Write `content` to `path` in one step unless there is a file: says whether it did. Else as `replace_file`."""
    make_folder(path.parent)
    temporary = write_temporary(content, temps=temps, name=path.name)
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    finally:
        _drop_quietly(temporary)
    sync_folder(path.parent)
    return True


def write_temporary(content: bytes, *, temps: Path, name: str) -> Path:
    """Write `content` to a new file in `temps`, on the disk when this returns; raises OSError and leaves nothing."""
    temporary = temps / f"{name}.{os.getpid()}.{secrets.token_hex(4)}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        try:
            _write_whole(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except BaseException as failed:
        _drop_quietly(temporary)
        if isinstance(failed, OSError) and failed.filename is None:
            failed.filename = str(temporary)  # errors of a descriptor do not say of which file
        raise
    return temporary


def make_folder(path: Path) -> None:
    """Create a folder with its parents where it is missing, each on the disk when this returns; raises OSError."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Force a folder's entries to the disk, so that a rename in it survives a loss of power; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_whole(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def _drop_quietly(temporary: Path) -> None:
    with suppress(OSError):  # the error that brought us here is the one to tell
        temporary.unlink()
