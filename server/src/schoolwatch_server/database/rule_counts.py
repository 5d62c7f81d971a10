"""How much each rule finds, as far as the asker sees."""

from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select

from schoolwatch_server.database import tables as t
from schoolwatch_server.database.incident_rows import seen
from schoolwatch_server.scope import Scope


@dataclass(frozen=True, slots=True)
class Counted:
    """Incidents of a rule: open now, opened since an instant, and how many of these were false alarms."""

    open: int = 0
    opened: int = 0
    false_alarms: int = 0


def counts(conn: Connection, scope: Scope, since: float) -> dict[str, Counted]:
    """By rule; exercises count nowhere."""
    i = t.incident.c
    is_new = i.opened_at >= since
    query = (
        select(
            i.rule,
            func.sum(case((i.closed_at.is_(None), 1), else_=0)),
            func.sum(case((is_new, 1), else_=0)),
            func.sum(case((is_new & (i.verdict == "false_alarm"), 1), else_=0)),
        )
        .outerjoin(t.school, t.school.c.id == i.school_id)
        .where(seen(scope), ~i.is_exercise, i.closed_at.is_(None) | is_new)
        .group_by(i.rule)
    )
    return {row[0]: Counted(*map(int, row[1:])) for row in conn.execute(query)}
