"""How long each panel of each dashboard takes: /influx/query beside InfluxDB and VictoriaMetrics, in one run.

    python benchmarks/panel_queries.py [--schools 1500] [--days 90] [--devices 4] [--times 20]
        [--engines influxdb,victoriametrics] [--folder DIR] [--jobs 2] [--fill-only]

Judged series of all schools, hourly, are simulated, with one school's raw week: no number says anything about
a school. Each panel is asked over HTTP with its default range and the interval that Grafana would choose.
Cold is the first round after a start with all files out of the system's cache; then come `--times` warm ones.
Real engines hold the fields that panels ask, which they keep by field anyway; each has as many points as
ours, or the benchmark ends.

A folder that is named is kept: the next run writes only what is new since, as the series of a new panel, and
measures. `--fill-only` ends before it measures, so that this can be done at another time, on a quiet machine.
`--engines ''` asks the embedded store alone.
"""

import argparse
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import httpx
import uvicorn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from influxdb import DATABASE, RunningInfluxDB
from panels_world import expanded, expanded_in_promql
from parts import filled_engines
from parts.panel_world import World, made
from parts.processes import own_cpu
from schoolwatch_server.api.pace import Pace
from schoolwatch_server.api.service import create_app, settings
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import engine as database
from schoolwatch_server.grafana import DASHBOARDS, influxql, promql
from schoolwatch_server.grafana.spec import Dashboard, Panel
from schoolwatch_server.influxql.instant import duration
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.tokens import issue_token
from victoriametrics import ADDED, RunningVictoriaMetrics

GOAL = 0.300
"""Seconds in which 95 of 100 answers of each panel are there."""

QUIET = 30.0
"""Seconds in which an engine that has put its files in order takes no more than a twentieth of a core."""

INTERVALS = ("1m", "2m", "5m", "10m", "15m", "20m", "30m", "1h", "2h", "3h", "6h", "12h", "1d")


# --- who is asked -------------------------------------------------------------------------------------


@dataclass
class Asked:
    """One engine: how it is asked a panel, and how it starts anew without anything in the cache."""

    name: str
    folder: Path
    ask: Callable[[httpx.Client, Panel, Dashboard], bool]
    start: Callable[[], None]
    stop: Callable[[], None]
    headers: dict[str, str] = field(default_factory=dict)
    cold: dict[str, float] = field(default_factory=dict)
    warm: dict[str, list[float]] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)

    def measure(self, panels: Sequence[tuple[str, Panel, Dashboard]], times: int) -> None:
        """Fills in what each panel took."""
        self.stop()
        evict(self.folder)
        self.start()
        with httpx.Client(headers=self.headers, timeout=120, trust_env=False) as client:
            self.cold = {key: self._timed(client, *one) for key, *one in panels}
            self.warm = {key: [] for key, *_ in panels}
            for _ in range(times):
                for key, *one in panels:
                    self.warm[key].append(self._timed(client, *one))
            self.empty = [key for key, *one in panels if not self.ask(client, *one)]
        self.stop()

    def _timed(self, client: httpx.Client, panel: Panel, dashboard: Dashboard) -> float:
        began = time.perf_counter()
        self.ask(client, panel, dashboard)
        return time.perf_counter() - began


def evict(folder: Path) -> None:
    """Takes a folder's files out of the system's cache."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def range_of(panel: Panel, dashboard: Dashboard, end: float) -> tuple[int, int, str]:
    """From and to in ms, and the interval that Grafana chooses for a graph of that width on a wide screen."""
    seconds = duration(panel.newest) / 1e9 if panel.newest else dashboard.days * 86_400
    least = max(seconds / (panel.width * 60), duration(panel.interval or "1m") / 1e9)
    interval = next(one for one in (*INTERVALS, "") if not one or duration(one) / 1e9 >= least) or "1d"
    return int((end - seconds) * 1000), int(end * 1000), interval


def in_influxql(url: str, world: World) -> Callable[[httpx.Client, Panel, Dashboard], bool]:
    """Whether each of its queries has an answer with something in it."""

    def ask(client: httpx.Client, panel: Panel, dashboard: Dashboard) -> bool:
        start, end, interval = range_of(panel, dashboard, world.end)
        is_full = True
        for query in panel.queries:
            asked = expanded(influxql.query(query), world.chosen, start, end, interval)
            answer = client.post(url, data={"q": asked, "epoch": "ms", "db": DATABASE})
            answer.raise_for_status()
            is_full &= b'"series"' in answer.content
            assert b'"error"' not in answer.content, answer.text[:500]
        return is_full

    return ask


def in_promql(url: str, world: World) -> Callable[[httpx.Client, Panel, Dashboard], bool]:
    """The same of VictoriaMetrics."""

    def ask(client: httpx.Client, panel: Panel, dashboard: Dashboard) -> bool:
        start, end, interval = range_of(panel, dashboard, world.end)
        is_full = True
        for query in panel.queries:
            asked = expanded_in_promql(promql.query(query), world.chosen, end - start, interval)
            said = {**ADDED, "query": asked}
            if query.is_over_time:
                step = duration(interval) // 1_000_000_000
                zone = 7 * 3600
                first, last = ((at // 1000 + zone) // step * step - zone for at in (start, end))
                path, said = "query_range", said | {"start": str(first), "end": str(last), "step": str(step)}
            else:
                path, said = "query", said | {"time": str(end / 1000)}
            answer = client.post(f"{url}/api/v1/{path}", data=said)
            answer.raise_for_status()
            is_full &= b'"result":[]' not in answer.content
        return is_full

    return ask


def embedded(config: ServerConfig, world: World) -> Asked:
    """Our own server in a process of its own."""
    port = free_port()
    engine = database.open_database(config.database_url)
    token = issue_token(engine, "benchmark", "read", EVERYTHING, 1)
    engine.dispose()
    process: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        command = [sys.executable, __file__, "--serve", str(port), "--folder", str(config.data)]
        process.append(subprocess.Popen(command))
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code < 500:
                    return
            time.sleep(0.05)

    def stop() -> None:
        while process:
            process[-1].kill()
            process.pop().wait()

    headers = {"Authorization": f"Bearer {token}"}
    ask = in_influxql(f"http://127.0.0.1:{port}/influx/query", world)
    return Asked("embedded", Path(config.data), ask, start, stop, headers)


def real(name: str, folder: Path, config: ServerConfig, world: World, jobs: int) -> Asked:
    """An engine of Debian's, with all that the embedded store has."""
    program = shutil.which(
        {"influxdb": "influxd", "victoriametrics": "victoria-metrics"}[name],
        path=f"{os.environ.get('PATH', '')}:/usr/sbin",
    )
    if program is None:
        raise SystemExit(f"{name} is not on this machine")
    running: RunningInfluxDB | RunningVictoriaMetrics
    if name == "influxdb":
        running = RunningInfluxDB(Path(program), folder, free_port(), free_port())
        ask, url = in_influxql(f"{running.url}/query", world), f"{running.url}/write?db={DATABASE}"
        count = partial(filled_engines.in_influxdb, running.url, DATABASE)
    else:
        # counting all points takes longer than a panel may
        flags = ("-search.maxQueryDuration=30m",)
        running = RunningVictoriaMetrics(Path(program), folder, free_port(), flags)
        ask, url = in_promql(running.url, world), f"{running.url}/write"
        count = partial(filled_engines.in_victoriametrics, running.url, world.end, world.days)
    running.start()
    try:
        noted = folder / "filled.json"
        if filled_engines.fill(url, noted, config.database_url, world.end, fields(), jobs):
            settle(running)
        wrong = check(name, count(), filled_engines.embedded(config.database_url))
        if wrong:
            filled_engines.forget(noted, wrong)
            raise SystemExit(f"{name} is written again the next time: {', '.join(wrong)}")
    finally:
        running.stop()
    return Asked(name, folder, ask, running.start, running.stop)


def fields() -> dict[str, set[str]]:
    """Which fields panels ask of each measurement."""
    found: dict[str, set[str]] = {}
    for query in (query for one in DASHBOARDS for panel in one.panels for query in panel.queries):
        found.setdefault(query.measurement, set()).add(query.field)
    return found


def settle(running: RunningInfluxDB | RunningVictoriaMetrics) -> None:
    """Until it has put in order what was written to it, and starts with it again."""
    before = own_cpu(running.pid)
    while True:
        time.sleep(QUIET)
        now = own_cpu(running.pid)
        if now - before < 0.05 * QUIET:
            break
        before = now
    running.stop()
    running.start()


def check(name: str, theirs: Counter[str], ours: Counter[str]) -> list[str]:
    """Says how many points an engine has, and gives those measurements of which it hasn't as many as ours."""
    print(f"{name}: {theirs.total():,} judged points, embedded: {ours.total():,}", flush=True)
    return sorted(key for key in theirs | ours if theirs[key] != ours[key])


def free_port() -> int:
    """One that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- what is told -------------------------------------------------------------------------------------


def serve(folder: Path, port: int) -> None:
    """The web server on loopback, until it is ended."""
    config = ServerConfig(data=str(folder))
    # asyncio switches Nagle's algorithm off only for what says it is TCP: 40 ms an answer
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        bound.bind(("127.0.0.1", port))
        app = create_app(config)
        # one token asks for all panels again and again, more than 1,200 a minute
        app.state.context = replace(app.state.context, pace=Pace(10**9))
        server = uvicorn.Server(settings(config, app))
        thread = threading.Thread(target=server.run, args=([bound],))
        thread.start()
        thread.join()


def percentile(taken: Sequence[float], share: float) -> float:
    """The value that so many are not above."""
    return sorted(taken)[min(len(taken) - 1, int(share * len(taken)))]


def told(panels: Sequence[tuple[str, Panel, Dashboard]], found: Sequence[Asked]) -> int:
    """Prints all of it in ms; gives how many panels miss the goal."""
    print(f"\n{'ms: p50 / p95 / cold':64}" + "".join(f"{one.name:>26}" for one in found))
    for key, _, _ in panels:
        cells = (
            f"{statistics.median(one.warm[key]) * 1e3:8.1f}{percentile(one.warm[key], 0.95) * 1e3:8.1f}"
            f"{one.cold[key] * 1e3:8.1f}{'∅ ' if key in one.empty else '  '}"
            for one in found
        )
        print(f"{key[:64]:64}" + "".join(cells))
    print("\np95 of all answers, slowest p95 of a panel, sum of medians in ms; panels without data (∅)")
    for one in found:
        every = percentile([seconds for taken in one.warm.values() for seconds in taken], 0.95)
        slowest = max(one.warm, key=lambda key: percentile(one.warm[key], 0.95))
        print(
            f"{one.name:16}{every * 1e3:8.1f}{percentile(one.warm[slowest], 0.95) * 1e3:8.1f}"
            f"{sum(statistics.median(taken) for taken in one.warm.values()) * 1e3:10.0f}{len(one.empty):5}"
            f"   slowest: {slowest}"
        )
    ours = found[0]
    missed = [key for key in ours.warm if percentile(ours.warm[key], 0.95) > GOAL]
    print(f"goal: each panel in {GOAL * 1e3:.0f} ms at p95: {'met' if not missed else f'MISSED by {missed}'}")
    for other in found[1:]:
        behind = [
            key for key in ours.warm if statistics.median(ours.warm[key]) > statistics.median(other.warm[key])
        ]
        print(
            f"medians at or ahead of {other.name}: {len(ours.warm) - len(behind)} of {len(ours.warm)} panels"
        )
    return len(missed)


def main() -> int:
    """Makes, measures, and says whether the goal was met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--schools", type=int, default=1500)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--devices", type=int, default=4)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--engines", default="influxdb,victoriametrics")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--jobs", type=int, default=2, help="processes that fill an engine")
    parser.add_argument("--fill-only", action="store_true")
    parser.add_argument("--serve", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.folder, options.serve)
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        (folder / "server").mkdir(parents=True, exist_ok=True)
        config = ServerConfig(data=str(folder / "server"))
        world = made(config, options.schools, options.devices, options.days)
        print(f"SIMULATED: {world.points:,} judged points of {world.days} days", flush=True)
        names = [name for name in options.engines.split(",") if name]
        found = [
            embedded(config, world),
            *(real(name, folder / name, config, world, options.jobs) for name in names),
        ]
        if options.fill_only:
            return 0
        panels = [
            (f"{one.uid.removeprefix('schoolwatch-')} {row.title.en}: {panel.title.en}", panel, one)
            for one in DASHBOARDS for row in one.rows for panel in row.panels
        ]  # fmt: skip
        try:
            for one in found:
                one.measure(panels, options.times)
        finally:
            for one in found:
                one.stop()
        return 1 if told(panels, found) else 0


if __name__ == "__main__":
    raise SystemExit(main())
