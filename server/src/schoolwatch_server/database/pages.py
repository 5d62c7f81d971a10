"""What the API and the console read besides the registry: each query keeps to the asker's scope."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, select, true

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.registry import within
from schoolwatch_server.scope import Scope


@dataclass(frozen=True, slots=True)
class RoomRow:
    """A room with the number of devices in it."""

    id: int
    name: str
    role: str
    devices: int


@dataclass(frozen=True, slots=True)
class TallyRow:
    """How many devices a school has, how many were heard since an instant, and its open incidents."""

    school_id: int
    commune_id: int
    province_id: int
    devices: int
    heard: int
    incidents: int


@dataclass(frozen=True, slots=True)
class FactRow:
    """One value of a fact and for how long it held; `valid_to` None is now."""

    id: int
    device: str
    name: str
    labels: str
    value: str | None
    reason: str
    valid_from: float
    valid_to: float | None


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident with where it is; times are UTC seconds, `closed_at` None is open."""

    id: int
    rule: str
    rule_version: int
    severity: str
    device: str | None
    label: str | None
    school_code: str | None
    school: str | None
    since: float
    opened_at: float
    closed_at: float | None
    late: bool
    evidence: Any


@dataclass(frozen=True, slots=True)
class EventRow:
    """What happened to an incident."""

    at: float
    kind: str
    detail: Any


@dataclass(frozen=True, slots=True)
class CursorRow:
    """Who reads the journal, how many rows it still has to read, and when it last moved."""

    name: str
    behind: int
    moved_at: float


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


def rooms(conn: Connection, school_id: int) -> tuple[RoomRow, ...]:
    """A school's rooms by name."""
    here = and_(t.membership.c.room_id == t.room.c.id, t.membership.c.valid_to.is_(None))
    query = (
        select(t.room.c.id, t.room.c.name, t.room.c.role, func.count(t.membership.c.id))
        .outerjoin(t.membership, here)
        .where(t.room.c.school_id == school_id)
        .group_by(t.room.c.id, t.room.c.name, t.room.c.role)
        .order_by(t.room.c.name)
    )
    return tuple(RoomRow(*row) for row in conn.execute(query))


def declarations(conn: Connection, school_id: int) -> tuple[DeclarationRow, ...]:
    """The newest declaration of each quantity."""
    d = t.declaration.c
    query = (
        select(d.quantity, d.value, d.declared_at, d.declared_by)
        .where(d.school_id == school_id)
        .order_by(d.declared_at, d.id)
    )
    return tuple({row.quantity: DeclarationRow(*row) for row in conn.execute(query)}.values())


def tallies(conn: Connection, scope: Scope, *, heard_after: float) -> tuple[TallyRow, ...]:
    """Devices and open incidents of every school that the scope sees."""
    m, heard = t.membership, t.state.c.heard_at > heard_after
    counted = (
        select(
            m.c.school_id,
            func.count(m.c.device_id).label("devices"),
            func.sum(case((heard, 1), else_=0)).label("heard"),
        )
        .outerjoin(t.state, t.state.c.device_id == m.c.device_id)
        .where(m.c.valid_to.is_(None))
        .group_by(m.c.school_id)
        .subquery()
    )
    opened = (
        select(t.incident.c.school_id, func.count(t.incident.c.id).label("incidents"))
        .where(t.incident.c.closed_at.is_(None))
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
        )
        .join(t.commune, t.commune.c.id == t.school.c.commune_id)
        .outerjoin(counted, counted.c.school_id == t.school.c.id)
        .outerjoin(opened, opened.c.school_id == t.school.c.id)
        .where(within(scope))
    )
    return tuple(TallyRow(*row) for row in conn.execute(query))


def facts(
    conn: Connection,
    scope: Scope,
    *,
    device: str | None,
    name: str | None,
    history: bool,
    after: int,
    limit: int,
) -> tuple[FactRow, ...]:
    """Facts of the devices that the scope sees now, in the order they were first seen: one page."""
    f = t.fact_history.c
    query = (
        select(f.id, t.device.c.device, f.name, f.labels, f.value, f.reason, f.valid_from, f.valid_to)
        .join(t.device, t.device.c.id == f.device_id)
        .join(
            t.membership, and_(t.membership.c.device_id == t.device.c.id, t.membership.c.valid_to.is_(None))
        )
        .join(t.school, t.school.c.id == t.membership.c.school_id)
        .where(within(scope), f.id > after)
        .order_by(f.id)
        .limit(limit)
    )
    if device is not None:
        query = query.where(t.device.c.device == device)
    if name is not None:
        query = query.where(f.name == name)
    if not history:
        query = query.where(f.valid_to.is_(None))
    return tuple(FactRow(*row) for row in conn.execute(query))


def incidents(
    conn: Connection,
    scope: Scope,
    *,
    before: int | None = None,
    limit: int = 50,
    is_open: bool | None = None,
    school_id: int | None = None,
    device: str | None = None,
) -> tuple[IncidentRow, ...]:
    """Incidents, the newest first: one page. Those of no school are seen only with the scope "all"."""
    query = _incidents().where(_seen(scope)).order_by(t.incident.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(t.incident.c.id < before)
    if is_open is not None:
        closed = t.incident.c.closed_at
        query = query.where(closed.is_(None) if is_open else closed.is_not(None))
    if school_id is not None:
        query = query.where(t.incident.c.school_id == school_id)
    if device is not None:
        query = query.where(t.device.c.device == device)
    return tuple(IncidentRow(*row) for row in conn.execute(query))


def incident(conn: Connection, incident_id: int, scope: Scope) -> IncidentRow | None:
    """One incident that the scope sees."""
    row = conn.execute(_incidents().where(_seen(scope), t.incident.c.id == incident_id)).first()
    return None if row is None else IncidentRow(*row)


def events(conn: Connection, incident_id: int) -> tuple[EventRow, ...]:
    """What happened to an incident, in order; ask `incident` first whether it may be seen."""
    e = t.incident_event.c
    query = select(e.at, e.kind, e.detail).where(e.incident_id == incident_id).order_by(e.id)
    return tuple(EventRow(*row) for row in conn.execute(query))


def cursors(conn: Connection) -> tuple[CursorRow, ...]:
    """How far each reader of the journal is."""
    newest = int(conn.execute(select(func.coalesce(func.max(t.journal.c.id), 0))).scalar_one())
    query = select(t.cursor.c.name, t.cursor.c.position, t.cursor.c.moved_at).order_by(t.cursor.c.name)
    return tuple(
        CursorRow(row.name, max(0, newest - row.position), row.moved_at) for row in conn.execute(query)
    )


def quarantined(conn: Connection) -> dict[str, int]:
    """Frames in quarantine by reason, without those replayed."""
    q = t.quarantine.c
    query = select(q.reason, func.count()).where(q.replayed_at.is_(None)).group_by(q.reason)
    return {reason: int(count) for reason, count in conn.execute(query.order_by(q.reason))}


def counters(conn: Connection) -> tuple[tuple[str, str, int], ...]:
    """Name, label and value of every counter that intake keeps."""
    c = t.counter.c
    query = select(c.name, c.label, c.value).order_by(c.name, c.label)
    return tuple((row.name, row.label, int(row.value)) for row in conn.execute(query))


def devices_in_use(conn: Connection) -> int:
    """All devices that are not retired."""
    query = select(func.count()).select_from(t.device).where(t.device.c.retired_at.is_(None))
    return int(conn.execute(query).scalar_one())


def answers(conn: Connection) -> bool:
    """Whether the database answers and has our tables."""
    return conn.execute(select(func.count()).select_from(t.meta)).scalar_one() is not None


def _incidents() -> Select[Any]:
    i = t.incident.c
    code = (
        select(t.school_code.c.code)
        .where(t.school_code.c.school_id == i.school_id, t.school_code.c.valid_to.is_(None))
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(
            i.id,
            i.rule,
            i.rule_version,
            i.severity,
            t.device.c.device,
            t.device.c.label,
            code,
            t.school.c.name,
            i.since,
            i.opened_at,
            i.closed_at,
            i.late,
            i.evidence,
        )
        .select_from(t.incident)
        .outerjoin(t.device, t.device.c.id == i.device_id)
        .outerjoin(t.school, t.school.c.id == i.school_id)
    )


def _seen(scope: Scope) -> ColumnElement[bool]:
    if scope.level == "all":
        return true()
    return and_(t.incident.c.school_id.is_not(None), within(scope))
