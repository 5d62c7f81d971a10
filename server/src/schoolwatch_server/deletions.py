"""What was deleted on request: the list of it that outlives the database (`lasting.py`).

It names devices by their random ids and schools by their numbers: nothing of what was deleted.
"""

from pathlib import Path

import msgspec

from schoolwatch_server import lasting
from schoolwatch_server.lasting import LastingError

NAME = "audit/deletions"
"""Where the list lies in a data folder."""


class Deletion(msgspec.Struct, frozen=True, omit_defaults=True):
    """One device, or one school by its number and when it was made; times are UTC seconds."""

    at: float
    device: str = ""
    school: int = 0
    made: float = 0.0


def path_in(folder: Path) -> Path:
    """The list of a data folder."""
    return folder / NAME


def add(path: Path, one: Deletion) -> None:
    """One more, on the disk when this returns; whoever adds holds a lock. Raises `LastingError`."""
    known = lasting.read(path, Deletion)
    try:
        lasting.write(path, (*known, one))
    except LastingError as error:
        raise LastingError(f"{error}; nothing was deleted") from error
