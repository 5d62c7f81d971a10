"""Whoever wants to write to an SQLite file comes in its turn.

SQLite gives the write lock to whoever happens to ask while it is free, and who waits looks again each
100 ms at last (`sqliteDefaultBusyCallback` in its main.c): beside a process that writes nearly all the time
that took seconds. Here only the first of those who wait asks SQLite, each millisecond. The others wait for
that one in the kernel (flock(2)), and who has just written waits behind them.

SQLite's own lock still decides who writes: a program that knows nothing of turns does no harm, and who gets
no turn waits as SQLite does.
"""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from sqlalchemy import Connection

ASK_EVERY = 1
"""Milliseconds for which SQLite looks whether the lock becomes free, before it is asked again."""

PATIENCE = 2.0
"""Seconds that a turn is waited for: who has it may be stopped. Twice the longest that a full load took."""

_BEGIN = "BEGIN IMMEDIATE"


def begin(conn: Connection, seconds: float) -> None:
    """Begins a transaction that writes, after those who asked before.

    Raises SQLAlchemy's `OperationalError` when that is not possible within so many seconds.
    """
    until = time.monotonic() + seconds
    db = cast("sqlite3.Connection", conn.connection.dbapi_connection)
    with _turn(f"{conn.engine.url.database}.lock", min(seconds, PATIENCE)) as is_mine:
        try:
            if is_mine:
                _wait(db, ASK_EVERY)
                while _is_busy(db) and time.monotonic() < until:
                    pass
            else:
                _wait(db, max(int((until - time.monotonic()) * 1000), ASK_EVERY))
            if not db.in_transaction:
                conn.exec_driver_sql(_BEGIN)  # this says why not in the words that callers know
        finally:
            _wait(db, int(seconds * 1000))


def begin_reading(conn: Connection) -> None:
    """Begins a transaction that reads, which waits for nobody. Raises SQLAlchemy's errors."""
    try:
        cast("sqlite3.Connection", conn.connection.dbapi_connection).execute("BEGIN")
    except sqlite3.Error:
        conn.exec_driver_sql("BEGIN")  # it says why not in the words that callers know


def _wait(db: sqlite3.Connection, milliseconds: int) -> None:
    db.execute(f"PRAGMA busy_timeout={milliseconds}")


def _is_busy(db: sqlite3.Connection) -> bool:
    """Whether another writes just now; else it has begun, or can't for some other reason."""
    try:
        db.execute(_BEGIN)
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    return False


@contextmanager
def _turn(path: str, seconds: float) -> Iterator[bool]:
    """Whether it came within so many seconds; then it is held until the end, or the process's.

    It never comes where there can be no such file, or its file system knows no turns.
    """
    place = _Place(path)
    try:
        yield place.comes(seconds)
    finally:
        place.leave()


_blocked: dict[str, "_Place"] = {}
"""Path → the last place that was left before its turn came: while it still stands, nobody waits for long."""


class _Place:
    """A place among those who wait, held by a thread where somebody has the turn.

    Nothing ends a wait in the kernel but the turn, so it is the thread that waits, and not who asked.
    `stands` is whether it still does.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._came = threading.Event()
        self._is_left = False
        self.stands = False
        self._file = _opened(path)

    def comes(self, seconds: float) -> bool:
        """Whether the turn comes within so many seconds."""
        if self._file is None:
            return False
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return self._stand(seconds)
        except OSError:
            return False
        return True

    def leave(self) -> None:
        """Gives the turn on, or the place up."""
        with self._lock:
            self._is_left = True
            if self._file is not None and not self.stands:
                os.close(self._file)

    def _stand(self, seconds: float) -> bool:
        before = _blocked.get(self._path)
        if before is not None and before.stands:
            return False
        self.stands = True
        try:
            threading.Thread(target=self._run, name="turn", daemon=True).start()
        except RuntimeError:  # no more threads, or the process is about to end
            self.stands = False
            return False
        if self._came.wait(seconds):
            return True
        _blocked[self._path] = self
        return False

    def _run(self) -> None:
        with suppress(OSError):
            fcntl.flock(cast("int", self._file), fcntl.LOCK_EX)
        with self._lock:
            self.stands = False
            self._came.set()
            if self._is_left:
                os.close(cast("int", self._file))


def _opened(path: str) -> int | None:
    for _ in range(2):
        try:
            return os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except PermissionError:  # a command that somebody ran as root made it
            with suppress(OSError):
                Path(path).unlink()
        except OSError:
            break
    return None
