"""GET /api/v1/provinces/{code}/ranking: the communes of a province by an indicator, as JSON and as a file."""

import time
from typing import Annotated

from fastapi import Path, Query
from sqlalchemy import Connection
from starlette.responses import Response

from schoolwatch_server import ranking
from schoolwatch_server.access import Place, Principal, covers
from schoolwatch_server.api import looked, shapes_ranking
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.exports import Excel, Lang, headers, pen
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.query import CODE
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.database import registry, succession
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.indicator import Indicator
from schoolwatch_server.ranking import Ranking, Standing
from schoolwatch_server.reports.pen import Cell, Pen

Json = dict[str, object]

Code = Annotated[str, Path(pattern=CODE, description="Code of the province")]
IndicatorId = Annotated[str, Query(pattern=r"^[a-z0-9_]{1,60}$", description="Id, as in /api/v1/indicators")]

COLUMNS = (
    "commune_code", "commune", "indicator", "rank", "value", "unit", "numerator", "denominator", "coverage",
    "reason", "change", "compared_with", "schools_reached", "schools_known", "schools_asked", "target",
    "pack",
)  # fmt: skip


def shown(code: Code, indicator: IndicatorId, who: Who, server: Server) -> Json:
    """Communes with a value, the worst first (rank 1 is the best, equals share one), then those without one.

    `change` is since the same day of the last month. `schools` are those that reach what is asked of them.
    """
    found = _found(code, indicator, who, server)
    return {
        "indicator": found.indicator,
        "unit": found.unit,
        "better": found.better,
        "target": found.target,
        "pack": found.pack,
        "compared_with": found.compared.isoformat(),
        "ranked": [_json(each) for each in found.ranked],
        "not_enough_data": [_json(each) for each in found.apart],
    }


def file(
    code: Code,
    indicator: IndicatorId,
    who: Who,
    server: Server,
    lang: Lang = "vi",
    excel: Excel = None,
) -> Response:
    """The same as a file: communes without a value stand at the end, with the reason and no rank."""
    found = _found(code, indicator, who, server)
    looked.see(server.looked, server.engine, who, "export", f"{code} ranking {indicator}")
    written = pen(server, lang, excel)
    rows = (written.row(COLUMNS, _cells(found, each, written)) for each in (*found.ranked, *found.apart))
    name = f"schoolwatch-communes-{found.indicator}.csv"
    return Response(written.head(COLUMNS) + b"".join(rows), headers=headers(name, "text/csv", written))


def of_province(
    conn: Connection, who: Principal, province_id: int, indicator: Indicator, server: Context
) -> Ranking:
    """The ranking of a province that somebody sees as a whole."""
    communes = succession.communes_in_use(conn, who.scope, province_id)
    return ranking.read(conn, communes, indicator, server.packs, time.time())


def known_indicator(name: str) -> Indicator:
    """Raises a 404 `Problem`."""
    found = next((each for each in INDICATORS if each.id == name), None)
    if found is None:
        raise not_found("indicator", name)
    return found


def _found(code: str, indicator: str, who: Principal, server: Context) -> Ranking:
    chosen = known_indicator(indicator)
    with begin_read(server.engine) as conn:
        row = next((p for p in registry.provinces(conn, who.scope) if p.code == code), None)
        if row is None or not covers(who.scope, Place(row.id)):
            raise not_found("province", code)
        return of_province(conn, who, row.id, chosen, server)


def _json(of: Standing) -> Json:
    return {
        "commune": {"code": of.code, "name": of.name},
        "rank": of.rank,
        "value": of.value,
        "numerator": of.numerator,
        "denominator": of.denominator,
        "coverage": of.coverage,
        "reason": of.reason,
        "change": None
        if of.change is None
        else {
            "amount": of.change.amount,
            "since": of.change.day.isoformat(),
            "other_pack": of.change.other_pack,
        },
        "schools": None
        if of.reached is None
        else {"reached": of.reached.schools, "known": of.reached.known, "asked": of.reached.asked},
    }


def _cells(found: Ranking, of: Standing, written: Pen) -> dict[str, Cell]:
    change, reached = of.change, of.reached
    return {
        "commune_code": of.code,
        "commune": of.name,
        "indicator": found.indicator,
        "rank": "" if of.rank is None else of.rank,
        "value": of.value,
        "unit": written.known(f"report.unit.{found.unit}", found.unit),
        "numerator": of.numerator,
        "denominator": of.denominator,
        "coverage": of.coverage,
        "reason": written.known(f"reason.{of.reason}", of.reason) if of.reason else "",
        "change": None if change is None else change.amount,
        "compared_with": "" if change is None else change.day.isoformat(),
        "schools_reached": None if reached is None else reached.schools,
        "schools_known": None if reached is None else reached.known,
        "schools_asked": of.asked_schools,
        "target": "" if found.target is None else found.target,
        "pack": found.pack,
    }


ROUTES = (
    Route(
        "GET",
        "/api/v1/provinces/{code}/ranking",
        shown,
        "read",
        "Communes by an indicator",
        answer=shapes_ranking.Ranking,
    ),
    Route("GET", "/api/v1/provinces/{code}/ranking.csv", file, "read", "The same as a file"),
)
