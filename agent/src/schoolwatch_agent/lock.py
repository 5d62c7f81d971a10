"""Locks on the data folder, so that two cycles never run at once; the system frees them when we die."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from schoolwatch_agent.identity import IdentityError, make_folder

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


CYCLE: Final = "lock"
"""Whoever measures and delivers holds it."""

RUN: Final = "run.lock"
"""The resident agent holds it, also while it sleeps and ticks hold the other."""


@contextmanager
def held(data: Path, name: str = CYCLE) -> Iterator[bool]:
    """True inside when the lock is ours, False when another agent holds it. Raises `IdentityError`.

    It outlives an exec: the sleeper that `run` becomes goes on holding it.
    """
    descriptor = _open(data, name)
    try:
        yield _take(descriptor)
    finally:
        os.close(descriptor)


def _open(data: Path, name: str) -> int:
    make_folder(data)
    path = data / name
    try:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            if error.errno != errno.EROFS:
                raise
            descriptor = os.open(path, os.O_RDONLY)  # a lock that is there can be held all the same
    except OSError as error:
        raise IdentityError(f"{path}: {error.strerror or error}") from error
    os.set_inheritable(descriptor, True)  # by an exec alone: whoever starts a process closes it there
    return descriptor


def _take(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
