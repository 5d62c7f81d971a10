"""Where the tests' files lie: in memory if there is room, for on a disk most tests wait for its commits.

Who is killed leaves the same behind in memory and on a disk. What a power cut leaves, no test finds out on
either.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

import psutil

MEMORY = Path("/dev/shm")
DISK = Path("/var/tmp")

ROOM = 1 << 30
"""Twice what the tests' files take at most, in bytes."""

BESIDE = 2 << 30
"""What the tests' processes take at most, in bytes."""

LIMIT = Path("/sys/fs/cgroup/memory.max")
"""What a container may take, in bytes, or `max`."""

_PREFIX = "sw-tests-"  # sockets of tests have room for some 40 characters before their own


def folder(memory: Path = MEMORY) -> Path:
    """A folder in memory that is this run's alone, and gone when this process ends.

    It is locked, so that the next run finds out whether one that was killed left it behind.
    """
    _tidy(memory)
    made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=memory))
    made.chmod(0o711)  # some tests run programs as somebody else
    fcntl.flock(os.open(made, os.O_RDONLY), fcntl.LOCK_EX)  # as long as this process lives
    # what ends a test's server registers itself later, and so comes first
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def has_room(memory: Path = MEMORY) -> bool:
    """Whether the tests' files may lie there: programs may be run from it, and it is large enough, as is what
    this machine or container has of memory.
    """
    try:
        there = os.statvfs(memory)
    except OSError:
        return False
    if there.f_flag & os.ST_NOEXEC or not os.access(memory, os.W_OK):
        return False
    return there.f_bavail * there.f_frsize >= ROOM and _memory() >= ROOM + BESIDE


def _memory() -> int:
    try:
        limit = LIMIT.read_text(encoding="ascii").strip()
    except OSError:
        limit = "max"
    available = psutil.virtual_memory().available
    return available if limit == "max" else min(available, int(limit))


def _tidy(memory: Path) -> None:
    """Takes away what runs left that were killed."""
    for left in memory.glob(f"{_PREFIX}*"):
        try:
            folder = os.open(left, os.O_RDONLY)
        except OSError:  # somebody else's, or gone by now
            continue
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pass  # it is in use
        else:
            shutil.rmtree(left, ignore_errors=True)
        finally:
            os.close(folder)
