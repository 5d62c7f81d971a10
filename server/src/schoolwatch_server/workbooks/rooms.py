"""The list of rooms: its columns, and what it would change in the registry. Pure.

A row is one room by its school's code and its name. An empty cell changes nothing, and a room that is not in
the list stays as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schoolwatch_server.alphabet import plain
from schoolwatch_server.workbooks import cells
from schoolwatch_server.workbooks.cells import CellError
from schoolwatch_server.workbooks.faults import Faults, usual_width
from schoolwatch_server.workbooks.grid import Value
from schoolwatch_server.workbooks.schools import FIELDS as SCHOOL_FIELDS
from schoolwatch_server.workbooks.schools import Change, Plan
from schoolwatch_server.workbooks.table import Field, Read, Record

COMPUTERS_MAX = 1000
"""Computers of a room: more is a slip of the finger."""

ROLES: Mapping[str, tuple[str, ...]] = {
    "student_lab": (
        "Phòng máy học sinh",
        "Phòng máy",
        "Phòng máy tính",
        "Phòng Tin học",
        "Phòng Tin",
        "Computer lab",
    ),
    "classroom": ("Phòng học", "Lớp học", "Phòng học bộ môn", "Classroom"),
    "office": ("Văn phòng", "Phòng làm việc", "Phòng hành chính", "Office"),
    "studio": ("Studio", "Phòng studio", "Phòng ghi hình"),
}
"""What a room is used for, as people write it; the first as our template does."""

_ROLES = {plain(word): role for role, words in ROLES.items() for word in (role, *words)}


def role(value: Value) -> str:
    """What a room is used for, however it is written."""
    found = _ROLES.get(plain(str(value)))
    if found is None:
        raise CellError(
            "not_a_role", value=str(value)[:40], roles="; ".join(words[0] for words in ROLES.values())
        )
    return found


def computers(value: Value) -> int:
    """How many computers are in a room."""
    found = cells.count(value)
    if found > COMPUTERS_MAX:
        raise CellError("too_many", value=found, most=COMPUTERS_MAX)
    return found


FIELDS = (
    next(one for one in SCHOOL_FIELDS if one.name == "code"),
    Field("name", ("Tên phòng", "Phòng", "Room"), cells.text, True),
    Field(
        "role",
        ("Loại phòng", "Mục đích sử dụng", "Công năng", "Used for"),
        role,
        choices=tuple(words[0] for words in ROLES.values()),
    ),
    Field("declared", ("Số máy tính", "Số máy", "Máy tính", "Computers"), computers, format="0"),
)
"""In the order of the template."""


@dataclass(frozen=True, slots=True)
class Room:
    """A room as the registry has it now."""

    id: int
    name: str
    role: str
    declared: int | None


@dataclass(frozen=True, slots=True)
class KnownRooms:
    """By the codes of the schools that who imports may change: their rooms, by name."""

    rooms: Mapping[str, Mapping[str, Room]] = field(default_factory=dict)


def plan(read: Read, known: KnownRooms) -> Plan:
    """What the list would do to the registry as it is known; with any problem nothing may be done."""
    if read.heading is None:
        return Plan((), 0, (), (), read.problems)
    faults = Faults(read, read.heading)
    width = usual_width(read.records, ("code",), known.rooms)
    rows: dict[tuple[str, str], int] = {}
    changes, same = [], 0
    for record in read.records:
        before = len(faults)
        code = faults.code(record, "code", known.rooms, width)
        if code and code not in known.rooms:
            faults.add(record.row, "code", "no_such_school", value=code)
        name = str(record.cells.get("name", ""))
        key = (code, plain(name))
        if name and key in rows:
            faults.add(record.row, "name", "room_twice", value=name, first=rows[key])
        rows.setdefault(key, record.row)
        held = next((room for room in known.rooms.get(code, {}).values() if plain(room.name) == key[1]), None)
        if held is None and "role" not in record.cells:
            faults.add(record.row, "role", "missing")
        if len(faults) > before or not record.is_whole:
            continue
        values = _values(record, held)
        if values:
            changes.append(Change(record.row, code, name, held.id if held else None, values))
        else:
            same += 1
    return Plan(tuple(changes), same, (), (), faults.all())


def _values(record: Record, held: Room | None) -> dict[str, tuple[object, object]]:
    before: dict[str, object] = {}
    if held is not None:
        before = {"role": held.role, "declared": held.declared}
    after = {name: record.cells[name] for name in ("role", "declared") if name in record.cells}
    return {name: (before.get(name), value) for name, value in after.items() if before.get(name) != value}
