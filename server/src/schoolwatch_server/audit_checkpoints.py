"""The end of the audit log as it was now and then, in a file outside the database.

`audit/checkpoints` in the data folder: a line each, `instant id hash` (RFC 3339, UTC). Whoever can change the
database, and not this file, can't cut the log off or write it anew without being found. The first of each day
is also in the program's log, which is carried off to other machines where there is such a service.
"""

import logging
import os
import re
from datetime import UTC, datetime
from pathlib import Path

from schoolwatch_server.audit_chain import Checkpoint
from schoolwatch_server.files import private_folder, write_atomically

log = logging.getLogger(__name__)

LINES_MAX = 10_000
"""Lines at which the file is thinned: of days long past the last one is left."""

_LEFT = 2_000


_LINE = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?\+00:00)"
    r" ([1-9]\d{0,18}) ([0-9a-f]{64})",
    re.ASCII,
)


class CheckpointsError(ValueError):
    """The file can't be used; the text says what to do."""


def path_in(folder: Path) -> Path:
    """The file in a data folder."""
    return folder / "audit" / "checkpoints"


def read(path: Path) -> tuple[Checkpoint, ...]:
    """What was kept, oldest first; none when there is no file. Raises `CheckpointsError`."""
    try:
        lines = path.read_text("ascii").splitlines()
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointsError(
            f"{path}: can't be read: check its mode, or restore it from a backup"
        ) from error
    return tuple(_parsed(line, number, path) for number, line in enumerate(lines, 1))


def keep(path: Path, end: tuple[int, str], now: float) -> bool:
    """Adds the log's end (number and hash of its last row) unless it is there; whether it did.

    Raises `CheckpointsError`.
    """
    kept = read(path)
    if not end[0] or (kept and (kept[-1].id, kept[-1].hash) == end):
        return False
    one = Checkpoint(now, *end)
    try:
        private_folder(path.parent)
        if len(kept) >= LINES_MAX:
            write_atomically(path, "".join(map(_line, (*_thinned(kept), one))))
        else:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(_line(one))
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        raise CheckpointsError(f"{path}: can't be written ({error.strerror}): check its mode") from error
    if not kept or _day(kept[-1].at) != _day(now):
        log.info("audit log: row %d has the hash %s", *end)
    return True


def _thinned(kept: tuple[Checkpoint, ...]) -> tuple[Checkpoint, ...]:
    last_of_day = {_day(one.at): one for one in kept[:-_LEFT]}
    return (*list(last_of_day.values())[-_LEFT:], *kept[-_LEFT:])


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"


def _line(one: Checkpoint) -> str:
    return f"{datetime.fromtimestamp(one.at, UTC).isoformat()} {one.id} {one.hash}\n"


def _parsed(line: str, number: int, path: Path) -> Checkpoint:
    found = _LINE.fullmatch(line)
    try:
        at, id_, hash_ = found.groups() if found else ("", "", "")
        return Checkpoint(datetime.fromisoformat(at).timestamp(), int(id_), hash_)
    except ValueError as error:  # also a day that is in no calendar
        raise CheckpointsError(
            f"{path}: line {number} is no checkpoint: somebody changed it; restore the file from a backup"
        ) from error
