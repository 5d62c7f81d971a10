"""The list of incidents: filtered by an address that can be sent on, as a file, and many seen to at once."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated
from urllib.parse import parse_qs

import msgspec
from fastapi import Form, Request
from sqlalchemy import Connection
from starlette.datastructures import QueryParams
from starlette.responses import Response, StreamingResponse

from schoolwatch_server import handling, incident_filter
from schoolwatch_server.access import Principal, may
from schoolwatch_server.api import incident_query, looked
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.exports import headers
from schoolwatch_server.api.problems import bad_field
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console import incident_table, sent_on
from schoolwatch_server.console.incident_words import others, person
from schoolwatch_server.console.page import Csrf, check_form, language_of, page, words_of
from schoolwatch_server.console.serious_words import next_deadlines
from schoolwatch_server.database import incident_lists, incident_news, registry, serious
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.handling import AT_ONCE, NOTE_MAX, Act, Outcome, Wish
from schoolwatch_server.incident_filter import Filter, FilterError
from schoolwatch_server.incident_states import State
from schoolwatch_server.reports import pen

ROWS = 100
"""Incidents of a page."""

ALIKE_MOST, ALIKE_FIRST = 10, 2
"""Lines of what many computers of a school have alike, and those of them that are not folded away."""

Number = Annotated[int, Form(ge=1, le=2**62)]


class Told(msgspec.Struct, frozen=True):
    """What became of an act on many: how many were changed, were so already, and why the others were not.

    Of `left` more that the filter finds nothing was done. Where nothing was done at all, what was ticked and
    typed stays: `ticked`, `assignee`, `note`.
    """

    act: Act
    done: int
    so: int
    others: tuple[tuple[str, tuple[int, ...]], ...]
    left: int = 0
    ticked: tuple[int, ...] = ()
    assignee: str = ""
    note: str = ""


def listing(request: Request, who: Who, server: Server) -> Response:
    """Those that the filter finds, what needs action first; open ones where it says nothing."""
    looked.see(server.looked, server.engine, who, "incident.list", "")
    chosen, before = _chosen(request.query_params), _before(request.query_params)
    told = sent_on.taken(request, Told)
    return sent_on.said(_page(request, who, server, chosen, before=before, told=told), request)


def download(request: Request, who: Who, server: Server) -> Response:
    """All that the filter finds as a file that Excel opens as it is."""
    chosen = _chosen(request.query_params)
    looked.see(server.looked, server.engine, who, "export", "incidents")
    language = language_of(request)
    written = pen.Pen(server.texts, language, pen.EXCEL[language], server.simulated)

    def pieces() -> Iterator[bytes]:
        with begin_read(server.engine) as conn:
            wanted = incident_query.wanted(conn, who, chosen)
            yield from incident_table.file(conn, who.scope, wanted, written, server.rules, words_of(request))

    return StreamingResponse(pieces(), headers=headers("schoolwatch-incidents.csv", "text/csv", written))


def act(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    act: Annotated[Act, Form()] = "acknowledge",
    incident: Annotated[list[Number], Form(max_length=1000)] = [],  # noqa: B006  FastAPI copies it
    whole: Annotated[bool, Form()] = False,
    upto: Annotated[int, Form(ge=0, le=2**62)] = 0,
    of: Annotated[str, Form(max_length=10_000)] = "",
    assignee: Annotated[str, Form(max_length=200)] = "",
    note: Annotated[str, Form(max_length=NOTE_MAX)] = "",
) -> Response:
    """Does the same to those ticked, or to all that `of` finds; the list says what became of them."""
    check_form(who, csrf)
    if act == "reopen":
        raise bad_field("act", "each is opened again by itself, on its own page")
    shown = QueryParams({name: values[0] for name, values in parse_qs(of).items()})
    chosen, before = _chosen(shown), _before(shown)
    numbers, left = _meant(server, who, chosen, upto) if whole else (tuple(incident), 0)
    if len(numbers) > AT_ONCE:
        raise bad_field("incident", f"at most {AT_ONCE} at once, these are {len(numbers)}: tick fewer")
    wish = Wish(act, note, assignee)
    outcomes = handling.handle(server.engine, who, numbers, wish, time.time())
    told = _told(request, wish, outcomes, left, () if whole else numbers)
    sent = sent_on.sent_on(request, "/incidents", told, query=chosen.address(before=before))
    return sent or _page(request, who, server, chosen, before=before, told=told)


def _meant(server: Context, who: Principal, chosen: Filter, upto: int) -> tuple[tuple[int, ...], int]:
    """All that a filter finds, but what came since the page was made; and how many more there are than go."""
    with begin_read(server.engine) as conn:
        wanted = incident_query.wanted(conn, who, chosen)
        found = incident_lists.ids(conn, who.scope, wanted, upto=upto, limit=AT_ONCE)
        counts = incident_lists.counts(conn, who.scope, wanted)
    there = sum(count for state, count in counts.items() if state in wanted.states)
    return found, max(0, there - len(found))


def _told(
    request: Request, wish: Wish, outcomes: tuple[Outcome, ...], left: int, ticked: tuple[int, ...]
) -> Told:
    done = sum(one.is_done for one in outcomes)
    so = sum(one.is_so and not one.is_done for one in outcomes)
    told = Told(wish.act, done, so, others(outcomes, words_of(request)), left)
    if done or so:
        return told
    return msgspec.structs.replace(told, ticked=ticked, assignee=wish.assignee, note=wish.note)


def _page(
    request: Request,
    who: Principal,
    server: Context,
    chosen: Filter,
    *,
    before: int | None = None,
    told: Told | None = None,
) -> Response:
    with begin_read(server.engine) as conn:
        after = incident_news.newest_of(conn, who.scope)
        wanted = incident_query.wanted(conn, who, chosen)
        counts = incident_lists.counts(conn, who.scope, wanted)
        order = chosen.order
        rows = incident_lists.listed(conn, who.scope, wanted, order=order, after=before, limit=ROWS + 1)
        is_one = chosen.rule and chosen.school
        alike = () if is_one else incident_lists.alike(conn, who.scope, wanted, limit=ALIKE_MOST)
        upto = incident_lists.newest(conn, who.scope, wanted)
        names = handling.colleagues(conn, who) if may(who, "handle") else ()
        places = _places(conn, who)
        grave = serious.gravities(conn, [row.id for row in rows[:ROWS]])
    words = words_of(request)
    return page(
        request,
        "incidents.html",
        who,
        at=f"/incidents?{chosen.address()}",
        incidents=rows[:ROWS],
        older=incident_lists.position(rows[ROWS - 1], order) if len(rows) > ROWS else None,
        alike=[(one, replace(chosen, rule=one.rule, school=one.code, exercise="no")) for one in alike],
        first=ALIKE_FIRST,
        upto=upto,
        rules=server.rules,
        chosen=chosen,
        counts={shown: _sum(counts, shown) for shown in incident_filter.SHOWN},
        before=before,
        after=after,
        told=told,
        colleagues=names,
        communes=places,
        at_once=AT_ONCE,
        person=lambda name: person(name, words),
        left=next_deadlines(grave, words, time.time()),
    )


def _places(conn: Connection, who: Principal) -> tuple[tuple[str, str], ...]:
    """Codes and names of communes to choose from, for who sees several."""
    if who.scope.level not in ("all", "province"):
        return ()
    return tuple((row.code, row.name) for row in registry.communes(conn, who.scope))


def _sum(counts: dict[State, int], shown: incident_filter.Shown) -> int:
    return sum(counts[state] for state in incident_filter.states_of(shown))


def _chosen(words: QueryParams) -> Filter:
    try:
        return incident_filter.read(words)
    except FilterError as error:
        raise bad_field(error.field, error.detail) from error


def _before(words: QueryParams) -> int | None:
    text = words.get("before", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) <= 2**62):
        raise bad_field("before", "the number of an incident or its place in the list")
    return int(text)


ROUTES = (
    Route("GET", "/incidents", listing, "read"),
    Route("GET", "/incidents.csv", download, "read"),
    Route("POST", "/incident-acts", act, "handle"),
)
