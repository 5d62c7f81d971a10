"""How long the indicators of a province take: 1,500 schools of 50 devices in SQLite.

The devices are simulated: drawn from a seeded generator, and no number below says anything about a school.

    python benchmarks/indicators.py [--schools 1500] [--devices 50]
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, insert

from schoolwatch_server import packs
from schoolwatch_server.database import engine as database
from schoolwatch_server.database import tables as t
from schoolwatch_server.indicators.current import current, everywhere

NOW = 1_800_000_000.0
BODY = bytes(2500)
"""As large as a packed state of 40 readings and 30 facts: SQLite reads past it."""


def fill(conn: Connection, schools: int, devices: int, chance: random.Random) -> None:
    """A simulated province: 15 schools a commune, every eighth of them without declared numbers."""
    conn.execute(insert(t.province), [{"id": 1, "code": "P", "name": "simulated"}])
    communes = range(1, schools // 15 + 2)
    conn.execute(
        insert(t.commune), [{"id": c, "province_id": 1, "code": f"C{c}", "name": f"C{c}"} for c in communes]
    )
    conn.execute(
        insert(t.school),
        [
            {"id": s, "commune_id": s // 15 + 1, "name": f"S{s}", "level": "THCS", "created_at": 0.0}
            for s in range(1, schools + 1)
        ],
    )
    conn.execute(
        insert(t.room),
        [{"id": s, "school_id": s, "name": "lab", "role": "student_lab"} for s in range(1, schools + 1)],
    )
    declared = {"students": 600.0, "devices": float(devices), "student_devices": float(devices)}
    conn.execute(
        insert(t.declaration),
        [
            {"school_id": s, "quantity": q, "value": v, "declared_at": 1.0, "declared_by": "simulated"}
            for s in range(1, schools + 1)
            if s % 8
            for q, v in declared.items()
        ],
    )
    for school in range(1, schools + 1):
        ids = range((school - 1) * devices + 1, school * devices + 1)
        conn.execute(insert(t.device), [{"id": d, "device": f"{d:032x}", "created_at": 0.0} for d in ids])
        conn.execute(
            insert(t.membership),
            [{"device_id": d, "school_id": school, "room_id": school, "valid_from": 0.0} for d in ids],
        )
        conn.execute(insert(t.state), [_state(d, chance) for d in ids])


def _state(device: int, chance: random.Random) -> dict[str, object]:
    heard = NOW - chance.expovariate(1 / (4 * 86400))
    return {
        "device_id": device,
        "taken_at": heard,
        "seq": 1,
        "heard_at": heard,
        "agent": "simulated",
        "protected": chance.choice([True, True, True, False, None]),
        "ipv6_rung": chance.choice([-1, 0, 1, 2, 3, 4, 4, 4, None]),
        "link_speed": chance.choice([1e7, 1e8, 1e9, None]),
        "link_medium": chance.choice(["wired", "wired", "wireless", None]),
        "body": BODY,
    }


def measure(name: str, work: Callable[[], int], times: int = 5) -> float:
    """Prints median and worst of some runs, and returns the median in seconds."""
    seconds = []
    for _ in range(times):
        begin = time.perf_counter()
        values = work()
        seconds.append(time.perf_counter() - begin)
    median, worst = statistics.median(seconds) * 1e3, max(seconds) * 1e3
    print(f"{name:<34} {values:>6} values  median {median:8.1f} ms  worst {worst:8.1f} ms")
    return statistics.median(seconds)


def main() -> int:
    """Generates, measures, and says whether the goals were met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schools", type=int, default=1500)
    parser.add_argument("--devices", type=int, default=50)
    options = parser.parse_args()
    rules = packs.load()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'simulated.db'}"
        database.migrate(url)
        engine = database.open_database(url)
        with database.begin_write(engine) as conn:
            fill(conn, options.schools, options.devices, random.Random(7))
        print(f"SIMULATED: {options.schools} schools, {options.schools * options.devices} devices")
        with database.begin_read(engine) as conn:
            every = measure(
                "all schools, communes, province", lambda: len(list(everywhere(conn, rules, NOW)))
            )
            measure("province alone", lambda: len(current(conn, "province", 1, rules, NOW)))
            measure("one commune", lambda: len(current(conn, "commune", 3, rules, NOW)))
            one = measure("one school", lambda: len(current(conn, "school", 40, rules, NOW)), 50)
        engine.dispose()
    met = every <= 2 and one <= 0.010
    print(f"goals: all in 2 s, one school in 10 ms: {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
