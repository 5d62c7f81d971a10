"""Deadlines of reports that provinces set themselves; where none did, the shipped calendar holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, insert, select, update

from schoolwatch_server.database import tables as t


@dataclass(frozen=True, slots=True)
class DeadlineRow:
    """What a province set itself."""

    kind: str
    level: str
    before: str
    document: str
    clause: str
    changed_at: float
    changed_by: str


def deadlines(conn: Connection, province_id: int) -> tuple[DeadlineRow, ...]:
    """A province's own ones."""
    d = t.report_deadline.c
    query = select(d.kind, d.level, d.before, d.document, d.clause, d.changed_at, d.changed_by)
    return tuple(DeadlineRow(*row) for row in conn.execute(query.where(d.province_id == province_id)))


def set_deadline(
    conn: Connection, province_id: int, kind: str, level: str, values: Mapping[str, Any] | None
) -> None:
    """Sets a province's own deadline, or (None) takes it away so that the shipped one holds again."""
    d = t.report_deadline
    mine = and_(d.c.province_id == province_id, d.c.kind == kind, d.c.level == level)
    if values is None:
        conn.execute(d.delete().where(mine))
    elif not conn.execute(update(d).where(mine).values(**values)).rowcount:
        conn.execute(insert(d).values(province_id=province_id, kind=kind, level=level, **values))
