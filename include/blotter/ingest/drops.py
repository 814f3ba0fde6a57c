"""Drop folders: which files are taken, when, and where they end.

Belongs here: settling, claiming, recovery and filing away. Does not belong here: what is in a file (`documents`).

    INBOX/a.html                 a file of the source `inbox`
    INBOX/SOURCE/x/a.html        a file of SOURCE; a.meta.json and a.html.done beside it go with it
    INBOX/.claimed/CLAIM/        one taken file and its claim.json, locked while its taker lives
    INBOX/processed/, failed/    where files end, under their old path; nothing is ever deleted

The claim is one atomic rename. Its id names the delivery: whoever finds the claim of a dead process takes it up under
the same id, so that its documents get the same input ids and nothing is registered twice.
"""

import errno
import fcntl
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO

from blotter.config import DropSettings
from blotter.errors import Reason
from blotter.ids import make_id
from blotter.ingest.documents import DEFAULT_SOURCE, SIDECAR, open_documents, sidecar_names
from blotter.model import Arrival, Rejection, make_input_id

CLAIMED, PROCESSED, FAILED = ".claimed", "processed", "failed"
DONE = ".done"
_CLAIM_FILE = "claim.json"
_UNFINISHED = ".new-"
_STALE_S = 3600  # a claim folder whose making took so long was left by a crash
_SOURCE_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_PARTIAL_ENDINGS = (".part", ".tmp", ".crdownload", ".filepart", "~")


@dataclass(slots=True)
class ClaimedFile:
    """A dropped file that is ours: read it with `arrivals`, then say `finish` or `fail`.

    Neither said, the file stays claimed and the next run takes it up again under the same `claim_id`.
    """

    claim_id: str
    source_id: str
    location: str  # as dropped, from the inbox on
    received_at: datetime
    _inbox: Path
    _folder: Path
    _relative: Path
    _settings: DropSettings
    _lock: IO[str]
    _n_arrivals: int = field(default=0, init=False)
    _refusal: str | None = field(default=None, init=False)

    @property
    def path(self) -> Path:
        """Where the file lies now."""
        return self._folder / self._relative.name

    def arrivals(self) -> Iterator[Arrival | Rejection]:
        """Yield the documents in the file, and a Rejection for what cannot be one."""
        if not _SOURCE_ID.fullmatch(self.source_id):
            yield self._reject(
                Reason.UNSUPPORTED, f"{self.source_id!r} is no id of a source (small letters, digits, -)"
            )
            return
        for arrived in open_documents(
            self.path,
            source_id=self.source_id,
            arrival=self.claim_id,
            received_at=self.received_at,
            limits=self._settings,
            location=self.location,
        ):
            if isinstance(arrived, Arrival):
                self._n_arrivals += 1
            elif self._refusal is None:
                self._refusal = f"{arrived.location}: {arrived.reason}: {arrived.message}"
            yield arrived

    def finish(self) -> None:
        """File it away: to `processed/`, or to `failed/` where not one document could be read from it."""
        if self._refusal is not None and not self._n_arrivals:
            self.fail(self._refusal)
        else:
            self._file_away(PROCESSED)

    def fail(self, reason: str) -> None:
        """Move it to `failed/`, with a note beside it that says why."""
        filed = self._file_away(FAILED)
        filed.with_name(filed.name + ".why.txt").write_text(reason + "\n", encoding="utf-8", errors="backslashreplace")

    def release(self) -> None:
        """Let go of it without filing it away; whoever comes next takes it up."""
        self._lock.close()

    def _reject(self, reason: Reason, message: str) -> Rejection:
        self._refusal = message
        return Rejection(
            input_id=make_input_id(self.claim_id, DEFAULT_SOURCE, self.location, None),
            kind="file",
            source_id=DEFAULT_SOURCE,
            location=self.location,
            stage="ingest",
            reason=reason,
            message=message,
            received_at=self.received_at,
        )

    def _file_away(self, where: str) -> Path:
        folder = self._inbox / where / self._relative.parent
        if not _is_inside(folder, self._inbox):
            folder = self._inbox / where
        folder.mkdir(parents=True, exist_ok=True)
        filed = folder / self._relative.name
        if os.path.lexists(filed):
            filed = folder / _name_apart(self._relative.name, self.claim_id)
        # The file goes first: without it there is nothing left to read, so what it was read with may go.
        with suppress(FileNotFoundError):
            self.path.rename(filed)
        for beside in self._folder.iterdir():
            if beside.name != _CLAIM_FILE:
                beside.rename(folder / (filed.name + beside.name.removeprefix(self._relative.name)))
        shutil.rmtree(self._folder)
        self._lock.close()
        return filed


def take_drops(inbox: str | Path, *, settings: DropSettings, now: datetime) -> Iterator[ClaimedFile]:
    """Claim and yield every file that is ready: first those that a dead process left claimed, then by path.

    A file is ready when nothing about it has changed for `drops.settle_s` seconds (by the machine's own clock, as file
    times are) or a `.done` file stands beside it. `now` is when its documents are received. Raises OSError where the
    inbox itself cannot be used.
    """
    root = Path(inbox)
    (root / CLAIMED).mkdir(parents=True, exist_ok=True)
    for claim in [*_recover_claims(root), *_list_ready(root, settings)]:
        claimed = (
            _take_up(root, claim, settings, now)
            if claim.parent == root / CLAIMED
            else _claim(root, claim, settings, now)
        )
        if claimed is None:
            continue
        try:
            yield claimed
        finally:
            claimed.release()


def _list_ready(root: Path, settings: DropSettings) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        if here == root:
            folders[:] = [name for name in folders if name not in (CLAIMED, PROCESSED, FAILED)]
        folders.sort()
        # A link to a folder is listed as a folder but never walked: it is taken as a file, and refused.
        links = [name for name in folders if (here / name).is_symlink()]
        for name in sorted([*names, *links]):
            if not name.startswith(".") and not name.endswith((SIDECAR, DONE, *_PARTIAL_ENDINGS)):
                path = here / name
                if _is_ready(path, settings.settle_s):
                    yield path


def _is_ready(path: Path, settle_s: float) -> bool:
    if any(path.with_name(name).exists() for name in (path.name + DONE, path.stem + DONE)):
        return True
    changed_at = 0.0
    for name in (path.name, *sidecar_names(path.name)):
        with suppress(FileNotFoundError):
            # The inode's own time: a copy that keeps the old modification time sets it last of all.
            changed_at = max(changed_at, path.with_name(name).lstat().st_ctime)
    return settle_s == 0 or 0 < changed_at <= time.time() - settle_s


def _claim(root: Path, path: Path, settings: DropSettings, now: datetime) -> ClaimedFile | None:
    """Claim one file; None where another process was faster."""
    relative = path.relative_to(root)
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    claim_id = make_id("drop", os.fsencode(relative).hex(), status.st_ino, status.st_ctime_ns, status.st_size, str(now))
    making = root / CLAIMED / f"{_UNFINISHED}{claim_id}-{secrets.token_hex(4)}"
    try:
        lock = _write_claim(making, {"path": str(relative), "received_at": now.isoformat()})
    except OSError:  # the disk is full: nothing is claimed, and nothing must be in the way of the next try
        shutil.rmtree(making, ignore_errors=True)
        raise
    folder = root / CLAIMED / claim_id
    try:
        making.rename(folder)
    except OSError as taken:
        lock.close()
        shutil.rmtree(making, ignore_errors=True)
        if taken.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        return None  # another process whose clock says the same claims it
    try:
        path.rename(folder / path.name)
    except FileNotFoundError:  # another process has it
        lock.close()
        shutil.rmtree(folder)
        return None
    _bring_along(path, folder)
    return _make_claimed(root, folder, relative, lock, settings, now)


def _write_claim(making: Path, told: Mapping[str, str]) -> IO[str]:
    making.mkdir()
    lock = (making / _CLAIM_FILE).open("w+", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        json.dump(told, lock)
        lock.flush()
    except OSError:
        with suppress(OSError):  # closing writes what is left, which the disk refuses once more
            lock.close()
        raise
    return lock


def _take_up(root: Path, folder: Path, settings: DropSettings, now: datetime) -> ClaimedFile | None:
    """Take up a claim that a dead process left; None where its taker lives, or there is nothing in it."""
    try:
        lock = (folder / _CLAIM_FILE).open("r+", encoding="ascii")
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    try:
        told = json.load(lock)
        relative, received_at = Path(told["path"]), datetime.fromisoformat(told["received_at"])
    except (ValueError, KeyError, TypeError):
        relative, received_at = Path(DEFAULT_SOURCE) / folder.name, now
    # Received when it was first claimed: a text without a date keeps the one that its file's first half got.
    claimed = _make_claimed(root, folder, relative, lock, settings, received_at)
    if os.path.lexists(claimed.path):
        _bring_along(root / relative, folder)
        return claimed
    claimed.finish()  # the crash came before the file was claimed, or while it was filed away
    return None


def _make_claimed(
    root: Path, folder: Path, relative: Path, lock: IO[str], settings: DropSettings, received_at: datetime
) -> ClaimedFile:
    return ClaimedFile(
        claim_id=folder.name,
        source_id=relative.parts[0] if len(relative.parts) > 1 else DEFAULT_SOURCE,
        location=str(relative).encode("utf-8", "backslashreplace").decode(),
        received_at=received_at,
        _inbox=root,
        _folder=folder,
        _relative=relative,
        _settings=settings,
        _lock=lock,
    )


def _bring_along(path: Path, folder: Path) -> None:
    """Move what belongs to a claimed file after it; again is the same as once."""
    short, full = sidecar_names(path.name)
    for name, kept in (
        (full, full),
        (short, full),
        (path.name + DONE, path.name + DONE),
        (path.stem + DONE, path.name + DONE),
    ):
        if not os.path.lexists(folder / kept) and path.parent.is_dir():
            with suppress(FileNotFoundError):
                path.with_name(name).rename(folder / kept)


def _recover_claims(root: Path) -> Iterator[Path]:
    for folder in sorted((root / CLAIMED).iterdir()):
        if not folder.name.startswith(_UNFINISHED):
            yield folder
        elif folder.stat().st_mtime < time.time() - _STALE_S:
            shutil.rmtree(folder, ignore_errors=True)


def _name_apart(name: str, claim_id: str) -> str:
    """Name a file apart from an earlier one of the same name; its ending, which says what it is, stays."""
    base, dot, ending = name.partition(".")
    return f"{base}~{claim_id[-8:]}{dot}{ending}"


def find_filed(inbox: str | Path, location: str, claim_id: str) -> Path | None:
    """Find where a dropped file lies now that it is filed away; None where somebody has taken it from there."""
    relative = Path(location)
    for where in (PROCESSED, FAILED):
        folder = Path(inbox) / where / relative.parent
        # Filed under another name only where an earlier file had its own: so that one is looked for first.
        for name in (_name_apart(relative.name, claim_id), relative.name):
            if (folder / name).is_file() and _is_inside(folder / name, Path(inbox)):
                return folder / name
    return None


def _is_inside(path: Path, root: Path) -> bool:
    """Tell whether a path that may not exist yet stays below the root once its links are followed."""
    return path.resolve().is_relative_to(root.resolve())
