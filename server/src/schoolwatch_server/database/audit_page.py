"""The audit log as a page of it: filtered, newest first."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from schoolwatch_server.database.tables import audit


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines: of a time (UTC seconds; `until` excluded), of one actor, of one action.

    `before` is the number of the line that the page before ended with.
    """

    since: float | None = None
    until: float | None = None
    actor: str = ""
    action: str = ""
    before: int | None = None


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line: its number, when, by whom, what, on what."""

    id: int
    at: float
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


def lines(conn: Connection, wanted: Wanted, limit: int) -> tuple[LineRow, ...]:
    """At most so many, the newest first."""
    c = audit.c
    query = select(c.id, c.at, c.actor, c.action, c.subject, c.detail)
    if wanted.since is not None:
        query = query.where(c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(c.at < wanted.until)
    if wanted.actor:
        query = query.where(c.actor == wanted.actor)
    if wanted.action:
        query = query.where(c.action == wanted.action)
    if wanted.before is not None:
        query = query.where(c.id < wanted.before)
    return tuple(LineRow(*row) for row in conn.execute(query.order_by(c.id.desc()).limit(limit)))


def actions(conn: Connection) -> tuple[str, ...]:
    """Every action that the log knows."""
    return tuple(conn.scalars(select(audit.c.action).distinct().order_by(audit.c.action)))
