"""Incidents that an Alertmanager is told of: those that are open, and those that ended lately."""

from sqlalchemy import Connection, func, or_, select

from schoolwatch_server.alertmanager import Told
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.incident_rows import IncidentRow, incident_select, seen
from schoolwatch_server.scope import Scope

MOST = 10_000
"""Incidents that are told of; of more, the newest that are open."""


def newest_event(conn: Connection) -> int:
    """The number of the last thing that happened to any incident: nothing is new while it stays."""
    return int(conn.scalar(select(func.max(t.incident_event.c.id))) or 0)


def told(conn: Connection, scope: Scope, closed_after: float) -> tuple[Told, ...]:
    """Those that the scope sees now, with the codes that their places have now; what is open first."""
    i = t.incident.c
    here = or_(i.closed_at.is_(None), i.closed_at > closed_after)
    above = select(t.commune.c.code, t.province.c.code).join_from(t.commune, t.province)
    of_commune = dict(map(tuple, conn.execute(above)))
    whole = select(i.id, t.province.c.code).join(t.province, t.province.c.id == i.province_id).where(here)
    of_incident = dict(map(tuple, conn.execute(whole)))
    query = (
        incident_select().where(seen(scope), here).order_by(i.closed_at.is_not(None), i.id.desc()).limit(MOST)
    )
    rows = [IncidentRow(*row) for row in conn.execute(query)]
    return tuple(
        _told(row, of_incident.get(row.id) or of_commune.get(row.commune_code or "", "")) for row in rows
    )


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
