"""/api/v1/incidents: what rules have found, newest first, and what people do about it."""

import hmac
import time
from collections.abc import Mapping
from typing import Annotated

from fastapi import Path, Query, Request

from schoolwatch_server import handling, incident_filter
from schoolwatch_server.access import ForbiddenError, Principal
from schoolwatch_server.api import incident_query, looked
from schoolwatch_server.api import incident_shapes as shapes
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.gravity import gravity_json, witnesses_json
from schoolwatch_server.api.problems import bad_field, not_found
from schoolwatch_server.api.query import CODE, Cursor, DeviceName, Limit, SchoolCode
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.api.times import rfc3339
from schoolwatch_server.database import incident_lists, incident_rows, registry, serious
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.handling import Outcome, Wish
from schoolwatch_server.incident_filter import TEXT_MAX, Filter, FilterError, Order, Shown
from schoolwatch_server.rules import kept
from schoolwatch_server.serious import evidence
from schoolwatch_server.severity import Severity

Json = dict[str, object]

Number = Annotated[int, Path(ge=1, le=2**62)]
Text = Annotated[str, Query(max_length=TEXT_MAX)]
States = Annotated[
    Shown, Query(description="`active` is open or acknowledged, `closed` any other; all, when left out")
]
Assignee = Annotated[
    str, Query(max_length=TEXT_MAX, description="Name of an account; `me` is who asks, `none` is nobody")
]
Flag = Annotated[bool | None, Query()]


def incidents(
    who: Who,
    server: Server,
    school: SchoolCode = None,
    device: DeviceName = None,
    state: States = "all",
    severity: Annotated[Severity | None, Query()] = None,
    rule: Annotated[str, Query(max_length=60)] = "",
    commune: Annotated[str | None, Query(pattern=CODE, description="Mã xã")] = None,
    assignee: Assignee = "",
    late: Flag = None,
    exercise: Flag = None,
    q: Annotated[Text, Query(description="Words of a school's or device's name, or a number")] = "",
    order: Annotated[
        Order, Query(description="By number, the newest first; or what needs action first")
    ] = "number",
    limit: Limit = 100,
    cursor: Cursor = 0,
) -> Json:
    """Incidents with evidence; `next` goes into `cursor`, with the same `order`, for the page after."""
    words = {"state": state, "severity": severity, "rule": rule, "commune": commune, "school": school}
    words |= {
        "device": device,
        "assignee": assignee,
        "late": _word(late),
        "exercise": _word(exercise),
        "q": q,
        "order": order,
    }
    chosen = _filter({name: word for name, word in words.items() if word})
    with begin_read(server.engine) as conn:
        if school is not None and registry.school_by_code(conn, school, who.scope) is None:
            raise not_found("school", school)
        wanted = incident_query.wanted(conn, who, chosen)
        after = cursor or None
        rows = incident_lists.listed(conn, who.scope, wanted, order=order, after=after, limit=limit + 1)
    looked.see(server.looked, server.engine, who, "incident.list", school or device or "")
    return {
        "incidents": [incident_json(row) for row in rows[:limit]],
        "next": incident_lists.position(rows[limit - 1], order) if len(rows) > limit else None,
    }


def one(number: Number, who: Who, server: Server) -> Json:
    """One with its evidence and all that happened to it, the oldest first."""
    with begin_read(server.engine) as conn:
        row = _found(incident_rows.incident(conn, number, who.scope), number)
        events = incident_rows.events(conn, number)
        gravity = serious.gravities(conn, [number])[number]
    looked.see(server.looked, server.engine, who, "incident.view", str(number))
    told = [{"at": rfc3339(e.at), "kind": e.kind, "detail": e.detail} for e in events]
    again = kept.newest((event.kind, event.detail) for event in events)
    known = {"gravity": gravity_json(gravity, time.time()), "witnesses": witnesses_json(row.evidence, again)}
    return incident_json(row) | {"events": told} | known


def acknowledge(number: Number, body: shapes.Acknowledge, request: Request, who: Who, server: Server) -> Json:
    """You have seen it and see to it. Where somebody has before you, nothing changes, and they are named."""
    return _act(request, who, server, number, Wish("acknowledge", body.note))


def assign(number: Number, body: shapes.Assign, request: Request, who: Who, server: Server) -> Json:
    """Gives it to an account that sees it, may see to it, and is of your own part of the tree."""
    return _act(request, who, server, number, Wish("assign", body.note, body.assignee, body.was))


def note(number: Number, body: shapes.WriteNote, request: Request, who: Who, server: Server) -> Json:
    """Writes something into its timeline; the same note again within ten minutes is kept once."""
    return _act(request, who, server, number, Wish("note", body.note))


_CLOSES: Mapping[str, handling.Act] = {
    "resolved": "resolve",
    "false_alarm": "false_alarm",
    "withdrawn": "withdraw",
}


def close(number: Number, body: shapes.Close, request: Request, who: Who, server: Server) -> Json:
    """Closes it. It stays closed while its readings still show the fault, and until that has come anew.

    `withdrawn` is for what nobody can see to be over, as the gateway that saw it is gone or silent.
    """
    return _act(request, who, server, number, Wish(_CLOSES[body.verdict], body.note))


def reopen(number: Number, body: shapes.Acknowledge, request: Request, who: Who, server: Server) -> Json:
    """Takes back that a person closed it."""
    return _act(request, who, server, number, Wish("reopen", body.note))


def many(body: shapes.Many, request: Request, who: Who, server: Server) -> Json:
    """The same for many: says of each what became of it, in their order."""
    check_session(request, who)
    wish = Wish(body.act, body.note, body.assignee)
    outcomes = handling.handle(server.engine, who, body.incidents, wish, time.time())
    return {"outcomes": [_outcome_json(each) for each in outcomes]}


def incident_json(row: incident_rows.IncidentRow) -> Json:
    """One incident as JSON."""
    about = evidence.about(row.evidence)
    return {
        "id": row.id,
        "rule": row.rule,
        "rule_version": row.rule_version,
        "severity": row.severity,
        "state": row.state,
        "about": about[1] if about else None,
        "device": row.device,
        "label": row.label,
        "school": row.school_code,
        "commune": row.commune_code,
        "place": row.place,
        "since": rfc3339(row.since),
        "opened_at": rfc3339(row.opened_at),
        "closed_at": rfc3339(row.closed_at),
        "reopened_at": rfc3339(row.reopened_at),
        "acknowledged_at": rfc3339(row.acknowledged_at),
        "acknowledged_by": row.acknowledged_by or None,
        "assignee": row.assignee or None,
        "closed_by": row.verdict_by or None,
        "late": row.late,
        "arrived_at": rfc3339(kept.arrived_at(row.evidence)),
        "exercise": row.is_exercise,
        "evidence": row.evidence,
    }


def _act(request: Request, who: Principal, server: Context, number: int, wish: Wish) -> Json:
    check_session(request, who)
    (outcome,) = handling.handle(server.engine, who, [number], wish, time.time())
    if outcome.why == "nobody":
        raise bad_field("assignee", "no account of that name sees this incident and may see to it")
    if outcome.why == "empty":
        raise bad_field("note", "write something that can be printed")
    with begin_read(server.engine) as conn:
        row = _found(incident_rows.incident(conn, number, who.scope), number)
    return {"outcome": _outcome_json(outcome), "incident": incident_json(row)}


def check_session(request: Request, who: Principal) -> None:
    """A browser's session sends along what its forms carry: no other site knows that."""
    if who.kind == "account":
        sent = request.headers.get("x-csrf-token", "")
        if not who.csrf or not hmac.compare_digest(who.csrf.encode(), sent.encode()):
            raise ForbiddenError("csrf")


def _found(row: incident_rows.IncidentRow | None, number: int) -> incident_rows.IncidentRow:
    if row is None:
        raise not_found("incident", str(number))
    return row


def _outcome_json(told: Outcome) -> Json:
    return {
        "incident": told.incident,
        "done": told.is_done,
        "why": told.why,
        "by": told.by or None,
        "at": rfc3339(told.at),
        "newer": told.newer,
    }


def _word(flag: bool | None) -> str:
    return "" if flag is None else "yes" if flag else "no"


def _filter(words: dict[str, str]) -> Filter:
    try:
        return incident_filter.read(words)
    except FilterError as error:
        raise bad_field(error.field, error.detail) from error


_AT = "/api/v1/incidents/{number}"

ROUTES = (
    Route("GET", "/api/v1/incidents", incidents, "read", "What rules have found", answer=shapes.Incidents),
    Route("GET", _AT, one, "read", "One incident with its timeline", answer=shapes.OneIncident),
    Route("POST", f"{_AT}/acknowledge", acknowledge, "handle", "Takes an incident", answer=shapes.Handled),
    Route("POST", f"{_AT}/assign", assign, "handle", "Gives an incident to somebody", answer=shapes.Handled),
    Route("POST", f"{_AT}/note", note, "handle", "Notes something", answer=shapes.Handled),
    Route("POST", f"{_AT}/close", close, "handle", "Closes an incident", answer=shapes.Handled),
    Route("POST", f"{_AT}/reopen", reopen, "handle", "Takes back a closing", answer=shapes.Handled),
    Route("POST", "/api/v1/incident-acts", many, "handle", "Many at once", answer=shapes.HandledMany),
)
