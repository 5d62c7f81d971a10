"""How the disk of a folder stands: its room, and whether anything can be written there at all."""

import errno
import shutil
import tempfile
import time
from pathlib import Path
from typing import Final, Literal

import msgspec

Refusal = Literal["", "full", "read_only", "broken"]
"""Why nothing can be written; empty where it can be."""

_TRIED: Final = bytes(1 << 20)
"""As much as a batch of reports and its indexes take."""

_KEPT: Final = 5.0
"""Seconds for which an answer holds: whoever may ask is anybody."""

_REFUSALS: Final[dict[int, Refusal]] = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EFBIG: "full",
    errno.EROFS: "read_only",
}


class Disk(msgspec.Struct, frozen=True):
    """Bytes that are free and that there are, None where nobody can tell, and why nothing can be written."""

    free: int | None
    size: int | None
    refusal: Refusal


_known: dict[Path, tuple[float, Disk]] = {}


def look(folder: Path) -> Disk:
    """The disk as it is, or was a few seconds ago.

    The room that the system names doesn't tell of quotas, nor of a disk that went read-only after an error:
    so a file without a name is written and given up.
    """
    asked = time.monotonic()
    at, found = _known.get(folder, (-_KEPT, None))
    if found is None or asked - at >= _KEPT:
        found = _look(folder)
        _known[folder] = (asked, found)
    return found


def _look(folder: Path) -> Disk:
    refusal: Refusal = ""
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            rest = memoryview(_TRIED)
            while rest:
                rest = rest[file.write(rest) :]
    except OSError as error:
        refusal = _REFUSALS.get(error.errno or 0, "broken")
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return Disk(None, None, refusal or "broken")
    return Disk(usage.free, usage.total, refusal)
