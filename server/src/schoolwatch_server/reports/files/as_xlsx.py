"""XLSX: the place's own values, its parts with one sheet a school level, devices, sources, and what it is.

Numbers are numbers and texts are texts, whatever a school is called: nothing is ever written as a formula.
"""

import io
from collections.abc import Callable, Iterator

from schoolwatch_server.indicators.indicator import IndicatorValue, Line, Source
from schoolwatch_server.reports.files import asks, words
from schoolwatch_server.reports.files.details import details
from schoolwatch_server.reports.files.figures import claimed, observed
from schoolwatch_server.reports.files.levels_sheet import by_level
from schoolwatch_server.reports.files.paper import FileFormat, Paper
from schoolwatch_server.reports.files.sheet import FONT, Cell, Figure, Looks, Sheet

Open = Callable[[str], Sheet]

_SHEETS = ("own", "scores", "plans", "devices", "sources", "about")


def render(paper: Paper) -> bytes:
    """The whole workbook."""
    from xlsxwriter import Workbook  # here: only who asks for a workbook needs it

    out = io.BytesIO()
    options = {
        "in_memory": True,  # its files then bear no day of today
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        # columns are as wide as so many digits of it: of a font that is not there they would be of any width
        "default_format_properties": {"font_name": FONT, "font_size": 11},
    }
    book = Workbook(out, options)
    title = f"{words.kind(paper)} {words.period(paper)}: {words.clean(paper.content.name)}"
    book.set_properties({"title": title, "created": words.made_at(paper), "comments": words.simulated(paper)})
    looks = Looks(book, paper.text("file.declared.unverified"))
    foot = paper.text("file.foot", revision=paper.content.revision, digest=paper.sha256)

    def opened(name: str) -> Sheet:
        return Sheet(book.add_worksheet(name), looks, title, words.simulated(paper), foot)

    _own(paper, opened)
    _asked(paper, opened)
    for sheet_name, parts in by_level(paper, [paper.text(f"file.sheet.{name}") for name in _SHEETS]):
        parts.write(paper, opened(sheet_name))
    if paper.content.devices:
        _devices(paper, opened(paper.text("file.sheet.devices")))
    _sources(paper, opened(paper.text("file.sheet.sources")))
    _about(paper, opened(paper.text("file.sheet.about")))
    book.close()
    return out.getvalue()


# --- the place itself -------------------------------------------------------------------------------------

_OWN = (
    ("name", 40.0),
    ("value", 14.0),
    ("unit", 13.0),
    ("numerator", 10.0),
    ("denominator", 10.0),
    ("coverage", 9.0),
    ("target", 24.0),
    ("judgement", 28.0),
    ("declared", 32.0),
    ("declared_state", 18.0),
    ("confidence", 30.0),
)


def _heads(paper: Paper, sheet: Sheet, columns: tuple[tuple[str, float], ...], keep: int = 1) -> None:
    heads = [paper.text(f"report.column.{column}") for column, _ in columns]
    sheet.heads(heads, [width for _, width in columns], keep)


def _own(paper: Paper, opened: Open) -> None:
    sheet = opened(paper.text("file.sheet.own"))
    sheet.line(
        paper.text(
            "file.window",
            since=words.day_of(paper.content.window_from),
            until=words.day_of(paper.content.window_to),
            frozen=words.instant(paper.content.frozen_at),
        )
    )
    if (ended := words.ended_before(paper)) is not None:
        sheet.line(paper.text("reports.after_period", day=words.day(ended.isoformat())), "mark")
    _heads(paper, sheet, _OWN)
    sheet.fit_width()
    for value in paper.content.values:
        sheet.cells(tuple(_own_cells(paper, value)), "wrap")
    sheet.end()


def _own_cells(paper: Paper, value: IndicatorValue) -> Iterator[Cell]:
    yield words.name_of(paper, value)
    yield observed(paper, value)
    yield paper.known(f"report.unit.{value.unit}", value.unit)
    yield None if value.numerator is None else Figure(value.numerator)
    yield None if value.denominator is None else Figure(value.denominator)
    yield None if value.coverage is None else Figure(value.coverage, "ratio")
    yield words.target(paper, value)
    yield words.verdict(paper, value)
    yield claimed(value)
    yield paper.known(f"file.state.{value.declared_state}", value.declared_state)
    yield words.confidence(paper, value.source.confidence)


# --- scores and plans ---------------------------------------------------------------------------------------

_OF, _WIDTH = 30.0, 150.0
"""Signs of the column of documents, and of the others together, on a sheet of scores or plans."""


def _asked(paper: Paper, opened: Open) -> None:
    """A sheet for scores and one for plans, each where there is something to print."""
    for name, tables in (("scores", list(asks.scores(paper))), ("plans", list(asks.plans(paper)))):
        if not tables:
            continue
        sheet = opened(paper.text(f"file.sheet.{name}"))
        for note in dict.fromkeys(note for table in tables for note in table.notes):
            sheet.line(note)
        widths = [_OF, *(share * _WIDTH for share in tables[0].widths)]
        sheet.heads((paper.text("file.asked.of"), *tables[0].heads), widths)
        sheet.fit_width()
        for table in tables:
            for row in table.rows:
                sheet.cells((table.title, *row), "wrap")
        sheet.end()


# --- devices, sources, what it is ---------------------------------------------------------------------------

_DEVICES = (
    ("label", 20.0),
    ("room", 18.0),
    ("role", 18.0),
    ("working", 16.0),
    ("taken_at", 22.0),
    ("facts", 70.0),
    ("device", 36.0),
)


def _devices(paper: Paper, sheet: Sheet) -> None:
    """What is known of each, and for which indicators it counts: `có`, `không`, or nothing that is known."""
    codes = {value.indicator: value.code for value in paper.content.values}
    asked = [name for name in codes if any(name in device.counted for device in paper.content.devices)]
    heads = [paper.text(f"report.column.{column}") for column, _ in _DEVICES]
    widths = [width for _, width in _DEVICES]
    if asked:
        sheet.line(paper.text("file.counted_what"))
    sheet.heads([*heads, *(codes[name] or name for name in asked)], [*widths, *(8.0 for _ in asked)], 1)
    sheet.fit_width()
    for device in paper.content.devices:
        counted = (device.counted.get(name) for name in asked)
        sheet.cells(
            (
                device.label,
                device.room,
                paper.known(f"role.{device.role}", device.role) if device.role else "",
                words.working(paper, device),
                "" if device.taken_at is None else words.instant(device.taken_at),
                "; ".join(words.facts(paper, device)),
                device.device,
                *("" if one is None else paper.text("yes" if one else "no") for one in counted),
            )
        )
    sheet.end()


_SOURCES = (
    ("name", 46.0),
    ("line", 18.0),
    ("number", 14.0),
    ("unit", 16.0),
    ("document", 44.0),
    ("clause", 60.0),
    ("confidence", 36.0),
    ("pack", 20.0),
)


def _sources(paper: Paper, sheet: Sheet) -> None:
    _heads(paper, sheet, _SOURCES)
    sheet.fit_width()
    for value in paper.content.values:
        sheet.cells(tuple(_source(paper, value, None)), "wrap")
        for line in value.lines:
            sheet.cells(tuple(_source(paper, value, line)), "wrap")
    sheet.end()


def _source(paper: Paper, value: IndicatorValue, line: Line | None) -> Iterator[Cell]:
    source: Source = value.source if line is None else line.source
    yield words.name_of(paper, value)
    if line is None:
        yield from (paper.text("file.definition"), None, None)
    else:
        levels = f" ({', '.join(line.applies_to)})" if line.applies_to else ""
        yield f"{paper.text(f'line.{line.kind}')}{levels}"
        yield Figure(line.value, line.unit)
        yield paper.known(f"report.unit.{line.unit}", line.unit)
    yield source.document
    yield source.clause
    yield words.confidence(paper, source.confidence)
    yield value.pack


def _about(paper: Paper, sheet: Sheet) -> None:
    sheet.heads([paper.text("file.about.what"), paper.text("file.about.told")], [36, 110])
    sheet.fit_width()
    for what, told in details(paper):
        sheet.cells((what, told), "wrap")


XLSX = FileFormat("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", render)
