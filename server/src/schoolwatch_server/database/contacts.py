"""Whom to call of a school: names, phones and addresses, sealed, and opened for somebody who looks."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from schoolwatch_server.access import writes_for
from schoolwatch_server.database import registry, sealed
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.dependents import for_good
from schoolwatch_server.scope import Scope
from schoolwatch_server.sealing import AlteredError
from schoolwatch_server.workbooks.contacts import LISTING, PERSONAL
from schoolwatch_server.workbooks.listing import Held, Known, key_of
from schoolwatch_server.workbooks.schools import Plan

_COLUMNS = {"name": sealed.CONTACT_NAME, "phone": sealed.CONTACT_PHONE, "email": sealed.CONTACT_EMAIL}


@dataclass(frozen=True, slots=True)
class Contact:
    """A person to call; what nobody gave is empty. `is_altered`: something of it opens no more."""

    id: int
    kind: str
    name: str
    phone: str
    email: str
    changed_at: float
    is_altered: bool = False


def kinds(conn: Connection, school_id: int, scope: Scope) -> dict[str, float]:
    """Which contacts a school has, and when each was changed; nothing of the person."""
    c = t.contact.c
    query = select(c.kind, c.changed_at).join(t.school, t.school.c.id == c.school_id)
    return {
        row.kind: row.changed_at
        for row in conn.execute(query.where(c.school_id == school_id, registry.within(scope)))
    }


def known_kinds(conn: Connection, school_id: int) -> frozenset[str]:
    """Which contacts a school has, for a message of the server's own; nothing of the person."""
    c = t.contact.c
    return frozenset(conn.scalars(select(c.kind).where(c.school_id == school_id)))


def opened(conn: Connection, scope: Scope, *, school_id: int | None = None) -> dict[int, tuple[Contact, ...]]:
    """The contacts of the schools that a scope sees, by school. Raises `SealError`.

    Who calls it for somebody to look at writes the look into the audit log.
    """
    c = t.contact.c
    query = select(t.contact).join(t.school, t.school.c.id == c.school_id).where(registry.within(scope))
    if school_id is not None:
        query = query.where(c.school_id == school_id)
    found: dict[int, tuple[Contact, ...]] = {}
    for row in conn.execute(query.order_by(c.school_id, c.kind.desc())).mappings():
        told, lost = {}, False
        for name, one in _COLUMNS.items():
            try:
                told[name] = _opened(conn, one.purpose(row["id"]), row[name])
            except AlteredError:  # one row's trouble: the other schools' contacts are read all the same
                told[name], lost = "", True
        contact = Contact(row["id"], row["kind"], **told, changed_at=row["changed_at"], is_altered=lost)
        found[row["school_id"]] = (*found.get(row["school_id"], ()), contact)
    return found


def _opened(conn: Connection, purpose: str, secret: bytes | None) -> str:
    return "" if secret is None else sealed.keys(conn).unseal(purpose, secret).decode()


def write(conn: Connection, school_id: int, kind: str, values: Mapping[str, str], now: float) -> None:
    """Sets what is given of a contact, who is made when there is none; an empty text takes it away."""
    c = t.contact.c
    here = (c.school_id == school_id) & (c.kind == kind)
    id_ = conn.scalar(select(c.id).where(here))
    if id_ is None:
        row = {"school_id": school_id, "kind": kind, "changed_at": now}
        key = conn.execute(insert(t.contact).values(**row)).inserted_primary_key
        assert key is not None  # a row was inserted
        id_ = int(key[0])
    keys = sealed.keys(conn)
    secret = {
        name: keys.seal(_COLUMNS[name].purpose(id_), value.encode()) if value else None
        for name, value in values.items()
    }
    conn.execute(update(t.contact).where(c.id == id_).values(changed_at=now, **secret))


def remove(conn: Connection, school_id: int, kind: str) -> bool:
    """Takes a contact away; whether there was one."""
    for_good(conn)
    c = t.contact.c
    return conn.execute(delete(t.contact).where(c.school_id == school_id, c.kind == kind)).rowcount > 0


def known(conn: Connection, scope: Scope) -> dict[str, Known]:
    """By code, what of each school a list of contacts is compared with. Raises `SealError`."""
    there = opened(conn, scope)
    found = {}
    for school in registry.schools(conn, scope):
        things = {}
        for one in there.get(school.id, ()):
            values = {"kind": one.kind, "name": one.name, "phone": one.phone, "email": one.email}
            things[key_of(LISTING, values)] = Held(one.id, values)
        found[school.code] = Known(
            school.level, things=things, is_others=not writes_for(scope, school.managed_by)
        )
    return found


def put(conn: Connection, plan: Plan, now: float) -> None:
    """Puts a plan of contacts without problems into the database."""
    c = t.school_code.c
    codes = conn.execute(select(c.code, c.school_id).where(c.valid_to.is_(None)))
    schools = {row.code: row.school_id for row in codes}
    kind_of = {row.id: row.kind for row in conn.execute(select(t.contact.c.id, t.contact.c.kind))}
    for change in plan.changes:
        kind = str(change.after("kind")) if change.id is None else kind_of[change.id]
        if change.removes:
            remove(conn, schools[change.code], kind)
            continue
        values = {name: str(change.after(name)) for name in PERSONAL if name in change.values}
        write(conn, schools[change.code], kind, values, now)
