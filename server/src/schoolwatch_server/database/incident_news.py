"""What has happened to incidents since somebody last looked: what open consoles are told."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.incident_rows import seen
from schoolwatch_server.scope import Scope

MOST = 500
"""Incidents that one piece of news names at most; of more it says only that there are more."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Open incidents, and those of them that nobody has acknowledged."""

    open: int
    unacknowledged: int


def newest(conn: Connection) -> int:
    """The number of the last thing that happened to any incident; 0 when nothing ever did."""
    return conn.scalar(select(func.max(t.incident_event.c.id))) or 0


def newest_of(conn: Connection, scope: Scope) -> int:
    """The number of the last thing that happened to an incident that the scope sees; 0: nothing ever did."""
    i = t.incident.c
    if scope.level == "all":
        return newest(conn)
    number = t.incident_event.c.id
    is_wide = scope.level == "province"  # the last event is most likely its own: looked for from the end
    query = (
        (select(number).order_by(number.desc()).limit(1) if is_wide else select(func.max(number)))
        .select_from(t.incident_event)
        .join(t.incident, i.id == t.incident_event.c.incident_id)
        .outerjoin(t.school, t.school.c.id == i.school_id)
        .where(seen(scope))
    )
    return conn.scalar(query) or 0


def happened(conn: Connection, scope: Scope, after: int, upto: int) -> tuple[int, ...]:
    """The incidents that something happened to in (after, upto], the newest first; `MOST` at most."""
    e, i = t.incident_event.c, t.incident.c
    query = (
        select(i.id)
        .select_from(t.incident_event)
        .join(t.incident, i.id == e.incident_id)
        .outerjoin(t.school, t.school.c.id == i.school_id)
        .where(seen(scope), e.id > after, e.id <= upto)
        .distinct()
        .order_by(i.id.desc())
        .limit(MOST)
    )
    return tuple(conn.scalars(query))


def waiting(conn: Connection, scope: Scope) -> Waiting:
    """How many are open now."""
    i = t.incident.c
    query = (
        select(func.count(), func.count(i.acknowledged_at))
        .select_from(t.incident)
        .outerjoin(t.school, t.school.c.id == i.school_id)
        .where(seen(scope), i.closed_at.is_(None))
    )
    total, acknowledged = conn.execute(query).one()
    return Waiting(total, total - acknowledged)


def judged_at(conn: Connection, cursor: str) -> float | None:
    """When whoever judges reports last said that it is alive (UTC seconds); None: it never ran."""
    return conn.scalar(select(t.cursor.c.moved_at).where(t.cursor.c.name == cursor))
