"""The engines that panels are asked of: our own server in a process of its own, and Debian's."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import uvicorn

from influxdb import DATABASE, RunningInfluxDB
from parts import filled_engines
from parts.panel_asking import Asked, in_influxql, in_promql
from parts.panel_world import World
from parts.processes import own_cpu
from schoolwatch_server import part
from schoolwatch_server.api import influx
from schoolwatch_server.api.pace import Pace
from schoolwatch_server.api.service import create_app, settings
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import engine as database
from schoolwatch_server.grafana import DASHBOARDS
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.tokens import issue_token
from victoriametrics import RunningVictoriaMetrics

QUIET: Final = 30.0
"""Seconds in which an engine that has put its files in order takes no more than a twentieth of a core."""


def embedded(config: ServerConfig, world: World) -> Asked:
    """Our own server in a process of its own."""
    port = free_port()
    engine = database.open_database(config.database_url)
    token = issue_token(engine, "benchmark", "read", EVERYTHING, 1)
    engine.dispose()
    process: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        command = [sys.executable, sys.argv[0], "--serve", str(port), "--folder", str(config.data)]
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


def serve(folder: Path, port: int) -> None:
    """The web server on loopback, until it is ended."""
    config = ServerConfig(data=str(folder))
    # asyncio switches Nagle's algorithm off only for what says it is TCP: 40 ms an answer
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        bound.bind(("127.0.0.1", port))
        app = create_app(config)
        # one token asks for all panels again and again, more than 1,200 a minute
        app.state.context = replace(app.state.context, pace=Pace(10**9))
        part.sweep_seldom()  # as the product's web server does, and so what follows
        influx.warm(app.state.context)
        server = uvicorn.Server(settings(config, app))
        thread = threading.Thread(target=server.run, args=([bound],))
        thread.start()
        thread.join()
