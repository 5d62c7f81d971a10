"""How long the indicators of a province take: 1,500 schools of 50 devices in SQLite.

The devices are simulated: drawn from a seeded generator, and no number below says anything about a school.

    python benchmarks/indicators.py [--schools 1500] [--devices 50]
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from parts.province import fill
from schoolwatch_server import lifecycle, packs, part
from schoolwatch_server.database import engine as database
from schoolwatch_server.indicators.current import current, everywhere

NOW = 1_800_000_000.0


def measure(name: str, work: Callable[[], int], times: int = 5) -> float:
    """Prints median, worst and processor time of some runs, and returns the median in seconds."""
    seconds, processor = [], time.process_time()
    for _ in range(times):
        begin = time.perf_counter()
        values = work()
        seconds.append(time.perf_counter() - begin)
    median, worst = statistics.median(seconds) * 1e3, max(seconds) * 1e3
    each = (time.process_time() - processor) / times * 1e3
    print(
        f"{name:<34} {values:>6} values  median {median:8.1f} ms  worst {worst:8.1f} ms"
        f"  processor {each:8.1f} ms"
    )
    return statistics.median(seconds)


def main() -> int:
    """Generates, measures, and says whether the goals were met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schools", type=int, default=1500)
    parser.add_argument("--devices", type=int, default=50)
    options = parser.parse_args()
    local = packs.Local(issued=("kaspersky",), systems=lifecycle.load())
    rules = replace(packs.load(), local=local)
    part.sweep_seldom()  # as evaluation does
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'simulated.db'}"
        database.migrate(url)
        engine = database.open_database(url)
        with database.begin_write(engine) as conn:
            fill(conn, options.schools, options.devices, NOW)
        print(f"SIMULATED: {options.schools} schools, {options.schools * options.devices} devices")
        with database.begin_read(engine) as conn:
            every = measure(
                "all schools, communes, province", lambda: sum(1 for _ in everywhere(conn, rules, NOW))
            )
            measure("province alone", lambda: len(current(conn, "province", 1, rules, NOW)))
            measure("one commune", lambda: len(current(conn, "commune", 3, rules, NOW)))
            one = measure("one school", lambda: len(current(conn, "school", 40, rules, NOW)), 50)
        engine.dispose()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    met = every <= 2 and one <= 0.010 and memory < 500
    print(f"memory at its most: {memory:.0f} MB")
    print(f"goals: all in 2 s, one school in 10 ms, under 500 MB: {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
