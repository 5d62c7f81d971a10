"""What people and programs enter into the calendar of a place: checked, written and logged in one go.

The console and the API both come here, so that neither takes what the other refuses.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Generic, TypeVar

from sqlalchemy import Connection, Engine

from schoolwatch_server import calendar_places, school_time
from schoolwatch_server.access import Principal, may
from schoolwatch_server.calendar_places import Level, UnseenError
from schoolwatch_server.database import audit, calendars, incident_rows, maintenances
from schoolwatch_server.database.calendars import SetDayRow
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.incident_rows import IncidentRow
from schoolwatch_server.database.scopes import Where
from schoolwatch_server.handling import actor
from schoolwatch_server.planned import Planned
from schoolwatch_server.rules import Rule
from schoolwatch_server.school_time import midnight, number_of
from schoolwatch_server.scope import Scope

YEARS = range(2020, 2101)
"""Of days and hours that may be set."""

_EARLIEST, _LATEST = (midnight(number_of(date(year, 1, 1))) for year in (YEARS.start, YEARS.stop))

REASON_MAX = 300
DAYS_MOST = 120

LATE = 7 * school_time.DAY
"""Seconds after its end in which planned work may still be entered: incidents that it caused may be open."""

WORK_DAYS_MOST = 31
"""Days that a set time may last: longer is a plan for the year, or forgotten."""

DAYS_SHOWN = 30 * school_time.DAY
WORK_SHOWN = 7 * school_time.DAY
"""Seconds after their end in which set days, and planned work, are still listed."""

INCIDENTS_MOST = 200

Row = TypeVar("Row", SetDayRow, Planned)


class FaultError(Exception):
    """What is wrong with a field; the text `calendar.fault.<fault>`, given `values`, says what is right."""

    def __init__(self, field: str, fault: str, **values: object) -> None:
        super().__init__(f"{field}: {fault}")
        self.field, self.fault, self.values = field, fault, values


@dataclass(frozen=True, slots=True)
class Days:
    """Days to be set at a place, on which school is not held, or is held after all; both ends included."""

    level: Level
    code: str
    first: date | None
    last: date | None
    is_held: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Hours:
    """A school's own hours, as `school_time.week` reads them."""

    morning: str
    afternoon: str
    days: str
    mornings_only: str


@dataclass(frozen=True, slots=True)
class Work:
    """Work to be planned at a place, UTC seconds; no `rule`: all that may be quiet are."""

    level: Level
    code: str
    starts: float | None
    ends: float | None
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Entry(Generic[Row]):
    """A row that was set, of which place, and whether who asks may end it."""

    row: Row
    where: Where
    may_end: bool


def set_days(engine: Engine, who: Principal, days: Days, now: float) -> tuple[SetDayRow, Where]:
    """Sets days; the row and its place. Raises `FaultError` and `UnseenError`."""
    first, last, reason = days.first, days.last or days.first, " ".join(days.reason.split())
    if first is None or last is None or first.year not in YEARS:
        raise FaultError("first", "first")
    if not first <= last <= first + timedelta(days=DAYS_MOST):
        raise FaultError("last", "last", most=DAYS_MOST)
    _needs(reason)
    said = {
        "level": days.level, "first": first.isoformat(), "last": last.isoformat(),
        "is_held": days.is_held, "reason": reason,
    }  # fmt: skip
    with begin_write(engine) as conn:
        where = calendar_places.place(conn, who, days.level, days.code)
        number = calendars.put_days(conn, {**said, "place_id": where.scope.id}, now, actor(who))
        _record(conn, who, "calendar.days", where, {"id": number, **said}, now)
        row = calendars.days_of(conn, who.scope, number)
    if row is None:
        raise UnseenError("calendar entry", str(number))
    return row, where


def end_days(engine: Engine, who: Principal, number: int, now: float) -> tuple[SetDayRow, Where]:
    """Takes set days back. Raises `UnseenError`."""
    return _ended(engine, who, number, now, calendars.days_of, calendars.end_days, "calendar.days_end")


def set_hours(engine: Engine, who: Principal, code: str, hours: Hours | None, now: float) -> Where:
    """Sets a school's own hours, or (None) lets those of its level hold again.

    Raises `FaultError` and `UnseenError`.
    """
    values = None
    if hours is not None:
        told = {
            "morning": hours.morning, "afternoon": hours.afternoon, "days": hours.days,
            "mornings_only": hours.mornings_only,
        }  # fmt: skip
        values = {name: "".join(text.split()) for name, text in told.items()}
        try:
            school_time.week(**values)
        except ValueError as error:
            raise FaultError("hours", "hours") from error
    with begin_write(engine) as conn:
        where = calendar_places.place(conn, who, "school", code)
        calendars.set_hours(conn, where.scope.id or 0, values, now, actor(who))
        _record(conn, who, "calendar.hours", where, {"reset": True} if values is None else values, now)
    return where


def plan(
    engine: Engine, who: Principal, rules: Mapping[str, Rule], work: Work, now: float
) -> tuple[int, Where]:
    """Plans work; its number and place. Raises `FaultError` and `UnseenError`."""
    reason = " ".join(work.reason.split())
    starts, ends = _instant("starts", work.starts), _instant("ends", work.ends)
    if not starts < ends <= starts + WORK_DAYS_MOST * school_time.DAY or ends <= now - LATE:
        raise FaultError("ends", "ends", most=WORK_DAYS_MOST)
    known = rules.get(work.rule)
    if work.rule and (known is None or not known.quiet_when_planned):
        raise FaultError("rule", "rule")
    _needs(reason)
    said = {
        "level": work.level, "rule": work.rule, "starts": starts, "ends": ends, "reason": reason,
    }  # fmt: skip
    with begin_write(engine) as conn:
        where = calendar_places.place(conn, who, work.level, work.code)
        number = maintenances.put(conn, {**said, "place_id": where.scope.id}, now, actor(who))
        _record(conn, who, "calendar.work", where, {"id": number, **said}, now)
    return number, where


def end_work(engine: Engine, who: Principal, number: int, now: float) -> tuple[Planned, Where]:
    """Ends planned work before its time. Raises `UnseenError`."""
    return _ended(engine, who, number, now, maintenances.one, maintenances.end, "calendar.work_end")


def days_of(conn: Connection, who: Principal, scope: Scope, now: float) -> list[Entry[SetDayRow]]:
    """Days that hold inside a scope and above it and are not long over, the newest first."""
    rows = calendars.set_days(conn, scope, now - DAYS_SHOWN)
    return _placed(conn, who, [row for row in rows if row.ended_at is None], lambda _: True)


def work_of(conn: Connection, who: Principal, scope: Scope, now: float) -> list[Entry[Planned]]:
    """Planned work inside a scope and above it that is not long over; what begins last first."""
    rows = maintenances.inside_of(conn, scope, now - WORK_SHOWN)
    return _placed(conn, who, rows, lambda row: row.ends > now)


def explained(
    engine: Engine, who: Principal, rules: Mapping[str, Rule], number: int
) -> tuple[Planned, Where, tuple[IncidentRow, ...]]:
    """Planned work, its place, and the incidents there that it may explain.

    Those are open, of rules that are quiet during it, and began before its end. Raises `UnseenError`.
    """
    with begin_read(engine) as conn:
        row = maintenances.one(conn, who.scope, number)
        named = {} if row is None else calendar_places.named(conn, {(row.level, row.place_id)})
        where = next(iter(named.values()), None)
        if row is None or where is None:
            raise UnseenError("planned work", str(number))
        quiet = [r.id for r in rules.values() if r.quiet_when_planned and row.rule in ("", r.id)]
        found = incident_rows.open_at(conn, who.scope, where.scope, quiet, row.ends, INCIDENTS_MOST)
    return row, where, found


def _ended(
    engine: Engine,
    who: Principal,
    number: int,
    now: float,
    find: Callable[[Connection, Scope, int], Row | None],
    end: Callable[[Connection, int, float, str], bool],
    action: str,
) -> tuple[Row, Where]:
    """Ends what was set at a place that may be changed, once."""
    with begin_write(engine) as conn:
        row = find(conn, who.scope, number)
        where = None if row is None else calendar_places.set_at(conn, who, row.level, row.place_id)
        if row is None or where is None:
            raise UnseenError("calendar entry", str(number))
        if end(conn, number, now, actor(who)):
            _record(conn, who, action, where, {"id": number, "reason": row.reason}, now)
        row = find(conn, who.scope, number) or row
    return row, where


def _placed(
    conn: Connection, who: Principal, rows: Iterable[Row], goes_on: Callable[[Row], bool]
) -> list[Entry[Row]]:
    rows = tuple(rows)
    named = calendar_places.named(conn, {(row.level, row.place_id) for row in rows})
    return [
        Entry(row, where, goes_on(row) and may(who, "calendar", where.place))
        for row in rows
        if (where := named.get((row.level, row.place_id))) is not None
    ]


def _instant(field: str, at: float | None) -> float:
    if at is None or not _EARLIEST <= at < _LATEST:
        raise FaultError(field, "moment")
    return at


def _needs(reason: str) -> None:
    if len(reason) < 3:
        raise FaultError("reason", "reason")


def _record(
    conn: Connection, who: Principal, action: str, where: Where, detail: Mapping[str, object], now: float
) -> None:
    told = {"by": who.kind, **detail}
    audit.record(conn, actor=who.name, action=action, subject=where.code, detail=told, now=now)
