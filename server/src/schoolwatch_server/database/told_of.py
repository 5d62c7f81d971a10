"""What a message tells: of each of its events the incident, where it is, and how it stands now."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, func, select

from schoolwatch_server.database import calls
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.calls import Hint
from schoolwatch_server.rules import kept


@dataclass(frozen=True, slots=True)
class Due:
    """One event of an incident that is told; times are UTC seconds.

    `place` is the commune or province that it is about; `commune` the one of its school. `thread` is the id
    of the first message that told this channel of the incident, empty when this is it. `again` is the
    evidence for which it was noted anew last, and `seen_at` when it was seen last before it closed, of a
    message about one event.
    """

    id: int
    incident_id: int
    event: str
    channel: str
    rule: str
    severity: str
    since: float
    opened_at: float
    closed_at: float | None
    acknowledged_at: float | None
    late: bool
    is_exercise: bool
    device: str | None
    label: str | None
    room: str | None
    school: str | None
    school_code: str | None
    place: str | None
    commune: str | None
    evidence: Any = None
    hint: Hint | None = None
    thread: str = ""
    again: Any = None
    seen_at: float | None = None


def of_delivery(conn: Connection, delivery_id: int, now: float) -> tuple[Due, ...]:
    """The events that a message tells of, in the order in which they came; of a single one whom to call."""
    n, i, d, s = t.notification.c, t.incident.c, t.device.c, t.school.c
    own = t.commune.alias("own")
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
            n.id, n.incident_id, n.event, n.channel,
            i.rule, i.severity, i.since, i.opened_at, i.closed_at, i.acknowledged_at, i.late, i.is_exercise,
            d.device, d.label, room, s.name, code,
            func.coalesce(own.c.name, t.province.c.name), t.commune.c.name, i.evidence,
        )
        .select_from(t.notification)
        .join(t.incident, i.id == n.incident_id)
        .outerjoin(t.device, d.id == i.device_id)
        .outerjoin(t.school, s.id == i.school_id)
        .outerjoin(t.commune, t.commune.c.id == s.commune_id)
        .outerjoin(own, own.c.id == i.commune_id)
        .outerjoin(t.province, t.province.c.id == i.province_id)
        .where(n.delivery_id == delivery_id)
        .order_by(n.id)
    )  # fmt: skip
    told = tuple(Due(*tuple(row)) for row in conn.execute(query))
    if len(told) != 1:
        return told
    hint, again = calls.hint(conn, told[0].incident_id, now), _again(conn, told[0].incident_id)
    seen_at, thread = _seen_at(conn, told[0].incident_id), _thread(conn, told[0], delivery_id)
    return (replace(told[0], hint=hint, again=again, thread=thread, seen_at=seen_at),)


def _again(conn: Connection, incident_id: int) -> Any:
    e = t.incident_event.c
    query = select(e.kind, e.detail).where(e.incident_id == incident_id, e.kind.in_(kept.AGAIN))
    return kept.newest((row.kind, row.detail) for row in conn.execute(query.order_by(e.id)))


def _seen_at(conn: Connection, incident_id: int) -> float | None:
    e = t.incident_event.c
    query = select(e.detail).where(e.incident_id == incident_id, e.kind == "closed").order_by(e.id.desc())
    detail = conn.scalar(query.limit(1))
    since = detail.get("since") if isinstance(detail, dict) else None
    return float(since) if isinstance(since, int | float) else None


def _thread(conn: Connection, due: Due, delivery_id: int) -> str:
    n, d = t.notification.c, t.delivery.c
    query = (
        select(d.nonce)
        .join(t.notification, n.delivery_id == d.id)
        .where(n.incident_id == due.incident_id, d.channel == due.channel, d.id < delivery_id)
    )
    return conn.scalar(query.order_by(d.id).limit(1)) or ""
