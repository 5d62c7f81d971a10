"""A list of what schools have, a row a thing: compared with what is there, and what is wrong where. Pure.

A thing is named by its school's code and what its kind of list says names it there. An empty cell changes
nothing, and a thing that is not in the list stays as it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from schoolwatch_server.alphabet import plain
from schoolwatch_server.workbooks import cells
from schoolwatch_server.workbooks.faults import Faults, usual_width
from schoolwatch_server.workbooks.schools import CODE, Change, Plan
from schoolwatch_server.workbooks.table import Field, Read, Record

REMOVE = Field("remove", ("Xóa", "Xóa khỏi danh sách", "Remove"), cells.yes_no, words=cells.YES_NO)
"""Takes a thing away that stands there by mistake."""

Key = tuple[str, ...]
Values = dict[str, object]
Changed = dict[str, tuple[object, object]]


@dataclass(frozen=True, slots=True)
class Held:
    """A thing as it is in the registry now: its values by the names of the list's fields."""

    id: int
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Known:
    """What of a school is known: its level, rooms and campuses by name, and the list's things by key.

    `computers` are those that a room is said to have. `is_others`: it reports to somebody else than who
    imports, who may only read of it.
    """

    level: str = ""
    rooms: tuple[str, ...] = ()
    campuses: tuple[str, ...] = ()
    things: Mapping[Key, Held] = field(default_factory=dict)
    computers: Mapping[str, int] = field(default_factory=dict)
    is_others: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is looked at: where it stands, its good cells, what is there, its school, and today."""

    number: int
    cells: Values
    held: Held | None
    known: Known
    today: date

    def now(self, name: str) -> object:
        """What a field will be: the row's cell, else what is there."""
        return self.cells.get(name, self.held.values.get(name) if self.held else None)


@dataclass(frozen=True, slots=True)
class Listing:
    """A kind of list.

    `fields` without the school's code, those in `key` name a thing in its school, those in `needed` a new one
    must have. `refers` names fields that are a room or campus of the school. `past` names days that can't lie
    ahead. `complete` may add cells to a row, and faults. Values in `private` are never shown in a preview.
    Of a list that is not `removable` nothing is taken away: computers stand in a room.
    """

    fields: tuple[Field, ...]
    key: tuple[str, ...]
    needed: tuple[str, ...] = ()
    refers: Mapping[str, Literal["room", "campus"]] = field(default_factory=dict)
    past: tuple[str, ...] = ()
    complete: Callable[[Row, Faults], None] | None = None
    private: frozenset[str] = frozenset()
    removable: bool = True

    @property
    def columns(self) -> tuple[Field, ...]:
        """In the order of the template."""
        return (CODE, *self.fields, *((REMOVE,) if self.removable else ()))

    @property
    def required(self) -> set[str]:
        """What of its key a thing must have."""
        return {each.name for each in self.fields if each.is_required and each.name in self.key}


def key_of(listing: Listing, values: Mapping[str, object]) -> Key:
    """What names a thing in its school, as it is compared."""
    return tuple(
        plain(" ".join(str("" if values.get(name) is None else values[name]).split())) for name in listing.key
    )


def plan(listing: Listing, read: Read, known: Mapping[str, Known], today: date) -> Plan:
    """What the list would do to what is known by school code; with any problem nothing may be done.

    Where one school alone is known, a row without a code is of it.
    """
    if read.heading is None:
        return Plan((), 0, (), (), read.problems)
    faults = Faults(read, read.heading)
    only = next(iter(known)) if len(known) == 1 else ""
    width = usual_width(read.records, ("code",), known)
    rows: dict[tuple[str, Key], int] = {}
    changes, same = [], 0
    for record in read.records:
        before = len(faults)
        code = faults.code(record, "code", known, width) or (only if "code" not in record.cells else "")
        if code and (code not in known or known[code].is_others):
            faults.add(record.row, "code", "not_managed" if code in known else "no_such_school", value=code)
            continue
        row = _row(listing, record, known.get(code, Known()), today)
        key = key_of(listing, row.cells)
        if listing.required <= row.cells.keys():
            if (code, key) in rows:
                place = next(name for name in reversed(listing.key) if name in row.cells)
                faults.add(record.row, place, "row_twice", first=rows[code, key])
            rows.setdefault((code, key), record.row)
        removes = row.cells.pop("remove", False) is True
        if removes and row.held is None:
            faults.add(record.row, "remove", "nothing_to_remove")
        elif not removes:
            _check(listing, row, faults)
        if len(faults) > before or not record.is_whole:
            continue
        values: Changed = {"remove": (None, True)} if removes else _otherwise(listing, row)
        if values:
            thing = row.held.id if row.held else None
            name = _name(listing, row)
            changes.append(Change(record.row, code, name, thing, values, private=listing.private))
        else:
            same += 1
    return Plan(tuple(changes), same, (), (), faults.all())


def _row(listing: Listing, record: Record, known: Known, today: date) -> Row:
    cells = {name: value for name, value in record.cells.items() if name != "code"}
    return Row(record.row, cells, known.things.get(key_of(listing, cells)), known, today)


def _check(listing: Listing, row: Row, faults: Faults) -> None:
    for name, what in listing.refers.items():
        if name in row.cells:
            there = row.known.rooms if what == "room" else row.known.campuses
            wanted = plain(str(row.cells[name]))
            found = next((one for one in there if plain(one) == wanted), None)
            if found is None:
                names = "; ".join(there[:_NAMED]) or "–"
                faults.add(row.number, name, f"no_such_{what}", value=row.cells[name], names=names)
            row.cells[name] = found
    for name in listing.past:
        day = row.cells.get(name)
        if isinstance(day, date) and day > row.today:
            faults.add(row.number, name, "in_future", value=f"{day:%d/%m/%Y}")
    if listing.complete is not None:
        listing.complete(row, faults)
    if row.held is None:
        for name in listing.needed:
            if name not in row.cells:
                faults.add(row.number, name, "missing")


def _otherwise(listing: Listing, row: Row) -> Changed:
    """What the row says otherwise than the registry; what names a thing that is there stays as it is."""
    if row.held is None:
        return {name: (None, value) for name, value in row.cells.items()}
    before = row.held.values
    return {
        name: (before.get(name), value)
        for name, value in row.cells.items()
        if name not in listing.key and before.get(name) != value
    }


def _name(listing: Listing, row: Row) -> str:
    fields = {each.name: each for each in listing.fields}
    return " · ".join(fields[name].said(row.cells[name]) for name in listing.key if name in row.cells)


_NAMED = 12
"""Rooms of a school that a fault names."""
