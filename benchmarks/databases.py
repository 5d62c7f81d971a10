"""Reports committed and indicators computed on SQLite beside PostgreSQL, in one run.

    python benchmarks/databases.py --postgresql URL [--frames 20000] [--batch 500] [--schools 1500]

URL is an empty database that is thrown away afterwards, made with
`createdb --template=template0 --encoding=UTF8 --locale-provider=libc --locale=C`.
Both sync each commit to disk, unless the server of the URL was told otherwise. Batches are handed to the
commit without a broker, by one process: what is compared are the databases.

Beside how long it took stand the processor's milliseconds for 1,000 reports, of this process and of
PostgreSQL's (which must run on this machine for that): on a busy machine these say more. They are told for
committing reports, for judging them, and for hours and days of their series.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
from sqlalchemy import Connection, Engine, func, select

from indicators import NOW
from intake import make_frames
from parts.province import fill
from schoolwatch_server import incidents, lifecycle, packs
from schoolwatch_server.config import of_data
from schoolwatch_server.database import credentials, journal, registry, rollups
from schoolwatch_server.database.commit import Rules
from schoolwatch_server.database.engine import begin_read, begin_write, migrate, open_database
from schoolwatch_server.database.tables import metadata
from schoolwatch_server.indicators.current import current, everywhere
from schoolwatch_server.intake.accept import Message
from schoolwatch_server.intake.batch import take
from schoolwatch_server.sheets import rules_in_force

DEVICES, READINGS = 500, 40


@dataclass(frozen=True)
class Cost:
    """Seconds that something took: by the clock, of this process, and of the database's."""

    clock: float
    own: float
    database: float

    def of(self, reports: int) -> str:
        """Milliseconds of the processor for 1,000 reports, ours and the database's."""
        return f"{self.own / reports * 1e6:.0f} + {self.database / reports * 1e6:.0f}"


def cost(engine: Engine, work: Callable[[], object]) -> Cost:
    """What it costs to do something."""
    servers = _servers(engine)
    database, own, clock = _used(servers), time.process_time(), time.perf_counter()
    work()
    clock, own = time.perf_counter() - clock, time.process_time() - own
    return Cost(clock, own, _used(servers) - database)


def _servers(engine: Engine) -> list[psutil.Process]:
    """PostgreSQL's own processes and the one behind this connection, where they are on this machine."""
    if engine.dialect.name != "postgresql":
        return []
    with engine.connect() as conn:
        number = int(conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
    with suppress(psutil.Error):
        first = psutil.Process(number).parent()
        if first is not None and first.name() == "postgres":
            return [first, *first.children()]
    return []


def _used(processes: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes if process.is_running()]
    return float(sum(one.user + one.system for one in times))


def commits(engine: Engine, count: int, batch: int) -> Cost:
    """Of so many reports, in batches."""
    with begin_write(engine) as conn:
        commune = registry.create_commune(conn, registry.create_province(conn, "BP", "P"), "BC", "C")
        school = registry.create_school(conn, commune, "BS", "S", "THCS", 0)
        devices = [registry.create_device(conn, school, None, str(n), 0) for n in range(DEVICES)]
        for row in devices:
            credentials.set_credential(conn, row.id, bytes.fromhex(row.device) * 2, "", 0)
    now = time.time()
    messages = [Message(to, payload, now) for to, payload in make_frames(devices, count, READINGS)]

    def work() -> None:
        for start in range(0, count, batch):
            take(engine, messages[start : start + batch], Rules())

    return cost(engine, work)


def judged(engine: Engine, folder: Path) -> Cost:
    """Of all reports in the journal, by the rules that are delivered."""
    book = rules_in_force(of_data(folder), engine).now()
    with begin_write(engine) as conn:
        journal.create_cursor(conn, incidents.CURSOR, NOW)

    def work() -> None:
        while incidents.judge_next(engine, book, (), time.time()):
            pass

    return cost(engine, work)


def rolled_up(engine: Engine) -> Cost:
    """Of the hours and days of all reports."""
    return cost(engine, lambda: rollups.run_once(engine, time.time() + 2 * 86400, seconds=600))


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
    print("processor ms for 1,000 reports: ours + the database's")
    heads = ("reports/s", "commit", "judge", "hours, days", "all places s", "one school ms")
    print(f"{'':12}" + "".join(f"{head:>15}" for head in heads))
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
            costs = (
                commits(engine, asked.frames, asked.batch),
                judged(engine, Path(folder)),
                rolled_up(engine),
            )
            told = (f"{asked.frames / costs[0].clock:.0f}", *(each.of(asked.frames) for each in costs))
            print(
                f"{name:12}" + "".join(f"{word:>15}" for word in (*told, f"{every:.2f}", f"{one * 1e3:.1f}"))
            )
            engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
