"""A list of schools, or of what they have, from a browser: looked through, then imported as it was seen."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Annotated

import msgspec
from fastapi import Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import Response

from schoolwatch_server import handed_in, roster_words, rosters
from schoolwatch_server.access import Principal, authorise, may
from schoolwatch_server.api.problems import bad_field, not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console import sent_on
from schoolwatch_server.console.page import Csrf, check_form, language_of, page
from schoolwatch_server.database import registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.registry import RegistryError
from schoolwatch_server.texts import Voice
from schoolwatch_server.workbooks import template
from schoolwatch_server.workbooks.grid import BYTES_MAX, GridError

SHOWN = 200
"""Changes, and faults, that a page shows; it says how many there are."""

FILES: Mapping[rosters.Name, str] = {
    "commune": "xa",
    "school": "truong",
    "campus": "diem-truong",
    "room": "phong",
    "class": "lop",
    "contract": "hop-dong-duong-truyen",
    "asset": "tai-san",
    "contact": "dau-moi-cntt",
    "check": "kiem-tra-may",
}
"""How the template of each list is called."""

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Done(msgspec.Struct, frozen=True):
    """What was imported, in words."""

    text: str


def show(request: Request, who: Who) -> Response:
    """The form, and what was imported with it just now."""
    done = sent_on.taken(request, Done)
    return sent_on.said(_page(request, who, told="" if done is None else done.text), request)


async def look(request: Request, who: Who, server: Server) -> Response:
    """What the list would change, or what is wrong with it; a good one is kept for a while to be imported."""
    voice = Voice(server.texts, language_of(request), "workbook")
    async with request.form(max_files=1, max_fields=4) as form:
        csrf, file, wanted = form.get("csrf"), form.get("file"), form.get("roster")
        check_form(who, csrf if isinstance(csrf, str) else "")
        if not isinstance(file, UploadFile) or not file.filename:
            return _page(request, who, told=voice("no_file"), status=422)
        data, name = await file.read(BYTES_MAX + 1), file.filename[:100]
    roster = _asked(who, wanted)
    try:
        found = await run_in_threadpool(rosters.look, server.engine, roster, data, who.scope, time.time())
    except GridError as error:
        return _page(request, who, told=f"{name}: {roster_words.error(error, voice)}", status=422)
    if not found.plan.problems:
        handed_in.keep(server.config.folder, server.config.master_key, data, time.time())
    return _page(request, who, preview=_shown(found, name, voice), status=422 if found.plan.problems else 200)


def take_in(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    digest: Annotated[str, Form(pattern="^[0-9a-f]{64}$")] = "",
    name: Annotated[str, Form(max_length=100)] = "",
    roster: Annotated[rosters.Name, Form()] = "school",
) -> Response:
    """Imports the list that was looked through; what it would do is compared with the registry once more."""
    check_form(who, csrf)
    voice = Voice(server.texts, language_of(request), "workbook")
    _asked(who, roster)
    data = handed_in.find(server.config.folder, server.config.master_key, digest, time.time())
    if data is None:
        return _page(request, who, told=voice("gone"), status=422)
    try:
        found = rosters.take_in(server.engine, roster, data, who.scope, by=who.name, now=time.time())
    except RegistryError:
        return _page(request, who, told=voice("gone"), status=422)
    if found.plan.problems:  # somebody changed the registry meanwhile
        return _page(request, who, preview=_shown(found, name, voice), status=422)
    done = Done(roster_words.counts(found, voice, done=True))
    return sent_on.sent_on(request, "/imports", done) or _page(request, who, told=done.text)


def download(who: Who, server: Server, roster: rosters.Name = "school", school: str = "") -> Response:
    """A list to fill in: empty, or as what is known of a school; contacts are in no file."""
    rows: list[Mapping[str, object]] = []
    if school and roster in rosters.LISTS:
        with begin_read(server.engine) as conn:
            found = registry.school_by_code(conn, school, who.scope)
            if found is None or not found.code:
                raise not_found("school", school)
            rows = rosters.rows_of(conn, roster, found)
    simulated = server.simulated and bool(rows)
    headers = {
        "Content-Disposition": f'attachment; filename="{"simulated-" * simulated}{FILES[roster]}.xlsx"',
        "Cache-Control": "no-store",
    }
    title = server.texts.get("vi", "page.simulated") if simulated else ""
    file = template.write(rosters.ROSTERS[roster].fields, rows, title)
    return Response(file, media_type=_XLSX, headers=headers)


def _page(
    request: Request, who: Who, *, told: str = "", preview: dict[str, object] | None = None, status: int = 200
) -> Response:
    return page(
        request,
        "imports.html",
        who,
        status,
        at="/imports",
        told=told,
        refused=status != 200,
        preview=preview,
        rosters=[name for name in rosters.NAMES if may(who, rosters.ROSTERS[name].permission)],
    )


def _asked(who: Principal, wanted: object) -> rosters.Name:
    """The kind of list that somebody wants to import. Raises `ForbiddenError` for one that isn't theirs."""
    name = next((one for one in rosters.NAMES if one == wanted), None)
    if name is None:
        raise bad_field("roster", f"one of {', '.join(rosters.NAMES)}")
    authorise(who, rosters.ROSTERS[name].permission)
    return name


def _shown(found: rosters.Preview, name: str, voice: Voice) -> dict[str, object]:
    """What the page shows of it, in words."""
    plan, fields = found.plan, rosters.ROSTERS[found.name].fields
    problem = partial(roster_words.reason, voice=voice)
    many = len(plan.problems) > SHOWN
    more = len(plan.problems or plan.changes) - SHOWN
    return {
        "name": name,
        "roster": found.name,
        "digest": found.digest,
        "head": tuple(roster_words.head(found, name, voice)),
        "problems": [(one, problem(one)) for one in plan.problems[:SHOWN]],
        "short": roster_words.by_column(plan.problems, voice) if many else [],
        "refused": voice("refused", count=len(plan.problems)),
        "changes": [roster_words.change(one, fields, voice) for one in plan.changes[:SHOWN]],
        "count": len(plan.changes),
        "counts": roster_words.counts(found, voice, done=False),
        "more": voice("more", count=more) if more > 0 else "",
    }


ROUTES = (
    Route("GET", "/imports", show, "declare"),
    Route("GET", "/imports/template.xlsx", download, "declare"),
    Route("POST", "/imports/look", look, "declare"),
    Route("POST", "/imports/take-in", take_in, "declare"),
)
