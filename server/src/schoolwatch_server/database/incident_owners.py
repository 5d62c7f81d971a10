"""Open incidents whose people can't see to them any more: somebody else has to take them."""

from typing import Any

from sqlalchemy import Connection, or_, select, update

from schoolwatch_server.database import incidents
from schoolwatch_server.database import tables as t

_i, _e = t.incident.c, t.escalation.c


def let_go(conn: Connection, account: str, now: float) -> None:
    """Nobody gets in with that account any more: what was its alone is nobody's."""
    mine = or_(_i.assignee == account, _i.acknowledged_by == account)
    query = select(_i.id, _i.assignee, _i.acknowledged_by).where(mine, _i.closed_at.is_(None))
    for row in conn.execute(query.order_by(_i.id).with_for_update()).all():
        if row.assignee not in ("", account):
            continue  # it was given to somebody else
        if row.acknowledged_by == account:
            free(conn, row.id, "left", {"assignee": account}, now)
        else:
            conn.execute(update(t.incident).where(_i.id == row.id).values(assignee=""))
            incidents.add_event(conn, row.id, "left", {"assignee": account}, now)


def free(conn: Connection, incident_id: int, kind: str, detail: dict[str, Any], now: float) -> None:
    """An open incident is nobody's from now on: it rises in lists, and the next step is told."""
    nobody = {"acknowledged_at": None, "acknowledged_by": "", "assignee": ""}
    conn.execute(update(t.incident).where(_i.id == incident_id).values(nobody))
    incidents.raise_to(conn, incident_id, incidents.add_event(conn, incident_id, kind, detail, now))
    waits = _e.incident_id == incident_id, _e.next_at.is_(None)
    conn.execute(update(t.escalation).where(*waits).values(next_at=now))
