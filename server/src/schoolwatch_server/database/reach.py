"""Which schools a query may speak of: those inside the scope of who asks, that are schools still."""

from sqlalchemy import ColumnElement, exists, select, true

from schoolwatch_server.database import tables as t
from schoolwatch_server.scope import Scope


def within(scope: Scope) -> ColumnElement[bool]:
    """The one condition on `school.id` that every scoped query uses."""
    match scope.level:
        case "all":
            return true()
        case "province":
            communes_of = select(t.commune.c.id).where(t.commune.c.province_id == scope.id)
            return t.school.c.commune_id.in_(communes_of)
        case "commune":
            return t.school.c.commune_id == scope.id
        case "school":
            return t.school.c.id == scope.id


def has_code() -> ColumnElement[bool]:
    """Whether a school is one still: who merged it into another, or deleted it, ended its code."""
    c = t.school_code.alias().c
    return exists().where(c.school_id == t.school.c.id, c.valid_to.is_(None))
