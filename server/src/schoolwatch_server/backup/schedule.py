"""When a backup is due, and the child process that makes it; `evaluate` looks every half minute."""

import contextlib
import logging
import sys
import time
from datetime import datetime, timedelta

from schoolwatch_server import child, deletions, endings
from schoolwatch_server.backup import place, status
from schoolwatch_server.backup.status import Failed, Status
from schoolwatch_server.config import ServerConfig, render
from schoolwatch_server.files import private_folder, write_atomically
from schoolwatch_server.vietnam import VIETNAM

log = logging.getLogger(__name__)

AGAIN = 3600.0
"""Seconds after which a backup that failed is tried again."""


def is_due(config: ServerConfig, known: Status, now: float, listed_at: float = 0.0) -> bool:
    """Whether one should be made now: each day from the hour on; at once where there is none yet.

    And an hour after something was deleted or ended, last at `listed_at`: so that a copy knows of it.
    """
    if not config.backup.target:
        return False
    slot = newest_slot(config.backup.hour, now)
    if known.done is not None and slot <= known.done.at <= now:
        return known.done.at < listed_at and now - max(known.done.at, known.tried_at or 0.0) >= AGAIN
    tried = known.tried_at
    return tried is None or tried < slot - AGAIN or not 0 <= now - tried < AGAIN


def newest_slot(hour: int, now: float) -> float:
    """The last time that it struck that hour in Vietnam, in UTC seconds."""
    here = datetime.fromtimestamp(now, VIETNAM)
    slot = here.replace(hour=hour, minute=0, second=0, microsecond=0)
    return (slot if slot <= here else slot - timedelta(days=1)).timestamp()


def _listed_at(config: ServerConfig) -> float:
    """When the lists that outlive the database were last written; 0 when there is none."""
    found = 0.0
    for path in (deletions.path_in(config.folder), endings.path_in(config.folder)):
        with contextlib.suppress(OSError):
            found = max(found, path.stat().st_mtime)
    return found


class Scheduled:
    """The backups of one evaluating process: at most one at a time, and it goes when we go."""

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        self._process: child.Process | None = None
        self._began = 0.0

    def look(self) -> int:
        """Starts one when it is due; says how many were started. A folder that can't be written is logged."""
        try:
            return self._look(time.time())
        except OSError as error:
            log.warning("no backup can be started: %s", error)
            return 0

    def _look(self, now: float) -> int:
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return 0
            self._process = None
            self._ended(code, now)
        known = status.read(self._config.folder)
        if known is None or not is_due(self._config, known, now, _listed_at(self._config)):
            return 0
        self._start(now)
        return 1

    def _start(self, now: float) -> None:
        data = self._config.folder
        settings = private_folder(data / "backup") / "settings.toml"
        write_atomically(settings, render(self._config))
        command = (sys.executable, "-m", "schoolwatch_server", "backup", "--background")
        log_file = private_folder(data / "log") / "backup.log"
        self._process = child.spawn((*command, "--config", str(settings)), log_file, gently=True)
        self._began = now
        log.info("a backup is being made")

    def _ended(self, code: int, now: float) -> None:
        data = self._config.folder
        known = status.read(data) or Status()
        if known.tried_at is None or known.tried_at < self._began:  # it could not say so itself
            status.change(data, tried_at=self._began, failed=Failed(now, "died", {"code": str(code)}))
        place.sweep(data)
        if code == 0:
            log.info("the backup is made")
        else:
            log.error("the backup failed: `schoolwatch-server backup` says why, and so does log/backup.log")
