"""Every panel and variable over a month in which the journal was pruned: as a database with all raw points.

A small one, unless SCHOOLWATCH_SCHOOLS says how many schools; two devices of each then measure every 5
minutes, or every SCHOOLWATCH_EVERY seconds, for 30 days:

    SCHOOLWATCH_SCHOOLS=60 pytest --timeout=0 tests/server/grafana/test_panels_of_a_month.py

With 60 schools both databases are filled at once, with 12 million points of devices and 3 million judged.

Older than 14 days the embedded store has hours of what devices measured. Intervals of whole hours are equal
there too; shorter ones and hours that a range cuts are not, by what is agreed of the store.
"""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest

from conftest import Peer
from influxdb import RunningInfluxDB, holding
from influxql_queries import asked, same
from panels_month import DAY, Month, Size
from panels_world import SECOND, expanded
from reports import World
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.judged_index import JudgedIndex
from schoolwatch_server.grafana import DASHBOARDS, influxql, marks
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.store.queried import Queried

SIZE = Size.asked()
HOUR = 3600
ALWAYS = (0, 0)
AHEAD = 4
"""Questions to which the other database has answers waiting."""

QUERIES = sorted(
    {(q.measurement, influxql.query(q)) for one in DASHBOARDS for panel in one.panels for q in panel.queries}
    | {("", influxql.marks(marks.of(one))) for one in DASHBOARDS}
)


class Range(NamedTuple):
    """From and to, seconds before the end; lengths of an interval."""

    after: float
    until: float
    intervals: tuple[str, ...]


RANGES = (
    Range(6 * HOUR, 0, ("1m", "5m")),
    Range(DAY, 0, ("5m", "10m", "1h")),
    Range(7 * DAY, 0, ("30m", "1h", "6h")),
    Range(SIZE.days * DAY, 0, ("1h", "3h", "1d")),
    Range(5 * DAY + 1234.567, 17.001, ("7m", "1h", "1d")),
    Range(13 * DAY + 1.5, 12 * DAY - 0.25, ("13m", "2h")),
    Range((SIZE.days - 0.5) * DAY, 14.5 * DAY + 0.001, ("1h", "12h")),
)
CUT = Range((SIZE.days - 1) * DAY + 1000.5, 3 * HOUR + 1.25, ("1h", "6h"))
"""It cuts an hour of which no points are left."""


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    world = World(tmp_path_factory.mktemp("world"))
    month = Month(world, SIZE)
    month.register()
    yield month
    world.engine.dispose()


@pytest.fixture(scope="module")
def influxdb(
    peer: Peer, tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int], month: Month
) -> Iterator[RunningInfluxDB]:
    """It is filled by another process while this one fills ours."""
    folder = tmp_path_factory.mktemp("influxdb")
    with holding(peer("influxd"), folder, free_port) as running:
        other = multiprocessing.get_context("fork").Process(target=_tell, args=(running, month))
        other.start()
        month.fill()
        other.join()
        assert other.exitcode == 0
        with begin_read(month.world.engine) as conn:
            running.write_all(month.listed(Queried(conn, JudgedIndex(), EVERYTHING, month.size.end)))
        yield running


def _tell(running: RunningInfluxDB, month: Month) -> None:
    running.write_all(month.told())


@pytest.fixture(scope="module")
def embedded(month: Month, influxdb: RunningInfluxDB) -> Iterator[Queried]:
    """Filled with the other."""
    with begin_read(month.world.engine) as conn:
        yield Queried(conn, JudgedIndex(), EVERYTHING, month.size.end)


def chosen(month: Month, measurement: str) -> list[dict[str, str]]:
    """What may be chosen in the variables: places that are within each other.

    The device is one that measures what is asked for, if any does.
    """
    device = (month.measures(measurement) or [month.devices[0].device])[-1]
    schools = [place for place in month.places if place["level"] == "school"]
    return [
        {kind: place[kind] for kind in ("province", "commune", "school")}
        | {"device": device, "gateway": device, "indicator": "antivirus_coverage", "isp": "VNPT"}
        for place in (schools[0], schools[-1])
    ]


def found(
    texts: Sequence[str], source: Queried, influxdb: RunningInfluxDB, within: tuple[int, int] = ALWAYS
) -> list[int]:
    """Compares both answers to each, of their rows those between two instants; how many series each has.

    The other one is asked some questions ahead, by a thread.
    """
    counts: list[int] = []
    with ThreadPoolExecutor(1) as ahead:
        waiting = deque(ahead.submit(influxdb.ask, text) for text in texts[:AHEAD])
        for number, text in enumerate(texts):
            mine = asked(text, source)
            theirs = waiting.popleft().result()
            waiting += [ahead.submit(influxdb.ask, later) for later in texts[number + AHEAD :][:1]]
            for series in (*_series(mine), *_series(theirs)):
                series["values"] = [r for r in series["values"] if within == ALWAYS or _is_in(r[0], within)]
            assert same(mine, theirs), f"{text}\nours   {str(mine)[:2000]}\ntheirs {str(theirs)[:2000]}"
            counts.append(len(_series(mine)))
    return counts


def _series(answer: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer["results"][0].get("series", [])
    return found


def _is_in(at: int, within: tuple[int, int]) -> bool:
    return within[0] <= at < within[1]


def questions(month: Month, one: Range, place: int) -> list[str]:
    """Every query with every choice and interval; in the small month a part of them, others of each range."""
    start, until = (int((month.size.end - before) * 1000) for before in (one.after, one.until))
    made = [
        expanded(query, choice, start, until, interval)
        for measurement, query in QUERIES
        for choice in chosen(month, measurement)
        for interval in one.intervals
    ]
    every = 1 if SIZE.is_asked else 41
    return list(dict.fromkeys(made))[place % every :: every]


@pytest.mark.parametrize("place", range(len(RANGES)))
def test_panels(place: int, month: Month, embedded: Queried, influxdb: RunningInfluxDB) -> None:
    texts = questions(month, RANGES[place], place)
    assert sum(map(bool, found(texts, embedded, influxdb))) > 0.3 * len(texts)


def test_what_a_range_cuts(month: Month, embedded: Queried, influxdb: RunningInfluxDB) -> None:
    """All but the intervals at its ends, where an hour without points is taken whole."""
    first, last = (int((month.size.end - before) * SECOND) for before in (CUT.after, CUT.until))
    longest = 6 * HOUR * SECOND
    within = first + longest, last - longest
    assert any(found(questions(month, CUT, 0), embedded, influxdb, within))


def test_variables(month: Month, embedded: Queried, influxdb: RunningInfluxDB) -> None:
    every = {variable.name: variable for one in DASHBOARDS for variable in one.variables}
    for variable in (one for one in every.values() if not one.choices):
        for choice in chosen(month, ""):
            text = expanded(influxql.values(variable), choice, 0, 0, "")
            is_there = any(found([text], embedded, influxdb))
            assert is_there == (variable.name != "gateway"), text  # none of these computers is one
