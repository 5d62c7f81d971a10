"""Whose turn it is to decide on what schools declare, and how much waits for somebody."""

from dataclasses import dataclass

from sqlalchemy import Connection

from schoolwatch_server.access import Permission, Principal, may
from schoolwatch_server.claims.states import Party, Step
from schoolwatch_server.database import claims
from schoolwatch_server.levels import Manager


@dataclass(frozen=True, slots=True)
class Turn:
    """A party whose decision is waited for, and by which step it agrees."""

    party: Party
    permission: Permission
    step: Step
    manager: Manager = "so"


TURNS: dict[str, tuple[Turn, ...]] = {
    "school_head": (Turn("head", "approve", "approve"),),
    "commune": (Turn("manager", "accept", "accept", "xa"),),
    "so_admin": (Turn("manager", "accept", "accept"), Turn("so", "recognise", "recognise")),
    "so_viewer": (Turn("manager", "accept", "accept"), Turn("so", "recognise", "recognise")),
    "auditor": (Turn("manager", "accept", "accept"), Turn("so", "recognise", "recognise")),
}
"""Role → what waits for it; who only reads sees what waits for the Sở. A technician decides on nothing."""


def count(conn: Connection, who: Principal) -> int:
    """How many answers wait for this person's decision."""
    return sum(
        claims.count_waiting(conn, who.scope, turn.party, by=turn.manager)
        for turn in TURNS.get(str(who.role), ())
        if may(who, turn.permission)
    )
