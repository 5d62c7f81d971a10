"""Deletes rows together with what exists only because of them, as the tables' own keys say."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, select, tuple_, update

from schoolwatch_server.database.columns import metadata

_MANY = 200
"""Keys in one statement: SQLite takes few parameters in old versions, and keys may have three columns."""


def for_good(conn: Connection) -> None:
    """SQLite overwrites with zeros what this connection deletes; PostgreSQL does so when it vacuums."""
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("PRAGMA secure_delete=ON")


def delete_with_dependents(conn: Connection, table: Table, keys: Sequence[tuple[Any, ...]]) -> int:
    """Deletes these rows (their primary keys); gives how many were there.

    A row that must point to one of them goes too, with its own; one that may point to nothing then does.
    """
    gone = 0
    for start in range(0, len(keys), _MANY):
        gone += _delete(conn, table, keys[start : start + _MANY])
    return gone


def _delete(conn: Connection, table: Table, keys: Sequence[tuple[Any, ...]]) -> int:
    own = tuple_(*table.primary_key)
    for other in metadata.sorted_tables:
        for key in other.foreign_keys:
            if key.column.table is not table:
                continue
            pointed = [row[0] for row in conn.execute(select(key.column).where(own.in_(keys)))]
            if key.parent.nullable:
                conn.execute(update(other).where(key.parent.in_(pointed)).values({key.parent: None}))
                continue
            theirs = conn.execute(select(*other.primary_key).where(key.parent.in_(pointed)))
            delete_with_dependents(conn, other, [tuple(row) for row in theirs])
    return conn.execute(delete(table).where(own.in_(keys))).rowcount
