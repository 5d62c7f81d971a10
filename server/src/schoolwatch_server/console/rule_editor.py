"""Changes a rule: a form or its whole text, looked at with what it changes, then saved."""

import re
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import rule_versions, strict_yaml
from schoolwatch_server.access import Principal
from schoolwatch_server.alphabet import plain
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import Problem, in_words
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.changes import changes
from schoolwatch_server.console import pack_words, rule_form, rule_words
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.console.rules import as_held, known
from schoolwatch_server.console.words import ZONE
from schoolwatch_server.database import registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.packs.form import Given, day, slug
from schoolwatch_server.replays import histories, wanted
from schoolwatch_server.rule_versions import Known
from schoolwatch_server.rules import Held
from schoolwatch_server.rules.load import read, shipped
from schoolwatch_server.saved import VersionError
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.strict_yaml import SheetError

FIELDS_MAX = 200
TEXT_MAX = 60_000

_DRAFT = Path("-")


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody is typing; `text` is what it began from, or the whole of it, `is_new` a copy."""

    rule: str
    base: int
    text: str
    valid_from: str = ""
    reason: str = ""
    is_text: bool = False
    is_new: bool = False
    given: Given = field(default_factory=dict)
    faults: dict[str, rule_form.Reason] = field(default_factory=dict)
    wrong: str = ""
    held: Held | None = None


def edit(
    request: Request,
    rule: str,
    who: Who,
    server: Server,
    as_text: bool = False,
    copy: bool = False,
    of_program: bool = False,
) -> Response:
    """What will hold of a rule when all that waits acts, to be changed or copied; or what the program has."""
    there = known(server)
    held = _of_program(rule) if of_program else _latest(rule, there)
    if held is None:
        raise Problem(404, f"no rule {rule[:60]!r}")
    base = rule_versions.LOCAL if copy else there.newest(rule)
    draft = Draft(rule, base, held.text.decode(), is_text=as_text, is_new=copy)
    return _page(request, who, server, draft)


async def look(request: Request, who: Who, server: Server) -> Response:
    """What a filled form or a text would change, or what is wrong with it; nothing is saved."""
    async with request.form(max_files=0, max_fields=FIELDS_MAX) as sent:
        given = {name: tuple(v for v in sent.getlist(name) if isinstance(v, str)) for name in sent}
    check_form(who, _one(given, "csrf"))
    return await run_in_threadpool(_looked, request, who, server, given)


def save(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    text: Annotated[str, Form(max_length=TEXT_MAX)] = "",
    valid_from: Annotated[str, Form(max_length=20)] = "",
    reason: Annotated[str, Form(max_length=rule_versions.REASON_MAX)] = "",
    base: Annotated[int, Form(ge=0, le=1_000_000)] = 0,
) -> Response:
    """Saves what was looked at, as it was seen."""
    check_form(who, csrf)
    try:
        held = rule_versions.save(
            server.engine, server.rule_sheets.folder, _codes(server), text, instant(valid_from),
            base=base, reason=reason, by=who.name, now=time.time(),
        )  # fmt: skip
    except (SheetError, VersionError) as error:
        wrong = pack_words.refused(words_of(request), error, "rules")
        draft = Draft("", base, text, valid_from, reason, is_text=True, wrong=wrong)
        return _page(request, who, server, draft, 422)
    server.rule_sheets.look()
    return RedirectResponse(f"/rules/{held.rule.id}", 303)


def end(
    request: Request,
    rule: str,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    valid_from: Annotated[str, Form(max_length=20)] = "",
    reason: Annotated[str, Form(max_length=rule_versions.REASON_MAX)] = "",
) -> Response:
    """Takes what was typed in out of force; what the program comes with holds again."""
    check_form(who, csrf)
    folder = server.rule_sheets.folder
    try:
        since = instant(valid_from)
        rule_versions.end(server.engine, folder, rule, since, reason=reason, by=who.name, now=time.time())
    except VersionError as error:
        raise in_words(422, pack_words.refused(words_of(request), error, "rules")) from error
    server.rule_sheets.look()
    return RedirectResponse(f"/rules/{rule}", 303)


def take_back(
    request: Request,
    rule: str,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    version: Annotated[int, Form(ge=1, le=1_000_000)] = 1,
) -> Response:
    """A version that does not act yet never will."""
    check_form(who, csrf)
    try:
        rule_versions.take_back(server.engine, rule, version, by=who.name, now=time.time())
    except VersionError as error:
        raise in_words(422, pack_words.refused(words_of(request), error, "rules")) from error
    server.rule_sheets.look()
    return RedirectResponse(f"/rules/{rule}", 303)


def instant(text: str) -> float | None:
    """`07:30 30/11/2026` or `30/11/2026 07:30` in Vietnam, UTC seconds; None of nothing: as soon as can be.

    Raises `VersionError`.
    """
    words = text.replace("T", " ").split()
    if not words:
        return None
    clock = next((word for word in words if ":" in word), "00:00")
    dates = [word for word in words if ":" not in word]
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", clock)
    date = day(dates[0]) if len(dates) == 1 else None
    if found is None or date is None:
        raise VersionError("not_a_time")
    moment = datetime(date.year, date.month, date.day, int(found[1]), int(found[2]), tzinfo=ZONE)
    return moment.timestamp()


# --- what was typed ----------------------------------------------------------------------------------------


def _looked(request: Request, who: Principal, server: Context, given: Given) -> Response:
    base = _one(given, "base")
    draft = Draft(
        _one(given, "rule")[:60],
        int(base) if base.isdecimal() and len(base) < 8 else 0,
        _one(given, "text").replace("\r\n", "\n")[:TEXT_MAX],
        _one(given, "valid_from")[:20],
        _one(given, "reason")[: rule_versions.REASON_MAX],
        is_text=_one(given, "shape") == "text",
        is_new=_one(given, "is_new") == "true",
        given=given,
    )
    words, there, now = words_of(request), known(server), time.time()
    try:
        if not draft.is_text:
            draft = _filled(server, draft, there)
            if draft.faults:
                return _page(request, who, server, draft, 422)
        held = rule_versions.preview(draft.text, instant(draft.valid_from), draft.reason, there, now)
        if draft.is_new:
            _refuse_taken(held.rule.id, there)
    except (SheetError, VersionError) as error:
        wrong = pack_words.refused(words, error, "rules")
        return _page(request, who, server, replace(draft, wrong=wrong), 422)
    return _page(request, who, server, replace(draft, held=held))


def _filled(server: Context, draft: Draft, there: Known) -> Draft:
    """With the text that the form makes of what it began from. Raises `SheetError` and `VersionError`."""
    rule = read(draft.text.encode(), _DRAFT, "console").rule
    data = strict_yaml.load(draft.text.encode(), _DRAFT)
    given = dict(draft.given)
    given["f.only.communes"] = (_codes_of(server, _one(given, "f.only.communes")),)
    text, faults = rule_form.filled(rule, data, given)
    if draft.is_new:
        name = slug(_one(draft.given, "new_id"))
        _refuse_taken(name, there)
        text = re.sub(r"(?m)^id:.*$", f"id: {name}", text, count=1)
    return replace(draft, text=text, faults=faults) if not faults else replace(draft, faults=faults)


def _codes_of(server: Context, told: str) -> str:
    """Codes in the places of communes' names, where one commune alone is called so."""
    if not told.strip():
        return ""
    with begin_read(server.engine) as conn:
        communes = registry.communes(conn, EVERYTHING)
    codes: dict[str, str] = {}
    for one in communes:  # two of one name: which is meant has to be said by its code
        codes[plain(one.name)] = "" if plain(one.name) in codes else one.code
    words = [word.strip() for word in told.replace("\n", ",").split(",")]
    return ", ".join(codes.get(plain(word)) or word for word in words if word)


def _codes(server: Context) -> list[str]:
    with begin_read(server.engine) as conn:
        return [one.code for one in registry.communes(conn, EVERYTHING)]


def _refuse_taken(id_: str, there: Known) -> None:
    """A copy needs a name that no rule has had."""
    if id_ in there.book.ids or any(one.name == id_ for one in there.stored):
        raise VersionError("taken", name=id_)


def _of_program(rule: str) -> Held | None:
    return next((one for one in shipped() if one.rule.id == rule), None)


def _latest(rule: str, there: Known) -> Held | None:
    """What holds of it in the end, or held once."""
    held = there.of(rule, float("inf"))
    typed = (found for one in reversed(there.stored) if one.name == rule and (found := as_held(one)))
    return held or next(typed, None)


def _one(given: Given, name: str) -> str:
    found = given.get(name, ())
    return found[0] if found else ""


# --- the page ----------------------------------------------------------------------------------------------


def _page(request: Request, who: Principal, server: Context, draft: Draft, status: int = 200) -> Response:
    words, now = words_of(request), time.time()
    fields: tuple[rule_form.Field, ...] = ()
    before, changed = None, list[tuple[str, str, str]]()
    if not draft.is_text:
        try:
            fields = rule_form.fields(read(draft.text.encode(), _DRAFT, "console").rule)
        except SheetError:  # no page of ours sent that text
            draft = replace(draft, is_text=True)
    if draft.held is not None and draft.held.since is not None:
        before = known(server).of(draft.rule if draft.is_new else draft.held.rule.id, draft.held.since)
        found = changes(before.rule if before else None, draft.held.rule)
        changed = list(rule_words.changed(found, words))
    return page(
        request,
        "rule_edit.html",
        who,
        status,
        at=f"/rules/{draft.rule}/edit" if draft.rule else "/rules",
        draft=draft,
        known=server.rules.get(draft.rule),
        fields=fields,
        values=lambda each: draft.given.get(each.name, each.values) if draft.given else each.values,
        faults={name: words.text(f"packs.fault.{reason}") for name, reason in draft.faults.items()},
        stages=rule_form.STAGES,
        before=before,
        changed=changed,
        sentence=rule_words.sentence(draft.held.rule, words) if draft.held else "",
        rule_words=rule_words,
        at_time=rule_words.at,
        soonest=rule_versions.soonest(now),
        window=wanted.DAYS,
        schools=wanted.SCHOOLS,
        why_not=histories.why_not(draft.held.rule) if draft.held else "",
    )


ROUTES = (
    Route("GET", "/rules/{rule}/edit", edit, "rules"),
    Route("POST", "/rules/typed/look", look, "rules"),
    Route("POST", "/rules/typed/save", save, "rules"),
    Route("POST", "/rules/{rule}/end", end, "rules"),
    Route("POST", "/rules/{rule}/take-back", take_back, "rules"),
)
