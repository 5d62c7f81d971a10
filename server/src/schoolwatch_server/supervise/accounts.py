"""Keeps the broker's password file the same as the credentials in the database."""

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from schoolwatch_server.broker.access import password_file
from schoolwatch_server.database import credentials
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.files import write_atomically

log = logging.getLogger(__name__)
_EVERY = 0.5
_IN_FULL = 30.0


class Accounts:
    """The password file; `refresh` writes it when a credential was added, renewed or revoked."""

    def __init__(self, engine: Engine, path: Path, own: dict[str, str]) -> None:
        self._engine = engine
        self._path = path
        self._own = own
        self._changed_at = 0.0
        self._written = ""
        self._looked = self._read_all = float("-inf")

    def refresh(self, now: float, reload: Callable[[], None]) -> None:
        """Looks at most twice a second (`now`: monotonic seconds), and calls `reload` after a change."""
        if now - self._looked < _EVERY:
            return
        self._looked = now
        try:
            changed = self._write_if_changed(now)
        except (SQLAlchemyError, OSError) as error:
            log.warning("the broker's accounts could not be refreshed: %s", type(error).__name__)
            return
        if changed:
            reload()

    def _write_if_changed(self, now: float) -> bool:
        with begin_read(self._engine) as conn:
            changed_at = credentials.passwords_changed_at(conn)
            # in full now and then: a clock that was set back must not hide a change
            if changed_at == self._changed_at and now - self._read_all < _IN_FULL:
                return False
            devices = credentials.passwords(conn)
        text = password_file({**devices, **self._own})
        if text != self._written:
            write_atomically(self._path, text)
        changed, self._written = text != self._written, text
        self._changed_at, self._read_all = changed_at, now
        return changed

    def write(self) -> None:
        """Writes the file now. Raises what the database or the disk raises."""
        self._write_if_changed(float("inf"))
        self._read_all = float("-inf")

    def close(self) -> None:
        """Lets go of the database."""
        with contextlib.suppress(SQLAlchemyError):  # we are leaving
            self._engine.dispose()
