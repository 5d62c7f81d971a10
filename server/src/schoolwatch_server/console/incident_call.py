"""Whom to call, on an incident's page: tapped on a telephone at night, so it is there at once."""

import time

from schoolwatch_server.access import Principal, may
from schoolwatch_server.api import looked
from schoolwatch_server.api.context import Context
from schoolwatch_server.database import calls, whereabouts
from schoolwatch_server.database.calls import Calls
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.incident_rows import IncidentRow
from schoolwatch_server.rules import Rule
from schoolwatch_server.serious.calls import is_about_a_line


def calls_for(server: Context, who: Principal, incident: IncidentRow, rule: Rule | None) -> Calls:
    """Of an incident that `who` sees; who may see people's numbers sees those of an open one.

    The look is in the audit log before it is shown, as on the page of contacts. What is over needs no call.
    """
    may_see = may(who, "declare") and who.kind == "account" and incident.closed_at is None
    evidence = rule.condition.evidence if rule else ()
    if may_see and incident.school_code:
        looked.see(server.looked, server.engine, who, "contact.look", incident.school_code)
    with begin_read(server.engine) as conn:
        return calls.of_incident(
            conn,
            whereabouts.of_incident(conn, incident.id),
            who.scope,
            time.time(),
            line_first=is_about_a_line(incident.rule, evidence),
            may_see=may_see,
        )
