"""What the server can say of itself: readers of the journal, quarantine, counters, and whether it answers."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from schoolwatch_server.database import tables as t


@dataclass(frozen=True, slots=True)
class CursorRow:
    """Who reads the journal, how many rows it still has to read, and when it last moved."""

    name: str
    behind: int
    moved_at: float


def cursors(conn: Connection) -> tuple[CursorRow, ...]:
    """How far each reader of the journal is."""
    newest = int(conn.execute(select(func.coalesce(func.max(t.journal.c.id), 0))).scalar_one())
    query = select(t.cursor.c.name, t.cursor.c.position, t.cursor.c.moved_at).order_by(t.cursor.c.name)
    return tuple(
        CursorRow(row.name, max(0, newest - row.position), row.moved_at) for row in conn.execute(query)
    )


def quarantined(conn: Connection) -> dict[str, int]:
    """Frames in quarantine by reason, without those replayed."""
    q = t.quarantine.c
    query = select(q.reason, func.count()).where(q.replayed_at.is_(None)).group_by(q.reason)
    return {reason: int(count) for reason, count in conn.execute(query.order_by(q.reason))}


def counters(conn: Connection) -> tuple[tuple[str, str, int], ...]:
    """Name, label and value of every counter that intake keeps."""
    c = t.counter.c
    query = select(c.name, c.label, c.value).order_by(c.name, c.label)
    return tuple((row.name, row.label, int(row.value)) for row in conn.execute(query))


def devices_in_use(conn: Connection) -> int:
    """All devices that are not retired."""
    query = (
        select(func.count())
        .select_from(t.device)
        .where(t.device.c.retired_at.is_(None), t.device.c.pending_since.is_(None))
    )
    return int(conn.execute(query).scalar_one())


def answers(conn: Connection) -> bool:
    """Whether the database answers and has our tables."""
    return conn.execute(select(func.count()).select_from(t.meta)).scalar_one() is not None
