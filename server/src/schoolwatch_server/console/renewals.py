"""Keys and passwords of devices renewed: ordered for a device or a school; who still has the old ones."""

import time
from typing import Annotated

from fastapi import Form, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import renewal
from schoolwatch_server.api.problems import bad_field, not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import Csrf, check_form, page
from schoolwatch_server.console.schools import school_for
from schoolwatch_server.database.registry import RegistryError
from schoolwatch_server.scope import Scope

SHOWN = 200
"""Devices that are shown at once; the page says how many there are."""


def show(request: Request, who: Who, server: Server) -> Response:
    """The devices whose credential is still to be renewed, why it is not yet, and the form."""
    found = renewal.waiting(server.engine, who.scope)
    return page(request, "renewals.html", who, waiting=found[:SHOWN], count=len(found))


def order(
    who: Who,
    server: Server,
    csrf: Csrf = "",
    school: Annotated[str, Form(max_length=40)] = "",
    device: Annotated[str, Form(pattern="^([0-9a-f]{32})?$")] = "",
) -> Response:
    """Has one device's key and password renewed, or those of all of a school whose code was typed."""
    check_form(who, csrf)
    code = school.strip()
    if bool(code) == bool(device):
        raise bad_field("school", "write a school's code")
    scope = Scope("school", school_for(who, server, code).id) if code else who.scope
    try:
        renewal.order(server.engine, scope, [device] if device else None, by=who.name, now=time.time())
    except RegistryError as error:
        raise not_found("device", device) from error
    return RedirectResponse("/renewals", 303)


ROUTES = (
    Route("GET", "/renewals", show, "rotate"),
    Route("POST", "/renewals", order, "rotate"),
)
