"""What is kept of devices that were retired: first their keys and last state go, in the end all of them.

Until `TERMS["retired"]` is over a device can be brought back. From then on it is only what it measured, each
class for its own term; when the longest of them is over the device itself goes, as on request (`erasure.py`).
One that was turned away, and so never was in a school, goes wholly at the first of the two.
"""

from sqlalchemy import Connection, Table, delete, exists, or_, select

from schoolwatch_server.database import erasure
from schoolwatch_server.database import tables as t

STRIPPED: tuple[Table, ...] = (
    t.credential,
    t.state,
    t.state_body,
    t.rule_memory,
    t.arrival,
    t.frozen_device,
    t.device_settings,
    t.hearing,
)
"""What serves a device that reports, and nothing else: each has a row a device."""

MOST = 10
"""Devices that are deleted in one transaction: each is looked for in all tables."""


def strip(conn: Connection, table: Table, before: float, limit: int) -> int:
    """Deletes the rows of one of `STRIPPED`, of devices that were retired before (UTC seconds)."""
    d = t.device.c
    over = select(table.c.device_id).join_from(table, t.device, d.id == table.c.device_id)
    ids = list(conn.scalars(over.where(d.retired_at < before).limit(limit)))
    return conn.execute(delete(table).where(table.c.device_id.in_(ids))).rowcount if ids else 0


def remove(conn: Connection, before: float, longest: float) -> int:
    """Deletes at most `MOST` devices: retired before `longest`, or never in a school and before `before`."""
    d = t.device.c
    never = ~exists(select(t.membership.c.id).where(t.membership.c.device_id == d.id))
    over = or_(d.retired_at < longest, (d.retired_at < before) & never)
    rows = conn.execute(select(d.id, d.device).where(over).order_by(d.id).limit(MOST)).all()
    for id_, name in rows:
        erasure.device(conn, id_, name)
    return len(rows)
