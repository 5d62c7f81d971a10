"""Planned work: entered, ended, and what it explains of incidents that were open before it was entered."""

import time
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from fastapi import Form, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import calendar_entries, handling
from schoolwatch_server.access import Principal, may
from schoolwatch_server.api import looked
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import bad_field
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.calendar_entries import INCIDENTS_MOST, Work
from schoolwatch_server.calendar_places import Level
from schoolwatch_server.console import sent_on
from schoolwatch_server.console.calendar import Code, Number, Reason, in_words
from schoolwatch_server.console.incident_words import others, person
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.console.words import ZONE
from schoolwatch_server.handling import Wish

Incident = Annotated[int, Form(ge=1, le=2**62)]


class Told(msgspec.Struct, frozen=True):
    """How many were taken or closed, and why the others were not."""

    done: int
    others: tuple[tuple[str, tuple[int, ...]], ...]


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
    work = Work(level, code, _instant(starts), _instant(ends), rule, reason)
    with in_words(request):
        number, where = calendar_entries.plan(server.engine, who, server.rules, work, time.time())
        _, _, explains = calendar_entries.explained(server.engine, who, server.rules, number)
    there = f"/calendar/work/{number}" if explains else f"/calendar?level={level}&code={where.code}#work"
    return RedirectResponse(there, 303)


def end_work(request: Request, number: Number, who: Who, server: Server, csrf: Csrf = "") -> Response:
    """Ends planned work before its time."""
    check_form(who, csrf)
    with in_words(request):
        row, where = calendar_entries.end_work(server.engine, who, number, time.time())
    return RedirectResponse(f"/calendar?level={row.level}&code={where.code}#work", 303)


def show(request: Request, number: Number, who: Who, server: Server) -> Response:
    """The work, and the open incidents at its place that it may explain."""
    return sent_on.said(_page(request, who, server, number, sent_on.taken(request, Told)), request)


def settle(
    request: Request,
    number: Number,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    act: Annotated[Literal["acknowledge", "resolve"], Form()] = "acknowledge",
    incident: Annotated[list[Incident], Form(max_length=INCIDENTS_MOST)] = [],  # noqa: B006  FastAPI copies it
) -> Response:
    """Takes or closes those that were ticked, with the work as a note in the timeline of each."""
    check_form(who, csrf)
    with in_words(request):
        row, _, found = calendar_entries.explained(server.engine, who, server.rules, number)
    known = {one.id for one in found}
    if not known.issuperset(incident):
        raise bad_field("incident", "no open incident of this work")
    words = words_of(request)
    times = {"starts": words.when(row.starts), "ends": words.when(row.ends)}
    note = server.texts.get("vi", "planned_work.note", reason=row.reason, **times)
    outcomes = handling.handle(server.engine, who, incident, Wish(act, note), time.time())
    told = Told(sum(one.is_done for one in outcomes), others(outcomes, words))
    sent = sent_on.sent_on(request, f"/calendar/work/{number}", told)
    return sent or _page(request, who, server, number, told)


def _page(
    request: Request, who: Principal, server: Context, number: int, told: Told | None = None
) -> Response:
    with in_words(request):
        row, where, found = calendar_entries.explained(server.engine, who, server.rules, number)
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
        told=told,
        person=lambda name: person(name, words),
        may_handle=may(who, "handle"),
    )


def _instant(moment: datetime | None) -> float | None:
    """UTC seconds of a form's moment, which is Vietnam's where it names no zone."""
    if moment is None:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=ZONE)).timestamp()


ROUTES = (
    Route("POST", "/calendar/work", plan, "calendar"),
    Route("POST", "/calendar/work/{number}/end", end_work, "calendar"),
    Route("GET", "/calendar/work/{number}", show, "read"),
    Route("POST", "/calendar/work/{number}/incidents", settle, "handle"),
)
