"""The duty list: who is told of what and when, who would be told at a given moment, and uncovered hours."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Form, Path, Query, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import tokens
from schoolwatch_server.access import Principal
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import bad_field, not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.channels import is_alertmanager
from schoolwatch_server.console import duty_typed
from schoolwatch_server.console.notifications import everybodys
from schoolwatch_server.console.notifications import filed as filed_channels
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.console.vietnam_time import written_local
from schoolwatch_server.console.words import Words
from schoolwatch_server.database import audit, channel_rows, duty_rows, scopes
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.duty import route
from schoolwatch_server.duty.shift import ACTS, STEPS, Acts, Gap, Shift, Where, gaps
from schoolwatch_server.scope import Scope
from schoolwatch_server.severity import SEVERITIES
from schoolwatch_server.vietnam import VIETNAM

Short = Annotated[str, Form(max_length=80)]
Many = Annotated[list[str] | None, Form(max_length=120)]
MINUTES_MAX = 1440
YEARS = range(2020, 2101)
"""Of a moment that may be asked about."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The question "who is told", as typed, with its answer; None is that nothing was asked."""

    at: str
    severity: str
    place: str
    told: tuple[route.Told, ...] | None = None


def show(
    request: Request,
    who: Who,
    server: Server,
    edit: Annotated[int, Query(ge=0, le=2**62)] = 0,
    at: Annotated[str, Query(max_length=16)] = "",
    severity: Annotated[str, Query(max_length=10)] = "critical",
    place: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The list, with the answer to "who is told at that moment"."""
    now = time.time()
    filed = filed_channels(server)
    with begin_read(server.engine) as conn:
        rows = channel_rows.listed(conn)
        everybody = everybodys(filed, rows)
        shifts, usable = duty_rows.shifts(conn), duty_rows.on_duty(conn, everybody)
        where = _where(request, conn, who, server, place)
        moment = _moment(request, at, now)
        asked = WhatIf(
            written_local(moment),
            severity if severity in SEVERITIES else "critical",
            place,
            route.opening(usable, everybody, severity, where, moment) if at else None,
        )
        today = datetime.fromtimestamp(now, VIETNAM).date()
        return page(
            request,
            "duty.html",
            who,
            shifts=shifts,
            places=scopes.where(conn, {shift.scope for shift in shifts}),
            names={name: name for name in filed if not is_alertmanager(name)}
            | {
                row.key: row.name
                for row in rows
                if row.gets_messages and (not row.is_self_made or row.confirmed_at is not None)
            },
            gaps=[_span(gap, words_of(request)) for gap in gaps(usable, "critical", Where(), today)],
            asked=asked,
            edited=next((shift for shift in shifts if shift.id == edit), None),
            settings=duty_rows.settings(conn),
            severities=SEVERITIES[::-1],
            steps=STEPS,
            acts=ACTS,
            clock=_clock,
        )


def save(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    number: Annotated[int, Form(ge=0, le=2**62)] = 0,
    name: Short = "",
    place: Short = "",
    least: Short = "low",
    days: Many = None,
    starts: Short = "00:00",
    ends: Short = "00:00",
    first_day: Short = "",
    last_day: Short = "",
    step: Annotated[int, Form(ge=1, le=STEPS)] = 1,
    quiet_from: Short = "",
    quiet_to: Short = "",
    digest: Short = "",
    acts: Annotated[Acts, Form()] = "all",
    to: Many = None,
) -> Response:
    """Writes an entry, a new one with the number 0."""
    check_form(who, csrf)
    said, now = words_of(request), time.time()
    shift = Shift(
        id=number,
        scope=_scope(said, server, who, place),
        name=duty_typed.name(said, name),
        least=duty_typed.least(least),
        weekdays=duty_typed.weekdays(said, days),
        starts=duty_typed.minute(said, "starts", starts),
        ends=duty_typed.minute(said, "ends", ends),
        channels=tuple(dict.fromkeys(to or ())),
        first_day=duty_typed.day(said, "first_day", first_day),
        last_day=duty_typed.day(said, "last_day", last_day),
        step=step,
        quiet=duty_typed.quiet(said, quiet_from, quiet_to),
        digest=duty_typed.minute(said, "digest", digest) if digest else None,
        acts=acts,
    )
    filed = filed_channels(server)
    with begin_write(server.engine) as conn:
        _check(conn, said, shift, filed)
        detail = {
            "number": duty_rows.put(conn, shift, now),
            "scope": f"{shift.scope.level}:{shift.scope.id}",
            "least": least,
            "step": step,
            "from": starts,
            "to": ends,
            "days": sorted(shift.weekdays),
            "channels": list(shift.channels),
            "acts": acts,
        }
        audit.record(conn, actor=who.name, action="duty.change", subject=shift.name, detail=detail, now=now)
    return RedirectResponse("/duty", 303)


def _check(conn: Connection, said: Words, shift: Shift, filed: Mapping[str, object]) -> None:
    """Refuses channels that are none, a number that nobody gave, and more entries than fit."""
    known = {
        *(name for name in filed if not is_alertmanager(name)),
        *(row.key for row in channel_rows.listed(conn) if row.gets_messages),
    }
    if not shift.channels or not known.issuperset(shift.channels):
        raise duty_typed.wrong(said, "to", "channels", "channels")
    held = {one.id for one in duty_rows.shifts(conn)}
    if shift.id and shift.id not in held:
        raise not_found("duty", str(shift.id))
    if not shift.id and len(held) >= duty_rows.SHIFTS_MAX:
        raise duty_typed.wrong(said, "name", "too_many", "name")


def remove(
    number: Annotated[int, Path(ge=1, le=2**62)], who: Who, server: Server, csrf: Csrf = ""
) -> Response:
    """Takes an entry out of the list."""
    check_form(who, csrf)
    now = time.time()
    with begin_write(server.engine) as conn:
        row = next((one for one in duty_rows.shifts(conn) if one.id == number), None)
        if row is None or not duty_rows.remove(conn, number):
            raise not_found("duty", str(number))
        detail = {"number": number}
        audit.record(conn, actor=who.name, action="duty.remove", subject=row.name, detail=detail, now=now)
    return RedirectResponse("/duty", 303)


def escalate(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    critical: Short = "",
    high: Short = "",
    medium: Short = "",
    low: Short = "",
) -> Response:
    """After how many minutes the next step is told, by severity; 0 is never."""
    check_form(who, csrf)
    minutes: dict[str, float] = {}
    for name, text in {"critical": critical, "high": high, "medium": medium, "low": low}.items():
        typed = text.strip() or "0"
        if not (typed.isascii() and typed.isdigit() and int(typed) <= MINUTES_MAX):
            said = words_of(request)
            text = said.text("duty.fault.minutes", most=MINUTES_MAX)
            raise bad_field(name, text, said.text(f"severity.{name}"))
        minutes[name] = int(typed)
    now = time.time()
    with begin_write(server.engine) as conn:
        duty_rows.set_escalation(conn, minutes)
        audit.record(
            conn, actor=who.name, action="notify.settings", subject="escalate", detail=minutes, now=now
        )
    return RedirectResponse("/duty#escalation", 303)


def _where(request: Request, conn: Connection, who: Principal, server: Context, code: str) -> Where:
    """Where an incident would be. Raises a 422 `Problem` for a code that is no place."""
    scope = _scope(words_of(request), server, who, code)
    if scope.level == "all":
        return Where()
    place = scopes.where(conn, [scope])[scope].place
    return Where(place.province_id, place.commune_id, place.school_id)


def _moment(request: Request, text: str, now: float) -> float:
    if not text:
        return now
    try:
        asked = datetime.fromisoformat(text)
    except ValueError:
        asked = datetime.min  # noqa: DTZ901  refused below
    if asked.year not in YEARS:
        raise duty_typed.wrong(words_of(request), "at", "at", "at")
    return (asked if asked.tzinfo else asked.replace(tzinfo=VIETNAM)).timestamp()


def _scope(said: Words, server: Context, who: Principal, code: str) -> Scope:
    scope = tokens.scope_within(server.engine, who, code.strip())
    if scope is None:
        raise duty_typed.wrong(said, "place", "place", "place_code")
    return scope


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _span(gap: Gap, said: Words) -> str:
    """`thứ Bảy 07:00 – thứ Bảy 17:00`."""

    def shown(minute: int) -> str:
        day = said.text(f"duty.day.{minute // 1440 % 7}")
        return f"{day} {_clock(minute % 1440)}"

    return f"{shown(gap.starts)} – {shown(gap.ends)}"


ROUTES = (
    Route("GET", "/duty", show, "system"),
    Route("POST", "/duty", save, "duty"),
    Route("POST", "/duty/{number}/remove", remove, "duty"),
    Route("POST", "/duty/escalation", escalate, "duty"),
)
