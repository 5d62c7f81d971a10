"""Reports committed and indicators computed on SQLite beside PostgreSQL, in one run.

    python benchmarks/databases.py --postgresql URL [--frames 20000] [--batch 500] [--schools 1500]

URL is an empty database that is thrown away afterwards, made with
`createdb --template=template0 --encoding=UTF8 --locale-provider=libc --locale=C`.
Both sync each commit to disk, unless the server of the URL was told otherwise. Batches are handed to the
commit without a broker, by one process: what is compared are the databases.
"""

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select

from indicators import NOW
from intake import make_frames
from parts.province import fill
from schoolwatch_server import lifecycle, packs
from schoolwatch_server.database import credentials, registry
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write, migrate, open_database
from schoolwatch_server.database.tables import metadata
from schoolwatch_server.indicators.current import current, everywhere
from schoolwatch_server.intake.accept import Message
from schoolwatch_server.intake.batch import take

DEVICES, READINGS = 500, 40


def commits(engine: Engine, count: int, batch: int) -> float:
    """Reports a second."""
    with begin_write(engine) as conn:
        commune = registry.create_commune(conn, registry.create_province(conn, "BP", "P"), "BC", "C")
        school = registry.create_school(conn, commune, "BS", "S", "THCS", 0)
        devices = [registry.create_device(conn, school, None, str(n), 0) for n in range(DEVICES)]
        for row in devices:
            credentials.set_credential(conn, row.id, bytes.fromhex(row.device) * 2, "", 0)
    now = time.time()
    messages = [Message(to, payload, now) for to, payload in make_frames(devices, count, READINGS)]
    began = time.perf_counter()
    for start in range(0, count, batch):
        take(engine, messages[start : start + batch], Rules())
    return count / (time.perf_counter() - began)


def indicators(engine: Engine) -> tuple[float, float]:
    """Median seconds of all places, and of one school."""
    rules = replace(packs.load(), local=packs.Local(issued=("kaspersky",), systems=lifecycle.load()))
    with begin_read(engine) as conn:
        every = statistics.median(
            _timed(lambda: sum(1 for _ in everywhere(conn, rules, NOW))) for _ in range(3)
        )
        one = statistics.median(_timed(lambda: current(conn, "school", 40, rules, NOW)) for _ in range(20))
    return every, one


def _count_on(conn: Connection) -> None:
    """What was filled in has numbers of its own, of which PostgreSQL's sequences know nothing."""
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        last = conn.scalar(select(func.max(column))) if column is not None else None
        if last:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            conn.execute(select(func.setval(sequence, last)))


def _timed(work: object) -> float:
    began = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - began


def main() -> int:
    """Prints both in a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgresql", metavar="URL", required=True)
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--schools", type=int, default=1500)
    asked = parser.parse_args()
    print(
        f"{asked.frames} reports of {READINGS} readings in batches of {asked.batch};"
        f" {asked.schools} schools x 50 devices"
    )
    print(f"{'':12}{'reports/s':>12}{'all places s':>14}{'one school ms':>15}")
    with tempfile.TemporaryDirectory() as folder:
        for name, url in (("SQLite", f"sqlite:///{folder}/bench.db"), ("PostgreSQL", asked.postgresql)):
            migrate(url, Path(folder))
            engine = open_database(url, Path(folder))
            with begin_write(engine) as conn:
                fill(conn, asked.schools, 50, NOW)
            if engine.dialect.name == "postgresql":
                with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
                    _count_on(conn)
                    conn.exec_driver_sql("ANALYZE")  # as autovacuum does within a minute
            every, one = indicators(engine)
            rate = commits(engine, asked.frames, asked.batch)
            print(f"{name:12}{rate:>12.0f}{every:>14.2f}{one * 1e3:>15.1f}")
            engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
