"""Whether the server's clock may be believed so far that something is forgotten by it.

A clock that jumps ahead, as with an empty battery or a wrong year typed in, would let years of reports have
had their time within an hour. So what forgets asks here first, and waits while the clock is in doubt.
"""

import logging
from typing import Final, Literal

import msgspec
from sqlalchemy import Connection, Engine, select

from schoolwatch_server.database import clocks, journal
from schoolwatch_server.database import tables as t
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.database.upsert import upsert

log = logging.getLogger(__name__)

DAY: Final = 86_400.0
JUMP: Final = 2 * DAY
"""Seconds from one look to the next from which the clock jumped, or the server was off."""

OFF: Final = DAY
"""Seconds by which computers' clocks must differ from the server's to say that it is wrong."""

LEAST: Final = 3
"""Computers that must have reported to bear witness for or against it."""

WAIT: Final = 7 * DAY
"""Seconds after which a jump of which no computer says anything counts as time that passed."""

HEARD: Final = 3600.0
"""Seconds within which computers must have reported where nothing jumped."""

_KEY: Final = "forgetting"

Why = Literal["", "jumped", "denied"]
"""Why nothing is forgotten: the clock jumped and nobody has confirmed it, or computers say it is wrong."""


class Belief(msgspec.Struct, frozen=True):
    """`at` is the newest instant that was believed, `jumped` when the clock stood ahead of it first (0: not).

    UTC seconds. `offset` is by how many seconds the server's clock is ahead of computers'.
    """

    at: float = 0.0
    jumped: float = 0.0
    why: Why = ""
    offset: float = 0.0


def believed(before: Belief, now: float, offset: float | None) -> Belief:
    """What is believed at `now`; `offset` is None where too few computers were heard. Pure."""
    is_ahead = now - before.at > JUMP
    jumped = (before.jumped or now) if is_ahead else 0.0
    if offset is not None and abs(offset) > OFF:
        return Belief(min(before.at, now), jumped, "denied", offset)
    if is_ahead and offset is None and now - jumped < WAIT:
        return Belief(before.at, jumped, "jumped")
    return Belief(now)


def may_forget(engine: Engine, now: float) -> bool:
    """Whether what has had its time by `now` may go; what is believed is written down, and a doubt logged."""
    with begin_write(engine) as conn:
        before = held(conn) or Belief(min(now, journal.last_received_at(conn) or now))
        is_ahead = now - before.at > JUMP
        since = (before.jumped or now) if is_ahead else now - HEARD
        after = believed(before, now, clocks.median_offset(conn, since, LEAST))
        upsert(conn, t.meta, [{"key": _KEY, "value": msgspec.json.encode(after).decode()}])
    if after.why and after.why != before.why:
        log.error(
            "the server's clock is %s: nothing is deleted by it until computers confirm it",
            f"{after.offset / DAY:+.1f} days off, as computers say"
            if after.why == "denied"
            else f"{(now - after.at) / DAY:.1f} days ahead of what it was",
        )
    return not after.why


def held(conn: Connection) -> Belief | None:
    """What is believed as of the last look; None before the first."""
    body = conn.scalar(select(t.meta.c.value).where(t.meta.c.key == _KEY))
    return None if body is None else msgspec.json.decode(body, type=Belief)


def is_doubtful(conn: Connection, now: float) -> bool:
    """Whether `now` is not to be believed, by what was seen last: nobody is locked out by it."""
    last = held(conn)
    return last is not None and (bool(last.why) or now - last.at > JUMP)
