"""The outbox of notifications: written with the incident, sent later, each attempt recorded."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, exists, func, insert, select, update

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.incidents import add_event

RECURRING = ("reopened", "closed")
"""Events that an incident has more than once."""


@dataclass(frozen=True, slots=True)
class Due:
    """A notification that is to be sent now, with what its message says; times are UTC seconds."""

    id: int
    incident_id: int
    event: str
    channel: str
    attempts: int
    rule: str
    severity: str
    since: float
    opened_at: float
    closed_at: float | None
    late: bool
    device: str | None
    label: str | None
    room: str | None
    school: str | None
    school_code: str | None
    place: str | None
    evidence: Any = None


def put(conn: Connection, incident_id: int, event: str, channels: Collection[str], now: float) -> None:
    """One notification for each channel, due at once; what is already in the outbox stays as it is.

    An incident comes back and ends more than once: of that the newest is told, after what was told before.
    """
    n = t.notification.c
    if event in RECURRING:
        conn.execute(delete(t.notification).where(n.incident_id == incident_id, n.event == event))
    held = set(conn.scalars(select(n.channel).where(n.incident_id == incident_id, n.event == event)))
    rows = [
        {"incident_id": incident_id, "event": event, "channel": channel, "due_at": now}
        for channel in sorted(channels)
        if channel not in held
    ]
    if rows:
        conn.execute(insert(t.notification), rows)


def next_due(conn: Connection, channels: Collection[str], now: float) -> int | None:
    """The id of the notification that has been due for longest; None when nothing is due.

    A notification waits for the earlier ones of its incident and channel: "closed" never overtakes "opened".
    """
    n = t.notification
    earlier = n.alias("earlier")
    waits = exists(
        select(earlier.c.id).where(
            earlier.c.incident_id == n.c.incident_id,
            earlier.c.channel == n.c.channel,
            earlier.c.id < n.c.id,
            earlier.c.due_at.is_not(None),
        )
    )
    query = (
        select(n.c.id)
        .where(n.c.due_at <= now, n.c.channel.in_(list(channels)), ~waits)
        .order_by(n.c.due_at, n.c.id)
        .limit(1)
    )
    found: int | None = conn.scalar(query)
    return found


def claim(conn: Connection, notification_id: int, now: float, until: float) -> Due | None:
    """Takes a due notification for the caller alone until `until`; None when somebody else took it."""
    n = t.notification
    mine = and_(n.c.id == notification_id, n.c.due_at <= now)
    taken = conn.execute(update(n).where(mine).values(due_at=until, attempts=n.c.attempts + 1))
    return _due(conn, notification_id) if taken.rowcount == 1 else None


def sent(conn: Connection, due: Due, now: float) -> None:
    """The channel took it."""
    n = t.notification
    conn.execute(update(n).where(n.c.id == due.id).values(sent_at=now, due_at=None, error=""))
    detail = {"event": due.event, "channel": due.channel, "attempt": due.attempts}
    add_event(conn, due.incident_id, "notified", detail, now)


def failed(conn: Connection, due: Due, error: str, again_at: float | None, now: float) -> None:
    """The channel did not take it; None gives up."""
    n = t.notification
    conn.execute(update(n).where(n.c.id == due.id).values(due_at=again_at, error=error))
    detail = {"event": due.event, "channel": due.channel, "attempt": due.attempts, "error": error}
    add_event(conn, due.incident_id, "notify_failed", detail, now)


def _due(conn: Connection, notification_id: int) -> Due | None:
    n, i, d, s = t.notification.c, t.incident.c, t.device.c, t.school.c
    code = (
        select(func.max(t.school_code.c.code))
        .where(t.school_code.c.school_id == i.school_id, t.school_code.c.valid_to.is_(None))
        .scalar_subquery()
    )
    room = (
        select(func.max(t.room.c.name))
        .join_from(t.membership, t.room, t.membership.c.room_id == t.room.c.id)
        .where(t.membership.c.device_id == i.device_id, t.membership.c.valid_to.is_(None))
        .scalar_subquery()
    )
    query = (
        select(
            n.id, n.incident_id, n.event, n.channel, n.attempts,
            i.rule, i.severity, i.since, i.opened_at, i.closed_at, i.late,
            d.device, d.label, room, s.name, code,
            func.coalesce(t.commune.c.name, t.province.c.name), i.evidence,
        )
        .select_from(t.notification)
        .join(t.incident, i.id == n.incident_id)
        .outerjoin(t.device, d.id == i.device_id)
        .outerjoin(t.school, s.id == i.school_id)
        .outerjoin(t.commune, t.commune.c.id == i.commune_id)
        .outerjoin(t.province, t.province.c.id == i.province_id)
        .where(n.id == notification_id)
    )  # fmt: skip
    row = conn.execute(query).first()
    return None if row is None else Due(*tuple(row))
