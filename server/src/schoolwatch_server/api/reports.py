"""GET /api/v1/reports: frozen reports, one of them, and the very bytes that were frozen."""

import base64
from collections.abc import Iterator
from typing import Annotated

import msgspec
from fastapi import Path, Query
from sqlalchemy import Engine
from starlette.responses import Response

from schoolwatch_server.access import Principal
from schoolwatch_server.api import looked, ndjson, shapes_reports
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import Problem, not_found
from schoolwatch_server.api.query import Cursor, Limit, SchoolCode
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.api.times import rfc3339
from schoolwatch_server.database import registry, reports
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.reports import AlteredReportError, ReportRow
from schoolwatch_server.indicators.indicator import IndicatorValue, Place
from schoolwatch_server.reports import content
from schoolwatch_server.reports.calendar import Kind
from schoolwatch_server.reports.content import Content
from schoolwatch_server.reports.state import State
from schoolwatch_server.scope import Scope

Json = dict[str, object]
_STEP = 500

Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the report")]


Kinds = Annotated[Kind | None, Query()]
Levels = Annotated[Place | None, Query()]
States = Annotated[State | None, Query()]
Period = Annotated[str | None, Query(pattern=r"^[0-9A-Z-]{4,10}$", description="2026-11, 2026-Q4")]


def listing(
    who: Who,
    server: Server,
    school: SchoolCode = None,
    level: Levels = None,
    kind: Kinds = None,
    period: Period = None,
    state: States = None,
    limit: Limit = 100,
    cursor: Cursor = 0,
) -> Json:
    """Every revision that was frozen, newest first; `next` goes into `cursor` for older ones."""
    asked = _asked(who, server, school, level, kind, period, state)
    rows = _page(server.engine, asked, cursor, limit + 1)
    return {
        "reports": [_json(row) for row in rows[:limit]],
        "next": rows[limit - 1].id if len(rows) > limit else None,
    }


def stream(
    who: Who,
    server: Server,
    school: SchoolCode = None,
    level: Levels = None,
    kind: Kinds = None,
    period: Period = None,
    state: States = None,
) -> Response:
    """All of them, a line each, sent as they are read."""
    asked = _asked(who, server, school, level, kind, period, state)
    return ndjson.answer(_lines(server.engine, asked), "schoolwatch-reports", simulated=server.simulated)


def _asked(
    who: Principal,
    server: Context,
    school: str | None,
    level: Place | None,
    kind: Kind | None,
    period: str | None,
    state: State | None,
) -> "_Asked":
    school_id = None
    if school is not None:
        with begin_read(server.engine) as conn:
            row = registry.school_by_code(conn, school, who.scope)
        if row is None:
            raise not_found("school", school)
        school_id, level = row.id, "school"
    looked.see(server.looked, server.engine, who, "report.list", school or "")
    return _Asked(who.scope, kind, period, level, school_id, state)


class _Asked(msgspec.Struct, frozen=True):
    scope: Scope
    kind: Kind | None
    period: str | None
    level: Place | None
    place_id: int | None
    state: State | None


def _page(engine: Engine, asked: _Asked, cursor: int, limit: int) -> tuple[ReportRow, ...]:
    with begin_read(engine) as conn:
        return reports.listed(
            conn,
            asked.scope,
            kind=asked.kind,
            period=asked.period,
            level=asked.level,
            place_id=asked.place_id,
            state=asked.state,
            below=cursor or None,
            limit=limit,
        )


def _lines(engine: Engine, asked: _Asked) -> Iterator[bytes]:
    """A transaction lasts for one step, however slowly somebody reads."""
    cursor = 0
    while rows := _page(engine, asked, cursor, _STEP):
        yield b"".join(msgspec.json.encode(_json(row)) + b"\n" for row in rows)
        cursor = rows[-1].id


def one(digest: Digest, who: Who, server: Server) -> Json:
    """One frozen report with what became of it."""
    with begin_read(server.engine) as conn:
        row = reports.found(conn, digest, who.scope)
        if row is None:
            raise not_found("report", digest[:16])
        events = reports.events(conn, row.id)
    return _json(row) | {
        "events": [{"at": rfc3339(event.at), "event": event.kind, "remark": event.remark} for event in events]
    }


def body(digest: Digest, who: Who, server: Server) -> Response:
    """The very bytes that were frozen, of which the digest is."""
    headers = {
        "ETag": f'"{digest}"',
        "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(digest)).decode()}:",  # RFC 9530
    }
    return Response(_kept(digest, who, server), media_type="application/json", headers=headers)


def values(digest: Digest, who: Who, server: Server) -> Response:
    """Each value of a frozen report as a line: those of the place itself, then of the places below it."""
    made = content.decode(_kept(digest, who, server))
    return ndjson.answer(_values(made), f"schoolwatch-{digest[:16]}", simulated=made.simulated)


def _kept(digest: str, who: Principal, server: Context) -> bytes:
    looked.see(server.looked, server.engine, who, "export", f"report {digest[:16]}")
    with begin_read(server.engine) as conn:
        row = reports.found(conn, digest, who.scope)
        if row is None:
            raise not_found("report", digest[:16])
        try:
            return reports.body(conn, row.id)
        except AlteredReportError as error:
            raise Problem(500, str(error)) from error


def _values(made: Content) -> Iterator[bytes]:
    mark: Json = {"simulated": True} if made.simulated else {}
    yield from (_value(made.level, made.code, made.name, value, mark) for value in made.values)
    for part in made.parts:
        yield b"".join(_value(part.level, part.code, part.name, value, mark) for value in part.values)


def _value(level: Place, code: str, name: str, value: IndicatorValue, mark: Json) -> bytes:
    return msgspec.json.encode({"level": level, "code": code, "name": name, "value": value} | mark) + b"\n"


def _json(row: ReportRow) -> Json:
    return {
        "sha256": row.sha256,
        "kind": row.kind,
        "level": row.level,
        "code": row.code,
        "name": row.name,
        "period": row.period,
        "revision": row.revision,
        "state": row.state,
        "due_on": row.due_on or None,
        "frozen_at": rfc3339(row.frozen_at),
        "handed_in_at": rfc3339(row.handed_in_at),
        "note": row.note,
        "bytes": row.size,
        "simulated": row.simulated,
    }


ROUTES = (
    Route("GET", "/api/v1/reports", listing, "read", "Frozen reports", answer=shapes_reports.Reports),
    Route("GET", "/api/v1/reports.ndjson", stream, "read", "The same as one stream (NDJSON)"),
    Route("GET", "/api/v1/reports/{digest}", one, "read", "One frozen report", answer=shapes_reports.Report),
    Route(
        "GET",
        "/api/v1/reports/{digest}/content",
        body,
        "read",
        "What a report holds, byte for byte",
        answer=shapes_reports.Kept,
    ),
    Route("GET", "/api/v1/reports/{digest}/values.ndjson", values, "read", "Its values as lines (NDJSON)"),
)
