"""How much of the server's own line and processor the running tests take.

A test during which the server was the narrow place says nothing of the school's line; whoever judges must
be told, and the only one who knows is the server.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from schoolwatch_contract.ndt7 import PATHS, Direction

WINDOW = 1.0
"""Seconds over which a rate is taken."""

CPU_ABOVE = 0.9
"""Share of one processor (the endpoint is one thread) above which the server slows its tests down."""


@dataclass(slots=True, eq=False)
class Running:
    """One test as the line sees it: how many bytes went so far, and the worst it has met."""

    direction: Direction
    carried: Callable[[], int]
    seen: int = 0
    line_share: float = 0.0
    cpu_share: float = 0.0


@dataclass(slots=True)
class _Sample:
    at: float
    cpu: float
    bytes: dict[Direction, int] = field(default_factory=dict)


class Line:
    """The sum of all tests; `speed` is the line's declared or assumed bit/s, each way."""

    def __init__(self, speed: float, full_above: float) -> None:
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
        self._samples.append(_Sample(at, time.process_time() if cpu is None else cpu, dict(self._carried)))
        while len(self._samples) > 1 and self._samples[1].at <= at - WINDOW:
            self._samples.popleft()
        first, last = self._samples[0], self._samples[-1]
        span = last.at - first.at
        if span < WINDOW / 2:
            return  # a burst of the first packets is no rate
        for test in self._running:
            carried = last.bytes[test.direction] - first.bytes[test.direction]
            test.line_share = max(test.line_share, carried * 8 / span / self._speed)
            test.cpu_share = max(test.cpu_share, (last.cpu - first.cpu) / span)

    def _count(self, tests: Iterable[Running]) -> None:
        for test in tests:
            carried = max(test.carried(), test.seen)
            self._carried[test.direction] += carried - test.seen
            test.seen = carried
