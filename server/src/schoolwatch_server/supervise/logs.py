"""Log files that never grow past a bound, and the last lines of one."""

import shutil
from pathlib import Path

LOG_MAX = 5 * 1024 * 1024
"""Bytes of a part's log; at that size it becomes `<part>.log.1`, in place of the one before."""

_TAIL = 4096


def rotate(path: Path, most: int = LOG_MAX) -> None:
    """Starts the log anew when it is too long; its writer appends, so it goes on in the empty file."""
    try:
        if path.stat().st_size <= most:
            return
    except FileNotFoundError:
        return
    old = path.with_name(path.name + ".1")
    shutil.copyfile(path, old)
    old.chmod(0o600)
    with path.open("r+b") as file:
        file.truncate(0)


def last_lines(path: Path, count: int = 5, since: int = 0) -> tuple[str, ...]:
    """The last lines of what was written after byte `since`; without control characters."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = since if since <= size else 0  # it was rotated meanwhile
            file.seek(max(start, size - _TAIL))
            text = file.read(_TAIL).decode("utf-8", "replace")
    except OSError:
        return ()
    lines = ("".join(c for c in line if c.isprintable())[:300] for line in text.splitlines())
    return tuple(line for line in lines if line.strip())[-count:]
