"""Replays that run in children, one at a time, and what the last ones of each account came to."""

import secrets
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from schoolwatch_server import child
from schoolwatch_server.replays.estimate import Pace
from schoolwatch_server.replays.job import Count, Found, Said
from schoolwatch_server.replays.wanted import Prepared

COMMAND = (sys.executable, "-I", "-m", "schoolwatch_server.replays.program")
SECONDS_MAX: Final = 12 * 3600.0
"""Seconds after which a child is ended, whatever it does."""

KEPT: Final = 5
KEPT_SECONDS: Final = 6 * 3600.0
"""How many results of an account are kept, and how long."""

WAITING_MAX: Final = 8

State = Literal["waiting", "running", "done", "cancelled", "failed"]


class BusyError(Exception):
    """This account's own replay has not ended yet, or too many wait."""


@dataclass
class Running:
    """One replay; `about` is whatever its starter wants back with it. Who sets `stop` ends it."""

    id: str
    owner: str
    prepared: Prepared
    estimated: float
    about: dict[str, str]
    state: State = "waiting"
    said: Said = field(default_factory=lambda: Said(0, 0, 0.0, (), ()))
    found: tuple[list[Found], ...] = ()
    began_at: float = 0.0
    ended_at: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ("done", "cancelled", "failed")

    @property
    def counts(self) -> tuple[Count, ...]:
        """Per version, so far."""
        return self.said.counts or tuple(Count() for _ in self.prepared.job.texts)

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        return min(self.said.done / self.prepared.steps, 1.0) if self.prepared.steps else 1.0

    @property
    def left(self) -> float:
        """About how many seconds it will still take: as it went so far, or as was estimated."""
        if self.share < 0.02:
            return max(self.estimated - self.said.seconds, 0.0)
        return self.said.seconds * (1 - self.share) / self.share


class Replays:
    """Those of the process that serves the console; they end with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._one = threading.Lock()
        self._kept: dict[str, Running] = {}
        self._pace = Pace()

    def estimated(self, prepared: Prepared) -> float:
        """About how many seconds it takes here."""
        return prepared.seconds * self._pace.of(_kind(prepared))

    def start(self, owner: str, prepared: Prepared, about: dict[str, str]) -> Running:
        """Starts it, or has it wait for those before it. Raises `BusyError`."""
        running = Running(secrets.token_urlsafe(9), owner, prepared, self.estimated(prepared), about)
        with self._lock:
            self._forget()
            unfinished = [one for one in self._kept.values() if not one.is_over]
            if len(unfinished) >= WAITING_MAX or any(one.owner == owner for one in unfinished):
                raise BusyError
            self._kept[running.id] = running
        threading.Thread(target=self._run, args=(running,), name="replay", daemon=True).start()
        return running

    def of(self, owner: str) -> tuple[Running, ...]:
        """An account's own, the newest first."""
        with self._lock:
            self._forget()
            return tuple(reversed([one for one in self._kept.values() if one.owner == owner]))

    def one(self, id_: str, owner: str) -> Running:
        """One of an account's own. Raises `LookupError`."""
        for one in self.of(owner):
            if one.id == id_:
                return one
        raise LookupError(id_)

    def _forget(self) -> None:
        """Old ones, and those beyond what an account may keep."""
        old = time.monotonic() - KEPT_SECONDS
        count: dict[str, int] = {}
        for one in reversed(list(self._kept.values())):
            count[one.owner] = count.get(one.owner, 0) + 1
            if one.is_over and (one.ended_at < old or count[one.owner] > KEPT):
                del self._kept[one.id]

    def _run(self, running: Running) -> None:
        while not self._one.acquire(timeout=0.2):
            if running.stop.is_set():
                return self._end(running, "cancelled")
        try:
            running.state, running.began_at = "running", time.monotonic()
            running.found = tuple([] for _ in running.prepared.job.texts)
            is_whole = False
            for said in self._said(running):
                for mine, more in zip(running.found, said.found, strict=True):
                    mine += more
                running.said, is_whole = said, said.is_end
            self._end(running, "done" if is_whole else "cancelled" if running.stop.is_set() else "failed")
        except Exception:
            self._end(running, "failed")
            raise
        finally:
            self._one.release()

    def _said(self, running: Running) -> Iterator[Said]:
        job = msgspec.json.encode(running.prepared.job)
        for line in child.lines_of(COMMAND, job, seconds=SECONDS_MAX, stop=running.stop):
            yield msgspec.json.decode(line, type=Said)

    def _end(self, running: Running, state: State) -> None:
        running.ended_at, running.state = time.monotonic(), state
        if state == "done":
            self._pace.learn(_kind(running.prepared), running.prepared.seconds, running.said.seconds)


def _kind(prepared: Prepared) -> frozenset[str]:
    return frozenset({prepared.rule} if prepared.is_watch else {"reports"})
