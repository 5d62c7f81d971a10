"""Overview, province and commune: indicators with coverage, and the way down to each school."""

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from fastapi import Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import plan_rows
from schoolwatch_server.access import Place, Principal, covers, may
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.parts import read_parts
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console import claim_turns, owed
from schoolwatch_server.console.indicator_groups import standing
from schoolwatch_server.console.packs import said
from schoolwatch_server.console.page import page
from schoolwatch_server.database import activation, incident_rows, pages, registry, succession
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.pages import TallyRow
from schoolwatch_server.indicators.current import At, limits
from schoolwatch_server.indicators.current import at as judged_at
from schoolwatch_server.indicators.indicator import Place as Level
from schoolwatch_server.reports import TABLES, agenda, punctuality
from schoolwatch_server.scope import EVERYTHING, Scope
from schoolwatch_server.sheets import today


@dataclass(frozen=True, slots=True)
class Tally:
    """What the tables of places count."""

    schools: int = 0
    devices: int = 0
    heard: int = 0
    incidents: int = 0


@dataclass(frozen=True, slots=True)
class Below:
    """A place inside the shown one: where its page is, and its counts."""

    name: str
    href: str
    tally: Tally
    note: str = ""


def overview(request: Request, who: Who, server: Server) -> Response:
    """The start page: one province as a whole, or the list of several; a school's people see their school."""
    if who.scope.level == "school":
        return _own_school(who, server)
    with begin_read(server.engine) as conn:
        provinces = registry.provinces(conn, who.scope)
        tallies = _tallies(conn, who.scope, server)
        incidents = incident_rows.incidents(conn, who.scope, limit=5)
        at = _at(conn, who, provinces[0], server) if len(provinces) == 1 else At()
        here = Scope("province", provinces[0].id) if at.values else who.scope
        asked = plan_rows.of_place(conn, here, at, server.packs) if at.values else None
        below = (
            _communes(conn, who, provinces[0].id, tallies)
            if len(provinces) == 1
            else [
                Below(
                    p.name, f"/provinces/{p.code}", _add([row for row in tallies if row.province_id == p.id])
                )
                for p in provinces
            ]
        )
        waiting = claim_turns.count(conn, who)
        part_of = None if tallies else _part_of(conn, who)
    parts = read_parts(server.config.folder) if may(who, "system") else ()
    return page(
        request,
        "overview.html",
        who,
        province=provinces[0] if len(provinces) == 1 else None,
        asked=asked,
        said=said(request, who, server, today()),
        standing=standing(at.values, today()),
        activated=_activated(tallies),
        below=below,
        total=_add(list(tallies)),
        incidents=incidents,
        waiting=waiting,
        part_of=part_of,
        rules=server.rules,
        parts=parts,
        tables=TABLES,
    )


def province(request: Request, code: str, who: Who, server: Server) -> Response:
    """One province: its indicators and communes."""
    with begin_read(server.engine) as conn:
        row = next((p for p in registry.provinces(conn, who.scope) if p.code == code), None)
        if row is None:
            raise not_found("province", code)
        at = _at(conn, who, row, server)
        here = Scope("province", row.id)
        asked = plan_rows.of_place(conn, here, at, server.packs) if at.values else None
        tallies = [tally for tally in _tallies(conn, who.scope, server) if tally.province_id == row.id]
        below = _communes(conn, who, row.id, tallies)
    return page(
        request,
        "province.html",
        who,
        province=row,
        asked=asked,
        said=said(request, who, server, today()),
        standing=standing(at.values, today()),
        below=below,
        activated=_activated(tallies),
    )


def commune(request: Request, code: str, who: Who, server: Server) -> Response:
    """One commune: its indicators and schools."""
    with begin_read(server.engine) as conn:
        row = next((c for c in registry.communes(conn, who.scope) if c.code == code), None)
        row = row or succession.commune_now(conn, code, who.scope)
        if row is None:
            raise not_found("commune", code)
        inside = covers(who.scope, Place(row.province_id, row.id))
        owes, at = None, At()
        if inside:
            now = time.time()
            due = agenda.known(conn, Scope("commune", row.id), now)
            owes = owed.of(conn, request, "commune", row.id, now, due)
            at = _all(conn, "commune", row.id, server, due)
        scope = Scope("commune", row.id) if inside else who.scope
        asked = plan_rows.of_place(conn, scope, at, server.packs) if at.values else None
        tallies = {tally.school_id: tally for tally in _tallies(conn, scope, server)}
        below = [
            Below(
                school.name,
                f"/schools/{school.code}",
                _add([tallies[school.id]] if school.id in tallies else []),
                school.level,
            )
            for school in registry.schools(conn, who.scope, commune_id=row.id)
        ]
        part_of = None if below else succession.commune_now(conn, row.code, who.scope)
        former = succession.former_communes(conn, row.id)
    return page(
        request,
        "commune.html",
        who,
        owed=owes,
        commune=row,
        part_of=part_of,
        former=former,
        asked=asked,
        said=said(request, who, server, today()),
        standing=standing(at.values, today()),
        below=below,
        activated=_activated(tallies.values()),
    )


def _activated(tallies: Iterable[TallyRow]) -> tuple[activation.Activated, ...]:
    return activation.added(tally.activated for tally in tallies)


def _part_of(conn: Connection, who: Principal) -> registry.CommuneRow | None:
    """What a commune became part of whose people see no school any more; its name is public."""
    if who.scope.level != "commune":
        return None
    own = next(iter(registry.communes(conn, who.scope)), None)
    return None if own is None else succession.commune_now(conn, own.code, EVERYTHING)


def _own_school(who: Principal, server: Context) -> Response:
    with begin_read(server.engine) as conn:
        schools = registry.schools(conn, who.scope)
    if not schools:
        raise not_found("school", "")
    return RedirectResponse(f"/schools/{schools[0].code}", 303)


def _at(conn: Connection, who: Principal, row: registry.ProvinceRow, server: Context) -> At:
    if not covers(who.scope, Place(row.id)):
        return At()
    return _all(conn, "province", row.id, server)


def _all(
    conn: Connection, level: Level, place_id: int, server: Context, due: agenda.Known | None = None
) -> At:
    """What is judged of a place, with the reports that were on time."""
    now = time.time()
    at = judged_at(conn, level, place_id, server.packs, now)
    if not at.values:
        return at
    return replace(at, values=(*at.values, punctuality.here(conn, level, place_id, now, due)))


def _communes(conn: Connection, who: Principal, province_id: int, tallies: Iterable[TallyRow]) -> list[Below]:
    by_commune: defaultdict[int, list[TallyRow]] = defaultdict(list)
    for row in tallies:
        by_commune[row.commune_id].append(row)
    return [
        Below(c.name, f"/communes/{c.code}", _add(by_commune[c.id]))
        for c in registry.communes(conn, who.scope, province_id=province_id)
    ]


def _tallies(conn: Connection, scope: Scope, server: Context) -> tuple[TallyRow, ...]:
    after = limits(server.packs, time.time())
    return pages.tallies(conn, scope, heard_after=after.heard_after, working_after=after.working_after)


def _add(rows: list[TallyRow]) -> Tally:
    return Tally(
        len(rows), sum(r.devices for r in rows), sum(r.heard for r in rows), sum(r.incidents for r in rows)
    )


ROUTES = (
    Route("GET", "/", overview, "read"),
    Route("GET", "/provinces/{code}", province, "read"),
    Route("GET", "/communes/{code}", commune, "read"),
)
