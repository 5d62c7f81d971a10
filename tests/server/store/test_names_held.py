"""Names of places that are held: whatever changes one is seen by the next graph."""

from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import update

from reports import World
from schoolwatch_server import erasure, fleet, rosters, schools
from schoolwatch_server.database import called, registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.influxql.condition import Match
from schoolwatch_server.influxql.query import Span
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.store.queried import names
from schoolwatch_server.store.queried.beside import Names
from schoolwatch_server.store.queried.info import InfoSeries
from schoolwatch_server.store.queried.names import NamesHeld

NOW = 1_795_000_000.0


def now(world: World, held: NamesHeld, scope: Scope = EVERYTHING) -> Names:
    with begin_read(world.engine) as conn:
        return held.now(conn, scope)


def take(world: World, *, name: rosters.Name, text: str) -> None:
    found = rosters.take_in(world.engine, name, text.encode(), EVERYTHING, by="lan", now=NOW)
    assert found.plan.problems == ()
    assert found.plan.changes


def add(world: World) -> None:
    named = schools.Named
    schools.add(world.engine, named("S2", "Trường Hai"), "TH", named("C"), named("P"))


def merge(world: World) -> None:
    fleet.merge(world.engine, "S", "S1", by="lan", now=NOW)


def delete(world: World) -> None:
    reason = "trường đã đóng cửa hẳn"
    erasure.delete_school(world.engine, world.folder, "S", reason, lambda _: None, by="lan", wait=0)


@pytest.mark.parametrize(
    "change",
    [
        add,
        merge,
        delete,
        partial(take, name="commune", text="Mã xã,Tên xã,Mã tỉnh\n00200,Xã Mới,P\n"),
        partial(take, name="commune", text="Mã xã,Tên xã\nC,Phường\n"),
        partial(take, name="school", text="Mã trường,Tên trường\nS,Trường Khác\n"),
        partial(take, name="school", text='Mã trường,Tên trường,Vị trí\nS,Trường,"20.25, 105.97"\n'),
    ],
)
def test_what_people_change_is_seen_at_once(world: World, change: Callable[[World], None]) -> None:
    with begin_write(world.engine) as conn:
        (commune,) = registry.communes(conn, EVERYTHING)
        registry.create_school(conn, commune.id, "S1", "Trường Một", "TH", NOW)
    held = NamesHeld()
    before = now(world, held)
    assert now(world, held) is before, "they are held"
    change(world)
    after = now(world, held)
    assert (after.of, after.geohashes) != (before.of, before.geohashes)
    fresh = now(world, NamesHeld())
    assert (after.of, after.geohashes) == (fresh.of, fresh.geohashes)


def test_what_is_changed_by_hand_is_seen_within_a_minute(world: World) -> None:
    time = 0.0
    held = NamesHeld(clock=lambda: time)
    with begin_write(world.engine) as conn:
        conn.execute(update(t.school).values(name="Trường Tay"))
    now(world, held)
    with begin_write(world.engine) as conn:
        conn.execute(update(t.school).values(name="Trường Chân"))
    time = names.READ_AGAIN
    assert now(world, held).of["school"] == {str(world.school): "Trường Chân"}


def test_each_scope_has_its_own_and_few_are_held(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "SCOPES_MAX", 2)
    with begin_write(world.engine) as conn:
        (commune,) = registry.communes(conn, EVERYTHING)
        other = registry.create_commune(conn, commune.province_id, "C2", "Xã Hai")
        second = registry.create_school(conn, other, "S2", "Trường Hai", "TH", NOW)
    held = NamesHeld()
    assert now(world, held, Scope("school", second)).of["school"] == {str(second): "Trường Hai"}
    assert now(world, held, Scope("commune", commune.id)).of["school"] == {str(world.school): "Trường"}
    assert len(now(world, held).of["school"]) == 2
    assert len(held._scopes) == 2


@pytest.mark.database("sqlite")  # its words of a plan
def test_a_mark_costs_no_look_through_the_tables(world: World) -> None:
    """The end of each table's own index is looked up, however long the audit log is."""
    with begin_read(world.engine) as conn:
        query = called._MARK.query("sqlite")
        plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all()
    assert not [row for row in plan if "SCAN" in row.detail and "SCAN CONSTANT ROW" not in row.detail]


def test_places_of_one_name_have_their_codes_behind_it(world: World) -> None:
    """Of provinces as of communes and schools; and computers stand in a commune that is called the same."""
    with begin_write(world.engine) as conn:
        ids = [registry.create_province(conn, code, "Tỉnh Chung") for code in ("P8", "P9")]
        communes = [registry.create_commune(conn, ids[0], code, "Xã Chung") for code in ("X8", "X9")]
        school = registry.create_school(conn, communes[1], "S9", "Trường", "THCS", NOW)
        registry.create_device(conn, school, None, "Máy", NOW)
        other = registry.create_commune(conn, ids[1], "X7", "Xã Chung")
    found = now(world, NamesHeld()).of
    assert [found["province"][str(id_)] for id_ in ids] == ["Tỉnh Chung (P8)", "Tỉnh Chung (P9)"]
    assert [found["commune"][str(id_)] for id_ in communes] == ["Xã Chung (X8)", "Xã Chung (X9)"]
    assert found["commune"][str(other)] == "Xã Chung", "it is alone in its province"
    with begin_read(world.engine) as conn:
        where = Match("school", "=", str(school))
        (device,) = InfoSeries(conn, EVERYTHING, NOW + 60).series("device_info", where, Span())
        (place,) = InfoSeries(conn, EVERYTHING, NOW + 60).series("school_info", where, Span())
    assert device.tags["commune_name"] == place.tags["commune_name"] == "Xã Chung (X9)"
    assert place.tags["province_choice"] == f"Tỉnh Chung (P8)|{ids[0]}"
