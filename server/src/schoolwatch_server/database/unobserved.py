"""Open incidents that nobody can see to be over: the gateway that saw it last is gone, or silent."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, Select, and_, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.in_parts import in_parts

_i, _s, _d, _m = t.incident.c, t.rule_state.c, t.device.c, t.membership.c


def among(conn: Connection, incidents: Collection[int]) -> frozenset[int]:
    """Those of these incidents of which nothing can be seen any more, unless somebody else looks."""
    parts = (_of(conn, _states().where(_i.id.in_(part))) for part in in_parts(set(incidents)))
    return frozenset(found for part in parts for found in part)


def of_school(conn: Connection, school_id: int) -> tuple[int, ...]:
    """Those of a school, the oldest first."""
    return tuple(sorted(_of(conn, _states().where(_i.school_id == school_id))))


def _states() -> Select[Any]:
    """Open incidents of a school with what their rule remembers of them; exercises are nobody's.

    What a computer tells of itself ends when that is retired.
    """
    same = and_(_s.rule == _i.rule, _s.subject == _i.subject)
    return (
        select(_i.id, _i.school_id, _s.body)
        .join_from(t.incident, t.rule_state, same)
        .where(_i.closed_at.is_(None), _i.device_id.is_(None), ~_i.is_exercise)
    )


def _of(conn: Connection, query: Select[Any]) -> Iterable[int]:
    """Of a sighting its rule remembers who saw it last (`by`), and whether people know of its silence."""
    rows = [row for row in conn.execute(query).all() if row.body.get("by")]
    at = {}
    for part in in_parts({row.body["by"] for row in rows}):
        here = and_(_m.device_id == _d.id, _m.valid_to.is_(None))
        found = select(_d.id, _m.school_id).join_from(t.device, t.membership, here)
        at.update(dict(map(tuple, conn.execute(found.where(_d.id.in_(part), _d.retired_at.is_(None))))))
    return [row.id for row in rows if row.body.get("waits") or at.get(row.body["by"]) != row.school_id]
