"""How many computers of a place say that Windows and Office are activated; nothing of licences."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Integer, Label, and_, case, func, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.registry import within
from schoolwatch_server.scope import Scope


@dataclass(frozen=True, slots=True)
class Activated:
    """Of the computers with the product that were heard in the window: activated or not."""

    product: str
    yes: int
    no: int


def counts(conn: Connection, scope: Scope, heard_after: float) -> tuple[Activated, ...]:
    """Windows and Office; a computer that does not tell counts in neither number."""
    s = t.state.c
    query = (
        select(
            _sum(s.windows_activated.is_(True)),
            _sum(s.windows_activated.is_(False)),
            _sum(s.office_activated.is_(True)),
            _sum(s.office_activated.is_(False)),
        )
        .select_from(t.state)
        .join(t.membership, and_(t.membership.c.device_id == s.device_id, t.membership.c.valid_to.is_(None)))
        .join(t.school, t.school.c.id == t.membership.c.school_id)
        .where(within(scope), s.taken_at >= heard_after)
    )
    found = [int(number or 0) for number in conn.execute(query).one()]
    return Activated("windows", found[0], found[1]), Activated("office", found[2], found[3])


def _sum(condition: ColumnElement[bool]) -> Label[int]:
    return func.sum(case((condition, 1), else_=0), type_=Integer).label(None)
