"""Lists of schools from a file: looked through, and put into the registry whole or not at all."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from sqlalchemy import Engine

from schoolwatch_server.database import people, roster
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.scope import Scope
from schoolwatch_server.workbooks import grid, table
from schoolwatch_server.workbooks.grid import Grid
from schoolwatch_server.workbooks.plan import plan
from schoolwatch_server.workbooks.schools import FIELDS, Plan
from schoolwatch_server.workbooks.table import Read

_VIETNAM = timezone(timedelta(hours=7))


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file holds, how it was read, and what it would do; `digest` (SHA-256, hex) names the file."""

    digest: str
    grid: Grid
    read: Read
    plan: Plan


def look(engine: Engine, data: bytes, scope: Scope, now: float) -> Preview:
    """What the list would change, and what is wrong with it. Raises `GridError`."""
    rows = grid.read(data)
    read = table.read(rows, FIELDS)
    with begin_read(engine) as conn:
        known = roster.known(conn, scope)
    return Preview(hashlib.sha256(data).hexdigest(), rows, read, plan(read, known, _day(now)))


def take_in(engine: Engine, data: bytes, scope: Scope, *, by: str, now: float) -> Preview:
    """Does all of it in one transaction, or nothing where there is a problem; what was done or is wrong.

    Raises `GridError`, and `RegistryError` when a code was taken meanwhile outside the scope.
    """
    rows = grid.read(data)
    read = table.read(rows, FIELDS)
    digest = hashlib.sha256(data).hexdigest()
    with begin_write(engine) as conn:
        found = plan(read, roster.known(conn, scope), _day(now))
        if found.changes and not found.problems:
            roster.put(conn, found, _begun, now, by)
            detail = {
                "file": digest,
                "new": sum(one.id is None for one in found.changes),
                "changed": sum(one.id is not None for one in found.changes),
                "communes": len(found.communes),
            }
            people.record(conn, actor=by, action="school.import", subject="", detail=detail, now=now)
    return Preview(digest, rows, read, found)


def _day(now: float) -> date:
    return datetime.fromtimestamp(now, _VIETNAM).date()


def _begun(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=_VIETNAM).timestamp()
