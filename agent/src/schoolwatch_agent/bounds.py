"""What the spool keeps, and what leaves first when it is too much: the acknowledged, then the oldest."""

import sqlite3

import msgspec

from schoolwatch_agent import clocks, spool_file
from schoolwatch_agent.log import log


class Limits(msgspec.Struct, frozen=True):
    """Bounds: bytes of all that is held, seconds that it is held unacknowledged and acknowledged."""

    max_bytes: int = 50_000_000
    max_age: float = 30 * 86_400.0
    keep_acked: float = 7 * 86_400.0
    retry_first: float = 3600.0
    retry_max: float = 86_400.0


def keep(db: sqlite3.Connection, limits: Limits, clock: float) -> None:
    """Acknowledged ones leave first, then the oldest; those that leave unacknowledged are counted."""
    db.execute("DELETE FROM envelope WHERE acked_at <= ?", (clock - limits.keep_acked,))
    aged = db.execute(
        "DELETE FROM envelope WHERE acked_at IS NULL AND put_at <= ?", (clock - limits.max_age,)
    ).rowcount
    _leave(db, limits, "acked_at IS NOT NULL ORDER BY acked_at, id")
    _dropped(db, aged + _leave(db, limits, "acked_at IS NULL ORDER BY put_at, id"))
    db.execute(
        "DELETE FROM generation WHERE id < (SELECT max(id) FROM generation)"
        " AND id NOT IN (SELECT generation FROM envelope)"
    )
    clocks.forget(db)


def _leave(db: sqlite3.Connection, limits: Limits, which: str) -> int:
    """Deletes the first of `which` until the bytes are within the bound; how many left."""
    excess = spool_file.number(db, "bytes") - limits.max_bytes
    leaving = []
    if excess > 0:
        for row, size in db.execute(f"SELECT id, size FROM envelope WHERE {which}"):  # nosec B608 # noqa: S608  ours
            leaving.append((row,))
            excess -= size
            if excess <= 0:
                break
    db.executemany("DELETE FROM envelope WHERE id = ?", leaving)
    return len(leaving)


def _dropped(db: sqlite3.Connection, count: int) -> None:
    if count:
        before = spool_file.number(db, "dropped")
        if not before:  # said once; the count itself is a reading
            log(__name__).warning("the spool is full or old: the oldest leave before the server has them")
        spool_file.set_note(db, "dropped", before + count)
