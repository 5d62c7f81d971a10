"""How long a probe may take in all: whatever it asks of the machine, it asks no longer than that.

Each door has its own time, but a probe may knock at many doors, and a broken machine opens none of them.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from schoolwatch_agent.errors import OutOfTime, TimedOut

_mine = threading.local()


@contextmanager
def of(seconds: float, what: str) -> Iterator[None]:
    """Inside, no door waits beyond `seconds` from now; `what` is then said to have no more time."""
    _mine.end, _mine.what = time.monotonic() + seconds, what
    try:
        yield
    finally:
        del _mine.end, _mine.what


def cut(timeout: float) -> float:
    """The door's own time, or what is left of the probe's. Raises `OutOfTime` when nothing is."""
    end: float | None = getattr(_mine, "end", None)
    if end is None:
        return timeout
    if end <= time.monotonic():
        raise OutOfTime(_mine.what)
    return min(timeout, end - time.monotonic())


def silent(what: str, timeout: float) -> TimedOut:
    """Why a door gave up: it had its own time, or the probe's was over."""
    end: float | None = getattr(_mine, "end", None)
    if end is not None and end <= time.monotonic():
        return OutOfTime(_mine.what)
    return TimedOut(what, timeout)


def clock() -> float:
    """Seconds that run on while a laptop sleeps, which may wake elsewhere; on Windows all clocks do."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic()
