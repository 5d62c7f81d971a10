"""The folder `backup/` of a data folder: one backup at a time, in a private place emptied after it."""

import fcntl
import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schoolwatch_server.backup.errors import BackupError
from schoolwatch_server.files import private_folder

_LOCK, _STAGE = "backup.lock", "stage"


@contextmanager
def stage(data: Path, needed: int) -> Iterator[Path]:
    """An empty private folder, gone afterwards; what a killed backup left is removed first.

    Always the same path: by it restic finds the copy that it compares with. Raises `BackupError`.
    """
    with held(data):
        folder = data / "backup" / _STAGE
        _clear(folder)
        room(data, needed)
        private_folder(folder)
        try:
            yield folder
        finally:
            _clear(folder)


@contextmanager
def held(data: Path) -> Iterator[None]:
    """Nobody else makes a backup of this data folder meanwhile. Raises `BackupError`."""
    path = private_folder(data / "backup") / _LOCK
    with path.open("a", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BackupError("running", data=data) from error
        yield


def refuse_root(data: Path) -> None:
    """What root leaves in another user's folder and copies would keep that user from the next one.

    Raises `BackupError`.
    """
    if os.geteuid() or not data.exists():
        return
    owner = data.stat().st_uid
    if owner:
        raise BackupError("not_owner", data=data, user=_name(owner))


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"#{user}"


def sweep(data: Path) -> bool:
    """Removes what a killed backup left, unless one is at work; says whether there was something."""
    if not (data / "backup" / _STAGE).exists():
        return False
    try:
        with held(data):
            _clear(data / "backup" / _STAGE)
    except BackupError:
        return False
    return True


def room(folder: Path, needed: int) -> None:
    """Sees that a folder's disk takes so many bytes, and a tenth more. Raises `BackupError`."""
    free, wanted = shutil.disk_usage(folder).free, int(needed * 1.1)
    if free < wanted:
        raise BackupError("no_space", folder=folder, free=free // 2**20, needed=wanted // 2**20 + 1)


def _clear(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
