"""What is due when and for whom: each report of a province's calendar with who has handed it in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import Connection

from schoolwatch_server.database import registry, reports
from schoolwatch_server.database.reports import ReportRow
from schoolwatch_server.database.rows import ProvinceRow
from schoolwatch_server.indicators.indicator import Place
from schoolwatch_server.reports import on_time as punctual
from schoolwatch_server.reports.calendar import LEVELS, REMIND, Deadline, Due, between, coming, day_of
from schoolwatch_server.reports.deadlines import in_force
from schoolwatch_server.reports.on_time import OnTime, is_late, on_time
from schoolwatch_server.scope import Scope
from schoolwatch_server.vietnam import ends

AHEAD = timedelta(days=62)
"""How far ahead a report is shown as coming."""

BEHIND = timedelta(days=31)
"""How long one that somebody owes is shown after its last day."""

YEAR = timedelta(days=365)
"""Over what time reports on time are counted."""


@dataclass(frozen=True, slots=True)
class Owing:
    """A place that owes reports; `since` is when it came into the register (UTC seconds).

    `commune_id` is the commune that a school is in.
    """

    id: int
    code: str
    name: str
    since: float = 0.0
    commune_id: int | None = None


Handed = Mapping[int, punctual.Handed]
Known = tuple[tuple[ProvinceRow, Deadline, tuple[Owing, ...], Handed], ...]
"""Every deadline that concerns a scope, with the places that owe that report, and what they handed in."""


@dataclass(frozen=True, slots=True)
class Line:
    """One report of the calendar: by when, and the places of it with their newest revision."""

    province: ProvinceRow
    due: Due
    deadline: Deadline
    places: tuple[Owing, ...] = ()
    handed_in: Mapping[int, tuple[float, str]] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[Owing, ...]:
        """Those that have not handed in."""
        return tuple(place for place in self.places if place.id not in self.handed_in)

    @property
    def ordered(self) -> tuple[Owing, ...]:
        """All places, those first that have not handed in."""
        return tuple(sorted(self.places, key=lambda place: place.id in self.handed_in))

    @property
    def done(self) -> int:
        """How many have."""
        return len(self.places) - len(self.missing)

    def is_late(self, place_id: int) -> bool:
        """Whether that place handed in after the last day."""
        return is_late(self.due, *self.handed_in[place_id])


def known(conn: Connection, scope: Scope, now: float) -> Known:
    """What the functions below rest on, for who asks several of them about one scope."""
    return tuple(
        (province, *found)
        for province in registry.provinces(conn, scope)
        for found in _deadlines(conn, scope, province, day_of(now))
    )


def lines(conn: Connection, scope: Scope, now: float, read: Known | None = None) -> tuple[Line, ...]:
    """What comes next and what is still owed, of all places that a scope sees; the earliest day first."""
    found = [
        line
        for province, deadline, owing, handed in (known(conn, scope, now) if read is None else read)
        for line in _of(province, deadline, owing, handed, day_of(now))
    ]
    return tuple(sorted(found, key=lambda line: (line.due.last_day, line.due.level, line.due.kind)))


def owed(
    conn: Connection, level: Place, place_id: int, now: float, read: Known | None = None
) -> tuple[Line, ...]:
    """What one place itself has to hand in within a week, or should have by now."""
    today = day_of(now)
    return tuple(
        one
        for one in lines(conn, Scope(level, place_id), now, read)
        if one.due.level == level and one.missing and (one.due.last_day - today).days <= max(REMIND)
    )


def line(
    conn: Connection, scope: Scope, province: ProvinceRow, deadline: Deadline, period: str, last: date
) -> Line:
    """One report of one period, with every place that the scope sees."""
    owing = _owing(conn, scope, province, deadline.level)
    handed = reports.first_handed_in(conn, scope, deadline.level)
    due = Due(deadline.kind, deadline.level, period, last)
    return Line(province, due, deadline, owing, _when(due, handed))


def counted(conn: Connection, scope: Scope, now: float) -> OnTime:
    """I-30 over the last year: reports of the places that a scope sees, on time, late or missing."""
    total = OnTime()
    for one in by_place(conn, scope, now).values():
        total += one
    return total


def by_place(
    conn: Connection, scope: Scope, now: float, read: Known | None = None
) -> dict[tuple[Place, int], OnTime]:
    """I-30 over the last year, place by place; only those of which something was due."""
    today = day_of(now)
    found: dict[tuple[Place, int], OnTime] = {}
    for _, deadline, owing, handed in known(conn, scope, now) if read is None else read:
        dues = tuple(between(deadline, today - YEAR, today))
        for place in owing if dues else ():
            one = on_time(dues, handed.get(place.id, {}), now, place.since)
            if one.due:
                key = (deadline.level, place.id)
                found[key] = found.get(key, OnTime()) + one
    return found


def newest(conn: Connection, scope: Scope, one: Line) -> dict[int, ReportRow]:
    """The newest revision of each place of a line."""
    rows = reports.standing(conn, scope, one.due.level, [one.due.kind], [one.due.period])
    return {place_id: row for (place_id, _, _), row in rows.items()}


def _deadlines(
    conn: Connection, scope: Scope, province: ProvinceRow, today: date
) -> Iterator[tuple[Deadline, tuple[Owing, ...], Handed]]:
    """Every deadline of a province with the places of it that the scope sees, and what they handed in."""
    since = ends(today - YEAR - AHEAD)
    known = in_force(conn, province.id)
    for level in LEVELS:
        owing = _owing(conn, scope, province, level)
        if owing:
            handed = reports.first_handed_in(conn, scope, level, since)
            dated = (one for one in known.values() if one.level == level and one.before)
            yield from ((one, owing, handed) for one in dated)


def _of(
    province: ProvinceRow, deadline: Deadline, owing: tuple[Owing, ...], handed: Handed, today: date
) -> Iterator[Line]:
    for due in between(deadline, today - BEHIND, today - timedelta(days=1)):
        there = tuple(place for place in owing if place.since < ends(due.last_day))
        one = Line(province, due, deadline, there, _when(due, handed))
        if one.missing:
            yield one
    due_next = coming(deadline, today)
    if due_next is not None and due_next.last_day <= today + AHEAD:
        yield Line(province, due_next, deadline, owing, _when(due_next, handed))


def _when(due: Due, handed: Handed) -> dict[int, tuple[float, str]]:
    key = (due.kind, due.period)
    return {place_id: of[key] for place_id, of in handed.items() if key in of}


def _owing(conn: Connection, scope: Scope, province: ProvinceRow, level: Place) -> tuple[Owing, ...]:
    """The places of a level that a scope covers whole: a school does not owe its commune's report."""
    if level == "school":
        since = reports.schools_since(conn, scope)
        return tuple(
            Owing(row.id, row.code, row.name, since.get(row.id, 0.0), row.commune_id)
            for row in registry.schools(conn, scope)
            if row.province_id == province.id
        )
    if level == "commune" and scope.level in ("all", "province", "commune"):
        first = reports.first_school(conn)
        communes = registry.communes(conn, scope, province_id=province.id)
        return tuple(Owing(row.id, row.code, row.name, first) for row in communes)
    if level == "province" and scope.level in ("all", "province"):
        return (Owing(province.id, province.code, province.name, reports.first_school(conn)),)
    return ()
