"""Computers of a room that somebody counted by hand."""

from datetime import date

from sqlalchemy import Connection, insert, select, update

from schoolwatch_server.database import tables as t
from schoolwatch_server.vietnam import begins


def record(conn: Connection, room_id: int, day: date, working: int, by: str) -> None:
    """So many work in the room on that day; a later count of the same day takes the place of the first."""
    c = t.hand_check.c
    at = begins(day)
    values = {"computers_working": working, "checked_by": by}
    held = conn.scalar(select(c.id).where(c.room_id == room_id, c.checked_at == at))
    if held is None:
        conn.execute(insert(t.hand_check).values(room_id=room_id, checked_at=at, **values))
    else:
        conn.execute(update(t.hand_check).where(c.id == held).values(**values))
