"""An SQLite database as many small files: what did not change since yesterday is the same file again.

A copy of the database's own file would be new every day, because its indexes lie scattered between its rows.
Here each table is cut by rowid, which grows as rows come; indexes are made anew. A part is a MessagePack list
of rows, the rowid first.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection

ROWS = 16_384
"""Rowids of one part."""

_SCHEMA, _SEQUENCE = "schema.json", "sqlite_sequence"
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[tuple[Any, ...]])


class Schema(msgspec.Struct, frozen=True):
    """What makes the database: tables with their columns, the statements that make them, and those after."""

    tables: dict[str, tuple[str, ...]]
    before: tuple[str, ...]
    after: tuple[str, ...]


def write(conn: Connection, folder: Path, step: Callable[[], None] = lambda: None) -> dict[str, int]:
    """Every table in the moment of `conn`'s transaction, into an empty folder; gives the rows by table."""
    schema = _schema(conn)
    (folder / _SCHEMA).write_bytes(msgspec.json.encode(schema))
    counted: dict[str, int] = {}
    for table in schema.tables:
        (folder / table).mkdir(mode=0o700)
        counted[table] = 0
        for number, rows in _parts(conn, table):
            (folder / table / f"{number:015d}").write_bytes(_encoder.encode(rows))
            counted[table] += len(rows)
            step()
    counted.pop(_SEQUENCE, None)
    return counted


def read(folder: Path, to: Path) -> None:
    """Makes a new database file (mode 0600). Raises OSError, sqlite3.Error, msgspec.DecodeError."""
    schema = msgspec.json.decode((folder / _SCHEMA).read_bytes(), type=Schema)
    to.touch(mode=0o600, exist_ok=False)
    with closing(sqlite3.connect(to)) as db:
        db.isolation_level = None
        for pragma in (
            "journal_mode=OFF",
            "synchronous=OFF",
            "foreign_keys=OFF",
        ):  # it is whole or thrown away
            db.execute(f"PRAGMA {pragma}")
        db.execute("BEGIN")
        for statement in schema.before:
            db.execute(statement)
        for table, columns in schema.tables.items():
            if table == _SEQUENCE:
                db.execute(f"DELETE FROM {_SEQUENCE}")  # nosec B608 # noqa: S608  a constant
            names = ", ".join(_quoted(name) for name in ("rowid", *columns))
            places = ", ".join("?" * (1 + len(columns)))
            insert = f"INSERT INTO {_quoted(table)} ({names}) VALUES ({places})"  # nosec B608 # noqa: S608  quoted names
            for part in sorted((folder / table).iterdir()):
                db.executemany(insert, _decoder.decode(part.read_bytes()))
        for statement in schema.after:
            db.execute(statement)
        db.execute("COMMIT")
    descriptor = os.open(to, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _schema(conn: Connection) -> Schema:
    query = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
    made = conn.exec_driver_sql(query).all()
    names = [name for kind, name, _ in made if kind == "table"]
    tables = {
        name: tuple(column for _, column, *_ in conn.exec_driver_sql(f"PRAGMA table_info({_quoted(name)})"))
        for name in sorted(names, key=lambda one: (one == _SEQUENCE, one))  # rows of others change it
    }
    before = tuple(sql for kind, name, sql in made if kind == "table" and name != _SEQUENCE)
    return Schema(tables, before, tuple(sql for kind, _, sql in made if kind != "table"))


def _parts(conn: Connection, table: str) -> Iterator[tuple[int, list[tuple[Any, ...]]]]:
    """Rows by rowid, with the number of their part."""
    query = f"SELECT rowid, * FROM {_quoted(table)} WHERE rowid >= ? ORDER BY rowid LIMIT ?"  # nosec B608 # noqa: S608
    start = conn.exec_driver_sql(f"SELECT min(rowid) FROM {_quoted(table)}").scalar()  # nosec B608 # noqa: S608
    while start is not None:
        number = start // ROWS
        end = (number + 1) * ROWS
        found = [tuple(row) for row in conn.exec_driver_sql(query, (start, end - start))]
        rows = [row for row in found if row[0] < end]
        if rows:
            yield number, rows
        start = found[len(rows)][0] if len(found) > len(rows) else (end if found else None)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
