"""Which devices were at a school, in which room and from when till when: for lists of the past."""

from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, Double, Integer, and_, bindparam, func, or_, select

from schoolwatch_server.database import reach
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.asked import Asked
from schoolwatch_server.scope import Level, Scope


@dataclass(frozen=True, slots=True)
class Stay:
    """A device in a room, or in none, of a school: from `begun` on and before `ended`, UTC seconds.

    What is still so has no end. The label is what the school calls it; where it has gone to another school,
    which may call it something else, it has none.
    """

    id: int
    device: str
    label: str
    role: str
    room: str
    school_id: int
    school: str
    commune_id: int
    begun: float
    ended: float | None


def stays(
    conn: Connection, scope: Scope, start: float, end: float, school_id: int | None = None
) -> tuple[Stay, ...]:
    """Those that are not all before `start` or a second after `end`, at schools that a scope sees."""
    asked = {"start": start, "end": end + 1, "school": school_id} | reach.place(scope)
    return tuple(
        Stay(id_, device, label if is_at in (None, school) else "", role, room, school, *rest)
        for id_, device, label, role, room, school, *rest, is_at in _stays(
            scope.level, is_of_one=school_id is not None
        ).all(conn, asked)
    )


@cache
def _stays(level: Level, *, is_of_one: bool) -> Asked:
    m, d, r, s = t.membership.c, t.device.c, t.room.c, t.school.c
    now = t.membership.alias()
    joined = (
        t.membership.join(t.device, m.device_id == d.id)
        .join(t.school, m.school_id == s.id)
        .outerjoin(t.room, m.room_id == r.id)
        .outerjoin(now, and_(now.c.device_id == d.id, now.c.valid_to.is_(None)))
    )
    label, role = func.coalesce(d.label, ""), func.coalesce(d.role, r.role, "")
    columns = (
        m.id, d.device, label, role, func.coalesce(r.name, ""), s.id, s.name, s.commune_id,
        m.valid_from, m.valid_to, now.c.school_id,
    )  # fmt: skip
    start, end = bindparam("start", type_=Double), bindparam("end", type_=Double)
    query = (
        select(*columns)
        .select_from(joined)
        .where(reach.inside(level), m.valid_from <= end, or_(m.valid_to.is_(None), m.valid_to > start))
        .order_by(m.id)
    )
    return Asked(query.where(s.id == bindparam("school", type_=Integer)) if is_of_one else query)


def schools_since(conn: Connection, scope: Scope) -> dict[int, float]:
    """Since when each school that a scope sees is known to the server, UTC seconds."""
    query = select(t.school.c.id, t.school.c.created_at).where(reach.within(scope))
    return {school: at for school, at in conn.execute(query).all()}  # noqa: C416 - mypy knows no dict(rows)
