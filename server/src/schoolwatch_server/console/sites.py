"""Schools' websites: the box on a school's page, and the list for whoever sees several schools."""

import time
from collections.abc import Sequence
from typing import Annotated

from fastapi import Form, Query, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import site_standing as standing
from schoolwatch_server.access import Principal
from schoolwatch_server.alphabet import order
from schoolwatch_server.api.problems import bad_field
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.config import Sites
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.console.schools import school_to_declare
from schoolwatch_server.database import people, registry, sites
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.registry import SchoolRow
from schoolwatch_server.site_rounds import REST
from schoolwatch_server.sites.address import LONGEST, AddressError, shown, typed

PAGE = 100
"""Sites that a page shows."""

WITHOUT = "without"
"""Schools of which no address is known: beside what `standing.WHICH` tells of sites."""


def show(
    request: Request,
    who: Who,
    server: Server,
    which: Annotated[str, Query(alias="show", max_length=20)] = "all",
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    """The list, or those of it that need somebody."""
    now = time.time()
    chosen: standing.Which = next((one for one in standing.WHICH if one == which), "all")
    is_without = which == WITHOUT
    with begin_read(server.engine) as conn:
        rows = sites.listed(conn, who.scope)
        without = _without(conn, who, rows)
    those = (row for row in rows if standing.is_one(row, chosen, now))
    found = sorted(those, key=lambda row: _place(row, now))
    first = (number - 1) * PAGE
    return page(
        request,
        "sites.html",
        who,
        section=server.config.sites,
        line_down=_line_down(rows),
        which=WITHOUT if is_without else chosen,
        counts={**standing.counted(rows, now), WITHOUT: len(without)},
        rows=found[first : first + PAGE],
        without=without[first : first + PAGE] if is_without else (),
        number=number,
        pages=max(1, -(-len(without if is_without else found) // PAGE)),
        standing=standing,
        shown=shown,
    )


def change(
    request: Request,
    code: str,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    address: Annotated[str, Form(max_length=LONGEST + 100)] = "",
) -> Response:
    """Sets the address of a school's site; an empty one takes it away."""
    check_form(who, csrf)
    school = school_to_declare(who, server, code)
    new = _read(request, address, server.config.sites)
    now = time.time()
    with begin_write(server.engine) as conn:
        before = sites.addresses(conn, who.scope).get(school.id, "")
        if sites.change(conn, school.id, new, now, who.name):
            detail = {"before": before, "after": new}
            people.record(conn, actor=who.name, action="site.change", subject=code, detail=detail, now=now)
    return RedirectResponse(f"/schools/{school.code}#site", 303)


def look_now(code: str, who: Who, server: Server, csrf: Csrf = "") -> Response:
    """Has the site looked at with the next round, unless that has just been done."""
    check_form(who, csrf)
    school = school_to_declare(who, server, code)
    now = time.time()
    with begin_write(server.engine) as conn:
        if sites.look_soon(conn, school.id, now, REST):
            people.record(conn, actor=who.name, action="site.look", subject=code, detail={}, now=now)
    return RedirectResponse(f"/schools/{school.code}#site", 303)


def _without(conn: Connection, who: Principal, rows: Sequence[sites.SiteRow]) -> list[SchoolRow]:
    known = {row.school_id for row in rows}
    return [school for school in registry.schools(conn, who.scope) if school.id not in known]


def _line_down(rows: Sequence[sites.SiteRow]) -> float | None:
    """When the newest look of all found our own line down (UTC seconds); None when it did not."""
    newest = max((row.look for row in rows if row.look), key=lambda look: look.at, default=None)
    return newest.at if newest is not None and newest.trouble == "our_line" else None


def _place(row: sites.SiteRow, now: float) -> tuple[object, ...]:
    """Those that are down come first, then by the certificate that ends first, then by name."""
    left = standing.days_left(row, now)
    return (standing.state(row) != "down", 10**6 if left is None else left, order(row.school), row.id)


def _read(request: Request, text: str, section: Sites) -> str:
    """The address as it is kept. Raises a 422 `Problem` that says what to write instead."""
    if not text.strip():
        return ""
    words = words_of(request)
    try:
        found = typed(text)
    except AddressError as error:
        raise bad_field(
            "address", words.text(f"site.fault.{error.fault}"), words.text("site.address")
        ) from error
    if found.port not in section.ports:
        ports = ", ".join(map(str, section.ports))
        raise bad_field(
            "address", words.text("site.fault.other_port", ports=ports), words.text("site.address")
        )
    return str(found)


ROUTES = (
    Route("GET", "/sites", show, "read"),
    Route("POST", "/schools/{code}/site", change, "declare"),
    Route("POST", "/schools/{code}/site/look", look_now, "declare"),
)
