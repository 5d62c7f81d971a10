"""What schools have as any kind of list sees it, and a plan's changes put into the database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, insert, select, update

from schoolwatch_server.access import writes_for
from schoolwatch_server.database import registry, told
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.dependents import delete_with_dependents
from schoolwatch_server.scope import Scope
from schoolwatch_server.vietnam import begins, day_of, ends
from schoolwatch_server.workbooks.listing import Held, Key, Known, Listing, key_of
from schoolwatch_server.workbooks.schools import Plan

Row = dict[str, Any]
Names = dict[tuple[str, int, str], int]
"""Ids of rooms and campuses, by what it is, its school and its name."""


@dataclass(frozen=True, slots=True)
class Store:
    """Where the things of a list are kept.

    `columns` names those of fields that are called otherwise in the table. `last_days` are days that count to
    their end. `filler` gives, for who imports, what adds to a row what the list does not say.
    """

    table: Table
    columns: Mapping[str, str] = field(default_factory=dict)
    last_days: frozenset[str] = frozenset()
    filler: Callable[[Connection, str], Callable[[Row], None]] | None = None

    def column(self, name: str) -> str:
        """The column of a field."""
        return self.columns.get(name, name)


def known(conn: Connection, listing: Listing, store: Store, scope: Scope) -> dict[str, Known]:
    """By code, what of each school that a scope sees a list is compared with."""
    rooms, campuses = _named(conn, t.room, scope), _named(conn, t.campus, scope)
    computers = _computers(conn, scope)
    things: dict[int, dict[Key, Held]] = {}
    for school, held in _held(conn, listing, store, scope):
        things.setdefault(school, {})[key_of(listing, held.values)] = held
    return {
        one.code: Known(
            one.level,
            tuple(rooms.get(one.id, {}).values()),
            tuple(campuses.get(one.id, {}).values()),
            things.get(one.id, {}),
            computers.get(one.id, {}),
            not writes_for(scope, one.managed_by),
        )
        for one in registry.schools(conn, scope)
    }


def _computers(conn: Connection, scope: Scope) -> dict[int, dict[str, int]]:
    """How many computers rooms are said to have, by school and room."""
    r = t.room.c
    query = select(r.school_id, r.name, r.declared).join(t.school, t.school.c.id == r.school_id)
    found: dict[int, dict[str, int]] = {}
    for row in conn.execute(query.where(r.declared.is_not(None), registry.within(scope))):
        found.setdefault(row.school_id, {})[row.name] = row.declared
    return found


def put(conn: Connection, listing: Listing, store: Store, plan: Plan, by: str) -> None:
    """Puts a plan without problems into the database."""
    c = t.school_code.c
    codes = conn.execute(select(c.code, c.school_id).where(c.valid_to.is_(None)))
    schools: dict[str, int] = {row.code: row.school_id for row in codes}
    names = _ids(conn, set(schools.values()))
    fill = store.filler(conn, by) if store.filler else None
    new: dict[tuple[str, ...], list[Row]] = {}
    gone = [(change.id,) for change in plan.changes if change.removes]
    delete_with_dependents(conn, store.table, gone)
    for change in plan.changes:
        if change.removes:
            continue
        school = schools[change.code]
        row: Row = {"school_id": school} if "school_id" in store.table.c else {}
        for name in change.values:
            row[store.column(name)] = _kept(listing, store, name, change.after(name), school, names)
        if fill is not None:
            fill(row)
        if change.id is None:
            new.setdefault(tuple(row), []).append(row)
            continue
        conn.execute(
            update(store.table).where(store.table.c.id == bindparam("key")), {**row, "key": change.id}
        )
        if store.table is t.room:
            told.mark_room(conn, change.id)
    for rows in new.values():
        conn.execute(insert(store.table), rows)


def _kept(listing: Listing, store: Store, name: str, value: object, school: int, names: Names) -> object:
    """A value as the table keeps it."""
    if name in listing.refers:
        return names[listing.refers[name], school, str(value)]
    if isinstance(value, date):
        return ends(value) if name in store.last_days else begins(value)
    return value


def _held(conn: Connection, listing: Listing, store: Store, scope: Scope) -> list[tuple[int, Held]]:
    names = {what: _named(conn, table, scope) for what, table in (("room", t.room), ("campus", t.campus))}
    days = {each.name for each in listing.fields if each.format == "DD/MM/YYYY"}
    found = []
    for row in conn.execute(_select(store, scope)).mappings():
        school, values = int(row["school"]), {}
        for each in listing.fields:
            value = row[store.column(each.name)]
            if value is not None and each.name in listing.refers:
                value = names[listing.refers[each.name]].get(school, {}).get(value)
            elif value is not None and each.name in days:
                value = day_of(value - 1 if each.name in store.last_days else value)
            values[each.name] = value
        found.append((school, Held(int(row["id"]), values)))
    return found


def _select(store: Store, scope: Scope) -> Select[Any]:
    table = store.table
    if "school_id" in table.c:
        joined = table.join(t.school, t.school.c.id == table.c.school_id)
    else:  # of a room of a school
        joined = table.join(t.room, t.room.c.id == table.c.room_id).join(
            t.school, t.school.c.id == t.room.c.school_id
        )
    query = select(table, t.school.c.id.label("school")).select_from(joined)
    return query.where(registry.within(scope)).order_by(table.c.id)


def _named(conn: Connection, table: Table, scope: Scope) -> dict[int, dict[int, str]]:
    """School → id → name."""
    query = select(table.c.school_id, table.c.id, table.c.name).join(
        t.school, t.school.c.id == table.c.school_id
    )
    found: dict[int, dict[int, str]] = {}
    for school, id_, name in conn.execute(query.where(registry.within(scope)).order_by(table.c.id)):
        found.setdefault(school, {})[id_] = name
    return found


def _ids(conn: Connection, schools: set[int]) -> Names:
    return {
        (what, row.school_id, row.name): row.id
        for what, table in (("room", t.room), ("campus", t.campus))
        for row in conn.execute(select(table.c.school_id, table.c.name, table.c.id))
        if row.school_id in schools
    }


def _year(_conn: Connection, _by: str) -> Callable[[Row], None]:
    """A school year is taken to last until 31 August."""

    def fill(row: Row) -> None:
        if "school_year" in row:
            row["year_ends"] = ends(date(int(row["school_year"][-4:]), 8, 31))

    return fill


def _checker(_conn: Connection, by: str) -> Callable[[Row], None]:
    def fill(row: Row) -> None:
        row["checked_by"] = by

    return fill


def _device(conn: Connection, _by: str) -> Callable[[Row], None]:
    """A device of the school that bears the asset's number is that asset."""
    m, d = t.membership.c, t.device.c
    here = select(m.school_id, d.asset_tag, d.id).join_from(t.device, t.membership, m.device_id == d.id)
    rows = conn.execute(here.where(d.asset_tag != "", m.valid_to.is_(None)).order_by(d.id.desc()))
    tagged = {(row.school_id, row.asset_tag): row.id for row in rows}

    def fill(row: Row) -> None:
        if "tag" in row:
            row["device_id"] = tagged.get((row["school_id"], row["tag"]))

    return fill


ROOMS = Store(t.room, {"campus": "campus_id", "internet_by_hand": "internet_by_hand_at"})
CAMPUSES = Store(t.campus)
CLASSES = Store(t.school_class, {"lab": "room_id"}, filler=_year)
CONTRACTS = Store(t.line_contract, last_days=frozenset({"ends"}))
ASSETS = Store(t.asset, {"room": "room_id"}, frozenset({"support_ends"}), _device)
CHECKS = Store(t.hand_check, {"room": "room_id", "checked_on": "checked_at"}, filler=_checker)
