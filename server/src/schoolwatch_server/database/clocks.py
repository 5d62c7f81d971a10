"""How right the clocks of schools' computers are, as the server measured them when they reported."""

from sqlalchemy import Connection, Integer, and_, case, func, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.reach import within
from schoolwatch_server.database.seen import Limits
from schoolwatch_server.scope import Scope


def clocks(conn: Connection, scope: Scope, limits: Limits) -> dict[int, tuple[int, int]]:
    """School → working devices whose clock is right, and those whose clock was measured, live, at all."""
    g, m, d = t.generation.c, t.membership.c, t.device.c
    newest = select(func.max(g.id)).where(g.at_its_word.is_(False)).group_by(g.device_id)
    if scope.level != "all":
        here = (
            select(m.device_id).join_from(t.membership, t.school).where(within(scope), m.valid_to.is_(None))
        )
        newest = newest.where(g.device_id.in_(here))
    right = g.clock_offset.between(-limits.clock, limits.clock)
    query = (
        select(m.school_id, func.sum(case((right, 1), else_=0), type_=Integer), func.count())
        .select_from(
            t.generation.join(t.device, g.device_id == d.id)
            .join(t.membership, and_(m.device_id == d.id, m.valid_to.is_(None)))
            .join(t.school, m.school_id == t.school.c.id)
        )
        .where(
            within(scope),
            g.id.in_(newest),
            g.heard_at >= limits.working_after,
            d.broken.is_(False),
            d.retired_at.is_(None),
        )
        .group_by(m.school_id)
    )
    return {school: (yes, known) for school, yes, known in conn.execute(query)}
