"""Room that the spool holds on the disk: when others fill it up, that much can still be measured.

SQLite needs a few pages beside the file even to read it, so a full disk would stop delivery too.
"""

import contextlib
import os
from pathlib import Path

from schoolwatch_agent import sight

SIZE = 1 << 20
_STEP = 1 << 16
ROOMY = 16 << 20
"""Bytes free from which room is taken; on a disk fuller than that, only what was given up is taken back."""


def keep(spool: Path, *, again: bool = False) -> None:
    """Fills the reserve up where the disk has room; `again` takes back what was just given up."""
    file = _file(spool)
    with contextlib.suppress(OSError):  # it is a precaution; the spool itself says what is wrong
        held = file.stat().st_size if file.exists() else 0
        if held >= SIZE or not (again or sight.space(spool.parent)[1] >= ROOMY):
            return
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            while held < SIZE:
                held += os.write(opened, bytes(_STEP))
        finally:
            os.close(opened)


def give_up(spool: Path) -> bool:
    """Makes room; False when there is none left to make."""
    file = _file(spool)
    try:
        had = file.stat().st_size > 0
        file.unlink()
    except OSError:
        return False
    return had


def _file(spool: Path) -> Path:
    return spool.with_name(f"{spool.name}.reserve")
