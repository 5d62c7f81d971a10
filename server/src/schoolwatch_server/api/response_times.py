"""GET /api/v1/response-times: how fast incidents of a month were acknowledged and closed, place by place."""

import time
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from fastapi import Query
from sqlalchemy import Connection
from starlette.responses import Response

from schoolwatch_server import response_times
from schoolwatch_server.access import Place, Principal, covers
from schoolwatch_server.api import incident_shapes as shapes
from schoolwatch_server.api import looked
from schoolwatch_server.api.exports import Excel, Lang, headers, pen
from schoolwatch_server.api.problems import bad_field, not_found
from schoolwatch_server.api.query import CODE
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.api.times import rfc3339
from schoolwatch_server.database import courses, registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.reports.pen import Cell, instant
from schoolwatch_server.response_times import Course, Figures, Month, figures
from schoolwatch_server.scope import Scope

Json = dict[str, object]

MonthName = Annotated[
    str | None, Query(max_length=7, description="2026-11, of Vietnam; this month, when left out")
]
CommuneCode = Annotated[
    str | None,
    Query(pattern=CODE, description="Its schools one by one; without it, communes where you see some"),
]

COLUMNS = (
    "month", "until", "code", "name", "opened", "acknowledged", "acknowledge_mean", "acknowledge_median",
    "untaken", "closed", "close_mean", "close_median", "false_alarms", "open", "apart",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OfPlace:
    """A place's figures; the code is empty of all that somebody sees."""

    code: str
    name: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Times:
    """The figures of a month as known at `until` (UTC seconds): of the whole, and of the places in it.

    `level` is what the whole is; its places are of the level below, a school has none.
    """

    month: Month
    until: float
    level: Literal["province", "commune", "school"]
    whole: OfPlace
    places: tuple[OfPlace, ...]


def measured(conn: Connection, who: Principal, month: Month, commune: str | None, now: float) -> Times:
    """Of what somebody sees, or of one commune of it. Raises a 404 `Problem` for a commune out of sight."""
    until = min(month.end, now)

    def told(scope: Scope) -> tuple[Course, ...]:
        return courses.courses(conn, scope, month.start, month.end, until)

    level: Literal["province", "commune", "school"] = "province"
    code = name = ""
    if commune is not None or who.scope.level in ("commune", "school"):
        rows = registry.communes(conn, who.scope)
        here = next((row for row in rows if commune in (None, row.code)), None)
        level = "school" if who.scope.level == "school" else "commune"
        if here is None or (commune is not None and not covers(who.scope, Place(here.province_id, here.id))):
            raise not_found("commune", commune or "")
        found = told(who.scope if level == "school" else Scope("commune", here.id))
        code, name = here.code, here.name
        schools = registry.schools(conn, who.scope, commune_id=here.id)
        places = _by({row.id: (row.code, row.name) for row in schools}, found, "school_id")
        if level == "school" and schools:
            code, name, places = schools[0].code, schools[0].name, ()
    else:
        found = told(who.scope)
        known = {row.id: (row.code, row.name) for row in registry.communes(conn, who.scope)}
        places = _by(known, found, "commune_id")
    return Times(month, until, level, OfPlace(code, name, figures(found)), places)


def month_of(text: str | None, now: float) -> Month:
    """The month asked for. Raises a 422 `Problem` for one that is none or has not begun."""
    month = response_times.month_of(now) if text is None else response_times.named(text)
    if month is None or month.start > now:
        raise bad_field("month", "a month that has begun, as 2026-11")
    return month


def shown(who: Who, server: Server, month: MonthName = None, commune: CommuneCode = None) -> Json:
    """Mean and median in seconds, from when people were told to when somebody took it and when it was over.

    Exercises don't count, nor does what happened after the month.
    """
    times = _times(who, server, month, commune)
    return {
        "month": times.month.name,
        "until": rfc3339(times.until),
        "level": times.level,
        "whole": _json(times.whole),
        "places": [_json(place) for place in times.places],
    }


def file(
    who: Who,
    server: Server,
    month: MonthName = None,
    commune: CommuneCode = None,
    lang: Lang = "vi",
    excel: Excel = None,
) -> Response:
    """The same as a file, the whole first; times in seconds, unknown where there was nothing to measure."""
    times = _times(who, server, month, commune)
    looked.see(server.looked, server.engine, who, "export", f"response times {times.month.name}")
    written = pen(server, lang, excel)
    head = written.heads([(server.texts.get(lang, f"response.column.{name}"), name) for name in COLUMNS])
    rows = (written.row(COLUMNS, _cells(times, place)) for place in (times.whole, *times.places))
    name = f"schoolwatch-response-times-{times.month.name}.csv"
    return Response(head + b"".join(rows), headers=headers(name, "text/csv", written))


def _times(who: Principal, server: Server, month: str | None, commune: str | None) -> Times:
    now = time.time()
    chosen = month_of(month, now)
    with begin_read(server.engine) as conn:
        times = measured(conn, who, chosen, commune, now)
    looked.see(server.looked, server.engine, who, "incident.list", commune or "")  # not what is out of sight
    return times


def _by(
    known: dict[int, tuple[str, str]], found: tuple[Course, ...], column: Literal["school_id", "commune_id"]
) -> tuple[OfPlace, ...]:
    of: dict[int, list[Course]] = {id_: [] for id_ in known}
    for course in found:
        id_ = getattr(course, column)
        if id_ in of:
            of[id_].append(course)
    return tuple(OfPlace(*known[id_], figures(own)) for id_, own in of.items())


def _json(place: OfPlace) -> Json:
    return {"code": place.code, "name": place.name} | asdict(place.figures)


def _cells(times: Times, place: OfPlace) -> dict[str, Cell]:
    whole = {"month": times.month.name, "until": instant(times.until)}
    return whole | {"code": place.code, "name": place.name} | asdict(place.figures)


ROUTES = (
    Route(
        "GET", "/api/v1/response-times", shown, "read", "How fast incidents are seen to",
        answer=shapes.ResponseTimes,
    ),
    Route("GET", "/api/v1/response-times.csv", file, "read", "The same as a file"),
)  # fmt: skip
