"""Finding a school by its name or code, typed with diacritics or without."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Query, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import page
from schoolwatch_server.database import pages, registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.schools import find

ROWS = 50
"""Schools shown at most; whoever needs others types more."""


def show(
    request: Request, who: Who, server: Server, query: Annotated[str, Query(alias="q", max_length=100)] = ""
) -> Response:
    """The schools found; of a single one its own page."""
    query = " ".join("".join(char if char.isprintable() else " " for char in query).split())
    with begin_read(server.engine) as conn:
        found = find(query, pages.named(conn, who.scope)) if query else []
        past = registry.school_by_code(conn, query, who.scope) if query and not found else None
    codes = [school.code for school in found] if past is None else [past.code or query]
    if len(codes) == 1:
        return RedirectResponse(f"/schools/{codes[0]}", 303)
    return page(
        request,
        "search.html",
        who,
        at=f"/search?q={quote(query)}",
        query=query,
        found=found[:ROWS],
        count=len(found),
    )


ROUTES = (Route("GET", "/search", show, "read"),)
