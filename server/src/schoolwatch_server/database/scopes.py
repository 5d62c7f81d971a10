"""Scopes as places of the registry: where each is in the tree, its name, and which lie inside another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, Connection, and_, false, or_, select, true

from schoolwatch_server.access import Place
from schoolwatch_server.database import tables as t
from schoolwatch_server.levels import manager
from schoolwatch_server.scope import EVERYTHING, Level, Scope


@dataclass(frozen=True, slots=True)
class Where:
    """A scope's place in the tree, with its code and name; both are empty for everything."""

    scope: Scope
    place: Place
    code: str
    name: str


def where(conn: Connection, scopes: Iterable[Scope]) -> Mapping[Scope, Where]:
    """Each scope's place; one whose place is gone is left out."""
    wanted = set(scopes)
    found = {EVERYTHING: Where(EVERYTHING, Place(), "", "")} if EVERYTHING in wanted else {}
    ids = {level: [s.id for s in wanted if s.level == level] for level in ("province", "commune", "school")}
    province, commune, school = t.province.c, t.commune.c, t.school.c
    if ids["province"]:
        query = select(province.id, province.code, province.name).where(province.id.in_(ids["province"]))
        for id_, code, name in conn.execute(query):
            found |= _one("province", id_, Place(id_), code, name)
    if ids["commune"]:
        of_commune = select(commune.id, commune.province_id, commune.code, commune.name)
        for id_, above, code, name in conn.execute(of_commune.where(commune.id.in_(ids["commune"]))):
            found |= _one("commune", id_, Place(above, id_), code, name)
    if ids["school"]:
        of_school = (
            select(
                *(school.id, school.commune_id, commune.province_id, t.school_code.c.code, school.name),
                *(school.level, school.is_specialised, school.is_boarding, school.manager.label("chosen")),
            )
            .join(t.commune, commune.id == school.commune_id)
            .join(
                t.school_code,
                and_(t.school_code.c.school_id == school.id, t.school_code.c.valid_to.is_(None)),
                isouter=True,
            )
        )
        for row in conn.execute(of_school.where(school.id.in_(ids["school"]))):
            id_, above, top, code, name, level, is_specialised, is_boarding, chosen = row
            by = manager(level, is_specialised=is_specialised, is_boarding=is_boarding, chosen=chosen)
            found |= _one("school", id_, Place(top, above, id_, by), code or "", name)
    return found


def by_code(conn: Connection, level: Level, code: str) -> Scope | None:
    """The scope of the place with that code."""
    if level == "school":
        c = t.school_code.c
        found = conn.scalar(select(c.school_id).where(c.code == code, c.valid_to.is_(None)))
    elif level == "all":
        return None
    else:
        table = t.commune if level == "commune" else t.province
        found = conn.scalar(select(table.c.id).where(table.c.code == code))
    return None if found is None else Scope(level, found)


def inside(outer: Scope, level: Column[str], id_: Column[int]) -> ColumnElement[bool]:
    """The condition that a scope kept in two columns lies inside `outer`."""
    match outer.level:
        case "all":
            return true()
        case "school":
            return and_(level == "school", id_ == outer.id)
        case "commune":
            schools = select(t.school.c.id).where(t.school.c.commune_id == outer.id)
            return or_(
                and_(level == "commune", id_ == outer.id),
                and_(level == "school", id_.in_(schools)),
            )
        case "province":
            communes = select(t.commune.c.id).where(t.commune.c.province_id == outer.id)
            schools = select(t.school.c.id).where(t.school.c.commune_id.in_(communes))
            return or_(
                and_(level == "province", id_ == outer.id),
                and_(level == "commune", id_.in_(communes)),
                and_(level == "school", id_.in_(schools)),
            )


def above(conn: Connection, inner: Scope, level: Column[str], id_: Column[int]) -> ColumnElement[bool]:
    """The condition that a scope kept in two columns is a place in which `inner` lies."""
    where_ = where(conn, [inner]).get(inner)
    place = where_.place if where_ is not None else Place()
    places = (("commune", place.commune_id), ("province", place.province_id))
    return or_(false(), *(and_(level == name, id_ == of) for name, of in places if of is not None))


def _one(level: Level, id_: int, place: Place, code: str, name: str) -> dict[Scope, Where]:
    scope = Scope(level, id_)
    return {scope: Where(scope, place, code, name)}
