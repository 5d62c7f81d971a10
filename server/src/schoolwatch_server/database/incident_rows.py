"""Incidents as pages and the API show them: each query keeps to the asker's scope."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, true

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.in_parts import in_parts
from schoolwatch_server.database.registry import within
from schoolwatch_server.incident_states import State, state_of
from schoolwatch_server.scope import Scope


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident with where it is and how far it has come; times are UTC seconds, `closed_at` None is open.

    `place` is the name of the commune or province that it is about, None where it is about less; `commune` is
    the one it is in. `room` is where its device was when it opened.
    `raised_event` is the number of the event by which it opened, opened again or became worse last.
    """

    id: int
    rule: str
    rule_version: int
    severity: str
    device: str | None
    label: str | None
    school_code: str | None
    school: str | None
    place: str | None
    since: float
    opened_at: float
    closed_at: float | None
    late: bool
    evidence: Any
    commune_code: str | None
    commune: str | None
    acknowledged_at: float | None
    acknowledged_by: str
    assignee: str
    verdict: str
    verdict_by: str
    reopened_at: float | None
    is_exercise: bool
    raised_event: int
    room: str | None

    @property
    def state(self) -> State:
        """How far it has come."""
        return state_of(self.closed_at, self.acknowledged_at, self.verdict)


@dataclass(frozen=True, slots=True)
class EventRow:
    """What happened to an incident."""

    at: float
    kind: str
    detail: Any


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
    """Incidents, the newest first: one page. Those of the server are seen only with the scope "all"."""
    query = incident_select().where(seen(scope)).order_by(t.incident.c.id.desc()).limit(limit)
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


def open_at(
    conn: Connection, scope: Scope, place: Scope, rules: Collection[str], before: float, limit: int
) -> tuple[IncidentRow, ...]:
    """Open incidents of these rules at a place and below it that began before an instant; no exercises."""
    i = t.incident.c
    query = incident_select().where(
        seen(scope), seen(place), i.closed_at.is_(None), i.is_exercise.is_(False), i.rule.in_(list(rules)),
        i.since < before,
    )  # fmt: skip
    return tuple(IncidentRow(*row) for row in conn.execute(query.order_by(i.id.desc()).limit(limit)))


def those(conn: Connection, ids: Collection[int], scope: Scope) -> tuple[IncidentRow, ...]:
    """Those of these incidents, no more than a page has, that the scope sees; the newest first."""
    i = t.incident.c
    query = incident_select().where(seen(scope), i.id.in_(ids)).order_by(i.id.desc())
    return tuple(IncidentRow(*row) for row in conn.execute(query))


def incident(conn: Connection, incident_id: int, scope: Scope) -> IncidentRow | None:
    """One incident that the scope sees."""
    row = conn.execute(incident_select().where(seen(scope), t.incident.c.id == incident_id)).first()
    return None if row is None else IncidentRow(*row)


def events(conn: Connection, incident_id: int) -> tuple[EventRow, ...]:
    """What happened to an incident, in order; ask `incident` first whether it may be seen."""
    e = t.incident_event.c
    query = select(e.at, e.kind, e.detail).where(e.incident_id == incident_id).order_by(e.id)
    return tuple(EventRow(*row) for row in conn.execute(query))


def called(conn: Connection, device_ids: Collection[int]) -> dict[int, str]:
    """What devices that saw something are called, with their room; one that was deleted is not there."""
    d, m, found = t.device.c, t.membership.c, dict[int, str]()
    query = (
        select(d.id, d.device, d.label, t.room.c.name)
        .select_from(t.device)
        .outerjoin(t.membership, (m.device_id == d.id) & m.valid_to.is_(None))
        .outerjoin(t.room, t.room.c.id == m.room_id)
    )
    for part in in_parts(device_ids):
        for id_, device, label, room in conn.execute(query.where(d.id.in_(part))):
            found[id_] = ", ".join(one for one in (label or device[:8], room) if one)
    return found


def incident_select() -> Select[Any]:
    """The columns of `IncidentRow`, of every incident: add `seen`."""
    i, home = t.incident.c, t.commune.alias()
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
            func.coalesce(t.commune.c.name, t.province.c.name),
            i.since,
            i.opened_at,
            i.closed_at,
            i.late,
            i.evidence,
            home.c.code,
            home.c.name,
            i.acknowledged_at,
            i.acknowledged_by,
            i.assignee,
            i.verdict,
            i.verdict_by,
            i.reopened_at,
            i.is_exercise,
            i.raised_event,
            t.room.c.name,
        )
        .select_from(t.incident)
        .outerjoin(t.device, t.device.c.id == i.device_id)
        .outerjoin(t.room, t.room.c.id == i.room_id)
        .outerjoin(t.school, t.school.c.id == i.school_id)
        .outerjoin(t.commune, t.commune.c.id == i.commune_id)
        .outerjoin(home, home.c.id == func.coalesce(t.school.c.commune_id, i.commune_id))
        .outerjoin(t.province, t.province.c.id == i.province_id)
    )


def seen(scope: Scope) -> ColumnElement[bool]:
    """The condition that a scope sees an incident: its school, or the place that it is about."""
    if scope.level == "all":
        return true()
    i = t.incident.c
    found = and_(i.school_id.is_not(None), within(scope))
    if scope.level == "province":
        communes = select(t.commune.c.id).where(t.commune.c.province_id == scope.id)
        found = or_(found, i.province_id == scope.id, i.commune_id.in_(communes))
    elif scope.level == "commune":
        found = or_(found, i.commune_id == scope.id)
    return found
