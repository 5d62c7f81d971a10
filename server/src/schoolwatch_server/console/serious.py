"""Serious incidents: which still have to be reported, one's deadlines, marks, and its report forms."""

import time
from typing import Annotated, Literal

from fastapi import Form, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from schoolwatch_server import incident_forms
from schoolwatch_server.access import Principal, authorise
from schoolwatch_server.api import looked
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.console.serious_words import timers_in_words
from schoolwatch_server.console.vietnam_time import read_local, written_local
from schoolwatch_server.database import incident_recipients, incident_rows, people, serious, whereabouts
from schoolwatch_server.database.engine import begin_read, begin_write
from schoolwatch_server.database.serious import Show
from schoolwatch_server.incident_forms import FormError, Wanted
from schoolwatch_server.reports.files import incident_letter
from schoolwatch_server.reports.keeping import one_line
from schoolwatch_server.serious import form, timers
from schoolwatch_server.serious.timers import Sent, Step

ROWS = 50
LEAST = 5
"""Characters of a reason."""

Number = Annotated[int, Path(ge=1, le=2**62)]
Line = Annotated[str, Form(max_length=300)]
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
_MEDIA = {"docx": incident_letter.MEDIA_TYPE, "json": "application/json"}


def listing(
    request: Request,
    who: Who,
    server: Server,
    show: Annotated[Show, Query()] = "owing",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """Those that still have to be reported, or all; the newest first."""
    looked.see(server.looked, server.engine, who, "incident.list", "")
    with begin_read(server.engine) as conn:
        ids = serious.listed(conn, who.scope, show, before=before, limit=ROWS + 1)
        shown = ids[:ROWS]
        found = incident_rows.those(conn, shown, who.scope)
        graded = serious.gravities(conn, shown)
    words, now = words_of(request), time.time()
    return page(
        request,
        "serious.html",
        who,
        rows=[(row, timers_in_words(graded[row.id], words, now)) for row in found],
        rules=server.rules,
        show=show,
        older=shown[-1] if len(ids) > ROWS else None,
    )


def show(request: Request, number: Number, who: Who, server: Server) -> Response:
    """One incident's deadlines, what was said of it, and its forms."""
    return _page(request, number, who, server)


def _page(
    request: Request, number: int, who: Principal, server: Context, *, refused: str = "", **typed: str
) -> Response:
    """The page; what was refused stands in its form as it was typed."""
    with begin_read(server.engine) as conn:
        row = incident_rows.incident(conn, number, who.scope)
        if row is None:
            raise not_found("incident", str(number))
        gravity = serious.gravities(conn, [number])[number]
        where = whereabouts.of_incident(conn, number)
        recipients = (
            {} if where.province_id is None else incident_recipients.recipients(conn, where.province_id)
        )
        forms = serious.forms(conn, number)
    looked.see(server.looked, server.engine, who, "incident.view", str(number))
    words, now = words_of(request), time.time()
    return page(
        request,
        "serious_incident.html",
        who,
        422 if refused else 200,
        at=f"/incidents/{number}/serious",
        refused=words.text(f"serious.refused.{refused}") if refused else "",
        incident=row,
        rule=server.rules.get(row.rule),
        gravity=gravity,
        timers=timers_in_words(gravity, words, now),
        recipients=recipients,
        forms=forms,
        law=timers,
        now_local=written_local(now),
        typed=typed,
    )


def mark(
    request: Request,
    number: Number,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    serious_is: Annotated[bool, Form(alias="serious")] = True,
    reason: Line = "",
) -> Response:
    """Says that it is serious, as whoever sees to it may; or that it is not, as who answers for it may."""
    check_form(who, csrf)
    if not serious_is:
        authorise(who, "report_incidents")
    reason, now = one_line(reason), time.time()
    if len(reason) < LEAST:
        return _page(request, number, who, server, refused="reason", reason=reason)
    with begin_write(server.engine) as conn:
        _seen_or_none(incident_rows.incident(conn, number, who.scope), number)
        serious.set_mark(conn, number, is_serious=serious_is, reason=reason, by=who.name, now=now)
        action = "incident.serious" if serious_is else "incident.not_serious"
        detail = {"reason_length": len(reason)}
        people.record(conn, actor=who.name, action=action, subject=str(number), detail=detail, now=now)
    return _back(number)


def record_sent(
    request: Request,
    number: Number,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    step: Annotated[Step, Form()] = "notice",
    reference: Annotated[str, Form(max_length=80)] = "",
    when: Annotated[str, Form(max_length=30)] = "",
) -> Response:
    """Records that a letter was sent, under which number and when: that ends its deadline."""
    check_form(who, csrf)
    reference, now = one_line(reference), time.time()
    at = read_local(when) if when else now
    if not reference:
        return _page(request, number, who, server, refused="reference", step=step, when=when)
    with begin_write(server.engine) as conn:
        _seen_or_none(incident_rows.incident(conn, number, who.scope), number)
        gravity = serious.gravities(conn, [number])[number]
        refused = _why_not(gravity, at, now)
        if not refused:
            is_new = serious.set_sent(conn, number, step, Sent(at or now, who.name, reference), now)
            refused = "" if is_new else "again"
        if not refused:
            detail = {"step": step, "reference": reference, "at": at}
            people.record(
                conn, actor=who.name, action="incident.sent", subject=str(number), detail=detail, now=now
            )
    typed = {"step": step, "reference": reference, "when": when}
    return _page(request, number, who, server, refused=refused, **typed) if refused else _back(number)


def _why_not(gravity: serious.Gravity, at: float | None, now: float) -> str:
    if not gravity.is_serious:
        return "not_serious"
    # a minute's grace: the form's time has no seconds
    if at is None or not gravity.times.detected_at - 60 <= at <= now + 60:
        return "when"
    return ""


def make_form(
    request: Request,
    number: Number,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    step: Annotated[Step, Form()] = "notice",
    recipient: Annotated[Literal["province", "national", ""], Form()] = "",
) -> Response:
    """Makes the form as things stand, and keeps it."""
    check_form(who, csrf)
    with begin_read(server.engine) as conn:
        row = incident_rows.incident(conn, number, who.scope)
    row = _seen_or_none(row, number)
    wanted = Wanted(step, recipient, who, time.time())
    try:
        incident_forms.make(server.engine, number, wanted, server.rules.get(row.rule), server.texts)
    except FormError as error:
        return _page(request, number, who, server, refused=error.reason)
    return _back(number)


def download(
    number: Number,
    sha256: Digest,
    kind: Annotated[Literal["docx", "json"], Path(alias="format")],
    who: Who,
    server: Server,
) -> Response:
    """A form as it was made, byte for byte."""
    with begin_read(server.engine) as conn:
        row = incident_rows.incident(conn, number, who.scope)
        kept = None if row is None else serious.form(conn, number, sha256)
    if kept is None:
        raise not_found("form", sha256)
    body, letter = kept
    looked.see(server.looked, server.engine, who, "incident.form_look", f"{number} {sha256[:12]}")
    name = form.file_name(form.decode(body), kind)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
    }
    return Response(body if kind == "json" else letter, media_type=_MEDIA[kind], headers=headers)


def _seen_or_none(row: incident_rows.IncidentRow | None, number: int) -> incident_rows.IncidentRow:
    if row is None:
        raise not_found("incident", str(number))
    return row


def _back(number: int) -> Response:
    return RedirectResponse(f"/incidents/{number}/serious", 303)


ROUTES = (
    Route("GET", "/serious", listing, "read"),
    Route("GET", "/incidents/{number}/serious", show, "read"),
    Route("POST", "/incidents/{number}/mark", mark, "handle"),
    Route("POST", "/incidents/{number}/sent", record_sent, "report_incidents"),
    Route("POST", "/incidents/{number}/forms", make_form, "report_incidents"),
    Route("GET", "/incidents/{number}/forms/{sha256}/{format}", download, "evidence"),
)
