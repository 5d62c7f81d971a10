"""Files that somebody handed in with a browser, kept for a short while between looking and importing.

They lie in `run/imports` of the data folder, which no backup holds, by their SHA-256, sealed with the master
key: a list may hold names and telephone numbers.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from schoolwatch_server import sealing
from schoolwatch_server.files import private_folder
from schoolwatch_server.sealing import SealError

KEPT = 3600.0
"""Seconds that a file waits for its import."""

FILES_MAX, BYTES_MAX = 1000, 400 << 20
"""Of all people together: on the last day of a report hundreds look at a form before they fill it."""

_PURPOSE = "list handed in "


def keep(data_folder: Path, master_key: Path, data: bytes, now: float) -> str:
    """Keeps a file; its SHA-256 in hex. The oldest go when there are too many, or their time is over.

    `master_key` as in `sealing.keyring`. Raises `SealError`.
    """
    folder = private_folder(data_folder / "run" / "imports")
    digest = hashlib.sha256(data).hexdigest()
    path, new = folder / digest, folder / f".{digest}.{secrets.token_hex(8)}"  # many may hand in the same
    new.touch(mode=0o600)
    new.write_bytes(sealing.seal(master_key, _PURPOSE + digest, data))
    os.utime(new, (now, now))
    new.replace(path)
    size = 0
    for index, (at, bytes_, one) in enumerate(sorted(_kept(folder), reverse=True)):
        size += bytes_
        if index >= FILES_MAX or size > BYTES_MAX or at < now - KEPT:
            one.unlink(missing_ok=True)
    return digest


def _kept(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """When each file was handed in, and its size; one that somebody else takes away meanwhile is none."""
    for one in folder.iterdir():
        with suppress(FileNotFoundError):
            stat = one.stat()
            yield stat.st_mtime, stat.st_size, one


def find(data_folder: Path, master_key: Path, digest: str, now: float) -> bytes | None:
    """A file that was kept; None when it is no more, or not what its name says."""
    path = data_folder / "run" / "imports" / digest
    try:
        if path.stat().st_mtime < now - KEPT:
            return None
        data = sealing.unseal(master_key, _PURPOSE + digest, path.read_bytes())
    except (OSError, SealError):
        return None
    return data if hashlib.sha256(data).hexdigest() == digest else None
