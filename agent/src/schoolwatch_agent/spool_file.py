"""The spool's SQLite file: its tables, opening it, setting a damaged one aside, and its errors in words."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from schoolwatch_agent import sight
from schoolwatch_agent.log import log

VERSION = 2
_VERSION_MAX = 1000
"""What no program will come to: a higher version is a flipped bit."""

PAGES_BYTES = 65_536
"""What SQLite needs beside the file, about: 32 KB of shared memory, and a few pages of its log."""

Kind = Literal["damaged", "full", "readonly", "newer", "unusable"]

_ERRNO: dict[int, Kind] = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EROFS: "readonly",
    errno.EACCES: "readonly",
    errno.EPERM: "readonly",
    errno.EISDIR: "damaged",
}

_TABLES = """
CREATE TABLE note (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE generation (
    id INTEGER PRIMARY KEY AUTOINCREMENT, spool TEXT NOT NULL UNIQUE, boot TEXT NOT NULL,
    next INTEGER NOT NULL, upto INTEGER NOT NULL);
CREATE TABLE envelope (
    id INTEGER PRIMARY KEY AUTOINCREMENT, generation INTEGER NOT NULL, seq INTEGER NOT NULL,
    put_at REAL NOT NULL, due_at REAL NOT NULL DEFAULT 0, sent INTEGER NOT NULL DEFAULT 0,
    pubacks INTEGER NOT NULL DEFAULT 0, acked_at REAL, size INTEGER NOT NULL, body BLOB NOT NULL,
    UNIQUE (generation, seq));
CREATE INDEX waiting ON envelope (put_at) WHERE acked_at IS NULL;
CREATE INDEX marked ON envelope (acked_at) WHERE acked_at IS NOT NULL;
INSERT INTO note VALUES ('bytes', 0);
CREATE TRIGGER held AFTER INSERT ON envelope BEGIN
    UPDATE note SET value = value + new.size WHERE key = 'bytes'; END;
CREATE TRIGGER freed AFTER DELETE ON envelope BEGIN
    UPDATE note SET value = value - old.size WHERE key = 'bytes'; END;
"""

_CLOCKS = """
CREATE TABLE clock (
    id INTEGER PRIMARY KEY AUTOINCREMENT, boot TEXT NOT NULL UNIQUE, base REAL NOT NULL,
    first_up REAL NOT NULL, last_up REAL NOT NULL);
ALTER TABLE envelope ADD COLUMN clock INTEGER;
ALTER TABLE envelope ADD COLUMN base REAL;
"""
"""Since version 2; of what a file held before, the clock is not known."""


class SpoolError(Exception):
    """The spool cannot be used; `kind` says in which way, the text what the system said."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(detail)
        self.kind: Kind = kind


def connect(path: Path) -> sqlite3.Connection:
    """WAL, and each transaction on disk before it counts. Raises `SpoolError`."""
    with translated(path):
        _make_private(path)
        db = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
        try:
            _prepare(db)
        except BaseException as error:
            db.close()
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
                # Our own statements are right, so a table is missing or is another program's.
                raise SpoolError("damaged", f"{path}: {error}") from error
            raise
        return db


def read(path: Path) -> sqlite3.Connection:
    """The file for reading only, beside an agent that may be running. Raises `SpoolError`."""
    with translated(path):
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2, isolation_level=None)
        try:
            _check_version(db)
        except BaseException:
            db.close()
            raise
        return db


def aside_of(path: Path) -> Path:
    """Where a damaged file is set aside."""
    return path.with_name(f"{path.name}.damaged")


def set_aside(path: Path) -> Path:
    """Renames a damaged file, with what belongs to it; the last one is kept to look into, and no more.

    Gives its new name. A folder in the file's place is moved too, and nothing in it is touched.
    """
    aside = aside_of(path)
    if path.is_dir():
        aside = path.with_name(f"{aside.name}-{os.urandom(4).hex()}")
    log(__name__).error(
        "the spool file %s is damaged; it is kept as %s and a new one is begun", path, aside.name
    )
    with translated(path):
        for ending in ("", "-wal", "-shm"):  # SQLite would apply the old ones to the new file
            aside.with_name(aside.name + ending).unlink(missing_ok=True)
        for ending in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + ending).replace(aside.with_name(aside.name + ending))
    return aside


def note(db: sqlite3.Connection, key: str) -> bytes | str | float | None:
    """One noted value."""
    row = db.execute("SELECT value FROM note WHERE key = ?", (key,)).fetchone()
    return row[0] if row else None


def number(db: sqlite3.Connection, key: str) -> float:
    """One noted number; what was never noted has been counted 0 times."""
    value = note(db, key)
    return value if isinstance(value, int | float) else 0


def set_note(db: sqlite3.Connection, key: str, value: bytes | str | float) -> None:
    """Notes a value in place of the one before."""
    db.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (key, value))


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing of it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # SQLite may have rolled back by itself
            db.execute("ROLLBACK")
        raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors as `SpoolError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise SpoolError(_kind(error, path), f"{path}: {error}") from error
    except OSError as error:
        kind = _ERRNO.get(error.errno or 0, "unusable")
        raise SpoolError(kind, f"{path}: {error.strerror or error}") from error


def _kind(error: sqlite3.Error, path: Path) -> Kind:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and _is_full(path.parent):
        return "full"  # SQLite could not make the files that it needs beside
    kinds: dict[int, Kind] = {
        sqlite3.SQLITE_CORRUPT: "damaged",
        sqlite3.SQLITE_NOTADB: "damaged",
        sqlite3.SQLITE_FULL: "full",
        sqlite3.SQLITE_READONLY: "readonly",
    }
    return kinds.get(code, "unusable")


def _is_full(folder: Path) -> bool:
    try:
        return sight.space(folder)[1] < PAGES_BYTES
    except OSError:
        return False


def _make_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _prepare(db: sqlite3.Connection) -> None:
    version = _check_version(db)
    if version < VERSION:
        tables = _CLOCKS if version else _TABLES + _CLOCKS
        db.executescript(f"BEGIN IMMEDIATE;{tables}PRAGMA user_version = {VERSION};COMMIT;")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA journal_size_limit = 1000000")
    db.execute("SELECT count(*), max(next), max(upto), max(boot) FROM generation").fetchone()
    db.execute(
        "SELECT seq, put_at, due_at, sent, pubacks, acked_at, size, clock, base FROM envelope"
        " ORDER BY id LIMIT 1"
    ).fetchone()
    db.execute("SELECT boot, base, first_up, last_up FROM clock ORDER BY id LIMIT 1").fetchone()


def _check_version(db: sqlite3.Connection) -> int:
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if not 0 <= version <= _VERSION_MAX:
        raise SpoolError("damaged", f"version {version}")
    if version > VERSION:
        raise SpoolError("newer", f"version {version} > {VERSION}")
    return version
