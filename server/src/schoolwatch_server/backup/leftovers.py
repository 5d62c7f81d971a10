"""Copies of the database that an upgrade or its way back leaves beside it: as secret, and in time forgotten.

Else they would hold, in clear and for years, what the database itself has long deleted.
"""

import logging
from pathlib import Path

from schoolwatch_server.terms import TERMS

log = logging.getLogger(__name__)

DAY = 86400.0


def forget(data: Path, now: float) -> int:
    """Deletes those that have had their time (`TERMS["copy"]`); gives how many."""
    before = now - TERMS["copy"].days * DAY
    folder, gone = data / "backup" / "before-upgrade", 0
    try:
        for path in (*folder.glob("*"), *data.glob("schoolwatch.db.set-aside-*")):
            if path.is_file() and path.stat().st_mtime < before:
                path.unlink()
                gone += 1
    except OSError as error:
        log.warning("%s: an old copy of the database can't be deleted: %s", error.filename, error.strerror)
    return gone
