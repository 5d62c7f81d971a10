"""A school's enrolment tokens: made, listed, and ended one by one or all at once."""

import time
from typing import Annotated

from fastapi import Form, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server.api.problems import bad_field, not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import Csrf, check_form, page
from schoolwatch_server.console.qr import svg
from schoolwatch_server.console.schools import Number, school_for, school_in_use
from schoolwatch_server.database import enrolment as tokens
from schoolwatch_server.database import pages, people
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.enrolment import DAYS_MAX, USES_MAX, Admits, issue_enrolment_token
from schoolwatch_server.tokens import DAY


def issue(
    request: Request,
    code: str,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    room: Number = "",
    days: Number = "7",
    uses: Number = "40",
    admits: Annotated[Admits, Form()] = "declared",
) -> Response:
    """Makes an enrolment token and shows, this once, a sheet to print with what to type on each computer."""
    check_form(who, csrf)
    school = school_in_use(who, server, code)
    span, count = int(days.strip() or 0), int(uses.strip() or 0)
    if not 1 <= span <= DAYS_MAX:
        raise bad_field("days", f"1 to {DAYS_MAX:.0f}")
    if not 1 <= count <= USES_MAX:
        raise bad_field("uses", f"1 to {USES_MAX}")
    room_id = int(room) if room.strip() else None
    with begin_read(server.engine) as conn:
        rooms = pages.rooms(conn, school.id)
    if room_id is not None and room_id not in {one.id for one in rooms}:
        raise bad_field("room", "is not a room of this school")
    now = time.time()
    token = issue_enrolment_token(
        server.engine, school.id, room_id, span, count, now=now, by=who.name, admits=admits
    )
    return page(
        request,
        "token.html",
        who,
        school=school,
        token=server.code(token),
        address=server.address(request),
        days=span,
        uses=count,
        until=now + span * DAY,
        room=next((one.name for one in rooms if one.id == room_id), None),
        admits=admits,
        qr=svg,
    )


def revoke_all(code: str, who: Who, server: Server, csrf: Csrf = "") -> Response:
    """Ends all open enrolment tokens of the school."""
    check_form(who, csrf)
    school = school_for(who, server, code)
    now = time.time()
    with begin_write(server.engine) as conn:
        ended = tokens.revoke_tokens(conn, school.id, now)
        people.record(
            conn,
            actor=who.name,
            action="enrolment.revoke",
            subject=school.code,
            detail={"tokens": ended, "school": school.id},
            now=now,
        )
    return RedirectResponse(f"/schools/{school.code}#enrolment", 303)


def revoke(code: str, token: int, who: Who, server: Server, csrf: Csrf = "") -> Response:
    """Ends one token of the school; devices that enrolled with it stay."""
    check_form(who, csrf)
    school = school_for(who, server, code)
    now = time.time()
    with begin_write(server.engine) as conn:
        if not tokens.revoke_token(conn, school.id, token, now):
            raise not_found("open token", str(token))
        detail = {"token": token, "school": school.id}
        people.record(
            conn, actor=who.name, action="enrolment.revoke", subject=school.code, detail=detail, now=now
        )
    return RedirectResponse(f"/schools/{school.code}#enrolment", 303)


ROUTES = (
    Route("POST", "/schools/{code}/enrolment", issue, "enrol"),
    Route("POST", "/schools/{code}/enrolment/revoke", revoke_all, "enrol"),
    Route("POST", "/schools/{code}/enrolment/{token}/revoke", revoke, "enrol"),
)
