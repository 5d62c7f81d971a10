"""Keeps the broker's password and access files the same as the registry."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from schoolwatch_server.broker import access
from schoolwatch_server.database import credentials
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.files import write_atomically

log = logging.getLogger(__name__)
FILES = ("passwords", "acl")
LOOK_EVERY = 0.5
"""Seconds between two looks at whether anything changed."""

_SHARE = 20
_PAUSE_MAX = 2.5
"""A write that took long is followed by a pause of so many times that, or of so many seconds: computers that
are enrolled by the hundred don't keep the broker reading, and who is revoked goes within 5 s all the same."""

_IN_FULL = 30.0


class Accounts:
    """Who may log in and what they may do, in files of `folder`; `own` are the server's accounts.

    `mode` is that of the files.
    """

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        own: dict[str, str],
        server_user: str,
        *,
        mode: int = 0o600,
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._own = own
        self._server_user = server_user
        self._mode = mode
        self._written: dict[str, str] = {}
        self._standing: tuple[object, ...] = ()
        self._looked = self._read_all = self._wrote = float("-inf")
        self._took = 0.0
        self._failing = False

    def refresh(self, now: float, reload: Callable[[], None]) -> None:
        """Looks at most twice a second (`now`: monotonic seconds), and calls `reload` after a change.

        While database or disk can't be used the files stay as they are: logged once, and when it ends.
        """
        if now - self._looked < LOOK_EVERY:
            return
        self._looked = now
        try:
            changed = self._is_due(now) and self._write(now)
        except (SQLAlchemyError, OSError) as error:
            if not self._failing:
                log.warning("the broker's accounts can't be refreshed just now: %s", type(error).__name__)
            self._failing = True
            return
        if self._failing:
            log.info("the broker's accounts are refreshed again")
        self._failing = False
        if changed:
            reload()

    def write(self) -> None:
        """Writes the files now. Raises what the database or the disk raises."""
        self._write(float("-inf"))

    def _is_due(self, now: float) -> bool:
        with begin_read(self._engine) as conn:
            standing = credentials.standing(conn)
        if standing == self._standing and now - self._read_all < _IN_FULL:
            return False
        return now - self._wrote >= min(self._took * _SHARE, _PAUSE_MAX)

    def _write(self, now: float) -> bool:
        began = time.monotonic()
        with begin_read(self._engine) as conn:
            standing = credentials.standing(conn)
            devices = credentials.passwords(conn)
            gateways = credentials.gateways(conn)
        written = (
            access.password_file({**devices, **self._own}),
            access.acl(self._server_user, gateways),
        )
        texts = dict(zip(FILES, written, strict=True))
        changed = {name: text for name, text in texts.items() if self._written.get(name) != text}
        for name, text in changed.items():
            write_atomically(self._folder / name, text, self._mode)
        self._written |= changed
        self._standing, self._read_all = standing, now
        self._took = time.monotonic() - began
        if changed:
            self._wrote = now
        return bool(changed)
