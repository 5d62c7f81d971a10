"""What a rule in force, and a draft beside it, would have done with what is stored of the past."""

import time
from copy import copy
from pathlib import Path
from typing import Annotated

import msgspec
from fastapi import Form, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server.access import Principal
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import Problem, bad_field, in_words
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console import pack_words
from schoolwatch_server.console.evidence import evidence_in_words
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.console.rules import known
from schoolwatch_server.console.words import Words
from schoolwatch_server.database import replaying
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.packs.form import day
from schoolwatch_server.replays import wanted as asked
from schoolwatch_server.replays.job import SHOWN
from schoolwatch_server.replays.running import SECONDS_MAX, BusyError, Running
from schoolwatch_server.replays.wanted import RefusedError, Wanted
from schoolwatch_server.rules.load import read
from schoolwatch_server.rules.told import Given
from schoolwatch_server.saved import as_bytes
from schoolwatch_server.strict_yaml import SheetError
from schoolwatch_server.vietnam import ends

TEXT_MAX = 60_000
Count = Annotated[str, Form(max_length=20)]
LONG = 60.0
"""Seconds from which on an estimate is shown first, and somebody has to say that it may start."""


def start(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    rule: Annotated[str, Form(max_length=60)] = "",
    text: Annotated[str, Form(max_length=TEXT_MAX)] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
    valid_from: Annotated[str, Form(max_length=20)] = "",
    place: Annotated[str, Form(max_length=100)] = "",
    days: Count = f"{asked.DAYS}",
    until: Annotated[str, Form(max_length=20)] = "",
    schools: Count = f"{asked.SCHOOLS}",
    sure: Annotated[bool, Form()] = False,
) -> Response:
    """Starts it, or says first how long it will take; nothing of the rule is saved."""
    check_form(who, csrf)
    now, words, there = time.time(), words_of(request), known(server)
    held = there.of(rule, now)
    try:
        draft = read(as_bytes(text), Path("-"), "console") if text else None
    except SheetError as error:
        raise in_words(422, pack_words.refused(words, error, "rules")) from error
    versions = [one for one in (held, draft) if one is not None]
    if not versions:
        raise Problem(404, f"no rule {rule[:60]!r}")
    teacher = next((there.of(one.rule.known_by, now) for one in versions if one.rule.known_by), None)
    wanted = Wanted(
        place.strip(),
        _counted("days", days, 1, asked.DAYS_MAX, words),
        _counted("schools", schools, 0, asked.SCHOOLS_MAX, words),
        _end_of(until, words),
    )
    try:
        prepared = asked.prepare(
            server.engine, server.config, rule, [one.text.decode() for one in versions], wanted, who.scope,
            now, given=Given(server.packs.local.issued, server.packs.local.systems),
            teacher=teacher.text.decode() if teacher else "",
        )  # fmt: skip
    except RefusedError as error:
        raise in_words(422, refused(error, words)) from error
    about = {"reason": reason, "valid_from": valid_from, "draft": text, "until": until}
    about["has"] = "yes" if held else ""
    estimated = server.replays.estimated(prepared)
    if estimated > SECONDS_MAX:
        longest = words.span(SECONDS_MAX)
        raise in_words(422, words.text("rules.replay.too_long", span=words.span(estimated), most=longest))
    if estimated > LONG and not sure:
        return page(
            request, "rule_replay_ask.html", who, at=f"/rules/{versions[0].rule.id}", rule=versions[0].rule,
            prepared=prepared, about=about, estimated=estimated,
        )  # fmt: skip
    try:
        running = server.replays.start(who.name, prepared, about)
    except BusyError as error:
        raise in_words(409, words.text("rules.replay.busy")) from error
    return RedirectResponse(f"/replays/{running.id}", 303)


def show(request: Request, replay: str, who: Who, server: Server) -> Response:
    """How far it is, or what it came to; to whoever started it alone."""
    running, words = copy(_one(server, replay, who)), words_of(request)  # it goes on while we write
    prepared, about = running.prepared, running.about
    versions = [read(text.encode(), Path("-"), "console") for text in prepared.job.texts]
    draft = versions[-1] if about["draft"] else None
    found = [one for its in running.found for one in its] if running.is_over else []
    with begin_read(server.engine) as conn:
        names = replaying.named(conn, {one.subject for one in found})
    return page(
        request,
        "rule_replay.html",
        who,
        rule=versions[0].rule,
        versions=versions,
        draft=draft,
        in_force=bool(about["has"]),
        running=running,
        prepared=prepared,
        job=prepared.job,
        about=about,
        names=names,
        part_of=lambda one: one.subject.partition(":")[2].partition(":")[2],
        actual=asked.actual(server.engine, prepared) if running.state == "done" else None,
        days_of=sorted(set().union(*(one.by_day for one in running.counts))),
        evidence=lambda one: evidence_in_words({"last": msgspec.to_builtins(one)}, words)[0][1],
        shown=SHOWN,
    )


def cancel(replay: str, who: Who, server: Server, csrf: Csrf = "") -> Response:
    """Ends it; what it has found so far stays."""
    check_form(who, csrf)
    _one(server, replay, who).stop.set()
    return RedirectResponse(f"/replays/{replay}", 303)


def refused(error: RefusedError, words: Words) -> str:
    """Why it can't be replayed, in words."""
    match error.trouble:
        case "no_history":
            return words.text("rules.replay.no_history", why=words.text(f"rules.replay.why.{error.about}"))
        case "no_place":
            return words.text("rules.replay.no_place", code=error.about[:40])
        case "wider":
            return words.text(f"rules.replay.wider_{error.about}")
    return words.text("rules.replay.nothing_then", when=words.when(error.since))


def _end_of(text: str, words: Words) -> float | None:
    """The end of a day in Vietnam as people write it, UTC seconds; None of nothing."""
    if not text.strip():
        return None
    found = day(text.strip())
    if found is None:
        raise in_words(422, words.text("rules.replay.no_day", day=text[:20]))
    return ends(found)


def _counted(field: str, text: str, least: int, most: int, words: Words) -> int:
    """A whole number. Raises a 422 `Problem` that names the field."""
    typed = text.strip()
    if typed.isascii() and typed.isdecimal() and least <= int(typed) <= most:
        return int(typed)
    right = words.text("rules.replay.count", least=least, most=most)
    raise bad_field(field, right, words.text(f"rules.replay.{field}"))


def _one(server: Context, replay: str, who: Principal) -> Running:
    try:
        return server.replays.one(replay, who.name)
    except LookupError as error:
        raise Problem(404, "no such replay") from error


ROUTES = (
    Route("POST", "/rules/typed/replay", start, "rules"),
    Route("GET", "/replays/{replay}", show, "rules"),
    Route("POST", "/replays/{replay}/cancel", cancel, "rules"),
)
