"""When which report is due in each province: the shipped dates with their sources, and the province's own."""

import re
import time
from typing import Annotated

from fastapi import Form, Query, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server.access import Place as Where
from schoolwatch_server.access import Principal, may
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.console.report_words import ReportWords
from schoolwatch_server.database import people, registry, report_deadlines
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.rows import ProvinceRow
from schoolwatch_server.indicators.indicator import Place
from schoolwatch_server.reports import agenda, calendar
from schoolwatch_server.reports.calendar import KINDS, LEVELS, Kind
from schoolwatch_server.reports.deadlines import in_force
from schoolwatch_server.reports.keeping import one_line

_DAY_AND_MONTH = re.compile(r"(\d{1,2})\s*[/.-]\s*(\d{1,2})", re.ASCII)
_DAY = re.compile(r"(\+?)\s*([0-9]{1,2})\s*(th[aá]ng\s+sau|next\s+month)?", re.IGNORECASE)

Line = Annotated[str, Form(max_length=300)]


def show(request: Request, who: Who, server: Server) -> Response:
    """Every deadline of the provinces that somebody sees."""
    return _page(request, who, server)


def _page(request: Request, who: Principal, server: Context, *, refused: str = "") -> Response:
    with begin_read(server.engine) as conn:
        provinces = registry.provinces(conn, who.scope)
        found = [(province, in_force(conn, province.id)) for province in provinces]
    words = words_of(request)
    return page(
        request,
        "reports_calendar.html",
        who,
        422 if refused else 200,
        at="/reports/calendar",
        said=ReportWords(words),
        refused=words.text(f"reports.refused.{refused}") if refused else "",
        calendars=[
            (
                province,
                [known[kind, level] for level in LEVELS[::-1] for kind in KINDS if (kind, level) in known],
            )
            for province, known in found
        ],
        may_set=lambda province: may(who, "registry", Where(province.id)),
    )


def due(
    request: Request,
    who: Who,
    server: Server,
    kind: Annotated[Kind, Query()],
    level: Annotated[Place, Query()],
    period: Annotated[str, Query(max_length=10)],
    province: Annotated[str, Query(max_length=20)],
) -> Response:
    """One report of the calendar: each place that owes it, and how far it has come."""
    with begin_read(server.engine) as conn:
        row = next((p for p in registry.provinces(conn, who.scope) if p.code == province), None)
        if row is None:
            raise not_found("province", province)
        deadline = in_force(conn, row.id).get((kind, level))
        try:
            last = calendar.last_day(kind, period, deadline.before) if deadline else None
        except ValueError:
            last = None
        if deadline is None or last is None:
            raise not_found("report", period)
        line = agenda.line(conn, who.scope, row, deadline, period, last)
        newest = agenda.newest(conn, who.scope, line)
    said = ReportWords(words_of(request))
    return page(
        request,
        "reports_due.html",
        who,
        said=said,
        line=line,
        newest=newest,
        today=calendar.day_of(time.time()),
    )


def change(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    province: Annotated[str, Form(max_length=20)] = "",
    kind: Annotated[Kind, Form()] = "monthly",
    level: Annotated[Place, Form()] = "school",
    before: Annotated[str, Form(max_length=20)] = "",
    document: Line = "",
    clause: Line = "",
    reset: Annotated[bool, Form()] = False,
) -> Response:
    """Sets a province's own deadline with its document, or takes it back to the shipped one."""
    check_form(who, csrf)
    before, document = read_before(before), one_line(document)
    if not reset:
        try:
            calendar.check(kind, before)
        except ValueError:
            return _page(request, who, server, refused="before")
        if len(document) < 5:
            return _page(request, who, server, refused="document")
    now = time.time()
    values = {
        "before": before,
        "document": document,
        "clause": one_line(clause),
        "changed_at": now,
        "changed_by": who.name,
    }
    with begin_write(server.engine) as conn:
        row = _province(registry.provinces(conn, who.scope), who, province)
        report_deadlines.set_deadline(conn, row.id, kind, level, None if reset else values)
        detail = {"kind": kind, "level": level} | (
            {"reset": True} if reset else {"before": before, "document": document}
        )
        people.record(
            conn, actor=who.name, action="report.deadline", subject=row.code, detail=detail, now=now
        )
    return RedirectResponse("/reports/calendar", 303)


def read_before(text: str) -> str:
    """`10/12` as a Vietnamese writes it is `12-10`; `05` is `5`, `5 tháng sau` is `+5`."""
    text = text.strip()
    if match := _DAY_AND_MONTH.fullmatch(text):
        return f"{int(match[2]):02}-{int(match[1]):02}"
    if match := _DAY.fullmatch(text):
        return f"{'+' if match[1] or match[3] else ''}{int(match[2])}"
    return text


def _province(provinces: tuple[ProvinceRow, ...], who: Principal, code: str) -> ProvinceRow:
    for row in provinces:
        if row.code == code and may(who, "registry", Where(row.id)):
            return row
    raise not_found("province", code)


ROUTES = (
    Route("GET", "/reports/calendar", show, "read"),
    Route("GET", "/reports/due", due, "read"),
    Route("POST", "/reports/calendar", change, "registry"),
)
"""Before those of `reports`, whose addresses hold a digest."""
