"""A school that becomes part of another one, and one that becomes two."""

import time
from typing import Annotated

from fastapi import Form
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import fleet
from schoolwatch_server.api.problems import bad_field
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import Csrf, check_form
from schoolwatch_server.console.schools import school_in_use
from schoolwatch_server.database import pages
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.registry import RegistryError
from schoolwatch_server.levels import LEVELS
from schoolwatch_server.schools import Named

Code = Annotated[str, Form(max_length=40)]


def merge(
    code: str, who: Who, server: Server, csrf: Csrf = "", into: Code = "", confirm: Code = ""
) -> Response:
    """The school is part of another one from now on."""
    check_form(who, csrf)
    school = school_in_use(who, server, code)
    if confirm.strip() != school.code:
        raise bad_field("confirm", f"type {school.code} again")
    try:
        fleet.merge(server.engine, school.code, into.strip(), who.scope, by=who.name, now=time.time())
    except RegistryError as error:
        raise bad_field("into", str(error)) from error
    return RedirectResponse(f"/schools/{into.strip()}/lists", 303)


def split(
    code: str,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    new: Code = "",
    name: Annotated[str, Form(max_length=200)] = "",
    level: Annotated[str, Form(max_length=20)] = "",
    room: Annotated[list[int] | None, Form()] = None,
) -> Response:
    """Some rooms of the school are a school of their own from now on."""
    check_form(who, csrf)
    school = school_in_use(who, server, code)
    if level and level not in LEVELS:
        raise bad_field("level", f"one of {', '.join(LEVELS)}")
    with begin_read(server.engine) as conn:
        known = {one.id: one.name for one in pages.rooms(conn, school.id)}
    rooms = [known[one] for one in room or [] if one in known]
    if not rooms or len(rooms) < len(set(room or [])):
        raise bad_field("split_room", "choose rooms of this school")
    made = Named(new.strip(), " ".join(name.split()))
    try:
        fleet.split(server.engine, school.code, made, level, rooms, who.scope, by=who.name, now=time.time())
    except RegistryError as error:
        raise bad_field("new", str(error)) from error
    return RedirectResponse(f"/schools/{made.code}/lists", 303)


ROUTES = (
    Route("POST", "/schools/{code}/merge", merge, "registry"),
    Route("POST", "/schools/{code}/split", split, "registry"),
)
