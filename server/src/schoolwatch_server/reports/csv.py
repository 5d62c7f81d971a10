"""A school's indicators as CSV: each row with its coverage and its sources."""

from collections.abc import Iterator

from schoolwatch_server.indicators.indicator import IndicatorValue, Line
from schoolwatch_server.reports.pen import Cell, Pen, instant
from schoolwatch_server.reports.report import Format, Report

COLUMNS = (
    "province",
    "commune",
    "school_code",
    "school",
    "name",
    "indicator",
    "value",
    "unit",
    "status",
    "reason",
    "numerator",
    "denominator",
    "coverage",
    "target",
    "document",
    "clause",
    "confidence",
    "numbers",
    "pack",
    "at",
)
"""Ids of the columns; they stand beside the name in each heading, so programs can rely on them."""


def render(report: Report, pen: Pen) -> bytes:
    """The whole file."""
    return pen.head(COLUMNS) + b"".join(pen.row(COLUMNS, row) for row in rows(report, pen))


def rows(report: Report, pen: Pen) -> Iterator[dict[str, Cell]]:
    """A row for each indicator."""
    return (dict(_cells(report, value, pen)) for value in report.values)


def _cells(report: Report, value: IndicatorValue, pen: Pen) -> Iterator[tuple[str, Cell]]:
    yield "province", report.province
    yield "commune", report.commune
    yield "school_code", report.school_code
    yield "school", report.school
    yield "name", pen.known(f"indicator.{value.indicator}", value.indicator)
    yield "indicator", value.indicator
    yield "value", pen.text("report.status.not_enough_data") if value.value is None else value.value
    yield "unit", pen.known(f"report.unit.{value.unit}", value.unit)
    yield "status", pen.text(f"report.status.{value.status}")
    reason = value.reason
    yield "reason", pen.known(f"reason.{reason}", reason) if reason else ""
    yield "numerator", value.numerator
    yield "denominator", value.denominator
    yield "coverage", value.coverage
    yield "target", pen.text("report.none") if value.target is None else value.target
    yield "document", value.source.document
    yield "clause", value.source.clause
    tag = value.source.confidence
    yield "confidence", f"{tag}: {pen.known(f'confidence.{tag}', tag)}"
    yield "numbers", "; ".join(_line(line, pen) for line in value.lines)
    yield "pack", value.pack
    yield "at", instant(value.at)


def _line(line: Line, pen: Pen) -> str:
    levels = f" ({', '.join(line.applies_to)})" if line.applies_to else ""
    source = f"{line.source.document}: {line.source.clause}"
    unit = pen.known(f"report.unit.{line.unit}", line.unit)
    kind = pen.text(f"line.{line.kind}")
    return f"{kind}{levels} {pen.number(line.value)} {unit} [{line.source.confidence}] {source}"


CSV = Format("csv", "text/csv", render)
