"""Lists of devices and schools in a range that is over: what was there then, to whom it was there."""

import pytest

from influxql_queries import asked
from reports import World
from schoolwatch_server.database import registry
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.judged_index import JudgedIndex
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.store.queried import Queried, info

DAY = 86_400.0
NOW = 20_000 * DAY + 7 * 3600 + 123
DEVICES = 'SELECT last("value") FROM "device_info" WHERE {} GROUP BY "school_name", "label", "room"'


@pytest.fixture
def schools(world: World) -> tuple[int, int]:
    """Of two communes. One computer stays, one moved two days ago and got another name, one is gone since."""
    with begin_write(world.engine) as conn:
        province = registry.create_province(conn, "P9", "Tỉnh")
        communes = [registry.create_commune(conn, province, f"X{n}", f"Xã {n}") for n in (1, 2)]
        first, second = (
            registry.create_school(conn, commune, f"T{n}", f"Trường {n}", "THCS", NOW - 9 * DAY)
            for n, commune in enumerate(communes, 1)
        )
        lab = registry.create_room(conn, first, "Phòng máy", "student_lab")
        registry.create_device(conn, first, lab, "ở lại", NOW - 8 * DAY)
        moved = registry.create_device(conn, first, lab, "của Trường 2", NOW - 8 * DAY)
        gone = registry.create_device(conn, first, None, "đã bỏ", NOW - 8 * DAY)
        registry.move_device(conn, moved.id, second, None, NOW - 2 * DAY)
        registry.retire_device(conn, gone.id, NOW - 1.5 * DAY)
    return first, second


def listed(world: World, days: tuple[float, float] | None, scope: Scope = EVERYTHING) -> set[tuple[str, ...]]:
    """School, label and room of the list's rows, of a range in days before now."""
    times = '"school_name" =~ /Trường/'
    if days is not None:
        start, end = (int((NOW - day * DAY) * 1000) for day in days)
        times = f"time >= {start}ms AND time < {end}ms"
    with begin_read(world.engine) as conn:
        source = Queried(conn, JudgedIndex(), scope, NOW)
        (answer,) = asked(DEVICES.format(times), source)["results"]
    rows = (one["tags"] for one in answer.get("series", ()))
    return {(tags["school_name"], tags["label"], tags["room"]) for tags in rows}


STAYS = ("Trường 1", "ở lại", "Phòng máy")
LEFT = ("Trường 1", "", "Phòng máy")
MOVED = ("Trường 2", "của Trường 2", "")
GONE = ("Trường 1", "đã bỏ", "")


@pytest.mark.parametrize(
    ("days", "found"),
    [
        ((1, 0), {STAYS, MOVED}),
        (None, {STAYS, MOVED}),
        ((4, 3), {STAYS, LEFT, GONE}),
        ((4, 3.99), {STAYS, LEFT, GONE}),
        ((3, 1), {STAYS, LEFT, MOVED, GONE}),
        ((9, 8.5), set()),
        ((-1, -2), set()),
    ],
)
def test_devices_of_a_range(
    days: tuple[float, float] | None, found: set[tuple[str, ...]], world: World, schools: tuple[int, int]
) -> None:
    assert listed(world, days) == found


def test_a_school_sees_what_was_there_and_no_name_that_another_gave(
    world: World, schools: tuple[int, int]
) -> None:
    first, second = schools
    assert listed(world, (4, 3), Scope("school", first)) == {STAYS, LEFT, GONE}
    assert listed(world, (4, 3), Scope("school", second)) == set()
    assert listed(world, (1, 0), Scope("school", second)) == {MOVED}


def test_each_five_minutes_and_now(
    world: World, schools: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(info, "POINTS_MAX", 1000)
    hour = f"time >= {int(NOW - 3600)}s AND time <= {int(NOW)}s"
    with begin_read(world.engine) as conn:
        source = Queried(conn, JudgedIndex(), EVERYTHING, NOW)
        for name in ("device_info", "school_info"):
            text = f"SELECT count(value), sum(value) FROM {name} WHERE school = '{schools[0]}' AND {hour}"
            ((_, count, total),) = asked(text, source)["results"][0]["series"][0]["values"]
            assert count == total == 13
            within = asked(f"{text} GROUP BY time(30m) fill(none)", source)["results"][0]["series"][0][
                "values"
            ]
            assert [count for _, count, _ in within] == [5, 6, 2]
        text = 'SELECT "value" FROM "school_info" WHERE time > 0'
        assert "more than" in asked(text, source)["results"][0]["error"]
