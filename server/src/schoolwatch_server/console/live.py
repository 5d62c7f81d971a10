"""Streams by which open pages learn that incidents have changed: `api.live` says what is on them."""

from typing import Annotated

from fastapi import Header, Query, Request
from starlette.responses import StreamingResponse

from schoolwatch_server.access import Principal, may
from schoolwatch_server.api import live, looked
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import Problem
from schoolwatch_server.api.route import Route, Server, Who, principal_of

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store, no-transform",  # a proxy that compresses holds back what it has not filled
    "X-Accel-Buffering": "no",  # nginx passes each piece on at once
}

WATCHERS = frozenset({"so_viewer"})
"""Roles that change nothing: a wall screen of theirs stays logged in though nobody touches it."""

Last = Annotated[int | None, Query(ge=0, le=2**62)]


def of_list(
    request: Request,
    who: Who,
    server: Server,
    after: Last = None,
    last_event_id: Annotated[str, Header()] = "",
) -> StreamingResponse:
    """For a list of incidents. `after`, or else the header Last-Event-ID, is the newest event it knows."""
    return _stream(request, who, server, after, last_event_id, is_watched=False)


def of_wall(
    request: Request,
    who: Who,
    server: Server,
    after: Last = None,
    last_event_id: Annotated[str, Header()] = "",
) -> StreamingResponse:
    """For a wall screen, which keeps its own session open where its role changes nothing."""
    return _stream(request, who, server, after, last_event_id, is_watched=who.role in WATCHERS)


def _stream(
    request: Request, who: Principal, server: Context, after: int | None, header: str, *, is_watched: bool
) -> StreamingResponse:
    try:
        server.live.check(who)
    except live.FullError:
        text = "there are too many open pages that update by themselves: close some"
        raise Problem(503, text, headers={"Retry-After": str(live.RETRY)}) from None
    looked.see(server.looked, server.engine, who, "incident.list", "")
    if after is None and header.isascii() and header.isdecimal() and len(header) <= 18:
        after = int(header)

    def still() -> bool:
        now = principal_of(request, is_watched=is_watched)
        same = now is not None and (now.kind, now.name, now.scope) == (who.kind, who.name, who.scope)
        return same and now is not None and may(now, "read")

    return StreamingResponse(server.live.events(who, after, still), headers=HEADERS)


ROUTES = (
    Route("GET", "/incidents/stream", of_list, "read"),
    Route("GET", "/wall/stream", of_wall, "read"),
)
