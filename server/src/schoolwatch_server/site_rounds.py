"""Has the child look at the sites whose time has come, and keeps what it says."""

import logging
import sys
import threading
import time
import zlib
from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Engine

from schoolwatch_server import __version__, child
from schoolwatch_server.config import ServerConfig, Sites
from schoolwatch_server.database import sites
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.sites.job import Job, Rules, Said
from schoolwatch_server.sites.look import Look

log = logging.getLogger(__name__)

EVERY = 20.0
"""Seconds between two looks at whose time has come."""

TOGETHER = 20
"""Addresses in one job."""

SECONDS = 300.0
"""A job that takes longer is ended; what it did not come to is looked at later."""

AGAIN = 300.0
"""Seconds until the next try of what was not come to, or while our own line is down."""

REST = 600.0
"""Seconds in which nobody can have the same site looked at twice."""

_JITTER = 0.1
"""Share of the period by which sites drift apart, so that they are never all due at once."""

COMMAND = (sys.executable, "-I", "-m", "schoolwatch_server.sites.program")


class Rounds:
    """Looks at what is due, one job after the other."""

    def __init__(self, config: ServerConfig, engine: Engine, command: Sequence[str] = COMMAND) -> None:
        self._section, self._engine, self._command = config.sites, engine, tuple(command)
        self._rules = rules_of(config)
        self._line_down = False

    def next(self, stop: threading.Event) -> int:
        """One job; gives how many looks were kept. Raises `OSError` when the child can't be started."""
        with begin_read(self._engine) as conn:
            due = sites.due(conn, time.time(), TOGETHER)
        if not due:
            return 0
        job = msgspec.json.encode(Job(self._rules, tuple(due)))
        kept, told = 0, set[str]()
        for line in child.lines_of(self._command, job, seconds=SECONDS, stop=stop):
            said = _said(line)
            if said is None or said.address not in due or said.address in told:
                continue
            told.add(said.address)
            kept += self._keep(due[said.address], said.look)
        missed = [id_ for address, ids in due.items() if address not in told for id_ in ids]
        if missed and not stop.is_set():
            log.warning("sites: %d of %d addresses were not looked at", len(missed), len(due))
            with begin_write(self._engine) as conn:
                sites.put_off(conn, missed, time.time() + AGAIN)
        return kept

    def _keep(self, ids: Sequence[int], found: Look) -> int:
        now, is_ours = time.time(), found.trouble == "our_line"
        if is_ours != self._line_down:
            log.warning("sites: %s", "this server's line is down" if is_ours else "the line is there again")
        self._line_down = is_ours
        with begin_write(self._engine) as conn:
            return sites.put(conn, ids, found, now, next_times(ids, now, self._section, is_ours=is_ours))


def run(rounds: Rounds, stop: threading.Event, leading: threading.Event) -> None:
    """Until `stop`; only while this process leads."""
    failing = ""
    while not stop.wait(EVERY):
        try:
            while leading.is_set() and not stop.is_set() and rounds.next(stop):
                pass
            failing = ""
        except Exception as error:  # noqa: BLE001  rules and notifications go on, whatever a site brought about
            if str(error) != failing:
                log.warning("sites: can't be looked at just now: %s", error)
            failing = str(error)


def rules_of(config: ServerConfig) -> Rules:
    """What the child is told of the settings."""
    section = config.sites
    whose = config.http.public_url if config.http.public_url.isascii() else ""
    return Rules(
        references=section.references,
        ports=section.ports,
        allowed_networks=section.allowed_networks,
        ca_file=section.ca_file,
        at_once=section.at_once,
        seconds=section.seconds,
        agent=f"SchoolWatch/{__version__} (school website check{f'; {whose}' if whose else ''})",
    )


def next_times(ids: Sequence[int], now: float, section: Sites, *, is_ours: bool) -> Mapping[int, float]:
    """When each site is looked at next, seeded by the site: drifting apart, and again the same way."""
    if is_ours:
        return dict.fromkeys(ids, now + AGAIN)
    every = section.every_hours * 3600.0
    return {id_: now + every * (1 + _JITTER * (2 * _share(id_) - 1)) for id_ in ids}


def _share(id_: int) -> float:
    """0 to 1, the same each time for a site and spread evenly over sites."""
    return zlib.crc32(str(id_).encode()) / 2**32


def _said(line: bytes) -> Said | None:
    try:
        return msgspec.json.decode(line, type=Said)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
