"""Counts out of a real database, and the indicators and series made of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, insert, update

from databases import make_database
from schoolwatch_server import packs
from schoolwatch_server.database import declarations, judged, registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.counts import count
from schoolwatch_server.database.engine import begin_read, begin_write, open_database
from schoolwatch_server.indicators import INDICATORS, current, series
from schoolwatch_server.scope import EVERYTHING, Scope

NOW = 1_800_000_000.0
DAY = 86400.0
PACKS = packs.load()
LIMITS = current.limits(PACKS, NOW)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(make_database(tmp_path), tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture
def tree(engine: Engine) -> dict[str, int]:
    with begin_write(engine) as conn:
        province = registry.create_province(conn, "P", "Tỉnh")
        commune = registry.create_commune(conn, province, "C", "Xã")
        first = registry.create_school(conn, commune, "S1", "Trường Một", "THCS", 0.0)
        second = registry.create_school(conn, commune, "S2", "Trường Hai", "TH", 0.0)
        room = registry.create_room(conn, first, "Phòng máy", "student_lab")
    return {"province": province, "commune": commune, "first": first, "second": second, "lab": room}


def add(conn: Connection, school: int, room: int | None = None, role: str | None = None, **seen) -> int:
    device = registry.create_device(conn, school, room, "", 0.0, role=role).id
    if seen:
        row = {"device_id": device, "seq": 1, "agent": "1", "taken_at": NOW, **seen}
        conn.execute(insert(t.state).values(**{"heard_at": row["taken_at"], **row}))
    return device


def declare(conn: Connection, school: int, **numbers: float) -> None:
    for quantity, value in numbers.items():
        declarations.declare(conn, school, quantity, value, NOW, "test")


def test_devices_are_counted_as_they_are_seen(engine: Engine, tree: dict[str, int]) -> None:
    with begin_write(engine) as conn:
        school, lab = tree["first"], tree["lab"]
        declare(conn, school, students=100, devices=9, student_devices=5)
        declare(conn, school, students=120)
        add(conn, school, lab, protected=True, ipv6_rung=4, link_speed=1e9, link_medium="wired")
        add(conn, school, lab, protected=False, ipv6_rung=-1, link_speed=1e8, link_medium="wired")
        add(conn, school, lab, protected=None, ipv6_rung=None, link_speed=None, link_medium="wired")
        add(conn, school, lab, role="office", protected=True, link_speed=None, link_medium="wireless")
        add(conn, school, None, role="student_lab", taken_at=NOW - 29 * DAY, protected=True)
        add(conn, school, lab, taken_at=NOW - 32 * DAY, protected=True, ipv6_rung=4)
        broken = add(conn, school, lab, protected=True, ipv6_rung=4)
        conn.execute(update(t.device).where(t.device.c.id == broken).values(broken=True))
        add(conn, school, lab)
        registry.retire_device(conn, add(conn, school, lab, protected=True), NOW)
        (one,) = [s.counts for s in count(conn, EVERYTHING, LIMITS) if s.school_id == school]
    assert (one.devices_declared, one.students_declared, one.student_devices_declared) == (9, 120, 5)
    assert (one.devices_enrolled, one.devices_heard) == (8, 5)
    assert (one.student_devices_working, one.student_devices_known) == (4, 5)
    assert (one.protected_yes, one.protected_known) == (3, 4)
    assert (one.link_known, one.wired, one.wired_100, one.wired_1000) == (3, 2, 2, 1)
    assert (one.ipv6_known, one.ipv6_rung) == (2, (1, 0, 0, 0, 0, 1))


def test_a_device_that_moved_counts_where_it_is_now(engine: Engine, tree: dict[str, int]) -> None:
    with begin_write(engine) as conn:
        device = add(conn, tree["first"], tree["lab"], protected=True)
        registry.move_device(conn, device, tree["second"], None, NOW)
        seen = {s.school_id: s.counts for s in count(conn, EVERYTHING, LIMITS)}
    assert seen[tree["first"]].devices_enrolled == 0
    assert (seen[tree["second"]].devices_enrolled, seen[tree["second"]].student_devices_working) == (1, 0)


def test_a_scope_counts_only_its_schools(engine: Engine, tree: dict[str, int]) -> None:
    with begin_read(engine) as conn:
        assert [s.school_id for s in count(conn, Scope("school", tree["second"]), LIMITS)] == [tree["second"]]
        assert len(count(conn, Scope("commune", tree["commune"]), LIMITS)) == 2


def test_the_thresholds_of_links_come_from_the_pack(
    engine: Engine, tree: dict[str, int], tmp_path: Path
) -> None:
    text = (packs.load.__globals__["SHIPPED"] / "network.yaml").read_text(encoding="utf-8")
    text = text.replace("version: 1", "version: 2").replace("value: 100000000\n", "value: 50000000\n")
    (tmp_path / "network.yaml").write_text(text, encoding="utf-8")
    ours = packs.load(tmp_path)
    with begin_write(engine) as conn:
        declare(conn, tree["first"], devices=1)
        add(conn, tree["first"], link_speed=6e7, link_medium="wired")
        shipped, changed = (
            {v.indicator: v for v in current.current(conn, "school", tree["first"], rules, NOW)}[
                "wired_links_100"
            ]
            for rules in (PACKS, ours)
        )
    assert (shipped.value, shipped.pack) == (0.0, "network@1")
    assert (changed.value, changed.pack) == (1.0, "network@2")


def test_a_place_has_all_indicators_and_an_empty_place_none(engine: Engine, tree: dict[str, int]) -> None:
    with begin_read(engine) as conn:
        for level in ("province", "commune"):
            values = current.current(conn, level, tree[level], PACKS, NOW)
            assert [v.indicator for v in values] == [i.id for i in INDICATORS]
        assert current.current(conn, "commune", 999, PACKS, NOW) == ()


def points(engine: Engine, name: str, **tags: str) -> list[tuple[float, float | None]]:
    with begin_read(engine) as conn:
        found = judged.read(conn, name, tags, 0, NOW * 2)
    return [(row.at, row.value) for row in found]


def test_values_are_written_back_once_for_each_moment(engine: Engine, tree: dict[str, int]) -> None:
    with begin_write(engine) as conn:
        declare(conn, tree["first"], devices=1)
        device = add(conn, tree["first"], protected=False)
    tags = {"level": "school", "school": str(tree["first"]), "indicator": "antivirus_coverage"}
    at = NOW // 300 * 300
    written: series.Written = {}
    assert series.write(engine, PACKS, at + 1, 300, written) == len(written) > 2 * len(INDICATORS)
    assert points(engine, series.MEASUREMENT, **tags) == [(at, 0.0)]
    assert series.write(engine, PACKS, at + 2, 300, written) == 0
    with begin_write(engine) as conn:
        conn.execute(update(t.state).where(t.state.c.device_id == device).values(protected=True))
    series.write(engine, PACKS, at + 3, 300, written)
    assert points(engine, series.MEASUREMENT, **tags) == [(at, 1.0)]
    series.write(engine, PACKS, at + 301, 300, written)
    assert points(engine, series.MEASUREMENT, **tags) == [(at, 1.0)]  # it still holds
    series.write(engine, PACKS, at + 3601, 300, written)
    assert points(engine, series.MEASUREMENT, **tags) == [(at, 1.0)]  # a school's is written once a day
    series.write(engine, PACKS, at + DAY + 1, 300, written)
    assert points(engine, series.MEASUREMENT, **tags) == [(at, 1.0), (at + DAY, 1.0)]
    series.write(engine, PACKS, at + DAY + 2, 300, {})  # another process writes the same again
    assert points(engine, series.MEASUREMENT, **tags) == [(at, 1.0), (at + DAY, 1.0)]
    province = {"level": "province", "indicator": "antivirus_coverage"}
    assert len(points(engine, series.MEASUREMENT, **province)) == 3  # hourly: a large one is shown from it
    nobody = {"level": "school", "school": str(tree["second"]), "indicator": "studio"}
    assert points(engine, series.MEASUREMENT, **nobody) == []  # of what nobody ever said there is no point


def test_not_enough_data_is_written_as_such(engine: Engine, tree: dict[str, int]) -> None:
    series.write(engine, PACKS, NOW, 300, {})
    tags = {"level": "commune", "indicator": "telemetry_coverage"}
    assert [value for _, value in points(engine, series.MEASUREMENT, **tags)] == [None]


def test_a_large_province_is_told_as_it_was_judged(
    engine: Engine, tree: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with begin_write(engine) as conn:
        declare(conn, tree["first"], devices=2)
        declare(conn, tree["second"], devices=1)
        add(conn, tree["first"], protected=False, ipv6_rung=4)
        add(conn, tree["first"], protected=True, ipv6_rung=3)
        device = add(conn, tree["second"], protected=True, ipv6_rung=4)
    series.write(engine, PACKS, NOW, 300, {})
    place = ("province", tree["province"], PACKS)
    with begin_read(engine) as conn:
        counted = current.current(conn, *place, NOW)
        monkeypatch.setattr(current, "LARGE", 2)
        assert current.current(conn, *place, NOW + 60) == counted
    with begin_write(engine) as conn:
        conn.execute(update(t.state).where(t.state.c.device_id == device).values(protected=False))
        later = {v.indicator: v.value for v in current.current(conn, *place, NOW + 60)}
        assert later["antivirus_coverage"] == pytest.approx(2 / 3)
        stale = {v.indicator: v.value for v in current.current(conn, *place, NOW + 5000)}
        assert stale["antivirus_coverage"] == pytest.approx(1 / 3)
