"""How fast incidents of a month were taken and closed, place by place."""

import time

from fastapi import Request
from starlette.responses import Response

from schoolwatch_server.api import looked, response_times
from schoolwatch_server.api.response_times import CommuneCode, MonthName
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import page
from schoolwatch_server.database.engine import begin_read


def show(
    request: Request, who: Who, server: Server, month: MonthName = None, commune: CommuneCode = None
) -> Response:
    """The page of a month: communes for who sees several, or the schools of one."""
    now = time.time()
    chosen = response_times.month_of(month, now)
    with begin_read(server.engine) as conn:
        times = response_times.measured(conn, who, chosen, commune, now)
    looked.see(server.looked, server.engine, who, "incident.list", commune or "")
    return page(
        request,
        "response_times.html",
        who,
        times=times,
        commune=commune,
        later=chosen.after if chosen.end <= now else None,
        is_over=chosen.end <= now,
    )


ROUTES = (Route("GET", "/response-times", show, "read"),)
