"""A school's work list: faults that were there when a computer came, or have been for weeks."""

import time
from collections.abc import Callable

from fastapi import Request
from sqlalchemy import Connection
from starlette.responses import Response

from schoolwatch_server import work_list
from schoolwatch_server.api import looked
from schoolwatch_server.api import work_list as found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.api.work_list import WeekName
from schoolwatch_server.console.here import Here, commune_here, province_here, school_here
from schoolwatch_server.console.page import page
from schoolwatch_server.database import faults, incident_rows, unobserved
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.scope import Scope

FEW = 20
"""Computers that are shown at once below a task; the others are folded."""


def show(request: Request, code: str, who: Who, server: Server, week: WeekName = None) -> Response:
    """The list of a week; of a past one, as it stood at its end."""
    chosen, later = _week(week)
    with begin_read(server.engine) as conn:
        here = school_here(conn, who, code)
    looked.see(
        server.looked, server.engine, who, "incident.list", here.code
    )  # what is not theirs, nobody saw
    with begin_read(server.engine) as conn:
        standing = faults.of_school(conn, who.scope, here.id, chosen.start, chosen.end)
        blind = () if later else unobserved.of_school(conn, here.id)
        waiting = [incident_rows.incident(conn, number, who.scope) for number in blind[:FEW]]
    return page(
        request,
        "work_list.html",
        who,
        here=here,
        week=chosen,
        later=later,
        waiting=[row for row in waiting if row is not None],
        rules=server.rules,
        tasks=work_list.tasks(standing, server.rules, chosen),
        few=FEW,
    )


def province(request: Request, code: str, who: Who, server: Server, week: WeekName = None) -> Response:
    """What its schools have on their lists, commune by commune, the worst first."""
    return _overview(request, who, server, week, lambda conn: province_here(conn, who, code))


def commune(request: Request, code: str, who: Who, server: Server, week: WeekName = None) -> Response:
    """What its schools have on their lists, the worst first."""
    return _overview(request, who, server, week, lambda conn: commune_here(conn, who, code))


def _overview(
    request: Request, who: Who, server: Server, week: str | None, where: Callable[[Connection], Here]
) -> Response:
    chosen, later = _week(week)
    with begin_read(server.engine) as conn:
        here = where(conn)
    looked.see(server.looked, server.engine, who, "incident.list", here.code)
    with begin_read(server.engine) as conn:
        schools = found.schools_listed(conn, Scope(here.level, here.id), chosen)
    return page(
        request,
        "work_lists.html",
        who,
        here=here,
        week=chosen,
        later=later,
        schools=schools,
        places=found.communes_listed(schools) if here.level == "province" else schools,
    )


def _week(text: str | None) -> tuple[work_list.Week, work_list.Week | None]:
    """The week asked for, and the next one if that has begun."""
    now = time.time()
    chosen = found.chosen_week(text, now)
    return chosen, work_list.Week(chosen.end) if chosen.end <= now else None


ROUTES = (
    Route("GET", "/schools/{code}/work-list", show, "read"),
    Route("GET", "/communes/{code}/work-list", commune, "read"),
    Route("GET", "/provinces/{code}/work-list", province, "read"),
)
