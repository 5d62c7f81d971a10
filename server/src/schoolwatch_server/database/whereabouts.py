"""Where an incident is, up to its province: for whom to call, and for the head of a report form."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, String, and_, func, literal, or_, select

from schoolwatch_server.access import Role
from schoolwatch_server.database import tables as t
from schoolwatch_server.scope import Level

MOST = 20
"""Providers, and people who answer for a place, that are named."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What an incident is about, and what that is part of; None where it is about more than that.

    `kind` is `device`, `room`, `school`, `commune`, `province` or `server`.
    """

    kind: str
    rule: str
    device: str | None = None
    room: str | None = None
    school_id: int | None = None
    school: str | None = None
    school_code: str | None = None
    commune_id: int | None = None
    commune: str | None = None
    province_id: int | None = None
    province: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A provider of lines: its hotline, the subscriber's code of a single school, and of how many schools."""

    isp: str
    hotline: str
    subscriber: str
    schools: int


def of_incident(conn: Connection, incident_id: int) -> Whereabouts:
    """Of an incident that the caller has from a query with a scope."""
    i, s, c, p = t.incident.c, t.school.c, t.commune.c, t.province.c
    code = (
        select(func.max(t.school_code.c.code))
        .where(t.school_code.c.school_id == i.school_id, t.school_code.c.valid_to.is_(None))
        .scalar_subquery()
    )
    query = (
        select(
            i.subject,
            i.rule,
            t.device.c.device,
            t.room.c.name,
            i.school_id,
            s.name,
            code,
            c.id,
            c.name,
            p.id,
            p.name,
        )
        .select_from(t.incident)
        .outerjoin(t.device, t.device.c.id == i.device_id)
        .outerjoin(t.room, t.room.c.id == i.room_id)
        .outerjoin(t.school, s.id == i.school_id)
        .outerjoin(t.commune, c.id == func.coalesce(i.commune_id, s.commune_id))
        .outerjoin(t.province, p.id == func.coalesce(i.province_id, c.province_id))
        .where(i.id == incident_id)
    )
    subject, *rest = conn.execute(query).one()
    kind = subject.partition(":")[0]
    return Whereabouts("device" if kind.isdigit() else kind, *rest)


def lines_at(conn: Connection, where: Whereabouts, now: float) -> tuple[Line, ...]:
    """The contracts that hold at the school, or by provider those of the schools below."""
    c = t.line_contract.c
    holds = and_(or_(c.starts.is_(None), c.starts <= now), or_(c.ends.is_(None), c.ends > now))
    single = c.subscriber if where.school_id is not None else literal("", String)
    count = func.count(c.school_id.distinct())
    query = select(c.isp, c.hotline, single, count).join_from(t.line_contract, t.school).join(t.commune)
    query = query.where(holds, _below(where)).group_by(
        c.isp, c.hotline, *([c.subscriber] if where.school_id else [])
    )
    return tuple(
        Line(*row) for row in conn.execute(query.order_by(count.desc(), c.isp, c.hotline).limit(MOST))
    )


def _below(where: Whereabouts) -> ColumnElement[bool]:
    if where.school_id is not None:
        return t.school.c.id == where.school_id
    if where.commune_id is not None:
        return t.commune.c.id == where.commune_id
    return t.commune.c.province_id == where.province_id


def answer_for(conn: Connection, where: Whereabouts) -> tuple[str, ...]:
    """The accounts that answer for a commune, a province or the server; their names alone are known here."""
    role, level, id_ = _responsible(where)
    a = t.account.c
    query = select(a.name).where(
        a.role == role, a.scope_level == level, a.scope_id.is_(None) if id_ is None else a.scope_id == id_
    )
    return tuple(conn.scalars(query.where(a.disabled_at.is_(None)).order_by(a.name).limit(MOST)))


def _responsible(where: Whereabouts) -> tuple[Role, Level, int | None]:
    if where.commune_id is not None:
        return "commune", "commune", where.commune_id
    if where.province_id is not None:
        return "so_admin", "province", where.province_id
    return "so_admin", "all", None


def devices(conn: Connection, incident_id: int) -> tuple[tuple[str, str | None], ...]:
    """Computers that an incident is about, with their rooms: the one, or those of its room or school then.

    None of an incident of a commune, a province or the server. The caller has it from a query with a scope.
    """
    i, m, d = t.incident.c, t.membership.c, t.device.c
    row = conn.execute(
        select(i.device_id, i.room_id, i.school_id, i.opened_at).where(i.id == incident_id)
    ).one()
    query = select(d.device, t.room.c.name).select_from(
        t.device.join(t.membership, m.device_id == d.id).outerjoin(t.room, t.room.c.id == m.room_id)
    )
    then = and_(m.valid_from <= row.opened_at, or_(m.valid_to.is_(None), m.valid_to > row.opened_at))
    here = m.room_id == row.room_id if row.room_id is not None else m.school_id == row.school_id
    if row.device_id is not None or row.school_id is None:
        return ()
    found = conn.execute(query.where(then, here).order_by(t.room.c.name, d.device))
    return tuple((device, room) for device, room in found)
