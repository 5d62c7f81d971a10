"""What a rule in force, and a draft beside it, would have done with what was reported in the past."""

import time
from pathlib import Path
from typing import Annotated

import msgspec
from fastapi import Form, Request
from starlette.responses import Response

from schoolwatch_server.api.problems import Problem, in_words
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console import pack_words
from schoolwatch_server.console.evidence import evidence_in_words
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.console.rules import known
from schoolwatch_server.replays import run
from schoolwatch_server.rules.load import read
from schoolwatch_server.saved import as_bytes
from schoolwatch_server.strict_yaml import SheetError

TEXT_MAX = 60_000


def replay(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    rule: Annotated[str, Form(max_length=60)] = "",
    text: Annotated[str, Form(max_length=TEXT_MAX)] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
    valid_from: Annotated[str, Form(max_length=20)] = "",
    place: Annotated[str, Form(max_length=100)] = "",
    days: Annotated[int, Form(ge=1, le=run.DAYS_MAX)] = run.DAYS,
    schools: Annotated[int, Form(ge=1, le=run.SCHOOLS_MAX)] = run.SCHOOLS,
) -> Response:
    """What the rule in force, and beside it a draft, would have done; waits for it, and saves nothing."""
    check_form(who, csrf)
    now, words = time.time(), words_of(request)
    held = known(server).of(rule, now)
    try:
        draft = read(as_bytes(text), Path("-"), "console") if text else None
    except SheetError as error:
        raise in_words(422, pack_words.refused(words, error, "rules")) from error
    versions = [one for one in (held, draft) if one is not None]
    if not versions:
        raise Problem(404, f"no rule {rule[:60]!r}")
    if any(one.rule.condition.watch is not None for one in versions):
        raise in_words(422, words.text("rules.replay.not_watches"))
    wanted = run.Wanted(place.strip(), days, schools)
    try:
        done = run.replay(
            server.engine, rule, [one.text.decode() for one in versions], wanted, who.scope, now,
            given=run.Given(server.packs.local.issued, server.packs.local.systems),
        )  # fmt: skip
    except run.BusyError as error:
        raise in_words(409, words.text("rules.replay.busy")) from error
    except LookupError as error:
        raise in_words(422, words.text("rules.replay.no_place", code=place[:40])) from error
    return page(
        request,
        "rule_replay.html",
        who,
        at=f"/rules/{versions[0].rule.id}",
        rule=versions[0].rule,
        versions=versions,
        draft=draft,
        in_force=held,
        done=done,
        days_of=sorted(set().union(*(one.by_day for one in done.counts))),
        reason=reason,
        evidence=lambda one: evidence_in_words({"last": msgspec.to_builtins(one)}, words)[0][1],
        valid_from=valid_from,
        shown=run.SHOWN,
    )


ROUTES = (Route("POST", "/rules/typed/replay", replay, "rules"),)
