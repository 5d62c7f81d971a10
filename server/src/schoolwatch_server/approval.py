"""Devices that wait are let in or refused by a person, each with a line in the audit log."""

from collections.abc import Collection
from typing import Literal

from sqlalchemy import Engine

from schoolwatch_server.database import arrivals, people
from schoolwatch_server.database.arrivals import ArrivalRow
from schoolwatch_server.database.engine import begin_write
from schoolwatch_server.scope import Scope

Decision = Literal["approve", "refuse"]


def decide(
    engine: Engine, devices: Collection[str], decision: Decision, scope: Scope, *, by: str, now: float
) -> tuple[ArrivalRow, ...]:
    """Those of the devices that waited within the scope; another's decision that was first stands."""
    with begin_write(engine) as conn:
        decided = tuple(row for row in arrivals.waiting(conn, scope) if row.device in devices)
        for row in decided:
            if decision == "approve":
                arrivals.let_in(conn, row.id, now)
            else:
                arrivals.turn_away(conn, row.id, now)
            people.record(
                conn,
                actor=by,
                action=f"enrolment.{decision}",
                subject=row.device,
                detail={"school": row.school_id, "room": row.room_id, "label": row.label},
                now=now,
            )
    return decided
