"""To whom report forms of incidents go: typed in by the department for its province, nobody by default."""

import time
from typing import Annotated, Literal

from fastapi import Form, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server.access import Place, Principal, may
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.database import incident_recipients, people, registry
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.incident_recipients import LEVELS, RecipientRow
from schoolwatch_server.reports.keeping import one_line
from schoolwatch_server.workbooks import cells
from schoolwatch_server.workbooks.cells import CellError

Line = Annotated[str, Form(max_length=300)]


def show(request: Request, who: Who, server: Server) -> Response:
    """Of each province that somebody sees."""
    return _page(request, who, server)


def _page(request: Request, who: Principal, server: Context, *, refused: str = "", **typed: str) -> Response:
    """Of each province; what was refused stands in its form as it was typed."""
    with begin_read(server.engine) as conn:
        provinces = registry.provinces(conn, who.scope)
        found = [(row, incident_recipients.recipients(conn, row.id)) for row in provinces]
    return page(
        request,
        "recipients.html",
        who,
        422 if refused else 200,
        at="/recipients",
        refused=words_of(request).text(f"serious.refused.{refused}") if refused else "",
        provinces=found,
        levels=LEVELS,
        typed=typed,
        may_set=lambda province: may(who, "registry", Place(province.id)),
    )


def change(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    province: Annotated[str, Form(max_length=20)] = "",
    level: Annotated[Literal["province", "national"], Form()] = "province",
    name: Line = "",
    address: Line = "",
    email: Line = "",
) -> Response:
    """Sets a recipient as a whole; without a name it is taken away."""
    check_form(who, csrf)
    name, address, email = (one_line(text) for text in (name, address, email))
    typed = {"province": province, "level": level, "name": name, "address": address, "email": email}
    if not name and (address or email):
        return _page(request, who, server, refused="name", **typed)
    try:
        email = cells.email(email) if email else ""
    except CellError:
        return _page(request, who, server, refused="email", **typed)
    now = time.time()
    with begin_write(server.engine) as conn:
        row = next((one for one in registry.provinces(conn, who.scope) if one.code == province), None)
        if row is None or not may(who, "registry", Place(row.id)):
            raise not_found("province", province)
        new = RecipientRow(level, name, address, email, now, who.name)
        incident_recipients.set_recipient(conn, row.id, new)
        detail = {"level": level, "name": name, "address": address, "email": email}
        people.record(
            conn, actor=who.name, action="incident.recipient", subject=row.code, detail=detail, now=now
        )
    return RedirectResponse("/recipients", 303)


ROUTES = (
    Route("GET", "/recipients", show, "read"),
    Route("POST", "/recipients", change, "registry"),
)
