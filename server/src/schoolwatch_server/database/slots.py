"""Rows of speed test slots; each function is one statement, so that two processes cannot both win."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from schoolwatch_contract.ndt7 import PATHS, Direction
from schoolwatch_server.database.tables_speedtest import speedtest_slot as t

KEPT = 7 * 86400.0
"""Seconds that a used slot stays, for who looks after the server."""


@dataclass(frozen=True, slots=True)
class BusyRow:
    """A slot that is still held: whose, how much is set aside (bit/s), and until when at the latest."""

    school_id: int
    rate: float
    until: float


def busy(conn: Connection, now: float) -> tuple[BusyRow, ...]:
    """The slots that are held now, the first to end first."""
    query = select(t.c.school_id, t.c.rate, t.c.busy_until).where(t.c.busy_until > now)
    return tuple(BusyRow(*row) for row in conn.execute(query.order_by(t.c.busy_until)))


def add(
    conn: Connection, hashed: str, *, device_id: int, school_id: int, rate: float, now: float, until: float
) -> None:
    """Keeps the hash of a slot's token, and forgets old slots."""
    conn.execute(delete(t).where(t.c.granted_at < now - KEPT))
    row = {"device_id": device_id, "school_id": school_id, "rate": rate}
    conn.execute(insert(t).values(hash=hashed, granted_at=now, busy_until=until, **row))


def may_begin(conn: Connection, hashed: str, direction: Direction, now: float) -> bool:
    """Whether the slot is good for this direction now."""
    return conn.execute(select(t.c.id).where(_open(hashed, direction, now))).first() is not None


def begin(conn: Connection, hashed: str, direction: Direction, *, now: float, until: float) -> bool:
    """Uses the slot up for one direction; False when it is not, or no longer, good for it."""
    values = {f"{direction}_at": now, "running": direction, "busy_until": until}
    return conn.execute(update(t).where(_open(hashed, direction, now)).values(values)).rowcount == 1


def end(conn: Connection, hashed: str, direction: Direction, *, now: float, wait: float) -> None:
    """One direction is over; the slot is free at once after both, else `wait` seconds are left to begin."""
    ours = and_(t.c.hash == hashed, t.c.running == direction)
    both = and_(ours, *(t.c[f"{name}_at"].is_not(None) for name in PATHS))
    conn.execute(update(t).where(both).values(running=None, busy_until=now))
    conn.execute(update(t).where(ours).values(running=None, busy_until=now + wait))


def _open(hashed: str, direction: Direction, now: float) -> ColumnElement[bool]:
    unused = t.c[f"{direction}_at"].is_(None)
    return and_(t.c.hash == hashed, unused, t.c.running.is_(None), t.c.busy_until > now)
