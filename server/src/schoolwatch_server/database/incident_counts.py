"""Incidents counted by where they are: those that are open, and those that were opened in a time.

Exercises are not among them.
"""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.incident_rows import seen
from schoolwatch_server.scope import Scope


class Where(NamedTuple):
    """The narrowest place that an incident is about, by internal id; all None: the server itself."""

    school: int | None
    commune: int | None
    province: int | None


class Opened(NamedTuple):
    """An incident that was opened; `at` is when what it is about began to hold (UTC seconds)."""

    event: int
    at: float
    rule: str
    severity: str
    where: Where


_i, _e = t.incident.c, t.incident_event.c
_where: tuple[ColumnElement[Any], ...] = (_i.school_id, _i.commune_id, _i.province_id)
_counts = and_(
    _i.is_exercise.is_(False),
    # a computer that was in no school is nobody's, and no trouble of the server
    or_(_i.device_id.is_(None), _i.school_id.is_not(None)),
)


def open_now(conn: Connection, scope: Scope) -> dict[tuple[Where, str, str], int]:
    """Where, rule, severity → open incidents that a scope sees."""
    query = (
        select(*_where, _i.rule, _i.severity, func.count())
        .select_from(t.incident.outerjoin(t.school, t.school.c.id == _i.school_id))
        .where(_i.closed_at.is_(None), _counts, seen(scope))
        .group_by(*_where, _i.rule, _i.severity)
    )
    return {
        (Where(*place), rule, severity): int(count)
        for *place, rule, severity, count in map(tuple, conn.execute(query))
    }


def told_in(conn: Connection, start: float, end: float) -> dict[Where, int]:
    """Where → incidents that people were told of in [start, end)."""
    query = (
        select(*_where, func.count())
        .join_from(t.incident_event, t.incident, _i.id == _e.incident_id)
        .where(_e.kind == "opened", _e.at >= start, _e.at < end, _counts)
        .group_by(*_where)
    )
    return {Where(*place): int(count) for *place, count in map(tuple, conn.execute(query))}


def opened(conn: Connection, after: int, since: float, limit: int) -> tuple[Opened, ...]:
    """The next ones after an event, by its number, of which people were told since then."""
    query = (
        select(_e.id, _i.opened_at, _i.rule, _i.severity, *_where)
        .join_from(t.incident_event, t.incident, _i.id == _e.incident_id)
        .where(_e.kind == "opened", _e.id > after, _e.at >= since, _counts)
        .order_by(_e.id)
        .limit(limit)
    )
    return tuple(
        Opened(event, at, rule, severity, Where(*place))
        for event, at, rule, severity, *place in map(tuple, conn.execute(query))
    )
