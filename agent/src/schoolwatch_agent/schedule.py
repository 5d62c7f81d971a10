"""When to measure and when to deliver: pure arithmetic, spread by the device's id, never by the time."""

import math
import zlib
from collections.abc import Iterable, Mapping
from typing import Final

from schoolwatch_agent.probe import Probe

NETWORK: Final = "network"
"""The group of the probes that ask network.ps1, or `ip`: in one cycle, so that it starts once for all."""

BACK_OFF_FIRST = 5.0
BACK_OFF_MAX = 600.0
"""Seconds between two attempts to reach a broker that is away: from the first to the last."""


def share(seed: str) -> float:
    """A number in [0, 1) that is always the same for the same seed, and spread evenly over seeds."""
    mixed = zlib.crc32(seed.encode())
    # two CRCs of the same device differ alike on all devices: without mixing (MurmurHash3's fmix32) all the
    # devices of a province would deliver in the same third of their periods
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        mixed = ((mixed ^ mixed >> shift) * factor) & 0xFFFFFFFF
    return (mixed ^ mixed >> 16) / 2**32


def slot(now: float, period: float, seed: str) -> int:
    """The number of the period that `now` is in; each seed's periods begin at an instant of its own."""
    return math.floor((now - share(seed) * period) / period)


def is_due(now: float, last: float | None, period: float, seed: str) -> bool:
    """Whether another period of the seed has begun since `last`; also when the clock was set back."""
    return last is None or period <= 0 or slot(now, period, seed) != slot(last, period, seed)


def due_probes(
    probes: Iterable[Probe], ran: Mapping[str, float], *, now: float, measure: float, device: str
) -> tuple[Probe, ...]:
    """The probes of this cycle: those of every cycle, and those whose own period has begun anew."""
    return tuple(
        probe
        for probe in probes
        if probe.every <= measure
        or is_due(now, ran.get(probe.name), probe.every, f"{device} {probe.group or probe.name}")
    )


def next_measure(now: float, measure: float, device: str) -> float:
    """The instant (UTC seconds) of the next cycle of a resident agent."""
    start = share(f"{device} measure") * measure
    return start + (slot(now, measure, f"{device} measure") + 1) * measure


def bound(measure: float) -> float:
    """Seconds after which a tick that has not ended hangs: all its probes and its delivery have bounds."""
    return max(900.0, 3 * measure)


def deliver_now(*, now: float, delivered_at: float | None, urgent: bool, deliver: float, device: str) -> bool:
    """At once when something that matters changed, else once in each of the device's own periods.

    As a rule they begin a cycle after those in which the device looks at its network, so that no cycle of an
    old computer is dear twice: their lengths are both 900 s, and a third of that is a cycle.
    """
    late = deliver / 3
    last = None if delivered_at is None else delivered_at - late
    return urgent or is_due(now - late, last, deliver, f"{device} {NETWORK}")


def back_off(attempt: int, device: str) -> float:
    """Seconds to wait after failed attempt number `attempt` (from 1): doubling, between half and whole."""
    wait = min(BACK_OFF_FIRST * (1 << min(attempt - 1, 20)), BACK_OFF_MAX)
    return wait * (0.5 + share(f"{device} back-off {attempt}") / 2)
