"""The screen on the wall of the operations room: what is open, who waits, and whether this is still so."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import Connection
from starlette.responses import Response

from schoolwatch_server.api import looked
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import page
from schoolwatch_server.database import duty_rows, incident_news, pages, wall
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.duty.shift import is_on
from schoolwatch_server.indicators.current import limits
from schoolwatch_server.scope import Scope
from schoolwatch_server.severity import SEVERITIES

ROWS = 5
"""Incidents in each of its two columns: more can't be read from the other side of a room."""

SCHOOLS_EVERY = 60.0
"""Seconds for which schools are not counted anew: it is a look at each computer."""

_MOST = 500


@dataclass(frozen=True, slots=True)
class Schools:
    """How many there are, how many have a computer that is watched, and of how many none reported lately."""

    total: int
    watched: int
    silent: int


_counted: dict[tuple[int, Scope], tuple[float, Schools]] = {}


def show(request: Request, who: Who, server: Server) -> Response:
    """The whole screen; it asks for itself again when something has changed."""
    looked.see(server.looked, server.engine, who, "incident.list", "")
    with begin_read(server.engine) as conn:
        after = incident_news.newest_of(conn, who.scope)
        by_severity = {one.severity: one for one in wall.by_severity(conn, who.scope)}
        longest = wall.longest(conn, who.scope, ROWS)
        newest = wall.newest(conn, who.scope, ROWS)
        exercises = wall.exercises(conn, who.scope)
        duty = _on_duty(conn, who.scope)
    return page(
        request,
        "wall.html",
        who,
        after=after,
        tiles=[(name, by_severity.get(name)) for name in SEVERITIES],
        unacknowledged=sum(one.unacknowledged for one in by_severity.values()),
        longest=longest,
        newest=newest,
        exercises=exercises,
        duty=duty,
        rules=server.rules,
        schools=_schools(server, who.scope),
        heard=server.packs.windows.heard,
    )


def _on_duty(conn: Connection, scope: Scope) -> list[str]:
    """By which shifts somebody is told at once just now; the list is the department's own."""
    if scope.level != "all":
        return []
    now = time.time()
    return [shift.name for shift in duty_rows.shifts(conn) if shift.step == 1 and is_on(shift, now)]


def _schools(server: Context, scope: Scope) -> Schools:
    key, now = (id(server), scope), time.monotonic()
    known = _counted.get(key)
    if known is not None and now - known[0] < SCHOOLS_EVERY:
        return known[1]
    after = limits(server.packs, time.time())
    with begin_read(server.engine) as conn:
        found = _count(
            pages.tallies(conn, scope, heard_after=after.heard_after, working_after=after.working_after)
        )
    while len(_counted) >= _MOST:
        _counted.pop(next(iter(_counted)), None)
    _counted[key] = (now, found)
    return found


def _count(rows: Sequence[pages.TallyRow]) -> Schools:
    watched = [row for row in rows if row.devices]
    return Schools(len(rows), len(watched), sum(1 for row in watched if not row.heard))


ROUTES = (Route("GET", "/wall", show, "read"),)
