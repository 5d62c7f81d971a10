"""What was deleted on request since a copy was made: newer copies know, and so does the old data folder."""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from schoolwatch_server import deletions
from schoolwatch_server.backup import gather, manifest
from schoolwatch_server.backup.errors import BackupError
from schoolwatch_server.backup.restic import Restic, Snapshot
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import deleted
from schoolwatch_server.deletions import Deletion, DeletionsError

log = logging.getLogger(__name__)

LISTED = f"{gather.DATA}/audit/deletions"
"""Where the list lies in a copy."""


_UNREADABLE = frozenset({"damaged", "not_ours", "newer", "deletions", "crashed"})


@dataclass(frozen=True, slots=True)
class Known:
    """The list of deletions, and the newest instant (UTC seconds) up to which it is known to be whole."""

    listed: tuple[Deletion, ...]
    upto: float


def newer(store: Restic, copies: Sequence[Snapshot], chosen: Snapshot, file: Path | None = None) -> Known:
    """What the newest copy of each machine tells, and a list that a person names. Raises `BackupError`."""
    since = [one for one in reversed(copies) if one.time >= chosen.time]
    hosts = {one.hostname for one in since}
    told = [_newest(store, [one for one in since if one.hostname == host], chosen) for host in sorted(hosts)]
    found = {one for known in told for one in known.listed}
    upto = max(known.upto for known in told)
    if file is not None:
        try:
            found.update(deletions.parse(file.read_bytes(), str(file)))
            upto = max(upto, file.stat().st_mtime)
        except (OSError, DeletionsError) as error:
            raise BackupError("deletions", file=file, detail=error) from error
    return Known(tuple(sorted(found)), upto)


def _newest(store: Restic, copies: Sequence[Snapshot], chosen: Snapshot) -> Known:
    """The newest that can be read: an older copy may be restored because a newer one is damaged."""
    for one in copies:
        try:
            return _of_copy(store, one)
        except BackupError as error:
            if error.trouble not in _UNREADABLE:
                raise
            log.warning("copy %s can't be read (%s): an older one says what was deleted", one.short_id, error)
    return Known((), chosen.time.timestamp())


def _of_copy(store: Restic, copy: Snapshot) -> Known:
    made = manifest.read(store.dump(copy.id, manifest.NAME))
    if LISTED not in made.files:
        return Known((), made.taken_at)
    try:
        return Known(deletions.parse(store.dump(copy.id, LISTED), LISTED), made.taken_at)
    except DeletionsError as error:
        raise BackupError("deletions", file=f"{copy.short_id}:{LISTED}", detail=error) from error


def delete_again(config: ServerConfig, engine: Engine) -> Counter[str]:
    """What an older database brought back, by the list of this data folder: how many devices and schools.

    A list that can't be read is logged: it keeps no server from starting.
    """
    try:
        known = deletions.read(deletions.path_in(config.folder))
    except DeletionsError as error:
        log.error("%s", error)  # noqa: TRY400  the line says all
        return Counter()
    gone = deleted.again(engine, known, time.time())
    if gone:
        log.warning("an older database was put in place: deleted again: %s", dict(gone))
    return gone
