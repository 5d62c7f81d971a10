"""A school's work list: faults that were there when a computer came, or have been for weeks."""

import time
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from schoolwatch_server import work_list
from schoolwatch_server.api import looked
from schoolwatch_server.api.problems import bad_field
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.here import school_here
from schoolwatch_server.console.page import page
from schoolwatch_server.database import faults
from schoolwatch_server.database.engine import begin_read

FEW = 20
"""Computers that are shown at once below a task; the others are folded."""

WeekName = Annotated[str | None, Query(max_length=10, description="2026-W48; this week, when left out")]


def show(request: Request, code: str, who: Who, server: Server, week: WeekName = None) -> Response:
    """The list of a week; of a past one, as it stood at its end."""
    now = time.time()
    this = work_list.this_week(now)
    chosen = this if week is None else work_list.named(week)
    if chosen is None or chosen.start > this.start:
        raise bad_field("week", "a week that has begun, as 2026-W48")
    looked.see(server.looked, server.engine, who, "incident.list", code)
    with begin_read(server.engine) as conn:
        here = school_here(conn, who, code)
        found = faults.of_school(conn, who.scope, here.id, chosen.start, chosen.end)
    return page(
        request,
        "work_list.html",
        who,
        here=here,
        week=chosen,
        later=work_list.Week(chosen.end) if chosen.start < this.start else None,
        tasks=work_list.tasks(found, server.rules, chosen),
        few=FEW,
    )


ROUTES = (Route("GET", "/schools/{code}/work-list", show, "read"),)
