"""Incidents: what is wrong, since when, on what evidence, and what to do."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Path, Query, Request
from starlette.responses import Response

from schoolwatch_contract.catalogue import FACTS, METRICS, SIGHTINGS
from schoolwatch_server.api import looked
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console import lines
from schoolwatch_server.console.page import page, words_of
from schoolwatch_server.console.words import Words
from schoolwatch_server.database import incident_rows
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.rules import kept
from schoolwatch_server.state import parse_key

ROWS = 50


def listing(
    request: Request,
    who: Who,
    server: Server,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    closed: Annotated[bool, Query()] = False,
) -> Response:
    """Open incidents, or with `closed` the ones that are over; newest first."""
    looked.see(server.looked, server.engine, who, "incident.list", "")
    with begin_read(server.engine) as conn:
        rows = incident_rows.incidents(conn, who.scope, before=before, limit=ROWS + 1, is_open=not closed)
    older = rows[ROWS - 1].id if len(rows) > ROWS else None
    return page(
        request,
        "incidents.html",
        who,
        incidents=rows[:ROWS],
        rules=server.rules,
        closed=closed,
        older=older,
    )


def show(
    request: Request, number: Annotated[int, Path(ge=1, le=2**62)], who: Who, server: Server
) -> Response:
    """One incident."""
    with begin_read(server.engine) as conn:
        row = incident_rows.incident(conn, number, who.scope)
        if row is None:
            raise not_found("incident", str(number))
        events = incident_rows.events(conn, number)
    looked.see(server.looked, server.engine, who, "incident.view", str(number))
    return page(
        request,
        "incident.html",
        who,
        incident=row,
        rule=server.rules.get(row.rule),
        events=events,
        evidence=_evidence(row.evidence, words_of(request)),
        arrived_at=kept.arrived_at(row.evidence),
        threats=kept.threats(row.evidence),
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
    title = lines.title(name, metric or FACTS.get(name), words)
    where = lines.labels_in_words(labels, words)
    if isinstance(value, str):
        shown = words.known(f"value.{value}", value)
    else:
        shown = words.amount(value, metric.unit if metric else "")
    return (f"{title} ({where})" if where else title, shown)


ROUTES = (
    Route("GET", "/incidents", listing, "read"),
    Route("GET", "/incidents/{number}", show, "read"),
)
