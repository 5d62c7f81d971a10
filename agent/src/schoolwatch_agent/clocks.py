"""By what clock each report was taken: people set the wall's clock, nobody sets how long the computer runs.

The difference of both, a clock's *base*, is the same until somebody sets the clock. So a report that waited
while the clock was put right still tells, in the same start of the computer, when it was taken. Between two
starts nothing runs through: there the earlier clock is believed as it last was, unless it contradicts others.
"""

import sqlite3
from collections.abc import Sequence
from itertools import accumulate
from typing import Self

import msgspec

from schoolwatch_agent.errors import TimedOut
from schoolwatch_agent.host import Host
from schoolwatch_contract.frame import Clock
from schoolwatch_contract.records import RELEASED, possible

SLACK = 600.0
"""Seconds by which two clocks may disagree and both be right enough."""

_ROW = "SELECT id, boot, base, first_up, last_up FROM clock"


class Moment(msgspec.Struct, frozen=True):
    """What the clock shows (UTC seconds), in which start of the system, how long after it (None: unknown)."""

    now: float
    boot: str = ""
    up: float | None = None


class Run(msgspec.Struct, frozen=True):
    """A clock that ran through: its base when it was last seen, and the uptimes when it first and last was.

    One a start of the computer, as a rule. Seconds.
    """

    id: int
    boot: str
    base: float
    first_up: float
    last_up: float

    @property
    def first(self) -> float:
        """What it would have shown at first, had it always been as it was at last; UTC seconds."""
        return self.base + self.first_up

    @property
    def last(self) -> float:
        """What it showed at last, UTC seconds."""
        return self.base + self.last_up

    def goes_on(self, now: float, up: float) -> bool:
        """Whether it may be the clock that shows `now` after `up` seconds (which Windows tells within one).

        A clock that falls back to before there was an agent has lost its battery while the computer slept,
        and then nobody counted how long that was.
        """
        return up >= self.last_up - 1 and not now < RELEASED <= self.last


class Clocks:
    """The clocks of an open spool file, looked at when the machine's clock shows `now` after `up` seconds.

    Without `up` (not known) the present one is related to none.
    """

    def __init__(self, runs: Sequence[Run], boot: str, now: float, up: float | None) -> None:
        self._now = possible(now)
        self._base = None if up is None else self._now - up
        self._runs = {run.id: run for run in runs}
        present = next((run for run in runs if run.boot == boot), None)
        self._present = present if present and up is not None and present.goes_on(now, up) else None
        earlier = [run for run in runs if run is not self._present]
        began = now if self._present is None or self._base is None else self._base + self._present.first_up
        self._contradicted = contradicted([(run.id, run.first, run.last) for run in earlier], began)

    @classmethod
    def read(cls, db: sqlite3.Connection, boot: str, now: float, up: float | None) -> Self:
        """Those of an open file."""
        return cls([Run(*row) for row in db.execute(f"{_ROW} ORDER BY id")], boot, now, up)

    def of(self, run: int | None, base: float | None) -> tuple[float, Clock]:
        """What the clock by which a report was taken shows now, UTC seconds, and how far that is known."""
        known = None if run is None else self._runs.get(run)
        if known is None or base is None:
            return self._now, "assumed"
        if known is self._present and self._base is not None:
            return possible(self._now + base - self._base), "own"
        shown = possible(self._now + base - known.base)
        return shown, "doubtful" if known.id in self._contradicted else "assumed"


def contradicted(earlier: Sequence[tuple[int, float, float]], began: float) -> frozenset[int]:
    """Those clocks of `earlier` (id, first, last; in the order of the starts) that cannot be right.

    Time does not run backwards: of two starts in the wrong order one clock is wrong, and nobody knows which.
    A clock that shows a time before there was an agent is wrong by itself, and speaks against no other.
    `began` is what the present clock showed at first, which is no more certain than theirs.
    """
    wrong = {id_ for id_, _, last in earlier if last < RELEASED}
    rest = [run for run in earlier if run[0] not in wrong]
    latest = accumulate((last for _, _, last in rest), max, initial=-1.0)
    wrong |= {id_ for (id_, first, _), before in zip(rest, latest, strict=False) if before > first + SLACK}
    present = began if began >= RELEASED else float("inf")
    earliest = accumulate((first for _, first, _ in reversed(rest)), min, initial=present)
    back = zip(reversed(rest), earliest, strict=False)
    wrong |= {id_ for (id_, _, last), after in back if last > after + SLACK}
    return frozenset(wrong)


def note(db: sqlite3.Connection, boot: str, now: float, up: float | None) -> tuple[int | None, float | None]:
    """Notes in a transaction what the clock shows; the row of its run and its base, None when not known."""
    if up is None:
        return None, None
    base = possible(now) - up
    row = db.execute(f"{_ROW} WHERE boot = ?", (boot,)).fetchone()
    if row is not None:
        run = Run(*row)
        if run.goes_on(now, up):
            db.execute("UPDATE clock SET base = ?, last_up = ? WHERE id = ?", (base, up, run.id))
            return run.id, base
        db.execute("UPDATE clock SET boot = ? WHERE id = ?", (f"{boot} until {run.id}", run.id))
    added = db.execute(
        "INSERT INTO clock (boot, base, first_up, last_up) VALUES (?, ?, ?, ?)", (boot, base, up, up)
    )
    return added.lastrowid, base


def forget(db: sqlite3.Connection) -> None:
    """Runs older than that of the oldest report that is held are of no use any more."""
    db.execute(
        "DELETE FROM clock WHERE id <"
        " (SELECT clock FROM envelope WHERE clock IS NOT NULL ORDER BY id LIMIT 1)"
    )


def look(host: Host) -> Moment:
    """What the host's clocks show now."""
    try:
        boot = host.boot_id()
    except (OSError, ValueError, TimedOut):
        boot = ""
    return Moment(host.now(), boot, uptime(host))


def uptime(host: Host) -> float | None:
    """How long the system runs, sleep included; None when it does not tell."""
    try:
        return host.uptime()
    except (OSError, ValueError, TimedOut):
        return None
