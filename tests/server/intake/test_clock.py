"""Reports taken under a wrong clock: stored when they were truly taken, or marked as nobody knows when."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from computer import Computer
from reports import NOW, RULES, World
from schoolwatch_contract.frame import Header
from schoolwatch_contract.records import Reading, Sighting
from schoolwatch_server import incidents
from schoolwatch_server.database import counters, journal, rollups, states
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.intake import replay as replaying
from schoolwatch_server.intake.accept import Message
from schoolwatch_server.intake.batch import take
from schoolwatch_server.intake.clock import STEP, corrected, reckon
from schoolwatch_server.rules import load
from schoolwatch_server.store.rollup import DAY, HOUR

YEAR = 365 * DAY
FLAT = 1_293_840_000.0 - NOW
"""What a clock without battery is ahead: it shows the first of January of 2011."""


@pytest.fixture
def computer(world: World, tmp_path: Path) -> Computer:
    return Computer(world, tmp_path / "agent")


def near(count: int) -> object:
    return pytest.approx([0.0] * count, abs=0.01)


# --- within one start of the computer -----------------------------------------------------------------


@pytest.mark.parametrize("error", [FLAT, DAY, -DAY, 1200.0, -1200.0, 11 * YEAR])
@pytest.mark.parametrize("heard", [False, True])
def test_what_was_taken_before_the_clock_was_put_right_lies_when_it_was(
    computer: Computer, error: float, heard: bool
) -> None:
    computer.start(error)
    if heard:
        computer.measure()
        computer.deliver()
    computer.measure(12)
    computer.error = 0.0  # by NTP, before what waits is delivered
    computer.measure(2)
    computer.deliver()
    assert computer.errors() == near(14 + heard)


def test_a_clock_that_is_never_put_right_and_one_that_is_set_twice(computer: Computer) -> None:
    computer.start(FLAT)
    computer.measure(2)
    computer.error = 3 * DAY
    computer.measure(2)
    computer.error = -DAY
    computer.measure(2)
    computer.deliver()
    computer.measure(2)
    computer.deliver()
    assert computer.errors() == near(8)


def test_what_is_sent_again_after_the_clock_was_set_lies_where_it_lay(computer: Computer) -> None:
    """The server is restored to a time before it had heard anything, and the computer sends again."""
    computer.start(DAY)
    computer.measure(3)
    with computer.spool() as spool:
        spool.sending([held.id for held in spool.due(computer.wall, 0, 9, computer.up)], computer.wall)
    computer.error = 0.0
    computer.true += 3600.0
    computer.deliver()
    assert computer.errors() == near(3)


def test_sleep_counts_as_time(computer: Computer) -> None:
    computer.start(FLAT)
    computer.measure(2)
    computer.true += 20 * 3600.0  # asleep, and the uptime goes on
    computer.error = 0.0
    computer.deliver()
    assert computer.errors() == near(2)


def test_what_was_seen_is_corrected_like_the_report(world: World, computer: Computer) -> None:
    computer.start(FLAT)
    seen = Sighting("dhcp.offer", "x", seen_at=computer.wall - 50)
    computer.measure(sightings=[seen])
    computer.error = 0.0
    computer.deliver()
    with begin_read(world.engine) as conn:
        assert list(conn.scalars(select(t.sighting.c.seen_at))) == [pytest.approx(NOW - 50)]


def test_nothing_that_was_seen_lies_after_its_arrival() -> None:
    assert corrected(NOW + 9000, 0.0, NOW) == NOW


# --- over the start of the computer -------------------------------------------------------------------


def test_a_start_of_which_nothing_came_under_a_flat_battery_is_kept_and_told_to_nobody(
    world: World, computer: Computer
) -> None:
    computer.start(FLAT)
    seen = Sighting("dhcp.offer", "x")
    computer.measure(3, sightings=[seen])
    computer.start(0.0, off=40_000.0)
    computer.measure(2)
    computer.deliver()
    assert [uncertain for _, _, uncertain in computer.stored()] == [True] * 3 + [False] * 2
    first, truly = next((at, truly) for at, truly, uncertain in computer.stored() if not uncertain)
    assert first == pytest.approx(truly)
    with begin_read(world.engine) as conn:
        assert list(conn.scalars(select(t.sighting.c.id))) == []
        assert set(conn.scalars(select(t.dirty.c.bucket))) == {
            (first // HOUR) * HOUR,
            ((first + 7 * 3600) // DAY) * DAY - 7 * 3600,
        }
        assert len(journal.of_device(conn, computer.device.id, 0.0, 4e9)) == 2
        assert rollups.waiting(conn) == 2
        assert counters.read(conn)["uncertain", ""] == 3


def test_of_an_uncertain_report_the_device_counts_as_heard_and_nothing_else(
    world: World, computer: Computer
) -> None:
    computer.measure()
    computer.deliver()
    before = computer.true
    computer.start(FLAT, off=3600.0)
    computer.measure(2)
    computer.start(0.0, off=3600.0)
    computer.deliver()
    with begin_read(world.engine) as conn:
        row = conn.execute(select(t.state.c.taken_at, t.state.c.heard_at)).one()
    assert row.taken_at == pytest.approx(before - 300.0)
    assert row.heard_at == pytest.approx(computer.true)


def test_rules_pass_over_uncertain_reports(world: World) -> None:
    device = world.enrol()[0]
    off = (Reading("antivirus.running", 0.0, {"product": "clamav"}),)
    with begin_write(world.engine) as conn:
        journal.create_cursor(conn, incidents.CURSOR, NOW)

    def remembered() -> int:
        assert incidents.judge_next(world.engine, load(), (), NOW) == 1
        with begin_read(world.engine) as conn:
            return len(conn.execute(select(t.rule_memory)).all())

    take(world.engine, [device.message(1, readings=off, clock="doubtful")], RULES)
    assert remembered() == 0
    take(world.engine, [device.message(2, readings=off)], RULES)
    assert remembered() > 0


def test_a_clock_put_right_in_an_earlier_start_puts_right_what_came_before(computer: Computer) -> None:
    computer.start(FLAT)
    computer.measure(3)
    computer.error = 0.0  # in a network without the server
    computer.measure(2)
    computer.start(off=DAY)
    computer.measure()
    computer.deliver()
    assert computer.errors() == near(6)


def test_a_battery_that_goes_flat_does_not_spoil_what_was_taken_before(computer: Computer) -> None:
    """The first delivery of the morning comes before NTP."""
    computer.measure(3)
    computer.start(FLAT, off=DAY)
    computer.measure(2)
    computer.deliver()
    assert computer.errors() == near(5)


def test_a_battery_that_goes_flat_while_the_computer_sleeps_begins_a_new_clock(computer: Computer) -> None:
    """Fast start-up of Windows: the start stays the same, and nobody counts how long it was off."""
    computer.measure(3)
    computer.true += 14 * 3600.0
    computer.booted += 14 * 3600.0
    computer.error = FLAT
    computer.measure(2)
    computer.error = 0.0
    computer.measure()
    computer.deliver()
    assert computer.errors() == near(6)


def test_two_starts_in_the_wrong_order_are_believed_neither(computer: Computer) -> None:
    computer.start(DAY)
    computer.measure(3)
    computer.start(0.0, off=3600.0)
    computer.measure()
    computer.true += 3 * DAY
    computer.deliver()
    assert [uncertain for _, _, uncertain in computer.stored()] == [True] * 3 + [False]


def test_what_the_server_measured_in_a_start_holds_for_the_rest_of_it(computer: Computer) -> None:
    computer.start(DAY)
    computer.measure()
    computer.deliver()
    computer.measure(3)  # the line is gone
    computer.start(0.0, off=3600.0)
    computer.measure()
    computer.deliver()
    assert computer.errors() == near(5)


def test_starts_that_contradict_nothing_are_believed(computer: Computer) -> None:
    for _ in range(4):
        computer.measure(3)
        computer.start(off=50_000.0)
    computer.deliver()
    assert computer.errors() == near(12)


# --- messages that waited at the broker ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("waited", "sent_before", "measured", "believed", "expected"),
    [
        (0.0, 7200.0, None, (5.0, 0.0), 7200.0),
        (0.0, 7200.0, 7000.0, (), 7000.0),
        (0.0, 7200.0, 5.0, (), 7200.0),
        (36000.0, 7200.0, None, (0.0,), 0.0),
        (36000.0, 7200.0, None, (-3.0, 0.0), -3.0),
        (36000.0, 7200.0, 9000.0, (0.0,), 0.0),
        (36000.0, 40000.0, None, (5.0, 0.0), 40000.0),
        (36000.0, -3600.0, None, (5.0, 0.0), -3600.0),
        (60.0, 15 * YEAR, 0.0, (0.0,), 15 * YEAR),
    ],
)
def test_a_wait_at_the_broker_explains_no_more_than_itself(
    waited: float, sent_before: float, measured: float | None, believed: tuple[float, ...], expected: float
) -> None:
    message, sent_at = Message("", b"", NOW, waited), NOW - sent_before
    header = Header("0" * 32, "0" * 16, 1, 1, sent_at)
    assert reckon(message, header, sent_at, measured, believed).offset == expected


def test_a_clock_set_anew_is_seen_although_the_message_waited(computer: Computer) -> None:
    computer.measure()
    computer.deliver()
    computer.error = FLAT
    computer.measure(3)
    computer.error = 0.0
    computer.measure()
    computer.deliver(waited=1800.0)
    assert computer.errors() == pytest.approx([0.0] * 5, abs=1801.0)


def test_a_known_clock_loses_nothing_by_the_wait(computer: Computer) -> None:
    computer.start(-7200.0)
    computer.measure()
    computer.deliver()
    computer.measure(3)
    computer.deliver(waited=36_000.0)
    assert computer.errors() == near(4)


near_errors = st.one_of(st.floats(-7200.0, 7200.0), st.floats(-3 * DAY, 3 * DAY))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    first=st.one_of(near_errors, st.floats(-16 * YEAR, 16 * YEAR)),
    then=st.lists(st.one_of(near_errors, st.floats(0.0, 16 * YEAR)), max_size=3),
    count=st.integers(1, 3),
    off=st.floats(0.0, 3 * DAY),
    waited=st.one_of(st.just(0.0), st.floats(0.0, 40_000.0)),
    travels=st.one_of(st.none(), st.floats(0.0, 9 * DAY)),
)
def test_whatever_the_clock_does_a_report_of_the_start_that_delivers_lies_when_it_was_taken(
    world: World,
    tmp_path_factory: pytest.TempPathFactory,
    first: float,
    then: list[float],
    count: int,
    off: float,
    waited: float,
    travels: float | None,
) -> None:
    """But for one that falls back to before there was an agent: that is a battery, not somebody's hand."""
    computer = Computer(world, tmp_path_factory.mktemp("agent"))
    computer.start(first)
    for error in (first, *then):
        computer.error = error
        computer.measure(count)
        computer.true += off
    if travels is None:
        computer.deliver(waited)
        assert computer.errors() == pytest.approx([0.0] * len(computer.stored()), abs=STEP + waited)
    else:  # on a stick the last clock is taken at its word, but for what it is ahead for certain
        computer.error = 0.0
        computer.carry(travels)
        assert computer.errors() == near(len(computer.stored()))


# --- sticks, and quarantine ---------------------------------------------------------------------------


def test_on_a_stick_what_was_taken_before_the_clock_was_put_right_lies_when_it_was(
    computer: Computer,
) -> None:
    computer.start(FLAT)
    computer.measure(4)
    computer.error = 0.0
    computer.measure(2)
    computer.carry(travels=3 * DAY)
    assert computer.errors() == near(6)


def test_a_stick_written_under_a_flat_battery_is_kept_and_told_to_nobody(computer: Computer) -> None:
    computer.start(FLAT)
    computer.measure(4)
    computer.carry(travels=DAY)
    assert [uncertain for _, _, uncertain in computer.stored()] == [True] * 4


def test_a_stick_of_a_clock_that_was_measured_lies_when_it_was(computer: Computer) -> None:
    computer.start(FLAT)
    computer.measure()
    computer.deliver()
    computer.measure(4)
    computer.carry(travels=DAY)
    assert computer.errors() == near(5)


def test_what_a_fix_lets_in_from_a_stick_lies_when_it_was_taken(
    world: World, computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from schoolwatch_contract import envelope as envelopes
    from schoolwatch_contract.errors import ContractError

    def broken(body: bytes) -> None:
        raise ContractError("schema", "schema 2 is not known here")

    computer.measure(2)
    with monkeypatch.context() as before_fix:
        before_fix.setattr(envelopes, "decode", broken)
        computer.carry(travels=3 * DAY)
    assert computer.stored() == []
    assert len(replaying.replay(world.engine, now=computer.true).taken) == 2
    assert computer.errors() == near(2)


def test_a_report_from_the_future_is_uncertain_and_one_of_some_minutes_is_not(world: World) -> None:
    device = world.enrol()[0]
    take(world.engine, [device.message(1, taken_at=NOW + 500)], RULES)
    take(
        world.engine, [device.message(2, taken_at=NOW + 5000, readings=(Reading("memory.size", 2.0),))], RULES
    )
    j = t.journal.c
    with begin_read(world.engine) as conn:
        assert conn.execute(select(j.taken_at, j.uncertain).order_by(j.id)).all() == [
            (NOW, False),
            (NOW, True),
        ]
        state = states.load(conn, device.id)
    assert state is not None
    assert "memory.size" not in state.readings
