"""What schools and communes became part of, and what communes were called before."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from schoolwatch_server.database import registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.rows import CommuneRow, SchoolRow
from schoolwatch_server.database.tables_succession import former_commune, merged_school
from schoolwatch_server.scope import Scope

_MOST = 50
"""Mergers one after the other that are followed: more would be a circle."""


@dataclass(frozen=True, slots=True)
class FormerCommune:
    """A code and name that a commune, or a part of it, had until then (UTC seconds)."""

    code: str
    name: str
    until: float


@dataclass(frozen=True, slots=True)
class MergedSchool:
    """A school that became part of another then (UTC seconds), by its last code."""

    code: str
    name: str
    merged_at: float


def school_merged(conn: Connection, gone: int, into: int, now: float) -> None:
    """Keeps that one school is part of another."""
    conn.execute(delete(merged_school).where(merged_school.c.school_id == gone))
    conn.execute(insert(merged_school).values(school_id=gone, into_id=into, merged_at=now))


def successor(conn: Connection, school_id: int, scope: Scope) -> SchoolRow | None:
    """The school that a merged one is part of today, as far as the scope sees it."""
    m, at = merged_school.c, school_id
    for _ in range(_MOST):
        further = conn.scalar(select(m.into_id).where(m.school_id == at))
        if further is None:
            break
        at = further
    return None if at == school_id else registry.school(conn, at, scope)


def taken_in(conn: Connection, school_id: int, scope: Scope) -> tuple[MergedSchool, ...]:
    """The schools that became part of this one, the last first."""
    m, c = merged_school.c, t.school_code.c
    last = select(c.code).where(c.school_id == m.school_id).order_by(c.id.desc()).limit(1).scalar_subquery()
    query = (
        select(last.label("code"), t.school.c.name, m.merged_at)
        .join(t.school, t.school.c.id == m.school_id)
        .where(m.into_id == school_id, registry.within(scope))
    )
    rows = conn.execute(query.order_by(m.merged_at.desc(), m.school_id))
    return tuple(MergedSchool(row.code or "", row.name, row.merged_at) for row in rows)


def commune_was(conn: Connection, commune_id: int, code: str, name: str, until: float) -> None:
    """Keeps a code and name that a commune, or what became part of it, has no more."""
    conn.execute(insert(former_commune).values(commune_id=commune_id, code=code, name=name, until=until))


def commune_merged(conn: Connection, gone: int, into: int, now: float) -> None:
    """Keeps that one commune is part of another, with all that it was before."""
    f, c = former_commune.c, t.commune.c
    conn.execute(update(former_commune).where(f.commune_id == gone).values(commune_id=into))
    code, name = conn.execute(select(c.code, c.name).where(c.id == gone)).one()
    commune_was(conn, into, code or "", name, now)


def former_communes(conn: Connection, commune_id: int) -> tuple[FormerCommune, ...]:
    """What a commune was called, and what became part of it, the last first."""
    f = former_commune.c
    query = select(f.code, f.name, f.until).where(f.commune_id == commune_id)
    return tuple(FormerCommune(*row) for row in conn.execute(query.order_by(f.until.desc(), f.id.desc())))


def communes_in_use(conn: Connection, scope: Scope, province_id: int) -> tuple[CommuneRow, ...]:
    """A province's communes that a scope sees, without those that became part of another."""
    f = former_commune.c
    into: dict[str, int] = {row.code: row.commune_id for row in conn.execute(select(f.code, f.commune_id))}
    found = registry.communes(conn, scope, province_id=province_id)
    return tuple(row for row in found if into.get(row.code, row.id) == row.id)


def commune_now(conn: Connection, code: str, scope: Scope) -> CommuneRow | None:
    """The commune that what had a code once is, or is part of, now."""
    f = former_commune.c
    id_ = conn.scalar(select(f.commune_id).where(f.code == code).order_by(f.until.desc()).limit(1))
    return next((one for one in registry.communes(conn, scope) if one.id == id_), None)
