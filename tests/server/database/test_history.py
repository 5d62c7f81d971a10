"""The last judged value of each day of Vietnam, and who may read which series."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports import World
from schoolwatch_server.database import history, judged
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.history import DayValue, day_of
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.store.series import Judged
from schoolwatch_server.vietnam import begins

FIRST = date(2026, 11, 1)
MIDNIGHT = 1_793_466_000.0
"""2026-11-01 00:00 in Vietnam, 2026-10-31 17:00 UTC."""


def point(at: float, value: float | None = 0.5, indicator: str = "a", **tags: str) -> Judged:
    tags = tags or {"level": "province", "province": "1"}
    return Judged("indicator", {"indicator": indicator, **tags}, at, value, 1.0, 2.0, 0.9, "p@1")


def put(world: World, *rows: Judged) -> None:
    with begin_write(world.engine) as conn:
        judged.write(conn, rows)


def read(world: World, last: date = FIRST, scope: Scope = EVERYTHING) -> tuple[DayValue, ...]:
    with begin_read(world.engine) as conn:
        ids = [each.id for each in history.series(conn, scope)]
        return history.daily(conn, ids, FIRST, last)


def test_days_are_vietnams() -> None:
    assert begins(FIRST) == MIDNIGHT
    assert day_of(MIDNIGHT) == FIRST
    assert day_of(MIDNIGHT - 1) == date(2026, 10, 31)


def test_the_last_value_of_each_day_and_nothing_of_days_without_one(world: World) -> None:
    day = 86400.0
    put(world, point(MIDNIGHT - 1, 0.1), point(MIDNIGHT, 0.2), point(MIDNIGHT + day - 1, 0.3),
        point(MIDNIGHT + 2 * day + 5, None), point(MIDNIGHT + 3 * day, 0.9))  # fmt: skip
    assert [(row.day.day, row.value) for row in read(world)] == [(1, 0.3)]
    rows = read(world, date(2026, 11, 3))
    assert [(row.day.day, row.value) for row in rows] == [(1, 0.3), (3, None)]
    assert (rows[0].numerator, rows[0].denominator, rows[0].coverage, rows[0].pack) == (1.0, 2.0, 0.9, "p@1")
    with begin_read(world.engine) as conn:
        assert history.daily(conn, [], FIRST, FIRST) == ()
        assert history.daily(conn, [rows[0].series_id], FIRST, FIRST - timedelta(days=1)) == ()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(-86400, 5 * 86400), min_size=1, max_size=40, unique=True))
def test_it_is_what_one_would_read_by_hand(world: World, seconds: list[int]) -> None:
    with begin_write(world.engine) as conn:
        conn.exec_driver_sql("DELETE FROM judged")
    put(world, *(point(MIDNIGHT + at, at / 1e6) for at in seconds))
    by_hand = {}
    for at in sorted(seconds):
        by_hand[day_of(MIDNIGHT + at)] = at / 1e6
    last = FIRST + timedelta(days=3)
    assert {row.day: row.value for row in read(world, last)} == {
        day: value for day, value in by_hand.items() if FIRST <= day <= last
    }


PLACES = {
    "province": {"level": "province", "province": "1"},
    "other": {"level": "province", "province": "11"},
    "commune": {"level": "commune", "province": "1", "commune": "1"},
    "beside": {"level": "commune", "province": "1", "commune": "2"},
    "school": {"level": "school", "province": "1", "commune": "1", "school": "1"},
    "neighbour": {"level": "school", "province": "1", "commune": "1", "school": "11"},
}


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        (EVERYTHING, set(PLACES)),
        (Scope("province", 1), set(PLACES) - {"other"}),
        (Scope("province", 11), {"other"}),
        (Scope("commune", 1), {"commune", "school", "neighbour"}),
        (Scope("commune", 2), {"beside"}),
        (Scope("school", 1), {"school"}),
        (Scope("school", 2), set()),
    ],
)
def test_a_scope_sees_its_own_series(world: World, scope: Scope, seen: set[str]) -> None:
    put(world, *(point(MIDNIGHT, indicator=name, **tags) for name, tags in PLACES.items()))
    with begin_read(world.engine) as conn:
        assert {each.indicator for each in history.series(conn, scope)} == seen


def test_series_by_place_and_page(world: World) -> None:
    put(world, *(point(MIDNIGHT, indicator=name, **tags) for name, tags in PLACES.items()))
    with begin_read(world.engine) as conn:
        (one,) = history.series(conn, EVERYTHING, level="school", inside=("school", 1))
        assert (one.indicator, one.level, one.place_id) == ("school", "school", 1)
        assert len(history.series(conn, EVERYTHING, level="school")) == 2
        inside = history.series(conn, EVERYTHING, inside=("commune", 1))
        assert {each.indicator for each in inside} == {"commune", "school", "neighbour"}
        assert [each.indicator for each in history.series(conn, EVERYTHING, indicator="beside")] == ["beside"]
        every = history.series(conn, EVERYTHING)
        assert history.series(conn, EVERYTHING, after=every[1].id, limit=2) == every[2:4]
        tags = {"indicator": "school", **PLACES["school"]}
        assert list(judged.numbered(conn, "indicator", [tags])) == [one.id]
        assert [row.tags for row in judged.latest_of(conn, "indicator", [tags])] == [tags]
