"""What happened to the incidents of a time, for `response_times`: read as it was known at an instant."""

from collections.abc import Collection

from sqlalchemy import Connection, and_, func, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.incident_rows import seen
from schoolwatch_server.response_times import KINDS, Course
from schoolwatch_server.scope import Scope


def courses(conn: Connection, scope: Scope, start: float, end: float, until: float) -> tuple[Course, ...]:
    """Of the incidents that people were first told of in [start, end), with what was known at `until`.

    Exercises are not among them.
    """
    i, commune, opened = t.incident.c, t.commune.alias(), t.incident_event.alias()
    commune_id = func.coalesce(t.school.c.commune_id, i.commune_id)
    told = and_(opened.c.kind == "opened", opened.c.at >= start, opened.c.at < end)
    query = (
        select(
            i.id,
            i.school_id,
            commune_id.label("commune_id"),
            func.coalesce(commune.c.province_id, i.province_id).label("province_id"),
            opened.c.at,
        )
        .select_from(opened)
        .join(t.incident, i.id == opened.c.incident_id)
        .outerjoin(t.school, t.school.c.id == i.school_id)
        .outerjoin(commune, commune.c.id == commune_id)
        .where(told, seen(scope), i.is_exercise.is_(False))
        .order_by(i.id)
    )
    rows = conn.execute(query).all()
    events = _events(conn, {row.id for row in rows}, start, until)
    return tuple(
        Course(row.school_id, row.commune_id, row.province_id, row.at, events.get(row.id, ())) for row in rows
    )


def _events(
    conn: Connection, ids: Collection[int], start: float, until: float
) -> dict[int, list[tuple[float, str]]]:
    """What happened to these, in order."""
    e = t.incident_event.c
    query = (
        select(e.incident_id, e.at, e.kind)
        .where(e.at >= start, e.at < until, e.kind.in_(KINDS))
        .order_by(e.id)
    )
    found: dict[int, list[tuple[float, str]]] = {}
    for incident_id, at, kind in conn.execute(query):
        if incident_id in ids:
            found.setdefault(incident_id, []).append((at, kind))
    return found
