"""Has a child replay a rule over stored reports of some schools, one at a time, and gathers its answers."""

import hashlib
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Engine

from schoolwatch_server import child
from schoolwatch_server.database import journal, replaying
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.replaying import Computer
from schoolwatch_server.replays.job import SHOWN as SHOWN
from schoolwatch_server.replays.job import Count, Found, Job, Said
from schoolwatch_server.rules.told import NOTHING
from schoolwatch_server.rules.told import Given as Given
from schoolwatch_server.scope import Scope

DAYS = 30
DAYS_MAX = 92
SCHOOLS = 5
"""Schools that are looked at where nobody named any."""

SCHOOLS_MAX = 50
DEVICES_MAX = 5000
SECONDS = 20.0
GRACE = 5.0
"""Seconds beyond its own limit after which the child is killed."""

COMMAND = (sys.executable, "-I", "-m", "schoolwatch_server.replays.program")

_DAY = 86400.0
_one = threading.Lock()


class BusyError(Exception):
    """Somebody else's replay is running."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which schools (a commune's or a school's code; "": `schools` of the scope) over how many days."""

    place: str = ""
    days: int = DAYS
    schools: int = SCHOOLS


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came out; times are UTC seconds.

    `start` is when the window really begins: what was received before `data_since` is no longer stored.
    `done` of `computers` were looked at, in this order. `actual` is how many incidents the rule really opened
    on those in the window. Per rule (in force, draft): numbers and the first that were found.
    """

    wanted: Wanted
    start: float
    end: float
    data_since: float
    computers: tuple[Computer, ...]
    schools: int
    of_schools: int
    done: int
    reports: int
    seconds: float
    counts: tuple[Count, ...]
    found: tuple[tuple[Found, ...], ...]
    actual: int

    @property
    def is_whole(self) -> bool:
        """Whether all that was wanted was looked at."""
        return self.done == len(self.computers)

    def computer(self, device_id: int) -> Computer:
        """The computer that something was found on."""
        return next(one for one in self.computers if one.id == device_id)


def replay(
    engine: Engine,
    rule: str,
    texts: Sequence[str],
    wanted: Wanted,
    scope: Scope,
    now: float,
    *,
    given: Given = NOTHING,
    seconds: float = SECONDS,
) -> Replayed:
    """Waits for the child, at most `seconds` and a little.

    Raises `BusyError` when one runs already, `LookupError` for a place that the scope does not see, and
    `OSError` when the child can't be started.
    """
    if not _one.acquire(blocking=False):
        raise BusyError
    try:
        return _replay(engine, rule, texts, wanted, scope, now, given, seconds)
    finally:
        _one.release()


def _replay(
    engine: Engine, rule: str, texts: Sequence[str], wanted: Wanted, scope: Scope, now: float,
    given: Given, seconds: float,
) -> Replayed:  # fmt: skip
    with begin_read(engine) as conn:
        data_since = journal.held_since(conn, now)
        schools = replaying.schools(conn, scope, wanted.place)
        if wanted.place and not schools:
            raise LookupError(wanted.place)
        chosen = sorted(schools, key=lambda school: _shuffled(school[1]))[
            : wanted.schools if not wanted.place else None
        ]
        computers = replaying.computers(conn, [school for school, _ in chosen], DEVICES_MAX)
    computers = tuple(sorted(computers, key=lambda one: _shuffled(one.device)))  # a part of them is of all
    start = max(now - wanted.days * _DAY, data_since)
    url = engine.url.render_as_string(hide_password=False)
    job = Job(url, tuple(texts), tuple(one.id for one in computers), start, now, seconds, given)
    last = Said(0, 0, 0.0, tuple(Count() for _ in texts), ())
    found = [list[Found]() for _ in texts]
    lines = child.lines_of(COMMAND, msgspec.json.encode(job), seconds=seconds + GRACE, stop=threading.Event())
    for line in lines:
        last = msgspec.json.decode(line, type=Said)
        for mine, more in zip(found, last.found, strict=True):
            mine += more
    with begin_read(engine) as conn:
        actual = replaying.opened(conn, rule, [one.id for one in computers[: last.devices]], start, now)
    return Replayed(
        wanted, start, now, data_since, computers, len(chosen), len(schools), last.devices, last.reports,
        last.seconds, last.counts, tuple(map(tuple, found)), actual,
    )  # fmt: skip


def _shuffled(name: str) -> bytes:
    """An order that has nothing to do with names, and is the same each time."""
    return hashlib.sha256(name.encode()).digest()
