"""The calendars of schools: what packs say of each level, and what schools, communes and provinces set."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.reach import has_code, within
from schoolwatch_server.database.scopes import above, inside
from schoolwatch_server.database.upsert import upsert
from schoolwatch_server.packs.calendar import week_of
from schoolwatch_server.packs.pack import Calendar
from schoolwatch_server.school_time import NO_SCHOOL, SchoolTime, SetDay, Week, day_number, day_of, week
from schoolwatch_server.scope import EVERYTHING, Scope

BACK = 70
"""Days back of which set days are read: as far as any watch looks, and some."""


@dataclass(frozen=True, slots=True)
class SetDayRow:
    """Days that somebody set; days are local, times UTC seconds. `ended_at` None: they hold."""

    id: int
    level: str
    place_id: int
    first: date
    last: date
    is_held: bool
    reason: str
    made_at: float
    made_by: str
    ended_at: float | None
    ended_by: str


@dataclass(frozen=True, slots=True)
class HoursRow:
    """A school's own hours, as `school_time.week` reads them."""

    school_id: int
    morning: str
    afternoon: str
    days: str
    mornings_only: str
    changed_at: float
    changed_by: str


@dataclass(frozen=True, slots=True)
class Place:
    """A school's place in the tree."""

    school_id: int
    commune_id: int
    province_id: int


def of_schools(
    conn: Connection, calendar: Calendar, now: float, scope: Scope = EVERYTHING
) -> dict[int, SchoolTime]:
    """School → its calendar at `now`; schools with the same one share it."""
    s = t.school.c
    query = select(s.id, s.level, s.commune_id, t.commune.c.province_id).join_from(t.school, t.commune)
    schools = conn.execute(query.where(within(scope), has_code())).all()
    own = _own_weeks(conn)
    days: dict[tuple[str, int], tuple[SetDay, ...]] = {}
    for row in _rows(conn, t.set_day.c.last >= day_of(day_number(now) - BACK).isoformat(), only_valid=True):
        place = row.level, row.place_id
        days[place] = (*days.get(place, ()), SetDay(row.first, row.last, row.is_held))
    of_level = {level: week_of(calendar.hours, level) for level in {row.level for row in schools}}
    made: dict[tuple[Week, tuple[SetDay, ...]], SchoolTime] = {}
    found: dict[int, SchoolTime] = {}
    for id_, level, commune, province in schools:
        set_days = tuple(
            day
            for place in (("school", id_), ("commune", commune), ("province", province))
            for day in days.get(place, ())
        )
        key = own.get(id_, of_level[level]), set_days
        found[id_] = made.setdefault(key, SchoolTime(key[0], calendar.breaks, set_days))
    return found


def places(conn: Connection) -> dict[int, Place]:
    """School → where it is in the tree."""
    s = t.school.c
    query = select(s.id, s.commune_id, t.commune.c.province_id).join_from(t.school, t.commune)
    return {row[0]: Place(*row) for row in conn.execute(query.where(has_code()))}


def set_days(conn: Connection, scope: Scope, after: float) -> tuple[SetDayRow, ...]:
    """What was set inside a scope, also above it, and what ends no sooner than `after`; newest first."""
    d = t.set_day.c
    since = day_of(day_number(after)).isoformat()
    return _rows(
        conn,
        d.last >= since,
        or_(inside(scope, d.level, d.place_id), above(conn, scope, d.level, d.place_id)),
    )


def days_of(conn: Connection, scope: Scope, id_: int) -> SetDayRow | None:
    """One of them, of a place inside the scope."""
    d = t.set_day.c
    return next(iter(_rows(conn, d.id == id_, inside(scope, d.level, d.place_id))), None)


def put_days(conn: Connection, values: Mapping[str, Any], now: float, by: str) -> int:
    """Sets days: `level`, `place_id`, `first`, `last`, `is_held`, `reason`; gives the id."""
    made = conn.execute(insert(t.set_day).values(**values, made_at=now, made_by=by)).inserted_primary_key
    return int(made[0]) if made else 0


def end_days(conn: Connection, id_: int, now: float, by: str) -> bool:
    """Takes set days back, as if nobody had set them; whether they held until now."""
    d = t.set_day.c
    ended = update(t.set_day).where(d.id == id_, d.ended_at.is_(None)).values(ended_at=now, ended_by=by)
    return conn.execute(ended).rowcount == 1


def hours(conn: Connection, school_id: int) -> HoursRow | None:
    """A school's own hours; None where those of its level hold."""
    row = conn.execute(select(t.school_hours).where(t.school_hours.c.school_id == school_id)).first()
    return None if row is None else HoursRow(*row)


def set_hours(
    conn: Connection, school_id: int, values: Mapping[str, str] | None, now: float, by: str
) -> None:
    """Sets a school's own hours, or (None) lets those of its level hold again."""
    if values is None:
        conn.execute(delete(t.school_hours).where(t.school_hours.c.school_id == school_id))
    else:
        upsert(
            conn, t.school_hours, [{"school_id": school_id, **values, "changed_at": now, "changed_by": by}]
        )


def _own_weeks(conn: Connection) -> dict[int, Week]:
    rows = [HoursRow(*row) for row in conn.execute(select(t.school_hours))]
    return {row.school_id: _week(row) for row in rows}


def _week(row: HoursRow) -> Week:
    try:
        return week(row.morning, row.afternoon, row.days, row.mornings_only)
    except ValueError:  # a newer program wrote it: rather no watch than a wrong one
        return NO_SCHOOL


def _rows(conn: Connection, *where: Any, only_valid: bool = False) -> tuple[SetDayRow, ...]:
    valid = (t.set_day.c.ended_at.is_(None),) if only_valid else ()
    query = select(t.set_day).where(*where, *valid).order_by(t.set_day.c.id.desc())
    return tuple(
        SetDayRow(
            **{
                **row,
                "first": date.fromisoformat(row["first"]),
                "last": date.fromisoformat(row["last"]),
            }
        )
        for row in (dict(found) for found in conn.execute(query).mappings())
    )
