"""A batch of frames against a real database: what is committed, what is acknowledged, what is refused."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, exc, select

from reports import NOW, Device, World
from schoolwatch_contract import envelope as envelopes
from schoolwatch_contract import frame as frames
from schoolwatch_contract.errors import ContractError
from schoolwatch_contract.records import Fact, Reading, Sighting
from schoolwatch_server.database import counters, credentials, journal, quarantine, registry, states
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.intake import replay as replaying
from schoolwatch_server.intake.accept import Message
from schoolwatch_server.intake.batch import take
from schoolwatch_server.scope import EVERYTHING

RULES = Rules()


@pytest.fixture
def device(world: World) -> Device:
    return world.enrol()[0]


def rows(world: World, *columns):
    with begin_read(world.engine) as conn:
        return [tuple(row) for row in conn.execute(select(*columns).order_by(columns[0].table.c[0]))]


def counted(world: World) -> dict[tuple[str, str], int]:
    with begin_read(world.engine) as conn:
        return counters.read(conn)


def everything(world: World) -> dict[str, list[tuple]]:
    """All that a commit writes, but the counters."""
    tables = (
        t.generation, t.arrived, t.journal, t.state, t.state_body, t.fact_history, t.sighting, t.dirty,
        t.quarantine,
    )  # fmt: skip
    with begin_read(world.engine) as conn:
        return {table.name: [tuple(row) for row in conn.execute(select(table))] for table in tables}


def test_a_report_is_committed_and_its_mark_acknowledged(world: World, device: Device) -> None:
    acks = take(world.engine, [device.message(1), device.message(2)], RULES)
    assert acks[device.device].spools == {"a" * 16: 2}
    j = t.journal.c
    assert rows(world, j.seq, j.taken_at, j.received_at, j.late) == [
        (1, NOW, NOW, False),
        (2, NOW, NOW, False),
    ]
    assert counted(world) == {("received", ""): 2, ("committed", ""): 2}


def test_the_body_is_journaled_as_it_came(world: World, device: Device) -> None:
    take(world.engine, [device.message(1, readings=(Reading("memory.size", 8e9),))], RULES)
    with begin_read(world.engine) as conn:
        (row,) = journal.rows_after(conn, 0, 10)
    assert row.envelope.readings == (Reading("memory.size", 8e9),)


def test_a_second_delivery_changes_nothing_and_is_acknowledged_again(world: World, device: Device) -> None:
    fact = Fact("os.name", "Debian")
    message = device.message(1, facts=(fact,), sightings=(Sighting("dhcp.offer", "x"),))
    first = take(world.engine, [message], RULES)
    before = everything(world)
    again = take(world.engine, [message, message], RULES)
    assert again == first
    assert everything(world) == before
    assert counted(world)["duplicates", ""] == 2


def test_twice_in_one_batch_is_stored_once(world: World, device: Device) -> None:
    take(world.engine, [device.message(1)] * 3, RULES)
    assert len(rows(world, t.journal.c.id)) == 1


def test_a_fork_is_stored_counted_and_seen_as_a_clone(world: World, device: Device) -> None:
    one = device.message(1, readings=(Reading("processor.busy", 0.1),))
    other = device.message(1, readings=(Reading("processor.busy", 0.9),))
    take(world.engine, [one], RULES)
    acks = take(world.engine, [other, one, other], RULES)
    assert len(rows(world, t.journal.c.id)) == 2
    s = t.sighting.c
    ((kind, subject, detail),) = rows(world, s.kind, s.subject, s.detail)
    assert (kind, subject, detail["seq"]) == ("device.clone", device.device, "1")
    assert counted(world)["forks", ""] == 1
    assert acks[device.device].spools == {"a" * 16: 1}


def test_a_gap_holds_the_mark_until_it_is_filled_or_given_up(world: World, device: Device) -> None:
    def mark(*messages: Message) -> int:
        return take(world.engine, list(messages), RULES)[device.device].spools["a" * 16]

    assert mark(device.message(1), device.message(3), device.message(5)) == 1
    assert rows(world, t.arrived.c.seq) == [(3,), (5,)]
    assert mark(device.message(2)) == 3
    assert rows(world, t.arrived.c.seq) == [(5,)]
    assert mark(device.message(8, floor=7)) == 6
    assert mark(device.message(7, floor=7)) == 8
    assert rows(world, t.arrived.c.seq) == []


def test_a_number_given_up_that_comes_after_all_is_stored(world: World, device: Device) -> None:
    take(world.engine, [device.message(5, floor=5)], RULES)
    acks = take(world.engine, [device.message(2)], RULES)
    assert rows(world, t.journal.c.seq) == [(5,), (2,)]
    assert acks[device.device].spools == {"a" * 16: 5}


def test_a_report_already_pruned_is_a_duplicate(world: World, device: Device) -> None:
    message = device.message(1)
    take(world.engine, [message], RULES)
    with begin_write(world.engine) as conn:
        journal.set_pruned_before(conn, NOW + 1)
        conn.execute(t.journal.delete())
    acks = take(world.engine, [message], RULES)
    assert acks[device.device].spools == {"a" * 16: 1}
    assert rows(world, t.journal.c.seq) == []
    assert counted(world)["duplicates", ""] == 1


def test_an_ack_tells_of_the_newest_generations_and_of_those_just_heard(world: World, device: Device) -> None:
    names = [f"{n:016x}" for n in range(12)]
    for name in names:
        acks = take(world.engine, [device.message(1, spool=name)], RULES)
    assert set(acks[device.device].spools) == set(names[4:])
    acks = take(world.engine, [device.message(2, spool=names[0])], RULES)
    assert acks[device.device].spools == {names[0]: 2, **dict.fromkeys(names[4:], 1)}


# --- what is refused ----------------------------------------------------------------------------------


def _bad(world: World, device: Device, how: str) -> Message:
    good, other = device.message(9), world.enrol()[0]
    match how:
        case "hmac":
            return Message(good.topic, good.payload[:-1] + bytes([good.payload[-1] ^ 1]), NOW)
        case "other_device":
            return Message(other.topic, good.payload, NOW)
        case "unknown_device":
            return Device(0, "f" * 32, b"k" * 32).message(1)
        case "revoked":
            with begin_write(world.engine) as conn:
                credentials.revoke(conn, other.id, NOW)
            return other.message(1)
        case "topic":
            return Message("schoolwatch/1/somewhere/else", good.payload, NOW)
        case "truncated":
            return Message(good.topic, good.payload[:60], NOW)
        case "too_large":
            return Message(good.topic, b"\x01" * (10 << 20), NOW)
        case _:
            return Message(good.topic, b"\xff" + good.payload[1:], NOW)


@pytest.mark.parametrize(
    "how",
    ["hmac", "other_device", "unknown_device", "revoked", "topic", "truncated", "too_large", "format"],
)
def test_a_frame_of_nobody_is_quarantined_and_never_acknowledged(
    world: World, device: Device, how: str
) -> None:
    bad = _bad(world, device, how)
    acks = take(world.engine, [device.message(1), bad, device.message(2)], RULES)
    assert list(acks) == [device.device]
    assert acks[device.device].spools == {"a" * 16: 2}
    q = t.quarantine.c
    ((reason, verified, size),) = rows(world, q.reason, q.verified, q.size)
    assert (reason, verified) == (how, False)
    assert size <= quarantine.KEPT_OF_UNVERIFIED
    assert counted(world)["quarantined", how] == 1
    assert counted(world)["committed", ""] == 2


POISON = b"\x00 no deflate stream"


def test_a_poison_report_is_quarantined_whole_and_the_mark_goes_on(world: World, device: Device) -> None:
    messages = [device.message(1), device.message(2, body=POISON), device.message(3)]
    acks = take(world.engine, messages, RULES)
    assert acks[device.device].spools == {"a" * 16: 3}
    assert rows(world, t.journal.c.seq) == [(1,), (3,)]
    with begin_read(world.engine) as conn:
        (row,) = quarantine.newest(conn, 10)
        found = quarantine.find(conn, row.id)
    assert (row.verified, row.device, row.reason) == (True, device.device, "deflate")
    assert found is not None
    assert found[1] == messages[1].payload
    before = everything(world)
    take(world.engine, [messages[1]], RULES)
    assert everything(world) == before


def test_what_can_be_decoded_after_a_fix_is_replayed_once(
    world: World, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(body: bytes) -> None:
        raise ContractError("schema", "schema 2 is not known here")

    with monkeypatch.context() as before_fix:
        before_fix.setattr(envelopes, "decode", broken)
        take(world.engine, [device.message(1, at=NOW, taken_at=NOW - 5)], RULES)
    still = take(world.engine, [device.message(2, body=POISON)], RULES)
    assert rows(world, t.journal.c.seq) == []
    found = replaying.replay(world.engine, now=NOW + 99)
    assert len(found.taken) == 1
    assert list(found.refused.values()) == ["deflate: " + found.refused[2].partition(": ")[2]]
    assert rows(world, t.journal.c.seq, t.journal.c.taken_at) == [(1, NOW - 5)]
    again = replaying.replay(world.engine, now=NOW + 100)
    assert again.taken == ()
    assert rows(world, t.journal.c.seq) == [(1,)]
    assert still[device.device].spools == {"a" * 16: 2}


def test_quarantine_is_bounded_and_the_counters_go_on(world: World, device: Device) -> None:
    rules = Rules(quarantine_rows=10)
    take(world.engine, [device.message(1, body=POISON)], rules)
    for n in range(5):
        take(world.engine, [Message("x", bytes([n, i]), NOW) for i in range(8)], rules)
    q = t.quarantine.c
    kept = rows(world, q.verified, q.frame)
    assert len(kept) == 10
    assert kept[0][0], "the verified one, which can be replayed, outlives what is newer and nobody's"
    assert kept[-1][1] == bytes([4, 7])
    assert counted(world)["quarantined", "topic"] == 40


def test_quarantine_is_bounded_in_bytes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "BYTES_MAX", 5000)
    take(world.engine, [Message("x", bytes(100_000), NOW) for _ in range(20)], RULES)
    assert 1 <= sum(size for (size,) in rows(world, t.quarantine.c.size)) <= 5000


# --- the database fails -------------------------------------------------------------------------------


def test_a_database_error_rolls_the_whole_batch_back(world: World, device: Device) -> None:
    before = everything(world)

    def full(conn, cursor, statement, *_):
        if "INSERT INTO dirty" in statement:
            raise exc.OperationalError(statement, {}, Exception("disk full"))

    event.listen(world.engine, "before_cursor_execute", full)
    with pytest.raises(exc.OperationalError):
        take(world.engine, [device.message(1), Message("x", b"", NOW)], RULES)
    event.remove(world.engine, "before_cursor_execute", full)
    assert everything(world) == before
    assert take(world.engine, [device.message(1)], RULES)[device.device].spools == {"a" * 16: 1}


def test_a_report_that_the_database_wont_store_does_not_spoil_the_others(
    world: World, device: Device
) -> None:
    messages = [device.message(n) for n in range(1, 4)]
    middle = frames.digest(frames.parse(messages[1].payload).body)

    def refuses(conn, cursor, statement, parameters, context, many):
        flat = parameters.values() if isinstance(parameters, dict) else parameters
        each = [one for value in flat for one in (value if isinstance(value, list) else [value])]
        told = [getattr(one, "obj", one) for one in each]  # psycopg wraps bytes
        if "INSERT INTO journal" in statement and middle in told:
            raise exc.DataError(statement, {}, Exception("unstorable"))

    event.listen(world.engine, "before_cursor_execute", refuses)
    acks = take(world.engine, messages, RULES)
    event.remove(world.engine, "before_cursor_execute", refuses)
    assert acks[device.device].spools == {"a" * 16: 3}
    assert rows(world, t.journal.c.seq) == [(1,), (3,)]
    assert rows(world, t.quarantine.c.reason, t.quarantine.c.verified) == [("commit", True)]
    assert counted(world)["received", ""] == 3


# --- clocks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [-86400.0 * 3650, -3600.0, -1.5, 0.0, 0.25, 7200.0])
def test_a_wrong_clock_is_corrected_by_the_generations_first_frame(world: World, ahead: float) -> None:
    device = world.enrol(clock=ahead)[0]
    take(world.engine, [device.message(1, at=NOW, taken_at=NOW - 10)], RULES)
    take(world.engine, [device.message(2, at=NOW + 300, arrived=NOW + 304, taken_at=NOW + 290)], RULES)
    taken = [at for (at,) in rows(world, t.journal.c.taken_at)]
    assert taken == pytest.approx([NOW - 10, NOW + 290], abs=0.01)
    ((offset,),) = rows(world, t.generation.c.clock_offset)
    assert offset == pytest.approx(-ahead, abs=0.01)


def test_nothing_was_taken_after_it_arrived(world: World, device: Device) -> None:
    seen = Sighting("dhcp.offer", "x", {}, NOW + 9000)
    take(world.engine, [device.message(1, taken_at=NOW + 500, sightings=(seen,))], RULES)
    assert rows(world, t.journal.c.taken_at) == [(NOW,)]
    assert rows(world, t.sighting.c.seen_at) == [(NOW,)]


def test_a_second_delivery_lands_on_the_same_instant(world: World, device: Device) -> None:
    take(world.engine, [device.message(2)], RULES)
    late = device.message(1, at=NOW + 7200, arrived=NOW + 7300, taken_at=NOW - 60)
    take(world.engine, [late], RULES)
    assert rows(world, t.journal.c.taken_at) == [(NOW,), (NOW - 60,)]


@pytest.mark.parametrize(("age", "late"), [(0, False), (1799, False), (1801, True), (86400, True)])
def test_late_is_older_than_the_way_here_explains(world: World, device, age: float, late: bool) -> None:
    take(world.engine, [device.message(1, taken_at=NOW - age)], RULES)
    assert rows(world, t.journal.c.late) == [(late,)]


def test_late_follows_the_delivery_period(world: World, device: Device) -> None:
    take(world.engine, [device.message(1, taken_at=NOW - 7000)], Rules(delivery_period=3600))
    assert rows(world, t.journal.c.late) == [(False,)]


# --- state, facts, sightings --------------------------------------------------------------------------


def test_state_follows_the_time_taken_never_the_order_of_arrival(world: World, device: Device) -> None:
    newer = device.message(2, readings=(Reading("processor.busy", 0.2),))
    older = device.message(1, taken_at=NOW - 60, readings=(Reading("processor.busy", 0.1),))
    take(world.engine, [newer, older], RULES)
    with begin_read(world.engine) as conn:
        state = states.load(conn, device.id)
        row = registry.device(conn, device.device, EVERYTHING)
    assert state is not None
    assert state.readings["processor.busy"].value == 0.2
    assert row is not None
    assert (row.taken_at, row.heard_at, row.agent) == (NOW, NOW, "0.1.0")


def test_states_columns_are_the_posture(world: World, device: Device) -> None:
    running = Reading("antivirus.running", 1.0, {"product": "clamav"})
    up = (Reading("link.up", 1.0, {"nic": "eth0"}), Reading("link.speed", 1e9, {"nic": "eth0"}))
    wired = Fact("link.medium", "wired", {"nic": "eth0"})
    take(world.engine, [device.message(1, readings=(running, *up), facts=(wired,))], RULES)
    with begin_read(world.engine) as conn:
        row = registry.device(conn, device.device, EVERYTHING)
    assert row is not None
    assert (row.protected, row.link_speed, row.link_medium, row.ipv6_rung) == (True, 1e9, "wired", None)


def test_fact_history_holds_changes_only(world: World, device: Device) -> None:
    def said(seq: int, value: str | None, reason: str = "") -> None:
        at = NOW + seq * 60
        fact = Fact("os.version", value, {}, reason)
        take(world.engine, [device.message(seq, at=at, facts=(fact,))], RULES)

    for seq, value in enumerate(["11", "11", "12", "12"], start=1):
        said(seq, value)
    said(5, None, "timeout")
    said(6, "12")
    h = t.fact_history.c
    held = rows(world, h.value, h.reason, h.valid_from, h.valid_to)
    assert held == [
        ("11", "", NOW + 60, NOW + 180),
        ("12", "", NOW + 180, NOW + 300),
        (None, "timeout", NOW + 300, NOW + 360),
        ("12", "", NOW + 360, None),
    ]


def test_a_fact_that_only_expired_in_the_state_is_not_said_anew(world: World, device: Device) -> None:
    fact = Fact("os.name", "Debian", {})
    take(world.engine, [device.message(1, facts=(fact,))], RULES)
    take(world.engine, [device.message(2, at=NOW + 3 * 86400)], RULES)
    take(world.engine, [device.message(3, at=NOW + 3 * 86400 + 60, facts=(fact,))], RULES)
    assert len(rows(world, t.fact_history.c.id)) == 1


def test_sightings_keep_their_own_time_on_our_clock(world: World) -> None:
    device = world.enrol(clock=1000.0)[0]
    seen = Sighting("dhcp.offer", "192.168.1.9", {"server": "unknown"}, NOW - 20 + 1000.0)
    take(world.engine, [device.message(1, sightings=(seen, Sighting("ra.seen", "y")))], RULES)
    s = t.sighting.c
    found = rows(world, s.kind, s.subject, s.detail)
    assert found == [("dhcp.offer", "192.168.1.9", {"server": "unknown"}), ("ra.seen", "y", {})]
    assert [at for (at,) in rows(world, s.seen_at)] == pytest.approx([NOW - 20, NOW], abs=0.01)


def test_a_device_cannot_make_its_state_grow_without_end(world: World, device: Device) -> None:
    for seq in range(1, 5):
        many = tuple(Reading("disk.free", 1.0, {"mount": f"{seq}-{n}"}) for n in range(2000))
        take(world.engine, [device.message(seq, at=NOW + seq, readings=many)], RULES)
    with begin_read(world.engine) as conn:
        state = states.load(conn, device.id)
    assert state is not None
    assert len(state.readings) == 4000
    assert 'disk.free{"mount":"4-7"}' in state.readings


# --- any order, any loss, any number of workers -------------------------------------------------------


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_interleaving_stores_each_report_once_and_the_mark_is_right(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    world = World(tmp_path_factory.mktemp("world"))
    device = world.enrol()[0]
    frame = st.tuples(
        st.sampled_from(["a" * 16, "b" * 16]), st.integers(1, 8), st.sampled_from([0.1, 0.1, 0.1, 0.2])
    )
    deliveries = data.draw(st.lists(frame, min_size=1, max_size=40))
    floors = data.draw(st.lists(st.integers(1, 8), min_size=len(deliveries), max_size=len(deliveries)))
    sent = [
        (device.message(s, spool=g, floor=min(f, s), readings=(Reading("processor.busy", v),)), (g, s, v))
        for (g, s, v), f in zip(deliveries, floors, strict=True)
    ]
    workers: list[list[Message]] = [[], [], []]
    for message, _ in sent:
        workers[data.draw(st.integers(0, 2))].append(message)

    def work(mine: list[Message]) -> None:
        for start in range(0, len(mine), 3):
            take(world.engine, mine[start : start + 3], RULES)

    with ThreadPoolExecutor(len(workers)) as pool:
        list(pool.map(work, workers))  # raises what a worker raised
    with begin_read(world.engine) as conn:
        stored = conn.execute(
            select(t.generation.c.spool, t.journal.c.seq, t.journal.c.digest).join_from(
                t.journal, t.generation
            )
        ).all()
        marks = dict(conn.execute(select(t.generation.c.spool, t.generation.c.upto)).all())
        above = conn.execute(
            select(t.generation.c.spool, t.arrived.c.seq).join_from(t.arrived, t.generation)
        ).all()
    assert len(stored) == len(set(stored)) == len({key for _, key in sent})
    for spool, upto in marks.items():
        seqs = {s for g, s, _ in deliveries if g == spool}
        floor = max(min(f, s) for (g, s, _), f in zip(deliveries, floors, strict=True) if g == spool)
        expected = floor - 1
        while expected + 1 in seqs:
            expected += 1
        assert upto == expected
        assert {s for g, s in above if g == spool} == {s for s in seqs if s > expected}
    world.engine.dispose()


def test_a_bad_line_is_no_clock_set_anew(world: World, device: Device) -> None:
    take(world.engine, [device.message(1)], RULES)
    take(world.engine, [device.message(2, at=NOW + 600, arrived=NOW + 1100)], RULES)
    assert [at for (at,) in rows(world, t.journal.c.taken_at)] == pytest.approx([NOW, NOW + 600])
