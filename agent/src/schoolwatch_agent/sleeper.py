"""What `run` becomes on a PC: a bare sleeper that starts a tick at each of the device's own instants.

    python -I -S sleeper.py PERIOD PHASE BOUND TICK…

It is started as a file, without site-packages, and imports neither this package nor anything of size: what
stays in memory all day is the interpreter alone. What it must know was reckoned by who started it: seconds
between two ticks, the instant within them (UTC seconds modulo PERIOD), the seconds a tick may take.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

LOOK = 60.0 if sys.platform != "win32" else 1.0
"""Seconds at most between two looks at the clock, which may jump. On Windows a signal doesn't end a wait."""

GRACE = 5.0
"""Seconds that a tick has to end when it is asked to, before it is ended."""


class Nap:
    """Sleep that the wish to stop ends (SIGTERM, SIGINT); `is_over` from then on."""

    def __init__(self) -> None:
        self.is_over = False
        self._lock = threading.Lock()  # a bare lock may be released by a signal's handler, an Event may not
        self._lock.acquire()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)

    def _stop(self, *_: object) -> None:
        self.is_over = True
        with contextlib.suppress(RuntimeError):  # it is released already
            self._lock.release()

    def take(self, seconds: float) -> None:
        """Sleeps so long, or until it is time to stop."""
        if not self.is_over:
            self._lock.acquire(timeout=seconds)


def run(tick: Sequence[str], period: float, phase: float, bound: float) -> None:
    """Ticks at once, then at each instant; one that passed meanwhile is skipped, none is made up for."""
    nap = Nap()
    last = None
    while not nap.is_over:
        if slot(time.time(), period, phase) != last:
            _tick(tick, bound, nap)
            last = slot(time.time(), period, phase)
        nap.take(min(until_next(time.time(), period, phase), LOOK))


def become(tick: Sequence[str], period: float, phase: float, bound: float) -> None:
    """Turns this process into the sleeper; what it had in memory is gone, its locks stay.

    Windows has no exec, and a service waits for the process that it started: it sleeps as it is.
    """
    if sys.platform == "win32":
        run(tick, period, phase, bound)
        return
    sys.stdout.flush()
    sys.stderr.flush()
    numbers = [f"{number:.3f}" for number in (period, phase, bound)]
    os.execv(sys.executable, [sys.executable, "-I", "-S", __file__, *numbers, *tick])  # nosec B606 # our own program, without a shell


def slot(now: float, period: float, phase: float) -> int:
    """The number of the period that `now` is in; after a jump of the clock it is another one."""
    return int((now - phase) // period)


def until_next(now: float, period: float, phase: float) -> float:
    """Seconds to the next instant: more than 0, at most `period`."""
    return period - (now - phase) % period


def _tick(command: Sequence[str], bound: float, nap: Nap) -> None:
    """Starts a tick and waits; one that takes longer than its bound, or longer than we live, is ended."""
    try:
        # a session of its own: Ctrl-C comes to the sleeper, who passes it on
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        _say(f"a tick could not be started: {error}")
        return
    end = time.monotonic() + bound
    while child.poll() is None and not nap.is_over and time.monotonic() < end:
        nap.take(0.1)
    if child.returncode is None and not nap.is_over:
        _say(f"a tick took more than {bound:g} s and is ended")
    _end(child)


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Asks a process to end, and ends it when it does not."""
    for ask in (child.terminate, child.kill):
        if child.returncode is not None:
            return
        ask()
        with contextlib.suppress(subprocess.TimeoutExpired):  # waits for a broken disk: nothing ends that
            child.wait(GRACE)


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')},000 WARNING {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    run(sys.argv[4:], *map(float, sys.argv[1:4]))
