"""Planned work: entered, ended, and what it explains of incidents that were open before it was entered."""

import time
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Form, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import handling, school_time
from schoolwatch_server.access import Principal, may
from schoolwatch_server.api import looked
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import bad_field, not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console import calendar, calendar_places
from schoolwatch_server.console.calendar import Code, Number, Reason
from schoolwatch_server.console.calendar_places import Level
from schoolwatch_server.console.incident_words import outcome, person
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.database import incident_rows, maintenances, people
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.incident_rows import IncidentRow
from schoolwatch_server.database.scopes import Where
from schoolwatch_server.handling import Wish
from schoolwatch_server.planned import Planned
from schoolwatch_server.scope import Scope

Incident = Annotated[int, Form(ge=1, le=2**62)]

LATE = 7 * school_time.DAY
"""Seconds after its end in which planned work may still be entered: incidents that it caused may be open."""

WORK_DAYS_MOST = 31
"""Days that a set time may last: longer is a plan for the year, or forgotten."""

ROWS = 200

BEFORE = 3600.0
"""Seconds before the work in which an incident is taken to be of it: a cable is pulled before its hour."""


def plan(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    level: Annotated[Level, Form()] = "school",
    code: Code = "",
    starts: Annotated[datetime | None, Form()] = None,
    ends: Annotated[datetime | None, Form()] = None,
    rule: Annotated[str, Form(max_length=60)] = "",
    reason: Reason = "",
) -> Response:
    """Plans work, during which silence at that place is no news; times without a zone are Vietnam's."""
    check_form(who, csrf)
    now, reason = time.time(), " ".join(reason.split())
    begin, end = calendar.instant(request, "starts", starts), calendar.instant(request, "ends", ends)
    if not begin < end <= begin + WORK_DAYS_MOST * school_time.DAY or end <= now - LATE:
        raise calendar.wrong(request, "ends", "ends", most=WORK_DAYS_MOST)
    known = server.rules.get(rule)
    if rule and (known is None or not known.quiet_when_planned):
        raise calendar.wrong(request, "rule", "rule")
    calendar.needs(request, reason)
    with begin_write(server.engine) as conn:
        where = calendar_places.place(conn, who, level, code)
        values = {"level": level, "rule": rule, "starts": begin, "ends": end, "reason": reason}
        number = maintenances.put(conn, {**values, "place_id": where.scope.id}, now, who.name)
        people.record(
            conn,
            actor=who.name,
            action="calendar.work",
            subject=where.code,
            detail={"id": number, **values},
            now=now,
        )
        row = maintenances.one(conn, who.scope, number)
        explains = row is not None and covered(conn, who.scope, server, row, where.scope)
    there = f"/calendar/work/{number}" if explains else f"/calendar?level={level}&code={where.code}#work"
    return RedirectResponse(there, 303)


def end_work(number: Number, who: Who, server: Server, csrf: Csrf = "") -> Response:
    """Ends planned work before its time."""
    check_form(who, csrf)
    one, end = maintenances.one, maintenances.end
    return calendar.ended(who, server, number, one, end, "calendar.work_end", "work")


def show(request: Request, number: Number, who: Who, server: Server) -> Response:
    """The work, and the open incidents at its place that it may explain."""
    return _page(request, who, server, number)


def settle(
    request: Request,
    number: Number,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    act: Annotated[Literal["acknowledge", "resolve"], Form()] = "acknowledge",
    incident: Annotated[list[Incident], Form(max_length=ROWS)] = [],  # noqa: B006  FastAPI copies it
) -> Response:
    """Takes or closes those that were ticked, with the work as a note in the timeline of each."""
    check_form(who, csrf)
    with begin_read(server.engine) as conn:
        row, _, found = _found(conn, who, server, number)
    known = {one.id for one in found}
    if not known.issuperset(incident):
        raise bad_field("incident", "no open incident of this work")
    words = words_of(request)
    times = {"starts": words.when(row.starts), "ends": words.when(row.ends)}
    note = server.texts.get("vi", "planned_work.note", reason=row.reason, **times)
    outcomes = handling.handle(server.engine, who, incident, Wish(act, note), time.time())
    done = sum(one.is_done for one in outcomes)
    others = [(one.incident, outcome(one, words)) for one in outcomes if not one.is_so]
    return _page(request, who, server, number, done, others)


def _page(
    request: Request,
    who: Principal,
    server: Context,
    number: int,
    done: int | None = None,
    others: list[tuple[int, str]] | None = None,
) -> Response:
    with begin_read(server.engine) as conn:
        row, where, found = _found(conn, who, server, number)
    looked.see(server.looked, server.engine, who, "incident.list", where.code)
    words = words_of(request)
    return page(
        request,
        "planned_work.html",
        who,
        at=f"/calendar/work/{number}",
        work=row,
        where=where,
        incidents=found,
        ticked={one.id for one in found if row.starts - BEFORE <= one.since and not one.acknowledged_at},
        rules=server.rules,
        done=done,
        others=others or [],
        person=lambda name: person(name, words),
        may_handle=may(who, "handle"),
    )


def _found(
    conn: Connection, who: Principal, server: Context, number: int
) -> tuple[Planned, Where, tuple[IncidentRow, ...]]:
    """The work, its place, and the incidents. Raises a 404 `Problem` for work elsewhere."""
    row = maintenances.one(conn, who.scope, number)
    named = {} if row is None else calendar_places.named(conn, {(row.level, row.place_id)})
    where = next(iter(named.values()), None)
    if row is None or where is None:
        raise not_found("planned work", str(number))
    return row, where, covered(conn, who.scope, server, row, where.scope)


def covered(
    conn: Connection, scope: Scope, server: Context, row: Planned, place: Scope
) -> tuple[IncidentRow, ...]:
    """Open incidents at the work's place of rules that are quiet during it, that began before its end."""
    quiet = [
        rule.id for rule in server.rules.values() if rule.quiet_when_planned and row.rule in ("", rule.id)
    ]
    return incident_rows.open_at(conn, scope, place, quiet, row.ends, ROWS)


ROUTES = (
    Route("POST", "/calendar/work", plan, "calendar"),
    Route("POST", "/calendar/work/{number}/end", end_work, "calendar"),
    Route("GET", "/calendar/work/{number}", show, "read"),
    Route("POST", "/calendar/work/{number}/incidents", settle, "handle"),
)
