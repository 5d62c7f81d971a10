"""Incidents that nobody acknowledged in time: the next step of the duty list is told."""

from collections.abc import Collection

from sqlalchemy import Connection, select, update

from schoolwatch_server.database import duty_rows, notifications
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.incidents import add_event
from schoolwatch_server.duty import route

_e = t.escalation.c


def due(conn: Connection, now: float, limit: int = 200) -> tuple[int, ...]:
    """Incidents whose patience is over."""
    query = select(_e.incident_id).where(_e.next_at <= now).order_by(_e.next_at).limit(limit)
    return tuple(conn.scalars(query))


def climb(conn: Connection, incident_id: int, everybody: Collection[str], now: float) -> bool:
    """Tells the next step that has somebody on duty now; whether anybody was told.

    When no step above has anybody, everybody's channels are told, and nobody after them.
    """
    i = t.incident.c
    row = conn.execute(
        select(_e.step, _e.next_at, i.acknowledged_at, i.closed_at)
        .join(t.incident, i.id == _e.incident_id)
        .where(_e.incident_id == incident_id)
    ).first()
    if row is None or row.next_at is None or row.next_at > now:
        return False
    if row.acknowledged_at is not None or row.closed_at is not None:
        notifications.stop(conn, incident_id)
        return False
    shifts = duty_rows.on_duty(conn, everybody)
    place, severity = duty_rows.where(conn, incident_id)
    step = route.next_step(shifts, row.step)
    told: tuple[route.Told, ...] = ()
    while step is not None:
        told = route.opening(shifts, everybody, severity, place, now, step)
        if told:
            break
        step = route.next_step(shifts, step)
    reached = step if step is not None else row.step + 1
    if step is None:
        told = route.opening((), everybody, severity, place, now)
    further = route.next_step(shifts, reached) if step is not None else None
    patience = route.patience(duty_rows.settings(conn).escalate, severity)
    then = now + patience if further is not None and patience is not None else None
    mine = update(t.escalation).where(_e.incident_id == incident_id, _e.next_at == row.next_at)
    if conn.execute(mine.values(step=reached, next_at=then)).rowcount != 1:
        return False  # another evaluator was here first
    notifications.write(conn, incident_id, "escalated", told)
    detail = {"step": reached, "channels": [one.channel for one in told]}
    add_event(conn, incident_id, "escalated", detail, now)
    return bool(told)
