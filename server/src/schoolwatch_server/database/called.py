"""What places are called and where schools stand, and nothing else of them: each graph asks for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Select, bindparam, select, true

from schoolwatch_server.database import reach
from schoolwatch_server.database import tables as t
from schoolwatch_server.scope import Level, Scope


@dataclass(frozen=True, slots=True)
class Called:
    """Names by level and id, and the positions of schools that have one, by id."""

    names: Mapping[str, Mapping[int, str]]
    positions: Mapping[int, str]


def called(conn: Connection, scope: Scope) -> Called:
    """Of all provinces, communes and schools that a scope sees."""
    provinces, communes, schools = _queries(scope.level)
    place = reach.place(scope)
    found = conn.execute(schools, place).all()
    names = {
        "province": _named(conn.execute(provinces, place)),
        "commune": _named(conn.execute(communes, place)),
        "school": {id_: name for id_, name, _ in found},
    }
    return Called(names, {id_: position for id_, _, position in found if position})


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
        select(p.id, p.name).where(provinces),
        select(c.id, c.name).where(communes),
        select(s.id, s.name, s.position).where(reach.inside(level), reach.has_code()),
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
