"""Computers that report under load, and a store of series that is killed and started again meanwhile."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import httpx
from sqlalchemy import Engine

from schoolwatch_contract import envelope as envelopes
from schoolwatch_contract import frame as frames
from schoolwatch_contract.frame import Header
from schoolwatch_contract.records import Envelope, Reading
from schoolwatch_contract.topics import topic
from schoolwatch_server.database import credentials, registry
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.intake.accept import Message
from schoolwatch_server.intake.batch import take

METRICS = ("link.speed", "link.mtu", "link.in_octets", "link.out_octets", "link.in_errors")
NICS = 8
POINTS = len(METRICS) * NICS
"""Points of one report."""

_EVERY = 0.5
"""Seconds between two batches."""


class Killable(Protocol):
    """A store that runs."""

    def start(self) -> None:
        """Starts it, and waits until it answers."""

    def stop(self) -> None:
        """Kills it."""


@dataclass
class Load:
    """Reports taken in at a pace; how many points that were, what they add up to, and the slowest commit."""

    engine: Engine
    points: int = 0
    total: float = 0.0
    slowest: float = 0.0
    reports: int = 0
    _devices: list[tuple[str, bytes]] = field(default_factory=list)

    def enrol(self, count: int) -> None:
        """So many devices, of one school."""
        with begin_write(self.engine) as conn:
            commune = registry.create_commune(conn, registry.create_province(conn, "KP", "P"), "KC", "C")
            school = registry.create_school(conn, commune, "KS", "S", "THCS", 0)
            for number in range(count):
                row = registry.create_device(conn, school, None, f"máy {number}", 0)
                key = bytes.fromhex(row.device) * 2
                credentials.set_credential(conn, row.id, key, "$7$1$a$b", 0)
                self._devices.append((row.device, key))

    def report(self, count: int, at: float, apart: float = 0.0) -> None:
        """So many reports, of one device after the other, taken from `at` on, seconds apart."""
        messages = []
        for number in range(count):
            device, key = self._devices[self.reports % len(self._devices)]
            self.reports += 1
            taken = at + number * apart + (self.reports // len(self._devices)) % 1000 / 1000
            messages.append(self._message(device, key, taken))
        begun = time.perf_counter()
        take(self.engine, messages, Rules())
        self.slowest = max(self.slowest, time.perf_counter() - begun)

    def _message(self, device: str, key: bytes, at: float) -> Message:
        seq = (self.reports - 1) // len(self._devices) + 1
        readings = tuple(
            Reading(name, float(seq % 1000), {"nic": f"eth{n}"}) for name in METRICS for n in range(NICS)
        )
        self.points += POINTS
        self.total += POINTS * (seq % 1000)
        body = envelopes.encode(Envelope(1, at, "0.1.0", readings))
        frame = frames.seal(Header(device, "a" * 16, seq, 1, at), body, key)
        return Message(topic(device, "report"), frame, at)

    def run(self, seconds: float, lines: int) -> None:
        """So many points a second, for so long."""
        begun, due = time.monotonic(), 0
        while time.monotonic() - begun < seconds:
            due += round(lines * _EVERY / POINTS)
            self.report(due - self.reports, time.time())
            time.sleep(max(0.0, begun + due * POINTS / lines - time.monotonic()))


@dataclass(frozen=True)
class Kill:
    """When the store was killed, and for how many seconds it was away."""

    at: float
    away: float


def kills(seconds: float, count: int, longest: float, seed: int = 7) -> Sequence[Kill]:
    """Moments (seconds after the beginning) that are spread over the time, and pauses."""
    chance = random.Random(seed)
    each = seconds / (count + 0.5)
    return [Kill(each * (n + chance.uniform(0.3, 0.7)), chance.uniform(0.0, longest)) for n in range(count)]


def kill(
    store: Killable, plan: Sequence[Kill], then: Callable[[Kill], None] = lambda _: None
) -> Iterator[Kill]:
    """Kills and starts a store as planned."""
    begun = time.monotonic()
    for one in plan:
        time.sleep(max(0.0, begun + one.at - time.monotonic()))
        store.stop()
        time.sleep(one.away)
        store.start()
        then(one)
        yield one


def in_background(do: Callable[[], None]) -> threading.Thread:
    """A thread that has begun."""
    thread = threading.Thread(target=do)
    thread.start()
    return thread


def counted(url: str, seconds: float) -> tuple[int, float]:
    """How many points of the load VictoriaMetrics holds of the last seconds, and what they add up to."""
    httpx.get(f"{url}/internal/force_flush", timeout=120).raise_for_status()
    found = []
    for function in ("count", "sum"):
        query = f'sum({function}_over_time({{__name__=~"link_.+_value"}}[{int(seconds)}s]))'
        answer = httpx.get(f"{url}/api/v1/query", params={"query": query, "nocache": "1"}, timeout=120)
        answer.raise_for_status()
        result = answer.json()["data"]["result"]
        found.append(float(result[0]["value"][1]) if result else 0.0)
    return int(found[0]), found[1]
