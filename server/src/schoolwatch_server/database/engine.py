"""Opens the database, brings it to the newest shape, and hands out transactions that read or write.

SQLite runs in WAL with synchronous=FULL: each commit is synced to disk before it returns
(sqlite.org/pragma.html#pragma_synchronous), so what was acknowledged survives SIGKILL, a crash of the
system and a power cut, as far as the disk keeps what it says it has written.
"""

import json
import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event, exc, insert, inspect, select, text, update
from sqlalchemy.engine import URL, make_url

from schoolwatch_server import advice
from schoolwatch_server.audit_chain import RESTORED
from schoolwatch_server.database import postgresql, turns
from schoolwatch_server.database.audit import record
from schoolwatch_server.database.tables import meta
from schoolwatch_server.sealing import MasterKeys

MIGRATIONS = Path(__file__).parent / "migrations"
HISTORY = "history"
MOVED = "moved"
"""Stands for the version, and in `meta` with where it went, in a file whose rows are elsewhere now."""
KEYS = "schoolwatch_master_keys"
"""Option of an engine and its connections: the `MasterKeys` that its sealed columns are sealed with."""

BUSY_SECONDS = 20.0
"""How long a transaction waits for another process's write to end."""

_POOL: dict[str, Any] = {"pool_size": 8, "max_overflow": 32, "hide_parameters": True}
"""Parameters hold keys and hashes: they must not be in an error's text, which is logged."""

Trouble = Literal[
    "url", "missing", "unwritable", "not_a_database", "newer", "older", "moved", "unreachable", "away"
]


class DatabaseError(Exception):
    """The database cannot be used; the text is one line that says what to do, `trouble` a word for it."""

    def __init__(self, trouble: Trouble, text: str) -> None:
        super().__init__(" ".join(text.split()))
        self.trouble: Trouble = trouble


def open_database(url: str, keys: Path | None = None) -> Engine:
    """An engine on a migrated database; `keys` is where its master key is (`config.master_key`).

    Without it, the key is beside an SQLite file, in `secrets`. Raises `DatabaseError`.
    """
    engine = _engine(url)
    place = keys or _folder(engine.url)
    if place is not None:
        engine.update_execution_options(**{KEYS: MasterKeys(place)})
    try:
        with translated(engine.url):
            _check(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def migrate(url: str, keys: Path | None = None) -> None:
    """Brings the database to the newest shape, making it when it isn't there; `keys` as in `open_database`.

    Raises `DatabaseError`, and `SealError` when secrets are to be sealed and the master key can't be used.
    """
    engine = _engine(url)
    try:
        with translated(engine.url):
            _make_file(engine.url)
            with begin_write(engine) as conn:
                upgrade(conn, engine.url, keys)
    finally:
        engine.dispose()


def upgrade(conn: Connection, url: URL, keys: Path | None = None) -> None:
    """As `migrate`, in a transaction that writes."""
    # here and not above: Alembic costs 10 MB of memory, and only this needs it
    from alembic import command
    from alembic.config import Config

    _refuse_unfit(conn, url)
    config = Config(attributes={"connection": conn, KEYS: keys or _folder(url)})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")
    if conn.scalar(select(meta.c.value).where(meta.c.key == "epoch")) is None:
        conn.execute(insert(meta).values(key="epoch", value=new_epoch()))
    if not history(conn):
        conn.execute(insert(meta).values(key=HISTORY, value=new_epoch()))


@contextmanager
def begin_read(engine: Engine) -> Iterator[Connection]:
    """A transaction that reads one moment, and can't write."""
    with engine.connect() as conn:
        if conn.dialect.name == "postgresql":
            conn.execution_options(**postgresql.READ)
        with conn.begin():
            yield conn


@contextmanager
def begin_write(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write, one at a time. Commits at the end, or rolls back."""
    with engine.connect() as conn:
        conn.execution_options(schoolwatch_write=True)
        with conn.begin():
            yield conn


def epoch(conn: Connection, *, lock: bool = False) -> str:
    """Names one unbroken history of this database; agents send again when it changes.

    With `lock`, other transactions that lock it wait: commits then happen in the order of their ids.
    """
    query = select(meta.c.value).where(meta.c.key == "epoch")
    return str(conn.scalar(query.with_for_update() if lock else query))


def history(conn: Connection) -> str:
    """Names this server's database and every copy of it, restored or not; empty in an older version."""
    return str(conn.scalar(select(meta.c.value).where(meta.c.key == HISTORY)) or "")


def new_epoch() -> str:
    """A name that no history had before."""
    return secrets.token_hex(8)


def renew_epoch(engine: Engine) -> str:
    """A new epoch, after the database was restored from a copy; agents then send again what it lacks."""
    new = new_epoch()
    with begin_write(engine) as conn:
        conn.execute(update(meta).where(meta.c.key == "epoch").values(value=new))
        record(conn, actor="server", action=RESTORED, subject=new, detail={}, now=time.time())
    return new


_URLS = "sqlite:////folder/schoolwatch.db or postgresql+psycopg://user@host/schoolwatch"


def check_url(url: str) -> None:
    """Sees, without opening the database, that this program can use such a URL. Raises `DatabaseError`."""
    _engine(url).dispose()


def unchecked(url: str) -> Engine:
    """An engine on a database of whatever version, or on none. Raises `DatabaseError` for the URL alone."""
    return _engine(url)


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql" and parsed.get_driver_name() == "psycopg":
            return postgresql.engine(parsed, _POOL)
        if parsed.get_backend_name() != "sqlite":
            raise DatabaseError("url", f"the database URL cannot be used, correct it: {_URLS}")
        if not parsed.database or parsed.database == ":memory:":
            raise DatabaseError("url", "an SQLite database needs a file: sqlite:////folder/schoolwatch.db")
        engine = create_engine(parsed, **_POOL, connect_args={"timeout": BUSY_SECONDS})
    except ImportError as error:
        what = f"its driver {error.name or ''} is not installed: install it, or name another"
        raise DatabaseError("url", f"the database URL cannot be used, {what}") from error
    except (exc.ArgumentError, ValueError) as error:  # their texts may quote the URL, which holds a password
        raise DatabaseError("url", f"the database URL cannot be used, correct it: {_URLS}") from error
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={int(BUSY_SECONDS * 1000)}",
        "temp_store=MEMORY",
        "cache_size=-16384",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(conn: Connection) -> None:
    if conn.get_execution_options().get("schoolwatch_write"):
        turns.begin(conn, BUSY_SECONDS)
    else:
        turns.begin_reading(conn)


def _make_file(url: URL) -> None:
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        # it tells who is where; SQLite gives its -wal and -shm files the same mode
        os.close(os.open(url.database, os.O_CREAT | os.O_RDWR, 0o600))


def _folder(url: URL) -> Path | None:
    return Path(url.database).parent if url.get_backend_name() == "sqlite" and url.database else None


def _exists(url: URL) -> bool:
    return url.get_backend_name() != "sqlite" or Path(str(url.database)).exists()


def _versions(conn: Connection) -> set[str]:
    if not inspect(conn).has_table("alembic_version"):
        return set()
    return set(conn.scalars(text("SELECT version_num FROM alembic_version")))


def known_versions() -> set[str]:
    """Every migration of this program, by its number: `0001_initial.py` is 0001."""
    return {file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*_*.py")}


def _refuse_unfit(conn: Connection, url: URL) -> set[str]:
    """Its version, when this program can work on it."""
    if conn.dialect.name == "postgresql" and (trouble := postgresql.trouble(conn)):
        raise DatabaseError("url", f"the database {name_of(url)} {trouble}")
    versions = _versions(conn)
    if MOVED in versions:
        told = json.loads(str(conn.scalar(select(meta.c.value).where(meta.c.key == MOVED))))
        raise DatabaseError(
            "moved",
            f"{name_of(url)} has moved to {told['to']}, with all that it held: write its address into"
            " server.toml, [database] url, with the user and all else that `migrate` said of it",
        )
    if versions - known_versions():
        raise DatabaseError(
            "newer",
            f"{name_of(url)} is newer than this program (version {', '.join(sorted(versions))}): "
            "install the newer SchoolWatch, or use another data folder",
        )
    return versions


def _check(engine: Engine) -> None:
    if not _exists(engine.url):
        raise _missing(engine.url)
    with begin_write(engine) as conn:  # also proves that it can be written
        versions = _refuse_unfit(conn, engine.url)
    if not versions:
        raise _missing(engine.url)
    if versions != {max(known_versions())}:
        raise DatabaseError("older", f"{name_of(engine.url)} is older than this program: {_RUN_MIGRATE}")


_RUN_MIGRATE = "run `schoolwatch-server migrate`"


def _missing(url: URL) -> DatabaseError:
    return DatabaseError("missing", f"there is no SchoolWatch database at {name_of(url)} yet: {_RUN_MIGRATE}")


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """A library's exceptions become one line that says what to do."""
    try:
        yield
    except OSError as error:
        raise DatabaseError(
            "unwritable", f"{name_of(url)} cannot be written ({error.strerror}): choose a folder you own"
        ) from error
    except exc.DatabaseError as error:
        raise _meaning(url, error) from error


def _meaning(url: URL, error: exc.DatabaseError) -> DatabaseError:
    if url.get_backend_name() == "postgresql":
        known, said = advice.of(error), f"{name_of(url)}: {advice.line(error)}"
        return DatabaseError("away" if known is None or known.passes else "unreachable", said)
    said = str(error.orig)
    if "not a database" in said or "malformed" in said:
        return DatabaseError(
            "not_a_database",
            f"{name_of(url)} is no SQLite database: restore a copy, or use another data folder",
        )
    if "unable to open" in said or "readonly" in said:
        return DatabaseError("unwritable", f"{name_of(url)} cannot be written: choose a folder you own")
    return DatabaseError("unreachable", f"{name_of(url)} does not answer ({said[:120]}): is it free?")


def name_of(url: URL) -> str:
    """A database's address without who opens it and how."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return URL.create(url.drivername, host=url.host, port=url.port, database=url.database).render_as_string()
