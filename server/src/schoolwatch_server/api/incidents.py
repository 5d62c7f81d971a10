"""GET /api/v1/incidents: what rules have found, newest first."""

from typing import Annotated, Literal

from fastapi import Query

from schoolwatch_server.api import looked, shapes
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.query import Cursor, DeviceName, Limit, SchoolCode
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.api.times import rfc3339
from schoolwatch_server.database import incident_rows, registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.rules import kept

Json = dict[str, object]


def incidents(
    who: Who,
    server: Server,
    school: SchoolCode = None,
    device: DeviceName = None,
    state: Annotated[Literal["open", "closed"] | None, Query(description="Both, when left out")] = None,
    limit: Limit = 100,
    cursor: Cursor = 0,
) -> Json:
    """Incidents with evidence; `next` goes into `cursor` for older ones."""
    looked.see(server.looked, server.engine, who, "incident.list", school or device or "")
    with begin_read(server.engine) as conn:
        school_id = None
        if school is not None:
            row = registry.school_by_code(conn, school, who.scope)
            if row is None:
                raise not_found("school", school)
            school_id = row.id
        rows = incident_rows.incidents(
            conn,
            who.scope,
            before=cursor or None,
            limit=limit + 1,
            is_open=None if state is None else state == "open",
            school_id=school_id,
            device=device,
        )
    return {
        "incidents": [incident_json(row) for row in rows[:limit]],
        "next": rows[limit - 1].id if len(rows) > limit else None,
    }


def incident_json(row: incident_rows.IncidentRow) -> Json:
    """One incident as JSON."""
    return {
        "id": row.id,
        "rule": row.rule,
        "rule_version": row.rule_version,
        "severity": row.severity,
        "state": "open" if row.closed_at is None else "closed",
        "device": row.device,
        "school": row.school_code,
        "since": rfc3339(row.since),
        "opened_at": rfc3339(row.opened_at),
        "closed_at": rfc3339(row.closed_at),
        "late": row.late,
        "arrived_at": rfc3339(kept.arrived_at(row.evidence)),
        "evidence": row.evidence,
    }


ROUTES = (
    Route("GET", "/api/v1/incidents", incidents, "read", "What rules have found", answer=shapes.Incidents),
)
