"""Writes rows whether they are there or not, on SQLite and PostgreSQL alike."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(
    conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], add: Iterable[str] = ()
) -> None:
    """Inserts rows; where the primary key is taken, replaces the other columns, or adds to those in `add`."""
    if rows:
        conn.execute(_statement(conn.dialect.name, table, tuple(rows[0]), frozenset(add)), rows)


@lru_cache(maxsize=256)
def _statement(dialect: str, table: Table, columns: tuple[str, ...], add: frozenset[str]) -> Insert:
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    key = [column.name for column in table.primary_key]
    changes = {
        name: table.c[name] + insert.excluded[name] if name in add else insert.excluded[name]
        for name in columns
        if name not in key
    }
    if not changes:
        return insert.on_conflict_do_nothing(index_elements=key)
    return insert.on_conflict_do_update(index_elements=key, set_=changes)


def insert_new(
    conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], key: tuple[str, ...]
) -> None:
    """Inserts the rows whose `key` (a unique one) isn't there yet, and leaves the others as they are."""
    if rows:
        insert = (postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert)(table)
        conn.execute(insert.on_conflict_do_nothing(index_elements=key), rows)
