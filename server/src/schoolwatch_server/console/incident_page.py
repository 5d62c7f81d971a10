"""One incident: what is wrong, since when, on what evidence, what to do, and who sees to it."""

import time
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Form, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_contract.catalogue import FACTS, METRICS, SIGHTINGS
from schoolwatch_server import handling
from schoolwatch_server.access import may
from schoolwatch_server.api import looked
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console import incident_words, lines
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.console.words import Words
from schoolwatch_server.database import incident_rows
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.handling import NOTE_MAX, Act, Wish
from schoolwatch_server.rules import kept
from schoolwatch_server.state import parse_key

Number = Annotated[int, Path(ge=1, le=2**62)]


def show(
    request: Request,
    number: Number,
    who: Who,
    server: Server,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The incident; `done` is what who asks has just done."""
    looked.see(server.looked, server.engine, who, "incident.view", str(number))
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
) -> Response:
    """Does it and shows the incident; whoever was second is told who was first, and nothing is undone."""
    check_form(who, csrf)
    wish = Wish(act, note, assignee, was)
    (outcome,) = handling.handle(server.engine, who, [number], wish, time.time())
    if outcome.why == "unseen":
        raise not_found("incident", str(number))
    if outcome.is_so:
        return RedirectResponse(f"/incidents/{number}?done={act}", 303)
    told = incident_words.outcome(outcome, words_of(request))
    return _page(request, number, who, server, told, refused=True)


def _page(
    request: Request, number: int, who: Who, server: Server, told: str, *, refused: bool = False
) -> Response:
    with begin_read(server.engine) as conn:
        row = incident_rows.incident(conn, number, who.scope)
        if row is None:
            raise not_found("incident", str(number))
        events = incident_rows.events(conn, number)
        names = handling.assignable(conn, who, number) if may(who, "handle") else ()
    words = words_of(request)
    return page(
        request,
        "incident.html",
        who,
        at=f"/incidents/{number}",
        incident=row,
        rule=server.rules.get(row.rule),
        events=incident_words.timeline(events, words),
        evidence=_evidence(row.evidence, words),
        arrived_at=kept.arrived_at(row.evidence),
        threats=kept.threats(row.evidence),
        told=told,
        refused=refused,
        names=names,
        note_max=NOTE_MAX,
        goes_on=incident_words.goes_on(row, events),
        chip_of=incident_words.chip,
        person=lambda name: incident_words.person(name, words),
    )


@dataclass(frozen=True, slots=True)
class Witness:
    """One envelope that was kept as evidence: when it was taken (UTC seconds), and what it said, in words."""

    taken_at: float | None
    lines: tuple[tuple[str, str], ...]


def _evidence(evidence: Any, words: Words) -> list[tuple[str, Witness]]:
    """The first envelope that showed the fault and the one that opened the incident, as rules kept them."""
    if not isinstance(evidence, dict):
        return []
    return [(which, _witness(held, words)) for which in ("first", "last") if (held := evidence.get(which))]


def _witness(witnessed: dict[str, Any], words: Words) -> Witness:
    told = {**witnessed.get("readings", {}), **witnessed.get("facts", {})}
    said = [_line(key, value, words) for key, value in told.items()]
    if kind := witnessed.get("sighting"):
        what = witnessed.get("detail", {}).get("what", "same_number")
        title = lines.title(kind, SIGHTINGS.get(kind), words)
        said.append((title, words.known(f"change.{what}", what)))
    return Witness(witnessed.get("taken_at"), tuple(said))


def _line(key: str, value: float | str | None, words: Words) -> tuple[str, str]:
    """Name and value as the device's page has them."""
    name, labels = parse_key(key)
    metric = METRICS.get(name)
    kind = metric or FACTS.get(name)
    title = lines.title(name, kind, words) if kind else words.known(name, name)  # what a watch found
    where = lines.labels_in_words(labels, words)
    if isinstance(value, str):
        shown = words.known(f"value.{value}", value)
    else:
        shown = words.amount(value, metric.unit if metric else "")
    return (f"{title} ({where})" if where else title, shown)


ROUTES = (
    Route("GET", "/incidents/{number}", show, "read"),
    Route("POST", "/incidents/{number}/act", act, "handle"),
)
