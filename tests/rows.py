"""Rows of any table of the database, for tests of what holds for all of them."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Double, Integer, LargeBinary, Table, insert
from sqlalchemy.types import JSON

from reports import NOW

Key = tuple[Any, ...]


@dataclass
class Rows:
    """Makes rows of any table with whatever they must point to; what is not said is filled in."""

    conn: Connection
    _parents: dict[str, Key] = field(default_factory=dict)
    _number: "itertools.count[int]" = field(default_factory=lambda: itertools.count(100))

    def make(self, table: Table, **values: Any) -> Key:
        for column in table.columns:
            if column.name not in values and not column.nullable and column.server_default is None:
                if column.foreign_keys:
                    values[column.name] = self.parent(next(iter(column.foreign_keys)).column.table)[0]
                elif column.name != "id" or not column.primary_key or table.name == "audit_head":
                    values[column.name] = self._filled(column)
        made = self.conn.execute(insert(table).values(values)).inserted_primary_key
        assert made is not None
        return tuple(made)

    def parent(self, table: Table) -> Key:
        """A row of today, the same for all."""
        if table.name not in self._parents:
            self._parents[table.name] = self.make(table)
        return self._parents[table.name]

    def _filled(self, column: Column[Any]) -> Any:
        number = next(self._number)
        if isinstance(column.type, Boolean):
            return False
        if isinstance(column.type, Double):
            return NOW
        if isinstance(column.type, Integer):
            return number
        if isinstance(column.type, LargeBinary):
            return b"%d" % number
        return {} if isinstance(column.type, JSON) else f"{number}"
