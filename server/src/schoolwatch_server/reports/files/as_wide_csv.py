"""CSV with a row for each place and columns for each indicator: what a spreadsheet sorts and filters by."""

from collections.abc import Iterator, Mapping

from schoolwatch_server.indicators.indicator import IndicatorValue
from schoolwatch_server.reports.content import Part
from schoolwatch_server.reports.files import words
from schoolwatch_server.reports.files.as_csv import own, report_of
from schoolwatch_server.reports.files.paper import FileFormat, Paper
from schoolwatch_server.reports.pen import Cell, Pen, instant

PLACE = (
    *("kind", "period", "revision", "place_level", "province", "commune", "code", "part"),
    *("school_level",),
)
LAST = ("frozen_at", "report_sha256")
OF_EACH = ("value", "coverage", "declared")
"""Columns of each indicator; their ids are `antivirus_coverage.value` and so on."""


def render(paper: Paper) -> bytes:
    """The whole file."""
    pen = Pen(paper.texts, paper.language, simulated=paper.content.simulated)
    shown = _shown(paper)
    named = [(f"{words.name_of(paper, value)}: {pen.text(f'report.column.{key}')}", f"{name}.{key}")
             for name, value in shown.items() for key in OF_EACH]  # fmt: skip
    fixed = [[(_named(pen, name), name) for name in names] for names in (PLACE, LAST)]
    heads = [*fixed[0], *named, *fixed[1]]
    columns = [id_ for _, id_ in heads]
    return pen.heads(heads) + b"".join(pen.row(columns, row) for row in _rows(paper, pen, shown))


def _named(pen: Pen, column: str) -> str:
    return pen.known(f"file.column.{column}", pen.known(f"report.column.{column}", column))


def _shown(paper: Paper) -> Mapping[str, IndicatorValue]:
    """Every indicator of the report or of a part of it, with one value to name it by."""
    content = paper.content
    values = (
        value for values in (content.values, *(part.values for part in content.parts)) for value in values
    )
    found: dict[str, IndicatorValue] = {}
    for value in values:
        found.setdefault(value.indicator, value)
    return found


def _rows(paper: Paper, pen: Pen, shown: Mapping[str, IndicatorValue]) -> Iterator[dict[str, Cell]]:
    content = paper.content
    for part in (own(content), *content.parts):
        of = report_of(content, part)
        yield {
            "kind": paper.known(f"report.kind.{content.kind}", content.kind),
            "period": content.period,
            "revision": content.revision,
            "place_level": pen.text(f"file.level.{part.level}"),
            "province": of.province,
            "commune": of.commune,
            "code": part.code,
            "part": part.name,
            "school_level": part.school_level,
            "frozen_at": instant(content.frozen_at),
            "report_sha256": paper.sha256,
            **dict(_cells(pen, part, shown)),
        }


def _cells(pen: Pen, part: Part, shown: Mapping[str, IndicatorValue]) -> Iterator[tuple[str, Cell]]:
    """A value that is not known is said in words, as in every file; what a place doesn't have is empty."""
    values = {value.indicator: value for value in part.values}
    for name in shown:
        value = values.get(name)
        if value is None:
            yield from ((f"{name}.{key}", "") for key in OF_EACH)
            continue
        unknown = pen.text("report.status.not_enough_data")
        yield f"{name}.value", unknown if value.value is None else value.value
        yield f"{name}.coverage", "" if value.coverage is None else value.coverage
        yield f"{name}.declared", "" if value.declared is None else value.declared


WIDE_CSV = FileFormat("wide", "text/csv", render, ending="csv")
