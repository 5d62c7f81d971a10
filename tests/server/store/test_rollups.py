"""Rollups against brute force: whatever comes, in whatever order, hours and days are what raw data say."""

import itertools
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from reports import NOW, Device, World
from schoolwatch_contract.records import Reading
from schoolwatch_server.database import journal, rollups
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.retention import Kept, prune
from schoolwatch_server.intake.batch import take
from schoolwatch_server.store.rollup import (
    DAY,
    HOUR,
    Fold,
    bucket,
    fold_hours,
    fold_raw,
    keep_fuller,
    pack,
    unpack,
)
from schoolwatch_server.store.sqlite import SqliteStore, resolution_of

MIDNIGHT = bucket(NOW, DAY)
FAR = NOW + 400 * DAY


@pytest.fixture
def device(world: World) -> Device:
    return world.enrol()[0]


def report(
    world: World, device: Device, seq: int, taken_at: float, arrived: float, value: float | None
) -> None:
    """One reading taken then; its generation's clock is right (its first frame came at NOW)."""
    reading = Reading("processor.load", value)
    message = device.message(seq, at=arrived, taken_at=taken_at, readings=(reading,))
    take(world.engine, [message], Rules())


def expected(points: list[tuple[float, float]], resolution: int) -> dict[float, tuple]:
    """The brute force: all points of a bucket, sorted and summed exactly."""
    found: dict[float, list[tuple[float, float]]] = {}
    for at, value in points:
        found.setdefault(float(bucket(at, resolution)), []).append((at, value))
    return {
        begin: (
            len(of), math.fsum(v for _, v in of), min(v for _, v in of), max(v for _, v in of), *max(of)[::-1]
        )
        for begin, of in found.items()
    }  # fmt: skip


def stored(world: World, device: Device, resolution: str, start: float, end: float) -> dict[float, tuple]:
    series = SqliteStore(world.engine).series(device.id, "processor.load", start, end, resolution)
    return {
        p.at: (p.count, p.mean * p.count, p.min, p.max, p.last, p.last_at) for s in series for p in s.points
    }


def same(found: dict[float, tuple], wanted: dict[float, tuple]) -> None:
    assert found.keys() == wanted.keys()
    for begin, values in wanted.items():
        assert found[begin] == pytest.approx(values, rel=1e-12, abs=1e-12)


def test_a_day_begins_at_midnight_in_vietnam() -> None:
    assert bucket(1_790_000_000, DAY) % DAY == 17 * HOUR
    assert bucket(MIDNIGHT, DAY) == MIDNIGHT
    assert bucket(MIDNIGHT - 0.001, DAY) == MIDNIGHT - DAY
    assert bucket(HOUR * 5 + 3599.9, HOUR) == HOUR * 5


minutes = st.integers(0, 3 * 24 * 60 - 1)
numbers = st.one_of(st.none(), st.floats(-1e9, 1e9, allow_nan=False))


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.one_of(st.tuples(minutes, numbers), st.just("roll")), min_size=1, max_size=40))
def test_rollups_are_what_brute_force_says_late_arrivals_included(
    tmp_path_factory: pytest.TempPathFactory, steps: list
) -> None:
    """Reports of three days come in any order, with rollups made at any moment between them."""
    world = World(tmp_path_factory.mktemp("world"))
    device = world.enrol()[0]
    arrived = MIDNIGHT + 3 * DAY
    points = []
    for seq, step in enumerate(steps, start=1):
        if step == "roll":
            rollups.run_once(world.engine, arrived + DAY)
            continue
        minute, value = step
        report(world, device, seq, MIDNIGHT + minute * 60, arrived, value)
        if value is not None:
            points.append((MIDNIGHT + minute * 60, value))
    span = (MIDNIGHT, arrived)
    same(stored(world, device, "1h", *span), expected(points, HOUR))
    same(stored(world, device, "1d", *span), expected(points, DAY))
    rollups.run_once(world.engine, arrived + DAY)
    with begin_read(world.engine) as conn:
        assert rollups.waiting(conn) == 0
    same(stored(world, device, "1h", *span), expected(points, HOUR))
    same(stored(world, device, "1d", *span), expected(points, DAY))
    world.engine.dispose()


folds = st.dictionaries(
    st.sampled_from(['a{"x":"1"}', "b.c", "d"]),
    st.builds(Fold, st.integers(1, 99), *[st.floats(allow_nan=False, allow_infinity=False)] * 5),
)


@given(folds)
def test_packed_folds_come_back_the_same(some: dict[str, Fold]) -> None:
    assert unpack(pack(some)) == some


@given(st.lists(folds), st.randoms())
def test_a_day_does_not_depend_on_the_order_of_its_hours(hours: list[dict[str, Fold]], random) -> None:
    shuffled = list(hours)
    random.shuffle(shuffled)
    assert fold_hours(hours) == fold_hours(shuffled)


@given(folds, folds)
def test_the_fuller_fold_is_kept(old: dict[str, Fold], new: dict[str, Fold]) -> None:
    kept = keep_fuller(old, new)
    assert kept.keys() == old.keys() | new.keys()
    for name, fold in kept.items():
        assert fold.count == max(of[name].count for of in (old, new) if name in of)


def test_sums_that_no_double_holds_end_at_the_largest() -> None:
    huge = Fold(1, 1.7e308, 1.7e308, 1.7e308, 1.7e308, 0.0)
    (fold,) = fold_hours([{"x": huge}, {"x": huge}]).values()
    assert fold.sum == 1.7976931348623157e308
    assert fold_raw([]) == {}


def test_a_sum_that_is_too_large_only_on_the_way_is_the_same_in_every_order() -> None:
    values = (1.7e308, 1.7e308, -1.7e308, -1.7e308, 1e-300)
    for order in itertools.permutations(values):
        (fold,) = fold_hours({"x": Fold(1, value, value, value, value, 0.0)} for value in order).values()
        assert fold.sum == 1e-300


def test_a_bucket_that_has_not_ended_stays_dirty_and_can_be_read(world: World, device: Device) -> None:
    report(world, device, 1, NOW, NOW, 2.0)
    assert rollups.run_once(world.engine, NOW) == 0
    assert stored(world, device, "1h", NOW - HOUR, NOW + 1)[bucket(NOW, HOUR)][0] == 1
    assert rollups.run_once(world.engine, NOW + 2 * HOUR) == 1
    assert rollups.run_once(world.engine, NOW + 2 * DAY) == 1
    assert rollups.run_once(world.engine, NOW + 2 * DAY) == 0


def test_a_row_that_comes_while_its_bucket_is_made_keeps_it_dirty(
    world: World, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    report(world, device, 1, NOW, NOW, 1.0)
    made = rollups.begin_write

    def late_comer(engine):
        monkeypatch.setattr(rollups, "begin_write", made)
        report(world, device, 2, NOW + 1, NOW + 1, 5.0)
        return made(engine)

    monkeypatch.setattr(rollups, "begin_write", late_comer)
    rollups.run_once(world.engine, NOW + 2 * HOUR, seconds=0.0001)
    assert stored(world, device, "1h", NOW - HOUR, NOW + 2)[bucket(NOW, HOUR)][:2] == (2, 6.0)
    rollups.run_once(world.engine, NOW + 2 * DAY)
    assert stored(world, device, "1d", NOW - DAY, NOW + 2)[bucket(NOW, DAY)][:2] == (2, 6.0)


# --- retention ----------------------------------------------------------------------------------------

KEPT = Kept({"journal": 14, "hourly": 9999, "daily": 9999})


def journaled(world: World) -> int:
    with begin_read(world.engine) as conn:
        return int(conn.scalar(select(func.count()).select_from(t.journal)) or 0)


def test_the_journal_is_pruned_after_its_days_and_rollups_stay(world: World, device: Device) -> None:
    for seq in range(1, 5):
        report(world, device, seq, NOW + seq, NOW + seq, float(seq))
    rollups.run_once(world.engine, NOW + 2 * DAY)
    assert prune(world.engine, NOW + 13 * DAY) == 0
    assert prune(world.engine, NOW + 15 * DAY) == 4
    assert journaled(world) == 0
    assert stored(world, device, "1h", NOW - HOUR, NOW + HOUR)[bucket(NOW, HOUR)][:2] == (4, 10.0)


def test_a_late_report_does_not_make_less_of_a_pruned_bucket(world: World, device: Device) -> None:
    for seq in range(1, 5):
        report(world, device, seq, MIDNIGHT + seq, NOW, float(seq))
    rollups.run_once(world.engine, NOW + 2 * DAY)
    prune(world.engine, NOW + 20 * DAY)
    report(world, device, 5, MIDNIGHT + 9, NOW + 20 * DAY, 100.0)
    rollups.run_once(world.engine, NOW + 21 * DAY)
    assert stored(world, device, "1h", MIDNIGHT, MIDNIGHT + 1)[MIDNIGHT][:2] == (4, 10.0)
    assert stored(world, device, "1d", MIDNIGHT, MIDNIGHT + 1)[MIDNIGHT][:2] == (4, 10.0)


def test_pruning_never_passes_a_cursor(world: World, device: Device) -> None:
    for seq in range(1, 5):
        report(world, device, seq, NOW + seq, NOW + seq, 1.0)
    rollups.run_once(world.engine, FAR)
    with begin_write(world.engine) as conn:
        journal.create_cursor(conn, "rules", NOW)
    assert prune(world.engine, FAR, KEPT) == 0
    with begin_write(world.engine) as conn:
        journal.create_cursor(conn, "rules", NOW)
        journal.move(conn, "rules", 3, NOW)
    assert prune(world.engine, FAR, KEPT) == 3
    with begin_read(world.engine) as conn:
        assert [row.id for row in journal.rows_after(conn, 0, 9)] == [4]
        assert journal.position(conn, "rules") == 3


def test_pruning_never_takes_what_a_dirty_bucket_is_made_from(world: World, device: Device) -> None:
    report(world, device, 1, NOW, NOW, 1.0)
    assert prune(world.engine, FAR, KEPT) == 0
    rollups.run_once(world.engine, FAR)
    assert prune(world.engine, FAR, KEPT) == 1


def test_rollups_have_their_own_days(world: World, device: Device) -> None:
    report(world, device, 1, NOW, NOW, 1.0)
    rollups.run_once(world.engine, NOW + 2 * DAY)
    kept = Kept({"journal": 9999, "hourly": 10, "daily": 100})
    assert prune(world.engine, NOW + 12 * DAY, kept) == 1
    assert prune(world.engine, NOW + 102 * DAY, kept) == 1


def test_old_generations_are_forgotten_but_each_devices_newest(world: World, device: Device) -> None:
    for n in range(12):
        take(world.engine, [device.message(3, spool=f"{n:016x}")], Rules())
    rollups.run_once(world.engine, FAR)
    prune(world.engine, FAR, KEPT)
    with begin_read(world.engine) as conn:
        left = list(conn.scalars(select(t.generation.c.spool).order_by(t.generation.c.id)))
        assert len(list(conn.execute(select(t.arrived)))) == 8
    assert left == [f"{n:016x}" for n in range(4, 12)]


def test_an_id_of_the_journal_never_comes_twice(world: World, device: Device) -> None:
    report(world, device, 1, NOW, NOW, 1.0)
    rollups.run_once(world.engine, FAR)
    prune(world.engine, FAR, KEPT)
    report(world, device, 2, NOW, NOW, 1.0)
    with begin_read(world.engine) as conn:
        assert [row.id for row in journal.rows_after(conn, 0, 9)] == [2]


def test_the_use_of_a_computer_lies_apart_and_goes_when_its_room_was_summed(
    world: World, device: Device
) -> None:
    """Nothing that reads a device's series comes by it, and no copy of the database holds it for years."""
    for hour in range(3):
        readings = (Reading("use.active", 600.0), Reading("processor.load", 1.0))
        at = MIDNIGHT + hour * HOUR
        take(world.engine, [device.message(hour + 1, at=at, taken_at=at, readings=readings)], Rules())
    rollups.run_once(world.engine, MIDNIGHT + 2 * DAY)
    with begin_read(world.engine) as conn:
        names = {name for body in conn.scalars(select(t.rollup.c.body)) for name in unpack(body)}
        day = rollups.read_many(conn, (device.id,), DAY, MIDNIGHT, MIDNIGHT + 1, "rooms")
        of_device = rollups.read(conn, device.id, DAY, MIDNIGHT, MIDNIGHT + 1)
    assert names == {"processor.load"}
    assert day[device.id][MIDNIGHT]["use.active"].sum == 1800.0
    assert {*of_device[MIDNIGHT]} == {"processor.load"}
    assert [uses(world, at) for at in (0, 16 * DAY, 30 * DAY, 72 * DAY)] == [4, 1, 1, 0]
    with begin_read(world.engine) as conn:
        assert conn.scalar(select(func.count()).select_from(t.rollup)) == 4


def uses(world: World, later: float) -> int:
    prune(world.engine, MIDNIGHT + DAY + later)
    with begin_read(world.engine) as conn:
        return conn.scalar(select(func.count()).select_from(t.use_rollup)) or 0


# --- series -------------------------------------------------------------------------------------------


def test_a_series_is_one_for_each_label_set_and_unknown_is_a_gap(world: World, device: Device) -> None:
    def speed(nic: str, value: float | None) -> Reading:
        return Reading("link.speed", value, {"nic": nic})

    for seq, values in enumerate([(1e9, 1e8), (None, 1e8), (1e9, None)], start=1):
        readings = (speed("eth0", values[0]), speed("eth1", values[1]), Reading("link.mtu", 1500.0))
        take(world.engine, [device.message(seq, at=NOW + seq, readings=readings)], Rules())
    found = SqliteStore(world.engine).series(device.id, "link.speed", NOW, NOW + 10)
    assert [(s.labels, [p.at - NOW for p in s.points]) for s in found] == [
        ({"nic": "eth0"}, [1, 3]),
        ({"nic": "eth1"}, [1, 2]),
    ]
    assert {p.mean for p in found[0].points} == {1e9}


def test_a_series_ends_before_its_end(world: World, device: Device) -> None:
    for seq in range(4):
        report(world, device, seq + 1, NOW + seq, NOW + seq, float(seq))
    (series,) = SqliteStore(world.engine).series(device.id, "processor.load", NOW + 1, NOW + 3)
    assert [p.mean for p in series.points] == [1.0, 2.0]


def test_of_another_device_or_metric_there_is_nothing(world: World, device: Device) -> None:
    report(world, device, 1, NOW, NOW, 1.0)
    store = SqliteStore(world.engine)
    assert store.series(device.id + 1, "processor.load", NOW - 1, NOW + 1) == ()
    assert store.series(device.id, "processor.loa", NOW - 1, NOW + 1) == ()
    assert store.series(device.id, "processor.loa", NOW - 1, NOW + 1, "1h") == ()


@pytest.mark.parametrize(
    ("days", "pruned_days_ago", "resolution"),
    [(1, 14, "raw"), (2, 14, "raw"), (3, 14, "1h"), (62, 14, "1h"), (90, 14, "1d"), (1, 0.5, "1h")],
)
def test_the_range_picks_the_resolution(days: float, pruned_days_ago: float, resolution: str) -> None:
    assert resolution_of(NOW - days * DAY, NOW, NOW - pruned_days_ago * DAY) == resolution
