"""How long it takes to try a rule on the past, and what a province's two weeks would take.

The devices are simulated: drawn from a seeded generator, and no number below says anything about a school.

    python benchmarks/replay.py [--schools 20] [--devices 50] [--days 2]
"""

import argparse
import random
import tempfile
import time
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select

from parts.alarm_reports import readings
from parts.province import fill
from schoolwatch_contract import envelope
from schoolwatch_contract.records import Envelope
from schoolwatch_server.config import of_data
from schoolwatch_server.database import engine as database
from schoolwatch_server.database import tables as t
from schoolwatch_server.replays.running import Replays
from schoolwatch_server.replays.wanted import Wanted, prepare
from schoolwatch_server.rules.load import SHIPPED
from schoolwatch_server.scope import EVERYTHING

NOW = datetime.fromisoformat("2026-11-27T17:00+07:00").timestamp()
EVERY = 900.0
PROVINCE, DAYS = 75_000, 14
RULES = ("antivirus_off", "disk_full", "smb1_on", "line_down", "device_silent", "ipv6_lost")


def report(engine, days: float) -> int:
    """Each device reports each quarter of an hour, in the order in which reports come."""
    chance = random.Random(5)
    bodies = [
        envelope.encode(Envelope(1, NOW, "0.1.0", readings(n, chance, 0.0), (), ())) for n in range(300)
    ]
    with database.begin_read(engine) as conn:
        of = {
            row.device_id: row.id for row in conn.execute(select(t.generation.c.id, t.generation.c.device_id))
        }
    rounds = int(days * 86_400 / EVERY)
    for seq in range(rounds):
        at = NOW - (rounds - seq) * EVERY
        rows = [
            {
                "device_id": i, "generation_id": of[i], "seq": 1_000_000 + seq, "digest": b"%16d" % i,
                "late": False,
                "taken_at": at + n / len(of) * EVERY, "received_at": at + n / len(of) * EVERY + 1,
                "body": bodies[(seq + i) % len(bodies)],
            }
            for n, i in enumerate(of)
        ]  # fmt: skip
        with database.begin_write(engine) as conn:
            conn.execute(insert(t.journal), rows)
    return rounds * len(of)


def main() -> int:
    """Generates, replays some rules each in its child, and prints what each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schools", type=int, default=20)
    parser.add_argument("--devices", type=int, default=50)
    parser.add_argument("--days", type=float, default=2.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = of_data(Path(folder))
        database.migrate(config.database_url)
        engine = database.open_database(config.database_url)
        with database.begin_write(engine) as conn:
            fill(conn, options.schools, options.devices, NOW)
        rows = report(engine, options.days)
        print(f"SIMULATED: {options.schools} schools, {rows} reports in {options.days:g} days")
        share = PROVINCE * DAYS / (options.schools * options.devices * options.days)
        for rule in RULES:
            text = (SHIPPED / f"{rule}.yaml").read_text(encoding="utf-8")
            prepared = prepare(engine, config, rule, [text], Wanted(schools=0), EVERYTHING, NOW)
            running = Replays().start("bench", prepared, {})
            while not running.is_over:
                time.sleep(0.1)
            took = running.said.seconds
            what = f"{running.said.done} looks" if prepared.is_watch else f"{rows / took:,.0f} reports/s"
            print(
                f"{rule:<15} {running.state} in {took:7.1f} s (estimated {prepared.seconds:6.1f} s), {what}; "
                f"a province's {DAYS} days: {took * share / 3600:.1f} h"
            )
        engine.dispose()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
