"""What places and computers are called in graphs, and nothing else of them: each graph asks for it."""

import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    func,
    literal,
    select,
    true,
)

from schoolwatch_server.database import reach
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.asked import Asked
from schoolwatch_server.scope import Level, Scope


@dataclass(frozen=True, slots=True)
class Called:
    """Names by level and id, and the positions of schools that have one, by id."""

    names: Mapping[str, Mapping[int, str]]
    positions: Mapping[int, str]


def mark(conn: Connection) -> tuple[int, ...]:
    """Another one when a name or position may have changed: places are only added, or the audit log says so.

    It is looked up in less than a tenth of what the names of a province take.
    """
    return tuple(id_ or 0 for id_ in _MARK.all(conn, {})[0])


def called(conn: Connection, scope: Scope) -> Called:
    """Of all provinces, communes and schools that a scope sees."""
    provinces, communes, schools = _queries(scope.level)
    place = reach.place(scope)
    found = conn.execute(schools, place).all()
    names = {
        "province": _with_codes(conn.execute(provinces, place).all()),
        "commune": _with_codes(conn.execute(communes, place).all()),
        "school": {id_: name for id_, name, _, _ in found} | _told_apart(conn, found),
    }
    return Called(names, {id_: position for id_, _, position, _ in found if position})


def gone(conn: Connection) -> Called:
    """Of the schools that were deleted, or merged into others."""
    s = t.school.c
    found = conn.execute(select(s.id, s.name, s.position).where(~reach.has_code())).all()
    return Called(
        {"school": {id_: name for id_, name, _ in found}},
        {id_: position for id_, _, position in found if position},
    )


def _with_codes(rows: Sequence[Any]) -> dict[int, str]:
    """Names by id; those of one name in one place with their codes."""
    count = Counter((place, name) for _, name, _, place in rows)
    return {
        id_: _with_code(name, code) if count[place, name] > 1 else name for id_, name, code, place in rows
    }


def _told_apart(conn: Connection, schools: Sequence[Any]) -> dict[int, str]:
    """Those of one name in one commune, as there are since communes were put together, with their codes."""
    count = Counter((commune, name) for _, name, _, commune in schools)
    alike = {id_: name for id_, name, _, commune in schools if count[commune, name] > 1}
    if not alike:
        return {}
    c = t.school_code.c
    codes = conn.execute(select(c.school_id, c.code).where(c.school_id.in_(alike), c.valid_to.is_(None)))
    return {id_: _with_code(alike[id_], code) for id_, code in codes.all()}


def _with_code(name: str, code: str) -> str:
    return f"{name} ({code})"


def devices(conn: Connection, names: Collection[str], scope: Scope) -> dict[int, str]:
    """Ids of those devices of opaque names that a scope sees, each with its name."""
    query = _devices(scope.level)
    asked = [query.all(conn, {"name": name} | reach.place(scope)) for name in sorted(names)]
    return dict(itertools.chain.from_iterable(asked))


def _named(rows: Iterable[Any]) -> dict[int, str]:
    return dict(map(tuple, rows))


@cache
def _queries(level: Level) -> tuple[Select[Any], Select[Any], Select[Any]]:
    """Built once: to build them costs more than the names of a commune."""
    p, c, s = t.province.c, t.commune.c, t.school.c
    communes = _communes_inside(level)
    provinces: ColumnElement[bool] = p.id.in_(select(c.province_id).where(communes))
    if level in ("all", "province"):  # seen though there is no commune in it
        provinces = true() if level == "all" else p.id == _PLACE
    return (
        select(p.id, p.name, p.code, literal(0)).where(provinces),
        select(c.id, c.name, c.code, c.province_id).where(communes),
        select(s.id, s.name, s.position, s.commune_id).where(reach.inside(level), reach.has_code()),
    )


@cache
def _devices(level: Level) -> Asked:
    d, m = t.device.c, t.membership.c
    here = t.device.join(t.membership, and_(m.device_id == d.id, m.valid_to.is_(None)))
    query = select(d.id, d.device).select_from(here.join(t.school, m.school_id == t.school.c.id))
    query = query.where(reach.inside(level), d.device == bindparam("name"))
    return Asked(query)


_MARK = Asked(
    select(
        *(
            select(func.max(table.c.id)).scalar_subquery()
            for table in (t.audit, t.province, t.commune, t.school, t.school_code)
        )
    )
)
_PLACE = bindparam("place", type_=Integer)


def _communes_inside(level: Level) -> ColumnElement[bool]:
    c = t.commune.c
    match level:
        case "all":
            return true()
        case "province":
            return c.province_id == _PLACE
        case "commune":
            return c.id == _PLACE
        case "school":
            return c.id.in_(select(t.school.c.commune_id).where(reach.inside(level)))
