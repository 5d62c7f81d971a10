"""To whom a province's report forms of incidents go: nobody, until the department has typed somebody in."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from schoolwatch_server.database import tables as t

LEVELS = ("province", "national")
"""The provincial centre, the national one."""


@dataclass(frozen=True, slots=True)
class RecipientRow:
    """An authority: the provincial centre (`province`) or the national one (`national`)."""

    level: str
    name: str
    address: str
    email: str
    changed_at: float
    changed_by: str


def recipients(conn: Connection, province_id: int) -> Mapping[str, RecipientRow]:
    """Where a province's forms go, by level; empty until somebody has typed one in."""
    r = t.incident_recipient.c
    query = select(*(r[name] for name in RecipientRow.__slots__)).where(r.province_id == province_id)
    return {row.level: RecipientRow(*row) for row in conn.execute(query)}


def set_recipient(conn: Connection, province_id: int, row: RecipientRow) -> None:
    """Sets a recipient as a whole; one without a name is taken away."""
    r = t.incident_recipient
    if not row.name:
        conn.execute(r.delete().where(r.c.province_id == province_id, r.c.level == row.level))
        return
    held = select(r.c.id).where(r.c.province_id == province_id, r.c.level == row.level)
    id_ = conn.scalar(held)
    values = {name: getattr(row, name) for name in RecipientRow.__slots__}
    if id_ is None:
        conn.execute(insert(r).values(province_id=province_id, **values))
    else:
        conn.execute(update(r).where(r.c.id == id_).values(**values))
