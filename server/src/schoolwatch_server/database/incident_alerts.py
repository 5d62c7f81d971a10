"""Incidents that an Alertmanager is told of: those that are open, and those that ended lately."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, or_, select

from schoolwatch_server.alertmanager import Told
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.in_parts import in_parts
from schoolwatch_server.database.incident_rows import IncidentRow, incident_select, seen
from schoolwatch_server.scope import Scope


def newest_event(conn: Connection) -> int:
    """The number of the last thing that happened to any incident: nothing is new while it stays."""
    return int(conn.scalar(select(func.max(t.incident_event.c.id))) or 0)


def numbers(conn: Connection, scope: Scope, closed_after: float) -> tuple[int, ...]:
    """All that the scope sees now, what is open first, the newest first."""
    i = t.incident.c
    here = or_(i.closed_at.is_(None), i.closed_at > closed_after)
    order = (i.closed_at.is_not(None), i.id.desc())
    query = incident_select().with_only_columns(i.id).where(seen(scope), here).order_by(*order)
    return tuple(conn.scalars(query))


def told(conn: Connection, scope: Scope, of: Sequence[int]) -> tuple[Told, ...]:
    """Of these the ones that the scope sees now, with the codes that their places have now; in order."""
    i = t.incident.c
    above = select(t.commune.c.code, t.province.c.code).join_from(t.commune, t.province)
    of_commune = dict(map(tuple, conn.execute(above)))
    whole = select(i.id, t.province.c.code).join(t.province, t.province.c.id == i.province_id)
    found: dict[int, Told] = {}
    for part in in_parts(of):
        of_incident = dict(map(tuple, conn.execute(whole.where(i.id.in_(part)))))
        for row in conn.execute(incident_select().where(seen(scope), i.id.in_(part))):
            one = IncidentRow(*row)
            province = of_incident.get(one.id) or of_commune.get(one.commune_code or "", "")
            found[one.id] = _told(one, province)
    return tuple(found[number] for number in of if number in found)


def _told(row: IncidentRow, province: str) -> Told:
    device = (row.label or row.device[:8]) if row.device else ""
    parts = (device, row.room, row.school, row.place if row.school is None else row.commune)
    return Told(
        id=row.id,
        rule=row.rule,
        severity=row.severity,
        since=row.since,
        closed_at=row.closed_at,
        is_exercise=row.is_exercise,
        province=province,
        commune=row.commune_code or "",
        school=row.school_code or "",
        where=", ".join(part for part in parts if part),
        evidence=row.evidence,
    )
