"""The embedded store answers queries as a real InfluxDB does: the same series, instants and values."""

import os
import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Connection

from conftest import Peer
from influxdb import RunningInfluxDB, holding
from influxql_queries import SECOND, START, asked, queries, same, settled
from panels_world import lines
from reports import World
from schoolwatch_contract.records import Reading
from schoolwatch_server.database import judged, registry
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.judged_index import JudgedIndex
from schoolwatch_server.influxql.errors import QueryError
from schoolwatch_server.influxql.query import Span
from schoolwatch_server.intake.batch import take
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.store.queried import Queried
from schoolwatch_server.store.series import Judged

MINUTES = 3 * 24 * 60
FROM = START / SECOND


def fill(world: World) -> list[str]:
    """Three days of what was judged, with gaps, without some tags and numbers; and of two devices."""
    chance = random.Random(7)
    with begin_write(world.engine) as conn:
        province = registry.create_province(conn, "P2", "Tỉnh Hai")
        communes = [registry.create_commune(conn, province, f"C{n}", f"Xã {n}") for n in (1, 2)]
        schools = {
            registry.create_school(conn, communes[n % 2], f"S{n}", f"Trường {n}", "THCS", FROM): communes[
                n % 2
            ]
            for n in range(4)
        }
        rows = []
        for school, commune in schools.items():
            for isp in ("", "viettel", "vnpt"):
                tags = {"school": str(school), "commune": str(commune)} | ({"isp": isp} if isp else {})
                minute = chance.randrange(200)
                while minute < MINUTES:
                    counted = float(chance.randrange(4)) if chance.random() < 0.8 else None
                    value = round(chance.uniform(-5, 100), 3) if chance.random() < 0.9 else None
                    rows.append(Judged("indicator", tags, FROM + minute * 60, value, None, counted))
                    minute += chance.choice((1, 5, 5, 60, 700))
        judged.write(conn, rows)
    devices = world.enrol(2)
    for device in devices:
        at = FROM + 0.123456
        messages = []
        for seq in range(1, MINUTES // 15):
            nics = [
                Reading("link.speed", 1e6 * chance.randrange(1, 9), {"nic": nic}) for nic in ("eth0", "eth1")
            ]
            messages.append(device.message(seq, at=at, readings=tuple(nics[: 1 + seq % 2])))
            at += 900.5
        for start in range(0, len(messages), 100):
            take(world.engine, messages[start : start + 100], Rules())
    return [device.device for device in devices]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("world"))
    yield world
    world.engine.dispose()


@pytest.fixture(scope="module")
def devices(world: World) -> list[str]:
    return fill(world)


@pytest.fixture(scope="module")
def conn(world: World, devices: list[str]) -> Iterator[Connection]:
    del devices  # there by now
    with begin_read(world.engine) as conn:
        yield conn


@pytest.fixture(scope="module")
def embedded(conn: Connection) -> Queried:
    return Queried(conn, JudgedIndex(), EVERYTHING, FROM + 4 * 86400)


@pytest.fixture(scope="module")
def influxdb(
    peer: Peer,
    tmp_path_factory: pytest.TempPathFactory,
    free_port: Callable[[], int],
    embedded: Queried,
    devices: list[str],
) -> Iterator[RunningInfluxDB]:
    span = Span(START, START + 4 * 86400 * SECOND)
    folder = tmp_path_factory.mktemp("influxdb")
    with holding(peer("influxd"), folder, free_port, lines(embedded, devices, span)) as running:
        yield running


def compared(query: str, embedded: Queried, influxdb: RunningInfluxDB) -> None:
    is_descending = "DESC" in query
    mine = settled(asked(query, embedded), is_descending=is_descending)
    theirs = settled(influxdb.ask(query), is_descending=is_descending)
    assert same(mine, theirs), f"{query}\nours   {mine}\ntheirs {theirs}"


@settings(
    max_examples=int(os.environ.get("SCHOOLWATCH_QUERIES", "300")),
    derandomize="SCHOOLWATCH_QUERIES"
    not in os.environ,  # always the same ones, unless somebody looks for more
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(query=queries())
def test_generated_queries(query: str, embedded: Queried, influxdb: RunningInfluxDB) -> None:
    compared(query, embedded, influxdb)


@pytest.mark.parametrize(
    ("columns", "where", "groups"),
    [
        ("last(value)", "device = '{0}'", "GROUP BY nic"),
        ("mean(value), count(value)", "device =~ /^({0}|{1})$/", "GROUP BY time(1h), device, nic"),
        ("max(value)", "device = '{1}'", "GROUP BY time(17m) fill(previous)"),
        ("mean(value)", "device = '{0}'", "GROUP BY time(1d), nic fill(none) tz('Asia/Ho_Chi_Minh')"),
        ("value", "device = '{0}' AND nic = 'eth1'", ""),
    ],
)
@pytest.mark.parametrize(("after", "seconds"), [(0, 86400 * 3), (5000, 7000), (3 * 3600 + 1, 86400 * 2)])
def test_of_devices(
    columns: str,
    where: str,
    groups: str,
    after: int,
    seconds: int,
    devices: list[str],
    embedded: Queried,
    influxdb: RunningInfluxDB,
) -> None:
    start = START + after * SECOND
    when = f"time >= {start} AND time < {start + seconds * SECOND}"
    text = f"SELECT {columns} FROM link_speed WHERE {where.format(*devices)} AND {when} {groups}"
    compared(text, embedded, influxdb)


@pytest.mark.parametrize("columns", ["value, school_name", "isp, value AS v, denominator, isp, commune_name"])
@pytest.mark.parametrize("isp", ["", "vnpt"])
def test_tags_beside_values(columns: str, isp: str, embedded: Queried, influxdb: RunningInfluxDB) -> None:
    where = f"school_name = 'Trường 2' AND isp = '{isp}' AND time >= {START}"
    compared(f"SELECT {columns} FROM indicator WHERE {where} ORDER BY time DESC LIMIT 7", embedded, influxdb)


@pytest.mark.parametrize(
    ("when", "is_refused"),
    [
        ("time >= 9223372036854ms", False),
        ("time >= -9223372036854ms AND time <= 9223372036854ms", False),
        ("time <= 9223372036855ms", True),
        ("time >= -9999999999999ms", True),
        ("time >= 9999999999999ms AND time <= 99999999999999ms", True),
        ("time > now() + 300000000w", True),
    ],
)
def test_the_ends_of_all_time(
    when: str, is_refused: bool, embedded: Queried, influxdb: RunningInfluxDB
) -> None:
    """What Grafana asks for beyond the year 2262 is an error there too: a duration of more than 64 bits."""
    text = f"SELECT last(value) FROM indicator WHERE {when} GROUP BY isp"
    if not is_refused:
        compared(text, embedded, influxdb)
        return
    with pytest.raises(QueryError, match="longer than all of time"):
        asked(text, embedded)
    assert "overflowed duration" in influxdb.ask(text)["error"]


def test_nothing_is_reckoned_with_a_tag(embedded: Queried) -> None:
    (result,) = asked("SELECT value + isp FROM indicator", embedded)["results"]
    assert "isp is a tag" in result["error"]


@pytest.mark.parametrize(
    "query",
    [
        "SHOW DATABASES",
        'SHOW RETENTION POLICIES ON "schoolwatch"',
        "SHOW TAG KEYS FROM indicator",
        "SHOW TAG VALUES FROM indicator WITH KEY = \"isp\" WHERE isp != 'vnpt'",
        'SHOW TAG VALUES FROM indicator WITH KEY IN ("isp", "school_name") LIMIT 3 OFFSET 1',
        "SHOW TAG VALUES FROM indicator WITH KEY =~ /name/ WHERE commune_name = 'Xã 1'",
        "SHOW MEASUREMENTS WITH MEASUREMENT =~ /^indicator$/",
        # what Grafana's editor asks before a measurement is chosen, and for filters of a dashboard
        "SHOW TAG VALUES WITH KEY = \"isp\" WHERE commune_name = 'Xã 1'",
        'SHOW TAG VALUES WITH KEY = "school_name" WHERE "isp"::tag = \'vnpt\' AND "school" =~ /^[1-3]$/',
        "SHOW MEASUREMENTS WITH MEASUREMENT =~ /(?i)ind/ WHERE isp = 'vnpt' LIMIT 100",
        "SHOW MEASUREMENTS WHERE isp = 'vnpt'",
        "SHOW TAG KEYS WHERE isp = 'vnpt'",
        "SHOW TAG KEYS FROM /^indic/",
        'SHOW TAG VALUES FROM /^indic/ WITH KEY = "isp" LIMIT 1',
        "SHOW FIELD KEYS FROM /^link_speed$/",
    ],
)
def test_what_there_is(query: str, embedded: Queried, influxdb: RunningInfluxDB) -> None:
    """But for what InfluxDB has of its own."""
    theirs = influxdb.ask(query)
    for result in theirs["results"]:
        for series in result.get("series", ()):
            series["values"] = [row for row in series["values"] if row != ["_internal"]]
    assert asked(query, embedded) == theirs


def test_whose_tags_are_only_known_by_device_says_so(embedded: Queried) -> None:
    """Where it is asked for by name; of all measurements it is passed over."""
    (one,) = asked('SHOW TAG VALUES FROM "link_speed" WITH KEY = "nic"', embedded)["results"]
    assert one["error"] == "link_speed is measured by devices: name some, WHERE device = '…'"
    (of_all,) = asked('SHOW TAG VALUES WITH KEY = "nic"', embedded)["results"]
    assert "error" not in of_all
