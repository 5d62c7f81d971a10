"""Lists from a file, of schools and of what they have: looked through, and imported whole or not at all."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, get_args

from sqlalchemy import Connection, Engine

from schoolwatch_server.access import Permission
from schoolwatch_server.database import contacts as contact_rows
from schoolwatch_server.database import listed, people, roster
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.listed import Store
from schoolwatch_server.database.rows import SchoolRow
from schoolwatch_server.scope import Scope
from schoolwatch_server.vietnam import day_of
from schoolwatch_server.workbooks import (
    assets,
    campuses,
    checks,
    classes,
    communes,
    contacts,
    contracts,
    grid,
    rooms,
    school_plan,
    schools,
    table,
)
from schoolwatch_server.workbooks import listing as listings
from schoolwatch_server.workbooks.grid import Grid
from schoolwatch_server.workbooks.listing import Listing
from schoolwatch_server.workbooks.schools import Plan
from schoolwatch_server.workbooks.table import Field, Read

Name = Literal["commune", "school", "campus", "room", "class", "contract", "asset", "contact", "check"]
NAMES: tuple[Name, ...] = get_args(Name)
"""In the order in which they are best imported: a room names its campus, a class its lab."""


@dataclass(frozen=True, slots=True)
class Roster:
    """A kind of list: its columns, what it would do as far as a scope sees, and how that is done.

    `permission` is what who imports it must hold.
    """

    fields: tuple[Field, ...]
    plan: Callable[[Connection, Scope, Read, date], Plan]
    put: Callable[[Connection, Plan, float, str], None]
    permission: Permission


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file holds, how it was read, and what it would do; `digest` (SHA-256, hex) names the file."""

    name: Name
    digest: str
    grid: Grid
    read: Read
    plan: Plan


def look(engine: Engine, name: Name, data: bytes, scope: Scope, now: float) -> Preview:
    """What the list would change, and what is wrong with it. Raises `GridError`."""
    rows, read = _read(name, data, scope)
    with begin_read(engine) as conn:
        found = ROSTERS[name].plan(conn, scope, read, day_of(now))
    return Preview(name, _digest(data), rows, read, found)


def take_in(engine: Engine, name: Name, data: bytes, scope: Scope, *, by: str, now: float) -> Preview:
    """Does all of it in one transaction, or nothing where there is a problem; what was done or is wrong.

    Raises `GridError`, and `RegistryError` when a code was taken meanwhile outside the scope.
    """
    rows, read = _read(name, data, scope)
    with begin_write(engine) as conn:
        found = ROSTERS[name].plan(conn, scope, read, day_of(now))
        if found.changes and not found.problems:
            ROSTERS[name].put(conn, found, now, by)
            new, removed = numbers(found)
            detail = {"file": _digest(data), "new": new, "changed": len(found.changes) - new - removed}
            detail |= {"removed": removed} if removed else {}
            detail |= {"communes": len(found.communes)} if found.communes else {}
            people.record(conn, actor=by, action=f"{name}.import", subject="", detail=detail, now=now)
    return Preview(name, _digest(data), rows, read, found)


def _read(name: Name, data: bytes, scope: Scope) -> tuple[Grid, Read]:
    """Who sees one school alone need not write its code."""
    fields = ROSTERS[name].fields
    if scope.level == "school":
        fields = tuple(replace(one, is_required=False) if one is schools.CODE else one for one in fields)
    rows = grid.read(data, lambda sheet: table.fits(sheet, fields))
    return rows, table.read(rows, fields)


def numbers(plan: Plan) -> tuple[int, int]:
    """How many things a plan adds, and how many it takes away; the others it changes."""
    return sum(one.id is None for one in plan.changes), sum(one.removes for one in plan.changes)


def rows_of(conn: Connection, name: Name, school: SchoolRow) -> list[Mapping[str, object]]:
    """What a school has, as rows of a list, in the order in which it was entered."""
    listing, store = LISTS[name]
    known = listed.known(conn, listing, store, Scope("school", school.id))
    things = known[school.code].things.values()
    return [{"code": school.code, **one.values} for one in sorted(things, key=lambda one: one.id)]


def _plan_communes(conn: Connection, scope: Scope, read: Read, _today: date) -> Plan:
    return communes.plan(read, roster.known(conn, scope))


def _put_communes(conn: Connection, plan: Plan, now: float, _by: str) -> None:
    roster.put_communes(conn, plan, now)


def _plan_schools(conn: Connection, scope: Scope, read: Read, today: date) -> Plan:
    return school_plan.plan(read, roster.known(conn, scope), today)


def _put_schools(conn: Connection, plan: Plan, now: float, by: str) -> None:
    roster.put(conn, plan, now, by)


def _list(listing: Listing, store: Store) -> Roster:
    """A list of what schools have."""

    def plan(conn: Connection, scope: Scope, read: Read, today: date) -> Plan:
        return listings.plan(listing, read, listed.known(conn, listing, store, scope), today)

    def put(conn: Connection, plan: Plan, _now: float, by: str) -> None:
        listed.put(conn, listing, store, plan, by)

    return Roster(listing.columns, plan, put, "declare")


def _plan_contacts(conn: Connection, scope: Scope, read: Read, today: date) -> Plan:
    return listings.plan(contacts.LISTING, read, contact_rows.known(conn, scope), today)


def _put_contacts(conn: Connection, plan: Plan, now: float, _by: str) -> None:
    contact_rows.put(conn, plan, now)


LISTS: Mapping[Name, tuple[Listing, Store]] = {
    "campus": (campuses.LISTING, listed.CAMPUSES),
    "room": (rooms.LISTING, listed.ROOMS),
    "class": (classes.LISTING, listed.CLASSES),
    "contract": (contracts.LISTING, listed.CONTRACTS),
    "asset": (assets.LISTING, listed.ASSETS),
    "check": (checks.LISTING, listed.CHECKS),
}
"""What a school has, by the list that brings it: also what its page shows."""

ROSTERS: Mapping[Name, Roster] = {
    "commune": Roster(communes.FIELDS, _plan_communes, _put_communes, "registry"),
    "school": Roster(schools.FIELDS, _plan_schools, _put_schools, "registry"),
    **{name: _list(*each) for name, each in LISTS.items()},
    "contact": Roster(contacts.LISTING.columns, _plan_contacts, _put_contacts, "declare"),
}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
