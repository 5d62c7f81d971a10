"""When school is held, days off that somebody sets, and planned work of the places in one's scope."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated

from fastapi import Form, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import calendar_entries, calendar_places, school_time
from schoolwatch_server.access import may
from schoolwatch_server.api.calendar_refusals import refused
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.calendar_entries import REASON_MAX, Days, Hours
from schoolwatch_server.calendar_places import Level
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.console.words import ZONE
from schoolwatch_server.database import calendars, incident_rows
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.school_time import day_number, day_of

ROWS = 30
"""Set days that a page names; others stand on the page of their place."""

WORK_USUAL = 7200.0
"""Seconds from now on that a form proposes for work that goes on already."""

Code = Annotated[str, Form(max_length=40)]
Reason = Annotated[str, Form(max_length=REASON_MAX)]
Number = Annotated[int, Path(ge=1, le=2**62)]


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
    with in_words(request), begin_read(server.engine) as conn:
        here = calendar_places.asked(conn, who, level, code)
        scope = who.scope if here is None else here.scope
        days = calendar_entries.days_of(conn, who, scope, now)
        work = calendar_entries.work_of(conn, who, scope, now)
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
    days = Days(level, code, first, last, is_held, reason)
    with in_words(request):
        _, where = calendar_entries.set_days(server.engine, who, days, time.time())
    return RedirectResponse(f"/calendar?level={level}&code={where.code}#days", 303)


def end_days(request: Request, number: Number, who: Who, server: Server, csrf: Csrf = "") -> Response:
    """Takes set days back."""
    check_form(who, csrf)
    with in_words(request):
        row, where = calendar_entries.end_days(server.engine, who, number, time.time())
    return RedirectResponse(f"/calendar?level={row.level}&code={where.code}#days", 303)


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
    hours = None if reset else Hours(morning, afternoon, days, mornings_only)
    with in_words(request):
        where = calendar_entries.set_hours(server.engine, who, code, hours, time.time())
    return RedirectResponse(f"/calendar?level=school&code={where.code}#hours", 303)


@contextmanager
def in_words(request: Request) -> Iterator[None]:
    """What is refused there, in the words of who asks."""
    with refused(words_of(request).text, in_form=True):
        yield


def _local(at: float) -> str:
    """An instant as a form's field has it, in Vietnam's time."""
    return datetime.fromtimestamp(at, ZONE).strftime("%Y-%m-%dT%H:%M")


ROUTES = (
    Route("GET", "/calendar", show, "read"),
    Route("POST", "/calendar/days", set_days, "calendar"),
    Route("POST", "/calendar/days/{number}/end", end_days, "calendar"),
    Route("POST", "/calendar/hours", set_hours, "calendar"),
)
