"""Statements that every graph asks, written out once for each kind of database and run by its driver itself.

SQLAlchemy takes 80 to 100 µs of a processor to run a statement that was built before, and SQLite 5 to 20 to
answer most of what a graph asks. The connection is the transaction's own.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Select,
    Text,
    any_,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.selectable import TableValuedAlias


class Asked:
    """A SELECT, or what makes it of a dialect's name, of columns that drivers give as they are.

    These are numbers, texts and bytes.
    """

    def __init__(self, query: Select[Any] | Callable[[str], Select[Any]]) -> None:
        self._query = query
        self._written: dict[str, _Written] = {}

    def all(self, conn: Connection, given: Mapping[str, Any]) -> list[Any]:
        """The rows, as tuples; parameters by their names. Raises SQLAlchemy's errors."""
        dialect = conn.dialect
        written = self._written.get(dialect.name)
        if written is None:
            written = self._written[dialect.name] = _written(self.query(dialect.name), dialect)
        return written.rows(conn, given)

    def query(self, dialect: str) -> Select[Any]:
        """As SQLAlchemy has it."""
        return self._query if isinstance(self._query, Select) else self._query(dialect)


@dataclass(frozen=True, slots=True)
class _Written:
    statement: Select[Any]
    text: str
    own: dict[str, Any]
    order: Sequence[str] | None
    """Of the parameters, where they go by their place."""

    def rows(self, conn: Connection, given: Mapping[str, Any]) -> list[Any]:
        said = {**self.own, **given}
        driver: Any = conn.connection.dbapi_connection
        try:
            got = driver.execute(self.text, said if self.order is None else [said[key] for key in self.order])
            return list(got.fetchall())
        except conn.dialect.loaded_dbapi.Error:
            # SQLAlchemy finds it too and says it as everywhere; a connection that broke it lets go
            return [tuple(row) for row in conn.execute(self.statement, said)]


def _written(statement: Select[Any], dialect: Dialect) -> _Written:
    made = statement.compile(dialect=dialect)
    order: Sequence[str] | None = made.positiontup
    return _Written(statement, str(made), dict(made.params), order)


# --- many ids as one parameter ------------------------------------------------------------------------


def listed(dialect: str, wanted: Sequence[int]) -> object:
    """The parameter `ids` of `among` and `each`."""
    return list(wanted) if dialect == "postgresql" else json.dumps(wanted)


def among(dialect: str, column: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a column is one of the `ids`."""
    if dialect == "postgresql":
        return column == any_(bindparam("ids", type_=ARRAY(BigInteger)))
    return column.in_(select(each(dialect).c.value))


def each(dialect: str) -> TableValuedAlias:
    """The `ids` as a table of one column, `value`."""
    if dialect == "postgresql":
        given = func.unnest(bindparam("ids", type_=ARRAY(BigInteger)))
        return given.table_valued("value", name="one").render_derived()
    return func.json_each(bindparam("ids", type_=Text)).table_valued("value", name="one")
