"""Whoever wants to write to an SQLite file comes in its turn.

SQLite gives the write lock to whoever happens to ask while it is free, and who waits looks again each
100 ms at last (`sqliteDefaultBusyCallback` in its main.c): beside a process that writes nearly all the time
that took seconds. Here only the first of those who wait asks SQLite, each millisecond. The others wait for
that one in the kernel (flock(2)), and who has just written waits behind them.

SQLite's own lock still decides who writes: a program that knows nothing of turns does no harm.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from sqlalchemy import Connection

ASK_EVERY = 1
"""Milliseconds for which SQLite looks whether the lock becomes free, before it is asked again."""

_BEGIN = "BEGIN IMMEDIATE"


def begin(conn: Connection, seconds: float) -> None:
    """Begins a transaction that writes, after those who asked before.

    Raises SQLAlchemy's `OperationalError` when that is not possible within so many seconds.
    """
    until = time.monotonic() + seconds
    db = cast("sqlite3.Connection", conn.connection.dbapi_connection)
    with _turn(f"{conn.engine.url.database}.lock"):
        db.execute(f"PRAGMA busy_timeout={ASK_EVERY}")
        try:
            while _is_busy(db) and time.monotonic() < until:
                pass
            if not db.in_transaction:
                conn.exec_driver_sql(_BEGIN)  # this says why not in the words that callers know
        finally:
            db.execute(f"PRAGMA busy_timeout={int(seconds * 1000)}")


def _is_busy(db: sqlite3.Connection) -> bool:
    """Whether another writes just now; else it has begun, or can't for some other reason."""
    try:
        db.execute(_BEGIN)
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    return False


@contextmanager
def _turn(path: str) -> Iterator[None]:
    """Held until its end, or the process's. Where there can be no such file, all ask at once."""
    try:
        turn = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
    finally:
        os.close(turn)
