"""Whether a store of series that is killed again and again has every point in the end, and intake goes on.

    python benchmarks/store_kills.py [--seconds 600] [--lines 5000] [--kills 10]

Reports of simulated computers are taken in as intake does, in batches twice a second. The process
`store-writer` writes them to a real VictoriaMetrics on 127.0.0.1, which is killed (SIGKILL) at moments and
started again after pauses drawn from a seeded generator. At the end every point is counted and added up
there, and compared with what was sent. "Told again" is how many reports the writer went back; "behind" is
how many waited when the store came back; "caught up" is how long until none of them did.
"""

import argparse
import re
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import Engine

from parts.killed_store import Kill, Load, counted, in_background, kill, kills
from parts.station import listens, program, wait_for
from schoolwatch_server import config as configs
from schoolwatch_server.config import SeriesStore
from schoolwatch_server.database import store_writer
from schoolwatch_server.database.engine import begin_read, migrate, open_database

DEVICES = 125
AWAY = 20.0
"""Seconds for which the store is away at most."""


@dataclass
class Metrics:
    """A VictoriaMetrics of one folder and port, as docs/operating.md has it."""

    folder: Path
    port: int
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        flags = (f"-storageDataPath={self.folder}", f"-httpListenAddr=127.0.0.1:{self.port}")
        kept = ("-dedup.minScrapeInterval=1ms", "-retentionPeriod=5y", "-search.latencyOffset=1ms")
        path = program("victoria-metrics", "victoria-metrics")
        self._process = subprocess.Popen([path, *flags, *kept], stderr=subprocess.DEVNULL)
        wait_for(lambda: listens("127.0.0.1", self.port))

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def standing(engine: Engine) -> store_writer.Standing | None:
    with begin_read(engine) as conn:
        return store_writer.standing(conn, time.time())


def is_writing(engine: Engine) -> bool:
    found = standing(engine)
    return found is not None and found.progress.ok_at > 0


def behind(engine: Engine) -> int:
    found = standing(engine)
    return 0 if found is None else found.reports


def caught_up(engine: Engine, upto: int, seconds: float = 300.0) -> float:
    """Seconds until the writer has told the store so many reports."""
    begun = time.monotonic()

    def is_there() -> bool:
        found = standing(engine)
        return found is not None and found.progress.reached.journal >= upto

    wait_for(is_there, seconds, 0.1)
    return time.monotonic() - begun


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--lines", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=10)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), asked.seconds, asked.lines, asked.kills)


def run(folder: Path, seconds: float, lines: int, count: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    metrics = Metrics(folder / "metrics", port)
    data = folder / "data"
    data.mkdir(mode=0o700)
    config = msgspec.structs.replace(
        configs.of_data(data), store=SeriesStore("victoriametrics", metrics.url, retention_days=1800)
    )
    (data / "server.toml").write_text(configs.render(config))
    migrate(config.database_url, config.master_key)
    engine = open_database(config.database_url, config.master_key)
    load = Load(engine)
    load.enrol(DEVICES)
    log = folder / "writer.log"
    begun = time.time()
    metrics.start()
    with log.open("wb") as out:
        words = (sys.executable, "-m", "schoolwatch_server", "store-writer", "--data", str(data))
        writer = subprocess.Popen(words, stderr=out)
    try:
        wait_for(lambda: is_writing(engine))
        loading = in_background(lambda: load.run(seconds, lines))
        print(
            f"{'killed at':>10} {'away s':>8} {'behind':>8} {'caught up s':>12}  (reports of {lines} lines/s)"
        )
        for one in kill(metrics, kills(seconds, count, AWAY)):
            tell(engine, one, load)
        loading.join()
        last = caught_up(engine, load.reports)
        time.sleep(6.0)  # whoever was killed last is found to be by then
        caught_up(engine, load.reports)
        found, total = counted(metrics.url, time.time() - begun + 60)
    finally:
        writer.terminate()
        writer.wait()
        metrics.stop()
        engine.dispose()
    report(load, found, total, last, log.read_text())


def tell(engine: Engine, one: Kill, load: Load) -> None:
    waiting = behind(engine)
    took = caught_up(engine, load.reports)
    print(f"{one.at:>10.1f} {one.away:>8.1f} {waiting:>8} {took:>12.1f}", flush=True)


def report(load: Load, found: int, total: float, last: float, log: str) -> None:
    again = [
        int(b) - int(a) for a, b in re.findall(r"from report (\d+) on \(it had been told up to (\d+)\)", log)
    ]
    print(f"told again, reports each time: {', '.join(map(str, again)) or 'never'}")
    print(f"caught up after the load {last:.1f} s; slowest commit of intake {load.slowest:.2f} s")
    print(f"points sent {load.points:,}, found {found:,}, difference {found - load.points:+,}")
    print(f"their sum {load.total:,.0f}, found {total:,.0f}, difference {total - load.total:+,.0f}")
    if (found, total) != (load.points, load.total):
        sys.exit("the store has not what was sent")


if __name__ == "__main__":
    main()
