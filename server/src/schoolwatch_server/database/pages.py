"""Lists of devices, rooms, declared numbers and counts of a place: each keeps to the asker's scope."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, case, func, not_, select

from schoolwatch_server.alphabet import order
from schoolwatch_server.database import activation
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.registry import has_code, within
from schoolwatch_server.scope import Scope


@dataclass(frozen=True, slots=True)
class RoomRow:
    """A room with the numbers of devices in it, and that the school says are in it (None: it said none)."""

    id: int
    name: str
    role: str
    devices: int
    declared: int | None


@dataclass(frozen=True, slots=True)
class NamedRow:
    """A school by what people call it."""

    code: str
    name: str
    commune: str


@dataclass(frozen=True, slots=True)
class CalledRow:
    """A school's place in the tree by ids, with what people call it."""

    code: str
    name: str
    commune_id: int
    commune: str
    province_id: int


@dataclass(frozen=True, slots=True)
class TallyRow:
    """How many devices a school has, how many were heard lately, its open incidents, what is activated."""

    school_id: int
    commune_id: int
    province_id: int
    devices: int
    heard: int
    incidents: int
    activated: activation.Numbers


@dataclass(frozen=True, slots=True)
class DeclarationRow:
    """A declared number, when and by whom."""

    quantity: str
    value: float
    declared_at: float
    declared_by: str


def devices_after(
    conn: Connection, scope: Scope, *, after: int, limit: int, school_id: int | None
) -> tuple[tuple[int, str], ...]:
    """Internal and opaque ids of devices in use, in the order of the first: one page."""
    query = (
        select(t.device.c.id, t.device.c.device)
        .join(
            t.membership, and_(t.membership.c.device_id == t.device.c.id, t.membership.c.valid_to.is_(None))
        )
        .join(t.school, t.school.c.id == t.membership.c.school_id)
        .where(within(scope), t.device.c.id > after)
        .order_by(t.device.c.id)
        .limit(limit)
    )
    if school_id is not None:
        query = query.where(t.school.c.id == school_id)
    return tuple((row.id, row.device) for row in conn.execute(query))


def called(conn: Connection, scope: Scope) -> dict[int, CalledRow]:
    """Where the schools are that a scope sees, and what they are called."""
    s, c = t.school.c, t.school_code.c
    query = (
        select(s.id, c.code, s.name, t.commune.c.id, t.commune.c.name, t.commune.c.province_id)
        .join_from(t.school, t.commune)
        .join(t.school_code, and_(c.school_id == s.id, c.valid_to.is_(None)))
        .where(within(scope))
    )
    return {id_: CalledRow(*row) for id_, *row in map(tuple, conn.execute(query))}


def elsewhere_until(conn: Connection, device_id: int, scope: Scope) -> float:
    """Until when (UTC seconds) a device was in a school that the scope does not see; 0 when it never was."""
    if scope.level == "all":
        return 0.0
    m = t.membership.c
    query = (
        select(func.max(m.valid_to))
        .join(t.school, t.school.c.id == m.school_id)
        .where(m.device_id == device_id, m.valid_to.is_not(None), not_(within(scope)))
    )
    return float(conn.scalar(query) or 0.0)


def rooms(conn: Connection, school_id: int) -> tuple[RoomRow, ...]:
    """A school's rooms by name."""
    here = and_(t.membership.c.room_id == t.room.c.id, t.membership.c.valid_to.is_(None))
    query = (
        select(t.room.c.id, t.room.c.name, t.room.c.role, func.count(t.membership.c.id), t.room.c.declared)
        .outerjoin(t.membership, here)
        .where(t.room.c.school_id == school_id)
        .group_by(t.room.c.id, t.room.c.name, t.room.c.role, t.room.c.declared)
    )
    found = (RoomRow(*row) for row in conn.execute(query))
    return tuple(sorted(found, key=lambda room: order(room.name)))


def named(conn: Connection, scope: Scope) -> tuple[NamedRow, ...]:
    """Present code, name and commune of every school that the scope sees, in no order."""
    s, c = t.school.c, t.school_code.c
    present = and_(c.school_id == s.id, c.valid_to.is_(None))
    query = (
        select(c.code, s.name, t.commune.c.name)
        .select_from(t.school.join(t.commune).join(t.school_code, present))
        .where(within(scope))
    )
    return tuple(NamedRow(*row) for row in conn.execute(query))


def declarations(conn: Connection, school_id: int) -> tuple[DeclarationRow, ...]:
    """The newest declaration of each quantity; a negative value is of a number that no longer holds."""
    d = t.declaration.c
    query = (
        select(d.quantity, d.value, d.declared_at, d.declared_by)
        .where(d.school_id == school_id)
        .order_by(d.declared_at, d.id)
    )
    return tuple({row.quantity: DeclarationRow(*row) for row in conn.execute(query)}.values())


def tallies(
    conn: Connection, scope: Scope, *, heard_after: float, working_after: float
) -> tuple[TallyRow, ...]:
    """Devices and open incidents of every school that the scope sees, in one look at each device.

    Heard is who was heard after the first instant, activated counts of those heard after the second.
    """
    m, heard = t.membership, t.state.c.heard_at > heard_after
    products = activation.columns(working_after)
    counted = (
        select(
            m.c.school_id,
            func.count(m.c.device_id).label("devices"),
            func.sum(case((heard, 1), else_=0)).label("heard"),
            *products,
        )
        .join(t.school, t.school.c.id == m.c.school_id)
        .outerjoin(t.state, t.state.c.device_id == m.c.device_id)
        .where(m.c.valid_to.is_(None), within(scope))
        .group_by(m.c.school_id)
        .subquery()
    )
    opened = (
        select(t.incident.c.school_id, func.count(t.incident.c.id).label("incidents"))
        .where(t.incident.c.closed_at.is_(None), t.incident.c.is_exercise.is_(False))
        .group_by(t.incident.c.school_id)
        .subquery()
    )
    query = (
        select(
            t.school.c.id,
            t.school.c.commune_id,
            t.commune.c.province_id,
            func.coalesce(counted.c.devices, 0),
            func.coalesce(counted.c.heard, 0),
            func.coalesce(opened.c.incidents, 0),
            *(func.coalesce(counted.c[product.name], 0) for product in products),
        )
        .join(t.commune, t.commune.c.id == t.school.c.commune_id)
        .outerjoin(counted, counted.c.school_id == t.school.c.id)
        .outerjoin(opened, opened.c.school_id == t.school.c.id)
        .where(within(scope), has_code())
    )
    return tuple(
        TallyRow(school, commune, province, devices, heard, incidents, tuple(activated))
        for school, commune, province, devices, heard, incidents, *activated in map(
            tuple, conn.execute(query)
        )
    )
