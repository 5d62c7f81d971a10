"""Writes rows whether they are there or not, on SQLite and PostgreSQL alike."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, Connection, Insert, Table, Update, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from schoolwatch_server.database import arrays


def upsert(
    conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], add: Iterable[str] = ()
) -> None:
    """Inserts rows; where the primary key is taken, replaces the other columns, or adds to those in `add`."""
    if rows:
        key = tuple(column.name for column in table.primary_key)
        _write(conn, table, rows, key, (frozenset(rows[0]) - {*key}, frozenset(add)))


def insert_new(
    conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], key: tuple[str, ...]
) -> None:
    """Inserts the rows whose `key` (a unique one) isn't there yet, and leaves the others as they are."""
    if rows:
        _write(conn, table, rows, key, _NOTHING)


def change(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Changes the other columns of rows that are there, found by the first, which is unique."""
    if not rows:
        return
    columns = tuple(rows[0])
    if conn.dialect.name == "postgresql" and arrays.fit(table, rows):
        conn.execute(_change_many(table, columns), arrays.values(table, rows))
    else:
        conn.execute(_change(table, columns), [{f"new_{name}": row[name] for name in row} for row in rows])


_Changes = tuple[frozenset[str], frozenset[str]]
_NOTHING: _Changes = frozenset(), frozenset()


def _write(
    conn: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    key: tuple[str, ...],
    changes: _Changes,
) -> None:
    columns, dialect = tuple(rows[0]), conn.dialect.name
    many = dialect == "postgresql" and arrays.fit(table, rows)
    # one statement can't change a row twice
    many = many and len({tuple(row[name] for name in key) for row in rows}) == len(rows)
    statement = _statement(dialect, table, columns, key, changes, many=many)
    conn.execute(statement, arrays.values(table, rows) if many else rows)


@lru_cache(maxsize=256)
def _statement(
    dialect: str,
    table: Table,
    columns: tuple[str, ...],
    key: tuple[str, ...],
    changes: _Changes,
    *,
    many: bool,
) -> Insert:
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    changed, added = changes
    new = {
        name: table.c[name] + insert.excluded[name] if name in added else insert.excluded[name]
        for name in columns
        if name in changed
    }
    if many:
        rows = arrays.rows_of(table, columns)
        insert = insert.from_select(columns, select(*(rows.c[name] for name in columns)))
    if not new:
        return insert.on_conflict_do_nothing(index_elements=key)
    return insert.on_conflict_do_update(index_elements=key, set_=new)


@lru_cache(maxsize=64)
def _change(table: Table, columns: tuple[str, ...]) -> Update:
    key, *others = columns
    values: dict[str, BindParameter[Any]] = {name: bindparam(f"new_{name}") for name in others}
    return update(table).where(table.c[key] == bindparam(f"new_{key}")).values(values)


@lru_cache(maxsize=64)
def _change_many(table: Table, columns: tuple[str, ...]) -> Update:
    key, *others = columns
    rows = arrays.rows_of(table, columns)
    return update(table).where(table.c[key] == rows.c[key]).values({name: rows.c[name] for name in others})
