"""Planned work of a place: kept, read, ended before its time."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.scopes import above, inside
from schoolwatch_server.planned import Planned
from schoolwatch_server.scope import Scope

_m = t.maintenance.c


def at(conn: Connection, now: float) -> tuple[Planned, ...]:
    """All planned work that goes on at an instant, UTC seconds."""
    query = select(t.maintenance).where(_m.starts <= now, _m.ends > now).order_by(_m.id)
    return tuple(Planned(**row) for row in conn.execute(query).mappings())


def inside_of(conn: Connection, scope: Scope, after: float) -> tuple[Planned, ...]:
    """Planned work of places inside a scope, and above it, that ends after `after`; newest first."""
    higher = above(conn, scope, _m.level, _m.place_id)
    seen = or_(inside(scope, _m.level, _m.place_id), higher, _m.level == "all")
    query = select(t.maintenance).where(_m.ends >= after, seen).order_by(_m.starts.desc(), _m.id.desc())
    return tuple(Planned(**row) for row in conn.execute(query).mappings())


def of_incident(conn: Connection, incident_id: int, now: float) -> tuple[Planned, ...]:
    """Planned work at the place of an incident, or above it, while it lasted (until `now`); oldest first."""
    i, s, c = t.incident.c, t.school.c, t.commune.c
    commune = func.coalesce(i.commune_id, s.commune_id)
    here = (
        _m.level == "all",
        (_m.level == "school") & (_m.place_id == i.school_id),
        (_m.level == "commune") & (_m.place_id == commune),
        (_m.level == "province") & (_m.place_id == func.coalesce(i.province_id, c.province_id)),
    )
    query = (
        select(t.maintenance)
        .select_from(
            t.incident.outerjoin(t.school, s.id == i.school_id).outerjoin(t.commune, c.id == commune)
        )
        .join(t.maintenance, or_(*here))
        .where(i.id == incident_id, _m.starts <= func.coalesce(i.closed_at, now), _m.ends > i.since)
        .order_by(_m.starts, _m.id)
    )
    return tuple(Planned(**row) for row in conn.execute(query).mappings())


def one(conn: Connection, scope: Scope, id_: int) -> Planned | None:
    """One of them, of a place inside the scope."""
    here = inside(scope, _m.level, _m.place_id)
    row = conn.execute(select(t.maintenance).where(_m.id == id_, here)).mappings().first()
    return None if row is None else Planned(**row)


def put(conn: Connection, values: Mapping[str, Any], now: float, by: str) -> int:
    """Plans work: `level`, `place_id`, `rule`, `starts`, `ends`, `reason`; gives its id."""
    made = conn.execute(insert(t.maintenance).values(**values, made_at=now, made_by=by)).inserted_primary_key
    return int(made[0]) if made else 0


def end(conn: Connection, id_: int, now: float, by: str) -> bool:
    """Ends it now; whether it had not ended yet."""
    ended = update(t.maintenance).where(_m.id == id_, _m.ends > now).values(ends=now, ended_by=by)
    return conn.execute(ended).rowcount == 1
