"""Every query of every panel and variable: the embedded store answers what a real InfluxDB answers."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import Peer
from influxdb import RunningInfluxDB, holding
from influxql_queries import asked, same
from panels_world import HOURS, SECOND, START, expanded, lines
from reports import World
from schoolwatch_server import rules
from schoolwatch_server.database import judged, registry
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.judged_index import JudgedIndex
from schoolwatch_server.grafana import DASHBOARDS, incidents, influxql, marks, server
from schoolwatch_server.grafana.places import COMMUNE, IN_SCHOOL, OF_COMMUNES, PROVINCE, SCHOOL, now, worst
from schoolwatch_server.grafana.spec import CHOICE, Variable
from schoolwatch_server.indicators.stored import MEASUREMENT
from schoolwatch_server.influxql.query import Span
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.store.names import INCIDENTS_BY_RULE, choice
from schoolwatch_server.store.queried import Queried
from schoolwatch_server.store.series import Judged

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


def test_variables(world: World, embedded: Queried, chosen: dict[str, str], devices: list[str]) -> None:
    """Each list has what was chosen from it, and nothing of elsewhere."""
    found: dict[str, list[tuple[str, str]]] = {}
    of_devices = str(world.school)
    for one in DASHBOARDS:
        for variable in one.variables:
            if variable.choices:
                assert chosen[variable.name] in variable.choices
                continue
            here = chosen | {"school": of_devices} if variable.name == "device" else chosen
            text = expanded(influxql.values(variable), here, 0, 0, "")
            (series,) = asked(text, embedded)["results"][0]["series"]
            found[variable.name] = [picked(value, variable) for _, value in series["values"]]
    for kind, names in {
        "province": ["Tỉnh", "Tỉnh Hai"],
        "commune": ["Xã 1 (mới)", "Xã 2 (mới)"],
        "school": ["Trường 1.1", "Trường 1.2"],
    }.items():
        assert sorted(text for text, _ in found[kind]) == names
        assert chosen[kind] in [value for _, value in found[kind]]
    assert sorted(value for _, value in found["device"]) == sorted(devices)
    assert [text for text, _ in found["gateway"]] == ["Máy 1.2"], "that of the school"
    assert found["province_code"] == [("P2", "P2")]
    assert found["commune_code"] == [("C1", "C1")]
    assert found["school_code"] == [("S12", "S12")]


def picked(value: str, variable: Variable) -> tuple[str, str]:
    """What Grafana shows of a value of the list, and what it stands for."""
    if not variable.is_choice:
        return value, value
    found = re.fullmatch(CHOICE.strip("/").replace("(?<", "(?P<"), value)
    assert found is not None, value
    return found["text"], found["value"]


@pytest.mark.parametrize("name", ["Xã 1 (mới)", "A|B", "Ea H'leo", "1|2|3"])
def test_what_a_place_is_called_and_which_it_is_are_told_apart(name: str) -> None:
    assert picked(choice(name, "12"), PROVINCE) == (name, "12")


def test_places_of_one_name_have_each_its_own_choice_rows_and_link(tmp_path: Path) -> None:
    """Two communes of one name are told apart in the list, their schools of one name by the commune."""
    world = World(tmp_path)
    ids = []
    with begin_write(world.engine) as conn:
        province = registry.create_province(conn, "P2", "Tỉnh Hai")
        for code, value in (("C1", 0.25), ("C2", 0.75)):
            commune = registry.create_commune(conn, province, code, "Xã Tân Lập")
            school = registry.create_school(conn, commune, f"S{code}", "Trường Kim Đồng", "TH", START)
            ids.append((str(commune), str(school)))
            tags = {"province": str(province), "indicator": "telemetry_coverage"}
            at = {"level": "commune", "commune": str(commune)}, {"level": "school", "school": str(school)}
            rows = [
                Judged(MEASUREMENT, tags | more | {"commune": str(commune)}, START, value, 1.0, 2.0, 0.9)
                for more in at
            ]
            judged.write(conn, rows)
    with begin_read(world.engine) as conn:
        source = Queried(conn, JudgedIndex(), EVERYTHING, START + 60)

        def ask(query: str, chosen: dict[str, str]) -> list[dict[str, Any]]:
            text = expanded(query, {"province": str(province)} | chosen, 0, (START + 60) * 1000, "")
            series: list[dict[str, Any]] = asked(text, source)["results"][0]["series"]
            return series

        def listed(variable: Variable, chosen: dict[str, str]) -> list[tuple[str, str]]:
            (series,) = ask(influxql.values(variable), chosen)
            return sorted(picked(value, variable) for _, value in series["values"])

        communes = [(f"Xã Tân Lập (C{n})", commune) for n, (commune, _) in enumerate(ids, 1)]
        assert [one for one in listed(COMMUNE, {}) if one[0].startswith("Xã Tân Lập")] == communes
        rows = ask(influxql.query(worst("telemetry_coverage", OF_COMMUNES, "commune_name").queries[0]), {})
        assert sorted((row["tags"]["commune"], row["values"][0][1]) for row in rows) == [
            (ids[0][0], 0.25),
            (ids[1][0], 0.75),
        ]
        for (commune, school), value in zip(ids, (0.25, 0.75), strict=True):
            assert listed(SCHOOL, {"commune": commune}) == [("Trường Kim Đồng", school)]
            (row,) = ask(influxql.query(now("telemetry_coverage", IN_SCHOOL).queries[0]), {"school": school})
            assert row["values"][0][1] == value
    world.engine.dispose()
