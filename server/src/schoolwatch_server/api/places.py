"""GET /api/v1/schools and /api/v1/indicators: places, their declared numbers, and what is judged of them."""

import time
from typing import Annotated

from fastapi import Query

from schoolwatch_server.api import shapes
from schoolwatch_server.api.problems import Problem, not_found
from schoolwatch_server.api.query import Cursor, Limit, SchoolCode
from schoolwatch_server.api.route import Route, Server, Who
from schoolwatch_server.api.times import rfc3339
from schoolwatch_server.database import registry
from schoolwatch_server.database.engine import begin_read
from schoolwatch_server.indicators import INDICATORS
from schoolwatch_server.indicators.current import current
from schoolwatch_server.indicators.indicator import IndicatorValue
from schoolwatch_server.reports import punctuality
from schoolwatch_server.texts import LANGUAGES, Texts

Json = dict[str, object]


def schools(who: Who, server: Server, limit: Limit = 100, cursor: Cursor = 0) -> Json:
    """Schools with their place and declared numbers; `next` goes into `cursor` for the next page."""
    with begin_read(server.engine) as conn:
        known = sorted(registry.schools(conn, who.scope), key=lambda school: school.id)
    rest = [school for school in known if school.id > cursor]
    page = rest[:limit]
    return {
        "schools": [
            {
                "code": school.code,
                "name": school.name,
                "level": school.level,
                "commune": school.commune,
                "province": school.province,
                "managed_by": school.managed_by,
                "is_public": school.is_public,
                "declared": school.declared,
            }
            for school in page
        ],
        "next": page[-1].id if len(rest) > limit else None,
    }


def indicators(
    who: Who,
    server: Server,
    school: SchoolCode = None,
    indicator: Annotated[str | None, Query(pattern=r"^[a-z0-9_]{1,60}$")] = None,
) -> Json:
    """The indicators of a school now, each with numerator, denominator, coverage, source and pack."""
    if school is None:
        raise Problem(
            422, "school: say which, by its code", errors=[{"field": "school", "detail": "required"}]
        )
    known = {*(one.id for one in INDICATORS), punctuality.INDICATOR}
    if indicator is not None and indicator not in known:
        raise not_found("indicator", indicator)
    with begin_read(server.engine) as conn:
        row = registry.school_by_code(conn, school, who.scope)
        if row is None:
            raise not_found("school", school)
        now = time.time()
        values = current(conn, "school", row.id, server.packs, now)
        if values:
            values = (*values, punctuality.here(conn, "school", row.id, now))
    return {
        "school": row.code,
        "name": row.name,
        "indicators": [
            indicator_json(value, server.texts)
            for value in values
            if indicator is None or value.indicator == indicator
        ],
    }


def indicator_json(value: IndicatorValue, texts: Texts) -> Json:
    """One judged value as JSON; a value that may not be shown is null, with the reason beside it."""
    source = value.source
    return {
        "indicator": value.indicator,
        "code": value.code,
        "title": {language: texts.get(language, f"indicator.{value.indicator}") for language in LANGUAGES},
        "unit": value.unit,
        "status": value.status,
        "reason": value.reason,
        "value": value.value,
        "numerator": value.numerator,
        "denominator": value.denominator,
        "coverage": value.coverage,
        "source": {
            "document": source.document,
            "clause": source.clause,
            "confidence": source.confidence,
        },
        "pack": value.pack,
        "target": value.target,
        "better": value.better,
        "meets": value.meets,
        "encouraged": value.encouraged,
        "deadline": value.deadline or None,
        "basis": value.basis,
        "declared": value.declared,
        "declared_state": value.declared_state,
        "stages": [
            {"stage": each.stage, "value": each.value, "target": each.target, "meets": each.meets}
            for each in value.stages
        ],
        "parts": dict(value.parts),
        "at": rfc3339(value.at),
    }


ROUTES = (
    Route("GET", "/api/v1/schools", schools, "read", "Schools and what they declared", answer=shapes.Schools),
    Route(
        "GET", "/api/v1/indicators", indicators, "read", "Indicators of a school", answer=shapes.Indicators
    ),
)
