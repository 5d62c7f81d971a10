"""Types in a pack: a form for plans and criteria, YAML for the rest; changes are seen before they hold."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any

from fastapi import Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import pack_versions
from schoolwatch_server import packs as load_packs
from schoolwatch_server.access import Principal
from schoolwatch_server.alphabet import plain
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import Problem, in_words
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.changes import changes
from schoolwatch_server.claims.questions import BY_ID, QUESTIONS
from schoolwatch_server.console import pack_words
from schoolwatch_server.console.packs import known, said
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.database import registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.pack_versions import Known, VersionError
from schoolwatch_server.packs import form
from schoolwatch_server.packs.criteria import Criteria
from schoolwatch_server.packs.form import Fault, Given, Shape
from schoolwatch_server.packs.plan import Plan
from schoolwatch_server.packs.sheet import Held
from schoolwatch_server.scope import EVERYTHING
from schoolwatch_server.sheets import today
from schoolwatch_server.strict_yaml import SheetError

MORE = 3
"""Empty rows that a form shows below those that are filled in."""

FIELDS_MAX = 4000


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody is typing: a form's fields or a text, and what was found when it was looked at."""

    pack: str
    base: int
    valid_from: str
    shape: Shape | None
    given: Given = field(default_factory=dict)
    text: str = ""
    rows: int = MORE
    faults: tuple[Fault, ...] = ()
    wrong: str = ""
    held: Held | None = None


def new(request: Request, who: Who, server: Server) -> Response:
    """An empty form of a plan."""
    return _page(request, who, server, Draft("", 0, f"{today():%d/%m/%Y}", form.PLAN))


def edit(request: Request, pack: str, who: Who, server: Server, as_text: bool = False) -> Response:
    """The pack in force, what waits or the example, to be changed."""
    there = known(server)
    held = _to_edit(pack, there)
    if held is None:
        raise Problem(404, f"no pack {pack[:60]!r}")
    base, since = there.newest(pack), f"{today():%d/%m/%Y}"
    shape = None if as_text else form.SHAPES.get(held.kind)
    if shape is None or not isinstance(held.sheet, Plan | Criteria):
        return _page(request, who, server, Draft(pack, base, since, None, text=held.text.decode()))
    given = form.values(shape, held.sheet)
    return _page(request, who, server, Draft(pack, base, since, shape, given))


async def look(request: Request, who: Who, server: Server) -> Response:
    """What a filled form or a text would change, or what is wrong with it; nothing is saved."""
    async with request.form(max_files=0, max_fields=FIELDS_MAX) as filled:
        given = {name: tuple(v for v in filled.getlist(name) if isinstance(v, str)) for name in filled}
    check_form(who, _one(given, "csrf"))
    return await run_in_threadpool(_looked, request, who, server, given)


def save(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    text: Annotated[str, Form(max_length=300_000)] = "",
    valid_from: Annotated[str, Form(max_length=20)] = "",
    base: Annotated[int, Form(ge=0, le=1_000_000)] = 0,
) -> Response:
    """Saves what was looked at, as it was seen."""
    check_form(who, csrf)
    draft = Draft("", base, valid_from, None, text=text)
    since = form.day(valid_from)
    if since is None:
        wrong = words_of(request).text("packs.refused.not_a_day")
        return _page(request, who, server, _with(draft, wrong=wrong), 422)
    try:
        held = pack_versions.save(
            server.engine,
            server.pack_sheets.folder,
            BY_ID,
            text,
            since,
            base=base,
            by=who.name,
            now=time.time(),
        )
    except (SheetError, VersionError) as error:
        wrong = pack_words.refused(words_of(request), error)
        return _page(request, who, server, _with(draft, wrong=wrong), 422)
    server.pack_sheets.look()
    return RedirectResponse(f"/packs/{held.sheet.id}", 303)


def end(
    request: Request,
    pack: str,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    valid_from: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Takes what was typed in out of force from a day on."""
    check_form(who, csrf)
    since, words = form.day(valid_from), words_of(request)
    if since is None:
        raise in_words(422, words.text("packs.refused.not_a_day"))
    try:
        pack_versions.end(server.engine, server.pack_sheets.folder, pack, since, by=who.name, now=time.time())
    except VersionError as error:
        raise in_words(422, pack_words.refused(words, error)) from error
    server.pack_sheets.look()
    return RedirectResponse(f"/packs/{pack}", 303)


# --- what was typed ----------------------------------------------------------------------------------------


def _looked(request: Request, who: Principal, server: Context, given: Given) -> Response:
    shape = form.SHAPES.get(_one(given, "shape"))
    number = _one(given, "base")
    draft = Draft(
        _one(given, "pack")[:60],
        int(number) if number.isdecimal() and len(number) < 8 else 0,
        _one(given, "valid_from")[:20],
        shape,
        given,
        _one(given, "text").replace("\r\n", "\n"),
    )
    words, there = words_of(request), known(server)
    if shape is not None:
        if _one(given, "do") == "add":
            return _page(request, who, server, _with(draft, rows=MORE * 2))
        data, faults = form.read(shape, given)
        faults = (*faults, *_communes(server, data, given))
        if faults:
            return _page(request, who, server, _with(draft, faults=faults), 422)
        name = draft.pack or _new_id(data, there)
        draft = _with(draft, text=form.to_yaml({"id": name, "version": draft.base + 1} | data))
    since = form.day(draft.valid_from)
    if since is None:
        wrong = words.text("packs.refused.not_a_day")
        return _page(request, who, server, _with(draft, wrong=wrong), 422)
    try:
        held = pack_versions.check(draft.text, since, there)
    except (SheetError, VersionError) as error:
        wrong = pack_words.refused(words, error)
        return _page(request, who, server, _with(draft, wrong=wrong), 422)
    return _page(request, who, server, _with(draft, held=held))


def _new_id(data: Mapping[str, Any], there: Known) -> str:
    """A name that no pack has, of the document's number and year."""
    issued = data.get("date")
    year = f"_{issued.year}" if isinstance(issued, date) else ""
    word = form.slug(f"plan {data.get('number') or data.get('vi', '')}")
    names = (f"{word}{year}", *(f"{word}{year}_{number}" for number in range(2, 1000)))
    taken = {held.sheet.id for held in load_packs.examples()}
    return next(name for name in names if name not in taken and there.newest(name) == 0)


def _communes(server: Context, data: dict[str, Any], given: Given) -> list[Fault]:
    """Puts codes in the places of communes' names; a fault for each field with one that nobody knows."""
    items = [item for item in data.get("items", []) if item.get("communes")]
    if not items:
        return []
    with begin_read(server.engine) as conn:
        communes = registry.communes(conn, EVERYTHING)
    codes = {plain(one.name): one.code for one in communes} | {one.code: one.code for one in communes}
    faults = []
    numbers = form.numbers(form.PLAN.rows[0], given)
    for number, item in zip(numbers, data["items"], strict=True):
        found = [codes.get(word, codes.get(plain(word))) for word in item.get("communes", [])]
        if None in found:
            faults.append(Fault(f"items.{number}.communes", "no_commune"))
        elif found:
            item["communes"] = found
    return faults


def _to_edit(pack: str, there: Known) -> Held | None:
    """What holds on the latest day that anything was saved for; else the example."""
    latest = load_packs.load(there.folder, there.stored, date.max)
    held = next(iter(pack_versions.sheet_of(latest, pack)), None)
    return held or next((one for one in load_packs.examples() if one.sheet.id == pack), None)


def _with(draft: Draft, **other: Any) -> Draft:
    return Draft(**{name: getattr(draft, name) for name in Draft.__slots__} | other)


def _one(given: Given, name: str) -> str:
    found = given.get(name, ())
    return found[0] if found else ""


# --- the page ----------------------------------------------------------------------------------------------


def _page(request: Request, who: Principal, server: Context, draft: Draft, status: int = 200) -> Response:
    words, day = words_of(request), today()
    held, before, since = draft.held, None, form.day(draft.valid_from)
    if held is not None:
        there = known(server)
        until_then = load_packs.load(there.folder, there.stored, since)
        before = next(iter(pack_versions.sheet_of(until_then, held.sheet.id)), None)
    old, new_one = before.sheet if before else None, held.sheet if held else None
    changed = () if new_one is None else changes(old, new_one)
    writing = said(request, who, server, day)
    return page(
        request,
        "pack_edit.html",
        who,
        status,
        at=f"/packs/{draft.pack}/edit" if draft.pack else "/packs/plans/new",
        draft=draft,
        before=before,
        changed=pack_words.changed(writing, changed, new_one, old),
        faults={one.field: pack_words.fault(words, one) for one in draft.faults},
        numbers=_numbers(draft),
        values=lambda name: draft.given.get(name, ()),
        stages=form.STAGES,
        indicators=[(f"i:{one.id}", words.known(f"indicator.{one.id}", one.id)) for one in INDICATORS],
        questions=[(f"q:{one.id}", pack_words.question(words, one.id)) for one in QUESTIONS],
        since=since,
        today=day,
        said=writing,
    )


def _numbers(draft: Draft) -> dict[str, list[int]]:
    """By list, the numbers of the rows that the form shows: those that are filled in and some empty ones."""
    if draft.shape is None:
        return {}
    shown = {}
    for rows in draft.shape.rows:
        filled = form.numbers(rows, draft.given)
        following = max(filled, default=-1) + 1
        shown[rows.name] = [*filled, *range(following, following + draft.rows)]
    return shown


ROUTES = (
    Route("GET", "/packs/plans/new", new, "packs"),
    Route("GET", "/packs/{pack}/edit", edit, "packs"),
    Route("POST", "/packs/typed/look", look, "packs"),
    Route("POST", "/packs/typed/save", save, "packs"),
    Route("POST", "/packs/{pack}/end", end, "packs"),
)
