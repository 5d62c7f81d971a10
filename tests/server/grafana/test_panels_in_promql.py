"""Every query of every panel and variable in PromQL: VictoriaMetrics answers what InfluxQL is answered."""

import itertools
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from typing import Any, get_args

import pytest

from asking_panels import LENGTHS, Asking, agree
from conftest import Peer
from influxql_queries import asked
from panels_world import HOURS, SECOND, START, UNKNOWN_BY_NOW, expanded, expanded_in_promql, info_lines
from reports import World
from schoolwatch_server import packs
from schoolwatch_server.grafana import DASHBOARDS, alert, alerts, influxql, marks, promql
from schoolwatch_server.grafana.places import SCHOOL
from schoolwatch_server.grafana.spec import Query, Variable
from schoolwatch_server.influxql.condition import Condition, meant
from schoolwatch_server.influxql.query import Buckets, Call, Function, Span
from schoolwatch_server.influxql.source import Fold, Line, Point, Series, folded, labels, lines, newest
from schoolwatch_server.store import lines as protocol
from schoolwatch_server.store.influx.open import open_engine
from schoolwatch_server.store.influx.writer import Writer
from schoolwatch_server.store.names import choice
from schoolwatch_server.store.queried import Queried
from schoolwatch_server.store_section import SeriesStore
from victoriametrics import RunningVictoriaMetrics, holding

RANGES = [(7000, 30_000, "7m"), (1, 90_001, "2h"), (-90_000, HOURS * 3600, "1d")]
"""From and to, seconds after the start, and the length of an interval."""

QUERIES = {
    promql.query(query): query for one in DASHBOARDS for panel in one.panels for query in panel.queries
}

HOUR = 3_600_000

NAMES = ("Xã 1 (mới)", "Ea H'leo", 'Lê "Quý" Đôn', "A.B+C|D", "Đắk R[1]^$", "{a}\\b", "a,b=c/d?*", "$1 `x")
"""What places may be called."""


@pytest.fixture(scope="module")
def victoriametrics(
    peer: Peer,
    tmp_path_factory: pytest.TempPathFactory,
    free_port: Callable[[], int],
    world: World,
    embedded: Queried,
) -> Iterator[RunningVictoriaMetrics]:
    """It has all that the server writes to such a store, and which schools there were."""
    folder = tmp_path_factory.mktemp("victoriametrics")
    span = Span(START * SECOND, (START + HOURS * 3600) * SECOND)
    told = [*info_lines(embedded, span), *MADE_UP.written()]
    with holding(peer("victoria-metrics"), folder / "data", free_port, told) as running:
        place = SeriesStore("victoriametrics", running.url)
        with closing(open_engine(place)) as store:
            Writer(world.engine, store, place.place, folder / "deletions").catch_up()
        running.flush()
        yield running


class MadeUp:
    """Series with points on both sides of where intervals end, at other instants and at the same ones."""

    def __init__(self) -> None:
        chance = random.Random(5)
        self._points: dict[int, list[tuple[int, float]]] = {}
        self._series: list[Series] = []
        for place, isp, n in itertools.product(map(protocol.tag, NAMES), ("", "viettel", "vnpt"), range(2)):
            tags = {"indicator": "made_up", "school_name": place, "n": str(n)} | ({"isp": isp} if isp else {})
            of = len(self._series)
            self._series.append(Series(of, tags))
            hours = (START // 3600 + hour for hour in range(-150, 20) if chance.random() < 0.8)
            instants = {hour * HOUR + chance.choice((0, 1, HOUR - 1, 1_234_567)) for hour in hours}
            self._points[of] = [(at * 1_000_000, round(chance.uniform(-9, 9), 4)) for at in sorted(instants)]

    def written(self) -> Iterator[str]:
        """All of it in line protocol."""
        for one in self._series:
            start = protocol.series("indicator", one.tags)
            for at, value in self._points[int(str(one.id))]:
                yield f"{start} value={value} {at}"

    def measurements(self) -> Sequence[str]:
        return ("indicator",)

    def fields(self, measurement: str) -> Sequence[str]:
        del measurement
        return ("value",)

    def tag_keys(self, measurement: str) -> Sequence[str]:
        del measurement
        return ("indicator", "isp", "n", "school_name")

    def series(self, measurement: str, where: Condition, span: Span) -> Sequence[Series]:
        del measurement, span
        return [one for one in self._series if meant(where)(one.tags)]

    def folds(
        self,
        measurement: str,
        field: str,
        series: Sequence[Series],
        span: Span,
        buckets: Buckets | None,
        need: frozenset[Function],
    ) -> Mapping[int, Mapping[int, Fold]]:
        del measurement, field, need
        return {
            of: folded([p for p in self._points[of] if span.start <= p[0] < span.end], buckets)
            for of in (int(str(one.id)) for one in series)
        }

    def labels(
        self, measurement: str, series: Sequence[Series], keys: Sequence[str]
    ) -> Sequence[tuple[str, ...]]:
        del measurement
        return labels(series, keys)

    def lines(
        self, measurement: str, call: Call, series: Sequence[Series], span: Span, buckets: Buckets | None
    ) -> Mapping[Any, Line]:
        folds = self.folds(measurement, call.field, series, span, buckets, frozenset({call.function}))
        return lines(folds, call, buckets)

    def points(
        self, measurement: str, fields: Sequence[str], series: Sequence[Series], span: Span
    ) -> Mapping[int, Sequence[Point]]:
        del measurement, fields
        return {
            of: [Point(at, (value,)) for at, value in self._points[of] if span.start <= at < span.end]
            for of in (int(str(one.id)) for one in series)
        }

    def newest(
        self, measurement: str, fields: Sequence[str], series: Sequence[Series], span: Span
    ) -> Mapping[int, Sequence[Point]]:
        return newest(self.points(measurement, fields, series, span))


MADE_UP = MadeUp()


@pytest.mark.parametrize(("after", "until", "interval"), RANGES)
def test_panels(
    after: int,
    until: int,
    interval: str,
    embedded: Queried,
    victoriametrics: RunningVictoriaMetrics,
    chosen: dict[str, str],
) -> None:
    asking = Asking((START + after) * 1000, (START + until) * 1000, interval, chosen)
    empty = []
    for text, query in QUERIES.items():
        ours, theirs = asking.influxql(query, embedded), asking.promql(query, victoriametrics)
        assert agree(ours, theirs), f"{text}\nours   {ours}\ntheirs {theirs}"
        if not ours:
            empty.append(text)
    assert empty == []


@pytest.mark.parametrize("function", get_args(Function))
@pytest.mark.parametrize("by", [(), ("school_name",), ("isp", "school_name")], ids=len)
@pytest.mark.parametrize("is_over_time", [True, False])
def test_each_function(
    function: Function, by: tuple[str, ...], is_over_time: bool, victoriametrics: RunningVictoriaMetrics
) -> None:
    query = Query("indicator", {"indicator": "made_up"}, by, function, is_over_time=is_over_time)
    hour = START // 3600 * HOUR
    chance = random.Random(f"{function}{by}{is_over_time}")
    starts = (hour - chance.randrange(HOUR, 140 * HOUR) for _ in range(4))
    by_chance = [
        (start, start + chance.randrange(HOUR, 40 * HOUR), chance.choice([*LENGTHS])) for start in starts
    ]
    for start, end, interval in (
        (hour - 24 * HOUR, hour, "1h"),
        (hour - 24 * HOUR - 1, hour + 1, "7m"),
        (
            hour - 140 * HOUR,
            hour,
            "2h",
        ),  # more than the 50 from which VictoriaMetrics likes whole ones of UTC
        (hour - 140 * HOUR, hour - 1, "1d"),
        *by_chance,
    ):
        asking = Asking(start, end, interval, {})
        ours, theirs = asking.influxql(query, MADE_UP), asking.promql(query, victoriametrics)
        assert ours
        assert agree(ours, theirs), f"{promql.query(query)}\nours   {ours}\ntheirs {theirs}"


def test_variables(
    world: World, embedded: Queried, victoriametrics: RunningVictoriaMetrics, chosen: dict[str, str]
) -> None:
    for variable in {one.name: one for each in DASHBOARDS for one in each.variables}.values():
        if variable.choices:
            continue
        here = chosen | {"school": str(world.school)} if variable.name == "device" else chosen
        (answer,) = asked(expanded(influxql.values(variable), here, 0, 0, ""), embedded)["results"]
        values = [value for _, value in answer["series"][0]["values"]]
        assert listed(victoriametrics, variable, here) == sorted(values)


def test_incidents_across_graphs(
    embedded: Queried, victoriametrics: RunningVictoriaMetrics, chosen: dict[str, str]
) -> None:
    """Each is drawn once, when it was opened, whatever the interval."""
    start, end = START * 1000, (START + HOURS * 3600) * 1000
    asking = Asking(start, end, "7m", chosen)
    for drawn in {marks.of(one) for one in DASHBOARDS}:
        (answer,) = asked(expanded(influxql.marks(drawn), chosen, start, end, ""), embedded, "ms")["results"]
        (series,) = answer["series"]
        ours = sorted((at, vi) for at, _, vi, *_ in series["values"])
        text = expanded_in_promql(promql.marks(drawn), chosen, 0, "7m")
        found = asking.over_time(text, victoriametrics)
        at_what = {
            (round(float(at)), one["metric"][drawn.text.vi]) for one in found for _, at in one["values"]
        }
        assert sorted(at_what) == ours
        assert ours


def test_alert_rules(embedded: Queried, victoriametrics: RunningVictoriaMetrics) -> None:
    """Each place's number; with the newest row's number gone, none."""
    now = START + HOURS * 3600 - 1
    counts = set()
    for rule in alerts.rules(packs.load(), date(2026, 11, 30)):
        for step in (one for one in rule.steps if isinstance(one, alert.Asked)):
            asking = Asking((now - step.seconds) * 1000, now * 1000, "1h", {})
            ours = asking.influxql(step.query, embedded)
            if step.query.is_current:
                ours = {place: numbers for place, numbers in ours.items() if UNKNOWN_BY_NOW not in place}
            ((text, _),) = alert.queries(replace(rule, steps=(step,)), "promql")
            theirs = asking.at_its_end(text, step.query, victoriametrics)
            assert agree(ours, theirs), f"{text}\nours   {ours}\ntheirs {theirs}"
            counts.add((rule.group, step.query.is_current, len(ours)))
    assert counts >= {("indicators", True, 1), ("indicators", False, 2), ("server", False, 1)}


@pytest.mark.parametrize("name", NAMES)
def test_whatever_a_place_is_called_it_is_found(name: str, victoriametrics: RunningVictoriaMetrics) -> None:
    """The name is chosen from a list, so it is what stands in the store."""
    query = Query("indicator", {"school_name": "$school"}, ("school_name",), is_over_time=False)
    hour = START // 3600 * HOUR
    asking = Asking(hour - 100 * HOUR, hour, "1h", {"school": protocol.tag(name)})
    ours, theirs = asking.influxql(query, MADE_UP), asking.promql(query, victoriametrics)
    assert list(theirs) == [("", protocol.tag(name))]
    assert agree(ours, theirs)


def test_a_list_has_the_newest_name_alone(victoriametrics: RunningVictoriaMetrics) -> None:
    """Also where the range reaches back to the old one; who is not there any more leaves it after 2 days."""
    province, at = "4711", START * SECOND
    told = [
        protocol.info_line(
            "school_info", {"province": province, "commune": "1", **tags}, at + hour * 3600 * SECOND
        )
        for hour, tags in (
            (0, {"school": "1", "school_choice": "Tên cũ|1", "commune_choice": "Xã cũ|1"}),
            (1, {"school": "1", "school_choice": 'Tên "mới"|1', "commune_choice": "Xã|1"}),
            (1, {"school": "2", "school_choice": "B|2|2", "commune_choice": "Xã|1"}),
            (-60, {"school": "3", "school_choice": "C|3", "commune_choice": "Xã|1"}),
        )
    ]
    victoriametrics.write("\n".join(told))
    school = Variable(
        "school", SCHOOL.title, "school_info", "school_choice", {"province": province}, is_choice=True
    )
    assert listed(victoriametrics, school, {}) == ["B|2|2", 'Tên "mới"|1']
    commune = replace(school, tag="commune_choice")
    assert listed(victoriametrics, commune, {}) == ["Xã|1"]
    code = replace(school, tag="commune", is_choice=False)
    assert listed(victoriametrics, code, {}) == ["1"]


def listed(running: RunningVictoriaMetrics, variable: Variable, chosen: dict[str, str]) -> list[str]:
    """A variable's list, as Grafana asks for it and takes it apart (`queryResultQuery`, `regex`)."""
    text = expanded_in_promql(promql.values(variable), chosen, 0, "")
    assert "\n" not in text
    query = text.removeprefix("query_result(").removesuffix(")")
    found = running.ask("query", query=query, time=str(START + HOURS * 3600))["result"]
    regex = re.compile(promql.listed(variable).strip("/").replace("(?<", "(?P<"))
    values = []
    for one in found:
        labels = ",".join(f'{key}="{value}"' for key, value in one["metric"].items())
        match = regex.search(f"{{{labels}}} {one['value'][1]} {one['value'][0] * 1000}")
        assert match is not None
        values.append(choice(match["text"], match["value"]) if variable.is_choice else match[1])
    return sorted(values)
