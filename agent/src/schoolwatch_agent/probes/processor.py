"""How busy the processor is (/proc/stat, psutil's counters on Windows), its load, count and model."""

from collections.abc import Iterator
from typing import Any, Final

from schoolwatch_agent import asked
from schoolwatch_agent.errors import NotUnderstood
from schoolwatch_agent.host import Host
from schoolwatch_contract.records import Fact, Reading

SAMPLE: Final = 0.5
"""Seconds between the two looks that "busy" is reckoned from."""

_MODEL_KEY: Final = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"


def parse(before: str, after: str, loadavg: str, cpuinfo: str) -> Iterator[Reading | Fact]:
    """/proc/stat twice, /proc/loadavg and /proc/cpuinfo."""
    busy = busy_share(_stat(before), _stat(after))
    yield Reading("processor.busy", busy)
    yield Reading("processor.load", float(loadavg.split()[0]))
    count = sum(1 for line in after.splitlines() if line[:3] == "cpu" and line[3:4].isdigit())
    yield Reading("processor.count", float(count) if count else None)
    yield _model(_field(cpuinfo, "model name") or _field(cpuinfo, "Model") or _field(cpuinfo, "Hardware"))


def busy_share(before: tuple[float, float], after: tuple[float, float]) -> float | None:
    """Busy by total time between two (idle, total); None when no time passed or a counter went back."""
    idle, total = after[0] - before[0], after[1] - before[1]
    if total <= 0 or idle < 0:
        return None
    return round(max(1 - idle / total, 0.0), 4)


def _stat(text: str) -> tuple[float, float]:
    """user nice system idle iowait irq softirq steal; guest time is within user (proc(5))."""
    for line in text.splitlines():
        if line.startswith("cpu "):
            ticks = [float(field) for field in line.split()[1:9]]
            return sum(ticks[3:5]), sum(ticks)
    raise NotUnderstood("no cpu line in /proc/stat", text)


def _field(cpuinfo: str, name: str) -> str | None:
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip() or None
    return None


def _model(name: str | None) -> Fact:
    if name is None:
        return Fact("processor.model", None, {}, "not reported")
    return Fact("processor.model", " ".join(name.split())[:128])


def parse_windows(before: Any, after: Any, count: Any, model: Any) -> Iterator[Reading | Fact]:
    """psutil's cpu_times twice, cpu_count, and the registry's name of the processor."""
    yield Reading("processor.busy", busy_share(_times(before), _times(after)))
    yield Reading("processor.count", float(count) if isinstance(count, int) else None)
    yield _model(model if isinstance(model, str) and model.strip() else None)


def _times(times: Any) -> tuple[float, float]:
    # interrupt and dpc time are within system time (psutil: cpu_times on Windows)
    parts = [float(times[name]) for name in ("user", "system", "idle")]
    return parts[2], sum(parts)


def read(host: Host) -> Iterator[Reading | Fact]:
    """Looks twice, half a second apart."""
    if host.system == "windows":
        before = host.counters("cpu_times")
        host.wait(SAMPLE)
        count = host.counters("cpu_count")
        model = asked.value(host, _MODEL_KEY, "ProcessorNameString")
        yield from parse_windows(before, host.counters("cpu_times"), count, model)
        return
    stat = host.text("/proc/stat")
    host.wait(SAMPLE)
    later = host.text("/proc/stat")
    yield from parse(stat, later, host.text("/proc/loadavg"), host.text("/proc/cpuinfo"))
