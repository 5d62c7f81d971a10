"""The agent's own limits: a cycle that takes too much of the machine is ended, and the next one tells.

A thread looks once a second at this process and all that it started. Above the bound of memory the largest
child is ended, which costs one probe; without a child, or above the bounds of time, the whole cycle is.
What a cycle came to is kept in a file, so that the next one, which is another process, can report it.
"""

import contextlib
import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

from schoolwatch_agent import processes
from schoolwatch_agent.config import Limits
from schoolwatch_agent.errors import TimedOut
from schoolwatch_agent.host import Host
from schoolwatch_agent.probe import Observed
from schoolwatch_agent.processes import Taken
from schoolwatch_contract.records import Fact, Reading

Limit = Literal["none", "memory", "processor", "time", "ended"]
"""Which bound was met; `ended` is a cycle that something else ended: the kernel, the system's own limits."""

FILE: Final = "cycle.json"
LOOK: Final = 1.0
"""Seconds between two looks."""

OVER: Final = 75
"""Exit code of a cycle that its own limits ended (sysexits.h: EX_TEMPFAIL)."""

_STANDARD_ERROR: Final = 2
_HANGS: Final = 30.0
"""Seconds beyond the bound after which even a process is ended whose threads don't come to run."""


class Past(msgspec.Struct, frozen=True):
    """What a cycle came to: bytes, processor seconds, seconds; None while it runs, and when it was ended."""

    boot: str = ""
    limit: Limit = "none"
    memory: int | None = None
    processor: float | None = None
    seconds: float | None = None


def told(past: Past | None) -> Observed:
    """The last cycle as readings; nothing before the first."""
    if past is None:
        return Observed()
    taken = (
        ("agent.memory", past.memory),
        ("agent.processor", past.processor),
        ("agent.seconds", past.seconds),
    )
    readings = [Reading(name, float(value)) for name, value in taken if value is not None]
    hit = Reading("agent.limit_met", float(past.limit != "none"))
    return Observed((*readings, hit), (Fact("agent.limit", past.limit),))


@contextlib.contextmanager
def kept(limits: Limits, data: Path, host: Host, *, stays: bool = False) -> Iterator[Observed]:
    """One cycle within its limits; gives what there is to tell of the last one.

    A process that `stays` is looked at once more at the end: what grows slowly is found there. Its memory is
    the most of all looks, for the system tells of a process the most of its whole life, not of a cycle.
    """
    file, boot = data / FILE, _boot(host)
    past = _read(file, boot)
    before, started = processes.processor(), time.monotonic()

    def note(limit: Limit) -> None:
        used = round(processes.processor() - before, 2)
        memory = watch.most if stays else processes.peak()
        _write(file, Past(boot, limit, memory, used, round(time.monotonic() - started, 1)))

    _write(file, Past(boot))
    watch = Watch(limits, before, note)
    watch.start()
    try:
        yield told(past)
    finally:
        watch.stop()
        if stays:
            watch.look()
        with watch.ending:  # while the other thread ends this process, what it noted stands
            note(watch.met)


class Watch:
    """Looks at this process and those below it until it is stopped.

    `met` is the bound that was met, `most` the most bytes that all of them held together at any look.
    """

    def __init__(self, limits: Limits, used: float, note: Callable[[Limit], object]) -> None:
        self.met: Limit = "none"
        self.most = 0
        self._limits, self._used, self._note = limits, used, note
        self._end = time.monotonic() + limits.cycle_max
        self._over = threading.Event()
        self.ending = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True, name="limits")

    def start(self) -> None:
        """Begins to look."""
        faulthandler.dump_traceback_later(self._limits.cycle_max + _HANGS, exit=True, file=_STANDARD_ERROR)
        self._thread.start()

    def stop(self) -> None:
        """Looks no more."""
        self._over.set()
        faulthandler.cancel_dump_traceback_later()

    def look(self) -> None:
        """Ends what is over a bound: a child, or everything."""
        taken = processes.family()
        self.most = max(self.most, sum(process.memory for process in taken))
        limit = over(self._limits, taken, self._used, self._end - time.monotonic())
        if limit == "memory" and len(taken) > 1:
            self.met = limit
            processes.end(max(taken[1:], key=lambda child: child.memory).pid)
        elif limit != "none":
            self._end_all(limit, taken)

    def _run(self) -> None:
        while not self._over.wait(LOOK):
            self.look()

    def _end_all(self, limit: Limit, taken: tuple[Taken, ...]) -> None:
        self.ending.acquire()  # for good
        for process in taken[1:]:
            processes.end(process.pid)
        self._note(limit)
        sys.stderr.write(f"the cycle was ended: it was over its bound of {limit}\n")
        sys.stderr.flush()
        os._exit(OVER)


def over(limits: Limits, taken: tuple[Taken, ...], used: float, left: float) -> Limit:
    """The bound that a family of processes is over.

    `used` are the processor seconds of before the cycle, `left` the seconds that it still has.
    """
    if left <= 0:
        return "time"
    if sum(process.memory for process in taken) > limits.memory_max:
        return "memory"
    if sum(process.processor for process in taken) - used > limits.processor_max:
        return "processor"
    return "none"


def _boot(host: Host) -> str:
    """This start of the system; empty when it has no name."""
    try:
        return host.boot_id()
    except (OSError, ValueError, TimedOut):
        return ""


def _read(file: Path, boot: str) -> Past | None:
    """The last cycle; one that did not end was ended by somebody, unless the system has started since."""
    try:
        past = msgspec.json.decode(file.read_bytes(), type=Past)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    if past.seconds is not None:
        return past
    return Past(boot, "ended") if past.boot == boot and boot else None


def _write(file: Path, past: Past) -> None:
    with contextlib.suppress(OSError):  # a full disk is told of by the spool
        file.write_bytes(msgspec.json.encode(past))
