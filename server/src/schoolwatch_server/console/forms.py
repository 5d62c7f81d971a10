"""Somebody's form, filled from a frozen report: looked through first, then filled as it was seen."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Annotated

from fastapi import Form, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import Response

from schoolwatch_server import handed_in
from schoolwatch_server.access import Principal
from schoolwatch_server.api import looked
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import Problem as HttpProblem
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.console.page import Csrf, check_form, page, words_of
from schoolwatch_server.database import reports
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.database.reports import AlteredReportError
from schoolwatch_server.reports import files, forms
from schoolwatch_server.reports.files import Paper
from schoolwatch_server.reports.files import words as file_words
from schoolwatch_server.reports.forms import columns, copy_sheet
from schoolwatch_server.reports.forms.answers import known, own
from schoolwatch_server.reports.forms.package import outside, unpack
from schoolwatch_server.reports.forms.sheet_xml import ROWS_MAX
from schoolwatch_server.reports.forms.trouble import FormError, Problem
from schoolwatch_server.workbooks.grid import BYTES_MAX

SHOWN = 200
"""Placeholders, and rows, that a page shows; it says how many there are."""

_SHA256 = r"^[0-9a-f]{64}$"
_MEDIA = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
Digest = Annotated[str, Path(pattern=_SHA256)]
Report = Annotated[str, Form(pattern=_SHA256)]
Text = Annotated[str, Form(max_length=20_000)]
Short = Annotated[str, Form(max_length=40)]


@dataclass(frozen=True, slots=True)
class Mapped:
    """How a table's columns are asked for, as somebody typed it; no `asked`: the form has placeholders."""

    asked: str = ""
    sheet: str = ""
    code: str = ""
    first: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """A filled form and what a page says of it: placeholders with answers, rows that were left alone."""

    data: bytes
    kind: str
    found: tuple[tuple[str, str, str], ...] = ()
    rows: int = 0
    unknown: tuple[columns.Unknown, ...] = ()
    left_out: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


@dataclass(slots=True)
class Shown:
    """What the page holds beside the empty form."""

    name: str = ""
    kept: str = ""
    mapped: Mapped = field(default_factory=Mapped)
    made: Made | None = None
    problems: tuple[Problem, ...] = ()
    questions: str = ""
    lines: tuple[copy_sheet.Line, ...] = ()


def show(request: Request, digest: Digest, who: Who, server: Server) -> Response:
    """The empty form, with every placeholder that it may hold."""
    return _page(request, who, _paper(request, digest, who, server), Shown())


async def look(request: Request, who: Who, server: Server) -> Response:
    """What is found in a form and stands for it, or what is wrong; a good one is kept for a while."""
    async with request.form(max_files=1, max_fields=8) as form:
        told = {key: value for key, value in form.items() if isinstance(value, str)}
        check_form(who, told.get("csrf", ""))
        file = form.get("file")
        is_file = isinstance(file, UploadFile) and bool(file.filename)
        data = await file.read(BYTES_MAX + 1) if isinstance(file, UploadFile) else b""
        name = PurePosixPath((file.filename or "") if isinstance(file, UploadFile) else "").name[:100]
    of = await run_in_threadpool(_paper, request, told.get("report", ""), who, server)
    short = (told.get(key, "")[:40] for key in ("sheet", "code", "first"))
    mapped = Mapped(told.get("asked", "")[:20_000], *short)
    shown = Shown(name, mapped=mapped)
    if not is_file:
        shown.problems = (Problem("no_file"),)
        return _page(request, who, of, shown)
    try:
        shown.made = await run_in_threadpool(_fill, data, of, mapped)
    except FormError as error:
        shown.problems = error.problems
    else:
        shown.kept = handed_in.keep(server.config.folder, server.config.master_key, data, time.time())
    return _page(request, who, of, shown)


def fill(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    report: Report = "",
    kept: Report = "",
    name: Annotated[str, Form(max_length=100)] = "",
    asked: Text = "",
    sheet: Short = "",
    code: Short = "",
    first: Short = "",
) -> Response:
    """The form that was looked through, filled."""
    check_form(who, csrf)
    of = _paper(request, report, who, server)
    data = handed_in.find(server.config.folder, server.config.master_key, kept, time.time())
    mapped = Mapped(asked, sheet, code, first)
    if data is None:
        return _page(request, who, of, Shown(name, mapped=mapped, problems=(Problem("gone"),)))
    looked.see(server.looked, server.engine, who, "export", f"report {report[:16]} form")
    try:
        made = _fill(data, of, mapped)
    except FormError as error:
        return _page(request, who, of, Shown(name, mapped=mapped, problems=error.problems))
    return _download(made.data, _MEDIA[made.kind], of, made.kind)


def copy(
    request: Request,
    who: Who,
    server: Server,
    csrf: Csrf = "",
    report: Report = "",
    questions: Text = "",
    file: Annotated[str, Form(max_length=3)] = "",
) -> Response:
    """A copy sheet: answers in the order of a web form's questions, on a page or as a table."""
    check_form(who, csrf)
    of = _paper(request, report, who, server)
    shown = Shown(questions=questions)
    try:
        shown.lines = tuple(copy_sheet.answers(copy_sheet.parse(questions), own(of)))
    except FormError as error:
        shown.problems = error.problems
        return _page(request, who, of, shown)
    if not file:
        return _page(request, who, of, shown)
    looked.see(server.looked, server.engine, who, "export", f"report {report[:16]} copy sheet")
    words = words_of(request)
    heads = (words.text("forms.number"), words.text("forms.question"), words.text("forms.answer"))
    table = copy_sheet.as_table(shown.lines, heads, of.text("file.simulated") if of.content.simulated else "")
    return _download(table, "text/csv; charset=utf-16le", of, "csv")


def _fill(data: bytes, of: Paper, mapped: Mapped) -> Made:
    """Either way. Raises `FormError`."""
    package = unpack(data)
    if not mapped.asked.strip():
        filled = forms.fill(package, of)
        found = tuple((one.key, one.where, one.answer.text) for one in filled.found)
        return Made(filled.data, filled.kind, found, outside=outside(package))
    if package.kind != "xlsx":
        raise FormError(Problem("no_sheet"))
    first = mapped.first.strip() or "1"
    if not (first.isascii() and first.isdigit() and 1 <= int(first[:8]) <= ROWS_MAX):
        raise FormError(Problem("bad_row", what=first))
    wanted = columns.Columns(
        mapped.code.strip().upper(),
        dict(columns.parse(mapped.asked)),
        mapped.sheet.strip(),
        int(first[:8]),
    )
    done = columns.fill(package, of, wanted)
    return Made(done.data, "xlsx", (), done.rows, done.unknown, done.left_out, outside(package))


def _paper(request: Request, digest: str, who: Principal, server: Context) -> Paper:
    if re.fullmatch(_SHA256, digest) is None:
        raise not_found("report", digest[:16])
    with begin_read(server.engine) as conn:
        row = reports.found(conn, digest, who.scope)
        if row is None:
            raise not_found("report", digest[:16])
        try:
            body = reports.body(conn, row.id)
        except AlteredReportError as error:
            raise HttpProblem(500, str(error)) from error
    verify = f"{server.address(request)}/verify/{digest}"
    return files.paper(body, server.texts, words_of(request).language, verify)


def _download(data: bytes, media: str, of: Paper, ending: str) -> Response:
    name = f"{'simulated-' * of.content.simulated}{files.plain_name(of.content)}-form.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(data, media_type=media, headers=headers)


def _page(request: Request, who: Principal, of: Paper, shown: Shown) -> Response:
    words = words_of(request)
    return page(
        request,
        "forms.html",
        who,
        422 if shown.problems else 200,
        at=f"/reports/{of.sha256}/form",
        of=of.content,
        digest=of.sha256,
        title=f"{file_words.kind(of)} {file_words.period(of)}: {of.content.name}",
        example="{{I-17.value}}",
        shown=shown,
        problems=[
            words.text(f"form.trouble.{one.trouble}", where=one.where, what=one.what)
            for one in shown.problems
        ],
        has_schools=any(part.level == "school" for part in of.content.parts),
        known=list(_known(of)),
        most=SHOWN,
    )


def _known(of: Paper) -> Iterator[tuple[str, str]]:
    """The fields of a place and of a report, and of each indicator one example with its name."""
    for key in known(own(of)):
        name, _, fieldname = key.rpartition(".")
        if fieldname == "value" or name in ("school", "place", "report"):
            value = next((one for one in of.content.values if name in (one.code, one.indicator)), None)
            yield key, "" if value is None else of.known(f"indicator.{value.indicator}", value.indicator)


ROUTES = (
    Route("GET", "/reports/{digest}/form", show, "read"),
    Route("POST", "/forms/look", look, "evidence"),
    Route("POST", "/forms/fill", fill, "evidence"),
    Route("POST", "/forms/copy", copy, "evidence"),
)
