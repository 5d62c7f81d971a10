"""Devices cut off, retired, brought back, replaced and put into rooms; and those that may be ghosts."""

import time
from typing import Annotated, Literal

from fastapi import Form, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import fleet
from schoolwatch_server.api.problems import bad_field, not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.arrivals import Devices
from schoolwatch_server.console.page import Csrf, check_form, page
from schoolwatch_server.console.schools import Number, school_to_declare
from schoolwatch_server.database import ghosts, pages, people, registry
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.registry import RegistryError

RETIRED = 50
"""Retired devices that are shown, the last ones."""

Decision = Literal["revoke", "retire", "restore", "keep", "replace"]


def show_ghosts(request: Request, who: Who, server: Server) -> Response:
    """Devices that may be ghosts, with the reasons, and what was retired lately."""
    now = time.time()
    with begin_read(server.engine) as conn:
        found = ghosts.proposed(conn, who.scope, now)
        gone = ghosts.retired(conn, who.scope, RETIRED)
    return page(request, "ghosts.html", who, ghosts=found, most=ghosts.MOST, retired=gone)


def decided(
    device: str,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    decision: Annotated[Decision, Form()] = "keep",
    old: Annotated[str, Form(pattern="^([0-9a-f]{32})?$")] = "",
    back: Annotated[Literal["device", "ghosts"], Form()] = "device",
) -> Response:
    """Cuts off, retires, brings back or keeps a device, or lets it take over the record of an `old` one."""
    check_form(who, csrf)
    by, now = who.name, time.time()
    act = {
        "revoke": fleet.revoke,
        "retire": fleet.retire,
        "restore": fleet.restore,
        "keep": fleet.keep,
    }
    try:
        if decision == "replace":
            fleet.replace(server.engine, device, old, who.scope, by=by, now=now)
        else:
            act[decision](server.engine, device, who.scope, by=by, now=now)
    except RegistryError as error:
        raise not_found("device", device) from error
    is_there = back == "device" and decision != "retire"
    return RedirectResponse(f"/devices/{device}" if is_there else "/ghosts", 303)


def set_rooms(
    code: str,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    device: Devices = [],  # noqa: B006  FastAPI copies it
    room: Number = "",
) -> Response:
    """Puts the ticked devices of a school into one room, or into none."""
    check_form(who, csrf)
    school = school_to_declare(who, server, code)
    room_id, now = int(room) if room.strip() else None, time.time()
    with begin_write(server.engine) as conn:
        if room_id is not None and room_id not in {one.id for one in pages.rooms(conn, school.id)}:
            raise bad_field("room", "is not a room of this school")
        here = {row.device: row.id for row in registry.devices(conn, who.scope, school_id=school.id)}
        strange = [name for name in device if name not in here]
        if strange:
            raise not_found("device", strange[0])
        for name in device:
            registry.move_device(conn, here[name], school.id, room_id, now)
            detail = {"school": school.id, "room": room_id}
            people.record(conn, actor=who.name, action="device.room", subject=name, detail=detail, now=now)
    return RedirectResponse(f"/schools/{school.code}#rooms", 303)


ROUTES = (
    Route("GET", "/ghosts", show_ghosts, "enrol"),
    Route("POST", "/devices/{device}/life", decided, "enrol"),
    Route("POST", "/schools/{code}/devices", set_rooms, "declare"),
)
