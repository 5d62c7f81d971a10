"""Reports: what is due when and for whom, what waits for whom, and freezing one."""

import time
from typing import Annotated

from fastapi import Form, Query, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from schoolwatch_server.access import Principal, may
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.console.report_words import ReportWords
from schoolwatch_server.database import registry, reports, waits
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.reports import ReportRow
from schoolwatch_server.indicators.indicator import Place
from schoolwatch_server.reports import agenda, calendar, keeping
from schoolwatch_server.reports.calendar import KINDS, LEVELS, Kind
from schoolwatch_server.reports.freeze import Judged
from schoolwatch_server.reports.keeping import ReportError, Wanted

ROWS = 50

WAITING = 500
"""Reports to decide on that a page names; a province has 120 communes."""

Code = Annotated[str, Form(pattern=r"^\s*[0-9A-Za-z._-]{0,20}\s*$")]
Text = Annotated[str, Form(max_length=1000)]


def listing(
    request: Request,
    who: Who,
    server: Server,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """What is due, what waits for who asks, and every frozen report that they see, newest first."""
    return _listing(request, who, server, before)


def _listing(
    request: Request, who: Principal, server: Context, before: int | None = None, *, refused: str = ""
) -> Response:
    now = time.time()
    with begin_read(server.engine) as conn:
        rows = reports.listed(conn, who.scope, below=before, limit=ROWS + 1)
        waiting = _waiting(conn, who)
        lines = agenda.lines(conn, who.scope, now)
        on_time = agenda.counted(conn, who.scope, now)
        own = _own_places(conn, who)
    words = words_of(request)
    return page(
        request,
        "reports.html",
        who,
        422 if refused else 200,
        at="/reports",
        said=ReportWords(words),
        refused=words.text(f"reports.refused.{refused}") if refused else "",
        rows=rows[:ROWS],
        older=rows[ROWS - 1].id if len(rows) > ROWS else None,
        waiting=waiting,
        lines=lines,
        today=calendar.day_of(now),
        on_time=on_time,
        own=own,
        kinds=KINDS,
        levels=[level for level in LEVELS if _covers(who, level)],
        periods={kind: calendar.period_of(kind, calendar.day_of(now)) for kind in KINDS},
    )


def _waiting(conn: Connection, who: Principal) -> tuple[ReportRow, ...]:
    """Reports that were handed in to who asks, the newest first."""
    if who.scope.level == "school" or not may(who, "accept"):
        return ()
    only = waits.decided_by("xa" if who.scope.level == "commune" else "so")
    return reports.listed(conn, who.scope, state="handed_in", only=only, limit=WAITING)


def _covers(who: Principal, level: Place) -> bool:
    order = ("school", "commune", "province")
    own = "province" if who.scope.level == "all" else who.scope.level
    return order.index(level) <= order.index(own)


def _own_places(conn: Connection, who: Principal) -> tuple[tuple[Place, str, str], ...]:
    """Places whose report somebody may freeze without typing a code: their own, at most a few."""
    match who.scope.level:
        case "school":
            return tuple(("school", row.code, row.name) for row in registry.schools(conn, who.scope))
        case "commune":
            return tuple(("commune", row.code, row.name) for row in registry.communes(conn, who.scope))
        case _:
            return tuple(("province", row.code, row.name) for row in registry.provinces(conn, who.scope))


def freeze(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    level: Annotated[Place, Form()] = "school",
    code: Code = "",
    kind: Annotated[Kind, Form()] = "monthly",
    period: Annotated[str, Form(max_length=20)] = "",
    note: Text = "",
) -> Response:
    """Keeps a report as things stand now, and opens it."""
    check_form(who, csrf)
    judged = Judged(server.packs, server.systems, server.simulated)
    wanted = Wanted(level, code.strip(), kind, period.strip(), note)
    try:
        row = keeping.freeze(server.engine, wanted, judged, who.scope, by=who.name, now=time.time())
    except ReportError as error:
        return _listing(request, who, server, refused=error.reason)
    return RedirectResponse(f"/reports/{row.sha256}", 303)


ROUTES = (
    Route("GET", "/reports", listing, "read"),
    Route("POST", "/reports", freeze, "freeze"),
)
