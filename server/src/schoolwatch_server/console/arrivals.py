"""Computers that wait: on a page for all that somebody may let in, and on each school's own."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Form, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.approval import decide
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.console.words import Words
from schoolwatch_server.database import arrivals
from schoolwatch_server.database.arrivals import ArrivalRow
from schoolwatch_server.database.engine import begin_read

Devices = Annotated[list[Annotated[str, Form(pattern="^[0-9a-f]{32}$")]], Form(max_length=1000)]

MOST = 500
"""Computers shown at once: a province that lets them pile up lets in the first ones first."""


@dataclass(frozen=True, slots=True)
class Group:
    """The computers that wait for one room of one school, or for no room of it."""

    school_code: str
    school: str
    room: str | None
    rows: Sequence[ArrivalRow]

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.rows)

    @property
    def plain(self) -> Sequence[ArrivalRow]:
        """Those that look like nobody else: a click lets all of them in."""
        return [row for row in self.rows if row.resembles is None]


def groups(rows: Sequence[ArrivalRow]) -> list[Group]:
    """By school and room, in their order."""
    found: dict[tuple[int, int | None], list[ArrivalRow]] = {}
    for row in rows:
        found.setdefault((row.school_id, row.room_id), []).append(row)
    return [Group(own[0].school_code, own[0].school, own[0].room, own) for own in found.values()]


def kind(row: ArrivalRow, words: Words) -> str:
    """`máy để bàn · Dell OptiPlex 3070 · Windows 11 Pro`: what the computer told of itself."""
    told = row.about
    chassis = told.get("hardware.chassis", "")
    model = " ".join(filter(None, (told.get("hardware.vendor"), told.get("hardware.model"))))
    system = " ".join(filter(None, (told.get("os.name"), told.get("os.version"))))
    parts = (words.known(f"value.{chassis}", chassis), model, system)
    return " · ".join(filter(None, parts)) or words.text("arrival.tells_nothing")


def show(request: Request, who: Who, server: Server) -> Response:
    """Every computer that waits where this person may let it in."""
    with begin_read(server.engine) as conn:
        rows = arrivals.waiting(conn, who.scope)
    return page(
        request,
        "arrivals.html",
        who,
        groups=groups(rows[:MOST]),
        count=len(rows),
        most=MOST,
        kind=lambda row: kind(row, words_of(request)),
    )


def decided(
    who: Who,
    server: Server,
    csrf: Csrf = "",
    decision: Annotated[Literal["approve", "refuse", "room"], Form()] = "approve",
    device: Devices = [],  # noqa: B006  FastAPI copies it
    of_room: Devices = [],  # noqa: B006
    school: Annotated[str, Form(max_length=20, pattern="^[0-9A-Za-z._-]*$")] = "",
) -> Response:
    """Lets in or refuses the computers that were ticked, or lets in a whole room."""
    check_form(who, csrf)
    chosen = of_room if decision == "room" else device
    done = decide(
        server.engine,
        chosen,
        "refuse" if decision == "refuse" else "approve",
        who.scope,
        by=who.name,
        now=time.time(),
    )
    if chosen and not done:
        raise not_found("waiting device", chosen[0])
    return RedirectResponse(f"/schools/{school}#arrivals" if school else "/arrivals", 303)


ROUTES = (
    Route("GET", "/arrivals", show, "enrol"),
    Route("POST", "/arrivals/decide", decided, "enrol"),
)
