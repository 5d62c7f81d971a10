"""Where a device stands and what it is used for: what people say of rooms and devices."""

import time
from typing import Annotated

from fastapi import Form
from starlette.responses import RedirectResponse, Response

from schoolwatch_server.access import authorise
from schoolwatch_server.api.problems import bad_field, not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import check_form
from schoolwatch_server.console.schools import Csrf, Number, place_of, school_to_declare
from schoolwatch_server.database import lives, pages, people, registry, told
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.database.roles import DEVICE_ROLES, GATEWAY

Name = Annotated[str, Form(max_length=80)]
Role = Annotated[str, Form(max_length=20)]

ROOM_MAX = 1000
"""Computers of a room: more is a slip of the finger."""


def add_room(
    code: str,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    name: Name = "",
    role: Role = "",
    declared: Number = "",
) -> Response:
    """A new room of a school; the role of its devices follows from it."""
    check_form(who, csrf)
    school = school_to_declare(who, server, code)
    name, role, count = _text("name", name), _role(role), _count(declared)
    with begin_write(server.engine) as conn:
        if name in {room.name for room in pages.rooms(conn, school.id)}:
            raise bad_field("name", "the school has a room of this name already")
        registry.create_room(conn, school.id, name, role, count)
        detail = {"name": name, "role": role, "declared": count}
        people.record(conn, actor=who.name, action="room", subject=code, detail=detail, now=time.time())
    return RedirectResponse(f"/schools/{school.code}#rooms", 303)


def change_room(
    code: str, room: int, who: Who, server: Server, csrf: Csrf = "", role: Role = "", declared: Number = ""
) -> Response:
    """What a room is used for, of which its devices hear, and how many computers are in it."""
    check_form(who, csrf)
    school = school_to_declare(who, server, code)
    role, count = _role(role), _count(declared)
    now = time.time()
    with begin_write(server.engine) as conn:
        held = next((r for r in pages.rooms(conn, school.id) if r.id == room), None)
        if held is None:
            raise not_found("room", str(room))
        registry.change_room(conn, school.id, room, role, count)
        detail = {"name": held.name, "role": role, "declared": count}
        people.record(conn, actor=who.name, action="room.role", subject=school.code, detail=detail, now=now)
    return RedirectResponse(f"/schools/{school.code}#rooms", 303)


def choose_tester(
    code: str,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    device: Annotated[str, Form(pattern="^([0-9a-f]{32})?$")] = "",
) -> Response:
    """The one device that tests the school's line; nobody when it is empty."""
    check_form(who, csrf)
    school = school_to_declare(who, server, code)
    now = time.time()
    with begin_write(server.engine) as conn:
        row = registry.device(conn, device, who.scope) if device else None
        if device and (row is None or row.school_id != school.id):
            raise bad_field("device", "is not a device of this school")
        told.set_line_tester(conn, school.id, None if row is None else row.id)
        detail = {"device": device}
        people.record(conn, actor=who.name, action="line.tester", subject=school.code, detail=detail, now=now)
    return RedirectResponse(f"/schools/{school.code}#line", 303)


def change_device(
    device: str,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    label: Name = "",
    room: Number = "",
    role: Role = "",
    broken: Annotated[str, Form(max_length=10)] = "",
    asset_tag: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Label, asset tag, room, own role (empty: its room's), whether it is broken; the move is dated now."""
    check_form(who, csrf)
    label, own = _text("label", label), _role(role, DEVICE_ROLES) if role else None
    room_id = int(room) if room.strip() else None
    tag = _text("asset_tag", asset_tag) if asset_tag.strip() else ""
    now = time.time()
    with begin_write(server.engine) as conn:
        row = registry.device(conn, device, who.scope)
        if row is None:
            raise not_found("device", device)
        school = registry.school_by_code(conn, row.school_code, who.scope)
        if school is not None:
            authorise(who, "declare", place_of(school))
        if room_id is not None and room_id not in {r.id for r in pages.rooms(conn, row.school_id)}:
            raise bad_field("room", "is not a room of this school")
        before = lives.own_role(conn, row.id)
        registry.set_device(conn, row.id, label=label, role=own, broken=bool(broken))
        registry.move_device(conn, row.id, row.school_id, room_id, now)
        lives.set_asset_tag(conn, row.id, tag)
        detail = {"label": label, "room": room_id, "role": own, "broken": bool(broken), "tag": tag}
        people.record(conn, actor=who.name, action="device", subject=device, detail=detail, now=now)
        if GATEWAY in (before, own) and before != own:  # who may pass on what others report
            action = "device.gateway" if own == GATEWAY else "device.no_gateway"
            people.record(conn, actor=who.name, action=action, subject=device, detail={}, now=now)
    return RedirectResponse(f"/devices/{device}", 303)


def _text(field: str, text: str) -> str:
    text = " ".join(text.split())
    if not text or not text.isprintable():
        raise bad_field(field, "write a name")
    return text


def _count(text: str) -> int | None:
    """How many computers a room has; None when nobody says."""
    if not text.strip():
        return None
    if int(text) > ROOM_MAX:
        raise bad_field("declared", f"0 to {ROOM_MAX}")
    return int(text)


def _role(role: str, known: tuple[str, ...] = registry.ROLES) -> str:
    if role not in known:
        raise bad_field("role", f"one of {', '.join(known)}")
    return role


ROUTES = (
    Route("POST", "/schools/{code}/rooms", add_room, "declare"),
    Route("POST", "/schools/{code}/rooms/{room}", change_room, "declare"),
    Route("POST", "/schools/{code}/line", choose_tester, "declare"),
    Route("POST", "/devices/{device}/manage", change_device, "declare"),
)
