"""What the server's own series are made of, read in a few queries along keys."""

from sqlalchemy import Connection, func, select, text

from schoolwatch_server.database import tables as t

AGES_MAX = 100_000
"""Envelopes of one interval whose age is looked at."""


def ages(conn: Connection, start: float, end: float) -> tuple[float, ...]:
    """Seconds from when an envelope was taken to when it came, of those that came in [start, end).

    Not of those that nobody knows when they were taken, and not of what was carried in by hand.
    """
    j = t.journal.c
    query = select(j.received_at - j.taken_at).where(
        j.received_at >= start, j.received_at < end, j.uncertain.is_(False), j.carried.is_(False)
    )
    return tuple(conn.scalars(query.limit(AGES_MAX)))


def newest(conn: Connection) -> float | None:
    """When the newest report came, UTC seconds."""
    at: float | None = conn.scalar(select(func.max(t.journal.c.received_at)))
    return at


def readers(conn: Connection, now: float) -> tuple[tuple[str, int, float], ...]:
    """Each reader of the journal: name, envelopes it still has to read, seconds that the next one waits."""
    j, c = t.journal.c, t.cursor.c
    newest = conn.scalar(select(func.max(j.id))) or 0
    found = []
    for name, position in map(tuple, conn.execute(select(c.name, c.position).order_by(c.name))):
        next_ = conn.scalar(select(j.received_at).where(j.id > position).order_by(j.id).limit(1))
        waits = 0.0 if next_ is None else max(0.0, now - next_)
        found.append((name, max(0, newest - position), waits))
    return tuple(found)


def undelivered(conn: Connection, now: float) -> int:
    """Messages to people that are due and have not gone out, of incidents and reminders."""
    n, d = t.notification.c, t.delivery.c
    alone = select(func.count()).where(n.due_at <= now, n.delivery_id.is_(None))
    together = select(func.count()).where(d.due_at <= now)
    return (conn.scalar(alone) or 0) + (conn.scalar(together) or 0)


def size(conn: Connection) -> int:
    """Bytes of the database, without its journal of writes."""
    if conn.dialect.name == "sqlite":
        pages, each = (conn.scalar(text(f"PRAGMA {name}")) or 0 for name in ("page_count", "page_size"))
        return int(pages) * int(each)
    return int(conn.scalar(select(func.pg_database_size(func.current_database()))) or 0)
