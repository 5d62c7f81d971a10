"""Leave to test: one at a time a school, no more than the server's line carries, each direction once."""

from threading import Barrier, Thread

import pytest

from reports import NOW, World
from schoolwatch_contract.ndt7 import CUT_SECONDS
from schoolwatch_server.config import Speedtest
from schoolwatch_server.database import credentials, declarations, registry
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.speedtest import slots
from schoolwatch_server.speedtest.slots import BEGIN_WITHIN, Granted, RefusedError

OWN = Speedtest(enabled=True, line_mbps=1000, assumed_school_mbps=100)


def other_school(world: World, name: str, mbps: float | None = None) -> str:
    """A device of another school."""
    with begin_write(world.engine) as conn:
        commune = registry.communes(conn, EVERYTHING)[0].id
        school = registry.create_school(conn, commune, name, f"Trường {name}", "THCS", NOW)
        if mbps is not None:
            declarations.declare(conn, school, "line_mbps", mbps, NOW, "test")
        row = registry.create_device(conn, school, None, name, NOW)
        credentials.set_credential(conn, row.id, b"k" * 32, "$7$1$a$b", NOW)
    return row.device


def grant(world: World, device: str, now: float = NOW, own: Speedtest = OWN) -> Granted:
    return slots.grant(world.engine, own, device, EVERYTHING, now=now)


def refused(world: World, device: str, now: float = NOW, own: Speedtest = OWN) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        grant(world, device, now, own)
    return caught.value


def test_one_test_at_a_time_on_a_schools_line_whichever_device_asks(world: World) -> None:
    first, second = world.enrol(2)
    token = grant(world, first.device).token
    for device in (first, second):
        error = refused(world, device.device, NOW + 1)
        assert (error.why, error.retry) == ("line_busy", BEGIN_WITHIN - 1)
    assert slots.begin(world.engine, token, "download", now=NOW + 2)
    assert refused(world, second.device, NOW + BEGIN_WITHIN + 1 - 10).why == "line_busy"
    slots.end(world.engine, token, "download", now=NOW + 12)
    assert refused(world, second.device, NOW + 13).why == "line_busy"  # its upload is to come
    assert slots.begin(world.engine, token, "upload", now=NOW + 13)
    slots.end(world.engine, token, "upload", now=NOW + 23)
    assert grant(world, second.device, NOW + 23).token != token


def test_a_slot_that_nobody_uses_is_free_again(world: World) -> None:
    (device,) = world.enrol()
    token = grant(world, device.device).token
    late = NOW + BEGIN_WITHIN
    assert not slots.begin(world.engine, token, "download", now=late)
    assert grant(world, device.device, late)


def test_a_test_whose_server_died_holds_the_line_no_longer_than_a_test_takes(world: World) -> None:
    (device,) = world.enrol()
    assert slots.begin(world.engine, grant(world, device.device).token, "upload", now=NOW)
    assert refused(world, device.device, NOW + CUT_SECONDS - 1).why == "line_busy"
    assert grant(world, device.device, NOW + CUT_SECONDS)


def test_a_token_is_good_once_each_way_and_not_for_both_at_once(world: World) -> None:
    (device,) = world.enrol()
    token = grant(world, device.device).token
    assert slots.begin(world.engine, token, "download", now=NOW)
    assert not slots.begin(world.engine, token, "download", now=NOW)
    assert not slots.begin(world.engine, token, "upload", now=NOW)
    slots.end(world.engine, token, "download", now=NOW + 1)
    assert not slots.begin(world.engine, token, "download", now=NOW + 2)
    assert slots.begin(world.engine, token, "upload", now=NOW + 2)
    slots.end(world.engine, token, "upload", now=NOW + 3)
    for direction in ("download", "upload"):
        assert not slots.begin(world.engine, token, direction, now=NOW + 4)
    assert not slots.begin(world.engine, "", "download", now=NOW)
    assert not slots.begin(world.engine, token + "x", "download", now=NOW)


def test_a_race_for_a_token_has_one_winner(world: World) -> None:
    (device,) = world.enrol()
    token = grant(world, device.device).token
    start, won = Barrier(8), []

    def run() -> None:
        start.wait()
        won.append(slots.begin(world.engine, token, "download", now=NOW))

    threads = [Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]


def test_a_race_for_a_line_has_one_winner(world: World) -> None:
    devices = world.enrol(6)
    start, won = Barrier(6), []

    def run(device: str) -> None:
        start.wait()
        try:
            won.append(grant(world, device).token)
        except RefusedError:
            won.append("")

    threads = [Thread(target=run, args=(device.device,)) for device in devices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(map(bool, won)) == 1


def test_no_more_at_once_than_the_servers_line_carries(world: World) -> None:
    """700 Mbit/s of 1,000 may be promised: 300 and 400 fit, another 100 does not until one has ended."""
    big, middle, small = (
        other_school(world, "A", 400),
        other_school(world, "B", 300),
        other_school(world, "D"),
    )
    token = grant(world, big).token
    assert grant(world, middle).rate == 300e6
    error = refused(world, small, NOW + 5)
    assert (error.why, error.retry) == ("server_full", BEGIN_WITHIN - 5)
    for direction, at in (("download", 6.0), ("upload", 17.0)):
        assert slots.begin(world.engine, token, direction, now=NOW + at)
        slots.end(world.engine, token, direction, now=NOW + at + 10)
    assert grant(world, small, NOW + 28).rate == 100e6


def test_a_school_faster_than_the_server_tests_alone(world: World) -> None:
    fast, slow = other_school(world, "A", 10_000), other_school(world, "B", 1)
    assert grant(world, fast).rate == 1e9  # no more than there is
    assert refused(world, slow).why == "server_full"


def test_what_is_not_declared_is_assumed_and_said_to_be(world: World) -> None:
    assumed = grant(world, other_school(world, "B"))
    declared = grant(world, other_school(world, "D", 50))
    assert (assumed.rate, assumed.assumed) == (100e6, True)
    assert (declared.rate, declared.assumed) == (50e6, False)
    unknown = Speedtest(enabled=True, assumed_line_mbps=80)
    assert slots.line_of(unknown) == 80e6
    assert slots.line_of(OWN) == 1e9
