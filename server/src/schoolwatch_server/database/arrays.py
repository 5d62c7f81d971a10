"""Many rows in one statement: on PostgreSQL each column goes there as one array.

A statement for each row costs psycopg and the server some 20 µs each, and a statement with as many
parameters as there are values is read anew by both each time. `unnest` of arrays (PostgreSQL's manual, 9.19)
is one text whatever the number of rows, which is prepared once.
SQLite has no arrays, and needs none: nothing lies between us and it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Double,
    FromClause,
    Table,
    any_,
    bindparam,
    cast,
    func,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.selectable import TableValuedAlias

ORDER = "in_order"
"""The column of `rows_of` that counts its rows."""

Row = Mapping[str, Any]


def rows_of(table: Table, columns: Sequence[str]) -> TableValuedAlias:
    """What can be selected from: the rows that `values` gives as parameters, as columns of a table."""
    return _unnested(table, {name: bindparam(f"new_{name}") for name in columns})


def values(table: Table, rows: Sequence[Row]) -> dict[str, list[Any]]:
    """The parameters of `rows_of`, which all have the columns of the first."""
    return {f"new_{name}": _array(table.c[name], [row[name] for row in rows]) for name in rows[0]}


def fit(table: Table, rows: Sequence[Row]) -> bool:
    """Whether rows can be written so, and it is worth it."""
    return len(rows) > 1 and not any(isinstance(table.c[name].type, JSON) for name in rows[0])


def among(conn: Connection, column: Column[Any], wanted: Collection[Any]) -> ColumnElement[bool]:
    """Whether a column has one of these values."""
    if conn.dialect.name == "postgresql":
        return column == any_(cast(_array(column, list(wanted)), ARRAY(column.type)))
    return column.in_(wanted)


def among_rows(
    conn: Connection, columns: Sequence[Column[Any]], wanted: Collection[tuple[Any, ...]]
) -> ColumnElement[bool]:
    """Whether columns of one table have, together, the values of one of these rows."""
    if conn.dialect.name != "postgresql" or not wanted:
        return tuple_(*columns).in_(sorted(wanted))
    given: dict[str, BindParameter[Any]] = {
        column.name: bindparam(column.name, _array(column, list(found)), unique=True)
        for column, found in zip(columns, zip(*wanted, strict=True), strict=True)
    }
    rows = _unnested(columns[0].table, given)
    return tuple_(*columns).in_(select(*(rows.c[column.name] for column in columns)))


def _unnested(table: FromClause, given: Mapping[str, BindParameter[Any]]) -> TableValuedAlias:
    arrays = [cast(parameter, ARRAY(table.c[name].type)) for name, parameter in given.items()]
    columns = [Column(name, table.c[name].type) for name in given]
    unnested = func.unnest(*arrays).table_valued(*columns, with_ordinality=ORDER)
    return unnested.render_derived(name="new")


def _array(column: Column[Any], found: list[Any]) -> list[Any]:
    """An array is of one type: psycopg takes no whole number among others."""
    if isinstance(column.type, Double):
        return [None if value is None else float(value) for value in found]
    return found
