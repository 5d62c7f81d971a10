"""The communes of a province by one indicator: a map, and a table in the order that somebody asks for."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from schoolwatch_server import ranking
from schoolwatch_server.access import Place, may
from schoolwatch_server.api.ranking import known_indicator, of_province
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console import commune_map
from schoolwatch_server.console.here import province_here
from schoolwatch_server.console.page import page, words_of
from schoolwatch_server.console.words import Words
from schoolwatch_server.database import registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.ranking import Key

FIRST = "telemetry_coverage"
"""What is shown until somebody chooses: how much of what else is shown rests on."""

DESCENDING: dict[Key, bool] = {
    "rank": True, "name": False, "value": True, "change": False, "reached": False, "coverage": False,
}  # fmt: skip
"""By what communes can be sorted, and which way first: what needs attention stands on top."""

Chosen = Annotated[str, Query(alias="indicator", pattern=r"^[a-z0-9_]{1,60}$")]
SortBy = Annotated[Key, Query(alias="sort")]
Backwards = Annotated[bool | None, Query(alias="down")]


@dataclass(frozen=True, slots=True)
class Head:
    """A column's head: the address that sorts by it, and `aria-sort` when it is the one sorted by."""

    key: Key
    href: str
    sorted: str


def show(
    request: Request,
    code: str,
    who: Who,
    server: Server,
    chosen: Chosen = FIRST,
    by: SortBy = "rank",
    down: Backwards = None,
) -> Response:
    """Communes with a value in their order; apart from them those without one, with the reason."""
    indicator = known_indicator(chosen)
    with begin_read(server.engine) as conn:
        here = province_here(conn, who, code)
        found = of_province(conn, who, here.id, indicator, server)
        others = tuple(p for p in registry.provinces(conn, who.scope) if p.id != here.id)
        drawn = commune_map.read(conn, here.id, found, words_of(request))
    is_descending = DESCENDING[by] if down is None else down
    return page(
        request,
        "ranking.html",
        who,
        here=here,
        others=others,
        found=found,
        map_of=drawn,
        may_change_map=may(who, "registry", Place(here.id)),
        ranked=ranking.ordered(found.ranked, by, is_descending=is_descending),
        heads={key: _head(key, chosen, by, is_descending=is_descending) for key in DESCENDING},
        indicators=INDICATORS,
        few=ranking.FEW_SCHOOLS,
        delta=lambda amount: delta(words_of(request), amount, found.unit),
    )


def delta(words: Words, amount: float, unit: str) -> str:
    """`+3,2 điểm %`: a difference with its sign; shares differ by points of a hundred."""
    if unit == "ratio":
        text = f"{words.number(abs(amount) * 100)} {words.text('ranking.points')}"
        is_none = round(abs(amount) * 100, 1) == 0
    else:
        text = words.amount(abs(amount), unit)
        is_none = round(abs(amount), 2) == 0
    return text if is_none else f"{'+' if amount > 0 else '−'}{text}"


def _head(key: Key, chosen: str, by: Key, *, is_descending: bool) -> Head:
    is_here = key == by
    down = not is_descending if is_here else DESCENDING[key]
    at = f"?indicator={chosen}&sort={key}&down={'true' if down else 'false'}#communes"
    return Head(key, at, ("descending" if is_descending else "ascending") if is_here else "")


ROUTES = (Route("GET", "/provinces/{code}/ranking", show, "read"),)
