"""How right the clocks of schools' computers are, as the server measured them when they reported."""

import statistics
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.reach import inside, place
from schoolwatch_server.database.seen import Limits
from schoolwatch_server.scope import Level, Scope

Clocks = Mapping[int | None, tuple[int, int]]
"""Room (None: in no room) → devices whose clock is right, and those whose clock was measured at all."""


def clocks(conn: Connection, scope: Scope, limits: Limits) -> Mapping[int, Clocks]:
    """School → its working devices by room: who was measured has reached the server over a line."""
    asked = place(scope) | {
        "slowest": -limits.clock,
        "fastest": limits.clock,
        "working_after": limits.working_after,
    }
    found: defaultdict[int, dict[int | None, tuple[int, int]]] = defaultdict(dict)
    for school, room, yes, known in conn.execute(_clocks(scope.level), asked):
        found[school][room] = (yes, known)
    return dict(found)


@cache
def _clocks(level: Level) -> Select[Any]:
    g, m, d, same = t.generation.c, t.membership.c, t.device.c, t.generation.alias().c
    newest = select(func.max(same.id)).where(same.device_id == d.id, same.at_its_word.is_(False))
    right = g.clock_offset.between(bindparam("slowest"), bindparam("fastest"))
    return (
        select(m.school_id, m.room_id, func.count().filter(right), func.count())
        .select_from(
            t.membership.join(t.school, m.school_id == t.school.c.id)
            .join(t.device, and_(m.device_id == d.id, m.valid_to.is_(None)))
            .join(t.generation, g.id == newest.scalar_subquery())
        )
        .where(
            inside(level),
            g.heard_at >= bindparam("working_after"),
            d.broken.is_(False),
            d.retired_at.is_(None),
        )
        .group_by(m.school_id, m.room_id)
    )


def median_offset(conn: Connection, after: float, least: int) -> float | None:
    """By how many seconds the clocks of devices heard since `after` are ahead of the server's, in the middle.

    Each is asked as it was measured last, at its newest start: what it said before says nothing of the clock
    as it is now. None where fewer than `least` were measured. At most a thousand are asked.
    """
    g = t.generation.c
    measured = g.heard_at >= after, g.at_its_word.is_(False)
    newest = select(func.max(g.id)).where(*measured).group_by(g.device_id).limit(1000)
    found = list(conn.scalars(select(g.clock_offset).where(g.id.in_(newest))))
    return statistics.median(found) if found and len(found) >= least else None
