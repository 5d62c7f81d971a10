"""How much waits for who asks, beside the links of the menu: whatever page one is on, one sees it."""

import time
from dataclasses import dataclass

from sqlalchemy import exc

from schoolwatch_server.access import Principal, may
from schoolwatch_server.api.context import Context
from schoolwatch_server.console import claim_turns
from schoolwatch_server.database import incident_news, serious, waits
from schoolwatch_server.database.engine import begin_read

KEPT = 5.0
"""Seconds for which it is not counted anew."""

_MOST = 2000


@dataclass(frozen=True, slots=True)
class Counts:
    """Answers and reports that wait for a person, what came back to it included; incidents not yet taken, and
    serious ones that still have to be reported.
    """

    claims: int = 0
    reports: int = 0
    incidents: int = 0
    serious: int = 0


_NONE = Counts()
_known: dict[tuple[int, str, str], tuple[float, Counts]] = {}


def counts(server: Context, who: Principal | None) -> Counts:
    """Those of who asks; none where nobody can look just now: a menu must not cost a page."""
    if who is None or who.kind != "account" or who.must or not may(who, "read"):
        return _NONE
    key, now = (id(server), who.name, f"{who.scope}"), time.monotonic()
    known = _known.get(key)
    if known is not None and now - known[0] < KEPT:
        return known[1]
    try:
        found = _count(server, who)
    except exc.SQLAlchemyError:
        return _NONE
    while len(_known) >= _MOST:
        _known.pop(next(iter(_known)), None)
    _known[key] = (now, found)
    return found


def _count(server: Context, who: Principal) -> Counts:
    level = who.scope.level
    turn: waits.Turn = "school" if level == "school" else "xa" if level == "commune" else "so"
    with begin_read(server.engine) as conn:
        incidents = incident_news.waiting(conn, who.scope).unacknowledged
        if not may(who, "evidence"):
            return Counts(incidents=incidents)
        claims = claim_turns.count(conn, who)
        if level == "school":
            claims += sum(one.count for one in waits.answers(conn, who.scope) if one.turn == "school")
        decides = level == "school" or may(who, "accept")
        reports = waits.reports(conn, who.scope) if decides else ()
        owing = serious.count_owing(conn, who.scope) if may(who, "report_incidents") else 0
    return Counts(claims, sum(one.count for one in reports if one.turn == turn), incidents, owing)
