"""CSV: a row for each indicator of the place and of those below it, with coverage, claim and sources."""

from collections.abc import Iterator

from schoolwatch_server.indicators.indicator import IndicatorValue
from schoolwatch_server.reports import csv
from schoolwatch_server.reports.content import Content, Part
from schoolwatch_server.reports.files import asked_rows
from schoolwatch_server.reports.files.paper import FileFormat, Paper
from schoolwatch_server.reports.pen import Cell, Pen, instant
from schoolwatch_server.reports.report import Report

COLUMNS = (
    *("kind", "period", "revision", "place_level", "school_level"),
    *csv.COLUMNS,
    *("declared", "declared_state", "declared_at", "deadline", "frozen_at", "report_sha256"),
)

_BLANK: dict[str, Cell] = dict.fromkeys(COLUMNS, "")


def render(paper: Paper) -> bytes:
    """The whole file."""
    pen = Pen(paper.texts, paper.language, simulated=paper.content.simulated)
    return pen.head(COLUMNS) + b"".join(pen.row(COLUMNS, row) for row in _rows(paper, pen))


def _rows(paper: Paper, pen: Pen) -> Iterator[dict[str, Cell]]:
    content = paper.content
    whole = own(content)
    fixed: dict[str, Cell] = {
        "kind": paper.known(f"report.kind.{content.kind}", content.kind),
        "period": content.period,
        "revision": content.revision,
        "frozen_at": instant(content.frozen_at),
        "report_sha256": paper.sha256,
    }
    for part in (whole, *content.parts):
        place = {"place_level": pen.text(f"file.level.{part.level}"), "school_level": part.school_level}
        rows = csv.rows(report_of(content, part), pen)
        for row, value in zip(rows, part.values, strict=True):
            yield {**fixed, **place, **row, **_declared(value, pen)}
        asked = asked_rows.of_report(paper) if part is whole else asked_rows.of_part(paper, part)
        yield from ({**_BLANK, **_named(content, part), **fixed, **place, **row} for row in asked)


def own(content: Content) -> Part:
    """The report's own place with its values, in the form of a place below it."""
    return Part(
        level=content.level,
        id=content.place_id,
        code=content.code,
        name=content.name,
        within=content.within[-1] if content.within else "",
        school_level=content.school_level,
        values=content.values,
    )


def _named(content: Content, part: Part) -> dict[str, Cell]:
    """The cells of a row that say of which place it is, and as of when."""
    of = report_of(content, part)
    at = instant(content.frozen_at)
    return {
        "province": of.province,
        "commune": of.commune,
        "school_code": of.school_code,
        "school": of.school,
        "at": at,
    }


def report_of(content: Content, part: Part) -> Report:
    """Where the part lies: provinces hold communes, and these hold schools."""
    province = content.name if content.level == "province" else "".join(content.within[:1])
    commune = {"school": part.within, "commune": part.name}.get(part.level, "")
    if content.level == "commune" and part.level == "school":
        commune = part.within or content.name
    is_school = part.level == "school"
    code, name = (part.code, part.name) if is_school else ("", "")
    return Report(province, commune, code, name, content.frozen_at, part.values)


def _declared(value: IndicatorValue, pen: Pen) -> dict[str, Cell]:
    state = value.declared_state
    return {
        "declared": "" if value.declared is None else value.declared,
        "declared_state": pen.known(f"file.state.{state}", state) if state else "",
        "declared_at": instant(value.declared_at) or "",
        "deadline": value.deadline,
    }


CSV = FileFormat("csv", "text/csv", render)
