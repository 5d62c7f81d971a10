"""What judging all places and writing where they stand costs an hour: 1,500 schools of 50 devices in SQLite.

The devices are simulated: drawn from a seeded generator, and no number below says anything about a school.

    python benchmarks/standings.py [--schools 1500] [--devices 50]

The chores of `evaluate` are done as it does them, each 5 minutes for an hour and a bit, by a clock that is
set; the last time is that of the new hour. After a start all is written; then nobody reports, so that nearly
nothing is: what changes costs some 20 µs a point more. Alerts wait for whoever writes, and for what keeps the
interpreter: both are said, at their longest, in processor time, which is the same on a busy machine.
"""

import argparse
import resource
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

from sqlalchemy import Connection, Engine, event

from parts.province import fill
from schoolwatch_server import part
from schoolwatch_server.channel_book import Channels
from schoolwatch_server.chores import Chores
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import engine as database
from schoolwatch_server.sheets import packs_in_force, rules_in_force

NOW = 1_800_000_000.0 // 3600 * 3600 + 120
EVERY = 300.0

CPU, AT_ONCE = 60.0, 0.1
"""Goals: processor seconds an hour, a sixtieth of a core; seconds of one transaction or of one hold."""


@dataclass
class Cost:
    """Of one chore at one time, or of several together; all but points in seconds of a processor."""

    cpu: float = 0.0
    locked: float = 0.0
    kept: float = 0.0
    points: int = 0

    def add(self, other: "Cost") -> None:
        self.cpu += other.cpu
        self.points += other.points
        self.locked, self.kept = max(self.locked, other.locked), max(self.kept, other.kept)

    def __str__(self) -> str:
        return (
            f"{self.cpu:8.2f} s  write lock {self.locked * 1e3:6.0f} ms"
            f"  interpreter {self.kept * 1e3:6.0f} ms {self.points:8,} points"
        )


@dataclass
class Locks:
    """How long the longest of the transactions that wrote worked."""

    engine: Engine
    longest: float = 0.0
    _begun: float = 0.0

    def __post_init__(self) -> None:
        event.listen(self.engine, "begin", self._begin)
        event.listen(self.engine, "checkin", self._end)  # "commit" comes before it is done

    def _begin(self, conn: Connection) -> None:
        self._begun = time.thread_time() if conn.get_execution_options().get("schoolwatch_write") else 0.0

    def _end(self, *_: object) -> None:
        if self._begun:
            self.longest = max(self.longest, time.thread_time() - self._begun)
        self._begun = 0.0


@dataclass
class Other:
    """Another thread, which wants to run each 2 ms: how long this process works between two times."""

    longest: float = 0.0
    _ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        last = time.process_time()
        while not self._ended.wait(0.002):
            now = time.process_time()
            self.longest, last = max(self.longest, now - last), now

    def end(self) -> None:
        self._ended.set()


@contextmanager
def costs(locks: Locks) -> Iterator[Cost]:
    """Of what is done within."""
    cost, other = Cost(), Other()
    thread = threading.Thread(target=other.run)
    thread.start()
    locks.longest = other.longest = 0.0
    began = time.thread_time()
    yield cost
    cost.cpu = time.thread_time() - began
    other.end()
    thread.join()
    cost.locked, cost.kept = locks.longest, other.longest


def main() -> int:
    """Generates, measures, and says whether the goals were met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--schools", type=int, default=1500)
    parser.add_argument("--devices", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = ServerConfig(data=folder)
        database.migrate(config.database_url)
        engine = database.open_database(config.database_url, config.master_key)
        with database.begin_write(engine) as conn:
            fill(conn, options.schools, options.devices, NOW)
        print(f"SIMULATED: {options.schools} schools, {options.schools * options.devices} devices")
        packs, rules = packs_in_force(config, engine), rules_in_force(config, engine)
        chores = Chores(config, engine, packs, rules, Channels(config, engine))
        part.sweep_seldom()  # as evaluation does
        judging = {
            "indicators, posture, targets": chores._judge,
            "incidents, rollout, claims, lines, server": chores._note_standings,
            "punctuality of reports": chores._note_punctuality,
        }
        done = measured(judging, Locks(engine))
        engine.dispose()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    hour = Cost()
    for name, its in done.items():
        print(f"{name}\n   after a start {its[0]}")
        later = Cost()
        for one in its[1:]:
            later.add(one)
        hour.add(later)
        print(f"   then an hour  {later}")
        print(f"   of it hourly  {its[-1]}")
    print(f"all, an hour     {hour}\nmemory at its most: {memory:.0f} MB")
    longest = max(max(one.locked, one.kept) for its in done.values() for one in its)
    is_met = hour.cpu < CPU and longest < AT_ONCE
    print(f"goals: {CPU:.0f} s an hour, {AT_ONCE} s at once: {'met' if is_met else 'MISSED'}")
    return 0 if is_met else 1


def measured(judging: dict[str, Callable[[], int]], locks: Locks) -> dict[str, list[Cost]]:
    """Each chore after a start, and then each 5 minutes until an hour has passed."""
    done: dict[str, list[Cost]] = defaultdict(list)
    for number in range(13):
        with patch("time.time", lambda at=NOW + number * EVERY: at):
            for name, do in judging.items():
                with costs(locks) as cost:
                    cost.points = do()
                done[name].append(cost)
    return done


if __name__ == "__main__":
    raise SystemExit(main())
