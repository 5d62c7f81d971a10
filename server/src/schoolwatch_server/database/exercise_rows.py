"""Exercises, as kept: who held them, where, from when to when, and the incidents that they opened."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, insert, select, update

from schoolwatch_server.database import tables as t
from schoolwatch_server.scope import Scope

_x = t.exercise.c


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise; instants are UTC seconds, `ended_at` None is that it goes on."""

    id: int
    rule: str
    scope: Scope
    note: str
    started_by: str
    started_at: float
    ends_at: float
    ended_at: float | None
    incidents: tuple[int, ...]


def add(conn: Connection, row: Exercise) -> int:
    """Writes a new one and returns its id."""
    values = {
        "rule": row.rule,
        "scope_level": row.scope.level,
        "scope_id": row.scope.id,
        "note": row.note,
        "started_by": row.started_by,
        "started_at": row.started_at,
        "ends_at": row.ends_at,
        "incidents": list(row.incidents),
    }
    key = conn.execute(insert(t.exercise).values(**values)).inserted_primary_key
    assert key is not None  # a row was inserted
    return int(key[0])


def set_incidents(conn: Connection, number: int, incidents: Sequence[int]) -> None:
    """Which incidents it opened."""
    conn.execute(update(t.exercise).where(_x.id == number).values(incidents=list(incidents)))


def end(conn: Connection, number: int, now: float) -> bool:
    """It is over; False when it was before."""
    here = update(t.exercise).where(_x.id == number, _x.ended_at.is_(None))
    return conn.execute(here.values(ended_at=now)).rowcount == 1


def found(conn: Connection, number: int) -> Exercise | None:
    """The one of that number."""
    row = conn.execute(select(t.exercise).where(_x.id == number)).first()
    return None if row is None else _exercise(row)


def running(conn: Connection) -> tuple[Exercise, ...]:
    """Those that go on."""
    return tuple(_exercise(row) for row in conn.execute(select(t.exercise).where(_x.ended_at.is_(None))))


def listed(conn: Connection, limit: int) -> tuple[Exercise, ...]:
    """The newest first."""
    query = select(t.exercise).order_by(_x.id.desc()).limit(limit)
    return tuple(_exercise(row) for row in conn.execute(query))


def _exercise(row: Row[tuple[object, ...]]) -> Exercise:
    return Exercise(
        row.id,
        row.rule,
        Scope(row.scope_level, row.scope_id),
        row.note,
        row.started_by,
        row.started_at,
        row.ends_at,
        row.ended_at,
        tuple(row.incidents),
    )
