"""Brings the database to this program's version: a copy beside it first, and back to it when that fails.

The copy lies in `backup/before-upgrade` of the data folder, as private as the database itself: it is made in
seconds and needs no other program. `roll_back` puts it in place again, for the older program.
"""

import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import msgspec

from schoolwatch_server import __version__
from schoolwatch_server.backup import place, since
from schoolwatch_server.backup.errors import BackupError
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import copies, dump
from schoolwatch_server.database.engine import migrate, unchecked
from schoolwatch_server.files import private_folder, write_atomically

KEPT = 2
"""Copies that stay: of the last upgrades."""

_NOTHING_LESS = ("school", "device", "account", "audit", "journal")
"""Tables that no migration takes rows from."""


class Before(msgspec.Struct, frozen=True):
    """A database as it was before an upgrade: when, its migration, and its rows by table.

    `program` is the version that used it last, and empty where none left its version.
    """

    at: float
    schema: str
    program: str
    kind: str
    rows: dict[str, int]


def upgrade(config: ServerConfig, *, copy: bool = True) -> Path | None:
    """Migrates; gives the copy that was made of an older database, None when there was none to be made.

    Raises `DatabaseError`, `SealError`, and `BackupError`: `no_space` before anything is touched,
    `upgrade_failed` when the database is again as it was.
    """
    was = _state(config)
    if was is None or not was.schema or not copy or not _is_older(was.schema):
        migrate(config.database_url, config.master_key)
        leave_version(config)
        return None
    kept = _copy(config, was)
    try:
        migrate(config.database_url, config.master_key)
        _look(config, was)
    except Exception as error:
        _undo(config, was, kept)
        raise BackupError("upgrade_failed", schema=was.schema, why=error, copy=kept) from error
    leave_version(config)
    _forget(kept.parent)
    return kept


def roll_back(config: ServerConfig, database_url: str = "") -> tuple[Before, Path]:
    """The database as it was before the last upgrade, with a new epoch; and where the newer one lies now.

    PostgreSQL's goes into the empty database that is named. Raises `BackupError` and `DatabaseError`.
    """
    folder = config.folder / "backup" / "before-upgrade"
    found = _notes(folder)
    if not found:
        raise BackupError("no_upgrade", folder=folder)
    name = since.note_newest(config)
    note = found[-1]
    was = msgspec.json.decode(note.read_bytes(), type=Before)
    file = copies.sqlite_file(config.database_url)
    if file is None or was.kind != "sqlite":
        if not database_url or not dump.is_empty(database_url):
            raise BackupError("database_full")
        dump.read(database_url, note.with_suffix(".dump"))
        _renew(database_url, name)
        return was, note
    return was, _swap(file, note.with_suffix(".db"), name)


def leave_version(config: ServerConfig) -> None:
    """Writes down which program used the database last, for who has to go back to it."""
    engine = unchecked(config.database_url)
    try:
        copies.note_program(engine, __version__)
    finally:
        engine.dispose()


def _state(config: ServerConfig) -> Before | None:
    """What the database is now; None when there is none."""
    file = copies.sqlite_file(config.database_url)
    if file is not None and (not file.exists() or file.stat().st_size == 0):
        return None
    engine = unchecked(config.database_url)
    try:
        with engine.connect() as conn:
            schema = copies.version(conn)
            if not schema:
                return None
            kind = "postgresql" if file is None else "sqlite"
            return Before(time.time(), schema, copies.program(conn), kind, copies.census(conn))
    except Exception:  # noqa: BLE001  what it is that can't be read, `migrate` says in words
        return None
    finally:
        engine.dispose()


def _is_older(schema: str) -> bool:
    from schoolwatch_server.database.engine import known_versions

    return schema in known_versions() and schema != max(known_versions())


def _copy(config: ServerConfig, was: Before) -> Path:
    folder = private_folder(private_folder(config.folder / "backup") / "before-upgrade")
    note = folder / f"{was.schema}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(was.at))}.json"
    file = copies.sqlite_file(config.database_url)
    with place.held(config.folder):
        if file is None:
            copy = note.with_suffix(".dump")
            with dump.moment(config.database_url) as (_, moment):
                dump.write(config.database_url, moment, copy)
        else:
            place.room(folder, 2 * copies.size(file))  # the copy, and what the migration writes
            copy = note.with_suffix(".db")
            copy.unlink(missing_ok=True)
            copies.copy_sqlite(file, copy)
        _sync(copy)
        write_atomically(note, msgspec.json.encode(was).decode())
    return copy


def _look(config: ServerConfig, was: Before) -> None:
    """Sees that nothing is missing. Raises ValueError."""
    engine = unchecked(config.database_url)
    try:
        with engine.connect() as conn:
            rows = copies.census(conn)
    finally:
        engine.dispose()
    for table in _NOTHING_LESS:
        if rows.get(table, 0) < was.rows.get(table, 0):
            raise ValueError(f"{table} has {rows.get(table, 0)} rows and had {was.rows[table]}")


def _undo(config: ServerConfig, was: Before, copy: Path) -> None:
    """A migration is one transaction, so next to always nothing is left of it; else the copy goes back."""
    now = _state(config)
    if now is not None and (now.schema, now.rows) == (was.schema, was.rows):
        return
    file = copies.sqlite_file(config.database_url)
    if file is not None:
        _swap(file, copy)


def _swap(file: Path, copy: Path, history: str = "") -> Path:
    """A copy takes the place of a database that nobody uses, in one step; the other stays beside it."""
    place.room(file.parent, copy.stat().st_size)
    _alone(file)
    fresh = file.with_name(f"{file.name}.putting")
    fresh.unlink(missing_ok=True)
    shutil.copyfile(copy, fresh)
    fresh.chmod(0o600)
    _renew(f"sqlite:///{fresh}", history)
    _alone(fresh)  # its own log is written into it
    _sync(fresh)
    aside = file.with_name(f"{file.name}.set-aside-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
    aside.unlink(missing_ok=True)
    aside.hardlink_to(file)
    fresh.replace(file)
    fresh.with_name(f"{fresh.name}.lock").unlink(missing_ok=True)  # where its writers took turns
    return aside


def _alone(file: Path) -> None:
    """Writes the log into the file; SQLite allows that only when nobody else has it open (pragma.html)."""
    try:
        with closing(sqlite3.connect(file, timeout=2)) as db:
            db.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.OperationalError as error:
        raise BackupError("in_use", file=file) from error


def _renew(url: str, history: str) -> None:
    engine = unchecked(url)
    try:
        copies.begin_anew(engine, history)
    finally:
        engine.dispose()


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _notes(folder: Path) -> list[Path]:
    """By the time in their names; a copy that was cut off has none."""
    found = folder.glob("*.json") if folder.is_dir() else ()
    return sorted(found, key=lambda note: note.stem.partition("-")[2])


def _forget(folder: Path) -> None:
    keep = {note.stem for note in _notes(folder)[-KEPT:]}
    for path in folder.iterdir():
        if path.stem not in keep:
            path.unlink()
