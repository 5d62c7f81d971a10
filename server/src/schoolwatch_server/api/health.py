"""Is the server alive, is it ready, and what it counts about itself (Prometheus text format 0.0.4)."""

import time
from collections.abc import Iterable
from typing import get_args

from fastapi import Response
from sqlalchemy.exc import SQLAlchemyError

from schoolwatch_server.api import shapes
from schoolwatch_server.api.parts import Part, read_parts
from schoolwatch_server.api.problems import Problem
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.backup import status
from schoolwatch_server.config import ServerConfig
from schoolwatch_server.database import counted
from schoolwatch_server.database.engine import begin_read

Sample = tuple[dict[str, str], float]

_COUNTERS = {
    "received": "Frames that came from the broker",
    "committed": "Reports committed to the journal",
    "duplicates": "Reports that were there already",
    "uncertain": "Reports taken nobody knows when: kept, and nothing is reckoned from them",
    "forks": "Reports with a number that another report has: a cloned device",
    "quarantined": "Frames put into quarantine",
}


def healthz() -> dict[str, str]:
    """This process answers."""
    return {"status": "ok"}


def readyz(server: Server) -> dict[str, str]:
    """The database answers too; 503 when it does not."""
    try:
        with begin_read(server.engine) as conn:
            ready = counted.answers(conn)
    except SQLAlchemyError as error:
        raise Problem(503, "the database does not answer") from error
    if not ready:
        raise Problem(503, "the database has no tables yet")
    return {"status": "ready"}


def metrics(who: Who, server: Server) -> Response:  # noqa: ARG001  only who passed the gate sees it
    """Counters and gauges of the server itself.

    A token is needed even from this machine: behind a reverse proxy every request comes from it.
    """
    with begin_read(server.engine) as conn:
        counters, cursors = counted.counters(conn), counted.cursors(conn)
        quarantined, devices = counted.quarantined(conn), counted.devices_in_use(conn)
    lines: list[str] = []
    for name, text in _COUNTERS.items():
        samples: list[Sample] = [
            ({"reason": label} if label else {}, value) for n, label, value in counters if n == name
        ]
        lines += _family(f"schoolwatch_{name}_total", "counter", text, samples or [({}, 0)])
    for other in sorted({name for name, _, _ in counters} - set(_COUNTERS)):
        samples = [({"label": label} if label else {}, value) for n, label, value in counters if n == other]
        lines += _family(f"schoolwatch_{other}_total", "counter", "Counted by intake", samples)
    in_quarantine: list[Sample] = [({"reason": r}, n) for r, n in quarantined.items()]
    lines += _family("schoolwatch_quarantine_frames", "gauge", "Frames in quarantine now", in_quarantine)
    behind: list[Sample] = [({"cursor": c.name}, c.behind) for c in cursors]
    lines += _family("schoolwatch_cursor_lag_rows", "gauge", "Journal rows a reader is behind", behind)
    lines += _family("schoolwatch_devices", "gauge", "Devices in use", [({}, devices)])
    lines += _parts(read_parts(server.config.folder))
    lines += _backups(server.config, time.time())
    return Response("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4; charset=utf-8")


def _parts(parts: Iterable[Part]) -> list[str]:
    known = tuple(parts)
    up: list[Sample] = [({"part": p.name}, 1.0 if p.state == "running" else 0.0) for p in known]
    restarts: list[Sample] = [({"part": p.name}, p.restarts) for p in known]
    return [
        *_family("schoolwatch_part_running", "gauge", "Whether a part of the server runs", up),
        *_family("schoolwatch_part_restarts_total", "counter", "How often a part was restarted", restarts),
    ]


def _backups(config: ServerConfig, now: float) -> list[str]:
    """An age that isn't known is not there, and never 0; `off` and `unknown` are states of their own."""
    known = status.read(config.folder)
    judgement = status.judge(config, known, now)
    ages: list[Sample] = [] if known is None or known.done is None else [({}, now - known.done.at)]
    proved: list[Sample] = [] if known is None or known.proved is None else [({}, now - known.proved.at)]
    states: list[Sample] = [({"state": s}, float(s == judgement)) for s in get_args(status.Judgement)]
    return [
        *_family("schoolwatch_backup_state", "gauge", "How the backups stand: 1 for the state it is", states),
        *_family("schoolwatch_backup_age_seconds", "gauge", "Age of the newest backup", ages),
        *_family("schoolwatch_backup_proved_age_seconds", "gauge", "Since one was restored on trial", proved),
    ]


def _family(name: str, kind: str, text: str, samples: Iterable[Sample]) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}", *(_sample(name, *s) for s in samples)]


def _sample(name: str, labels: dict[str, str], value: float) -> str:
    inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    number = str(int(value)) if float(value).is_integer() else repr(value)
    return f"{name}{{{inside}}} {number}" if inside else f"{name} {number}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


ROUTES = (
    Route("GET", "/healthz", healthz, "public", "This process answers", answer=shapes.Health),
    Route(
        "GET", "/readyz", readyz, "public", "The database answers too", answer=shapes.Health, refusals=(503,)
    ),
    Route("GET", "/metrics", metrics, "system", "What the server counts about itself"),
)
