"""The outbox of reminders: a row for each report, reminding and channel, so that none is sent twice."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select, update

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.upsert import insert_new

_KEY = ("province_id", "kind", "level", "period", "days", "channel")
_r = t.report_reminder.c


@dataclass(frozen=True, slots=True)
class Reminder:
    """Of which report of which province; `days` before `last_day` (ISO 8601) it went into the outbox."""

    province_id: int
    kind: str
    level: str
    period: str
    days: int
    last_day: str


@dataclass(frozen=True, slots=True)
class DueReminder:
    """One that is to be sent now."""

    id: int
    reminder: Reminder
    channel: str
    attempts: int


def put(conn: Connection, reminder: Reminder, channels: Collection[str], now: float) -> int:
    """One for each channel, due at once; what is in the outbox already stays. How many are new."""
    same = [getattr(_r, name) == getattr(reminder, name) for name in _KEY[:-1]]
    held = set(conn.scalars(select(_r.channel).where(*same)))
    rows = [
        {
            **{name: getattr(reminder, name) for name in Reminder.__slots__},
            "channel": channel,
            "made_at": now,
            "due_at": now,
        }
        for channel in sorted(set(channels) - held)
    ]
    if rows:
        insert_new(conn, t.report_reminder, rows, _KEY)
    return len(rows)


def next_due(conn: Connection, channels: Collection[str], now: float) -> int | None:
    """The id of the one that has been due for longest; None when nothing is due."""
    query = select(_r.id).where(_r.due_at <= now, _r.channel.in_(list(channels)))
    found: int | None = conn.scalar(query.order_by(_r.due_at, _r.id).limit(1))
    return found


def claim(conn: Connection, reminder_id: int, now: float, until: float) -> DueReminder | None:
    """Takes it for the caller alone until `until`; None when somebody else took it."""
    mine = and_(_r.id == reminder_id, _r.due_at <= now)
    taken = conn.execute(update(t.report_reminder).where(mine).values(due_at=until, attempts=_r.attempts + 1))
    if taken.rowcount != 1:
        return None
    row = conn.execute(select(t.report_reminder).where(_r.id == reminder_id)).one()
    what = Reminder(**{name: getattr(row, name) for name in Reminder.__slots__})
    return DueReminder(row.id, what, row.channel, row.attempts)


def sent(conn: Connection, due: DueReminder, now: float, error: str = "") -> None:
    """The channel took it, or (`error`) it is not needed or can't be sent any more."""
    values = {"due_at": None, "error": error} | ({} if error else {"sent_at": now})
    conn.execute(update(t.report_reminder).where(_r.id == due.id).values(**values))


def failed(conn: Connection, due: DueReminder, error: str, again_at: float) -> None:
    """The channel did not take it; it is tried again then."""
    conn.execute(update(t.report_reminder).where(_r.id == due.id).values(due_at=again_at, error=error))
