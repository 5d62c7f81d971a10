"""How long the console's pages take to answer in a province of 1,500 schools of 50 devices in SQLite.

The devices are simulated: drawn from a seeded generator, and no number below says anything about a school.
Each page is asked of the real web server over HTTP, by somebody who is logged in and may see everything; the
processor time is that of server and asker together.

    python benchmarks/console.py [--schools 1500] [--devices 50] [--times 20]
"""

import argparse
import http.client
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from parts.past import past
from parts.province import fill
from schoolwatch_server import packs, people
from schoolwatch_server.api.route import SESSION_COOKIE
from schoolwatch_server.api.service import create_app, settings
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import engine as database
from schoolwatch_server.indicators import series
from schoolwatch_server.scope import EVERYTHING

PASSWORD = "a password for a benchmark"
PAGES = (
    "/",
    "/search?q=s+14",
    "/communes/C3",
    "/schools/S40",
    "/incidents",
    "/provinces/P/progress",
    "/communes/C3/progress",
)
GOAL = 0.100
"""Seconds in which half of the answers are there."""


@contextmanager
def serving(config: ServerConfig) -> Iterator[int]:
    """The web server in a thread, on a free port of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        server = uvicorn.Server(settings(config, create_app(config)))
        thread = threading.Thread(target=server.run, args=([bound],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield bound.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def prepare(config: ServerConfig, schools: int, devices: int) -> str:
    """A simulated province, judged once, and somebody's session in it; gives the session's secret."""
    database.migrate(config.database_url)
    engine = database.open_database(config.database_url)
    now = time.time()
    with database.begin_write(engine) as conn:
        fill(conn, schools, devices, now)
    series.write(engine, packs.load(), now, 300.0, {})
    with database.begin_write(engine) as conn:
        past(conn, now)
    people.create_account(engine, "viewer", PASSWORD, role="so_viewer", scope=EVERYTHING, by="benchmark")
    login = people.log_in(engine, "viewer", PASSWORD, address="", now=now)
    engine.dispose()
    if login is None:
        raise SystemExit("nobody could log in")
    return login.secret


def measure(port: int, secret: str, path: str, times: int) -> float:
    """Prints what a page takes, and returns the median in seconds."""
    line = http.client.HTTPConnection("127.0.0.1", port)
    seconds, busy, size = [], [], 0
    for _ in range(times + 1):
        begin, work = time.perf_counter(), time.process_time()
        line.request("GET", path, headers={"Cookie": f"{SESSION_COOKIE}={secret}"})
        answer = line.getresponse()
        size = len(answer.read())
        seconds.append(time.perf_counter() - begin)
        busy.append(time.process_time() - work)
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}")
    line.close()
    del seconds[0], busy[0]  # the first one reads templates and packs
    told = statistics.median(seconds), max(seconds), statistics.median(busy)
    median, worst, work = (each * 1e3 for each in told)
    print(
        f"{path:<16} {size / 1024:6.1f} KiB  median {median:6.1f} ms  worst {worst:6.1f} ms"
        f"  processor {work:6.1f} ms"
    )
    return told[0]


def main() -> int:
    """Generates, measures, and says whether the goal was met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schools", type=int, default=1500)
    parser.add_argument("--devices", type=int, default=50)
    parser.add_argument("--times", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = ServerConfig(data=str(Path(folder)))
        secret = prepare(config, options.schools, options.devices)
        print(f"SIMULATED: {options.schools} schools, {options.schools * options.devices} devices")
        with serving(config) as port:
            slowest = max(measure(port, secret, path, options.times) for path in PAGES)
    print(f"goal: each page in {GOAL * 1e3:.0f} ms: {'met' if slowest <= GOAL else 'MISSED'}")
    return 0 if slowest <= GOAL else 1


if __name__ == "__main__":
    raise SystemExit(main())
