"""Which device tests a school's line, from the command line: chosen, taken back and listed."""

import time
from collections.abc import Iterable

from sqlalchemy import Connection, Engine

from schoolwatch_server.database import people, registry, told
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.registry import RegistryError
from schoolwatch_server.database.rows import DeviceRow, SchoolRow
from schoolwatch_server.schools import BY
from schoolwatch_server.scope import EVERYTHING

SHOWN = 8
"""Devices that a refusal names at most."""


def choose(engine: Engine, code: str, wanted: str) -> str:
    """Lets a device test its school's line; what it is called. Raises `RegistryError`.

    `wanted` is its id, the beginning of it, or its label.
    """
    with begin_write(engine) as conn:
        school = _school(conn, code)
        row = _device(school, registry.devices(conn, EVERYTHING, school_id=school.id), wanted)
        _set(conn, school, row)
    return _called(row)


def clear(engine: Engine, code: str) -> bool:
    """Lets nobody test the school's line; whether somebody did. Raises `RegistryError`."""
    with begin_write(engine) as conn:
        school = _school(conn, code)
        if told.line_tester(conn, school.id) is None:
            return False
        _set(conn, school, None)
    return True


def listing(engine: Engine) -> str:
    """Every school, one a line: its contract's speed, and the device that tests."""
    with begin_read(engine) as conn:
        testers = dict(told.line_testers(conn))
        called = {row.id: _called(row) for row in registry.devices(conn, EVERYTHING)}
        schools = registry.schools(conn, EVERYTHING)
    lines = (
        f"{s.code or '-'}  {_speed(s)}  {called.get(testers.get(s.id, 0), 'nobody tests its line')}"
        for s in schools
    )
    return "\n".join(lines) or "there is no school yet: see `school add`"


def _school(conn: Connection, code: str) -> SchoolRow:
    found = registry.school_by_code(conn, code, EVERYTHING)
    if found is None:
        raise RegistryError(f"there is no school with the code {code[:40]!r}: see `school list`")
    return found


def _device(school: SchoolRow, rows: Iterable[DeviceRow], wanted: str) -> DeviceRow:
    own = tuple(rows)
    found = [row for row in own if row.device == wanted or row.label == wanted]
    found = found or [row for row in own if wanted and row.device.startswith(wanted.lower())]
    if len(found) == 1:
        return found[0]
    if not own:
        raise RegistryError(f"school {school.code} has no device yet: enrol one first")
    problem = "is no device" if not found else f"fits {len(found)} devices"
    named = ", ".join(map(_called, (found or own)[:SHOWN]))
    more = "" if len(found or own) <= SHOWN else " and others"
    raise RegistryError(
        f"{wanted[:40]!r} {problem} of school {school.code}: write the id of one, such as {named}{more}"
    )


def _set(conn: Connection, school: SchoolRow, row: DeviceRow | None) -> None:
    told.set_line_tester(conn, school.id, None if row is None else row.id)
    detail = {"device": "" if row is None else row.device}
    people.record(conn, actor=BY, action="line.tester", subject=school.code, detail=detail, now=time.time())


def _called(row: DeviceRow) -> str:
    return f"{row.device} ({row.label})" if row.label else row.device


def _speed(school: SchoolRow) -> str:
    declared = school.declared.get("line_mbps", 0.0)
    return f"{declared:g} Mbit/s" if declared else "speed not declared"
