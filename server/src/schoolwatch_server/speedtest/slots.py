"""Who may measure now: one test at a time per school, and no more than the server's own line carries.

A slot is good for one download and one upload, each begun in time; its token is known to nobody else, and
the database keeps only its hash.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Engine

from schoolwatch_contract.ndt7 import CUT_SECONDS, Direction
from schoolwatch_server.config import Speedtest
from schoolwatch_server.database import registry
from schoolwatch_server.database import slots as rows
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.scope import Scope

BEGIN_WITHIN = 20.0
"""Seconds from the grant, or from the end of the other direction, until a direction must begin."""

MEGABIT = 1e6

Why = Literal["line_busy", "server_full"]


class RefusedError(Exception):
    """No slot now; `retry` is in how many seconds one may be free."""

    def __init__(self, why: Why, retry: float) -> None:
        super().__init__(why)
        self.why: Why = why
        self.retry = retry


@dataclass(frozen=True, slots=True)
class Granted:
    """A slot: its token, told this once, and what was set aside (bit/s)."""

    token: str
    rate: float
    assumed: bool


def line_of(config: Speedtest) -> float:
    """The server's own line as declared, or as assumed, in bit/s."""
    return (config.line_mbps or config.assumed_line_mbps) * MEGABIT


def grant(engine: Engine, config: Speedtest, device: str, scope: Scope, *, now: float) -> Granted:
    """A slot for the device's school line. Raises `RefusedError`."""
    token = secrets.token_urlsafe(32)
    with begin_write(engine) as conn:
        row = registry.device(conn, device, scope)
        school = None if row is None else registry.school(conn, row.school_id, scope)
        if row is None or school is None:
            raise LookupError(f"device {device} is in no school")
        declared = school.declared.get("line_mbps", 0.0)
        wanted = (declared or config.assumed_school_mbps) * MEGABIT
        rate = min(wanted, line_of(config))
        _check(rows.busy(conn, now), school.id, rate, line_of(config) * config.full_above, now)
        rows.add(
            conn,
            _hashed(token),
            device_id=row.id,
            school_id=school.id,
            rate=rate,
            now=now,
            until=now + BEGIN_WITHIN,
        )
    return Granted(token, rate, not declared)


def _check(busy: tuple[rows.BusyRow, ...], school_id: int, rate: float, room: float, now: float) -> None:
    """A test that is alone may take the whole line: what it then says is marked, but it hurts nobody."""
    for row in busy:
        if row.school_id == school_id:
            raise RefusedError("line_busy", row.until - now)
    if busy and sum(row.rate for row in busy) + rate > room:
        raise RefusedError("server_full", busy[0].until - now)


def begin(engine: Engine, token: str, direction: Direction, *, now: float) -> bool:
    """Uses the slot for one direction; False when the token is not good for it."""
    hashed = _hashed(token)
    with begin_read(engine) as conn:  # a wrong token must not keep those who write waiting
        if not rows.may_begin(conn, hashed, direction, now):
            return False
    with begin_write(engine) as conn:
        return rows.begin(conn, hashed, direction, now=now, until=now + CUT_SECONDS)


def end(engine: Engine, token: str, direction: Direction, *, now: float) -> None:
    """The direction is over, however it went."""
    with begin_write(engine) as conn:
        rows.end(conn, _hashed(token), direction, now=now, wait=BEGIN_WITHIN)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
