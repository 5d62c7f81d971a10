"""When school is held, days off that somebody sets, and planned work of the places in one's scope."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import Form, Path, Query, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import school_time
from schoolwatch_server.access import Principal, may
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import Problem, bad_field, not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console import calendar_places
from schoolwatch_server.console.calendar_places import Level
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.console.words import ZONE
from schoolwatch_server.database import calendars, incident_rows, maintenances, people
from schoolwatch_server.database.calendars import SetDayRow
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.scopes import Where
from schoolwatch_server.planned import Planned
from schoolwatch_server.school_time import day_number, day_of, midnight
from schoolwatch_server.scope import Scope

YEARS = range(2020, 2101)
"""Of days and hours that may be set."""

ROWS = 30
"""Set days that a page names; others stand on the page of their place."""

DAYS_MOST = 120
WORK_USUAL = 7200.0
"""Seconds from now on that a form proposes for work that goes on already."""

Code = Annotated[str, Form(max_length=40)]
Reason = Annotated[str, Form(max_length=300)]
Number = Annotated[int, Path(ge=1, le=2**62)]


@dataclass(frozen=True, slots=True)
class SetDays:
    """Days that somebody set, and of which place."""

    row: SetDayRow
    where: Where
    first_at: float
    last_at: float
    may_end: bool


@dataclass(frozen=True, slots=True)
class Work:
    """Planned work, and of which place."""

    row: Planned
    where: Where
    may_end: bool


def show(
    request: Request,
    who: Who,
    server: Server,
    level: Annotated[Level | None, Query()] = None,
    code: Annotated[str, Query(max_length=40)] = "",
    incident: Annotated[int, Query(ge=0, le=2**62)] = 0,
) -> Response:
    """The calendar of the places that somebody sees; with `code` of one place alone.

    `incident` is one that came from work that nobody has entered: its form begins when that did.
    """
    now = time.time()
    with begin_read(server.engine) as conn:
        here = (
            calendar_places.where_of(conn, who, level, code)
            if level and code
            else calendar_places.own(conn, who)
        )
        scope = who.scope if here is None else here.scope
        days = _days(conn, who, scope, now)
        work = _work(conn, who, scope, now)
        own = calendars.hours(conn, scope.id) if scope.level == "school" and scope.id is not None else None
        is_school = scope.level == "school"
        times = calendars.of_schools(conn, server.packs.calendar, now, scope) if is_school else {}
        about = incident_rows.incident(conn, incident, who.scope) if incident else None
    today = day_number(now)
    calendar = times.get(scope.id or 0)
    return page(
        request,
        "calendar.html",
        who,
        here=here,
        level=scope.level if here is not None else "school",
        own=own,
        today=day_of(today).isoformat(),
        sessions=None if calendar is None else school_time.sessions(calendar, today),
        hours=server.packs.calendar.hours,
        breaks=server.packs.calendar.breaks,
        days=days[:ROWS],
        more=max(0, len(days) - ROWS),
        work=work,
        starts="" if about is None else _local(about.since),
        ends="" if about is None else _local(now + WORK_USUAL),
        quiet=[rule for rule in server.rules.values() if rule.quiet_when_planned],
        rules=server.rules,
        may_set=here is None or may(who, "calendar", here.place),
    )


def set_days(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    level: Annotated[Level, Form()] = "school",
    code: Code = "",
    first: Annotated[date | None, Form()] = None,
    last: Annotated[date | None, Form()] = None,
    is_held: Annotated[bool, Form()] = False,
    reason: Reason = "",
) -> Response:
    """Sets days on which school is not held, or is held after all."""
    check_form(who, csrf)
    now, reason = time.time(), " ".join(reason.split())
    if first is None:
        raise wrong(request, "first", "first")
    if first.year not in YEARS:
        raise wrong(request, "first", "first")
    last = last or first
    if not first <= last <= first + timedelta(days=DAYS_MOST):
        raise wrong(request, "last", "last", most=DAYS_MOST)
    needs(request, reason)
    with begin_write(server.engine) as conn:
        where = calendar_places.place(conn, who, level, code)
        values = {
            "level": level, "place_id": where.scope.id, "first": first.isoformat(), "last": last.isoformat(),
            "is_held": is_held, "reason": reason,
        }  # fmt: skip
        number = calendars.put_days(conn, values, now, who.name)
        detail = {
            "id": number, "level": level, "first": first.isoformat(), "last": last.isoformat(),
            "is_held": is_held, "reason": reason,
        }  # fmt: skip
        people.record(
            conn, actor=who.name, action="calendar.days", subject=where.code, detail=detail, now=now
        )
    return RedirectResponse(f"/calendar?level={level}&code={where.code}#days", 303)


def end_days(number: Number, who: Who, server: Server, csrf: Csrf = "") -> Response:
    """Takes set days back."""
    check_form(who, csrf)
    return ended(who, server, number, calendars.days_of, calendars.end_days, "calendar.days_end", "days")


def set_hours(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    code: Code = "",
    morning: Annotated[str, Form(max_length=11)] = "",
    afternoon: Annotated[str, Form(max_length=11)] = "",
    days: Annotated[str, Form(max_length=7)] = "",
    mornings_only: Annotated[str, Form(max_length=7)] = "",
    reset: Annotated[bool, Form()] = False,
) -> Response:
    """Sets a school's own hours, or lets those of its level hold again."""
    check_form(who, csrf)
    now = time.time()
    values = {"morning": morning, "afternoon": afternoon, "days": days, "mornings_only": mornings_only}
    values = {name: "".join(text.split()) for name, text in values.items()}
    if not reset:
        try:
            school_time.week(**values)
        except ValueError as error:
            raise wrong(request, "hours", "hours") from error
    with begin_write(server.engine) as conn:
        where = calendar_places.place(conn, who, "school", code)
        calendars.set_hours(conn, where.scope.id or 0, None if reset else values, now, who.name)
        detail = {"reset": True} if reset else values
        people.record(
            conn, actor=who.name, action="calendar.hours", subject=where.code, detail=detail, now=now
        )
    return RedirectResponse(f"/calendar?level=school&code={where.code}#hours", 303)


# --- their parts --------------------------------------------------------------------------------------


def ended(
    who: Principal,
    server: Context,
    number: int,
    find: Callable[[Connection, Scope, int], SetDayRow | Planned | None],
    end: Callable[[Connection, int, float, str], bool],
    action: str,
    part: str,
) -> Response:
    """Ends what was set at a place that may be changed, once, and goes back to its part of the page."""
    now = time.time()
    with begin_write(server.engine) as conn:
        row = find(conn, who.scope, number)
        where = None if row is None else calendar_places.set_at(conn, who, row.level, row.place_id)
        if row is None or where is None:
            raise not_found("calendar entry", str(number))
        if end(conn, number, now, who.name):
            detail = {"id": number, "reason": row.reason}
            people.record(conn, actor=who.name, action=action, subject=where.code, detail=detail, now=now)
    return RedirectResponse(f"/calendar?level={row.level}&code={where.code}#{part}", 303)


def wrong(request: Request, field: str, fault: str, **values: object) -> Problem:
    """What is wrong with a field of a form of the calendar."""
    said = words_of(request)
    return bad_field(field, said.text(f"calendar.fault.{fault}", **values), said.text(f"calendar.{field}"))


def instant(request: Request, field: str, moment: datetime | None) -> float:
    """A moment of a form, UTC seconds. Raises a 422 `Problem`."""
    if moment is None or moment.year not in YEARS:
        raise wrong(request, field, "moment")
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=ZONE)).timestamp()


def _local(at: float) -> str:
    """An instant as a form's field has it, in Vietnam's time."""
    return datetime.fromtimestamp(at, ZONE).strftime("%Y-%m-%dT%H:%M")


def needs(request: Request, reason: str) -> None:
    """Raises a 422 `Problem` when nobody said why."""
    if len(reason) < 3:
        raise wrong(request, "reason", "reason")


def _days(conn: Connection, who: Principal, scope: Scope, now: float) -> list[SetDays]:
    rows = [
        row for row in calendars.set_days(conn, scope, now - 30 * school_time.DAY) if row.ended_at is None
    ]
    named = calendar_places.named(conn, {(row.level, row.place_id) for row in rows})
    return [
        SetDays(
            row,
            where,
            midnight(school_time.number_of(row.first)),
            midnight(school_time.number_of(row.last)),
            may(who, "calendar", where.place),
        )
        for row in rows
        if (where := named.get((row.level, row.place_id))) is not None
    ]


def _work(conn: Connection, who: Principal, scope: Scope, now: float) -> list[Work]:
    rows = maintenances.inside_of(conn, scope, now - 7 * school_time.DAY)
    named = calendar_places.named(conn, {(row.level, row.place_id) for row in rows})
    return [
        Work(row, where, row.ends > now and may(who, "calendar", where.place))
        for row in rows
        if (where := named.get((row.level, row.place_id))) is not None
    ]


ROUTES = (
    Route("GET", "/calendar", show, "read"),
    Route("POST", "/calendar/days", set_days, "calendar"),
    Route("POST", "/calendar/days/{number}/end", end_days, "calendar"),
    Route("POST", "/calendar/hours", set_hours, "calendar"),
)
