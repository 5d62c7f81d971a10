"""GET /api/v1/schools/{code}/indicators.csv: a school's indicators as a file that people hand in."""

import time
from typing import Annotated

from fastapi import Path, Query
from starlette.responses import Response

from schoolwatch_server import reports
from schoolwatch_server.api.context import Context
from schoolwatch_server.api.problems import not_found
from schoolwatch_server.api.query import CODE
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.database import registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.indicators.current import current
from schoolwatch_server.scope import Scope
from schoolwatch_server.texts import Language

_FORMATS = {chosen.id: chosen for chosen in reports.FORMATS}


def indicators(
    code: Annotated[str, Path(pattern=CODE, description="Mã trường")],
    form: Annotated[str, Path(alias="format", pattern=r"^[a-z0-9]{1,10}$", description=", ".join(_FORMATS))],
    who: Who,
    server: Server,
    lang: Annotated[Language, Query(description="Language of headings and words")] = "vi",
) -> Response:
    """The file, with numerator, denominator, coverage, source and pack of each value."""
    return school_file(server, who.scope, code, form, lang)


def school_file(server: Context, scope: Scope, code: str, form: str, language: Language) -> Response:
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
    name = reports.file_name(report, chosen)  # ASCII without quotes: nothing to escape in the header
    return Response(
        chosen.render(report, server.texts, language),
        media_type=chosen.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


ROUTES = (
    Route("GET", "/api/v1/schools/{code}/indicators.{format}", indicators, "read", "Indicators as a file"),
)
