"""Facts and what they were before, for whoever may see the device."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, not_, or_, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.registry import within
from schoolwatch_server.scope import Scope


@dataclass(frozen=True, slots=True)
class FactRow:
    """One value of a fact and for how long it held; `valid_to` None is now."""

    id: int
    device: str
    name: str
    labels: str
    value: str | None
    reason: str
    valid_from: float
    valid_to: float | None


def facts(
    conn: Connection,
    scope: Scope,
    *,
    device: str | None,
    name: str | None,
    history: bool,
    after: int,
    limit: int,
) -> tuple[FactRow, ...]:
    """Facts of the devices that the scope sees now, in the order they were first seen: one page.

    What ended while the device was in a school that the scope does not see stays there.
    """
    f = t.fact_history.c
    query = (
        select(f.id, t.device.c.device, f.name, f.labels, f.value, f.reason, f.valid_from, f.valid_to)
        .join(t.device, t.device.c.id == f.device_id)
        .join(
            t.membership, and_(t.membership.c.device_id == t.device.c.id, t.membership.c.valid_to.is_(None))
        )
        .join(t.school, t.school.c.id == t.membership.c.school_id)
        .where(within(scope), f.id > after)
        .order_by(f.id)
        .limit(limit)
    )
    if device is not None:
        query = query.where(t.device.c.device == device)
    if name is not None:
        query = query.where(f.name == name)
    if history and scope.level != "all":
        query = query.where(or_(f.valid_to.is_(None), f.valid_to > _elsewhere_until(scope)))
    if not history:
        query = query.where(f.valid_to.is_(None))
    return tuple(FactRow(*row) for row in conn.execute(query))


def _elsewhere_until(scope: Scope) -> ColumnElement[float]:
    m, s = t.membership.alias(), t.school
    ended = (
        select(func.max(m.c.valid_to))
        .where(
            m.c.device_id == t.fact_history.c.device_id,
            m.c.valid_to.is_not(None),
            m.c.school_id.in_(select(s.c.id).where(not_(within(scope))).correlate(None)),
        )
        .correlate(t.fact_history)
        .scalar_subquery()
    )
    return func.coalesce(ended, 0.0)
