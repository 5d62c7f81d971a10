"""What a wall screen shows of the incidents that are open: counts, and who has waited for longest."""

from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.incident_rows import IncidentRow, incident_select, seen
from schoolwatch_server.scope import Scope

_SEVEREST = {"critical": 0, "high": 1, "medium": 2}


@dataclass(frozen=True, slots=True)
class Open:
    """Open incidents of one severity that are no exercise, and those of them that nobody acknowledged."""

    severity: str
    open: int
    unacknowledged: int


def by_severity(conn: Connection, scope: Scope) -> tuple[Open, ...]:
    """Those of each severity that has any."""
    i = t.incident.c
    query = (
        select(i.severity, func.count(), func.count(i.acknowledged_at))
        .select_from(t.incident)
        .outerjoin(t.school, t.school.c.id == i.school_id)
        .where(seen(scope), i.closed_at.is_(None), i.is_exercise.is_(False))
        .group_by(i.severity)
    )
    return tuple(Open(severity, total, total - taken) for severity, total, taken in conn.execute(query))


def exercises(conn: Connection, scope: Scope) -> int:
    """Open incidents that are an exercise."""
    i = t.incident.c
    query = (
        select(func.count())
        .select_from(t.incident)
        .outerjoin(t.school, t.school.c.id == i.school_id)
        .where(seen(scope), i.closed_at.is_(None), i.is_exercise.is_(True))
    )
    return conn.scalar(query) or 0


def longest(conn: Connection, scope: Scope, limit: int) -> tuple[IncidentRow, ...]:
    """Those that nobody has acknowledged: the severest first, of these what has waited for longest."""
    i = t.incident.c
    waits_since = func.coalesce(i.reopened_at, i.opened_at)
    query = (
        incident_select()
        .where(seen(scope), i.closed_at.is_(None), i.acknowledged_at.is_(None))
        .order_by(case(_SEVEREST, value=i.severity, else_=3), waits_since, i.id)
        .limit(limit)
    )
    return tuple(IncidentRow(*row) for row in conn.execute(query))


def newest(conn: Connection, scope: Scope, limit: int) -> tuple[IncidentRow, ...]:
    """The open ones that came, came back or became worse last."""
    i = t.incident.c
    query = incident_select().where(seen(scope), i.closed_at.is_(None))
    query = query.order_by(i.raised_event.desc(), i.id.desc()).limit(limit)
    return tuple(IncidentRow(*row) for row in conn.execute(query))
