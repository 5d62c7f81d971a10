"""Memory and processor time of a process and all that it started, as the Linux kernel tells them."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> tuple[int, ...]:
    """The process and its descendants now."""
    found = [pid]
    for each in found:
        with suppress(OSError):
            for task in Path(f"/proc/{each}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return tuple(found)


def pss(pids: Iterable[int]) -> int:
    """Proportional set size in bytes: a page that n processes share counts 1/n in each."""
    return sum(_pss(pid) for pid in pids)


def _pss(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def own_cpu(pid: int) -> float:
    """Processor seconds of one process, ended threads included (its CPU clock, in nanoseconds)."""
    return time.clock_gettime((~pid << 3) | 2)


def children_cpu(pid: int) -> float:
    """Processor seconds of ended children and theirs, in hundredths."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / _TICK


@dataclass
class Samples:
    """PSS in bytes and when it was looked at (monotonic seconds)."""

    at: list[float] = field(default_factory=list)
    pss: list[int] = field(default_factory=list)
    pids: list[int] = field(default_factory=list)

    def look(self, pid: int) -> None:
        """Adds what is there now; `pids` is how many processes."""
        found = family(pid)
        self.at.append(time.monotonic())
        self.pss.append(pss(found))
        self.pids.append(len(found))


def weighed_mean(busy: Samples, cycles: int, asleep: float, seconds: float) -> tuple[float, float]:
    """Mean of what works for moments and sleeps long, over `seconds` of real schedule, and the busy seconds.

    `busy` holds evenly spaced looks of which those with a child count, taken over `cycles` cycles; each
    cycle lasts as long as it really did, and the rest of `seconds` is spent `asleep` (bytes).
    """
    step = (busy.at[-1] - busy.at[0]) / (len(busy.at) - 1)
    working = [size for size, count in zip(busy.pss, busy.pids, strict=True) if count > 1]
    lasted = step * len(working)
    mean = (sum(working) * step + asleep * (seconds - lasted)) / seconds
    return mean, lasted / cycles
