"""What a filter of incidents means to who asks: themselves, and the schools that a typed word finds."""

from sqlalchemy import Connection

from schoolwatch_server import handling, schools
from schoolwatch_server.access import Principal
from schoolwatch_server.database import pages
from schoolwatch_server.database.incident_lists import Wanted
from schoolwatch_server.incident_filter import ME, NOBODY, Filter

SCHOOLS_MOST = 200
"""Schools that a typed word finds at most: whoever means more of them says a commune."""


def wanted(conn: Connection, who: Principal, chosen: Filter) -> Wanted:
    """What the database is asked for."""
    found = schools.find(chosen.q, pages.named(conn, who.scope)) if chosen.q else []
    return Wanted(
        states=chosen.states,
        severity=chosen.severity or None,
        rule=chosen.rule or None,
        commune=chosen.commune or None,
        school=chosen.school or None,
        device=chosen.device or None,
        assignee=_assignee(who, chosen.assignee),
        late=_flag(chosen.late),
        exercise=_flag(chosen.exercise),
        message=chosen.message or None,
        text=chosen.q,
        schools=[school.code for school in found[:SCHOOLS_MOST]],
    )


def _assignee(who: Principal, name: str) -> str | None:
    if not name:
        return None
    return {ME: handling.actor(who), NOBODY: ""}.get(name, name)


def _flag(word: str) -> bool | None:
    return None if not word else word == "yes"
