"""How long one look of all watches takes over a province: 1,500 schools of 50 devices in SQLite.

The devices are simulated: drawn from a seeded generator, and no number below says anything about a school.

    python benchmarks/watches.py [--schools 1500] [--devices 50]
"""

import argparse
import statistics
import tempfile
import time
from datetime import datetime
from pathlib import Path

from sqlalchemy import update

from parts.province import fill
from schoolwatch_server import packs, rules, watching
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import engine as database
from schoolwatch_server.database import tables as t

MORNING = datetime.fromisoformat("2026-11-30T09:00+07:00").timestamp()
NIGHT = datetime.fromisoformat("2026-11-30T23:00+07:00").timestamp()
LOOKS = 8
GOAL = 1.0


def measure(name: str, engine, folder: str, start: float, *, cold: bool) -> float:
    """Prints and gives the median of some looks, 15 seconds apart; cold ones look at everything."""
    config, loaded, sheets = ServerConfig(data=folder), rules.load(), packs.load()
    looked: dict[str, float] = {}
    seconds = []
    processor = time.process_time()
    for n in range(LOOKS):
        if cold:
            looked.clear()
        now = start + 15 * n
        with database.begin_write(engine) as conn:  # everybody goes on being heard
            conn.execute(update(t.state).where(t.state.c.device_id % 3 > 0).values(heard_at=now - 400))
        begin = time.perf_counter()
        watching.look(engine, config, loaded, sheets, (), looked, now)
        seconds.append(time.perf_counter() - begin)
    each = (time.process_time() - processor) / LOOKS
    median = statistics.median(seconds)
    print(f"{name:<40} median {median:6.2f} s  worst {max(seconds):6.2f} s  processor {each:6.2f} s")
    return median


def main() -> int:
    """Generates, measures, and says whether the goal was met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schools", type=int, default=1500)
    parser.add_argument("--devices", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'simulated.db'}"
        database.migrate(url)
        engine = database.open_database(url)
        with database.begin_write(engine) as conn:
            fill(conn, options.schools, options.devices, MORNING)
        print(f"SIMULATED: {options.schools} schools, {options.schools * options.devices} devices")
        watching.note(engine, MORNING)
        usual = measure("a look in school time", engine, folder, MORNING, cold=False)
        measure("a look that leaves nothing out", engine, folder, MORNING + 600, cold=True)
        measure("a look at night", engine, folder, NIGHT, cold=False)
        engine.dispose()
    print(f"goal: a usual look in {GOAL} s: {'met' if usual <= GOAL else 'MISSED'}")
    return 0 if usual <= GOAL else 1


if __name__ == "__main__":
    raise SystemExit(main())
