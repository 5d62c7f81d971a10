"""What the rules find in judged values."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from grafana_expressions import in_influxql, reckoned
from influxql_queries import asked
from reports import NOW, World
from schoolwatch_server import chores, packs
from schoolwatch_server.database import judged
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.judged_index import JudgedIndex
from schoolwatch_server.grafana import alert, alerts
from schoolwatch_server.indicators.series import put, series_of
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.standings.keeping import Standings
from schoolwatch_server.store.names import SERVER
from schoolwatch_server.store.queried import Queried
from schoolwatch_server.store.series import ENDED, Judged

DAY, HOUR = 86400, 3600
RULES = {rule.uid: rule for rule in alerts.rules(packs.load(), date(2026, 11, 30))}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """One of each test's own."""
    made = World(tmp_path)
    yield made
    made.engine.dispose()


def found(rule: alert.Rule, world: World, now: float = NOW) -> dict[str, float | None]:
    """Commune → what the condition comes to; None is No data. Nothing of a commune: it has no instance."""
    with begin_read(world.engine) as conn:
        source = Queried(conn, JudgedIndex(), EVERYTHING, now)
        values = reckoned(rule, "influxql", now, in_influxql(lambda query: asked(query, source)))
    return {dict(tags).get("commune", ""): value for tags, value in values.items()}


def commune(world: World, *rows: tuple[float, float | None]) -> str:
    """A new one, with the coverage and perhaps the value of digital records so many seconds ago."""
    with begin_write(world.engine) as conn:
        province = conn.scalar(t.province.select().with_only_columns(t.province.c.id))
        made = conn.execute(t.commune.insert().values(name="Xã", province_id=province))
        id_ = str(made.inserted_primary_key[0])
        tags = {"indicator": "digital_records", "level": "commune", "commune": id_, "province": str(province)}
        judged.write(conn, [row(tags, NOW - ago, value) for ago, value in rows])
    return id_


def row(tags: dict[str, str], at: float, value: float | None) -> Judged:
    return Judged("indicator", tags, at, value, None if value is None else 1.0, 2.0, 0.9)


def test_a_commune_that_fell_below_its_target(world: World) -> None:
    fell = commune(world, (9 * DAY, 0.9), (20 * HOUR, 0.4))
    fine = commune(world, (9 * DAY, 0.5), (20 * HOUR, 0.95))
    never = commune(world, (9 * DAY, 0.2), (20 * HOUR, 0.4))
    unknown = commune(world, (9 * DAY, 0.9), (20 * HOUR, 0.4), (2 * HOUR, None))
    silent = commune(world, (9 * DAY, 0.9), (3 * DAY, 0.4))
    long_ago = commune(world, (40 * DAY, 0.9), (HOUR, 0.4))
    values = found(RULES["schoolwatch-digital_records"], world)
    assert values == {fell: 1.0, fine: 0.0, never: 0.0, unknown: None, long_ago: 0.0}
    assert silent not in values, "no instance: of what is silent nothing is known"


def test_a_commune_that_was_put_into_another_is_no_alert(world: World) -> None:
    """Its last number is an hour old; the end of its series has no value and no coverage."""
    gone = commune(world, (9 * DAY, 0.9), (HOUR, 0.4))
    assert found(RULES["schoolwatch-digital_records"], world) == {gone: 1.0}
    with begin_write(world.engine) as conn:
        (last,) = (one for one in judged.latest(conn, "indicator", {"commune": gone}))
        judged.write(conn, [Judged("indicator", last.tags, NOW - 60, *ENDED)])
    assert found(RULES["schoolwatch-digital_records"], world) == {gone: None}


def test_of_a_commune_that_lost_all_that_was_declared_nothing_is_known_at_once(world: World) -> None:
    """Without any number a row is no point: another one says so, right before."""
    known = commune(world, (9 * DAY, 0.9), (HOUR, 0.4))
    with begin_read(world.engine) as conn:
        (last,) = judged.latest(conn, "indicator", {"commune": known})
    written = {series_of(last): last}
    nothing = Judged("indicator", last.tags, NOW - 60, None)
    assert put(world.engine, [nothing], written) == 2
    assert put(world.engine, [replace(nothing, at=NOW - 30)], written) == 0
    assert found(RULES["schoolwatch-digital_records"], world) == {known: None}
    with begin_read(world.engine) as conn:
        assert judged.latest(conn, "indicator", {"commune": known}) == (nothing,), (
            "why not is told by nothing"
        )
    put(world.engine, [row(dict(last.tags), NOW - 10, 0.3)], written)
    assert found(RULES["schoolwatch-digital_records"], world) == {known: 1.0}


def test_a_server_that_hears_nobody_for_hours_is_found_all_the_time(world: World) -> None:
    standings = Standings(world.engine)
    with begin_write(world.engine) as conn:
        rows = [
            Judged(SERVER, {"what": "intake"}, NOW - 7 * DAY - ago, 40.0) for ago in range(0, 2 * HOUR, 300)
        ]
        judged.write(conn, rows)
    for ago in range(3 * HOUR, -1, -60):  # as often as it is looked, and more
        standings.note_server(NOW - ago, chores.HEALTH_EVERY)
        if ago < 2 * HOUR and ago % 300 == 0:
            assert found(RULES["schoolwatch-server-deaf"], world, NOW - ago) == {"": 1.0}


@pytest.mark.parametrize(
    ("name", "points", "value"),
    [
        ("deaf", [("intake", 300, 0.0), ("intake", 7 * DAY + 300, 40.0)], 1.0),
        ("deaf", [("intake", 300, 0.5), ("intake", 7 * DAY + 300, 40.0)], 0.0),
        ("deaf", [("intake", 300, 0.0), ("intake", 7 * DAY + 300, 0.0)], 0.0),  # at night, as a week ago
        ("behind", [("lag", 700, 2000.0), ("lag", 100, 1000.0)], 1.0),
        ("behind", [("lag", 700, 2000.0), ("lag", 100, 3.0)], 0.0),
        ("quarantine", [("quarantine", 3000, 7.0), ("quarantine", 60, 150.0)], 1.0),
        ("quarantine", [("quarantine", 3000, 700.0), ("quarantine", 60, 710.0)], 0.0),
        ("undelivered", [("undelivered", 700, 3.0), ("undelivered", 60, 2.0)], 1.0),
        ("undelivered", [("undelivered", 700, 3.0), ("undelivered", 60, 0.0)], 0.0),
    ],
)
def test_the_servers_own_health(
    world: World, name: str, points: list[tuple[str, float, float]], value: float
) -> None:
    rule = RULES[f"schoolwatch-server-{name}"]
    assert found(rule, world) == {}, "nothing is known: No data"
    with begin_write(world.engine) as conn:
        judged.write(
            conn,
            [
                Judged(
                    SERVER, {"what": what} | ({"part": "rules"} if what == "lag" else {}), NOW - ago, number
                )
                for what, ago, number in points
            ],
        )
    assert found(rule, world) == {"": value}
