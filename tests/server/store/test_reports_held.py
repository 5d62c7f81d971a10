"""Reports that stay taken apart: whatever comes late, goes or is uncertain, as the journal has them."""

import random
from array import array
from typing import get_args

import pytest
from sqlalchemy import delete, update

from reports import NOW, Device, World
from schoolwatch_contract.records import Reading
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.influxql.instant import nanoseconds
from schoolwatch_server.influxql.query import Buckets, Call, Function, Span
from schoolwatch_server.influxql.source import Fold, line
from schoolwatch_server.intake.batch import take
from schoolwatch_server.store.queried import reports
from schoolwatch_server.store.queried.reports import Column, Reports

LOAD = "processor.load"
SINCE = NOW - 86400.0


@pytest.fixture
def devices(world: World) -> tuple[Device, Device]:
    first, second = world.enrol(2)
    for device in (first, second):
        for seq in (1, 2, 3):
            report(world, device, seq, NOW + seq * 300)
    return first, second


def report(world: World, device: Device, seq: int, taken_at: float) -> None:
    reading = Reading(LOAD, float(seq))
    came = max(taken_at, NOW + 1000 + seq if seq > 3 else 0.0)  # the clock is right from the first on
    take(world.engine, [device.message(seq, at=came, taken_at=taken_at, readings=(reading,))], Rules())


def values(world: World, held: Reports, device: Device, since: float = SINCE) -> list[float]:
    with begin_read(world.engine) as conn:
        found = held.of(conn, device.id, since).columns
        assert held.of(conn, device.id, since).columns is found
    assert set(found) == {LOAD}
    (column,) = found[LOAD].values()
    assert list(column.at) == sorted(column.at)
    return list(column.values)


def test_what_came_is_seen_at_once(world: World, devices: tuple[Device, Device]) -> None:
    held = Reports()
    assert values(world, held, devices[0]) == [1, 2, 3]
    report(world, devices[0], 4, NOW + 1200)
    assert values(world, held, devices[0]) == [1, 2, 3, 4]
    assert values(world, held, devices[1]) == [1, 2, 3]


def test_what_came_late_stands_where_it_was_taken(world: World, devices: tuple[Device, Device]) -> None:
    held = Reports()
    assert values(world, held, devices[0], NOW + 301) == [2, 3]
    report(world, devices[0], 4, NOW + 450)
    assert values(world, held, devices[0], NOW + 301) == [4, 2, 3]
    assert values(world, held, devices[0]) == [1, 4, 2, 3], "from an earlier instant on"
    report(world, devices[0], 5, NOW + 10)
    assert values(world, held, devices[0]) == [5, 1, 4, 2, 3]


def test_what_went_is_not_told(world: World, devices: tuple[Device, Device]) -> None:
    held = Reports()
    assert values(world, held, devices[0]) == [1, 2, 3]
    mine = t.journal.c.device_id == devices[0].id
    with begin_write(world.engine) as conn:
        conn.execute(delete(t.journal).where(mine, t.journal.c.seq == 2))
    assert values(world, held, devices[0]) == [1, 3]
    report(world, devices[0], 4, NOW + 1200)
    with begin_write(world.engine) as conn:
        conn.execute(delete(t.journal).where(mine, t.journal.c.seq == 1))
    assert values(world, held, devices[0]) == [3, 4], "one came and one went: there are as many as before"


def test_what_was_taken_nobody_knows_when_is_no_point(world: World, devices: tuple[Device, Device]) -> None:
    mine = t.journal.c.device_id == devices[0].id, t.journal.c.seq == 3
    with begin_write(world.engine) as conn:
        conn.execute(update(t.journal).where(*mine).values(uncertain=True))
    held = Reports()
    assert values(world, held, devices[0]) == [1, 2]
    report(world, devices[0], 4, NOW + 1200)
    assert values(world, held, devices[0]) == [1, 2, 4]


def test_only_so_much_is_held_and_not_for_ever(
    world: World, devices: tuple[Device, Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    held = Reports(lambda: now)
    for device in devices:
        values(world, held, device)
    assert list(held._devices) == [one.id for one in devices]
    now = reports.IDLE
    values(world, held, devices[0])
    assert list(held._devices) == [devices[0].id]
    values(world, held, devices[1])
    monkeypatch.setattr(reports, "MOST", 5)
    assert values(world, held, devices[0]) == [1, 2, 3]
    assert list(held._devices) == [devices[0].id]


def test_a_reader_goes_on_with_what_it_got(world: World, devices: tuple[Device, Device]) -> None:
    held = Reports()
    with begin_read(world.engine) as conn:
        (column,) = held.of(conn, devices[0].id, SINCE).columns[LOAD].values()
    report(world, devices[0], 4, NOW + 1200)
    assert values(world, held, devices[0]) == [1, 2, 3, 4]
    assert list(column.values) == [1, 2, 3]


def test_columns_are_cut_and_put_in_buckets(world: World, devices: tuple[Device, Device]) -> None:
    report(world, devices[0], 9, NOW + 900)  # the instant of 3, and larger
    report(world, devices[0], 7, NOW + 900)
    with begin_read(world.engine) as conn:
        (column,) = Reports().of(conn, devices[0].id, SINCE).columns[LOAD].values()
    at = {seq: nanoseconds(NOW + seq * 300) for seq in (1, 2, 3)}
    part = column.part(Span(at[2], at[3] + 1))
    assert sorted(part.values) == [2, 3, 7, 9]
    assert part.folds(None) == {0: Fold(4, 21, 2, 9, 9, at[3])}
    assert column.part(Span(at[1], at[3])).folds(Buckets(at[2] - at[1], at[1])) == {
        at[1]: Fold(1, 1, 1, 1, 1, at[1]),
        at[2]: Fold(1, 2, 2, 2, 2, at[2]),
    }
    assert column.part(Span(at[3] + 1)).folds(None) == {}


@pytest.mark.parametrize("function", get_args(Function))
@pytest.mark.parametrize("every", [1, 7, 60, 10_000])
@pytest.mark.parametrize("is_twice", [False, True])
def test_a_line_is_what_folds_say(function: Function, every: int, *, is_twice: bool) -> None:
    """Points alone in their interval and many in one, and two at the same instant."""
    chance = random.Random(every)
    at = sorted(chance.sample(range(-500, 500), 150))
    column = Column(array("q", [*at, at[-1]] if is_twice else at), array("d"))
    column.values.extend(chance.uniform(-9, 9) for _ in column.at)
    buckets = Buckets(every, 3)
    assert column.line(function, buckets) == line(column.folds(buckets), Call(function, "value"))
