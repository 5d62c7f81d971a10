"""A school's website on the school's page."""

from dataclasses import dataclass

from sqlalchemy import Connection

from schoolwatch_server import site_standing as standing
from schoolwatch_server.access import Principal
from schoolwatch_server.config import Sites
from schoolwatch_server.database import claims, sites
from schoolwatch_server.database.registry import SchoolRow
from schoolwatch_server.site_rounds import REST

_QUESTION = "website"
"""By which a school declares its site's address with evidence."""


@dataclass(frozen=True, slots=True)
class Box:
    """A school's site on its page, how it did for 30 days, and the address that the school declared."""

    row: sites.SiteRow | None
    did: sites.Availability | None
    days_left: int | None
    state: standing.State
    section: Sites
    may_look: bool
    claimed: str


def box(conn: Connection, who: Principal, school: SchoolRow, section: Sites, now: float) -> Box:
    """What the box says."""
    row = sites.of_school(conn, who.scope, school.id)
    if row is None:
        said = claims.recognised(conn, who.scope, (_QUESTION,), (school.id,)).get(school.id, {})
        claimed = said[_QUESTION].text if _QUESTION in said else ""
        return Box(None, None, None, "unknown", section, may_look=False, claimed=claimed)
    return Box(
        row,
        sites.availability(conn, who.scope, row.id, now - 30 * standing.DAY),
        standing.days_left(row, now),
        standing.state(row),
        section,
        may_look=section.enabled and row.look is not None and row.look.at <= now - REST,
        claimed="",
    )
