"""Schools that become one, or two: their devices, rooms and lists move, and no credential is touched.

Rooms are made anew in the other school, with all that is said of them: the history of a room stays where it
was, and what was measured there with it. Two rooms of the same name are two rooms still.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, or_, select, update

from schoolwatch_server.database import declarations, pages, registry, succession
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.dependents import for_good
from schoolwatch_server.database.registry import RegistryError

Rooms = dict[int, int]
"""Room of the one school → room of the other."""

_SAID = ("role", "declared", "in_use", "projection", "projection_ok", "internet_by_hand_at")
_NAME_MAX = 50
"""Letters of a name that is told apart by the code of a school: column and code leave no more."""


def merge_schools(conn: Connection, gone: int, into: int, now: float, by: str) -> int:
    """Every device of one school is of another from `now` on, in the same rooms; how many.

    Devices that wait go along, and so do the lists: rooms, campuses (the place itself becomes one), assets,
    present classes and contracts. What both declared is added up. The code of the school that is gone ends,
    and whom to call there is forgotten. Raises `RegistryError`.
    """
    if gone == into:
        raise RegistryError("a school cannot be merged with itself")
    sc, m = t.school_code, t.membership
    names = select(t.school.c.name, sc.c.code).join(sc, sc.c.school_id == t.school.c.id)
    old = conn.execute(names.where(t.school.c.id == gone, sc.c.valid_to.is_(None))).one()
    rooms = _all_rooms(conn, gone, into, old.name, old.code)
    here = select(m.c.device_id, m.c.room_id).where(m.c.school_id == gone, m.c.valid_to.is_(None))
    moving = conn.execute(here).all()
    _lists(conn, gone, into, rooms, old.code, now)
    for row in moving:
        registry.move_device(conn, row.device_id, into, rooms.get(row.room_id), now)
    _waiting(conn, gone, into, [*rooms.items(), (None, None)])
    conn.execute(update(sc).where(sc.c.school_id == gone, sc.c.valid_to.is_(None)).values(valid_to=now))
    _add_declared(conn, gone, into, now, by)
    token = t.enrolment_token  # which nobody new may use, and frozen computers go on using at each start
    conn.execute(update(token).where(token.c.school_id == gone).values(uses_left=0))
    succession.school_merged(conn, gone, into, now)
    for_good(conn)
    conn.execute(delete(t.contact).where(t.contact.c.school_id == gone))
    return len(moving)


def split_school(
    conn: Connection,
    whole: int,
    code: str,
    name: str,
    level: str,
    chosen: tuple[int, ...],
    now: float,
    by: str,
) -> tuple[int, int]:
    """A new school of the same commune, with these rooms of the other; its id, and how many devices moved.

    Devices with their assets, those that wait, hand checks and the classes that use the rooms go along. The
    other one keeps its code with its history; the counts that it declared were of both, and are asked anew.
    Raises `RegistryError`.
    """
    commune = conn.scalar(select(t.school.c.commune_id).where(t.school.c.id == whole))
    if commune is None or not chosen:
        raise RegistryError("a school is split by its rooms: name one at least")
    new = registry.create_school(conn, commune, code, name, level, now)
    rooms = _some_rooms(conn, whole, new, chosen)
    m = t.membership
    here = select(m.c.device_id, m.c.room_id).where(m.c.room_id.in_(chosen), m.c.valid_to.is_(None))
    moving = conn.execute(here).all()
    for old, there in rooms.items():
        _follow(conn, t.asset, t.asset.c.room_id == old, {"school_id": new, "room_id": there})
    for row in moving:
        theirs = (t.asset.c.device_id == row.device_id) & (t.asset.c.school_id == whole)
        _follow(conn, t.asset, theirs, {"school_id": new, "room_id": rooms[row.room_id]})
        registry.move_device(conn, row.device_id, new, rooms[row.room_id], now)
    _waiting(conn, whole, new, [*rooms.items()])
    for old, there in rooms.items():
        used = (t.school_class.c.room_id == old) & (t.school_class.c.year_ends > now)
        _follow(conn, t.school_class, used, {"school_id": new, "room_id": there})
    declarations.unsay(conn, whole, now, by)
    return new, len(moving)


def _all_rooms(conn: Connection, gone: int, into: int, name: str, code: str) -> Rooms:
    """Every room made anew; where it named no campus it is at the place of the school that is gone."""
    taken = set(conn.scalars(select(t.campus.c.name).where(t.campus.c.school_id == into)))
    for row in conn.execute(select(t.campus.c.id, t.campus.c.name).where(t.campus.c.school_id == gone)).all():
        free = _free(row.name, code, taken)
        conn.execute(update(t.campus).where(t.campus.c.id == row.id).values(school_id=into, name=free))
    rooms = conn.execute(select(t.room).where(t.room.c.school_id == gone)).mappings().all()
    place = _campus(conn, into, _free(name, code, taken)) if rooms else None
    names = set(conn.scalars(select(t.room.c.name).where(t.room.c.school_id == into)))
    return {
        int(row["id"]): _made(conn, into, row, _free(row["name"], code, names), row["campus_id"] or place)
        for row in rooms
    }


def _some_rooms(conn: Connection, whole: int, new: int, chosen: tuple[int, ...]) -> Rooms:
    r, c = t.room, t.campus
    query = select(r, c.c.name.label("campus")).outerjoin(c, c.c.id == r.c.campus_id)
    rows = conn.execute(query.where(r.c.school_id == whole, r.c.id.in_(chosen))).mappings().all()
    if len(rows) != len(set(chosen)):
        raise RegistryError("a room is not of this school")
    campuses = {
        name: _campus(conn, new, name) for name in {row["campus"] for row in rows} if name is not None
    }
    return {int(row["id"]): _made(conn, new, row, row["name"], campuses.get(row["campus"])) for row in rows}


def _made(conn: Connection, school: int, row: Mapping[Any, Any], name: str, campus: int | None) -> int:
    """The room as it is said to be, in another school, with what was counted in it by hand."""
    id_ = registry.create_room(conn, school, name, row["role"], row["declared"])
    values = {column: row[column] for column in _SAID}
    conn.execute(update(t.room).where(t.room.c.id == id_).values(campus_id=campus, **values))
    conn.execute(update(t.hand_check).where(t.hand_check.c.room_id == row["id"]).values(room_id=id_))
    return id_


def _campus(conn: Connection, school: int, name: str) -> int:
    key = conn.execute(insert(t.campus).values(school_id=school, name=name)).inserted_primary_key
    assert key is not None  # a row was inserted
    return int(key[0])


def _waiting(conn: Connection, old: int, new: int, rooms: Sequence[tuple[int | None, int | None]]) -> None:
    """Devices that wait to be let into a room wait for the one in its place."""
    a = t.arrival
    waits = select(t.device.c.id).where(t.device.c.pending_since.is_not(None))
    for one, other in rooms:
        theirs = (a.c.school_id == old) & (a.c.room_id.is_(None) if one is None else a.c.room_id == one)
        conn.execute(update(a).where(theirs, a.c.device_id.in_(waits)).values(school_id=new, room_id=other))


def _lists(conn: Connection, gone: int, into: int, rooms: Rooms, code: str, now: float) -> None:
    """Assets, and the classes and contracts that hold now; what is past stays where it was."""
    c, lc = t.school_class.c, t.line_contract.c
    for table, named, where in (
        (t.asset, ("tag",), t.asset.c.school_id == gone),
        (t.school_class, ("name", "school_year"), (c.school_id == gone) & (c.year_ends > now)),
        (
            t.line_contract,
            ("isp", "subscriber"),
            (lc.school_id == gone) & or_(lc.ends.is_(None), lc.ends > now),
        ),
    ):
        columns = [table.c[name] for name in named]
        rows = conn.execute(select(*columns).where(table.c.school_id == into))
        taken = {tuple(row) for row in rows}
        for row in conn.execute(select(table).where(where)).mappings().all():
            values: dict[str, object] = {"school_id": into}
            key = tuple(row[name] for name in named)
            if key in taken:
                values[named[0]] = _apart(key[0], code)
            if row.get("room_id") is not None:
                values["room_id"] = rooms.get(row["room_id"])
            conn.execute(update(table).where(table.c.id == row["id"]).values(**values))


def _follow(conn: Connection, table: Table, where: Any, values: Mapping[str, object]) -> None:
    conn.execute(update(table).where(where).values(**values))


def _free(name: str, code: str, taken: set[str]) -> str:
    """The name, told apart by the code where another thing has it; taken from now on."""
    free = name if name not in taken else _apart(name, code)
    taken.add(free)
    return free


def _apart(name: str, code: str) -> str:
    return f"{name[:_NAME_MAX]} ({code})"


def _add_declared(conn: Connection, gone: int, into: int, now: float, by: str) -> None:
    """What only one of them declared stays as it is: half of a sum would be no number of the school's."""
    here, there = (pages.declarations(conn, school) for school in (into, gone))
    more = {row.quantity: row.value for row in there}
    for row in here:
        if row.quantity in declarations.COUNTS and row.quantity in more:
            declarations.declare(conn, into, row.quantity, row.value + more[row.quantity], now, by)
