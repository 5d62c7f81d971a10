"""How much of the server's own line and processor is taken while tests run, by them and by all else.

A test during which the server was the narrow place says nothing of the school's line; whoever judges must
be told, and the only one who knows is the server. What passes the interface counts too: reports, the
console, a copy being made take of the line as much as tests do.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

import psutil

from schoolwatch_contract.ndt7 import PATHS, Direction

WINDOW = 1.0
"""Seconds over which a rate is taken."""

CPU_ABOVE = 0.9
"""Share of one processor (the endpoint is one thread) above which the server slows its tests down."""


@dataclass(slots=True, eq=False)
class Running:
    """One test as the line sees it: how many bytes went so far, and the worst it has met.

    `interface` is the one that it goes over; empty when nobody knows it, or over the loop.
    """

    direction: Direction
    carried: Callable[[], int]
    interface: str = ""
    seen: int = 0
    line_share: float = 0.0
    cpu_share: float = 0.0


Passed = Mapping[str, Mapping[Direction, int]]
"""Bytes that went over each interface so far: downloads are what the server sends."""


@dataclass(slots=True)
class _Sample:
    at: float
    cpu: float
    bytes: dict[Direction, int] = field(default_factory=dict)
    passed: Passed = field(default_factory=dict)


def interface_of(address: str) -> str:
    """The interface that has the address; empty for the loop's, and for one that nobody has any more."""
    wanted = ip_address(address.partition("%")[0])
    wanted = (wanted.ipv4_mapped if isinstance(wanted, IPv6Address) else None) or wanted
    if wanted.is_loopback:
        return ""
    for name, held in psutil.net_if_addrs().items():
        if any(each.address.partition("%")[0] == str(wanted) for each in held):
            return name
    return ""


def passed() -> Passed:
    """As the kernel counts now, frames and all."""
    counted = psutil.net_io_counters(pernic=True)
    return {name: {"download": each.bytes_sent, "upload": each.bytes_recv} for name, each in counted.items()}


class Line:
    """All of it; `speed` is the line's declared or assumed bit/s, each way."""

    def __init__(self, speed: float, full_above: float, counters: Callable[[], Passed] = passed) -> None:
        self._counters = counters
        self._speed, self._full_above = speed, full_above
        self._running: set[Running] = set()
        self._carried: dict[Direction, int] = dict.fromkeys(PATHS, 0)
        self._samples: deque[_Sample] = deque()

    def enter(self, test: Running) -> None:
        """A test began."""
        self._running.add(test)

    def leave(self, test: Running) -> None:
        """A test is over; its last bytes still count."""
        self._count((test,))
        self._running.discard(test)

    def is_limited(self, test: Running) -> bool:
        """Whether the server may have been what held this test back."""
        return test.line_share > self._full_above or test.cpu_share > CPU_ABOVE

    def look(self, now: float | None = None, cpu: float | None = None) -> None:
        """Takes a sample (monotonic and processor seconds) and notes the shares in every running test."""
        self._count(self._running)
        at = time.monotonic() if now is None else now
        used = time.process_time() if cpu is None else cpu
        over = self._counters() if any(test.interface for test in self._running) else {}
        self._samples.append(_Sample(at, used, dict(self._carried), over))
        while len(self._samples) > 1 and self._samples[1].at <= at - WINDOW:
            self._samples.popleft()
        first, last = self._samples[0], self._samples[-1]
        span = last.at - first.at
        if span < WINDOW / 2:
            return  # a burst of the first packets is no rate
        for test in self._running:
            carried = last.bytes[test.direction] - first.bytes[test.direction]
            if test.interface in first.passed and test.interface in last.passed:
                went = [each.passed[test.interface][test.direction] for each in (first, last)]
                carried = max(carried, went[1] - went[0])
            test.line_share = max(test.line_share, carried * 8 / span / self._speed)
            test.cpu_share = max(test.cpu_share, (last.cpu - first.cpu) / span)

    def _count(self, tests: Iterable[Running]) -> None:
        for test in tests:
            carried = max(test.carried(), test.seen)
            self._carried[test.direction] += carried - test.seen
            test.seen = carried
