"""The registry's schools as a list of them sees them, and a plan's changes put into it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Table, insert, select, update

from schoolwatch_server.database import declarations, registry, sites, succession
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.rows import SchoolRow
from schoolwatch_server.scope import Scope
from schoolwatch_server.vietnam import begins, day_of
from schoolwatch_server.workbooks.schools import DECLARED, STATUS, Change, Known, Place, Plan, School


def known(conn: Connection, scope: Scope) -> Known:
    """What a scope sees of schools, communes and provinces, and the codes that are no more."""
    provinces = registry.provinces(conn, scope)
    communes = registry.communes(conn, scope)
    codes = {one.id: one.code for one in communes}
    of = {one.id: one.code for one in provinces}
    c = t.school_code.c
    # The first code of all held before anybody entered it: it alone may end on an earlier day.
    earlier = select(c.school_id).where(c.valid_to.is_not(None))
    began = select(c.school_id, c.valid_from).where(c.valid_to.is_(None), c.school_id.in_(earlier))
    since = {row.school_id: day_of(row.valid_from) for row in conn.execute(began)}
    websites = sites.addresses(conn, scope)
    now = {
        one.code: School(
            one.id,
            one.code,
            one.name,
            one.level,
            codes[one.commune_id],
            one.declared,
            since.get(one.id, date.min),
            status(one),
            websites.get(one.id, ""),
        )
        for one in registry.schools(conn, scope)
    }
    used = set(conn.scalars(select(c.code)))
    everywhere = set(conn.scalars(select(t.commune.c.code).where(t.commune.c.code.is_not(None))))
    return Known(
        now,
        frozenset(used - now.keys()),
        {one.code: Place(one.code, one.name, of[one.province_id]) for one in communes},
        {one.code: Place(one.code, one.name) for one in provinces},
        frozenset(everywhere - set(codes.values())),
        may_add_province=scope.level == "all",
    )


@dataclass(frozen=True, slots=True)
class FormerCode:
    """A code that a school had, from the one day to before the other (UTC seconds)."""

    code: str
    valid_from: float
    valid_to: float


def former_codes(conn: Connection, school_id: int, scope: Scope) -> tuple[FormerCode, ...]:
    """The codes that a school had before the present one, the newest first, as long as they are kept."""
    c = t.school_code.c
    query = select(c.code, c.valid_from, c.valid_to).join(t.school, t.school.c.id == c.school_id)
    query = query.where(c.school_id == school_id, c.valid_to.is_not(None), registry.within(scope))
    return tuple(FormerCode(*row) for row in conn.execute(query.order_by(c.valid_to.desc(), c.id.desc())))


def put(conn: Connection, plan: Plan, now: float, by: str) -> None:
    """Puts a plan without problems into the registry.

    Raises `RegistryError`.
    """
    provinces = _ids(conn, t.province)
    for place in plan.provinces:
        provinces[place.code] = registry.create_province(conn, place.code, place.name)
    communes = _ids(conn, t.commune)
    for place in plan.communes:
        communes[place.code] = registry.create_commune(conn, provinces[place.within], place.code, place.name)
    declared = []
    for change in plan.changes:
        since = now if change.since is None else begins(change.since)
        if change.id is None:
            commune = communes[str(change.after("commune"))]
            level = str(change.after("level") or "")
            school = registry.create_school(conn, commune, change.code, change.name, level, since)
        else:
            school = change.id
            _change(conn, school, change, communes, since)
        set_status(conn, school, {name: str(change.after(name)) for name in STATUS if name in change.values})
        former = change.after("former_code")
        if former is not None:  # of before the registry: it leads to the school from now on
            row = {"school_id": school, "code": former, "valid_from": since, "valid_to": since}
            conn.execute(insert(t.school_code).values(**row))
        if "website" in change.values:
            sites.change(conn, school, str(change.after("website")), now, by)
        for quantity in DECLARED:
            value = change.after(quantity)
            if isinstance(value, int):
                declared.append((school, quantity, float(value)))
    declarations.declare_all(conn, declared, now, by)


def put_communes(conn: Connection, plan: Plan, now: float) -> None:
    """Puts a plan of communes without problems into the registry."""
    provinces = _ids(conn, t.province)
    for place in plan.provinces:
        provinces[place.code] = registry.create_province(conn, place.code, place.name)
    for change in plan.changes:
        province, name = change.after("province"), change.after("name")
        if change.id is None:
            registry.create_commune(conn, provinces[str(province)], change.code, change.name)
            continue
        values: dict[str, object] = {"name": name} if name is not None else {}
        held = change.values["code"][0] if "code" in change.values else change.code
        values |= {"code": change.code} if held != change.code else {}
        values |= {"province_id": provinces[str(province)]} if province is not None else {}
        if "name" in values or "code" in values:
            row = conn.execute(select(t.commune.c.id, t.commune.c.name).where(t.commune.c.code == held)).one()
            succession.commune_was(conn, row.id, str(held), row.name, now)
        if values:
            conn.execute(update(t.commune).where(t.commune.c.code == held).values(**values))
    communes = _ids(conn, t.commune)
    for change in plan.changes:
        into = change.after("into")
        if into is not None:
            here = t.school.c.commune_id == communes[change.code]
            conn.execute(update(t.school).where(here).values(commune_id=communes[str(into)]))
            succession.commune_merged(conn, communes[change.code], communes[str(into)], now)


def _change(conn: Connection, school: int, change: Change, communes: dict[str, int], since: float) -> None:
    values: dict[str, object] = {
        name: change.after(name) for name in ("name", "level") if name in change.values
    }
    if "commune" in change.values:
        values["commune_id"] = communes[str(change.after("commune"))]
    if values:
        conn.execute(update(t.school).where(t.school.c.id == school).values(**values))
    if "code" in change.values:
        registry.change_code(conn, school, change.code, since)


def set_status(conn: Connection, school: int, changed: Mapping[str, str]) -> None:
    """Sets what is given of what `status` says."""
    values: dict[str, object] = {
        name: changed[name] for name in ("manager", "former_place", "position") if name in changed
    }
    if "owned" in changed:
        values["is_public"] = changed["owned"] == "public"
    if "specialised" in changed:
        kind = changed["specialised"]
        values |= {"is_specialised": kind != "no", "is_boarding": kind == "boarding"}
    if values:
        conn.execute(update(t.school).where(t.school.c.id == school).values(**values))


def status(school: SchoolRow) -> dict[str, str]:
    """Who manages a school and what kind it is, by the fields of a list of schools (`STATUS`)."""
    kind = "boarding" if school.is_boarding else "yes" if school.is_specialised else "no"
    owned = "public" if school.is_public else "private"
    return {
        "manager": school.manager,
        "specialised": kind,
        "owned": owned,
        "former_place": school.former_place,
        "position": school.position,
    }


def _ids(conn: Connection, table: Table) -> dict[str, int]:
    return {row.code: row.id for row in conn.execute(select(table.c.code, table.c.id))}
