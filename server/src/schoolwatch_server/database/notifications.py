"""The outbox: who is to be told of what, written with the incident; `deliveries` makes messages of it."""

from collections.abc import Collection, Sequence
from itertools import chain, count

from sqlalchemy import Connection, delete, insert, or_, select, update

from schoolwatch_server.database import duty_rows, own_channel_rows
from schoolwatch_server.database import tables as t
from schoolwatch_server.duty import route
from schoolwatch_server.duty.fold import ACTS
from schoolwatch_server.duty.route import Told
from schoolwatch_server.duty.shift import Shift

_n, _e = t.notification.c, t.escalation.c

RECURRING = ("reopened", "worsened", "again", "escalated", "closed", *ACTS)
"""Events that an incident has more than once; from the second on they are called `closed:2`."""


def put(conn: Connection, incident_id: int, event: str, channels: Collection[str], now: float) -> None:
    """Tells those on duty that something happened to an incident; `channels` are everybody's.

    `closed` goes to whoever was told of the incident before. What is in the outbox already stays as it is.
    """
    shifts = duty_rows.on_duty(conn, channels)
    place, severity = duty_rows.where(conn, incident_id)
    _take_back(conn, incident_id)
    own = own_channel_rows.shifts(conn, place)
    if event == "closed":
        told = route.ending((*shifts, *own), _were_told(conn, incident_id, own), severity, now)
        stop(conn, incident_id)
    else:
        told = route.opening(shifts, channels, severity, place, now)
        told += route.subscribed(own, told, severity, now)
        _watch(conn, incident_id, severity, shifts, now)
    write(conn, incident_id, event, told)


def tell_of_act(
    conn: Connection, incident_id: int, event: str, by: int | None, now: float, *, is_serious: bool
) -> None:
    """Tells whoever was told of an incident what somebody did about it, but not who did (`by`, an account).

    Of several acts that no message tells of yet, the last one alone is told.
    """
    untold = _take_back(conn, incident_id)
    place, severity = duty_rows.where(conn, incident_id)
    own = own_channel_rows.shifts(conn, place)
    were_told = _were_told(conn, incident_id, own)
    if event == "put_back":
        were_told -= untold  # to them it was never closed
    if by is not None and were_told:
        theirs = select(t.channel.c.id).where(t.channel.c.is_own, t.channel.c.account_id == by)
        were_told -= {f"channel:{id_}" for id_ in conn.scalars(theirs)}
    if not were_told:
        return
    shifts = (*duty_rows.shifts(conn), *own)
    told = route.acted(shifts, were_told, event, severity, now, is_serious=is_serious)
    write(conn, incident_id, event, told)


def _take_back(conn: Connection, incident_id: int) -> set[str]:
    """What people did that is in no message yet is not told any more, as something further has happened.

    The channels that would have been told.
    """
    acts = or_(*(_n.event.startswith(event, autoescape=True) for event in ACTS))
    here = _n.incident_id == incident_id, _n.delivery_id.is_(None), acts
    return set(conn.scalars(delete(t.notification).where(*here).returning(_n.channel)))


def remind(conn: Connection, incident_id: int, event: str, channels: Collection[str], now: float) -> None:
    """Tells those on duty for critical incidents of a deadline; whether anybody acknowledged is no matter."""
    shifts = duty_rows.on_duty(conn, channels)
    place, _ = duty_rows.where(conn, incident_id)
    told = route.opening(shifts, channels, "critical", place, now)
    told += route.subscribed(own_channel_rows.shifts(conn, place), told, "critical", now)
    write(conn, incident_id, event, told)


def write(conn: Connection, incident_id: int, event: str, told: Collection[Told]) -> int:
    """A row for each channel that has none of this event; how many are new."""
    event = _numbered(conn, incident_id, event)
    held = set(conn.scalars(select(_n.channel).where(_n.incident_id == incident_id, _n.event == event)))
    rows = [
        {
            "incident_id": incident_id,
            "event": event,
            "channel": one.channel,
            "due_at": one.at,
            "is_digest": one.is_digest,
        }
        for one in told
        if one.channel not in held
    ]
    if rows:
        conn.execute(insert(t.notification), rows)
    return len(rows)


def stop(conn: Connection, incident_id: int) -> None:
    """Nobody further is told that an incident is not acknowledged: it is, or it is over."""
    here = _e.incident_id == incident_id
    conn.execute(update(t.escalation).where(here, _e.next_at.is_not(None)).values(next_at=None))


def _numbered(conn: Connection, incident_id: int, event: str) -> str:
    """The event as the outbox keeps it: each time that an incident ends is an event of its own."""
    if event not in RECURRING:
        return event
    known = set(conn.scalars(select(_n.event).where(_n.incident_id == incident_id)))
    names = chain((event,), (f"{event}:{n}" for n in count(2)))
    return next(name for name in names if name not in known)


def _were_told(conn: Connection, incident_id: int, own: Sequence[Shift]) -> set[str]:
    """Channels that were told of it, without those of accounts that see it no more (`own` still do)."""
    told = set(conn.scalars(select(_n.channel).where(_n.incident_id == incident_id).distinct()))
    return told - own_channel_rows.elsewhere(conn, told, own)


def _watch(conn: Connection, incident_id: int, severity: str, shifts: Sequence[Shift], now: float) -> None:
    """Notes when the next step is told, where there is one."""
    if route.next_step(shifts, 1) is None:
        return
    patience = route.patience(duty_rows.settings(conn).escalate, severity)
    if patience is None:
        return
    values = {"step": 1, "next_at": now + patience}
    known = conn.execute(update(t.escalation).where(_e.incident_id == incident_id).values(**values))
    if known.rowcount == 0:
        conn.execute(insert(t.escalation).values(incident_id=incident_id, **values))
