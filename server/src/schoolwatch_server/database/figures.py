"""What a school's numbers and lists hold at this moment: what its head vouches for."""

from sqlalchemy import Connection, func, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.reach import within
from schoolwatch_server.scope import Scope

FIGURES = (
    "students",
    "devices",
    "student_devices",
    "line_mbps",
    "classes",
    "class_students",
    "rooms",
    "room_computers",
    "contracts",
    "assets",
)
"""In the order in which they are written down."""


def figures(conn: Connection, scope: Scope, school_id: int, now: float) -> dict[str, float]:
    """Figure to number, without those that nobody declared; of classes those of this school year."""
    seen = select(t.school.c.id).where(within(scope), t.school.c.id == school_id)
    d, c, r = t.declaration.c, t.school_class.c, t.room.c
    newest = select(d.quantity, d.value).where(d.school_id.in_(seen)).order_by(d.declared_at, d.id)
    found: dict[str, float] = {row.quantity: row.value for row in conn.execute(newest)}
    classes = select(func.count(), func.sum(c.students)).where(c.school_id.in_(seen), c.year_ends > now)
    found["classes"], of_classes = conn.execute(classes).one()
    rooms = select(func.count(), func.sum(r.declared)).where(r.school_id.in_(seen))
    found["rooms"], in_rooms = conn.execute(rooms).one()
    for name, table in (("contracts", t.line_contract), ("assets", t.asset)):
        counted = select(func.count()).select_from(table).where(table.c.school_id.in_(seen))
        found[name] = conn.execute(counted).scalar_one()
    sums = {"class_students": of_classes, "room_computers": in_rooms}
    found |= {name: float(value) for name, value in sums.items() if value is not None}
    return {name: float(found[name]) for name in FIGURES if found.get(name, -1) >= 0}
