"""What to buy or repair (I-29): of a school line by line, of a commune and a province added up."""

import time
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import Connection
from starlette.responses import Response

from schoolwatch_server import needs, needs_kept
from schoolwatch_server.access import Principal
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.here import Here, commune_here, province_here, school_here
from schoolwatch_server.console.page import page
from schoolwatch_server.database import pages
from schoolwatch_server.database.counts import count
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.indicators.limits import limits_here
from schoolwatch_server.scope import Scope


@dataclass(frozen=True, slots=True)
class Lacking:
    """A school with its lines."""

    code: str
    name: str
    lines: tuple[needs.Need, ...]


def of_province(request: Request, code: str, who: Who, server: Server) -> Response:
    """Sums of all schools; which school lacks what is in the file."""
    with begin_read(server.engine) as conn:
        return _show(request, conn, province_here(conn, who, code), who, server)


def of_commune(request: Request, code: str, who: Who, server: Server) -> Response:
    """Sums, and each school's lines."""
    with begin_read(server.engine) as conn:
        return _show(request, conn, commune_here(conn, who, code), who, server)


def of_school(request: Request, code: str, who: Who, server: Server) -> Response:
    """The lines of one school."""
    with begin_read(server.engine) as conn:
        return _show(request, conn, school_here(conn, who, code), who, server)


def _show(request: Request, conn: Connection, here: Here, who: Principal, server: Context) -> Response:
    now, scope = time.time(), Scope(here.level, here.id)
    by = needs.rules(server.packs, now)
    called = pages.called(conn, scope)
    kept = needs_kept.sums(conn, here.id, by, now) if here.level == "province" else None
    schools: tuple[Lacking, ...] = ()
    if kept is not None:
        (sums, as_of), total = kept, len(called)
    else:
        found = {
            held.school_id: needs.of_school(held.counts, by)
            for held in count(conn, scope, limits_here(conn, scope, server.packs, now))
        }
        sums, as_of, total = needs.add_up(found.values(), by), now, len(found)
        if here.level != "province":
            named = sorted(called.items(), key=lambda each: each[1].name)
            schools = tuple(Lacking(row.code, row.name, found[id_]) for id_, row in named if id_ in found)
    return page(
        request,
        "needs.html",
        who,
        here=here,
        sums=sums,
        as_of=as_of,
        schools=schools,
        rooms={} if here.level != "school" else {room.id: room.name for room in pages.rooms(conn, here.id)},
        count=total,
    )


ROUTES = (
    Route("GET", "/provinces/{code}/needs", of_province, "read"),
    Route("GET", "/communes/{code}/needs", of_commune, "read"),
    Route("GET", "/schools/{code}/needs", of_school, "read"),
)
