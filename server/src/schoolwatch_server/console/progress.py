"""Progress of a place: targets against deadlines with forecasts, and its schools in their order."""

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import Query, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import progress
from schoolwatch_server.access import Principal
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.here import Here, commune_here, province_here, school_here
from schoolwatch_server.console.indicator_groups import OF_SCHOOLS
from schoolwatch_server.console.packs import said
from schoolwatch_server.console.page import page
from schoolwatch_server.console.spark import spark
from schoolwatch_server.database import history, judged, pages, registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.forecast import Day
from schoolwatch_server.indicators import INDICATORS, concerned
from schoolwatch_server.indicators.by_plan import OfItem
from schoolwatch_server.indicators.current import at
from schoolwatch_server.indicators.stored import FRESH_BELOW, MEASUREMENT, PLAN_ITEM, item_tags
from schoolwatch_server.progress import Apart, Ranked
from schoolwatch_server.scope import Scope

WORST, BEST = 20, 5
"""Of more places than both together these are shown, until somebody asks for all."""

FEW = 30
"""Places without a value that are named; the others are counted."""

_BY_ID = {indicator.id: indicator for indicator in INDICATORS}

Chosen = Annotated[str | None, Query(alias="indicator", pattern=r"^[a-z0-9_]{1,60}$")]


Whole = Annotated[bool, Query(alias="all")]


@dataclass(frozen=True, slots=True)
class Line:
    """A school in the table: what it is called, where its page is, and its place in the order."""

    name: str
    note: str
    href: str
    held: Ranked


@dataclass(frozen=True, slots=True)
class Table:
    """An order of schools: `skipped` lie between `worst` and `best`; `apart` have no value."""

    unit: str
    worst: tuple[Line, ...]
    skipped: int
    best: tuple[Line, ...]
    apart: tuple[tuple[Apart, str, str], ...]
    reasons: tuple[tuple[str, int], ...]


def start(who: Who, server: Server) -> Response:
    """To the progress of one's own place; of several provinces the first, which links to the others."""
    with begin_read(server.engine) as conn:
        if who.scope.level == "school":
            at = [f"/schools/{school.code}" for school in registry.schools(conn, who.scope)]
        elif who.scope.level == "commune":
            at = [f"/communes/{commune.code}" for commune in registry.communes(conn, who.scope)]
        else:
            at = [f"/provinces/{province.code}" for province in registry.provinces(conn, who.scope)]
    return RedirectResponse(f"{at[0]}/progress" if at else "/", 303)


def of_province(
    request: Request, code: str, who: Who, server: Server, chosen: Chosen = None, whole: Whole = False
) -> Response:
    """A province and its schools."""
    with begin_read(server.engine) as conn:
        here = province_here(conn, who, code)
        others = tuple(p for p in registry.provinces(conn, who.scope) if p.id != here.id)
        return _show(request, conn, here, who, server, chosen, whole, others)


def of_commune(
    request: Request, code: str, who: Who, server: Server, chosen: Chosen = None, whole: Whole = False
) -> Response:
    """A commune and its schools."""
    with begin_read(server.engine) as conn:
        return _show(request, conn, commune_here(conn, who, code), who, server, chosen, whole)


def of_school(request: Request, code: str, who: Who, server: Server) -> Response:
    """A school, which has nothing below it."""
    with begin_read(server.engine) as conn:
        return _show(request, conn, school_here(conn, who, code), who, server, None)


def _show(
    request: Request,
    conn: Connection,
    here: Here,
    who: Principal,
    server: Context,
    chosen: str | None,
    whole: bool = False,
    others: Sequence[registry.ProvinceRow] = (),
) -> Response:
    now, packs = time.time(), server.packs
    held = at(conn, here.level, here.id, packs, now)
    values = held.values
    if chosen is not None and chosen not in _BY_ID:
        raise not_found("indicator", chosen)
    today = history.day_of(now)
    abouts = set(concerned.abouts(conn, Scope(here.level, here.id)).values()) if packs.plans else set()
    aimed = [value.indicator for value in values if progress.aims(packs, value, abouts)]
    histories = _histories(conn, here, server, today, aimed)
    some = _some(conn, here, server, today, held.items)
    goals = progress.goals(values, histories, packs, today, server.config.forecast, abouts, some)
    shown = chosen or next((goal.value.indicator for goal in goals), INDICATORS[0].id)
    return page(
        request,
        "progress.html",
        who,
        here=here,
        goals=goals,
        table=_schools(conn, here, server, shown, now, shorten=not whole),
        shown=shown,
        indicators=INDICATORS,
        others=others,
        terms=server.config.forecast,
        spark=spark,
        beside=progress.beside(packs, abouts),
        said=said(request, who, server, today),
        of_schools=OF_SCHOOLS,
        today=today,
        a_day=timedelta(days=1),
    )


def _histories(
    conn: Connection, here: Here, server: Context, today: date, indicators: Sequence[str]
) -> dict[str, list[tuple[Day, str]]]:
    """The days with a value of each of these indicators, as far back as a forecast looks."""
    of_place = [{"indicator": indicator, **here.tags} for indicator in indicators]
    known = judged.numbered(conn, MEASUREMENT, of_place)
    back = today - timedelta(weeks=server.config.forecast.most_weeks)
    found: defaultdict[str, list[tuple[Day, str]]] = defaultdict(list)
    for row in history.daily(conn, list(known), back, today):
        if row.value is not None:
            found[known[row.series_id]["indicator"]].append(((row.day, row.value), row.pack))
    return found


def _some(
    conn: Connection, here: Here, server: Context, today: date, items: Sequence[OfItem]
) -> list[progress.Some]:
    """The items of plans that are about some schools of the place, with the days of each."""
    by_key = {(plan.id, item.id): (plan, item) for plan in server.packs.plans for item in plan.items}
    found = [one for one in items if not one.is_of_all and one.value is not None]
    tags = [here.tags | item_tags(one.plan, one.item) for one in found]
    days: defaultdict[tuple[str, str], list[tuple[Day, str]]] = defaultdict(list)
    known = judged.numbered(conn, PLAN_ITEM, tags)
    back = today - timedelta(weeks=server.config.forecast.most_weeks)
    for row in history.daily(conn, list(known), back, today):
        if row.value is not None:
            its = known[row.series_id]
            days[its["plan"], its["item"]].append(((row.day, row.value), row.pack))
    return [
        progress.Some(*by_key[one.plan, one.item], one.value, days[one.plan, one.item])
        for one in found
        if one.value is not None
    ]


Named = dict[int, tuple[str, str, str]]
"""Name, note and address of a place's page, by its id."""


def _schools(
    conn: Connection, here: Here, server: Context, indicator: str, now: float, *, shorten: bool
) -> Table | None:
    """The schools of the place in their order; what is no more is not among them."""
    if here.level == "school":
        return None
    schools = pages.called(conn, Scope(here.level, here.id))
    with_commune = here.level == "province"
    named: Named = {
        id_: (row.name, row.commune if with_commune else "", f"/schools/{row.code}/progress")
        for id_, row in schools.items()
    }
    tags = [
        {"level": "school", "province": str(here.province_id), "commune": str(row.commune_id)}
        | {"school": str(id_), "indicator": indicator}
        for id_, row in schools.items()
    ]
    pack = server.packs.of(indicator)
    found = progress.rank(
        judged.latest_of(conn, MEASUREMENT, tags),
        "school",
        better=pack.indicators[indicator].better,
        floor=pack.coverage_floor.value,
        after=now - FRESH_BELOW,
    )
    ranked = found.ranked
    is_long = shorten and len(ranked) > WORST + BEST
    worst, best = (ranked[:WORST], ranked[-BEST:]) if is_long else (ranked, ())
    return Table(
        _BY_ID[indicator].unit,
        _lines(worst, named),
        len(ranked) - len(worst) - len(best),
        _lines(best, named),
        tuple((each, named[each.place_id][0], named[each.place_id][2]) for each in found.apart[:FEW]),
        tuple(Counter(each.reason for each in found.apart).most_common()),
    )


def _lines(held: Sequence[Ranked], named: Named) -> tuple[Line, ...]:
    return tuple(Line(*named[each.place_id], each) for each in held)


ROUTES = (
    Route("GET", "/progress", start, "read"),
    Route("GET", "/provinces/{code}/progress", of_province, "read"),
    Route("GET", "/communes/{code}/progress", of_commune, "read"),
    Route("GET", "/schools/{code}/progress", of_school, "read"),
)
