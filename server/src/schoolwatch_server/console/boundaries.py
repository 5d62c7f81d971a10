"""The map of a province: boundaries are handed in, looked through, kept with their source, taken away."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Annotated

from fastapi import Form, Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import handed_in
from schoolwatch_server.access import Place, Principal, authorise
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.boundaries import geojson
from schoolwatch_server.boundaries.match import Commune, Matched, match
from schoolwatch_server.boundaries.simplify import Drawn, drawn
from schoolwatch_server.boundaries.trouble import BoundariesError, Problem
from schoolwatch_server.console.here import Here, province_here
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.database import boundaries, people, succession
from schoolwatch_server.database.boundaries import MapRow
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.reports.keeping import one_line

SHOWN = 200
"""Features, and communes, that a page names; it says how many there are."""

SOURCE_LEAST = 5
"""Letters of a source: less says nothing."""

Digest = Annotated[str, Form(pattern=r"^[0-9a-f]{64}$")]
Code = Annotated[str, Form(max_length=20)]
Line = Annotated[str, Form(max_length=500)]


@dataclass(frozen=True, slots=True)
class Looked:
    """A file that can be used: which feature is which commune, and how they would be drawn."""

    matched: Matched
    drawn: Drawn
    called: tuple[str, ...]
    without: tuple[str, ...]
    too_small: tuple[str, ...]


@dataclass(slots=True)
class Shown:
    """What the page holds beside the map that is there."""

    name: str = ""
    kept: str = ""
    source: str = ""
    licence: str = ""
    looked: Looked | None = None
    problems: Sequence[Problem] = field(default_factory=tuple)


def show(request: Request, code: str, who: Who, server: Server) -> Response:
    """The map that is there with its source, or how to get one."""
    with begin_read(server.engine) as conn:
        here = _here(conn, who, code)
    return _page(request, who, server, here, Shown())


async def look(request: Request, who: Who, server: Server) -> Response:
    """Which features are found for which communes; a good file is kept for a while."""
    async with request.form(max_files=1, max_fields=4) as form:
        told = {key: value for key, value in form.items() if isinstance(value, str)}
        check_form(who, told.get("csrf", ""))
        file = form.get("file")
        is_file = isinstance(file, UploadFile) and bool(file.filename)
        data = await file.read(geojson.BYTES_MAX + 1) if isinstance(file, UploadFile) else b""
        name = PurePosixPath((file.filename or "") if isinstance(file, UploadFile) else "").name
    shown = Shown(one_line(name)[:100])
    return await run_in_threadpool(
        _looked_through, request, who, server, told.get("province", "")[:20], shown, data if is_file else None
    )


def save(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    province: Code = "",
    kept: Digest = "",
    name: Annotated[str, Form(max_length=100)] = "",
    source: Line = "",
    licence: Line = "",
) -> Response:
    """The file that was looked through becomes the province's map, with what is said of its source."""
    check_form(who, csrf)
    shown = Shown(one_line(name), kept, one_line(source), one_line(licence))
    with begin_read(server.engine) as conn:
        here = _here(conn, who, province)
        communes = _communes(conn, who, here)
    data = handed_in.find(server.config.folder, server.config.master_key, kept, time.time())
    if data is None:
        shown.kept, shown.problems = "", [Problem("gone")]
        return _page(request, who, server, here, shown)
    try:
        shown.looked = _looked(data, communes)
    except BoundariesError as error:
        shown.problems = error.problems
        return _page(request, who, server, here, shown)
    if len(shown.source) < SOURCE_LEAST:
        shown.problems = [Problem("no_source")]
        return _page(request, who, server, here, shown)
    now, made = time.time(), shown.looked.drawn
    row = MapRow(
        0,
        here.id,
        shown.name or "boundaries.geojson",
        hashlib.sha256(data).hexdigest(),
        shown.source,
        shown.licence,
        made.width,
        made.height,
        now,
        who.name,
    )
    with begin_write(server.engine) as conn:
        boundaries.replace(conn, row, made.paths)
        detail = {"file": row.file, "sha256": row.sha256, "source": row.source, "licence": row.licence}
        _record(conn, who, "boundaries.save", here, detail | {"communes": len(made.paths)}, now)
    return RedirectResponse(f"{here.href}/ranking#map", 303)


def remove(who: Who, server: Server, csrf: Csrf = "", province: Code = "") -> Response:
    """Takes the map away; the numbers of communes stay."""
    check_form(who, csrf)
    with begin_write(server.engine) as conn:
        here = _here(conn, who, province)
        if boundaries.remove(conn, here.id):
            _record(conn, who, "boundaries.remove", here, {}, time.time())
    return RedirectResponse(f"{here.href}/boundaries", 303)


def _looked_through(
    request: Request, who: Principal, server: Context, province: str, shown: Shown, data: bytes | None
) -> Response:
    with begin_read(server.engine) as conn:
        here = _here(conn, who, province)
        communes = _communes(conn, who, here)
    if data is None:
        shown.problems = [Problem("no_file")]
        return _page(request, who, server, here, shown)
    try:
        shown.looked = _looked(data, communes)
    except BoundariesError as error:
        shown.problems = error.problems
    else:
        shown.kept = handed_in.keep(server.config.folder, server.config.master_key, data, time.time())
    return _page(request, who, server, here, shown)


def _looked(data: bytes, communes: Sequence[Commune]) -> Looked:
    """Raises `BoundariesError`, also where no feature is a commune of the province."""
    features = geojson.read(data)
    matched = match(features, communes)
    if not matched.found:
        keys = ", ".join(sorted({key for feature in features for key in feature.labels})[:20])
        raise BoundariesError(Problem("none_matched", what=keys))
    made = drawn(
        {
            id_: [part for feature in those for part in feature.polygons]
            for id_, those in matched.found.items()
        }
    )
    names = {commune.id: commune.name for commune in communes}
    return Looked(
        matched,
        made,
        tuple(matched.called(feature) for feature in matched.unmatched),
        tuple(f"{commune.name} ({commune.code})" for commune in matched.without),
        tuple(names[id_] for id_ in made.too_small),
    )


def _here(conn: Connection, who: Principal, code: str) -> Here:
    """The province. Raises a 404 `Problem`, or `ForbiddenError` for whoever may not change it."""
    here = province_here(conn, who, code)
    authorise(who, "registry", Place(here.id))
    return here


def _communes(conn: Connection, who: Principal, here: Here) -> list[Commune]:
    rows = succession.communes_in_use(conn, who.scope, here.id)
    return [Commune(row.id, row.code, row.name) for row in rows]


def _record(
    conn: Connection, who: Principal, action: str, here: Here, detail: dict[str, object], now: float
) -> None:
    people.record(conn, actor=who.name, action=action, subject=here.code, detail=detail, now=now)


def _page(request: Request, who: Principal, server: Context, here: Here, shown: Shown) -> Response:
    with begin_read(server.engine) as conn:
        row = boundaries.of_province(conn, here.id)
    words = words_of(request)
    return page(
        request,
        "boundaries.html",
        who,
        422 if shown.problems else 200,
        at=f"{here.href}/boundaries",
        here=here,
        row=row,
        shown=shown,
        problems=[
            words.text(f"boundaries.trouble.{each.kind}", where=each.where, what=each.what)
            for each in shown.problems
        ],
        most=SHOWN,
        megabytes=geojson.BYTES_MAX >> 20,
    )


ROUTES = (
    Route("GET", "/provinces/{code}/boundaries", show, "registry"),
    Route("POST", "/boundaries/look", look, "registry"),
    Route("POST", "/boundaries/save", save, "registry"),
    Route("POST", "/boundaries/remove", remove, "registry"),
)
