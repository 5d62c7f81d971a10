"""Incidents: what is wrong, since when, on what evidence, and what to do."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Path, Query, Request
from starlette.responses import Response

from schoolwatch_contract.catalogue import FACTS, METRICS
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import page, words_of
from schoolwatch_server.console.words import Words
from schoolwatch_server.database import incident_rows
from schoolwatch_server.database.engine import begin_read
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
    return page(
        request,
        "incident.html",
        who,
        incident=row,
        rule=server.rules.get(row.rule),
        events=events,
        evidence=list(_evidence(row.evidence, words_of(request))),
    )


def _evidence(evidence: Any, words: Words) -> Iterator[tuple[str, str]]:
    """Name and value of what was kept with the incident, in the catalogue's words where it has them."""
    if not isinstance(evidence, dict):
        return
    for name, value in evidence.items():
        if isinstance(value, dict):
            yield from _evidence(value, words)
        else:
            yield _line(str(name), value, words)


def _line(text: str, value: Any, words: Words) -> tuple[str, str]:
    name, labels = parse_key(text) if text.endswith("}") else (text, {})
    kind = METRICS.get(name) or FACTS.get(name)
    title = name if kind is None else kind.vi if words.language == "vi" else kind.en
    metric = METRICS.get(name)
    where = words.labels(labels)
    if value is None or (metric is not None and isinstance(value, int | float)):
        shown = words.amount(value, metric.unit if metric else "")
    else:
        shown = str(value)
    return (f"{title} ({where})" if where else title, shown)


ROUTES = (
    Route("GET", "/incidents", listing, "read"),
    Route("GET", "/incidents/{number}", show, "read"),
)
