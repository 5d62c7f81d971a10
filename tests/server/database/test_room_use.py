"""Rooms' weeks are summed once and overlap nowhere: whatever moves, no difference of two is a computer's."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, groupby
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from reports import NOW, Device, World, tell_day
from schoolwatch_server.database import registry, room_use
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.room_use import Mean, RoomUse
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.store.rollup import DAY
from schoolwatch_server.use import SETTLED, WEEK, week_of

HOUR = 3600.0
FIRST = week_of(NOW) + WEEK
"""The week in which the tests' computers tell."""
DUE = FIRST + WEEK + SETTLED


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("world"))
    yield world
    world.engine.dispose()


def school(world: World) -> int:
    """Each test has a school of its own."""
    with begin_write(world.engine) as conn:
        return registry.create_school(conn, 1, f"S{next(_NUMBERS)}", "Trường", "THCS", NOW)


_NUMBERS = iter(range(1_000_000))


def room(world: World, school_id: int, name: str = "Phòng máy", role: str = "student_lab") -> int:
    with begin_write(world.engine) as conn:
        return registry.create_room(conn, school_id, name, role)


def move(world: World, school_id: int, devices: list[Device], to: int | None, at: float) -> None:
    with begin_write(world.engine) as conn:
        for device in devices:
            registry.move_device(conn, device.id, school_id, to, at)


def tell(world: World, device: Device, day: int, **told: float) -> None:
    with begin_write(world.engine) as conn:
        tell_day(conn, device.id, day, **told)


def published(world: World, school_id: int, now: float, least: int = 3) -> list[RoomUse]:
    """What anybody can see at that time."""
    room_use.sum_weeks(world.engine, now, seconds=60)
    with begin_read(world.engine) as conn:
        found = room_use.after(conn, EVERYTHING, least=least, after=0, limit=10_000, school_id=school_id)
    return [use for use in found if use.week >= FIRST]


def test_a_room_is_the_mean_of_a_computer_on_the_days_it_told(world: World) -> None:
    mine, devices = school(world), world.enrol(4)
    lab, office = room(world, mine), room(world, mine, "Văn phòng", "office")
    move(world, mine, devices[:3], lab, NOW)
    move(world, mine, devices[3:], office, NOW)
    for day in (FIRST, FIRST + 2 * DAY):
        for device in devices:
            tell(world, device, day, on=7 * HOUR, active=3.5 * HOUR, boots=1.0)
    tell(world, devices[0], FIRST - DAY, on=900 * HOUR, boots=50.0)
    assert published(world, mine, DUE - 1) == []
    (week,) = published(world, mine, DUE)
    assert (week.room_id, week.week, week.days) == (lab, FIRST, 2)
    assert week.on == Mean(3, 7 * HOUR, 6), "two days of three, not seven"
    assert week.active == Mean(3, 3.5 * HOUR, 6)
    assert week.boots == Mean(3, 1.0, 6)


def test_too_few_have_no_number_and_what_cannot_be_known_is_not_nought(world: World) -> None:
    mine, devices = school(world), world.enrol(5)
    lab, silent = room(world, mine), room(world, mine, "Phòng máy 2")
    move(world, mine, devices[:4], lab, NOW)
    move(world, mine, devices[4:], silent, NOW)
    for device in devices[:2]:
        tell(world, device, FIRST, on=HOUR, active=HOUR)
    tell(world, devices[2], FIRST, on=HOUR)
    found = {use.room_id: use for use in published(world, mine, DUE)}
    assert found[lab].on == Mean(3, HOUR, 3)
    assert found[lab].active == Mean(2, hidden="few"), "two alone know whether they were in use"
    assert found[silent].on == Mean(0, hidden="nobody_told")
    stricter = {use.room_id: use for use in published(world, mine, DUE, least=5)}
    assert stricter[lab].on == Mean(3, hidden="few")
    assert stricter[lab].days is None, "on how many days one computer was on is its use too"
    slacker = {use.room_id: use for use in published(world, mine, DUE, least=1)}
    assert slacker[lab].active.value is None, "whatever the settings say"


def test_what_comes_or_moves_after_the_sum_changes_nothing(world: World) -> None:
    mine, devices = school(world), world.enrol(5)
    lab = room(world, mine)
    move(world, mine, devices, lab, NOW)
    for device in devices[:4]:
        tell(world, device, FIRST, on=HOUR)
    before = published(world, mine, DUE)
    tell(world, devices[4], FIRST, on=5 * HOUR)
    move(world, mine, devices[:1], None, DUE + 60)
    after = [use for use in published(world, mine, DUE + WEEK) if use.week == FIRST]
    assert after == before
    assert before[0].on == Mean(4, HOUR, 4)


def test_a_computer_counts_where_it_stood_the_whole_day(world: World) -> None:
    mine, devices = school(world), world.enrol(6)
    one, two = room(world, mine), room(world, mine, "Phòng máy 2")
    move(world, mine, devices[:3], one, NOW)
    move(world, mine, devices[3:], two, NOW)
    move(world, mine, devices[:1], two, FIRST + 2 * DAY + HOUR)
    for device in devices:
        for day in range(FIRST, FIRST + WEEK, DAY):
            tell(world, device, day, on=HOUR)
    found = {use.room_id: use for use in published(world, mine, DUE)}
    assert (found[one].on.devices, found[one].on.device_days) == (3, 2 * 7 + 2)
    assert (found[two].on.devices, found[two].on.device_days) == (4, 3 * 7 + 4)


def test_weeks_that_an_outage_left_out_are_made_up_for_and_pages_go_on(world: World) -> None:
    mine, devices = school(world), world.enrol(3)
    lab = room(world, mine)
    move(world, mine, devices, lab, NOW)
    for week in range(3):
        for device in devices:
            tell(world, device, FIRST + week * WEEK, on=(week + 1) * HOUR)
    all_weeks = published(world, mine, DUE + 2 * WEEK)
    assert [(use.week, use.on.value) for use in all_weeks] == [
        (FIRST + week * WEEK, (week + 1) * HOUR) for week in range(3)
    ]
    with begin_read(world.engine) as conn:
        newest = room_use.of_school(conn, mine, 3)[lab]
        before = all_weeks[0].id - 1
        first = room_use.after(conn, EVERYTHING, least=3, after=before, limit=1, school_id=mine)
        rest = room_use.after(conn, EVERYTHING, least=3, after=first[0].id, limit=9, school_id=mine)
        nobody = room_use.after(conn, Scope("school", 1), least=3, after=0, limit=9, school_id=mine)
    assert newest.week == FIRST + 2 * WEEK
    assert [*first, *rest] == all_weeks
    assert nobody == (), "another school's"


# --- no computer's use can be derived -----------------------------------------------------------------

DEVICES, ROOMS, WEEKS = 6, 2, 2
BASE = 2**43
"""Each cell (computer, day) is BASE and a bit of its own: a published sum says exactly which cells it is."""


@dataclass(frozen=True)
class Tell:
    at: float
    device: int
    day: int


@dataclass(frozen=True)
class Move:
    at: float
    device: int
    room: int | None


def _instant() -> st.SearchStrategy[float]:
    return st.integers(0, (WEEKS + 3) * 7 * 4).map(lambda quarter: FIRST + quarter * DAY / 4)


MOVES = st.builds(Move, _instant(), st.integers(0, DEVICES - 1), st.sampled_from([None, *range(ROOMS)]))
SILENT = st.sets(st.tuples(st.integers(0, DEVICES - 1), st.integers(0, WEEKS * 7 - 1)), max_size=30)
LATE = st.dictionaries(
    st.tuples(st.integers(0, DEVICES - 1), st.integers(0, WEEKS * 7 - 1)), st.integers(1, 30), max_size=15
)


def cells_of(use: RoomUse) -> frozenset[tuple[int, int]]:
    """Which (computer, day) a published number is made of."""
    assert use.on.value is not None
    assert use.on.device_days is not None
    code = round(use.on.value * use.on.device_days) - use.on.device_days * BASE
    bits = [bit for bit in range(DEVICES * 7) if code >> bit & 1]
    assert len(bits) == use.on.device_days
    return frozenset((bit // 7, use.week + bit % 7 * DAY) for bit in bits)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    start=st.lists(st.sampled_from(range(ROOMS)), min_size=DEVICES, max_size=DEVICES),
    moves=st.lists(MOVES, max_size=12),
    silent=SILENT,
    late=LATE,
    least=st.integers(3, 5),
)
def test_no_computers_use_is_derivable_from_all_that_was_ever_published(
    world: World,
    start: list[int],
    moves: list[Move],
    silent: set[tuple[int, int]],
    late: dict[tuple[int, int], int],
    least: int,
) -> None:
    """Somebody looks at every instant, and knows every move.

    The sets of cells behind the published numbers are pairwise the same or disjoint, and each is of `least`
    computers or more. So in whatever sum or difference of them all cells of a set have the same weight: no
    such combination is of one computer alone.
    """
    mine, devices = school(world), world.enrol(DEVICES)
    rooms = [room(world, mine, f"Phòng {n}") for n in range(ROOMS)]
    with begin_write(world.engine) as conn:
        for device, where in zip(devices, start, strict=True):
            registry.move_device(conn, device.id, mine, rooms[where], NOW)
    tells = [
        Tell(FIRST + day * DAY + DAY + late.get((device, day), 0) * DAY, device, day)
        for device in range(DEVICES)
        for day in range(WEEKS * 7)
        if (device, day) not in silent
    ]
    seen: dict[tuple[int, int], set[RoomUse]] = {}
    for at, events in groupby(sorted([*moves, *tells], key=lambda event: event.at), lambda event: event.at):
        if at >= DUE:  # before that there is nothing to see
            for use in published(world, mine, at, least):
                seen.setdefault((use.room_id, use.week), set()).add(use)
        with begin_write(world.engine) as conn:
            for event in events:
                device = devices[event.device]
                if isinstance(event, Move):
                    to = None if event.room is None else rooms[event.room]
                    registry.move_device(conn, device.id, mine, to, at)
                else:
                    value = float(BASE + 2 ** (event.device * 7 + event.day % 7))
                    tell_day(conn, device.id, FIRST + event.day * DAY, on=value)
    for use in published(world, mine, FIRST + 60 * DAY, least):
        seen.setdefault((use.room_id, use.week), set()).add(use)
    assert all(len(versions) == 1 for versions in seen.values()), "a number changed after it was published"
    shown = [cells_of(use) for (use,) in map(tuple, seen.values()) if use.on.value is not None]
    assert all(len({device for device, _ in cells}) >= least for cells in shown)
    assert all(one.isdisjoint(other) for one, other in combinations(shown, 2))


@pytest.mark.database("sqlite")  # its words of a plan
def test_who_stood_in_a_room_is_found_without_reading_where_everybody_stood(tmp_path: Path) -> None:
    world = World(tmp_path)  # the module's may be on PostgreSQL
    said: list[str] = []
    with begin_read(world.engine) as conn:

        @event.listens_for(conn, "before_cursor_execute")
        def _(conn, cursor, statement, parameters, context, executemany) -> None:
            if "membership" in statement and not statement.startswith("EXPLAIN"):
                plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                said.extend(row.detail for row in plan if "membership" in row.detail)

        room_use._due(conn, FIRST)
        room_use._cells(conn, 1, FIRST)
    assert len(said) == 2
    assert all("ix_membership_room_id" in plan for plan in said), said
    world.engine.dispose()
