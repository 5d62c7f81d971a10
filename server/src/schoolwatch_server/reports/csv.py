"""A school's indicators as CSV that Excel opens as it is: each row with its coverage and its sources.

RFC 4180 with a byte order mark, without which Excel reads Vietnamese letters wrongly. Text that a
spreadsheet would run as a formula is made harmless by an apostrophe (OWASP, "CSV Injection").
"""

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from schoolwatch_server.indicators.indicator import IndicatorValue, Line
from schoolwatch_server.reports.report import Format, Report
from schoolwatch_server.texts import Language, Texts

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

_VIETNAM = timezone(timedelta(hours=7))

# at the start of a cell, and after whatever another country's Excel takes for the end of one
_FORMULA = re.compile(r"(^|[;,|])([\s\"]*)([=+\-@＝＋－＠])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


def render(report: Report, texts: Texts, language: Language = "vi") -> bytes:
    """The whole file, in UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([f"{texts.get(language, f'report.column.{name}')} [{name}]" for name in COLUMNS])
    for value in report.values:
        cells = dict(_cells(report, value, texts, language))
        writer.writerow([cells[name] for name in COLUMNS])
    return ("\ufeff" + out.getvalue()).encode("utf-8")


def harmless(text: str) -> str:
    """The text in one line, with an apostrophe before what a spreadsheet would take for a formula."""
    return _FORMULA.sub(r"\1\2'\3", _CONTROL.sub(" ", text))


def _cells(
    report: Report, value: IndicatorValue, texts: Texts, language: Language
) -> Iterator[tuple[str, str]]:
    unknown = texts.get(language, "report.not_enough_data")
    none = texts.get(language, "report.none")
    yield "province", harmless(report.province)
    yield "commune", harmless(report.commune)
    yield "school_code", harmless(report.school_code)
    yield "school", harmless(report.school)
    yield "name", harmless(texts.either(language, f"indicator.{value.indicator}", value.indicator))
    yield "indicator", value.indicator
    yield "value", _number(value.value, unknown)
    yield "unit", texts.either(language, f"report.unit.{value.unit}", value.unit)
    yield "status", texts.get(language, f"report.status.{value.status}")
    reason = value.reason
    yield "reason", harmless(texts.either(language, f"reason.{reason}", reason)) if reason else ""
    yield "numerator", _number(value.numerator, unknown)
    yield "denominator", _number(value.denominator, unknown)
    yield "coverage", _number(value.coverage, unknown)
    yield "target", _number(value.target, none)
    yield "document", harmless(value.source.document)
    yield "clause", harmless(value.source.clause)
    yield "confidence", _confidence(value.source.confidence, texts, language)
    yield "numbers", harmless("; ".join(_line(line, texts, language) for line in value.lines))
    yield "pack", harmless(value.pack)
    yield "at", f"{datetime.fromtimestamp(value.at, _VIETNAM):%Y-%m-%dT%H:%M:%S%z}"


def _line(line: Line, texts: Texts, language: Language) -> str:
    levels = f" ({', '.join(line.applies_to)})" if line.applies_to else ""
    kind = texts.get(language, f"line.{line.kind}")
    source = f"{line.source.document}: {line.source.clause}"
    unit = texts.either(language, f"report.unit.{line.unit}", line.unit)
    return f"{kind}{levels} {_number(line.value, '')} {unit} [{line.source.confidence}] {source}"


def _confidence(tag: str, texts: Texts, language: Language) -> str:
    return harmless(f"{tag}: {texts.either(language, f'confidence.{tag}', tag)}")


def _number(number: float | None, unknown: str) -> str:
    """A decimal point and no grouping, whatever the language: programs read this too."""
    if number is None:
        return unknown
    return str(int(number)) if float(number).is_integer() else f"{number:.6f}".rstrip("0").rstrip(".")


CSV = Format("csv", "text/csv; charset=utf-8", render)
