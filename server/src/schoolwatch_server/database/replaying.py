"""Which computers a rule is replayed over, and what it really did there."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, func, or_, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.registry import within
from schoolwatch_server.scope import Scope

_MANY = 400


@dataclass(frozen=True, slots=True)
class Computer:
    """A computer and the school where it is now."""

    id: int
    device: str
    label: str
    room: str | None
    school_code: str
    school: str


def schools(conn: Connection, scope: Scope, place: str = "") -> tuple[tuple[int, str], ...]:
    """Id and code of the schools that the scope sees; of `place`, a school's or a commune's code, alone."""
    code, s = t.school_code.c, t.school.c
    query = (
        select(s.id, code.code)
        .join(t.school_code, (code.school_id == s.id) & code.valid_to.is_(None))
        .join(t.commune, t.commune.c.id == s.commune_id)
        .where(within(scope))
        .order_by(s.id)
    )
    if place:
        query = query.where(or_(code.code == place, t.commune.c.code == place))
    return tuple((row.id, row.code) for row in conn.execute(query))


def computers(conn: Connection, school_ids: Collection[int], most: int) -> tuple[Computer, ...]:
    """The computers of these schools, school by school in this order; at most so many."""
    m, d = t.membership.c, t.device.c
    found: list[Computer] = []
    for school_id in school_ids:
        code = select(t.school_code.c.code).where(
            t.school_code.c.school_id == school_id, t.school_code.c.valid_to.is_(None)
        )
        query = (
            select(d.id, d.device, d.label, t.room.c.name, code.limit(1).scalar_subquery(), t.school.c.name)
            .join(t.membership, (m.device_id == d.id) & m.valid_to.is_(None))
            .join(t.school, t.school.c.id == m.school_id)
            .outerjoin(t.room, t.room.c.id == m.room_id)
            .where(m.school_id == school_id)
            .order_by(d.id)
            .limit(most - len(found))
        )
        found += [Computer(*row) for row in conn.execute(query)]
        if len(found) >= most:
            break
    return tuple(found)


def opened(conn: Connection, rule: str, devices: Collection[int], start: float, end: float) -> int:
    """How many incidents a rule opened on these computers in [start, end)."""
    i, ids = t.incident.c, list(devices)
    total = 0
    for begin in range(0, len(ids), _MANY):
        query = (
            select(func.count())
            .select_from(t.incident)
            .where(
                i.rule == rule,
                ~i.is_exercise,
                i.device_id.in_(ids[begin : begin + _MANY]),
                i.opened_at >= start,
                i.opened_at < end,
            )
        )
        total += conn.scalar(query) or 0
    return total
