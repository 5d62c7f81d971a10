"""Copies of the database: one moment of it in a file, while others write, and what such a file holds.

A copy may be of another version than this program, so its tables are found by looking.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    delete,
    exc,
    func,
    inspect,
    select,
    table,
    text,
    update,
)
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from schoolwatch_server.database import deliveries
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import HISTORY, begin_write, new_epoch
from schoolwatch_server.database.engine import history as name_of_history
from schoolwatch_server.database.upsert import upsert

_PROGRAM = "program"

_PAGES = 4096
"""Pages of one step: between two steps a signal is heard."""


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite database; None for another kind."""
    parsed = make_url(url)
    return Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None


def size(path: Path) -> int:
    """Bytes of a database that is in use, with what its log holds."""
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def copy_sqlite(source: Path, to: Path, step: Callable[[], None] = lambda: None) -> None:
    """One moment of the database into a new file (mode 0600). Others read and write meanwhile.

    A read transaction holds the moment (sqlite.org/wal.html#concurrency), so that the copy is not begun
    anew whenever somebody writes (sqlite.org/c3ref/backup_finish.html). Raises OSError and sqlite3.Error.
    """
    to.touch(mode=0o600, exist_ok=False)
    with closing(sqlite3.connect(source, timeout=20)) as one, closing(sqlite3.connect(to)) as other:
        one.isolation_level = None
        one.execute("BEGIN")
        one.execute("SELECT count(*) FROM sqlite_master").fetchone()
        other.execute("PRAGMA synchronous=OFF")  # it is synced when it is whole
        one.backup(other, pages=_PAGES, progress=lambda *_: step())


@contextmanager
def reading(path: Path) -> Iterator[Connection]:
    """A connection to a copy that nobody else uses; leaves no other file beside it."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    try:
        with engine.connect() as conn:
            conn.exec_driver_sql("PRAGMA journal_mode=DELETE")  # a copy carries its original's WAL mode
            yield conn
    finally:
        engine.dispose()


def trouble(path: Path) -> str | None:
    """What is wrong inside a database file; None when SQLite finds nothing."""
    try:
        with reading(path) as conn:
            found = conn.exec_driver_sql("PRAGMA integrity_check(3)").scalars().all()
            if list(found) != ["ok"]:
                return " · ".join(str(line) for line in found)
            broken = conn.exec_driver_sql("PRAGMA foreign_key_check").first()
            return None if broken is None else f"a row of {broken[0]} refers to nothing in {broken[2]}"
    except Exception as error:  # noqa: BLE001  whatever it raises: this file is no database
        return str(error).splitlines()[0]


def census(conn: Connection) -> dict[str, int]:
    """Rows of every table."""
    names = sorted(inspect(conn).get_table_names())
    return {name: int(conn.scalar(select(func.count()).select_from(table(name))) or 0) for name in names}


def version(conn: Connection) -> str:
    """The migration that the database is at; empty for one that is none of ours."""
    if not inspect(conn).has_table("alembic_version"):
        return ""
    return str(conn.scalar(text("SELECT max(version_num) FROM alembic_version")) or "")


def newest_report(conn: Connection) -> float | None:
    """When the newest report of the journal was received."""
    found = conn.scalar(select(func.max(t.journal.c.received_at)))
    return None if found is None else float(found)


def program(conn: Connection) -> str:
    """The version of the program that used the database last; empty where none left it."""
    return str(conn.scalar(select(t.meta.c.value).where(t.meta.c.key == _PROGRAM)) or "")


def note_program(engine: Engine, version: str) -> None:
    """Leaves the version of the program that uses the database now."""
    with begin_write(engine) as conn:
        upsert(conn, t.meta, [{"key": _PROGRAM, "value": version}])


def end_sessions(engine: Engine) -> None:
    """Nobody stays signed in: sessions that were ended since the copy would be open again."""
    with begin_write(engine) as conn:
        conn.execute(delete(t.session))


def doubt_messages(engine: Engine) -> None:
    """Nobody is told a second time, as news, what was sent after the copy was made."""
    with begin_write(engine) as conn:
        deliveries.doubt(conn, time.time())


def begin_anew(engine: Engine, history: str) -> None:
    """A new epoch for a database of an older version, whose audit log may not be today's.

    It keeps its history's name; one from before there were any gets the one that it had later.
    """
    with begin_write(engine) as conn:
        if history and not name_of_history(conn):
            upsert(conn, t.meta, [{"key": HISTORY, "value": history}])
        conn.execute(update(t.meta).where(t.meta.c.key == "epoch").values(value=new_epoch()))
        conn.execute(delete(t.session))
    with suppress(exc.DatabaseError):  # its outbox may be of a shape that this program doesn't know
        doubt_messages(engine)
