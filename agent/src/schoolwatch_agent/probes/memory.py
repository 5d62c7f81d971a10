"""Memory: size, and what programs can still have (/proc/meminfo, psutil on Windows)."""

from collections.abc import Iterator
from typing import Any

from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_agent.host import Host
from schoolwatch_contract.records import Reading


def parse(meminfo: str) -> Iterator[Reading]:
    """Lines as `MemTotal:       24684092 kB`. MemAvailable came with Linux 3.14; before it is unknown."""
    fields = {}
    for line in meminfo.splitlines():
        name, _, value = line.partition(":")
        parts = value.split()
        if parts and parts[0].isdecimal():
            fields[name] = float(parts[0]) * (1024 if parts[1:] == ["kB"] else 1)
    if "MemTotal" not in fields:
        raise NotUnderstood("no MemTotal in /proc/meminfo", meminfo)
    yield Reading("memory.size", fields["MemTotal"])
    yield Reading("memory.available", fields.get("MemAvailable"))


def parse_windows(memory: Any) -> Iterator[Reading]:
    """psutil's virtual_memory."""
    yield Reading("memory.size", float(memory["total"]))
    yield Reading("memory.available", float(memory["available"]))


def read(host: Host) -> Iterator[Reading]:
    """One file, or one counter."""
    if host.system == "windows":
        return parse_windows(host.counters("virtual_memory"))
    return parse(host.text("/proc/meminfo"))
