"""One frozen report: its page, its files, and what people do with it."""

import time
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Form, Path, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from schoolwatch_server.access import Principal, decides, hands_in
from schoolwatch_server.api import looked
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import Problem, not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.console.report_words import ReportWords
from schoolwatch_server.database import reports
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.reports import AlteredReportError, ReportRow
from schoolwatch_server.reports import calendar, content, files, keeping
from schoolwatch_server.reports.content import Content
from schoolwatch_server.reports.difference import Difference, difference
from schoolwatch_server.reports.files import asks
from schoolwatch_server.reports.files.words import ended_before
from schoolwatch_server.reports.keeping import ReportError
from schoolwatch_server.reports.state import Act

SHOWN = 100
"""Parts, and changes between revisions, that a page shows; the files hold all of them."""

Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Form(max_length=1000)]


def show(request: Request, digest: Digest, who: Who, server: Server) -> Response:
    """One frozen report."""
    looked.see(server.looked, server.engine, who, "report.view", digest[:16])
    return _show(request, digest, who, server)


@dataclass(frozen=True, slots=True)
class Opened:
    """What the page of one report shows; `before` is the revision that `changed` is held against.

    `content` has the first parts of `parts`, `changed` the first changes of `changes`.
    """

    row: ReportRow
    revisions: tuple[ReportRow, ...]
    before: ReportRow | None
    content: Content | None = None
    parts: int = 0
    changed: Difference | None = None
    changes: int = 0


def _open(conn: Connection, row: ReportRow) -> Opened:
    revisions = reports.revisions(conn, row)
    before = next((one for one in revisions if one.revision == row.revision - 1), None)
    opened = Opened(row, revisions, before)
    try:
        body = reports.body(conn, row.id)
        made, parts = content.outline(body, SHOWN)
        opened = replace(opened, content=made, parts=parts)
        if before is not None:
            changed, changes = _changed(conn, (before.id, before.sha256), (row.id, body))
            opened = replace(opened, changed=changed, changes=changes)
    except AlteredReportError:
        return Opened(row, revisions, before)
    return opened


_CHANGES: dict[str, tuple[Difference, int]] = {}
_CHANGES_MOST = 100
"""What two revisions differ in never changes either: a province's is worked out once."""


def _changed(conn: Connection, before: tuple[int, str], after: tuple[int, bytes]) -> tuple[Difference, int]:
    key = f"{before[1]} {content.digest(after[1])}"
    known = _CHANGES.get(key)
    if known is None:
        whole = difference(content.decode(reports.body(conn, before[0])), content.decode(after[1]))
        known = replace(whole, values=whole.values[:SHOWN]), len(whole.values)
        while len(_CHANGES) >= _CHANGES_MOST:
            _CHANGES.pop(next(iter(_CHANGES), ""), None)
        _CHANGES[key] = known
    return known


def _show(request: Request, digest: str, who: Principal, server: Context, *, refused: str = "") -> Response:
    with begin_read(server.engine) as conn:
        row = reports.found(conn, digest, who.scope)
        if row is None:
            raise not_found("report", digest[:16])
        opened = _open(conn, row)
        events = reports.events(conn, row.id)
        where, manager = keeping.whereabouts(conn, row)
    made = (
        files.Paper(b"", opened.content, server.texts, words_of(request).language) if opened.content else None
    )
    is_newest = row.revision == opened.revisions[0].revision
    words = words_of(request)
    return page(
        request,
        "report.html",
        who,
        422 if refused else 200,
        at=f"/reports/{digest}",
        said=ReportWords(words),
        opened=opened,
        row=row,
        made=opened.content,
        ended=ended_before(made) if made else None,
        asked=_asked(opened, made) if made else (),
        brief=lambda line: asks.brief(made, line) if made and line else ("", ""),
        events=events,
        refused=words.text(f"reports.refused.{refused}") if refused else "",
        is_newest=is_newest,
        may_hand_in=is_newest and row.state in ("frozen", "returned") and hands_in(who, row.level, where),
        may_decide=row.state == "handed_in"
        and not keeping.is_superseded(row, opened.revisions, "accept")
        and decides(who, row.level, manager, where),
        manager="above" if row.level == "province" else (manager or "so"),
        formats=files.FORMATS,
        verify=f"{server.address(request)}/verify/{digest}",
        shown=SHOWN,
        today=calendar.day_of(time.time()),
    )


def _asked(opened: Opened, made: files.Paper) -> list[tuple[asks.Table, list[list[str]]]]:
    """Scores and plans with their rows in words; levels of schools only where the page has them all."""
    has_all = opened.parts <= SHOWN
    tables = [*(asks.scores(made) if has_all else ()), *asks.plans(made)]
    return [(table, [asks.texts(made, row) for row in table.rows]) for table in tables]


def file(
    request: Request,
    digest: Digest,
    form: Annotated[str, Path(pattern=r"^[a-z0-9]{1,10}$")],
    who: Who,
    server: Server,
) -> Response:
    """The report in one of its formats; the same bytes each time it is asked for."""
    looked.see(server.looked, server.engine, who, "export", f"report {digest[:16]} {form}")
    chosen = next((one for one in files.FORMATS if one.id == form), None)
    with begin_read(server.engine) as conn:
        row = reports.found(conn, digest, who.scope)
        if row is None:
            raise not_found("report", digest[:16])
        if chosen is None:
            raise not_found("format", form)
        try:
            body = reports.body(conn, row.id)
        except AlteredReportError as error:
            raise Problem(500, str(error)) from error
    language = words_of(request).language
    made = files.paper(body, server.texts, language, f"{server.address(request)}/verify/{digest}")
    name = files.file_name(made.content, chosen)
    if made.content.simulated:
        name = f"simulated-{name}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(chosen.render(made), media_type=chosen.media_type, headers=headers)


def _act(request: Request, digest: str, who: Principal, server: Context, doing: Act, remark: str) -> Response:
    with begin_read(server.engine) as conn:
        if reports.found(conn, digest, who.scope) is None:
            raise not_found("report", digest[:16])
    try:
        keeping.act(server.engine, digest, who, doing, remark, now=time.time())
    except ReportError as error:
        return _show(request, digest, who, server, refused=error.reason)
    return RedirectResponse(f"/reports/{digest}", 303)


def hand_in(
    request: Request, digest: Digest, who: Who, server: Server, csrf: Csrf = "", remark: Text = ""
) -> Response:
    """Hands it in to the direct manager."""
    check_form(who, csrf)
    return _act(request, digest, who, server, "hand_in", remark)


def accept(
    request: Request, digest: Digest, who: Who, server: Server, csrf: Csrf = "", remark: Text = ""
) -> Response:
    """The direct manager accepts it."""
    check_form(who, csrf)
    return _act(request, digest, who, server, "accept", remark)


def send_back(
    request: Request, digest: Digest, who: Who, server: Server, csrf: Csrf = "", remark: Text = ""
) -> Response:
    """The direct manager returns it, and says why."""
    check_form(who, csrf)
    return _act(request, digest, who, server, "return", remark)


ROUTES = (
    Route("GET", "/reports/{digest}", show, "read"),
    Route("GET", "/reports/{digest}/file.{form}", file, "read"),
    Route("POST", "/reports/{digest}/hand-in", hand_in, "hand_in"),
    Route("POST", "/reports/{digest}/accept", accept, "accept"),
    Route("POST", "/reports/{digest}/return", send_back, "accept"),
)
