"""Keeps on which days each device was heard, and reads when it was heard last."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select, text

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.in_parts import in_parts
from schoolwatch_server.database.upsert import upsert
from schoolwatch_server.hearing import Hearing, heard_on
from schoolwatch_server.school_time import day_number, midnight

NOBODY_HEARD = 600.0
NOBODY_LOOKED = 300.0
"""Seconds after which the server counts as deaf: no device was heard, or silence was not looked at."""

_LISTENED = "watch.listened"
_NOTE = text(
    """
    INSERT INTO hearing (device_id, newest, days)
    SELECT s.device_id, CAST(:today AS INTEGER), 1
    FROM state s LEFT JOIN hearing h ON h.device_id = s.device_id
    WHERE s.heard_at >= :start AND (h.newest IS NULL OR h.newest < :today)
    ON CONFLICT (device_id) DO UPDATE SET
        days = CASE WHEN excluded.newest - hearing.newest < 56
            THEN ((hearing.days & ((CAST(1 AS BIGINT) << (56 - (excluded.newest - hearing.newest))) - 1))
                << (excluded.newest - hearing.newest)) | 1
            ELSE 1 END,
        newest = excluded.newest
    """
)
"""One statement for all devices, as `hearing.heard_on` does it for one; 56 is `hearing.REMEMBERED`."""


def note(conn: Connection, now: float) -> int:
    """Remembers who was heard today, each device once a day; gives how many are new today."""
    today = day_number(now)
    return conn.execute(_NOTE, {"today": today, "start": midnight(today)}).rowcount


def note_carried(conn: Connection, device_id: int, at: float) -> None:
    """The device's reports came on a stick, all with `at` as the time of their arrival."""
    row = {"device_id": device_id, "newest": day_number(at), "days": 0, "carried_at": at}
    h = t.hearing
    if conn.execute(h.update().where(h.c.device_id == device_id).values(carried_at=at)).rowcount == 0:
        upsert(conn, h, [row])


def listen(conn: Connection, now: float) -> float:
    """Says that somebody looks at silence at `now`; gives until when nobody was heard, or nobody looked.

    What was silent then may have been the server's own fault: no devices' silence is counted from before.
    """
    newest: float | None = conn.scalar(select(func.max(t.state.c.heard_at)))
    kept = str(conn.scalar(select(t.meta.c.value).where(t.meta.c.key == _LISTENED)) or "0 0")
    looked_at, deaf_at = map(float, kept.split())
    if now - looked_at > NOBODY_LOOKED or newest is None or now - newest > NOBODY_HEARD:
        deaf_at = now
    upsert(conn, t.meta, [{"key": _LISTENED, "value": f"{now} {deaf_at}"}])
    return deaf_at


def schools_heard(conn: Connection) -> dict[int, float]:
    """School → when a device of it was last heard (UTC seconds), of those that were heard ever."""
    m = t.membership.c
    query = (
        select(m.school_id, func.max(t.state.c.heard_at))
        .select_from(t.membership.join(t.state, t.state.c.device_id == m.device_id))
        .where(m.valid_to.is_(None))
        .group_by(m.school_id)
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def of_schools(conn: Connection, school_ids: Collection[int]) -> dict[int, list[Hearing]]:
    """School → its devices in use; a school without any is left out."""
    found: dict[int, list[Hearing]] = {}
    for part in in_parts(school_ids):
        for row in conn.execute(_of_schools(), {"schools": part}):
            found.setdefault(row.school_id, []).append(_hearing(row))
    return found


def of_rooms(
    conn: Connection, roles: Collection[str], after: float, before: float
) -> dict[int, list[Hearing]]:
    """Room → its devices in use, of the rooms of these roles that have one heard last in [after, before).

    Only these rooms can have one missing.
    """
    m, s = t.membership.alias().c, t.state.alias().c
    silent = (
        select(m.room_id)
        .join_from(m.device_id.table, s.device_id.table, s.device_id == m.device_id)
        .where(m.valid_to.is_(None), m.room_id.is_not(None), s.heard_at >= after, s.heard_at < before)
    )
    query = _hearings().where(t.room.c.role.in_(sorted(roles)), t.membership.c.room_id.in_(silent))
    found: dict[int, list[Hearing]] = {}
    for row in conn.execute(query):
        found.setdefault(row.room_id, []).append(_hearing(row))
    return found


def _of_schools() -> Select[Any]:
    return _hearings().where(t.membership.c.school_id.in_(bindparam("schools", expanding=True)))


def _hearings() -> Select[Any]:
    m, d, s, h = t.membership.c, t.device.c, t.state.c, t.hearing.c
    return (
        select(
            m.device_id,
            m.school_id,
            m.room_id,
            func.coalesce(d.role, t.room.c.role, "").label("role"),
            s.heard_at,
            func.coalesce(h.newest, 0).label("newest"),
            func.coalesce(h.days, 0).label("days"),
            h.carried_at,
        )
        .select_from(
            t.membership.join(t.device, d.id == m.device_id)
            .outerjoin(t.room, t.room.c.id == m.room_id)
            .outerjoin(t.state, s.device_id == m.device_id)
            .outerjoin(t.hearing, h.device_id == m.device_id)
        )
        .where(m.valid_to.is_(None), d.retired_at.is_(None), d.broken.is_(False))
        .order_by(m.device_id)
    )


def _hearing(row: Any) -> Hearing:
    is_carried = None not in (row.heard_at, row.carried_at) and row.heard_at <= row.carried_at
    plain = Hearing(
        row.device_id, row.school_id, row.room_id, row.role, row.heard_at, row.newest, row.days, is_carried
    )
    return plain if row.heard_at is None else heard_on(plain, day_number(row.heard_at))
