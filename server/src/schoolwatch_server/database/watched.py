"""What watches ask of the database: one query each, over everything."""

from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.posture import TOP


@dataclass(frozen=True, slots=True)
class Ipv6:
    """Computers of a school that had a default route for IPv6 since an instant and reported newly.

    `lost` have it no longer, `works` still have it.
    """

    school_id: int
    lost: int
    works: int


def ipv6(conn: Connection, worked_after: float, fresh_after: float) -> tuple[Ipv6, ...]:
    """Schools that had IPv6 since `worked_after`, by their computers that reported since `fresh_after`."""
    s, m = t.state.c, t.membership.c
    fresh = s.taken_at > fresh_after
    query = (
        select(
            m.school_id,
            func.sum(case((fresh & (s.ipv6_rung < TOP), 1), else_=0)),
            func.sum(case((fresh & (s.ipv6_rung == TOP), 1), else_=0)),
        )
        .join(t.membership, m.device_id == s.device_id)
        .where(m.valid_to.is_(None), s.ipv6_worked_at > worked_after)
        .group_by(m.school_id)
    )
    return tuple(Ipv6(*row) for row in conn.execute(query))


def refused(conn: Connection, after: float, limit: int) -> dict[str, int]:
    """Why frames were put in quarantine since an instant, and how many; of the newest `limit` at most."""
    q = t.quarantine.c
    newest = select(q.reason, q.received_at).order_by(q.id.desc()).limit(limit).subquery()
    query = (
        select(newest.c.reason, func.count())
        .where(newest.c.received_at > after)
        .group_by(newest.c.reason)
        .order_by(func.count().desc(), newest.c.reason)
    )
    return {reason: int(count) for reason, count in conn.execute(query)}
