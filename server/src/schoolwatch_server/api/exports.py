"""GET …/indicators.csv of a school, and /api/v1/tables/….csv over all schools: files that people hand in."""

import time
from typing import Annotated

from fastapi import Path, Query
from starlette.responses import Response, StreamingResponse

from schoolwatch_server import reports
from schoolwatch_server.api import looked
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.query import CODE, SchoolCode
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.database import registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.indicators.current import current
from schoolwatch_server.scope import Scope
from schoolwatch_server.texts import Language

_FORMATS = {chosen.id: chosen for chosen in reports.FORMATS}

Lang = Annotated[Language, Query(description="Language of headings and words")]
Excel = Annotated[
    Language | None,
    Query(
        description="Opens as it is in Excel where Windows writes numbers as this language does: UTF-16, "
        "tabs, decimal comma in `vi`. Without it the file is for programs: UTF-8, commas, decimal point"
    ),
]


def indicators(
    code: Annotated[str, Path(pattern=CODE, description="Mã trường")],
    form: Annotated[str, Path(alias="format", pattern=r"^[a-z0-9]{1,10}$", description=", ".join(_FORMATS))],
    who: Who,
    server: Server,
    lang: Lang = "vi",
    excel: Excel = None,
) -> Response:
    """The file, with numerator, denominator, coverage, source and pack of each value."""
    looked.see(server.looked, server.engine, who, "export", f"{code} {form}")
    return school_file(server, who.scope, code, form, pen(server, lang, excel))


def table(
    name: Annotated[
        str, Path(alias="table", pattern=r"^[a-z-]{1,20}$", description=", ".join(reports.TABLES))
    ],
    who: Who,
    server: Server,
    school: SchoolCode = None,
    lang: Lang = "vi",
    excel: Excel = None,
) -> Response:
    """Every school that you may see, or one; sent as it is made, so however many there are."""
    chosen = reports.TABLES.get(name)
    if chosen is None:
        raise not_found("table", name)
    with begin_read(server.engine) as conn:
        if school is None:
            schools = registry.schools(conn, who.scope)
        else:
            one = registry.school_by_code(conn, school, who.scope)
            if one is None:
                raise not_found("school", school)
            schools = (one,)
    looked.see(server.looked, server.engine, who, "export", f"{chosen.id} {school or ''}".strip())
    asked = reports.Asked(
        who.scope,
        time.time(),
        server.packs,
        server.config.privacy.room_devices,
        server.config.antivirus.issued,
    )
    written = pen(server, lang, excel)
    return StreamingResponse(
        reports.stream(chosen, server.engine, schools, asked, written),
        headers=headers(f"schoolwatch-{chosen.id}.csv", "text/csv", written),
    )


def school_file(server: Context, scope: Scope, code: str, form: str, written: reports.Pen) -> Response:
    """A school's report as a download, for API and console. Raises a 404 `Problem`."""
    chosen = _FORMATS.get(form)
    if chosen is None:
        raise not_found("format", form)
    now = time.time()
    with begin_read(server.engine) as conn:
        school = registry.school_by_code(conn, code, scope)
        if school is None:
            raise not_found("school", code)
        values = current(conn, "school", school.id, server.packs, now)
    report = reports.Report(school.province, school.commune, school.code, school.name, now, values)
    name = reports.file_name(report, chosen)
    return Response(chosen.render(report, written), headers=headers(name, chosen.media_type, written))


def pen(server: Context, language: Language, excel: Language | None) -> reports.Pen:
    """How a file is written for whoever asks."""
    style = reports.MACHINE if excel is None else reports.EXCEL[excel]
    return reports.Pen(server.texts, language, style, server.simulated)


def headers(name: str, media_type: str, written: reports.Pen) -> dict[str, str]:
    """`name` is ASCII without quotes: nothing to escape. A file of simulated data is called so."""
    name = f"simulated-{name}" if written.simulated else name
    charset = written.style.encoding.removesuffix("-le")  # the byte order mark says which end comes first
    return {
        "Content-Type": f"{media_type}; charset={charset}",
        "Content-Disposition": f'attachment; filename="{name}"',
    }


ROUTES = (
    Route("GET", "/api/v1/schools/{code}/indicators.{format}", indicators, "read", "Indicators as a file"),
    Route("GET", "/api/v1/tables/{table}.csv", table, "read", "A table over all schools as a file"),
)
