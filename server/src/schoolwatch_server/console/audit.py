"""The audit log: who did what, when, for those who check it; whole as a file."""

import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response, StreamingResponse

from schoolwatch_server import audit_log
from schoolwatch_server.api import looked
from schoolwatch_server.api.problems import bad_field
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import page
from schoolwatch_server.console.words import ZONE
from schoolwatch_server.database import audit_page
from schoolwatch_server.database.audit_page import Wanted
from schoolwatch_server.database.engine import begin_read

PAGE = 100
"""Lines that are shown at once."""

_DAY = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$"
From = Annotated[str, Query(alias="from", pattern=_DAY)]
To = Annotated[str, Query(alias="to", pattern=_DAY)]
Text = Annotated[str, Query(max_length=80)]


def show(
    request: Request,
    who: Who,
    server: Server,
    since: From = "",
    until: To = "",
    actor: Text = "",
    action: Annotated[str, Query(max_length=40)] = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """The page; both days count in Vietnam's time, the last one whole."""
    looked.see(server.looked, server.engine, who, "audit.view", "")
    wanted = Wanted(day_start("from", since), _day_end(until), actor.strip(), action, before)
    with begin_read(server.engine) as conn:
        lines = audit_page.lines(conn, wanted, PAGE + 1)
        actions = audit_page.actions(conn)
    return page(
        request,
        "audit.html",
        who,
        lines=lines[:PAGE],
        more=len(lines) > PAGE,
        actions=actions,
        chosen={"from": since, "to": until, "actor": actor.strip(), "action": action},
    )


def download(
    who: Who,
    server: Server,
    since: From = "",
    until: To = "",
) -> Response:
    """The lines of a time as CSV, with the hashes by which they are verified; that it was taken is a line."""
    begin, end = day_start("from", since), _day_end(until)

    def pieces() -> Iterator[bytes]:
        with audit_log.export(server.engine, begin, end, "csv", by=who.name, now=time.time()) as file:
            yield from file

    name = f"{'simulated-' if server.simulated else ''}schoolwatch-audit.csv"
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return StreamingResponse(pieces(), headers=headers)


def day_start(field: str, day: str) -> float | None:
    """The first second of a day in Vietnam. Raises a 422 `Problem` for a day that no calendar has."""
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day), datetime.min.time(), ZONE).timestamp()
    except (ValueError, OverflowError) as error:
        raise bad_field(field, "is no day: write it as 2026-11-30") from error


def _day_end(day: str) -> float | None:
    start = day_start("to", day)
    return None if start is None else start + timedelta(days=1).total_seconds()


ROUTES = (
    Route("GET", "/audit", show, "audit"),
    Route("GET", "/audit.csv", download, "audit"),
)
