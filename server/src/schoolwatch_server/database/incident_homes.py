"""Open incidents of a computer that goes elsewhere: they follow it, or end when it is retired."""

from typing import Any

from sqlalchemy import Connection, select, update

from schoolwatch_server.database import incident_owners, incidents, memories
from schoolwatch_server.database import tables as t
from schoolwatch_server.rules.subject import parse

_i = t.incident.c


def follow(conn: Connection, device_id: int, school_id: int, room_id: int | None, now: float) -> None:
    """A computer is in another school or room from `now` on: who sees to it there sees its open incidents.

    In another school somebody has to take them anew: whose they were may not see them any more.
    """
    for row in _open(conn, device_id):
        values = {"school_id": school_id, "room_id": room_id}
        conn.execute(update(t.incident).where(_i.id == row.id).values(values))
        if row.school_id != school_id:
            incident_owners.free(conn, row.id, "moved", {}, now)


def end_retired(conn: Connection, device_id: int, now: float) -> None:
    """A computer is gone: nothing will ever tell that its faults are mended, and nobody has to mend them.

    Brought back, it is judged anew. An exercise ends by itself.
    """
    for row in _open(conn, device_id):
        if not row.is_exercise:
            incidents.close_incident(conn, row.fingerprint, now, {"at": now}, now, kind="retired")
            incidents.write_states(conn, {(row.rule, parse(row.subject)): {}})
            memories.forget(conn, row.rule, {device_id})


def _open(conn: Connection, device_id: int) -> list[Any]:
    """Held until the end, in the order in which everybody holds them."""
    columns = _i.id, _i.school_id, _i.rule, _i.subject, _i.fingerprint, _i.is_exercise
    query = select(*columns).where(_i.device_id == device_id, _i.closed_at.is_(None)).order_by(_i.id)
    return list(conn.execute(query.with_for_update()))
