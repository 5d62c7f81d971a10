"""Whom schools report to: `levels.manager`, as a condition of a query."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.levels import LEVELS, manager
from schoolwatch_server.scope import Scope

_COMMUNES = [level for level in LEVELS if manager(level) == "xa"]


def by_commune() -> ColumnElement[bool]:
    """Whether a school reports to its commune; one whose level nobody gave is the department's."""
    s = t.school.c
    own = or_(s.is_specialised.is_(False), s.is_boarding.is_(True))
    return or_(s.manager == "xa", and_(s.manager == "", own, s.level.in_(_COMMUNES)))


def of_communes() -> Select[Any]:
    """The ids of all schools that report to their commune."""
    return select(t.school.c.id).where(by_commune())


def is_by_commune(conn: Connection, scope: Scope) -> bool:
    """Whether a scope is a school that reports to its commune."""
    if scope.level != "school":
        return False
    return conn.scalar(of_communes().where(t.school.c.id == scope.id)) is not None
