"""How right the clocks of schools' computers are, as the server measured them when they reported."""

from functools import cache
from typing import Any

from sqlalchemy import Connection, Integer, Select, and_, bindparam, case, func, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.reach import inside, place
from schoolwatch_server.database.seen import Limits
from schoolwatch_server.scope import Level, Scope


def clocks(conn: Connection, scope: Scope, limits: Limits) -> dict[int, tuple[int, int]]:
    """School → working devices whose clock is right, and those whose clock was measured, live, at all."""
    asked = place(scope) | {
        "slowest": -limits.clock,
        "fastest": limits.clock,
        "working_after": limits.working_after,
    }
    return {school: (yes, known) for school, yes, known in conn.execute(_clocks(scope.level), asked)}


@cache
def _clocks(level: Level) -> Select[Any]:
    g, m, d = t.generation.c, t.membership.c, t.device.c
    newest = select(func.max(g.id)).where(g.at_its_word.is_(False)).group_by(g.device_id)
    if level != "all":
        here = (
            select(m.device_id).join_from(t.membership, t.school).where(inside(level), m.valid_to.is_(None))
        )
        newest = newest.where(g.device_id.in_(here))
    right = g.clock_offset.between(bindparam("slowest"), bindparam("fastest"))
    return (
        select(m.school_id, func.sum(case((right, 1), else_=0), type_=Integer), func.count())
        .select_from(
            t.generation.join(t.device, g.device_id == d.id)
            .join(t.membership, and_(m.device_id == d.id, m.valid_to.is_(None)))
            .join(t.school, m.school_id == t.school.c.id)
        )
        .where(
            inside(level),
            g.id.in_(newest),
            g.heard_at >= bindparam("working_after"),
            d.broken.is_(False),
            d.retired_at.is_(None),
        )
        .group_by(m.school_id)
    )
