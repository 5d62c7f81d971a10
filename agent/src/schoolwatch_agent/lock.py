"""A lock on the data folder, so that two cycles never run at once; the system frees it when we die."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schoolwatch_agent.identity import IdentityError, make_folder

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


@contextmanager
def held(data: Path) -> Iterator[bool]:
    """True inside when the lock is ours, False when another agent holds it. Raises `IdentityError`."""
    make_folder(data)
    path = data / "lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise IdentityError(f"{path}: {error.strerror or error}") from error
    try:
        yield _take(descriptor)
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
