"""Province → commune → school → room → device: who is where, since when, and what was declared."""

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, insert, select, true, update

from schoolwatch_server.alphabet import Order, order
from schoolwatch_server.database import incident_homes, told
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.reach import has_code as has_code
from schoolwatch_server.database.reach import within as within
from schoolwatch_server.database.roles import DEVICE_ROLES as DEVICE_ROLES
from schoolwatch_server.database.roles import ROLES as ROLES
from schoolwatch_server.database.rows import CommuneRow as CommuneRow
from schoolwatch_server.database.rows import DeviceRow as DeviceRow
from schoolwatch_server.database.rows import ProvinceRow as ProvinceRow
from schoolwatch_server.database.rows import SchoolRow as SchoolRow
from schoolwatch_server.scope import EVERYTHING, Scope


class RegistryError(ValueError):
    """What was asked for does not fit the registry; the text says why."""


def create_province(conn: Connection, code: str, name: str) -> int:
    """Its id."""
    return _created(conn, t.province, code=code, name=name)


def create_commune(conn: Connection, province_id: int, code: str, name: str) -> int:
    """Its id."""
    return _created(conn, t.commune, province_id=province_id, code=code, name=name)


def create_school(conn: Connection, commune_id: int, code: str, name: str, level: str, now: float) -> int:
    """Its id, permanent; the code is an attribute with history. Raises `RegistryError` for a code in use."""
    school_id = _created(conn, t.school, commune_id=commune_id, name=name, level=level, created_at=now)
    change_code(conn, school_id, code, now)
    return school_id


def change_code(conn: Connection, school_id: int, code: str, now: float) -> None:
    """Gives a school another code from `now` on.

    The first code of a school held before anybody entered it, and so may end on any day.
    Raises `RegistryError` when another school has it, or the present one, not the first, began no earlier.
    """
    c = t.school_code.c
    holder = conn.scalar(select(c.school_id).where(c.code == code, c.valid_to.is_(None)))
    if holder == school_id:
        return
    if holder is not None:
        raise RegistryError(f"school code {code!r} is already in use")
    begun = conn.scalar(select(c.valid_from).where(c.school_id == school_id, c.valid_to.is_(None)))
    if begun is not None:
        earlier = select(c.id).where(c.school_id == school_id, c.valid_to.is_not(None)).limit(1)
        if begun >= now and conn.scalar(earlier) is not None:
            raise RegistryError(f"the code before {code!r} would end before it begins")
        ends = {"valid_from": min(begun, now), "valid_to": now}
        here = (c.school_id == school_id) & c.valid_to.is_(None)
        conn.execute(update(t.school_code).where(here).values(**ends))
    conn.execute(insert(t.school_code).values(school_id=school_id, code=code, valid_from=now))


def create_room(conn: Connection, school_id: int, name: str, role: str, declared: int | None = None) -> int:
    """Its id; `declared` computers are in it. Raises `RegistryError` for a role that isn't in `ROLES`."""
    return _created(conn, t.room, school_id=school_id, name=name, role=_role(role), declared=declared)


def change_room(
    conn: Connection, school_id: int, room_id: int, role: str, declared: int | None = None
) -> None:
    """What a room is used for and how many computers it has. Raises `RegistryError` for what is unknown."""
    _check_room(conn, school_id, room_id)
    values = {"role": _role(role), "declared": declared}
    conn.execute(update(t.room).where(t.room.c.id == room_id).values(**values))
    told.mark_room(conn, room_id)


def create_device(
    conn: Connection,
    school_id: int,
    room_id: int | None,
    label: str,
    now: float,
    role: str | None = None,
    name: str | None = None,
) -> DeviceRow:
    """A device with an opaque id for life (`name`, or a new random one); `role` overrides its room's.

    It has no credential yet.
    """
    name = name or secrets.token_hex(16)
    own = None if role is None else _role(role, DEVICE_ROLES)
    device_id = _created(conn, t.device, device=name, label=label, role=own, created_at=now)
    _check_room(conn, school_id, room_id)
    row = {"device_id": device_id, "school_id": school_id, "room_id": room_id}
    conn.execute(insert(t.membership).values(valid_from=now, **row))
    told.mark(conn, [device_id])
    made = device(conn, name, EVERYTHING)
    assert made is not None  # a row was inserted
    return made


def move_device(conn: Connection, device_id: int, school_id: int, room_id: int | None, now: float) -> None:
    """Ends the device's membership at `now` and begins the new one; a move to where it is changes nothing.

    In another school it is no asset of the former one's register any more, whose record stays.
    """
    m = t.membership
    still = and_(m.c.device_id == device_id, m.c.valid_to.is_(None))
    held = conn.execute(select(m.c.school_id, m.c.room_id).where(still)).first()
    if held is not None and (held.school_id, held.room_id) == (school_id, room_id):
        return
    _check_room(conn, school_id, room_id)
    conn.execute(update(m).where(still).values(valid_to=now))
    row = {"device_id": device_id, "school_id": school_id, "room_id": room_id}
    conn.execute(insert(m).values(valid_from=now, **row))
    incident_homes.follow(conn, device_id, school_id, room_id, now)
    told.mark(conn, [device_id])
    if held is not None and held.school_id != school_id:
        told.leave_line(conn, device_id)
        a = t.asset.c
        theirs = (a.device_id == device_id) & (a.school_id != school_id)
        if conn.execute(update(t.asset).where(theirs).values(device_id=None)).rowcount:
            conn.execute(update(t.device).where(t.device.c.id == device_id).values(asset_tag=""))


def set_device(conn: Connection, device_id: int, *, label: str, role: str | None, broken: bool) -> None:
    """What people say of a device: its label, its own role (None: its room's), and whether it is broken."""
    own = None if role is None else _role(role, DEVICE_ROLES)
    conn.execute(
        update(t.device).where(t.device.c.id == device_id).values(label=label, role=own, broken=broken)
    )
    told.mark(conn, [device_id])


def retire_device(conn: Connection, device_id: int, now: float) -> None:
    """The device is gone: it leaves the lists and its credential no longer works; lives.py undoes it."""
    conn.execute(update(t.device).where(t.device.c.id == device_id).values(retired_at=now))
    m, c = t.membership, t.credential
    conn.execute(update(m).where(m.c.device_id == device_id, m.c.valid_to.is_(None)).values(valid_to=now))
    incident_homes.end_retired(conn, device_id, now)
    held = (c.c.device_id == device_id) & c.c.revoked_at.is_(None)
    conn.execute(update(c).where(held).values(revoked_at=now, changed_at=now))
    told.leave_line(conn, device_id)


def provinces(conn: Connection, scope: Scope) -> tuple[ProvinceRow, ...]:
    """The provinces that a scope sees, by name."""
    query = select(t.province.c.id, t.province.c.code, t.province.c.name)
    if scope.level != "all":
        query = query.where(
            t.province.c.id.in_(select(t.commune.c.province_id).where(_communes_within(scope)))
            if scope.level != "province"
            else t.province.c.id == scope.id
        )
    return tuple(sorted((ProvinceRow(*row) for row in conn.execute(query)), key=_by_name))


def communes(conn: Connection, scope: Scope, *, province_id: int | None = None) -> tuple[CommuneRow, ...]:
    """The communes that a scope sees, by name."""
    query = (
        select(t.commune.c.id, t.commune.c.code, t.commune.c.name, t.commune.c.province_id, t.province.c.name)
        .join_from(t.commune, t.province)
        .where(_communes_within(scope))
    )
    if province_id is not None:
        query = query.where(t.commune.c.province_id == province_id)
    return tuple(sorted((CommuneRow(*row) for row in conn.execute(query)), key=_by_name))


def schools(conn: Connection, scope: Scope, *, commune_id: int | None = None) -> tuple[SchoolRow, ...]:
    """The schools that a scope sees, by name; not those that were merged into another, or deleted."""
    query = _schools().where(within(scope), has_code())
    if commune_id is not None:
        query = query.where(t.school.c.commune_id == commune_id)
    return tuple(sorted(_with_declared(conn, conn.execute(query).all()), key=_by_name))


def school_by_code(conn: Connection, code: str, scope: Scope) -> SchoolRow | None:
    """The school that has this code now, or had it last when nobody has it now.

    The code of the row is empty for a school that is no more: what it was is read, and nothing is put there.
    """
    c = t.school_code.c
    past = select(c.school_id).where(c.code == code).order_by(c.valid_to.is_not(None), c.valid_to.desc())
    school_id = conn.scalar(past.limit(1))
    return None if school_id is None else school(conn, school_id, scope)


def school(conn: Connection, school_id: int, scope: Scope) -> SchoolRow | None:
    """One school by its id."""
    rows = conn.execute(_schools().where(within(scope), t.school.c.id == school_id)).all()
    return next(iter(_with_declared(conn, rows)), None)


def devices(conn: Connection, scope: Scope, *, school_id: int | None = None) -> tuple[DeviceRow, ...]:
    """The devices in use that a scope sees, by school, label and id."""
    query = _devices().where(within(scope))
    if school_id is not None:
        query = query.where(t.school.c.id == school_id)
    found = (DeviceRow(*row) for row in conn.execute(query))
    return tuple(sorted(found, key=lambda row: (order(row.school), order(row.label), row.id)))


def device(conn: Connection, device: str, scope: Scope) -> DeviceRow | None:
    """One device by its opaque id of 32 hex digits."""
    row = conn.execute(_devices().where(within(scope), t.device.c.device == device)).first()
    return None if row is None else DeviceRow(*row)


def _by_name(row: ProvinceRow | CommuneRow | SchoolRow) -> tuple[Order, int]:
    """By name as people look for it, which no database that we run on does by itself."""
    return order(row.name), row.id


def _communes_within(scope: Scope) -> ColumnElement[bool]:
    if scope.level == "school":
        return t.commune.c.id.in_(select(t.school.c.commune_id).where(within(scope)))
    conditions = {"all": true(), "province": t.commune.c.province_id == scope.id}
    return conditions.get(scope.level, t.commune.c.id == scope.id)


def _schools() -> Select[Any]:
    code = func.coalesce(t.school_code.c.code, "")
    present = and_(t.school_code.c.school_id == t.school.c.id, t.school_code.c.valid_to.is_(None))
    s, c, p = t.school.c, t.commune.c, t.province.c
    more = (s.manager, s.is_specialised, s.is_boarding, s.is_public, s.former_place, s.position)
    return select(s.id, code, s.name, s.level, c.id, c.name, p.id, p.name, *more).select_from(
        t.school.join(t.commune).join(t.province).outerjoin(t.school_code, present)
    )


def _with_declared(conn: Connection, rows: Sequence[Sequence[Any]]) -> tuple[SchoolRow, ...]:
    d = t.declaration.c
    query = select(d.school_id, d.quantity, d.value).order_by(d.declared_at, d.id)
    if len(rows) <= 100:  # a longer list is most of the table anyway
        query = query.where(d.school_id.in_([row[0] for row in rows]))
    declared: dict[int, dict[str, float]] = {}
    for school_id, quantity, value in conn.execute(query):
        of = declared.setdefault(school_id, {})
        of.pop(quantity, None)
        if value >= 0:
            of[quantity] = value
    return tuple(SchoolRow(*(*row[:8], declared.get(row[0], {}), *row[8:])) for row in rows)


def _devices() -> Select[Any]:
    d, s, r, st = t.device.c, t.school.c, t.room.c, t.state.c
    m = t.membership
    here = and_(m.c.device_id == d.id, m.c.valid_to.is_(None))
    present = and_(t.school_code.c.school_id == s.id, t.school_code.c.valid_to.is_(None))
    joined = (
        t.device.join(m, here)
        .join(t.school, m.c.school_id == s.id)
        .outerjoin(t.room, m.c.room_id == r.id)
        .outerjoin(t.school_code, present)
        .outerjoin(t.state, st.device_id == d.id)
    )
    return select(
        d.id,
        d.device,
        d.label,
        func.coalesce(d.role, r.role),
        r.name,
        s.id,
        func.coalesce(t.school_code.c.code, ""),
        s.name,
        st.heard_at,
        st.taken_at,
        st.agent,
        st.protected,
        st.ipv6_rung,
        st.link_speed,
        st.link_medium,
        d.broken,
        st.antivirus,
    ).select_from(joined)


def _created(conn: Connection, table: Table, **values: object) -> int:
    key = conn.execute(insert(table).values(**values)).inserted_primary_key
    assert key is not None  # a row was inserted
    return int(key[0])


def _role(role: str, known: tuple[str, ...] = ROLES) -> str:
    if role not in known:
        raise RegistryError(f"{role!r} is none of {', '.join(known)}")
    return role


def _check_room(conn: Connection, school_id: int, room_id: int | None) -> None:
    if room_id is None:
        return
    if conn.scalar(select(t.room.c.school_id).where(t.room.c.id == room_id)) != school_id:
        raise RegistryError(f"room {room_id} is not of school {school_id}")
