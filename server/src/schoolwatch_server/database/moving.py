"""A database moves from SQLite to PostgreSQL: all of it in one transaction, compared, or nothing.

The file is held alone from the first row to the last, so nothing that was acknowledged is missing in the
copy. That is why it keeps its epoch: one unbroken history, of which agents need not send anything again.
At the end the file says where its rows went, and no server starts on it any more.
"""

import hashlib
import json
import sqlite3
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import psycopg
from sqlalchemy import JSON, Boolean, Connection, Double, Table, delete, inspect

from schoolwatch_server.database.engine import (
    MOVED,
    begin_read,
    begin_write,
    known_versions,
    name_of,
    translated,
    unchecked,
    upgrade,
)
from schoolwatch_server.database.tables import metadata

TABLES: tuple[Table, ...] = tuple(metadata.sorted_tables)

_AT_ONCE = 2000
"""Rows between two words of progress."""

Step = Callable[[str, int, int], None]
"""Is told a table, how many of its rows are done, and how many it has."""

Fault = Literal[
    "no_file", "in_use", "moved", "older", "not_empty", "row", "differs", "not_postgresql", "damaged"
]


class MovingError(Exception):
    """The database stays where it was; `fault` is a word for why, with values for its text."""

    def __init__(self, fault: Fault, **values: object) -> None:
        super().__init__(fault)
        self.fault: Fault = fault
        self.values = values


@dataclass(frozen=True, slots=True)
class Sum:
    """How many rows a table has, and the sum of their digests: the same rows in whatever order."""

    rows: int
    digest: int


@dataclass(frozen=True, slots=True)
class Moved:
    """What lies in PostgreSQL now; `again` says that an earlier try had put it there already."""

    sums: dict[str, Sum]
    again: bool


def move(file: Path, url: str, keys: Path, step: Step = lambda *_: None) -> Moved:
    """Puts all rows of a file that nobody uses into an empty database; `keys` as in `open_database`.

    Raises `MovingError` and `DatabaseError`; then both databases are as they were.
    """
    with _alone(file) as source:
        version = _version(source, file)
        engine = unchecked(url)
        try:
            if engine.dialect.name != "postgresql":
                raise MovingError("not_postgresql")
            with translated(engine.url):
                again = _holds_something(engine)
                if again:
                    sums = _compare_again(source, engine, name_of(engine.url))
                else:
                    sums = _copy(source, engine, keys, step)
                    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
                        conn.exec_driver_sql("ANALYZE")  # else its first queries are planned for empty tables
            _mark(source, version, name_of(engine.url))
        finally:
            engine.dispose()
    return Moved(sums, again)


# --- the file -----------------------------------------------------------------------------------------


@contextmanager
def _alone(file: Path) -> Iterator[sqlite3.Connection]:
    """The file in a transaction in which nobody else reads or writes it."""
    if not file.is_file():
        raise MovingError("no_file", file=file)
    with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=rw", uri=True, timeout=2)) as db:
        db.isolation_level = None
        try:
            # writes its log into it, which SQLite allows only when nobody else has it open (pragma.html)
            db.execute("PRAGMA journal_mode=DELETE").fetchone()
            db.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise MovingError("in_use", file=file) from error
        except sqlite3.DatabaseError as error:
            raise MovingError("damaged", file=file, why=error) from error
        yield db


def _version(source: sqlite3.Connection, file: Path) -> str:
    try:
        found = source.execute("SELECT max(version_num) FROM alembic_version").fetchone()[0] or ""
    except sqlite3.OperationalError:
        found = ""
    if found == MOVED:
        told = json.loads(source.execute("SELECT value FROM meta WHERE key = ?", (MOVED,)).fetchone()[0])
        raise MovingError("moved", file=file, to=told["to"])
    if found != max(known_versions()):
        raise MovingError("older", file=file, version=found or "-")
    return str(found)


def _mark(source: sqlite3.Connection, version: str, to: str) -> None:
    """From now on no program runs on it: today's say where it went, older ones take it for a newer one."""
    told = json.dumps({"to": to, "at": time.time(), "version": version})
    source.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (MOVED, told))
    source.execute("UPDATE alembic_version SET version_num = ?", (MOVED,))
    source.execute("COMMIT")


# --- the rows -----------------------------------------------------------------------------------------


def _copy(source: sqlite3.Connection, engine: Any, keys: Path, step: Step) -> dict[str, Sum]:
    with begin_write(engine) as conn:
        conn.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        upgrade(conn, engine.url, keys)
        for table in reversed(TABLES):  # what the steps of the schema wrote is in the file as it is today
            conn.execute(delete(table))
        sums = {table.name: _copy_table(source, conn, table, step) for table in TABLES}
        _count_on(source, conn)
        _compare(sums, conn)
    return sums


def _copy_table(source: sqlite3.Connection, conn: Connection, table: Table, step: Step) -> Sum:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    total = _count(source, table)
    total_digest, done = 0, 0
    step(table.name, 0, total)
    cursor = conn.connection.cursor()
    try:
        with cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
            for row in _of_file(source, table):
                copy.write_row(row)
                total_digest, done = total_digest + _digest(row), done + 1
                if done % _AT_ONCE == 0:
                    step(table.name, done, total)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        at = f" ({error.diag.context.splitlines()[0][:80]})" if error.diag.context else f" (row {done + 1})"
        raise MovingError("row", table=table.name, why=f"{str(error).splitlines()[0]}{at}") from error
    step(table.name, done, total)
    return Sum(done, total_digest % 2**128)


def _count(source: sqlite3.Connection, table: Table) -> int:
    return int(source.execute(f'SELECT count(*) FROM "{table.name}"').fetchone()[0])  # nosec B608 # noqa: S608  ours


def _of_file(source: sqlite3.Connection, table: Table) -> Iterator[tuple[Any, ...]]:
    """Its rows as PostgreSQL gives them: SQLite has no booleans, and a whole number in any column."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    kinds = [_kind(column.type) for column in table.columns]
    for row in source.execute(f'SELECT {names} FROM "{table.name}" ORDER BY rowid'):  # nosec B608 # noqa: S608  ours
        yield tuple(
            value if value is None or kind is None else kind(value)
            for value, kind in zip(row, kinds, strict=True)
        )


def _kind(type_: Any) -> Callable[[Any], Any] | None:
    if isinstance(type_, Boolean):
        return bool
    return float if isinstance(type_, Double) else None


def _of_postgresql(conn: Connection, table: Table) -> Iterator[tuple[Any, ...]]:
    """Its rows; JSON as the words that were written."""
    names = ", ".join(
        f'"{column.name}"::text' if isinstance(column.type, JSON) else f'"{column.name}"'
        for column in table.columns
    )
    query = f'SELECT {names} FROM "{table.name}"'  # nosec B608 # noqa: S608  ours
    with conn.execution_options(yield_per=_AT_ONCE).exec_driver_sql(query) as found:
        for row in found:
            yield tuple(row)


def _digest(row: Sequence[Any]) -> int:
    """Of one row, by kind and value of each cell."""
    cells = hashlib.blake2b(digest_size=16)
    for value in row:
        told = _bytes(value)
        cells.update(struct.pack("<cq", told[:1], len(told)) + told[1:])
    return int.from_bytes(cells.digest(), "little")


def _bytes(value: Any) -> bytes:
    if isinstance(value, bool):
        return b"b1" if value else b"b0"
    if isinstance(value, int):
        return b"i%d" % value
    if isinstance(value, float):
        return b"f" + struct.pack("<d", value)
    if isinstance(value, str):
        return b"t" + value.encode()
    return b"n" if value is None else b"x" + bytes(value)


def _sum(rows: Iterator[tuple[Any, ...]]) -> Sum:
    digest, count = 0, 0
    for row in rows:
        digest, count = digest + _digest(row), count + 1
    return Sum(count, digest % 2**128)


def _compare(sums: dict[str, Sum], conn: Connection) -> None:
    for table in TABLES:
        if _sum(_of_postgresql(conn, table)) != sums[table.name]:
            raise MovingError("differs", table=table.name)


def _count_on(source: sqlite3.Connection, conn: Connection) -> None:
    """New rows get the numbers that they would have got: no cursor may meet one for the second time."""
    highest = dict(source.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    for table in TABLES:
        column = table.autoincrement_column
        if column is None:
            continue
        found = source.execute(f'SELECT max("{column.name}") FROM "{table.name}"').fetchone()[0]  # nosec B608 # noqa: S608
        last = max(found or 0, highest.get(table.name, 0))
        if last:
            sequence = "SELECT setval(pg_get_serial_sequence(%s, %s), %s)"
            conn.exec_driver_sql(sequence, (table.name, column.name, last))


# --- the other database -------------------------------------------------------------------------------


def _holds_something(engine: Any) -> bool:
    with engine.connect() as conn:
        return bool(inspect(conn).get_table_names())


def _compare_again(source: sqlite3.Connection, engine: Any, to: str) -> dict[str, Sum]:
    """A try that ended between the two commits left all of it there; anything else is somebody's."""
    sums = {table.name: _sum(_of_file(source, table)) for table in TABLES}
    with begin_read(engine) as conn:
        names = set(inspect(conn).get_table_names())
        if not {table.name for table in TABLES} <= names:
            raise MovingError("not_empty", to=to)
        try:
            _compare(sums, conn)
        except MovingError as error:
            raise MovingError("not_empty", to=to) from error
    return sums
