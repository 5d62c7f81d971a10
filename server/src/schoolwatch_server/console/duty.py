"""The duty list: who is told of what and when, who would be told at a given moment, and uncovered hours."""

import time
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import Form, Path, Query, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import tokens
from schoolwatch_server.access import Principal
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import Problem, bad_field, not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.channels import is_alertmanager
from schoolwatch_server.console.notifications import everybodys
from schoolwatch_server.console.notifications import filed as filed_channels
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.console.vietnam_time import written_local
from schoolwatch_server.console.words import Words
from schoolwatch_server.database import audit, channel_rows, duty_rows, scopes
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.duty import route
from schoolwatch_server.duty.shift import ACTS, STEPS, Acts, Gap, Shift, Where, gaps
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
    scope = tokens.scope_within(server.engine, who, place.strip())
    name = " ".join(name.split())
    if scope is None:
        raise _wrong(said, "place", "place", "place_code")
    if not name or not name.isprintable():
        raise _wrong(said, "name", "name", "name")
    if least not in SEVERITIES:
        raise bad_field("least", ", ".join(SEVERITIES))
    weekdays = frozenset(int(day) for day in days or () if day in "0123456" and len(day) == 1)
    if not weekdays:
        raise _wrong(said, "days", "days", "days")
    quiet = None
    if quiet_from or quiet_to:
        quiet = (_minute(said, "quiet_from", quiet_from), _minute(said, "quiet_to", quiet_to))
    shift = Shift(
        id=number,
        name=name,
        scope=scope,
        least=least,
        weekdays=weekdays,
        starts=_minute(said, "starts", starts),
        ends=_minute(said, "ends", ends),
        channels=tuple(dict.fromkeys(to or ())),
        first_day=_day(said, "first_day", first_day),
        last_day=_day(said, "last_day", last_day),
        step=step,
        quiet=quiet,
        digest=_minute(said, "digest", digest) if digest else None,
        acts=acts,
    )
    filed = filed_channels(server)
    with begin_write(server.engine) as conn:
        known = {
            *(name for name in filed if not is_alertmanager(name)),
            *(row.key for row in channel_rows.listed(conn) if row.gets_messages),
        }
        held = {one.id for one in duty_rows.shifts(conn)}
        if not shift.channels or not known.issuperset(shift.channels):
            raise _wrong(said, "to", "channels", "channels")
        if number and number not in held:
            raise not_found("duty", str(number))
        if not number and len(held) >= duty_rows.SHIFTS_MAX:
            raise _wrong(said, "name", "too_many", "name")
        done = duty_rows.put(conn, shift, now)
        detail = {"number": done, "scope": f"{scope.level}:{scope.id}", "least": least, "step": step}
        detail |= {
            "from": starts,
            "to": ends,
            "days": sorted(weekdays),
            "channels": list(shift.channels),
            "acts": acts,
        }
        audit.record(conn, actor=who.name, action="duty.change", subject=name, detail=detail, now=now)
    return RedirectResponse("/duty", 303)


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
    scope = tokens.scope_within(server.engine, who, code.strip())
    if scope is None:
        raise _wrong(words_of(request), "place", "place", "place_code")
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
        raise _wrong(words_of(request), "at", "at", "at")
    return (asked if asked.tzinfo else asked.replace(tzinfo=VIETNAM)).timestamp()


def _wrong(said: Words, field: str, fault: str, label: str) -> Problem:
    return bad_field(field, said.text(f"duty.fault.{fault}"), said.text(f"duty.{label}"))


def _minute(said: Words, field: str, text: str) -> int:
    hour, _, minute = text.strip().partition(":")
    if not (hour.isascii() and hour.isdigit() and minute.isascii() and minute.isdigit()):
        raise _wrong(said, field, "time", field)
    if int(hour) > 23 or int(minute) > 59:
        raise _wrong(said, field, "time", field)
    return int(hour) * 60 + int(minute)


def _day(said: Words, field: str, text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise _wrong(said, field, "day", field) from error


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
