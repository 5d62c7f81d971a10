"""The agent's outbox on disk: what was measured stays here until the server says that it has it.

One SQLite file. Numbers count in a *generation*: a random id, new for each file and for each boot of the
operating system, because a frozen lab PC gets its old file back at every boot.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from schoolwatch_agent import bounds, clocks, held, marks, reserve, salvage, spool_file
from schoolwatch_agent.bounds import Limits as Limits
from schoolwatch_agent.held import Held
from schoolwatch_agent.spool_file import SpoolError
from schoolwatch_contract.ack import Ack

T = TypeVar("T")

STEP_MAX = 3 * 86_400.0
"""Seconds that the spool's own clock advances at most between two looks at the machine's clock.

A PC with a flat battery wakes in 1980 and jumps to today: that must not make everything too old at once,
nor after some mornings.
"""

ROW_BYTES = 100
"""What an envelope costs on disk beside its body, about: row, two indexes."""


class Summary(msgspec.Struct, frozen=True):
    """What is held: envelopes waiting for the server, bytes of all, dropped ever, oldest's age in s."""

    waiting: int
    bytes: int
    dropped: int
    oldest_age: float | None
    set_aside: int


class Spool:
    """Put, publish, acknowledge. Every method is one transaction; all raise `SpoolError`.

    `now` is UTC seconds; `boot` names the boot of the operating system (empty: unknown, then each opening
    is a generation of its own, because a number must never be used twice).
    """

    def __init__(self, path: Path, boot: str, now: float, limits: Limits | None = None) -> None:
        self.path, self.limits = path, limits or Limits()
        self._boot = boot or f"unknown {os.urandom(8).hex()}"
        self._gave_up = False
        try:
            self._db = self._with_reserve(lambda: spool_file.connect(path))
        except SpoolError as error:
            if error.kind != "damaged":
                raise
            self._replace(now)
        else:
            self._finish_replacing(now)
        self._transact(now, self._begin)
        reserve.keep(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; everything put is on disk already."""
        self._db.close()
        if self._gave_up:
            reserve.keep(self.path, again=True)

    @property
    def generation(self) -> str:
        """The generation that new envelopes count in."""
        with spool_file.translated(self.path):
            row = self._db.execute("SELECT spool FROM generation ORDER BY id DESC LIMIT 1").fetchone()
        return str(row[0])

    def put(self, bodies: Sequence[bytes], memory: bytes, now: float, up: float | None = None) -> None:
        """Stores deflated envelopes and the memory that goes with them, then keeps the bounds.

        They were taken when the clock showed `now` and the system had run for `up` seconds (None: not known).
        """

        def write(clock: float) -> None:
            generation, number = self._db.execute(
                "SELECT id, next FROM generation ORDER BY id DESC LIMIT 1"
            ).fetchone()
            taken_by = clocks.note(self._db, self._boot, now, up)
            rows = [
                (generation, number + i, clock, len(body) + ROW_BYTES, body, *taken_by)
                for i, body in enumerate(bodies)
            ]
            self._db.executemany(
                "INSERT INTO envelope (generation, seq, put_at, size, body, clock, base)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            self._db.execute(
                "UPDATE generation SET next = ? WHERE id = ?", (number + len(bodies), generation)
            )
            self._note("memory", memory)
            bounds.keep(self._db, self.limits, clock)

        self._transact(now, write)

    def memory(self, now: float) -> bytes | None:
        """What the last cycle wanted remembered."""
        found = self._recovering(now, lambda: spool_file.note(self._db, "memory"))
        return found if isinstance(found, bytes) else None

    def may_hear(self, now: float) -> bool:
        """Whether the server may have told something: it did before, or a bundle was carried to it."""

        def look() -> bool:
            return any(spool_file.note(self._db, key) is not None for key in ("epoch", "bundled_at"))

        return self._recovering(now, look)

    def remember(self, memory: bytes, now: float) -> None:
        """Replaces the memory."""
        self._transact(now, lambda _: self._note("memory", memory))

    def due(self, now: float, after: int, limit: int, up: float | None = None) -> tuple[Held, ...]:
        """Envelopes to publish now, oldest first, from those with a row above `after`; `up` as in `put`."""

        def look() -> tuple[Held, ...]:
            known = clocks.Clocks.read(self._db, self._boot, now, up)
            which = "e.id > ? AND e.acked_at IS NULL AND e.due_at <= ? ORDER BY e.id LIMIT ?"
            return held.read(self._db, known, which, (after, self._clock(now), limit))

        return self._recovering(now, look)

    def sending(self, ids: Sequence[int], now: float) -> None:
        """Noted before the first byte leaves: only what was sent can be what the server acknowledges."""
        self._transact(
            now,
            lambda _: self._db.executemany(
                "UPDATE envelope SET sent = 1 WHERE id = ?", [(each,) for each in ids]
            ),
        )

    def published(self, ids: Sequence[int], now: float) -> None:
        """The broker has them (PUBACK): they wait for the server, and are due again only much later."""
        first, most = self.limits.retry_first, self.limits.retry_max

        def write(clock: float) -> None:
            self._db.executemany(
                "UPDATE envelope SET due_at = ? + min(? * (1 << min(pubacks, 30)), ?), pubacks = pubacks + 1"
                " WHERE id = ? AND acked_at IS NULL",
                [(clock, first, most, each) for each in ids],
            )

        self._transact(now, write)

    def unacknowledged(self, ids: Sequence[int]) -> int:
        """How many of these rows still wait for the server."""
        with spool_file.translated(self.path):
            question = "SELECT count(*) FROM envelope WHERE id = ? AND acked_at IS NULL"
            return sum(int(self._db.execute(question, (each,)).fetchone()[0]) for each in ids)

    def acknowledge(self, ack: Ack, now: float) -> marks.News:
        """Marks what the server has committed, and says what was new in that."""

        def write(clock: float) -> marks.News:
            news = marks.believe(self._db, ack, clock, self._boot)
            if news != "nothing":
                self._note("heard_at", now)
                bounds.keep(self._db, self.limits, clock)
            return news

        return self._transact(now, write)

    def summary(self, now: float) -> Summary:
        """What the spool holds now."""
        return self._recovering(now, lambda: summarise(self._db, self._clock(now)))

    def _note(self, name: str, value: bytes | str | float) -> None:
        spool_file.set_note(self._db, name, value)

    def _clock(self, now: float) -> float:
        return clock_at(self._db, now)

    def _begin(self, _: float) -> None:
        newest = self._db.execute("SELECT boot FROM generation ORDER BY id DESC LIMIT 1").fetchone()
        if newest is None or newest[0] != self._boot:
            marks.begin_generation(self._db, self._boot)

    def _transact(self, now: float, write: Callable[[float], T]) -> T:
        """Runs `write` with the spool's clock in one transaction."""

        def action() -> T:
            with self._transaction(now) as clock:
                return write(clock)

        return self._recovering(now, action)

    def _recovering(self, now: float, action: Callable[[], T]) -> T:
        """Runs `action`; a file found damaged is set aside and begun anew, once."""
        try:
            return self._with_reserve(action)
        except SpoolError as error:
            if error.kind != "damaged":
                raise
        self._db.close()
        self._replace(now)
        with self._transaction(now) as clock:
            self._begin(clock)
        return self._with_reserve(action)

    def _with_reserve(self, action: Callable[[], T]) -> T:
        """Runs `action`; on a full disk again, in the room that was kept for that."""
        try:
            with spool_file.translated(self.path):
                return action()
        except SpoolError as error:
            if error.kind != "full" or not reserve.give_up(self.path):
                raise
        self._gave_up = True
        with spool_file.translated(self.path):
            return action()

    def _replace(self, now: float) -> None:
        """A new file, with what can still be read of the damaged one."""
        damaged = spool_file.set_aside(self.path)
        self._db = self._with_reserve(lambda: spool_file.connect(self.path))
        self._bring_over(damaged, now)

    def _finish_replacing(self, now: float) -> None:
        """A power cut may have come between setting the old file aside and bringing over what is in it."""
        damaged = spool_file.aside_of(self.path)
        if not damaged.is_file():
            return
        with spool_file.translated(self.path):
            is_done = spool_file.note(self._db, "set_aside") is not None
        if not is_done:
            self._bring_over(damaged, now)

    def _bring_over(self, damaged: Path, now: float) -> None:
        try:
            with self._transaction(now):
                salvage.bring_over(damaged, self._db, ROW_BYTES)
                self._note("set_aside", 1)
        except SpoolError as error:
            if error.kind in ("full", "readonly"):
                raise  # there is another time; nothing of it was written
            with self._transaction(now):  # what is too odd to come over must not stop the agent
                self._note("set_aside", 1)

    @contextmanager
    def _transaction(self, now: float) -> Iterator[float]:
        with spool_file.translated(self.path), spool_file.transaction(self._db):
            clock = self._clock(now)
            self._note("clock", clock)
            self._note("seen_at", now)
            self._note("latest", max(now, spool_file.number(self._db, "latest")))
            yield clock


def clock_at(db: sqlite3.Connection, now: float) -> float:
    """The spool's own clock when the machine's shows `now`."""
    clock, seen = spool_file.number(db, "clock"), spool_file.note(db, "seen_at")
    step = now - seen if isinstance(seen, float) else 0.0
    if step > STEP_MAX:  # set back and forth again, or off for long: only what is new was not counted yet
        step = min(now - spool_file.number(db, "latest"), STEP_MAX)
    return clock + max(step, 0.0)


def summarise(db: sqlite3.Connection, clock: float) -> Summary:
    """What an open spool file holds, by its own clock."""
    waiting, oldest = db.execute(
        "SELECT count(*), min(put_at) FROM envelope WHERE acked_at IS NULL"
    ).fetchone()
    return Summary(
        waiting,
        int(spool_file.number(db, "bytes")),
        int(spool_file.number(db, "dropped")),
        None if oldest is None else max(clock - oldest, 0.0),
        int(spool_file.number(db, "set_aside")),
    )
