"""What this process and those below it take of the machine: resident memory and processor time.

On Linux from /proc, which is read in a fraction of a millisecond (proc(5)); elsewhere with psutil.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

if sys.platform != "win32":
    import resource


class Taken(msgspec.Struct, frozen=True):
    """One process: its id, resident bytes, processor seconds of it and of the children that it waited for."""

    pid: int
    memory: int
    processor: float


def family() -> tuple[Taken, ...]:
    """This process first, then all below it that run now. Those that end meanwhile are left out."""
    if sys.platform != "linux":
        return tuple(_asked())
    return tuple(taken for pid in (os.getpid(), *_below(os.getpid())) if (taken := _read(pid)))


def peak() -> int:
    """The most resident bytes so far of this process together with the largest that it waited for."""
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    return _own_peak() + _peak_of(resource.RUSAGE_CHILDREN)


def _own_peak() -> int:
    """Not getrusage's on Linux, which counts what the starter of this process held (execve keeps it)."""
    with suppress(OSError, ValueError, IndexError):
        status = Path("/proc/self/status").read_text("ascii", "replace")
        return int(status.partition("\nVmHWM:")[2].split()[0]) * 1024
    return _peak_of(resource.RUSAGE_SELF)


def _peak_of(who: int) -> int:
    return resource.getrusage(who).ru_maxrss * (1024 if sys.platform == "linux" else 1)  # KB on Linux


def processor() -> float:
    """Seconds that this process and those that it waited for have used."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def named(name: str, proc: Path) -> tuple[int, ...]:
    """Those whose program has that name (its first 15 bytes), of all that `proc` shows, a Linux /proc."""
    line, found = name.encode()[:15] + b"\n", []
    for pid in filter(str.isdecimal, os.listdir(proc)):  # noqa: PTH208  half the price
        with suppress(OSError):  # it has ended meanwhile
            file = os.open(f"{proc}/{pid}/comm", os.O_RDONLY)  # a fifth of the price of open
            try:
                if os.read(file, 64) == line:
                    found.append(int(pid))
            finally:
                os.close(file)
    return tuple(sorted(found))


def end(pid: int) -> None:
    """Ends a process; one that has ended is fine."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)


def _below(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208  half the price
            for child in Path(f"/proc/{pid}/task/{thread}/children").read_text("ascii").split():
                yield int(child)
                yield from _below(int(child))


def _read(pid: int) -> Taken | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # before it is the program's name, which may hold anything
    ticks = sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime
    memory = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return Taken(pid, memory, ticks / os.sysconf("SC_CLK_TCK"))


def _asked() -> Iterator[Taken]:
    import psutil

    own = psutil.Process()
    for process in (own, *own.children(recursive=True)):
        with suppress(psutil.Error):
            times = process.cpu_times()
            yield Taken(process.pid, process.memory_info().rss, times.user + times.system)
