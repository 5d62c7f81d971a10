"""Exercises: one is started with its place, rule and end, is seen by everybody, and ends."""

import time
from typing import Annotated

from fastapi import Form, Path, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import exercises, tokens
from schoolwatch_server.api.problems import bad_field, not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.notifications import everybodys
from schoolwatch_server.console.notifications import filed as filed_channels
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.database import channel_rows, exercise_rows, scopes
from schoolwatch_server.database.engine import begin_read

Short = Annotated[str, Form(max_length=80)]
ROWS = 30


def show(request: Request, who: Who, server: Server) -> Response:
    """The form, and those that were held."""
    with begin_read(server.engine) as conn:
        rows = exercise_rows.listed(conn, ROWS)
        return page(
            request,
            "exercises.html",
            who,
            rows=rows,
            rules=server.rules,
            places=scopes.where(conn, {row.scope for row in rows}),
            most=exercises.PLACES_MAX,
            longest=int(exercises.LONGEST // 60),
        )


def start(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    rule: Short = "",
    place: Short = "",
    schools: Annotated[int, Form(ge=1, le=exercises.PLACES_MAX)] = 1,
    minutes: Annotated[int, Form(ge=1, le=int(exercises.LONGEST // 60))] = 60,
    note: Annotated[str, Form(max_length=exercises.NOTE_MAX)] = "",
) -> Response:
    """Begins one: its incidents open at once and are told as real ones are, marked."""
    check_form(who, csrf)
    said = words_of(request)
    chosen = server.rules.get(rule)
    scope = tokens.scope_within(server.engine, who, place.strip())
    if chosen is None:
        raise bad_field("rule", said.text("exercise.fault.rule"), said.text("exercise.rule"))
    if scope is None:
        raise bad_field("place", said.text("duty.fault.place"), said.text("exercise.place"))
    filed = filed_channels(server)
    with begin_read(server.engine) as conn:
        kept = channel_rows.listed(conn)
    everybody = everybodys(filed, kept)
    wanted = exercises.Wanted(chosen, scope, schools, minutes * 60.0, note)
    try:
        exercises.start(server.engine, wanted, everybody, who.name, time.time())
    except exercises.ExerciseError as error:
        raise bad_field(
            "exercise", said.text(f"exercise.fault.{error}"), said.text("exercise.start")
        ) from error
    return RedirectResponse("/exercises", 303)


def end(number: Annotated[int, Path(ge=1, le=2**62)], who: Who, server: Server, csrf: Csrf = "") -> Response:
    """Ends one before its time."""
    check_form(who, csrf)
    if not exercises.end(server.engine, number, who.name, time.time()):
        raise not_found("exercise", str(number))
    return RedirectResponse("/exercises", 303)


ROUTES = (
    Route("GET", "/exercises", show, "system"),
    Route("POST", "/exercises", start, "duty"),
    Route("POST", "/exercises/{number}/end", end, "duty"),
)
