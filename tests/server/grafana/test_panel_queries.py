"""Every query of every panel and variable: the embedded store answers what a real InfluxDB answers."""

from collections.abc import Callable, Iterator

import pytest

from conftest import Peer
from influxdb import RunningInfluxDB, holding
from influxql_queries import asked, same
from panels_world import HOURS, SECOND, START, expanded, lines
from schoolwatch_server import rules
from schoolwatch_server.grafana import DASHBOARDS, incidents, influxql, marks, server
from schoolwatch_server.influxql.query import Span
from schoolwatch_server.store.names import INCIDENTS_BY_RULE
from schoolwatch_server.store.queried import Queried

RANGES = [(0, HOURS * 3600, "1h"), (7000, 30_000, "7m")]
"""From and to, seconds after the start, and the length of an interval."""

QUERIES = sorted(
    {influxql.query(query) for one in DASHBOARDS for panel in one.panels for query in panel.queries}
    | {influxql.marks(marks.of(one)) for one in DASHBOARDS}
)


@pytest.fixture(scope="module")
def influxdb(
    peer: Peer,
    tmp_path_factory: pytest.TempPathFactory,
    free_port: Callable[[], int],
    embedded: Queried,
    devices: list[str],
) -> Iterator[RunningInfluxDB]:
    span = Span(START * SECOND, (START + HOURS * 3600) * SECOND)
    folder = tmp_path_factory.mktemp("influxdb")
    with holding(peer("influxd"), folder, free_port, lines(embedded, devices, span)) as running:
        yield running


@pytest.mark.parametrize(("after", "until", "interval"), RANGES)
def test_panels(
    after: int,
    until: int,
    interval: str,
    embedded: Queried,
    influxdb: RunningInfluxDB,
    chosen: dict[str, str],
) -> None:
    empty = []
    for query in QUERIES:
        text = expanded(query, chosen, (START + after) * 1000, (START + until) * 1000, interval)
        mine, theirs = asked(text, embedded), influxdb.ask(text)
        assert same(mine, theirs), f"{text}\nours   {mine}\ntheirs {theirs}"
        is_of_now = "_info" in query and until < HOURS * 3600  # there is one point, now
        if "series" not in mine["results"][0] and not is_of_now:
            empty.append(text)
    assert empty == []


def test_kinds_of_incidents_are_told_apart(embedded: Queried, chosen: dict[str, str]) -> None:
    """The panels of the province and of the server name every rule, each that of its scope."""
    found: dict[str, set[str]] = {}
    for panel in (panel for one in (incidents.DASHBOARD, server.DASHBOARD) for panel in one.panels):
        query = panel.query
        if query.measurement == INCIDENTS_BY_RULE and query.is_over_time:
            text = expanded(influxql.query(query), chosen, START * 1000, (START + HOURS * 3600) * 1000, "1h")
            series = asked(text, embedded)["results"][0]["series"]
            found.setdefault(query.where["level"], set()).update(one["tags"]["rule"] for one in series)
    of_server = {rule.id for rule in rules.load() if rule.scope == "server"}
    assert found["server"] == of_server
    assert found["province"] == {rule.id for rule in rules.load()} - of_server


def test_variables(embedded: Queried, chosen: dict[str, str], devices: list[str]) -> None:
    """Each list has what was chosen from it, and nothing of elsewhere."""
    found: dict[str, list[str]] = {}
    for one in DASHBOARDS:
        for variable in one.variables:
            if variable.choices:
                assert chosen[variable.name] in variable.choices
                continue
            here = chosen | {"commune": "Xã", "school": "Trường"} if variable.name == "device" else chosen
            text = expanded(influxql.values(variable), here, 0, 0, "")
            (series,) = asked(text, embedded)["results"][0]["series"]
            found[variable.name] = [value for _, value in series["values"]]
    assert found["province"] == ["Tỉnh", "Tỉnh Hai"]
    assert found["commune"] == ["Xã 1 (mới)", "Xã 2 (mới)"]
    assert found["school"] == ["Trường 1.1", "Trường 1.2"]
    assert found["device"] == sorted(devices)
    assert len(found["gateway"]) == 1, "that of the school"
    assert found["province_code"] == ["P2"]
    assert found["commune_code"] == ["C1"]
    assert found["school_code"] == ["S12"]
