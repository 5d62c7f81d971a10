"""How long the operating system has been up (/proc/uptime; psutil's boot time on Windows)."""

from collections.abc import Iterator
from typing import Any

from schoolwatch_agent.host import Host
from schoolwatch_contract.records import Reading


def parse(uptime: str) -> Iterator[Reading]:
    """`1740.97 3301.39`: seconds up, and seconds idle of all processors."""
    yield Reading("uptime.seconds", float(uptime.split()[0]))


def parse_windows(boot_time: Any, now: float) -> Iterator[Reading]:
    """Seconds between two clocks; unknown when the clock was set back behind the start."""
    up = now - float(boot_time)
    yield Reading("uptime.seconds", up if up >= 0 else None)


def read(host: Host) -> Iterator[Reading]:
    """One file, or one counter."""
    if host.system == "windows":
        return parse_windows(host.counters("boot_time"), host.now())
    return parse(host.text("/proc/uptime"))
