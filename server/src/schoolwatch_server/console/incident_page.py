"""One incident: what is wrong, since when, on what evidence, what to do, and who sees to it."""

import math
import time
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from fastapi import Form, Path, Query, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import handling
from schoolwatch_server.access import may
from schoolwatch_server.api import looked
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console import incident_words, sent_on
from schoolwatch_server.console.evidence import evidence_in_words
from schoolwatch_server.console.incident_call import calls_for
from schoolwatch_server.console.notifications import naming
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.console.serious_words import timers_in_words
from schoolwatch_server.database import (
    identities,
    incident_rows,
    maintenances,
    serious,
    sightings,
    unobserved,
)
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.incident_rows import IncidentRow
from schoolwatch_server.handling import NOTE_MAX, Act, Wish
from schoolwatch_server.rules import kept
from schoolwatch_server.serious import evidence

Number = Annotated[int, Path(ge=1, le=2**62)]


class Refused(msgspec.Struct, frozen=True):
    """Why an act was refused, in words, and what was typed into its form."""

    why: str
    act: str = ""
    note: str = ""
    assignee: str = ""


def show(
    request: Request,
    number: Number,
    who: Who,
    server: Server,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The incident; `done` is what who asks has just done."""
    refused = sent_on.taken(request, Refused)
    if refused is not None:
        return sent_on.said(_page(request, number, who, server, refused.why, refused), request)
    return _page(request, number, who, server, words_of(request).known(f"handling.done.{done}", ""))


def act(
    request: Request,
    number: Number,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    act: Annotated[Act, Form()] = "acknowledge",
    note: Annotated[str, Form(max_length=2 * NOTE_MAX)] = "",
    assignee: Annotated[str, Form(max_length=200)] = "",
    was: Annotated[str | None, Form(max_length=200)] = None,
    back: Annotated[Literal["", "network"], Form()] = "",
) -> Response:
    """Does it and shows the incident, or the list of the school's network where it was done there.

    Whoever was second is told who was first, and nothing is undone.
    """
    check_form(who, csrf)
    wish = Wish(act, note, assignee, was)
    (outcome,) = handling.handle(server.engine, who, [number], wish, time.time())
    if outcome.why == "unseen":
        raise not_found("incident", str(number))
    if outcome.is_so and back == "network":
        with begin_read(server.engine) as conn:
            row = incident_rows.incident(conn, number, who.scope)
        if row is not None and row.school_code:
            return RedirectResponse(f"/schools/{row.school_code}/network?done=ours", 303)
    if outcome.is_so:
        return RedirectResponse(f"/incidents/{number}?done={act}", 303)
    told = incident_words.outcome(outcome, words_of(request))
    refused = Refused(told, act, note, assignee)
    sent = sent_on.sent_on(request, f"/incidents/{number}", refused)
    return sent or _page(request, number, who, server, told, refused)


def _page(
    request: Request, number: int, who: Who, server: Server, told: str, refused: Refused | None = None
) -> Response:
    words = words_of(request)
    with begin_read(server.engine) as conn:
        row = incident_rows.incident(conn, number, who.scope)
        if row is None:
            raise not_found("incident", str(number))
        events = incident_rows.events(conn, number)
        gravity = serious.gravities(conn, [number])[number]
        planned = maintenances.of_incident(conn, number, time.time())
        settled = {work.id for work in planned if maintenances.one(conn, who.scope, work.id) is not None}
        is_unobserved = bool(unobserved.among(conn, [number]))
        names = handling.assignable(conn, who, number) if may(who, "handle") else ()
        called = naming(conn, who, words)
        again = kept.newest((event.kind, event.detail) for event in events)
        behind = identities.behind(conn, number, evidence.pseudonyms(row.evidence, again))
        seen_by = _seen_by(conn, row)
        asked = {*evidence.seers(row.evidence, again), *behind.values(), *seen_by}
        names_of = incident_rows.called(conn, asked)
    looked.see(
        server.looked, server.engine, who, "incident.view", str(number)
    )  # what is not theirs, nobody saw
    rule = server.rules.get(row.rule)
    is_seen = rule is not None and bool(rule.condition.sighting) and not row.is_exercise
    return page(
        request,
        "incident.html",
        who,
        200 if refused is None or request.method == "GET" else 409,
        at=f"/incidents/{number}",
        incident=row,
        rule=rule,
        planned=planned,
        settled=settled,
        events=incident_words.timeline(events, words, called, is_seen=is_seen),
        evidence=evidence_in_words(row.evidence, words, again, called, names_of, behind),
        seen_by=[(names_of[one], count) for one, count in seen_by.items() if one in names_of],
        gravity=gravity,
        timers=timers_in_words(gravity, words, time.time()),
        calls=calls_for(server, who, row, rule),
        arrived_at=kept.arrived_at(row.evidence),
        is_many=kept.is_many(row.evidence),
        threats=kept.threats(row.evidence, again),
        told=told,
        refused=refused,
        names=names,
        note_max=NOTE_MAX,
        is_unobserved=is_unobserved,
        goes_on=incident_words.goes_on(row, events),
        person=lambda name: incident_words.person(name, words),
    )


def _seen_by(conn: Connection, row: IncidentRow) -> Mapping[int, int]:
    """Of a machine that gateways saw: how often each of the school's, while the incident is open."""
    told = [seen for one in evidence.witnesses(row.evidence) for seen in one.seen]
    if kept.is_many(row.evidence):
        return {}
    if row.device or not row.school_code or not told:
        return {}
    until = math.inf if row.closed_at is None else row.closed_at
    return sightings.seen_by(conn, row.id, told[-1].kind, told[-1].subject, row.since, until)


ROUTES = (
    Route("GET", "/incidents/{number}", show, "read"),
    Route("POST", "/incidents/{number}/act", act, "handle"),
)
