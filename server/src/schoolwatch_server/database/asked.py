"""Statements that each panel asks: SQLite gets them as the text that they were made into once.

SQLAlchemy's own way takes 60 µs a statement, ten times as long as SQLite for a row that it finds by an index.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from sqlalchemy import Connection, Select

_FEW: Final = 32
"""Values in a list; for more of them, what SQLAlchemy takes is little beside what they cost."""


class Asked:
    """A statement of columns that SQLite gives as they are: numbers and texts.

    The one list that it may have is called `ids` (`bindparam(…, expanding=True)`).
    """

    def __init__(self, query: Select[Any]) -> None:
        self._query = query
        self._made: dict[int, _Made] = {}

    def all(self, conn: Connection, given: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """The rows; parameters by their names. Raises SQLAlchemy's errors."""
        ids: Sequence[Any] = given.get("ids", ())
        if conn.dialect.name != "sqlite" or len(ids) > _FEW:
            return conn.execute(self._query, given).all()
        made = self._made.get(len(ids))
        if made is None:
            made = self._made[len(ids)] = _Made(conn, self._query, given)
        try:
            db = cast("sqlite3.Connection", conn.connection.dbapi_connection)
            return db.execute(made.text, made.parameters(given)).fetchall()
        except sqlite3.Error:
            return conn.execute(self._query, given).all()  # it says why not in the words that callers know


class _Made:
    """A statement's text for so many ids, and what stands at each of its question marks."""

    def __init__(self, conn: Connection, query: Select[Any], given: Mapping[str, Any]) -> None:
        made = query.compile(dialect=conn.dialect).construct_expanded_state(given)
        self.text = made.statement
        self._order: Sequence[str] = made.positiontup or ()
        self._ids = tuple(name for name in made.parameters if name.startswith("ids_"))
        self._own = {name: value for name, value in made.parameters.items() if name not in given}

    def parameters(self, given: Mapping[str, Any]) -> list[Any]:
        """All of them in their order."""
        values = {**self._own, **given, **dict(zip(self._ids, given.get("ids", ()), strict=True))}
        return [values[name] for name in self._order]
