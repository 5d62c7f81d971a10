"""What people decide of devices that are in use, each in one transaction with its line in the audit log."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, Engine

from schoolwatch_server.database import credentials, lives, pages, people, registry, reorganised
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.database.registry import RegistryError
from schoolwatch_server.database.rows import DeviceRow
from schoolwatch_server.schools import Named, check_free, check_named
from schoolwatch_server.scope import EVERYTHING, Scope


def revoke(engine: Engine, device: str, scope: Scope, *, by: str, now: float) -> DeviceRow:
    """The device loses its credential at once and stays in the lists, silent, until it enrols anew.

    Raises `RegistryError`, as all of these do for a device that the scope does not see.
    """
    return _decide(engine, device, scope, "device.revoke", by, now, credentials.revoke)


def retire(engine: Engine, device: str, scope: Scope, *, by: str, now: float) -> DeviceRow:
    """The device is gone: it leaves the lists with its credential; `restore` undoes it."""
    return _decide(engine, device, scope, "device.retire", by, now, registry.retire_device)


def keep(engine: Engine, device: str, scope: Scope, *, by: str, now: float) -> DeviceRow:
    """The device is no ghost: it is not proposed for clean-up for a while."""
    return _decide(engine, device, scope, "device.keep", by, now, lives.keep)


def restore(engine: Engine, device: str, scope: Scope, *, by: str, now: float) -> DeviceRow:
    """A retired device is back where it was, with its credential and its history."""
    with begin_write(engine) as conn:
        device_id = lives.retired(conn, device, scope)
        if device_id is None:
            raise RegistryError(
                f"there is no retired device {device[:40]!r}; one retired over a year ago is enrolled anew"
            )
        lives.restore(conn, device_id, now)
        return _recorded(conn, device, scope, "device.restore", {}, by, now)


def replace(engine: Engine, new: str, old: str, scope: Scope, *, by: str, now: float) -> DeviceRow:
    """The new device takes over the old one's label, room, role and asset tag; the old one is retired."""
    with begin_write(engine) as conn:
        lives.take_over(conn, _found(conn, new, scope), _found(conn, old, scope), now)
        return _recorded(conn, new, scope, "device.replace", {"replaces": old}, by, now)


def move(
    engine: Engine, device: str, code: str, room: str, scope: Scope, *, by: str, now: float
) -> DeviceRow:
    """The device is of another school, or in another room, from `now` on; its credential stays."""
    with begin_write(engine) as conn:
        row, school = _found(conn, device, scope), registry.school_by_code(conn, code, scope)
        if school is None or not school.code:
            raise RegistryError(f"there is no school with the code {code[:40]!r}")
        rooms = {one.name: one.id for one in pages.rooms(conn, school.id)}
        if room and room not in rooms:
            raise RegistryError(f"{code} has no room {room[:80]!r}; its rooms: {', '.join(rooms) or 'none'}")
        registry.move_device(conn, row.id, school.id, rooms.get(room), now)
        detail = {"from": row.school_code, "to": school.code, "room": room}
        return _recorded(conn, device, scope, "device.move", detail, by, now)


def merge(engine: Engine, gone: str, into: str, scope: Scope = EVERYTHING, *, by: str, now: float) -> int:
    """Every device of one school is of another; no credential and no key changes. How many they were.

    Raises `RegistryError`.
    """
    with begin_write(engine) as conn:
        schools = [registry.school_by_code(conn, code, scope) for code in (gone, into)]
        old, new = schools
        if old is None or new is None or not (old.code and new.code):
            raise RegistryError("there is no school with one of these codes: see `school list`")
        moved = reorganised.merge_schools(conn, old.id, new.id, now, by)
        detail = {"into": new.code, "devices": moved}
        people.record(conn, actor=by, action="school.merge", subject=old.code, detail=detail, now=now)
    return moved


def split(
    engine: Engine,
    code: str,
    new: Named,
    level: str,
    rooms: Sequence[str],
    scope: Scope = EVERYTHING,
    *,
    by: str,
    now: float,
) -> int:
    """Some rooms of a school are a school of their own; no credential and no key changes. How many devices.

    Raises `RegistryError`.
    """
    check_named("school", new)
    with begin_write(engine) as conn:
        whole = registry.school_by_code(conn, code, scope)
        if whole is None or not whole.code:
            raise RegistryError(f"there is no school with the code {code[:40]!r}")
        check_free(conn, new.code)
        known = {room.name: room.id for room in pages.rooms(conn, whole.id)}
        missing = [room for room in rooms if room not in known]
        if missing:
            raise RegistryError(
                f"{code} has no room {missing[0][:80]!r}; its rooms: {', '.join(known) or 'none'}"
            )
        chosen = tuple(dict.fromkeys(known[room] for room in rooms))
        _, moved = reorganised.split_school(conn, whole.id, new.code, new.name, level, chosen, now, by)
        detail = {"new": new.code, "name": new.name, "rooms": len(chosen), "devices": moved}
        people.record(conn, actor=by, action="school.split", subject=whole.code, detail=detail, now=now)
    return moved


def _decide(
    engine: Engine,
    device: str,
    scope: Scope,
    action: str,
    by: str,
    now: float,
    act: Callable[[Connection, int, float], None],
) -> DeviceRow:
    with begin_write(engine) as conn:
        row = _found(conn, device, scope)
        act(conn, row.id, now)
        detail = {"school": row.school_id, "label": row.label}
        people.record(conn, actor=by, action=action, subject=row.device, detail=detail, now=now)
    return row


def _recorded(
    conn: Connection, device: str, scope: Scope, action: str, detail: dict[str, str], by: str, now: float
) -> DeviceRow:
    people.record(conn, actor=by, action=action, subject=device, detail=detail, now=now)
    return _found(conn, device, scope)


def _found(conn: Connection, device: str, scope: Scope) -> DeviceRow:
    row = registry.device(conn, device, scope)
    if row is None:
        raise RegistryError(f"there is no device {device[:40]!r}")
    return row
