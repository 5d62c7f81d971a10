"""Which schools a query may speak of: those inside the scope of who asks, that are schools still.

A statement costs more to build than to run for one school, so what every indicator asks is built once for
each level of scope, with `inside`, and asked with the parameters that `place` gives.
"""

from functools import cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Integer, bindparam, exists, select, true

from schoolwatch_server.database import tables as t
from schoolwatch_server.scope import Level, Scope


def within(scope: Scope) -> ColumnElement[bool]:
    """The one condition on `school.id` that every scoped query uses."""
    return _inside(scope.level, scope.id)


@cache
def inside(level: Level) -> ColumnElement[bool]:
    """The same condition for a statement that is built once: the place itself is left open."""
    return _inside(level, bindparam("place", type_=Integer))


def place(scope: Scope) -> dict[str, int | None]:
    """What `inside` left open of that scope, as parameters; at level `all` that is nothing."""
    return {} if scope.level == "all" else {"place": scope.id}


@cache
def has_code() -> ColumnElement[bool]:
    """Whether a school is one still: who merged it into another, or deleted it, ended its code."""
    c = t.school_code.alias().c
    return exists().where(c.school_id == t.school.c.id, c.valid_to.is_(None))


def _inside(level: Level, id_: int | BindParameter[Any] | None) -> ColumnElement[bool]:
    match level:
        case "all":
            return true()
        case "province":
            communes_of = select(t.commune.c.id).where(t.commune.c.province_id == id_)
            return t.school.c.commune_id.in_(communes_of)
        case "commune":
            return t.school.c.commune_id == id_
        case "school":
            return t.school.c.id == id_
