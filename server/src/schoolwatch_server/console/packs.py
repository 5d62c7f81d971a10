"""Packs: which numbers hold, since when and from where; every version of each, and what a report named."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from fastapi import Request
from starlette.responses import Response

from schoolwatch_server import pack_versions, saved
from schoolwatch_server import packs as load_packs
from schoolwatch_server.access import Principal
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import Problem
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.claims.questions import BY_ID
from schoolwatch_server.console.pack_words import Said
from schoolwatch_server.console.page import page, words_of
from schoolwatch_server.database import packs, registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.pack_versions import Known
from schoolwatch_server.packs import sheet
from schoolwatch_server.packs.plan import Plan
from schoolwatch_server.packs.sheet import Held, Stored
from schoolwatch_server.sheets import today
from schoolwatch_server.strict_yaml import SheetError


@dataclass(frozen=True, slots=True)
class Listed:
    """A pack in a list: what holds of it, what waits, and what somebody should know of it."""

    held: Held
    overdue: int
    waiting: tuple[Stored, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """A version that was typed in, and how it stands today (a key of the texts)."""

    stored: Stored
    standing: str


def show(request: Request, who: Who, server: Server) -> Response:
    """All packs."""
    there, day = known(server), today()
    loaded = load_packs.load(there.folder, there.stored, day)
    by_id = {held.sheet.id: held for held in reversed(loaded.held)}  # what completes a typed one comes last
    listed = [_listed(held, there, day, request) for held in reversed(by_id.values())]
    taken = set(by_id)
    return page(
        request,
        "packs.html",
        who,
        listed={kind: [one for one in listed if one.held.kind == kind] for kind in sheet.KINDS},
        examples=[held for held in load_packs.examples() if held.sheet.id not in taken],
        waiting=[one for one in _future(there.stored, day) if one.name not in taken and not one.is_end],
        faults=loaded.faults,
        said=said(request, who, server, day),
    )


def one(request: Request, pack: str, who: Who, server: Server) -> Response:
    """A pack: what holds, its versions, and what it says."""
    there, day = known(server), today()
    loaded = load_packs.load(there.folder, there.stored, day)
    held = next(iter(pack_versions.sheet_of(loaded, pack)), None)
    example = next((held for held in load_packs.examples() if held.sheet.id == pack), None)
    stored = tuple(one for one in there.stored if one.name == pack)
    shown = held or _newest(stored) or example
    if shown is None:
        raise Problem(404, f"no pack {pack[:60]!r}")
    return page(
        request,
        "pack.html",
        who,
        shown=shown,
        in_force=held is not None,
        listed=None if held is None else _listed(held, there, day, request),
        versions=[Version(one, _standing(one, held, there, day)) for one in reversed(stored)],
        today=f"{day:%d/%m/%Y}",
        said=said(request, who, server, day),
    )


def text(pack: str, version: int, who: Who, server: Server) -> Response:  # noqa: ARG001  the gate has asked
    """The text of a version as it was saved."""
    for stored in known(server).stored:
        if (stored.name, stored.version) == (pack, version) and not stored.is_end:
            return _plain(stored.text)
    raise Problem(404, f"no version {version} of {pack[:60]!r} was typed in")


def kept(sha256: str, who: Who, server: Server) -> Response:  # noqa: ARG001  the gate has asked
    """The text of a pack that a report named, by its digest."""
    with begin_read(server.engine) as conn:
        found = packs.kept(conn, sha256)
    if found is None:
        raise Problem(404, "no report named a pack with that digest")
    return _plain(found[1])


def known(server: Context) -> Known:
    """Files and versions, read afresh."""
    return pack_versions.known(server.engine, server.pack_sheets.folder, BY_ID)


def said(request: Request, who: Principal, server: Context, day: date) -> Said:
    """What templates of packs write with; a commune that its reader does not see goes by its code."""
    with begin_read(server.engine) as conn:
        communes = {one.code: one.name for one in registry.communes(conn, who.scope)}
    return Said(words_of(request), day, communes)


def _listed(held: Held, there: Known, day: date, request: Request) -> Listed:
    items = held.sheet.items if isinstance(held.sheet, Plan) else ()
    waiting = [one for one in _future(there.stored, day) if one.name == held.sheet.id]
    return Listed(
        held,
        sum(item.deadline is not None and item.deadline < day for item in items),
        tuple(waiting),
        tuple(_notes(held, there, day, request)),
    )


def _notes(held: Held, there: Known, day: date, request: Request) -> list[str]:
    """Which other text there is of it that does not hold."""
    words, name, notes = words_of(request), held.sheet.id, []
    files = {one.sheet.id: one for one in sheet.files(there.folder, "file")}
    if held.origin == "console" and name in files:
        other = files[name]
        file = other.path.name if other.path else ""
        notes.append(words.text("packs.over_file", file=file, version=other.sheet.version))
    if held.origin == "file" and name in saved.in_force(there.stored, day):
        notes.append(words.text("packs.under_file", file=held.path.name if held.path else ""))
    shipped = next((one for one in load_packs.load().held if one.sheet.id == name), None)
    if shipped is not None and held.origin != "shipped" and shipped.sheet.version >= held.sheet.version:
        notes.append(words.text("packs.newer_shipped", version=shipped.sheet.version))
    return notes


def _standing(one: Stored, held: Held | None, there: Known, day: date) -> str:
    if one.valid_from > day:
        return "waits"
    holds = saved.in_force(there.stored, day).get(one.name)
    if holds != one:
        return "past"
    if held is not None and held.origin == "console" and held.sheet.version == one.version:
        return "holds"
    return "under" if held is not None and held.origin == "file" else "unusable"


def _newest(stored: Sequence[Stored]) -> Held | None:
    """What was typed in last and waits, or held once."""
    for one in reversed(stored):
        if not one.is_end:
            try:
                return sheet.read(one.text.encode(), pack_versions.path_of(one), "console", one.valid_from)
            except SheetError:  # an older program wrote it: its text can still be read
                continue
    return None


def _future(stored: Sequence[Stored], day: date) -> list[Stored]:
    return sorted(
        (one for one in stored if one.valid_from > day), key=lambda one: (one.valid_from, one.version)
    )


def _plain(of: str) -> Response:
    return Response(of, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


ROUTES = (
    Route("GET", "/packs", show, "read"),
    Route("GET", "/packs/kept/{sha256}", kept, "read"),
    Route("GET", "/packs/{pack}", one, "read"),
    Route("GET", "/packs/{pack}/versions/{version}", text, "read"),
)
