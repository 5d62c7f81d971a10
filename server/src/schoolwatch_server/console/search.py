"""Finding a school by its name or code, typed with diacritics or without."""

from collections.abc import Iterable
from typing import Annotated
from urllib.parse import quote

from fastapi import Query, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server.alphabet import order, plain
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import page
from schoolwatch_server.database import pages, registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.pages import NamedRow

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


def find(query: str, schools: Iterable[NamedRow]) -> list[NamedRow]:
    """Those whose name, commune or code has every word of the query, the likeliest first.

    A word is the beginning of one in a name, or any part of a code.
    """
    words = plain(query).split()
    ranked = [(rank, school) for school in schools if (rank := _rank(query, words, school)) is not None]
    return [school for _, school in sorted(ranked, key=lambda one: (one[0], order(one[1].name), one[1].code))]


def _rank(query: str, words: list[str], school: NamedRow) -> int | None:
    """0 the code itself, 1 the name as typed, 2 the name without diacritics, 3 otherwise; None: not found."""
    code, name = school.code.casefold(), f" {plain(school.name)}"
    everywhere = f"{name} {plain(school.commune)}"
    if not all(f" {word}" in everywhere or word in code for word in words):
        return None
    if code == query.casefold():
        return 0
    if query.casefold() in school.name.casefold():
        return 1
    return 2 if f" {' '.join(words)}" in name else 3


ROUTES = (Route("GET", "/search", show, "read"),)
