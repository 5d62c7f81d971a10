"""GET /api/v1/indicators/history: what was judged of places, a value a day, by pages or as one stream."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import msgspec
from fastapi import Query
from sqlalchemy import Connection
from starlette.responses import Response

from schoolwatch_server.access import Principal
from schoolwatch_server.api import looked, ndjson, shapes
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import bad_field, not_found
from schoolwatch_server.api.query import CODE, Cursor, Limit, SchoolCode
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.api.times import rfc3339
from schoolwatch_server.database import history, pages, registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.indicator import Place as Level
from schoolwatch_server.reports import punctuality

Json = dict[str, object]

LONGEST = 5 * 366
"""Days of the longest history: what judged values are kept for."""

USUAL = 30
"""Days when nobody says how many."""

FIRST = date(1970, 1, 1)
_DAYS = 65536
"""A cursor is a series and a day in it: `series * _DAYS + day`, days counted from `FIRST`."""

_TOGETHER = 50
_LOOKED = 2000
"""Series of one query, and of one page at most: where few have values a page may be short."""

_BY_ID = {indicator.id: indicator for indicator in INDICATORS}

Places = dict[Level, str | None]
Code = Annotated[str | None, Query(pattern=CODE)]
IndicatorId = Annotated[str | None, Query(pattern=r"^[a-z0-9_]{1,60}$")]
LevelName = Annotated[Level | None, Query(description="Whose values: of the province, communes or schools")]
Since = Annotated[date | None, Query(alias="from", description="First day in Vietnam; 30 days before `to`")]
Until = Annotated[date | None, Query(alias="to", description="Last day in Vietnam; today")]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for, checked."""

    who: Principal
    first: date
    last: date
    level: Level | None
    inside: tuple[Level, int] | None
    indicator: str | None


def values(
    who: Who,
    server: Server,
    level: LevelName = None,
    province: Code = None,
    commune: Code = None,
    school: SchoolCode = None,
    indicator: IndicatorId = None,
    begin: Since = None,
    end: Until = None,
    limit: Limit = 100,
    cursor: Cursor = 0,
) -> Json:
    """The last value of each day, by indicator and place; `province`, `commune` and `school` are codes.

    Of a commune there is what was judged of a school while it stood there. A day without a row: nothing was
    judged. `value` null: there was not enough data. A page may be short; `next` null is the last.
    """
    with begin_read(server.engine) as conn:
        places: Places = {"province": province, "commune": commune, "school": school}
        asked = _asked(conn, who, level, places, indicator, begin, end)
        found, after = _page(conn, asked, cursor, limit)
    return {
        "from": asked.first.isoformat(),
        "to": asked.last.isoformat(),
        "values": found,
        "next": after,
    }


def stream(
    who: Who,
    server: Server,
    level: LevelName = None,
    province: Code = None,
    commune: Code = None,
    school: SchoolCode = None,
    indicator: IndicatorId = None,
    begin: Since = None,
    end: Until = None,
) -> Response:
    """As `/api/v1/indicators/history`, all of it, a JSON object a line, sent as it is made."""
    with begin_read(server.engine) as conn:
        places: Places = {"province": province, "commune": commune, "school": school}
        asked = _asked(conn, who, level, places, indicator, begin, end)
    looked.see(server.looked, server.engine, who, "export", "indicators history.ndjson")
    return ndjson.answer(_lines(server, asked), "schoolwatch-indicators", simulated=server.simulated)


def _lines(server: Context, asked: _Asked) -> Iterator[bytes]:
    """Page by page, each in a transaction of its own: a slow reader holds no old state of the database."""
    mark: Json = {"simulated": True} if server.simulated else {}
    after: int | None = 0
    while after is not None:
        with begin_read(server.engine) as conn:
            found, after = _page(conn, asked, after, 2000)
        if found:
            yield b"".join(msgspec.json.encode(row | mark) + b"\n" for row in found)


def _asked(
    conn: Connection,
    who: Principal,
    level: Level | None,
    places: Places,
    indicator: str | None,
    begin: date | None,
    end: date | None,
) -> _Asked:
    if indicator is not None and indicator not in {*_BY_ID, punctuality.INDICATOR}:
        raise not_found("indicator", indicator)
    given = [(of, code) for of, code in places.items() if code is not None]
    if len(given) > 1:
        raise bad_field(given[1][0], f"say either it or `{given[0][0]}`")
    for field, day in (("from", begin), ("to", end)):
        if day is not None and not FIRST <= day < date(2100, 1, 1):
            raise bad_field(field, "the day is not between 1970 and 2100")
    last = end or history.day_of(time.time())
    first = begin or max(last - timedelta(days=USUAL - 1), FIRST)
    if first > last:
        raise bad_field("from", "is after `to`")
    if (last - first).days >= LONGEST:
        raise bad_field("from", "a history is at most 5 years long")
    inside = _inside(conn, who, *given[0]) if given else None
    return _Asked(who, first, last, level, inside, indicator)


def _inside(conn: Connection, who: Principal, level: Level, code: str) -> tuple[Level, int]:
    """The place of that code, when the scope sees it. Raises a 404 `Problem`."""
    found: list[int]
    if level == "school":
        row = registry.school_by_code(conn, code, who.scope)
        found = [] if row is None else [row.id]
    elif level == "commune":
        found = [commune.id for commune in registry.communes(conn, who.scope) if commune.code == code]
    else:
        found = [province.id for province in registry.provinces(conn, who.scope) if province.code == code]
    if not found:
        raise not_found(level, code)
    return level, found[0]


def _page(conn: Connection, asked: _Asked, cursor: int, limit: int) -> tuple[list[Json], int | None]:
    """At most so many rows behind the cursor, and the cursor for what follows."""
    names = _names(conn, asked.who)
    known = history.series(
        conn,
        asked.who.scope,
        level=asked.level,
        inside=asked.inside,
        indicator=asked.indicator,
        after=cursor // _DAYS - 1,
        limit=_LOOKED,
    )
    found: list[Json] = []
    reached = cursor
    together = max(1, min(_TOGETHER, limit // ((asked.last - asked.first).days + 1)))
    for start in range(0, len(known), together):
        some = {each.id: each for each in known[start : start + together]}
        for row in history.daily(conn, list(some), asked.first, asked.last):
            series = some[row.series_id]
            place = names.get((series.level, series.place_id))
            number = row.series_id * _DAYS + (row.day - FIRST).days
            if place is None or number <= cursor:
                continue
            if len(found) == limit:
                return found, reached
            found.append(_json(series, place, row))
            reached = number
    return found, known[-1].id * _DAYS + _DAYS - 1 if len(known) == _LOOKED else None


Names = dict[tuple[str, int], tuple[str, str]]


def _names(conn: Connection, who: Principal) -> Names:
    """Code and name of every place that the scope sees; what is no more has none, and no row."""
    scope = who.scope
    found: Names = {("province", row.id): (row.code, row.name) for row in registry.provinces(conn, scope)}
    found |= {("commune", row.id): (row.code, row.name) for row in registry.communes(conn, scope)}
    return found | {("school", id_): (row.code, row.name) for id_, row in pages.called(conn, scope).items()}


def _json(series: history.Series, place: tuple[str, str], row: history.DayValue) -> Json:
    indicator = _BY_ID.get(series.indicator)  # None: of an older version of the program
    counted = indicator is not None and indicator.counts_schools and series.level != "school"
    counted = counted or series.indicator == punctuality.INDICATOR
    return {
        "day": row.day.isoformat(),
        "at": rfc3339(row.at),
        "level": series.level,
        "place": {"code": place[0], "name": place[1]},
        "indicator": series.indicator,
        "unit": "ratio" if counted else indicator.unit if indicator is not None else None,
        "value": row.value,
        "numerator": row.numerator,
        "denominator": row.denominator,
        "coverage": row.coverage,
        "pack": row.pack,
    }


ROUTES = (
    Route(
        "GET",
        "/api/v1/indicators/history",
        values,
        "read",
        "Indicators of places, a value a day",
        answer=shapes.IndicatorHistory,
    ),
    Route("GET", "/api/v1/indicators/history.ndjson", stream, "read", "The same as one stream (NDJSON)"),
)
