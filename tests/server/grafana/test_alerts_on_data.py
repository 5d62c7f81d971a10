"""What the rules find in judged values, their expressions reckoned as Grafana's documents say.

https://grafana.com/docs/grafana/latest/panels-visualizations/query-transform-data/expression-queries/: series
are joined by labels and instants; "drop non-numeric" of an empty series is null, and so is a formula of null.
"""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from influxql_queries import asked
from reports import NOW, World
from schoolwatch_server import chores, packs
from schoolwatch_server.database import judged
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.judged_index import JudgedIndex
from schoolwatch_server.grafana import alert, alerts
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.standings.keeping import Standings
from schoolwatch_server.store.names import SERVER
from schoolwatch_server.store.queried import Queried
from schoolwatch_server.store.series import Judged

DAY, HOUR = 86400, 3600
RULES = {rule.uid: rule for rule in alerts.rules(packs.load(), date(2026, 11, 30))}

Series = dict[frozenset[tuple[str, str]], dict[str, float | None]]
Numbers = dict[frozenset[tuple[str, str]], float | None]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """One of each test's own."""
    made = World(tmp_path)
    yield made
    made.engine.dispose()


def found(rule: alert.Rule, world: World, now: float = NOW) -> dict[str, float | None]:
    """Commune → what the condition comes to; None is No data. Nothing of a commune: it has no instance."""
    with begin_read(world.engine) as conn:
        return reckoned(rule, Queried(conn, JudgedIndex(), EVERYTHING, now), now)


def reckoned(rule: alert.Rule, source: Queried, now: float) -> dict[str, float | None]:
    series: dict[str, Series] = {}
    numbers: dict[str, Numbers] = {}
    for one in alert.body(rule, "influxql", "vi", "schoolwatch")["data"]:
        ref, model = one["refId"], one["model"]
        if "query" in model:
            span = one["relativeTimeRange"]
            series[ref] = told(model["query"], now - span["from"], now - span["to"], source)
        elif model["type"] == "reduce":
            assert model["settings"] == {"mode": "dropNN"}
            known = series[model["expression"]]
            numbers[ref] = {tags: newest(points) for tags, points in known.items()}
        elif ref[0] in "AB" and "* $" in model["expression"]:
            series[ref] = summed(model["expression"], series)
        else:
            numbers[ref] = formula(model["expression"], numbers)
    return {dict(tags).get("commune", ""): value for tags, value in numbers[rule.steps[-1].ref].items()}


def told(query: str, start: float, end: float, source: Queried) -> Series:
    span = f"time >= {int(start) * 1000}ms AND time <= {int(end) * 1000}ms"
    answer = asked(query.replace("$timeFilter", span), source)["results"][0]
    return {
        frozenset(one.get("tags", {}).items()): {row[0]: row[1] for row in one["values"]}
        for one in answer.get("series", ())
    }


def newest(points: dict[str, float | None]) -> float | None:
    known = [value for _, value in sorted(points.items()) if value is not None]
    return known[-1] if known else None


def summed(expression: str, series: dict[str, Series]) -> Series:
    first, second = re.findall(r"\$(\w+)", expression)
    assert expression == f"${first} + 0 * ${second}"
    both = series[first].keys() & series[second].keys()
    return {
        tags: {at: series[first][tags][at] for at in series[first][tags] if at in series[second][tags]}
        for tags in both
    }


def formula(expression: str, numbers: dict[str, Numbers]) -> Numbers:
    refs = re.findall(r"\$(\w+)", expression)
    shared = set.intersection(*(set(numbers[ref]) for ref in refs))
    words = re.sub(r"\$(\w+)", r"n['\1']", expression).replace("&&", "and")
    made: Numbers = {}
    for tags in shared:
        n = {ref: numbers[ref][tags] for ref in refs}
        made[tags] = None if None in n.values() else float(eval(words, {}, {"n": n}))
    return made


def commune(world: World, *rows: tuple[float, float | None]) -> str:
    """A new one, with the coverage and perhaps the value of digital records so many seconds ago."""
    with begin_write(world.engine) as conn:
        province = conn.scalar(t.province.select().with_only_columns(t.province.c.id))
        made = conn.execute(t.commune.insert().values(name="Xã", province_id=province))
        id_ = str(made.inserted_primary_key[0])
        tags = {"indicator": "digital_records", "level": "commune", "commune": id_, "province": str(province)}
        judged.write(conn, [Judged("indicator", tags, NOW - ago, value, coverage=0.9) for ago, value in rows])
    return id_


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
