"""GET /metrics/indicators: what holds now at places, for Prometheus: the part that who asks may see."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final

from fastapi import Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from schoolwatch_server.access import Principal
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.exposition import Family, Labels, Sample, answer
from schoolwatch_server.api.problems import Problem, not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.api.squeezed import squeezed
from schoolwatch_server.database import incident_counts, judged_queries
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.indicator import Place as Level
from schoolwatch_server.indicators.stored import FRESH_BELOW, MEASUREMENT
from schoolwatch_server.influxql.condition import ANY
from schoolwatch_server.influxql.source import Series
from schoolwatch_server.store.queried.beside import Names
from schoolwatch_server.store.series import ENDED

MOST: Final = 20_000
"""Indicators of places in one answer: some 16 MB, what VictoriaMetrics takes in one scrape."""

LEVELS: Final[tuple[Level, ...]] = ("province", "commune", "school")

_KNOWN: Final = {one.id: one for one in INDICATORS}
_FIELDS: Final = {
    "value": "An indicator now, in its own unit; not there where not enough is known",
    "numerator": "What was counted of an indicator",
    "denominator": "Of how many",
    "coverage_ratio": "Which share of what an indicator is about is known",
}

LevelNames = Annotated[
    list[Level] | None,
    Query(max_length=3, description="Of which places; without, all but schools of a province"),
]
IndicatorIds = Annotated[list[str] | None, Query(max_length=60, description="Which indicators; without, all")]


def metrics(
    who: Who,
    server: Server,
    request: Request,
    level: LevelNames = None,
    indicator: IndicatorIds = None,
) -> Response:
    """Value, numerator, denominator and coverage of indicators, and open incidents, for Prometheus.

    As OpenMetrics where that is asked for, else as Prometheus' text.
    Of schools only where a level says so, unless who asks sees no more than a commune.
    """
    unknown = sorted(set(indicator or ()) - _KNOWN.keys())
    if unknown:
        raise not_found("indicator", unknown[0])
    levels = frozenset(level or ()) or _usual(who)
    with begin_read(server.engine) as conn:
        families = tuple(_families(conn, who, server, levels, frozenset(indicator or ())))
    return squeezed(request, answer(families, request.headers.get("accept", "")))


def _usual(who: Principal) -> frozenset[Level]:
    """Which levels nobody needs to ask for: a province's schools are too many for each scrape."""
    return frozenset(LEVELS if who.scope.level in ("commune", "school") else LEVELS[:2])


def _families(
    conn: Connection, who: Principal, server: Context, levels: frozenset[Level], wanted: frozenset[str]
) -> Iterator[Family]:
    series = [
        one
        for one in server.judged_index.now(conn).series(MEASUREMENT, ANY, who.scope)
        if one.tags["level"] in levels and (not wanted or one.tags["indicator"] in wanted)
    ]
    if len(series) > MOST:
        text = f"these are {len(series)} indicators of places, and {MOST} are told at once: name `indicator`s"
        raise Problem(422, text, errors=[{"field": "indicator", "detail": f"at most {MOST} in one answer"}])
    now = time.time()
    names = server.names.now(conn, who.scope)
    ids = [one.id for one in series if isinstance(one.id, int)]
    found = judged_queries.newest(conn, ids, now - FRESH_BELOW)
    told: list[Sample] = [({}, float(server.simulated))]
    yield Family("schoolwatch_simulated", "gauge", "1 where nothing of this is about a real school", told)
    yield from _indicators(series, found, names)
    yield _incidents(conn, who, names)


def _indicators(
    series: Sequence[Series], found: Mapping[int, judged_queries.Newest], names: Names
) -> Iterator[Family]:
    """The newest row of each series that was judged lately; what a row does not know is no sample."""
    samples: dict[str, list[Sample]] = {name: [] for name in _FIELDS}
    for one in series:
        held = found.get(one.id) if isinstance(one.id, int) else None
        if held is None or held.numbers == ENDED:
            continue
        labels = names.beside(one.tags) | {"unit": _unit(one.tags)}
        for name, number in zip(_FIELDS, held.numbers, strict=True):
            if number is not None:
                samples[name].append((labels, number))
    for name, text in _FIELDS.items():
        unit = "ratio" if name.endswith("_ratio") else ""
        yield Family(f"schoolwatch_indicator_{name}", "gauge", text, samples[name], unit)
    times = [one.at for one in found.values()]
    newest: list[Sample] = [({}, max(times))] if times else []
    text = "When the newest of these was judged"
    yield Family("schoolwatch_indicators_judged_timestamp_seconds", "gauge", text, newest, "seconds")


def _unit(tags: Mapping[str, str]) -> str:
    """Where schools are counted, a commune or province has the share of those that reach it."""
    indicator = _KNOWN.get(tags["indicator"])
    if indicator is None:
        return ""
    return "ratio" if indicator.counts_schools and tags["level"] != "school" else indicator.unit


def _incidents(conn: Connection, who: Principal, names: Names) -> Family:
    """Open ones by the narrowest place that they are about, and severity."""
    counts: Counter[tuple[tuple[str, str], ...]] = Counter()
    for (where, _, severity), number in incident_counts.open_now(conn, who.scope).items():
        place: Labels = {
            kind: str(id_) for kind, id_ in zip(LEVELS[::-1], where, strict=True) if id_ is not None
        }
        labels: Labels = names.beside(place) | {"severity": severity}
        counts[tuple(labels.items())] += number
    samples: list[Sample] = [(dict(labels), float(number)) for labels, number in counts.items()]
    return Family("schoolwatch_incidents_open", "gauge", "Open incidents, by where they are", samples)


ROUTES = (
    Route(
        "GET",
        "/metrics/indicators",
        metrics,
        "read",
        "Indicators and open incidents now, as OpenMetrics or Prometheus' text",
        refusals=(422,),
    ),
)
