"""When computers in use were heard last, by school, and which version of the agent they run."""

from typing import Final

from sqlalchemy import Connection, and_, case, func, select

from schoolwatch_server.database import tables as t

DAY: Final = 86400.0
AT_RISK: Final = 21 * DAY
DROPPED: Final = 28 * DAY
"""Seconds of silence; as UNICEF's Giga tells schools' meters apart on its board."""

STATES: Final = ("live", "at_risk", "dropped", "never")

_in_use = and_(
    t.membership.c.valid_to.is_(None), t.device.c.retired_at.is_(None), t.device.c.pending_since.is_(None)
)
_devices = (
    t.membership.join(t.device, t.device.c.id == t.membership.c.device_id)
    .outerjoin(t.state, t.state.c.device_id == t.device.c.id)
)  # fmt: skip


def by_school(conn: Connection, now: float) -> dict[int, dict[str, int]]:
    """School → state → computers and gateways that it has in it."""
    heard = t.state.c.heard_at
    state = case(
        (heard.is_(None), "never"),
        (heard >= now - AT_RISK, "live"),
        (heard >= now - DROPPED, "at_risk"),
        else_="dropped",
    ).label("state")
    query = select(t.membership.c.school_id, state, func.count()).select_from(_devices).where(_in_use)
    found: dict[int, dict[str, int]] = {}
    for school, name, count in conn.execute(query.group_by(t.membership.c.school_id, state)):
        found.setdefault(school, {})[name] = int(count)
    return found


def versions(conn: Connection, now: float) -> dict[str, int]:
    """Version of the agent → devices that were heard with it and not dropped since."""
    agent = t.state.c.agent
    query = select(agent, func.count()).select_from(_devices)
    query = query.where(_in_use, t.state.c.heard_at >= now - DROPPED).group_by(agent)
    return {version: int(count) for version, count in conn.execute(query)}
