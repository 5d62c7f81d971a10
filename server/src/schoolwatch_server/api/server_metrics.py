"""GET /metrics: what the server counts about itself, for Prometheus.

Several processes make up a server, and each scrape may meet another one: so all numbers are read from the
database and from the files that they share, and none is of the process that answers.
"""

import time
from collections.abc import Iterable, Iterator
from typing import Final, get_args

from fastapi import Request
from sqlalchemy import Connection
from starlette.responses import Response

from schoolwatch_server import __version__, disk
from schoolwatch_server.api.exposition import Family, Sample, answer
from schoolwatch_server.api.parts import Part, read_parts
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.backup import status
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import counted, rollout, server_health, store_writer
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.standings.server import spread

_COUNTERS: Final = {
    "received": "Frames that came from the broker",
    "committed": "Reports committed to the journal",
    "duplicates": "Reports that were there already",
    "uncertain": "Reports taken nobody knows when: kept, and nothing is reckoned from them",
    "forks": "Reports with a number that another report has: a cloned device",
    "quarantined": "Frames put into quarantine",
}

LATELY: Final = 900.0
"""Seconds in which reports came whose age is told: how often a device delivers."""


def metrics(who: Who, server: Server, request: Request) -> Response:  # noqa: ARG001  only who passed the gate
    """Counters and gauges of the server itself.

    A token is needed even from this machine: behind a reverse proxy every request comes from it.
    """
    now = time.time()
    with begin_read(server.engine) as conn:
        families = (
            *_intake(conn, now),
            *_readers(conn, now),
            *_devices(conn, now),
            *_store(conn, server.config, now),
        )
    more = (*_disk(server.config), *_parts(read_parts(server.config.folder)), *_backups(server.config, now))
    return answer((*families, *more), request.headers.get("accept", ""))


def _intake(conn: Connection, now: float) -> Iterator[Family]:
    counters = counted.counters(conn)
    names = {**_COUNTERS, **{name: "Counted by intake" for name, _, _ in counters if name not in _COUNTERS}}
    for name, text in names.items():
        samples: list[Sample] = [
            ({"reason" if name in _COUNTERS else "label": label} if label else {}, float(value))
            for n, label, value in counters
            if n == name
        ]
        yield Family(f"schoolwatch_{name}", "counter", text, samples or [({}, 0.0)])
    quarantined = [({"reason": reason}, float(n)) for reason, n in counted.quarantined(conn).items()]
    yield _gauge("quarantine_frames", "Frames in quarantine now", quarantined)
    newest = server_health.newest(conn)
    came: list[Sample] = [] if newest is None else [({}, newest)]
    yield _gauge("newest_report_timestamp_seconds", "When the newest report came", came, "seconds")
    ages = server_health.ages(conn, now - LATELY, now)
    waited = list(zip(("0.5", "0.95"), spread(ages), strict=True)) if ages else []
    quantiles: list[Sample] = [({"quantile": quantile}, age) for quantile, age in waited]
    text = "How long reports waited in spools that came within 15 minutes"
    yield _gauge("spool_age_seconds", text, quantiles, "seconds")


def _readers(conn: Connection, now: float) -> Iterator[Family]:
    readers = server_health.readers(conn, now)
    rows: list[Sample] = [({"cursor": name}, float(behind)) for name, behind, _ in readers]
    waits: list[Sample] = [({"cursor": name}, seconds) for name, _, seconds in readers]
    yield _gauge("cursor_lag_rows", "Journal rows a reader is behind", rows)
    yield _gauge("cursor_lag_seconds", "How long the next row of a reader waits", waits, "seconds")
    waiting = float(server_health.undelivered(conn, now))
    yield _gauge("messages_waiting", "Messages to people that are due and not sent", [({}, waiting)])
    size = float(server_health.size(conn))
    yield _gauge("database_size_bytes", "Size of the database", [({}, size)], "bytes")


def _store(conn: Connection, config: ServerConfig, now: float) -> Iterator[Family]:
    """Nothing of a store of series beside the database where there is none."""
    found = None if config.store.kind == "embedded" else store_writer.standing(conn, now)
    if found is None:
        return
    done = found.progress
    outcomes = {"written": done.written, "refused": done.refused, "future": done.future, "old": done.old}
    points: list[Sample] = [({"outcome": name}, float(count)) for name, count in outcomes.items()]
    yield Family(
        "schoolwatch_store_points",
        "counter",
        "Points for the store of series, by what became of them",
        points,
    )
    lost: list[Sample] = [({}, float(found.lost))]
    yield Family("schoolwatch_store_lost_reports", "counter", "Reports that left the journal unwritten", lost)
    yield _gauge("store_lag_rows", "Reports that the store of series lacks", [({}, float(found.reports))])
    yield _gauge("store_lag_seconds", "How long the oldest of them waits", [({}, found.seconds)], "seconds")
    whole: list[Sample] = [({}, done.whole_from)] if done.whole_from else []
    text = "Since when single readings are whole there, where some are missing"
    yield _gauge("store_whole_since_timestamp_seconds", text, whole, "seconds")
    yield _gauge(
        "store_failing", "Whether the store of series takes nothing now", [({}, float(bool(done.error)))]
    )


def _devices(conn: Connection, now: float) -> Iterator[Family]:
    devices = float(counted.devices_in_use(conn))
    yield _gauge("devices", "Devices in use", [({}, devices)])
    versions = rollout.versions(conn, now).items()
    by_version: list[Sample] = [({"version": version or "unknown"}, float(n)) for version, n in versions]
    yield _gauge("agents", "Devices in use by version of their agent", by_version)
    yield _gauge("build_info", "The version of this server", [({"version": __version__}, 1.0)])


def _parts(parts: Iterable[Part]) -> Iterator[Family]:
    known = tuple(parts)
    up: list[Sample] = [({"part": p.name}, 1.0 if p.state == "running" else 0.0) for p in known]
    restarts: list[Sample] = [({"part": p.name}, float(p.restarts)) for p in known]
    yield _gauge("part_running", "Whether a part of the server runs", up)
    yield Family("schoolwatch_part_restarts", "counter", "How often a part was restarted", restarts)


def _disk(config: ServerConfig) -> Iterator[Family]:
    found = disk.look(config.folder)
    free: list[Sample] = [] if found.free is None else [({}, float(found.free))]
    size: list[Sample] = [] if found.size is None else [({}, float(found.size))]
    yield _gauge("disk_free_bytes", "Room on the disk of the data folder", free, "bytes")
    yield _gauge("disk_size_bytes", "Size of that disk", size, "bytes")
    taken: list[Sample] = [({}, float(not found.refusal))]
    yield _gauge("disk_writable", "Whether anything can be written to it: 0 on a full disk", taken)


def _backups(config: ServerConfig, now: float) -> Iterator[Family]:
    """An age that isn't known is not there, and never 0; `off` and `unknown` are states of their own."""
    known = status.read(config.folder)
    judgement = status.judge(config, known, now)
    ages: list[Sample] = [] if known is None or known.done is None else [({}, now - known.done.at)]
    proved: list[Sample] = [] if known is None or known.proved is None else [({}, now - known.proved.at)]
    states: list[Sample] = [({"state": s}, float(s == judgement)) for s in get_args(status.Judgement)]
    yield _gauge("backup_state", "How the backups stand: 1 for the state it is", states)
    yield _gauge("backup_age_seconds", "Age of the newest backup", ages, "seconds")
    yield _gauge("backup_proved_age_seconds", "Since one was restored on trial", proved, "seconds")


def _gauge(name: str, text: str, samples: Iterable[Sample], unit: str = "") -> Family:
    return Family(f"schoolwatch_{name}", "gauge", text, samples, unit)


ROUTES = (Route("GET", "/metrics", metrics, "system", "What the server counts about itself"),)
