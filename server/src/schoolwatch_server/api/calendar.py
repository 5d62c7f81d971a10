"""/api/v1/calendar: when school is held, days that somebody sets, and planned work; read and entered."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from functools import partial
from typing import Annotated

from fastapi import Path, Query, Request
from sqlalchemy import Connection

from schoolwatch_server import calendar_entries, calendar_places, school_time
from schoolwatch_server.access import Principal
from schoolwatch_server.api import calendar_shapes as shapes
from schoolwatch_server.api import looked
from schoolwatch_server.api.calendar_refusals import refused
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.incidents import check_session, incident_json
from schoolwatch_server.api.problems import bad_field
from schoolwatch_server.api.query import CODE, Cursor, Limit, SchoolCode, instant
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.api.times import rfc3339
from schoolwatch_server.calendar_entries import Days, Entry, Row, Work
from schoolwatch_server.calendar_places import Level
from schoolwatch_server.database import calendars
from schoolwatch_server.database.calendars import HoursRow, SetDayRow
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.scopes import Where
from schoolwatch_server.packs import calendar as packed
from schoolwatch_server.planned import Planned
from schoolwatch_server.school_time import SchoolTime
from schoolwatch_server.scope import Scope

Json = dict[str, object]

Number = Annotated[int, Path(ge=1, le=2**62)]
OfLevel = Annotated[Level | None, Query(description="With `code`: of that place; else of all in scope")]
OfPlace = Annotated[str | None, Query(pattern=CODE)]
OfDay = Annotated[str | None, Query(pattern=shapes.DAY, description="A day of Vietnam; today when left out")]


def days(
    who: Who,
    server: Server,
    level: OfLevel = None,
    code: OfPlace = None,
    limit: Limit = 100,
    cursor: Cursor = 0,
) -> Json:
    """Days that hold of places in scope, and of those above; not those that ended a month ago."""
    with refused(_english(server)), begin_read(server.engine) as conn:
        scope = _scope(conn, who, level, code)
        found = calendar_entries.days_of(conn, who, scope, time.time())
    rows, following = _page(found, limit, cursor)
    return {"days": [_days_json(one.row, one.where) for one in rows], "next": following}


def set_days(body: shapes.EnterDays, request: Request, who: Who, server: Server) -> Json:
    """No school on those days, or school after all (`is_held`). The nearest place's word wins."""
    check_session(request, who)
    first, last = _day("first", body.first), None if body.last is None else _day("last", body.last)
    wanted = Days(body.level, body.code, first, last, body.is_held, body.reason)
    with refused(_english(server)):
        row, where = calendar_entries.set_days(server.engine, who, wanted, time.time())
    return _days_json(row, where)


def end_days(number: Number, request: Request, who: Who, server: Server) -> Json:
    """As if nobody had set them. What was taken back before stays so."""
    check_session(request, who)
    with refused(_english(server)):
        row, where = calendar_entries.end_days(server.engine, who, number, time.time())
    return _days_json(row, where)


def work(
    who: Who,
    server: Server,
    level: OfLevel = None,
    code: OfPlace = None,
    limit: Limit = 100,
    cursor: Cursor = 0,
) -> Json:
    """Planned work of places in scope, and of those above; not what was over a week ago."""
    with refused(_english(server)), begin_read(server.engine) as conn:
        scope = _scope(conn, who, level, code)
        found = calendar_entries.work_of(conn, who, scope, time.time())
    rows, following = _page(found, limit, cursor)
    return {"work": [_work_json(one.row, one.where) for one in rows], "next": following}


def one_work(number: Number, who: Who, server: Server) -> Json:
    """The work, and open incidents that it may explain: take or close them with `/incident-acts`."""
    return _explained(server, who, number)


def plan(body: shapes.EnterWork, request: Request, who: Who, server: Server) -> Json:
    """Plans work, during which silence at that place is no news; up to a week after its end too."""
    check_session(request, who)
    starts, ends = instant("starts", body.starts), instant("ends", body.ends)
    wanted = Work(body.level, body.code, starts, ends, body.rule, body.reason)
    with refused(_english(server)):
        number, _ = calendar_entries.plan(server.engine, who, server.rules, wanted, time.time())
    return _explained(server, who, number)


def end_work(number: Number, request: Request, who: Who, server: Server) -> Json:
    """Ends it now. What is over stays as it was."""
    check_session(request, who)
    with refused(_english(server)):
        row, where = calendar_entries.end_work(server.engine, who, number, time.time())
    return _work_json(row, where)


def hours(who: Who, server: Server, school: SchoolCode = None, day: OfDay = None) -> Json:
    """Hours by level and holidays of the year; with `school` its own hours, and when it is held that day."""
    now = time.time()
    number = school_time.day_number(now) if day is None else school_time.number_of(_day("day", day))
    own, calendar = None, None
    if school is not None:
        with refused(_english(server)), begin_read(server.engine) as conn:
            where = calendar_places.where_of(conn, who, "school", school)
            own = calendars.hours(conn, where.scope.id or 0)
            times = calendars.of_schools(conn, server.packs.calendar, now, where.scope)
            calendar = times.get(where.scope.id or 0)
    packs = server.packs.calendar
    return {
        "school": school,
        "day": school_time.day_of(number).isoformat(),
        "sessions": None if calendar is None else _sessions(calendar, number),
        "own": None if own is None else _own_json(own),
        "levels": [_level_json(one) for one in packs.hours],
        "breaks": [_break_json(one) for one in packs.breaks],
    }


def set_hours(body: shapes.EnterHours, request: Request, who: Who, server: Server) -> Json:
    """A school's own hours from now on, in place of those of its level."""
    wanted = calendar_entries.Hours(body.morning, body.afternoon, body.days, body.mornings_only)
    return _hours(request, who, server, body.school, wanted)


def reset_hours(body: shapes.ResetHours, request: Request, who: Who, server: Server) -> Json:
    """The hours of its level hold again."""
    return _hours(request, who, server, body.school, None)


# --- their parts --------------------------------------------------------------------------------------


def _english(server: Context) -> Callable[..., str]:
    return partial(server.texts.get, "en")


def _scope(conn: Connection, who: Principal, level: Level | None, code: str | None) -> Scope:
    """Of the place that is asked for, else all that who asks may see: half a place is no question for all."""
    if (level is None) != (code is None):
        raise bad_field("level" if level is None else "code", "name both `level` and `code`, or none of them")
    where = calendar_places.asked(conn, who, level, code or "")
    return who.scope if where is None else where.scope


def _day(field: str, text: str) -> date:
    years = calendar_entries.YEARS
    with suppress(ValueError):
        if (found := date.fromisoformat(text)).year in years:
            return found
    raise bad_field(field, f"a day of the years {years[0]} to {years[-1]}, such as 2026-11-23")


def _page(found: Sequence[Entry[Row]], limit: int, cursor: int) -> tuple[list[Entry[Row]], int | None]:
    """The newest first; those with a lower number than `cursor`."""
    newest = sorted(found, key=lambda one: -one.row.id)
    left = [one for one in newest if not cursor or one.row.id < cursor]
    return left[:limit], left[limit - 1].row.id if len(left) > limit else None


def _explained(server: Context, who: Principal, number: int) -> Json:
    with refused(_english(server)):
        row, where, found = calendar_entries.explained(server.engine, who, server.rules, number)
    looked.see(server.looked, server.engine, who, "incident.list", where.code)
    return _work_json(row, where) | {"incidents": [incident_json(one) for one in found]}


def _hours(
    request: Request, who: Principal, server: Context, school: str, wanted: calendar_entries.Hours | None
) -> Json:
    check_session(request, who)
    with refused(_english(server)):
        calendar_entries.set_hours(server.engine, who, school, wanted, time.time())
    return hours(who, server, school)


def _place(where: Where) -> Json:
    return {"level": where.scope.level, "code": where.code, "name": where.name}


def _days_json(row: SetDayRow, where: Where) -> Json:
    return {
        "id": row.id,
        "place": _place(where),
        "first": row.first.isoformat(),
        "last": row.last.isoformat(),
        "is_held": row.is_held,
        "reason": row.reason,
        "made_at": rfc3339(row.made_at),
        "made_by": row.made_by,
        "ended_at": rfc3339(row.ended_at),
    }


def _work_json(row: Planned, where: Where) -> Json:
    return {
        "id": row.id,
        "place": _place(where),
        "rule": row.rule or None,
        "starts": rfc3339(row.starts),
        "ends": rfc3339(row.ends),
        "reason": row.reason,
        "made_at": rfc3339(row.made_at),
        "made_by": row.made_by,
    }


def _sessions(calendar: SchoolTime, number: int) -> list[Json]:
    return [
        {"starts": rfc3339(starts), "ends": rfc3339(ends)}
        for starts, ends in school_time.spans(calendar, number)
    ]


def _own_json(row: HoursRow) -> Json:
    return {
        "morning": row.morning,
        "afternoon": row.afternoon,
        "days": row.days,
        "mornings_only": row.mornings_only,
        "changed_at": rfc3339(row.changed_at),
        "changed_by": row.changed_by,
    }


def _source(held: packed.Hours | packed.Break) -> Json:
    return {"document": held.document, "clause": held.clause, "confidence": held.confidence}


def _level_json(held: packed.Hours) -> Json:
    return {
        "levels": list(held.levels),
        "morning": held.morning,
        "afternoon": held.afternoon,
        "days": held.days,
        "mornings_only": held.mornings_only,
        "source": _source(held),
    }


def _break_json(held: packed.Break) -> Json:
    return {
        "title": {"vi": held.vi, "en": held.en},
        "first": held.first,
        "last": held.last,
        "source": _source(held),
    }


_AT = "/api/v1/calendar"
_ONE = "/api/v1/calendar/work/{number}"

ROUTES = (
    Route("GET", f"{_AT}/days", days, "read", "Days that were set", answer=shapes.ListedDays),
    Route("POST", f"{_AT}/days", set_days, "calendar", "Sets days", 201, answer=shapes.SetDays),
    Route(
        "POST", f"{_AT}/days/{{number}}/end", end_days, "calendar", "Takes days back", answer=shapes.SetDays
    ),
    Route("GET", f"{_AT}/work", work, "read", "Planned work", answer=shapes.ListedWork),
    Route("GET", _ONE, one_work, "read", "One of it", answer=shapes.WorkExplains),
    Route("POST", f"{_AT}/work", plan, "calendar", "Plans work", 201, answer=shapes.WorkExplains),
    Route("POST", f"{_ONE}/end", end_work, "calendar", "Ends it", answer=shapes.PlannedWork),
    Route("GET", f"{_AT}/hours", hours, "read", "When school is held", answer=shapes.Hours),
    Route("POST", f"{_AT}/hours", set_hours, "calendar", "Sets a school's hours", answer=shapes.Hours),
    Route("POST", f"{_AT}/hours/reset", reset_hours, "calendar", "Those of its level", answer=shapes.Hours),
)
