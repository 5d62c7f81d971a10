"""Whether somebody wrote to the database since the last look: cheap enough to ask many times a second."""

import contextlib
import sqlite3
import threading
import time
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Engine

STEP = 0.05
"""Seconds between two looks at an SQLite file."""

UNKNOWN_STEP = 0.25
"""Seconds after which somebody may have written where that can't be asked."""


class Changes:
    """Asks SQLite's `PRAGMA data_version`, which costs microseconds and changes with each commit of others.

    It is only a hint by which nobody waits for the end of a pause: who asks looks by itself now and then.
    Where there is no such hint (PostgreSQL, or the file can't be opened just now) each look says yes. For the
    hands of one thread at a time.
    """

    def __init__(self, engine: Engine) -> None:
        is_sqlite = engine.url.get_backend_name() == "sqlite"
        self._path = Path(str(engine.url.database)).absolute() if is_sqlite else None
        self._conn: sqlite3.Connection | None = None
        self._seen: int | None = None

    def seen(self) -> bool:
        """Whether there may be something new since this was last asked; the first time yes."""
        if self._path is None:
            return True
        try:
            if self._conn is None:
                address = f"file:{quote(str(self._path))}?mode=ro"
                self._conn = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
            version: int = self._conn.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            self.close()
            return True
        before, self._seen = self._seen, version
        return version != before

    def wait(self, stop: threading.Event, most: float) -> None:
        """Gives back when there may be something new, at `stop`, or after `most` seconds."""
        deadline = time.monotonic() + most
        step = UNKNOWN_STEP if self._path is None else STEP
        while not stop.wait(min(step, max(0.0, deadline - time.monotonic()))):
            if self.seen() or time.monotonic() >= deadline:
                return

    def close(self) -> None:
        """Lets go of the file; the next look opens it again."""
        if self._conn is not None:
            with contextlib.suppress(sqlite3.Error):
                self._conn.close()
        self._conn = self._seen = None
