"""Whether the server was the narrow place: worked out from bytes and processor time of all tests together."""

import socket
from dataclasses import dataclass

import psutil

from schoolwatch_contract.ndt7 import Direction
from schoolwatch_server.speedtest.line import Line, Passed, Running, interface_of


@dataclass
class Flow:
    """A test that carries so many bytes a second."""

    direction: Direction
    rate: float
    bytes: int = 0

    def running(self) -> Running:
        return Running(self.direction, lambda: self.bytes)


def play(line: Line, flows: list[Flow], seconds: float, start: float = 0.0, cpu: float = 0.1) -> None:
    """Time goes by in tenths of seconds."""
    for tick in range(round(seconds * 10) + 1):
        line.look(start + tick / 10, (start + tick / 10) * cpu)
        for flow in flows:
            flow.bytes += round(flow.rate / 10)


def test_a_quiet_server_limits_nobody() -> None:
    line, flow = Line(100e6, 0.7), Flow("download", 5e6)  # 40 Mbit/s of 100
    test = flow.running()
    line.enter(test)
    play(line, [flow], 10)
    assert not line.is_limited(test)
    assert 0.39 < test.line_share < 0.41


def test_the_sum_counts_and_marks_every_test_of_that_way() -> None:
    line = Line(100e6, 0.7)
    flows = [Flow("download", 5e6), Flow("download", 5e6), Flow("upload", 5e6)]
    tests = [flow.running() for flow in flows]
    for test in tests:
        line.enter(test)
    play(line, flows, 3)
    assert [line.is_limited(test) for test in tests] == [True, True, False]


def test_what_else_passes_the_interface_takes_of_the_line_too() -> None:
    flow, other = Flow("download", 5e6), Flow("download", 4e6)  # 40 Mbit/s, and 32 of a copy being made

    def counters() -> Passed:
        return {
            "eth0": {"download": flow.bytes + other.bytes, "upload": 0},
            "eth1": {"download": 0, "upload": 0},
        }

    line = Line(100e6, 0.7, counters)
    here, there = (Running("download", lambda: flow.bytes, nic) for nic in ("eth0", ""))
    up = Running("upload", lambda: 0, "eth0")
    for test in (here, up):
        line.enter(test)
    play(line, [flow, other], 3)
    assert (line.is_limited(here), line.is_limited(up)) == (True, False)
    assert 0.71 < here.line_share < 0.73
    line.leave(here)
    line.enter(there)
    assert not line.is_limited(there)


def test_an_interface_is_known_by_its_address() -> None:
    assert interface_of("127.0.0.1") == interface_of("::1") == interface_of("::ffff:127.0.0.1") == ""
    assert interface_of("192.0.2.200") == ""
    for name, held in psutil.net_if_addrs().items():
        for each in held:
            if each.family == socket.AF_INET and not each.address.startswith("127."):
                assert interface_of(each.address) == interface_of(f"::ffff:{each.address}") == name


def test_a_busy_second_marks_and_stays_marked() -> None:
    line, long, short = Line(100e6, 0.7), Flow("upload", 2e6), Flow("upload", 9e6)
    first, second = long.running(), short.running()
    line.enter(first)
    play(line, [long], 5)
    line.enter(second)
    play(line, [long, short], 2, start=5.1)
    line.leave(second)
    play(line, [long], 5, start=7.2)
    assert line.is_limited(first)
    later = Flow("upload", 2e6).running()
    line.enter(later)
    play(line, [long], 2, start=12.3)
    assert not line.is_limited(later)  # the busy second is over


def test_a_processor_at_its_end_marks_too() -> None:
    line, flow = Line(1e12, 0.7), Flow("download", 5e6)
    test = flow.running()
    line.enter(test)
    play(line, [flow], 2, cpu=0.95)
    assert line.is_limited(test)


def test_the_first_packets_are_no_rate() -> None:
    line, flow = Line(1e6, 0.7), Flow("download", 1e9)
    test = flow.running()
    line.enter(test)
    play(line, [flow], 0.3)
    assert not line.is_limited(test)


def test_a_connection_that_was_closed_takes_nothing_back() -> None:
    line, counts = Line(100e6, 0.7), iter([1_000_000, 0, 0, 0])
    test = Running("upload", lambda: next(counts, 0))
    line.enter(test)
    line.look(0.0, 0.0)
    line.look(1.0, 0.0)
    line.leave(test)
    assert test.seen == 1_000_000
