"""A school: indicators, devices, those that wait, rooms, and what the school declares."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Form, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from schoolwatch_contract import ladder as ladder_words
from schoolwatch_server import known_network, ladder, plan_rows, school_time, scores
from schoolwatch_server.access import Place, Principal, authorise
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.exports import pen, school_file
from schoolwatch_server.api.problems import bad_field, not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console import claim_turns, owed, site_box
from schoolwatch_server.console.arrivals import groups, kind
from schoolwatch_server.console.indicator_groups import standing
from schoolwatch_server.console.line import tested
from schoolwatch_server.console.packs import said
from schoolwatch_server.console.page import Csrf as Csrf
from schoolwatch_server.console.page import check_form, language_of, page, words_of
from schoolwatch_server.database import (
    activation,
    arrivals,
    calendars,
    claims,
    declarations,
    identities,
    incident_rows,
    pages,
    people,
    registry,
    room_use,
    sightings,
    states,
    succession,
)
from schoolwatch_server.database import enrolment as tokens
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.enrolment import ADMITS
from schoolwatch_server.indicators.current import current, limits
from schoolwatch_server.posture import issued as runs_issued
from schoolwatch_server.reports import TABLES, agenda, punctuality
from schoolwatch_server.scope import Scope
from schoolwatch_server.sheets import today
from schoolwatch_server.sites.address import shown
from schoolwatch_server.targets import USED_BY_PUPILS
from schoolwatch_server.use import next_sum
from schoolwatch_server.working import Working, working

Number = Annotated[str, Form(pattern=r"^\s*[0-9]{0,7}\s*$")]

FEW = 10
"""Devices that are shown at once; of more, those that need somebody, the others folded."""

FIRST = 5
"""Open incidents that are shown at once."""


def show(request: Request, code: str, who: Who, server: Server) -> Response:
    """The school's page."""
    now, packs, writing = time.time(), server.packs, said(request, who, server, today())
    with begin_read(server.engine) as conn:
        school = registry.school_by_code(conn, code, who.scope)
        if school is None:
            raise not_found("school", code)
        values = current(conn, "school", school.id, packs, now)
        due = agenda.known(conn, Scope("school", school.id), now)
        if values:
            values = (*values, punctuality.here(conn, "school", school.id, now, due))
        said_numbers = pages.declarations(conn, school.id)
        devices = registry.devices(conn, who.scope, school_id=school.id)
        known = states.known(conn, [device.id for device in devices])
        after = limits(server.packs, now).working_after
        orders = {d.id: working(d, devices, now=now, after=after, state=known.get(d.id)) for d in devices}
        issued = _issued(devices, server, now)
        copies = sightings.seen_at_school(conn, school.id, identities.CLONE, after)
        urgent = [d for d in devices if d.id in copies or _is_urgent(d, orders[d.id], issued)]
        return page(
            request,
            "school.html",
            who,
            school=school,
            successor=None if school.code else succession.successor(conn, school.id, who.scope),
            place=place_of(school),
            owed=owed.of(conn, request, "school", school.id, now, due) if school.code else None,
            commune_code=commune_code_of(conn, who, school),
            asked=plan_rows.of_school(conn, school, values, packs),
            assessed=scores.of_school(conn, school, values, packs),
            said=writing,
            standing=standing(values, today(now)),
            devices=devices,
            urgent=urgent,
            others=[d for d in devices if d not in urgent],
            few=FEW,
            first=FIRST,
            issued=issued,
            copies=copies,
            rooms=pages.rooms(conn, school.id),
            use=room_use.of_school(conn, school.id, server.config.privacy.room_devices),
            least=server.config.privacy.room_devices,
            next_use=next_sum(now),
            used_by_pupils=USED_BY_PUPILS,
            tables=TABLES,
            orders=orders,
            activated=activation.counts(conn, Scope("school", school.id), after),
            site=site_box.box(conn, who, school, server.config.sites, now),
            shown=shown,
            line=tested(conn, school.id, words_of(request)),
            declarations={row.quantity: row for row in said_numbers if row.value >= 0},
            unsaid=[row for row in said_numbers if row.value < 0],
            quantities=declarations.QUANTITIES,
            roles=registry.ROLES,
            is_off=_is_off(conn, server, school, now),
            incidents=incident_rows.incidents(conn, who.scope, is_open=True, school_id=school.id, limit=20),
            rules=server.rules,
            has_network=known_network.is_any(conn, tuple(server.rules.values()), school.id),
            ladders=ladder.counted(known.values(), server.packs.ipv6_slow),
            has_targets=bool(server.config.ipv6.dual_stack),
            told=ladder_words,
            tokens=tokens.open_tokens(conn, school.id, now),
            admits=ADMITS,
            returned=claims.returned(conn, who.scope, school.id),
            undecided=claim_turns.count(conn, who) if who.scope.level == "school" else 0,
            waiting=groups(arrivals.waiting(conn, who.scope, school_id=school.id)),
            kind=lambda row: kind(row, words_of(request)),
        )


def _is_off(conn: Connection, server: Context, school: registry.SchoolRow, now: float) -> bool:
    """Whether no school is held there today: then silence says nothing."""
    times = calendars.of_schools(conn, server.packs.calendar, now, Scope("school", school.id))
    calendar = times.get(school.id)
    return calendar is not None and not school_time.sessions(calendar, school_time.day_number(now))


@dataclass(frozen=True, slots=True)
class Issued:
    """Of a school's working devices: on how many an issued antivirus runs, is known to run or not, all.

    `without` are the devices, by name, on which none runs.
    """

    yes: int
    known: int
    working: int
    without: frozenset[str]


def _issued(devices: Sequence[registry.DeviceRow], server: Context, now: float) -> Issued | None:
    """None when the settings name no product."""
    names = server.config.antivirus.issued
    if not names:
        return None
    after = limits(server.packs, now).working_after
    working = [d for d in devices if not d.broken and d.taken_at is not None and d.taken_at >= after]
    said = {device.device: runs_issued(device.antivirus, names) for device in working}
    verdicts = list(said.values())
    without = frozenset(device for device, verdict in said.items() if verdict is False)
    return Issued(verdicts.count(True), len(said) - verdicts.count(None), len(said), without)


def _is_urgent(device: registry.DeviceRow, order: Working, issued: Issued | None) -> bool:
    """Whether somebody has to do something about it: it says why it may not work, or its antivirus is off."""
    without = issued is not None and device.device in issued.without
    return bool(order.reasons) or order.verdict is False or device.protected is False or without


def download(request: Request, code: str, form: str, who: Who, server: Server) -> Response:
    """The indicators as a file for Excel, in the page's language."""
    language = language_of(request)
    return school_file(server, who.scope, code, form, pen(server, language, language))


def declare(
    code: str,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    students: Number = "",
    devices: Number = "",
    student_devices: Number = "",
    line_mbps: Number = "",
) -> Response:
    """Stores the numbers that were filled in and have changed; an empty field changes nothing."""
    check_form(who, csrf)
    school = school_to_declare(who, server, code)
    filled = {
        "students": students,
        "devices": devices,
        "student_devices": student_devices,
        "line_mbps": line_mbps,
    }
    new = {
        quantity: float(text)
        for quantity, text in filled.items()
        if text.strip() and school.declared.get(quantity) != float(text)
    }
    total, part = ({**school.declared, **new}.get(name) for name in ("devices", "student_devices"))
    if total is not None and part is not None and part > total:
        raise bad_field("student_devices", "is more than all devices")
    if new.get("line_mbps") == 0:
        raise bad_field("line_mbps", "0 is no speed: leave it empty while it is not known")
    now = time.time()
    if new:
        with begin_write(server.engine) as conn:
            for quantity, value in new.items():
                declarations.declare(conn, school.id, quantity, value, now, who.name)
            people.record(conn, actor=who.name, action="declare", subject=code, detail=new, now=now)
    return RedirectResponse(f"/schools/{school.code}#declared", 303)


def commune_code_of(conn: Connection, who: Principal, school: registry.SchoolRow) -> str:
    """The code of a school's commune: its page is one step up."""
    communes = registry.communes(conn, who.scope, province_id=school.province_id)
    return next(commune.code for commune in communes if commune.id == school.commune_id)


def place_of(school: registry.SchoolRow) -> Place:
    """Where a school is in the tree."""
    return Place(school.province_id, school.commune_id, school.id, school.managed_by)


def school_for(who: Principal, server: Context, code: str) -> registry.SchoolRow:
    """The school, when it lies in the scope; the permission was asked for by the route's gate."""
    with begin_read(server.engine) as conn:
        school = registry.school_by_code(conn, code, who.scope)
    if school is None:
        raise not_found("school", code)
    authorise(who, "read", place_of(school))
    return school


def school_in_use(who: Principal, server: Context, code: str) -> registry.SchoolRow:
    """The same, of a school that still is one: of what became part of another nothing is changed."""
    school = school_for(who, server, code)
    if not school.code:
        raise not_found("school", code)
    return school


def school_to_declare(who: Principal, server: Context, code: str) -> registry.SchoolRow:
    """The same, for which one may also write: `NotManagedError` where it reports to somebody else."""
    school = school_in_use(who, server, code)
    authorise(who, "declare", place_of(school))
    return school


ROUTES = (
    Route("GET", "/schools/{code}", show, "read"),
    Route("GET", "/schools/{code}/indicators.{form}", download, "read"),
    Route("POST", "/schools/{code}/declare", declare, "declare"),
)
