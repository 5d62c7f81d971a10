"""A school's work list week by week: what stands, what is new on it, what was mended, and who sees it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import NOW, World
from schoolwatch_server import rules
from schoolwatch_server.database import faults, registry
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.faults import Fault
from schoolwatch_server.database.incidents import NewIncident
from schoolwatch_server.rules import subject
from schoolwatch_server.scope import Scope
from schoolwatch_server.use import WEEK
from schoolwatch_server.work_list import Week, named, tasks, this_week

RULES = {rule.id: rule for rule in rules.load()}
THIS = this_week(NOW)
DAY = 86_400.0


def fault(
    device: str, *, rule: str = "antivirus_off", listed: float = -9.0, ended: float | None = None
) -> Fault:
    """Listed and ended so many days after this Monday."""
    end = None if ended is None else THIS.start + ended * DAY
    return Fault(rule, "high", device, device, None, NOW, THIS.start + listed * DAY, end)


def test_a_week_has_its_number_and_days_in_vietnam() -> None:
    week = named("2026-W48")
    assert week is not None
    assert (week.name, week.number, week.first, week.last) == (
        "2026-W48",
        48,
        date(2026, 11, 23),
        date(2026, 11, 29),
    )
    sunday_night = 1_795_971_600.0 - 1  # 2026-11-30 00:00 in Vietnam
    assert this_week(sunday_night) == week
    assert this_week(sunday_night + 1).name == "2026-W49"
    assert week.before.name == "2026-W47"


@pytest.mark.parametrize(
    "text", ["", "2026-W00", "2026-W54", "2026-48", "0001-W01", "٢٠٢٦-W10", "2026-W48\n"]
)
def test_what_is_no_week_is_none(text: str) -> None:
    assert named(text) is None


@given(st.integers(1971 * 53, 2200 * 53))
def test_every_week_is_found_by_its_name(number: int) -> None:
    week = Week(this_week(0).start + number * WEEK)
    assert named(week.name) == week


def test_what_is_new_and_what_was_mended_in_the_week_is_told_apart() -> None:
    found = [
        fault("old"),
        fault("new", listed=1),
        fault("mended", ended=2),
        fault("mended later", ended=8),
        fault("back", ended=1),
        fault("back", listed=3),
    ]
    (task,) = tasks(found, RULES, THIS)
    assert [each.device for each in task.standing] == ["old", "new", "mended later", "back"]
    assert [each.device for each in task.mended] == ["mended"]
    assert task.fresh == {"new", "back"}


def test_the_most_severe_comes_first_then_what_most_computers_have() -> None:
    found = [fault("a", rule="signatures_old"), fault("a"), fault("a", rule="gone"), fault("b", rule="gone")]
    assert [task.id for task in tasks(found, RULES, THIS)] == ["gone", "antivirus_off", "signatures_old"]
    assert tasks(found, RULES, THIS)[0].rule is None


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def put(world: World, device: int, at: float) -> NewIncident:
    new = NewIncident("antivirus_off", 1, "high", subject.device(device), at, at, late=False, evidence={})
    with begin_write(world.engine) as conn:
        faults.put(conn, new)
    return new


def listed(world: World, school: int, week: Week, scope: Scope | None = None) -> list[str]:
    with begin_read(world.engine) as conn:
        return [
            each.device
            for each in faults.of_school(conn, scope or Scope("all"), school, week.start, week.end)
        ]


def test_a_list_holds_what_stood_in_its_week_on_computers_of_the_school(world: World) -> None:
    first, second = world.enrol(2)
    mended = put(world, first.id, NOW)
    put(world, second.id, NOW)
    put(world, second.id, NOW + DAY)  # it is on the list already
    with begin_write(world.engine) as conn:
        faults.end(conn, mended.fingerprint, NOW + 8 * DAY)
    assert listed(world, world.school, this_week(NOW - 7 * DAY)) == []
    assert listed(world, world.school, this_week(NOW)) == [first.device, second.device]
    assert listed(world, world.school, this_week(NOW + 15 * DAY)) == [second.device]


def test_a_computer_that_moved_is_on_the_list_of_where_it_was_and_then_of_where_it_is(world: World) -> None:
    (device,) = world.enrol()
    put(world, device.id, NOW)
    with begin_write(world.engine) as conn:
        commune = conn.scalar(t.commune.select().with_only_columns(t.commune.c.id))
        other = registry.create_school(conn, commune, "S2", "Trường khác", "TH", NOW)
        registry.move_device(conn, device.id, other, None, NOW + 8 * DAY)
    assert listed(world, world.school, this_week(NOW)) == [device.device]
    assert listed(world, other, this_week(NOW)) == []
    assert listed(world, world.school, this_week(NOW + 15 * DAY)) == []
    assert listed(world, other, this_week(NOW + 15 * DAY)) == [device.device]


def test_nobody_sees_the_list_of_another_school(world: World) -> None:
    (device,) = world.enrol()
    put(world, device.id, NOW)
    assert listed(world, world.school, this_week(NOW), Scope("school", world.school)) == [device.device]
    assert listed(world, world.school, this_week(NOW), Scope("school", world.school + 1)) == []
